"""Every number and every ordering that the chapter on depth states, measured.

20 seeds, medians with intervals, slopes as rates. The interval of a median of 20 runs is the one
between the 6th and the 15th of them in order: it covers the true median with 95.9 % whatever the
distribution (binomial).
"""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_book import grid
from qlearn_book.figures import depth as figure
from qlearn_core import CopyEvery, Sgd, bootstrapped_targets, chain, optimal_q, train_network
from qlearn_core.experiments import depth as experiment
from qlearn_core.neural import NUM_PARAMETERS
from qlearn_core.planning import iterate

NUM_SEEDS = 20


def interval(values):
    ordered = np.sort(values)
    assert ordered.size == NUM_SEEDS
    return ordered[5], ordered[14]


def log_slope(depths, times):
    """Least-squares slope of log(median time) against log(depth)."""
    return np.polyfit(np.log(depths), np.log(np.median(times, axis=1)), 1)[0]


@pytest.fixture(scope="module")
def one_discount():
    """γ = 0.9 at D = 2, 8 and 32, without a target network, as long as the slowest needs."""
    return experiment.hitting_times(
        alpha=0.1, period=1, depths=(2, 8, 32), gamma=0.9, num_updates=60_000, num_seeds=NUM_SEEDS
    )


@pytest.fixture(scope="module")
def one_shape():
    """The clean design with a copy every 100 updates."""
    return experiment.hitting_times(alpha=0.1, period=100, num_seeds=NUM_SEEDS)


# --- one discount for all depths ------------------------------------------------------------------


@pytest.mark.claim("deeper-chains-harder")
def test_at_one_discount_the_deeper_corridor_takes_longer(one_discount):
    medians = np.median(one_discount.bootstrapped, axis=1)
    assert medians == pytest.approx([18.5, 57, 18_680], rel=1e-3)
    assert interval(one_discount.bootstrapped[2])[0] > 100 * interval(
        one_discount.bootstrapped[1]
    )[1]  # fmt: skip
    assert interval(one_discount.bootstrapped[1])[0] > np.median(one_discount.bootstrapped[0])
    assert np.isfinite(one_discount.bootstrapped).all()


@pytest.mark.claim("deeper-chains-harder")
def test_at_one_discount_most_of_the_slowdown_is_in_the_control_too(one_discount):
    own, control = (
        np.median(t, axis=1) for t in (one_discount.bootstrapped, one_discount.supervised)
    )
    assert control == pytest.approx([13, 13, 2_990], rel=1e-3)
    assert own[2] / own[1] == pytest.approx(330, abs=5)
    assert control[2] / control[1] == pytest.approx(230, abs=5)
    # Bootstrapping has a part of its own: it is slower than its control, seed by seed.
    assert interval(one_discount.bootstrapped[2] / one_discount.supervised[2])[0] > 2


@pytest.mark.claim("enough-capacity")
def test_257_parameters_represent_the_true_values_nearly_exactly():
    assert NUM_PARAMETERS == 257 == 2 * 64 + 64 + 64 + 1
    ends = []
    for depth in (2, 8, 32):
        curves = experiment.learning_curves(
            gamma=0.9, depth=depth, alpha=0.1, period=1, num_updates=60_000, num_seeds=NUM_SEEDS
        )
        ends.append(np.median(curves.supervised[:, -1]))
    assert ends == sorted(ends)
    assert ends[-1] == pytest.approx(0.013, abs=5e-4)


def test_the_deep_corridor_is_a_delay_and_not_a_floor():
    curves = experiment.learning_curves(
        gamma=0.9, depth=32, alpha=0.1, period=1, num_updates=60_000, num_seeds=NUM_SEEDS
    )
    late = curves.steps >= 5_000
    errors = np.median(curves.bootstrapped[:, late], axis=0)
    assert (np.diff(errors) < 0).mean() > 0.9
    assert errors[-1] < 0.25 * errors[0]
    assert errors[-1] == pytest.approx(0.04, abs=0.005)
    assert (np.median(curves.supervised[:, late], axis=0) < errors).all()


