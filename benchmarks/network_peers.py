"""The same training in PyTorch, alone and batched, and DQN as two libraries write it.

Every function prepares, and returns what is timed. The loops in PyTorch start from the parameters
of the package and get its batches, drawn beforehand. DQN brings its own network, 1-64-2 with
258 parameters, and draws its own batches.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qlearn_core import Adam, TabularMDP, Targets, initial_parameters
from qlearn_core._network import draw_batch
from qlearn_core.neural import HIDDEN

BATCH = 32


def generators(num_seeds: int) -> list[np.random.Generator]:
    """The generators that `train_network` gives to its networks when its own has the seed 0."""
    return np.random.default_rng(0).spawn(num_seeds)


def batches(targets: Targets, batch_size: int, num_updates: int, rng: np.random.Generator):
    """(num_updates, batch) the samples that the package draws."""
    order = np.arange(targets.pairs.size)
    drawn = np.empty((num_updates, batch_size), dtype=np.int64)
    for batch in drawn:
        if batch_size < order.size:
            draw_batch(order, batch_size, rng)
        batch[:] = order[:batch_size]
    return drawn


def values(targets: Targets, theta: np.ndarray) -> np.ndarray:
    """Q (N,) at all samples."""
    import torch

    from qlearn_core.neural_reference import network

    with torch.no_grad():
        return network(theta)(tensors(targets)[0]).squeeze(-1).numpy()


def minimal(targets: Targets, arguments: dict, num_updates: int) -> Callable[[], np.ndarray]:
    """The loop that everybody writes first: nn.Sequential, an optimiser, autograd."""
    import torch
    from torch import nn

    from qlearn_core.neural_reference import network, parameters

    torch.set_num_threads(1)
    rng = generators(1)[0]
    layers = network(initial_parameters(rng))
    target_network = arguments.get("target_network")
    frozen = network(parameters(layers)) if target_network else layers
    kind = torch.optim.Adam if isinstance(arguments["optimiser"], Adam) else torch.optim.SGD
    optimiser = kind(layers.parameters(), lr=arguments["optimiser"].alpha)
    x, rewards, weights, x_next = tensors(targets)
    size = arguments.get("batch_size", targets.pairs.size)
    drawn = torch.from_numpy(batches(targets, size, num_updates, rng))

    def run():
        for t, batch in enumerate(drawn):
            if target_network and t % target_network.period == 0:
                frozen.load_state_dict(layers.state_dict())
            with torch.no_grad():
                best = frozen(x_next[batch]).squeeze(-1).max(dim=1).values
                y = rewards[batch] + weights[batch] * best
            loss = 0.5 * nn.functional.mse_loss(layers(x[batch]).squeeze(-1), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return parameters(layers)

    return run


def batched(
    targets: Targets, arguments: dict, num_updates: int, num_seeds: int
) -> Callable[[], np.ndarray]:
    """All networks in one product of stacked matrices, full batch, plain SGD: θ (seed, 257)."""
    import torch

    torch.set_num_threads(1)
    theta = np.stack([initial_parameters(rng) for rng in generators(num_seeds)])
    first, bias, out, last = (
        torch.from_numpy(part.copy()).requires_grad_()
        for part in np.split(theta, [2 * HIDDEN, 3 * HIDDEN, 4 * HIDDEN], axis=1)
    )
    weights_shared = (first, bias, out, last)
    x, rewards, weights, _ = tensors(targets)
    inputs = x.expand(num_seeds, -1, -1)  # (seed, N, 2)
    step, successors = arguments["optimiser"].alpha, targets.successors[:, 0].astype(np.int64)
    states = torch.from_numpy(successors // targets.q_star.shape[1])

    def run():
        for _ in range(num_updates):
            hidden = torch.baddbmm(bias[:, None], inputs, first.view(num_seeds, 2, HIDDEN)).relu()
            q = torch.baddbmm(last[:, None], hidden, out[:, :, None]).squeeze(-1)  # (seed, N)
            best = q.detach().view(num_seeds, -1, targets.q_star.shape[1]).amax(dim=2)
            loss = 0.5 * ((q - rewards - weights * best[:, states]) ** 2).mean(dim=1).sum()
            slopes = torch.autograd.grad(loss, weights_shared)
            with torch.no_grad():
                for part, slope in zip(weights_shared, slopes, strict=True):
                    part -= step * slope
        return np.concatenate([part.detach().numpy() for part in weights_shared], axis=1)

    return run


def tensors(targets: Targets):
    """Inputs (N, 2), rewards (N,), weights (N,) and the inputs of the next pairs (N, A, 2)."""
    import torch

    num_actions = targets.q_star.shape[1]
    first = targets.successors[:, 0].astype(np.int64)
    following = targets.inputs[first[:, None] + np.arange(num_actions)]
    arrays = targets.inputs, targets.rewards, targets.weights[:, 0], following
    return [torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in arrays]


def stable_baselines(model, num_updates: int) -> Callable[[], object]:
    """`train` of stable-baselines3's DQN."""
    return lambda: model.train(gradient_steps=num_updates, batch_size=BATCH)


