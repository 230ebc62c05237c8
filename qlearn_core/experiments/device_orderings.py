"""What is expected of learning on the phone, written down before anything was run, and verdicts.

An ordering says that one arm is better than another in a metric. It is judged on the differences of
the two arms, one for each seed, by a 95% bootstrap interval of their mean. An interval that holds 0
is "not reproduced", whatever the mean is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

NUM_SEEDS = 8
CANDIDATES = (1, 4, 16)  # N of reranking, the last axis of "success" in the stored results
FOUR = CANDIDATES.index(4)
SIDES = ("training tasks", "test tasks")  # where success is given for both, in this order
NUM_RESAMPLES, LEVEL, RESAMPLING_SEED = 10_000, 0.95, 0


@dataclass(frozen=True)
class Ordering:
    """An expectation of one experiment."""

    experiment: str
    better: str
    worse: str
    metric: str
    because: str


#: Written before the first run of each experiment.
ORDERINGS = (
    Ordering(
        "td_against_mc", "td with 64 episodes", "mc with 64 episodes",
        "exact success on test tasks of reranking 4 candidates",
        "a return carries the chance of all later steps, a target that of one",
    ),
    Ordering(
        "td_against_mc", "lead of td over mc with 64 episodes", "the same with 512 episodes",
        "exact success on test tasks of reranking 4 candidates", "more data average the chance out",
    ),
    Ordering(
        "td_against_mc", "lead of td over mc on the phone", "the same on a phone without chance",
        "exact success on test tasks of reranking 4 candidates, 64 episodes",
        "without chance there is less to average; what is left is the chance of the policy",
    ),
    Ordering(
        "td_against_mc", "td with 64 episodes", "mc with 64 episodes",
        "ranking of two actions drawn by the behaviour policy", "the same",
    ),
    Ordering(
        "representation", "fine-tuned, pre-training without places", "off the shelf, the same",
        "share of the action in the variance of Q", "nothing else asks what an action does",
    ),
    Ordering(
        "representation", "fine-tuned, pre-training without places", "the same, shuffled labels",
        "exact success on test tasks of reranking 4 candidates", "shuffled labels teach nothing",
    ),
    Ordering(
        "representation", "frozen and td", "end to end and td, best of three learning rates",
        "exact success on test tasks of reranking 4 candidates", "features that move, move targets",
    ),
    Ordering(
        "extraction", "16 candidates", "4 candidates", "exact success on test tasks",
        "the claim of the essay; a learned critic may turn it round",
    ),
    Ordering(
        "extraction", "Best-of-N", "AWR, best of three temperatures", "exact success on test tasks",
        "AWR stays close to the behaviour policy",
    ),
    Ordering(
        "extraction", "Best-of-N", "REINFORCE, best of three learning rates",
        "exact success on test tasks", "negative gradients",
    ),
    Ordering(
        "online", "collect again and mix", "no new data",
        "exact success on test tasks after four rounds", "the critic knows where the policy goes",
    ),
    Ordering(
        "online", "pessimism, the lesser of two critics", "the mean of two critics",
        "exact success on test tasks after four rounds, all data so far",
        "where two critics disagree there are no data",
    ),
    Ordering(
        "online", "candidates of the behaviour policy", "candidates of the latest policy",
        "exact success on test tasks after four rounds, all data so far",
        "the policy stays where the critic has data",
    ),
    Ordering(
        "horizon", "lead of td over mc, episodes cut off after 8", "the same, after 30",
        "ranking of two actions drawn by the behaviour policy",
        "a return misses what comes after the cut, a target bootstraps over it",
    ),
    Ordering(
        "targets", "targets that follow at 0.02", "the critic of one update before",
        "ranking of two actions drawn by the behaviour policy",
        "a target that moves with every update is chased and not met",
    ),
    Ordering(
        "targets", "target through V", "target through a draw from Q",
        "ranking of two actions drawn by the behaviour policy", "V averages the draws",
    ),
    Ordering(
        "networks", "Best-of-N by a network, best of two N", "AWR by a network, best of two T",
        "exact success on test tasks", "the claim of the essay, which is about networks",
    ),
    Ordering(
        "networks", "Best-of-N by a network, best of two N", "REINFORCE by a network",
        "exact success on test tasks", "the same",
    ),
)  # fmt: skip


def interval(differences: np.ndarray) -> tuple[float, float]:
    """The 95% percentile bootstrap interval of the mean of differences (num_seeds,).

    The resamples are the same for all, so that equal numbers give equal intervals. Raises
    ValueError for fewer than two differences.
    """
    differences = np.asarray(differences, dtype=float)
    if differences.ndim != 1 or len(differences) < 2:
        raise ValueError(
            f"differences must have shape (num_seeds,) with num_seeds >= 2, but have shape "
            f"{differences.shape}"
        )
    low, high = intervals(differences[:, None])[:, 0]
    return float(low), float(high)


def intervals(values: np.ndarray) -> np.ndarray:
    """(2, k) the ends of the intervals of the means of values (num_seeds, k)."""
    tail = (1 - LEVEL) / 2
    return np.quantile(values.T @ _resampling(len(values)), [tail, 1 - tail], axis=1)


@lru_cache(maxsize=4)
def _resampling(num_seeds: int) -> np.ndarray:
    """(num_seeds, NUM_RESAMPLES) the share of every seed in every resample."""
    rng = np.random.default_rng(RESAMPLING_SEED)
    drawn = rng.integers(num_seeds, size=(NUM_RESAMPLES, num_seeds))
    return np.stack([(drawn == seed).mean(axis=1) for seed in range(num_seeds)])


def verdict(differences: np.ndarray) -> str:
    """ "reproduced", "reversed" or "not reproduced" from better − worse, one for each seed."""
    low, high = interval(differences)
    if low > 0:
        return "reproduced"
    return "reversed" if high < 0 else "not reproduced"
