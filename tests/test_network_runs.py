"""Runs of the network: their records, how they end, and the arguments that are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qlearn_core import chain, combination_lock, greedy, optimal_q
from qlearn_core import neural_reference as reference
from qlearn_core.neural import (
    DIVERGENCE,
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
torch.set_num_threads(1)


def rng(seed=0):
    return np.random.default_rng(seed)


# --- records --------------------------------------------------------------------------------------


def test_a_record_holds_tables_errors_and_bias_that_agree():
    steps = np.array([0, 10, 400])
    runs = train_network(
        [ONE_STEP] * 3, optimiser=Sgd(0.1), num_updates=500, record_at=steps, rng=rng()
    )
    q_star = optimal_q(STAY, gamma=GAMMA)
    assert runs.tables.shape == (3, 3, 9, 2) and runs.theta.shape == (3, 257)
    assert np.array_equal(runs.steps, steps)
    assert (runs.tables[:, :, STAY.terminal] == 0).all()
    assert np.array_equal(runs.errors, np.abs(runs.tables - q_star).max(axis=(2, 3)))
    assert np.array_equal(runs.bias, runs.tables[:, -1] - q_star)
    for seed, child in enumerate(rng().spawn(3)):
        layers = reference.network(initial_parameters(child))
        with torch.no_grad():
            q = layers(torch.from_numpy(ONE_STEP.inputs.astype(np.float32))).squeeze(1).numpy()
        assert runs.tables[seed, 0].ravel()[ONE_STEP.pairs] == pytest.approx(q, abs=1e-6)


def test_the_last_parameters_are_those_after_all_updates():
    arguments = {"optimiser": Sgd(0.1), "num_updates": 50}
    early = train_network([ONE_STEP], **arguments, record_at=np.array([0]), rng=rng())
    late = train_network([ONE_STEP], **arguments, rng=rng())
    assert np.array_equal(early.theta, late.theta)


def test_a_diverging_run_says_so_and_leaves_the_others_alone():
    """A step size for which seeds differ in their fate: every number stays a number or inf."""
    runs = train_network([ONE_STEP] * 20, optimiser=Sgd(2.0), num_updates=500, rng=rng())
    gone = runs.diverged_at >= 0
    assert 0 < gone.sum() < 20
    assert not np.isnan(runs.tables).any() and not np.isnan(runs.errors).any()
    assert np.array_equal(np.array(runs.status) == "diverged", gone)
    for seed in range(20):
        before = ~gone[seed] | (runs.steps < runs.diverged_at[seed])
        assert np.array_equal(np.isfinite(runs.errors[seed]), before)
        assert np.abs(runs.tables[seed, before]).max() <= DIVERGENCE
    slow = train_network([ONE_STEP], optimiser=Sgd(1e30), num_updates=9, rng=rng())
    assert slow.status == ("diverged",) and slow.diverged_at[0] == 1


def test_a_run_has_converged_when_its_last_error_is_within_the_tolerance():
    arguments = {"optimiser": Sgd(0.1), "num_updates": 300, "rng": rng()}
    runs = train_network([ONE_STEP], **arguments)
    error = runs.errors[0, -1] / np.abs(ONE_STEP.q_star).max()
    for tol, status in ((error * 1.001, "converged"), (error * 0.999, "running")):
        again = train_network([ONE_STEP], **(arguments | {"rng": rng()}), tol=tol)
        assert again.status == (status,)


def test_hitting_times_are_the_first_recorded_counts_below_the_threshold():
    runs = train_network([ONE_STEP] * 3, optimiser=Sgd(0.1), num_updates=300, rng=rng())
    hits = runs.hitting_times(0.2)
    for seed in range(3):
        earlier = runs.steps < hits[seed]
        assert (runs.errors[seed, earlier] >= 0.2).all()
        assert runs.errors[seed, ~earlier][0] < 0.2
    assert np.isinf(runs.hitting_times(1e-9)).all()


def test_every_seed_may_have_targets_of_its_own():
    locks = [combination_lock(6, step_reward=-0.1, rng=rng(seed)) for seed in range(3)]
    targets = [bootstrapped_targets(lock, gamma=GAMMA) for lock in locks]
    together = train_network(targets, optimiser=Sgd(0.1), num_updates=100, rng=rng())
    for seed, lock in enumerate(locks):
        right = greedy(optimal_q(lock, gamma=GAMMA))
        assert np.array_equal(greedy(targets[seed].q_star), right)
        swapped = [targets[seed]] * 3
        alone = train_network(swapped, optimiser=Sgd(0.1), num_updates=100, rng=rng())
        assert np.array_equal(together.errors[seed], alone.errors[seed])


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, message",
    [
        ({"optimiser": 0.1}, r"optimiser must be Sgd\(alpha\) or Adam\(alpha\), but is 0.1"),
        ({"target_network": 5}, "target_network must be CopyEvery.* or None, but is 5"),
        ({"double": True}, "double needs a target network, but target_network is None"),
        ({"batch_size": 17}, "batch_size must be at most the 16 pairs .*, but is 17"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1, but is 0"),
        ({"num_updates": 0}, "num_updates must be an integer >= 1, but is 0"),
        ({"record_at": np.array([11])}, "record_at must be increasing integers .*num_updates=10"),
        ({"tol": -1}, "tol must be a number >= 0, but is -1"),
        ({"rng": 0}, "rng must be a numpy.random.Generator, but is 0"),
    ],
)
def test_a_bad_argument_is_named(change, message):
    arguments = {"optimiser": Sgd(0.1), "num_updates": 10, "rng": rng()} | change
    with pytest.raises(ValueError, match=message):
        train_network([ONE_STEP], **arguments)


@pytest.mark.parametrize(
    "targets, message",
    [
        ([], "targets must be a sequence of Targets, at least one, but is \\[\\]"),
        ([1], "targets must be a sequence of Targets"),
        (ONE_STEP, "targets must be a sequence of Targets"),
        ([ONE_STEP, bootstrapped_targets(chain(3), gamma=0.5)], r"but targets\[1\] has other ones"),
    ],
)
def test_targets_of_another_kind_are_refused(targets, message):
    with pytest.raises(ValueError, match=message):
        train_network(targets, optimiser=Sgd(0.1), num_updates=1, rng=rng())


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Sgd(0), "alpha must be a number > 0, but is 0"),
        (lambda: Adam(-1), "alpha must be a number > 0, but is -1"),
        (lambda: CopyEvery(0), "period must be an integer >= 1, but is 0"),
        (lambda: MovingAverage(1.5), r"tau must be a number in \(0, 1\], but is 1.5"),
        (lambda: bootstrapped_targets(STAY, gamma=1.0), r"gamma must be a number in \[0, 1\)"),
        (lambda: bootstrapped_targets(STAY, gamma=0.5, num_steps=0), "num_steps must be"),
        (
            lambda: bootstrapped_targets(STAY, gamma=0.5, inputs=np.zeros((9, 2))),
            r"inputs must have shape \(S, A, 2\) = \(9, 2, 2\), but has \(9, 2\)",
        ),
        (
            lambda: supervised_targets(STAY, gamma=0.5, inputs=np.full((9, 2, 2), np.nan)),
            r"inputs must be finite, but inputs\[0, 0, 0\] is nan",
        ),
    ],
)
def test_bad_settings_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
