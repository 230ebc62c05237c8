"""Many episodes at once, from the table of the phone.

Every step of every episode uses three numbers: for the action, for what follows, and for the
frame. They do not depend on the policy, so two policies with the same seed meet the same chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from qlearn_core.mdp import check_integer, check_rng

from .exact import Policy
from .phone import START
from .screens import Screens
from .tasks import Task


class Situations(NamedTuple):
    """B moments of B episodes. A policy sees the first two fields, a script the others too.

    A policy that is a table looks up `screens` and `tasks`, which says no more than the first two.
    """

    images: np.ndarray  # (B, HEIGHT, WIDTH) uint8
    instructions: np.ndarray  # (B, LENGTH) int
    layouts: np.ndarray  # (B,) positions in the screens that were given
    tasks: np.ndarray  # (B,) positions in the tasks that were given
    states: np.ndarray  # (B,) hidden states
    screens: np.ndarray  # (B,) positions in all images


Agent = Callable[[Situations], np.ndarray]  # -> (B, A) action probabilities


def seeing(policy: Policy) -> Agent:
    """The agent that knows only the screens and the instructions."""
    return lambda situations: policy(situations.images, situations.instructions)


@dataclass(frozen=True, eq=False)
class Trajectories:
    """E episodes of at most T actions. What comes after the end of an episode is 0 or False.

    A screen is stored once, however often it is seen: what is computed of screens, such as frozen
    features, is computed K times and looked up.
    """

    images: np.ndarray  # (K, HEIGHT, WIDTH) uint8, all screens of all layouts in all frames
    screens: np.ndarray  # (E, T + 1) int32, the position of what is seen before and after actions
    states: np.ndarray  # (E, T + 1) int16, hidden states
    actions: np.ndarray  # (E, T) int16
    probabilities: np.ndarray  # (E, T) float32, of these actions under the policy that chose them
    rewards: np.ndarray  # (E, T) float32, 1 for the right order
    terminated: np.ndarray  # (E, T) bool, an order was placed
    truncated: np.ndarray  # (E, T) bool, cut off at the horizon: the next state has a value
    lengths: np.ndarray  # (E,) int16, actions taken
    layouts: np.ndarray  # (E,) int16
    tasks: np.ndarray  # (E,) int16
    instructions: np.ndarray  # (E, LENGTH) int64

    @property
    def taken(self) -> np.ndarray:
        """(E, T) bool, where an action was taken."""
        return np.arange(self.actions.shape[1]) < self.lengths[:, None]

    @property
    def success(self) -> np.ndarray:
        """(E,) bool."""
        return self.rewards.sum(axis=1) > 0


def all_images(screens: tuple[Screens, ...]) -> np.ndarray:
    """(K, HEIGHT, WIDTH) the images of every layout, state and frame, in this order."""
    return np.concatenate([one.images.reshape(-1, *one.images.shape[2:]) for one in screens])


def roll_out(
    screens: tuple[Screens, ...],
    tasks: tuple[Task, ...],
    agent: Agent,
    *,
    num_episodes: int,
    rng: np.random.Generator,
) -> Trajectories:
    """Episodes with tasks and layouts drawn uniformly.

    Raises ValueError for num_episodes < 1 and for a task that the phone does not have.
    """
    E = check_integer(num_episodes, "num_episodes", 1)
    phone, T = screens[0].phone, screens[0].phone.settings.horizon
    num_frames, rng = phone.settings.num_frames, check_rng(rng)
    goals = np.array([phone.ordered(task) for task in tasks])
    images, moves = all_images(screens), np.stack([one.moves for one in screens])
    layout, task = rng.integers(len(screens), size=E), rng.integers(len(tasks), size=E)
    instructions = np.stack([each.tokens for each in tasks])[task]
    record = Trajectories(
        images, np.zeros((E, T + 1), np.int32), np.zeros((E, T + 1), np.int16),
        np.zeros((E, T), np.int16), *np.zeros((2, E, T), np.float32), *np.zeros((2, E, T), bool),
        np.zeros(E, np.int16), layout.astype(np.int16), task.astype(np.int16), instructions,
    )  # fmt: skip

    def show(i: np.ndarray, t: int, states: np.ndarray, chance: np.ndarray) -> None:
        frames = (chance * num_frames).astype(np.int64)
        record.states[i, t] = states
        record.screens[i, t] = (layout[i] * phone.num_states + states) * num_frames + frames

    i = np.arange(E)  # the episodes that go on
    show(i, 0, np.full(E, START), rng.random(E))
    for t in range(T):
        chances = rng.random((3, E))[:, i]
        s = record.states[i, t]
        shown = record.screens[i, t]
        answer = agent(Situations(images[shown], instructions[i], layout[i], task[i], s, shown))
        action = draw_actions(answer, chances[0])
        s_next = phone.follow(s, moves[layout[i], s, action], chances[1])
        show(i, t + 1, s_next, chances[2])
        ends = phone.dynamics.terminal[s_next]
        record.actions[i, t] = action
        record.probabilities[i, t] = answer[np.arange(len(i)), action]
        record.rewards[i, t] = s_next == goals[task[i]]
        record.terminated[i, t] = ends
        record.truncated[i, t] = ~ends & (t == T - 1)
        record.lengths[i] = t + 1
        i = i[~ends]
        if not i.size:
            break
    return record


def draw_actions(probabilities: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """(B,) actions with the probabilities (B, A), from numbers (B,) in [0, 1)."""
    sums = np.cumsum(probabilities, axis=1, dtype=float)
    drawn = (uniforms[:, None] * sums[:, -1:] >= sums).sum(axis=1)
    # Rounding may lead behind the last action that can be taken.
    last = probabilities.shape[1] - 1 - (probabilities[:, ::-1] > 0).argmax(axis=1)
    return np.minimum(drawn, last)
