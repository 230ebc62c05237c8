"""Linear Q-learning, sampled and expected, with the semi-gradient and the residual gradient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlearn_core import (
    Cyclic,
    EpsilonGreedy,
    FixedPolicy,
    TabularMDP,
    UniformPairs,
    bellman_optimality,
    chain,
    expected_residual_gradient_q,
    expected_semi_gradient_q,
    gaussian_features,
    harmonic_global,
    linear,
    mean_updates,
    optimal_q,
    polynomial_features,
    predictable_variance,
    q_learning,
    rescaled,
    residual_gradient_q,
    semi_gradient_q,
    tabular_features,
    uniform_weighting,
)

from .oracles import random_mdp_arrays
from .test_without_numba import NO_NUMBA, python

SLIP_LOOP = chain(5, slip=0.2, goal="loop")
SLIP_TERMINAL = chain(5, slip=0.1)
INTERACTION = polynomial_features(SLIP_LOOP, ((0, 0), (1, 0), (1, 1)))  # [1, x, x·a]
SAMPLED = {
    "semi": semi_gradient_q,
    "residual": residual_gradient_q,
    "double": lambda *args, **kwargs: residual_gradient_q(*args, **kwargs, double_sampling=True),
}
EXPECTED = {
    "semi": expected_semi_gradient_q,
    "residual": expected_residual_gradient_q,
    "double": lambda *args, **kwargs: expected_residual_gradient_q(
        *args, **kwargs, double_sampling=True
    ),
}
BEHAVIOURS = [
    UniformPairs(),
    Cyclic(),
    EpsilonGreedy(0.3),
    FixedPolicy(np.tile([0.35, 0.65], (6, 1))),
]


def rng(seed=0):
    return np.random.default_rng(seed)


def names(behaviour):
    return type(behaviour).__name__


def random_case(seed, num_features=3):
    """A random MDP with a terminal state, Gaussian features, a weighting and weights."""
    mdp = TabularMDP(*random_mdp_arrays(seed, 4, 2, with_terminal=True))
    mu = np.zeros(8)
    mu[mdp.active_pairs] = rng(seed).dirichlet(np.ones(6))
    phi = gaussian_features(mdp, num_features, rng=rng(seed + 1))
    return mdp, phi, mu, rng(seed + 2).normal(size=num_features)


def losses(mdp, phi, mu, w, gamma):
    """½ E_μ[δ²] and ½ ‖T Q − Q‖²_μ, by loops over pairs and next states."""
    q = (phi @ w).reshape(mdp.r.shape)
    sampled = averaged = 0.0
    for i, weight in enumerate(mu):
        s, a = divmod(i, mdp.num_actions)
        td_errors = mdp.r[s, a] + gamma * q.max(axis=1) * ~mdp.terminal - q[s, a]
        sampled += weight * (mdp.P[s, a] @ td_errors**2) / 2
        averaged += weight * (mdp.P[s, a] @ td_errors) ** 2 / 2
    return sampled, averaged


# --- the tabular case -----------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=names)
@pytest.mark.parametrize("alpha", [0.2, rescaled(0.9), harmonic_global()])
def test_with_tabular_features_the_semi_gradient_is_q_learning_bit_by_bit(behaviour, alpha):
    mdp, phi = SLIP_TERMINAL, tabular_features(SLIP_TERMINAL)
    arguments = {"gamma": 0.9, "alpha": alpha, "num_updates": 3000, "behaviour": behaviour}
    table = q_learning(mdp, **arguments, rng=rng(1))
    run = semi_gradient_q(mdp, phi, **arguments, rng=rng(1))
    assert run.status == "finished" and run.diverged_at is None
    assert np.array_equal(run.q, table.q)
    assert np.array_equal(run.steps, table.steps)
    assert np.array_equal(run.errors, table.errors)
    assert np.array_equal(run.weights @ phi.T, table.tables.reshape(len(run.steps), -1))


def test_the_expected_tabular_semi_gradient_contracts_at_its_rate_to_q_star():
    mdp, gamma, alpha = SLIP_TERMINAL, 0.9, 2.0
    phi, mu = tabular_features(mdp), uniform_weighting(mdp)
    run = expected_semi_gradient_q(mdp, phi, mu, gamma=gamma, alpha=alpha, record_at=range(500))
    assert (np.diff(run.steps) == 1).all()
    ratios = run.errors[1:] / run.errors[:-1]
    assert ratios[run.errors[:-1] > 1e-9].max() <= 1 - alpha / 10 * (1 - gamma) + 1e-12
    assert run.status == "converged"
    assert run.q == pytest.approx(optimal_q(mdp, gamma=gamma), abs=1e-8)


@pytest.mark.parametrize("kind", ["residual", "double"])
def test_without_chance_the_tabular_residual_gradient_has_the_limit_of_q_learning(kind):
    mdp = chain(3)
    phi, mu = tabular_features(mdp), uniform_weighting(mdp)
    slow = EXPECTED[kind](mdp, phi, mu, gamma=0.9, alpha=1.0)
    quick = expected_semi_gradient_q(mdp, phi, mu, gamma=0.9, alpha=1.0)
    assert slow.status == quick.status == "converged"
    assert slow.q == pytest.approx(optimal_q(mdp, gamma=0.9), abs=1e-6)
    assert slow.steps[-1] > quick.steps[-1]


def test_a_self_loop_slows_the_residual_gradient_by_one_minus_gamma():
    mdp = TabularMDP(P=np.ones((1, 1, 1)), r=np.ones((1, 1)))
    arguments = {
        "gamma": 0.9, "alpha": 0.5, "num_updates": 1, "behaviour": Cyclic(), "rng": rng(),
    }  # fmt: skip
    semi = semi_gradient_q(mdp, np.ones((1, 1)), **arguments).w[0]
    residual = residual_gradient_q(mdp, np.ones((1, 1)), **arguments).w[0]
    assert semi == 0.5
    assert residual == pytest.approx(0.1 * semi, rel=1e-12)


def test_the_two_tabular_updates_agree_at_the_pair_and_differ_at_its_successor():
    mdp, w0 = chain(2), np.array([0.3, 0.1, 0.2, 0.7])
    phi, forward = tabular_features(mdp), FixedPolicy(np.tile([0.0, 1.0], (3, 1)))
    arguments = {"gamma": 0.9, "alpha": 0.5, "num_updates": 1, "behaviour": forward, "w0": w0}
    semi = semi_gradient_q(mdp, phi, **arguments, rng=rng()).w - w0
    residual = residual_gradient_q(mdp, phi, **arguments, rng=rng()).w - w0
    td_error = 0.9 * 0.7 - 0.1
    assert semi == pytest.approx([0, 0.5 * td_error, 0, 0])
    assert residual - semi == pytest.approx([0, 0, 0, -0.9 * 0.5 * td_error])
    cosine = semi @ residual / np.linalg.norm(semi) / np.linalg.norm(residual)
    assert cosine == pytest.approx(1 / np.sqrt(1 + 0.9**2))
    last = arguments | {"start": 1}  # its successor is terminal: nothing to differentiate
    assert np.array_equal(
        semi_gradient_q(mdp, phi, **last, rng=rng()).w,
        residual_gradient_q(mdp, phi, **last, rng=rng()).w,
    )


# --- sampled and expected updates -----------------------------------------------------------------


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_the_expected_semi_gradient_is_the_weighted_sum_of_bellman_errors(seed):
    mdp, phi, mu, w0 = random_case(seed)
    run = expected_semi_gradient_q(mdp, phi, mu, gamma=0.9, alpha=0.1, num_updates=1, w0=w0)
    q = (phi @ w0).reshape(mdp.r.shape)
    errors = (bellman_optimality(mdp, q, gamma=0.9) - q).ravel()
    assert run.w - w0 == pytest.approx(0.1 * phi.T @ (mu * errors), abs=1e-13)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_the_expected_residual_gradients_are_the_slopes_of_their_losses(seed):
    mdp, phi, mu, w0 = random_case(seed)
    for which, kind in enumerate(("residual", "double")):
        run = EXPECTED[kind](mdp, phi, mu, gamma=0.9, alpha=0.1, num_updates=1, w0=w0)
        for j, unit in enumerate(1e-6 * np.eye(3)):
            above, below = (losses(mdp, phi, mu, w0 + side * unit, 0.9)[which] for side in (1, -1))
            slope = (above - below) / 2e-6
            assert (run.w - w0)[j] == pytest.approx(-0.1 * slope, abs=1e-7)


@pytest.mark.parametrize("kind", SAMPLED)
def test_the_expected_update_is_the_mean_of_the_sampled_one(kind):
    mdp, phi, _, w0 = random_case(7)
    num_samples, generator = 4000, rng(1)
    arguments = {"gamma": 0.9, "alpha": 0.1, "num_updates": 1, "w0": w0}
    updates = np.array(
        [
            SAMPLED[kind](mdp, phi, **arguments, behaviour=UniformPairs(), rng=generator).w - w0
            for _ in range(num_samples)
        ]
    )
    expected = EXPECTED[kind](mdp, phi, uniform_weighting(mdp), **arguments).w - w0
    standard_errors = updates.std(axis=0) / np.sqrt(num_samples)
    assert (np.abs(updates.mean(axis=0) - expected) < 4 * standard_errors).all()
    assert (standard_errors < 0.1 * np.abs(expected).max()).all()


def test_the_variance_of_the_target_is_what_two_samples_remove_from_the_loss():
    mdp, phi, mu, w = random_case(3)
    sampled, averaged = losses(mdp, phi, mu, w, 0.9)
    variance = predictable_variance(mdp, (phi @ w).reshape(mdp.r.shape), gamma=0.9).ravel()
    assert sampled - averaged == pytest.approx(mu @ variance / 2, rel=1e-12)


@pytest.mark.parametrize("kind", SAMPLED)
def test_a_sampled_run_hovers_around_the_limit_of_the_expected_one(kind):
    mdp, phi, _, _ = random_case(5)
    limit = EXPECTED[kind](mdp, phi, uniform_weighting(mdp), gamma=0.8, alpha=0.3)
    assert limit.status == "converged"
    finals = np.array(
        [
            SAMPLED[kind](
                mdp, phi, gamma=0.8, alpha=0.005, num_updates=40_000, behaviour=UniformPairs(),
                rng=child, record_at=np.arange(20_000, 40_001, 100),
            ).weights.mean(axis=0)
            for child in rng(2).spawn(20)
        ]
    )  # fmt: skip
    standard_errors = finals.std(axis=0, ddof=1) / np.sqrt(20)
    # The maximum bends where actions tie, which biases a run by the order of α: 5 % of the size.
    allowance = 4 * standard_errors + 0.05 * np.abs(limit.w).max()
    assert (np.abs(finals.mean(axis=0) - limit.w) < allowance).all()


@pytest.mark.parametrize("behaviour", BEHAVIOURS, ids=names)
@pytest.mark.parametrize("kind", SAMPLED)
def test_compiled_and_interpreted_runs_are_bit_identical(kind, behaviour, monkeypatch):
    phi = polynomial_features(SLIP_TERMINAL, ((0, 0), (1, 0), (1, 1)))

    def run():
        return SAMPLED[kind](
            SLIP_TERMINAL, phi, gamma=0.9, alpha=0.05, num_updates=400, behaviour=behaviour,
            rng=rng(4),
        )  # fmt: skip

    compiled = run()
    kernel = linear._linear_q_learning
    monkeypatch.setattr(linear, "_linear_q_learning", getattr(kernel, "py_func", kernel))
    assert np.array_equal(compiled.weights, run().weights)


@pytest.mark.parametrize("kind", EXPECTED)
def test_compiled_and_interpreted_expected_runs_are_bit_identical(kind, monkeypatch):
    mdp, phi, mu, w0 = random_case(1)

    def run():
        return EXPECTED[kind](mdp, phi, mu, gamma=0.9, alpha=0.3, num_updates=300, w0=w0)

    compiled = run()
    kernel = mean_updates._iterate
    monkeypatch.setattr(mean_updates, "_iterate", getattr(kernel, "py_func", kernel))
    assert np.array_equal(compiled.weights, run().weights)


# --- records and arguments ------------------------------------------------------------------------


def test_records_are_taken_where_asked_and_close_the_run():
    mu = uniform_weighting(SLIP_LOOP)
    expected = expected_semi_gradient_q(
        SLIP_LOOP, INTERACTION, mu, gamma=0.9, alpha=0.1, num_updates=50, record_at=[0, 10, 20]
    )
    assert expected.steps.tolist() == [0, 10, 20, 50]
    assert np.array_equal(expected.weights[-1], expected.w)
    sampled = semi_gradient_q(
        SLIP_LOOP, INTERACTION, gamma=0.9, alpha=0.1, num_updates=50, behaviour=UniformPairs(),
        rng=rng(), record_at=[5, 50],
    )  # fmt: skip
    assert sampled.steps.tolist() == [5, 50]
    assert np.array_equal(sampled.q.ravel(), INTERACTION @ sampled.w)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"phi": np.ones((9, 1))}, "phi must have shape"),
        ({"gamma": 1.0}, "gamma must be a number in"),
        ({"alpha": 0.0}, "alpha must be a number in"),
        ({"num_updates": 0}, "num_updates must be an integer >= 1"),
        ({"behaviour": "random"}, "behaviour must be UniformPairs"),
        ({"rng": 0}, "rng must be a numpy.random.Generator"),
        ({"w0": [np.nan, 0, 0]}, "w0 must be 3 finite numbers"),
        ({"record_at": [60]}, "record_at must be increasing"),
        ({"start": 5, "behaviour": EpsilonGreedy(0.1)}, "start must be a non-terminal state"),
    ],
)
@pytest.mark.parametrize("method", [semi_gradient_q, residual_gradient_q])
def test_bad_arguments_of_sampled_runs_are_named(method, change, message):
    arguments = {
        "phi": INTERACTION, "gamma": 0.9, "alpha": 0.1, "num_updates": 50,
        "behaviour": UniformPairs(), "rng": rng(),
    } | change  # fmt: skip
    with pytest.raises(ValueError, match=message):
        method(SLIP_LOOP, arguments.pop("phi"), **arguments)


@pytest.mark.parametrize("method", [expected_semi_gradient_q, expected_residual_gradient_q])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mu": np.ones(10)}, "mu must sum to 1"),
        ({"alpha": 0.0}, "alpha must be a number > 0"),
        ({"gamma": -0.1}, "gamma must be a number in"),
        ({"num_updates": 1.5}, "num_updates must be an integer >= 1"),
    ],
)
def test_bad_arguments_of_expected_runs_are_named(method, change, message):
    arguments = {"mu": uniform_weighting(SLIP_LOOP), "gamma": 0.9, "alpha": 0.1} | change
    with pytest.raises(ValueError, match=message):
        method(SLIP_LOOP, INTERACTION, arguments.pop("mu"), **arguments)


WITHOUT_NUMBA = """
import hashlib
import numpy as np
import qlearn_core as core

