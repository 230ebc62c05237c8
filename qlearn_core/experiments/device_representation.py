"""What fine-tuning on "did this action change the screen" does to features, and to the TD critic.

The same frozen encoder off the shelf, as it is, fine-tuned on the labels of the data, or fine-tuned
on the same labels in a random order. An encoder that was asked about places knows much of what
the labels teach, one that was only asked about pages does not: both are shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.critic import train_critic, transitions
from qlearn_core.device.encoder import features
from qlearn_core.device.pretraining import THRESHOLD, change_labels, fine_tuned
from qlearn_core.device.rollouts import all_images

from .device_bench import (
    GAMMA,
    encoder_named,
    episodes,
    make_bench,
    mean_accuracy,
    reranked,
)

NETWORKS = ("places", "pages", "untrained")
TUNINGS = ("none", "change", "shuffled")


@dataclass(frozen=True)
class Representation:
    """One encoder and what a TD critic on its frozen features is worth."""

    encoder: str
    tuning: str
    threshold: float  # of the label, in grey levels
    labelled: float  # share of the actions in the data that the label says changed the screen
    wrong: float  # share of the actions whose label is not that of the hidden state
    action_share: float  # of the critic's Q, see `action_share`
    true_share: float  # of q_β
    success: np.ndarray  # (3,) on test tasks, of the best-scored of N candidates
    rmse: float
    ranking: float


def representation(
    *, encoder: str, tuning: str, num_episodes: int, seed: int, threshold: float = THRESHOLD
) -> Representation:
    """The seed draws the layouts, the data, the fine-tuning and the heads.

    Raises ValueError for another encoder or tuning and as `change_labels` and `td_against_mc` do.
    """
    for name, value, known in (("encoder", encoder, NETWORKS), ("tuning", tuning, TUNINGS)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, but is {value!r}")
    bench = make_bench(1.0, seed)
    settings = bench.screens[0].phone.settings
    data = episodes(bench, num_episodes=num_episodes, seed=seed)
    labels, taken = change_labels(data, threshold=threshold), data.taken
    wrong = labels != (data.states[:, 1:] != data.states[:, :-1])
    network = encoder_named(encoder)
    if tuning != "none":
        given = labels.copy()
        if tuning == "shuffled":
            given[taken] = np.random.default_rng([seed, 8]).permutation(labels[taken])
        network = fine_tuned(network, settings, data, given, seed=seed)
    seen = features(network, all_images(bench.screens), bench.tasks)
    steps = transitions(data, settings, gamma=GAMMA)
    critic = train_critic(seen, steps, bench.beta, method="td", gamma=GAMMA, seed=seed)
    scores = [critic.table(seen, g)[0].mean(axis=0) for g in bench.tests]
    rmse, ranking = mean_accuracy(bench, scores)
    shares = np.zeros(2)
    for g, score in zip(bench.tests, scores, strict=True):
        truth, visits = bench.truth(g)
        both = [action_share(q, bench.beta[:, g], visits) for q in (score, truth)]
        shares += np.array(both) / len(bench.tests)
    return Representation(
        encoder, tuning, threshold, float(labels[taken].mean()), float(wrong[taken].mean()),
        float(shares[0]), float(shares[1]), reranked(bench, scores), float(rmse), float(ranking),
    )  # fmt: skip


def action_share(q: np.ndarray, beta: np.ndarray, visits: np.ndarray) -> float:
    """E_s [Var_a q] / Var_{s, a} q for q (K, n), with s where β goes (K,) and a from β (K, n).

    It is 0 for a critic that ignores the action and knows only how good a state is.
    """
    weights = visits / visits.sum()
    chances = beta / beta.sum(axis=1, keepdims=True)
    v = (chances * q).sum(axis=1)
    within = weights @ (chances * (q - v[:, None]) ** 2).sum(axis=1)
    between = weights @ (v - weights @ v) ** 2
    return float(within / (within + between))
