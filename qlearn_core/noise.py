"""The noise of Q-learning is a martingale difference: definitions, samples and diagnostics.

    ε(s, a, s') = [r + γ v(s') − q(s, a)] − (T q − q)(s, a) = γ (v(s') − E v(s')),
    v(s) = max_a q(s, a)

given the past, ε has mean 0 under every behaviour and variance γ² Var v(s'), which is known
before s' is drawn (Watkins & Dayan 1992; Jaakkola, Jordan & Singh 1994).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np

from ._compile import jit
from .behaviours import (
    TRAJECTORY,
    Behaviour,
    behaviour_tables,
    draw,
    draw_position,
    greedy_action,
)
from .bellman import bellman_optimality, state_values
from .mdp import INDEX, TabularMDP, check_gamma, check_integer, check_q, check_real, check_rng
from .planning import optimal_q

BrokenKind = Literal["raw", "stale", "mean"]


@dataclass(frozen=True)
class MartingaleSample:
    """T transitions of a behaviour under one frozen table, and the noise of each."""

    noises: np.ndarray  # (T,) ε(s_t, a_t, s'_t)
    states: np.ndarray  # (T,) int
    actions: np.ndarray  # (T,) int
    next_states: np.ndarray  # (T,) int
    variances: np.ndarray  # (T,) γ² Var v(s') given (s_t, a_t)


@dataclass(frozen=True)
class PairStatistics:
    """Noise per pair; means, half_widths and share_positive are NaN for pairs not visited."""

    counts: np.ndarray  # (S, A) int, n
    means: np.ndarray  # (S, A) Σε / n
    half_widths: np.ndarray  # (S, A) z sqrt(Σv) / n: the interval around 0 for the mean
    share_positive: np.ndarray  # (S, A) share of samples with ε > 0
    chi2: np.ndarray  # (S, A) (Σε)² / Σv, about χ²(1); 0 where Σv = 0 and Σε = 0
    chi2_total: float  # sum over the pairs with Σv > 0, about χ²(degrees_of_freedom)
    degrees_of_freedom: int  # pairs with Σv > 0


def conditional_mean(mdp: TabularMDP, q: np.ndarray, *, gamma: float) -> np.ndarray:
    """Σ_{s'} P(s' | s, a) ε(s, a, s') by enumeration, (S, A): zero up to rounding."""
    q, gamma = check_q(mdp, q), check_gamma(gamma)
    signal = bellman_optimality(mdp, q, gamma=gamma) - q
    next_states, probabilities, _ = mdp.successors  # (S·A, b)
    td_errors = (mdp.r - q).reshape(-1, 1) + gamma * state_values(mdp, q)[next_states]
    return (probabilities * (td_errors - signal.reshape(-1, 1))).sum(axis=1).reshape(q.shape)


def predictable_variance(mdp: TabularMDP, q: np.ndarray, *, gamma: float) -> np.ndarray:
    """γ² Var_{s' ~ P(· | s, a)} max_{a'} q(s', a'): an (S, A) array."""
    q, gamma = check_q(mdp, q), check_gamma(gamma)
    v = state_values(mdp, q)
    next_states, probabilities, _ = mdp.successors  # (S·A, b)
    deviations = v[next_states] - mdp.expectation(v).reshape(-1, 1)
    return gamma**2 * (probabilities * deviations**2).sum(axis=1).reshape(q.shape)


def martingale_differences(
    mdp: TabularMDP,
    q: np.ndarray,
    *,
    gamma: float,
    behaviour: Behaviour,
    num_samples: int,
    rng: np.random.Generator,
    start: int = 0,
) -> MartingaleSample:
    """The noises of `num_samples` transitions of a behaviour while q (S, A) stays frozen.

    Raises ValueError for arguments out of range; each message names the argument.
    """
    q, gamma = check_q(mdp, q), check_gamma(gamma)
    pairs, next_states = visits = np.empty(
        (2, check_integer(num_samples, "num_samples", 1)), dtype=np.int64
    )
    tables = behaviour_tables(mdp, behaviour, start)
    _transitions(q, visits, mdp.successors, mdp.terminal, tables, check_rng(rng))
    states, actions = np.divmod(pairs, mdp.num_actions)
    v = state_values(mdp, q)
    return MartingaleSample(
        noises=gamma * (v[next_states] - mdp.expectation(v)[states, actions]),
        states=states,
        actions=actions,
        next_states=next_states,
        variances=predictable_variance(mdp, q, gamma=gamma)[states, actions],
    )


def pair_statistics(
    mdp: TabularMDP,
    states: np.ndarray,
    actions: np.ndarray,
    noises: np.ndarray,
    variances: np.ndarray,
    *,
    level: float = 0.95,
) -> PairStatistics:
    """Means and normalised sums of the noise per pair, with the known variances.

    The half-widths rest on the martingale central limit theorem with the predictable variance,
    so they stay valid when the visits depend on the past; a t-interval with the sample variance
    does not. All inputs have shape (T,). Raises ValueError for other shapes or level not in
    (0, 1).
    """
    noises, variances = np.asarray(noises, dtype=float), np.asarray(variances, dtype=float)
    shapes = {np.shape(x) for x in (states, actions, noises, variances)}
    if len(shapes) != 1 or noises.ndim != 1:
        raise ValueError(
            "states, actions, noises and variances must have one shape (T,), "
            f"but have {sorted(shapes)}"
        )
    try:
        pairs = np.ravel_multi_index((states, actions), mdp.r.shape)
    except (TypeError, ValueError) as error:
        raise ValueError(f"states and actions must be those of mdp, but: {error}") from None

    def per_pair(weights):
        return np.bincount(pairs, weights, minlength=mdp.num_pairs).reshape(mdp.r.shape)

    counts = np.bincount(pairs, minlength=mdp.num_pairs).reshape(mdp.r.shape)
    sums, total_variances = per_pair(noises), per_pair(variances)
    known = total_variances > 0
    n = np.where(counts > 0, counts, np.nan)
    # A noise that cannot occur (variance 0) is infinite evidence, its absence none.
    chi2 = np.where(sums == 0, 0.0, np.inf)
    chi2[known] = sums[known] ** 2 / total_variances[known]
    return PairStatistics(
        counts=counts,
        means=sums / n,
        half_widths=_quantile(level) * np.sqrt(total_variances) / n,
        share_positive=per_pair(noises > 0) / n,
        chi2=chi2,
        chi2_total=float(chi2[known].sum()),
        degrees_of_freedom=int(known.sum()),
    )


def autocorrelation(x: np.ndarray, max_lag: int) -> np.ndarray:
    """Sample autocorrelation ρ_0 = 1, ρ_1, …, ρ_max_lag of x (T,): a (max_lag + 1,) array.

    Raises ValueError unless x is 1-D, not constant and longer than max_lag.
    """
    x = np.asarray(x, dtype=float)
    max_lag = check_integer(max_lag, "max_lag", 0)
    if x.ndim != 1 or x.size <= max_lag:
        raise ValueError(f"x must be 1-D and longer than max_lag={max_lag}, but has {x.shape}")
    if x.min() == x.max():
        raise ValueError(f"x must vary, but is constant at {x[0]:g}")
    centred = x - x.mean()
    products = [centred[: x.size - lag] @ centred[lag:] for lag in range(max_lag + 1)]
    return np.array(products) / products[0]


def confidence_band(variances: np.ndarray, *, level: float = 0.95) -> np.ndarray:
    """z sqrt(v_1 + … + v_t) for t = 1..T: half-widths (T,) for the running sum of the noise.

    Each holds the sum with probability about `level`, by the martingale central limit theorem
    (Hall & Heyde 1980, chapter 3). Raises ValueError for level outside (0, 1).
    """
    return _quantile(level) * np.sqrt(np.cumsum(variances))


def broken_noise(
    mdp: TabularMDP,
    q: np.ndarray,
    states: np.ndarray,
    actions: np.ndarray,
    next_states: np.ndarray,
    *,
    gamma: float,
    kind: BrokenKind,
) -> np.ndarray:
    """What looks like the noise of transitions (T,) but is not centred: a (T,) array.

    kind="raw" is the TD error, without a baseline; "stale" subtracts T q* instead of T q;
    "mean" has the mean over a' in the target and the maximum in the baseline. Raises
    ValueError for another kind.
    """
    values, baseline = _target_and_baseline(mdp, q, gamma, kind)
    return mdp.r[states, actions] + gamma * values[next_states] - baseline[states, actions]


def broken_conditional_mean(
    mdp: TabularMDP, q: np.ndarray, *, gamma: float, kind: BrokenKind
) -> np.ndarray:
    """The exact conditional mean of `broken_noise`, (S, A); the correct noise has 0."""
    values, baseline = _target_and_baseline(mdp, q, gamma, kind)
    return mdp.r + gamma * mdp.expectation(values) - baseline


def _target_and_baseline(
    mdp: TabularMDP, q: np.ndarray, gamma: float, kind: str
) -> tuple[np.ndarray, np.ndarray]:
    """(S,) next-state values of the target and the (S, A) baseline of one broken noise."""
    q, gamma = check_q(mdp, q), check_gamma(gamma)
    if kind == "raw":
        return state_values(mdp, q), q
    if kind == "stale":
        return state_values(mdp, q), optimal_q(mdp, gamma=gamma)  # T q* = q*
    if kind == "mean":
        values = np.where(mdp.terminal, 0.0, q.mean(axis=1))
        return values, bellman_optimality(mdp, q, gamma=gamma)
    raise ValueError(f"kind must be 'raw', 'stale' or 'mean', but is {kind!r}")


def _quantile(level: float) -> float:
    """z with P(|N(0, 1)| <= z) = level."""
    level = check_real(level, "level", "in (0, 1)", lambda x: 0 < x < 1)
    return NormalDist().inv_cdf((1 + level) / 2)


@jit
def _transitions(q, visits, successors, terminal, behaviour, rng):
    kind, epsilon, policy, pairs, start = behaviour
    next_states, _, cumulative = successors
    s = start
    for t in range(visits.shape[1]):
        if kind == TRAJECTORY:
            explore = rng.random() < epsilon
            a = draw(policy, s, rng) if explore else greedy_action(q, s, rng)
            pair = INDEX(s * q.shape[1] + a)
        else:
            pair = pairs[draw_position(kind, len(pairs), t, rng)]
        s_next = next_states[pair, draw(cumulative, pair, rng)]
        visits[0, t], visits[1, t] = pair, s_next
        s = start if terminal[s_next] else s_next
