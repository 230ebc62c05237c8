"""TabularMDP: what it accepts, what it refuses, and the sentence with which it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlearn_core import TabularMDP
from qlearn_core.mdp import (
    DENSE_ENTRIES,
    check_gamma,
    check_integer,
    check_q,
    check_rng,
    initial_table,
)

from .oracles import random_mdp_arrays

hostile = settings(max_examples=40, deadline=None, derandomize=True)
sizes = st.tuples(st.integers(0, 10_000), st.integers(2, 6), st.integers(1, 4), st.booleans())


@hostile
@given(sizes)
def test_a_valid_mdp_is_kept_as_read_only_copies(arguments):
    P, r, terminal = random_mdp_arrays(*arguments)
    mdp = TabularMDP(P=P, r=r, terminal=terminal)
    for given_array, kept in ((P, mdp.P), (r, mdp.r), (terminal, mdp.terminal)):
        assert np.array_equal(given_array, kept)
        assert not np.shares_memory(given_array, kept)
        with pytest.raises(ValueError, match="read-only"):
            kept[...] = 0
    assert (mdp.num_states, mdp.num_actions) == r.shape
    assert mdp.num_pairs == r.size


def test_terminal_defaults_to_no_terminal_state_and_lists_are_accepted():
    mdp = TabularMDP(P=[[[1, 0]], [[0.5, 0.5]]], r=[[0], [1]])
    assert not mdp.terminal.any()
    assert mdp.P.dtype == mdp.r.dtype == np.float64


@hostile
@given(sizes, st.floats(0.01, 3), st.sampled_from(["sum", "negative", "nan", "inf"]), st.data())
def test_a_row_that_is_no_distribution_is_named_by_its_indices(arguments, size, defect, data):
    P, r, _ = random_mdp_arrays(*arguments[:3], False)
    s, a, s_next = (data.draw(st.integers(0, n - 1)) for n in P.shape)
    if defect == "sum":
        P[s, a, s_next] += size
        message = rf"P\[s={s}, a={a}, :\] must sum to 1, but sums to {1 + size:.4f}"[:-2]
    elif defect == "negative":
        P[s, a, s_next] = -size
        message = rf"P\[s={s}, a={a}, s_next={s_next}\] must be >= 0, but is -"
    else:
        P[s, a, s_next] = float(defect)
        message = rf"P must be finite, but P\[{s}, {a}, {s_next}\] is {defect}"
    with pytest.raises(ValueError, match=message):
        TabularMDP(P=P, r=r)


@hostile
@given(sizes, st.sampled_from([np.nan, np.inf, -np.inf]), st.data())
def test_a_reward_that_is_not_finite_is_named_by_its_indices(arguments, value, data):
    P, r, _ = random_mdp_arrays(*arguments[:3], False)
    s, a = (data.draw(st.integers(0, n - 1)) for n in r.shape)
    r[s, a] = value
    with pytest.raises(ValueError, match=rf"r must be finite, but r\[{s}, {a}\] is "):
        TabularMDP(P=P, r=r)


def test_a_terminal_state_must_be_absorbing_and_pay_nothing():
    P, r, terminal = random_mdp_arrays(0, 3, 2, True)
    leaving = P.copy()
    leaving[2, 1] = [0.25, 0, 0.75]
    with pytest.raises(ValueError, match=r"s=2 must be absorbing, .*a=1, s_next=2\] is 0.75"):
        TabularMDP(P=leaving, r=r, terminal=terminal)
    r[2, 1] = -1
    with pytest.raises(ValueError, match=r"s=2 must pay no reward, but r\[s=2, a=1\] is -1"):
        TabularMDP(P=P, r=r, terminal=terminal)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"P": np.ones((2, 1, 3)) / 3}, r"P must have shape \(S, A, S\)"),
        ({"P": np.ones((2, 2)) / 2}, r"P must have shape \(S, A, S\)"),
        ({"P": np.ones((0, 1, 0))}, r"P must have shape \(S, A, S\)"),
        ({"P": "dynamics"}, "P must be an array of numbers"),
        ({"P": [[[1, 0]], [[1]]]}, "P must be an array of numbers"),
        ({"r": np.zeros((1, 2))}, r"r must have shape \(2, 1\), but has \(1, 2\)"),
        ({"r": None}, "r must"),
        ({"terminal": [0, 1]}, "terminal must be a bool array of shape"),
        ({"terminal": [False]}, "terminal must be a bool array of shape"),
    ],
)
def test_wrong_shapes_and_types_are_refused(change, message):
    arrays = {"P": [[[1.0, 0]], [[0, 1.0]]], "r": [[0.0], [0.0]], "terminal": None}
    with pytest.raises(ValueError, match=message):
        TabularMDP(**(arrays | change))


@hostile
@given(sizes)
def test_the_successors_are_the_dynamics_in_compact_form(arguments):
    P, r, terminal = random_mdp_arrays(*arguments)
    P[P < 0.1] = 0
    P /= P.sum(axis=-1, keepdims=True)
    mdp = TabularMDP(P=P, r=r, terminal=terminal)
    states, probabilities, cumulative = mdp.successors
    rebuilt = np.zeros_like(P)
    for pair, slot in np.ndindex(*states.shape):
        s, a = divmod(pair, mdp.num_actions)
        rebuilt[s, a, states[pair, slot]] += probabilities[pair, slot]
        assert P[s, a, states[pair, slot]] > 0
    assert np.array_equal(rebuilt, P)
    assert states.shape[1] == np.count_nonzero(P, axis=2).max()
    assert np.array_equal(cumulative[:, -1], np.ones(mdp.num_pairs))
    assert (np.diff(cumulative, axis=1) >= -1e-15).all()


@hostile
@given(sizes)
def test_expectation_is_the_sum_over_next_states(arguments):
    mdp = TabularMDP(*random_mdp_arrays(*arguments))
    v = np.random.default_rng(arguments[0]).normal(size=mdp.num_states)
    assert mdp.expectation(v) == pytest.approx(np.einsum("sat,t->sa", mdp.P, v), abs=1e-13)


def test_the_expectation_is_the_same_from_dense_and_from_sparse_rows(monkeypatch):
    mdp = TabularMDP(*random_mdp_arrays(0, 6, 3, True))
    v = np.random.default_rng(0).normal(size=mdp.num_states)
    assert mdp.P.size <= DENSE_ENTRIES
    dense = mdp.expectation(v)
    monkeypatch.setattr("qlearn_core.mdp.DENSE_ENTRIES", 0)
    assert mdp.expectation(v) == pytest.approx(dense, abs=1e-14)
    assert "sparse_rows" in vars(mdp)


def test_the_active_pairs_are_those_of_non_terminal_states_in_c_order():
    mdp = TabularMDP(*random_mdp_arrays(0, 3, 2, True))
    assert mdp.active_pairs.tolist() == [0, 1, 2, 3]


@hostile
@given(st.one_of(st.floats(max_value=-1e-300), st.floats(min_value=1), st.text(), st.none()))
def test_gamma_outside_the_half_open_unit_interval_is_refused(gamma):
    try:
        usable = 0 <= float(gamma) < 1
    except (TypeError, ValueError):
        usable = False
    if not usable:
        with pytest.raises(ValueError, match=r"gamma must be a number in \[0, 1\), but is "):
            check_gamma(gamma)


def test_a_table_of_another_shape_or_with_nan_is_refused():
    mdp = TabularMDP(*random_mdp_arrays(0, 3, 2, True))
    with pytest.raises(ValueError, match=r"q0 must have shape \(S, A\) = \(3, 2\)"):
        check_q(mdp, np.zeros((2, 3)), "q0")
    with pytest.raises(ValueError, match=r"q must be finite, but q\[0, 1\] is nan"):
        check_q(mdp, [[0, np.nan], [0, 0], [0, 0]])


def test_an_initial_table_is_a_copy_with_value_zero_at_terminal_states():
    mdp = TabularMDP(*random_mdp_arrays(0, 3, 2, True))
    q0 = np.ones((3, 2))
    assert initial_table(mdp, q0).tolist() == [[1, 1], [1, 1], [0, 0]]
    assert q0.sum() == 6
    assert not initial_table(mdp, None).any()


@pytest.mark.parametrize("value", [0, -3, 2.0, "5", None, np.nan])
def test_a_count_that_is_no_positive_integer_is_refused(value):
    with pytest.raises(ValueError, match="num_updates must be an integer >= 1, but is "):
        check_integer(value, "num_updates", 1)


@pytest.mark.parametrize("rng", [None, 0, np.random.RandomState(0)])
def test_a_seed_or_a_legacy_generator_is_no_generator(rng):
    with pytest.raises(ValueError, match="rng must be a numpy.random.Generator"):
        check_rng(rng)
