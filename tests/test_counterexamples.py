"""Tsitsiklis & Van Roy's two states and Baird's star: where linear bootstrapping diverges."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core import (
    FixedPolicy,
    expected_residual_gradient_q,
    expected_semi_gradient_q,
    induced_sup_norm,
    lipschitz_constant,
    pair_transitions,
    projected_value_iteration,
    projection_matrix,
    residual_gradient_q,
    semi_gradient_q,
    star,
    stationary_weighting,
    tabular_features,
    two_state,
)


def mean_dynamics(example, gamma):
    """A (d, d) with E[Δw] = α A w for the semi-gradient: Φᵀ D (γ P − I) Φ."""
    mdp, phi, mu = example[:3]
    transitions = pair_transitions(mdp, np.ones((mdp.num_states, 1)))
    return (phi.T * mu) @ (gamma * transitions - np.eye(len(phi))) @ phi


def threshold(unstable) -> float:
    """The γ from which on `unstable(γ)` holds, by bisection."""
    low, high = 0.0, 1.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if unstable(middle) else (middle, high)
    return high


# --- two states -----------------------------------------------------------------------------------


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("gamma", [0.5, 0.8, 0.9, 0.99])
def test_a_sweep_multiplies_the_weight_by_the_published_factor(epsilon, gamma):
    mdp, phi, mu, w0, _ = two_state(epsilon)
    run = projected_value_iteration(
        mdp, phi, mu, gamma=gamma, num_sweeps=20, w0=w0, record_at=np.arange(21)
    )
    factor = gamma * (6 - 4 * epsilon) / 5
    assert run.weights[:, 0] == pytest.approx(factor ** np.arange(21), rel=1e-12)


@pytest.mark.parametrize(("epsilon", "published"), [(0, 0.8333), (0.1, 0.89286), (0.2, 0.96154)])
def test_sweeps_and_semi_gradient_diverge_from_the_published_threshold_on(epsilon, published):
    example = two_state(epsilon)
    mdp, phi, mu, w0, _ = example
    exact = 5 / (6 - 4 * epsilon)
    assert exact == pytest.approx(published, abs=5e-5)
    assert threshold(lambda g: mean_dynamics(example, g)[0, 0] > 0) == pytest.approx(exact)
    for gamma, status in ((exact - 0.01, "converged"), (exact + 0.01, "diverged")):
        sweeps = projected_value_iteration(mdp, phi, mu, gamma=gamma, w0=w0)
        semi = expected_semi_gradient_q(mdp, phi, mu, gamma=gamma, alpha=0.1, w0=w0)
        full = expected_residual_gradient_q(mdp, phi, mu, gamma=gamma, alpha=0.1, w0=w0)
        assert (sweeps.status, semi.status, full.status) == (status, status, "converged")


def test_the_norm_of_the_projection_tells_the_threshold_exactly():
    mdp, phi, mu, *_ = two_state()
    Pi = projection_matrix(phi, mu)
    assert Pi[:2, :2] == pytest.approx(np.array([[0.2, 0.4], [0.4, 0.8]]))
    assert induced_sup_norm(Pi) == pytest.approx(1.2)
    assert lipschitz_constant(mdp, phi, mu, gamma=5 / 6) == pytest.approx(1)


def test_the_mean_rates_are_those_of_the_closed_form():
    for gamma in (0.5, 0.9):
        assert mean_dynamics(two_state(), gamma)[0, 0] == pytest.approx((6 * gamma - 5) / 2)
    mdp, phi, mu, w0, _ = two_state()
    full = expected_residual_gradient_q(mdp, phi, mu, gamma=0.9, alpha=0.1, num_updates=1, w0=w0)
    rate = ((2 * 0.9 - 1) ** 2 + (2 * 0.9 - 2) ** 2) / 2
    assert full.w[0] - 1 == pytest.approx(-0.1 * rate)
    assert rate == pytest.approx(0.34)


def test_updating_the_first_state_alone_diverges_from_one_half_on():
    mdp, phi, *_ = two_state()
    first = np.array([1.0, 0, 0])
    run = expected_semi_gradient_q(
        mdp, phi, first, gamma=0.99, alpha=0.1, num_updates=1, w0=np.array([10.0])
    )
    assert run.w[0] == pytest.approx(10.98)
    for gamma, status in ((0.49, "converged"), (0.51, "diverged")):
        run = expected_semi_gradient_q(mdp, phi, first, gamma=gamma, alpha=0.1, w0=np.ones(1))
        assert run.status == status


def test_sampled_updates_diverge_and_converge_with_the_expected_ones():
    mdp, phi, _, w0, behaviour = two_state()
    for gamma, diverges in ((0.7, False), (0.99, True)):
        for child in np.random.default_rng(0).spawn(10):
            run = semi_gradient_q(
                mdp, phi, gamma=gamma, alpha=0.02, num_updates=20_000, behaviour=behaviour,
                rng=child, w0=w0,
            )  # fmt: skip
            assert run.status == ("diverged" if diverges else "finished")
            assert diverges or run.errors[-1] < 1e-6


@pytest.mark.parametrize("epsilon", [-0.1, 1.1, None])
def test_a_probability_out_of_range_is_named(epsilon):
    with pytest.raises(ValueError, match="epsilon must be a number in"):
        two_state(epsilon)


# --- the star -------------------------------------------------------------------------------------


def test_the_star_of_seven_states_is_the_one_in_the_literature():
    mdp, phi, mu, w0, _ = star()
    v = phi @ np.arange(8.0)
    assert v == pytest.approx([2 * s + 7 for s in range(6)] + [6 + 2 * 7])
    assert w0.tolist() == [1, 1, 1, 1, 1, 1, 10, 1]
    assert mdp.P[:, 0, 6].tolist() == [1] * 7 and not mdp.r.any()
    assert mu == pytest.approx(np.full(7, 1 / 7))


def test_the_projection_of_the_star_is_the_identity_and_sweeps_contract():
    mdp, phi, mu, w0, _ = star()
    assert phi.shape == (7, 8) and np.linalg.matrix_rank(phi) == 7
    assert projection_matrix(phi, mu) == pytest.approx(np.eye(7), abs=1e-12)
    assert lipschitz_constant(mdp, phi, mu, gamma=0.99) == pytest.approx(0.99)
    run = projected_value_iteration(mdp, phi, mu, gamma=0.99, w0=w0, record_at=range(500))
    assert run.status == "converged"
    assert (run.errors[1:500] <= 0.99 * run.errors[:499] * (1 + 1e-9)).all()


@pytest.mark.parametrize("num_upper", [5, 6, 10])
def test_the_semi_gradient_on_the_star_is_unstable_from_its_closed_form_on(num_upper):
    example = star(num_upper)

    def unstable(gamma):
        return np.linalg.eigvals(mean_dynamics(example, gamma)).real.max() > 1e-9

    exact = (num_upper + 9) / (2 * num_upper + 5)
    assert threshold(unstable) == pytest.approx(exact, abs=1e-6)


@pytest.mark.parametrize(("gamma", "rate"), [(0.9, 0.021), (0.95, 0.082), (0.99, 0.239)])
def test_the_star_grows_at_the_rate_of_its_largest_eigenvalue(gamma, rate):
    eigenvalues = np.linalg.eigvals(mean_dynamics(star(), gamma))
    assert eigenvalues.real.max() == pytest.approx(rate, abs=5e-4)


def test_on_the_star_the_semi_gradient_diverges_and_the_residual_gradient_stays_bounded():
    mdp, phi, mu, w0, behaviour = star()
    arguments = {"gamma": 0.99, "alpha": 0.01, "num_updates": 3000, "w0": w0}
    marks = np.arange(0, 3001, 1000)
    semi = expected_semi_gradient_q(mdp, phi, mu, **arguments, record_at=marks)
    assert semi.errors[1] == pytest.approx(677, rel=0.01)
    assert semi.errors[3] == pytest.approx(8.9e4, rel=0.01)
    full = expected_residual_gradient_q(mdp, phi, mu, **arguments, record_at=np.arange(3001))
    assert (full.errors[1:] <= full.errors[0]).all()
    assert full.errors[-1] == pytest.approx(1.95, abs=0.02)
    finals = []
    for child in np.random.default_rng(0).spawn(20):
        children = child.spawn(2)
        run = semi_gradient_q(mdp, phi, **arguments, behaviour=behaviour, rng=children[0])
        finals.append(run.errors[-1])
        run = residual_gradient_q(mdp, phi, **arguments, behaviour=behaviour, rng=children[1])
        assert run.errors.max() < 2 * run.errors[0]
    logs = np.log(finals)
    standard_error = logs.std(ddof=1) / np.sqrt(20)
    assert abs(logs.mean() - np.log(semi.errors[3])) < 4 * standard_error + 0.5 * logs.var()
    longer = arguments | {"num_updates": 20_000}
    assert expected_semi_gradient_q(mdp, phi, mu, **longer).status == "diverged"


def test_without_any_one_leg_of_the_triad_the_star_stays_bounded():
    mdp, phi, mu, w0, _ = star()
    arguments = {"gamma": 0.99, "alpha": 0.01, "num_updates": 20_000}
    tables = expected_semi_gradient_q(mdp, tabular_features(mdp), mu, **arguments, w0=phi @ w0)
    no_bootstrap = expected_semi_gradient_q(mdp, phi, mu, **arguments | {"gamma": 0.0}, w0=w0)
    on_policy = stationary_weighting(mdp, np.ones((7, 1)))
    assert on_policy == pytest.approx([0] * 6 + [1])
    last = expected_semi_gradient_q(mdp, phi, on_policy, **arguments, w0=w0)
    trajectory = semi_gradient_q(
        mdp, phi, **arguments, behaviour=FixedPolicy(np.ones((7, 1))), w0=w0,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    for run in (tables, no_bootstrap, last, trajectory):
        assert run.status != "diverged"
        assert run.errors.max() < 1.1 * run.errors[0]  # the shared weight moves the upper states
    all_three = expected_semi_gradient_q(mdp, phi, mu, **arguments, w0=w0)
    assert all_three.status == "diverged"


def test_a_star_without_upper_states_is_refused():
    with pytest.raises(ValueError, match="num_upper must be an integer >= 1"):
        star(0)
