"""The critic whose values the playable phone shows: its means over spots, and what is stored."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t, ttest_ind

from qlearn_core.device.critic import METHODS
from qlearn_core.device.encoder import action_of_spot
from qlearn_core.device.exact import at_actions
from qlearn_core.device.rollouts import all_images
from qlearn_core.device.tasks import all_tasks, split
from qlearn_core.experiments import learned_values as stored
from qlearn_core.experiments import phone_game
from qlearn_core.experiments.device import phone_at
from qlearn_core.experiments.device_bench import GAMMA, Bench, accuracy
from qlearn_core.experiments.device_orderings import NUM_SEEDS
from qlearn_core.experiments.learned_values import STEPS
from qlearn_core.experiments.phone_critic import by_moves, idle_moves, learned_values
from qlearn_core.experiments.phone_game import LEVELS, NUM_EPISODES
from qlearn_core.experiments.results import load
from qlearn_core.planning import evaluate_policy
from tests.device.tiny import SETTINGS, tiny


@pytest.fixture
def bench() -> Bench:
    """Two layouts of the tiny phone and a policy that does anything."""
    screens, rng = tiny(num_layouts=2), np.random.default_rng(0)
    training, test = split(SETTINGS)
    num_screens, n = len(all_images(screens)), len(action_of_spot(SETTINGS))
    beta = rng.dirichlet(np.ones(n), size=(num_screens, len(training + test)))
    return Bench(screens, training + test, len(training), beta)


@pytest.fixture
def scores(bench) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    num_screens, num_tasks, n = bench.beta.shape
    return rng.normal(size=(num_tasks, num_screens, n)), rng.normal(size=(num_tasks, num_screens))


def test_values_of_moves_are_what_loops_over_frames_and_spots_give(bench, scores):
    pi, q, v = by_moves(bench, *scores)
    phone = bench.screens[0].phone
    spots = action_of_spot(SETTINGS)
    for layout, screens in enumerate(bench.screens):
        for index, task in enumerate(all_tasks(SETTINGS)):
            g = bench.tasks.index(task)
            for s in np.flatnonzero(~phone.dynamics.terminal):
                chances, worth, values = np.zeros(phone.num_moves), np.zeros(phone.num_moves), []
                for f in range(SETTINGS.num_frames):
                    k = (layout * phone.num_states + s) * SETTINGS.num_frames + f
                    values.append(scores[1][g, k])
                    for spot, action in enumerate(spots):
                        move = screens.moves[s, action]
                        if (phone.dynamics.P[s, move] == phone.dynamics.P[s, 0]).all():
                            move = 0
                        chances[move] += bench.beta[k, g, spot]
                        worth[move] += bench.beta[k, g, spot] * scores[0][g, k, spot]
                made = chances > 0
                worth[made] /= chances[made]
                np.testing.assert_allclose(pi[layout, index, s], chances / SETTINGS.num_frames)
                np.testing.assert_allclose(q[layout, index, s], worth, atol=1e-12)
                assert v[layout, index, s] == pytest.approx(np.mean(values))


def test_moves_that_do_nothing_are_one_without_changing_the_exact_values(bench, scores):
    pi, _, _ = by_moves(bench, *scores)
    for index, task in enumerate(all_tasks(SETTINGS)):
        truth, _ = bench.truth(bench.tasks.index(task))
        in_layouts = np.split(truth, len(bench.screens))
        for layout, (screens, expected) in enumerate(zip(bench.screens, in_layouts, strict=True)):
            q = evaluate_policy(screens.phone.mdp(task), pi[layout, index], gamma=GAMMA)
            at_spots = at_actions(screens, q)[:, action_of_spot(SETTINGS)]
            found = at_spots.repeat(SETTINGS.num_frames, axis=0)
            np.testing.assert_allclose(found, expected, atol=1e-9)


def test_what_does_nothing_does_nothing_whatever_the_chances_are():
    usual = phone_at(1.0)
    idle = dict(zip(usual.states, idle_moves(usual), strict=True))
    for factor in LEVELS.values():
        phone = phone_at(factor)
        for state, row in zip(phone.states, idle_moves(phone), strict=True):
            assert (row == idle[state]).all()


def test_the_experiment_is_stored_and_comes_back_rounded(small_experiments, monkeypatch, tmp_path):
    monkeypatch.setattr(stored, "FILE", tmp_path / "values.npz")
    values = learned_values(num_seeds=2)
    stored.save(values)
    back = stored.load()
    stored.load.cache_clear()
    assert values.rmse.shape == values.ranking.shape == (2,)
    # The rows of pi are divided by their sums, which M roundings have moved.
    off = dict.fromkeys(STEPS, 0.5) | {"pi": (1 + values.pi.shape[3]) / 2}
    for name, step in STEPS.items():
        made, found = getattr(values, name), getattr(back, name)
        np.testing.assert_allclose(found, made, rtol=0, atol=off[name] * step + 1e-9)
        with pytest.raises(ValueError, match="read-only"):
            found[...] = 0
    assert (back.rmse == values.rmse).all() and (back.ranking == values.ranking).all()
    again = learned_values(num_seeds=1)
    assert (again.q == values.q).all() and again.rmse[0] == values.rmse[0]


# --- what is stored -------------------------------------------------------------------------------


def test_the_stored_values_are_of_the_moves_that_the_screens_offer():
    game = phone_game.game()
    learned, usual = game.learned, game.usual
    alive, idle = ~usual.dynamics.terminal, idle_moves(usual)
    for layout, screens in enumerate(game.screens):
        offered = np.zeros(idle.shape, dtype=bool)
        np.put_along_axis(offered, screens.moves.astype(np.int64), True, axis=1)
        offered &= ~idle
        offered[:, 0] = True  # stands for all that does nothing
        assert (learned.pi[layout][:, ~offered] == 0).all()
        assert (learned.q[layout][:, ~(offered & alive[:, None])] == 0).all()
    assert learned.pi.sum(axis=3) == pytest.approx(1)
    assert (learned.v[:, :, ~alive] == 0).all()
    assert learned.rmse.shape == learned.ranking.shape == (NUM_SEEDS,)


def test_the_stored_values_are_as_accurate_as_further_seeds_of_the_critic():
    """999 of 1,000 further seeds would lie in the interval, by the seeds that are stored.

    Their accuracies were measured on spots, before anything was averaged and rounded.
    """
    game = phone_game.game()
    assert phone_game.GAMMA == GAMMA
    learned, (_, test) = game.learned, split(game.usual.settings)
    q, pairs = game.exact[1].q[list(phone_game.LEVELS).index("usual")], []
    for task in map(game.tasks.index, test):
        tables = (learned.q[:, task], q[:, task], learned.pi[:, task])
        flat = (table.reshape(-1, table.shape[-1]) for table in tables)
        pairs.append(accuracy(*flat, game.visits[:, task].ravel()))
    wide = t.ppf(0.9995, NUM_SEEDS - 1) * np.sqrt(1 + 1 / NUM_SEEDS)
    found = np.mean(pairs, axis=0)
    for now, seeds in zip(found, (learned.rmse, learned.ranking), strict=True):
        assert abs(now - seeds.mean()) <= wide * seeds.std(ddof=1)


def test_the_critics_are_as_accurate_as_those_of_the_laboratory():
    """The same learner on other layouts, measured by another experiment: Welch's test at 0.1 %."""
    settings = {"num_episodes": NUM_EPISODES, "chance": 1.0, "encoder": "places"}
    cell, learned = load("td_against_mc").cell(**settings), stored.load()
    for here, there in ((learned.rmse, cell["rmse"]), (learned.ranking, cell["ranking"])):
        result = ttest_ind(here, there[:, METHODS.index("td")], equal_var=False)
        assert result.pvalue > 0.001
