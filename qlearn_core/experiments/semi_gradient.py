"""The semi-gradient against the full gradient, where nothing is approximated: tabular features.

All errors are relative, ‖Q − q*‖_∞ / ‖q*‖_∞. Without chance both gradients have the limit q*, at
very different speeds. With chance the full gradient also shrinks the variance of its targets and
ends elsewhere, unless it sees two independent next states. `biases` also looks at three shared
parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.behaviours import UniformPairs
from qlearn_core.bellman import bellman_optimality
from qlearn_core.environments import chain
from qlearn_core.features import polynomial_features, tabular_features
from qlearn_core.linear import residual_gradient_q, semi_gradient_q
from qlearn_core.linear_runs import LinearRun
from qlearn_core.mdp import TabularMDP
from qlearn_core.mean_updates import expected_residual_gradient_q, expected_semi_gradient_q
from qlearn_core.planning import optimal_q
from qlearn_core.step_sizes import polynomial
from qlearn_core.weightings import stationary_weighting, uniform_weighting

DEPTH = 5
SWEEPS = 2_000
NUM_RECORDS = 34
ROUNDING = 1e-9  # directions shorter than this are rounding


@dataclass(frozen=True)
class Descent:
    """Three runs without sampling; one sweep is as many expected updates as there are pairs."""

    sweeps: np.ndarray  # (K,) int, from 0 on
    semi: np.ndarray  # (K,) relative errors, each
    full: np.ndarray  # (K,)
    two_samples: np.ndarray  # (K,)


def descent(
    gamma: float, slip: float, alpha: float, *, depth: int = DEPTH, goal: str = "terminal"
) -> Descent:
    """Expected updates over uniformly weighted pairs, with α for a pair as in the tabular case.

    The mean over N pairs divides a step by N, so that a sweep of N expected updates with α is
    like one of the sampled algorithm.
    """
    mdp = chain(depth, slip=slip, goal=goal)
    sweeps = np.append(0, _log_spaced(1, SWEEPS))
    runs = _expected_runs(mdp, tabular_features(mdp), gamma, alpha, sweeps)
    largest = np.abs(optimal_q(mdp, gamma=gamma)).max()
    return Descent(sweeps, *(_held(run.errors, sweeps.size) / largest for run in runs))


def _expected_runs(
    mdp: TabularMDP, phi: np.ndarray, gamma: float, alpha: float, sweeps: np.ndarray
) -> tuple[LinearRun, LinearRun, LinearRun]:
    """The semi-gradient, the full gradient and the one with two samples, seen after `sweeps`."""
    mu, num_pairs = uniform_weighting(mdp), len(mdp.active_pairs)
    arguments = {
        "gamma": gamma, "alpha": alpha, "num_updates": int(sweeps[-1]) * num_pairs,
        "record_at": sweeps * num_pairs,
    }  # fmt: skip
    return (
        expected_semi_gradient_q(mdp, phi, mu, **arguments),
        expected_residual_gradient_q(mdp, phi, mu, **arguments),
        expected_residual_gradient_q(mdp, phi, mu, **arguments, double_sampling=True),
    )


@dataclass(frozen=True)
class SampledDescent:
    """The same three updates from samples: relative errors of every seed."""

    updates: np.ndarray  # (K,) int
    semi: np.ndarray  # (num_seeds, K) relative errors, each
    full: np.ndarray  # (num_seeds, K)
    two_samples: np.ndarray  # (num_seeds, K)


def sampled_descent(
    gamma: float,
    omega: float,
    *,
    slip: float = 0.1,
    num_updates: int = 30_000,
    num_seeds: int = 1,
    seed: int = 0,
) -> SampledDescent:
    """Runs with the step size (n+1)^−ω over uniform pairs; every method meets the same seeds."""
    mdp = chain(DEPTH, slip=slip)
    phi = tabular_features(mdp)
    updates = _log_spaced(10, num_updates)
    arguments = {
        "gamma": gamma, "alpha": polynomial(omega), "num_updates": num_updates,
        "behaviour": UniformPairs(), "record_at": updates,
    }  # fmt: skip
    largest = np.abs(optimal_q(mdp, gamma=gamma)).max()
    methods = (
        (semi_gradient_q, {}),
        (residual_gradient_q, {}),
        (residual_gradient_q, {"double_sampling": True}),
    )
    errors = (
        np.array(
            [
                method(mdp, phi, **arguments, **extra, rng=rng).errors / largest
                for rng in np.random.default_rng(seed).spawn(num_seeds)
            ]
        )
        for method, extra in methods
    )
    return SampledDescent(updates, *errors)


@dataclass(frozen=True)
class Split:
    """The values of A, B and C: the true ones and the limits of the two gradients."""

    true: np.ndarray  # (3,)
    semi: np.ndarray  # (3,)
    full: np.ndarray  # (3,)
    two_samples: np.ndarray  # (3,)


def split(gamma: float, chance: float = 0.5) -> Split:
    """A leads to B with probability `chance`, else to C; B ends with 1, C with 0.

    The A-split of Sutton & Barto (2018, section 11.5), weighted by how often it visits a state.
    """
    P = np.zeros((4, 1, 4))
    P[0, 0, 1:3] = chance, 1 - chance
    P[1:, 0, 3] = 1
    mdp = TabularMDP(P=P, r=[[0.0], [1], [0], [0]], terminal=np.arange(4) == 3)
    phi, mu = tabular_features(mdp), stationary_weighting(mdp, np.ones((4, 1)))
    arguments = {"gamma": gamma, "alpha": 1.0, "num_updates": 20_000}
    runs = (
        expected_semi_gradient_q(mdp, phi, mu, **arguments),
        expected_residual_gradient_q(mdp, phi, mu, **arguments),
        expected_residual_gradient_q(mdp, phi, mu, **arguments, double_sampling=True),
    )
    true = optimal_q(mdp, gamma=gamma)[:3, 0]
    return Split(true, *(run.q[:3, 0] for run in runs))


@dataclass(frozen=True)
class Biases:
    """How wrong the targets are, and how far apart the two directions, in the course of a run."""

    sweeps: np.ndarray  # (K,) int
    semi_target: np.ndarray  # (K,) ‖T Q − q*‖_∞ / ‖q*‖_∞ in the table of the semi-gradient
    full_target: np.ndarray  # (K,) and in that of the full gradient
    table_angle: np.ndarray  # (K,) degrees between the two directions at the semi-gradient's table
    shared_angle: np.ndarray  # (K,) and where three parameters are shared; nan at a fixed point


def biases(gamma: float, slip: float, *, alpha: float = 0.25) -> Biases:
    """The bias of the target and the bias of the gradient, measured apart.

    The shared parameters are those of 1, x and x·a.
    """
    mdp = chain(DEPTH, slip=slip)
    sweeps = np.append(0, np.unique(np.rint(np.geomspace(1, 300, 24)).astype(int)))
    q_star = optimal_q(mdp, gamma=gamma)
    table = tabular_features(mdp)
    semi, full, _ = _expected_runs(mdp, table, gamma, alpha, sweeps)
    targets = (
        [
            np.abs(bellman_optimality(mdp, (table @ w).reshape(q_star.shape), gamma=gamma) - q_star)
            for w in run.weights
        ]
        for run in (semi, full)
    )
    biases = (_held(np.max(target, axis=(1, 2)), sweeps.size) / q_star.max() for target in targets)
    shared = polynomial_features(mdp, ((0, 0), (1, 0), (1, 1)))
    shared_run, *_ = _expected_runs(mdp, shared, gamma, alpha, sweeps)
    angles = (
        [_angle(mdp, phi, w, gamma) for w in run.weights]
        for phi, run in ((table, semi), (shared, shared_run))
    )
    return Biases(sweeps, *biases, *(_held(np.array(a), sweeps.size) for a in angles))


def _angle(mdp: TabularMDP, phi: np.ndarray, w: np.ndarray, gamma: float) -> float:
    """Degrees between the directions of the two expected updates at w; nan where one is zero."""
    mu = uniform_weighting(mdp)
    arguments = {"gamma": gamma, "alpha": 1.0, "num_updates": 1, "w0": w}
    semi = expected_semi_gradient_q(mdp, phi, mu, **arguments).w - w
    full = expected_residual_gradient_q(mdp, phi, mu, **arguments).w - w
    lengths = np.linalg.norm(semi) * np.linalg.norm(full)
    if lengths < ROUNDING**2:
        return np.nan
    return float(np.degrees(np.arccos(np.clip(semi @ full / lengths, -1, 1))))


def _log_spaced(first: int, last: int) -> np.ndarray:
    return np.unique(np.rint(np.geomspace(first, last, NUM_RECORDS)).astype(int))


def _held(errors: np.ndarray, size: int) -> np.ndarray:
    """The errors of a run that ended early, its last one held to the end: (size,)."""
    return np.append(errors, np.full(max(size - errors.size, 0), errors[-1]))[:size]
