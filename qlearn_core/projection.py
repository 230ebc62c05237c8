"""The weighted projection Π onto linear functions: its norms, its floors, iteration of Π T.

Π Q is the Φ w nearest to Q in the norm ‖x‖_μ = (Σ μ x²)^½. In that norm Π never expands, in the
sup norm it may; the Bellman operator T contracts in the sup norm, and in ‖·‖_μ only for a fixed
policy that the weighting is stationary for (Tsitsiklis & Van Roy 1997). Which norm is meant is
therefore part of every name here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .features import check_features
from .linear_runs import LinearRun
from .mdp import TabularMDP, check_gamma, check_integer, check_policy
from .mean_updates import iterate_mean_updates
from .weightings import check_weighting


class ProjectionFloor(NamedTuple):
    """The distance from q to its projection.

    No Φ w is nearer in the weighted norm. In the sup norm another one may well be: there only
    `chebyshev_floor` is a lower bound.
    """

    sup_norm: float  # ‖Π q − q‖_∞
    weighted_norm: float  # ‖Π q − q‖_μ


def fit_matrix(phi: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """G (d, S·A) such that w = G q minimises ‖Φ w − q‖_μ, the shortest such w if there are many."""
    mu = check_weighting(mu, len(phi))
    return np.linalg.pinv(np.sqrt(mu)[:, None] * phi) * np.sqrt(mu)


def projection_matrix(phi: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """Π = Φ (Φᵀ D Φ)⁺ Φᵀ D with D = diag(μ): (S·A, S·A), for phi (S·A, d) and mu (S·A,).

    Raises ValueError for a mu that is no weighting of the rows of phi.
    """
    return phi @ fit_matrix(phi, mu)


def induced_sup_norm(matrix: np.ndarray) -> float:
    """‖M‖_∞ = max over x of ‖M x‖_∞ / ‖x‖_∞: the largest row sum of |M|."""
    return float(np.abs(matrix).sum(axis=1).max())


def induced_weighted_norm(matrix: np.ndarray, mu: np.ndarray) -> float:
    """‖M‖_μ = max over x of ‖M x‖_μ / ‖x‖_μ, the largest singular value of D^½ M D^−½.

    Infinite where M carries an entry of weight zero into one that counts.
    """
    mu = check_weighting(mu, len(matrix))
    counts = mu > 0
    if matrix[np.ix_(counts, ~counts)].any():
        return np.inf
    root = np.sqrt(mu[counts])
    scaled = root[:, None] * matrix[np.ix_(counts, counts)] / root
    return float(np.linalg.norm(scaled, 2))


def pair_transitions(mdp: TabularMDP, pi: np.ndarray) -> np.ndarray:
    """P_π[(s, a), (s', a')] = P(s' | s, a) π(a' | s'), 0 at terminal s': an (S·A, S·A) array.

    T_π q = r + γ P_π q. Raises ValueError for a pi that is not a policy.
    """
    live = mdp.dense_transitions() * ~mdp.terminal  # (S, A, S)
    return np.einsum("sat,tb->satb", live, check_policy(mdp, pi)).reshape(2 * (mdp.num_pairs,))


def lipschitz_constant(mdp: TabularMDP, phi: np.ndarray, mu: np.ndarray, *, gamma: float) -> float:
    """The exact Lipschitz constant of Q → Π T Q in the sup norm, between all tables Q.

    T is linear with slope γ P_π where π is greedy, so the constant is the largest γ ‖Π P_π‖_∞.
    A policy shares the weight of (Π P)[i, s'] out among the actions in s', which no row sum of
    absolute values notices: all policies give γ max_i Σ_{s'} |(Π P)[i, s']|. It never exceeds
    γ ‖Π‖_∞ and may be far below. Raises ValueError for a wrong phi or mu or γ outside [0, 1).
    """
    gamma, phi = check_gamma(gamma), check_features(mdp, phi)
    live = (mdp.dense_transitions() * ~mdp.terminal).reshape(mdp.num_pairs, -1)  # (S·A, S)
    return gamma * induced_sup_norm(projection_matrix(phi, mu) @ live)


def chebyshev_floor(phi: np.ndarray, q: np.ndarray) -> float:
    """min over w of ‖Φ w − q‖_∞, by a linear programme; q has S·A entries.

    The smallest t with −t <= Φ w − q <= t (Boyd & Vandenberghe 2004, section 6.1.1). Raises
    ValueError for shapes that do not fit.
    """
    from scipy.optimize import linprog  # slow to import, used only here

    phi, q = np.asarray(phi, dtype=float), np.asarray(q, dtype=float).ravel()
    if phi.ndim != 2 or phi.shape[0] != q.size:
        raise ValueError(f"phi must have {q.size} rows, one per entry of q, but has {phi.shape}")
    largest = np.abs(q).max()
    if largest == 0:
        return 0.0
    # Scaled, for the solver's tolerances are absolute; then w has the order of magnitude of 1.
    ones, target = np.ones((q.size, 1)), q / largest
    solution = linprog(
        np.append(np.zeros(phi.shape[1]), 1.0),
        A_ub=np.block([[phi, -ones], [-phi, -ones]]),
        b_ub=np.concatenate([target, -target]),
        bounds=(None, None),
        method="highs",
    )
    return float(np.abs(phi @ solution.x[:-1] - target).max() * largest)


def projection_floor(phi: np.ndarray, mu: np.ndarray, q: np.ndarray) -> ProjectionFloor:
    """‖Π q − q‖ in the sup norm and in the weighted norm; q has S·A entries.

    Raises ValueError for a mu that is no weighting of the rows of phi.
    """
    q = np.asarray(q, dtype=float).ravel()
    distance = projection_matrix(phi, mu) @ q - q
    weighted = np.sqrt(np.asarray(mu) @ distance**2)
    return ProjectionFloor(float(np.abs(distance).max()), float(weighted))


def projected_value_iteration(
    mdp: TabularMDP,
    phi: np.ndarray,
    mu: np.ndarray,
    *,
    gamma: float,
    num_sweeps: int = 100_000,
    w0: np.ndarray | None = None,
    record_at: np.ndarray | None = None,
) -> LinearRun:
    """Sweeps Q ← Π T Q: every sweep fits Φ w to the Bellman targets of the last fit (Gordon 1995).

    w0 (d,) defaults to zeros. The result says whether the tables settled, cycle or diverged;
    after `num_sweeps` sweeps without a verdict it says that too. Raises ValueError for a wrong
    phi, mu, w0 or record_at, num_sweeps < 1 or γ outside [0, 1).
    """
    phi, num_sweeps = check_features(mdp, phi), check_integer(num_sweeps, "num_sweeps", 1)
    return iterate_mean_updates(
        mdp, phi, fit_matrix(phi, mu), gamma=gamma, num_updates=num_sweeps, w0=w0,
        record_at=record_at,
    )  # fmt: skip
