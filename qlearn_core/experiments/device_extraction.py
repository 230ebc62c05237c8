"""Policy extraction on the phone from one TD critic: success against distance from the behaviour.

Every arm is a table: in each situation by itself it goes where its objective leads, without the
errors of a network and of sampling. What is left is what the objectives do with the errors of the
critic. Best-of-N and AWR are at their optimum; the gradients have none that is finite, and are
shown after several times (steps times rate).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.critic import train_critic, transitions
from qlearn_core.device.extraction import (
    ascend,
    awr_weights,
    best_of_n,
    divergence,
    imitation_gradient,
    optimum,
    positive_advantage,
    reinforce_gradient,
)

from .device_bench import GAMMA, Bench, critic_features, episodes, make_bench

CANDIDATES = (1, 2, 4, 8, 16)
TEMPERATURES = (0.03, 0.1, 0.3, 1.0)
TIMES, RATE = (10, 100, 1000), 2.0
#: The arms and the values of what each of them is varied over.
ARMS = {
    "reranked": CANDIDATES,  # the best-scored of N, whatever its advantage
    "Best-of-N": CANDIDATES,  # imitated only if its advantage is positive
    "as released": CANDIDATES,  # weighted by 5 clip(A, 0, 1)
    "AWR": TEMPERATURES,
    "REINFORCE": TIMES,
    "logged gradient": TIMES,
}


@dataclass(frozen=True)
class Extraction:
    """Success and divergence of every arm on test tasks, with learned and with exact values."""

    num_episodes: int
    encoder: str
    behaviour: float  # success of β
    arms: tuple[str, ...]  # (R,) one row for each arm and value
    values: np.ndarray  # (R,)
    success: np.ndarray  # (2, R) with the critic, and with q_β and v_β of dynamic programming
    divergence: np.ndarray  # (2, R) KL to β in nats, the mean over the situations where β goes
    kept: np.ndarray  # (2, 5) of N candidates, how often the best has a positive advantage


def extraction(*, num_episodes: int, encoder: str, seed: int) -> Extraction:
    """All arms from one critic; the seed draws the layouts, the data and the heads.

    Scores are the means of the two critics. Raises ValueError as `td_against_mc` does.
    """
    bench = make_bench(1.0, seed)
    data = episodes(bench, num_episodes=num_episodes, seed=seed)
    seen = critic_features(bench, encoder)
    steps = transitions(data, bench.screens[0].phone.settings, gamma=GAMMA)
    critic = train_critic(seen, steps, bench.beta, method="td", gamma=GAMMA, seed=seed)
    tests = bench.tests
    rows = [(arm, value) for arm, values in ARMS.items() for value in values]
    success, distance = np.zeros((2, 2, len(rows)))
    kept = np.zeros((2, len(CANDIDATES)))
    for g in tests:
        truth, visits = bench.truth(g)
        beta, weights = bench.beta[:, g].astype(float), visits / visits.sum()
        q, v = (table.mean(axis=0) for table in critic.table(seen, g))
        exact = truth - (beta * truth).sum(axis=1, keepdims=True)
        for k, (scores, advantages) in enumerate(((q, q - v[:, None]), (truth, exact))):
            for row, (arm, value) in enumerate(rows):
                pi = extracted(arm, value, scores, advantages, beta)
                success[k, row] += bench.success(pi, g) / len(tests)
                distance[k, row] += weights @ divergence(pi, beta) / len(tests)
            for column, n in enumerate(CANDIDATES):
                positive = positive_advantage(best_of_n(scores, beta, n), advantages)
                kept[k, column] += weights @ positive.sum(axis=1) / len(tests)
    return Extraction(
        num_episodes, encoder, _behaviour(bench), tuple(arm for arm, _ in rows),
        np.array([value for _, value in rows]), success, distance, kept,
    )  # fmt: skip


def extracted(
    arm: str, value: float, scores: np.ndarray, advantages: np.ndarray, beta: np.ndarray
) -> np.ndarray:
    """(B, n) the policy of one of the `ARMS`. Raises ValueError for another."""
    if arm == "reranked":
        return best_of_n(scores, beta, value)
    if arm == "Best-of-N":
        return optimum(positive_advantage(best_of_n(scores, beta, value), advantages), beta)
    if arm == "as released":
        return optimum(best_of_n(scores, beta, value) * 5 * advantages.clip(0, 1), beta)
    if arm == "AWR":
        return awr_weights(beta, advantages, value)
    num_steps = round(value / RATE)
    if arm == "REINFORCE":
        return ascend(
            beta, lambda pi: reinforce_gradient(pi, advantages), rate=RATE, num_steps=num_steps
        )
    if arm == "logged gradient":
        logged = beta * advantages
        return ascend(
            beta, lambda pi: imitation_gradient(pi, logged), rate=RATE, num_steps=num_steps
        )
    raise ValueError(f"arm must be one of {', '.join(ARMS)}, but is {arm!r}")


def _behaviour(bench: Bench) -> float:
    return float(np.mean([bench.success(bench.beta[:, g], g) for g in bench.tests]))
