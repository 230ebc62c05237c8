"""What the chapter on the horizon states, measured."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from qlearn_core.experiments import horizon as experiment
from qlearn_core.experiments import sharsa
from qlearn_core.mdp import TabularMDP
from qlearn_core.n_step import n_step_mdp
from qlearn_core.planning import optimal_q

NUMBERS = np.array(experiment.NUM_STEPS)


@pytest.mark.parametrize("depth", [4, 16, 32, 64])
def test_with_right_data_the_sweeps_are_the_depth_over_n_rounded_up(depth):
    record = experiment.sweeps(gamma=0.995, depth=depth, quality=0.7)
    assert (record.perfect == np.ceil(depth / NUMBERS)).all()
    assert record.imperfect[0] == depth
    assert (record.imperfect >= record.perfect).all()


def test_imperfect_data_and_small_discounts_have_the_numbers_of_the_chapter():
    record = experiment.sweeps(gamma=0.99, depth=32, quality=0.7)
    assert (record.perfect[5], record.imperfect[5]) == (4, 6)
    assert record.perfect[NUMBERS >= 16].tolist() == [2, 2, 1]
    assert experiment.sweeps(gamma=0.5, depth=32, quality=0.7).perfect[0] == 7


@pytest.mark.parametrize("wrong", ["stay", "reset"])
@pytest.mark.parametrize("gamma", [0.9, 0.99])
@pytest.mark.parametrize("quality", [0.5, 0.9, 1.0])
def test_the_errors_are_those_of_exact_fixed_points(gamma, quality, wrong):
    record = experiment.trade_off(gamma=gamma, depth=8, quality=quality, error=0.1, wrong=wrong)
    lock, pi, _ = experiment.lock_and_data(8, quality, wrong)
    optimum = optimal_q(lock, gamma=gamma)[0].max()
    for i, n in enumerate(experiment.NUM_STEPS):
        mdp = n_step_mdp(lock, pi, gamma=gamma, num_steps=n)
        shifted = TabularMDP(
            P=mdp.P, r=np.where(mdp.terminal[:, None], 0, mdp.r - 0.1), terminal=mdp.terminal
        )
        for errors, macro in ((record.bias, mdp), (record.total, shifted)):
            value = optimal_q(macro, gamma=gamma**n)[0].max()
            assert errors[i] == pytest.approx((optimum - value) / abs(optimum), abs=1e-9)
    assert record.bias[0] == pytest.approx(0, abs=1e-12)
    assert (np.diff(record.bias) >= -1e-9).all() or wrong == "reset"


@pytest.mark.parametrize("quality", [0.7, 0.9, 0.95])
def test_near_gamma_one_the_total_follows_the_quotient_and_its_threshold(quality):
    threshold = (1 - quality) / quality
    few = NUMBERS <= 4
    for factor in (0.5, 2.0):
        error = factor * threshold
        record = experiment.trade_off(
            gamma=0.9999, depth=100, quality=quality, error=error, wrong="stay"
        )
        m = NUMBERS - 1
        quotient = (m * (1 - quality) + error) / (1 + m * quality)
        # the last backup reaches past the end by less than n steps of 100
        assert np.abs(record.total - quotient)[few].max() < 4 / 100 * (1 + error)
        direction = np.diff(record.total[few])
        assert ((direction < 0) if factor > 1 else (direction > 0)).all()


def test_hardly_ever_is_an_n_in_between_clearly_the_best():
    states = list(
        itertools.product(
            (0.9, 0.95, 0.97, 0.99, 0.995), (4, 8, 16, 32),
            (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0), (0.01, 0.03, 0.1, 0.3, 1.0),
            ("stay", "reset"),
        )
    )  # fmt: skip
    gains = []
    for gamma, depth, quality, error, wrong in states:
        total = experiment.trade_off(
            gamma=gamma, depth=depth, quality=quality, error=error, wrong=wrong
        ).total
        gains.append(1 - total.min() / min(total[0], total[-1]))
    assert (len(states), int(np.sum(np.array(gains) > 0.02))) == (1600, 15)
    assert max(gains) < 0.08


def test_the_trade_off_has_the_numbers_of_the_chapter():
    def record(quality, error, wrong="stay"):
        return experiment.trade_off(
            gamma=0.99, depth=32, quality=quality, error=error, wrong=wrong
        )  # fmt: skip

    assert record(0.9, 0.03).bias[-1] == pytest.approx(0.086, abs=0.001)
    assert record(0.9, 0.03, "reset").bias[[1, -1]] == pytest.approx([0.894, 1.798], abs=0.001)
    assert record(0.98, 0.03, "reset").bias[1] == pytest.approx(0.139, abs=0.001)
    assert record(0.5, 0.03, "reset").accumulated[:2] == pytest.approx([0.03, 0.055], abs=0.001)
    assert [record(0.95, error).best for error in (0.03, 0.1)] == [1, 32]
    assert record(0.95, 0.03).total[[0, -1]] == pytest.approx([0.030, 0.043], abs=0.001)
    assert record(0.95, 0.1).total[[0, -1]] == pytest.approx([0.100, 0.047], abs=0.001)


# --- two levels: orderings over 24 seeds, by intervals of the differences -------------------------

IMITATION, VALUES, STEPS, LEVELS = sharsa.EXPECTED
STATED = {"num_rooms": 6, "skill": 0.5, "num_steps": 4, "num_sweeps": 64}
AHEAD, OPEN, BEHIND = "ahead", "not told apart", "behind"


def verdict(pair: tuple[str, str], **change) -> str:
    low, high = sharsa.success(**(STATED | change), num_seeds=24, seed=1).lead(*pair)
    if low > 0:
        return AHEAD
    return BEHIND if high < 0 else OPEN


@pytest.mark.parametrize("change", [{}, {"num_sweeps": 8}, {"num_steps": 8}, {"num_rooms": 2}])
def test_two_levels_imitate_better_and_values_better_still(change):
    assert verdict(IMITATION, **change) == AHEAD
    assert verdict(VALUES, **change) == AHEAD


def test_long_values_are_ahead_with_few_sweeps_and_never_with_many():
    assert verdict(STEPS, num_sweeps=8) == AHEAD
    assert verdict(STEPS) == OPEN
    assert verdict(STEPS, num_steps=8) == BEHIND


def test_sharsa_is_ahead_of_flat_n_step_sarsa_only_where_values_are_noisy():
    assert verdict(LEVELS, num_steps=8) == AHEAD
    assert verdict(LEVELS) == OPEN
    assert verdict(LEVELS, num_sweeps=8) == OPEN
    assert verdict(LEVELS, num_rooms=2) == BEHIND


def test_sharsa_is_not_ahead_of_one_step_sarsa_with_enough_sweeps():
    pair = ("SHARSA", "1-step SARSA")
    assert verdict(pair) == OPEN
    assert verdict(pair, num_steps=8) == BEHIND
    assert verdict(pair, num_sweeps=8) == AHEAD


def test_the_intervals_are_those_of_the_table():
    expected = {
        IMITATION: ((0.02, 0.05), (0.02, 0.05), (0.03, 0.09), (0.07, 0.11)),
        VALUES: ((0.65, 0.88), (0.65, 0.89), (0.51, 0.74), (0.81, 0.86)),
        STEPS: ((-0.25, 0.00), (0.54, 0.85), (-0.51, -0.19), (0.00, 0.00)),
        LEVELS: ((-0.02, 0.22), (-0.07, 0.18), (0.04, 0.38), (-0.04, -0.02)),
    }
    changes = ({}, {"num_sweeps": 8}, {"num_steps": 8}, {"num_rooms": 2})
    for pair, intervals in expected.items():
        for change, interval in zip(changes, intervals, strict=True):
            record = sharsa.success(**(STATED | change), num_seeds=24, seed=1)
            assert record.lead(*pair) == pytest.approx(interval, abs=0.0151)


def test_the_starts_and_the_play_are_the_same_for_every_method_and_sweep():
    one, other = (sharsa.success(**(STATED | {"num_sweeps": k})) for k in (8, 64))
    for method in ("flat imitation", "two-level imitation"):
        assert (one.success[method] == other.success[method]).all()


def test_in_two_rooms_eight_steps_ahead_are_too_far():
    record = sharsa.success(**(STATED | {"num_rooms": 2, "num_steps": 8}))
    assert record.success["SHARSA"].mean() == pytest.approx(0.8, abs=0.05)
    assert record.success["n-step SARSA"].mean() > 0.95
    assert record.depth == 10


def test_an_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(4000, 8))
    halves = np.array([sharsa._half_width(row) for row in samples])
    share = (np.abs(samples.mean(axis=1)) < halves).mean()
    assert abs(share - 0.95) < 4 * np.sqrt(0.95 * 0.05 / 4000)
