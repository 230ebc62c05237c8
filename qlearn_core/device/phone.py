"""The phone as a table: every hidden state, every move, and the chances of what follows.

The dynamics depend neither on the task nor on the layout. A task only says which order pays, a
layout only where the widgets are and so which move a pixel stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from qlearn_core.mdp import TabularMDP

from .rules import HOME, HiddenState, moves, outcomes
from .settings import PhoneSettings
from .tasks import Task, all_tasks

START = 0  # the position of HOME, where every episode starts


@dataclass(frozen=True, eq=False)
class Phone:
    """The hidden states (S), the moves (M) and the dynamics of a phone."""

    settings: PhoneSettings
    states: tuple[HiddenState, ...]  # (S,) all that can be reached, HOME first
    moves: tuple[str, ...]  # (M,)
    dynamics: TabularMDP  # P[s, move, s_next]; rewards are all 0

    @property
    def num_states(self) -> int:
        return len(self.states)

    @property
    def num_moves(self) -> int:
        return len(self.moves)

    def follow(self, states, moves, uniforms) -> np.ndarray:
        """The next states (...) of states (...) and moves (...), with numbers in [0, 1) as chance.

        Every simulation of the phone steps by this function.
        """
        next_states, _, cumulative = self.dynamics.successors
        pairs = np.asarray(states) * self.num_moves + np.asarray(moves)
        drawn = (np.asarray(uniforms)[..., None] >= cumulative[pairs]).sum(axis=-1)
        return next_states[pairs, drawn].astype(np.int64)

    def ordered(self, task: Task) -> int:
        """The state in which the task is fulfilled. Raises ValueError for an unknown task."""
        found = [s for s, state in enumerate(self.states) if task.fulfilled(state)]
        if not found:
            known = ", ".join(repr(known.instruction) for known in all_tasks(self.settings))
            raise ValueError(f"task must be one of {known}, but is {task!r}")
        return found[0]

    def rewards(self, task: Task) -> np.ndarray:
        """(S, M) the chance of stepping to the right order. ValueError as `ordered`."""
        reached = self.dynamics.P[:, :, self.ordered(task)]
        return np.where(self.dynamics.terminal[:, None], 0.0, reached)

    def mdp(self, task: Task) -> TabularMDP:
        """The phone with reward 1 for the step to the right order. ValueError as `ordered`."""
        return replace(self.dynamics, r=self.rewards(task))


@lru_cache(maxsize=8)
def make_phone(settings: PhoneSettings) -> Phone:
    """The table of a phone, by a search from the home screen through all that can follow."""
    names = moves(settings)
    position, rows = {HOME: START}, []
    while len(rows) < len(position):
        state = list(position)[len(rows)]
        row = [outcomes(settings, state, move) for move in names]
        for following in row:
            for s_next in following:
                position.setdefault(s_next, len(position))
        rows.append(row)
    P = np.zeros((len(rows), len(names), len(rows)))
    for s, row in enumerate(rows):
        for m, following in enumerate(row):
            for s_next, chance in following.items():
                P[s, m, position[s_next]] = chance
    states = tuple(position)
    terminal = np.array([state.page == "ordered" for state in states])
    dynamics = TabularMDP(P=P, r=np.zeros(P.shape[:2]), terminal=terminal)
    return Phone(settings, states, names, dynamics)
