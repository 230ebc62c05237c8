"""The Q-learning loop against the same loop in C, and against the loop of a tutorial."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.timing import Row, compare
from qlearn_core import EpsilonGreedy, from_gymnasium, q_learning
from qlearn_core.behaviours import TRAJECTORY, UNIFORM_PAIRS, BehaviourTables
from qlearn_core.mdp import INDEX, Successors
from qlearn_core.step_sizes import constant
from qlearn_core.tabular import _q_learning

GAMMA, ALPHA, EPSILON = 0.9, 0.1, 0.1
SIZES = ((5, 2), (25, 4), (250, 4), (2_500, 4), (25_000, 4))  # states, actions
NUM_UPDATES = 200_000
TUTORIAL_UPDATES = 5_000
NANOSECONDS = 1e9
COMPILE = ("-O3", "-march=native", "-ffp-contract=off", "-shared", "-fPIC")


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
    """The table, and one sentence for every part of it that could not be measured."""
    measured, missing = tutorial_rows(), []
    if shutil.which("gcc") is None:
        missing.append("The comparison with C is left out: gcc was not found.")
        return measured, missing
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "kernels.so"
        source = Path(__file__).with_name("kernels.c")
        subprocess.run(["gcc", *COMPILE, source, "-o", library], check=True)
        kernels = ctypes.CDLL(str(library))
        for size in SIZES:
            for branching in (1, 5):
                for behaviour in ("uniform pairs", "ε-greedy"):
                    measured += c_rows(kernels, *size, branching, behaviour)
    return measured, missing


def c_rows(
    kernels: ctypes.CDLL, num_states: int, num_actions: int, branching: int, behaviour: str
) -> list[Row]:
    """ns per update of C with NumPy's generator, C with its own generator, and the package."""
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

    def in_c(generator: str):
        q, counts = np.zeros(r.shape), np.zeros(r.shape, dtype=np.int64)
        bits = np.random.default_rng(0).bit_generator
        words = np.arange(1, 5, dtype=np.uint64) << 60  # a state of xoshiro256+
        rng = bits.ctypes.bit_generator if generator == "numpy" else words.ctypes
        finals[generator] = q, counts, bits, words  # alive while C uses their memory
        kernel = kernels[f"{name}_{generator}"]
        return partial(kernel, ctypes.byref(problem), q.ctypes, counts.ctypes, rng)

    def in_python():
        q, counts = np.zeros(r.shape), np.zeros(r.shape, dtype=np.int64)
        finals["package"] = (q,)
        return partial(
            _q_learning, q, counts, np.empty((1, *r.shape)), np.array([NUM_UPDATES]), successors,
            r, terminal, tables, constant(ALPHA).schedule, GAMMA, np.random.default_rng(0),
        )  # fmt: skip

    dynamics = "deterministic" if branching == 1 else f"{branching} successors"
    variants = {
        "C, NumPy's generator": partial(in_c, "numpy"),
        "C, xoshiro inlined": partial(in_c, "xoshiro"),
        "qlearn_core": in_python,
    }
    found = compare(
        f"{num_states * num_actions:,} pairs, {dynamics}, {behaviour}",
        variants,
        unit="ns/update",
        per_unit=dict.fromkeys(variants, NANOSECONDS / NUM_UPDATES),
    )
    if not np.array_equal(finals["numpy"][0], finals["package"][0]):
        raise RuntimeError(f"C and qlearn_core end in different tables: {found[0].case}")
    return found


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


def tutorial_rows() -> list[Row]:
    """ns per update on FrozenLake 8x8: the package against the loop of the tutorials."""
    import gymnasium

    measured = []
    for slippery in (True, False):
        options = {"map_name": "8x8", "is_slippery": slippery}
        mdp = from_gymnasium("FrozenLake-v1", **options)
        env = gymnasium.make("FrozenLake-v1", **options)
        run = partial(
            q_learning, mdp, gamma=GAMMA, alpha=ALPHA, num_updates=NUM_UPDATES,
            behaviour=EpsilonGreedy(EPSILON), rng=np.random.default_rng(0), record_at=[NUM_UPDATES],
        )  # fmt: skip
        loop = partial(tutorial, env)
        measured += compare(
            f"FrozenLake 8x8, {'slippery' if slippery else 'deterministic'}",
            {"qlearn_core": lambda run=run: run, "tutorial": lambda loop=loop: loop},
            unit="ns/update",
            per_unit={
                "qlearn_core": NANOSECONDS / NUM_UPDATES,
                "tutorial": NANOSECONDS / TUTORIAL_UPDATES,
            },
        )
    return measured


def tutorial(env) -> np.ndarray:
    """Q-learning as the tutorials of Gymnasium write it."""
    rng = np.random.default_rng(0)
    q = np.zeros((env.observation_space.n, env.action_space.n))
    state, _ = env.reset(seed=0)
    for _ in range(TUTORIAL_UPDATES):
        if rng.random() < EPSILON:
            action = env.action_space.sample()
        else:
            action = np.argmax(q[state])
        next_state, reward, terminated, truncated, _ = env.step(action)
        best = 0.0 if terminated else np.max(q[next_state])
        q[state, action] += ALPHA * (reward + GAMMA * best - q[state, action])
        state = env.reset()[0] if terminated or truncated else next_state
    return q
