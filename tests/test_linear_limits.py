"""Where linear Q-learning ends: limits, cycles and divergence of both gradients."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core import (
    TabularMDP,
    UniformPairs,
    chain,
    expected_residual_gradient_q,
    expected_semi_gradient_q,
    largest_curvature,
    optimal_q,
    projected_value_iteration,
    projection_floor,
    semi_gradient_q,
    stationary_weighting,
    tabular_features,
    uniform_weighting,
)

from .test_linear import (
    EXPECTED,
    INTERACTION,
    SLIP_LOOP,
    SLIP_TERMINAL,
    rng,
)


def a_split() -> TabularMDP:
    """A leads to B or C, each half the time; B ends with 1, C with 0 (Sutton & Barto 11.5)."""
    P = np.zeros((4, 1, 4))
    P[0, 0, 1:3] = 0.5
    P[1:, 0, 3] = 1
    return TabularMDP(P=P, r=[[0.0], [1], [0], [0]], terminal=[False, False, False, True])


def test_on_the_a_split_the_residual_gradient_misses_by_the_variance_of_its_target():
    mdp, gamma = a_split(), 0.9
    phi, mu = tabular_features(mdp), stationary_weighting(mdp, np.ones((4, 1)))
    limits = {
        kind: run(mdp, phi, mu, gamma=gamma, alpha=1.0).q[:3, 0] for kind, run in EXPECTED.items()
    }
    true = [gamma / 2, 1, 0]
    # ½(γB−A)² + ½(γC−A)² + ½(1−B)² + ½C² has its minimum at B − C = 1/(1+γ²): ¾ and ¼ at γ = 1.
    half = 1 / (2 * (1 + gamma**2))
    assert mu == pytest.approx([0.5, 0.25, 0.25, 0])
    assert limits["semi"] == pytest.approx(true, abs=1e-8)
    assert limits["double"] == pytest.approx(true, abs=1e-8)
    assert limits["residual"] == pytest.approx([gamma / 2, 0.5 + half, 0.5 - half], abs=1e-8)


@pytest.mark.parametrize(
    ("mdp", "miss"),
    [(SLIP_TERMINAL, 0.205), (chain(5, slip=0.1, goal="loop"), 0.522)],
    ids=["terminal", "loop"],
)
def test_on_the_slippery_chain_the_residual_gradient_converges_far_from_the_values(mdp, miss):
    phi, mu = tabular_features(mdp), uniform_weighting(mdp)
    largest = optimal_q(mdp, gamma=0.9).max()
    runs = [EXPECTED[kind](mdp, phi, mu, gamma=0.9, alpha=3.0) for kind in ("residual", "double")]
    assert [run.status for run in runs] == ["converged", "converged"]
    assert runs[0].errors[-1] / largest == pytest.approx(miss, abs=0.001)
    assert runs[1].errors[-1] / largest < 1e-5


def test_a_minimum_where_actions_tie_is_circled_at_a_distance_of_the_order_of_the_step():
    mdp = chain(5, slip=0.3)
    phi, mu = tabular_features(mdp), uniform_weighting(mdp)
    gaps = []
    for alpha in (1.0, 0.1):
        run = expected_residual_gradient_q(mdp, phi, mu, gamma=0.9, alpha=alpha)
        assert run.status == "cycling"
        gaps.append(abs(run.q[3, 1] - run.q[3, 0]))
    assert gaps[1] < 0.2 * gaps[0] < 0.01


@pytest.mark.parametrize(
    ("gamma", "status", "swept"),
    [
        (0.9, "converged", "converged"),
        (0.97, "cycling", "converged"),
        (0.985, "diverged", "converged"),
    ],
)
def test_three_regimes_on_one_slider_while_sweeps_of_least_squares_settle(gamma, status, swept):
    mu = uniform_weighting(SLIP_LOOP)
    alpha = 0.9 / largest_curvature(INTERACTION, mu)
    run = expected_semi_gradient_q(SLIP_LOOP, INTERACTION, mu, gamma=gamma, alpha=alpha)
    sweeps = projected_value_iteration(SLIP_LOOP, INTERACTION, mu, gamma=gamma)
    assert (run.status, sweeps.status) == (status, swept)
    assert np.isfinite(run.errors).all()
    if status == "converged":
        assert run.q == pytest.approx(sweeps.q, rel=1e-6)
        q_star = optimal_q(SLIP_LOOP, gamma=gamma)
        assert run.errors[-1] > projection_floor(INTERACTION, mu, q_star).sup_norm


def test_the_cycle_keeps_its_size_and_stretches_its_period_with_a_smaller_step():
    mu, gamma = uniform_weighting(SLIP_LOOP), 0.97
    largest = optimal_q(SLIP_LOOP, gamma=gamma).max()
    ranges, periods = [], []
    for share in (0.9, 0.3):
        run = expected_semi_gradient_q(
            SLIP_LOOP, INTERACTION, mu, gamma=gamma,
            alpha=share / largest_curvature(INTERACTION, mu), record_at=np.arange(300_000, 400_001),
        )  # fmt: skip
        assert run.status == "cycling"
        errors = run.errors / largest
        ranges.append((errors.min(), errors.max()))
        middle = (errors.min() + errors.max()) / 2
        crossings = np.flatnonzero((errors[:-1] < middle) & (errors[1:] >= middle))
        periods.append(np.diff(crossings).mean())
    assert ranges[0] == pytest.approx((0.13, 2.32), abs=0.01)
    assert ranges[1] == pytest.approx(ranges[0], rel=0.03)
    assert periods[1] / periods[0] == pytest.approx(3, rel=0.05)


def test_a_sampled_run_that_diverges_says_when_and_stays_finite():
    run = semi_gradient_q(
        SLIP_LOOP, INTERACTION, gamma=0.99, alpha=0.02, num_updates=1_000_000,
        behaviour=UniformPairs(), rng=rng(),
    )  # fmt: skip
    assert run.status == "diverged"
    assert run.diverged_at == run.steps[-1] < 1_000_000
    assert np.isfinite(run.errors).all() and np.isfinite(run.w).all()
    assert run.errors[-1] > 1e5 * optimal_q(SLIP_LOOP, gamma=0.99).max()
    assert np.array_equal(run.weights[-1], run.w)


def test_without_bootstrapping_the_limit_is_the_projection_of_the_values():
    gamma, mu = 0.99, uniform_weighting(SLIP_LOOP)
    q_star = optimal_q(SLIP_LOOP, gamma=gamma)
    supervised = TabularMDP(P=SLIP_LOOP.P, r=q_star)  # with γ = 0 the target is the reward
    run = expected_semi_gradient_q(supervised, INTERACTION, mu, gamma=0.0, alpha=0.5)
    assert run.status == "converged"
    floor = projection_floor(INTERACTION, mu, q_star).sup_norm
    assert run.errors[-1] == pytest.approx(floor, rel=1e-6)


def test_the_curvature_limits_the_step_of_a_fixed_target():
    mu = uniform_weighting(SLIP_LOOP)
    limit = 2 / largest_curvature(INTERACTION, mu)
    status = [
        expected_semi_gradient_q(SLIP_LOOP, INTERACTION, mu, gamma=0.0, alpha=share * limit).status
        for share in (0.95, 1.05)
    ]
    assert status == ["converged", "diverged"]
