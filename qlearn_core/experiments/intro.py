"""What scaling means: how far news of a reward has travelled, and what depth and width cost."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.behaviours import UniformPairs
from qlearn_core.bellman import state_values
from qlearn_core.environments import chain, combination_lock
from qlearn_core.mdp import TabularMDP
from qlearn_core.planning import iterate, optimal_q
from qlearn_core.tabular import q_learning

#: A state has heard the news when its value is within this share of its true value.
CLOSE = 0.01


@dataclass(frozen=True)
class Spread:
    """The values of a terminal chain after some damped sweeps from an all-zero table."""

    gamma: float
    depth: int
    alpha: float
    sweeps: int
    distance: np.ndarray  # (depth,) 1 ... depth, steps to the goal
    value: np.ndarray  # (depth,) max_a Q_k(s, a) at each distance
    optimum: np.ndarray  # (depth,) v*(s) = γ^(distance − 1)

    @property
    def num_close(self) -> int:
        """States whose value is within CLOSE of their true value."""
        return int(np.sum(np.abs(self.value - self.optimum) <= CLOSE * self.optimum))


def spread(*, gamma: float, depth: int, alpha: float, sweeps: int) -> Spread:
    """The chain of `depth` states after `sweeps` sweeps Q ← (1−α) Q + α T Q.

    The value at distance d is γ^(d−1) P(Bin(k, α) >= d) after k sweeps: each sweep hands the
    news on with "probability" α, whatever γ is.
    """
    mdp = chain(depth)
    q = iterate(mdp, gamma=gamma, num_sweeps=sweeps, alpha=alpha)[-1]
    distance = np.arange(1, depth + 1)
    value = state_values(mdp, q)[:depth][::-1]
    return Spread(gamma, depth, alpha, sweeps, distance, value, gamma ** (distance - 1.0))


#: Depths at A = 2 and numbers of actions at D = 8 that `depth_width` compares.
SIZES = (2, 4, 8, 16, 32)
FEW_ACTIONS = 2
FIXED_DEPTH = 8
FEW_SEEDS = 5
#: Update counts at which a run is looked at grow by this factor: the error of a hitting time.
RESOLUTION = 1.04
MEASURES = ("start state", "every entry", "sup norm")


@dataclass(frozen=True)
class DepthWidth:
    """Updates that Q-learning needs on combination locks, as they get deeper or wider."""

    gamma: float
    alpha: float
    tolerance: float
    measure: str
    sizes: np.ndarray  # (K,) depths, or numbers of actions
    depth_updates: np.ndarray  # (seeds, K) at A = FEW_ACTIONS, inf if never
    width_updates: np.ndarray  # (seeds, K) at D = FIXED_DEPTH, inf if never

    @property
    def cost_of_doubling(self) -> tuple[float, float]:
        """Factors by which the median number of updates grows from the last size but one to the
        last, in depth and in width."""
        depth, width = (np.median(u, axis=0) for u in (self.depth_updates, self.width_updates))
        return float(depth[-1] / depth[-2]), float(width[-1] / width[-2])


def depth_width(
    *,
    gamma: float,
    alpha: float,
    tolerance: float,
    measure: str,
    num_seeds: int = FEW_SEEDS,
    seed: int = 1,
) -> DepthWidth:
    """Updates of uniformly drawn pairs, step size α, until the error is at most `tolerance`.

    measure="start state": |max_a Q(s_0, a) − v*(s_0)| / v*(s_0).
    measure="every entry": the largest |Q(s, a) − Q*(s, a)| / Q*(s, a).
    measure="sup norm": ‖Q − Q*‖_∞ / ‖Q*‖_∞.
    Raises ValueError for another measure. Every seed is another order of updates,
    the same at every γ, α and tolerance; which action is the secret one makes no difference when
    pairs are drawn uniformly, so that one lock of each size is enough.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}, but is {measure!r}")

    def hits(depth: int, num_actions: int) -> np.ndarray:
        steps, errors = _errors(gamma, alpha, depth, num_actions, num_seeds, seed)
        reached = errors[MEASURES.index(measure)] <= tolerance  # (seeds, records)
        return np.where(reached.any(axis=1), steps[reached.argmax(axis=1)], np.inf)

    return DepthWidth(
        gamma,
        alpha,
        tolerance,
        measure,
        np.array(SIZES),
        np.stack([hits(depth, FEW_ACTIONS) for depth in SIZES], axis=1),
        np.stack([hits(FIXED_DEPTH, num_actions) for num_actions in SIZES], axis=1),
    )


@lru_cache(maxsize=64)
def _errors(
    gamma: float, alpha: float, depth: int, num_actions: int, num_seeds: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Recorded update counts (records,) and the three errors there (measures, seeds, records)."""
    num_pairs = depth * num_actions
    # Updates per pair: the news takes depth/α of them, the slowest pair log(pairs) more.
    patience = (depth + 4 * np.sqrt(depth) + 1.5 * np.log(num_pairs) + 5) / alpha
    num_updates = int(num_pairs * patience)
    spaced = np.geomspace(1, num_updates, int(np.log(num_updates) / np.log(RESOLUTION)))
    steps = np.unique(np.rint(spaced).astype(np.int64))
    errors = np.empty((len(MEASURES), num_seeds, steps.size))
    mdp, runs = _lock(depth, num_actions, num_seeds, seed)
    q_star = optimal_q(mdp, gamma=gamma)
    exact = q_star[:depth]
    for i, run in enumerate(runs):
        tables = q_learning(
            mdp, gamma=gamma, alpha=alpha, num_updates=num_updates, behaviour=UniformPairs(),
            rng=np.random.default_rng(run), record_at=steps, q_star=q_star,
        ).tables[:, :depth]  # fmt: skip
        distance = np.abs(tables - exact)
        start = exact[0].max()
        errors[0, i] = np.abs(tables[:, 0].max(axis=1) - start) / start
        errors[1, i] = (distance / exact).max(axis=(1, 2))
        errors[2, i] = distance.max(axis=(1, 2)) / exact.max()
    return steps, errors


@lru_cache(maxsize=64)
def _lock(
    depth: int, num_actions: int, num_seeds: int, seed: int
) -> tuple[TabularMDP, list[np.random.SeedSequence]]:
    """A lock, and the seeds of the runs on it."""
    code, *runs = np.random.SeedSequence([seed, depth, num_actions]).spawn(1 + num_seeds)
    return combination_lock(depth, num_actions, rng=np.random.default_rng(code)), runs
