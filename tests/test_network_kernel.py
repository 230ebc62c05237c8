"""The compiled loop of the network: values, gradient, one step, batches, and bits without numba."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qlearn_core import chain
from qlearn_core._network import HIDDEN, NUM_PARAMETERS, adam_step, beyond, draw_batch, evaluate
from qlearn_core._network import loss_gradient as kernel_gradient
from qlearn_core.mdp import INDEX
from qlearn_core.neural import Sgd, initial_parameters, train_network
from qlearn_core.neural_reference import loss, network, parameters
from qlearn_core.targets import bootstrapped_targets
from tests.test_without_numba import NO_NUMBA, python

SINGLE_EPSILON = float(np.finfo(np.float32).eps)


def rng(seed=0):
    return np.random.default_rng(seed)


def value(theta, x):
    """Q(x; θ) in double precision, as the formula says it."""
    w_state, w_action, bias, out = theta[: 4 * HIDDEN].astype(float).reshape(4, HIDDEN)
    hidden = np.maximum(0, x[..., :1] * w_state + x[..., 1:] * w_action + bias)
    return hidden @ out + float(theta[-1])


def batch_of(num_samples, seed=0):
    """θ, inputs (N, 2), a batch that repeats none of them, and errors padded by a zero."""
    theta = initial_parameters(rng(seed))
    inputs = rng(seed + 1).random((num_samples, 2), dtype=np.float32)
    batch = rng(seed + 2).permutation(num_samples).astype(INDEX)
    errors = np.append(rng(seed + 3).normal(size=num_samples), 0).astype(np.float32)
    return theta, inputs, batch, errors


def gradient_of(theta, inputs, batch, errors):
    gradient = np.empty(NUM_PARAMETERS, np.float32)
    kernel_gradient(theta, inputs, batch, errors, gradient)
    return gradient


@pytest.mark.parametrize("num_samples", [1, 2, 7, 64])
def test_the_forward_pass_is_the_formula(num_samples):
    theta, inputs, batch, _ = batch_of(num_samples)
    q = np.full(num_samples, np.nan, np.float32)
    evaluate(theta, inputs, batch, np.empty((3, num_samples), np.float32), q)
    assert q == pytest.approx(value(theta, inputs), abs=HIDDEN * SINGLE_EPSILON)


def test_only_the_chosen_samples_are_evaluated():
    theta, inputs, _, _ = batch_of(5)
    q = np.full(5, 9, np.float32)
    chosen = np.array([3, 1, 3], INDEX)
    evaluate(theta, inputs, chosen, np.empty((3, 5), np.float32), q)
    assert (q != 9).tolist() == [False, True, False, True, False]


@pytest.mark.parametrize("num_samples", [1, 2, 7, 64])
def test_the_gradient_is_the_finite_difference_of_the_loss(num_samples):
    theta, inputs, batch, errors = batch_of(num_samples)
    y = value(theta, inputs[batch]) - errors[:-1]
    gradient, step = gradient_of(theta, inputs, batch, errors), 1e-6
    for j in range(NUM_PARAMETERS):
        shift = step * (np.arange(NUM_PARAMETERS) == j)
        up, down = (
            0.5 * np.mean((value(theta.astype(float) + sign * shift, inputs[batch]) - y) ** 2)
            for sign in (1, -1)
        )
        assert gradient[j] == pytest.approx((up - down) / (2 * step), abs=2e-6), j


@pytest.mark.parametrize("num_samples", [1, 2, 7, 64])
def test_the_gradient_is_that_of_autograd(num_samples):
    theta, inputs, batch, errors = batch_of(num_samples)
    layers = network(theta)
    q = layers(torch.from_numpy(inputs[batch.astype(int)])).squeeze(1)
    loss(q, (q - torch.from_numpy(errors[:-1])).detach()).backward()
    for parameter in layers.parameters():
        parameter.data = parameter.grad
    gradient = gradient_of(theta, inputs, batch, errors)
    assert gradient == pytest.approx(parameters(layers), abs=2e-6)


def test_one_sample_moves_the_parameters_by_alpha_times_the_td_error_times_the_gradient_of_q():
    """In closed form: ∇Q is (w₂ x, w₂, max(0, z), 1) where z = W₁ x + b₁ > 0, and 0 elsewhere."""
    targets = bootstrapped_targets(chain(1, second="stay"), gamma=0.9)
    assert targets.inputs.tolist() == [[0, 0], [0, 1]] and targets.rewards.tolist() == [0, 1]
    # One update with a batch of one: the child draws θ, then the sample.
    runs = train_network([targets], optimiser=Sgd(0.1), num_updates=1, batch_size=1, rng=rng(4))
    child = rng(4).spawn(1)[0]
    theta = initial_parameters(child).astype(float)
    order = np.arange(2, dtype=INDEX)
    draw_batch(order, 1, child)
    action = int(order[0])
    q_stay, q_forward = value(theta, np.array([[0, 0], [0, 1]]))
    td_error = 1 - q_forward if action == 1 else 0.9 * max(q_stay, q_forward) - q_stay
    _, w_action, bias, out = theta[: 4 * HIDDEN].reshape(4, HIDDEN)
    z = w_action * action + bias
    active = z > 0
    gradient = [0 * out, active * out * action, active * out, np.maximum(0, z), [1]]
    expected = theta + 0.1 * td_error * np.concatenate(gradient)
    assert runs.theta[0] == pytest.approx(expected, abs=4 * SINGLE_EPSILON)


def test_the_first_step_of_adam_is_alpha_times_the_sign_of_the_gradient():
    """Both moments, corrected for their start, are then g and g²: θ moves by α g / (|g| + ε)."""
    theta, gradient = np.zeros((2, NUM_PARAMETERS), np.float32)
    gradient[:] = rng().normal(size=NUM_PARAMETERS)
    gradient[:3] = 0, 1e-8, -1e-4
    moments = np.zeros((2, NUM_PARAMETERS), np.float32)
    adam_step(theta, gradient, moments, 0.01, 0.9, 0.999)
    expected = -0.01 * gradient.astype(float) / (np.abs(gradient) + 1e-8)
    assert theta == pytest.approx(expected, rel=1e-4)


def test_a_batch_holds_distinct_samples_drawn_uniformly():
    num_samples, batch_size, num_draws = 10, 4, 5_000
    generator, counts = rng(), np.zeros(num_samples)
    order = np.arange(num_samples, dtype=INDEX)
    for _ in range(num_draws):
        draw_batch(order, batch_size, generator)
        assert len(set(order.tolist())) == num_samples
        counts[order[:batch_size]] += 1
    share = batch_size / num_samples
    standard_error = np.sqrt(share * (1 - share) / num_draws)
    assert np.abs(counts / num_draws - share).max() < 4 * standard_error


def test_a_number_beyond_the_bound_and_no_number_are_both_found():
    q = np.array([1, -2, np.nan, np.inf], np.float32)
    assert not beyond(q, np.array([0, 1], INDEX), 2.0)
    assert beyond(q, np.array([0, 1], INDEX), 1.9)
    assert beyond(q, np.array([2], INDEX), 2.0)
    assert beyond(q, np.array([3], INDEX), 2.0)


RUN = """
import hashlib
import numpy as np
import qlearn_core as core

