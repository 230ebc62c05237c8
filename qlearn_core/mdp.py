"""Finite Markov decision processes and the checks shared by everything that takes one.

Notation: P[s, a, s'] is the probability of s' after action a in state s, r[s, a] the expected
reward, γ the discount. A terminal state is absorbing, pays nothing and has value 0.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

PROBABILITY_TOLERANCE = 1e-9
DENSE_ENTRIES = 8_000  # a larger dense product would also start the threads of the BLAS


# Indices that compiled loops read are unsigned: a signed one is checked for being negative.
INDEX = np.uint32


class Successors(NamedTuple):
    """The b successors of pair s·A + a, padded to the largest b with copies of the last one."""

    states: np.ndarray  # (S·A, b) INDEX
    probabilities: np.ndarray  # (S·A, b), 0 in the padding
    cumulative: np.ndarray  # (S·A, b), exactly 1 from the last successor on


@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A finite MDP with known dynamics. The arrays are copied, validated and made read-only.

    Parameters
    ----------
    P : (S, A, S) transition probabilities P[s, a, s_next]; every row P[s, a, :] sums to 1.
    r : (S, A) expected rewards.
    terminal : (S,) bool, default all False; terminal states are absorbing and reward-free.

    Raises
    ------
    ValueError for wrong shapes, numbers that are not finite, rows of P that are not
    distributions, and terminal states that can be left or that pay a reward.
    """

    P: np.ndarray
    r: np.ndarray
    terminal: np.ndarray | None = None

    def __post_init__(self) -> None:
        P = _finite_array(self.P, "P")
        if P.ndim != 3 or P.shape[0] != P.shape[2] or 0 in P.shape:
            raise ValueError(f"P must have shape (S, A, S) with S, A >= 1, but has {P.shape}")
        num_states, num_actions, _ = P.shape
        r = _finite_array(self.r, "r")
        if r.shape != (num_states, num_actions):
            raise ValueError(f"r must have shape {(num_states, num_actions)}, but has {r.shape}")
        terminal = _terminal_array(self.terminal, num_states)
        _check_distributions(P)
        _check_terminal_states(P, r, terminal)
        for name, array in (("P", P), ("r", r), ("terminal", terminal)):
            object.__setattr__(self, name, _read_only(array))

    @property
    def num_states(self) -> int:
        return self.P.shape[0]

    @property
    def num_actions(self) -> int:
        return self.P.shape[1]

    @property
    def num_pairs(self) -> int:
        """S·A, terminal states included: the number of entries of a table of action values."""
        return self.num_states * self.num_actions

    @cached_property
    def active_pairs(self) -> np.ndarray:
        """(N,) INDEX: the pairs s·A + a of the non-terminal states, in increasing order."""
        active = np.repeat(~self.terminal, self.num_actions)
        return _read_only(np.flatnonzero(active).astype(INDEX))

    @cached_property
    def successors(self) -> Successors:
        """The states with P[s, a, s_next] > 0, for sampling and for sums over few successors."""
        P = self.P.reshape(self.num_pairs, self.num_states)
        pair, s_next = np.nonzero(P)
        counts = np.count_nonzero(P, axis=1)
        ends = np.cumsum(counts)
        slot = np.arange(pair.size) - (ends - counts)[pair]
        shape = (self.num_pairs, counts.max())
        states = np.broadcast_to(s_next[ends - 1][:, None], shape).astype(INDEX)
        states[pair, slot] = s_next
        probabilities = np.zeros(shape)
        probabilities[pair, slot] = P[pair, s_next]
        cumulative = np.cumsum(probabilities, axis=1)
        # A row that sums to 1 - 1e-16 must still cover every uniform number below 1.
        cumulative[np.arange(shape[1]) >= counts[:, None] - 1] = 1.0
        return Successors(*map(_read_only, (states, probabilities, cumulative)))

    @cached_property
    def _sparse_rows(self):
        """(A·S, S) sparse P with rows ordered (a, s): the maximum over a is then contiguous."""
        from scipy.sparse import csr_array  # a third of the package's import time, used only here

        return csr_array(self.P.transpose(1, 0, 2).reshape(self.num_pairs, self.num_states))

    def expectation(self, v: np.ndarray) -> np.ndarray:
        """Σ_{s'} P[s, a, s'] v(s') for state values v (S,): an (S, A) array.

        A dense product where P is so small that a sparse one takes longer to call than to compute.
        """
        if self.P.size <= DENSE_ENTRIES:
            return (self.P.reshape(self.r.size, -1) @ v).reshape(self.r.shape)
        return (self._sparse_rows @ v).reshape(self.num_actions, self.num_states).T


