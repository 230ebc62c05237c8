"""Value iteration: the contraction, the travelling front, when to stop, and a frozen lake."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.bellman import greedy, state_values
from qlearn_core.environments import chain, from_gymnasium, garnet
from qlearn_core.mdp import TabularMDP
from qlearn_core.planning import iterate, optimal_q

#: Sweeps that `contraction` shows.
NUM_SWEEPS = 60
#: The chance that a move of the loop chain goes the other way.
SLIP = 0.1


@dataclass(frozen=True)
class Contraction:
    """Relative errors ‖Q_k − Q*‖_∞ / ‖Q_0 − Q*‖_∞ of (damped) value iteration, Q_0 = 0."""

    gamma: float
    depth: int
    alpha: float
    sweeps: np.ndarray  # (K+1,) 0 ... K
    bound: np.ndarray  # (K+1,) (1 − α(1−γ))^k
    loop: np.ndarray  # (K+1,) recurrent chain: slip .1, the goal pays again and again
    terminal: np.ndarray  # (K+1,) deterministic chain, the goal ends the episode
    finished: int | None  # sweeps after which the terminal chain's table is exact, if it is


def contraction(*, gamma: float, depth: int, alpha: float) -> Contraction:
    """Both chains and the bound over NUM_SWEEPS sweeps Q ← (1−α) Q + α T Q."""
    sweeps = np.arange(NUM_SWEEPS + 1)
    loop, _ = _relative_errors("loop", gamma, depth, alpha)
    terminal, finished = _relative_errors("terminal", gamma, depth, alpha)
    bound = (1 - alpha * (1 - gamma)) ** sweeps
    return Contraction(gamma, depth, alpha, sweeps, bound, loop, terminal, finished)


@lru_cache(maxsize=256)
def _relative_errors(
    goal: str, gamma: float, depth: int, alpha: float
) -> tuple[np.ndarray, int | None]:
    """The relative errors and the first sweep that changes no bit of the table, if any."""
    mdp = _chain(goal, depth)
    history = iterate(mdp, gamma=gamma, num_sweeps=NUM_SWEEPS, alpha=alpha)
    errors = np.abs(history - optimal_q(mdp, gamma=gamma)).max(axis=(1, 2))
    still = (np.diff(history, axis=0) == 0).all(axis=(1, 2))
    # A damped sweep comes to rest too, but only where rounding stops it.
    finished = int(still.argmax()) if alpha == 1 and still.any() else None
    return errors / errors[0], finished


def _chain(goal: str, depth: int) -> TabularMDP:
    """The two chains of this chapter: deterministic and terminal, or slipping and recurrent."""
    return chain(depth, goal=goal, slip=SLIP if goal == "loop" else 0.0)


@dataclass(frozen=True)
class Spreading:
    """The value of every state of a chain after k sweeps, as a share of the largest true value."""

    gamma: float
    depth: int
    goal: str
    sweeps: int
    distance: np.ndarray  # (depth,) 1 ... depth, steps to the goal's reward
    value: np.ndarray  # (depth,) max_a Q_k(s, a) / max v*
    optimum: np.ndarray  # (depth,) v* / max v*


def spreading(*, gamma: float, depth: int, goal: str, sweeps: int) -> Spreading:
    """Value iteration for `sweeps` sweeps from an all-zero table, seen state by state."""
    mdp = _chain(goal, depth)
    q = iterate(mdp, gamma=gamma, num_sweeps=sweeps)[-1]
    optimum = state_values(mdp, optimal_q(mdp, gamma=gamma))
    value = state_values(mdp, q)
    near_first = slice(depth - 1, None, -1)
    largest = optimum.max()
    return Spreading(
        gamma,
        depth,
        goal,
        sweeps,
        np.arange(1, depth + 1),
        value[near_first] / largest,
        optimum[near_first] / largest,
    )


#: The random MDP of `stopping`.
NUM_STATES, NUM_ACTIONS = 100, 4
#: The finest tolerance that `stopping` answers.
FINEST = 1e-6
#: Sweeps computed at a time, until both bounds are below FINEST.
BLOCK = 128


@dataclass(frozen=True)
class Stopping:
    """Two guarantees and the true error on a Garnet(100, 4, branching), sweep by sweep."""

    gamma: float
    branching: int
    tolerance: float
    sweeps: np.ndarray  # (K,) 1 ... K
    norm_bound: np.ndarray  # (K,) γ/(1−γ) ‖Q_k − Q_{k−1}‖_∞
    span_bound: np.ndarray  # (K,) γ/(1−γ) span(v_k − v_{k−1}) / 2
    error: np.ndarray  # (K,) ‖Q_k − Q*‖_∞, no more than norm_bound
    centred_error: np.ndarray  # (K,) the same with MacQueen's midpoint added, <= span_bound
    norm_sweeps: int  # sweeps until norm_bound <= tolerance
    span_sweeps: int  # sweeps until span_bound <= tolerance


def stopping(*, gamma: float, branching: int, tolerance: float, seed: int = 1) -> Stopping:
    """Sweeps that each stopping rule needs; `tolerance` is at least FINEST."""
    norm_bound, span_bound, error, centred = _bounds(gamma, branching, seed)
    return Stopping(
        gamma,
        branching,
        tolerance,
        np.arange(1, norm_bound.size + 1),
        norm_bound,
        span_bound,
        error,
        centred,
        int(np.argmax(norm_bound <= tolerance)) + 1,
        int(np.argmax(span_bound <= tolerance)) + 1,
    )


@lru_cache(maxsize=128)
def _garnet(branching: int, seed: int) -> TabularMDP:
    return garnet(NUM_STATES, NUM_ACTIONS, branching, rng=np.random.default_rng(seed))


@lru_cache(maxsize=128)
def _bounds(gamma: float, branching: int, seed: int) -> tuple[np.ndarray, ...]:
    """The four (K,) curves of a Stopping record until both bounds are below FINEST."""
    mdp = _garnet(branching, seed)
    q_star = optimal_q(mdp, gamma=gamma)
    amplification = gamma / (1 - gamma)
    q, curves = None, []
    while q is None or max(curves[-1][0][-1], curves[-1][1][-1]) > FINEST:
        history = iterate(mdp, gamma=gamma, num_sweeps=BLOCK, q0=q)  # (BLOCK + 1, S, A)
        q, after = history[-1], history[1:]
        change = np.diff(history.max(axis=2), axis=0)  # (BLOCK, S)
        lowest, highest = change.min(axis=1), change.max(axis=1)
        error = q_star - after
        middle = amplification * (highest + lowest) / 2
        most, least = error.max(axis=(1, 2)), error.min(axis=(1, 2))
        curves.append(
            (
                amplification * np.abs(np.diff(history, axis=0)).max(axis=(1, 2)),
                amplification * (highest - lowest) / 2,
                np.maximum(most, -least),
                np.maximum(most - middle, middle - least),
            )
        )
    joined = [np.concatenate(parts) for parts in zip(*curves, strict=True)]
    length = 1 + max(int(np.argmax(bound <= FINEST)) for bound in joined[:2])
    return tuple(curve[:length] for curve in joined)


@dataclass(frozen=True)
class FrozenLake:
    """Gymnasium's FrozenLake 4x4 after k sweeps of value iteration."""

    gamma: float
    ice: str
    sweeps: int
    value: np.ndarray  # (16,) max_a Q_k(s, a), row by row
    optimum: np.ndarray  # (16,) v*
    greedy: np.ndarray  # (16,) int: 0 left, 1 down, 2 right, 3 up
    known: np.ndarray  # (16,) bool: a state with a value, so that greedy means something
    optimal: np.ndarray  # (16,) bool: known, and the greedy action is an optimal one
    holes: np.ndarray  # (16,) bool
    goal: int


