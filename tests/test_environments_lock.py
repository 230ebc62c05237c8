"""The combination lock."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.environments import combination_lock
from qlearn_core.planning import optimal_q


def _lock(depth=6, num_actions=3, seed=0, **kwargs):
    return combination_lock(depth, num_actions, rng=np.random.default_rng(seed), **kwargs)


@pytest.mark.parametrize(("wrong", "target"), [("stay", lambda s: s), ("reset", lambda s: 0)])
def test_one_action_goes_forward_and_the_others_stay_or_reset(wrong, target):
    lock = _lock(wrong=wrong)
    for s in range(6):
        reached = sorted(int(np.argmax(lock.P[s, a])) for a in range(3))
        assert reached == sorted([s + 1, target(s), target(s)])
    assert lock.terminal.tolist() == [False] * 6 + [True]


def test_the_value_is_the_discounted_goal_reward():
    value = optimal_q(_lock(), gamma=0.9).max(axis=1)
    np.testing.assert_allclose(value[:6], 0.9 ** np.arange(5, -1, -1.0), rtol=1e-12)


def test_a_cost_per_step_adds_up_to_the_goal():
    value = optimal_q(_lock(step_reward=-1.0, goal_reward=0.0), gamma=0.9).max(axis=1)
    steps = np.arange(6, 0, -1)
    np.testing.assert_allclose(value[:6], -(1 - 0.9**steps) / 0.1, rtol=1e-12)


def test_the_code_is_drawn_uniformly_from_the_generator():
    depth, num_actions = 3000, 3
    rng = np.random.default_rng(1)
    locks = [combination_lock(30, num_actions, rng=rng) for _ in range(depth // 30)]
    codes = np.concatenate([np.argmax(k.P[np.arange(30), :, np.arange(1, 31)], 1) for k in locks])
    share = np.bincount(codes, minlength=num_actions) / codes.size
    standard_error = np.sqrt(1 / 3 * 2 / 3 / codes.size)
    assert np.abs(share - 1 / 3).max() < 4 * standard_error


def test_one_seed_gives_one_lock():
    np.testing.assert_array_equal(_lock(seed=5).P, _lock(seed=5).P)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 0}, "depth must be an integer >= 1"),
        ({"num_actions": 0}, "num_actions must be an integer >= 1"),
        ({"wrong": "back"}, "wrong must be 'stay' or 'reset', but is 'back'"),
        ({"goal_reward": np.inf}, "goal_reward must be a number that is finite"),
        ({"rng": 3}, "rng must be a numpy.random.Generator"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {"depth": 4, "rng": np.random.default_rng(0)} | change
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        combination_lock(arguments.pop("depth"), **arguments)
