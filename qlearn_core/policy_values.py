"""The linear system v_π = r_π + γ P_π v_π, solved in the way that P_π allows.

Close to its diagonal a system is solved in time proportional to S. Rows need not be exchanged: the
diagonal of I − γ P_π dominates, so that elimination is stable without (Golub & Van Loan 2013,
section 4.1).
"""

from __future__ import annotations

import numpy as np

from ._compile import jit
from .transitions import Rows, compiled_rows

NARROW = 16  # diagonals beside the main one, those below and those above together
LARGEST_SOLVE = 5_000  # states of a sparse system that is solved as a dense one of 200 MB


def policy_values(P_pi, r_pi: np.ndarray, gamma: float) -> np.ndarray:
    """v_π (S,), exact up to rounding, for a P_π (S, S) that is dense or a CSR array.

    A CSR array is solved along its diagonals if it has few, and else as a dense one, because
    elimination would fill it. Raises ValueError where that is too large.
    """
    if isinstance(P_pi, np.ndarray):
        return np.linalg.solve(np.eye(len(P_pi)) - gamma * P_pi, r_pi)
    rows = compiled_rows(P_pi)
    below, above = bandwidth(rows)
    if below + above <= NARROW:
        v, certain = np.empty(len(r_pi)), np.ones((len(r_pi), 1))
        bands = np.empty((len(r_pi), below + above + 1))
        fill_bands(bands, v, certain, rows, r_pi[:, None], gamma, below)
        eliminate(bands, v, below)
        return v
    if len(r_pi) > LARGEST_SOLVE:
        raise ValueError(
            f"mdp must have at most {LARGEST_SOLVE:,} states to be solved exactly, unless its "
            f"transitions stay within {NARROW} diagonals, but has {len(r_pi):,}: "
            "use solve, or modified_policy_iteration"
        )
    return policy_values(P_pi.toarray(), r_pi, gamma)


def bandwidth(rows: Rows, num_actions: int = 1) -> tuple[int, int]:
    """How far a step leads down and up: the largest s − s' and s' − s, at least 0."""
    s = np.arange(len(rows.starts) - 1) // num_actions
    first, last = rows.states[rows.starts[:-1]], rows.states[rows.starts[1:] - 1]
    # As signed numbers, for s - s' may be negative.
    below, above = s - first.astype(np.int64), last.astype(np.int64) - s
    return max(0, int(below.max())), max(0, int(above.max()))


@jit
def fill_bands(bands, r_pi, policy, rows, r, gamma, below):
    """bands[s, below + s' − s] ← (I − γ P_π)(s, s') and r_π for a policy (S, A)."""
    starts, states, probabilities = rows
    num_states, num_actions = policy.shape
    bands[:] = 0.0
    r_pi[:] = 0.0
    for s in range(num_states):
        bands[s, below] = 1.0
        for a in range(num_actions):
            share = policy[s, a]
            if share > 0:
                r_pi[s] += share * r[s, a]
                pair = s * num_actions + a
                for k in range(starts[pair], starts[pair + 1]):
                    band = below - s + np.int64(states[k])
                    bands[s, band] -= gamma * share * probabilities[k]


@jit
def eliminate(bands, x, below):
    """Solve the system of `fill_bands` in place: x holds r_π, then v_π; bands are used up."""
    num_states, above = len(x), bands.shape[1] - 1 - below
    for s in range(num_states):
        for i in range(1, min(below, num_states - 1 - s) + 1):
            factor = bands[s + i, below - i] / bands[s, below]
            if factor != 0.0:
                for j in range(1, above + 1):
                    bands[s + i, below - i + j] -= factor * bands[s, below + j]
                x[s + i] -= factor * x[s]
    for s in range(num_states - 1, -1, -1):
        for j in range(1, min(above, num_states - 1 - s) + 1):
            x[s] -= bands[s, below + j] * x[s + j]
        x[s] /= bands[s, below]
