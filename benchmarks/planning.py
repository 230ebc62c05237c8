"""Sweeps of value iteration on a small and a large problem."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.sparse import csr_array

from benchmarks.timing import Row, compare
from qlearn_core import bellman_optimality, chain, garnet, iterate

GAMMA = 0.9
NUM_CALLS = 200


def rows() -> tuple[list[Row], list[str]]:
    return small_rows() + large_rows(), []


def small_rows() -> list[Row]:
    """µs for the whole history of 60 sweeps on a chain with 5 states and 2 actions."""
    mdp = chain(5, slip=0.1, goal="loop")

    def bare():
        P, q = mdp.P.reshape(10, 5), np.zeros((5, 2))
        for _ in range(60):
            q = mdp.r + GAMMA * (P @ q.max(axis=1)).reshape(5, 2)

    variants = {"NumPy": bare, "qlearn_core": partial(iterate, mdp, gamma=GAMMA, num_sweeps=60)}
    return compare(
        "60 sweeps, 5 states, 2 actions",
        {name: partial(_repeated, run, 10) for name, run in variants.items()},
        unit="µs",
        per_unit=dict.fromkeys(variants, 1e6 / 10),
    )


def large_rows() -> list[Row]:
    """µs for one sweep on a Garnet problem with 1,000 states, against bare SciPy."""
    mdp = garnet(1000, 4, 5, rng=np.random.default_rng(0))
    rows_by_action = csr_array(mdp.P.transpose(1, 0, 2).reshape(4_000, 1_000))
    r = np.ascontiguousarray(mdp.r.T)  # (A, S)
    q = np.random.default_rng(1).random((1_000, 4))

    def bare():
        return r + GAMMA * (rows_by_action @ q.max(axis=1)).reshape(4, 1_000)

    variants = {"SciPy": bare, "qlearn_core": partial(bellman_optimality, mdp, q, gamma=GAMMA)}
    return compare(
        "one sweep, Garnet 1,000 states, 4 actions, 5 successors",
        {name: partial(_repeated, run, NUM_CALLS) for name, run in variants.items()},
        unit="µs",
        per_unit=dict.fromkeys(variants, 1e6 / NUM_CALLS),
    )


def _repeated(run, times: int):
    return lambda: [run() for _ in range(times)]
