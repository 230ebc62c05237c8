"""Every number and every ordering that the first chapter states, measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from qlearn_book import grid
from qlearn_book.figures import intro as figure
from qlearn_core.behaviours import UniformPairs
from qlearn_core.environments import combination_lock
from qlearn_core.experiments import intro as experiment
from qlearn_core.tabular import q_learning

# --- how far the news has travelled ---------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0])
def test_a_state_holds_the_binomial_share_of_its_true_value(gamma, alpha):
    for depth, sweeps in ((2, 1), (16, 30), (32, 64)):
        record = experiment.spread(gamma=gamma, depth=depth, alpha=alpha, sweeps=sweeps)
        share = binom.sf(record.distance - 1, sweeps, alpha)  # P(Bin >= distance)
        np.testing.assert_allclose(record.value, share * record.optimum, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    ("depth", "alpha", "needed"),
    [(16, 1.0, 16), (16, 0.5, 47), (16, 0.1, 262), (32, 0.5, 85), (32, 1.0, 32)],
)
@pytest.mark.claim("depth-sweeps")
def test_sweeps_until_all_states_are_close_do_not_depend_on_gamma(gamma, depth, alpha, needed):
    def close(k):
        return experiment.spread(gamma=gamma, depth=depth, alpha=alpha, sweeps=k).num_close

    assert close(needed) == depth
    assert close(needed - 1) < depth


def test_at_full_steps_the_news_moves_one_state_per_sweep():
    for sweeps in range(20):
        record = experiment.spread(gamma=0.95, depth=16, alpha=1.0, sweeps=sweeps)
        assert record.num_close == min(sweeps, 16)
        assert np.count_nonzero(record.value) == min(sweeps, 16)


def test_after_64_half_sweeps_the_farthest_of_32_states_has_55_percent():
    record = experiment.spread(gamma=0.9, depth=32, alpha=0.5, sweeps=64)
    assert record.value[-1] / record.optimum[-1] == pytest.approx(0.55, abs=0.005)


# --- depth and width ------------------------------------------------------------------------------


@pytest.mark.parametrize(("depth", "num_actions"), [(2, 2), (8, 2), (8, 4), (16, 2), (10, 3)])
def test_full_steps_need_depth_squared_times_actions_updates_on_average(depth, num_actions):
    num_runs, expected = 100, depth * depth * num_actions
    first = []
    for rng in np.random.default_rng(depth).spawn(num_runs):
        lock = combination_lock(depth, num_actions, rng=rng)
        run = q_learning(
            lock, gamma=0.9, alpha=1.0, num_updates=5 * expected, behaviour=UniformPairs(),
            rng=rng, record_at=np.arange(5 * expected + 1),
        )  # fmt: skip
        learned = run.tables[:, 0].max(axis=1) > 0
        assert learned.any()
        first.append(int(learned.argmax()))
    # a sum of `depth` geometric waiting times with chance 1 / (depth · num_actions)
    chance = 1 / (depth * num_actions)
    standard_error = np.sqrt(depth * (1 - chance)) / chance / np.sqrt(num_runs)
    assert abs(np.mean(first) - expected) < 4 * standard_error


def _growth(measure, gamma, alpha, seed, which):
    """Factor from size 16 to 32 and its standard error, from the spread over the seeds."""
    record = experiment.depth_width(
        num_seeds=21, gamma=gamma, alpha=alpha, tolerance=0.1, measure=measure, seed=seed
    )
    updates = getattr(record, f"{which}_updates")[:, -2:]
    assert np.isfinite(updates).all()
    factor = np.divide(*np.median(updates, axis=0)[::-1])
    relative = updates.std(axis=0, ddof=1) / updates.mean(axis=0) / np.sqrt(len(updates))
    # the standard error of a median is about 1.25 times that of a mean
    return factor, factor * 1.25 * np.hypot(*relative)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("measure", "gamma", "which", "stated"),
    [
        ("every entry", 0.95, "depth", 3.7),
        ("every entry", 0.95, "width", 2.1),
        ("start state", 0.95, "depth", 3.7),
        ("start state", 0.95, "width", 2.1),
        ("sup norm", 0.5, "depth", 2.0),
        ("sup norm", 0.5, "width", 2.1),
    ],
)
@pytest.mark.claim("depth-harder")
def test_doubling_costs_nearly_four_in_depth_and_two_in_width(measure, gamma, which, stated, seed):
    factor, standard_error = _growth(measure, gamma, 0.5, seed, which)
    assert abs(factor - stated) < 4 * standard_error


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.claim("depth-harder")
def test_a_deep_lock_bends_the_sup_norm_curve_but_not_the_others(seed):
    bent, first = _growth("sup norm", 0.5, 0.5, seed, "depth")
    straight, second = _growth("every entry", 0.5, 0.5, seed, "depth")
    assert straight - bent > 4 * np.hypot(first, second)


@pytest.mark.parametrize("measure", ["start state", "every entry"])
@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_gamma_moves_nothing_when_errors_are_relative_to_each_value(measure, alpha):
    low, high = (
        experiment.depth_width(gamma=gamma, alpha=alpha, tolerance=0.1, measure=measure)
        for gamma in (0.5, 0.95)
    )
    np.testing.assert_array_equal(low.depth_updates, high.depth_updates)
    np.testing.assert_array_equal(low.width_updates, high.width_updates)


def test_at_gamma_half_states_more_than_four_steps_away_count_as_right_while_zero():
    value = 0.5 ** (np.arange(1, 33) - 1.0)
    assert (value[:4] > 0.1).all()
    assert (value[4:] <= 0.1).all()
    assert 0.9**31 < 0.1 < 0.95**31
    assert 0.1 ** (1 / 31) == pytest.approx(0.928, abs=5e-4)


def test_every_run_reaches_the_finest_tolerance_of_the_slider():
    for alpha in (0.1, 0.3, 1.0):
        for measure in experiment.MEASURES:
            record = experiment.depth_width(
                num_seeds=21, gamma=0.99, alpha=alpha, tolerance=0.01, measure=measure
            )
            assert np.isfinite(record.depth_updates).all()
            assert np.isfinite(record.width_updates).all()


def test_an_unknown_measure_is_named():
    with pytest.raises(ValueError, match="measure must be one of start state, .* 'mean'"):
        experiment.depth_width(gamma=0.9, alpha=0.5, tolerance=0.1, measure="mean")


# --- the figures ----------------------------------------------------------------------------------


def test_the_drawings_keep_their_axes_at_the_ends_of_every_slider():
    grid.sample(
        "spread",
        experiment.spread,
        figure.spread,
        {"gamma": (0.5, 0.99), "depth": (2, 32), "alpha": (0.1, 0.37, 1.0), "sweeps": (0, 1, 128)},
        {"gamma": 0.5, "depth": 2, "alpha": 0.1, "sweeps": 0},
    )
    grid.sample(
        "depth_width",
        experiment.depth_width,
        figure.depth_width,
        {"alpha": (0.6, 1.0), "gamma": (0.5,), "tolerance": (0.01, 0.5),
         "measure": experiment.MEASURES},
        {"alpha": 1.0, "gamma": 0.5, "tolerance": 0.5, "measure": "sup norm"},
    )  # fmt: skip
