"""Slow, independent and obviously right algorithms to compare the package with."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.sparse import csr_array

from qlearn_core import TabularMDP


def random_mdp_arrays(seed: int, num_states: int, num_actions: int, with_terminal: bool):
    """(P, r, terminal) with Dirichlet rows and normal rewards; the last state may be terminal."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(num_states, 0.5), size=(num_states, num_actions))
    r = rng.normal(size=(num_states, num_actions))
    terminal = np.zeros(num_states, dtype=bool)
    if with_terminal:
        P[-1] = 0
        P[-1, :, -1] = 1
        r[-1] = 0
        terminal[-1] = True
    return P, r, terminal


def random_mdp(seed, num_states, num_actions, with_terminal, sparse=False) -> TabularMDP:
    mdp = TabularMDP(*random_mdp_arrays(seed, num_states, num_actions, with_terminal))
    return as_sparse(mdp) if sparse else mdp


def as_sparse(mdp: TabularMDP) -> TabularMDP:
    """The same MDP with a sparse P."""
    rows = csr_array(mdp.P.reshape(mdp.num_pairs, mdp.num_states))
    return TabularMDP(P=rows, r=mdp.r, terminal=mdp.terminal)


def slow_optimal_q(mdp, gamma: float, tolerance: float = 1e-12) -> np.ndarray:
    """q* by value iteration in nested Python loops."""
    P, S, A = mdp.dense_transitions(), mdp.num_states, mdp.num_actions
    q = [[0.0] * A for _ in range(S)]
    while True:
        v = [0.0 if mdp.terminal[s] else max(q[s]) for s in range(S)]
        new = [
            [
                float(mdp.r[s, a])
                + gamma * sum(float(P[s, a, t]) * v[t] for t in range(S) if P[s, a, t])
                for a in range(A)
            ]
            for s in range(S)
        ]
        change = max(abs(new[s][a] - q[s][a]) for s in range(S) for a in range(A))
        q = new
        if gamma * change <= (1 - gamma) * tolerance:
            return np.array(q)


def best_deterministic_policy_values(mdp, gamma: float) -> np.ndarray:
    """v* as the maximum over all A^S deterministic policies, each by a linear solve."""
    S, A = mdp.num_states, mdp.num_actions
    values = [
        np.linalg.solve(
            np.eye(S) - gamma * np.array([mdp.P[s, policy[s]] for s in range(S)]),
            np.array([mdp.r[s, policy[s]] for s in range(S)]),
        )
        for policy in itertools.product(range(A), repeat=S)
    ]
    return np.max(values, axis=0)


def dictionary_q_learning(mdp, gamma: float, pairs, next_states, alphas) -> np.ndarray:
    """Q-learning on a dictionary, along given pairs, next states and step sizes."""
    q = {(s, a): 0.0 for s in range(mdp.num_states) for a in range(mdp.num_actions)}
    for (s, a), s_next, alpha in zip(pairs, next_states, alphas, strict=True):
        bootstrap = 0.0
        if not mdp.terminal[s_next]:
            bootstrap = max(q[s_next, b] for b in range(mdp.num_actions))
        target = float(mdp.r[s, a]) + gamma * bootstrap
        q[s, a] = q[s, a] + alpha * (target - q[s, a])
    return np.array(list(q.values())).reshape(mdp.r.shape)


def toy_text_optimal_q(table: dict, gamma: float, tolerance: float = 1e-10) -> np.ndarray:
    """q* of a Gymnasium table by value iteration on the raw (p, s', reward, done) tuples."""
    q = {s: dict.fromkeys(row, 0.0) for s, row in table.items()}
    change = np.inf
    while gamma * change > (1 - gamma) * tolerance:
        v = {s: max(row.values()) for s, row in q.items()}
        change = 0.0
        for s, row in table.items():
            for a, outcomes in row.items():
                new = sum(
                    p * (reward + (0.0 if done else gamma * v[s_next]))
                    for p, s_next, reward, done in outcomes
                )
                change = max(change, abs(new - q[s][a]))
                q[s][a] = new
    return np.array([[q[s][a] for a in sorted(q[s])] for s in sorted(q)])
