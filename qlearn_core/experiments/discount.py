"""What the discount does to learning: how far a value has to travel, and whether runs stay bounded.

Two corridors of D states. In the *terminal* one the last step pays 1 and ends everything. In the
*loop* it stays and pays 1−γ each time, so that ‖q*‖_∞ = 1 in both, at every γ. Horizons are
1/(1−γ). The network is that of `neural`, the control is the same network fitted to q* itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.environments import chain
from qlearn_core.mdp import TabularMDP
from qlearn_core.neural import Adam, CopyEvery, Sgd, train_network
from qlearn_core.planning import iterate, optimal_q
from qlearn_core.targets import bootstrapped_targets, supervised_targets

HORIZONS = (2, 3, 5, 10, 20, 50, 100, 300, 1_000, 3_000, 10_000)
OPTIMISERS = {"Adam 0.001": Adam(1e-3), "SGD 0.1": Sgd(0.1)}
#: Update counts at which the networks of `budget` are seen.
MARKS = np.append(np.outer((100, 1_000), (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)).astype(int), 10_000)
#: How long the networks of `divergence` are trained.
NUM_UPDATES = 3_000


def corridor(goal: str, depth: int, gamma: float) -> TabularMDP:
    """The "terminal" corridor or the "loop"; action 0 stays."""
    mdp = chain(depth, goal=goal, second="stay")
    scale = 1 - gamma if goal == "loop" else 1.0
    return TabularMDP(P=mdp.P, r=scale * mdp.r, terminal=mdp.terminal)


@dataclass(frozen=True)
class Reach:
    """Sweeps of value iteration from zero until the largest error is at most `tolerance`."""

    depth: int
    tolerance: float
    horizons: np.ndarray  # (G,) 1/(1−γ)
    terminal: np.ndarray  # (G,) int
    loop: np.ndarray  # (G,) int


def reach(*, depth: int, tolerance: float) -> Reach:
    """Both corridors at every horizon of HORIZONS."""
    terminal, loop = (
        np.array([_sweeps(goal, depth, 1 - 1 / h, tolerance) for h in HORIZONS])
        for goal in ("terminal", "loop")
    )
    return Reach(depth, tolerance, np.array(HORIZONS), terminal, loop)


def _sweeps(goal: str, depth: int, gamma: float, tolerance: float) -> int:
    mdp = corridor(goal, depth, gamma)
    # No error is above γ^k, so that this many sweeps are enough.
    most = int(np.ceil(np.log(tolerance) / np.log(gamma))) + 1
    errors = np.abs(
        iterate(mdp, gamma=gamma, num_sweeps=most) - optimal_q(mdp, gamma=gamma)
    ).max(axis=(1, 2))  # fmt: skip
    return int(np.argmax(errors <= tolerance * (1 + 1e-9)))


@dataclass(frozen=True)
class Budget:
    """Median errors after one number of updates, at every horizon; infinite if most diverged."""

    updates: int
    depth: int
    period: int
    horizons: np.ndarray  # (G,) 1/(1−γ)
    terminal: np.ndarray  # (G,)
    loop: np.ndarray  # (G,)
    terminal_control: np.ndarray  # (G,)
    table: np.ndarray  # (G,) value iteration on the loop after one sweep for each copy: γ^k


def budget(*, updates: int, depth: int, period: int, optimiser: str, num_seeds: int = 3) -> Budget:
    """Networks whose target network is a copy every `period` updates, seen at one of MARKS."""
    k = int(np.argmin(np.abs(MARKS - updates)))
    arguments = (depth, optimiser, num_seeds)
    terminal, loop, control = (
        np.array([np.median(e[:, k]) for e in _errors(*which, *arguments)])
        for which in (("terminal", period), ("loop", period), ("terminal", None))
    )
    horizons = np.array(HORIZONS, dtype=float)
    table = (1 - 1 / horizons) ** (MARKS[k] // period)
    return Budget(int(MARKS[k]), depth, period, horizons, terminal, loop, control, table)


@lru_cache(maxsize=256)
def _errors(
    goal: str, period: int | None, depth: int, optimiser: str, num_seeds: int
) -> tuple[np.ndarray, ...]:
    """(seed, K) errors at MARKS for each of HORIZONS; period=None is the control."""
    make = supervised_targets if period is None else bootstrapped_targets
    return tuple(
        train_network(
            [make(corridor(goal, depth, 1 - 1 / h), gamma=1 - 1 / h)] * num_seeds,
            optimiser=OPTIMISERS[optimiser],
            num_updates=MARKS[-1],
            target_network=CopyEvery(period) if period and period > 1 else None,
            rng=np.random.default_rng(0),
            record_at=MARKS,
        ).errors
        for h in HORIZONS
    )


@dataclass(frozen=True)
class Divergence:
    """Errors of a few networks on the loop, and what became of each."""

    gamma: float
    depth: int
    period: int
    steps: np.ndarray  # (K,) int
    errors: np.ndarray  # (seed, K), infinite from divergence on
    diverged_at: np.ndarray  # (seed,) int, -1 for those that did not
    status: tuple[str, ...]  # (seed,) "converged", "running" or "diverged"


def divergence(
    *, gamma: float, depth: int, alpha: float, period: int, num_seeds: int = 5
) -> Divergence:
    """Adam(alpha); a copy into the target network every `period` updates, 1 is as good as none."""
    runs = train_network(
        [bootstrapped_targets(corridor("loop", depth, gamma), gamma=gamma)] * num_seeds,
        optimiser=Adam(alpha),
        num_updates=NUM_UPDATES,
        target_network=CopyEvery(period) if period > 1 else None,
        rng=np.random.default_rng(0),
        record_at=np.unique(np.rint(np.geomspace(10, NUM_UPDATES, 27)).astype(int)),
    )
    return Divergence(gamma, depth, period, runs.steps, runs.errors, runs.diverged_at, runs.status)
