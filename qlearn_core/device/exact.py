"""What a policy on the phone is worth, exactly: sums over hidden states instead of roll-outs.

A policy sees screens and answers with probabilities of actions. Given the layout, the task and
the hidden state, the frames are equally likely, and what a click does depends only on the widget
under it. So the chance of a move is a sum and a mean,

    π(move | s) = 1/F Σ_f Σ_{actions a that are this move in s} π(a | screen of s in frame f),

and with it the phone is a `TabularMDP` with a known policy. As the next frame does not depend on
this one, nothing is lost: the values are those of the policy that sees pixels.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qlearn_core.mdp import check_integer, check_policy
from qlearn_core.planning import evaluate_policy

from .phone import START, Phone
from .screens import Screens
from .tasks import Task

#: (B, HEIGHT, WIDTH) uint8 screens and (B, LENGTH) instructions -> (B, A) action probabilities.
Policy = Callable[[np.ndarray, np.ndarray], np.ndarray]

SUM_TOLERANCE = 1e-4  # single precision, over a thousand actions


def move_probabilities(screens: Screens, policy: Policy, task: Task) -> np.ndarray:
    """(S, M) the policy's probability of every move in every hidden state, the formula above.

    Raises ValueError for a policy whose answers are not distributions over the actions.
    """
    num_states, num_frames = screens.images.shape[:2]
    instructions = np.tile(task.tokens, (num_states, 1))
    total = np.zeros(screens.moves.shape)
    for f in range(num_frames):
        answer = np.asarray(policy(screens.images[:, f], instructions), dtype=float)
        if answer.shape != total.shape:
            raise ValueError(
                f"policy must answer with shape (S, A) = {total.shape}, but with {answer.shape}"
            )
        sums = answer.sum(axis=1)
        if not (answer >= 0).all() or not (np.abs(sums - 1) <= SUM_TOLERANCE).all():
            raise ValueError(
                f"policy must answer with probabilities, but in frame {f} they sum to "
                f"{sums.min():g} ... {sums.max():g} with {answer.min():g} as the least"
            )
        total += answer / sums[:, None]
    return sum_over_widgets(screens, total / num_frames)


def sum_over_widgets(screens: Screens, probabilities: np.ndarray) -> np.ndarray:
    """(S, M) probabilities of moves from probabilities (S, A) of actions."""
    pi = np.zeros((len(screens.moves), screens.phone.num_moves))
    np.add.at(pi, (np.arange(len(pi))[:, None], screens.moves), probabilities)
    return pi


def at_actions(screens: Screens, q: np.ndarray) -> np.ndarray:
    """(S, A) the values of actions from the values (S, M) of the moves that they are."""
    return np.take_along_axis(q, screens.moves.astype(np.int64), axis=1)


def policy_q(
    screens: Screens, policy: Policy, task: Task, *, gamma: float
) -> tuple[np.ndarray, np.ndarray]:
    """q_π (S, M) with discount γ and without a time limit, and the policy's π (S, M).

    Raises ValueError as `move_probabilities` and `evaluate_policy` do.
    """
    pi = move_probabilities(screens, policy, task)
    return evaluate_policy(screens.phone.mdp(task), pi, gamma=gamma), pi


def success_probability(phone: Phone, task: Task, pi: np.ndarray, *, horizon: int) -> np.ndarray:
    """(horizon + 1, S) chance of the right order within h actions: entry [h, s].

    W_0 = 0,  W_{h+1}(s) = Σ_m π(m | s) (r(s, m) + Σ_s' P(s' | s, m) W_h(s')).
    pi holds probabilities (S, M). Raises ValueError for a pi that is not a policy or a horizon < 0.
    """
    pi = check_policy(phone.dynamics, pi)
    return _backward(phone, task, lambda q: (pi * q).sum(axis=1), horizon)


def optimal_success(phone: Phone, task: Task, *, horizon: int) -> np.ndarray:
    """(horizon + 1, S) the same for the policy that knows the state and counts its actions.

    No policy on screens can do better. Raises ValueError for a horizon < 0.
    """
    return _backward(phone, task, lambda q: q.max(axis=1), horizon)


def expected_visits(phone: Phone, pi: np.ndarray, *, horizon: int) -> np.ndarray:
    """(S,) the expected number of actions in each state of an episode of at most `horizon` actions.

    pi holds probabilities (S, M). Raises ValueError as `success_probability` does.
    """
    pi = check_policy(phone.dynamics, pi)
    step = np.einsum("sm,smt->st", pi, phone.dynamics.P)
    here = np.eye(phone.num_states)[START]
    total = np.zeros(phone.num_states)
    for _ in range(check_integer(horizon, "horizon", 0)):
        total += here
        here = here @ step
    return np.where(phone.dynamics.terminal, 0.0, total)


def _backward(phone: Phone, task: Task, values: Callable, horizon: int) -> np.ndarray:
    w = np.zeros((check_integer(horizon, "horizon", 0) + 1, phone.num_states))
    rewards = phone.rewards(task)
    for h in range(horizon):
        w[h + 1] = values(rewards + phone.dynamics.expectation(w[h]))
    return w
