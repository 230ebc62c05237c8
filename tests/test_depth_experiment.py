"""Depth and the 257-parameter network: 20 seeds, medians with intervals, slopes as rates.

The interval of a median of 20 runs is the one between the 6th and the 15th of them in order: it
covers the true median with 95.9 % whatever the distribution (binomial).
"""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core import chain, optimal_q
from qlearn_core.experiments import depth as experiment

NUM_SEEDS = 20


def interval(values):
    ordered = np.sort(values)
    assert ordered.size == NUM_SEEDS
    return ordered[5], ordered[14]


def log_slope(depths, times):
    """Least-squares slope of log(median time) against log(depth)."""
    return np.polyfit(np.log(depths), np.log(np.median(times, axis=1)), 1)[0]


@pytest.mark.parametrize("depth", [2, 3, 8, 33])
def test_with_its_own_discount_q_star_has_the_same_shape_at_every_depth(depth):
    gamma = experiment.equal_shape_gamma(depth)
    q_star = optimal_q(chain(depth, second="stay"), gamma=gamma)
    x = np.arange(depth) / (depth - 1)
    assert q_star[:-1, 1] == pytest.approx(0.5 ** (1 - x), rel=1e-12)


def test_a_single_state_has_no_shape():
    with pytest.raises(ValueError, match="depth must be an integer >= 2, but is 1"):
        experiment.equal_shape_gamma(1)


@pytest.mark.parametrize("depth", [1, 2, 8, 32])
def test_value_iteration_carries_the_reward_one_state_per_sweep(depth):
    assert experiment.sweeps_until_exact(depth) == depth


@pytest.mark.parametrize("period", [20, 100])
def test_with_equal_shapes_the_time_grows_like_the_depth_times_the_period(period):
    """One state per copy is the least: after k copies q of the first state knows k rewards ahead.

    The time is D periods times a constant; the slope of the medians is 1 up to the few updates
    that every fit takes on top.
    """
    depths = (4, 8, 16, 32)
    times = experiment.hitting_times(depths, 0.1, period=period, num_updates=6_000)
    assert log_slope(depths, times.bootstrapped) == pytest.approx(1, abs=0.15)
    assert (np.diff(times.bootstrapped, axis=0) > 0).mean() > 0.9
    for depth, values in zip(depths, times.bootstrapped, strict=True):
        low, high = interval(values)
        assert 0.5 * depth * period < low <= high < 2.5 * depth * period


def test_with_equal_shapes_the_control_does_not_see_the_depth():
    depths = (4, 8, 16, 32)
    times = experiment.hitting_times(depths, 0.1, num_updates=6_000)
    for values in times.supervised:
        assert interval(values)[1] < 50
    assert abs(log_slope(depths, times.supervised)) < 0.3
    assert log_slope(depths, times.bootstrapped) > 0.7


def test_with_one_discount_bootstrapping_and_the_steeper_shape_both_cost_time():
    """γ = 0.9, D = 2 and 32: the control alone gets slower by two orders of magnitude."""
    times = experiment.hitting_times((2, 32), 0.1, gamma=0.9, num_updates=60_000)
    (short, long), (short_control, long_control) = times.bootstrapped, times.supervised
    assert interval(long)[0] > 100 * interval(short)[1]
    assert interval(long_control)[0] > 30 * interval(short_control)[1]
    assert interval(long / long_control)[0] > 2
    assert np.isfinite(long).all()


def test_the_deep_corridor_is_a_delay_and_not_a_floor():
    curves = experiment.learning_curves(0.9, 32, 0.1, num_updates=60_000, num_seeds=NUM_SEEDS)
    late = curves.steps >= 5_000
    errors = np.median(curves.bootstrapped[:, late], axis=0)
    assert (np.diff(errors) < 0).mean() > 0.9
    assert errors[-1] < 0.25 * errors[0]
    assert (np.median(curves.supervised[:, late], axis=0) < errors).all()


def test_the_control_starts_where_the_network_starts():
    curves = experiment.learning_curves(0.7, 5, 0.05, num_updates=50, num_seeds=4, seed=3)
    assert np.array_equal(curves.bootstrapped[:, 0], curves.supervised[:, 0])
    assert not np.array_equal(curves.bootstrapped[:, -1], curves.supervised[:, -1])
    again = experiment.learning_curves(0.7, 5, 0.05, num_updates=50, num_seeds=2, seed=3)
    assert np.array_equal(curves.bootstrapped[:2], again.bootstrapped)