@pytest.mark.parametrize(("depth", "slope"), [(2, 0.1), (8, 0.7), (32, 3.3)])
def test_the_slope_at_the_rewarded_end_is_the_depth_times_the_log_of_the_discount(depth, slope):
    x = 1 - np.array([0, 1e-6])
    values = 0.9 ** ((depth - 1) * (1 - x))
    assert (values[0] - values[1]) / 1e-6 == pytest.approx((depth - 1) * -np.log(0.9), rel=1e-4)
    assert (depth - 1) * -np.log(0.9) == pytest.approx(slope, abs=0.05)
    q_star = optimal_q(chain(depth, second="stay"), gamma=0.9)[:-1, 1]
    states = np.arange(depth) / (depth - 1)
    assert q_star == pytest.approx(0.9 ** ((depth - 1) * (1 - states)), rel=1e-12)


def test_a_longer_horizon_makes_the_deep_corridor_quicker():
    """Exercise 1: the flatter function is easier to fit; what is left is the travelling."""
    steep, flat = (
        experiment.learning_curves(gamma=gamma, depth=32, alpha=0.1, period=1)
        for gamma in (0.9, 0.99)
    )
    control = [r.steps[(r.supervised[0] < 0.1).argmax()] for r in (steep, flat)]
    assert control == [2_477, 39]
    assert not (steep.bootstrapped < 0.1).any()
    assert flat.steps[(flat.bootstrapped[0] < 0.1).argmax()] == 210
    assert 31 * -np.log(0.99) == pytest.approx(0.3, abs=0.05)


def test_the_control_starts_where_the_network_starts():
    settings = {"gamma": 0.7, "depth": 5, "alpha": 0.05, "period": 1, "num_updates": 50, "seed": 3}
    curves = experiment.learning_curves(**settings, num_seeds=4)
    assert np.array_equal(curves.bootstrapped[:, 0], curves.supervised[:, 0])
    assert not np.array_equal(curves.bootstrapped[:, -1], curves.supervised[:, -1])
    again = experiment.learning_curves(**settings, num_seeds=2)
    assert np.array_equal(curves.bootstrapped[:2], again.bootstrapped)


def test_a_copy_after_every_update_is_no_target_network():
    targets = [bootstrapped_targets(chain(8, second="stay"), gamma=0.9)]
    none, every = (
        train_network(
            targets,
            optimiser=Sgd(0.1),
            num_updates=500,
            target_network=target_network,
            rng=np.random.default_rng(0),
        )
        for target_network in (None, CopyEvery(1))
    )
    assert np.array_equal(none.theta, every.theta)


# --- one shape at every depth ---------------------------------------------------------------------


@pytest.mark.parametrize("depth", [2, 3, 8, 33])
def test_with_its_own_discount_q_star_has_the_same_shape_at_every_depth(depth):
    gamma = experiment.equal_shape_gamma(depth)
    q_star = optimal_q(chain(depth, second="stay"), gamma=gamma)
    x = np.arange(depth) / (depth - 1)
    assert q_star[:-1, 1] == pytest.approx(0.5 ** (1 - x), rel=1e-12)


def test_a_single_state_has_no_shape():
    with pytest.raises(ValueError, match="depth must be an integer >= 2, but is 1"):
        experiment.equal_shape_gamma(1)


@pytest.mark.claim("deeper-chains-harder")
def test_with_equal_shapes_a_state_costs_one_copy(one_shape):
    """The time is D periods times a constant: slope 1, up to the few updates of the last fit."""
    medians = np.median(one_shape.bootstrapped, axis=1)
    assert medians == pytest.approx([210, 433, 933, 1_918, 3_765], abs=1)
    per_state = medians / (100 * np.array(one_shape.depths))
    assert (per_state > 1.045).all() and (per_state < 1.205).all()
    assert log_slope(one_shape.depths, one_shape.bootstrapped) == pytest.approx(1, abs=0.1)
    assert (np.diff(one_shape.bootstrapped, axis=0) > 0).mean() > 0.9


@pytest.mark.parametrize("period", [50, 200])
def test_the_time_grows_with_the_period_as_with_the_depth(period):
    times = experiment.hitting_times(alpha=0.1, period=period, num_seeds=NUM_SEEDS)
    for depth, values in zip(times.depths[1:], times.bootstrapped[1:], strict=True):
        low, high = interval(values)
        assert 0.9 * depth * period < low <= high < 1.5 * depth * period


@pytest.mark.claim("deeper-chains-harder")
def test_with_equal_shapes_the_control_does_not_see_the_depth(one_shape):
    for values in one_shape.supervised:
        assert 10 <= np.median(values) < 20
        assert interval(values)[1] < 50
    assert abs(log_slope(one_shape.depths, one_shape.supervised)) < 0.3
    assert log_slope(one_shape.depths, one_shape.bootstrapped) > 0.7


