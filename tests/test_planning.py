"""Value iteration and policy iteration: guarantees, rates, closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlearn_core import (
    TabularMDP,
    bellman_evaluation,
    chain,
    evaluate_policy,
    garnet,
    greedy,
    iterate,
    optimal_q,
    policy_iteration,
    value_iteration,
)

from .oracles import (
    best_deterministic_policy_values,
    random_mdp,
    random_mdp_arrays,
    slow_optimal_q,
)

random_cases = settings(max_examples=60, deadline=None, derandomize=True)
mdps = st.builds(
    random_mdp,
    st.integers(0, 10_000),
    st.integers(2, 6),
    st.integers(1, 4),
    st.booleans(),
    sparse=st.booleans(),
)


@random_cases
@given(
    mdps,
    st.floats(0, 0.97),
    st.sampled_from([1e-1, 1e-3, 1e-6]),
    st.sampled_from(["norm", "span"]),
    st.booleans(),
)
def test_the_error_is_at_most_tol_when_converged(mdp, gamma, tol, stop, random_start):
    q0 = np.random.default_rng(0).normal(size=mdp.r.shape) if random_start else None
    result = value_iteration(mdp, gamma=gamma, tol=tol, q0=q0, stop=stop)
    assert result.converged
    assert np.abs(result.q - optimal_q(mdp, gamma=gamma)).max() <= tol * (1 + 1e-9) + 1e-12
    assert not result.q[mdp.terminal].any()


@pytest.mark.parametrize("goal", ["terminal", "loop"])
@pytest.mark.parametrize("stop", ["norm", "span"])
def test_the_guarantee_holds_on_chains_at_a_long_horizon(goal, stop):
    mdp = chain(6, slip=0.1, goal=goal)
    result = value_iteration(mdp, gamma=0.999, tol=1e-4, stop=stop)
    assert result.converged
    assert np.abs(result.q - optimal_q(mdp, gamma=0.999)).max() <= 1e-4


@random_cases
@given(mdps, st.floats(0.1, 0.97))
def test_the_residuals_shrink_at_least_by_gamma_every_sweep(mdp, gamma):
    result = value_iteration(mdp, gamma=gamma, tol=1e-6)
    assert result.residuals.shape == result.spans.shape == (result.num_sweeps,)
    assert (result.residuals[1:] <= gamma * result.residuals[:-1] + 1e-12).all()
    assert (result.spans >= 0).all()


def test_the_span_rule_needs_a_twentieth_of_the_sweeps_on_a_garnet():
    mdp = garnet(100, 4, 5, rng=np.random.default_rng(0))
    runs = {s: value_iteration(mdp, gamma=0.99, tol=1e-6, stop=s) for s in ("norm", "span")}
    assert all(run.converged for run in runs.values())
    assert runs["norm"].num_sweeps > 20 * runs["span"].num_sweeps
    # Sweeps to γ^k / (1-γ) = tol: the norm cannot do better than its rate γ.
    assert runs["norm"].num_sweeps == pytest.approx(np.log(1e-8) / np.log(0.99), rel=0.05)


def test_the_sweep_cap_is_a_result_and_not_an_exception():
    result = value_iteration(chain(3, goal="loop"), gamma=0.9, max_sweeps=5)
    assert (result.converged, result.num_sweeps) == (False, 5)
    history = iterate(chain(3, goal="loop"), gamma=0.9, num_sweeps=5)
    assert np.array_equal(result.q, history[-1])


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("depth", [1, 2, 5, 32])
def test_on_the_terminal_chain_the_error_is_gamma_to_the_k_and_then_exactly_zero(depth, gamma):
    history = iterate(chain(depth), gamma=gamma, num_sweeps=depth + 3)
    errors = np.abs(history - history[-1]).max(axis=(1, 2))
    assert errors[0] == 1
    # The last entry to be right is the second action of state 0 at sweep depth + 1.
    assert errors[1 : depth + 1] == pytest.approx(gamma ** np.arange(1.0, depth + 1), rel=1e-12)
    assert errors[depth + 1 :].tolist() == [0, 0, 0]


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_on_the_loop_chain_the_bound_gamma_to_the_k_is_attained(gamma):
    mdp = chain(5, goal="loop")
    history = iterate(mdp, gamma=gamma, num_sweeps=30)
    errors = np.abs(history - optimal_q(mdp, gamma=gamma)).max(axis=(1, 2))
    assert errors == pytest.approx(gamma ** np.arange(31.0) / (1 - gamma), rel=1e-10)


@random_cases
@given(mdps, st.floats(0, 0.99), st.floats(0.01, 1))
def test_a_damped_sweep_contracts_by_one_minus_alpha_times_one_minus_gamma(mdp, gamma, alpha):
    q0 = np.random.default_rng(1).normal(size=mdp.r.shape)
    history = iterate(mdp, gamma=gamma, num_sweeps=20, q0=q0, alpha=alpha)
    errors = np.abs(history - optimal_q(mdp, gamma=gamma)).max(axis=(1, 2))
    factor = 1 - alpha * (1 - gamma)
    assert (errors[1:] <= factor * errors[:-1] + 1e-10).all()


def test_the_damped_rate_is_attained_on_the_loop_chain():
    gamma, alpha = 0.9, 0.3
    mdp = chain(1, goal="loop")
    history = iterate(mdp, gamma=gamma, num_sweeps=50, alpha=alpha)
    errors = np.abs(history - optimal_q(mdp, gamma=gamma)).max(axis=(1, 2))
    assert errors == pytest.approx(10 * (1 - alpha * (1 - gamma)) ** np.arange(51.0), rel=1e-10)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    st.integers(0, 10_000),
    st.integers(2, 5),
    st.integers(1, 3),
    st.booleans(),
    st.floats(0, 0.99),
)
def test_policy_iteration_finds_the_best_of_all_deterministic_policies(S, A, k, end, gamma):
    mdp = TabularMDP(*random_mdp_arrays(S, A, k, end))
    result = policy_iteration(mdp, gamma=gamma)
    assert result.converged
    best = best_deterministic_policy_values(mdp, gamma)
    assert result.q.max(axis=1) == pytest.approx(best, rel=1e-9, abs=1e-9)
    own = result.q[np.arange(mdp.num_states), result.greedy]
    assert own == pytest.approx(best, rel=1e-9, abs=1e-9)


def test_policy_iteration_agrees_with_slow_value_iteration():
    mdp = garnet(30, 3, 4, rng=np.random.default_rng(3))
    result = policy_iteration(mdp, gamma=0.9)
    assert result.q == pytest.approx(slow_optimal_q(mdp, 0.9), abs=1e-10)
    assert np.array_equal(result.greedy, greedy(result.q))


def test_policy_iteration_stops_when_all_actions_are_equally_good():
    P, r, _ = random_mdp_arrays(0, 20, 1, False)
    twins = TabularMDP(P=np.repeat(P, 4, axis=1), r=np.repeat(r, 4, axis=1))
    result = policy_iteration(twins, gamma=0.99)
    assert (result.converged, result.num_iterations) == (True, 1)


def test_policy_iteration_reports_a_cap_that_was_too_low():
    mdp = chain(8)
    assert not policy_iteration(mdp, gamma=0.9, max_iterations=2).converged
    assert policy_iteration(mdp, gamma=0.9).converged


@random_cases
@given(mdps, st.floats(0, 0.99))
def test_a_policy_is_worth_the_fixed_point_of_its_own_operator(mdp, gamma):
    pi = np.random.default_rng(2).dirichlet(np.ones(mdp.num_actions), mdp.num_states)
    q_pi = evaluate_policy(mdp, pi, gamma=gamma)
    assert bellman_evaluation(mdp, q_pi, pi, gamma=gamma) == pytest.approx(q_pi, abs=1e-9)
    assert (q_pi <= optimal_q(mdp, gamma=gamma) + 1e-9).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: value_iteration(m, gamma=1), r"gamma must be a number in \[0, 1\), but is 1"),
        (lambda m: value_iteration(m, gamma=0.9, tol=0), "tol must be a number > 0, but is 0"),
        (lambda m: value_iteration(m, gamma=0.9, max_sweeps=0), "max_sweeps must be an integer"),
        (lambda m: value_iteration(m, gamma=0.9, stop="max"), "stop must be 'norm' or 'span'"),
        (lambda m: value_iteration(m, gamma=0.9, q0=[1]), r"q0 must have shape \(S, A\)"),
        (lambda m: iterate(m, gamma=0.9, num_sweeps=-1), "num_sweeps must be an integer >= 0"),
        (lambda m: iterate(m, gamma=0.9, num_sweeps=1, alpha=0), r"alpha must be .* \(0, 1\]"),
        (lambda m: iterate(m, gamma=0.9, num_sweeps=1, alpha=1.1), r"alpha must be .* \(0, 1\]"),
        (lambda m: policy_iteration(m, gamma=0.9, max_iterations=0), "max_iterations must be"),
    ],
)
def test_impossible_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call(chain(3))
