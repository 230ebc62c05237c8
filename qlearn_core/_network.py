"""The compiled loop behind `neural.train_network`: one run of one network, in single precision.

Both passes over the batch run along an axis on which nothing is summed: the forward pass along
the inputs, one hidden unit after the other, the backward pass along the hidden units.  So the
compiler can use vector instructions without reordering a sum, and the loop gives the same bits
compiled, interpreted and on every processor.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ._compile import jit
from .mdp import INDEX

HIDDEN = 64
NUM_PARAMETERS = 4 * HIDDEN + 1
STATE, ACTION, BIAS, OUT = 0, HIDDEN, 2 * HIDDEN, 3 * HIDDEN  # where the groups of θ begin

SINGLE = np.float32
ZERO, ONE = SINGLE(0), SINGLE(1)  # a literal would turn single precision into double
BETA_1, BETA_2, EPSILON = 0.9, 0.999, SINGLE(1e-8)  # of Adam


class Samples(NamedTuple):
    """The N inputs of a `targets.Targets` and their targets."""

    inputs: np.ndarray  # (N, 2) SINGLE
    rewards: np.ndarray  # (N,) SINGLE
    successors: np.ndarray  # (N, b) INDEX, the first of the A samples of a state
    weights: np.ndarray  # (N, b) SINGLE
    num_actions: int


class Settings(NamedTuple):
    """How the network is trained."""

    alpha: float
    adam: bool
    period: int  # updates between two copies into the target network; 0 without copies
    tau: np.float32  # rate of the moving average; 0 without one
    double: bool
    batch_size: int


@jit
def draw_batch(order, batch_size, rng):
    """Move `batch_size` distinct samples, drawn uniformly, to the front of `order`."""
    for i in range(batch_size):
        j = i + int(rng.random() * (len(order) - i))
        order[i], order[j] = order[j], order[i]


@jit
def train(theta, samples, settings, bound, marks, history, rng):
    """Train θ (257,) in place and write Q at all samples into history[k] after marks[k] updates.

    Returns the count of updates after which |Q| was beyond the bound, or -1. The rows of the
    history that were not reached are left as they are.
    """
    inputs, rewards, successors, weights, num_actions = samples
    alpha, adam, period, tau, double, batch_size = settings
    num_samples = len(rewards)
    full = batch_size == num_samples
    has_target = period > 0 or tau > ZERO

    order = np.arange(num_samples).astype(INDEX)
    everything = order.copy()
    batch = order[:batch_size]  # a view: draw_batch changes it
    reached = np.empty(batch_size * successors.shape[1] * num_actions, INDEX)
    online, frozen = np.zeros((2, num_samples), SINGLE)  # Q at the samples, where it was needed
    buffers = np.empty((3, max(num_samples, reached.size)), SINGLE)
    errors = np.zeros(batch_size + 1, SINGLE)  # one zero more makes an odd batch even
    gradient = np.zeros(NUM_PARAMETERS, SINGLE)
    moments = np.zeros((2, NUM_PARAMETERS), SINGLE)
    decay_1, decay_2 = 1.0, 1.0
    theta_frozen = theta.copy()
    evaluate(theta_frozen, inputs, everything, buffers, frozen)

    begin = 0
    for k in range(len(marks)):
        for t in range(begin, marks[k]):
            if full:
                evaluate(theta, inputs, everything, buffers, online)
                if tau > ZERO:
                    evaluate(theta_frozen, inputs, everything, buffers, frozen)
            else:
                draw_batch(order, batch_size, rng)
                evaluate(theta, inputs, batch, buffers, online)
                if double or not has_target or tau > ZERO:
                    list_successors(successors, batch, num_actions, reached)
                if double or not has_target:
                    evaluate(theta, inputs, reached, buffers, online)
                if tau > ZERO:
                    evaluate(theta_frozen, inputs, reached, buffers, frozen)
            if beyond(online, batch, bound):
                return t

            chooser = online if double or not has_target else frozen
            judge = frozen if has_target else online
            for i in range(batch_size):
                pair = batch[i]
                target = rewards[pair]
                for m in range(successors.shape[1]):
                    best = first = successors[pair, m]
                    for a in range(1, num_actions):
                        if chooser[first + INDEX(a)] > chooser[best]:
                            best = first + INDEX(a)
                    target += weights[pair, m] * judge[best]
                errors[i] = online[pair] - target

            loss_gradient(theta, inputs, batch, errors, gradient)
            if adam:
                decay_1, decay_2 = decay_1 * BETA_1, decay_2 * BETA_2
                adam_step(theta, gradient, moments, alpha, decay_1, decay_2)
            else:
                step = SINGLE(alpha)
                for j in range(NUM_PARAMETERS):
                    theta[j] -= step * gradient[j]

            if tau > ZERO:
                for j in range(NUM_PARAMETERS):
                    theta_frozen[j] = (ONE - tau) * theta_frozen[j] + tau * theta[j]
            elif period > 0 and (t + 1) % period == 0:
                theta_frozen[:] = theta
                evaluate(theta_frozen, inputs, everything, buffers, frozen)
        begin = marks[k]
        evaluate(theta, inputs, everything, buffers, online)
        if beyond(online, everything, bound):
            return begin
        history[k] = online
    return -1


@jit
def evaluate(theta, inputs, chosen, buffers, q):
    """q[i] = Q(inputs[i]; θ) for every i in chosen."""
    count = len(chosen)
    x, y, values = buffers[0, :count], buffers[1, :count], buffers[2, :count]
    for i in range(count):
        x[i], y[i], values[i] = inputs[chosen[i], 0], inputs[chosen[i], 1], theta[4 * HIDDEN]
    for j in range(HIDDEN):
        w_state, w_action = theta[STATE + j], theta[ACTION + j]
        bias, out = theta[BIAS + j], theta[OUT + j]
        for i in range(count):
            z = w_state * x[i] + w_action * y[i] + bias
            values[i] += out * (ZERO if z < ZERO else z)  # a NaN stays one
    for i in range(count):
        q[chosen[i]] = values[i]


@jit
def list_successors(successors, batch, num_actions, reached):
    """The samples whose values the targets of the batch need, repeated where they are shared."""
    count = 0
    for i in range(len(batch)):
        for m in range(successors.shape[1]):
            for a in range(num_actions):
                reached[count] = successors[batch[i], m] + INDEX(a)
                count += 1


@jit
def beyond(q, chosen, bound):
    """Whether some |q[i]|, i in chosen, is larger than the bound or no number."""
    for i in range(len(chosen)):
        if not abs(q[chosen[i]]) <= bound:
            return True
    return False


@jit
def loss_gradient(theta, inputs, batch, errors, gradient):
    """∇_θ of 1/(2B) Σ_i (Q(x_i) − y_i)², from errors[i] = Q(x_i) − y_i; two samples at a time."""
    for j in range(NUM_PARAMETERS):
        gradient[j] = ZERO
    scale = ONE / SINGLE(len(batch))
    for i in range(0, len(batch), 2):
        d, e = scale * errors[i], scale * errors[i + 1]
        first, second = batch[i], batch[min(i + 1, len(batch) - 1)]
        x0, x1 = inputs[first, 0], inputs[first, 1]
        y0, y1 = inputs[second, 0], inputs[second, 1]
        for j in range(HIDDEN):
            w_state, w_action = theta[STATE + j], theta[ACTION + j]
            bias, out = theta[BIAS + j], theta[OUT + j]
            z = w_state * x0 + w_action * x1 + bias
            u = w_state * y0 + w_action * y1 + bias
            dz = d * out if z > ZERO else ZERO
            du = e * out if u > ZERO else ZERO
            gradient[STATE + j] += dz * x0 + du * y0
            gradient[ACTION + j] += dz * x1 + du * y1
            gradient[BIAS + j] += dz + du
            gradient[OUT + j] += d * (z if z > ZERO else ZERO) + e * (u if u > ZERO else ZERO)
        gradient[4 * HIDDEN] += d + e


@jit
def adam_step(theta, gradient, moments, alpha, decay_1, decay_2):
    """Adam (Kingma & Ba 2015, algorithm 1); decay_i = β_i^t with t counted from 1."""
    keep_1, keep_2 = SINGLE(1 - BETA_1), SINGLE(1 - BETA_2)
    step = SINGLE(alpha / (1 - decay_1))
    correction = SINGLE(1 / np.sqrt(1 - decay_2))
    mean, square = moments
    for j in range(NUM_PARAMETERS):
        g = gradient[j]
        mean[j] += keep_1 * (g - mean[j])
        square[j] += keep_2 * (g * g - square[j])
        # np.divide: the operator / would look for a zero and cost seven times as much.
        theta[j] -= step * np.divide(mean[j], correction * np.sqrt(square[j]) + EPSILON)
