"""Five step sizes on one problem, the exact one-state loop, the noise floor of constant steps.

The MDP is the loop chain, `chain(depth, slip=0.1, goal="loop")`, with uniformly drawn pairs.
Errors are relative, ‖Q_t − q*‖_∞ / ‖q*‖_∞: 1 at the zero table that the runs start from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import gammaln

from qlearn_core.behaviours import UniformPairs
from qlearn_core.environments import chain
from qlearn_core.mdp import TabularMDP
from qlearn_core.planning import optimal_q
from qlearn_core.step_sizes import (
    StepSize,
    constant,
    harmonic,
    harmonic_global,
    polynomial,
    rescaled,
)
from qlearn_core.tabular import q_learning, trace_q_learning

SLIP = 0.1
OMEGA = 0.7
MARKS = np.rint(np.geomspace(10, 100_000, 13)).astype(int)


@lru_cache(maxsize=1024)
def _chain(depth: int, slip: float, goal: str) -> TabularMDP:
    return chain(depth, slip=slip, goal=goal)


def log_slope(x: np.ndarray, y: np.ndarray) -> float:
    """Least-squares slope of log y against log x."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


# --- five schedules -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Schedules:
    """Relative error under five step sizes, one run of each (K marks)."""

    steps: np.ndarray  # (K,) updates of the whole table
    harmonic_global: np.ndarray  # (K,) α = 1/(t+1)
    harmonic: np.ndarray  # (K,) α = 1/(n+1)
    polynomial: np.ndarray  # (K,) α = (n+1)^−0.7
    rescaled: np.ndarray  # (K,) α = 1/(1+(1−γ)n)
    constant: np.ndarray  # (K,)
    guide: np.ndarray  # (K,) n^−(1−γ)/Γ(γ) at n = t/(S·A): one state under 1/(n+1); not fitted


def schedules(gamma: float, depth: int, alpha: float, *, seed: int = 0) -> Schedules:
    """The five schedules on the same random numbers; only the constant one depends on α."""

    def errors(step: StepSize) -> np.ndarray:
        return median_errors(gamma, depth, step, "loop", num_seeds=1, seed=seed)

    visits = MARKS / (2 * depth)
    return Schedules(
        steps=MARKS,
        harmonic_global=errors(harmonic_global()),
        harmonic=errors(harmonic()),
        polynomial=errors(polynomial(OMEGA)),
        rescaled=errors(rescaled(gamma)),
        constant=errors(constant(alpha)),
        guide=np.exp(-(1 - gamma) * np.log(visits) - gammaln(gamma)),
    )


@lru_cache(maxsize=256)
def median_errors(
    gamma: float, depth: int, step: StepSize, goal: str, num_seeds: int, seed: int
) -> np.ndarray:
    """Relative error at MARKS (K,), median over seeds; the terminal chain does not slip."""
    mdp = _chain(depth, SLIP if goal == "loop" else 0.0, goal)
    q_star = optimal_q(mdp, gamma=gamma)
    runs = [
        q_learning(
            mdp,
            gamma=gamma,
            alpha=step,
            num_updates=int(MARKS[-1]),
            behaviour=UniformPairs(),
            rng=rng,
            record_at=MARKS,
            q_star=q_star,
        ).errors
        for rng in np.random.default_rng(seed).spawn(num_seeds)
    ]
    return np.median(runs, axis=0) / np.abs(q_star).max()


def harmonic_slope(
    gamma: float, depth: int, goal: str, *, num_seeds: int = 20, seed: int = 0
) -> float:
    """Log-log slope of the error under 1/(n+1) over the last two decades of MARKS."""
    errors = median_errors(gamma, depth, harmonic(), goal, num_seeds, seed)
    late = MARKS >= MARKS[-1] / 100
    return log_slope(MARKS[late], errors[late])


# --- one state, exactly ---------------------------------------------------------------------------

VISITS = np.unique(np.rint(np.geomspace(1, 100_000, 41)).astype(int))


@dataclass(frozen=True)
class OneState:
    """Share of the initial error left on one state with one action that leads back to itself."""

    visits: np.ndarray  # (K,) n
    harmonic: np.ndarray  # (K,) Γ(n+γ) / (Γ(γ) Γ(n+1))
    rescaled: np.ndarray  # (K,) γ / (γ + (1−γ) n)
    constant: np.ndarray  # (K,) (1 − α(1−γ))^n
    polynomial: np.ndarray  # (K,) Π_{k=1..n} (1 − (1−γ) k^−ω)
    stalls_at: float  # the limit of `polynomial`: 0 for ω ≤ 1, positive for ω > 1


