"""TD against Monte Carlo in a table, where all that matters can be computed.

The hidden states are known, a script makes the episodes, and batch TD(0) is solved for its fixed
point: with n(s) visits, n(s, s') transitions and the mean reward r̂(s),

    V(s) = r̂(s) + γ Σ_s' n(s, s') / n(s) V(s'),    Q(s, m) = mean of r + γ V(s'),

the values of the MDP that was counted. Monte Carlo is Q(s, m) = mean of the return G that followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qlearn_core.device.behaviour import SCRIPT
from qlearn_core.device.extraction import best_of_n
from qlearn_core.device.phone import START, Phone
from qlearn_core.device.script import Script
from qlearn_core.planning import evaluate_policy

from .device import TASK, WAY, screens_at, script_policy, states_on_the_way

NUM_SETS, MOST_EPISODES = 12, 256  # data sets, and the length of each
N = 4  # candidates


@dataclass(frozen=True)
class Spread:
    """Standard deviations on the way to the order: of the return, and of its first step's part."""

    gamma: float
    chance: float
    skill: float
    target: np.ndarray  # (6,) of r + γ v(s')
    rest: np.ndarray  # (6,) of what the later steps add
    whole: np.ndarray  # (6,) of the return G


def spread(*, gamma: float, chance: float, skill: float) -> Spread:
    """Of the right moves on the way, exactly, where a script acts and no time limit cuts off.

    The variance of a return splits at every step, Var G = u + γ² E Var G', where u is the variance
    of r + γ v(s') (Sobel 1982).
    """
    screens = screens_at(chance)
    phone = screens.phone
    mdp, pi = phone.mdp(TASK), script_policy(screens, TASK, Script(skill))
    v = (pi * evaluate_policy(mdp, pi, gamma=gamma)).sum(axis=1)
    ordered = np.zeros(len(v))
    ordered[phone.ordered(TASK)] = 1.0  # paid on arrival
    gain = np.where(mdp.terminal, ordered, gamma * v)
    first = mdp.P @ gain**2 - (mdp.P @ gain) ** 2  # (S, M)
    means = mdp.P @ gain
    here = (pi * (first + means**2)).sum(axis=1) - (pi * means).sum(axis=1) ** 2
    here[mdp.terminal] = 0.0
    step = np.einsum("sm,smt->st", pi, mdp.P) * ~mdp.terminal[:, None]
    variance = np.linalg.solve(np.eye(len(v)) - gamma**2 * step, here)
    way = np.array(states_on_the_way(phone)), [phone.moves.index(move) for move in WAY]
    u, later = first[way], gamma**2 * (mdp.P @ variance)[way]
    return Spread(gamma, chance, skill, *np.sqrt(np.maximum([u, later, u + later], 0.0)))


@dataclass(frozen=True)
class Tabular:
    """Estimates of q_π from data sets, TD first and then Monte Carlo; the moves on the way."""

    gamma: float
    num_episodes: int
    chance: float
    limit: int
    bias: np.ndarray  # (2, 6) of the right move: mean over the data sets of estimate − q_π
    deviation: np.ndarray  # (2, 6) of the right move: standard deviation over the data sets
    others: np.ndarray  # (2, 6) of the other moves on the screen, the root mean square over them
    success: np.ndarray  # (2,) mean over the data sets, of the best-scored of 4 candidates
    exact: float  # the same with the scores q_π
    behaviour: float  # of the script itself


def tabular(*, gamma: float, num_episodes: int, chance: float, limit: int) -> Tabular:
    """NUM_SETS data sets of a script's episodes, cut off after `limit` actions, the same for all γ.

    Success is within the phone's own time limit, whatever that of the data. Raises ValueError for
    more episodes than MOST_EPISODES.
    """
    if not 1 <= num_episodes <= MOST_EPISODES:
        raise ValueError(f"num_episodes must be in [1, {MOST_EPISODES}], but is {num_episodes}")
    phone, pi = scripted(chance)
    states, moves = (part[:, :num_episodes] for part in script_episodes(chance, limit))
    estimates = np.stack([
        td_values(phone, states, moves, gamma), mc_values(phone, states, moves, gamma),
    ])  # fmt: skip
    truth = evaluate_policy(phone.mdp(TASK), pi, gamma=gamma)
    way, right = states_on_the_way(phone), [phone.moves.index(move) for move in WAY]
    offered = pi[way] > 0  # (6, M)
    offered[np.arange(len(WAY)), right] = False
    errors = (estimates - truth)[:, :, way]  # (2, sets, 6, M)
    deviations = errors.std(axis=1, ddof=1)  # (2, 6, M)
    others = np.sqrt((deviations**2).mean(axis=2, where=offered))
    errors, deviations = (
        errors[..., np.arange(len(WAY)), right],
        deviations[..., np.arange(len(WAY)), right],
    )
    # Moves that lead to the same place are equally good: no rounding error may choose among them.
    tables = np.concatenate([estimates.reshape(-1, *truth.shape), truth[None]]).round(9)
    reached = success(phone, best_of_n(tables, np.broadcast_to(pi, tables.shape), N))
    both = reached[:-1].reshape(2, NUM_SETS).mean(axis=1)
    return Tabular(
        gamma, num_episodes, chance, limit, errors.mean(axis=1), deviations, others, both,
        float(reached[-1]), float(success(phone, pi[None])[0]),
    )  # fmt: skip


