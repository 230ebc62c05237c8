"""Other people's planners, each given the same problem in the form it likes best.

Each function builds the peer's model and returns how to prepare a solution; neither is timed. What
is timed is the call that gives v (S,), on one thread, until its error is at most the tolerance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from importlib import import_module

import numpy as np
from scipy.sparse import csr_array, csr_matrix

from benchmarks.peers import versions
from qlearn_core import TabularMDP

PACKAGES = ("quantecon", "mdpsolver", "pymdptoolbox", "mdptoolbox-hiive")


@dataclass(frozen=True, eq=False)
class Problem:
    """An MDP to be solved up to an error in the sup norm."""

    mdp: TabularMDP
    gamma: float
    tolerance: float
    is_chain: bool

    @cached_property
    def transitions(self) -> csr_array:
        """(S·A, S) P with rows s·A + a, without zeros."""
        states, probabilities, _ = self.mdp.successors
        row = np.arange(self.mdp.num_pairs).repeat(states.shape[1])
        entries = probabilities.ravel(), (row, states.ravel().astype(np.int32))
        P = csr_array(entries, shape=(self.mdp.num_pairs, self.mdp.num_states))
        P.eliminate_zeros()
        return P

    @cached_property
    def by_action(self) -> list[csr_matrix]:
        """A matrices (S, S), in the older of SciPy's two forms."""
        step = self.mdp.num_actions
        return [csr_matrix(self.transitions[a::step]) for a in range(step)]

    @cached_property
    def num_sweeps(self) -> int:
        """The fewest sweeps from v = 0 that reach the tolerance, for solvers that cannot tell."""
        r, gamma = self.mdp.r, self.gamma
        values = [np.zeros(len(r))]
        last = self.tolerance * 1e-3
        while len(values) < 2 or np.abs(values[-1] - values[-2]).max() > last * (1 - gamma):
            values.append(
                (r + gamma * (self.transitions @ values[-1]).reshape(r.shape)).max(axis=1)
            )
        errors = np.array([np.abs(v - values[-1]).max() for v in values])
        return int(np.argmax(errors <= self.tolerance - last))


Solve = Callable[[], np.ndarray]


@dataclass(frozen=True)
class Solver:
    """A way of a peer to solve a problem, and what we ask of ourselves against it."""

    package: str
    build: Callable[[Problem], Callable[[], Solve]]
    goal: Callable[[Problem], float]  # its cost over ours
    largest: int  # states; beyond, the peer cannot build its model, or not in a minute

    def takes(self, problem: Problem) -> bool:
        return bool(versions(self.package)) and problem.mdp.num_states <= self.largest


def quantecon(method: str, problem: Problem) -> Callable[[], Solve]:
    from quantecon.markov import DiscreteDP

    num_states, num_actions = problem.mdp.r.shape
    model = DiscreteDP(
        problem.mdp.r.ravel(), csr_matrix(problem.transitions), problem.gamma,
        np.arange(num_states).repeat(num_actions), np.tile(np.arange(num_actions), num_states),
    )  # fmt: skip
    model.max_iter = 1_000_000
    # Its ε allows half of ε between v and v*.
    return lambda: lambda: model.solve(method, epsilon=2 * problem.tolerance).v


def quantecon_dense(problem: Problem) -> Callable[[], Solve]:
    from quantecon.markov import DiscreteDP

    P = problem.transitions.toarray().reshape(*problem.mdp.r.shape, -1)
    model = DiscreteDP(problem.mdp.r, P, problem.gamma)
    return lambda: lambda: model.solve("policy_iteration").v


def mdpsolver(algorithm: str, problem: Problem) -> Callable[[], Solve]:
    from mdpsolver import model

    states, probabilities, _ = problem.mdp.successors  # as many for every pair, no zeros
    shape = *problem.mdp.r.shape, -1
    lists = {
        "rewards": problem.mdp.r.tolist(),
        "tranMatProbs": probabilities.reshape(shape).tolist(),
        "tranMatColumns": states.reshape(shape).tolist(),
    }

    def prepare():
        solver = model()  # a new one: a second solution of the old one would start from the first
        solver.mdp(discount=problem.gamma, **lists)

        def solve():
            solver.solve(algorithm=algorithm, tolerance=problem.tolerance, parallel=False)
            return solver.getValueVector()

        return solve

    return prepare


def toolbox(module: str, problem: Problem) -> Callable[[], Solve]:
    """pymdptoolbox and hiive's copy of it, told how often to sweep: their stop is no bound."""
    solver = import_module(module).ValueIteration(problem.by_action, problem.mdp.r, problem.gamma)
    solver.max_iter, solver.thresh = problem.num_sweeps, 0.0

    def solve():
        solver.run()
        return solver.V

    def prepare():
        solver.V, solver.iter = np.zeros(problem.mdp.num_states), 0
        return solve

    return prepare


def three_times(problem: Problem) -> float:
    """At least three times as fast up to 1,000 states, and ahead beyond."""
    return 3 if problem.mdp.num_states <= 1_000 else 1


def far_ahead(problem: Problem) -> float:
    """Of a library that sweeps in NumPy and has no bound to stop at."""
    if problem.is_chain:
        return 1
    return 10 if problem.gamma == 0.9 else 75


def ahead(problem: Problem) -> float:
    if problem.is_chain:
        return 2.5
    return 3 if problem.mdp.num_states >= 1_000 else 1


LARGE, MIDDLE, SMALL = 100_000, 1_000, 100
SOLVERS = {
    "QuantEcon VI": Solver("quantecon", partial(quantecon, "value_iteration"), three_times, LARGE),
    "QuantEcon MPI": Solver(
        "quantecon", partial(quantecon, "modified_policy_iteration"), three_times, LARGE
    ),
    "QuantEcon PI, dense": Solver("quantecon", quantecon_dense, three_times, SMALL),
    "mdpsolver VI": Solver("mdpsolver", partial(mdpsolver, "vi"), ahead, LARGE),
    "mdpsolver MPI": Solver("mdpsolver", partial(mdpsolver, "mpi"), ahead, LARGE),
    "pymdptoolbox VI": Solver(
        "pymdptoolbox", partial(toolbox, "mdptoolbox.mdp"), far_ahead, MIDDLE
    ),
    "hiive VI": Solver(
        "mdptoolbox-hiive", partial(toolbox, "hiive.mdptoolbox.mdp"), far_ahead, MIDDLE
    ),
}
