"""The TD critic with a frozen encoder against the same critic with an encoder that it moves.

Both start from one encoder, see the same batches and take the same number of updates. The rate is
that of the encoder; 0 is the frozen one, whose features are computed once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.critic import train_critic, transitions
from qlearn_core.device.encoder import Features, features
from qlearn_core.device.end_to_end import train_end_to_end
from qlearn_core.device.rollouts import all_images

from .device_bench import (
    GAMMA,
    encoder_named,
    episodes,
    make_bench,
    measures,
)

BATCH_SIZE = 16  # for both: an encoder that learns makes every step dear
RATES = (0.0, 1e-5, 1e-4, 1e-3)
#: Where both start, off the shelf: asked about places, or only about pages.
NETWORKS = ("places", "pages")


@dataclass(frozen=True)
class EndToEndRun:
    """One critic. The scores of one that diverged count as 0 everywhere."""

    encoder: str
    num_episodes: int
    rate: float
    status: str
    success: np.ndarray  # (3,) on test tasks, of the best-scored of N candidates
    rmse: float
    ranking: float
    largest: float  # the greatest |Q| anywhere on test tasks; q is in [0, 1]
    spread: float  # mean |Q_1 − Q_2| of the two copies where β goes, on test tasks
    moved: float  # rms change of the features, relative to their rms at the start

    @property
    def diverged(self) -> bool:
        return self.status == "diverged"


def end_to_end(*, encoder: str, num_episodes: int, rate: float, seed: int) -> EndToEndRun:
    """The seed draws the layouts, the data and the heads.

    Raises ValueError for another encoder, num_episodes < 1, a rate < 0 or a seed < 0.
    """
    if encoder not in NETWORKS:
        raise ValueError(f"encoder must be one of {', '.join(NETWORKS)}, but is {encoder!r}")
    bench = make_bench(1.0, seed)
    settings = bench.screens[0].phone.settings
    data = episodes(bench, num_episodes=num_episodes, seed=seed)
    network, images = encoder_named(encoder), all_images(bench.screens)
    before = seen = features(network, images, bench.tasks)
    steps = transitions(data, settings, gamma=GAMMA)
    status = "finite"
    if rate == 0:
        critic = train_critic(
            seen, steps, bench.beta, method="td", gamma=GAMMA, seed=seed, batch_size=BATCH_SIZE
        )
    else:
        made = train_end_to_end(
            network, images, bench.tasks, steps, bench.beta, rate=rate, gamma=GAMMA, seed=seed,
            batch_size=BATCH_SIZE,
        )  # fmt: skip
        critic, seen, status = made.critic, made.features, made.status
    copies = [critic.table(seen, g)[0] for g in bench.tests]
    if status == "diverged":
        copies = [np.zeros_like(one) for one in copies]
    return EndToEndRun(
        encoder, num_episodes, rate, status, **measures(bench, copies), moved=moved(before, seen)
    )


def moved(before: Features, after: Features) -> float:
    """√(Σ (f' − f)² / Σ f²) over all features of all screens."""
    pairs = ((before.states, after.states), (before.actions, after.actions))
    change = sum((new - old).square().sum().item() for old, new in pairs)
    return float(np.sqrt(change / sum(old.square().sum().item() for old, _ in pairs)))