ICE = ("slippery", "not slippery")


def frozen_lake(*, gamma: float, ice: str, sweeps: int) -> FrozenLake:
    """The lake after `sweeps` sweeps; on slippery ice a move goes sideways two times in three.

    Raises ValueError for an `ice` that is not in ICE.
    """
    if ice not in ICE:
        raise ValueError(f"ice must be one of {', '.join(ICE)}, but is {ice!r}")
    mdp = _lake(ice)
    q = iterate(mdp, gamma=gamma, num_sweeps=sweeps)[-1]
    q_star = optimal_q(mdp, gamma=gamma)
    value, optimum, actions = state_values(mdp, q), state_values(mdp, q_star), greedy(q)
    known = value > 0
    loss = optimum - q_star[np.arange(mdp.num_states), actions]
    pays = mdp.r > 0  # (S, A)
    goal = int(np.argmax(mdp.terminal & (mdp.P[pays].sum(axis=0) > 0)))
    holes = mdp.terminal & (np.arange(mdp.num_states) != goal)
    optimal = known & (loss <= 1e-9)
    return FrozenLake(gamma, ice, sweeps, value, optimum, actions, known, optimal, holes, goal)


@lru_cache(maxsize=2)
def _lake(ice: str) -> TabularMDP:
    return from_gymnasium("FrozenLake-v1", is_slippery=ice == "slippery")