@lru_cache(maxsize=8)
def scripted(chance: float) -> tuple[Phone, np.ndarray]:
    """A phone and the script's chances of moves (S, M) on it."""
    screens = screens_at(chance)
    return screens.phone, script_policy(screens, TASK, SCRIPT)


@lru_cache(maxsize=2)
def script_episodes(chance: float, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """States (sets, E, T + 1) and moves (sets, E, T); after an order the state stays as it is.

    The random numbers of a step are the same for every chance and every limit T.
    """
    phone, pi = scripted(chance)
    rng, sums = np.random.default_rng(0), pi.cumsum(axis=1)
    states = np.full((NUM_SETS, MOST_EPISODES, limit + 1), START)
    moves = np.zeros((NUM_SETS, MOST_EPISODES, limit), dtype=np.int64)
    for t in range(limit):
        choice, luck = rng.random((2, NUM_SETS, MOST_EPISODES))
        rows = sums[states[..., t]]
        drawn = (choice[..., None] * rows[..., -1:] >= rows).sum(axis=-1)
        moves[..., t] = drawn
        states[..., t + 1] = phone.follow(states[..., t], drawn, luck)
    return states, moves


def td_values(phone: Phone, states: np.ndarray, moves: np.ndarray, gamma: float) -> np.ndarray:
    """(sets, S, M) the fixed point of batch TD(0); a pair that never occurred has its state's."""
    S, M = phone.dynamics.P.shape[:2]
    taken, each, paid = _steps(phone, states)
    here, move, following = states[..., :-1][taken], moves[taken], states[..., 1:][taken]
    places = np.ravel_multi_index((each, here, following), (len(states), S, S))
    counts = np.bincount(places, minlength=len(states) * S * S).reshape(-1, S, S)
    rewards = np.bincount(each * S + here, paid[taken], len(states) * S).reshape(-1, S)
    visits = counts.sum(axis=2)
    left = np.eye(S) * np.maximum(visits, 1)[:, None]
    v = np.linalg.solve(left - gamma * counts, rewards[..., None])[..., 0]
    return _means(each, here, move, paid[taken] + gamma * v[each, following], v, M)


def mc_values(phone: Phone, states: np.ndarray, moves: np.ndarray, gamma: float) -> np.ndarray:
    """(sets, S, M) means of the returns; a pair that never occurred has its state's mean."""
    S, M = phone.dynamics.P.shape[:2]
    taken, each, paid = _steps(phone, states)
    returns, later = np.zeros(paid.shape), np.zeros(paid.shape[:2])
    for t in reversed(range(paid.shape[2])):
        later = returns[..., t] = paid[..., t] + gamma * later
    here, move, returns = states[..., :-1][taken], moves[taken], returns[taken]
    places, size = each * S + here, len(states) * S
    v = np.bincount(places, returns, size) / np.maximum(np.bincount(places, minlength=size), 1)
    return _means(each, here, move, returns, v.reshape(-1, S), M)


def _steps(phone: Phone, states: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which steps (sets, E, T) were taken, the data set of each that was, and rewards like them."""
    here, following = states[..., :-1], states[..., 1:]
    taken = ~phone.dynamics.terminal[here]
    return taken, np.nonzero(taken)[0], (taken & (following == phone.ordered(TASK))).astype(float)


def _means(each, here, move, values, v: np.ndarray, num_moves: int) -> np.ndarray:
    """(sets, S, M) the mean value of each pair, and v (sets, S) where it never occurred."""
    shape = (*v.shape, num_moves)
    places = np.ravel_multi_index((each, here, move), shape)
    size = int(np.prod(shape))
    counts = np.bincount(places, minlength=size).reshape(shape)
    sums = np.bincount(places, values, size).reshape(shape)
    return np.where(counts > 0, sums / np.maximum(counts, 1), v[..., None])


def success(phone: Phone, pi: np.ndarray) -> np.ndarray:
    """(B,) the chance of policies (B, S, M) to fulfil the task within the time limit."""
    pi = pi / pi.sum(axis=2, keepdims=True)
    step = np.einsum("bsm,smt->bst", pi, phone.dynamics.P, optimize=True)
    step[:, phone.dynamics.terminal] = 0.0
    reached = np.zeros(phone.num_states)
    reached[phone.ordered(TASK)] = 1.0
    w = np.tile(reached, (len(pi), 1))
    for _ in range(phone.settings.horizon):
        w = np.maximum((step @ w[..., None])[..., 0], reached)
    return w[:, START]
