"""The Q-learning loop against the same loop in C."""

from __future__ import annotations

import ctypes
import tempfile
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.compiled import NO_COMPILER, build, compilers
from benchmarks.timing import Row, Variant, compare
from qlearn_core.behaviours import TRAJECTORY, UNIFORM_PAIRS, BehaviourTables
from qlearn_core.mdp import INDEX, Successors
from qlearn_core.step_sizes import constant
from qlearn_core.tabular import _q_learning

GAMMA, ALPHA, EPSILON = 0.9, 0.1, 0.1
SIZES = ((5, 2), (250, 4), (25_000, 4))  # states, actions
NUM_UPDATES = 200_000
NANOSECONDS = 1e9
WITHIN = 1 / 1.5  # of the time of C
OWN_GENERATOR = (
    "we call NumPy's generator for every number, so that one seed gives one run, compiled or not; "
    "this C inlines its own"
)


class Problem(ctypes.Structure):
    """`problem` of kernels.c."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in (
            "num_actions", "num_successors", "num_pairs", "start", "num_updates")),
        *((name, ctypes.c_double) for name in ("alpha", "gamma", "epsilon")),
        *((name, ctypes.c_void_p) for name in (
            "next_states", "pairs", "cumulative", "r", "policy", "terminal")),
    ]  # fmt: skip


def rows() -> tuple[list[Row], list[str]]:
    """The table, and one sentence if it could not be measured."""
    if not compilers():
        return [], [NO_COMPILER]
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        kernels = {
            name: build("kernels.c", command, Path(folder), "-ffp-contract=off")
            for name, command in compilers().items()
        }
        for branching, behaviour, size in product((1, 5), ("uniform pairs", "ε-greedy"), SIZES):
            measured += c_rows(kernels, *size, branching, behaviour)
    return measured, []


def c_rows(
    kernels: dict[str, ctypes.CDLL],
    num_states: int,
    num_actions: int,
    branching: int,
    behaviour: str,
) -> list[Row]:
    """ns per update of the package, and of C with NumPy's generator and with its own.

    Raises RuntimeError if C with NumPy's generator ends in another table.
    """
    successors, r, terminal, tables = random_problem(
        num_states, num_actions, branching, TRAJECTORY if behaviour == "ε-greedy" else UNIFORM_PAIRS
    )
    problem = Problem(
        num_actions, branching, tables.pairs.size, int(tables.start), NUM_UPDATES,
        ALPHA, GAMMA, tables.epsilon,
        *(array.ctypes.data for array in (
            successors.states, tables.pairs, successors.cumulative,
            r, tables.cumulative, terminal)),
    )  # fmt: skip
    name = "epsilon_greedy" if behaviour == "ε-greedy" else "uniform_pairs"
    finals = {}

    def in_c(compiler: str, generator: str):
        q, counts = np.zeros(r.shape), np.zeros(r.shape, dtype=np.int64)
        bits = np.random.default_rng(0).bit_generator
        words = np.arange(1, 5, dtype=np.uint64) << 60  # a state of xoshiro256+
        rng = bits.ctypes.bit_generator if generator == "numpy" else words.ctypes
        finals[compiler, generator] = q, counts, bits, words  # alive while C uses their memory
        kernel = kernels[compiler][f"{name}_{generator}"]
        return partial(kernel, ctypes.byref(problem), q.ctypes, counts.ctypes, rng)

    def in_python():
        q, counts = np.zeros(r.shape), np.zeros(r.shape, dtype=np.int64)
        finals["package"] = q
        return partial(
            _q_learning, q, counts, np.empty((1, *r.shape)), np.array([NUM_UPDATES]), successors,
            r, terminal, tables, constant(ALPHA).schedule, GAMMA, np.random.default_rng(0),
        )  # fmt: skip

    dynamics = "deterministic" if branching == 1 else f"{branching} successors"
    case = f"{dynamics}, {behaviour}, {num_states * num_actions:,} pairs"
    variants = {"qlearn_core": Variant(in_python, NANOSECONDS / NUM_UPDATES)}
    in_python()()
    for compiler in kernels:
        for generator, words in (("numpy", "NumPy's generator"), ("xoshiro", "xoshiro inlined")):
            prepare = partial(in_c, compiler, generator)
            variants[f"C, {compiler}, {words}"] = Variant(
                prepare, NANOSECONDS / NUM_UPDATES, WITHIN, OWN_GENERATOR
            )
        in_c(compiler, "numpy")()
        if not np.array_equal(finals[compiler, "numpy"][0], finals["package"]):
            raise RuntimeError(f"C and qlearn_core end in different tables: {case}")
    return compare(case, variants, unit="ns/update")


def random_problem(
    num_states: int, num_actions: int, branching: int, kind: int
) -> tuple[Successors, np.ndarray, np.ndarray, BehaviourTables]:
    """The arrays the loops take, of a random MDP whose dense P would not fit into memory."""
    rng = np.random.default_rng(0)
    shape = num_states * num_actions, branching
    probabilities = rng.dirichlet(np.ones(branching), size=shape[0])
    cumulative = np.cumsum(probabilities, axis=1)
    cumulative[:, -1] = 1.0
    successors = Successors(
        rng.integers(num_states, size=shape, dtype=INDEX), probabilities, cumulative
    )
    policy = np.tile(np.arange(1, num_actions + 1) / num_actions, (num_states, 1))
    tables = BehaviourTables(kind, EPSILON, policy, np.arange(shape[0], dtype=INDEX), INDEX(0))
    r = rng.random((num_states, num_actions))
    return successors, r, np.zeros(num_states, dtype=bool), tables
