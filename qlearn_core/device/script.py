"""A script that uses the phone as a hurried person does: it knows the way, but its hand slips.

It reads the hidden state and so needs no learning; what it does is shown to the behaviour policy,
which must learn it from screens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.mdp import check_real
from qlearn_core.planning import optimal_q

from .layouts import NUM_PIXELS
from .phone import Phone
from .rollouts import Agent, Situations
from .screens import Screens
from .tasks import Task

GAMMA = 0.95  # the script hurries


@dataclass(frozen=True)
class Script:
    """With chance `skill` the best move, else any move that the screen allows; a share `slips` of
    all actions is a click on any pixel. Raises ValueError for chances outside [0, 1].
    """

    skill: float
    slips: float = 0.05

    def __post_init__(self) -> None:
        for name in ("skill", "slips"):
            check_real(getattr(self, name), name, "in [0, 1]", lambda x: 0 <= x <= 1)

    def action_probabilities(self, phone: Phone, moves: np.ndarray, best: np.ndarray) -> np.ndarray:
        """(B, A) from the moves (B, A) of all actions and the best moves (B,).

        A move is made by any of its actions alike.
        """
        rows = np.arange(len(moves))
        counts = np.zeros((len(moves), phone.num_moves), dtype=np.int64)  # actions of each move
        np.add.at(counts, (rows[:, None], moves), 1)
        pi = (1 - self.skill) * (counts > 0) / (counts > 0).sum(axis=1, keepdims=True)
        pi[rows, best] += self.skill
        chosen = np.take_along_axis(pi / counts.clip(1), moves.astype(np.int64), axis=1)
        chosen *= 1 - self.slips
        chosen[:, :NUM_PIXELS] += self.slips / NUM_PIXELS
        return chosen

    def agent(self, screens: tuple[Screens, ...], tasks: tuple[Task, ...]) -> Agent:
        """The script on these layouts and tasks."""
        phone = screens[0].phone
        moves = np.stack([one.moves for one in screens])
        best = np.stack([best_moves(phone, task) for task in tasks])

        def answer(situations: Situations) -> np.ndarray:
            here = moves[situations.layouts, situations.states]
            return self.action_probabilities(phone, here, best[situations.tasks, situations.states])

        return answer


@lru_cache(maxsize=64)
def best_moves(phone: Phone, task: Task) -> np.ndarray:
    """(S,) the first optimal move in every state.

    It is on the screen in every layout: a move that is not there does nothing, which is never
    the best before the end.
    """
    # Rounding must not decide between moves that are equally good.
    return optimal_q(phone.mdp(task), gamma=GAMMA).round(9).argmax(axis=1)
