"""Where along a corridor the errors of the 257-parameter network sit, and whether they stay.

Two corridors of D states in which every step costs the same. In the *lock* the action that goes
on is drawn anew in every state. The *plain* corridor is the same lock with the actions renamed, so
that action 1 always goes on: as a table it is the same problem. What differs is how much a network
must keep apart, and thus how large an error every fit leaves. The costs are scaled so that
‖q*‖_∞ = 1. A third corridor, `chain(depth, second="stay")`, pays 1 at its end and costs nothing.

The bias of a state is max_a |Q(s, a) − q*(s, a)|. Beside each network stands the control, which is
fitted to q* itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from qlearn_core.environments import chain, combination_lock
from qlearn_core.mdp import TabularMDP
from qlearn_core.neural import Adam, CopyEvery, NetworkRuns, Sgd, train_network
from qlearn_core.targets import bootstrapped_targets, supervised_targets

#: Update counts at which the networks of this module are seen.
MARKS = np.unique(np.outer(10 ** np.arange(1, 5), (1, 1.5, 2, 3, 4, 5, 7)).astype(int))[3:-3]
#: Where nothing else is said: depth, discount, learning rate, updates from copy to copy.
DEPTH, GAMMA, ALPHA, PERIOD = 32, 0.99, 1e-3, 100


def costly_lock(depth: int, gamma: float, seed: int) -> TabularMDP:
    """A lock with two actions whose steps cost the same, and max |q*| = 1."""
    # The worst entry is one wrong step and then all the right ones: depth + 1 costs.
    cost = (1 - gamma) / (1 - gamma ** (depth + 1))
    rng = np.random.default_rng(seed)
    return combination_lock(depth, step_reward=-cost, goal_reward=0.0, rng=rng)


def renamed(lock: TabularMDP) -> TabularMDP:
    """The same lock with the actions of each state in such an order that 1 is the one to take."""
    s = np.arange(lock.num_states)
    onward = lock.P[s, 1, np.minimum(s + 1, s[-1])] > 0
    order = np.where(onward[:, None], [0, 1], [1, 0])  # (S, A)
    return TabularMDP(
        P=np.take_along_axis(lock.P, order[:, :, None], axis=1),
        r=np.take_along_axis(lock.r, order, axis=1),
        terminal=lock.terminal,
    )


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's ρ of two samples without ties: the correlation of their ranks."""
    return float(np.corrcoef(x.argsort().argsort(), y.argsort().argsort())[0, 1])


@dataclass(frozen=True)
class Profile:
    """Median biases of the states by their distance to the end."""

    gamma: float
    depth: int
    updates: int
    reach: float  # steps that news of the end can have travelled by now
    distance: np.ndarray  # (depth,) 1 ... depth
    bootstrapped: np.ndarray  # (depth,)
    supervised: np.ndarray  # (depth,) the control

    @property
    def rank_correlation(self) -> float:
        """+1 if the bias grows with every step away from the end, −1 if it falls."""
        return rank_correlation(self.distance, self.bootstrapped)


def lock_profile(
    *, gamma: float, depth: int, num_steps: int, alpha: float, updates: int, num_seeds: int = 5
) -> Profile:
    """Adam on n-step targets in `num_seeds` locks, seen after (about) `updates` updates."""
    k = int(np.argmin(np.abs(MARKS - updates)))
    bias, control = (
        lock_biases(
            "lock", gamma=gamma, depth=depth, num_steps=n, alpha=alpha, num_seeds=num_seeds
        )[:, k]
        for n in (num_steps, None)
    )
    reach = num_steps * (MARKS[k] // PERIOD)
    return _profile(gamma, int(MARKS[k]), reach, bias, control)


def chain_profile(
    *, gamma: float, depth: int, alpha: float, updates: int, num_seeds: int = 3
) -> Profile:
    """SGD without a target network on the chain that pays 1 at its end."""
    k = int(np.argmin(np.abs(MARKS - updates)))
    bias, control = (
        _chain_biases(gamma, depth, alpha, is_control, num_seeds)[:, k]
        for is_control in (False, True)
    )
    return _profile(gamma, int(MARKS[k]), float(MARKS[k]), bias, control)


def _profile(
    gamma: float, updates: int, reach: float, bias: np.ndarray, control: np.ndarray
) -> Profile:
    """From biases (seed, depth) in the order of the states."""
    bias, control = (np.median(b, axis=0)[::-1] for b in (bias, control))
    return Profile(
        gamma, bias.size, updates, reach, np.arange(1, bias.size + 1), bias, control
    )  # fmt: skip


@dataclass(frozen=True)
class Delay:
    """Largest bias at K update counts: news that has not arrived, or errors that stay."""

    num_steps: int
    period: int
    steps: np.ndarray  # (K,) int
    lock: np.ndarray  # (seed, K)
    plain: np.ndarray  # (seed, K) the same locks with their actions renamed
    control: np.ndarray  # (seed, K) the locks, fitted to q*
    arrival: float  # updates until news of the end can have reached the start: D·period/n


def delay(*, num_steps: int, period: int, num_seeds: int = 5) -> Delay:
    """D = 32, γ = 0.99, Adam(0.001); a copy into the target network every `period` updates."""
    lock, plain, control = (
        lock_biases(kind, num_steps=n, period=every, num_seeds=num_seeds).max(axis=2)
        for kind, n, every in (
            ("lock", num_steps, period),
            ("plain", num_steps, period),
            ("lock", None, PERIOD),
        )
    )
    return Delay(num_steps, period, MARKS, lock, plain, control, DEPTH * period / num_steps)


@lru_cache(maxsize=32)
def lock_biases(
    kind: Literal["lock", "plain"],
    *,
    num_steps: int | None,
    gamma: float = GAMMA,
    depth: int = DEPTH,
    alpha: float = ALPHA,
    period: int = PERIOD,
    num_seeds: int = 5,
) -> np.ndarray:
    """(seed, K, depth) biases at MARKS with n-step targets; num_steps=None is the control."""
    locks = [costly_lock(depth, gamma, seed) for seed in range(num_seeds)]
    mdps = locks if kind == "lock" else [renamed(lock) for lock in locks]
    runs = train_network(
        [
            supervised_targets(mdp, gamma=gamma)
            if num_steps is None
            else bootstrapped_targets(mdp, gamma=gamma, num_steps=num_steps)
            for mdp in mdps
        ],
        optimiser=Adam(alpha),
        num_updates=MARKS[-1],
        target_network=CopyEvery(period) if num_steps and period > 1 else None,
        rng=np.random.default_rng(0),
        record_at=MARKS,
    )
    q_star = np.array([bootstrapped_targets(mdp, gamma=gamma).q_star for mdp in mdps])
    return _biases(runs, q_star)


@lru_cache(maxsize=32)
def _chain_biases(
    gamma: float, depth: int, alpha: float, is_control: bool, num_seeds: int
) -> np.ndarray:
    """(seed, K, depth) biases at MARKS."""
    make = supervised_targets if is_control else bootstrapped_targets
    targets = make(chain(depth, second="stay"), gamma=gamma)
    runs = train_network(
        [targets] * num_seeds,
        optimiser=Sgd(alpha),
        num_updates=MARKS[-1],
        rng=np.random.default_rng(0),
        record_at=MARKS,
    )
    return _biases(runs, targets.q_star[None])


def _biases(runs: NetworkRuns, q_star: np.ndarray) -> np.ndarray:
    """(seed, K, depth) from tables (seed, K, S, A); the terminal state has none."""
    return np.abs(runs.tables - q_star[:, None]).max(axis=3)[:, :, :-1]