def test_with_a_short_period_a_state_costs_more_copies_and_fewer_updates(one_shape):
    short = experiment.hitting_times(alpha=0.1, period=10, num_seeds=NUM_SEEDS)
    medians = np.median(short.bootstrapped, axis=1)
    assert 1.2 < np.median(medians / (10 * np.array(short.depths))) < 1.8
    assert (medians < 0.35 * np.median(one_shape.bootstrapped, axis=1)).all()


def test_with_a_long_period_the_learning_rate_hardly_matters_and_without_copies_it_does():
    """Exercise 2, at D = 16."""
    for period, least, most in ((200, 1.0, 1.3), (1, 5.0, 20.0)):
        slow, fast = (
            np.median(experiment.hitting_times(alpha=alpha, period=period).bootstrapped[3])
            for alpha in (0.03, 0.3)
        )
        assert least <= slow / fast <= most


# --- news on its way ------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [1, 2, 8, 32])
@pytest.mark.claim("depth-sweeps")
def test_value_iteration_carries_the_reward_one_state_per_sweep(depth):
    assert experiment.sweeps_until_exact(depth) == depth


def test_the_table_has_a_sharp_front_and_the_network_has_none():
    record = experiment.front(depth=16, alpha=0.1, period=100, copies=8)
    behind = record.distance <= 8
    assert record.table[behind] == pytest.approx(record.optimum[behind], rel=1e-12)
    assert not record.table[~behind].any()
    assert record.network[-1] == pytest.approx(0.067, abs=1e-3)
    assert record.optimum[-1] == pytest.approx(0.5, rel=1e-12)
    assert (np.abs(record.network - record.optimum)[behind] > 1e-3).all()


def test_network_and_table_arrive_together_give_or_take():
    records = [
        experiment.front(depth=16, alpha=0.1, period=100, copies=k) for k in range(1, 25)
    ]  # fmt: skip
    exact = [np.abs(r.table - r.optimum).max() < 1e-12 for r in records]
    close = [np.abs(r.network - r.optimum).max() < 0.1 for r in records]
    assert exact.index(True) + 1 == 16
    assert close.index(True) + 1 == 17


def test_in_the_order_from_the_end_one_sweep_is_enough():
    """Exercise 3."""
    mdp = chain(16, second="stay")
    q = np.zeros_like(mdp.r)
    for s in range(15, -1, -1):
        q[s, 1] = mdp.r[s, 1] + 0.9 * q[s + 1].max()
    assert q[:, 1] == pytest.approx(optimal_q(mdp, gamma=0.9)[:, 1], abs=1e-12)
    assert not iterate(mdp, gamma=0.9, num_sweeps=1)[-1, :-2].any()


# --- drawings -------------------------------------------------------------------------------------


def test_the_drawings_say_what_they_show():
    curves = experiment.learning_curves(gamma=0.9, depth=32, alpha=0.1, period=1)
    assert figure.curves(curves)["layout"]["meta"]["summary"] == (
        "At γ = 0.9 and D = 32: own targets: not below 0.1 within 10,000 updates, in the end 0.14; "
        "control: below 0.1 from update 2,477, in the end 0.038."
    )
    front = experiment.front(depth=16, alpha=0.1, period=100, copies=8)
    assert figure.front(front)["layout"]["meta"]["summary"] == (
        "After 8 sweeps 8 of 16 entries of the table are exact; after 8 copies, 800 updates, "
        "5 of the network's are within 0.1."
    )


def test_a_run_that_diverges_says_so_and_draws_nothing_that_is_not_a_number():
    curves = experiment.learning_curves(gamma=0.99, depth=4, alpha=30.0, period=1)
    assert np.isinf(curves.bootstrapped[0, -1])
    drawing = figure.curves(curves)
    assert "own targets: diverged before update" in drawing["layout"]["meta"]["summary"]
    drawn = grid.plain(drawing)
    assert all(y is None or 0 < y <= 20 for trace in drawn["data"] for y in trace["y"])


def test_times_beyond_the_budget_are_gaps_and_are_said_to_be_longer():
    times = experiment.hitting_times(alpha=0.1, period=100, num_updates=500)
    drawing = figure.scaling(times)
    assert "more than 500 updates with own targets" in drawing["layout"]["meta"]["summary"]
    assert np.isnan(drawing["data"][1]["y"][-1])
