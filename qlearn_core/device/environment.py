"""The phone as a Gymnasium environment: a screen and an instruction in, a click or a word out.

    gymnasium.make(ID, settings=settings, layouts=make_layouts(settings, 3, seed=1), tasks=train)

An order terminates an episode, the horizon truncates it: a time limit is not a terminal state.
"""

from __future__ import annotations

import gymnasium
import numpy as np

from qlearn_core.mdp import check_integer

from .layouts import HEIGHT, WIDTH, Layout
from .phone import START, make_phone
from .screens import actions, make_screens
from .settings import PhoneSettings
from .tasks import LENGTH, VOCABULARY, Task

ID = "qlearn_core/Phone-v0"


class PhoneEnv(gymnasium.Env):
    """One phone at a time, with a task and a layout drawn uniformly at every reset.

    Observation: "screen" (HEIGHT, WIDTH) uint8 and "instruction" (LENGTH,) positions in the
    vocabulary. Action: a position in `screens.actions`. Reward: 1 for the order that the task
    asks for, else 0. The info holds what a learner must not see: the hidden state, the frame, the
    layout and the task, as positions.
    """

    metadata = {"render_modes": []}

    def __init__(
        self, *, settings: PhoneSettings, layouts: tuple[Layout, ...], tasks: tuple[Task, ...]
    ) -> None:
        """Raises ValueError without a layout, without a task or for a task that is not there."""
        for name, given in (("layouts", layouts), ("tasks", tasks)):
            if not given:
                raise ValueError(f"{name} must hold at least one, but is {given!r}")
        self.phone = make_phone(settings)
        self.screens = [make_screens(self.phone, layout) for layout in layouts]
        self.instructions = [task.tokens for task in tasks]
        self.goals = [self.phone.ordered(task) for task in tasks]
        self.actions = actions(settings)
        self.action_space = gymnasium.spaces.Discrete(len(self.actions))
        self.observation_space = gymnasium.spaces.Dict(
            screen=gymnasium.spaces.Box(0, 255, (HEIGHT, WIDTH), np.uint8),
            instruction=gymnasium.spaces.MultiDiscrete([len(VOCABULARY)] * LENGTH),
        )

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """A new episode on the home screen; options may fix the positions "task" and "layout".

        Raises ValueError for a position that is not there.
        """
        super().reset(seed=seed)
        self.state, self.time = START, 0
        self.task = self._position(options, "task", len(self.goals))
        self.layout = self._position(options, "layout", len(self.screens))
        return self._see()

    def step(self, action: int):
        """Raises ValueError for an action that is not in the action space."""
        if check_integer(action, "action", 0) >= len(self.actions):
            raise ValueError(f"action must be below {len(self.actions)}, but is {action}")
        move = self.screens[self.layout].moves[self.state, action]
        self.state = int(self.phone.follow(self.state, move, self.np_random.random()))
        self.time += 1
        reward = float(self.state == self.goals[self.task])
        terminated = bool(self.phone.dynamics.terminal[self.state])
        truncated = not terminated and self.time >= self.phone.settings.horizon
        observation, info = self._see()
        return observation, reward, terminated, truncated, info

    def _position(self, options: dict | None, name: str, size: int) -> int:
        if options is None or name not in options:
            return int(self.np_random.integers(size))
        if check_integer(options[name], name, 0) >= size:
            raise ValueError(f"{name} must be below {size}, but is {options[name]}")
        return int(options[name])

    def _see(self):
        """The observation and the info of the hidden state, in a newly drawn frame."""
        frame = int(self.np_random.integers(self.phone.settings.num_frames))
        observation = {
            "screen": self.screens[self.layout].images[self.state, frame].copy(),
            "instruction": self.instructions[self.task].copy(),
        }
        info = {"state": self.state, "frame": frame, "layout": self.layout, "task": self.task}
        return observation, info


gymnasium.register(id=ID, entry_point=f"{__name__}:PhoneEnv")
