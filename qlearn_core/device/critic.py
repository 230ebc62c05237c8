"""Critics on the phone: small heads on features, trained by bootstrapping or by returns.

With a target copy of both heads that follows as θ̄ ← θ̄ + τ (θ − θ̄),

    J_Q = E [ (Q(s, a) − r − γ (1 − terminated) V̄(s'))² ],
    J_V = E [ (V(s) − Q̄(s, a'))² ],  a' ~ π(· | s)

(Bai et al. 2025). An order is terminal, the time limit is not: what was cut off
bootstraps like any other step. Without a value critic the target is a draw from Q̄ itself, and V
is fitted but nothing learns from it ("sarsa"):

    J_Q = E [ (Q(s, a) − r − γ (1 − terminated) Q̄(s', a'))² ],  a' ~ π(· | s').

Monte Carlo ("mc") regresses both heads on the observed return,

    J_Q = E [ (Q(s, a) − G)² ],  J_V = E [ (V(s) − G)² ],  G_t = Σ_{k ≥ t} γ^{k−t} r_k,

which for an episode that was cut off misses all that would have come. Two critics of each kind
differ in their first weights and share all data; each follows its own target.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from qlearn_core.mdp import check_gamma, check_integer, check_real

from .encoder import Features, spot_of_action
from .rollouts import Trajectories, draw_actions
from .settings import PhoneSettings
from .training import seeded, train

COPIES = 2
HIDDEN = (64, 64)
NUM_UPDATES, BATCH_SIZE, LEARNING_RATE = 1_000, 128, 1e-3
TAU = 0.02  # of the target copies
METHODS = ("td", "sarsa", "mc")


@dataclass(frozen=True, eq=False)
class Transitions:
    """N steps of episodes, without the places after their ends."""

    screens: np.ndarray  # (N,) int64, positions in the images
    spots: np.ndarray  # (N,) int64
    rewards: np.ndarray  # (N,) float32
    next_screens: np.ndarray  # (N,) int64
    terminated: np.ndarray  # (N,) bool; False where an episode was cut off
    tasks: np.ndarray  # (N,) int64
    returns: np.ndarray  # (N,) float32, G

    def at(self, k: np.ndarray) -> Transitions:
        """The steps at the positions k."""
        return Transitions(*(getattr(self, field.name)[k] for field in fields(self)))


def transitions(data: Trajectories, settings: PhoneSettings, *, gamma: float) -> Transitions:
    """All steps that were taken. Raises ValueError for a γ outside [0, 1)."""
    gamma = check_gamma(gamma)
    returns = np.zeros(data.rewards.shape)
    following = np.zeros(len(returns))
    for t in reversed(range(returns.shape[1])):
        following = returns[:, t] = data.rewards[:, t] + gamma * following
    i, t = np.nonzero(data.taken)
    return Transitions(
        data.screens[i, t].astype(np.int64),
        spot_of_action(settings)[data.actions[i, t]],
        data.rewards[i, t],
        data.screens[i, t + 1].astype(np.int64),
        data.terminated[i, t],
        data.tasks[i].astype(np.int64),
        returns[i, t].astype(np.float32),
    )


class Heads(nn.Module):
    """COPIES independent perceptrons side by side: (B, size) -> (COPIES, B)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        sizes = (size, *HIDDEN, 1)
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
            bound = fan_in**-0.5
            self.weights.append(torch.empty(COPIES, fan_in, fan_out).uniform_(-bound, bound))
            self.biases.append(torch.zeros(COPIES, 1, fan_out))

    def forward(self, x: Tensor) -> Tensor:
        x = x.expand(COPIES, -1, -1)
        for k, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, torch.relu(x) if k else x, weight)
        return x[:, :, 0]


class Critic(nn.Module):
    """Q heads on both streams of features, V heads on the stream that knows no action."""

    def __init__(self, features: Features) -> None:
        super().__init__()
        state, action = features.states.shape[2], features.actions.shape[2]
        self.q, self.v = Heads(state + action), Heads(state)

    def q_values(self, features: Features, screens, tasks, spots) -> Tensor:
        """(COPIES, B) of the situations and actions at the given positions (B,)."""
        parts = features.states[screens, tasks], features.actions[screens, spots]
        return self.q(torch.cat(parts, dim=1))

    def v_values(self, features: Features, screens, tasks) -> Tensor:
        """(COPIES, B)."""
        return self.v(features.states[screens, tasks])

    def table(self, features: Features, task: int) -> tuple[np.ndarray, np.ndarray]:
        """Q (COPIES, K, n) and V (COPIES, K) of every screen with the instruction of a task."""
        num_screens, n = features.actions.shape[:2]
        screens = torch.arange(num_screens).repeat_interleave(n)
        tasks = torch.full_like(screens, task)
        with torch.no_grad():
            q = self.q_values(features, screens, tasks, torch.arange(n).repeat(num_screens))
            v = self.v_values(features, screens[::n], tasks[::n])
        return q.view(COPIES, num_screens, n).numpy(), v.numpy()


