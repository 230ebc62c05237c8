"""Features of state-action pairs: Q_w = Φ w, with Φ an (S·A, d) array, rows in C order of (s, a).

The rows of terminal states are zero, so that every Q_w is 0 there and a bootstrap from a terminal
state is 0 without a word about it. The x of a state is its place among the N non-terminal ones,
scaled to [0, 1] (0 when N = 1); the a of an action is its index.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .mdp import TabularMDP, check_integer, check_rng


def tabular_features(mdp: TabularMDP) -> np.ndarray:
    """One indicator per pair of a non-terminal state: (S·A, N·A). The weights are the table."""
    return np.eye(mdp.num_pairs)[:, mdp.active_pairs]


def polynomial_features(mdp: TabularMDP, exponents: Sequence[tuple[int, int]]) -> np.ndarray:
    """The monomials x^i a^j for the (i, j) of `exponents`: (S·A, d).

    ((0, 0), (1, 0), (0, 1)) is [1, x, a]; (1, 1) is the interaction x·a. Raises ValueError for
    anything but pairs of integers >= 0, at least one of them.
    """
    table = np.array(exponents)
    if table.ndim != 2 or table.shape[1] != 2 or table.dtype.kind not in "iu" or table.min() < 0:
        raise ValueError(
            f"exponents must be one or more pairs of integers >= 0, but is {exponents!r}"
        )
    x = _positions(mdp)[:, None, None]  # (S, 1, 1)
    a = np.arange(float(mdp.num_actions))[:, None]  # (A, 1)
    return _without_terminal_rows(mdp, x ** table[:, 0] * a ** table[:, 1])


def interleaved_exponents(num_features: int) -> tuple[tuple[int, int], ...]:
    """The first of 1, a, x, x·a, x², x²·a, …: with two actions a basis of every table in the end.

    Raises ValueError for num_features < 1.
    """
    return tuple(divmod(k, 2) for k in range(check_integer(num_features, "num_features", 1)))


def radial_features(mdp: TabularMDP, num_centres: int) -> np.ndarray:
    """Gaussian bumps exp(−(x − c)² / 2σ²) on the states, blind to the action: (S·A, num_centres).

    The centres c are evenly spaced over [0, 1], both ends included, and σ is their distance.
    Raises ValueError for num_centres < 2.
    """
    num_centres = check_integer(num_centres, "num_centres", 2)
    centres = np.linspace(0, 1, num_centres)
    bumps = np.exp(-(((_positions(mdp)[:, None] - centres) / centres[1]) ** 2) / 2)  # (S, d)
    return _without_terminal_rows(mdp, bumps[:, None, :].repeat(mdp.num_actions, axis=1))


def state_aggregation(mdp: TabularMDP, num_bins: int) -> np.ndarray:
    """Indicators of `num_bins` runs of neighbouring states, blind to the action: (S·A, num_bins).

    Raises ValueError unless num_bins is between 1 and the number of non-terminal states.
    """
    states = np.flatnonzero(~mdp.terminal)
    phi = np.zeros((*mdp.r.shape, check_integer(num_bins, "num_bins", 1)))
    phi[states, :, _bins(len(states), num_bins)] = 1
    return phi.reshape(mdp.num_pairs, -1)


def pair_aggregation(mdp: TabularMDP, num_bins: int) -> np.ndarray:
    """Indicators of `num_bins` runs of neighbouring pairs in C order: (S·A, num_bins).

    Raises ValueError unless num_bins is between 1 and the number of pairs of non-terminal states.
    """
    phi = np.zeros((mdp.num_pairs, check_integer(num_bins, "num_bins", 1)))
    pairs = mdp.active_pairs
    phi[pairs, _bins(len(pairs), num_bins)] = 1
    return phi


def gaussian_features(
    mdp: TabularMDP, num_features: int, *, constant: bool = False, rng: np.random.Generator
) -> np.ndarray:
    """Independent standard normal entries: (S·A, num_features).

    With `constant` the first column is 1 instead and the others keep their numbers; with more
    features the first ones keep theirs. Raises ValueError for num_features < 1.
    """
    num_features = check_integer(num_features, "num_features", 1)
    columns = check_rng(rng).standard_normal((num_features, mdp.num_pairs))
    if constant:
        columns[0] = 1
    return np.ascontiguousarray(columns.T) * _active(mdp)


def check_features(mdp: TabularMDP, phi: np.ndarray) -> np.ndarray:
    """phi as an (S·A, d) float array, copied.

    Raises ValueError for another shape, entries that are not finite and rows of terminal states
    that are not zero.
    """
    phi = np.array(phi, dtype=float, order="C")
    if phi.ndim != 2 or phi.shape[0] != mdp.num_pairs or phi.shape[1] == 0:
        raise ValueError(
            f"phi must have shape (S*A, d) = ({mdp.num_pairs}, d) with d >= 1, but has {phi.shape}"
        )
    if not np.isfinite(phi).all():
        raise ValueError("phi must be finite, but has entries that are not")
    wrong = phi.any(axis=1) & ~_active(mdp)[:, 0]
    if wrong.any():
        s, a = divmod(int(np.argmax(wrong)), mdp.num_actions)
        raise ValueError(
            f"phi must be zero in the rows of terminal states, but the row of s={s}, a={a} "
            f"is {phi[np.argmax(wrong)]}"
        )
    return phi


def check_weights(phi: np.ndarray, w0: np.ndarray | None) -> np.ndarray:
    """A fresh (d,) array to start from: zeros, or w0. ValueError for another shape or NaN."""
    w = np.zeros(phi.shape[1]) if w0 is None else np.array(w0, dtype=float)
    if w.shape != (phi.shape[1],) or not np.isfinite(w).all():
        raise ValueError(f"w0 must be {phi.shape[1]} finite numbers, but is {w0!r}")
    return w


def _positions(mdp: TabularMDP) -> np.ndarray:
    active = ~mdp.terminal
    return (np.cumsum(active) - active) / max(np.count_nonzero(active) - 1, 1)  # (S,)


def _active(mdp: TabularMDP) -> np.ndarray:
    """(S·A, 1) bool: the pairs of non-terminal states."""
    return np.repeat(~mdp.terminal, mdp.num_actions)[:, None]


def _without_terminal_rows(mdp: TabularMDP, columns: np.ndarray) -> np.ndarray:
    return columns.reshape(mdp.num_pairs, -1) * _active(mdp)


def _bins(count: int, num_bins: int) -> np.ndarray:
    """For each of `count` neighbours the bin it falls in, bins as even as can be: (count,) int."""
    if num_bins > count:
        raise ValueError(f"num_bins must be at most {count}, but is {num_bins}")
    return np.arange(count) * num_bins // count
