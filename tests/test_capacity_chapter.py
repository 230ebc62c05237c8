"""What the chapter on capacity states, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_book import grid
from qlearn_book.figures import capacity as figure
from qlearn_core.environments import chain
from qlearn_core.experiments import capacity as experiment
from qlearn_core.planning import optimal_q


@pytest.mark.parametrize("family", experiment.FAMILIES)
@pytest.mark.parametrize("drawing", [1, 2, 3])
def test_ten_features_for_ten_pairs_are_exact_and_a_contraction(family, drawing):
    record = experiment.capacity(0.9, family, drawing)
    assert record.num_features.tolist() == list(range(1, 11))
    assert record.norms[-1] == pytest.approx(0.9, rel=1e-6)
    assert record.floors[-1] < 1e-6 and record.errors[-1] < 1e-6
    assert (record.errors >= record.floors * (1 - 1e-6) - 1e-9).all()


@pytest.mark.claim("capacity-no-cure")
@pytest.mark.parametrize("family", ["random", "random and 1", "polynomials"])
@pytest.mark.parametrize("drawing", range(1, 11))
def test_the_floor_never_rises_with_capacity(family, drawing):
    record = experiment.capacity(0.9, family, drawing)
    assert (np.diff(record.floors) <= 1e-6).all()


@pytest.mark.claim("capacity-no-cure")
def test_the_norm_of_polynomials_exceeds_one_from_three_features_to_nine():
    record = experiment.capacity(0.9, "polynomials")
    assert record.norms[:2] == pytest.approx(0.9)
    assert (record.norms[2:9] > 1.2).all()
    assert record.norms[8] == pytest.approx(1.67, abs=0.005)
    assert np.isfinite(record.errors).all()
    assert record.errors[2:6] == pytest.approx([0.437, 0.164, 0.096, 0.014], abs=0.001)
    assert record.floors[[2, 8]] == pytest.approx([0.040, 0.001], abs=0.0006)


@pytest.mark.claim("capacity-no-cure")
@pytest.mark.parametrize("gamma", [0.9, 0.99])
def test_bins_contract_at_every_capacity(gamma):
    record = experiment.capacity(gamma, "bins")
    assert record.norms == pytest.approx(np.full(10, gamma))
    assert np.isfinite(record.errors).all()


def test_more_bins_may_have_a_larger_error():
    record = experiment.capacity(0.9, "bins")
    assert record.errors[[2, 4]] == pytest.approx([0.630, 0.765], abs=0.001)
    assert record.floors[6] > record.floors[5]  # seven bins do not split the six


def test_random_features_diverge_more_often_with_capacity_until_they_are_exact():
    share = {k: np.isinf(experiment.fates(0.99, k, num_drawings=60).errors[0]) for k in (3, 9, 10)}
    few, many, all_ten = (share[k].mean() for k in (3, 9, 10))
    standard_error = np.sqrt((few * (1 - few) + many * (1 - many)) / 60)
    assert many - few > 4 * standard_error
    assert many > 0.75 and all_ten == 0


@pytest.mark.parametrize("k", range(1, 11))
def test_one_constant_feature_ends_the_divergence_though_the_norm_stays_large(k):
    record = experiment.fates(0.99, k, num_drawings=60)
    assert np.isfinite(record.errors[1]).all()
    if 2 <= k <= 9:
        assert np.median(record.norms[1]) > 1.5 and record.norms[1].min() > 1


@pytest.mark.parametrize("gamma", [0.5, 0.8, 0.9, 0.95, 0.98])
def test_with_a_constant_feature_no_drawing_of_the_figure_diverges(gamma):
    for k in range(1, 11):
        assert np.isfinite(experiment.fates(gamma, k).errors[1]).all()


def test_below_one_half_the_norm_proves_convergence():
    records = [experiment.fates(0.5, k) for k in range(1, 11)]
    assert max(record.norms.max() for record in records) == pytest.approx(1.012, abs=0.001)
    assert all(np.isfinite(record.errors).all() for record in records)


def test_the_last_states_two_actions_hold_up_the_floor_of_three_to_five_bins():
    q_star = optimal_q(chain(5, slip=0.1, goal="loop"), gamma=0.9)
    half = (q_star[4, 1] - q_star[4, 0]) / 2 / q_star.max()
    assert experiment.capacity(0.9, "bins").floors[2:5] == pytest.approx([half] * 3, rel=1e-6)


def test_every_norm_of_a_hundred_drawings_is_above_one_and_few_diverge_at_0_9():
    for k, most in ((3, 0.1), (5, 0.2)):
        record = experiment.fates(0.9, k, num_drawings=100)
        assert (record.norms[0] > 1).all()
        share = np.isinf(record.errors[0]).mean()
        assert share + 3 * np.sqrt(share * (1 - share) / 100) < most


def test_a_drawing_is_the_same_in_both_figures():
    curves = [experiment.capacity(0.99, "random", i) for i in range(1, 21)]
    for k in (1, 5, 9):
        record = experiment.fates(0.99, k)
        assert record.norms[0] == pytest.approx([curve.norms[k - 1] for curve in curves])
        assert record.errors[0] == pytest.approx([curve.errors[k - 1] for curve in curves])


def test_an_unknown_family_is_named():
    with pytest.raises(ValueError, match="family must be one of random, .* but is 'fourier'"):
        experiment.capacity(0.9, "fourier")


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_the_drawings_are_finite_and_have_a_sentence(gamma):
    for family in experiment.FAMILIES:
        drawing = figure.capacity(experiment.capacity(gamma, family))
        assert drawing["layout"]["meta"]["summary"] and "nan" not in str(grid.plain(drawing))
    words = figure.fates(experiment.fates(gamma, 9))["layout"]["meta"]["summary"]
    assert "At k = 9" in words
