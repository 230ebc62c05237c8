"""What Q-learning does that value iteration does not: one entry at a time, from samples.

Unless said otherwise the MDP is the loop chain, `chain(depth, slip=0.1, goal="loop")`: 2·depth
pairs, all reachable from all.  Every error is relative: ‖Q_t − q*‖_∞ / ‖q*‖_∞, which is 1 at the
zero table that all runs start from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.behaviours import Cyclic, EpsilonGreedy, FixedPolicy, UniformPairs
from qlearn_core.environments import SECOND, chain
from qlearn_core.mdp import TabularMDP
from qlearn_core.planning import evaluate_policy, iterate, optimal_q
from qlearn_core.step_sizes import rescaled
from qlearn_core.tabular import QLearningTrace, q_learning, trace_q_learning

SLIP = 0.1
UPDATES_PER_PAIR = 20
#: Changes of the error below this share of it are rounding.
ROUNDING = 1e-12


@lru_cache(maxsize=1024)
def _chain(depth: int, slip: float, goal: str) -> TabularMDP:
    return chain(depth, slip=slip, goal=goal)


# --- the staircase --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Staircase:
    """One run, seen at the updates that changed its sup-norm error (C of them)."""

    num_pairs: int
    num_updates: int
    times: np.ndarray  # (C,) int, the run after times[i] updates has errors[i]
    errors: np.ndarray  # (C,) relative sup-norm error
    by_worst: np.ndarray  # (C,) bool, the updated pair was the worst one
    rises: np.ndarray  # (C,) bool, the error went up

    @property
    def flat_share(self) -> float:
        """Share of the updates that left the sup-norm error unchanged."""
        return 1 - self.times.size / self.num_updates


def staircase(
    gamma: float,
    depth: int,
    alpha: float,
    *,
    goal: str = "loop",
    updates_per_pair: int = UPDATES_PER_PAIR,
    seed: int = 0,
) -> Staircase:
    """One run with a constant step size over uniformly drawn pairs, every update examined."""
    mdp = _chain(depth, SLIP if goal == "loop" else 0.0, goal)
    num_pairs = len(mdp.active_pairs)
    trace = trace_q_learning(
        mdp,
        gamma=gamma,
        alpha=alpha,
        num_updates=updates_per_pair * num_pairs,
        behaviour=UniformPairs(),
        rng=np.random.default_rng(seed),
    )
    errors = trace.sup_errors / trace.sup_errors[0]
    changed = _changed(trace)
    return Staircase(
        num_pairs=num_pairs,
        num_updates=changed.size,
        times=np.flatnonzero(changed) + 1,
        errors=errors[1:][changed],
        by_worst=_worst_visited(trace)[changed],
        rises=np.diff(errors)[changed] > 0,
    )


def _changed(trace: QLearningTrace) -> np.ndarray:
    """(T,) bool: the update changed the sup-norm error by more than rounding."""
    return np.abs(np.diff(trace.sup_errors)) > ROUNDING * trace.sup_errors[0]


def _worst_visited(trace: QLearningTrace) -> np.ndarray:
    """(T,) bool: the updated pair was the one with the largest error."""
    num_actions = trace.q.shape[1]
    return trace.states * num_actions + trace.actions == trace.bottlenecks[:-1]


@dataclass(frozen=True)
class FlatShare:
    """Share of updates that leave the sup-norm error unchanged, per behaviour."""

    num_pairs: int
    behaviours: tuple[str, ...]  # B names
    shares: np.ndarray  # (B, seeds)
    rule: np.ndarray  # (B,) share of updates that did not visit the worst pair, mean over seeds


def flat_share(
    gamma: float,
    depth: int,
    alpha: float,
    *,
    num_updates: int = 2000,
    num_seeds: int = 5,
    seed: int = 0,
) -> FlatShare:
    """Flat updates among the first `num_updates`, against 1 − P(visit the worst pair)."""
    mdp = _chain(depth, SLIP, "loop")
    behaviours = {
        "uniform": UniformPairs(),
        "cyclic": Cyclic(),
        "ε = 0.3": EpsilonGreedy(0.3),
        "ε = 0.1": EpsilonGreedy(0.1),
    }
    shares, rule = np.empty((2, len(behaviours), num_seeds))
    for b, behaviour in enumerate(behaviours.values()):
        for k, rng in enumerate(np.random.default_rng(seed).spawn(num_seeds)):
            trace = trace_q_learning(
                mdp,
                gamma=gamma,
                alpha=alpha,
                num_updates=num_updates,
                behaviour=behaviour,
                rng=rng,
            )
            shares[b, k] = 1 - _changed(trace).mean()
            rule[b, k] = 1 - _worst_visited(trace).mean()
    return FlatShare(mdp.num_pairs, tuple(behaviours), shares, rule.mean(axis=1))


# --- beside value iteration -----------------------------------------------------------------------

SWEEPS = np.array([1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 170, 300])


@dataclass(frozen=True)
class AgainstValueIteration:
    """Relative errors after the same number of entry updates (K marks)."""

    sweeps: np.ndarray  # (K,) sweeps of value iteration = updates of Q-learning / pairs
    planning: np.ndarray  # (K,) value iteration
    learning: np.ndarray  # (seeds, K) Q-learning


def against_value_iteration(
    gamma: float, depth: int, slip: float, *, num_seeds: int = 7, seed: int = 0
) -> AgainstValueIteration:
    """Value iteration and Q-learning with α = 1/(1+(1−γ)n) over uniformly drawn pairs."""
    mdp = _chain(depth, slip, "loop")
    q_star = optimal_q(mdp, gamma=gamma)
    history = iterate(mdp, gamma=gamma, num_sweeps=int(SWEEPS[-1]))[SWEEPS]
    runs = [
        q_learning(
            mdp,
            gamma=gamma,
            alpha=rescaled(gamma),
            num_updates=int(SWEEPS[-1]) * mdp.num_pairs,
            behaviour=UniformPairs(),
            rng=rng,
            record_at=SWEEPS * mdp.num_pairs,
        ).errors
        for rng in np.random.default_rng(seed).spawn(num_seeds)
    ]
    scale = np.abs(q_star).max()
    return AgainstValueIteration(
        sweeps=SWEEPS,
        planning=np.abs(history - q_star).max(axis=(1, 2)) / scale,
        learning=np.array(runs) / scale,
    )


# --- any behaviour, one limit ---------------------------------------------------------------------

OFF_POLICY_MARKS = np.rint(np.geomspace(10, 50_000, 12)).astype(int)
BEHAVIOURS = ("uniform pairs", "ε-greedy", "mostly back")


@dataclass(frozen=True)
class OffPolicy:
    """The three BEHAVIOURS learning the same q* on the terminal chain (K marks)."""

    steps: np.ndarray  # (K,) updates
    errors: np.ndarray  # (3, K) relative error, median over seeds
    start_values: np.ndarray  # (3,) max_a Q(0, a) after the last update, median over seeds
    optimal_value: float  # max_a q*(0, a)
    mostly_back_value: float  # what the mostly-back policy itself earns from state 0


def off_policy(
    gamma: float, depth: int, epsilon: float, *, num_seeds: int = 3, seed: int = 0
) -> OffPolicy:
    """Q-learning with α = 1/(1+(1−γ)n) from the data of three behaviours.

    "uniform pairs" draws pairs; "ε-greedy" and "mostly back" follow trajectories on the chain
    with a terminal goal and begin again at state 0.  "mostly back" goes back, whatever the table
    says, except that it takes a uniform action with probability ε.
    """
    mdp = _chain(depth, SLIP, "terminal")
    q_star = optimal_q(mdp, gamma=gamma)
    curves = [
        _off_policy_curve(gamma, depth, name, share, num_seeds, seed)
        for name, share in zip(BEHAVIOURS, (None, epsilon, epsilon), strict=True)
    ]
    pi = _mostly_back(mdp, epsilon)
    return OffPolicy(
        steps=OFF_POLICY_MARKS,
        errors=np.array([errors for errors, _ in curves]) / np.abs(q_star).max(),
        start_values=np.array([value for _, value in curves]),
        optimal_value=float(q_star[0].max()),
        mostly_back_value=float(pi[0] @ evaluate_policy(mdp, pi, gamma=gamma)[0]),
    )


@lru_cache(maxsize=64)
def _off_policy_curve(
    gamma: float, depth: int, name: str, epsilon: float | None, num_seeds: int, seed: int
) -> tuple[np.ndarray, float]:
    """Median over seeds of ‖Q_t − q*‖_∞ at the marks (K,) and of max_a Q(0, a) at the end."""
    mdp = _chain(depth, SLIP, "terminal")
    behaviour = {
        "uniform pairs": lambda: UniformPairs(),
        "ε-greedy": lambda: EpsilonGreedy(epsilon),
        "mostly back": lambda: FixedPolicy(_mostly_back(mdp, epsilon)),
    }[name]()
    runs = [
        q_learning(
            mdp,
            gamma=gamma,
            alpha=rescaled(gamma),
            num_updates=int(OFF_POLICY_MARKS[-1]),
            behaviour=behaviour,
            rng=rng,
            record_at=OFF_POLICY_MARKS,
        )
        for rng in np.random.default_rng(seed).spawn(num_seeds)
    ]
    errors = np.median([run.errors for run in runs], axis=0)
    return errors, float(np.median([run.q[0].max() for run in runs]))


def _mostly_back(mdp: TabularMDP, epsilon: float) -> np.ndarray:
    """π (S, A): the second action, except for a uniform action with probability ε."""
    pi = np.full(mdp.r.shape, epsilon / mdp.num_actions)
    pi[:, SECOND] += 1 - epsilon
    return pi
