"""Weightings μ of the state-action pairs: how much each pair counts in a fit, (S·A,) and sum 1.

Pairs of terminal states weigh nothing: no update is ever made there.
"""

from __future__ import annotations

import numpy as np

from .mdp import TabularMDP, check_policy


def uniform_weighting(mdp: TabularMDP) -> np.ndarray:
    """Every pair of a non-terminal state alike: the law of the behaviours over pairs."""
    mu = np.zeros(mdp.num_pairs)
    mu[mdp.active_pairs] = 1 / len(mdp.active_pairs)
    return mu


def stationary_weighting(
    mdp: TabularMDP, pi: np.ndarray, *, restart: np.ndarray | None = None
) -> np.ndarray:
    """The long-run share of each pair in a trajectory of the policy pi (S, A): an (S·A,) array.

    A trajectory begins, and begins again after a terminal state, in a state drawn from `restart`
    (S,), by default state 0. The limit exists for every chain, periodic or not: the lazy chain
    (I + P)/2 has the same shares, and its powers converge. Raises ValueError for a pi that is not
    a policy and a restart that is no distribution over the non-terminal states.
    """
    pi, restart = check_policy(mdp, pi), _check_restart(mdp, restart)
    chain = np.einsum("sa,sat->st", pi, mdp.dense_transitions())  # (S, S)
    chain = np.where(mdp.terminal, 0.0, chain) + chain[:, mdp.terminal].sum(1)[:, None] * restart
    power, previous = (np.eye(mdp.num_states) + chain) / 2, None
    while previous is None or np.abs(power - previous).max() > 1e-14:
        previous, power = power, power @ power
        power /= power.sum(axis=1, keepdims=True)
    return ((restart @ power)[:, None] * pi).ravel()


def check_weighting(mu: np.ndarray, num_pairs: int) -> np.ndarray:
    """mu as a (num_pairs,) float array; ValueError unless its entries are >= 0 and sum to 1."""
    mu = np.array(mu, dtype=float)
    if mu.shape != (num_pairs,):
        raise ValueError(f"mu must have shape (S*A,) = ({num_pairs},), but has {mu.shape}")
    if not (mu >= 0).all():
        pair = int(np.argmin(mu >= 0))
        raise ValueError(f"mu must be >= 0, but mu[{pair}] is {mu[pair]}")
    if abs(mu.sum() - 1) > 1e-9:
        raise ValueError(f"mu must sum to 1, but sums to {mu.sum():.12g}")
    return mu


def _check_restart(mdp: TabularMDP, restart: np.ndarray | None) -> np.ndarray:
    if restart is None:
        restart = np.arange(mdp.num_states) == 0
    restart = np.array(restart, dtype=float)
    valid = restart.shape == (mdp.num_states,) and (restart >= 0).all()
    if not valid or abs(restart.sum() - 1) > 1e-9 or restart[mdp.terminal].any():
        raise ValueError(
            "restart must be a distribution over the non-terminal states, shape "
            f"(S,) = ({mdp.num_states},), but is {restart}"
        )
    return restart
