"""n-step targets as an MDP of their own, in which only every n-th action is free."""

from __future__ import annotations

import numpy as np

from .mdp import TabularMDP, check_gamma, check_integer, check_policy


def n_step_mdp(mdp: TabularMDP, pi: np.ndarray, *, gamma: float, num_steps: int) -> TabularMDP:
    """The MDP whose Bellman operator is the uncorrected n-step operator of `mdp`.

        (T_n Q)(s, a) = E[ Σ_{k<n} γ^k r_k + γ^n max_a' Q(s_n, a') ],   a_0 = a, then a_k ~ π

    One of its steps is n steps of `mdp`: P_n = P P_π^(n−1) and
    r_n = r + Σ_{0<k<n} γ^k P P_π^(k−1) r_π. Its discount is γ^n, so that
    `optimal_q(n_step_mdp(...), gamma=gamma**n)` is the fixed point of T_n, and every sweep
    contracts by γ^n. pi (S, A) is the policy that made the data; nothing corrects for a pi that
    is not optimal (Sutton & Barto 2018, section 7.3 does). Raises ValueError for a pi that is not
    a policy, γ outside [0, 1) or num_steps < 1.
    """
    gamma, pi = check_gamma(gamma), check_policy(mdp, pi)
    P = mdp.dense_transitions()
    P_pi = np.einsum("sa,sat->st", pi, P)  # (S, S)
    r_pi = (pi * mdp.r).sum(axis=1)  # (S,)
    num_others = check_integer(num_steps, "num_steps", 1) - 1
    v = np.zeros(mdp.num_states)  # what the policy collects in the steps after the first
    for _ in range(num_others):
        v = r_pi + gamma * (P_pi @ v)
    after = P.reshape(mdp.num_pairs, -1) @ np.linalg.matrix_power(P_pi, num_others)
    return TabularMDP(
        P=after.reshape(P.shape), r=mdp.r + gamma * mdp.expectation(v), terminal=mdp.terminal
    )
