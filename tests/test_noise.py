"""The martingale noise: exact centring, known variance, and what its statistics show."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlearn_core import (
    EpsilonGreedy,
    FixedPolicy,
    TabularMDP,
    UniformPairs,
    autocorrelation,
    broken_conditional_mean,
    broken_noise,
    chain,
    conditional_mean,
    confidence_band,
    martingale_differences,
    optimal_q,
    pair_statistics,
    predictable_variance,
    trace_q_learning,
)

from .oracles import random_mdp, random_mdp_arrays

SLIP_LOOP = chain(5, slip=0.1, goal="loop")
GAMMA = 0.9
KINDS = ["raw", "stale", "mean"]
mdps = st.builds(
    random_mdp,
    st.integers(0, 10_000),
    st.integers(2, 6),
    st.integers(1, 4),
    st.booleans(),
    sparse=st.booleans(),
)


def random_table(mdp, seed=0):
    return 3 * np.random.default_rng(seed).normal(size=mdp.r.shape)


def sample(behaviour, num_samples, seed=0, q=None):
    q = random_table(SLIP_LOOP) if q is None else q
    return martingale_differences(
        SLIP_LOOP,
        q,
        gamma=GAMMA,
        behaviour=behaviour,
        num_samples=num_samples,
        rng=np.random.default_rng(seed),
    )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(mdps, st.floats(0, 0.999), st.integers(0, 10_000))
def test_the_conditional_mean_of_the_noise_is_zero_at_any_table(mdp, gamma, seed):
    mean = conditional_mean(mdp, random_table(mdp, seed), gamma=gamma)
    assert np.abs(mean).max() < 1e-12


def test_the_conditional_mean_is_zero_at_every_table_of_a_run():
    trace = trace_q_learning(
        SLIP_LOOP,
        gamma=GAMMA,
        alpha=0.1,
        num_updates=2000,
        behaviour=EpsilonGreedy(0.1),
        rng=np.random.default_rng(0),
    )
    assert np.abs(conditional_mean(SLIP_LOOP, trace.q, gamma=GAMMA)).max() < 1e-12
    # With the table at 0 no reward has been seen, so the first noise is exactly 0.
    assert trace.noises[0] == trace.variances[0] == 0


@pytest.mark.parametrize("kind", KINDS)
def test_broken_noise_has_the_mean_that_enumeration_of_next_states_gives(kind):
    mdp = TabularMDP(*random_mdp_arrays(1, 4, 3, True))
    q = random_table(mdp)
    s, a, s_next = (index.ravel() for index in np.indices(mdp.P.shape))
    noise = broken_noise(mdp, q, s, a, s_next, gamma=GAMMA, kind=kind)
    enumerated = (mdp.P * noise.reshape(mdp.P.shape)).sum(axis=2)
    exact = broken_conditional_mean(mdp, q, gamma=GAMMA, kind=kind)
    assert exact == pytest.approx(enumerated, abs=1e-12)
    assert np.abs(exact).max() > 0.1


def test_the_raw_td_error_looks_like_noise_only_at_the_optimal_table():
    q_star = optimal_q(SLIP_LOOP, gamma=GAMMA)
    for kind in ("raw", "stale"):
        mean = broken_conditional_mean(SLIP_LOOP, q_star, gamma=GAMMA, kind=kind)
        assert np.abs(mean).max() < 1e-12
    assert broken_conditional_mean(SLIP_LOOP, q_star, gamma=GAMMA, kind="mean").max() < 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_of_broken_noise_drifts_at_its_exact_mean(kind):
    q = random_table(SLIP_LOOP)
    drawn = sample(UniformPairs(), 20_000)
    transitions = drawn.states, drawn.actions, drawn.next_states
    noise = broken_noise(SLIP_LOOP, q, *transitions, gamma=GAMMA, kind=kind)
    exact = broken_conditional_mean(SLIP_LOOP, q, gamma=GAMMA, kind=kind)
    centred = noise - exact[drawn.states, drawn.actions]
    values_differ = kind == "mean"
    if not values_differ:
        assert centred == pytest.approx(drawn.noises, abs=1e-12)
    standard_error = centred.std() / np.sqrt(centred.size)
    assert abs(centred.mean()) < 4 * standard_error


@settings(max_examples=50, deadline=None, derandomize=True)
@given(mdps, st.floats(0, 0.999), st.integers(0, 10_000))
def test_the_predictable_variance_is_the_second_moment_of_the_enumerated_noise(mdp, gamma, seed):
    q = random_table(mdp, seed)
    v, P = np.where(mdp.terminal, 0, q.max(axis=1)), mdp.dense_transitions()
    for s, a in np.ndindex(*mdp.r.shape):
        mean = sum(p * x for p, x in zip(P[s, a], v, strict=True))
        variance = sum(p * (gamma * (x - mean)) ** 2 for p, x in zip(P[s, a], v, strict=True))
        found = predictable_variance(mdp, q, gamma=gamma)[s, a]
        assert found == pytest.approx(variance, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "behaviour",
    [
        UniformPairs(),
        EpsilonGreedy(0.3),
        FixedPolicy(np.tile([0.8, 0.2], (5, 1))),
    ],
    ids=["uniform pairs", "epsilon-greedy", "fixed policy"],
)
def test_samples_have_mean_zero_and_the_predicted_variance_under_every_behaviour(behaviour):
    drawn = sample(behaviour, 100_000)
    statistics = pair_statistics(
        SLIP_LOOP, drawn.states, drawn.actions, drawn.noises, drawn.variances
    )
    z = 4.5  # ten pairs
    often = statistics.counts > 1000
    assert often.sum() >= 4
    bounds = statistics.half_widths * z / 1.959964
    assert (np.abs(statistics.means[often]) <= bounds[often]).all()
    squares = drawn.noises**2 - drawn.variances
    assert abs(squares.mean()) < 4 * squares.std() / np.sqrt(squares.size)
    for lag in (1, 2, 5):
        products = drawn.noises[lag:] * drawn.noises[:-lag]
        assert abs(products.mean()) < 4 * products.std() / np.sqrt(products.size)


def test_zero_mean_is_not_zero_median_on_the_slip_chain():
    # One of two next states has probability 0.1: the noise is positive with 0.1 or 0.9.
    drawn = sample(UniformPairs(), 200_000, q=optimal_q(SLIP_LOOP, gamma=GAMMA))
    statistics = pair_statistics(
        SLIP_LOOP, drawn.states, drawn.actions, drawn.noises, drawn.variances
    )
    share = statistics.share_positive
    bound = 4.5 * np.sqrt(0.09 / statistics.counts)
    assert (np.abs(share[:, 0] - 0.1) < bound[:, 0]).all()
    assert (np.abs(share[:, 1] - 0.9) < bound[:, 1]).all()


def test_the_pair_chi_squares_have_mean_one_over_seeds():
    num_seeds = 200
    totals = []
    for seed in range(num_seeds):
        drawn = sample(EpsilonGreedy(0.5), 2000, seed=seed)
        statistics = pair_statistics(
            SLIP_LOOP, drawn.states, drawn.actions, drawn.noises, drawn.variances
        )
        totals.append(statistics.chi2_total / statistics.degrees_of_freedom)
    standard_error = np.std(totals, ddof=1) / np.sqrt(num_seeds)
    assert abs(np.mean(totals) - 1) < 4 * standard_error


def test_pair_statistics_of_a_small_sample_are_those_worked_out_by_hand():
    mdp = chain(2, goal="loop")
    statistics = pair_statistics(
        mdp,
        np.array([0, 0, 1, 1]),
        np.array([1, 1, 0, 1]),
        np.array([1.0, -0.5, 0.0, 2.0]),
        np.array([0.5, 0.5, 0.0, 0.0]),
    )
    assert statistics.counts.tolist() == [[0, 2], [1, 1]]
    assert np.array_equal(statistics.means, [[np.nan, 0.25], [0, 2]], equal_nan=True)
    assert np.array_equal(statistics.share_positive, [[np.nan, 0.5], [0, 1]], equal_nan=True)
    assert statistics.half_widths[0, 1] == pytest.approx(1.959964 / 2, rel=1e-6)
    # A noise of 2 where the variance is 0 cannot happen: infinite evidence.
    assert statistics.chi2.tolist() == [[0, 0.25], [0, np.inf]]
    assert (statistics.chi2_total, statistics.degrees_of_freedom) == (0.25, 1)


def test_the_confidence_band_covers_the_running_sum_at_its_level():
    num_seeds, level = 1000, 0.95
    covered = np.empty((num_seeds, 3), dtype=bool)
    checkpoints = [499, 999, 1999]
    for seed, child in enumerate(np.random.default_rng(0).spawn(num_seeds)):
        trace = trace_q_learning(
            SLIP_LOOP,
            gamma=GAMMA,
            alpha=0.1,
            num_updates=2000,
            behaviour=EpsilonGreedy(0.3),
            rng=child,
            q0=random_table(SLIP_LOOP),
        )
        sums = np.cumsum(trace.noises)
        band = confidence_band(trace.variances, level=level)
        covered[seed] = (np.abs(sums) <= band)[checkpoints]
    standard_error = np.sqrt(level * (1 - level) / num_seeds)
    assert (np.abs(covered.mean(axis=0) - level) < 4 * standard_error).all()


def test_the_band_is_the_normal_quantile_times_the_root_of_the_summed_variances():
    band = confidence_band(np.array([1.0, 3.0, 5.0]), level=0.6826894921370859)
    assert band == pytest.approx([1, 2, 3], rel=1e-12)


def test_the_autocorrelation_is_that_of_the_sums_written_out():
    x = np.random.default_rng(0).normal(size=50)
    d = [float(value) for value in x - x.mean()]
    expected = [
        sum(d[i] * d[i + lag] for i in range(50 - lag)) / sum(value**2 for value in d)
        for lag in range(6)
    ]
    assert autocorrelation(x, 5) == pytest.approx(expected, abs=1e-12)
    assert autocorrelation(np.tile([1.0, -1.0], 500), 1)[1] == pytest.approx(-0.999)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: autocorrelation(np.ones(5), 2), "x must vary, but is constant at 1"),
        (lambda: autocorrelation(np.arange(3), 3), "x must be 1-D and longer than max_lag=3"),
        (lambda: autocorrelation(np.arange(3), -1), "max_lag must be an integer >= 0"),
        (lambda: confidence_band(np.ones(3), level=1), r"level must be a number in \(0, 1\)"),
        (lambda: sample(UniformPairs(), 0), "num_samples must be an integer >= 1, but is 0"),
        (lambda: sample("walk", 10), "behaviour must be UniformPairs"),
        (lambda: sample(UniformPairs(), 1, q=np.zeros(3)), r"q must have shape \(S, A\)"),
        (
            lambda: pair_statistics(SLIP_LOOP, [0, 1], [0, 1], [0.5], [0.5]),
            r"states, actions, noises and variances must have one shape \(T,\)",
        ),
        (
            lambda: pair_statistics(SLIP_LOOP, [0, 5], [0, 1], [0.5, 1], [0.5, 1]),
            "states and actions must be those of mdp",
        ),
        (
            lambda: broken_conditional_mean(
                SLIP_LOOP, random_table(SLIP_LOOP), gamma=GAMMA, kind="sarsa"
            ),
            "kind must be 'raw', 'stale' or 'mean', but is 'sarsa'",
        ),
    ],
)
def test_impossible_arguments_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
