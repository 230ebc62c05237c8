"""Linear Q-learning from samples: Q_w(s, a) = φ(s, a)ᵀ w, with w moved by one TD error at a time.

    δ = r(s, a) + γ max_a' Q_w(s', a') − Q_w(s, a),   s' ~ P(· | s, a)

    semi-gradient       w ← w + α δ φ(s, a)                              (the target held fixed)
    residual gradient   w ← w + α δ [ φ(s, a) − γ φ(s'', argmax Q_w(s'', ·)) ]       (all of ½ δ²)

with s'' = s', or a second independent draw ("double sampling"), without which the residual
gradient also shrinks the variance of its targets (Baird 1995; Sutton & Barto 2018, section 11.5).
With tabular features the semi-gradient is Q-learning itself.
"""

from __future__ import annotations

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
from .features import check_features, check_weights
from .linear_runs import DIVERGED, LinearRun, close_run, problem_scale
from .mdp import INDEX, TabularMDP, check_gamma, check_integer, check_rng
from .mean_updates import FIXED_TARGET, ONE_SAMPLE, TWO_SAMPLES, first_greedy_pair
from .recording import record_steps
from .step_sizes import StepSize, as_step_size, step_size


def semi_gradient_q(
    mdp: TabularMDP,
    phi: np.ndarray,
    *,
    gamma: float,
    alpha: float | StepSize,
    num_updates: int,
    behaviour: Behaviour,
    rng: np.random.Generator,
    w0: np.ndarray | None = None,
    start: int = 0,
    record_at: np.ndarray | None = None,
) -> LinearRun:
    """Semi-gradient Q-learning with features phi (S·A, d), zero in the rows of terminal states.

    w0 (d,) defaults to zeros. A trajectory starts in `start` and again after every terminal state.
    `record_at` holds increasing update counts between 0 and num_updates, by default about 200
    spaced evenly on a log scale, both ends included. Raises ValueError for arguments out of range;
    each message names the argument.
    """
    return _run(
        mdp, phi, FIXED_TARGET, gamma, alpha, num_updates, behaviour, rng, w0, start, record_at
    )


def residual_gradient_q(
    mdp: TabularMDP,
    phi: np.ndarray,
    *,
    gamma: float,
    alpha: float | StepSize,
    num_updates: int,
    behaviour: Behaviour,
    rng: np.random.Generator,
    double_sampling: bool = False,
    w0: np.ndarray | None = None,
    start: int = 0,
    record_at: np.ndarray | None = None,
) -> LinearRun:
    """Residual-gradient Q-learning; with `double_sampling` the gradient sees a second next state.

    Among equal maximisers the gradient is the first one's. A trajectory goes on from the first
    next state. Other arguments and errors as for `semi_gradient_q`.
    """
    method = TWO_SAMPLES if double_sampling else ONE_SAMPLE
    return _run(mdp, phi, method, gamma, alpha, num_updates, behaviour, rng, w0, start, record_at)


def _run(
    mdp, phi, method, gamma, alpha, num_updates, behaviour, rng, w0, start, record_at
) -> LinearRun:
    phi, gamma, schedule = (
        check_features(mdp, phi),
        check_gamma(gamma),
        as_step_size(alpha).schedule,
    )
    num_updates = check_integer(num_updates, "num_updates", 1)
    tables = behaviour_tables(mdp, behaviour, start)
    steps = record_steps(record_at, num_updates)
    w = check_weights(phi, w0)
    q = (phi @ w).reshape(mdp.r.shape)
    history = np.empty((steps.size, w.size))
    counts = np.zeros(mdp.num_pairs, dtype=np.int64)
    too_large = DIVERGED * problem_scale(mdp, phi, w, gamma)
    num_done, num_recorded = _linear_q_learning(
        w, q, counts, history, np.append(steps, num_updates), phi, phi @ phi.T, method,
        mdp.successors, mdp.r, mdp.terminal, tables, schedule, gamma, too_large, check_rng(rng),
    )  # fmt: skip
    return close_run(
        mdp, phi, w, steps[:num_recorded], history[:num_recorded],
        gamma=gamma, num_done=num_done, status="diverged" if num_done < num_updates else "finished",
    )  # fmt: skip


@jit
def _linear_q_learning(
    w, q, counts, history, marks, phi, overlaps, method,
    successors, r, terminal, behaviour, schedule, gamma, too_large, rng,
):  # fmt: skip
    """Run in place; returns the number of updates done and of records made.

    The table q = Φ w is kept beside w: a step along φ(s, a) adds to it a multiple of the overlaps
    Φ φ(s, a), one row of Φ Φᵀ.
    """
    kind, epsilon, policy, pairs, start = behaviour
    next_states, _, cumulative = successors
    values, rewards = q.ravel(), r.ravel()  # all at [s·A + a]
    s, begin = start, 0
    for k in range(len(marks)):
        for t in range(begin, marks[k]):
            if kind == TRAJECTORY:
                explore = rng.random() < epsilon
                a = draw(policy, s, rng) if explore else greedy_action(q, s, rng)
                pair = INDEX(s * q.shape[1] + a)
            else:
                pair = pairs[draw_position(kind, len(pairs), t, rng)]
            s_next = next_states[pair, draw(cumulative, pair, rng)]
            td_error = rewards[pair] + gamma * row_max(q, s_next) - values[pair]
            if not abs(td_error) <= too_large:
                return t, k
            step = step_size(schedule, counts[pair], t) * td_error
            counts[pair] += 1
            if method != FIXED_TARGET:
                s_other = s_next
                if method == TWO_SAMPLES:
                    s_other = next_states[pair, draw(cumulative, pair, rng)]
                best = first_greedy_pair(q, s_other)
                _add(w, phi, best, -gamma * step)
                _add(values, overlaps, best, -gamma * step)
            _add(w, phi, pair, step)
            _add(values, overlaps, pair, step)
            s = start if terminal[s_next] else s_next
        if k < len(history):
            history[k] = w
        begin = marks[k]
    return begin, len(history)


@jit
def _add(x, rows, row, factor):
    """x ← x + factor · rows[row, :]."""
    for j in range(x.size):
        x[j] += factor * rows[row, j]