def follow(target: nn.Module, network: nn.Module, tau: float) -> None:
    """θ̄ ← θ̄ + τ (θ − θ̄) for all parameters."""
    move = get_ema_multi_avg_fn(1 - tau)  # all at once: one by one takes a sixth of the training
    move(list(target.parameters()), list(network.parameters()), None)


def critic_loss(
    critic: Critic,
    target: Critic,
    features: Features,
    target_features: Features,
    batch: Transitions,
    drawn: np.ndarray,
    drawn_next: np.ndarray | None = None,
    *,
    method: str,
    gamma: float,
) -> Tensor:
    """J_Q + J_V, each the mean over the batch and the copies.

    `drawn` (B,) are the spots a' at s, `drawn_next` (B,) those at s', which "sarsa" alone needs.
    The target looks at features of its own, which are the same where they are frozen.
    """
    here = batch.screens, batch.tasks
    q, v = critic.q_values(features, *here, batch.spots), critic.v_values(features, *here)
    if method == "mc":
        q_target = v_target = torch.from_numpy(batch.returns).to(q.device)
    else:
        there = target_features, batch.next_screens, batch.tasks
        if method == "sarsa":
            v_next = target.q_values(*there, drawn_next)
        else:
            v_next = target.v_values(*there)
        discounts = torch.from_numpy(gamma * ~batch.terminated).float()
        rewards = torch.from_numpy(batch.rewards)
        q_target = rewards.to(q.device) + discounts.to(q.device) * v_next
        v_target = target.q_values(target_features, *here, drawn)
    return (q - q_target).square().mean() + (v - v_target).square().mean()


def train_critic(
    features: Features,
    steps: Transitions,
    policy: np.ndarray,
    *,
    method: str,
    gamma: float,
    seed: int,
    batch_size: int = BATCH_SIZE,
    learning_rate: float = LEARNING_RATE,
    tau: float = TAU,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Critic:
    """A critic from steps on screens and tasks that the features are of.

    "td" and "sarsa" evaluate the policy that answers with spots, a table (K, G, n), "mc" the one
    that took the steps. With one seed all see the same batches. With τ = 1 the target is the
    critic as it was one update before. Raises ValueError for another method, for a table of another
    shape, for a γ outside [0, 1), batch_size < 1, a learning rate <= 0, a τ outside (0, 1] and as
    `train` does.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, but is {method!r}")
    shape = (*features.states.shape[:2], features.actions.shape[1])
    if policy.shape != shape:
        raise ValueError(f"policy must have shape (K, G, n) = {shape}, but has {policy.shape}")
    gamma, batch_size = check_gamma(gamma), check_integer(batch_size, "batch_size", 1)
    check_real(learning_rate, "learning_rate", "> 0", lambda x: x > 0)
    check_real(tau, "tau", "in (0, 1]", lambda x: 0 < x <= 1)
    rng = np.random.default_rng([check_integer(seed, "seed", 0), 5])
    with seeded(rng):
        critic = Critic(features)
    target = copy.deepcopy(critic).requires_grad_(False)

    def loss(rng: np.random.Generator) -> Tensor:
        follow(target, critic, tau)
        batch = steps.at(rng.integers(len(steps.screens), size=batch_size))
        uniforms, drawn_next = rng.random(batch_size), None
        drawn = draw_actions(policy[batch.screens, batch.tasks], uniforms)
        if method == "sarsa":  # the same numbers, so that all methods see the same batches
            drawn_next = draw_actions(policy[batch.next_screens, batch.tasks], uniforms)
        return critic_loss(
            critic, target, features, features, batch, drawn, drawn_next, method=method, gamma=gamma
        )

    train(
        nn.ModuleList([critic, target]),
        torch.optim.Adam(critic.parameters(), lr=learning_rate, fused=True), loss,
        num_updates=NUM_UPDATES, rng=rng, checkpoint=checkpoint, progress=progress,
    )  # fmt: skip
    return critic
