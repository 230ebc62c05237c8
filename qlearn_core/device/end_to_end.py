"""A critic whose encoder learns from the critic's own loss: nothing is frozen.

J_Q and J_V are those of `critic`, with the features f of an encoder that moves. Both losses reach
it through Q(s, a) and V(s). The targets use a copy of the encoder that follows by the same
exponential average as that of the heads,

    V̄(s') = v̄(f̄(s')),  Q̄(s, a') = q̄(f̄(s, a')).

Bai et al. (2025) freeze the encoder, because training it like this was found hard and unstable.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from qlearn_core.mdp import check_gamma, check_integer, check_real

from . import critic
from .critic import Critic, Transitions, critic_loss, follow
from .encoder import Encoder, Features, features
from .rollouts import draw_actions
from .tasks import Task
from .training import device_of, seeded, train


@dataclass(frozen=True, eq=False)
class EndToEnd:
    """What training end to end made."""

    critic: Critic
    features: Features  # of the encoder at the end, on all screens and tasks
    losses: np.ndarray  # (num_updates,) J_Q + J_V

    @property
    def status(self) -> str:
        """ "finite", or "diverged" if a loss was no finite number: then nothing here is of use."""
        return "finite" if np.isfinite(self.losses).all() else "diverged"


def train_end_to_end(
    encoder: Encoder,
    images: np.ndarray,
    tasks: tuple[Task, ...],
    steps: Transitions,
    policy: np.ndarray,
    *,
    rate: float,
    gamma: float,
    seed: int,
    batch_size: int = critic.BATCH_SIZE,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> EndToEnd:
    """TD with a copy of the encoder that learns too, at a rate of its own.

    The first heads, the batches and the draws from the policy, a table (K, G, n), are those of
    `train_critic` with the same seed. At rate 0 the encoder keeps its bits, and the two critics
    differ by rounding. Raises ValueError for a rate < 0 and as `train_critic` does.
    """
    check_real(rate, "rate", ">= 0", lambda x: x >= 0)
    gamma, batch_size = check_gamma(gamma), check_integer(batch_size, "batch_size", 1)
    moving, start = copy.deepcopy(encoder), features(encoder, images, tasks)
    shape = (*start.states.shape[:2], start.actions.shape[1])
    if policy.shape != shape:
        raise ValueError(f"policy must have shape (K, G, n) = {shape}, but has {policy.shape}")
    rng = np.random.default_rng([check_integer(seed, "seed", 0), 5])
    with seeded(rng):
        heads = Critic(start)
    device = device_of()
    network = nn.ModuleList([moving, heads]).to(device)
    target = copy.deepcopy(network).requires_grad_(False)
    screens = torch.tensor(images, device=device)
    tokens = torch.tensor(np.stack([task.tokens for task in tasks]), device=device)

    def loss(rng: np.random.Generator) -> Tensor:
        follow(target, network, critic.TAU)
        batch = steps.at(rng.integers(len(steps.screens), size=batch_size))
        drawn = draw_actions(policy[batch.screens, batch.tasks], rng.random(batch_size))
        told, after = tokens[batch.tasks], screens[batch.next_screens]
        here = features_of(moving, screens[batch.screens], told, batch.spots)
        both = torch.cat([screens[batch.screens], after])
        there = features_of(target[0], both, told.repeat(2, 1), drawn)
        # Positions in what was just computed: one row for each step, then one for what follows.
        rows, first = np.arange(len(drawn)), np.zeros(len(drawn), dtype=np.int64)
        batch = replace(
            batch, screens=rows, next_screens=len(rows) + rows, tasks=first, spots=first
        )
        return critic_loss(
            heads, target[1], here, there, batch, first, method="td", gamma=gamma
        )  # fmt: skip

    optimiser = torch.optim.Adam([
        {"params": heads.parameters(), "lr": critic.LEARNING_RATE},
        {"params": moving.parameters(), "lr": rate},
    ], fused=True)  # fmt: skip
    losses = train(
        nn.ModuleList([network, target]), optimiser, loss, num_updates=critic.NUM_UPDATES, rng=rng,
        checkpoint=checkpoint, progress=progress,
    )  # fmt: skip
    network.cpu()
    return EndToEnd(heads, features(moving, images, tasks), losses)


def features_of(
    encoder: Encoder, images: Tensor, instructions: Tensor, spots: np.ndarray
) -> Features:
    """Features (B, 1, d_s) of B screens with an instruction each, and (b, 1, d_a) of the first b
    screens with a spot each: (B, HEIGHT, WIDTH), (B, LENGTH) and (b,)."""
    seen = encoder.tokens(images)
    asked = torch.from_numpy(spots).to(seen.device)
    return Features(
        encoder.goal_stream(seen, instructions[:, None]),
        encoder.action_stream(seen[: len(spots)], asked[:, None]),
    )
