"""The behaviour policy: a small network that reads screens, cloned from a fumbling script.

    ψ = argmin E [ −log π_ψ(a | screen, instruction) ],   (screen, a) from the script's episodes

The script is watched on other layouts than those the clone is used on, so that the clone must
read where things are, which it does imperfectly. (Behaviour cloning: Pomerleau 1988.)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .glyphs import CELL
from .layouts import HEIGHT, NUM_PIXELS, WIDTH, make_layouts
from .phone import make_phone
from .rollouts import Trajectories, roll_out
from .screens import actions, make_screens
from .script import Script
from .settings import PhoneSettings
from .tasks import LENGTH, VOCABULARY, split
from .training import seeded, train

#: What the clone watches and how long it learns.
SCRIPT = Script(skill=0.65)
DEMONSTRATION_LAYOUTS, DEMONSTRATION_SEED = 40, 1_000_000
NUM_DEMONSTRATIONS = 2_000
NUM_UPDATES, BATCH_SIZE, LEARNING_RATE = 800, 128, 5e-3

CHANNELS, WORD, DEPTH = 32, 16, 2


class PolicyNetwork(nn.Module):
    """(B, HEIGHT, WIDTH) uint8 screens and (B, LENGTH) instructions -> (B, A) logits.

    Every cell becomes a vector; two layers mix it with its neighbours, scaled and shifted by the
    instruction; each cell answers for its own pixels, all together for the words and the keys.
    """

    def __init__(self, settings: PhoneSettings) -> None:
        super().__init__()
        num_others = len(actions(settings)) - NUM_PIXELS
        size = LENGTH * WORD
        self.words = nn.Embedding(len(VOCABULARY), WORD)
        self.look = nn.Conv2d(1, CHANNELS, 3 * CELL, stride=CELL, padding=CELL)
        self.mix = nn.ModuleList(nn.Conv2d(2 * CHANNELS, CHANNELS, 1) for _ in range(DEPTH))
        self.goal = nn.ModuleList(nn.Linear(size, 2 * CHANNELS) for _ in range(DEPTH))
        self.clicks = nn.Conv2d(CHANNELS, 1, 1)
        self.others = nn.Sequential(
            nn.Linear(CHANNELS + size, CHANNELS), nn.ReLU(), nn.Linear(CHANNELS, num_others)
        )

    def forward(self, images: Tensor, instructions: Tensor) -> Tensor:
        goal = self.words(instructions).flatten(1)  # (B, LENGTH·WORD)
        grey = images.flatten(1).float()
        contrast = (grey - grey.median(dim=1, keepdim=True).values).abs() / 128
        x = torch.relu(self.look(contrast.view(-1, 1, HEIGHT, WIDTH)))  # (B, CHANNELS, rows, cols)
        for mix, steer in zip(self.mix, self.goal, strict=True):
            scale, shift = steer(goal)[:, :, None, None].chunk(2, dim=1)
            row = x.amax(dim=3, keepdim=True).expand_as(x)
            x = x + torch.relu(mix(torch.cat([x, row], dim=1)) * (1 + scale) + shift)
        whole = torch.cat([x.amax(dim=(2, 3)), goal], dim=1)
        clicks = self.clicks(x).repeat_interleave(CELL, 2).repeat_interleave(CELL, 3).flatten(1)
        return torch.cat([clicks - 2 * math.log(CELL), self.others(whole)], dim=1)

    def policy(self, images: np.ndarray, instructions: np.ndarray) -> np.ndarray:
        """(B, A) float32 probabilities: the network as a `Policy`."""
        with torch.no_grad():
            return torch.softmax(
                self(torch.tensor(images), torch.from_numpy(instructions)), dim=1
            ).numpy()


def demonstrations(settings: PhoneSettings, *, seed: int) -> Trajectories:
    """Episodes of the script on training tasks, on layouts that are kept for this."""
    phone = make_phone(settings)
    layouts = make_layouts(settings, DEMONSTRATION_LAYOUTS, seed=DEMONSTRATION_SEED)
    screens = tuple(make_screens(phone, layout) for layout in layouts)
    tasks, _ = split(settings)
    return roll_out(
        screens, tasks, SCRIPT.agent(screens, tasks), num_episodes=NUM_DEMONSTRATIONS,
        rng=np.random.default_rng([seed, 0]),
    )  # fmt: skip


def clone(
    settings: PhoneSettings,
    shown: Trajectories,
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PolicyNetwork:
    """A network that imitates what is shown, every action that was taken counting alike.

    Deterministic on one machine with one number of threads. Raises ValueError as `train` does.
    """
    rng = np.random.default_rng([seed, 1])
    with seeded(rng):
        network = PolicyNetwork(settings)
    images, instructions, taken = (torch.from_numpy(x) for x in _examples(shown))
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)

    def loss(rng: np.random.Generator) -> Tensor:
        batch = torch.from_numpy(rng.integers(len(taken), size=BATCH_SIZE))
        return nn.functional.cross_entropy(
            network(images[batch], instructions[batch]), taken[batch]
        )

    train(
        network, optimiser, loss, num_updates=NUM_UPDATES, rng=rng, checkpoint=checkpoint,
        progress=progress,
    )  # fmt: skip
    return network


def _examples(shown: Trajectories) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, ...) screens, instructions and actions of all actions that were taken."""
    episode, time = np.nonzero(shown.taken)
    return (
        shown.images[shown.screens[episode, time]],
        shown.instructions[episode],
        shown.actions[episode, time].astype(np.int64),
    )
