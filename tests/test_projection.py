"""The projection, its norms and floors, and projected value iteration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlearn_core import (
    TabularMDP,
    bellman_evaluation,
    bellman_optimality,
    chain,
    chebyshev_floor,
    gaussian_features,
    induced_sup_norm,
    induced_weighted_norm,
    iterate,
    lipschitz_constant,
    optimal_q,
    pair_transitions,
    polynomial_features,
    projected_value_iteration,
    projection_floor,
    projection_matrix,
    state_aggregation,
    stationary_weighting,
    tabular_features,
    uniform_weighting,
)

from .oracles import random_mdp_arrays

SLIP_LOOP = chain(5, slip=0.2, goal="loop")
INTERACTION = ((0, 0), (1, 0), (1, 1))  # [1, x, x·a]
WITH_ACTION = ((0, 0), (1, 0), (0, 1))  # [1, x, a]


def random_case(seed: int, with_terminal: bool = False, num_features: int = 3):
    """A random MDP of 5 states and 2 actions, Gaussian features and a weighting."""
    rng = np.random.default_rng(seed)
    mdp = TabularMDP(*random_mdp_arrays(seed, 5, 2, with_terminal))
    mu = np.zeros(10)
    mu[mdp.active_pairs] = rng.dirichlet(np.ones(mdp.active_pairs.size))
    return mdp, gaussian_features(mdp, num_features, rng=rng), mu, rng


seeds = st.integers(0, 10_000)


@settings(deadline=None, max_examples=30)
@given(seeds, st.booleans())
def test_a_projection_repeats_itself_keeps_its_image_and_is_self_adjoint(seed, with_terminal):
    _, phi, mu, _ = random_case(seed, with_terminal)
    Pi, D = projection_matrix(phi, mu), np.diag(mu)
    size = np.abs(Pi).max()
    assert Pi @ Pi == pytest.approx(Pi, abs=1e-9 * size)
    assert Pi @ phi == pytest.approx(phi, abs=1e-9 * size)
    assert D @ Pi == pytest.approx((D @ Pi).T, abs=1e-12 * size)
    assert induced_weighted_norm(Pi, mu) == pytest.approx(1, abs=1e-9)


def test_dependent_features_give_the_projection_of_independent_ones():
    _, phi, mu, _ = random_case(0)
    assert projection_matrix(np.hstack([phi, phi[:, :1] - phi[:, 1:2]]), mu) == pytest.approx(
        projection_matrix(phi, mu), abs=1e-12
    )


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_sup_norm_is_the_largest_value_over_all_sign_vectors(seed):
    matrix = np.random.default_rng(seed).normal(size=(6, 6))
    signs = np.array(list(itertools.product((-1, 1), repeat=6)))
    assert induced_sup_norm(matrix) == pytest.approx(np.abs(matrix @ signs.T).max(), rel=1e-12)


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_weighted_norm_bounds_every_ratio_and_power_iteration_reaches_it(seed):
    rng = np.random.default_rng(seed)
    matrix, mu = rng.normal(size=(6, 6)), rng.dirichlet(np.full(6, 5.0))
    norm = induced_weighted_norm(matrix, mu)
    x = rng.normal(size=6)
    adjoint = matrix.T * mu / mu[:, None]  # with respect to <x, y> = Σ μ x y
    for _ in range(2000):
        ratio = np.sqrt(mu @ (matrix @ x) ** 2 / (mu @ x**2))
        assert ratio <= norm * (1 + 1e-12)
        x = adjoint @ matrix @ x
        x /= np.abs(x).max()
    assert ratio == pytest.approx(norm, rel=1e-3)


def test_a_matrix_that_reads_unweighted_entries_has_no_finite_weighted_norm():
    mu = np.array([1.0, 0.0])
    assert induced_weighted_norm(np.array([[0.5, 0.1], [3.0, 3.0]]), mu) == np.inf
    assert induced_weighted_norm(np.array([[0.5, 0.0], [3.0, 3.0]]), mu) == 0.5


@settings(deadline=None, max_examples=30)
@given(seeds, st.booleans())
def test_on_policy_the_projected_transitions_never_expand_in_the_weighted_norm(seed, with_terminal):
    mdp, phi, _, rng = random_case(seed, with_terminal)
    pi = rng.dirichlet(np.ones(2), 5)
    mu = stationary_weighting(mdp, pi)
    projected = projection_matrix(phi, mu) @ pair_transitions(mdp, pi)
    assert induced_weighted_norm(projected, mu) <= 1 + 1e-9


def test_on_policy_the_sup_norm_may_exceed_one_all_the_same():
    mdp = chain(5, slip=0.1, goal="loop")
    pi = np.tile([0.9, 0.1], (5, 1))
    mu = stationary_weighting(mdp, pi)
    projected = projection_matrix(polynomial_features(mdp, INTERACTION), mu) @ pair_transitions(
        mdp, pi
    )
    assert induced_weighted_norm(projected, mu) <= 1 + 1e-9
    assert 0.9 * induced_sup_norm(projected) > 3


@pytest.mark.parametrize("with_terminal", [False, True])
def test_pair_transitions_are_the_linear_part_of_the_evaluation_operator(with_terminal):
    mdp, _, _, rng = random_case(4, with_terminal)
    pi, q = rng.dirichlet(np.ones(2), 5), rng.normal(size=(5, 2))
    image = mdp.r.ravel() + 0.9 * pair_transitions(mdp, pi) @ q.ravel()
    assert image == pytest.approx(bellman_evaluation(mdp, q, pi, gamma=0.9).ravel(), abs=1e-12)


@settings(deadline=None, max_examples=20)
@given(seeds, st.booleans())
def test_the_lipschitz_constant_is_the_largest_norm_over_all_policies(seed, with_terminal):
    mdp, phi, mu, _ = random_case(seed, with_terminal)
    Pi = projection_matrix(phi, mu)
    enumerated = max(
        0.9 * induced_sup_norm(Pi @ pair_transitions(mdp, np.eye(2)[list(actions)]))
        for actions in itertools.product(range(2), repeat=5)
    )
    constant = lipschitz_constant(mdp, phi, mu, gamma=0.9)
    assert constant == pytest.approx(enumerated, rel=1e-12)
    assert constant <= 0.9 * induced_sup_norm(Pi) + 1e-12


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_lipschitz_constant_is_attained_by_shifting_the_states_up_or_down(seed):
    mdp, phi, mu, rng = random_case(seed)
    Pi, constant = projection_matrix(phi, mu), lipschitz_constant(mdp, phi, mu, gamma=0.9)

    def image(q):
        return Pi @ bellman_optimality(mdp, q, gamma=0.9).ravel()

    q = rng.normal(size=(5, 2))
    steepest = (Pi @ mdp.P.reshape(10, 5))[np.abs(Pi @ mdp.P.reshape(10, 5)).sum(1).argmax()]
    shift = np.sign(steepest)[:, None]  # (S, 1), all of sup norm 1
    assert np.abs(image(q + shift) - image(q)).max() == pytest.approx(constant, rel=1e-9)
    other = rng.normal(size=(5, 2))
    distance = np.abs(q - other).max()
    assert np.abs(image(q) - image(other)).max() <= constant * distance * (1 + 1e-12)


def test_aggregation_is_a_contraction_at_every_size():
    mdp = chain(5, slip=0.1, goal="loop")
    for num_bins in range(1, 6):
        phi, mu = state_aggregation(mdp, num_bins), uniform_weighting(mdp)
        assert induced_sup_norm(projection_matrix(phi, mu)) == pytest.approx(1)
        assert lipschitz_constant(mdp, phi, mu, gamma=0.9) <= 0.9 + 1e-12


def test_the_best_line_through_a_parabola_misses_it_by_one_eighth():
    x = np.linspace(0, 1, 9)
    assert chebyshev_floor(np.stack([np.ones(9), x], axis=1), x**2) == pytest.approx(1 / 8)
    assert chebyshev_floor(np.ones((9, 1)), 1e6 * x) == pytest.approx(5e5)
    assert chebyshev_floor(np.ones((9, 1)), np.zeros(9)) == 0


@settings(deadline=None, max_examples=30)
@given(seeds, st.booleans())
def test_no_approximation_is_below_the_floor_of_its_norm(seed, with_terminal):
    mdp, phi, mu, rng = random_case(seed, with_terminal)
    q = optimal_q(mdp, gamma=0.9)
    chebyshev, floor = chebyshev_floor(phi, q), projection_floor(phi, mu, q)
    assert chebyshev <= floor.sup_norm * (1 + 1e-6)
    fit = np.linalg.lstsq(phi, q.ravel(), rcond=None)[0]
    for spread in (0.0, 1e-3, 0.1, 1.0):
        distance = phi @ (fit + spread * rng.normal(size=3)) - q.ravel()
        assert chebyshev <= np.abs(distance).max() * (1 + 1e-6)
        assert floor.weighted_norm <= np.sqrt(mu @ distance**2) * (1 + 1e-9)


def test_the_sup_norm_distance_of_the_projection_is_no_floor():
    mdp = chain(5)
    mu = stationary_weighting(mdp, np.tile([0.1, 0.9], (6, 1)))
    phi, q = polynomial_features(mdp, WITH_ACTION), optimal_q(mdp, gamma=0.9)
    run = projected_value_iteration(mdp, phi, mu, gamma=0.9)
    floor = projection_floor(phi, mu, q)
    assert run.status == "converged"
    assert chebyshev_floor(phi, q) < run.errors[-1] < floor.sup_norm
    assert np.sqrt(mu @ (run.q - q).ravel() ** 2) > floor.weighted_norm


def test_full_features_have_no_floor():
    q = optimal_q(SLIP_LOOP, gamma=0.9)
    phi, mu = tabular_features(SLIP_LOOP), uniform_weighting(SLIP_LOOP)
    assert chebyshev_floor(phi, q) < 1e-7
    assert projection_floor(phi, mu, q) == pytest.approx((0, 0), abs=1e-12)


@pytest.mark.parametrize("mdp", [chain(5, slip=0.1), SLIP_LOOP], ids=["terminal", "loop"])
def test_with_tabular_features_the_sweeps_are_those_of_value_iteration(mdp):
    phi, mu = tabular_features(mdp), uniform_weighting(mdp)
    run = projected_value_iteration(mdp, phi, mu, gamma=0.9, num_sweeps=50, record_at=np.arange(51))
    tables = iterate(mdp, gamma=0.9, num_sweeps=50)
    assert run.weights @ phi.T == pytest.approx(tables.reshape(51, -1)[run.steps], abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_sweep_is_the_projection_of_the_bellman_operator(seed):
    mdp, phi, mu, rng = random_case(seed, with_terminal=True)
    w0 = rng.normal(size=3)
    run = projected_value_iteration(mdp, phi, mu, gamma=0.9, num_sweeps=1, w0=w0)
    target = bellman_optimality(mdp, (phi @ w0).reshape(5, 2), gamma=0.9).ravel()
    assert run.q.ravel() == pytest.approx(projection_matrix(phi, mu) @ target, abs=1e-10)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_what_converged_is_a_fixed_point_to_the_stated_tolerance(gamma):
    mu, phi = uniform_weighting(SLIP_LOOP), polynomial_features(SLIP_LOOP, INTERACTION)
    run = projected_value_iteration(SLIP_LOOP, phi, mu, gamma=gamma)
    image = projection_matrix(phi, mu) @ bellman_optimality(SLIP_LOOP, run.q, gamma=gamma).ravel()
    assert run.status == "converged" and run.diverged_at is None
    assert np.abs(image - run.q.ravel()).max() <= 1e-9 * np.abs(run.q).max() * (1 - gamma)


def one_weight(slope):
    """Two states in a row, features 1 and `slope`, only the first updated: w ← γ·slope·w."""
    mdp = TabularMDP(P=np.array([[[0, 1.0]], [[0, 1.0]]]), r=np.zeros((2, 1)))
    return mdp, np.array([[1.0], [slope]]), np.array([1.0, 0.0])


@pytest.mark.parametrize(
    ("slope", "status"),
    [(-1.9, "converged"), (-2, "cycling"), (-2.1, "diverged"), (2 + 1e-7, "undecided")],
)
def test_the_status_tells_the_factor_of_a_sweep(slope, status):
    mdp, phi, mu = one_weight(slope)
    w0, num_sweeps = np.ones(1), 2000
    run = projected_value_iteration(mdp, phi, mu, gamma=0.5, num_sweeps=num_sweeps, w0=w0)
    assert run.status == status
    assert np.isfinite(run.errors).all() and np.isfinite(run.q).all()
    factor = slope / 2
    assert run.weights[:, 0] == pytest.approx(factor**run.steps, rel=1e-10)
    if status == "diverged":
        # The Bellman error of the first state is −2.05 w, the scale 2.1.
        first = np.ceil(np.log(1e6 * 2.1 / 2.05) / np.log(1.05))
        assert run.diverged_at == run.steps[-1] == first
    else:
        assert run.diverged_at is None


def test_a_slow_spiral_is_not_taken_for_a_cycle():
    # Two weights, each the other's successor with factor ±(1 − 1e-5): a spiral of period 4.
    mdp = TabularMDP(P=np.eye(4)[[1, 1, 3, 3]][:, None], r=np.zeros((4, 1)))
    slope = 2 * (1 - 1e-4)
    phi = np.array([[1.0, 0], [0, slope], [0, 1.0], [-slope, 0]])
    mu = np.array([0.5, 0, 0.5, 0])
    run = projected_value_iteration(
        mdp, phi, mu, gamma=0.5, num_sweeps=2000, w0=np.array([1.0, 0.3])
    )
    assert run.status == "undecided"
    assert (
        projected_value_iteration(
            mdp, phi, mu, gamma=0.5, num_sweeps=300_000, w0=np.array([1.0, 0.3])
        ).status
        == "converged"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phi": np.ones((3, 1))}, "phi must have shape"),
        ({"mu": np.ones(10)}, "mu must sum to 1"),
        ({"gamma": 1.0}, "gamma must be a number in"),
        ({"num_sweeps": 0}, "num_sweeps must be an integer >= 1"),
        ({"w0": np.ones(2)}, "w0 must be 3 finite numbers"),
        ({"record_at": [3, 2]}, "record_at must be increasing"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {
        "phi": polynomial_features(SLIP_LOOP, INTERACTION),
        "mu": uniform_weighting(SLIP_LOOP),
        "gamma": 0.9,
    } | change
    phi, mu = arguments.pop("phi"), arguments.pop("mu")
    with pytest.raises(ValueError, match=message):
        projected_value_iteration(SLIP_LOOP, phi, mu, **arguments)


def test_a_table_that_does_not_fit_the_features_is_named():
    with pytest.raises(ValueError, match="phi must have 4 rows"):
        chebyshev_floor(np.ones((3, 1)), np.ones((2, 2)))
