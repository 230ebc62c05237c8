"""Solvers for large problems, chosen by structure.

A greedy sweep q = r + γ P v alternates with an evaluation of its greedy policy, which replaces v.
Every greedy sweep bounds its own error (MacQueen 1966): with d(s) = max_a q(s, a) − v(s)

    γ/(1−γ) min d <= q*(s, a) − q(s, a) <= γ/(1−γ) max d        for every v.

What is left to choose is how to evaluate: by some sweeps with the policy's own transitions
(modified policy iteration), or exactly, where the transitions stay close to the diagonal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._compile import jit
from .mdp import TabularMDP, check_gamma, check_integer, check_real
from .policy_values import NARROW, bandwidth, eliminate, fill_bands

ENOUGH = 0.1  # share of the greedy sweep's span at which an evaluation by sweeps ends


@dataclass(frozen=True)
class Solution:
    """The outcome of a solver; ‖q − q*‖_∞ <= tol when `converged`."""

    q: np.ndarray  # (S, A)
    spans: np.ndarray  # (num_sweeps,) max d − min d of every greedy sweep
    converged: bool
    num_sweeps: int  # greedy sweeps; an evaluation follows all but the last
    method: str  # "modified policy iteration" or "banded policy iteration"


def solve(
    mdp: TabularMDP, *, gamma: float, tol: float = 1e-8, max_sweeps: int = 10_000
) -> Solution:
    """q* to within tol, by the method that suits the structure of the MDP.

    Where every step stays close to its state (largest s − s' plus largest s' − s at most NARROW),
    as on a chain, information would need a sweep for every step: policy iteration is used, with
    every policy evaluated exactly by banded elimination. Everywhere else it is
    `modified_policy_iteration`. (On random walks that reach 8 states down and up both take the same
    time at γ = 0.9, and elimination a sixth of it at γ = 0.99.) Raises ValueError as that does.
    """
    widths = bandwidth(mdp.rows, mdp.num_actions)
    if sum(widths) > NARROW:
        return modified_policy_iteration(mdp, gamma=gamma, tol=tol, max_sweeps=max_sweeps)
    return _solve_by(
        _banded_policy_iteration, widths, mdp, gamma, tol, max_sweeps, "banded policy iteration"
    )


def modified_policy_iteration(
    mdp: TabularMDP,
    *,
    gamma: float,
    tol: float = 1e-8,
    num_inner: int = 100,
    max_sweeps: int = 10_000,
) -> Solution:
    """Greedy sweeps with an incomplete evaluation after each (Puterman & Shin 1978).

    The evaluation sweeps v ← r_π + γ P_π v, at most `num_inner` times, and ends before that when
    the span of the change is ENOUGH times that of the greedy sweep: the rest would be lost when
    the policy changes. The span stop and the midpoint are those of `value_iteration`, which is the
    case num_inner=0. After `max_sweeps` greedy sweeps the last table comes back with
    converged=False. Raises ValueError for γ outside [0, 1), tol <= 0, num_inner < 0 or
    max_sweeps < 1.
    """
    num_inner = check_integer(num_inner, "num_inner", 0)
    return _solve_by(
        _modified_policy_iteration, num_inner, mdp, gamma, tol, max_sweeps,
        "modified policy iteration",
    )  # fmt: skip


def _solve_by(loop, option, mdp, gamma, tol, max_sweeps, method) -> Solution:
    gamma = check_gamma(gamma)
    tol = check_real(tol, "tol", "> 0", lambda x: x > 0)
    q, spans = np.empty(mdp.r.shape), np.empty(check_integer(max_sweeps, "max_sweeps", 1))
    num_sweeps, converged, lowest, highest = loop(
        q, spans, mdp.rows, mdp.r, mdp.terminal, gamma, tol, option
    )
    if converged:
        q += gamma / (1 - gamma) * (lowest + highest) / 2
        q[mdp.terminal] = 0.0
    return Solution(q, spans[:num_sweeps].copy(), converged, num_sweeps, method)


@jit
def _modified_policy_iteration(q, spans, rows, r, terminal, gamma, tol, num_inner):
    num_states, num_actions = r.shape
    v, new_v, r_pi = np.zeros(num_states), np.empty(num_states), np.empty(num_states)
    actions = np.empty(num_states, dtype=np.int64)
    longest = _longest_policy(rows.starts, num_states, num_actions)
    starts = np.zeros(num_states + 1, dtype=rows.starts.dtype)
    states, probabilities = np.empty(longest, dtype=rows.states.dtype), np.empty(longest)
    for sweep in range(len(spans)):
        lowest, highest = _improve(q, new_v, actions, v, rows, r, terminal, gamma)
        v, new_v = new_v, v
        spans[sweep] = highest - lowest
        if gamma / (1 - gamma) * spans[sweep] / 2 <= tol:
            return sweep + 1, True, lowest, highest
        _select(starts, states, probabilities, r_pi, actions, rows, r, terminal)
        for _ in range(num_inner):
            least, most = _evaluate(new_v, v, starts, states, probabilities, r_pi, gamma)
            v, new_v = new_v, v
            if most - least <= ENOUGH * spans[sweep]:
                break
    return len(spans), False, lowest, highest


@jit
def _banded_policy_iteration(q, spans, rows, r, terminal, gamma, tol, widths):
    num_states, num_actions = r.shape
    below, above = widths
    bands = np.empty((num_states, below + above + 1))
    v, new_v = np.empty(num_states), np.empty(num_states)
    actions = np.empty(num_states, dtype=np.int64)
    # All actions alike, so that the first evaluation carries rewards along every step there is.
    policy = np.full(r.shape, 1 / num_actions)
    for sweep in range(len(spans)):
        fill_bands(bands, v, policy, rows, r, gamma, below)
        eliminate(bands, v, below)
        lowest, highest = _improve(q, new_v, actions, v, rows, r, terminal, gamma)
        spans[sweep] = highest - lowest
        if gamma / (1 - gamma) * spans[sweep] / 2 <= tol:
            return sweep + 1, True, lowest, highest
        policy[:] = 0.0
        for s in range(num_states):
            policy[s, actions[s]] = 1.0
    return len(spans), False, lowest, highest


@jit
def _improve(q, new_v, actions, v, rows, r, terminal, gamma):
    """q ← r + γ P v, its maxima and greedy actions; returns the least and the largest new_v − v."""
    starts, states, probabilities = rows
    num_states, num_actions = r.shape
    lowest, highest = np.inf, -np.inf
    for s in range(num_states):
        best, action = -np.inf, 0
        for a in range(num_actions):
            pair = s * num_actions + a
            expected = 0.0
            for k in range(starts[pair], starts[pair + 1]):
                expected += probabilities[k] * v[states[k]]
            value = r[s, a] + gamma * expected
            q[s, a] = value
            if value > best:
                best, action = value, a
        new_v[s], actions[s] = 0.0 if terminal[s] else best, action
        change = new_v[s] - v[s]
        lowest, highest = min(lowest, change), max(highest, change)
    return lowest, highest


@jit
def _evaluate(new_v, v, starts, states, probabilities, r_pi, gamma):
    """new_v ← r_π + γ P_π v; returns the least and the largest change."""
    lowest, highest = np.inf, -np.inf
    for s in range(len(v)):
        expected = 0.0
        for k in range(starts[s], starts[s + 1]):
            expected += probabilities[k] * v[states[k]]
        new_v[s] = r_pi[s] + gamma * expected
        change = new_v[s] - v[s]
        lowest, highest = min(lowest, change), max(highest, change)
    return lowest, highest


@jit
def _select(starts, states, probabilities, r_pi, actions, rows, r, terminal):
    """P_π and r_π as arrays of their own: sweeps run through them several times as fast."""
    end = 0
    for s in range(len(actions)):
        r_pi[s] = 0.0 if terminal[s] else r[s, actions[s]]
        pair = s * r.shape[1] + actions[s]
        if not terminal[s]:
            for k in range(rows.starts[pair], rows.starts[pair + 1]):
                states[end], probabilities[end] = rows.states[k], rows.probabilities[k]
                end += 1
        starts[s + 1] = end


@jit
def _longest_policy(starts, num_states, num_actions):
    """The largest number of transitions that P_π can have."""
    total = 0
    for s in range(num_states):
        longest = 0
        for pair in range(s * num_actions, (s + 1) * num_actions):
            longest = max(longest, np.int64(starts[pair + 1]) - np.int64(starts[pair]))
        total += longest
    return total
