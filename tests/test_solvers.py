"""The solvers for large problems: guarantee, agreement with slower methods, choice by structure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlearn_core import (
    TabularMDP,
    chain,
    combination_lock,
    garnet,
    greedy,
    modified_policy_iteration,
    optimal_q,
    solve,
    value_iteration,
)
from qlearn_core.policy_values import NARROW, bandwidth, eliminate, fill_bands, policy_values
from qlearn_core.solvers import ENOUGH
from qlearn_core.transitions import compiled_rows

from .oracles import as_sparse, random_mdp

random_cases = settings(max_examples=60, deadline=None, derandomize=True)
mdps = st.builds(
    random_mdp,
    st.integers(0, 10_000),
    st.integers(2, 6),
    st.integers(1, 4),
    st.booleans(),
    sparse=st.booleans(),
)
SOLVERS = {"solve": solve, "modified": modified_policy_iteration}


@random_cases
@given(
    mdps, st.floats(0, 0.97), st.sampled_from([1e-1, 1e-3, 1e-6]), st.sampled_from(list(SOLVERS))
)
def test_the_error_is_at_most_tol_when_converged(mdp, gamma, tol, name):
    solution = SOLVERS[name](mdp, gamma=gamma, tol=tol)
    assert solution.converged
    assert np.abs(solution.q - optimal_q(mdp, gamma=gamma)).max() <= tol * (1 + 1e-9) + 1e-12
    assert not solution.q[mdp.terminal].any()
    assert solution.spans.shape == (solution.num_sweeps,) and (solution.spans >= 0).all()
    assert gamma / (1 - gamma) * solution.spans[-1] / 2 <= tol


LARGE = {
    "garnet": garnet(400, 3, 4, rng=np.random.default_rng(0)),
    "costs": combination_lock(60, 3, wrong="reset", step_reward=-1, rng=np.random.default_rng(0)),
    "chain": chain(300, slip=0.1),
    "loop": chain(300, slip=0.1, goal="loop"),
    "reset": chain(300, slip=0.1, second="reset"),
    "steady": chain(300),
}


@pytest.mark.parametrize("gamma", [0.9, 0.999])
@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("solver", SOLVERS)
def test_the_guarantee_holds_on_larger_problems_in_both_forms(solver, name, gamma):
    mdp, exact = LARGE[name], optimal_q(LARGE[name], gamma=gamma)
    for form in (mdp, as_sparse(mdp)):
        solution = SOLVERS[solver](form, gamma=gamma, tol=1e-6)
        assert solution.converged
        assert np.abs(solution.q - exact).max() <= 1e-6 * (1 + 1e-3)


def reversed_states(mdp: TabularMDP) -> TabularMDP:
    return TabularMDP(P=mdp.P[::-1, :, ::-1], r=mdp.r[::-1], terminal=mdp.terminal[::-1])


@pytest.mark.parametrize("gamma", [0.9, 0.99, 0.999])
@pytest.mark.parametrize("name", ["chain", "loop", "steady"])
def test_a_chain_takes_two_policies_whichever_way_it_runs(name, gamma):
    for mdp in (LARGE[name], reversed_states(LARGE[name])):
        solution = solve(mdp, gamma=gamma, tol=1e-6)
        assert solution.method == "banded policy iteration"
        assert solution.converged and solution.num_sweeps == 2


def test_without_evaluations_it_is_value_iteration_with_the_span_stop():
    mdp = LARGE["garnet"]
    swept = value_iteration(mdp, gamma=0.9, tol=1e-6, stop="span")
    solution = modified_policy_iteration(mdp, gamma=0.9, tol=1e-6, num_inner=0)
    assert solution.num_sweeps == swept.num_sweeps
    assert solution.spans == pytest.approx(swept.spans, rel=1e-6, abs=1e-12)
    assert solution.q == pytest.approx(swept.q, rel=1e-12)


@pytest.mark.parametrize("name", ["garnet", "chain"])
def test_evaluations_save_greedy_sweeps_at_the_same_accuracy(name):
    mdp = LARGE[name]
    sweeps = [
        modified_policy_iteration(mdp, gamma=0.99, tol=1e-6, num_inner=num).num_sweeps
        for num in (0, 5, 100)
    ]
    assert sweeps[0] > 2 * sweeps[1] and sweeps[1] >= sweeps[2]


def test_the_spans_of_modified_policy_iteration_shrink_by_the_share_of_its_evaluations():
    # With one action a greedy sweep continues the evaluation, and it shrinks the span by γ.
    mdp = TabularMDP(P=LARGE["garnet"].P[:, :1], r=LARGE["garnet"].r[:, :1])
    spans = modified_policy_iteration(mdp, gamma=0.99, tol=1e-8).spans
    assert (spans[1:] <= 0.99 * ENOUGH * spans[:-1] * (1 + 1e-9) + 1e-13).all()


def jumps(reach: int) -> TabularMDP:
    """Steps of `reach` states up or down a line; reaching its upper end pays."""
    s = np.arange(50)
    P = np.zeros((50, 2, 50))
    P[s, 0, np.maximum(s - reach, 0)] = 1
    P[s, 1, np.minimum(s + reach, 49)] = 1
    return TabularMDP(P=P, r=P[:, :, -1].copy())


@pytest.mark.parametrize(
    ("mdp", "method"),
    [
        (jumps(NARROW // 2), "banded policy iteration"),
        (jumps(NARROW // 2 + 1), "modified policy iteration"),
        (LARGE["garnet"], "modified policy iteration"),
        (LARGE["reset"], "modified policy iteration"),
        (garnet(3, 2, 2, rng=np.random.default_rng(0)), "banded policy iteration"),
    ],
)
def test_the_method_follows_from_how_far_a_step_leads(mdp, method):
    solution = solve(mdp, gamma=0.9, tol=1e-9)
    assert solution.method == method
    assert solution.q == pytest.approx(optimal_q(mdp, gamma=0.9), abs=1e-9)


@random_cases
@given(mdps, st.floats(0, 0.999))
def test_banded_elimination_is_the_dense_solution(mdp, gamma):
    pi = np.random.default_rng(3).dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    below, above = bandwidth(mdp.rows, mdp.num_actions)
    bands, v = np.empty((mdp.num_states, below + above + 1)), np.empty(mdp.num_states)
    fill_bands(bands, v, pi, mdp.rows, mdp.r, gamma, below)
    P_pi = np.einsum("sa,sat->st", pi, mdp.dense_transitions())
    assert v == pytest.approx((pi * mdp.r).sum(axis=1))
    exact = policy_values(P_pi, v, gamma)
    eliminate(bands, v, below)
    assert v == pytest.approx(exact, rel=1e-9, abs=1e-9)


def test_the_bandwidth_counts_the_longest_steps_down_and_up():
    for mdp, expected in (
        (chain(9), (1, 1)),
        (chain(9, second="stay"), (0, 1)),
        (chain(9, second="reset"), (8, 1)),
        (reversed_states(chain(9, second="stay")), (1, 0)),
    ):
        assert bandwidth(mdp.rows, 2) == expected
        assert bandwidth(compiled_rows(mdp.sparse_rows), 2) == expected


def test_greedy_actions_of_a_solution_are_optimal():
    mdp = LARGE["garnet"]
    exact = optimal_q(mdp, gamma=0.9)
    assert np.array_equal(greedy(solve(mdp, gamma=0.9).q), greedy(exact))


@pytest.mark.parametrize("name", ["garnet", "chain"])
def test_a_cap_that_was_too_low_is_a_result(name):
    for solver in SOLVERS.values():
        solution = solver(LARGE[name], gamma=0.99, tol=1e-9, max_sweeps=1)
        assert (solution.converged, solution.num_sweeps, solution.spans.shape) == (False, 1, (1,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: solve(m, gamma=1), r"gamma must be a number in \[0, 1\), but is 1"),
        (lambda m: solve(m, gamma=0.9, tol=0), "tol must be a number > 0, but is 0"),
        (lambda m: solve(m, gamma=0.9, max_sweeps=0), "max_sweeps must be an integer >= 1"),
        (lambda m: modified_policy_iteration(m, gamma=-1), r"gamma must be a number in \[0, 1\)"),
        (lambda m: modified_policy_iteration(m, gamma=0.9, num_inner=-1), "num_inner must be an "),
    ],
)
def test_impossible_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(chain(3))
