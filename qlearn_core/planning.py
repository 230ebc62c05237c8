"""Planning with a known model: value iteration, policy evaluation and policy iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ._compile import jit
from .behaviours import row_max
from .bellman import greedy, lookahead, state_values
from .mdp import (
    TabularMDP,
    check_gamma,
    check_integer,
    check_policy,
    check_real,
    initial_table,
)
from .policy_values import policy_values


@dataclass(frozen=True)
class ValueIterationResult:
    """The outcome of value iteration; ‖q − q*‖_∞ <= tol when `converged`."""

    q: np.ndarray  # (S, A)
    residuals: np.ndarray  # (num_sweeps,) ‖Q_{k+1} − Q_k‖_∞
    spans: np.ndarray  # (num_sweeps,) max − min over s of v_{k+1}(s) − v_k(s)
    converged: bool
    num_sweeps: int


@dataclass(frozen=True)
class PolicyIterationResult:
    """The outcome of policy iteration; q is exact up to a linear solve when `converged`."""

    q: np.ndarray  # (S, A) action values of the last policy
    greedy: np.ndarray  # (S,) int, the last policy
    num_iterations: int
    converged: bool


def value_iteration(
    mdp: TabularMDP,
    *,
    gamma: float,
    tol: float = 1e-8,
    max_sweeps: int = 100_000,
    q0: np.ndarray | None = None,
    stop: Literal["norm", "span"] = "norm",
) -> ValueIterationResult:
    """Synchronous sweeps Q_{k+1} = T Q_k until ‖Q − q*‖_∞ <= tol is guaranteed.

    stop="norm" bounds the error of Q_{k+1} by γ/(1−γ) ‖Q_{k+1} − Q_k‖_∞ (Puterman 1994,
    theorem 6.3.1). stop="span" uses the bounds of MacQueen (1966): with d = v_{k+1} − v_k,
    q* − Q_{k+1} lies between γ/(1−γ) min d and γ/(1−γ) max d, and the midpoint is returned
    (0 at terminal states). After `max_sweeps` sweeps the last table comes back with
    converged=False. Raises ValueError for γ outside [0, 1), tol <= 0, max_sweeps < 1, a q0 of
    another shape or an unknown stop.
    """
    gamma = check_gamma(gamma)
    tol = check_real(tol, "tol", "> 0", lambda x: x > 0)
    max_sweeps = check_integer(max_sweeps, "max_sweeps", 1)
    if stop not in ("norm", "span"):
        raise ValueError(f"stop must be 'norm' or 'span', but is {stop!r}")
    amplification = gamma / (1 - gamma)
    q = initial_table(mdp, q0)
    v = state_values(mdp, q)
    residuals, spans = [], []
    converged = False
    while not converged and len(residuals) < max_sweeps:
        previous_q, previous_v = q, v
        q = lookahead(mdp, v, gamma)  # T Q, with the maxima of Q kept from before
        v = state_values(mdp, q)
        residuals.append(np.abs(q - previous_q).max())
        lowest, highest = (v - previous_v).min(), (v - previous_v).max()
        spans.append(highest - lowest)
        error_bound = residuals[-1] if stop == "norm" else spans[-1] / 2
        converged = bool(amplification * error_bound <= tol)
    if converged and stop == "span":
        q = q + amplification * (lowest + highest) / 2
        q[mdp.terminal] = 0.0
    return ValueIterationResult(
        q=np.ascontiguousarray(q),
        residuals=np.array(residuals),
        spans=np.array(spans),
        converged=converged,
        num_sweeps=len(residuals),
    )


def iterate(
    mdp: TabularMDP,
    *,
    gamma: float,
    num_sweeps: int,
    q0: np.ndarray | None = None,
    alpha: float = 1.0,
) -> np.ndarray:
    """The whole history of Q_{k+1} = (1−α) Q_k + α T Q_k: a (num_sweeps + 1, S, A) array.

    One sweep is a (1 − α(1−γ))-contraction in the sup norm. Raises ValueError for γ outside
    [0, 1), α outside (0, 1], a negative num_sweeps or a q0 of another shape.
    """
    gamma = check_gamma(gamma)
    alpha = check_real(alpha, "alpha", "in (0, 1]", lambda x: 0 < x <= 1)
    history = np.empty((check_integer(num_sweeps, "num_sweeps", 0) + 1, *mdp.r.shape))
    history[0] = initial_table(mdp, q0)
    next_states, probabilities, _ = mdp.successors
    _sweep_through(history, mdp.r, next_states, probabilities, mdp.terminal, gamma, alpha)
    return history


@jit
def _sweep_through(history, r, next_states, probabilities, terminal, gamma, alpha):
    """Fill history[1:], each table from the one before; rows of the successor lists are s·A + a."""
    num_states, num_actions = r.shape
    v = np.empty(num_states)
    for k in range(len(history) - 1):
        for s in range(num_states):
            v[s] = 0.0 if terminal[s] else row_max(history[k], s)
        for s in range(num_states):
            for a in range(num_actions):
                expected = 0.0
                for j in range(next_states.shape[1]):
                    pair = s * num_actions + a
                    expected += probabilities[pair, j] * v[next_states[pair, j]]
                target = r[s, a] + gamma * expected
                history[k + 1, s, a] = (1 - alpha) * history[k, s, a] + alpha * target


def evaluate_policy(mdp: TabularMDP, pi: np.ndarray, *, gamma: float) -> np.ndarray:
    """q_π (S, A) from the linear system v_π = r_π + γ P_π v_π, then q_π = r + γ P v_π.

    pi holds action probabilities (S, A). Raises ValueError for a pi that is not a policy, for γ
    outside [0, 1), and where `policy_values` does. (Puterman 1994, theorem 6.1.1.)
    """
    gamma, pi = check_gamma(gamma), check_policy(mdp, pi)
    return _action_values(mdp, mdp.policy_transitions(pi), (pi * mdp.r).sum(axis=1), gamma)


def policy_iteration(
    mdp: TabularMDP, *, gamma: float, max_iterations: int = 1_000
) -> PolicyIterationResult:
    """Howard's (1960) policy iteration: evaluate exactly, improve greedily, until no change.

    An action changes only for a gain above rounding error, so that ties cannot cycle. When the cap
    is reached, converged=False. Raises ValueError for γ outside [0, 1) and max_iterations < 1, and
    for an MDP whose system is too large for `policy_values`; `solve` takes those.
    """
    gamma = check_gamma(gamma)
    states = np.arange(mdp.num_states)
    actions = greedy(mdp.r)
    for num_iterations in range(1, check_integer(max_iterations, "max_iterations", 1) + 1):
        q = _action_values(mdp, mdp.policy_transitions(actions), mdp.r[states, actions], gamma)
        gain = q.max(axis=1) - q[states, actions]
        rounding = 1e-12 * max(1.0, np.abs(q).max())
        better = gain > rounding
        if not better.any():
            return PolicyIterationResult(q, actions, num_iterations, True)
        actions = np.where(better, greedy(q), actions)
    return PolicyIterationResult(q, actions, num_iterations, False)


def optimal_q(mdp: TabularMDP, *, gamma: float) -> np.ndarray:
    """q* (S, A), exact up to rounding: the action values of Howard's optimal policy."""
    return policy_iteration(mdp, gamma=gamma).q


def _action_values(mdp: TabularMDP, P_pi, r_pi: np.ndarray, gamma: float) -> np.ndarray:
    return np.ascontiguousarray(lookahead(mdp, policy_values(P_pi, r_pi, gamma), gamma))
