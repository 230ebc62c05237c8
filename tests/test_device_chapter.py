"""What the chapter on the simulated phone states, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.device.exact import optimal_success
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import START
from qlearn_core.device.rollouts import roll_out
from qlearn_core.device.rules import HOME, intended
from qlearn_core.device.screens import make_screens
from qlearn_core.device.script import Script
from qlearn_core.experiments import device as experiment
from qlearn_core.experiments import phone_game


@pytest.fixture(scope="module")
def game() -> phone_game.Game:
    return phone_game.game()


@pytest.fixture(scope="module")
def is_right(game) -> np.ndarray:
    """(L, T, S) whether the critic's highest move is worth most to the behaviour policy."""
    offered = game.learned.pi > 0
    exact = np.where(offered, game.exact[1].q[1], -np.inf)
    highest = np.where(offered, game.learned.q, -np.inf).argmax(axis=3)
    chosen = np.take_along_axis(exact, highest[..., None], axis=3)[..., 0]
    return np.isclose(chosen, exact.max(axis=3), rtol=0, atol=1e-9)


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


def test_all_tasks_and_layouts_are_equally_hard(game):
    start = game.exact[0].v[..., START]
    assert start == pytest.approx(start[:, :1, :1] * np.ones(start.shape))
    usual = game.usual
    policies = [
        experiment.script_policy(make_screens(usual, layout), experiment.TASK, Script(0.6))
        for layout in make_layouts(usual.settings, 3, seed=7)
    ]
    for pi in policies[1:]:
        assert pi == pytest.approx(policies[0], abs=1e-12)


def test_the_exact_values_of_the_game_solve_their_equations(game):
    best, behaviour = game.exact
    for c, (phone, place) in enumerate(zip(game.phones, game.places, strict=True)):
        for t in (0, 7):
            mdp = phone.mdp(game.tasks[t])
            for layout in range(len(game.screens)):
                pi = game.learned.pi[layout, t, place]
                for values in game.exact:
                    target = mdp.r + 0.95 * mdp.P @ values.v[c, layout, t, place]
                    assert values.q[c, layout, t, place] == pytest.approx(target, abs=1e-9)
                q = best.q[c, layout, t, place]
                assert best.v[c, layout, t, place] == pytest.approx(q.max(axis=1), abs=1e-12)
                q = behaviour.q[c, layout, t, place]
                mean = (pi * q).sum(axis=1)
                assert behaviour.v[c, layout, t, place] == pytest.approx(mean, abs=1e-12)
            reached = optimal_success(phone, game.tasks[t], horizon=15)
            assert game.success[c, t, place] == pytest.approx(reached.T)
    assert (behaviour.v <= best.v + 1e-12).all()


def test_the_critic_is_right_where_the_way_is_one_and_guesses_where_the_instruction_decides(
    game, is_right
):
    right, told = np.zeros(5, dtype=int), np.zeros(5)
    for t, task in enumerate(game.tasks):
        state = HOME
        way = (f"open {task.shop}", "bar", f"type {task.word}", "search", f"pick {task.pattern}")
        for step, move in enumerate(way):
            s = game.usual.states.index(state)
            right[step] += is_right[:, t, s].sum()
            told[step] += game.learned.v[:, t, s].sum()
            state = intended(state, move)
    assert right.tolist() == [27, 54, 18, 54, 16]
    assert (np.diff(told) > 0).all()  # it knows how far along one is


def test_where_the_behaviour_policy_hardly_ever_is_the_critic_is_no_better_than_chance(
    game, is_right
):
    alive = ~game.usual.dynamics.terminal
    rare = (game.visits < 0.02) & alive
    rows = (game.learned.pi > 0).sum(axis=3)
    assert is_right[rare].mean() == pytest.approx(0.17, abs=0.005)
    assert (1 / rows[rare]).mean() == pytest.approx(0.19, abs=0.005)


def test_the_numbers_of_the_critic_are_as_far_off_as_the_chapter_says(game):
    learned, (_, behaviour) = game.learned, game.exact
    assert learned.v[:, :, START].mean() == pytest.approx(-0.08, abs=0.005)
    assert behaviour.v[1, :, :, START].mean() == pytest.approx(0.34, abs=0.005)
    assert learned.rmse.argmax() == 0
    assert learned.rmse[[learned.rmse.argmin(), 0]] == pytest.approx([0.14, 0.34], abs=0.005)
    assert np.sort(learned.ranking)[[0, -1]] == pytest.approx([0.756, 0.779], abs=5e-4)
    for values in game.exact:  # without mishaps and with them
        assert (values.v[0, :, :, START] > values.v[1, :, :, START]).all()


def test_the_critic_opens_the_market_whatever_the_task_is(game):
    shops = [game.usual.moves.index(f"open {shop}") for shop in ("market", "bazaar")]
    asked = np.array([("market", "bazaar").index(task.shop) for task in game.tasks])
    for values in game.exact:
        assert (values.q[1, 0, :, START][:, shops].argmax(axis=1) == asked).all()
    q = game.learned.q[0, :, START]
    assert (np.where(game.learned.pi[0, :, START] > 0, q, -np.inf).argmax(axis=1) == shops[0]).all()
    assert game.learned.v[0, :, START].std() == pytest.approx(0.004, abs=5e-4)
    assert game.exact[1].v[1, 0, :, START].std() == pytest.approx(0.04, abs=5e-3)


def test_a_factor_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"chances must be a number in \[0, 5\], but is 6"):
        experiment.phone_at(6.0)
