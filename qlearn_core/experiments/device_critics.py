"""TD against Monte Carlo on the phone: the amount of data, the chance in the phone, the features,
the discount and the length of the episodes.

Both regress the same heads on the same features in the same batches.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.critic import train_critic, transitions

from .device_bench import (
    GAMMA,
    SETTINGS,
    critic_features,
    episodes,
    make_bench,
    mean_accuracy,
    reranked,
)

COMPARED = ("td", "mc")


@dataclass(frozen=True)
class CriticComparison:
    """TD and Monte Carlo from the same data, in the order of `COMPARED`."""

    num_episodes: int
    chance: float
    encoder: str
    gamma: float
    limit: int  # actions after which an episode of the data is cut off
    data_success: float  # share of the episodes in the data that succeeded
    success: np.ndarray  # (2, 3) on test tasks, of the best-scored of N candidates
    exact: np.ndarray  # (3,) the same with the scores of dynamic programming
    rmse: np.ndarray  # (2,) of Q against q_β, where β goes on test tasks
    ranking: np.ndarray  # (2,) chance that Q orders two different actions of β as q_β does


def td_against_mc(
    *,
    num_episodes: int,
    chance: float,
    encoder: str,
    seed: int,
    gamma: float = GAMMA,
    limit: int = SETTINGS.horizon,
) -> CriticComparison:
    """Both critics from episodes of the behaviour policy on training tasks; the seed draws the
    layouts, the data and the heads.

    Success is within the phone's own time limit, whatever that of the data. Raises ValueError for
    another encoder, num_episodes < 1, a chance outside [0, 5], a γ outside [0, 1), limit < 1 or a
    seed < 0.
    """
    bench = make_bench(chance, seed)
    data = episodes(bench, num_episodes=num_episodes, seed=seed, limit=limit)
    seen = critic_features(bench, encoder)
    steps = transitions(data, bench.screens[0].phone.settings, gamma=gamma)
    success, rmse, ranking = [], [], []
    for method in COMPARED:
        critic = train_critic(seen, steps, bench.beta, method=method, gamma=gamma, seed=seed)
        scores = [critic.table(seen, g)[0].mean(axis=0) for g in bench.tests]
        success.append(reranked(bench, scores))
        both = mean_accuracy(bench, scores, gamma)
        rmse.append(both[0])
        ranking.append(both[1])
    exact = reranked(bench, [bench.truth(g, gamma)[0] for g in bench.tests])
    return CriticComparison(
        num_episodes, chance, encoder, gamma, limit, float(data.success.mean()), np.array(success),
        exact, np.array(rmse), np.array(ranking),
    )  # fmt: skip
