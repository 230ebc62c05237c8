"""Every number and every ordering that the chapter on the bias of each state states, measured.

Adam's traces are chaotic, so that its numbers are medians of ten codes with rounding to spare.
The interval of a median of ten is the one between the 2nd and the 9th in order (97.9 %, binomial).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from qlearn_book import grid
from qlearn_book.figures import per_state_bias as figure
from qlearn_core import Adam, CopyEvery, bootstrapped_targets, optimal_q, supervised_targets
from qlearn_core import train_network as train
from qlearn_core.experiments import per_state_bias as experiment

NUM_CODES = 10
LOCK = {"depth": 32, "alpha": 1e-3, "updates": 30_000, "num_seeds": NUM_CODES}
CHAIN = {"gamma": 0.9, "depth": 32, "alpha": 0.1}


def interval(values):
    ordered = np.sort(values)
    assert ordered.size == NUM_CODES
    return ordered[1], ordered[8]


@pytest.fixture(scope="module")
def largest():
    """(code, K) largest biases of the lock with a copy every 100 updates, by the steps n."""
    return {
        n: experiment.lock_biases("lock", num_steps=n, num_seeds=NUM_CODES).max(axis=2)
        for n in (1, 2, 4, 16, None)
    }


@pytest.fixture(scope="module")
def delay():
    return experiment.delay(num_steps=1, period=100, num_seeds=NUM_CODES)


# --- the problems ---------------------------------------------------------------------------------


@pytest.mark.parametrize("gamma", [0.9, 0.99])
@pytest.mark.parametrize("depth", [1, 5, 32])
def test_the_largest_true_value_of_a_lock_has_size_1(gamma, depth):
    q_star = optimal_q(experiment.costly_lock(depth, gamma, seed=2), gamma=gamma)
    assert np.abs(q_star).max() <= 1 + 1e-12
    if depth == 32:  # the first state's code of this seed leaves a wrong action, as any does
        assert np.abs(q_star).max() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_renamed_the_lock_is_the_same_table_with_one_code(seed):
    lock = experiment.costly_lock(16, 0.97, seed)
    plain = experiment.renamed(lock)
    one, other = (optimal_q(mdp, gamma=0.97) for mdp in (lock, plain))
    assert np.array_equal(np.sort(one, axis=1), np.sort(other, axis=1))
    s = np.arange(16)
    assert (plain.P[s, 1, s + 1] == 1).all()
    assert not np.array_equal(one, other)


def test_the_rank_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    for _ in range(10):
        x, y = rng.normal(size=(2, 20))
        expected = spearmanr(x, y).statistic
        assert experiment.rank_correlation(x, y) == pytest.approx(expected, abs=1e-12)


# --- the corridor that pays at its end ------------------------------------------------------------


@pytest.mark.claim("bias-grows-with-distance")
def test_on_the_corridor_the_largest_bias_is_next_to_the_end():
    for updates in experiment.MARKS:
        record = experiment.chain_profile(**CHAIN, updates=int(updates))
        assert record.bootstrapped.argmax() == 0
    record = experiment.chain_profile(**CHAIN, updates=1_000)
    assert record.bootstrapped[[0, -1]] == pytest.approx([0.31, 0.06], abs=0.005)
    assert record.rank_correlation == pytest.approx(-0.5, abs=0.05)
    assert experiment.chain_profile(
        **CHAIN, updates=30_000
    ).rank_correlation == pytest.approx(-0.8, abs=0.05)  # fmt: skip


@pytest.mark.claim("bias-grows-with-distance")
def test_on_the_corridor_the_control_is_worst_in_the_same_place():
    for updates in (300, 1_000, 3_000, 10_000):
        record = experiment.chain_profile(**CHAIN, updates=updates, num_seeds=10)
        assert record.supervised.argmax() == 0
        assert record.rank_correlation < 0


def test_at_a_large_discount_the_profile_grows_for_a_while_and_then_it_is_gone():
    early, late = (
        experiment.chain_profile(gamma=0.99, depth=32, alpha=0.1, updates=updates)
        for updates in (300, 10_000)
    )
    assert early.rank_correlation == pytest.approx(0.8, abs=0.05)
    assert late.rank_correlation == pytest.approx(-0.5, abs=0.05)
    assert late.bootstrapped[-1] < 0.05 * early.bootstrapped[-1]
    assert late.bootstrapped[-1] < 3 * late.supervised[-1]


# --- the lock -------------------------------------------------------------------------------------


@pytest.mark.claim("bias-grows-with-distance", "bias-compounds")
def test_in_the_lock_the_bias_grows_with_distance_and_stays():
    record = experiment.lock_profile(gamma=0.99, num_steps=1, **LOCK)
    assert record.rank_correlation > 0.99
    assert record.bootstrapped[[0, 7, 15, 31]] == pytest.approx([0.01, 0.08, 0.2, 0.31], abs=0.01)
    control = record.supervised[[0, 7, 15, 31]]
    assert (control > 0.005).all() and (control < 0.02).all()
    assert record.reach >= 32
    for updates in (5_000, 10_000):
        earlier = experiment.lock_profile(gamma=0.99, num_steps=1, **LOCK | {"updates": updates})
        assert earlier.bootstrapped[-1] == pytest.approx(record.bootstrapped[-1], rel=0.5)


@pytest.mark.claim("bias-grows-with-distance")
def test_it_grows_at_a_somewhat_smaller_discount():
    assert experiment.lock_profile(gamma=0.97, num_steps=1, **LOCK).rank_correlation > 0.8


def test_at_a_small_discount_the_bias_of_the_lock_is_largest_in_the_middle():
    record = experiment.lock_profile(gamma=0.9, num_steps=1, **LOCK)
    assert 4 < record.distance[record.bootstrapped.argmax()] < 24
    assert record.rank_correlation < 0.5


@pytest.mark.claim("bias-compounds")
def test_longer_steps_cure_it(largest):
    ends = [errors[:, -1] for errors in largest.values()]
    medians = [np.median(errors) for errors in ends]
    for measured, stated, digit in zip(
        medians, (0.32, 0.13, 0.065, 0.029, 0.025), (0.01, 0.01, 0.005, 0.002, 0.002), strict=True
    ):
        assert measured == pytest.approx(stated, abs=digit)
    for more, less in zip(ends[:3], ends[1:4], strict=True):
        assert interval(more)[0] > interval(less)[1]
    assert medians[0] == pytest.approx(13 * medians[-1], rel=0.05)


def test_the_biases_fall_as_the_sum_of_the_errors_does(largest):
    """b = e Σ γ^{kn}: the ratio to n = 1 within a factor 2 of the sum's ratio."""
    sums = {n: (0.99 ** np.arange(0, 32, n)).sum() for n in (1, 2, 4, 16)}
    assert [round(total, 1) for total in sums.values()] == [27.5, 13.8, 7.0, 1.9]
    for n, total in sums.items():
        share = np.median(largest[n][:, -1]) / np.median(largest[1][:, -1])
        assert 0.5 < share / (total / sums[1]) < 2


