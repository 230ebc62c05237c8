"""Planning: time to the same error as other solvers, and one sweep against C and bare SciPy."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from scipy.sparse import csr_array

from benchmarks.compiled import NO_COMPILER, build, compilers
from benchmarks.peers import absent
from benchmarks.planning_peers import PACKAGES, SOLVERS, Problem
from benchmarks.timing import Row, Variant, compare, repeated
from qlearn_core import TabularMDP, bellman_optimality, chain, garnet, iterate, solve

TOLERANCE = 1e-6  # of every solver, in the sup norm
GAMMAS = (0.9, 0.99)
SIZES = (100, 1_000, 10_000, 100_000)
DENSE = 1_000  # states at most of a dense array
MICROSECONDS, MILLISECONDS = 1e6, 1e3
CHECKED = (
    "one call checks and copies its table, which costs as much as so few products; `solve` keeps "
    "all its sweeps in one compiled loop"
)


def rows() -> tuple[list[Row], list[str]]:
    measured, missing = [], absent(*PACKAGES)
    for kind, gamma, size in product(("Garnet", "chain"), GAMMAS, SIZES):
        problem = Problem(problem_of(kind, size), gamma, TOLERANCE, kind == "chain")
        measured += solver_rows(f"{kind}, γ = {gamma}, {size:,} states", problem)
    for num_states in SIZES[1:]:
        measured += sweep_rows(num_states)
    if not compilers():
        missing.append(NO_COMPILER)
    return measured + history_rows(), missing


def problem_of(kind: str, num_states: int) -> TabularMDP:
    """A chain that slips, or a Garnet problem."""
    if kind == "Garnet":
        return random_problem(num_states)
    return chain(num_states, slip=0.1, goal="loop", sparse=num_states > DENSE)


def random_problem(num_states: int) -> TabularMDP:
    """A Garnet problem with 4 actions and 5 successors; few states make a dense array."""
    return garnet(num_states, 4, 5, rng=np.random.default_rng(0), sparse=num_states > DENSE)


def ours(problem: Problem) -> Callable[[], np.ndarray]:
    mdp, gamma, tol = problem.mdp, problem.gamma, problem.tolerance
    return lambda: solve(mdp, gamma=gamma, tol=tol).q.max(axis=1)


def solver_rows(case: str, problem: Problem) -> list[Row]:
    """ms of CPU until the error is at most the tolerance, building the peer's model not counted.

    Raises RuntimeError for a solver whose answer is further off.
    """
    v_star = exact_values(problem)

    def check(v):
        error = np.abs(np.asarray(v) - v_star).max()
        if not error <= problem.tolerance:
            raise RuntimeError(f"{case}: a solver ends {error:.1e} from v*")

    run = ours(problem)
    variants = {"qlearn_core": Variant(lambda: run, MILLISECONDS, check=check)}
    for name, solver in SOLVERS.items():
        if solver.takes(problem):
            variants[name] = Variant(
                solver.build(problem), MILLISECONDS, solver.goal(problem), check=check
            )
    return compare(case, variants, unit="ms")


def exact_values(problem: Problem) -> np.ndarray:
    """v* (S,) up to 1e-8, certified: ‖v − v*‖_∞ <= ‖T v − v‖_∞ / (1 − γ)."""
    mdp, gamma = problem.mdp, problem.gamma
    v = solve(mdp, gamma=gamma, tol=1e-9).q.max(axis=1)
    image = (mdp.r + gamma * (problem.transitions @ v).reshape(mdp.r.shape)).max(axis=1)
    distance = np.abs(image - v).max() / (1 - gamma)
    if not distance <= 1e-8:
        raise RuntimeError(f"the exact values are only known up to {distance:.1e}")
    return v


def sweep_rows(num_states: int) -> list[Row]:
    """µs for one synchronous sweep on a Garnet problem with 4 actions and 5 successors."""
    mdp = random_problem(num_states)
    transitions = Problem(mdp, 0.9, TOLERANCE, False).transitions
    by_action = csr_array(transitions[np.arange(4 * num_states).reshape(-1, 4).T.ravel()])
    r, q = np.ascontiguousarray(mdp.r.T), np.random.default_rng(1).random(mdp.r.shape)
    times = max(200_000 // num_states, 4)

    def in_scipy():
        return (r + 0.9 * (by_action @ q.max(axis=1)).reshape(r.shape)).T

    def in_python():
        return bellman_optimality(mdp, q, gamma=0.9)

    variants = {
        "qlearn_core": Variant(lambda: repeated(in_python, times), MICROSECONDS / times),
        "SciPy, rows ordered (a, s)": Variant(
            lambda: repeated(in_scipy, times), MICROSECONDS / times, goal=0.9
        ),
    }
    if not np.allclose(in_python(), in_scipy(), rtol=0, atol=1e-12):
        raise RuntimeError("a sweep of SciPy and of qlearn_core give other tables")
    with tempfile.TemporaryDirectory() as folder:
        for name, command in compilers().items():
            sweep = CSweeps(build("planning.c", command, Path(folder)), mdp, transitions, gamma=0.9)
            if not np.allclose(sweep(q, 1), in_scipy(), rtol=0, atol=1e-12):
                raise RuntimeError(f"a sweep in C ({name}) gives other values")
            goal = 1 / 2.6 if num_states < 10_000 else 1 / 1.3
            run = partial(sweep, q, times)
            variants[f"C, {name}"] = Variant(
                lambda run=run: run, MICROSECONDS / times, goal, CHECKED
            )
        return compare(f"one sweep of a Garnet, {num_states:,} states", variants, unit="µs")


class CSweeps:
    """The sweeps of planning.c over one MDP."""

    def __init__(
        self, library: ctypes.CDLL, mdp: TabularMDP, transitions: csr_array, *, gamma: float
    ) -> None:
        self.kernel, self.gamma = library.sweeps, gamma
        begin, column = transitions.indptr.astype(np.int32), transitions.indices.astype(np.int32)
        self.arrays = begin, column, transitions.data, np.ascontiguousarray(mdp.r)

    def __call__(self, q: np.ndarray, times: int) -> np.ndarray:
        """q (S, A) after so many sweeps."""
        q, v = q.copy(), np.empty(len(q))
        sizes = map(ctypes.c_int64, (times, *q.shape))
        arrays = (array.ctypes for array in self.arrays)
        self.kernel(*sizes, *arrays, ctypes.c_double(self.gamma), q.ctypes, v.ctypes)
        return q


def history_rows() -> list[Row]:
    """µs for the whole history of 60 sweeps on a chain with 5 states and 2 actions."""
    mdp = chain(5, slip=0.1, goal="loop")

    def bare():
        P, q = mdp.P.reshape(10, 5), np.zeros((5, 2))
        for _ in range(60):
            q = mdp.r + 0.9 * (P @ q.max(axis=1)).reshape(5, 2)
        return q

    def history():
        return iterate(mdp, gamma=0.9, num_sweeps=60)

    if not np.allclose(history()[-1], bare(), rtol=0, atol=1e-12):
        raise RuntimeError("60 sweeps of NumPy and of qlearn_core give other tables")
    variants = {
        "qlearn_core": Variant(lambda: repeated(history, 10), MICROSECONDS / 10),
        "NumPy": Variant(lambda: repeated(bare, 10), MICROSECONDS / 10, goal=1),
    }
    return compare("60 sweeps of a chain, 5 states", variants, unit="µs")
