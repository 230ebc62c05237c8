"""The training of `neural` in PyTorch, one function per idea: slow, short, and the one to read.

It starts from the same parameters, draws the same batches and takes the same arguments, for one
network. It is also what the compiled loop is tested against.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from torch import Tensor, nn

from ._network import draw_batch
from .mdp import INDEX
from .neural import HIDDEN, Adam, CopyEvery, MovingAverage, Sgd, initial_parameters
from .targets import Targets


def network(theta: np.ndarray) -> nn.Sequential:
    """The 2-64-1 network with parameters θ (257,), in the precision of θ."""
    layers = nn.Sequential(nn.Linear(2, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))
    layers.to(torch.from_numpy(theta).dtype)
    weights, biases, out, last = np.split(theta, [2 * HIDDEN, 3 * HIDDEN, 4 * HIDDEN])
    arrays = (weights.reshape(2, HIDDEN).T, biases, out[None, :], last)
    with torch.no_grad():
        for parameter, array in zip(layers.parameters(), arrays, strict=True):
            parameter.copy_(torch.from_numpy(array.copy()))
    return layers


def parameters(layers: nn.Sequential) -> np.ndarray:
    """θ (257,) of a network, the inverse of `network`."""
    weights, biases, out, last = (p.detach().numpy() for p in layers.parameters())
    return np.concatenate([weights.T.ravel(), biases, out.ravel(), last])


def td_targets(targets: Targets, chooser: Tensor, judge: Tensor) -> Tensor:
    """y_i = rewards_i + Σ_m weights_im judge(s_im, argmax_a chooser(s_im, a)) from N values each.

    Equal chooser and judge: the maximum; the network and its target network: double Q-learning.
    """
    num_actions = targets.q_star.shape[1]
    states = torch.from_numpy(targets.successors // num_actions).long()  # (N, b)
    greedy = chooser.view(-1, num_actions).argmax(dim=1, keepdim=True)  # (D, 1)
    values = judge.view(-1, num_actions).gather(1, greedy).squeeze(1)  # (D,)
    rewards, weights = map(torch.from_numpy, (targets.rewards, targets.weights))
    return rewards.to(judge) + (weights.to(judge) * values[states]).sum(dim=1)


def loss(q: Tensor, y: Tensor) -> Tensor:
    """½ mean (Q − y)², so that one sample moves θ by −α ∇loss = α · td_error · ∇Q."""
    return 0.5 * nn.functional.mse_loss(q, y)


def follow(target: nn.Sequential, source: nn.Sequential, tau: float) -> None:
    """θ⁻ ← (1−τ) θ⁻ + τ θ; a copy for τ = 1."""
    with torch.no_grad():
        for old, new in zip(target.parameters(), source.parameters(), strict=True):
            old.copy_((1 - tau) * old + tau * new)


def train_network(
    targets: Targets,
    *,
    optimiser: Sgd | Adam,
    num_updates: int,
    rng: np.random.Generator,
    target_network: CopyEvery | MovingAverage | None = None,
    double: bool = False,
    batch_size: int | None = None,
    dtype: np.dtype = np.float32,
) -> np.ndarray:
    """θ (257,) after `num_updates` updates, as `neural.train_network` makes them of one seed.

    Values are computed for all N pairs, whatever the batch. Nothing is checked.
    """
    layers = network(initial_parameters(rng).astype(dtype))
    frozen = deepcopy(layers)
    optimisers = {Sgd: torch.optim.SGD, Adam: torch.optim.Adam}
    step = optimisers[type(optimiser)](layers.parameters(), lr=optimiser.alpha)
    inputs = torch.from_numpy(targets.inputs.astype(dtype))
    order = np.arange(len(inputs)).astype(INDEX)
    batch_size = batch_size or len(order)
    for t in range(num_updates):
        if batch_size < len(order):
            draw_batch(order, batch_size, rng)
        batch = torch.from_numpy(order[:batch_size]).long()
        q = layers(inputs).squeeze(1)  # (N,)
        with torch.no_grad():  # the semi-gradient: the targets are constants
            judge = q if target_network is None else frozen(inputs).squeeze(1)
            y = td_targets(targets, q if double else judge, judge)
        step.zero_grad()
        loss(q[batch], y[batch]).backward()
        step.step()
        if isinstance(target_network, MovingAverage):
            follow(frozen, layers, target_network.tau)
        elif isinstance(target_network, CopyEvery) and (t + 1) % target_network.period == 0:
            follow(frozen, layers, 1.0)
    return parameters(layers)