@pytest.mark.claim("bias-compounds")
def test_the_errors_have_one_sign_because_a_rough_code_is_rounded_off():
    locks = [experiment.costly_lock(32, 0.99, seed) for seed in range(NUM_CODES)]
    v_star = np.array([optimal_q(mdp, gamma=0.99).max(axis=1)[:-1] for mdp in locks])
    settings = {
        "optimiser": Adam(1e-3), "num_updates": 30_000, "record_at": np.array([30_000]),
    }  # fmt: skip
    own, control = (
        train(
            [make(mdp, gamma=0.99) for mdp in locks],
            target_network=target_network,
            rng=np.random.default_rng(0),
            **settings,
        ).tables[:, -1, :-1]
        for make, target_network in (
            (bootstrapped_targets, CopyEvery(100)),
            (supervised_targets, None),
        )
    )
    too_low = (own.max(axis=2) < v_star).mean()
    assert too_low == pytest.approx(0.97, abs=0.015)
    rounding = (control.max(axis=2) - v_star).mean()
    assert rounding == pytest.approx(-0.008, abs=0.001)
    assert 27.5 * rounding == pytest.approx(-0.22, abs=0.02)


@pytest.mark.parametrize(("num_steps", "before", "after"), [(1, 3_000, 5_000), (4, 700, 1_000)])
def test_the_news_has_come_all_the_way_after_as_many_copies_as_steps(num_steps, before, after):
    """Exercise 1."""
    settings = {"gamma": 0.99, "depth": 32, "num_steps": num_steps, "alpha": 1e-3}
    reaches = [
        experiment.lock_profile(**settings, updates=updates, num_seeds=NUM_CODES).reach
        for updates in (before, after)
    ]
    assert reaches[0] < 32 <= reaches[1]


