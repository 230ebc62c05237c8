"""Testing on data that the noise of Q-learning has mean zero: known against estimated variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from qlearn_core.environments import chain
from qlearn_core.experiments.martingale_noise import SLIP, runs, visits
from qlearn_core.noise import pair_statistics


@dataclass(frozen=True)
class StandardMeans:
    """Mean noise per pair in R runs, in units of its known standard error."""

    scores: np.ndarray  # (R, S, A) Σε / sqrt(Σv); NaN where Σv = 0
    share_positive: np.ndarray  # (S, A) share of ε > 0 in all runs, NaN for pairs not visited


@dataclass(frozen=True)
class FalsePositives:
    """How often a test at level 5 % of "the mean noise of every pair is 0" rejects the truth."""

    sample_variance: float  # per-pair t-tests with Bonferroni's correction
    known_variance: float  # χ² of the normalised sums with the predictable variances


def zero_mean(gamma: float, behaviour: str, *, seed: int = 1, num_runs: int = 20) -> StandardMeans:
    """Standardised means per pair on the chain of depth 5; 4,000 updates with α = 0.1."""
    mdp = chain(5, slip=SLIP, goal="loop")
    traces = runs(gamma, 5, 0.1, behaviour, 4_000, num_runs, seed)
    statistics = [pair_statistics(mdp, *visits(trace)) for trace in traces]
    scores = np.array([np.sign(s.means) * np.sqrt(s.chi2) for s in statistics])
    pooled = [np.concatenate(parts) for parts in zip(*map(visits, traces), strict=True)]
    return StandardMeans(
        scores=np.where([s.half_widths > 0 for s in statistics], scores, np.nan),
        share_positive=pair_statistics(mdp, *pooled).share_positive,
    )


def false_positives(
    gamma: float, behaviour: str, *, seed: int, num_updates: int = 2_000, num_runs: int = 400
) -> FalsePositives:
    """Rejection rates over the runs, depth 5 and α = 0.1; the hypothesis is true in each."""
    mdp = chain(5, slip=SLIP, goal="loop")
    naive, known = [], []
    for trace in runs(gamma, 5, 0.1, behaviour, num_updates, num_runs, seed):
        statistics = pair_statistics(mdp, *visits(trace))
        known.append(stats.chi2.sf(statistics.chi2_total, statistics.degrees_of_freedom) < 0.05)
        pairs = trace.states * mdp.num_actions + trace.actions
        samples = [trace.noises[pairs == pair] for pair in range(mdp.num_pairs)]
        p_values = [stats.ttest_1samp(x, 0).pvalue for x in samples if x.size > 1 and np.ptp(x) > 0]
        naive.append(min(p_values, default=1.0) < 0.05 / max(len(p_values), 1))
    return FalsePositives(float(np.mean(naive)), float(np.mean(known)))
