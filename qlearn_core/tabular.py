"""Tabular Q-learning (Watkins & Dayan 1992), bare and with every update recorded.

    Q(s, a) ← Q(s, a) + α [ r(s, a) + γ max_a' Q(s', a') − Q(s, a) ],   s' ~ P(· | s, a)

The bracket, the TD error, splits into the signal (T Q − Q)(s, a) and the noise
γ (max_a' Q(s', a') − E max_a' Q(s', a')), whose conditional mean is zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._compile import jit
from .behaviours import (
    TRAJECTORY,
    Behaviour,
    behaviour_tables,
    draw,
    draw_position,
    greedy_action,
    row_max,
)
from .mdp import INDEX, TabularMDP, check_gamma, check_integer, check_q, check_rng, initial_table
from .planning import optimal_q
from .recording import record_steps
from .step_sizes import StepSize, as_step_size, step_size


@dataclass(frozen=True)
class QLearningResult:
    """A run of Q-learning, seen at K chosen update counts."""

    q: np.ndarray  # (S, A) the final table
    counts: np.ndarray  # (S, A) int, updates of every pair
    steps: np.ndarray  # (K,) int, update counts at which the run was recorded
    errors: np.ndarray  # (K,) ‖Q_t − q*‖_∞ at these counts
    tables: np.ndarray  # (K, S, A) Q_t at these counts


@dataclass(frozen=True)
class QLearningTrace:
    """A run of Q-learning, every one of its T updates recorded; td_error = signal + noise."""

    q: np.ndarray  # (S, A) the final table
    states: np.ndarray  # (T,) int, s_t
    actions: np.ndarray  # (T,) int, a_t
    next_states: np.ndarray  # (T,) int, s'_t
    td_errors: np.ndarray  # (T,) r + γ max Q_t(s') − Q_t(s, a)
    signals: np.ndarray  # (T,) (T Q_t − Q_t)(s_t, a_t), by enumeration of s'
    noises: np.ndarray  # (T,) γ (max Q_t(s') − E max Q_t(s'))
    variances: np.ndarray  # (T,) γ² Var max Q_t(s'), the predictable variance of the noise
    alphas: np.ndarray  # (T,) step sizes
    sup_errors: np.ndarray  # (T+1,) ‖Q_t − q*‖_∞ before the first and after every update
    l2_errors: np.ndarray  # (T+1,) ‖Q_t − q*‖_2
    bottlenecks: np.ndarray  # (T+1,) int, s·A + a of the first pair that attains sup_errors


def q_learning(
    mdp: TabularMDP,
    *,
    gamma: float,
    alpha: float | StepSize,
    num_updates: int,
    behaviour: Behaviour,
    rng: np.random.Generator,
    q0: np.ndarray | None = None,
    start: int = 0,
    record_at: np.ndarray | None = None,
    q_star: np.ndarray | None = None,
) -> QLearningResult:
    """Q-learning for `num_updates` updates of single pairs.

    q0 (S, A) defaults to zeros; its terminal rows are set to 0. A trajectory starts in `start`
    and again after every terminal state. `record_at` holds increasing update counts between 0
    and num_updates, by default about 200 spaced evenly on a log scale, both ends included.
    q_star (S, A) are the optimal values that errors are measured from, for those who have them.
    Raises ValueError for arguments out of range; each message names the argument.
    """
    gamma, schedule = check_gamma(gamma), as_step_size(alpha).schedule
    num_updates = check_integer(num_updates, "num_updates", 1)
    tables = behaviour_tables(mdp, behaviour, start)
    steps = record_steps(record_at, num_updates)
    marks = np.append(steps, num_updates)  # the last record is the final table
    q = initial_table(mdp, q0)
    counts = np.zeros(q.shape, dtype=np.int64)
    history = np.empty((marks.size, *q.shape))
    _q_learning(
        q, counts, history, marks, mdp.successors, mdp.r, mdp.terminal,
        tables, schedule, gamma, check_rng(rng),
    )  # fmt: skip
    history = history[:-1]
    exact = optimal_q(mdp, gamma=gamma) if q_star is None else check_q(mdp, q_star, "q_star")
    errors = np.abs(history - exact).max(axis=(1, 2))
    return QLearningResult(q=q, counts=counts, steps=steps, errors=errors, tables=history)


def trace_q_learning(
    mdp: TabularMDP,
    *,
    gamma: float,
    alpha: float | StepSize,
    num_updates: int,
    behaviour: Behaviour,
    rng: np.random.Generator,
    q0: np.ndarray | None = None,
    start: int = 0,
) -> QLearningTrace:
    """The run of `q_learning` with the same arguments, every update recorded.

    Costs O(S·A) per update for the error norms. Raises ValueError as `q_learning` does.
    """
    gamma, schedule = check_gamma(gamma), as_step_size(alpha).schedule
    num_updates = check_integer(num_updates, "num_updates", 1)
    tables = behaviour_tables(mdp, behaviour, start)
    q = initial_table(mdp, q0)
    pairs, next_states = visits = np.empty((2, num_updates), dtype=np.int64)
    numbers = np.empty((5, num_updates))
    norms = np.empty((2, num_updates + 1))
    bottlenecks = np.empty(num_updates + 1, dtype=np.int64)
    _trace(
        q, np.zeros(q.shape, dtype=np.int64), visits, numbers, norms, bottlenecks,
        optimal_q(mdp, gamma=gamma), mdp.successors, mdp.r, mdp.terminal,
        tables, schedule, gamma, check_rng(rng),
    )  # fmt: skip
    states, actions = np.divmod(pairs, mdp.num_actions)
    return QLearningTrace(q, states, actions, next_states, *numbers, *norms, bottlenecks)


@jit
def _q_learning(
    q, counts, history, marks, successors, r, terminal, behaviour, schedule, gamma, rng
):
    kind, epsilon, policy, pairs, start = behaviour
    next_states, _, cumulative = successors
    values, counts, rewards = q.ravel(), counts.ravel(), r.ravel()  # all at [s·A + a]
    s, begin = start, 0
    for k in range(len(marks)):
        for t in range(begin, marks[k]):
            # Chosen here: a function that takes all these arrays would double the time.
            if kind == TRAJECTORY:
                explore = rng.random() < epsilon
                a = draw(policy, s, rng) if explore else greedy_action(q, s, rng)
                pair = INDEX(s * q.shape[1] + a)
            else:
                pair = pairs[draw_position(kind, len(pairs), t, rng)]
            s_next = next_states[pair, draw(cumulative, pair, rng)]
            alpha = step_size(schedule, counts[pair], t)
            target = rewards[pair] + gamma * row_max(q, s_next)
            values[pair] += alpha * (target - values[pair])
            counts[pair] += 1
            s = start if terminal[s_next] else s_next
        history[k], begin = q, marks[k]


@jit
def _trace(
    q, counts, visits, numbers, norms, bottlenecks,
    q_star, successors, r, terminal, behaviour, schedule, gamma, rng,
):  # fmt: skip
    kind, epsilon, policy, pairs, start = behaviour
    next_states, probabilities, cumulative = successors
    values, counts, rewards = q.ravel(), counts.ravel(), r.ravel()  # all at [s·A + a]
    s = start
    norms[0, 0], norms[1, 0], bottlenecks[0] = _distances(q, q_star)
    for t in range(visits.shape[1]):
        if kind == TRAJECTORY:
            explore = rng.random() < epsilon
            a = draw(policy, s, rng) if explore else greedy_action(q, s, rng)
            pair = INDEX(s * q.shape[1] + a)
        else:
            pair = pairs[draw_position(kind, len(pairs), t, rng)]
        s_next = next_states[pair, draw(cumulative, pair, rng)]
        alpha = step_size(schedule, counts[pair], t)
        best = row_max(q, s_next)
        mean, variance = _moments(q, next_states, probabilities, pair)
        td_error = rewards[pair] + gamma * best - values[pair]
        visits[0, t], visits[1, t] = pair, s_next
        numbers[0, t] = td_error
        numbers[1, t] = rewards[pair] + gamma * mean - values[pair]
        numbers[2, t] = gamma * (best - mean)
        numbers[3, t] = gamma * gamma * variance
        numbers[4, t] = alpha
        values[pair] += alpha * td_error
        counts[pair] += 1
        norms[0, t + 1], norms[1, t + 1], bottlenecks[t + 1] = _distances(q, q_star)
        s = start if terminal[s_next] else s_next


@jit
def _moments(q, next_states, probabilities, pair):
    """Mean and variance of max_a' q(s', a') over the s' that can follow the pair."""
    mean = 0.0
    for k in range(next_states.shape[1]):
        mean += probabilities[pair, k] * row_max(q, next_states[pair, k])
    variance = 0.0
    for k in range(next_states.shape[1]):
        deviation = row_max(q, next_states[pair, k]) - mean
        variance += probabilities[pair, k] * deviation * deviation
    return mean, variance


@jit
def _distances(q, q_star):
    """‖q − q*‖_∞, ‖q − q*‖_2 and the first index s·A + a that attains the first."""
    largest, squares, worst = -1.0, 0.0, 0
    for s in range(q.shape[0]):
        for a in range(q.shape[1]):
            distance = abs(q[s, a] - q_star[s, a])
            squares += distance * distance
            if distance > largest:
                largest, worst = distance, s * q.shape[1] + a
    return largest, np.sqrt(squares), worst
