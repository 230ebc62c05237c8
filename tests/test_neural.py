"""Training the network: PyTorch as the oracle, and what must coincide."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from qlearn_core import bellman_optimality, chain, combination_lock
from qlearn_core import neural_reference as reference
from qlearn_core.neural import (
    HIDDEN,
    NUM_PARAMETERS,
    Adam,
    CopyEvery,
    MovingAverage,
    Sgd,
    initial_parameters,
    train_network,
)
from qlearn_core.targets import bootstrapped_targets, supervised_targets

GAMMA = 0.9
STAY = chain(8, second="stay")
ONE_STEP = bootstrapped_targets(STAY, gamma=GAMMA)
# A random code: which action is greedy changes while the network learns.
LOCK = bootstrapped_targets(
    combination_lock(8, 3, step_reward=-0.1, rng=np.random.default_rng(1)), gamma=GAMMA
)
torch.set_num_threads(1)


def rng(seed=0):
    return np.random.default_rng(seed)


def same(first, second):
    return np.array_equal(first.theta, second.theta) and np.array_equal(first.tables, second.tables)


# --- PyTorch --------------------------------------------------------------------------------------

# Where the greedy action changes, or a unit passes zero, a rounding error decides which way an
# update goes, and the two runs part by about 1e-4.  So the lock gets fewer updates.
SETTINGS = {
    "semi-gradient": (ONE_STEP, 2_000, {}),
    "supervised": (supervised_targets(STAY, gamma=GAMMA), 2_000, {}),
    "copies": (ONE_STEP, 2_000, {"target_network": CopyEvery(100)}),
    "replay": (ONE_STEP, 1_000, {"batch_size": 7, "optimiser": Sgd(0.02)}),
    "online, copies": (
        ONE_STEP,
        1_000,
        {"batch_size": 1, "optimiser": Sgd(0.01), "target_network": CopyEvery(20)},
    ),
    "three actions": (LOCK, 300, {}),
    "double Q, copies": (LOCK, 300, {"target_network": CopyEvery(40), "double": True}),
    "double Q, moving average": (
        LOCK,
        300,
        {"target_network": MovingAverage(0.02), "double": True},
    ),
    "replay, double Q, moving average": (
        LOCK,
        300,
        {"batch_size": 6, "target_network": MovingAverage(0.05), "double": True},
    ),
    "n-step, stochastic": (
        bootstrapped_targets(
            chain(5, slip=0.2, goal="loop"), gamma=GAMMA, num_steps=3, pi=np.full((5, 2), 0.5)
        ),
        1_000,
        {},
    ),
    "Adam, supervised": (
        supervised_targets(STAY, gamma=GAMMA),
        1_000,
        {"optimiser": Adam(1e-3), "batch_size": 15},
    ),
    "Adam": (ONE_STEP, 200, {"optimiser": Adam(1e-3)}),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_parameters_are_those_of_pytorch_to_five_digits(name):
    targets, num_updates, settings = SETTINGS[name]
    arguments = {"optimiser": Sgd(0.1), "num_updates": num_updates} | settings
    runs = train_network([targets], **arguments, rng=rng(3))
    theta = reference.train_network(targets, **arguments, rng=rng(3).spawn(1)[0])
    assert runs.diverged_at[0] == -1
    assert runs.theta[0] == pytest.approx(theta, abs=1e-5)
    assert not runs.theta[0] == pytest.approx(initial_parameters(rng(3).spawn(1)[0]), abs=1e-2)


@pytest.mark.parametrize("name", ["semi-gradient", "copies", "supervised"])
def test_single_precision_is_enough_for_three_digits_of_the_errors(name):
    targets, _, settings = SETTINGS[name]
    arguments = {"optimiser": Sgd(0.1), "num_updates": 1_000} | settings
    runs = train_network([targets], **arguments, rng=rng(3))
    theta = reference.train_network(targets, **arguments, rng=rng(3).spawn(1)[0], dtype=np.float64)
    with torch.no_grad():
        q = reference.network(theta)(torch.from_numpy(targets.inputs)).squeeze(1).numpy()
    error = np.abs(q - targets.q_star.ravel()[targets.pairs]).max()
    assert runs.errors[0, -1] == pytest.approx(error, rel=1e-3)


def test_parameters_and_network_are_inverse_to_each_other():
    theta = initial_parameters(rng())
    assert theta.dtype == np.float32 and theta.size == NUM_PARAMETERS == 257
    assert np.array_equal(reference.parameters(reference.network(theta)), theta)


def test_initial_parameters_have_the_distribution_of_new_pytorch_layers():
    """Uniform on (−b, b): the largest of n numbers is above b (1 − 10/n) with 1 − e^−10."""
    torch.manual_seed(0)
    num_draws = 400
    layers = [
        nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
        for _ in range(num_draws)
    ]
    theirs = np.array([reference.parameters(one) for one in layers])
    ours = np.array([initial_parameters(rng(seed)) for seed in range(num_draws)])
    for group, bound in (
        (slice(0, 2 * HIDDEN), 2**-0.5),
        (slice(2 * HIDDEN, 3 * HIDDEN), 2**-0.5),
        (slice(3 * HIDDEN, 4 * HIDDEN), HIDDEN**-0.5),
        (slice(4 * HIDDEN, None), HIDDEN**-0.5),
    ):
        for draws in (ours[:, group], theirs[:, group]):
            assert bound * (1 - 10 / draws.size) < np.abs(draws).max() <= bound * (1 + 1e-6)
            spread = bound / np.sqrt(3)
            assert abs(draws.mean()) < 4 * spread / np.sqrt(draws.size)
            # The variance of x² is 4 b⁴ / 45.
            deviation = np.sqrt(4 / 45 / draws.size) * bound**2
            assert abs((draws**2).mean() - spread**2) < 4 * deviation


# --- what must coincide ---------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [None, 5])
@pytest.mark.parametrize("optimiser", [Sgd(0.05), Adam(1e-3)])
def test_a_target_network_that_never_lags_is_none(batch_size, optimiser):
    arguments = {"optimiser": optimiser, "num_updates": 300, "batch_size": batch_size}
    plain = train_network([ONE_STEP], **arguments, rng=rng())
    for target_network in (CopyEvery(1), MovingAverage(1.0)):
        for double in (False, True):
            lagging = train_network(
                [ONE_STEP], **arguments, target_network=target_network, double=double, rng=rng()
            )
            assert same(plain, lagging)


def test_double_q_differs_once_the_target_network_lags():
    arguments = {"optimiser": Sgd(0.1), "num_updates": 300, "target_network": MovingAverage(0.01)}
    single = train_network([LOCK], **arguments, rng=rng())
    double = train_network([LOCK], **arguments, double=True, rng=rng())
    assert not same(single, double)


def test_until_the_first_copy_the_targets_stand_still():
    """With frozen targets the run is a regression on T Q_0, whatever the period beyond it."""
    arguments = {"optimiser": Sgd(0.1), "num_updates": 100}
    short, long = (
        train_network([ONE_STEP], **arguments, target_network=CopyEvery(period), rng=rng())
        for period in (100, 10_000)
    )
    assert same(short, long)
    longer = {"optimiser": Sgd(0.1), "num_updates": 101}
    short, long = (
        train_network([ONE_STEP], **longer, target_network=CopyEvery(period), rng=rng())
        for period in (100, 10_000)
    )
    assert not same(short, long)


def test_a_batch_of_every_pair_is_the_full_batch():
    arguments = {"optimiser": Sgd(0.1), "num_updates": 200}
    full = train_network([ONE_STEP], **arguments, rng=rng())
    replay = train_network([ONE_STEP], **arguments, batch_size=16, rng=rng())
    assert same(full, replay)


def test_a_run_depends_on_its_own_child_alone():
    arguments = {"optimiser": Sgd(0.05), "num_updates": 200, "batch_size": 4}
    few = train_network([ONE_STEP] * 2, **arguments, rng=rng())
    many = train_network([ONE_STEP] * 5, **arguments, rng=rng())
    assert np.array_equal(few.tables, many.tables[:2])
    assert len({tuple(theta) for theta in many.theta.tolist()}) == 5


def test_two_calls_with_one_generator_are_one_call_with_all_seeds():
    """So a band over many seeds can be shown while it grows."""
    arguments = {"optimiser": Sgd(0.05), "num_updates": 100, "batch_size": 4}
    generator = rng()
    parts = [train_network([ONE_STEP] * 2, **arguments, rng=generator) for _ in range(2)]
    together = train_network([ONE_STEP] * 4, **arguments, rng=rng())
    assert np.array_equal(np.concatenate([part.tables for part in parts]), together.tables)


def test_to_first_order_an_update_is_the_tabular_one_through_the_tangent_kernel():
    """ΔQ = α K (T Q − Q) / N + O(α²) with K = ∇Q ∇Qᵀ; a table has K = I. The rate is the slope."""
    layers = reference.network(initial_parameters(rng().spawn(1)[0]))
    rows = []
    for q in layers(torch.from_numpy(ONE_STEP.inputs.astype(np.float32))).squeeze(1):
        gradients = torch.autograd.grad(q, list(layers.parameters()), retain_graph=True)
        rows.append(torch.cat([g.flatten() for g in gradients]).numpy().astype(float))
    K = np.array(rows) @ np.array(rows).T
    alphas, remainders = np.array([0.04, 0.02, 0.01]), []
    for alpha in alphas:
        runs = train_network(
            [ONE_STEP], optimiser=Sgd(alpha), num_updates=1, record_at=np.array([0, 1]), rng=rng()
        )
        q, q_next = runs.tables[0].reshape(2, -1)[:, ONE_STEP.pairs]
        target = bellman_optimality(STAY, runs.tables[0, 0], gamma=GAMMA).ravel()[ONE_STEP.pairs]
        first_order = alpha * K @ (target - q) / q.size
        remainders.append(np.abs(q_next - q - first_order).max())
        assert remainders[-1] < 0.2 * np.abs(first_order).max()
    slope = np.polyfit(np.log(alphas), np.log(remainders), 1)[0]
    assert slope == pytest.approx(2, abs=0.2)


def test_where_q_star_can_be_represented_it_is_the_limit():
    targets = bootstrapped_targets(chain(2, second="stay"), gamma=GAMMA)
    runs = train_network([targets] * 5, optimiser=Sgd(0.1), num_updates=5_000, rng=rng())
    assert runs.status == ("converged",) * 5
    assert runs.errors[:, -1].max() < 1e-4
