"""All that a page needs to let a reader play the phone: tables, screens and exact values.

The dynamics of three phones, calm, as usual and rough, whose mishaps have no chance, the usual
chances and twice these. All arrays are indexed by the states of the usual phone; a state that
another phone cannot reach has rows of zeros there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.exact import optimal_success, success_probability
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import Phone
from qlearn_core.device.screens import Screens, make_screens
from qlearn_core.device.script import Script
from qlearn_core.device.tasks import Task, all_tasks
from qlearn_core.experiments.device import LAYOUT_SEED, screens_at, script_policy
from qlearn_core.planning import evaluate_policy, optimal_q

LEVELS = {"none": 0.0, "usual": 1.0, "double": 2.0}
NUM_LAYOUTS = 3
GAMMA = 0.95
#: The script that the behaviour policy of the data is a clone of.
SCRIPT = Script(skill=0.64)


@dataclass(frozen=True, eq=False)
class Values:
    """What a policy is worth on each of the C phones, for each of the T tasks."""

    name: str
    label: str  # in words, for the reader
    q: np.ndarray  # (C, T, S, M) action values with discount GAMMA and no time limit
    v: np.ndarray  # (C, T, S) values of states
    success: np.ndarray  # (C, T, S, H + 1) chance of the right order within h actions


@dataclass(frozen=True, eq=False)
class Game:
    """Phones, screens and values."""

    phones: tuple[Phone, ...]  # (C,)
    places: tuple[np.ndarray, ...]  # (C,) of the phones' states among those of the usual phone
    screens: tuple[Screens, ...]  # (L,) of the usual phone
    tasks: tuple[Task, ...]  # (T,)
    values: tuple[Values, ...]

    @property
    def usual(self) -> Phone:
        return self.screens[0].phone


def game() -> Game:
    """The game; nothing in it is random."""
    screens_of = [screens_at(factor) for factor in LEVELS.values()]
    phones = tuple(screens.phone for screens in screens_of)
    usual = phones[list(LEVELS).index("usual")]
    layouts = make_layouts(usual.settings, NUM_LAYOUTS, seed=LAYOUT_SEED)
    screens = tuple(make_screens(usual, layout) for layout in layouts)
    tasks = all_tasks(usual.settings)
    places = tuple(
        np.array([usual.states.index(state) for state in phone.states]) for phone in phones
    )
    values = (
        _values("best", "best play", screens_of, places, tasks, _best),
        _values("script", "script", screens_of, places, tasks, _script),
    )
    return Game(phones, places, screens, tasks, values)


def _best(screens: Screens, task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    phone = screens.phone
    q = optimal_q(phone.mdp(task), gamma=GAMMA)
    return q, q.max(axis=1), optimal_success(phone, task, horizon=phone.settings.horizon)


def _script(screens: Screens, task: Task) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """These do not depend on the layout: a widget is of the same size in all of them."""
    phone, pi = screens.phone, script_policy(screens, task, SCRIPT)
    q = evaluate_policy(phone.mdp(task), pi, gamma=GAMMA)
    reached = success_probability(phone, task, pi, horizon=phone.settings.horizon)
    return q, (pi * q).sum(axis=1), reached


def _values(name: str, label: str, screens_of, places, tasks, evaluate) -> Values:
    S = max(map(len, places))
    M, H = screens_of[0].phone.num_moves, screens_of[0].phone.settings.horizon
    q = np.zeros((len(places), len(tasks), S, M))
    v = np.zeros(q.shape[:3])
    success = np.zeros((len(places), len(tasks), S, H + 1))
    for c, (screens, place) in enumerate(zip(screens_of, places, strict=True)):
        for t, task in enumerate(tasks):
            q[c, t, place], v[c, t, place], reached = evaluate(screens, task)
            success[c, t, place] = reached.T
    return Values(name, label, q, v, success)
