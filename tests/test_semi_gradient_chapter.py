"""What the chapter on semi and full gradients can state, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_book import grid
from qlearn_book.figures import semi_gradient as figure
from qlearn_core.behaviours import UniformPairs
from qlearn_core.environments import chain
from qlearn_core.experiments import semi_gradient as experiment
from qlearn_core.features import tabular_features
from qlearn_core.linear import residual_gradient_q, semi_gradient_q
from qlearn_core.mean_updates import expected_residual_gradient_q, expected_semi_gradient_q
from qlearn_core.planning import optimal_q
from qlearn_core.weightings import uniform_weighting

GAMMAS = (0.5, 0.8, 0.9)


@pytest.mark.claim("tabular-gradients-equal")
@pytest.mark.parametrize("gamma", GAMMAS)
def test_without_chance_both_gradients_have_one_limit_and_the_full_one_is_slower(gamma):
    record = experiment.descent(gamma, 0.0, 0.25)
    assert np.array_equal(record.full, record.two_samples)
    assert record.semi[-1] < 1e-6 and record.full[-1] < 1e-6
    first = [np.argmax(errors < 0.1) for errors in (record.semi, record.full)]
    assert record.sweeps[first[0]] < record.sweeps[first[1]]


@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_full_gradient_lags_the_more_the_larger_the_discount(gamma):
    lag = {0.5: (13, 20), 0.8: (32, 100), 0.9: (40, 200)}  # in steps of the recorded sweeps
    record = experiment.descent(gamma, 0.0, 0.25)
    assert (
        tuple(record.sweeps[np.argmax(e < 0.1)] for e in (record.semi, record.full)) == lag[gamma]
    )


@pytest.mark.parametrize(("goal", "semi", "full"), [("terminal", 33, 160), ("loop", 92, 5_342)])
def test_the_sweeps_to_a_tenth_of_the_error(goal, semi, full):
    mdp = chain(5, goal=goal)
    largest = optimal_q(mdp, gamma=0.9).max()
    for method, sweeps in ((expected_semi_gradient_q, semi), (expected_residual_gradient_q, full)):
        run = method(
            mdp, tabular_features(mdp), uniform_weighting(mdp), gamma=0.9, alpha=0.25,
            num_updates=10 * sweeps, record_at=[10 * (sweeps - 1), 10 * sweeps],
        )  # fmt: skip
        assert run.errors[1] < 0.1 * largest <= run.errors[0]


@pytest.mark.parametrize(
    ("gamma", "depth", "left"), [(0.9, 5, 0.418), (0.8, 5, 0.0046), (0.9, 2, 0.202)]
)
def test_in_the_loop_the_discount_decides_how_much_is_left(gamma, depth, left):
    record = experiment.descent(gamma, 0.0, 0.25, depth=depth, goal="loop")
    assert record.full[-1] == pytest.approx(left, rel=0.01)


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_the_verdicts_are_the_same_at_every_depth(depth):
    calm, slipping = (experiment.descent(0.9, slip, 0.25, depth=depth) for slip in (0.0, 0.1))
    assert max(calm.semi[-1], calm.full[-1], slipping.semi[-1], slipping.two_samples[-1]) < 1e-4
    assert slipping.full[-1] > 0.1


def test_one_update_of_the_full_gradient_moves_the_next_entry_and_a_self_loop_hardly_at_all():
    gamma, alpha = 0.9, 0.5
    arguments = {
        "gamma": gamma, "alpha": alpha, "num_updates": 1, "behaviour": UniformPairs(),
    }  # fmt: skip
    loop = chain(1, goal="loop")  # back leads to the state, forward too, and pays 1
    for seed in range(10):
        semi, full = (
            method(
                loop, tabular_features(loop), **arguments, w0=np.array([0.0, 1.0]),
                rng=np.random.default_rng(seed),
            ).w
            for method in (semi_gradient_q, residual_gradient_q)
        )  # fmt: skip
        moved = semi - [0, 1], full - [0, 1]
        if moved[0][1]:  # forward: TD error 0.9, and its own maximiser
            assert moved[0] == pytest.approx([0, 0.45])
            assert moved[1] == pytest.approx([0, 0.45 * (1 - gamma)])
        else:  # back: TD error 0.9, and the other entry pays for it
            assert moved[0] == pytest.approx([0.45, 0])
            assert moved[1] == pytest.approx([0.45, -gamma * 0.45])


def test_a_self_loop_makes_the_full_gradient_slower_by_far():
    record = experiment.descent(0.9, 0.0, 0.25, goal="loop")
    assert record.sweeps[np.argmax(record.semi < 0.1)] <= 100
    assert record.full[-1] > 0.4  # after 2,000 sweeps


@pytest.mark.claim("tabular-gradients-equal")
@pytest.mark.parametrize(("gamma", "bias"), [(0.5, 0.044), (0.9, 0.205)])
def test_with_chance_the_full_gradient_ends_elsewhere_and_two_samples_bring_it_back(gamma, bias):
    record = experiment.descent(gamma, 0.1, 0.25)
    assert record.semi[-1] < 1e-6 and record.two_samples[-1] < 1e-4
    assert record.full[-1] == pytest.approx(bias, abs=0.001)


def test_the_bias_grows_with_chance():
    limits = [experiment.descent(0.9, slip, 0.25).full[-1] for slip in (0.0, 0.1, 0.2, 0.3)]
    assert (np.diff(limits) > 0).all()
    assert limits[-1] == pytest.approx(0.38, abs=0.01)  # a minimum in a kink: it never quite rests


def test_sampled_runs_tell_the_same_on_every_seed():
    omega, num_updates = 0.6, 100_000
    record = experiment.sampled_descent(0.9, omega, num_updates=num_updates, num_seeds=10)
    finals = [errors[:, -1] for errors in (record.semi, record.full, record.two_samples)]
    assert (finals[0] < finals[1]).all() and (finals[2] < finals[1]).all()
    assert max(finals[0].max(), finals[2].max()) < 0.1 < 0.15 < finals[1].min()
    full = finals[1]
    standard_error = full.std(ddof=1) / np.sqrt(full.size)
    last_step = (num_updates / 10) ** -omega  # a step size α biases the error by its order
    limit = experiment.descent(0.9, 0.1, 0.25).full[-1]
    assert abs(full.mean() - limit) < 4 * standard_error + last_step


def test_every_method_meets_the_same_noise():
    one, two = (experiment.sampled_descent(0.9, 0.7, num_updates=1000) for _ in range(2))
    assert np.array_equal(one.full, two.full)
    calm = experiment.sampled_descent(0.0, 0.7, num_updates=1000)
    assert np.array_equal(calm.semi, calm.full)  # without a discount there is no target to descend


@pytest.mark.claim("extra-entry-harmless")
@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("chance", [0.3, 0.5])
def test_the_split_moves_b_and_c_towards_each_other(gamma, chance):
    record = experiment.split(gamma, chance)
    assert record.true == pytest.approx([gamma * chance, 1, 0])
    assert record.semi == pytest.approx(record.true, abs=1e-6)
    assert record.two_samples == pytest.approx(record.true, abs=1e-4)
    assert record.full[0] == pytest.approx(gamma * chance, abs=1e-6)
    assert record.full[1] - record.full[2] == pytest.approx(_gap(gamma, chance), abs=1e-6)


def _gap(gamma: float, chance: float) -> float:
    """B − C where the sampled loss is least, by its normal equations."""
    visits = np.array([1, chance, 1 - chance]) / 2
    rows = [
        (visits[0] * chance, [-1, gamma, 0], 0),
        (visits[0] * (1 - chance), [-1, 0, gamma], 0),
        (visits[1], [0, 1, 0], 1),
        (visits[2], [0, 0, 1], 0),
    ]
    root = np.sqrt([weight for weight, *_ in rows])
    matrix, target = np.array([row for _, row, _ in rows]), np.array([y for *_, y in rows])
    values = np.linalg.lstsq(root[:, None] * matrix, root * target, rcond=None)[0]
    return values[1] - values[2]


def test_the_gap_of_the_split_has_a_closed_form():
    for gamma in (0.0, 0.5, 0.9):
        for chance in (0.2, 0.5):
            record = experiment.split(gamma, chance)
            assert record.full[1] - record.full[2] == pytest.approx(1 / (1 + gamma**2), abs=1e-6)


# --- the two biases -------------------------------------------------------------------------------


@pytest.mark.claim("target-biased-either-way")
@pytest.mark.parametrize("gamma", GAMMAS)
def test_both_targets_begin_with_the_same_bias_and_only_the_semi_gradient_loses_it(gamma):
    record = experiment.biases(gamma, 0.1)
    assert record.semi_target[0] == record.full_target[0] > 0.4
    assert (np.diff(record.semi_target) <= 0).all() and record.semi_target[-1] < 1e-8
    assert record.full_target[-1] > 0.018
    calm = experiment.biases(gamma, 0.0)
    assert calm.full_target[-1] < 0.02


@pytest.mark.claim("gradient-bias")
@pytest.mark.parametrize(("gamma", "table", "shared"), [(0.5, 83, 92), (0.9, 90, 142)])
def test_the_directions_differ_in_a_table_too_and_may_oppose_each_other(gamma, table, shared):
    record = experiment.biases(gamma, 0.1)
    assert np.nanmax(record.table_angle) == pytest.approx(table, abs=0.5)
    assert np.nanmax(record.shared_angle) == pytest.approx(shared, abs=0.5)
    assert np.nanmin(record.table_angle) > 5 and np.nanmin(record.shared_angle) > 2


@pytest.mark.parametrize("gamma", [0.7, 0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("slip", [0.0, 0.1, 0.3])
def test_with_shared_parameters_the_semi_gradient_climbs_at_times_from_0_7_on(gamma, slip):
    assert np.nanmax(experiment.biases(gamma, slip).shared_angle) > 90


def test_at_a_zero_discount_there_is_one_direction():
    record = experiment.biases(0.0, 0.1)
    assert np.nanmax(record.table_angle) < 1e-4 and np.nanmax(record.shared_angle) < 1e-4


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_the_drawings_are_finite_and_keep_to_their_axes(gamma):
    drawings = [
        figure.two_gradients(experiment.descent(gamma, 0.1, 0.25)),
        figure.sampled(experiment.sampled_descent(gamma, 0.6)),
        figure.split(experiment.split(gamma)),
        figure.target_bias(experiment.biases(gamma, 0.0)),
        figure.angle(experiment.biases(gamma, 0.0)),
    ]
    for drawing in drawings:
        assert drawing["layout"]["meta"]["summary"] and "nan" not in str(grid.plain(drawing))


def test_the_sentences_name_what_is_drawn():
    full = figure.two_gradients(experiment.descent(0.9, 0.1, 0.25))["layout"]["meta"]["summary"]
    assert "semi-gradient leaves less than 0.0001" in full and "full gradient 0.2 " in full
    split = figure.split(experiment.split(0.9))["layout"]["meta"]["summary"]
    assert "gives B 0.78 and C 0.22" in split
