"""Every number and every ordering that the chapter on value iteration states, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_book import grid
from qlearn_book.figures import value_iteration as figure
from qlearn_core.bellman import bellman_optimality
from qlearn_core.environments import chain, from_gymnasium, garnet
from qlearn_core.experiments import value_iteration as experiment
from qlearn_core.planning import iterate, optimal_q, value_iteration

GAMMAS = (0.5, 0.9, 0.99)
DEPTHS = (2, 8, 24, 32)
ALPHAS = (0.1, 0.5, 1.0)
ROUNDING = 1e-12


# --- the contraction ------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.claim("contraction")
def test_the_operator_brings_any_two_tables_closer_by_gamma(gamma):
    rng = np.random.default_rng(3)
    for branching in (1, 2, 5, 20):
        mdp = garnet(20, 3, branching, rng=rng)
        for _ in range(100):
            one, two = rng.normal(size=(2, 20, 3)) * rng.exponential()
            after = np.abs(
                bellman_optimality(mdp, one, gamma=gamma)
                - bellman_optimality(mdp, two, gamma=gamma)
            ).max()
            assert after <= gamma * np.abs(one - two).max() * (1 + ROUNDING)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.claim("contraction")
def test_tables_that_differ_by_a_constant_attain_the_factor(gamma):
    mdp = garnet(20, 3, 4, rng=np.random.default_rng(0))
    q = np.random.default_rng(1).normal(size=(20, 3))
    change = bellman_optimality(mdp, q + 1, gamma=gamma) - bellman_optimality(mdp, q, gamma=gamma)
    np.testing.assert_allclose(change, gamma, rtol=1e-12)


def test_in_the_2_norm_one_wrong_entry_grows_by_2_7():
    mdp = chain(9, second="reset")
    q = np.zeros((10, 2))
    wrong = q.copy()
    wrong[0, 0] = 1.0
    change = bellman_optimality(mdp, wrong, gamma=0.9) - bellman_optimality(mdp, q, gamma=0.9)
    assert np.linalg.norm(change) == pytest.approx(2.7, rel=1e-12)  # 9 pairs lead to state 0
    assert np.abs(change).max() == pytest.approx(0.9, rel=1e-12)


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.claim("error-bound")
def test_both_chains_stay_below_the_bound(gamma, depth, alpha):
    record = experiment.contraction(gamma=gamma, depth=depth, alpha=alpha)
    allowed = record.bound * (1 + 1e-9) + ROUNDING
    assert (record.loop <= allowed).all()
    assert (record.terminal <= allowed).all()


@pytest.mark.claim("error-bound")
def test_the_start_of_a_table_is_forgotten_at_rate_gamma_from_anywhere():
    rng = np.random.default_rng(0)
    for branching in (1, 3, 20):
        mdp = garnet(20, 3, branching, rng=rng)
        history = iterate(mdp, gamma=0.9, num_sweeps=60, q0=10 * rng.normal(size=(20, 3)))
        errors = np.abs(history - optimal_q(mdp, gamma=0.9)).max(axis=(1, 2))
        assert (errors <= errors[0] * 0.9 ** np.arange(61) * (1 + 1e-9) + ROUNDING).all()


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("depth", (2, 8, 32))
@pytest.mark.claim("smooth-decay", "depth-sweeps", "larger-discount-slower")
def test_the_terminal_chain_meets_the_bound_and_then_is_exact(gamma, depth):
    record = experiment.contraction(gamma=gamma, depth=depth, alpha=1.0)
    assert record.finished == depth + 1
    np.testing.assert_allclose(
        record.terminal[: depth + 1], record.bound[: depth + 1], rtol=1e-9, atol=1e-15
    )
    assert (record.terminal[depth + 1 :] < 1e-15).all()


@pytest.mark.parametrize("depth", (2, 8, 32))
@pytest.mark.claim("depth-sweeps")
def test_the_signal_reaches_the_first_state_after_exactly_depth_sweeps(depth):
    forward = iterate(chain(depth), gamma=0.9, num_sweeps=depth)[:, 0, 1]
    assert (forward[:depth] == 0).all()
    assert forward[depth] == pytest.approx(0.9 ** (depth - 1), rel=1e-12)


@pytest.mark.parametrize("depth", (2, 8, 32))
@pytest.mark.parametrize("alpha", (0.1, 0.5, 0.9))
def test_damped_errors_fall_faster_than_the_bound_once_the_news_is_there(depth, alpha):
    mdp, arrived = chain(depth), int((depth + 3 * np.sqrt(depth)) / alpha)
    history = iterate(mdp, gamma=0.9, num_sweeps=arrived, alpha=alpha)
    errors = np.abs(history - optimal_q(mdp, gamma=0.9)).max(axis=(1, 2))
    assert 0 < errors[-1] < (1 - alpha * 0.1) * errors[-2]
    assert errors[-1] < (1 - alpha * 0.1) ** arrived * errors[0]
    assert experiment.contraction(gamma=0.9, depth=depth, alpha=alpha).finished is None


@pytest.mark.claim("smooth-decay", "bias-shrinks")
def test_the_loop_follows_the_bound_smoothly():
    record = experiment.contraction(gamma=0.9, depth=8, alpha=1.0)
    steps = record.loop[1:] / record.loop[:-1]
    assert steps.min() == pytest.approx(0.889, abs=5e-4)
    assert steps.max() == pytest.approx(0.9, abs=5e-4)
    assert (record.loop > 0.98 * record.bound).all()
    assert 0.9**60 == pytest.approx(0.002, abs=5e-4)


def test_exercise_one_finds_a_loop_that_is_first():
    slow = experiment.contraction(gamma=0.99, depth=8, alpha=1.0)
    assert slow.finished == 9
    assert slow.loop[-1] == pytest.approx(0.55, abs=0.005)
    fast = experiment.contraction(gamma=0.5, depth=24, alpha=1.0)
    assert int(np.argmax(fast.loop < 1e-6)) == 20 < fast.finished
    assert 0.5**24 < 1e-7


# --- state by state -------------------------------------------------------------------------------


@pytest.mark.parametrize("sweeps", [0, 1, 5, 16])
def test_after_k_sweeps_the_k_nearest_states_are_exact_and_the_rest_zero(sweeps):
    record = experiment.spreading(gamma=0.9, depth=16, goal="terminal", sweeps=sweeps)
    np.testing.assert_allclose(record.value[:sweeps], record.optimum[:sweeps], rtol=1e-12)
    assert (record.value[sweeps:] == 0).all()


@pytest.mark.parametrize("gamma", GAMMAS)
def test_no_state_of_the_loop_is_exact(gamma):
    for sweeps in (1, 8, 24):
        record = experiment.spreading(gamma=gamma, depth=8, goal="loop", sweeps=sweeps)
        assert (record.value < record.optimum - 1e-12).all()


@pytest.mark.parametrize("gamma", GAMMAS)
def test_a_loop_without_slips_misses_the_share_gamma_to_the_k(gamma):
    mdp = chain(4, goal="loop")
    value = iterate(mdp, gamma=gamma, num_sweeps=30)[:, 3].max(axis=1)
    np.testing.assert_allclose(value * (1 - gamma), 1 - gamma ** np.arange(31), rtol=1e-9)


# --- stopping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("branching", [2, 5, 100])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_true_errors_are_never_above_their_guarantees(gamma, branching, seed):
    record = experiment.stopping(gamma=gamma, branching=branching, tolerance=1e-6, seed=seed)
    rounding = 1e-13 / (1 - gamma) ** 2
    assert (record.error <= record.norm_bound * (1 + 1e-9) + rounding).all()
    assert (record.centred_error <= record.span_bound * (1 + 1e-9) + rounding).all()


@pytest.mark.parametrize(
    ("gamma", "branching", "norm", "span"),
    [(0.99, 5, 1815, 31), (0.9, 5, 152, 24), (0.99, 2, 1818, 70), (0.99, 100, 1810, 9)],
)
@pytest.mark.claim("larger-discount-slower")
def test_both_rules_stop_where_the_solver_stops(gamma, branching, norm, span):
    record = experiment.stopping(gamma=gamma, branching=branching, tolerance=1e-6)
    assert (record.norm_sweeps, record.span_sweeps) == (norm, span)
    mdp = garnet(100, 4, branching, rng=np.random.default_rng(1))
    for rule, sweeps in (("norm", norm), ("span", span)):
        result = value_iteration(mdp, gamma=gamma, tol=1e-6, stop=rule)
        assert result.num_sweeps == sweeps
        assert np.abs(result.q - optimal_q(mdp, gamma=gamma)).max() <= 1e-6


@pytest.mark.parametrize("seed", range(2, 7))
def test_on_other_random_mdps_the_span_rule_is_forty_times_faster_too(seed):
    record = experiment.stopping(gamma=0.99, branching=5, tolerance=1e-6, seed=seed)
    assert record.norm_sweeps > 40 * record.span_sweeps


def test_on_the_frozen_lake_the_span_rule_wins_little():
    mdp = from_gymnasium("FrozenLake-v1")
    norm = value_iteration(mdp, gamma=0.99, tol=1e-6)
    span = value_iteration(mdp, gamma=0.99, tol=1e-6, stop="span")
    assert (norm.num_sweeps, span.num_sweeps) == (438, 418)
    history = iterate(mdp, gamma=0.99, num_sweeps=span.num_sweeps).max(axis=2)
    change = np.abs(np.diff(history, axis=0)).max(axis=1)
    assert (span.spans >= change - 1e-15).all()  # rounding of values of order 1


# --- the frozen lake ------------------------------------------------------------------------------


def _lake(sweeps, gamma=0.99, ice="slippery"):
    return experiment.frozen_lake(gamma=gamma, ice=ice, sweeps=sweeps)


def test_the_arrows_are_right_before_the_numbers():
    assert _lake(45).optimal.sum() < 11
    for sweeps in (46, 47, 50, 72, 100, 400, 2000):
        assert _lake(sweeps).optimal.sum() == 11
    assert _lake(71).value[0] < 0.9 * _lake(71).optimum[0] <= _lake(72).value[0]


def test_without_slipping_six_sweeps_are_exact():
    early, ready = (_lake(k, ice="not slippery") for k in (5, 6))
    assert early.value[0] == 0
    np.testing.assert_allclose(ready.value, ready.optimum, rtol=1e-12)


def test_the_start_is_worth_what_the_chapter_says():
    assert _lake(2000, gamma=0.999).value[0] == pytest.approx(0.79, abs=0.005)
    assert _lake(1, gamma=0.5).optimum[0] < 0.005
    assert _lake(1, gamma=1 - 1e-7).optimum[0] == pytest.approx(14 / 17, abs=1e-4)


def test_the_map_names_the_goal_and_the_holes():
    record = _lake(10)
    assert record.goal == 15
    assert np.flatnonzero(record.holes).tolist() == [5, 7, 11, 12]
    with pytest.raises(ValueError, match="ice must be one of slippery, not slippery"):
        experiment.frozen_lake(gamma=0.9, ice="wet", sweeps=1)


# --- the figures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("contraction", {"gamma": (0.5, 0.99), "alpha": (0.1, 1.0), "depth": (2, 32)}),
        (
            "spreading",
            {"gamma": (0.5, 0.99), "depth": (2, 32), "goal": ("terminal", "loop"),
             "sweeps": (0, 1, 100)},
        ),
        ("stopping", {"gamma": (0.5, 0.99), "branching": (2, 100), "tolerance": (1e-6, 1.0)}),
        ("frozen_lake", {"gamma": (0.5, 0.999), "ice": experiment.ICE, "sweeps": (0, 2000)}),
    ],
)  # fmt: skip
def test_the_drawings_keep_their_axes_at_the_ends_of_every_slider(name, ends):
    start = {key: values[0] for key, values in ends.items()}
    sampled = grid.sample(name, getattr(experiment, name), getattr(figure, name), ends, start)
    assert sampled.template["layout"]["meta"]["summary"]
