"""Behaviours: which state-action pair is updated next, and the sampling the loops share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ._compile import jit
from .mdp import INDEX, TabularMDP, check_integer, check_policy, check_real


@dataclass(frozen=True)
class UniformPairs:
    """Every update draws (s, a) uniformly over the pairs of non-terminal states."""


@dataclass(frozen=True)
class Cyclic:
    """The pairs of the non-terminal states in C order, over and over."""


@dataclass(frozen=True)
class EpsilonGreedy:
    """A trajectory: a uniform action with probability ε, else a greedy one, ties at random."""

    epsilon: float

    def __post_init__(self) -> None:
        check_real(self.epsilon, "epsilon", "in [0, 1]", lambda x: 0 <= x <= 1)


@dataclass(frozen=True, eq=False)
class FixedPolicy:
    """A trajectory of the policy pi (S, A), action probabilities in every row."""

    pi: np.ndarray


Behaviour = UniformPairs | Cyclic | EpsilonGreedy | FixedPolicy

UNIFORM_PAIRS, CYCLIC, TRAJECTORY = range(3)


class BehaviourTables(NamedTuple):
    """A behaviour in the form the compiled loops take.

    Both trajectories are one rule: with probability ε an action of a policy, else a greedy one.
    EpsilonGreedy takes the uniform policy, FixedPolicy ε = 1.
    """

    kind: int
    epsilon: float
    cumulative: np.ndarray  # (S, A) running sums of the policy's action probabilities
    pairs: np.ndarray  # (N,) the pairs s·A + a of the non-terminal states
    start: INDEX  # where a trajectory begins, and begins again after a terminal state


def behaviour_tables(mdp: TabularMDP, behaviour: Behaviour, start: int) -> BehaviourTables:
    """The tables of a behaviour on this MDP.

    Raises ValueError for anything but the four behaviours, a policy that is not one, a
    trajectory that starts outside the non-terminal states, or an MDP without such states.
    """
    kind, epsilon, pi = TRAJECTORY, 1.0, np.full(mdp.r.shape, 1 / mdp.num_actions)
    if isinstance(behaviour, UniformPairs):
        kind = UNIFORM_PAIRS
    elif isinstance(behaviour, Cyclic):
        kind = CYCLIC
    elif isinstance(behaviour, EpsilonGreedy):
        epsilon = float(behaviour.epsilon)
    elif isinstance(behaviour, FixedPolicy):
        pi = check_policy(mdp, behaviour.pi)
    else:
        raise ValueError(
            "behaviour must be UniformPairs(), Cyclic(), EpsilonGreedy(epsilon) or "
            f"FixedPolicy(pi), but is {behaviour!r}"
        )
    if mdp.terminal.all():
        raise ValueError("mdp must have a non-terminal state, but all its states are terminal")
    start = check_integer(start, "start", 0)
    if kind == TRAJECTORY and (start >= mdp.num_states or mdp.terminal[start]):
        raise ValueError(
            f"start must be a non-terminal state below {mdp.num_states}, but is {start}"
        )
    cumulative = np.cumsum(pi, axis=1)
    # From the last action that can be taken on, so that rounding never picks another one.
    last = mdp.num_actions - 1 - np.argmax(pi[:, ::-1] > 0, axis=1)
    cumulative[np.arange(mdp.num_actions) >= last[:, None]] = 1.0
    return BehaviourTables(kind, epsilon, cumulative, mdp.active_pairs, INDEX(start))


@jit
def row_max(q, s):
    """max_a q(s, a). A loop: np.max on a row of a few numbers is five times slower here."""
    best = q[s, 0]
    for a in range(1, q.shape[1]):
        best = max(best, q[s, a])
    return best


@jit
def greedy_action(q, s, rng):
    """A maximiser of q(s, ·), each of the tied ones with equal probability."""
    action, ties = 0, 1
    for a in range(1, q.shape[1]):
        if q[s, a] > q[s, action]:
            action, ties = a, 1
        elif q[s, a] == q[s, action]:
            ties += 1
            if rng.random() * ties < 1.0:
                action = a
    return action


@jit
def draw(cumulative, row, rng):
    """An index with the probabilities whose running sums are cumulative[row, :]."""
    u = rng.random()
    k = 0
    while u >= cumulative[row, k]:
        k += 1
    return k


@jit
def draw_position(kind, num_positions, t, rng):
    """The position in the list of pairs of update t, when the pairs follow no trajectory."""
    return t % num_positions if kind == CYCLIC else int(rng.random() * num_positions)