def one_state(gamma: float, alpha: float, omega: float) -> OneState:
    """The products Π (1 − α_k (1−γ)) over the first n updates, without any chance."""
    powers = _polynomial_product(gamma, omega)
    rest = -(1 - gamma) * VISITS[-1] ** (1 - omega) / (omega - 1) if omega > 1 else -np.inf
    return OneState(
        visits=VISITS,
        harmonic=np.exp(gammaln(VISITS + gamma) - gammaln(gamma) - gammaln(VISITS + 1)),
        rescaled=gamma / (gamma + (1 - gamma) * VISITS),
        constant=(1 - alpha * (1 - gamma)) ** VISITS,
        polynomial=powers,
        # beyond the last visit the logarithms sum to −(1−γ) ∫ k^−ω dk up to terms of order n^−ω
        stalls_at=float(powers[-1] * np.exp(rest)),
    )


def harmonic_updates(share: float, gamma: float) -> float:
    """Updates of one state under 1/(n+1) until `share` of the error is left.

    Solves n^−(1−γ)/Γ(γ) = share, the large-n form of Γ(n+γ) / (Γ(γ) Γ(n+1)).
    """
    return float(np.exp(-(np.log(share) + gammaln(gamma)) / (1 - gamma)))


@lru_cache(maxsize=512)
def _polynomial_product(gamma: float, omega: float) -> np.ndarray:
    steps = polynomial(omega).at(np.arange(VISITS[-1]))
    return np.exp(np.cumsum(np.log1p(-(1 - gamma) * steps)))[VISITS - 1]


# --- constant steps: the noise floor --------------------------------------------------------------

ALPHAS = np.array([0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0])
SMALL = ALPHAS <= 0.16
MIN_UPDATES = 20_000  # rare slips need many updates to show, even where the error forgets fast


@dataclass(frozen=True)
class NoiseFloor:
    """Long-run error of constant step sizes (K of them)."""

    alphas: np.ndarray  # (K,)
    floors: np.ndarray  # (K,) mean relative error over the second half of a long run
    slope: float  # of log floor against log α, over α <= 0.16


def noise_floor(
    gamma: float, depth: int, slip: float, *, time_constants: int = 40, seed: int = 0
) -> NoiseFloor:
    """Runs that start at q* and go on for `time_constants` · S·A/(α(1−γ)) updates or more.

    S·A/(α(1−γ)) updates are the time in which the slowest error falls by 1/e, so that the second
    half of the run has forgotten its start.
    """
    mdp = _chain(depth, slip, "loop")
    q_star = optimal_q(mdp, gamma=gamma)
    floors = np.empty(ALPHAS.size)
    for k, alpha in enumerate(ALPHAS):
        forgetting = mdp.num_pairs / (alpha * (1 - gamma))
        num_updates = max(MIN_UPDATES, int(time_constants * forgetting))
        run = q_learning(
            mdp,
            gamma=gamma,
            alpha=float(alpha),
            num_updates=num_updates,
            behaviour=UniformPairs(),
            rng=np.random.default_rng(seed),
            q0=q_star,
            record_at=np.linspace(num_updates / 2, num_updates, 500).astype(int),
        )
        floors[k] = run.errors.mean() / np.abs(q_star).max()
    return NoiseFloor(ALPHAS, floors, log_slope(ALPHAS[SMALL], floors[SMALL]))


# --- the two sums of Robbins and Monro ------------------------------------------------------------


@dataclass(frozen=True)
class Budget:
    """What a run had to spend, summed over all its updates."""

    steps: float  # Σ α_t
    noise: float  # Σ α_t² v_t with v_t = γ² Var max Q_t(s'), the exact variance of the noise


def budget(gamma: float, depth: int, step: StepSize, *, num_updates: int, seed: int) -> Budget:
    """Σ α and Σ α² Var(noise) along one run of Q-learning."""
    trace = trace_q_learning(
        _chain(depth, SLIP, "loop"),
        gamma=gamma,
        alpha=step,
        num_updates=num_updates,
        behaviour=UniformPairs(),
        rng=np.random.default_rng(seed),
    )
    return Budget(float(trace.alphas.sum()), float(trace.alphas**2 @ trace.variances))