mdp = core.chain(5, slip=0.1)
phi = core.polynomial_features(mdp, ((0, 0), (1, 0), (1, 1)))
mu = core.uniform_weighting(mdp)
w0 = np.array([0.1, -0.4, 0.3])
runs = [core.projected_value_iteration(mdp, phi, mu, gamma=0.9, num_sweeps=200, w0=w0)]
for double in (None, False, True):
    kind = {} if double is None else {"double_sampling": double}
    sampled = core.semi_gradient_q if double is None else core.residual_gradient_q
    expected = (
        core.expected_semi_gradient_q if double is None else core.expected_residual_gradient_q
    )
    runs.append(expected(mdp, phi, mu, gamma=0.9, alpha=0.3, num_updates=200, w0=w0, **kind))
    for behaviour in (core.UniformPairs(), core.EpsilonGreedy(0.3)):
        arguments = dict(gamma=0.9, alpha=core.rescaled(0.9), num_updates=500, w0=w0, **kind)
        rng = np.random.default_rng(1)
        runs.append(sampled(mdp, phi, behaviour=behaviour, rng=rng, **arguments))
print(hashlib.sha256(b"".join(run.weights.tobytes() for run in runs)).hexdigest())
"""


def test_without_numba_the_same_seed_gives_the_same_weights():
    assert python(NO_NUMBA + WITHOUT_NUMBA) == python(WITHOUT_NUMBA)
