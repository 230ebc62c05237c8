"""Many episodes at once, and on disk: masks, marks, resumption, damage."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from qlearn_core.device import trajectories
from qlearn_core.device.phone import START
from qlearn_core.device.rollouts import Trajectories, draw_actions, roll_out, seeing
from qlearn_core.device.script import Script
from qlearn_core.device.tasks import all_tasks
from qlearn_core.device.trajectories import collect, load
from tests.device.tiny import SETTINGS, TASK, recognising, tiny

SCREENS = tiny(num_layouts=2)
TASKS = all_tasks(SETTINGS)
POLICY = recognising(SCREENS, TASK, Script(0.8))


def rolled(seed: int = 0, num_episodes: int = 300) -> Trajectories:
    rng = np.random.default_rng(seed)
    return roll_out(SCREENS, TASKS, seeing(POLICY), num_episodes=num_episodes, rng=rng)


def same(one: Trajectories, other: Trajectories) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        and getattr(one, field.name).dtype == getattr(other, field.name).dtype
        for field in fields(Trajectories)
    )


def test_every_step_is_one_that_the_table_allows_and_pays_what_the_task_says():
    data, phone = rolled(), SCREENS[0].phone
    for e in range(len(data.lengths)):
        screens, goal = SCREENS[data.layouts[e]], phone.ordered(TASKS[data.tasks[e]])
        assert data.states[e, 0] == START
        assert (data.instructions[e] == TASKS[data.tasks[e]].tokens).all()
        for t in range(data.lengths[e]):
            s, action, s_next = data.states[e, t], data.actions[e, t], data.states[e, t + 1]
            assert phone.dynamics.P[s, screens.moves[s, action], s_next] > 0
            assert data.rewards[e, t] == (s_next == goal)
            assert data.terminated[e, t] == phone.dynamics.terminal[s_next]
            image = data.images[data.screens[e, t]]
            assert any((image == frame).all() for frame in screens.images[s])
            answer = POLICY(image[None], data.instructions[e : e + 1])[0]
            assert data.probabilities[e, t] == pytest.approx(answer[action], rel=1e-5)


def test_an_episode_ends_once_by_an_order_or_by_the_horizon_and_nothing_follows():
    data = rolled()
    ends = data.terminated | data.truncated
    assert (ends.sum(axis=1) == 1).all()
    assert (ends.argmax(axis=1) + 1 == data.lengths).all()
    assert not (data.terminated & data.truncated).any()
    assert (data.lengths[data.truncated.any(axis=1)] == SETTINGS.horizon).all()
    assert (data.taken.sum(axis=1) == data.lengths).all()
    short = data.lengths < SETTINGS.horizon
    assert short.any() and (data.terminated | data.truncated)[~short][:, -1].all()
    for values in (data.actions, data.probabilities, data.rewards, data.terminated):
        assert not values[~data.taken].any()
    assert (data.success == data.rewards.any(axis=1)).all()


def test_frames_tasks_and_layouts_are_drawn_evenly():
    data = rolled(num_episodes=2_000)
    for drawn in (data.layouts, data.tasks, data.screens[:, 0] % SETTINGS.num_frames):
        counts = np.bincount(drawn, minlength=2)
        assert abs(counts[0] - 1_000) < 4 * np.sqrt(2_000 / 4)


def test_actions_are_drawn_with_their_probabilities():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(6, 0.5))
    probabilities[[0, 5]] = 0.0
    probabilities /= probabilities.sum()
    uniforms = rng.random(40_000)
    drawn = draw_actions(np.tile(probabilities, (40_000, 1)), uniforms)
    expected = 40_000 * probabilities
    counts = np.bincount(drawn, minlength=6)
    assert counts[0] == counts[5] == 0
    assert (np.abs(counts - expected) <= 4.5 * np.sqrt(expected)).all()
    edge = np.array([np.nextafter(1, 0)])
    assert draw_actions(probabilities[None].astype(np.float32), edge) == 4
    assert draw_actions(probabilities[None], np.zeros(1)) == 1


def collected(folder, monkeypatch, **changes) -> Trajectories:
    monkeypatch.setattr(trajectories, "SHARD_SIZE", 20)
    arguments = {"num_episodes": 50, "seed": 3, "made_by": {"policy": "by heart"}} | changes
    return collect(folder, SCREENS, TASKS, POLICY, **arguments)


def test_data_that_were_interrupted_are_data_that_were_not(tmp_path, monkeypatch):
    whole = collected(tmp_path / "whole", monkeypatch)
    assert whole.actions.shape == (50, SETTINGS.horizon)

    class Interrupted(Exception):
        pass

    def interrupt(done: int, total: int) -> None:
        if done == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        collected(tmp_path / "parts", monkeypatch, progress=interrupt)
    shards = sorted((tmp_path / "parts").glob("episodes-*.npz"))
    assert len(shards) == 2
    written = [shard.stat().st_mtime_ns for shard in shards]
    assert same(whole, collected(tmp_path / "parts", monkeypatch))
    assert written == [shard.stat().st_mtime_ns for shard in shards]
    assert same(whole, load(tmp_path / "parts"))
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("name", ["episodes-001.npz", "screens.npz", "header.json"])
def test_a_damaged_or_missing_file_is_named(name, tmp_path, monkeypatch):
    collected(tmp_path, monkeypatch)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        load(tmp_path)
    path.unlink()
    with pytest.raises(ValueError, match=f"{name} is damaged"):
        load(tmp_path)


def test_a_folder_with_other_data_is_left_alone(tmp_path, monkeypatch):
    collected(tmp_path, monkeypatch)
    with pytest.raises(ValueError, match="holds other data: seed, made_by differ"):
        collected(tmp_path, monkeypatch, seed=4, made_by={"policy": "another"})
    header = tmp_path / "header.json"
    header.write_text(header.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ValueError, match="must have format 1, but has 2"):
        load(tmp_path)


def test_a_policy_meets_the_same_chance_as_any_other():
    """The first screens, tasks and layouts of two policies are equal."""
    one = rolled()
    rng = np.random.default_rng(0)
    other = roll_out(
        SCREENS, TASKS, lambda s: np.eye(1203)[np.full(len(s.states), 1202)],
        num_episodes=300, rng=rng,
    )  # fmt: skip
    assert (one.tasks == other.tasks).all() and (one.layouts == other.layouts).all()
    assert (one.screens[:, 0] == other.screens[:, 0]).all()
    assert (other.states == START).all() and other.truncated[:, -1].all()
    with pytest.raises(ValueError, match="num_episodes must be an integer >= 1, but is 0"):
        roll_out(SCREENS, (TASK,), seeing(POLICY), num_episodes=0, rng=rng)
