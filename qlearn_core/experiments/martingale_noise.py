"""The noise of Q-learning, ε_t = δ_t − E[δ_t | F_t]: a fair game, and nothing more than that.

All runs start from a zero table on the chain whose goal loops, where each move slips with
probability 0.1 unless a function says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.behaviours import Behaviour, EpsilonGreedy, FixedPolicy, UniformPairs
from qlearn_core.environments import FORWARD, SECOND, chain
from qlearn_core.mdp import TabularMDP
from qlearn_core.noise import (
    autocorrelation,
    confidence_band,
    martingale_differences,
    pair_statistics,
)
from qlearn_core.planning import optimal_q
from qlearn_core.step_sizes import StepSize, constant, harmonic, polynomial, rescaled
from qlearn_core.tabular import QLearningTrace, trace_q_learning

SLIP = 0.1
BEHAVIOURS = ("uniform pairs", "ε-greedy, ε = 0.3", "65 % back")
ACTIONS = {"back": SECOND, "forward": FORWARD}
NOISES = ("correct", "raw", "stale", "mean")


@dataclass(frozen=True)
class FairGame:
    """Running sums M_t = ε_1 + … + ε_t of R runs at K update counts."""

    updates: np.ndarray  # (K,) int, 0 first
    sums: np.ndarray  # (R, K) M_t
    band: np.ndarray  # (K,) z sqrt(mean over runs of v_1 + … + v_t), z = 1.96
    final_sd: float  # sqrt(mean over runs of v_1 + … + v_T) = sd of M_T
    num_inside: int  # runs with |M_T| inside z sqrt of their own v_1 + … + v_T


@dataclass(frozen=True)
class TwoPoint:
    """The noise of one action under Q*, per state: two possible values each."""

    highs: np.ndarray  # (S,) the positive value
    lows: np.ndarray  # (S,) the negative value
    share_positive: float  # exact probability of the positive value, one for all states
    means: np.ndarray  # (S,) means of the sampled noise
    measured_share: float  # share of positive noise in the sample of this action


@dataclass(frozen=True)
class Spread:
    """Root mean square of the noise per pair in the first and the last third of a run."""

    early: np.ndarray  # (S, A), NaN for pairs not visited
    late: np.ndarray  # (S, A)


@dataclass(frozen=True)
class Memory:
    """Autocorrelations at lags 1..L in the second halves of runs, averaged over the runs."""

    lags: np.ndarray  # (L,) int
    noise: np.ndarray  # (L,) of ε
    band: np.ndarray  # (L,) half-widths around 0 for it, from the known variances
    squares: np.ndarray  # (L,) of ε²


@dataclass(frozen=True)
class Broken:
    """Running sums of the noise and of three wrong versions, in widths of the band."""

    updates: np.ndarray  # (K,) int
    ratios: np.ndarray  # (4, K) median over runs of |M_t| / (z sqrt(v_1 + … + v_t)), as NOISES


@dataclass(frozen=True)
class Budget:
    """What step sizes spend on distance and on noise."""

    names: tuple[str, ...]  # N schedules
    updates: np.ndarray  # (K,) int
    distance: np.ndarray  # (N, K) Σα per pair, averaged over the pairs
    variance: np.ndarray  # (N, K) Σ α² v, the accumulated variance of the noise


def fair_game(
    gamma: float, depth: int, alpha: float, behaviour: str, *, seed: int = 1, num_runs: int = 20
) -> FairGame:
    """Running sums of the noise over 2,000 updates with a constant step size."""
    traces = runs(gamma, depth, alpha, behaviour, 2_000, num_runs, seed)
    updates = np.linspace(0, 2_000, 17).astype(int)
    sums = _from_zero(np.array([trace.noises for trace in traces]))
    variances = np.array([trace.variances for trace in traces])
    own = np.array([confidence_band(v)[-1] for v in variances])
    band = np.append(0.0, confidence_band(variances.mean(axis=0)))
    return FairGame(
        updates=updates,
        sums=sums[:, updates],
        band=band[updates],
        final_sd=float(np.sqrt(variances.sum(axis=1).mean())),
        num_inside=int((np.abs(sums[:, -1]) <= own).sum()),
    )


def not_symmetric(gamma: float, slip: float, depth: int, action: str, *, seed: int = 1) -> TwoPoint:
    """The two values of ε at every state, exactly, and 4,000 samples of uniform pairs."""
    mdp, a = chain(depth, slip=slip, goal="loop"), ACTIONS[action]
    q = optimal_q(mdp, gamma=gamma)
    v = q.max(axis=1)
    noises = gamma * (v - mdp.expectation(v)[:, a, None])  # (S, S) state, next state
    possible = mdp.P[:, a] > 0
    sample = martingale_differences(
        mdp, q, gamma=gamma, behaviour=UniformPairs(), num_samples=4_000,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    of_action = sample.actions == a
    statistics = pair_statistics(
        mdp, sample.states, sample.actions, sample.noises, sample.variances
    )
    return TwoPoint(
        highs=np.where(possible, noises, -np.inf).max(axis=1),
        lows=np.where(possible, noises, np.inf).min(axis=1),
        share_positive=float((mdp.P[0, a] * (noises[0] > 0)).sum()),
        means=statistics.means[:, a],
        measured_share=float((sample.noises[of_action] > 0).mean()),
    )


def spread(gamma: float, behaviour: str, *, seed: int = 1) -> Spread:
    """The size of the noise on the chain of depth 5; 9,000 updates with α = 0.1."""
    mdp = chain(5, slip=SLIP, goal="loop")
    (trace,) = runs(gamma, 5, 0.1, behaviour, 9_000, 1, seed)
    states, actions, noises, variances = visits(trace)

    def size(third: slice) -> np.ndarray:
        squares = pair_statistics(
            mdp, states[third], actions[third], noises[third] ** 2, variances[third]
        )
        return np.sqrt(squares.means)

    return Spread(early=size(slice(0, 3_000)), late=size(slice(6_000, 9_000)))


def memory(gamma: float, behaviour: str, *, seed: int = 1, max_lag: int = 12) -> Memory:
    """Updates 10,001..20,000 of four runs on the chain of depth 5 with slip 0.3 and α = 0.1."""
    traces = runs(gamma, 5, 0.1, behaviour, 20_000, 4, seed, slip=0.3)
    lags = np.arange(1, max_lag + 1)
    noise, squares, errors = [], [], []
    for trace in traces:
        late, v = trace.noises[10_000:], trace.variances[10_000:]
        noise.append(autocorrelation(late, max_lag)[1:])
        squares.append(autocorrelation(late**2, max_lag)[1:])
        # ε_t ε_{t+k} is a martingale difference too, with the known variance ε_t² v_{t+k}.
        bands = [confidence_band(late[:-k] ** 2 * v[k:])[-1] for k in lags]
        errors.append(np.array(bands) / (late @ late))
    return Memory(
        lags=lags,
        noise=np.mean(noise, axis=0),
        band=np.linalg.norm(errors, axis=0) / len(traces),
        squares=np.mean(squares, axis=0),
    )


def broken(gamma: float, depth: int, alpha: float, *, seed: int = 1, num_runs: int = 9) -> Broken:
    """Running sums of right and wrong noise over 3,000 updates of uniform pairs."""
    mdp = chain(depth, slip=SLIP, goal="loop")
    q_star = optimal_q(mdp, gamma=gamma)
    updates = np.geomspace(100, 3_000, 12).astype(int)
    ratios = []
    for trace in runs(gamma, depth, alpha, BEHAVIOURS[0], 3_000, num_runs, seed):
        sums = np.abs(np.cumsum(_versions(trace, q_star, gamma), axis=1))[:, updates - 1]
        band = confidence_band(trace.variances)[updates - 1]
        # A sum of 0 under a band of 0 is inside; anything else there is infinitely far out.
        empty = np.where(sums > 0, np.inf, 0.0)
        ratios.append(np.divide(sums, band, out=empty, where=band > 0))
    return Broken(updates=updates, ratios=np.median(ratios, axis=0))


def budget(gamma: float, depth: int, *, seed: int = 1) -> Budget:
    """Σα and Σα²v over 20,000 updates of uniform pairs; n counts the updates of a pair from 1."""
    schedules = {
        "0.1": constant(0.1),
        "n^-0.5": polynomial(0.5),
        "n^-0.7": polynomial(0.7),
        "1/n": harmonic(),
        "rescaled": rescaled(gamma),
        "n^-1.5": polynomial(1.5),
    }
    updates = np.geomspace(10, 20_000, 24).astype(int)
    distance, variance = [], []
    for alpha in schedules.values():
        (trace,) = runs(gamma, depth, alpha, BEHAVIOURS[0], 20_000, 1, seed)
        distance.append(np.cumsum(trace.alphas)[updates - 1] / (2 * depth))
        variance.append(np.cumsum(trace.alphas**2 * trace.variances)[updates - 1])
    return Budget(tuple(schedules), updates, np.array(distance), np.array(variance))


def runs(
    gamma: float,
    depth: int,
    alpha: float | StepSize,
    behaviour: str,
    num_updates: int,
    num_runs: int,
    seed: int,
    slip: float = SLIP,
) -> list[QLearningTrace]:
    """Runs of Q-learning from a zero table, with children of one generator."""
    mdp = chain(depth, slip=slip, goal="loop")
    rule = _behaviour(behaviour, mdp)
    return [
        trace_q_learning(
            mdp, gamma=gamma, alpha=alpha, num_updates=num_updates, behaviour=rule, rng=rng
        )
        for rng in np.random.default_rng(seed).spawn(num_runs)
    ]


def _behaviour(name: str, mdp: TabularMDP) -> Behaviour:
    uniform, greedy, back = BEHAVIOURS
    mostly_back = FixedPolicy(np.tile([0.65, 0.35], (mdp.num_states, 1)))
    return {uniform: UniformPairs(), greedy: EpsilonGreedy(0.3), back: mostly_back}[name]


def visits(trace: QLearningTrace) -> tuple[np.ndarray, ...]:
    """(states, actions, noises, variances) as `pair_statistics` takes them."""
    return trace.states, trace.actions, trace.noises, trace.variances


def _versions(trace: QLearningTrace, q_star: np.ndarray, gamma: float) -> np.ndarray:
    """The noise along a run and the three versions of `qlearn_core.noise.broken_noise`: (4, T)."""
    time, s, a = np.arange(trace.states.size), trace.states, trace.actions
    steps = np.zeros((time.size + 1, *q_star.shape))
    steps[time + 1, s, a] = trace.alphas * trace.td_errors
    tables = np.cumsum(steps, axis=0)  # (T+1, S, A) the tables Q_t, from zero
    next_values = tables[time, trace.next_states]  # (T, A)
    stale = trace.td_errors + tables[time, s, a] - q_star[s, a]
    mean = trace.noises + gamma * (next_values.mean(axis=1) - next_values.max(axis=1))
    return np.array([trace.noises, trace.td_errors, stale, mean])


def _from_zero(increments: np.ndarray) -> np.ndarray:
    """Running sums along the last axis, with the empty sum first."""
    sums = np.cumsum(increments, axis=-1)
    return np.concatenate([np.zeros((*sums.shape[:-1], 1)), sums], axis=-1)
