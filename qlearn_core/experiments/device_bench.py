"""The bench of the experiments on the phone: data, features, and the exact worth of scores.

Of what is measured here nothing is sampled: the behaviour policy's values, the chance with which
the best-scored of N candidates is each action, and the success of acting so are sums over the
hidden states. Chance is only in the layouts, the data and the training.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from qlearn_core.device.behaviour import PolicyNetwork, clone, demonstrations
from qlearn_core.device.encoder import (
    Encoder,
    Features,
    action_of_spot,
    features,
    oracle_features,
)
from qlearn_core.device.exact import at_actions, expected_visits, success_probability
from qlearn_core.device.extraction import best_of_n, spot_table
from qlearn_core.device.layouts import Layout, make_layouts
from qlearn_core.device.phone import START, make_phone
from qlearn_core.device.pretraining import off_the_shelf, untrained
from qlearn_core.device.rollouts import Trajectories, all_images, roll_out, seeing
from qlearn_core.device.screens import Screens, make_screens
from qlearn_core.device.settings import PhoneSettings
from qlearn_core.device.tasks import Task, split
from qlearn_core.mdp import check_integer, check_real
from qlearn_core.planning import evaluate_policy

from .device_orderings import CANDIDATES

GAMMA = 0.95
NUM_LAYOUTS = 2
SETTINGS = PhoneSettings(num_frames=2)
#: Features of the critics: a frozen encoder off the shelf that was asked about places, one that was
#: only asked about pages, and two controls: nothing learned, and the hidden state itself.
ENCODERS = ("places", "pages", "untrained", "oracle")
MODEL_SEED = 0  # of the behaviour policy and of pre-training: one model for all seeds


@dataclass(frozen=True, eq=False)
class Bench:
    """A phone in some layouts and what is known about the behaviour policy on it."""

    screens: tuple[Screens, ...]
    tasks: tuple[Task, ...]  # those for training first
    num_training: int
    beta: np.ndarray  # (K, G, n)

    @property
    def tests(self) -> range:
        """The positions of the test tasks."""
        return range(self.num_training, len(self.tasks))

    def move_probabilities(self, table: np.ndarray, layout: int) -> np.ndarray:
        """(S, M) from a policy (K, n): the mean over frames, summed over the spots of a move."""
        one = self.screens[layout]
        num_states, num_frames = one.images.shape[:2]
        spots = table.reshape(len(self.screens), num_states, num_frames, -1)[layout].mean(axis=1)
        pi = np.zeros((num_states, one.phone.num_moves))
        moves = one.moves[:, action_of_spot(one.phone.settings)]
        np.add.at(pi, (np.arange(num_states)[:, None], moves), spots)
        return pi / pi.sum(axis=1, keepdims=True)

    def success(self, table: np.ndarray, g: int) -> float:
        """The chance of a policy (K, n) on a task within the time limit, the mean over layouts."""
        phone, task = self.screens[0].phone, self.tasks[g]
        horizon = phone.settings.horizon
        return float(np.mean([
            success_probability(
                phone, task, self.move_probabilities(table, layout), horizon=horizon
            )[horizon, START]
            for layout in range(len(self.screens))
        ]))  # fmt: skip

    def successes(self, policy: np.ndarray) -> np.ndarray:
        """(2,) of a policy (K, G, n), the means over the training and over the test tasks."""
        reached = [self.success(policy[:, g], g) for g in range(len(self.tasks))]
        return np.array([np.mean(part) for part in np.split(reached, [self.num_training])])

    def truth(self, g: int, gamma: float = GAMMA) -> tuple[np.ndarray, np.ndarray]:
        """q_β (K, n) of a task and how often β is at each screen (K,), in actions per episode."""
        return self.values(self.beta[:, g], g, gamma)

    def values(
        self, table: np.ndarray, g: int, gamma: float = GAMMA
    ) -> tuple[np.ndarray, np.ndarray]:
        """The same of a policy (K, n)."""
        phone, task = self.screens[0].phone, self.tasks[g]
        num_frames = phone.settings.num_frames
        q, visits = [], []
        for layout, one in enumerate(self.screens):
            pi = self.move_probabilities(table, layout)
            values = evaluate_policy(phone.mdp(task), pi, gamma=gamma)
            at_spots = at_actions(one, values)[:, action_of_spot(phone.settings)]
            q.append(at_spots.repeat(num_frames, axis=0))
            here = expected_visits(phone, pi, horizon=phone.settings.horizon)
            visits.append(here.repeat(num_frames) / num_frames)
        return np.concatenate(q), np.concatenate(visits)


@lru_cache(maxsize=1)
def behaviour_policy() -> PolicyNetwork:
    """The same for every chance: it was cloned on the phone with its usual chance."""
    shown, script = demonstrations(SETTINGS, seed=MODEL_SEED)
    return clone(SETTINGS, shown, script, seed=MODEL_SEED)


@lru_cache(maxsize=3)
def encoder_named(name: str) -> Encoder:
    """One of `ENCODERS` that is a network: any but "oracle"."""
    if name == "untrained":
        return untrained(SETTINGS, seed=MODEL_SEED)
    return off_the_shelf(SETTINGS, places=name == "places", seed=MODEL_SEED)


@lru_cache(maxsize=2)
def make_bench(chance: float, seed: int) -> Bench:
    """A phone in which everything goes wrong `chance` times as often as usual, in new layouts.

    Raises ValueError for a chance outside [0, 5] or a seed < 0.
    """
    check_integer(seed, "seed", 0)
    return bench_in(make_layouts(SETTINGS, NUM_LAYOUTS, seed=seed), chance)


def bench_in(layouts: tuple[Layout, ...], chance: float) -> Bench:
    """The same in layouts that are given. Raises ValueError for a chance outside [0, 5]."""
    check_real(chance, "chance", "in [0, 5]", lambda x: 0 <= x <= 5)
    usual = {
        name: chance * getattr(SETTINGS, name)
        for name in ("miss", "mistype", "load_failure", "popup", "crash")
    }
    phone = make_phone(replace(SETTINGS, **usual))
    screens = tuple(make_screens(phone, layout) for layout in layouts)
    training, test = split(SETTINGS)
    tasks = training + test
    beta = spot_table(behaviour_policy(), SETTINGS, all_images(screens), tasks)
    return Bench(screens, tasks, len(training), beta)


def episodes(
    bench: Bench, *, num_episodes: int, seed: int, limit: int = SETTINGS.horizon
) -> Trajectories:
    """Episodes of the behaviour policy on training tasks, cut off after `limit` actions.

    Up to there they are the same for every limit. Raises ValueError as `roll_out` does, and for a
    limit < 1.
    """
    phone = bench.screens[0].phone
    limit = check_integer(limit, "limit", 1)
    cut = replace(phone, settings=replace(phone.settings, horizon=limit))
    return roll_out(
        tuple(replace(one, phone=cut) for one in bench.screens),
        bench.tasks[: bench.num_training], seeing(behaviour_policy().policy),
        num_episodes=num_episodes, rng=np.random.default_rng([seed, 7]),
    )  # fmt: skip


def critic_features(bench: Bench, encoder: str) -> Features:
    """Of all screens and tasks of a bench, by one of `ENCODERS`. Raises ValueError for another."""
    if encoder not in ENCODERS:
        raise ValueError(f"encoder must be one of {', '.join(ENCODERS)}, but is {encoder!r}")
    if encoder == "oracle":
        return oracle_features(bench.screens, bench.tasks)
    return features(encoder_named(encoder), all_images(bench.screens), bench.tasks)


def reranked(bench: Bench, scores: list[np.ndarray]) -> np.ndarray:
    """(3,) success on test tasks of acting by the best-scored of N candidates of β.

    The scores (K, n) are one table for each test task.
    """
    return np.array([
        np.mean([
            bench.success(best_of_n(score, bench.beta[:, g], n), g)
            for g, score in zip(bench.tests, scores, strict=True)
        ])
        for n in CANDIDATES
    ])  # fmt: skip


def mean_accuracy(bench: Bench, scores: list[np.ndarray], gamma: float = GAMMA) -> np.ndarray:
    """(2,) rms error and ranking of scores (K, n) for each test task, the means over the tasks."""
    pairs = []
    for g, score in zip(bench.tests, scores, strict=True):
        truth, visits = bench.truth(g, gamma)
        pairs.append(accuracy(score, truth, bench.beta[:, g], visits))
    return np.mean(pairs, axis=0)


def measures(bench: Bench, copies: list[np.ndarray]) -> dict[str, Any]:
    """What is measured of the two critics that share all data, Q (2, K, n) for each test task.

    success  (3,) of the best-scored of N candidates, by the mean of the two
    rmse, ranking  as `mean_accuracy`
    largest  the greatest |Q| of the mean anywhere; q is in [0, 1]
    spread   as `distance_of_copies`
    """
    scores = [one.mean(axis=0) for one in copies]
    rmse, ranking = mean_accuracy(bench, scores)
    return {
        "success": reranked(bench, scores), "rmse": float(rmse), "ranking": float(ranking),
        "largest": float(max(np.abs(score).max() for score in scores)),
        "spread": distance_of_copies(bench, copies),
    }  # fmt: skip


def distance_of_copies(bench: Bench, copies: list[np.ndarray]) -> float:
    """Mean |Q_1 − Q_2| of copies (2, K, n) for each test task, where β goes and what it does."""
    apart = []
    for g, (one, other) in zip(bench.tests, copies, strict=True):
        weights = bench.truth(g)[1][:, None] * bench.beta[:, g]
        apart.append((weights * np.abs(one - other)).sum() / weights.sum())
    return float(np.mean(apart))


def accuracy(
    q: np.ndarray, truth: np.ndarray, beta: np.ndarray, visits: np.ndarray
) -> tuple[float, float]:
    """The rms error of q (K, n) and its ranking, where β (K, n) goes (K,) and what it does there.

    Ranking is the chance that of two draws from β whose true values differ, q prefers the better;
    equal scores count one half.
    """
    weights = visits[:, None] * beta
    rmse = np.sqrt((weights * (q - truth) ** 2).sum() / weights.sum())
    better = truth[:, :, None] > truth[:, None, :] + 1e-9
    pairs = better * weights[:, :, None] * beta[:, None, :]
    prefers = (1 + np.sign(q[:, :, None] - q[:, None, :])) / 2
    return float(rmse), float((pairs * prefers).sum() / pairs.sum())
