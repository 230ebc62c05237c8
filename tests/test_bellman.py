"""The Bellman operators: contraction, monotonicity, shifts, and the TD error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlearn_core import (
    bellman_evaluation,
    bellman_optimality,
    chain,
    evaluate_policy,
    greedy,
    optimal_q,
    state_values,
    td_error,
)

from .oracles import random_mdp, slow_optimal_q

random_cases = settings(max_examples=100, deadline=None, derandomize=True)
mdps = st.builds(
    random_mdp,
    st.integers(0, 10_000),
    st.integers(2, 6),
    st.integers(1, 4),
    st.booleans(),
    sparse=st.booleans(),
)
discounts = st.floats(0, 0.999)
seeds = st.integers(0, 10_000)


def random_tables(mdp, seed, scale=10.0):
    return scale * np.random.default_rng(seed).normal(size=(2, *mdp.r.shape))


def random_policy(mdp, seed):
    return np.random.default_rng(seed).dirichlet(np.ones(mdp.num_actions), mdp.num_states)


@random_cases
@given(mdps, discounts, seeds)
def test_bellman_optimality_is_a_gamma_contraction(mdp, gamma, seed):
    q, other = random_tables(mdp, seed)
    before = np.abs(q - other).max()
    images = [bellman_optimality(mdp, table, gamma=gamma) for table in (q, other)]
    rounding = 1e-12 * max(1.0, *(np.abs(table).max() for table in (q, other)))
    assert np.abs(images[0] - images[1]).max() <= gamma * before + rounding


@random_cases
@given(mdps, discounts, seeds)
def test_bellman_evaluation_is_a_gamma_contraction(mdp, gamma, seed):
    q, other = random_tables(mdp, seed)
    pi = random_policy(mdp, seed)
    images = [bellman_evaluation(mdp, table, pi, gamma=gamma) for table in (q, other)]
    before = np.abs(q - other).max()
    assert np.abs(images[0] - images[1]).max() <= gamma * before + 1e-11


@random_cases
@given(mdps.filter(lambda mdp: not mdp.terminal.any()), discounts, seeds, st.floats(-5, 5))
def test_a_shift_of_q_by_c_shifts_its_image_by_gamma_c(mdp, gamma, seed, shift):
    q, _ = random_tables(mdp, seed)
    shifted = bellman_optimality(mdp, q + shift, gamma=gamma)
    unshifted = bellman_optimality(mdp, q, gamma=gamma)
    assert shifted == pytest.approx(unshifted + gamma * shift, abs=1e-11)


@random_cases
@given(mdps, discounts, seeds)
def test_bellman_optimality_is_monotone(mdp, gamma, seed):
    q, other = random_tables(mdp, seed)
    lower = bellman_optimality(mdp, np.minimum(q, other), gamma=gamma)
    assert (lower <= bellman_optimality(mdp, q, gamma=gamma) + 1e-12).all()


@random_cases
@given(mdps, st.floats(0, 0.95), seeds)
def test_the_fixed_point_is_unique_and_is_the_optimal_table(mdp, gamma, seed):
    q, _ = random_tables(mdp, seed)
    num_sweeps = 1 if gamma == 0 else 1 + int(np.ceil(np.log(1e-13) / np.log(max(gamma, 1e-3))))
    for _ in range(num_sweeps):
        q = bellman_optimality(mdp, q, gamma=gamma)
    q_star = optimal_q(mdp, gamma=gamma)
    assert q == pytest.approx(q_star, abs=1e-9)
    assert bellman_optimality(mdp, q_star, gamma=gamma) == pytest.approx(q_star, abs=1e-10)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(mdps, st.floats(0, 0.9))
def test_the_optimal_table_is_that_of_nested_python_loops(mdp, gamma):
    assert optimal_q(mdp, gamma=gamma) == pytest.approx(slow_optimal_q(mdp, gamma), abs=1e-10)


@random_cases
@given(mdps, st.floats(0, 0.99), seeds)
def test_evaluating_the_greedy_policy_of_q_star_gives_q_star(mdp, gamma, seed):
    q_star = optimal_q(mdp, gamma=gamma)
    pi = np.eye(mdp.num_actions)[greedy(q_star)]
    assert evaluate_policy(mdp, pi, gamma=gamma) == pytest.approx(q_star, abs=1e-8)
    assert bellman_evaluation(mdp, q_star, pi, gamma=gamma) == pytest.approx(q_star, abs=1e-8)


def test_what_the_table_holds_at_a_terminal_state_has_no_influence():
    mdp = chain(3)
    q = np.random.default_rng(0).normal(size=mdp.r.shape)
    altered = q.copy()
    altered[-1] = 1e6
    pi = random_policy(mdp, 0)
    for image in (
        lambda table: bellman_optimality(mdp, table, gamma=0.9),
        lambda table: bellman_evaluation(mdp, table, pi, gamma=0.9),
        lambda table: state_values(mdp, table),
    ):
        assert np.array_equal(image(q), image(altered))


def test_the_td_error_is_target_minus_estimate_and_bootstraps_zero_at_the_end():
    q = np.array([[1.0, 2.0], [3.0, 5.0]])
    assert td_error(q, 0, 1, 1.0, 1, gamma=0.5) == 1.0 + 0.5 * 5.0 - 2.0
    assert td_error(q, 0, 1, 1.0, 1, gamma=0.5, terminal_next=True) == 1.0 - 2.0
    several = td_error(
        q,
        np.array([0, 0]),
        np.array([1, 1]),
        np.array([1.0, 1.0]),
        np.array([1, 1]),
        gamma=0.5,
        terminal_next=np.array([False, True]),
    )
    assert several.tolist() == [1.5, -1.0]


@random_cases
@given(mdps, discounts, seeds)
def test_the_mean_td_error_is_the_bellman_residual(mdp, gamma, seed):
    q, _ = random_tables(mdp, seed)
    residual = bellman_optimality(mdp, q, gamma=gamma) - q
    every = np.arange(mdp.num_states)
    for s, a in np.ndindex(*mdp.r.shape):
        errors = td_error(
            q, s, a, mdp.r[s, a], every, gamma=gamma, terminal_next=mdp.terminal[every]
        )
        assert mdp.dense_transitions()[s, a] @ errors == pytest.approx(residual[s, a], abs=1e-11)


def test_greedy_takes_the_first_of_equal_actions():
    assert greedy(np.array([[0.0, 1.0, 1.0], [2.0, 2.0, 2.0]])).tolist() == [1, 0]


@pytest.mark.parametrize("gamma", [-0.1, 1.0, 2, np.nan, None, "half"])
def test_the_operators_refuse_a_gamma_outside_the_half_open_unit_interval(gamma):
    mdp = chain(2)
    q = np.zeros(mdp.r.shape)
    pi = np.full(mdp.r.shape, 0.5)
    for call in (
        lambda: bellman_optimality(mdp, q, gamma=gamma),
        lambda: bellman_evaluation(mdp, q, pi, gamma=gamma),
        lambda: td_error(q, 0, 0, 0.0, 1, gamma=gamma),
        lambda: optimal_q(mdp, gamma=gamma),
        lambda: evaluate_policy(mdp, pi, gamma=gamma),
    ):
        with pytest.raises(ValueError, match=r"gamma must be a number in \[0, 1\)"):
            call()


def test_the_operators_refuse_tables_and_policies_that_do_not_fit():
    mdp = chain(2)
    q = np.zeros(mdp.r.shape)
    with pytest.raises(ValueError, match=r"q must have shape \(S, A\) = \(3, 2\), but has \(2,"):
        bellman_optimality(mdp, np.zeros((2, 2)), gamma=0.5)
    with pytest.raises(ValueError, match=r"pi\[s=0, :\] must sum to 1, but sums to 2"):
        bellman_evaluation(mdp, q, np.ones(mdp.r.shape), gamma=0.5)
    with pytest.raises(ValueError, match=r"pi\[s=1, a=0\] must be >= 0, but is -1"):
        evaluate_policy(mdp, [[0.5, 0.5], [-1, 2], [1, 0]], gamma=0.5)
