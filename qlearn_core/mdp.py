"""Finite Markov decision processes and the checks shared by everything that takes one.

Notation: P[s, a, s'] is the probability of s' after action a in state s, r[s, a] the expected
reward, γ the discount. A terminal state is absorbing, pays nothing and has value 0.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .transitions import (
    INDEX,
    Rows,
    Successors,
    check_rows,
    check_terminal_states,
    check_transitions,
    compiled_rows,
    finite_array,
    list_successors,
    read_only,
)

DENSE_ENTRIES = 8_000  # a larger dense product would also start the threads of the BLAS
LARGEST_DENSE = 50_000_000  # entries of a sparse P that is turned into a dense one: 400 MB


@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A finite MDP with known dynamics. The arrays are copied, validated and made read-only.

    Parameters
    ----------
    P : (S, A, S) transition probabilities P[s, a, s_next]; every row P[s, a, :] sums to 1. Or the
        same as a SciPy sparse array (S·A, S), row s·A + a, for which memory and the time of a
        sweep are proportional to the number of transitions; it is kept as a CSR array.
    r : (S, A) expected rewards.
    terminal : (S,) bool, default all False; terminal states are absorbing and reward-free.

    Raises
    ------
    ValueError for wrong shapes, numbers that are not finite, rows of P that are not
    distributions, and terminal states that can be left or that pay a reward.
    """

    P: np.ndarray  # or a CSR array
    r: np.ndarray
    terminal: np.ndarray | None = None

    def __post_init__(self) -> None:
        P = check_transitions(self.P)
        num_states = P.shape[-1]
        num_actions = P.shape[1] if P.ndim == 3 else P.shape[0] // num_states
        r = finite_array(self.r, "r")
        if r.shape != (num_states, num_actions):
            raise ValueError(f"r must have shape {(num_states, num_actions)}, but has {r.shape}")
        terminal = _terminal_array(self.terminal, num_states)
        check_terminal_states(P, r, terminal)
        for name, array in (("P", P), ("r", read_only(r)), ("terminal", read_only(terminal))):
            object.__setattr__(self, name, array)

    @property
    def num_states(self) -> int:
        return self.r.shape[0]

    @property
    def num_actions(self) -> int:
        return self.r.shape[1]

    @property
    def num_pairs(self) -> int:
        """S·A, terminal states included: the number of entries of a table of action values."""
        return self.num_states * self.num_actions

    @cached_property
    def active_pairs(self) -> np.ndarray:
        """(N,) INDEX: the pairs s·A + a of the non-terminal states, in increasing order."""
        active = np.repeat(~self.terminal, self.num_actions)
        return read_only(np.flatnonzero(active).astype(INDEX))

    @cached_property
    def successors(self) -> Successors:
        """The states with P[s, a, s_next] > 0, for sampling and for sums over few successors.

        Padded: where one pair has b successors, S·A·b numbers are kept.
        """
        if self.P.ndim == 2:
            return list_successors(self.P)
        return list_successors(self.P.reshape(self.num_pairs, self.num_states))

    @cached_property
    def sparse_rows(self):
        """P as a CSR array (S·A, S), row s·A + a."""
        if self.P.ndim == 2:
            return self.P
        from scipy.sparse import csr_array  # a third of the package's import time, used only here

        return csr_array(self.P.reshape(self.num_pairs, self.num_states))

    @cached_property
    def rows(self) -> Rows:
        """The transitions for compiled loops: views of the arrays of `sparse_rows`."""
        return compiled_rows(self.sparse_rows)

    def dense_transitions(self) -> np.ndarray:
        """P as an (S, A, S) array, for what fills such an array anyway.

        Raises ValueError for a sparse P that would have more than LARGEST_DENSE entries.
        """
        if self.P.ndim == 3:
            return self.P
        if self.num_pairs * self.num_states > LARGEST_DENSE:
            raise ValueError(
                f"P must be small enough for an (S, A, S) array of {LARGEST_DENSE:,} entries here, "
                f"but is sparse with (S, A) = {self.r.shape}"
            )
        return self.P.toarray().reshape(*self.r.shape, self.num_states)

    def policy_transitions(self, policy: np.ndarray):
        """P_π (S, S), as sparse as P, for actions (S,) or action probabilities (S, A); unchecked.

        P_π(s, s') = Σ_a π(a | s) P(s' | s, a) (Puterman 1994, section 5.6).
        """
        s = np.arange(self.num_states)
        if self.P.ndim == 3:
            if policy.ndim == 1:
                return self.P[s, policy]
            return np.einsum("sa,sat->st", policy, self.P)
        if policy.ndim == 1:
            return self.P[s * self.num_actions + policy]
        from scipy.sparse import csr_array

        s, a = np.nonzero(policy)
        shares = (policy[s, a], (s, s * self.num_actions + a))
        P_pi = csr_array(shares, shape=(self.num_states, self.num_pairs)) @ self.P
        P_pi.sort_indices()
        return P_pi

    def expectation(self, v: np.ndarray) -> np.ndarray:
        """Σ_{s'} P[s, a, s'] v(s') for state values v (S,): an (S, A) array.

        A dense product where P is so small that a sparse one takes longer to call than to compute.
        """
        if self.P.ndim == 3 and self.P.size <= DENSE_ENTRIES:
            return (self.P.reshape(self.r.size, -1) @ v).reshape(self.r.shape)
        return (self.sparse_rows @ v).reshape(self.r.shape)


def check_gamma(gamma: float) -> float:
    """γ as a float. Raises ValueError unless 0 <= γ < 1."""
    return check_real(gamma, "gamma", "in [0, 1)", lambda x: 0 <= x < 1)


def check_q(mdp: TabularMDP, q: np.ndarray, name: str = "q") -> np.ndarray:
    """q as an (S, A) float array, copied. Raises ValueError for another shape, NaN or inf."""
    q = finite_array(q, name)
    if q.shape != mdp.r.shape:
        raise ValueError(f"{name} must have shape (S, A) = {mdp.r.shape}, but has {q.shape}")
    return q


def check_policy(mdp: TabularMDP, pi: np.ndarray, name: str = "pi") -> np.ndarray:
    """π as an (S, A) float array of action probabilities, copied; ValueError otherwise."""
    pi = check_q(mdp, pi, name)
    check_rows(pi, lambda s: f"{name}[s={s}, :]", lambda s, a: f"{name}[s={s}, a={a}]")
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
