"""What the chapter on bootstrapping states, measured."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from qlearn_core.bellman import bellman_optimality
from qlearn_core.environments import chain, garnet
from qlearn_core.experiments import bootstrapping as experiment
from qlearn_core.mdp import TabularMDP
from qlearn_core.planning import optimal_q

GAMMAS = (0.5, 0.9, 0.99)


def equal_actions(depth: int, num_actions: int, losses: np.ndarray | float = 0.0) -> TabularMDP:
    """A chain on which every action leads on and costs its loss."""
    P = np.zeros((depth + 1, num_actions, depth + 1))
    P[np.arange(depth), :, np.arange(1, depth + 1)] = 1
    P[depth, :, depth] = 1
    r = np.zeros((depth + 1, num_actions))
    r[:depth] -= losses
    return TabularMDP(P=P, r=r, terminal=np.arange(depth + 1) == depth)


def noisy_sweeps(mdp: TabularMDP, errors: np.ndarray, gamma: float) -> np.ndarray:
    """The table after a sweep for every state, each with the same errors (D, A) added."""
    q = np.zeros(mdp.r.shape)
    for _ in range(len(errors)):
        q = bellman_optimality(mdp, q, gamma=gamma)
        q[: len(errors)] += errors
    return q


@pytest.mark.claim("accumulation")
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("num_actions", [1, 3, 8])
def test_sweeps_with_errors_leave_the_sum_of_the_largest_errors(gamma, num_actions):
    errors = np.random.default_rng(3).normal(size=(20, num_actions))
    q = noisy_sweeps(equal_actions(20, num_actions), errors, gamma)
    summed = experiment.carried(errors.max(axis=1)[::-1], gamma)[::-1]
    assert q[:20].max(axis=1) == pytest.approx(summed)


@pytest.mark.claim("accumulation")
@pytest.mark.parametrize("gamma", GAMMAS)
def test_equal_errors_add_up_to_the_whole_sum_and_alternating_ones_to_at_most_one(gamma):
    equal = experiment.accumulation(gamma=gamma, depth=32, num_actions=4, kind="all the same")
    assert equal.rms == pytest.approx(equal.linear)
    assert equal.linear == pytest.approx((1 - gamma**equal.distance) / (1 - gamma))
    turns = experiment.accumulation(gamma=gamma, depth=32, num_actions=4, kind="alternating")
    assert turns.rms == pytest.approx((1 - (-gamma) ** turns.distance) / (1 + gamma))
    assert turns.rms.max() <= 1 + 1e-12


@pytest.mark.parametrize(
    ("kind", "num_actions"),
    [("coin flips", 1), ("coin flips", 2), ("coin flips", 3)]
    + [("normal", actions) for actions in (1, 2, 3, 8, 32)],
)
@pytest.mark.parametrize("gamma", GAMMAS)
def test_the_typical_error_of_simulated_chains_follows_the_law(gamma, num_actions, kind):
    record = experiment.accumulation(gamma=gamma, depth=32, num_actions=num_actions, kind=kind)
    ended = experiment.carried(experiment._largest(kind, num_actions, 0), gamma)
    squares = ended[:, [3, 31, 63]] ** 2
    standard_error = squares.std(axis=0, ddof=1) / np.sqrt(experiment.NUM_CHAINS)
    law = record.law[[3, 31, 63]] ** 2
    assert (np.abs(squares.mean(axis=0) - law) < 4.5 * standard_error + 1e-12).all()


@pytest.mark.claim("accumulation")
def test_independent_errors_obey_the_root_law_and_a_maximum_makes_them_linear_again():
    depths = np.array([8, 64])
    single, eight = (
        experiment.accumulation(gamma=0.9999, depth=64, num_actions=actions, kind="normal").law
        for actions in (1, 8)
    )
    slopes = [np.log(law[63] / law[7]) / np.log(depths[1] / depths[0]) for law in (single, eight)]
    assert slopes == pytest.approx([0.5, 1], abs=0.03)
    record = experiment.accumulation(gamma=0.99, depth=32, num_actions=1, kind="normal")
    assert record.at_depth == pytest.approx((5.08, 27.50, 4.88), abs=0.01)
    assert record.root[31] / record.linear[31] == pytest.approx(0.18, abs=0.005)


def test_the_moments_of_a_maximum_are_those_of_the_literature():
    assert experiment.moments("normal", 2) == pytest.approx(
        (1 / np.sqrt(np.pi), np.sqrt(1 - 1 / np.pi))
    )
    assert experiment.moments("normal", 3)[0] == pytest.approx(1.5 / np.sqrt(np.pi))
    means = [experiment.moments("normal", actions)[0] for actions in (1, 4, 8, 32)]
    assert means == pytest.approx([0, 1.029, 1.424, 2.070], abs=0.001)
    largest = np.array(list(itertools.product([-1, 1], repeat=8))).max(axis=1)
    assert experiment.moments("coin flips", 8) == pytest.approx((largest.mean(), largest.std()))


@pytest.mark.parametrize("gamma", GAMMAS)
def test_four_normal_actions_exceed_the_sum_and_three_do_not(gamma):
    three, four = (
        experiment.accumulation(gamma=gamma, depth=32, num_actions=actions, kind="normal")
        for actions in (3, 4)
    )
    assert three.law[31] < three.linear[31] < four.law[31]


@pytest.mark.claim("bias-compounds")
def test_the_mean_error_grows_with_depth_only_under_a_maximum_and_near_gamma_one():
    rng = np.random.default_rng(5)
    errors = rng.normal(size=(4000, 32, 2))
    for gamma, num_actions, expected in ((0.99, 2, (1.12, 15.5)), (0.5, 2, (0.85, 1.13)),
                                         (0.99, 1, (0, 0))):  # fmt: skip
        worst = errors[:, :, :num_actions].max(axis=2)
        ends = experiment.carried(worst, gamma)[:, [1, 31]]
        standard_error = ends.std(axis=0, ddof=1) / np.sqrt(len(ends))
        assert (np.abs(ends.mean(axis=0) - expected) < 4 * standard_error + 0.03).all()


@pytest.mark.parametrize("gamma", GAMMAS)
def test_errors_of_at_most_epsilon_leave_at_most_epsilon_over_one_minus_gamma(gamma):
    rng = np.random.default_rng(2)
    mdp = garnet(12, 3, 4, rng=rng)
    exact, q = optimal_q(mdp, gamma=gamma), np.zeros((12, 3))
    for _ in range(round(12 / (1 - gamma))):
        q = bellman_optimality(mdp, q, gamma=gamma) + rng.uniform(-0.1, 0.1, size=q.shape)
    assert np.abs(q - exact).max() <= 0.1 / (1 - gamma) * (1 + 1e-4)


@pytest.mark.parametrize("gap", [0.0, 1.0, 2.0, 3.6])
def test_one_table_is_too_high_and_two_tables_too_low_as_simulated(gap):
    gamma, depth, num_actions = 0.9, 6, 4
    losses = np.where(np.arange(num_actions) > 0, gap, 0.0)
    mdp = equal_actions(depth, num_actions, losses)
    exact = optimal_q(mdp, gamma=gamma)[0].max()
    rng, one, two = np.random.default_rng(7), [], []
    for _ in range(1500):
        errors = rng.normal(size=(2, depth, num_actions))
        one.append(noisy_sweeps(mdp, errors[0], gamma)[0].max() - exact)
        value = np.zeros(2)  # of the state after, as each table's target takes it
        for s in range(depth - 1, -1, -1):
            tables = gamma * value[:, None] - losses + errors[:, s]
            value = np.array([tables[1, tables[0].argmax()], tables[0, tables[1].argmax()]])
        two.append(value[0] - exact)
    record = experiment.action_gap(gamma=gamma, depth=depth, num_actions=num_actions)
    at = int(np.argmin(np.abs(record.gap - gap)))
    for sample, law in ((one, record.maximum[at]), (two, record.double[at])):
        assert abs(np.mean(sample) - law) < 4 * np.std(sample) / np.sqrt(len(sample))


def test_the_gap_figure_has_the_numbers_of_the_chapter():
    record = experiment.action_gap(gamma=0.99, depth=32, num_actions=8)
    assert record.maximum[[0, 10, 18]] == pytest.approx([39.15, 5.99, 0.39], abs=0.01)
    assert record.gap[[10, 18]] == pytest.approx([2, 3.6])
    assert -record.double[10] > 2 * record.maximum[10]
    above = record.gap[-record.double > record.single]
    assert above.max() == pytest.approx(3.2)
    for gamma in GAMMAS:
        for num_actions in (2, 8, 32):
            record = experiment.action_gap(gamma=gamma, depth=16, num_actions=num_actions)
            assert (np.diff(record.maximum) < 0).all() and (record.maximum > 0).all()
            assert record.double[0] == 0 and (record.double[1:] < 0).all()


@pytest.mark.parametrize("gamma", [0.9, 0.99])
def test_in_a_loop_frozen_errors_add_up_and_fresh_ones_settle_at_the_root(gamma):
    mdp, rng = chain(1, goal="loop"), np.random.default_rng(4)
    exact = optimal_q(mdp, gamma=gamma)
    frozen, fresh = exact.copy(), []
    q = exact.copy()
    for sweep in range(20_000 if gamma > 0.9 else 4000):
        frozen = bellman_optimality(mdp, frozen, gamma=gamma) + [0, 1.0]
        q = bellman_optimality(mdp, q, gamma=gamma) + [-10.0, rng.normal()]
        if sweep > 5 / (1 - gamma):
            fresh.append(q[0, 1] - exact[0, 1])
    assert frozen[0, 1] - exact[0, 1] == pytest.approx(1 / (1 - gamma))
    effective = len(fresh) * (1 - gamma) / (1 + gamma)  # successive errors are correlated
    spread = np.sqrt(2 / effective)
    assert np.mean(np.square(fresh)) * (1 - gamma**2) == pytest.approx(1, abs=4 * spread)


@pytest.mark.claim("error-inherited")
@pytest.mark.parametrize("gamma", GAMMAS)
def test_a_target_takes_the_share_of_the_error_that_its_transition_has(gamma):
    mdp = garnet(6, 2, 3, rng=np.random.default_rng(1))
    q = np.tile([0.0, 1.0], (6, 1))
    for s in range(6):
        for action, share in ((1, mdp.P[:, :, s]), (0, np.zeros((6, 2)))):
            wrong = q.copy()
            wrong[s, action] += 0.01
            change = bellman_optimality(mdp, wrong, gamma=gamma)
            change -= bellman_optimality(mdp, q, gamma=gamma)
            assert change == pytest.approx(0.01 * gamma * share)


def test_at_gamma_0_9_a_depth_of_29_has_95_percent_of_the_largest_error():
    linear = experiment.accumulation(
        gamma=0.9, depth=29, num_actions=1, kind="all the same"
    ).linear  # fmt: skip
    assert linear[27] < 9.5 <= linear[28]


def test_an_unknown_kind_of_error_is_named():
    with pytest.raises(ValueError, match="kind must be one of all the same, .* but is 'uniform'"):
        experiment.accumulation(gamma=0.9, depth=4, num_actions=2, kind="uniform")
