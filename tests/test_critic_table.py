"""TD against Monte Carlo in a table: both estimates in another way, and what the chapter states."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.device.exact import success_probability
from qlearn_core.device.extraction import best_of_n
from qlearn_core.device.phone import START
from qlearn_core.device.script import Script
from qlearn_core.experiments import critic_table as in_table
from qlearn_core.experiments.device import (
    TASK,
    WAY,
    screens_at,
    script_policy,
    states_on_the_way,
)
from qlearn_core.planning import evaluate_policy


def table(chance: float = 1.0, limit: int = 15, num_episodes: int = 64):
    return in_table.tabular(
        gamma=0.95, num_episodes=num_episodes, chance=chance, limit=limit
    )  # fmt: skip


# --- the estimates of the table, in another way ---------------------------------------------------


@pytest.fixture(scope="module")
def data():
    phone = screens_at(1.0).phone
    states, moves = (part[:2, :12] for part in in_table.script_episodes(1.0, 15))
    return phone, states, moves


def steps(phone, states, moves):
    """Loops over (data set, state, move, next state, reward, later rewards)."""
    goal = phone.ordered(TASK)
    for k in range(len(states)):
        for episode, acts in zip(states[k], moves[k], strict=True):
            for t, move in enumerate(acts):
                if phone.dynamics.terminal[episode[t]]:
                    break
                later = [
                    float(episode[u + 1] == goal and episode[u] != goal)
                    for u in range(t, len(acts))
                ]
                yield k, episode[t], move, episode[t + 1], later


def test_td_is_where_repeated_batch_updates_settle(data):
    phone, states, moves = data
    gamma, all_steps = 0.9, list(steps(*data))
    v = np.zeros((2, phone.num_states))
    for _ in range(300):
        sums, counts = np.zeros_like(v), np.zeros_like(v)
        for k, s, _, s_next, later in all_steps:
            sums[k, s] += later[0] + gamma * v[k, s_next]
            counts[k, s] += 1
        v = sums / np.maximum(counts, 1)
    found = in_table.td_values(phone, states, moves, gamma)
    pairs: dict[tuple, list[float]] = {}
    for k, s, m, s_next, later in all_steps:
        pairs.setdefault((k, s, m), []).append(later[0] + gamma * v[k, s_next])
    for place in np.ndindex(found.shape):
        expected = np.mean(pairs[place]) if place in pairs else v[place[:2]]
        assert found[place] == pytest.approx(expected, abs=1e-9)


def test_monte_carlo_is_the_mean_of_the_returns(data):
    phone, states, moves = data
    gamma = 0.9
    pairs: dict[tuple, list[float]] = {}
    for k, s, m, _, later in steps(*data):
        total = sum(gamma**t * reward for t, reward in enumerate(later))
        pairs.setdefault((k, s, m), []).append(total)
        pairs.setdefault((k, s), []).append(total)
    found = in_table.mc_values(phone, states, moves, gamma)
    for k, s, m in np.ndindex(found.shape):
        expected = np.mean(pairs.get((k, s, m), pairs.get((k, s), [0.0])))
        assert found[k, s, m] == pytest.approx(expected, abs=1e-12)


def test_success_of_many_policies_is_that_of_each():
    screens = screens_at(1.0)
    rng = np.random.default_rng(0)
    pi = rng.dirichlet(np.ones(screens.phone.num_moves), size=(3, screens.phone.num_states))
    horizon = screens.phone.settings.horizon
    each = [success_probability(screens.phone, TASK, one, horizon=horizon)[-1, START] for one in pi]
    assert in_table.success(screens.phone, pi) == pytest.approx(each)


def test_the_spread_of_a_return_is_that_of_simulated_ones():
    record = in_table.spread(gamma=0.9, chance=1.0, skill=0.64)
    phone, pi = screens_at(1.0).phone, script_policy(screens_at(1.0), TASK, Script(0.64))
    mdp, num_runs, gamma = phone.mdp(TASK), 4_000, 0.9
    v = (pi * evaluate_policy(mdp, pi, gamma=gamma)).sum(axis=1)
    rng = np.random.default_rng(0)
    for k, s in enumerate(states_on_the_way(phone)):
        here, move = np.full(num_runs, s), np.full(num_runs, phone.moves.index(WAY[k]))
        returns = np.zeros(num_runs)
        for t in range(120):  # 0.9^120 < 1e-5
            following = phone.follow(here, move, rng.random(num_runs))
            paid = (following == phone.ordered(TASK)) & ~mdp.terminal[here]
            returns += gamma**t * paid
            if t == 0:
                target = paid + gamma * v[following] * ~mdp.terminal[following]
            here = following
            move = (rng.random((num_runs, 1)) >= pi[here].cumsum(axis=1)[:, :-1]).sum(axis=1)
        for sample, exact in ((returns, record.whole[k]), (target, record.target[k])):
            squares = (sample - sample.mean()) ** 2
            error = squares.std() / np.sqrt(num_runs)
            assert abs(squares.mean() - exact**2) < 4.5 * error + 1e-4
    assert record.whole**2 == pytest.approx(record.target**2 + record.rest**2)


# --- the numbers of the prose ---------------------------------------------------------------------


def test_a_return_spreads_far_wider_than_its_target_until_the_end():
    record = in_table.spread(gamma=0.95, chance=1.0, skill=0.6)
    ratios = record.whole / record.target
    assert (np.diff(ratios) < 0).all()
    assert ratios[[0, -1]] == pytest.approx([15.1, 1.29], abs=0.05)
    assert record.whole[0] == pytest.approx(0.221, abs=5e-4)
    assert record.target[0] == pytest.approx(0.0147, abs=5e-4)
    calm = in_table.spread(gamma=0.95, chance=0.0, skill=0.6)
    assert calm.target == pytest.approx(0.0, abs=1e-7)
    assert calm.whole[0] == pytest.approx(0.202, abs=5e-4)
    perfect = in_table.spread(gamma=0.95, chance=0.0, skill=1.0)
    assert perfect.whole[0] == pytest.approx(0.032, abs=5e-4)


@pytest.mark.claim("variance-decides")
def test_in_a_table_td_ranks_better_even_where_no_return_is_cut_off():
    cut, whole = table(), table(limit=120)
    assert cut.success == pytest.approx([0.973, 0.771], abs=5e-4)
    assert whole.success == pytest.approx([0.979, 0.839], abs=5e-4)
    assert cut.exact == pytest.approx(0.982, abs=5e-4)
    assert np.abs(cut.bias[1]).max() == pytest.approx(0.271, abs=5e-4)
    assert np.abs(cut.bias[0]).max() < 0.013
    assert np.abs(whole.bias).max() <= 0.0105
    assert whole.others[:, 0] == pytest.approx([0.027, 0.065], abs=5e-4)
    assert whole.deviation[0] == pytest.approx(whole.deviation[1], rel=0.1)
    assert (whole.others[1] > 2 * whole.others[0]).all()


def test_in_a_table_more_data_and_a_calm_phone_close_the_gap():
    assert table(num_episodes=256).success == pytest.approx([0.981, 0.930], abs=5e-4)
    assert table(chance=0.0).success == pytest.approx([1.0, 0.939], abs=5e-4)
    assert table(chance=0.0, num_episodes=8).success == pytest.approx([0.998, 0.749], abs=5e-4)


def test_the_values_on_the_way_are_what_the_chapter_says():
    phone, pi = in_table.scripted(1.0)
    q = evaluate_policy(phone.mdp(TASK), pi, gamma=0.95)
    way = states_on_the_way(phone), [phone.moves.index(move) for move in WAY]
    assert q[way][[0, 2, -1]] == pytest.approx([0.437, 0.551, 0.971], abs=5e-4)


def test_best_of_four_by_exact_values_is_what_the_table_compares_with():
    phone, pi = in_table.scripted(1.0)
    q = evaluate_policy(phone.mdp(TASK), pi, gamma=0.95)
    best = best_of_n(q, pi, 4)
    reached = success_probability(phone, TASK, best / best.sum(axis=1, keepdims=True), horizon=15)
    assert table().exact == pytest.approx(reached[-1, START])


def test_more_episodes_than_were_made_are_refused():
    with pytest.raises(ValueError, match=r"num_episodes must be in \[1, 256\], but is 257"):
        table(num_episodes=257)
