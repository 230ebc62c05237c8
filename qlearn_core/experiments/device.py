"""A phone with chance turned up or down: how often a task succeeds, and how far moves differ.

All numbers are sums over hidden states; nothing is sampled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from qlearn_core.device.exact import optimal_success, success_probability, sum_over_widgets
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import START, Phone, make_phone
from qlearn_core.device.rules import HOME, intended
from qlearn_core.device.screens import Screens, make_screens
from qlearn_core.device.script import Script, best_moves
from qlearn_core.device.settings import PhoneSettings
from qlearn_core.device.tasks import Task
from qlearn_core.mdp import check_real
from qlearn_core.planning import evaluate_policy

#: What can go wrong; a factor multiplies all of these chances alike.
CHANCES = ("miss", "mistype", "load_failure", "popup", "crash")
LAYOUT_SEED = 1
#: All tasks and all layouts are equally hard for what this module measures; a test says so.
TASK = Task("bazaar", "cup", "striped")
#: The moves that fulfil the task if nothing goes wrong.
WAY = ("open bazaar", "bar", "type cup", "search", "pick striped", "buy")
HORIZON = 30  # actions


@lru_cache(maxsize=16)
def phone_at(chances: float) -> Phone:
    """The phone with all chances of mishaps multiplied. ValueError for a factor outside [0, 5]."""
    factor = check_real(chances, "chances", "in [0, 5]", lambda x: 0 <= x <= 5)
    usual = PhoneSettings()
    return make_phone(replace(usual, **{name: factor * getattr(usual, name) for name in CHANCES}))


@lru_cache(maxsize=16)
def screens_at(chances: float) -> Screens:
    """That phone in one layout."""
    phone = phone_at(chances)
    return make_screens(phone, make_layouts(phone.settings, 1, seed=LAYOUT_SEED)[0])


def script_policy(screens: Screens, task: Task, script: Script) -> np.ndarray:
    """(S, M) the script's probabilities of moves."""
    best = best_moves(screens.phone, task)
    actions = script.action_probabilities(screens.phone, screens.moves, best)
    return sum_over_widgets(screens, actions)


@dataclass(frozen=True)
class Success:
    """The chance that a task has succeeded after h actions, h = 0, ..., HORIZON."""

    skill: float
    chances: float
    slips: float
    script: np.ndarray  # (HORIZON + 1,)
    best: np.ndarray  # (HORIZON + 1,) of the best policy there is


def success(*, skill: float, chances: float, slips: float) -> Success:
    """Exact success of a script (`qlearn_core.device.script`) from the home screen."""
    screens = screens_at(chances)
    pi = script_policy(screens, TASK, Script(skill, slips))
    reached = success_probability(screens.phone, TASK, pi, horizon=HORIZON)
    best = optimal_success(screens.phone, TASK, horizon=HORIZON)
    return Success(skill, chances, slips, reached[:, START], best[:, START])


@dataclass(frozen=True)
class Gaps:
    """Values of moves in the six states on the way to the order, under a script's policy."""

    gamma: float
    chances: float
    skill: float
    right: np.ndarray  # (6,) the move on the way
    idle: np.ndarray  # (6,) a click on nothing
    worst: np.ndarray  # (6,) the worst of all moves


def gaps(*, gamma: float, chances: float, skill: float) -> Gaps:
    """Exact q_π on the way, where π is a script that never slips."""
    screens = screens_at(chances)
    phone = screens.phone
    pi = script_policy(screens, TASK, Script(skill, slips=0.0))
    q = evaluate_policy(phone.mdp(TASK), pi, gamma=gamma)[states_on_the_way(phone)]  # (6, M)
    way = np.arange(len(WAY)), [phone.moves.index(move) for move in WAY]
    idle = q[:, phone.moves.index("nothing")]
    return Gaps(gamma, chances, skill, q[way], idle, q.min(axis=1))


def states_on_the_way(phone: Phone) -> list[int]:
    """The six states in which WAY is made if nothing goes wrong."""
    states = [HOME]
    for move in WAY[:-1]:
        states.append(intended(states[-1], move))
    return [phone.states.index(state) for state in states]


@dataclass(frozen=True)
class Blind:
    """The chance that an episode succeeds without any idea of the task."""

    clicks: float  # every pixel, word and key alike
    moves: float  # every move that the screen offers alike


def blind(*, chances: float, horizon: int) -> Blind:
    """Exact success within `horizon` actions of two policies that choose at random."""
    screens = screens_at(chances)
    phone, num_actions = screens.phone, screens.moves.shape[1]
    clicks = sum_over_widgets(screens, np.full(screens.moves.shape, 1 / num_actions))
    offered = (clicks > 0) / (clicks > 0).sum(axis=1, keepdims=True)
    return Blind(*(
        float(success_probability(phone, TASK, pi, horizon=horizon)[horizon, START])
        for pi in (clicks, offered)
    ))  # fmt: skip
