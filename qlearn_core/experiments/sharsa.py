"""Shorter horizons for values and policies: SHARSA and its parts in a row of rooms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import stdtrit

from qlearn_core.mazes import Maze, Play, play, rooms
from qlearn_core.sharsa import PlayFit, fit_play, rollouts

#: The play, and how the policies learned from it are tried.
DISCOUNT = 0.98
NUM_TRAJECTORIES, LENGTH = 20, 200
NUM_TRIES = 40
PATIENCE = 2  # a try fails after this many times the shortest path
NUM_CANDIDATES = 16
FEW_SEEDS = 8
#: Method -> (two levels?, candidates, n-step values?)
METHODS = {
    "flat imitation": (False, 1, False),
    "two-level imitation": (True, 1, True),
    "1-step SARSA": (False, NUM_CANDIDATES, False),
    "n-step SARSA": (False, NUM_CANDIDATES, True),
    "SHARSA": (True, NUM_CANDIDATES, True),
}
#: What a shorter horizon should bring: the first method does better than the second.
EXPECTED = (
    ("two-level imitation", "flat imitation"),
    ("SHARSA", "two-level imitation"),
    ("n-step SARSA", "1-step SARSA"),
    ("SHARSA", "n-step SARSA"),
)


@dataclass(frozen=True)
class Success:
    """How often five policies, all learned from the same play, come to the far end of a maze."""

    depth: int  # moves of the longest task's shortest path
    num_rooms: int
    skill: float
    num_steps: int
    num_sweeps: int
    success: dict[str, np.ndarray]  # method -> (seeds,) share of successful tries

    @property
    def mean(self) -> np.ndarray:
        """(methods,) means over the seeds."""
        return np.array([shares.mean() for shares in self.success.values()])

    @property
    def half_widths(self) -> np.ndarray:
        """(methods,) of 95 % intervals of the means, by Student's t over the seeds."""
        return np.array([_half_width(shares) for shares in self.success.values()])

    def lead(self, better: str, worse: str) -> tuple[float, float]:
        """The 95 % interval of the mean difference of two methods, seed by seed."""
        difference = self.success[better] - self.success[worse]
        half = _half_width(difference)
        return float(difference.mean() - half), float(difference.mean() + half)


def _half_width(samples: np.ndarray) -> float:
    """Half the width of the 95 % interval of a mean: t_{0.975} s / √N."""
    return float(
        stdtrit(samples.size - 1, 0.975) * samples.std(ddof=1) / np.sqrt(samples.size)
    )  # fmt: skip


def success(
    *,
    num_rooms: int,
    skill: float,
    num_steps: int,
    num_sweeps: int,
    num_seeds: int = FEW_SEEDS,
    seed: int = 0,
) -> Success:
    """Tries from the first room to the far corner of the last one; every seed has its own play.

    1-step SARSA gets as many sweeps as the n-step values.
    """
    maze = _maze(num_rooms)
    shares = {
        method: np.array(
            [
                _share(
                    method, num_rooms, skill, num_steps if many else 1,
                    num_sweeps if candidates > 1 else 0, seed, run,
                )
                for run in range(num_seeds)
            ]
        )
        for method, (_, candidates, many) in METHODS.items()
    }  # fmt: skip
    longest = int(maze.distances[maze.first_room, maze.last_room[-1]].max())
    return Success(longest, num_rooms, skill, num_steps, num_sweeps, shares)


@lru_cache(maxsize=32)
def _maze(num_rooms: int) -> Maze:
    return rooms(num_rooms)


@lru_cache(maxsize=512)
def _play(num_rooms: int, skill: float, seed: int, run: int) -> Play:
    return play(
        _maze(num_rooms), skill=skill, num_trajectories=NUM_TRAJECTORIES, length=LENGTH,
        rng=np.random.default_rng([seed, run, 0]),
    )  # fmt: skip


@lru_cache(maxsize=32)
def _fit(
    num_rooms: int, skill: float, num_steps: int, num_sweeps: int, seed: int, run: int
) -> PlayFit:
    maze = _maze(num_rooms)
    return fit_play(
        maze, _play(num_rooms, skill, seed, run), int(maze.last_room[-1]),
        gamma=DISCOUNT, num_steps=num_steps, num_sweeps=num_sweeps,
    )  # fmt: skip


@lru_cache(maxsize=65_536)
def _share(
    method: str, num_rooms: int, skill: float, num_steps: int, num_sweeps: int, seed: int, run: int
) -> float:
    """The share of tries that reach the goal in time; the same starts for every method."""
    maze, (two_levels, num_candidates, _) = _maze(num_rooms), METHODS[method]
    goal = int(maze.last_room[-1])
    rng = np.random.default_rng([seed, run, 1])
    starts = rng.choice(maze.first_room, NUM_TRIES)
    steps = rollouts(
        maze,
        _fit(num_rooms, skill, num_steps, num_sweeps, seed, run),
        starts,
        two_levels=two_levels,
        num_candidates=num_candidates,
        max_steps=PATIENCE * maze.distances[starts, goal],
        rng=rng,
    )  # fmt: skip
    return float((steps > 0).mean())
