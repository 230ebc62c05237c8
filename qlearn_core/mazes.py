"""Goal-reaching in a row of rooms: the maze, its exact distances, and play data from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._compile import jit
from .mdp import INDEX, check_integer, check_real, check_rng

MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left: (row, column)
ROOM = 3  # a room has ROOM x ROOM cells


@dataclass(frozen=True, eq=False)
class Maze:
    """A deterministic maze of S cells and four moves; a move into a wall stays."""

    next_states: np.ndarray  # (S, 4) INDEX
    distances: np.ndarray  # (S, S) int, moves on a shortest path from s to g
    first_room: np.ndarray  # (9,) INDEX, its cells
    last_room: np.ndarray  # (9,) INDEX

    @property
    def num_states(self) -> int:
        return len(self.next_states)


@dataclass(frozen=True, eq=False)
class Play:
    """Trajectories of equal length, without goals or rewards: what a player did."""

    states: np.ndarray  # (trajectories, length + 1) INDEX
    actions: np.ndarray  # (trajectories, length) INDEX


def rooms(num_rooms: int) -> Maze:
    """Rooms of 3 x 3 cells in a row, joined by doors of one cell, in turns above and below.

    The way from one door to the next is 6 moves. Raises ValueError for num_rooms < 1.
    """
    num_rooms = check_integer(num_rooms, "num_rooms", 1)
    width = (ROOM + 1) * num_rooms - 1
    cells = [
        (row, column)
        for column in range(width)
        for row in range(ROOM)
        if column % (ROOM + 1) < ROOM or row == (ROOM - 1) * (column // (ROOM + 1) % 2)
    ]
    number = {cell: s for s, cell in enumerate(cells)}
    next_states = np.array(
        [[number.get((row + i, column + j), s) for i, j in MOVES]
         for s, (row, column) in enumerate(cells)],
        dtype=INDEX,
    )  # fmt: skip
    size = ROOM * ROOM
    states = np.arange(len(cells), dtype=INDEX)
    return Maze(next_states, shortest_paths(next_states), states[:size], states[-size:])


def shortest_paths(next_states: np.ndarray) -> np.ndarray:
    """(S, S) int: the least number of moves from s to g, by breadth-first search from every s.

    S stands for "never": no shortest path is that long.
    """
    num_states = len(next_states)
    distances = np.full((num_states, num_states), num_states)
    for start in range(num_states):
        frontier, steps = {start}, 0
        while frontier:
            distances[start, list(frontier)] = steps
            reached = {int(s) for cell in frontier for s in next_states[cell]}
            frontier = {s for s in reached if distances[start, s] == num_states}
            steps += 1
    return distances


def play(
    maze: Maze, *, skill: float, num_trajectories: int, length: int, rng: np.random.Generator
) -> Play:
    """What a player with changing goals does, who makes a deliberate move with chance `skill`.

    Every trajectory starts in a uniformly drawn cell. The player heads for a cell drawn
    uniformly, and for another one once there. A deliberate move is the first one that comes
    closer; any other move is uniform. Raises ValueError for a skill outside [0, 1] or sizes < 1.
    """
    skill = check_real(skill, "skill", "in [0, 1]", lambda x: 0 <= x <= 1)
    shape = (
        check_integer(num_trajectories, "num_trajectories", 1),
        check_integer(length, "length", 1),
    )
    states = np.empty((shape[0], shape[1] + 1), dtype=INDEX)
    actions = np.empty(shape, dtype=INDEX)
    _play(states, actions, maze.next_states, maze.distances, skill, check_rng(rng))
    return Play(states, actions)


@jit
def _play(states, actions, next_states, distances, skill, rng):
    num_states, num_actions = next_states.shape
    for i in range(actions.shape[0]):
        s = int(rng.random() * num_states)
        goal = int(rng.random() * num_states)
        states[i, 0] = s
        for t in range(actions.shape[1]):
            while s == goal:
                goal = int(rng.random() * num_states)
            a = int(rng.random() * num_actions)
            if rng.random() < skill:
                a = 0
                while distances[next_states[s, a], goal] >= distances[s, goal]:
                    a += 1
            s = next_states[s, a]
            actions[i, t] = a
            states[i, t + 1] = s
