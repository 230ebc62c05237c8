"""Expected updates of linear Q-learning: no sampling, so what they do is not noise.

With Q = Φ w, e = T Q − Q, D = diag(μ) and the greedy policy π of Q one step is

    semi-gradient        w ← w + α Φᵀ D e
    projection           w ← w + G e,  G the weighted least-squares fit, so that Q ← Π T Q
    residual gradient    w ← w + α E_μ[ δ (φ(s, a) − γ φ(s', π(s'))) ],  δ from the same s'
    double sampling      w ← w + α (Φ − γ P_π Φ)ᵀ D e,  the same with two independent s'

(Sutton & Barto 2018, sections 11.2-11.5; Baird 1995.) All maximise with the first greedy action.
"""

from __future__ import annotations

import numpy as np

from ._compile import jit
from .features import check_features, check_weights
from .linear_runs import DIVERGED, LinearRun, close_run, problem_scale
from .mdp import INDEX, TabularMDP, check_gamma, check_integer, check_real
from .recording import record_steps
from .weightings import check_weighting

CONVERGED = 1e-10  # share of the scale, times 1−γ: near γ = 1 a small step may mean a slow one
SAME_BOX = 0.01  # how well two quarters of a cycling run agree, as a share of the amplitude

STATUS = ("undecided", "converged", "cycling", "diverged")
UNDECIDED, CONVERGING, CYCLING, DIVERGING = range(4)
FIXED_TARGET, ONE_SAMPLE, TWO_SAMPLES = range(3)  # how the target's own gradient enters


def expected_semi_gradient_q(
    mdp: TabularMDP,
    phi: np.ndarray,
    mu: np.ndarray,
    *,
    gamma: float,
    alpha: float,
    num_updates: int = 400_000,
    w0: np.ndarray | None = None,
    record_at: np.ndarray | None = None,
) -> LinearRun:
    """w ← w + α Φᵀ D (T Φw − Φw): the mean of the sampled semi-gradient update over pairs from μ.

    phi (S·A, d), mu (S·A,); w0 (d,) defaults to zeros. Stable steps for a fixed target are those
    with α · `largest_curvature` < 2. Raises ValueError for arguments out of range; each message
    names the argument.
    """
    phi, mu = check_features(mdp, phi), check_weighting(mu, mdp.num_pairs)
    alpha = check_real(alpha, "alpha", "> 0", lambda x: x > 0)
    return iterate_mean_updates(
        mdp, phi, phi.T * mu, gamma=gamma, alpha=alpha,
        num_updates=num_updates, w0=w0, record_at=record_at,
    )  # fmt: skip


def expected_residual_gradient_q(
    mdp: TabularMDP,
    phi: np.ndarray,
    mu: np.ndarray,
    *,
    gamma: float,
    alpha: float,
    double_sampling: bool = False,
    num_updates: int = 400_000,
    w0: np.ndarray | None = None,
    record_at: np.ndarray | None = None,
) -> LinearRun:
    """The mean of the sampled residual-gradient update over pairs from μ (Baird 1995).

    It descends ½ E_μ[δ²]; with `double_sampling` ½ ‖T Q − Q‖²_μ, which lacks the variance of the
    targets and therefore has its minimum at q* where Φ can represent it. Both losses have kinks
    where actions tie; around a minimum in a kink the run jumps to and fro by the order of α, which
    counts as cycling. Arguments and errors as for `expected_semi_gradient_q`.
    """
    phi, mu = check_features(mdp, phi), check_weighting(mu, mdp.num_pairs)
    alpha = check_real(alpha, "alpha", "> 0", lambda x: x > 0)
    return iterate_mean_updates(
        mdp, phi, phi.T * mu, gamma=gamma, alpha=alpha, num_updates=num_updates, w0=w0,
        record_at=record_at, mu=mu, method=TWO_SAMPLES if double_sampling else ONE_SAMPLE,
    )  # fmt: skip


def largest_curvature(phi: np.ndarray, mu: np.ndarray) -> float:
    """λ_max(Φᵀ D Φ), the curvature of ½ ‖Φ w − q‖²_μ along its steepest direction."""
    mu = check_weighting(mu, len(phi))
    return float(np.linalg.norm(np.sqrt(mu)[:, None] * phi, 2) ** 2)


