"""The encoder, its two streams, its pre-training and the label of change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from qlearn_core.device import pretraining, training
from qlearn_core.device.encoder import (
    SIZE,
    action_of_spot,
    features,
    num_spots,
    oracle_features,
    spot_of_action,
)
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import make_phone
from qlearn_core.device.pretraining import (
    change_labels,
    fine_tuned,
    off_the_shelf,
    questions,
    screen_distances,
    untrained,
)
from qlearn_core.device.rollouts import all_images, roll_out, seeing
from qlearn_core.device.script import Script
from qlearn_core.device.settings import PhoneSettings
from qlearn_core.device.tasks import all_tasks
from tests.device.tiny import CERTAIN, SETTINGS, TASK, recognising, tiny


@pytest.fixture
def few(monkeypatch):
    """A training of seconds on the tiny phone."""
    monkeypatch.setattr(pretraining, "DEMONSTRATION_LAYOUTS", 3)
    monkeypatch.setattr(pretraining, "NUM_UPDATES", 6)
    monkeypatch.setattr(pretraining, "NUM_FINE_TUNING", 6)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 2)


def episodes(num_episodes: int = 60, **changes):
    screens = tiny(num_layouts=2, **changes)
    policy = seeing(recognising(screens, TASK, Script(0.6, slips=0.3)))
    rng = np.random.default_rng(0)
    return roll_out(screens, (TASK,), policy, num_episodes=num_episodes, rng=rng)


def weights(network: torch.nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().numpy().ravel() for p in network.parameters()])


def test_an_action_and_its_spot_are_the_same_move_on_every_screen():
    settings = PhoneSettings(num_frames=1)
    spots, first = spot_of_action(settings), action_of_spot(settings)
    assert (spots[first] == np.arange(num_spots(settings))).all()
    assert np.bincount(spots).tolist() == [25] * 48 + [1] * 5
    for screens in tiny(num_layouts=3):
        spots, first = spot_of_action(SETTINGS), action_of_spot(SETTINGS)
        assert (screens.moves[:, first[spots]] == screens.moves).all()


def test_cached_features_are_those_of_the_network():
    settings = replace(SETTINGS, num_words=2)
    screens = tiny(num_words=2)
    images, tasks = all_images(screens), all_tasks(settings)
    encoder = untrained(settings, seed=0)
    cached = features(encoder, images, tasks)
    assert cached.states.shape == (len(images), 4, SIZE)
    assert cached.actions.shape == (len(images), num_spots(settings), SIZE)
    rng = np.random.default_rng(0)
    k, g = rng.integers(len(images), size=20), rng.integers(4, size=20)
    a = rng.integers(num_spots(settings), size=20)
    tokens = np.stack([task.tokens for task in tasks])[g]
    with torch.no_grad():
        fresh = encoder(*map(torch.from_numpy, (images[k], tokens, a)))
    both = torch.cat([cached.states[k, g], cached.actions[k, a]], dim=1)
    assert torch.allclose(both, fresh, atol=1e-5)


def test_oracle_features_name_the_state_the_words_and_the_move():
    screens = tiny(num_layouts=2)
    found = oracle_features(screens, (TASK,))
    phone = screens[0].phone
    for place in (0, 5, 57, 58, 100):
        layout, rest = divmod(place, phone.num_states * 2)
        state = rest // 2
        assert found.states[place, 0, : phone.num_states].argmax() == state
        assert found.states[place, 0, phone.num_states :].sum() == len(set(TASK.tokens))
        moves = screens[layout].moves[state, action_of_spot(SETTINGS)]
        assert (found.actions[place].argmax(dim=1).numpy() == moves).all()
    assert (found.actions.sum(dim=2) == 1).all()


def test_the_answers_to_all_questions_tell_hidden_states_apart():
    phone = make_phone(PhoneSettings())
    answers, sizes = questions(phone)
    assert len(np.unique(answers, axis=0)) == phone.num_states
    assert (answers.max(axis=0) + 1 == sizes).all()
    pages = {state.page for state in phone.states}
    assert sizes[0] == len(pages)


def test_the_distance_of_two_screens_is_the_root_of_the_mean_square():
    data = episodes()
    distances = screen_distances(data)
    for e, t in ((0, 0), (3, 1), (7, 0)):
        before, after = (data.images[data.screens[e, t + k]].astype(float) for k in (0, 1))
        expected = np.linalg.norm(after - before) / np.sqrt(before.size)
        assert distances[e, t] == pytest.approx(expected)
    assert not distances[~data.taken].any()
    labels = change_labels(data, threshold=27.0)
    assert not labels[~data.taken].any()
    with pytest.raises(ValueError, match="threshold must be a number > 0"):
        change_labels(data, threshold=0.0)


def test_without_nuisance_every_threshold_below_the_least_change_gives_the_truth():
    data = episodes(noise=0.0, num_frames=1)
    changed = (data.states[:, 1:] != data.states[:, :-1]) & data.taken
    assert changed.any() and (~changed & data.taken).any()
    least = screen_distances(data)[changed].min()
    for threshold in (least / 100, least):
        assert (change_labels(data, threshold=threshold) == changed).all()
    assert change_labels(data, threshold=least + 1e-6).sum() < changed.sum()


def test_the_default_threshold_separates_nuisance_from_change():
    """Of the default phone, with all its nuisances, fewer than 3 labels in 100 are wrong."""
    settings = PhoneSettings()
    phone = make_phone(settings)
    wrong = []
    for screens in (
        pretraining.make_screens(phone, one) for one in make_layouts(settings, 3, seed=0)
    ):
        policy = Script(0.6, slips=0.3).agent((screens,), (TASK,))
        data = roll_out(
            (screens,), (TASK,), policy, num_episodes=60, rng=np.random.default_rng(0)
        )  # fmt: skip
        changed = data.states[:, 1:] != data.states[:, :-1]
        wrong.append((change_labels(data) != changed)[data.taken])
    assert np.concatenate(wrong).mean() < 0.03


def test_training_that_was_interrupted_ends_with_the_same_bits(few, tmp_path, monkeypatch):
    def both(path=None) -> np.ndarray:
        checkpoints = (path and path / "shelf.pt", path and path / "tuned.pt")
        shelf = off_the_shelf(SETTINGS, places=True, seed=0, checkpoint=checkpoints[0])
        data = episodes()
        tuned = fine_tuned(
            shelf, SETTINGS, data, change_labels(data), seed=0, checkpoint=checkpoints[1]
        )  # fmt: skip
        assert (weights(tuned) != weights(shelf)).any()
        return weights(tuned)

    whole = both()
    for name in ("NUM_UPDATES", "NUM_FINE_TUNING"):
        monkeypatch.setattr(pretraining, name, 4)
    both(tmp_path)
    for name in ("NUM_UPDATES", "NUM_FINE_TUNING"):
        monkeypatch.setattr(pretraining, name, 6)
    (tmp_path / "tuned.pt").unlink()
    assert (both(tmp_path) == whole).all()


def test_questions_about_places_are_asked_only_with_places(few):
    one, other = (off_the_shelf(SETTINGS, places=places, seed=0) for places in (True, False))
    assert (weights(one) != weights(other)).any()
    assert (weights(one) == weights(off_the_shelf(SETTINGS, places=True, seed=0))).all()


def test_fine_tuning_learns_which_actions_change_the_screen(few, monkeypatch):
    """On a phone without chance, from an encoder that has learned nothing: the labels are told
    twice as well as by the best constant, shuffled ones are not learned."""
    monkeypatch.setattr(pretraining, "NUM_FINE_TUNING", 100)
    monkeypatch.setattr(pretraining, "BATCH_SIZE", 48)
    data = episodes(num_episodes=200, **CERTAIN)
    labels = change_labels(data)
    start = untrained(SETTINGS, seed=0)
    rng = np.random.default_rng(0)
    shuffled = labels.copy()
    shuffled[data.taken] = rng.permutation(labels[data.taken])
    losses = []
    real = pretraining.train

    def train(*given, **named):
        losses.append(real(*given, **named)[-25:].mean())

    monkeypatch.setattr(pretraining, "train", train)
    for given in (labels, shuffled):
        fine_tuned(start, SETTINGS, data, given, seed=0)
    share = labels[data.taken].mean()
    constant = -share * np.log(share) - (1 - share) * np.log(1 - share)
    assert losses[0] < 0.5 * constant < 0.9 * constant < losses[1]
    with pytest.raises(ValueError, match=r"labels must have shape \(E, T\)"):
        fine_tuned(start, SETTINGS, data, labels[:, 1:], seed=0)
