"""The experiment of representation: the share of the action, the labels, the controls."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.device import pretraining
from qlearn_core.experiments.device_representation import action_share, representation


def test_the_share_of_the_action_is_that_of_the_law_of_total_variance():
    rng = np.random.default_rng(0)
    q, beta, visits = rng.normal(size=(5, 3)), rng.dirichlet(np.ones(3), size=5), rng.random(5)
    joint = (visits[:, None] * beta).ravel() / visits.sum()
    mean = joint @ q.ravel()
    total = joint @ (q.ravel() - mean) ** 2
    within = sum(
        visits[k] / visits.sum() * (beta[k] @ q[k] ** 2 - (beta[k] @ q[k]) ** 2) for k in range(5)
    )
    assert action_share(q, beta, visits) == pytest.approx(within / total)


def test_the_share_is_zero_without_actions_and_one_without_states():
    rng = np.random.default_rng(0)
    beta, visits = np.full((5, 3), 1 / 3), rng.random(5)
    states, actions = rng.normal(size=(5, 1)), rng.normal(size=3)
    assert action_share(np.tile(states, 3), beta, visits) == pytest.approx(0.0, abs=1e-12)
    assert action_share(np.tile(actions, (5, 1)), beta, visits) == pytest.approx(1.0)


def test_fine_tuning_and_its_control_change_the_critic_and_nothing_else(
    small_experiments, monkeypatch
):
    monkeypatch.setattr(pretraining, "NUM_FINE_TUNING", 3)
    runs = {
        tuning: representation(encoder="pages", tuning=tuning, num_episodes=6, seed=3)
        for tuning in ("none", "change", "shuffled")
    }
    for run in runs.values():
        assert (run.labelled, run.wrong) == (runs["none"].labelled, runs["none"].wrong)
        assert run.true_share == runs["none"].true_share
        assert run.success[0] == pytest.approx(runs["none"].success[0])
        assert 0 < run.action_share < 1 and run.success.shape == (3,)
    assert len({run.rmse for run in runs.values()}) == 3


def test_a_threshold_between_none_and_all_labels_fewer_actions(small_experiments):
    shares = [
        representation(
            encoder="untrained", tuning="none", num_episodes=6, seed=3, threshold=threshold
        ).labelled
        for threshold in (1e-6, 27.0, 1_000.0)
    ]
    assert shares[0] > shares[1] > shares[2] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder": "oracle"}, "encoder must be one of places, pages, untrained, but is 'oracle'"),
        ({"tuning": "reward"}, "tuning must be one of none, change, shuffled, but is 'reward'"),
    ],
)
def test_what_the_experiment_cannot_be_run_with_is_named(change, message):
    given = {"encoder": "pages", "tuning": "none", "num_episodes": 6, "seed": 3} | change
    with pytest.raises(ValueError, match=message):
        representation(**given)
