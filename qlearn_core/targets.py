"""What a network is fitted to: one-step and n-step targets, or q* itself as the control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .bellman import greedy
from .mdp import INDEX, TabularMDP, check_gamma, check_integer, check_policy
from .planning import optimal_q


@dataclass(frozen=True, eq=False)
class Targets:
    """What a network is fitted to: y_i = rewards_i + Σ_m weights_im max_a Q(states_im, a).

    The N samples are the pairs of the non-terminal states, in C order of (s, a).
    """

    q_star: np.ndarray  # (S, A) what errors are measured from
    pairs: np.ndarray  # (N,) INDEX, sample i is the pair s·A + a
    inputs: np.ndarray  # (N, 2)
    rewards: np.ndarray  # (N,)
    successors: np.ndarray  # (N, b) INDEX, states_im as the first of its A consecutive samples
    weights: np.ndarray  # (N, b) discounted probabilities; 0 for terminal states and padding


def scaled_inputs(mdp: TabularMDP) -> np.ndarray:
    """x(s, a) = (s / (D−1), a / (A−1)) for D non-terminal states: an (S, A, 2) array.

    A single state or action gets the input 0. With two actions the second input is a.
    """
    num_states = np.count_nonzero(~mdp.terminal)
    s, a = np.indices(mdp.r.shape)
    return np.stack([s / max(num_states - 1, 1), a / max(mdp.num_actions - 1, 1)], axis=-1)


def bootstrapped_targets(
    mdp: TabularMDP,
    *,
    gamma: float,
    num_steps: int = 1,
    pi: np.ndarray | None = None,
    inputs: np.ndarray | None = None,
) -> Targets:
    """The n-step targets y(s, a) = E[Σ_{k<n} γ^k r_k + γ^n max_a' Q(s_n, a')].

    The first action is a, all later ones follow the policy pi (S, A) that made the data, by
    default a greedy policy of q*; nothing corrects for a pi that is not optimal. inputs
    (S, A, 2) default to `scaled_inputs`. Raises ValueError for arguments out of range.
    """
    gamma, num_steps = check_gamma(gamma), check_integer(num_steps, "num_steps", 1)
    inputs = _active_inputs(mdp, inputs)
    q_star = optimal_q(mdp, gamma=gamma)
    pi = np.eye(mdp.num_actions)[greedy(q_star)] if pi is None else check_policy(mdp, pi)
    P = mdp.dense_transitions()
    P_pi = np.einsum("sa,sat->st", pi, P)  # (S, S)
    r_pi = (pi * mdp.r).sum(axis=1)  # (S,)
    returns, reach = mdp.r, gamma * P  # reach: γ^k times the law of s_k
    for _ in range(num_steps - 1):
        returns, reach = returns + reach @ r_pi, gamma * (reach @ P_pi)
    weights = np.where(mdp.terminal, 0.0, reach).reshape(mdp.num_pairs, -1)[mdp.active_pairs]

    most = np.count_nonzero(weights, axis=1).max()
    states = np.argsort(weights == 0, axis=1, kind="stable")[:, :most]  # (N, b), padding last
    rank = np.cumsum(~mdp.terminal) - 1
    return Targets(
        q_star=q_star,
        pairs=mdp.active_pairs,
        inputs=inputs,
        rewards=returns.reshape(-1)[mdp.active_pairs],
        successors=(np.maximum(rank, 0)[states] * mdp.num_actions).astype(INDEX),
        weights=np.take_along_axis(weights, states, axis=1),
    )


def supervised_targets(
    mdp: TabularMDP, *, gamma: float, inputs: np.ndarray | None = None
) -> Targets:
    """The control: the targets are q* itself, so that nothing is bootstrapped."""
    q_star = optimal_q(mdp, gamma=check_gamma(gamma))
    rewards = q_star.reshape(-1)[mdp.active_pairs]
    return Targets(
        q_star=q_star,
        pairs=mdp.active_pairs,
        inputs=_active_inputs(mdp, inputs),
        rewards=rewards,
        successors=np.empty((rewards.size, 0), INDEX),
        weights=np.empty((rewards.size, 0)),
    )


def _active_inputs(mdp: TabularMDP, inputs: np.ndarray | None) -> np.ndarray:
    if mdp.terminal.all():
        raise ValueError("mdp must have a non-terminal state, but all its states are terminal")
    inputs = scaled_inputs(mdp) if inputs is None else np.array(inputs, dtype=float)
    if inputs.shape != (*mdp.r.shape, 2):
        raise ValueError(
            f"inputs must have shape (S, A, 2) = {(*mdp.r.shape, 2)}, but has {inputs.shape}"
        )
    if not np.isfinite(inputs).all():
        where = tuple(map(int, np.argwhere(~np.isfinite(inputs))[0]))
        raise ValueError(f"inputs must be finite, but inputs{list(where)} is {inputs[where]}")
    return inputs.reshape(-1, 2)[mdp.active_pairs]
