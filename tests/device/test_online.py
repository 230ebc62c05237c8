"""The online loop: its data, its scores, and what it does with exact values."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from qlearn_core.device.behaviour import PolicyNetwork
from qlearn_core.device.critic import transitions
from qlearn_core.device.extraction import at_pixels, best_of_n, spot_table
from qlearn_core.device.online import COLLECTIONS, acting, allowed, improved, pessimistic
from qlearn_core.device.rollouts import all_images, roll_out, seeing
from qlearn_core.device.tasks import split
from qlearn_core.device.training import seeded
from qlearn_core.experiments.device_bench import Bench
from qlearn_core.experiments.device_online import NUM_ROUNDS, online
from tests.device.tiny import SETTINGS, tiny

SCREENS = tiny(num_layouts=2)


@pytest.fixture(scope="module")
def network() -> PolicyNetwork:
    with seeded(np.random.default_rng(0)):
        return PolicyNetwork(SETTINGS)


@pytest.fixture(scope="module")
def bench(network) -> Bench:
    training, test = split(SETTINGS)
    beta = spot_table(network, SETTINGS, all_images(SCREENS), training + test)
    return Bench(SCREENS, training + test, len(training), beta)


def rolled(bench: Bench, agent, num_episodes: int = 30):
    rng = np.random.default_rng(0)
    return roll_out(SCREENS, bench.tasks, agent, num_episodes=num_episodes, rng=rng)


def test_a_table_acts_like_the_network_that_it_was_made_of(bench, network):
    one = rolled(bench, acting(bench.beta, SETTINGS))
    other = rolled(bench, seeing(network.policy))
    assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5)
    assert (one.states == other.states).mean() > 0.99  # rounding may decide a draw


def test_agents_are_told_which_image_they_see(bench):
    images, told = all_images(SCREENS), []

    def agent(seen):
        told.append((images[seen.screens] == seen.images).all())
        return at_pixels(SETTINGS, bench.beta[seen.screens, seen.tasks])

    rolled(bench, agent)
    assert len(told) > 1 and all(told)


def test_an_arm_trains_on_the_data_that_it_says(bench):
    agent = acting(bench.beta, SETTINGS)
    parts = [transitions(rolled(bench, agent, size), SETTINGS, gamma=0.9) for size in (3, 5)]
    first, last, all_ = (allowed(name, parts) for name in COLLECTIONS)
    assert first is parts[0] and last is parts[1]
    for field in fields(all_):
        both = [getattr(part, field.name) for part in parts]
        assert (getattr(all_, field.name) == np.concatenate(both)).all()
    with pytest.raises(ValueError, match="collection must be one of none, fresh, mixed"):
        allowed("all", parts)


def test_pessimism_1_is_the_lesser_of_two_copies_and_0_their_mean():
    q = np.random.default_rng(0).normal(size=(2, 4, 3))
    assert pessimistic(q, 0.0) == pytest.approx(q.mean(axis=0))
    assert pessimistic(q, 1.0) == pytest.approx(q.min(axis=0))
    assert (pessimistic(q, 2.0) < pessimistic(q, 1.0)).all()
    with pytest.raises(ValueError, match="kappa must be a number >= 0"):
        pessimistic(q, -1.0)


def test_candidates_are_kept_only_where_their_scores_beat_the_value():
    proposals, policy = np.array([[0.5, 0.3, 0.2]] * 2), np.array([[0.1, 0.1, 0.8]] * 2)
    scores, values = np.array([[1.0, 2.0, 3.0]] * 2), np.array([1.5, 9.0])
    made = improved(policy, proposals, scores, values, 2)
    chances = best_of_n(scores, proposals, 2)[0, 1:]
    assert made[0] == pytest.approx([0.0, *(chances / chances.sum())])
    assert (made[1] == policy[1]).all()


@pytest.mark.parametrize("home", [False, True])
def test_with_exact_values_no_round_is_worse_anywhere(bench, home):
    """The theorem of policy improvement, wherever the candidates come from."""
    g = bench.tests[0]
    beta = policy = bench.beta[:, g].astype(float)
    before, _ = bench.values(policy, g)
    reached = [bench.success(policy, g)]
    for _ in range(3):
        values = (policy * before).sum(axis=1)
        policy = improved(policy, beta if home else policy, before, values, 4)
        after, _ = bench.values(policy, g)
        assert (after >= before - 1e-9).all()
        before = after
        reached.append(bench.success(policy, g))
    assert reached[3] > 2 * reached[0]


def test_a_run_measures_every_round_and_no_new_data_costs_nothing(small_experiments):
    common = {"kappa": 1.0, "num_candidates": 4, "num_episodes": 4, "seed": 3}
    runs = {
        name: online(collection=name, proposals="latest", **common) for name in COLLECTIONS
    }  # fmt: skip
    for name, run in runs.items():
        assert run.success.shape == (2, NUM_ROUNDS + 1)
        assert ((run.success >= 0) & (run.success <= 1)).all()
        assert run.divergence[0] == pytest.approx(0.0, abs=1e-6) and run.shift[0] == 0.0
        assert (run.divergence > -1e-6).all() and ((run.shift >= 0) & (run.shift <= 1)).all()
        assert (run.error >= np.abs(run.bias) - 1e-12).all()
        grows = np.diff(run.collected) > 0
        expected = [name != "none"] * (NUM_ROUNDS - 1) + [False]
        assert grows.tolist() == expected
        # The first round has only the data of β, whatever comes later.
        assert (run.success[:, :2] == runs["none"].success[:, :2]).all()
    assert (runs["mixed"].error[:, 1:] != runs["fresh"].error[:, 1:]).any()
    home = online(collection="mixed", proposals="behaviour", **common)
    assert (home.success[:, :2] == runs["mixed"].success[:, :2]).all()
    with pytest.raises(ValueError, match="proposals must be one of latest, behaviour"):
        online(collection="mixed", proposals="best", **common)
