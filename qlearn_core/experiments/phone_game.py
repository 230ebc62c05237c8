"""All that a page needs to let a reader play the phone: tables, screens, exact and learned values.

The dynamics of three phones, calm, as usual and rough, whose mishaps have no chance, the usual
chances and twice these. All arrays are indexed by the states of the usual phone; a state that
another phone cannot reach has rows of zeros there. What was learned was learned on the usual one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.exact import expected_visits, optimal_success
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import Phone
from qlearn_core.device.screens import Screens, make_screens
from qlearn_core.device.tasks import Task, all_tasks
from qlearn_core.experiments.device import LAYOUT_SEED, phone_at
from qlearn_core.experiments.learned_values import LearnedValues, load
from qlearn_core.planning import evaluate_policy, optimal_q

LEVELS = {"none": 0.0, "usual": 1.0, "double": 2.0}
NUM_LAYOUTS = 3
GAMMA = 0.95
#: What the critic learned from.
NUM_EPISODES = 64


@dataclass(frozen=True, eq=False)
class Values:
    """What a policy is worth on each of C phones in each of L layouts, for each of T tasks."""

    label: str  # in words, for the reader
    q: np.ndarray  # (C, L, T, S, M) action values with discount GAMMA and no time limit
    v: np.ndarray  # (C, L, T, S) values of states


@dataclass(frozen=True, eq=False)
class Game:
    """Phones, screens and values."""

    phones: tuple[Phone, ...]  # (C,)
    places: tuple[np.ndarray, ...]  # (C,) of the phones' states among those of the usual phone
    screens: tuple[Screens, ...]  # (L,) of the usual phone
    tasks: tuple[Task, ...]  # (T,)
    exact: tuple[Values, ...]  # of best play and of the behaviour policy
    success: np.ndarray  # (C, T, S, H + 1) chance that best play succeeds within h actions
    learned: LearnedValues  # the critic of the behaviour policy
    visits: np.ndarray  # (L, T, S) actions that this policy makes there in an episode, as usual

    @property
    def usual(self) -> Phone:
        return self.screens[0].phone


def game() -> Game:
    """The game; nothing in it is random."""
    phones = tuple(phone_at(factor) for factor in LEVELS.values())
    usual = phones[list(LEVELS).index("usual")]
    layouts = make_layouts(usual.settings, NUM_LAYOUTS, seed=LAYOUT_SEED)
    screens = tuple(make_screens(usual, layout) for layout in layouts)
    tasks = all_tasks(usual.settings)
    places = tuple(
        np.array([usual.states.index(state) for state in phone.states]) for phone in phones
    )
    learned = load()
    C, L, T, S, M = len(phones), *learned.q.shape
    H = usual.settings.horizon
    q, v = np.zeros((2, C, L, T, S, M)), np.zeros((2, C, L, T, S))
    success = np.zeros((C, T, S, H + 1))
    for c, (phone, place) in enumerate(zip(phones, places, strict=True)):
        for t, task in enumerate(tasks):
            mdp = phone.mdp(task)
            q[0, c, :, t, place] = optimal_q(mdp, gamma=GAMMA)[:, None]  # the same in all layouts
            v[0, c, :, t] = q[0, c, :, t].max(axis=2)
            for layout, pi in enumerate(learned.pi[:, t, place]):
                q[1, c, layout, t, place] = evaluate_policy(mdp, pi, gamma=GAMMA)
                v[1, c, layout, t, place] = (pi * q[1, c, layout, t, place]).sum(axis=1)
            success[c, t, place] = optimal_success(phone, task, horizon=H).T
    visits = np.array([
        [expected_visits(usual, pi, horizon=H) for pi in tasks_of] for tasks_of in learned.pi
    ])  # fmt: skip
    exact = (
        Values("best play", q[0], v[0]),
        Values("behaviour policy", q[1], v[1]),
    )
    return Game(phones, places, screens, tasks, exact, success, learned, visits)
