"""Q-learning in the style of QuantEcon's lectures: a numba class, a method for every formula.

Its methods call NumPy on the rows of the table, every draw sums up the probabilities, the random
numbers are numba's global ones, and every update makes a new table.
"""

from __future__ import annotations

import numpy as np
from numba import float64, int64
from numba.experimental import jitclass


@jitclass(
    [
        ("next_states", int64[:, :]),  # (S·A, b)
        ("probabilities", float64[:, :]),  # (S·A, b)
        ("r", float64[:, :]),  # (S, A)
        ("gamma", float64),
        ("alpha", float64),
        ("epsilon", float64),
    ]
)
class Learner:
    def __init__(self, next_states, probabilities, r, gamma, alpha, epsilon):
        self.next_states, self.probabilities, self.r = next_states, probabilities, r
        self.gamma, self.alpha, self.epsilon = gamma, alpha, epsilon

    def choose(self, q, s):
        if np.random.random() < self.epsilon:
            return np.random.randint(0, q.shape[1])
        return np.argmax(q[s])

    def draw_next_state(self, pair):
        cumulative = np.cumsum(self.probabilities[pair])
        cumulative[-1] = 1.0  # the sum may be 1 - 1e-16
        position = np.searchsorted(cumulative, np.random.random(), side="right")
        return self.next_states[pair, position]

    def temporal_difference(self, q, s, a, s_next):
        return self.r[s, a] + self.gamma * np.max(q[s_next]) - q[s, a]

    def run(self, q, s, num_updates):
        for _ in range(num_updates):
            a = self.choose(q, s)
            s_next = self.draw_next_state(s * q.shape[1] + a)
            difference = self.temporal_difference(q, s, a, s_next)
            q_new = q.copy()
            q_new[s, a] = q[s, a] + self.alpha * difference
            q, s = q_new, s_next
        return q
