"""Exact values on the phone, against enumeration, closed forms, roll-outs and the environment."""

from __future__ import annotations

from math import comb

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from qlearn_core.device.environment import ID
from qlearn_core.device.exact import (
    at_actions,
    move_probabilities,
    optimal_success,
    policy_q,
    success_probability,
    sum_over_widgets,
)
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import START, make_phone
from qlearn_core.device.rollouts import roll_out, seeing
from qlearn_core.device.rules import HOME, outcomes
from qlearn_core.device.screens import make_screens
from qlearn_core.device.script import Script, best_moves
from qlearn_core.device.settings import PhoneSettings
from qlearn_core.device.tasks import Task, all_tasks
from qlearn_core.planning import optimal_q
from tests.device.tiny import CERTAIN, NUM_ACTIONS, SETTINGS, TASK, glancing, recognising, tiny


def script_policy(screens, task, skill: float) -> np.ndarray:
    """(S, M) what the script does."""
    best = best_moves(screens.phone, task)
    chosen = Script(skill, slips=0.0).action_probabilities(screens.phone, screens.moves, best)
    return sum_over_widgets(screens, chosen)


def slow_success(settings, pi, moves, state, steps: int) -> float:
    """The chance of success by recursion over the rules, without a table."""
    if state.page == "ordered" or steps == 0:
        return 0.0
    return sum(
        pi[state][m] * chance * (TASK.fulfilled(after) or
                                 slow_success(settings, pi, moves, after, steps - 1))
        for m, move in enumerate(moves)
        if pi[state][m] > 0
        for after, chance in outcomes(settings, state, move).items()
    )  # fmt: skip


def test_the_chance_of_success_is_that_of_all_courses_of_events():
    (screens,) = tiny()
    phone = screens.phone
    pi = script_policy(screens, TASK, skill=1.0)
    rows = dict(zip(phone.states, pi, strict=True))
    exact = success_probability(phone, TASK, pi, horizon=9)
    for steps in (5, 6, 7, 9):
        slow = slow_success(phone.settings, rows, phone.moves, HOME, steps)
        assert exact[steps, START] == pytest.approx(slow, abs=1e-12)
    assert exact[5, START] == 0 < exact[6, START]


@pytest.mark.parametrize("miss", [0.0, 0.1, 0.4])
def test_with_missed_clicks_alone_success_is_a_negative_binomial(miss):
    """Five clicks must hit and a word is typed: with n left, n - 1 clicks and 5 hits."""
    (screens,) = tiny(**{**CERTAIN, "miss": miss})
    pi = script_policy(screens, TASK, skill=1.0)
    exact = success_probability(screens.phone, TASK, pi, horizon=12)[:, START]
    closed = [
        sum(comb(n - 1, k) * (1 - miss) ** k * miss ** (n - 1 - k) for k in range(5, n))
        for n in range(1, 13)
    ]
    assert exact[1:] == pytest.approx(closed)


def test_the_optimal_policy_is_the_script_without_fumbling_and_nothing_is_better():
    (screens,) = tiny()
    horizon = 20
    best = optimal_success(screens.phone, TASK, horizon=horizon)
    pis = [script_policy(screens, TASK, skill) for skill in (1.0, 0.9, 0.5)]
    reached = [success_probability(screens.phone, TASK, pi, horizon=horizon) for pi in pis]
    for worse, better in zip(reached[1:], reached[:-1], strict=True):
        assert worse[horizon, START] < better[horizon, START]
    assert (reached[0] <= best + 1e-12).all()
    assert reached[0][horizon, START] == pytest.approx(best[horizon, START], abs=0.01)


def test_all_tasks_and_layouts_are_equally_hard_for_the_script_that_knows_the_way():
    phone = make_phone(PhoneSettings(num_frames=1))
    chances = [
        success_probability(phone, task, script_policy(screens, task, 1.0), horizon=15)[15, START]
        for layout in make_layouts(phone.settings, 2, seed=3)
        for screens in [make_screens(phone, layout)]
        for task in all_tasks(phone.settings)
    ]
    assert chances == pytest.approx([chances[0]] * 36)


def test_the_values_of_a_policy_on_pixels_solve_the_bellman_equation_over_actions_and_frames():
    (screens,) = tiny()
    phone, gamma = screens.phone, 0.9
    q, _ = policy_q(screens, glancing, TASK, gamma=gamma)
    q_actions = at_actions(screens, q)
    v = np.zeros(phone.num_states)
    for f in range(phone.settings.num_frames):
        tokens = np.tile(TASK.tokens, (phone.num_states, 1))
        v += (glancing(screens.images[:, f], tokens) * q_actions).sum(axis=1)
    v /= phone.settings.num_frames
    mdp = phone.mdp(TASK)
    for s in range(phone.num_states):
        for action in (0, 613, 1199, 1200, 1201, 1202):
            move = screens.moves[s, action]
            target = mdp.r[s, move] + gamma * mdp.P[s, move] @ v
            assert q_actions[s, action] == pytest.approx(target, abs=1e-12)