def check_gamma(gamma: float) -> float:
    """γ as a float. Raises ValueError unless 0 <= γ < 1."""
    return check_real(gamma, "gamma", "in [0, 1)", lambda x: 0 <= x < 1)


def check_q(mdp: TabularMDP, q: np.ndarray, name: str = "q") -> np.ndarray:
    """q as an (S, A) float array, copied. Raises ValueError for another shape, NaN or inf."""
    q = _finite_array(q, name)
    if q.shape != mdp.r.shape:
        raise ValueError(f"{name} must have shape (S, A) = {mdp.r.shape}, but has {q.shape}")
    return q


def check_policy(mdp: TabularMDP, pi: np.ndarray, name: str = "pi") -> np.ndarray:
    """π as an (S, A) float array of action probabilities, copied; ValueError otherwise."""
    pi = check_q(mdp, pi, name)
    _check_rows(pi, lambda s: f"{name}[s={s}, :]", lambda s, a: f"{name}[s={s}, a={a}]")
    return pi


def initial_table(mdp: TabularMDP, q0: np.ndarray | None) -> np.ndarray:
    """A fresh (S, A) table to start from: zeros, or q0 with the terminal rows set to 0."""
    q = np.zeros(mdp.r.shape) if q0 is None else check_q(mdp, q0, "q0")
    q[mdp.terminal] = 0.0
    return q


def check_integer(value: int, name: str, minimum: int) -> int:
    """value as an int. Raises ValueError unless it is an integer and at least `minimum`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or number < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}, but is {value!r}")
    return number


def check_real(value: float, name: str, requirement: str, holds) -> float:
    """value as a float. Raises ValueError unless it is a real number for which `holds`."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and holds(number)):
        raise ValueError(f"{name} must be a number {requirement}, but is {value!r}")
    return number


def check_rng(rng: np.random.Generator) -> np.random.Generator:
    """Raises ValueError unless rng is a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        raise ValueError(f"rng must be a numpy.random.Generator, but is {rng!r}")
    return rng


def _finite_array(values, name: str) -> np.ndarray:
    try:
        array = np.array(values, dtype=float, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers, but {error}") from None
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(map(int, np.argwhere(bad)[0]))
        raise ValueError(f"{name} must be finite, but {name}{list(where)} is {array[where]}")
    return array


def _terminal_array(terminal, num_states: int) -> np.ndarray:
    if terminal is None:
        return np.zeros(num_states, dtype=bool)
    array = np.array(terminal)
    if array.shape != (num_states,) or array.dtype != bool:
        raise ValueError(
            f"terminal must be a bool array of shape {(num_states,)}, "
            f"but has dtype {array.dtype} and shape {array.shape}"
        )
    return array


def _check_distributions(P: np.ndarray) -> None:
    _check_rows(
        P,
        lambda s, a: f"P[s={s}, a={a}, :]",
        lambda s, a, s_next: f"P[s={s}, a={a}, s_next={s_next}]",
    )


def _check_rows(rows: np.ndarray, row_name, entry_name) -> None:
    """Raise ValueError unless the last axis of `rows` holds probability distributions."""
    if (rows < 0).any():
        where = tuple(map(int, np.argwhere(rows < 0)[0]))
        raise ValueError(f"{entry_name(*where)} must be >= 0, but is {rows[where]}")
    sums = rows.sum(axis=-1)
    wrong = np.abs(sums - 1) > PROBABILITY_TOLERANCE
    if wrong.any():
        where = tuple(map(int, np.argwhere(wrong)[0]))
        raise ValueError(f"{row_name(*where)} must sum to 1, but sums to {sums[where]:.12g}")


def _check_terminal_states(P: np.ndarray, r: np.ndarray, terminal: np.ndarray) -> None:
    for s in map(int, np.flatnonzero(terminal)):
        for a in range(r.shape[1]):
            if abs(P[s, a, s] - 1) > PROBABILITY_TOLERANCE:
                raise ValueError(
                    f"terminal state s={s} must be absorbing, but P[s={s}, a={a}, s_next={s}] "
                    f"is {P[s, a, s]:.12g}"
                )
            if r[s, a] != 0:
                raise ValueError(
                    f"terminal state s={s} must pay no reward, but r[s={s}, a={a}] is {r[s, a]:g}"
                )


def _read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array
