"""The experiment on the targets of the TD critic."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.device import critic
from qlearn_core.experiments import device_targets
from qlearn_core.experiments.device_bench import distance_of_copies, make_bench
from qlearn_core.experiments.device_critics import td_against_mc
from qlearn_core.experiments.device_targets import targets


def test_the_usual_targets_are_those_of_the_other_experiments(small_experiments, monkeypatch):
    monkeypatch.setattr(device_targets, "NUM_EPISODES", 4)
    usual = targets(
        through="V", tau=critic.TAU, learning_rate=critic.LEARNING_RATE, seed=3
    )  # fmt: skip
    other = td_against_mc(num_episodes=4, chance=1.0, encoder="places", seed=3)
    assert usual.success == pytest.approx(other.success[0])
    assert (usual.rmse, usual.ranking) == pytest.approx((other.rmse[0], other.ranking[0]))
    assert not usual.diverged and usual.largest > 0 and usual.spread > 0
    changed = {
        name: targets(**{"through": "V", "tau": 0.02, "learning_rate": 1e-3, "seed": 3} | change)
        for name, change in {
            "through": {"through": "Q"}, "tau": {"tau": 1.0}, "rate": {"learning_rate": 0.1},
        }.items()
    }  # fmt: skip
    assert len({usual.rmse, *(run.rmse for run in changed.values())}) == 4


def test_a_critic_that_diverged_scores_zero_and_says_so(small_experiments, monkeypatch):
    monkeypatch.setattr(device_targets, "NUM_EPISODES", 4)
    run = targets(through="V", tau=1.0, learning_rate=1e30, seed=3)
    assert run.diverged and run.largest == run.spread == 0.0 and run.ranking == 0.5
    assert np.ptp(run.success) == pytest.approx(0.0, abs=1e-9)  # β itself for every N


def test_another_target_is_named(small_experiments):
    with pytest.raises(ValueError, match="through must be one of V, Q, but is 'A'"):
        targets(through="A", tau=0.02, learning_rate=1e-3, seed=0)


def test_the_distance_of_copies_is_their_mean_difference_where_the_behaviour_goes(
    small_experiments,
):
    bench = make_bench(1.0, 0)
    shape = bench.beta[:, 0].shape
    copies = [np.stack([np.zeros(shape), np.full(shape, -0.3)]) for _ in bench.tests]
    assert distance_of_copies(bench, copies) == pytest.approx(0.3)
    nowhere = bench.truth(bench.tests[0])[1] == 0
    copies[0][1, nowhere] = 99.0
    assert nowhere.any() and distance_of_copies(bench, copies) == pytest.approx(0.3)
