"""Chains, Garnets and Gymnasium's tables against closed forms and real roll-outs."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest

from qlearn_core import chain, from_gymnasium, garnet, greedy, optimal_q

from .oracles import toy_text_optimal_q

TOY_TEXT = [
    ("FrozenLake-v1", {"is_slippery": True}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("FrozenLake-v1", {"map_name": "8x8"}),
    ("CliffWalking-v1", {}),
    ("Taxi-v4", {}),
]


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("depth", [1, 2, 5, 32])
def test_the_terminal_chain_is_worth_gamma_to_the_distance(depth, gamma):
    q = optimal_q(chain(depth), gamma=gamma)
    s = np.arange(depth)
    assert q[:-1, 1] == pytest.approx(gamma ** (depth - 1.0 - s), rel=1e-12)
    assert q[:-1, 0] == pytest.approx(gamma ** (depth - np.maximum(s - 1.0, 0)), rel=1e-12)
    assert q[-1].tolist() == [0, 0]


@pytest.mark.parametrize("depth", [1, 2, 5, 32])
def test_the_loop_chain_is_worth_gamma_to_the_distance_over_one_minus_gamma(depth):
    gamma = 0.9
    q = optimal_q(chain(depth, goal="loop"), gamma=gamma)
    assert q.shape == (depth, 2)
    assert q[:, 1] == pytest.approx(
        gamma ** (depth - 1.0 - np.arange(depth)) / (1 - gamma), rel=1e-12
    )


def test_slipping_exchanges_the_two_actions():
    steady, reversed_ = chain(4, goal="loop"), chain(4, slip=1, goal="loop")
    assert np.array_equal(steady.P[:, ::-1], reversed_.P)
    assert np.array_equal(steady.r[:, ::-1], reversed_.r)
    slippery = chain(4, slip=0.1, goal="loop")
    assert slippery.r[3] == pytest.approx([0.1, 0.9])
    assert slippery.P[1, 1, [0, 2]] == pytest.approx([0.1, 0.9])
    assert slippery.P[0, 0, [0, 1]] == pytest.approx([0.9, 0.1])


@pytest.mark.parametrize(("second", "target"), [("back", 2), ("stay", 3), ("reset", 0)])
def test_the_second_action_goes_where_its_name_says(second, target):
    mdp = chain(5, second=second)
    assert mdp.P[3, 0, target] == 1
    assert mdp.r[3, 0] == 0
    assert mdp.r[4].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 0}, "depth must be an integer >= 1, but is 0"),
        ({"depth": 2.5}, "depth must be an integer >= 1, but is 2.5"),
        ({"depth": 3, "slip": -0.1}, r"slip must be a number in \[0, 1\], but is -0.1"),
        ({"depth": 3, "slip": np.nan}, r"slip must be a number in \[0, 1\], but is nan"),
        ({"depth": 3, "goal": "end"}, "goal must be 'terminal' or 'loop', but is 'end'"),
        ({"depth": 3, "second": "left"}, "second must be one of back, stay, reset"),
    ],
)
def test_a_chain_with_impossible_arguments_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        chain(**arguments)


def test_a_garnet_has_exactly_the_branching_it_was_asked_for():
    mdp = garnet(30, 3, 4, rng=np.random.default_rng(0))
    assert (np.count_nonzero(mdp.P, axis=2) == 4).all()
    assert 0 <= mdp.r.min() and mdp.r.max() < 1
    again = garnet(30, 3, 4, rng=np.random.default_rng(0))
    assert np.array_equal(mdp.P, again.P) and np.array_equal(mdp.r, again.r)


@pytest.mark.parametrize("sizes", [(1, 1, 1), (5, 3, 5), (60, 4, 5), (200, 2, 50), (30, 3, 1)])
def test_a_garnet_is_that_of_one_call_of_choice_for_every_pair(sizes):
    num_states, num_actions, branching = sizes
    rng = np.random.default_rng(7)
    P = np.zeros((num_states, num_actions, num_states))
    for s, a in np.ndindex(num_states, num_actions):
        cuts = np.sort(rng.random(branching - 1))
        successors = rng.choice(num_states, size=branching, replace=False)
        P[s, a, successors] = np.diff(cuts, prepend=0.0, append=1.0)
    r = rng.random((num_states, num_actions))
    dense, sparse = (garnet(*sizes, rng=np.random.default_rng(7), sparse=x) for x in (False, True))
    assert np.array_equal(dense.P, P) and np.array_equal(dense.r, r)
    assert np.array_equal(sparse.dense_transitions(), P) and np.array_equal(sparse.r, r)
    assert sparse.P.nnz == num_states * num_actions * branching


def test_all_sets_of_successors_of_a_garnet_are_equally_likely():
    mdp = garnet(6, 5_000, 3, rng=np.random.default_rng(2), sparse=True)
    codes = (2 ** mdp.P.indices.astype(int)).reshape(-1, 3).sum(axis=1)
    counts = np.bincount(codes)
    counts = counts[counts > 0]
    assert counts.size == 20  # all sets of 3 out of 6
    expected = codes.size / 20
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert abs(chi2 - 19) < 4 * np.sqrt(2 * 19)  # mean and standard deviation of χ²(19)


@pytest.mark.parametrize("depth", [1, 2, 7])
@pytest.mark.parametrize("slip", [0, 0.1, 1])
@pytest.mark.parametrize("goal", ["terminal", "loop"])
@pytest.mark.parametrize("second", ["back", "stay", "reset"])
def test_a_sparse_chain_is_the_dense_one(depth, slip, goal, second):
    dense, sparse = (
        chain(depth, slip=slip, goal=goal, second=second, sparse=x) for x in (False, True)
    )
    assert np.array_equal(sparse.dense_transitions(), dense.P)
    assert np.array_equal(sparse.r, dense.r) and np.array_equal(sparse.terminal, dense.terminal)


def test_the_gaps_of_a_garnet_have_the_moments_of_uniform_stick_breaking():
    # A gap of b-1 uniform cuts is Beta(1, b-1): mean 1/b, E p² = 2/(b(b+1)).
    b = 4
    mdp = garnet(200, 20, b, rng=np.random.default_rng(1))
    squares = (mdp.P**2).sum(axis=2).ravel()  # mean b E p² = 2/(b+1)
    standard_error = squares.std() / np.sqrt(squares.size)
    assert abs(squares.mean() - 2 / (b + 1)) < 4 * standard_error


@pytest.mark.parametrize(
    "sizes", [(0, 1, 1), (3, 0, 1), (3, 2, 0), (3, 2, 4), (3, 2, 1.5), ("3", 2, 1)]
)
def test_a_garnet_of_impossible_size_is_refused(sizes):
    with pytest.raises(ValueError, match="must be"):
        garnet(*sizes, rng=np.random.default_rng(0))


@pytest.mark.parametrize(("env_id", "kwargs"), TOY_TEXT)
def test_the_optimal_values_are_those_of_the_raw_gymnasium_table(env_id, kwargs):
    gamma = 0.9
    env = gymnasium.make(env_id, **kwargs)
    raw = toy_text_optimal_q(env.unwrapped.P, gamma)
    mdp = from_gymnasium(env_id, **kwargs)
    q = optimal_q(mdp, gamma=gamma)
    # Rows of terminal states are dropped, because no episode plays them.
    played = ~mdp.terminal[: len(raw)]
    assert q[: len(raw)][played] == pytest.approx(raw[played], abs=1e-8)


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99])
def test_frozen_lake_without_slipping_is_worth_gamma_to_the_fifth(gamma):
    mdp = from_gymnasium("FrozenLake-v1", is_slippery=False)
    assert optimal_q(mdp, gamma=gamma)[0].max() == pytest.approx(gamma**5, rel=1e-12)
    assert np.flatnonzero(mdp.terminal).tolist() == [5, 7, 11, 12, 15]


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.99, 1 - 1e-9])
def test_cliff_walking_costs_thirteen_discounted_steps(gamma):
    mdp = from_gymnasium("CliffWalking-v1")
    q = optimal_q(mdp, gamma=gamma)
    assert q[36].max() == pytest.approx(-(gamma ** np.arange(13)).sum(), rel=1e-6)
    assert np.flatnonzero(mdp.terminal).tolist() == [47]


def test_taxi_gets_one_appended_terminal_state_because_its_ends_are_also_passed_through():
    mdp = from_gymnasium("Taxi-v4")
    assert mdp.P.shape == (501, 6, 501)
    assert np.flatnonzero(mdp.terminal).tolist() == [500]


@pytest.mark.parametrize(("env_id", "kwargs"), TOY_TEXT[:1] + TOY_TEXT[2:])
def test_greedy_roll_outs_of_the_real_environment_earn_the_optimal_value(env_id, kwargs):
    gamma, num_episodes, horizon = 0.9, 1000, 100  # 0.9^100 = 3e-5 is left out
    mdp = from_gymnasium(env_id, **kwargs)
    q = optimal_q(mdp, gamma=gamma)
    actions = greedy(q)
    env = gymnasium.make(env_id, **kwargs, max_episode_steps=horizon)
    surpluses = np.empty(num_episodes)
    for episode in range(num_episodes):
        s, _ = env.reset(seed=episode)
        expected = q[s].max()
        earned = 0.0
        for t in range(horizon):
            s, reward, terminated, _, _ = env.step(int(actions[s]))
            earned += gamma**t * float(reward)
            if terminated:
                break
        surpluses[episode] = earned - expected
    standard_error = surpluses.std(ddof=1) / np.sqrt(num_episodes)
    truncation = gamma**horizon * np.abs(q).max()
    assert abs(surpluses.mean()) <= 4 * standard_error + truncation + 1e-9


def test_an_environment_without_a_table_is_refused_by_name():
    with pytest.raises(ValueError, match="'CartPole-v1' has none"):
        from_gymnasium("CartPole-v1")
