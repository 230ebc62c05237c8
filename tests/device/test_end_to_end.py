"""The critic whose encoder moves: against the frozen one, and when it diverges."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from qlearn_core.device import critic, end_to_end, training
from qlearn_core.device.critic import train_critic, transitions
from qlearn_core.device.encoder import features, num_spots
from qlearn_core.device.end_to_end import features_of, train_end_to_end
from qlearn_core.device.pretraining import untrained
from qlearn_core.device.rollouts import all_images, roll_out, seeing
from qlearn_core.device.script import Script
from qlearn_core.experiments.device_end_to_end import end_to_end as experiment
from qlearn_core.experiments.device_end_to_end import moved
from tests.device.tiny import SETTINGS, TASK, recognising, tiny

GAMMA = 0.9
SCREENS = tiny(num_layouts=2)
IMAGES = all_images(SCREENS)
N_SPOTS = num_spots(SETTINGS)
POLICY = np.full((len(IMAGES), 1, N_SPOTS), 1 / N_SPOTS)


@pytest.fixture(autouse=True)
def on_the_processor(monkeypatch):
    monkeypatch.setattr(end_to_end, "device_of", lambda: torch.device("cpu"))
    monkeypatch.setattr(critic, "NUM_UPDATES", 8)


@pytest.fixture(scope="module")
def steps() -> critic.Transitions:
    policy = seeing(recognising(SCREENS, TASK, Script(0.8)))
    rng = np.random.default_rng(0)
    data = roll_out(SCREENS, (TASK,), policy, num_episodes=20, rng=rng)
    return transitions(data, SETTINGS, gamma=GAMMA)


def trained(steps: critic.Transitions, rate: float, **changes):
    start = untrained(SETTINGS, seed=0)
    given = {"policy": POLICY, "gamma": GAMMA, "seed": 0, "batch_size": 32} | changes
    return train_end_to_end(start, IMAGES, (TASK,), steps, rate=rate, **given)


def test_at_rate_0_it_is_the_frozen_critic_up_to_rounding(steps):
    """Features are computed for a batch here and for all screens there: the last bits differ."""
    seen = features(untrained(SETTINGS, seed=0), IMAGES, (TASK,))
    frozen = train_critic(seen, steps, POLICY, method="td", gamma=GAMMA, seed=0, batch_size=32)
    made = trained(steps, 0.0)
    assert (made.features.states == seen.states).all()
    assert (made.features.actions == seen.actions).all()
    for one, other in zip(made.critic.table(seen, 0), frozen.table(seen, 0), strict=True):
        assert one == pytest.approx(other, abs=1e-6)
    moving = trained(steps, 1e-3)
    difference = moving.critic.table(moving.features, 0)[0] - frozen.table(seen, 0)[0]
    assert np.abs(difference).max() > 1e-3 and moving.status == "finite"


def test_features_of_a_batch_are_those_of_the_encoder():
    encoder, rng = untrained(SETTINGS, seed=0), np.random.default_rng(0)
    k, spots = rng.integers(len(IMAGES), size=6), rng.integers(N_SPOTS, size=4)
    told = torch.tensor(np.tile(TASK.tokens, (6, 1)))
    images = torch.tensor(IMAGES[k])
    with torch.no_grad():
        found = features_of(encoder, images, told, spots)
        fresh = encoder(images[:4], told[:4], torch.from_numpy(spots))
    both = torch.cat([found.states[:4, 0], found.actions[:, 0]], dim=1)
    assert torch.allclose(both, fresh, atol=1e-6)
    assert found.states.shape[0] == 6


def test_the_encoder_follows_the_gradient_of_both_losses(steps, monkeypatch):
    """One step of Adam moves every weight that has a gradient by the rate: each part has some."""
    monkeypatch.setattr(critic, "NUM_UPDATES", 1)
    before = untrained(SETTINGS, seed=0)
    after = []
    real = end_to_end.features
    monkeypatch.setattr(
        end_to_end, "features", lambda *given: (after.append(given[0]), real(*given))[1]
    )
    trained(steps, 1e-3)
    for (name, old), new in zip(before.named_parameters(), after[-1].parameters(), strict=True):
        step = (new - old).abs().max().item()
        assert step == pytest.approx(1e-3, rel=0.01), name


def test_divergence_is_a_status(steps, monkeypatch):
    monkeypatch.setattr(critic, "LEARNING_RATE", 1e30)
    made = trained(steps, 1e30)
    assert made.status == "diverged" and not np.isfinite(made.losses).all()
    assert len(made.losses) == critic.NUM_UPDATES


def test_an_end_to_end_training_that_was_interrupted_ends_with_the_same_bits(
    steps, monkeypatch, tmp_path
):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 2)
    path = tmp_path / "critic.pt"

    def table(num_updates: int, checkpoint=None) -> np.ndarray:
        monkeypatch.setattr(critic, "NUM_UPDATES", num_updates)
        made = trained(steps, 1e-3, checkpoint=checkpoint)
        return made.critic.table(made.features, 0)[0]

    table(4, path)
    assert (table(6, path) == table(6)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": -1.0}, "rate must be a number >= 0"),
        ({"policy": POLICY[:1]}, r"policy must have shape \(K, G, n\) = "),
        ({"gamma": 1.0}, "gamma must be a number"),
    ],
)
def test_what_it_cannot_be_trained_with_is_named(steps, change, message):
    with pytest.raises(ValueError, match=message):
        trained(steps, **({"rate": 0.0} | change))


def test_a_run_of_the_experiment_says_how_it_ended(small_experiments, monkeypatch):
    runs = [experiment(encoder="places", num_episodes=4, rate=rate, seed=3) for rate in (0.0, 1e-3)]
    assert [run.status for run in runs] == ["finite", "finite"]
    assert runs[0].moved == 0.0 < runs[1].moved
    assert runs[0].success[0] == pytest.approx(runs[1].success[0])  # one candidate: β itself
    assert all(0 < run.spread and 0 < run.largest and 0 <= run.ranking <= 1 for run in runs)
    monkeypatch.setattr(critic, "LEARNING_RATE", 1e30)
    lost = experiment(encoder="places", num_episodes=4, rate=1e30, seed=3)
    assert lost.status == "diverged" and lost.success == pytest.approx(runs[0].success[0])
    assert lost.ranking == 0.5 and lost.largest == 0.0
    with pytest.raises(ValueError, match="encoder must be one of places, pages, but is 'oracle'"):
        experiment(encoder="oracle", num_episodes=4, rate=0.0, seed=3)


def test_how_far_features_moved_is_relative_to_where_they_were():
    one = features(untrained(SETTINGS, seed=0), IMAGES[:4], (TASK,))
    twice = type(one)(2 * one.states, 2 * one.actions)
    assert moved(one, twice) == pytest.approx(1.0)
    assert moved(twice, one) == pytest.approx(0.5)
