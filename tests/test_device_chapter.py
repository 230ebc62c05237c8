"""What the chapter on the simulated phone states, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.device import behaviour
from qlearn_core.device.exact import success_probability
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import START
from qlearn_core.device.rollouts import roll_out
from qlearn_core.device.screens import make_screens
from qlearn_core.device.script import Script
from qlearn_core.experiments import device as experiment
from qlearn_core.experiments import phone_game
from qlearn_core.planning import optimal_q


@pytest.mark.parametrize("skill", [0.0, 0.6, 1.0])
def test_without_mishaps_six_actions_succeed_with_a_product_of_chances(skill):
    record = experiment.success(skill=skill, chances=0.0, slips=0.0)
    offered = np.array([10, 9, 8, 8, 11, 10])
    assert record.script[:6].max() == 0
    assert record.script[6] == pytest.approx(np.prod(skill + (1 - skill) / offered), abs=1e-12)
    assert (record.best[:6] == 0).all() and (record.best[6:] == 1).all()


def test_roll_outs_of_the_script_succeed_as_often_as_the_figure_says():
    screens, num_episodes = (experiment.screens_at(1.0),), 4_000
    agent = Script(0.6, 0.05).agent(screens, (experiment.TASK,))
    rng = np.random.default_rng(0)
    seen = roll_out(screens, (experiment.TASK,), agent, num_episodes=num_episodes, rng=rng)
    exact = experiment.success(skill=0.6, chances=1.0, slips=0.05).script[15]
    assert exact == pytest.approx(0.37, abs=0.005)
    standard_error = np.sqrt(exact * (1 - exact) / num_episodes)
    assert abs(seen.success.mean() - exact) < 4 * standard_error


@pytest.mark.parametrize("slips", [0.05, 0.5])
def test_skill_helps_and_slips_and_mishaps_harm_and_nothing_beats_the_best(slips):
    by_skill = [
        experiment.success(skill=k / 10, chances=1.0, slips=slips).script for k in range(11)
    ]
    assert (np.diff(by_skill, axis=0) >= -1e-12).all()
    by_chances = [experiment.success(skill=0.9, chances=c, slips=slips) for c in (0.0, 1.0, 2.0)]
    for calmer, rougher in zip(by_chances[:-1], by_chances[1:], strict=True):
        assert (rougher.script[6:] < calmer.script[6:]).all()
        assert (rougher.best[6:] <= calmer.best[6:]).all()
    assert all((one.script <= one.best + 1e-12).all() for one in by_chances)


def test_a_best_player_needs_seven_to_eight_actions():
    best = experiment.success(skill=1.0, chances=1.0, slips=0.0).best
    assert 7 < (1 - best).sum() < 8  # E[T] = Σ_h P(T > h), all but 5e-5 of it within 30 actions
    assert 1 - best[-1] < 5e-5


@pytest.mark.parametrize("chances", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("skill", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("gamma", [0.5, 0.95, 0.999])
def test_a_click_on_nothing_costs_one_step_where_nothing_can_crash(gamma, skill, chances):
    record = experiment.gaps(gamma=gamma, chances=chances, skill=skill)
    screens = experiment.screens_at(chances)
    pi = experiment.script_policy(screens, experiment.TASK, Script(skill, slips=0.0))
    dynamics = screens.phone.mdp(experiment.TASK)
    P_pi = np.einsum("sm,smt->st", pi, dynamics.P) * ~dynamics.terminal[:, None]
    v = np.linalg.solve(np.eye(len(pi)) - gamma * P_pi, (pi * dynamics.r).sum(axis=1))
    assert record.idle[0] == pytest.approx(gamma * v[START], abs=1e-12)
    if skill == 1:
        assert 1 - record.idle[0] / record.right[0] == pytest.approx(1 - gamma)
        if chances == 0:
            assert record.right == pytest.approx(gamma ** np.arange(5, -1, -1.0))


def test_values_of_moves_have_the_numbers_of_the_chapter():
    usual = experiment.gaps(gamma=0.95, chances=1.0, skill=1.0)
    assert usual.right[[0, -1]] == pytest.approx([0.710, 0.987], abs=5e-4)
    assert usual.worst[-1] == pytest.approx(0.675, abs=5e-4)
    short = experiment.gaps(gamma=0.5, chances=1.0, skill=1.0)
    assert short.right[0] == pytest.approx(0.016, abs=5e-4)
    fumbling = experiment.gaps(gamma=0.99, chances=1.0, skill=0.6)
    assert 1 - fumbling.idle[0] / fumbling.right[0] == pytest.approx(0.018, abs=5e-4)


@pytest.mark.claim("device-control-is-hard")
def test_blind_play_hardly_ever_succeeds_and_a_fumbling_script_often():
    blind = experiment.blind(chances=1.0, horizon=15)
    assert 0 < blind.clicks < 1e-6 < blind.moves < 1e-4
    assert blind.moves / blind.clicks == pytest.approx(100, rel=0.1)
    shown = experiment.success(skill=0.6, chances=1.0, slips=0.05).script[15]
    assert shown > 0.3


def test_blind_play_without_mishaps_has_a_closed_form_in_six_actions():
    blind = experiment.blind(chances=0.0, horizon=6)
    right = np.array([100, 100, 1, 25, 300, 75])  # pixels of the right widget
    offered = np.array([10, 9, 8, 8, 11, 10])
    assert blind.clicks == pytest.approx(np.prod(right / 1205), rel=1e-9)
    assert blind.moves == pytest.approx(np.prod(1 / offered), rel=1e-9)


def test_all_tasks_and_layouts_are_equally_hard():
    game = phone_game.game()
    for values in game.values:
        start = values.v[:, :, START]
        assert start == pytest.approx(np.repeat(start[:, :1], len(game.tasks), axis=1))
    usual = game.usual
    policies = [
        experiment.script_policy(make_screens(usual, layout), experiment.TASK, Script(0.6))
        for layout in make_layouts(usual.settings, 3, seed=7)
    ]
    for pi in policies[1:]:
        assert pi == pytest.approx(policies[0], abs=1e-12)


def test_the_values_of_the_game_are_those_of_the_phone_and_of_the_script():
    game = phone_game.game()
    assert phone_game.SCRIPT == behaviour.SCRIPT
    task, t = experiment.TASK, game.tasks.index(experiment.TASK)
    best, script = game.values
    for c, (phone, place) in enumerate(zip(game.phones, game.places, strict=True)):
        assert best.q[c, t, place] == pytest.approx(optimal_q(phone.mdp(task), gamma=0.95))
        screens = experiment.screens_at(list(phone_game.LEVELS.values())[c])
        pi = experiment.script_policy(screens, task, phone_game.SCRIPT)
        mdp = phone.mdp(task)
        target = mdp.r + 0.95 * mdp.P @ script.v[c, t, place]
        assert script.q[c, t, place] == pytest.approx(target, abs=1e-12)
        assert script.v[c, t, place] == pytest.approx((pi * target).sum(axis=1), abs=1e-12)
        reached = success_probability(phone, task, pi, horizon=15)
        assert script.success[c, t, place] == pytest.approx(reached.T)


def test_a_factor_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"chances must be a number in \[0, 5\], but is 6"):
        experiment.phone_at(6.0)
