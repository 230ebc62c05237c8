"""The Bellman operators, greedy actions and the temporal-difference error.

Everything here reads v(s') = max_a' q(s', a') as 0 at a terminal s', whatever the table holds
there (Sutton & Barto 2018, sections 3.6 and 6.5).
"""

from __future__ import annotations

import numpy as np

from .mdp import TabularMDP, check_gamma, check_policy, check_q


def state_values(mdp: TabularMDP, q: np.ndarray) -> np.ndarray:
    """v(s) = max_a q(s, a), and 0 at terminal states: an (S,) array."""
    # A loop over the few columns: a maximum along a short last axis is ten times slower.
    v = q[:, 0]
    for a in range(1, q.shape[1]):
        v = np.maximum(v, q[:, a])
    return np.where(mdp.terminal, 0.0, v)


def lookahead(mdp: TabularMDP, v: np.ndarray, gamma: float) -> np.ndarray:
    """q(s, a) = r(s, a) + γ Σ_{s'} P(s' | s, a) v(s') for v (S,): (S, A). Nothing is checked."""
    return mdp.r + gamma * mdp.expectation(v)


def bellman_optimality(mdp: TabularMDP, q: np.ndarray, *, gamma: float) -> np.ndarray:
    """(T q)(s, a) = r(s, a) + γ Σ_{s'} P(s' | s, a) max_{a'} q(s', a'): an (S, A) array.

    T is a γ-contraction in the sup norm with the unique fixed point q* (Puterman 1994,
    section 6.2). Raises ValueError for a q of another shape or γ outside [0, 1).
    """
    q, gamma = check_q(mdp, q), check_gamma(gamma)
    return lookahead(mdp, state_values(mdp, q), gamma)


def bellman_evaluation(
    mdp: TabularMDP, q: np.ndarray, pi: np.ndarray, *, gamma: float
) -> np.ndarray:
    """(T_π q)(s, a) = r(s, a) + γ Σ_{s'} P(s' | s, a) Σ_{a'} π(a' | s') q(s', a'): (S, A).

    pi holds action probabilities (S, A). T_π is a γ-contraction in the sup norm with fixed
    point q_π. Raises ValueError for wrong shapes, a pi that is not a policy, γ outside [0, 1).
    """
    q, pi, gamma = check_q(mdp, q), check_policy(mdp, pi), check_gamma(gamma)
    return lookahead(mdp, np.where(mdp.terminal, 0.0, (pi * q).sum(axis=1)), gamma)


def greedy(q: np.ndarray) -> np.ndarray:
    """argmax_a q(s, a) for every state, the first maximiser at ties: (S,) int."""
    return np.argmax(q, axis=1)


def td_error(
    q: np.ndarray,
    s: int | np.ndarray,
    a: int | np.ndarray,
    reward: float | np.ndarray,
    s_next: int | np.ndarray,
    *,
    gamma: float,
    terminal_next: bool | np.ndarray = False,
) -> float | np.ndarray:
    """δ = reward + γ max_{a'} q(s', a') − q(s, a), target minus estimate; scalars or arrays.

    Bootstraps from 0 where `terminal_next` is true (Watkins & Dayan 1992).
    """
    discount = check_gamma(gamma) * (1 - np.asarray(terminal_next, dtype=float))
    return reward + discount * np.max(q[s_next], axis=-1) - q[s, a]
