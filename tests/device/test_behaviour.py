"""The behaviour policy: seeded, resumed to the bit, and able to learn what it is shown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from qlearn_core.device import behaviour, training
from qlearn_core.device.behaviour import PolicyNetwork, clone, demonstrations
from qlearn_core.device.exact import move_probabilities, success_probability
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import START, make_phone
from qlearn_core.device.rollouts import roll_out
from qlearn_core.device.screens import make_screens
from qlearn_core.device.script import Script
from qlearn_core.device.settings import PhoneSettings
from qlearn_core.device.tasks import split
from qlearn_core.device.training import seeded, train
from tests.device.tiny import SETTINGS, TASK, tiny


@pytest.fixture
def few(monkeypatch):
    """A training of seconds on the tiny phone."""
    monkeypatch.setattr(behaviour, "DEMONSTRATION_LAYOUTS", 4)
    monkeypatch.setattr(behaviour, "NUM_DEMONSTRATIONS", 60)
    monkeypatch.setattr(behaviour, "NUM_UPDATES", 9)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 3)


@pytest.fixture(autouse=True)
def one_thread():
    """Small layers are fastest so, above all where tests run side by side."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def weights(network: torch.nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().numpy().ravel() for p in network.parameters()])


def test_the_demonstrations_are_on_other_layouts_than_the_data():
    settings = PhoneSettings()
    shown = make_layouts(
        settings, behaviour.DEMONSTRATION_LAYOUTS, seed=behaviour.DEMONSTRATION_SEED
    )
    for seed in range(100):
        assert set(shown).isdisjoint(make_layouts(settings, 3, seed=seed))


def test_the_script_is_right_about_the_first_move_and_fumbles_as_often_as_it_says():
    settings = PhoneSettings(num_frames=1)
    phone = make_phone(settings)
    screens = tuple(make_screens(phone, one) for one in make_layouts(settings, 2, seed=7))
    script, num_episodes = Script(skill=0.6, slips=0.0), 1_000
    data = roll_out(
        screens, (TASK,), script.agent(screens, (TASK,)), num_episodes=num_episodes,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    moves = np.stack([one.moves for one in screens])
    first = moves[data.layouts, START, data.actions[:, 0]]
    offered = len(set(moves[0, START].tolist()))
    chance = 0.6 + 0.4 / offered
    right = (first == phone.moves.index("open market")).mean()
    assert abs(right - chance) < 4 * np.sqrt(chance * (1 - chance) / num_episodes)


def test_a_network_answers_with_probabilities_and_alike_for_all_pixels_of_a_cell():
    (screens,) = tiny()
    with seeded(np.random.default_rng(0)):
        network = PolicyNetwork(SETTINGS)
    tokens = np.tile(TASK.tokens, (5, 1))
    answer = network.policy(screens.images[:5, 0], tokens)
    assert answer.shape == (5, 1203) and (answer > 0).all()
    assert answer.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    cells = answer[:, :1200].reshape(5, 8, 5, 6, 5)
    assert (cells == cells[:, :, :1, :, :1]).all()


def test_a_network_reads_dark_screens_as_it_reads_light_ones():
    (screens,) = tiny(noise=0.0)
    with seeded(np.random.default_rng(0)):
        network = PolicyNetwork(SETTINGS)
    image = screens.images[START, :1] // 2 + 60
    tokens = TASK.tokens[None]
    assert network.policy(image, tokens) == pytest.approx(network.policy(255 - image, tokens))


def test_one_seed_gives_one_network_and_leaves_the_generator_of_torch_alone(few):
    shown, script = demonstrations(SETTINGS, seed=0)
    before = torch.random.get_rng_state()
    one, other, another = (clone(SETTINGS, shown, script, seed=seed) for seed in (0, 0, 1))
    assert (torch.random.get_rng_state() == before).all()
    assert (weights(one) == weights(other)).all()
    assert (weights(one) != weights(another)).any()


def test_training_that_was_interrupted_ends_with_the_same_bits(few, tmp_path):
    shown, script = demonstrations(SETTINGS, seed=0)
    whole = clone(SETTINGS, shown, script, seed=0)
    path = tmp_path / "clone.pt"

    class Interrupted(Exception):
        pass

    def interrupt(done: int, total: int) -> None:
        if done == 6:
            raise Interrupted

    with pytest.raises(Interrupted):
        clone(SETTINGS, shown, script, seed=0, checkpoint=path, progress=interrupt)
    seen = []
    resumed = clone(
        SETTINGS, shown, script, seed=0, checkpoint=path, progress=lambda *at: seen.append(at)
    )  # fmt: skip
    assert seen == [(9, 9)]
    assert (weights(resumed) == weights(whole)).all()
    again = clone(SETTINGS, shown, script, seed=0, checkpoint=path)
    assert (weights(again) == weights(whole)).all()
    assert [file.name for file in tmp_path.iterdir()] == ["clone.pt"]


def test_a_damaged_checkpoint_and_one_of_another_network_are_named(tmp_path):
    path = tmp_path / "line.pt"

    def fit(size: int) -> None:
        line = torch.nn.Linear(size, 1)
        train(
            line, torch.optim.SGD(line.parameters(), lr=0.1), lambda rng: line.weight.sum(),
            num_updates=1, rng=np.random.default_rng(0), checkpoint=path,
        )  # fmt: skip

    fit(2)
    with pytest.raises(ValueError, match="line.pt is damaged or of another training"):
        fit(3)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="line.pt is damaged or of another training"):
        fit(2)


def test_the_loop_is_gradient_descent():
    """w ← w − α w from w = 1: the losses are ½ (1 − α)^2k."""
    line = torch.nn.Linear(1, 1, bias=False).double()
    torch.nn.init.ones_(line.weight)
    descent = torch.optim.SGD(line.parameters(), lr=0.25)
    losses = train(
        line, descent, lambda rng: line.weight.square().sum() / 2,
        num_updates=20, rng=np.random.default_rng(0),
    )  # fmt: skip
    assert losses == pytest.approx(0.5 * 0.75 ** (2 * np.arange(20)))


def test_a_clone_of_a_script_that_never_fumbles_finds_its_way_on_a_new_layout(few, monkeypatch):
    """An untrained network succeeds hardly ever, this one in more than half of the episodes."""
    settings = replace(SETTINGS, horizon=15)
    monkeypatch.setattr(behaviour, "SCRIPT", Script(1.0, slips=0.0))
    monkeypatch.setattr(behaviour, "DEMONSTRATION_LAYOUTS", 20)
    monkeypatch.setattr(behaviour, "NUM_UPDATES", 100)
    screens = make_screens(make_phone(settings), make_layouts(settings, 1, seed=1)[0])
    (task,) = split(settings)[0]

    def success(network: PolicyNetwork) -> float:
        pi = move_probabilities(screens, network.policy, task)
        return success_probability(screens.phone, task, pi, horizon=15)[15, START]

    shown, script = demonstrations(settings, seed=0)
    trained = success(clone(settings, shown, script, seed=0))
    monkeypatch.setattr(behaviour, "NUM_UPDATES", 0)
    assert success(clone(settings, shown, script, seed=0)) < 0.05 and trained > 0.5