def test_the_value_without_a_time_limit_is_the_limit_of_those_with_one():
    (screens,) = tiny()
    pi = script_policy(screens, TASK, 0.8)
    mdp = screens.phone.mdp(TASK)
    far = success_probability(screens.phone, TASK, pi, horizon=400)[-1, START]
    q = optimal_q(mdp, gamma=1 - 1e-7)
    assert far < q[START].max() <= 1
    undiscounted = np.linalg.solve(
        np.eye(mdp.num_states) - np.einsum("sa,sat->st", pi, mdp.P) * ~mdp.terminal[:, None],
        (pi * mdp.r).sum(axis=1),
    )
    assert far == pytest.approx(undiscounted[START], abs=1e-9)


def test_roll_outs_succeed_as_often_as_dynamic_programming_says():
    screens, num_episodes = tiny(num_layouts=2), 2_000
    horizon = SETTINGS.horizon
    policy = recognising(screens, TASK, Script(0.8))
    exact = np.mean([
        success_probability(
            one.phone, TASK, move_probabilities(one, policy, TASK), horizon=horizon
        )[horizon, START]
        for one in screens
    ])  # fmt: skip
    rng = np.random.default_rng(0)
    seen = roll_out(screens, (TASK,), seeing(policy), num_episodes=num_episodes, rng=rng)
    assert 0.1 < exact < 0.9
    standard_error = np.sqrt(exact * (1 - exact) / num_episodes)
    assert abs(seen.success.mean() - exact) < 4 * standard_error


def environment(**changes):
    screens = tiny(num_layouts=2, **changes)
    settings = screens[0].phone.settings
    layouts = tuple(one.layout for one in screens)
    return gymnasium.make(ID, settings=settings, layouts=layouts, tasks=(TASK,)), screens


def test_the_environment_succeeds_as_often_as_dynamic_programming_says():
    environment_, screens = environment(miss=0.3)
    env, num_episodes, returns = environment_.unwrapped, 800, 0.0
    rng = np.random.default_rng(1)
    best = best_moves(screens[0].phone, TASK)
    chances = [
        Script(0.9, slips=0.0).action_probabilities(one.phone, one.moves, best) for one in screens
    ]
    exact = np.mean([
        success_probability(one.phone, TASK, sum_over_widgets(one, rows), horizon=8)[8, START]
        for one, rows in zip(screens, chances, strict=True)
    ])  # fmt: skip
    env.reset(seed=2)
    for _ in range(num_episodes):
        _, info = env.reset()
        over = False
        while not over:
            action = rng.choice(NUM_ACTIONS, p=chances[info["layout"]][info["state"]])
            _, reward, terminated, truncated, info = env.step(action)
            returns += reward
            over = terminated or truncated
    assert 0.1 < exact < 0.9
    assert abs(returns / num_episodes - exact) < 4 * np.sqrt(exact * (1 - exact) / num_episodes)


def test_the_environment_keeps_the_rules_of_gymnasium():
    check_env(environment()[0].unwrapped)


def test_an_order_terminates_and_the_horizon_truncates():
    env = environment(**CERTAIN)[0].unwrapped
    env.reset(seed=0, options={"layout": 1, "task": 0})
    ends = [env.step(1202)[2:4] for _ in range(SETTINGS.horizon)]
    assert ends == [(False, False)] * 7 + [(False, True)]
    _, info = env.reset()
    best = best_moves(env.phone, TASK)
    for step in range(6):
        moves = env.screens[info["layout"]].moves[info["state"]]
        action = int(np.flatnonzero(moves == best[info["state"]])[0])
        observation, reward, terminated, truncated, info = env.step(action)
        assert (reward, terminated, truncated) == (float(step == 5), step == 5, False)
    assert (observation["screen"] == env.screens[info["layout"]].images[
        info["state"], info["frame"]
    ]).all()  # fmt: skip
    assert (observation["instruction"] == TASK.tokens).all()


def test_what_cannot_be_is_refused_by_name():
    (screens,) = tiny()
    with pytest.raises(ValueError, match=r"policy must answer with shape \(S, A\) = "):
        move_probabilities(screens, lambda images, tokens: np.ones((1, 1)), TASK)
    with pytest.raises(ValueError, match="policy must answer with probabilities, but in frame 0"):
        move_probabilities(screens, lambda i, t: np.ones((len(i), NUM_ACTIONS)), TASK)
    with pytest.raises(ValueError, match="skill must be a number in"):
        Script(skill=1.5)
    env = environment()[0].unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action must be below 1203, but is 1203"):
        env.step(1203)
    with pytest.raises(ValueError, match="layout must be below 2, but is 2"):
        env.reset(options={"layout": 2})
    layouts = make_layouts(SETTINGS, 1, seed=0)
    with pytest.raises(ValueError, match=r"tasks must hold at least one, but is \(\)"):
        gymnasium.make(ID, settings=SETTINGS, layouts=layouts, tasks=())
    with pytest.raises(ValueError, match="task must be one of"):
        wrong = (Task("bazaar", "hat", "plain"),)
        gymnasium.make(ID, settings=SETTINGS, layouts=layouts, tasks=wrong)
