"""Three parameters for ten pairs: floors, norms, and what bootstrapping makes of them.

Unless said otherwise the MDP is `chain(5, slip=0.2, goal="loop")`, and every error is relative,
‖Q − q*‖_∞ / ‖q*‖_∞. The behaviour is a policy that goes back with probability `back`; its
stationary law weighs the pairs. At back = 0.5 all pairs of a slippery loop weigh alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.behaviours import FixedPolicy
from qlearn_core.environments import chain
from qlearn_core.features import polynomial_features, radial_features, state_aggregation
from qlearn_core.linear import semi_gradient_q
from qlearn_core.linear_runs import LinearRun
from qlearn_core.mdp import TabularMDP
from qlearn_core.mean_updates import expected_semi_gradient_q, largest_curvature
from qlearn_core.planning import optimal_q
from qlearn_core.projection import (
    chebyshev_floor,
    induced_sup_norm,
    lipschitz_constant,
    projected_value_iteration,
    projection_floor,
    projection_matrix,
)
from qlearn_core.weightings import stationary_weighting

DEPTH = 5
SLIP = 0.2
#: Updates that show what a run does in the end, how many of the last are looked at, and how many
#: of the first are shown.
SETTLED, WATCHED, SHOWN = 100_000, 20_000, 4_000
#: The shares of going back that the dial tries.
BACKS = np.arange(2, 19) / 20

FEATURES = {
    "1, x, x·a": lambda mdp: polynomial_features(mdp, ((0, 0), (1, 0), (1, 1))),
    "1, x, a": lambda mdp: polynomial_features(mdp, ((0, 0), (1, 0), (0, 1))),
    "1, x, x²": lambda mdp: polynomial_features(mdp, ((0, 0), (1, 0), (2, 0))),
    "3 bumps": lambda mdp: radial_features(mdp, 3),
    "3 bins": lambda mdp: state_aggregation(mdp, 3),
}


MAIN = "1, x, x·a"


@dataclass(frozen=True)
class Regime:
    """What the best fit could do, what the norms promise and what the two iterations do."""

    chebyshev_floor: float  # relative, below every error
    projection_error: float  # relative, of the fit to q* itself
    norm: float  # γ ‖Π‖_∞
    lipschitz: float  # of Π T in the sup norm
    updates: np.ndarray  # (K,) int, of the semi-gradient, or sweeps of Q ← Π T Q
    semi: np.ndarray  # (K,) relative errors of the expected semi-gradient; after its end the last
    semi_status: str
    semi_range: tuple[float, float]  # smallest and largest error late in the run, or the last one
    swept: np.ndarray  # (K,) relative errors of Q ← Π T Q; after its end the last
    swept_status: str


def regime(gamma: float, back: float = 0.5, *, features: str = MAIN, slip: float = SLIP) -> Regime:
    """The expected semi-gradient and sweeps of least squares from zero weights.

    The step of the semi-gradient is 0.9 over the largest curvature, near the largest that a fixed
    target allows. Raises ValueError for features that are not in FEATURES.
    """
    mdp, mu = problem(back, slip)
    phi, q_star = _features(features, mdp), optimal_q(mdp, gamma=gamma)
    largest = q_star.max()
    updates = np.arange(0, SHOWN + 1, SHOWN // 100)
    semi = expected_semi_gradient_q(
        mdp, phi, mu, gamma=gamma, alpha=0.9 / largest_curvature(phi, mu), num_updates=SETTLED,
        record_at=np.append(updates, np.arange(SETTLED - WATCHED, SETTLED)),
    )  # fmt: skip
    swept = projected_value_iteration(
        mdp, phi, mu, gamma=gamma, num_sweeps=20_000, record_at=updates
    )
    late = semi.errors[semi.steps >= min(SETTLED - WATCHED, semi.steps[-1])] / largest
    return Regime(
        chebyshev_floor=_floor(gamma, features, DEPTH, slip),
        projection_error=projection_floor(phi, mu, q_star).sup_norm / largest,
        norm=gamma * induced_sup_norm(projection_matrix(phi, mu)),
        lipschitz=lipschitz_constant(mdp, phi, mu, gamma=gamma),
        updates=updates,
        semi=after(semi, updates) / largest,
        semi_status=semi.status,
        semi_range=(float(late.min()), float(late.max())),
        swept=after(swept, updates) / largest,
        swept_status=swept.status,
    )


@dataclass(frozen=True)
class Dial:
    """Norms and errors for every share of going back."""

    backs: np.ndarray  # (B,)
    floor: float  # relative Chebyshev floor, which no behaviour changes
    norms: np.ndarray  # (B,) γ ‖Π‖_∞
    lipschitz: np.ndarray  # (B,) of Π T in the sup norm
    errors: np.ndarray  # (B,) relative errors of Q ← Π T Q in the end, inf where it diverged


def dial(gamma: float, features: str, *, depth: int = DEPTH, slip: float = SLIP) -> Dial:
    """Sweeps of least squares under behaviours from nearly always forward to nearly always back."""
    rows = []
    mdp, _ = problem(float(BACKS[0]), slip, depth)
    phi, largest = _features(features, mdp), optimal_q(mdp, gamma=gamma).max()
    for back in BACKS:
        _, mu = problem(float(back), slip, depth)
        run = projected_value_iteration(mdp, phi, mu, gamma=gamma, num_sweeps=10_000)
        rows.append(
            (
                gamma * induced_sup_norm(projection_matrix(phi, mu)),
                lipschitz_constant(mdp, phi, mu, gamma=gamma),
                np.inf if run.status == "diverged" else run.errors[-1] / largest,
            )
        )
    return Dial(BACKS, _floor(gamma, features, depth, slip), *np.array(rows).T)


@dataclass(frozen=True)
class Online:
    """Sampled semi-gradient runs of one behaviour; a run that diverged has no later errors."""

    updates: np.ndarray  # (K,) int
    floor: float  # relative Chebyshev floor
    errors: np.ndarray  # (num_seeds, K) relative, nan after a divergence
    num_diverged: int


def online(
    gamma: float,
    back: float,
    alpha: float,
    *,
    num_updates: int = 200_000,
    num_seeds: int = 1,
    seed: int = 0,
) -> Online:
    """The semi-gradient for 1, x, x·a from a trajectory of the behaviour, with a constant step."""
    mdp, _ = problem(back, SLIP)
    phi = _features(MAIN, mdp)
    updates = np.linspace(0, num_updates, 51).astype(int)
    largest = optimal_q(mdp, gamma=gamma).max()
    errors = np.full((num_seeds, updates.size), np.nan)
    num_diverged = 0
    for row, rng in zip(errors, np.random.default_rng(seed).spawn(num_seeds), strict=True):
        run = semi_gradient_q(
            mdp, phi, gamma=gamma, alpha=alpha, num_updates=num_updates,
            behaviour=FixedPolicy(_policy(back, DEPTH)), rng=rng, record_at=updates,
        )  # fmt: skip
        at = np.isin(run.steps, updates)
        row[: np.count_nonzero(at)] = run.errors[at] / largest
        num_diverged += run.status == "diverged"
    return Online(updates, _floor(gamma, MAIN, DEPTH, SLIP), errors, num_diverged)


@lru_cache(maxsize=10_000)
def problem(back: float, slip: float, depth: int = DEPTH) -> tuple[TabularMDP, np.ndarray]:
    """The loop chain and how a policy that goes back with probability `back` weighs its pairs."""
    mdp = chain(depth, slip=slip, goal="loop")
    mu = stationary_weighting(mdp, _policy(back, depth))
    mu.flags.writeable = False  # every caller shares it
    return mdp, mu


def after(run: LinearRun, steps: np.ndarray) -> np.ndarray:
    """The errors of a run at `steps`, at which it was recorded: after its end, its last one."""
    return run.errors[np.searchsorted(run.steps, np.minimum(steps, run.steps[-1]))]


def _policy(back: float, depth: int) -> np.ndarray:
    return np.tile([back, 1 - back], (depth, 1))


def _features(name: str, mdp: TabularMDP) -> np.ndarray:
    if name not in FEATURES:
        raise ValueError(f"features must be one of {', '.join(FEATURES)}, but is {name!r}")
    return FEATURES[name](mdp)


@lru_cache(maxsize=10_000)
def _floor(gamma: float, features: str, depth: int, slip: float) -> float:
    mdp = chain(depth, slip=slip, goal="loop")
    q_star = optimal_q(mdp, gamma=gamma)
    return chebyshev_floor(_features(features, mdp), q_star) / q_star.max()