mdp = core.chain(3, second="reset")
targets = core.bootstrapped_targets(mdp, gamma=0.9, num_steps=2, pi=np.full((4, 2), 0.5))
digests = []
for optimiser in (core.Sgd(0.1), core.Adam(0.01)):
    for target_network, double in (
        (None, False), (core.CopyEvery(3), True), (core.MovingAverage(0.3), True)
    ):
        for batch_size in (None, 3):
            runs = core.train_network(
                [targets, targets], optimiser=optimiser, num_updates=12, batch_size=batch_size,
                target_network=target_network, double=double, rng=np.random.default_rng(1),
            )
            for values in (runs.tables, runs.theta, runs.diverged_at):
                digests.append(hashlib.sha256(np.ascontiguousarray(values)).hexdigest())
steep = core.train_network(
    [targets], optimiser=core.Sgd(1e4), num_updates=12, rng=np.random.default_rng(1)
)
print(len(digests), steep.status, hashlib.sha256("".join(digests).encode()).hexdigest())
"""


def test_without_numba_the_network_has_the_same_bits():
    check = "\nfrom qlearn_core import _network\nassert hasattr(_network.train, 'py_func') is "
    compiled = python(RUN + check + "True")
    interpreted = python(NO_NUMBA + RUN + check + "False")
    assert compiled == interpreted
    assert compiled.startswith("36 ('diverged',) ")


LONG = """
import hashlib
import numpy as np
import qlearn_core as core

targets = core.bootstrapped_targets(core.chain(8, second="stay"), gamma=0.9)
for optimiser in (core.Sgd(0.1), core.Adam(1e-3)):
    runs = core.train_network(
        [targets], optimiser=optimiser, num_updates=3_000, rng=np.random.default_rng(0)
    )
    print(hashlib.sha256(runs.theta.tobytes()).hexdigest())
"""

PLAIN_PROCESSOR = """
import os
os.environ.update(NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
"""


def test_wider_vector_instructions_change_no_bit_not_even_of_adam():
    """Adam's runs are chaotic: one bit would be seen in every digit after 3,000 updates."""
    assert python(PLAIN_PROCESSOR + LONG) == python(LONG)
