"""What the targets of the TD critic are made of: how slowly they follow, and through which critic.

The same data, features, first weights and batches in all arms. The target copies follow the critic
as θ̄ ← θ̄ + τ (θ − θ̄), at τ = 1 they are the critic of one update before. The target of Q goes
through a critic of its own for state values, or through Q itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.critic import train_critic, transitions

from .device_bench import (
    GAMMA,
    critic_features,
    episodes,
    make_bench,
    measures,
)

ENCODER, NUM_EPISODES = "places", 64
#: What the target of Q bootstraps through, and the method of `train_critic` that does so.
THROUGH = {"V": "td", "Q": "sarsa"}


@dataclass(frozen=True)
class Targets:
    """One critic. The scores of one that diverged count as 0 everywhere."""

    through: str
    tau: float
    learning_rate: float
    diverged: bool  # a value was no finite number
    success: np.ndarray  # (3,) on test tasks, of the best-scored of N candidates
    rmse: float
    ranking: float
    largest: float  # the greatest |Q| anywhere on test tasks; q is in [0, 1]
    spread: float  # mean |Q_1 − Q_2| of the two copies where β goes, on test tasks


def targets(*, through: str, tau: float, learning_rate: float, seed: int) -> Targets:
    """The seed draws the layouts, the data and the heads.

    Raises ValueError for another target and for a τ or a rate that `train_critic` does not take.
    """
    if through not in THROUGH:
        raise ValueError(f"through must be one of {', '.join(THROUGH)}, but is {through!r}")
    bench = make_bench(1.0, seed)
    data = episodes(bench, num_episodes=NUM_EPISODES, seed=seed)
    seen = critic_features(bench, ENCODER)
    steps = transitions(data, bench.screens[0].phone.settings, gamma=GAMMA)
    critic = train_critic(
        seen, steps, bench.beta, method=THROUGH[through], gamma=GAMMA, seed=seed,
        learning_rate=learning_rate, tau=tau,
    )  # fmt: skip
    copies = [critic.table(seen, g)[0] for g in bench.tests]
    diverged = not all(np.isfinite(one).all() for one in copies)
    if diverged:
        copies = [np.zeros_like(one) for one in copies]
    return Targets(through, tau, learning_rate, diverged, **measures(bench, copies))