# --- a delay and a floor --------------------------------------------------------------------------


@pytest.mark.claim("bias-compounds")
def test_the_delay_is_common_and_the_floor_is_not(delay, largest):
    record = delay
    assert record.arrival == 3_200
    waiting = record.steps < 2_000
    lock, plain = (np.median(errors, axis=0) for errors in (record.lock, record.plain))
    assert lock[waiting] == pytest.approx(plain[waiting], rel=0.2)
    assert lock[-1] == pytest.approx(0.32, abs=0.01)
    assert plain[-1] == pytest.approx(0.02, abs=0.005)
    assert interval(record.lock[:, -1])[0] > 5 * interval(record.plain[:, -1])[1]
    assert plain[-1] < np.median(record.control[:, -1])
    assert np.median(largest[16][:, -1]) < 0.03


def test_the_period_moves_the_delay_and_not_the_floor(delay):
    record = experiment.delay(num_steps=1, period=300, num_seeds=NUM_CODES)
    assert record.arrival == 9_600
    assert 0.3 <= np.median(record.lock[:, -1]) <= 0.34
    at = np.argmax(record.steps >= 5_000)
    assert np.median(record.lock[:, at]) > 1.5 * np.median(delay.lock[:, at])


def test_without_a_target_network_one_code_does_not_come_to_rest():
    record = experiment.delay(num_steps=1, period=1, num_seeds=NUM_CODES)
    assert np.median(record.plain[:, -1]) == pytest.approx(0.14, abs=0.02)
    assert 0.3 <= np.median(record.lock[:, -1]) <= 0.34


# --- drawings -------------------------------------------------------------------------------------


def test_the_drawings_say_what_they_show():
    record = experiment.lock_profile(
        gamma=0.99, depth=16, num_steps=2, alpha=1e-3, updates=300, num_seeds=1
    )
    drawing = figure.profile(record)
    assert drawing["data"][0]["x"].tolist() == [6.5, 6.5]  # three copies of two steps each
    assert drawing["layout"]["meta"]["summary"].startswith("After 300 updates: bias ")
    late = figure.delay(experiment.delay(num_steps=16, period=1, num_seeds=1))
    assert np.isnan(late["data"][0]["x"]).all()  # arrived before the axis begins
    assert "News can reach the start after 2 updates" in late["layout"]["meta"]["summary"]


def test_the_drawings_stay_positive_on_their_log_axes():
    for drawing in (
        figure.profile(experiment.chain_profile(gamma=0.7, depth=8, alpha=0.2, updates=30_000)),
        figure.delay(experiment.delay(num_steps=16, period=300, num_seeds=1)),
    ):
        drawn = grid.plain(drawing)
        assert all(y is None or y > 0 for trace in drawn["data"] for y in trace["y"])