def iterate_mean_updates(
    mdp: TabularMDP,
    phi: np.ndarray,
    gain: np.ndarray,
    *,
    gamma: float,
    alpha: float = 1.0,
    num_updates: int,
    w0: np.ndarray | None = None,
    record_at: np.ndarray | None = None,
    mu: np.ndarray | None = None,
    method: int = FIXED_TARGET,
) -> LinearRun:
    """w ← w + α gain (T Φw − Φw) with gain (d, S·A), plus the gradient of the target or not.

    That gradient is weighted by mu (S·A,). phi, gain and mu are taken as checked. Raises
    ValueError for a wrong gamma, num_updates, w0 or record_at.
    """
    gamma = check_gamma(gamma)
    num_updates = check_integer(num_updates, "num_updates", 1)
    steps = record_steps(record_at, num_updates)
    w = check_weights(phi, w0)
    history = np.empty((steps.size, w.size))
    scale = problem_scale(mdp, phi, w, gamma)
    gain, mu = np.ascontiguousarray(gain), np.zeros(len(phi)) if mu is None else mu
    fate, num_done, num_recorded = _iterate(
        w, history, steps, num_updates, phi, gain, mu, method, mdp.successors, mdp.r,
        gamma, alpha, DIVERGED * scale, CONVERGED * (1 - gamma) * alpha * scale,
    )  # fmt: skip
    return close_run(
        mdp, phi, w, steps[:num_recorded], history[:num_recorded],
        gamma=gamma, num_done=num_done, status=STATUS[fate],
    )  # fmt: skip


@jit
def _iterate(
    w, history, marks, num_updates, phi, gain, mu, method, successors, r,
    gamma, alpha, too_large, small_enough,
):  # fmt: skip
    """Run in place; returns the fate, the number of updates done and of records made."""
    q, errors = np.zeros(r.shape), np.empty(r.size)
    values, rewards = q.ravel(), r.ravel()  # all at [s·A + a]
    best = np.empty(r.shape[0], dtype=INDEX)  # the greedy pair of every state
    boxes = np.empty((2, 2, r.size))  # of the third and the last quarter: lowest and highest q
    boxes[:, 0], boxes[:, 1] = np.inf, -np.inf
    num_recorded = 0
    _predict(values, phi, w)
    for t in range(num_updates):
        if num_recorded < len(marks) and marks[num_recorded] == t:
            history[num_recorded] = w
            num_recorded += 1
        for s in range(r.shape[0]):
            best[s] = first_greedy_pair(q, s)
        if not _bellman_errors(errors, values, best, successors, rewards, gamma) <= too_large:
            return DIVERGING, t, num_recorded
        for j in range(w.size):
            total = 0.0
            for i in range(r.size):
                total += gain[j, i] * errors[i]
            w[j] += alpha * total
        if method != FIXED_TARGET:
            _descend_target(
                w, errors, values, best, phi, mu, method, successors, rewards, gamma, alpha
            )
        if _predict(values, phi, w) <= small_enough:
            return CONVERGING, t + 1, num_recorded
        if 2 * t >= num_updates:
            box = boxes[0 if 4 * t < 3 * num_updates else 1]
            for i in range(r.size):
                box[0, i] = min(box[0, i], values[i])
                box[1, i] = max(box[1, i], values[i])
    difference, amplitude = 0.0, 0.0
    for i in range(r.size):
        for side in range(2):
            difference = max(difference, abs(boxes[0, side, i] - boxes[1, side, i]))
        amplitude = max(amplitude, boxes[1, 1, i] - boxes[1, 0, i])
    fate = CYCLING if difference <= SAME_BOX * amplitude else UNDECIDED
    return fate, num_updates, num_recorded


@jit
def _predict(values, phi, w):
    """values ← Φ w; returns the largest change."""
    change = 0.0
    for i in range(phi.shape[0]):
        value = 0.0
        for j in range(phi.shape[1]):
            value += phi[i, j] * w[j]
        change = max(change, abs(value - values[i]))
        values[i] = value
    return change


@jit
def first_greedy_pair(q, s):
    """The pair s·A + a with the first a that maximises q(s, a)."""
    action = 0
    for a in range(1, q.shape[1]):
        if q[s, a] > q[s, action]:
            action = a
    return INDEX(s * q.shape[1] + action)


@jit
def _bellman_errors(errors, values, best, successors, rewards, gamma):
    """errors ← T q − q for a q that is 0 at terminal states; returns the largest one."""
    next_states, probabilities, _ = successors
    largest = 0.0
    for i in range(values.size):
        mean = 0.0
        for k in range(next_states.shape[1]):
            mean += probabilities[i, k] * values[best[next_states[i, k]]]
        errors[i] = rewards[i] + gamma * mean - values[i]
        largest = max(largest, abs(errors[i]))
    return largest


@jit
def _descend_target(w, errors, values, best, phi, mu, method, successors, rewards, gamma, alpha):
    """w ← w − α γ Σ_i μ_i Σ_s' P(s' | i) δ φ(s', π(s')), with δ from s' itself or its mean."""
    next_states, probabilities, _ = successors
    for i in range(values.size):
        for k in range(next_states.shape[1]):
            pair = best[next_states[i, k]]
            error = errors[i]
            if method == ONE_SAMPLE:
                error = rewards[i] + gamma * values[pair] - values[i]
            step = alpha * gamma * mu[i] * probabilities[i, k] * error
            for j in range(w.size):
                w[j] -= step * phi[pair, j]