def clean_rl(model, num_updates: int) -> Callable[[], object]:
    """The training step as CleanRL writes it, with the same buffer and the same networks."""
    import torch
    from torch.nn import functional

    network, frozen, buffer = model.q_net, model.q_net_target, model.replay_buffer
    optimiser = torch.optim.Adam(network.parameters(), lr=model.learning_rate)

    def run():
        for _ in range(num_updates):
            data = buffer.sample(BATCH)
            with torch.no_grad():
                best, _ = frozen(data.next_observations).max(dim=1)
                y = data.rewards.flatten() + model.gamma * best * (1 - data.dones.flatten())
            q = network(data.observations).gather(1, data.actions).squeeze()
            loss = functional.mse_loss(y, q)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return run


def dqn(mdp: TabularMDP, gamma: float):
    """A DQN of stable-baselines3 whose replay buffer holds every transition of the chain once."""
    import gymnasium
    import torch
    from stable_baselines3 import DQN
    from stable_baselines3.common.logger import Logger

    class Corridor(gymnasium.Env):
        """What DQN asks the shapes of; no step is taken."""

        observation_space = gymnasium.spaces.Box(0, 1, (1,))
        action_space = gymnasium.spaces.Discrete(mdp.num_actions)

    torch.set_num_threads(1)
    model = DQN(
        "MlpPolicy", Corridor(), gamma=gamma, learning_rate=1e-3, batch_size=BATCH,
        buffer_size=mdp.active_pairs.size, policy_kwargs={"net_arch": [HIDDEN]}, seed=0,
        device="cpu",
    )  # fmt: skip
    model.set_logger(Logger(None, []))
    last = mdp.num_states - 2  # of the states before the terminal one
    for pair in mdp.active_pairs:
        state, action = divmod(int(pair), mdp.num_actions)
        s_next = int(mdp.successors.states[pair, 0])
        model.replay_buffer.add(
            np.array([[state / last]]), np.array([[s_next / last]]), np.array([[action]]),
            mdp.r[state, action], mdp.terminal[s_next], [{}],
        )  # fmt: skip
    return model


def td_error(model) -> float:
    """The root mean square of y − Q over the replay buffer of a DQN."""
    import torch

    buffer = model.replay_buffer
    data = buffer._get_samples(np.arange(buffer.buffer_size))
    with torch.no_grad():
        best = model.q_net_target(data.next_observations).amax(dim=1, keepdim=True)
        y = data.rewards + (1 - data.dones) * model.gamma * best
        errors = y - model.q_net(data.observations).gather(1, data.actions)
    return float(errors.square().mean().sqrt())


DQN = {  # what trains it, and how far ahead of it we should be
    "stable-baselines3, DQN.train": (stable_baselines, 300),
    "CleanRL's training step": (clean_rl, 200),
}
