"""SHARSA in tables (Park and others 2025): imitate in two levels, choose subgoals by SARSA values.

Play has no goals and no rewards: a cell that a trajectory comes to later counts as its goal
(hindsight).  Let T_g be the steps from s_t until the trajectory is first at g, and let the subgoal
be w = g if T_g <= n, else w = s_{t+n}:

    flat imitation    a ~ how often a was taken in s on the way to g
    high level        w ~ how often w was the subgoal in s on the way to g
    low level         a ~ how often a was taken in s with T_w <= n
    values            V(s) = mean over the play of  γ^T_g if T_g <= n,  else γ^n V(s_{t+n})

V is n-step SARSA: the discounted chance that the player's own behaviour comes to g, with no maximum
anywhere.  To choose by value is to draw N candidates, actions or subgoals, from an imitating
policy and to keep the one with the largest value.  All of this is for one goal g at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._compile import jit
from .mazes import Maze, Play
from .mdp import check_gamma, check_integer, check_rng


@dataclass(frozen=True, eq=False)
class PlayFit:
    """What is learned from play about one goal, with subgoals n steps ahead."""

    goal: int
    num_steps: int
    flat: np.ndarray  # (S, A) counts of actions on the way to the goal
    high: np.ndarray  # (S, W) counts of subgoals on the way to the goal
    low: np.ndarray  # (W, S, A) counts of actions with T_w <= n
    v: np.ndarray  # (S,) n-step SARSA values
    action_values: np.ndarray  # (S, A) the same after a first action
    subgoal_values: np.ndarray  # (S, W) mean γ^T_g for w = g, else γ^n V(w)


def fit_play(
    maze: Maze, data: Play, goal: int, *, gamma: float, num_steps: int, num_sweeps: int
) -> PlayFit:
    """Counts, and SARSA values after `num_sweeps` sweeps from zero; V(g) stays 1.

    Pairs and states that the play has never visited have the value 0. Raises ValueError for a
    goal that is not a cell, γ outside [0, 1), num_steps outside 1 … length of the trajectories
    or num_sweeps < 0.
    """
    gamma, num_steps = check_gamma(gamma), check_integer(num_steps, "num_steps", 1)
    num_sweeps, length = check_integer(num_sweeps, "num_sweeps", 0), data.actions.shape[1]
    size, num_actions = maze.next_states.shape
    if num_steps > length:
        raise ValueError(f"num_steps must be at most the length {length}, but is {num_steps}")
    if check_integer(goal, "goal", 0) >= size:
        raise ValueError(f"goal must be a cell below {size}, but is {goal}")
    flat, low = np.zeros((size, num_actions)), np.zeros((size, size, num_actions))
    high, onward = np.zeros((size, size)), np.zeros((size * num_actions, size))
    hits, visits = np.zeros((2, size * num_actions))
    _count(data.states, data.actions, goal, num_steps, gamma, flat, high, low, onward, hits, visits)

    def per_state(sums: np.ndarray) -> np.ndarray:
        """Sums over pairs as means over the segments from each state."""
        segments = visits.reshape(size, num_actions).sum(axis=1).clip(1)
        return (sums.reshape(size, num_actions, -1).sum(axis=1).T / segments).T

    reached, onward_v = per_state(hits)[:, 0], gamma**num_steps * per_state(onward)
    v = np.zeros(size)
    for _ in range(num_sweeps):
        v = reached + onward_v @ v
    q = (hits + gamma**num_steps * (onward @ v)) / visits.clip(1)
    subgoal_values = np.tile(gamma**num_steps * v, (size, 1))
    hit_values = hits.reshape(size, num_actions).sum(axis=1)
    subgoal_values[:, goal] = hit_values / high[:, goal].clip(1)
    return PlayFit(
        goal, num_steps, flat, high, low, v, q.reshape(size, num_actions), subgoal_values
    )


@jit
def _count(states, actions, goal, num_steps, gamma, flat, high, low, onward, hits, visits):
    """Fill the counts, from the end of each trajectory to its start.

    By pair s·A + a: `visits` counts the segments of n whole steps, `hits` sums γ^T_g over those
    with T_g <= n, and `onward` counts s_{t+n} over the others, whether or not g comes later.
    """
    num_actions, length = flat.shape[1], actions.shape[1]
    for i in range(len(actions)):
        first = np.full(len(flat), length + num_steps + 1)  # when w comes next
        for t in range(length - 1, -1, -1):
            s, a = states[i, t], actions[i, t]
            first[states[i, t + 1]] = t + 1
            for k in range(t + 1, min(t + num_steps, length) + 1):
                w = states[i, k]
                if first[w] == k:
                    low[w, s, a] += 1
            comes = first[goal] <= length
            flat[s, a] += comes
            if t + num_steps <= length:
                pair, w = s * num_actions + a, states[i, t + num_steps]
                visits[pair] += 1
                if first[goal] <= t + num_steps:
                    high[s, goal] += 1
                    hits[pair] += gamma ** (first[goal] - t)
                else:
                    high[s, w] += comes
                    onward[pair, w] += 1


def rollouts(
    maze: Maze,
    fit: PlayFit,
    starts: np.ndarray,
    *,
    two_levels: bool,
    num_candidates: int,
    max_steps: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Steps from each start (N,) to the goal, or -1 where max_steps (N,) were not enough.

    With two levels a subgoal is chosen, then followed for n steps or until it is reached. One
    candidate is plain imitation. Where the play holds no example, an action is uniform and the
    subgoal is the goal. Raises ValueError for num_candidates < 1.
    """
    num_candidates = check_integer(num_candidates, "num_candidates", 1)
    if two_levels:
        counts, values, num_steps = fit.high, fit.subgoal_values, fit.num_steps
    else:
        counts, values, num_steps = fit.flat, fit.action_values, 0
    steps = np.full(len(starts), -1)
    _rollouts(
        steps, maze.next_states, starts, fit.goal, max_steps, counts, values, fit.low, num_steps,
        num_candidates, check_rng(rng),
    )  # fmt: skip
    return steps


@jit
def _rollouts(
    steps, next_states, starts, goal, max_steps, counts, values, low, num_steps, num_candidates, rng
):  # fmt: skip
    for i in range(len(starts)):
        s, subgoal, left = starts[i], goal, 0
        for t in range(max_steps[i]):
            if num_steps == 0:
                a = _choose(counts[s], values[s], num_candidates, rng)
            else:
                if left == 0 or s == subgoal:
                    chosen = _choose(counts[s], values[s], num_candidates, rng)
                    subgoal, left = goal if chosen < 0 else chosen, num_steps
                a = _choose(low[subgoal, s], low[subgoal, s], 1, rng)
                left -= 1
            if a < 0:
                a = int(rng.random() * next_states.shape[1])
            s = next_states[s, a]
            if s == goal:
                steps[i] = t + 1
                break


@jit
def _choose(counts, values, num_candidates, rng):
    """Of candidates drawn as often as they are counted, the most valuable; -1 without counts."""
    total, best = counts.sum(), -1
    if total == 0:
        return best
    for _ in range(num_candidates):
        u, k = rng.random() * total, 0
        while u >= counts[k]:
            u -= counts[k]
            k += 1
        if best < 0 or values[k] > values[best]:
            best = k
    return best
