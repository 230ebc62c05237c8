"""Policy extraction on the phone by networks: what is left of the tables of `device_extraction`.

A network that starts as the behaviour policy learns on the situations of the data, which are of
training tasks. Beside it stands the table that follows the same objective exactly in every
situation, also in those that no data show.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.critic import train_critic, transitions
from qlearn_core.device.extraction import (
    awr_weights,
    best_of_n,
    divergence,
    extract,
    positive_advantage,
    spot_table,
)
from qlearn_core.device.rollouts import all_images

from .device_bench import (
    GAMMA,
    Bench,
    behaviour_policy,
    critic_features,
    episodes,
    make_bench,
)
from .device_extraction import extracted

ENCODER = "places"
#: The arms and the value of what each is varied over, as in `device_extraction`. A network takes as
#: many updates in all of them.
ARMS = (
    ("Best-of-N", 4), ("Best-of-N", 16), ("AWR", 0.1), ("AWR", 0.3), ("REINFORCE", 100),
    ("logged gradient", 100),
)  # fmt: skip


@dataclass(frozen=True)
class Networks:
    """Tables and networks of all arms; sides are training and test tasks."""

    num_episodes: int
    arms: tuple[str, ...]  # (R,)
    values: tuple[float, ...]  # (R,)
    behaviour: np.ndarray  # (2,) success of β on both sides
    success: np.ndarray  # (2, 2, R) of tables and of networks, on both sides
    divergence: np.ndarray  # (2, R) KL to β in nats of both, where β goes on test tasks
    diverged: (
        np.ndarray
    )  # (R,) whether a probability of the network is no number: it never succeeds


def networks(*, num_episodes: int, seed: int) -> Networks:
    """All arms from one critic; the seed draws the layouts, the data, the heads and the batches.

    Raises ValueError for num_episodes < 1 or a seed < 0.
    """
    bench = make_bench(1.0, seed)
    settings, beta = bench.screens[0].phone.settings, bench.beta.astype(float)
    data = episodes(bench, num_episodes=num_episodes, seed=seed)
    seen, images = critic_features(bench, ENCODER), all_images(bench.screens)
    steps = transitions(data, settings, gamma=GAMMA)
    critic = train_critic(seen, steps, bench.beta, method="td", gamma=GAMMA, seed=seed)
    tables = [critic.table(seen, g) for g in range(len(bench.tasks))]
    q, v = (np.stack([pair[k].mean(axis=0) for pair in tables], axis=1) for k in range(2))
    known = q, q - v[..., None], beta  # (K, G, n) each
    here = steps.screens, steps.tasks
    tokens = np.stack([task.tokens for task in bench.tasks])[steps.tasks]
    success, distance, diverged = [], [], []
    for arm, value in ARMS:
        objective = values(arm, value, *(table[here] for table in known))
        network = extract(
            behaviour_policy(), settings, images[steps.screens], tokens, objective,
            method="reinforce" if arm == "REINFORCE" else "imitation", seed=seed,
        )  # fmt: skip
        learned = spot_table(network, settings, images, bench.tasks).astype(float)
        diverged.append(not np.isfinite(learned).all())
        exact = extracted(arm, value, *known)
        success.append([
            bench.successes(exact), np.zeros(2) if diverged[-1] else bench.successes(learned),
        ])  # fmt: skip
        distance.append([
            from_behaviour(bench, exact), 0.0 if diverged[-1] else from_behaviour(bench, learned),
        ])  # fmt: skip
    return Networks(
        num_episodes, *zip(*ARMS, strict=True), bench.successes(beta),
        np.moveaxis(success, 0, 2), np.array(distance).T, np.array(diverged),
    )  # fmt: skip


def values(
    arm: str, value: float, scores: np.ndarray, advantages: np.ndarray, beta: np.ndarray
) -> np.ndarray:
    """(B, n) what `extract` takes for one of the `ARMS`: weights, and advantages for REINFORCE."""
    if arm == "Best-of-N":
        return positive_advantage(best_of_n(scores, beta, value), advantages)
    if arm == "AWR":
        return awr_weights(beta, advantages, value)
    return advantages if arm == "REINFORCE" else beta * advantages


def from_behaviour(bench: Bench, policy: np.ndarray) -> float:
    """KL to β in nats where β goes, the mean over the test tasks."""
    total = 0.0
    for g in bench.tests:
        _, visits = bench.truth(g)
        beta = bench.beta[:, g].astype(float)
        total += visits @ divergence(policy[:, g], beta) / visits.sum() / len(bench.tests)
    return float(total)
