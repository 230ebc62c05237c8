"""More features: the floor falls, the norm of the projection does not, and divergence may rise.

The MDP is `chain(5, slip=0.1, goal="loop")`, ten pairs, all weighted alike. Every error is
relative, ‖Q − q*‖_∞ / ‖q*‖_∞. In every family but the bins one more feature keeps the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.environments import chain
from qlearn_core.features import (
    gaussian_features,
    interleaved_exponents,
    pair_aggregation,
    polynomial_features,
)
from qlearn_core.mdp import TabularMDP
from qlearn_core.planning import optimal_q
from qlearn_core.projection import (
    chebyshev_floor,
    induced_sup_norm,
    projected_value_iteration,
    projection_matrix,
)
from qlearn_core.weightings import uniform_weighting

DEPTH, SLIP = 5, 0.1
NUM_PAIRS = 10
NUM_SWEEPS = 20_000
RANDOM = ("random", "random and 1")
FAMILIES = (*RANDOM, "polynomials", "bins")


@dataclass(frozen=True)
class Capacity:
    """One drawing of features for every number k of them from 1 to the number of pairs."""

    num_features: np.ndarray  # (K,) int
    floors: np.ndarray  # (K,) relative Chebyshev floors
    norms: np.ndarray  # (K,) γ ‖Π‖_∞
    errors: np.ndarray  # (K,) relative errors of Q ← Π T Q in the end, inf if it diverged


def capacity(gamma: float, family: str, drawing: int = 1) -> Capacity:
    """Sweeps of least squares with more and more features of one family.

    Polynomials and bins are not drawn at random and are the same in every drawing. Raises
    ValueError for a family that is not in FAMILIES.
    """
    if family not in FAMILIES:
        raise ValueError(f"family must be one of {', '.join(FAMILIES)}, but is {family!r}")
    return _capacity(gamma, family, drawing if family in RANDOM else 0)


@lru_cache(maxsize=4_000)
def _capacity(gamma: float, family: str, drawing: int) -> Capacity:
    mdp = chain(DEPTH, slip=SLIP, goal="loop")
    q_star = optimal_q(mdp, gamma=gamma)
    ks = np.arange(1, NUM_PAIRS + 1)
    rows = []
    for k in ks:
        phi, norm = _features(mdp, family, int(k), drawing)
        floor = chebyshev_floor(phi, q_star) / q_star.max()
        rows.append((floor, gamma * norm, _final_error(mdp, phi, gamma, q_star.max())))
    return Capacity(ks, *np.array(rows).T)


@dataclass(frozen=True)
class Fates:
    """Many random drawings of k features: the norm of each and where its iteration ended.

    The rows are the two families of RANDOM: without a constant feature and with one.
    """

    num_features: int
    norms: np.ndarray  # (2, num_drawings) γ ‖Π‖_∞
    errors: (
        np.ndarray
    )  # (2, num_drawings) relative errors of Q ← Π T Q in the end, inf if it diverged


def fates(gamma: float, k: int, *, num_drawings: int = 20) -> Fates:
    """Sweeps of least squares with k random features; the drawings are those of `capacity`."""
    mdp = chain(DEPTH, slip=SLIP, goal="loop")
    largest = optimal_q(mdp, gamma=gamma).max()
    drawn = [
        [_features(mdp, family, k, i) for i in range(1, num_drawings + 1)] for family in RANDOM
    ]
    return Fates(
        num_features=k,
        norms=gamma * np.array([[norm for _, norm in row] for row in drawn]),
        errors=np.array(
            [[_final_error(mdp, phi, gamma, largest) for phi, _ in row] for row in drawn]
        ),
    )


def _features(mdp: TabularMDP, family: str, k: int, drawing: int) -> tuple[np.ndarray, float]:
    """Φ with k features of the family, and ‖Π‖_∞."""
    if family in RANDOM:
        phi = gaussian_features(
            mdp, k, constant=family == RANDOM[1], rng=np.random.default_rng(drawing)
        )
    elif family == "polynomials":
        phi = polynomial_features(mdp, interleaved_exponents(k))
    else:
        phi = pair_aggregation(mdp, k)
    return phi, induced_sup_norm(projection_matrix(phi, uniform_weighting(mdp)))


def _final_error(mdp: TabularMDP, phi: np.ndarray, gamma: float, largest: float) -> float:
    run = projected_value_iteration(
        mdp, phi, uniform_weighting(mdp), gamma=gamma, num_sweeps=NUM_SWEEPS
    )
    return np.inf if run.status == "diverged" else float(run.errors[-1] / largest)
