"""Mazes, play and SHARSA in tables, against search, planning and slow counting."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.mazes import Maze, Play, play, rooms
from qlearn_core.mdp import TabularMDP
from qlearn_core.planning import evaluate_policy, optimal_q
from qlearn_core.sharsa import PlayFit, fit_play, rollouts


def goal_mdp(maze: Maze, goal: int) -> TabularMDP:
    """Reward 1 on reaching the goal, which ends the episode."""
    size, num_actions = maze.next_states.shape
    P = np.zeros((size, num_actions, size))
    s, a = np.indices((size, num_actions))
    P[s, a, maze.next_states] = 1
    P[goal] = np.eye(size)[goal]
    r = (maze.next_states == goal) * (np.arange(size) != goal)[:, None].astype(float)
    return TabularMDP(P=P, r=r, terminal=np.arange(size) == goal)


def played(num_rooms: int, skill: float, num_trajectories: int, length: int, seed: int = 0):
    maze = rooms(num_rooms)
    rng = np.random.default_rng(seed)
    return maze, play(
        maze, skill=skill, num_trajectories=num_trajectories, length=length, rng=rng
    )  # fmt: skip


@pytest.mark.parametrize("num_rooms", [1, 2, 5])
def test_the_distances_of_the_search_are_those_of_dynamic_programming(num_rooms):
    maze = rooms(num_rooms)
    assert maze.num_states == 10 * num_rooms - 1
    for goal in (0, maze.num_states - 1):
        v = np.delete(optimal_q(goal_mdp(maze, goal), gamma=0.9).max(axis=1), goal)
        steps = 1 + np.log(v) / np.log(0.9)
        assert np.delete(maze.distances[:, goal], goal) == pytest.approx(steps)
    assert (maze.distances == maze.distances.T).all()


def test_another_room_adds_six_moves():
    longest = [rooms(k).distances[rooms(k).first_room].max() for k in (2, 3, 4, 6, 8)]
    assert longest == [10, 16, 22, 34, 46]


def test_a_skilled_player_walks_shortest_paths_and_an_unskilled_one_wanders():
    maze, data = played(3, 1.0, 50, 60)
    for states, actions in zip(data.states, data.actions, strict=True):
        assert (maze.next_states[states[:-1], actions] == states[1:]).all()
        assert (states[1:] != states[:-1]).all()
    _, data = played(3, 0.0, 200, 60)
    counts = np.bincount(data.actions.ravel(), minlength=4)
    assert np.abs(counts - counts.sum() / 4).max() < 4 * np.sqrt(counts.sum() * 3 / 16)


def slow_fit(maze: Maze, data: Play, goal: int, gamma: float, n: int, num_sweeps: int):
    """The counts and values of `fit_play`, segment by segment from the definitions."""
    size, num_actions = maze.next_states.shape
    flat, low = np.zeros((size, num_actions)), np.zeros((size, size, num_actions))
    high, segments = np.zeros((size, size)), []
    for states, actions in zip(data.states, data.actions, strict=True):
        for t, (s, a) in enumerate(zip(states, actions, strict=False)):
            after = states[t + 1 :].tolist()
            for w in set(after[:n]):
                low[w, s, a] += 1
            comes = goal in after
            flat[s, a] += comes
            if len(after) >= n:
                wait = after.index(goal) + 1 if comes else np.inf
                high[s, goal if wait <= n else after[n - 1]] += comes
                segments.append((s, a, wait, after[n - 1]))
    v = np.zeros(size)
    for sweep in range(num_sweeps + 1):
        sums, counts = np.zeros((size, num_actions)), np.zeros((size, num_actions))
        for s, a, wait, last in segments:
            sums[s, a] += gamma**wait if wait <= n else gamma**n * v[last]
            counts[s, a] += 1
        if sweep < num_sweeps:
            v = sums.sum(axis=1) / counts.sum(axis=1).clip(1)
    return flat, high, low, v, sums / counts.clip(1)


@pytest.mark.parametrize("num_steps", [1, 4])
def test_the_fit_is_what_slow_counting_gives(num_steps):
    maze, data = played(2, 0.5, 6, 40)
    fit = fit_play(maze, data, 17, gamma=0.9, num_steps=num_steps, num_sweeps=5)
    flat, high, low, v, q = slow_fit(maze, data, 17, 0.9, num_steps, 5)
    for fast, slow in zip(
        (fit.flat, fit.high, fit.low, fit.v, fit.action_values),
        (flat, high, low, v, q),
        strict=True,
    ):
        assert fast == pytest.approx(slow)


@pytest.mark.parametrize("num_steps", [1, 3, 8])
def test_the_values_of_aimless_play_are_those_of_its_policy_by_dynamic_programming(num_steps):
    goal, gamma, fits = 8, 0.9, []
    for seed in range(20):
        maze, data = played(1, 0.0, 60, 100, seed)
        fits.append(
            fit_play(maze, data, goal, gamma=gamma, num_steps=num_steps, num_sweeps=200)
        )  # fmt: skip
    uniform = np.full((9, 4), 0.25)
    q = gamma * evaluate_policy(goal_mdp(maze, goal), uniform, gamma=gamma)[:goal]  # E γ^T
    for learned, exact in (
        (np.array([fit.v[:goal] for fit in fits]), q.mean(axis=1)),
        (np.array([fit.action_values[:goal] for fit in fits]), q),
    ):
        standard_error = learned.std(axis=0, ddof=1) / np.sqrt(len(fits))
        assert (np.abs(learned.mean(axis=0) - exact) < 4.5 * standard_error + 2e-3).all()


def test_a_subgoal_is_worth_the_discounted_value_of_being_there():
    maze, data = played(2, 0.5, 20, 100)
    fit = fit_play(maze, data, 18, gamma=0.9, num_steps=4, num_sweeps=50)
    others = np.arange(maze.num_states) != 18
    assert (fit.subgoal_values[:, others] == 0.9**4 * fit.v[others]).all()
    direct = fit.subgoal_values[fit.high[:, 18] > 0, 18]
    assert direct.size and ((direct >= 0.9**4) & (direct <= 0.9)).all()


def taught(maze: Maze, goal: int, num_steps: int) -> PlayFit:
    """What a perfect teacher would leave: all candidates seen, exact values, a perfect walker."""
    size, num_actions = maze.next_states.shape
    closer = maze.distances[maze.next_states] < maze.distances[:, None]  # (S, A, W)
    near = maze.distances <= num_steps
    return PlayFit(
        goal, num_steps, np.ones((size, num_actions)), near.astype(float),
        closer.transpose(2, 0, 1).astype(float), 0.9 ** maze.distances[:, goal],
        0.9 ** maze.distances[maze.next_states, goal],
        np.tile(0.9 ** maze.distances[:, goal], (size, 1)),
    )  # fmt: skip


@pytest.mark.parametrize("two_levels", [False, True])
def test_with_exact_values_and_many_candidates_the_way_is_the_shortest(two_levels):
    maze = rooms(4)
    goal = maze.num_states - 1
    starts = maze.first_room
    steps = rollouts(
        maze, taught(maze, goal, 4), starts, two_levels=two_levels, num_candidates=200,
        max_steps=np.full(9, 100), rng=np.random.default_rng(0),
    )  # fmt: skip
    assert (steps == maze.distances[starts, goal]).all()


@pytest.mark.parametrize("two_levels", [False, True])
def test_without_examples_the_walk_is_random(two_levels):
    maze, goal, tries = rooms(1), 8, 4000
    empty = fit_play(
        maze, Play(np.zeros((1, 2), np.uint32), np.zeros((1, 1), np.uint32)), goal,
        gamma=0.9, num_steps=1, num_sweeps=0,
    )  # fmt: skip
    P = goal_mdp(maze, goal).P.mean(axis=1)
    arrived = np.linalg.matrix_power(P, 12)[4, goal]
    steps = rollouts(
        maze, empty, np.full(tries, 4), two_levels=two_levels, num_candidates=4,
        max_steps=np.full(tries, 12), rng=np.random.default_rng(1),
    )  # fmt: skip
    standard_error = np.sqrt(arrived * (1 - arrived) / tries)
    assert abs((steps > 0).mean() - arrived) < 4 * standard_error


def test_one_candidate_imitates_in_the_proportions_of_the_counts():
    maze, tries = rooms(1), 4000
    fit = taught(maze, 8, 1)
    fit.flat[7] = [1, 1, 6, 0]  # from cell 7 only one move leads to 8
    move = int(np.argmax(maze.next_states[7] == 8))
    steps = rollouts(
        maze, fit, np.full(tries, 7), two_levels=False, num_candidates=1,
        max_steps=np.ones(tries, int), rng=np.random.default_rng(2),
    )  # fmt: skip
    share = fit.flat[7, move] / 8
    assert share > 0
    assert abs((steps == 1).mean() - share) < 4 * np.sqrt(share * (1 - share) / tries)


def test_bad_arguments_are_named():
    maze, data = played(1, 0.5, 2, 10)
    for change, message in (
        ({"num_steps": 11}, "num_steps must be at most the length 10, but is 11"),
        ({"goal": 9}, "goal must be a cell below 9, but is 9"),
        ({"num_sweeps": -1}, "num_sweeps must be an integer >= 0"),
    ):
        arguments = {"goal": 8, "gamma": 0.9, "num_steps": 2, "num_sweeps": 3} | change
        with pytest.raises(ValueError, match=message):
            fit_play(maze, data, **arguments)
    with pytest.raises(ValueError, match=r"skill must be a number in \[0, 1\], but is 2"):
        played(1, 2, 1, 1)
    with pytest.raises(ValueError, match="num_rooms must be an integer >= 1, but is 0"):
        rooms(0)
