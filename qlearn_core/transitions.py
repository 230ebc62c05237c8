"""Transition probabilities, dense (S, A, S) or sparse (S·A, S) with the rows in C order of (s, a).

Both forms pass the same checks, which name an entry P[s, a, s'] in both.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

PROBABILITY_TOLERANCE = 1e-9

# Indices that compiled loops read are unsigned: a signed one is checked for being negative.
INDEX = np.uint32


class Successors(NamedTuple):
    """The b successors of pair s·A + a, padded to the largest b with copies of the last one."""

    states: np.ndarray  # (S·A, b) INDEX
    probabilities: np.ndarray  # (S·A, b), 0 in the padding
    cumulative: np.ndarray  # (S·A, b), exactly 1 from the last successor on


class Rows(NamedTuple):
    """N transitions for compiled loops: those of pair i are starts[i] to starts[i + 1] - 1."""

    starts: np.ndarray  # (S·A + 1,) unsigned
    states: np.ndarray  # (N,) unsigned, increasing for each pair
    probabilities: np.ndarray  # (N,)


def check_transitions(P):
    """A read-only copy of P: (S, A, S), or a CSR array (S·A, S) if P is sparse.

    Raises ValueError for wrong shapes, numbers that are not finite, and rows that are not
    distributions.
    """
    if hasattr(P, "tocsr"):  # sparse, asked without importing scipy.sparse
        return _check_sparse(P)
    P = finite_array(P, "P")
    if P.ndim != 3 or P.shape[0] != P.shape[2] or 0 in P.shape:
        raise ValueError(f"P must have shape (S, A, S) with S, A >= 1, but has {P.shape}")
    check_rows(P, _row_name, _entry_name)
    return read_only(P)


def _check_sparse(P):
    from scipy.sparse import csr_array  # a third of the package's import time, used only here

    if P.ndim != 2 or 0 in P.shape or P.shape[0] % P.shape[1]:
        raise ValueError(f"a sparse P must have shape (S*A, S) with S, A >= 1, but has {P.shape}")
    P = csr_array(P, dtype=float, copy=True)
    P.sum_duplicates()  # also sorts the states of each row
    num_actions = P.shape[0] // P.shape[1]
    bad = ~np.isfinite(P.data)
    if bad.any():
        where, value = _entry(P, np.argmax(bad))
        raise ValueError(f"P must be finite, but P{list(where)} is {value}")
    if (P.data < 0).any():
        where, value = _entry(P, np.argmax(P.data < 0))
        raise ValueError(f"{_entry_name(*where)} must be >= 0, but is {value}")
    check_sums((P @ np.ones(P.shape[1])).reshape(-1, num_actions), _row_name)
    P.eliminate_zeros()
    dtype = np.int32 if max(P.nnz, *P.shape) < 2**31 else np.int64
    P.indptr, P.indices = (x.astype(dtype, copy=False) for x in (P.indptr, P.indices))
    for array in (P.indptr, P.indices, P.data):
        read_only(array)
    return P


def check_terminal_states(P, r: np.ndarray, terminal: np.ndarray) -> None:
    """Raise ValueError unless terminal states stay where they are and pay nothing."""
    states = np.flatnonzero(terminal)
    pairs = (states[:, None] * r.shape[1] + np.arange(r.shape[1])).ravel()
    if P.ndim == 3:
        stay = P[states, :, states]
    else:
        rows = P[pairs]
        pair = np.repeat(np.arange(pairs.size), np.diff(rows.indptr))
        stays = rows.indices == pairs[pair] // r.shape[1]
        stay = np.bincount(pair[stays], rows.data[stays], pairs.size)
    stay = stay.reshape(-1, r.shape[1])
    wrong = (np.abs(stay - 1) > PROBABILITY_TOLERANCE) | (r[states] != 0)
    if wrong.any():
        i, a = map(int, np.argwhere(wrong)[0])
        s = int(states[i])
        if abs(stay[i, a] - 1) > PROBABILITY_TOLERANCE:
            raise ValueError(
                f"terminal state s={s} must be absorbing, but {_entry_name(s, a, s)} "
                f"is {stay[i, a]:.12g}"
            )
        raise ValueError(
            f"terminal state s={s} must pay no reward, but r[s={s}, a={a}] is {r[s, a]:g}"
        )


def list_successors(rows) -> Successors:
    """The successors of every row of a dense or CSR array (S·A, S)."""
    if isinstance(rows, np.ndarray):
        pair, s_next = np.nonzero(rows)
        counts, values = np.count_nonzero(rows, axis=1), rows[pair, s_next]
    else:
        counts, s_next, values = np.diff(rows.indptr), rows.indices, rows.data
        pair = np.repeat(np.arange(counts.size), counts)
    ends = np.cumsum(counts)
    slot = np.arange(pair.size) - (ends - counts)[pair]
    shape = (counts.size, counts.max())
    states = np.broadcast_to(s_next[ends - 1][:, None], shape).astype(INDEX)
    states[pair, slot] = s_next
    probabilities = np.zeros(shape)
    probabilities[pair, slot] = values
    cumulative = np.cumsum(probabilities, axis=1)
    # A row that sums to 1 - 1e-16 must still cover every uniform number below 1.
    cumulative[np.arange(shape[1]) >= counts[:, None] - 1] = 1.0
    return Successors(*map(read_only, (states, probabilities, cumulative)))


def compiled_rows(P) -> Rows:
    """A CSR array in the form the compiled loops take: read-only views, nothing is copied."""
    unsigned = np.dtype(f"u{P.indices.itemsize}")
    views = P.indptr.view(unsigned), P.indices.view(unsigned), P.data.view()
    return Rows(*map(read_only, views))


def finite_array(values, name: str) -> np.ndarray:
    """A float copy in C order. Raises ValueError for anything but finite numbers."""
    try:
        array = np.array(values, dtype=float, order="C")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be an array of numbers, but {error}") from None
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(map(int, np.argwhere(bad)[0]))
        raise ValueError(f"{name} must be finite, but {name}{list(where)} is {array[where]}")
    return array


def check_rows(rows: np.ndarray, row_name, entry_name) -> None:
    """Raise ValueError unless the last axis of `rows` holds probability distributions."""
    if (rows < 0).any():
        where = tuple(map(int, np.argwhere(rows < 0)[0]))
        raise ValueError(f"{entry_name(*where)} must be >= 0, but is {rows[where]}")
    check_sums(rows.sum(axis=-1), row_name)


def check_sums(sums: np.ndarray, row_name) -> None:
    """Raise ValueError unless all the sums of rows are 1."""
    wrong = np.abs(sums - 1) > PROBABILITY_TOLERANCE
    if wrong.any():
        where = tuple(map(int, np.argwhere(wrong)[0]))
        raise ValueError(f"{row_name(*where)} must sum to 1, but sums to {sums[where]:.12g}")


def read_only(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


def _entry(P, k: int) -> tuple[tuple[int, int, int], float]:
    """(s, a, s') and the value of the k-th stored entry of a CSR array (S·A, S)."""
    pair = int(np.searchsorted(P.indptr, k, side="right")) - 1
    return (*divmod(pair, P.shape[0] // P.shape[1]), int(P.indices[k])), P.data[k]


def _row_name(s: int, a: int) -> str:
    return f"P[s={s}, a={a}, :]"


def _entry_name(s: int, a: int, s_next: int) -> str:
    return f"P[s={s}, a={a}, s_next={s_next}]"
