"""How long the 257-parameter network takes to learn a corridor of D states, and what is to blame.

The corridor is `chain(depth, second="stay")`: one reward, 1, at its far end, so that ‖q*‖_∞ = 1.
Beside every network that learns from its own values stands the control: the same network, the
same start and the same updates, but with q* as its targets. What the control cannot do quickly is
no matter of bootstrapping.

With the same γ at every depth the two mix: the input is s / (D−1), and q* along it gets steeper
with D. `equal_shape_gamma` takes that away: with it q* is the same function of the input at
every depth, and only the number of steps that a value has to travel grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.environments import chain
from qlearn_core.neural import CopyEvery, Sgd, train_network
from qlearn_core.planning import iterate, optimal_q
from qlearn_core.targets import bootstrapped_targets, supervised_targets

THRESHOLD = 0.1  # a network has learnt the corridor when its error is below this
DEPTHS = (2, 4, 8, 16, 32)
NUM_COPIES = 64  # how far `front` can look


@dataclass(frozen=True)
class LearningCurves:
    """Sup-norm errors of networks at K update counts; both kinds start from the same parameters."""

    gamma: float
    depth: int
    steps: np.ndarray  # (K,) int
    bootstrapped: np.ndarray  # (seed, K), infinite from divergence on
    supervised: np.ndarray  # (seed, K)


def learning_curves(
    *,
    gamma: float,
    depth: int,
    alpha: float,
    period: int,
    num_updates: int = 10_000,
    num_seeds: int = 1,
    seed: int = 0,
) -> LearningCurves:
    """Full-batch SGD with a target network copied every `period` updates; 1 is as good as none."""
    arguments = (gamma, depth, alpha, num_updates, num_seeds, seed)
    steps, bootstrapped, _ = _runs(*arguments, False, period)
    _, supervised, _ = _runs(*arguments, True, 1)
    return LearningCurves(gamma, depth, steps, bootstrapped, supervised)


@dataclass(frozen=True)
class HittingTimes:
    """First recorded update counts with an error below 0.1, infinite where there was none."""

    depths: tuple[int, ...]
    gammas: np.ndarray  # (depth,)
    period: int
    num_updates: int  # nothing is known beyond them
    bootstrapped: np.ndarray  # (depth, seed)
    supervised: np.ndarray  # (depth, seed)


def equal_shape_gamma(depth: int) -> float:
    """γ = 0.5^(1/(D−1)), for which q*(s, forward) = 0.5^(1 − s/(D−1)) at every depth D >= 2.

    Raises ValueError for D < 2: a single state has no shape.
    """
    if depth < 2:
        raise ValueError(f"depth must be an integer >= 2, but is {depth!r}")
    return 0.5 ** (1 / (depth - 1))


def hitting_times(
    *,
    alpha: float,
    period: int,
    depths: tuple[int, ...] = DEPTHS,
    gamma: float | None = None,
    num_updates: int = 10_000,
    num_seeds: int = 5,
    seed: int = 0,
) -> HittingTimes:
    """The times of `learning_curves` at several depths; gamma=None takes `equal_shape_gamma`."""
    gammas = [equal_shape_gamma(depth) if gamma is None else gamma for depth in depths]
    bootstrapped, supervised = (
        np.array([
            _runs(
                discount, depth, alpha, num_updates, num_seeds, seed, is_control,
                1 if is_control else period,
            )[-1]
            for discount, depth in zip(gammas, depths, strict=True)
        ])
        for is_control in (False, True)
    )  # fmt: skip
    return HittingTimes(
        tuple(depths), np.array(gammas), period, num_updates, bootstrapped, supervised
    )


@lru_cache(maxsize=128)
def _runs(
    gamma: float,
    depth: int,
    alpha: float,
    num_updates: int,
    num_seeds: int,
    seed: int,
    is_control: bool,
    period: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Steps (K,), errors (seed, K) and hitting times (seed,): all that is worth remembering."""
    make = supervised_targets if is_control else bootstrapped_targets
    runs = train_network(
        [make(chain(depth, second="stay"), gamma=gamma)] * num_seeds,
        optimiser=Sgd(alpha),
        num_updates=num_updates,
        target_network=CopyEvery(period) if period > 1 else None,
        rng=np.random.default_rng(seed),
    )
    return runs.steps, runs.errors, runs.hitting_times(THRESHOLD)


@dataclass(frozen=True)
class Front:
    """Values of *forward* along the corridor after k sweeps of a table and k copies of a network.

    γ is `equal_shape_gamma(depth)`.
    """

    depth: int
    period: int
    copies: int
    distance: np.ndarray  # (depth,) 1 ... depth, steps to the reward
    table: np.ndarray  # (depth,) value iteration after `copies` sweeps
    network: np.ndarray  # (depth,) after copies · period updates
    optimum: np.ndarray  # (depth,) q*


def front(*, depth: int, alpha: float, period: int, copies: int, seed: int = 0) -> Front:
    """One network, the copy of which moves every `period` updates; `copies` is at most 64."""
    mdp, gamma = chain(depth, second="stay"), equal_shape_gamma(depth)
    table = iterate(mdp, gamma=gamma, num_sweeps=copies)[-1]
    network = _fitted(depth, alpha, period, seed)[copies]
    near_first = slice(depth - 1, None, -1)
    rows = (q[near_first, 1] for q in (table, network, optimal_q(mdp, gamma=gamma)))
    return Front(depth, period, copies, np.arange(1, depth + 1), *rows)


@lru_cache(maxsize=64)
def _fitted(depth: int, alpha: float, period: int, seed: int) -> np.ndarray:
    """(65, S, A) the values of one network after 0, 1, ... 64 periods."""
    runs = train_network(
        [bootstrapped_targets(chain(depth, second="stay"), gamma=equal_shape_gamma(depth))],
        optimiser=Sgd(alpha),
        num_updates=NUM_COPIES * period,
        target_network=CopyEvery(period),
        rng=np.random.default_rng(seed),
        record_at=period * np.arange(NUM_COPIES + 1),
    )
    return runs.tables[0]


def sweeps_until_exact(depth: int, *, gamma: float = 0.9) -> int:
    """Sweeps of value iteration from zero until the row of action 1, forward, is exactly q*."""
    mdp = chain(depth, second="stay")
    history = iterate(mdp, gamma=gamma, num_sweeps=depth + 1)[:, :, 1]
    exact = np.abs(history - optimal_q(mdp, gamma=gamma)[:, 1]).max(axis=1) < 1e-12
    return int(exact.argmax())
