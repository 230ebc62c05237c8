"""Features of state-action pairs."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core import (
    chain,
    garnet,
    gaussian_features,
    interleaved_exponents,
    pair_aggregation,
    polynomial_features,
    radial_features,
    state_aggregation,
    tabular_features,
)
from qlearn_core.features import check_features

LOOP = chain(5, goal="loop")
TERMINAL = chain(5)
X = np.arange(5)[:, None] / 4 * np.ones(2)  # (S, A)
A = np.ones((5, 1)) * np.arange(2.0)  # (S, A)


def rng(seed=0):
    return np.random.default_rng(seed)


FAMILIES = {
    "tabular": tabular_features,
    "polynomial": lambda mdp: polynomial_features(mdp, ((0, 0), (1, 0), (1, 1))),
    "radial": lambda mdp: radial_features(mdp, 3),
    "states": lambda mdp: state_aggregation(mdp, 3),
    "pairs": lambda mdp: pair_aggregation(mdp, 4),
    "gaussian": lambda mdp: gaussian_features(mdp, 3, constant=True, rng=rng()),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_terminal_states_have_zero_rows_and_the_others_do_not_notice_them(name):
    with_goal = FAMILIES[name](TERMINAL)
    assert not with_goal[10:].any()
    assert check_features(TERMINAL, with_goal) is not with_goal
    if name != "gaussian":
        assert np.array_equal(with_goal[:10], FAMILIES[name](LOOP))


def test_with_tabular_features_the_weights_are_the_table():
    table = rng().normal(size=(6, 2)) * ~TERMINAL.terminal[:, None]
    phi = tabular_features(TERMINAL)
    assert phi.shape == (12, 10)
    assert np.array_equal(phi @ table.ravel()[:10], table.ravel())


def test_polynomial_columns_are_monomials_of_place_and_action():
    phi = polynomial_features(LOOP, ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0)))
    expected = np.stack([np.ones_like(X), X, A, A * X, X**2], axis=-1)
    assert np.array_equal(phi, expected.reshape(10, 5))


def test_the_place_of_a_single_state_is_zero():
    assert np.array_equal(polynomial_features(chain(1), ((1, 0),)), np.zeros((4, 1)))


def test_interleaved_exponents_span_more_and_more_and_in_the_end_every_table():
    assert interleaved_exponents(5) == ((0, 0), (0, 1), (1, 0), (1, 1), (2, 0))
    ranks = [
        np.linalg.matrix_rank(polynomial_features(LOOP, interleaved_exponents(k)))
        for k in range(1, 11)
    ]
    assert ranks == list(range(1, 11))


def test_radial_bumps_are_one_at_their_centre_and_fall_by_the_gaussian_law():
    phi = radial_features(LOOP, 3).reshape(5, 2, 3)
    assert np.array_equal(phi[:, 0], phi[:, 1])
    assert phi[[0, 2, 4], 0, [0, 1, 2]] == pytest.approx(1)
    assert phi[1, 0] == pytest.approx(np.exp([-1 / 8, -1 / 8, -9 / 8]))


@pytest.mark.parametrize("aggregation", [state_aggregation, pair_aggregation])
@pytest.mark.parametrize("num_bins", [1, 2, 3, 5])
def test_every_pair_is_in_one_bin_and_the_bins_are_even(aggregation, num_bins):
    phi = aggregation(LOOP, num_bins)
    assert np.array_equal(phi.sum(axis=1), np.ones(10))
    assert set(np.unique(phi)) <= {0, 1}
    sizes = phi.sum(axis=0) / (2 if aggregation is state_aggregation else 1)
    assert sizes.min() >= 1 and sizes.max() - sizes.min() <= 1
    bins = phi.argmax(axis=1)
    assert (np.diff(bins) >= 0).all()


def test_as_many_bins_as_pairs_are_the_table():
    assert np.array_equal(pair_aggregation(TERMINAL, 10), tabular_features(TERMINAL))


def test_more_gaussian_features_and_a_constant_keep_the_numbers_of_the_others():
    few, many = (gaussian_features(LOOP, k, rng=rng(3)) for k in (3, 7))
    assert np.array_equal(few, many[:, :3])
    constant = gaussian_features(LOOP, 7, constant=True, rng=rng(3))
    assert np.array_equal(constant[:, 0], np.ones(10))
    assert np.array_equal(constant[:, 1:], many[:, 1:])


def test_gaussian_features_have_mean_zero_and_variance_one():
    entries = gaussian_features(garnet(50, 4, 2, rng=rng()), 50, rng=rng(1)).ravel()
    assert abs(entries.mean()) < 4 / np.sqrt(entries.size)
    assert abs(entries.var() - 1) < 4 * np.sqrt(2 / entries.size)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: polynomial_features(LOOP, ()), "exponents must be one or more pairs"),
        (lambda: polynomial_features(LOOP, ((1, -1),)), "exponents must be one or more pairs"),
        (lambda: polynomial_features(LOOP, ((0.5, 0),)), "exponents must be one or more pairs"),
        (lambda: interleaved_exponents(0), "num_features must be an integer >= 1"),
        (lambda: radial_features(LOOP, 1), "num_centres must be an integer >= 2"),
        (lambda: state_aggregation(TERMINAL, 6), "num_bins must be at most 5, but is 6"),
        (lambda: pair_aggregation(TERMINAL, 11), "num_bins must be at most 10, but is 11"),
        (lambda: pair_aggregation(LOOP, 0), "num_bins must be an integer >= 1"),
        (lambda: gaussian_features(LOOP, 2, rng=0), "rng must be a numpy.random.Generator"),
        (lambda: check_features(LOOP, np.ones((9, 2))), r"phi must have shape .* \(10, d\)"),
        (lambda: check_features(LOOP, np.full((10, 2), np.nan)), "phi must be finite"),
        (lambda: check_features(TERMINAL, np.ones((12, 1))), "the row of s=5, a=0 is"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
