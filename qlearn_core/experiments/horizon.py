"""Shorter horizons for values: n-step targets, and their bias from imperfect data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.environments import combination_lock
from qlearn_core.mdp import TabularMDP
from qlearn_core.n_step import n_step_mdp
from qlearn_core.planning import iterate

#: Steps per backup that the first two figures compare.
NUM_STEPS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
#: A value has arrived when it is within this share of its limit.
CLOSE = 0.01


@dataclass(frozen=True)
class Sweeps:
    """Sweeps until the start of a lock has its value, for n-step targets."""

    gamma: float
    depth: int
    quality: float
    num_steps: np.ndarray  # (K,) n
    perfect: np.ndarray  # (K,) int, if the data always take the right action
    imperfect: np.ndarray  # (K,) int, if they take it with probability `quality`


def sweeps(*, gamma: float, depth: int, quality: float) -> Sweeps:
    """Sweeps of T_n from zero until V(s_0) is within CLOSE of its limit, relatively."""
    numbers = np.array(NUM_STEPS)
    return Sweeps(
        gamma,
        depth,
        quality,
        numbers,
        np.array([_solved(gamma, depth, 1.0, n).sweeps for n in NUM_STEPS]),
        np.array([_solved(gamma, depth, quality, n).sweeps for n in NUM_STEPS]),
    )


@dataclass(frozen=True)
class TradeOff:
    """Two errors of the start's value under n-step targets, as shares of |v*(s_0)|."""

    gamma: float
    depth: int
    quality: float
    error: float
    wrong: str
    num_steps: np.ndarray  # (K,) n
    bias: np.ndarray  # (K,) (v*(s_0) − V_n(s_0)) / |v*(s_0)|, from imperfect data
    accumulated: np.ndarray  # (K,) what an error of −ε in every backup adds to it

    @property
    def total(self) -> np.ndarray:
        return self.bias + self.accumulated

    @property
    def best(self) -> int:
        """The n with the least total error."""
        return int(self.num_steps[np.argmin(self.total)])


def trade_off(
    *, gamma: float, depth: int, quality: float, error: float, wrong: str
) -> TradeOff:  # fmt: skip
    """The exact fixed points of T_n and of T_n − ε on a lock where every step costs 1.

    The right action is best under both, so that −ε per backup lowers the value by ε times the
    discounted number of backups until the end. A wrong action stays or resets (`wrong`).
    """
    solved = [_solved(gamma, depth, quality, n, wrong) for n in NUM_STEPS]
    optimum = -_solved(gamma, depth, 1.0, 1, wrong).value
    return TradeOff(
        gamma,
        depth,
        quality,
        error,
        wrong,
        np.array(NUM_STEPS),
        np.array([-s.value / optimum - 1 for s in solved]),
        np.array([error * s.num_backups / optimum for s in solved]),
    )


@dataclass(frozen=True)
class _Solved:
    value: float  # V_n(s_0), the fixed point
    num_backups: float  # Σ_j γ^(nj) P(not at the end after j backups), from s_0
    sweeps: int  # from zero until V(s_0) is within CLOSE of it


@lru_cache(maxsize=8192)
def _solved(
    gamma: float, depth: int, quality: float, num_steps: int, wrong: str = "stay"
) -> _Solved:
    """T_n on the lock, where the right first action is always the best."""
    mdp, pi, right = lock_and_data(depth, quality, wrong)
    mdp, discount = n_step_mdp(mdp, pi, gamma=gamma, num_steps=num_steps), gamma**num_steps
    states = np.arange(depth)
    system = np.eye(depth) - discount * mdp.P[states, right][:, :depth]
    rewards = np.stack([mdp.r[states, right], np.ones(depth)], axis=1)
    value, num_backups = np.linalg.solve(system, rewards)[0]
    enough = depth if wrong == "stay" else 0  # where nothing leads back, that is exact
    values = iterate(mdp, gamma=discount, num_sweeps=enough).max(axis=2)[:, 0]
    near = np.abs(values - value) <= CLOSE * abs(value)
    return _Solved(float(value), float(num_backups), int(near.argmax()))


@lru_cache(maxsize=256)
def lock_and_data(
    depth: int, quality: float, wrong: str = "stay"
) -> tuple[TabularMDP, np.ndarray, np.ndarray]:
    """A lock of two actions where every step costs 1, the policy (S, A) that takes the right one
    with probability `quality`, and the right ones (D,)."""
    mdp = combination_lock(
        depth, wrong=wrong, step_reward=-1, goal_reward=0, rng=np.random.default_rng(0)
    )
    right = np.argmax(mdp.P[np.arange(depth), :, np.arange(1, depth + 1)], axis=1)
    chance = np.full((depth + 1, 2), 0.5)
    chance[:depth] = np.where(right[:, None] == np.arange(2), quality, 1 - quality)
    return mdp, chance, right
