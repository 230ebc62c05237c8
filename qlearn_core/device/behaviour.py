"""The behaviour policy: a small network that reads screens, cloned from a fumbling script.

    minimise E [ −Σ_a β(a | hidden state) log π(a | screen, instruction) ]

over the screens of the script β's episodes. The script is watched on other layouts than those the
clone is used on, so that the clone must read where things are, which it does imperfectly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from qlearn_core.mdp import check_integer

from .glyphs import CELL
from .layouts import HEIGHT, NUM_PIXELS, WIDTH, make_layouts
from .phone import make_phone
from .rollouts import Agent, Situations, Trajectories, roll_out
from .screens import actions, make_screens
from .script import Script
from .settings import PhoneSettings
from .tasks import LENGTH, VOCABULARY, split
from .training import seeded, train

#: What the clone watches and how long it learns.
SCRIPT = Script(skill=0.64)
DEMONSTRATION_LAYOUTS, DEMONSTRATION_SEED = 40, 1_000_000
NUM_DEMONSTRATIONS = 500
NUM_UPDATES, BATCH_SIZE, LEARNING_RATE = 600, 64, 3e-3

CHANNELS, WORD, DEPTH = 48, 16, 2


class PolicyNetwork(nn.Module):
    """(B, HEIGHT, WIDTH) uint8 screens and (B, LENGTH) instructions -> (B, A) logits.

    Every cell sees itself and its neighbours, as contrast to the background. Two layers add what
    stands in its row, scaled and shifted by the instruction. Each cell then answers for its own
    pixels, all of them alike, and all cells together for the words and the keys.
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
        contrast = contrast.view(-1, 1, HEIGHT, WIDTH)
        x = torch.relu(self.look(contrast))  # (B, CHANNELS, ROWS, COLUMNS)
        for mix, steer in zip(self.mix, self.goal, strict=True):
            scale, shift = steer(goal)[:, :, None, None].chunk(2, dim=1)
            row = x.amax(dim=3, keepdim=True).expand_as(x)
            x = x + torch.relu(mix(torch.cat([x, row], dim=1)) * (1 + scale) + shift)
        whole = torch.cat([x.amax(dim=(2, 3)), goal], dim=1)
        clicks = self.clicks(x).repeat_interleave(CELL, 2).repeat_interleave(CELL, 3).flatten(1)
        return torch.cat([clicks - 2 * math.log(CELL), self.others(whole)], dim=1)

    def policy(self, images: np.ndarray, instructions: np.ndarray) -> np.ndarray:
        """(B, A) float32 probabilities: the network as a `Policy`."""
        # Copied: torch takes no arrays that are read-only, as those of `Screens` are.
        seen = torch.tensor(images), torch.tensor(instructions)
        with torch.no_grad():
            return torch.softmax(self(*seen), dim=1).numpy()


def demonstrations(settings: PhoneSettings, *, seed: int) -> tuple[Trajectories, Agent]:
    """Episodes of the script on training tasks, on layouts that are kept for this, and the script.

    Raises ValueError for a seed < 0.
    """
    phone = make_phone(settings)
    layouts = make_layouts(settings, DEMONSTRATION_LAYOUTS, seed=DEMONSTRATION_SEED)
    screens = tuple(make_screens(phone, layout) for layout in layouts)
    tasks, _ = split(settings)
    agent = SCRIPT.agent(screens, tasks)
    rng = np.random.default_rng([check_integer(seed, "seed", 0), 0])
    return roll_out(screens, tasks, agent, num_episodes=NUM_DEMONSTRATIONS, rng=rng), agent


def clone(
    settings: PhoneSettings,
    shown: Trajectories,
    agent: Agent,
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PolicyNetwork:
    """A network that imitates an agent on the screens of the episodes that are shown.

    The sum over a is exact, as if every screen came with any number of actions. Deterministic on
    one machine with one number of threads. Raises ValueError as `train` does.
    """
    rng = np.random.default_rng([seed, 1])
    with seeded(rng):
        network = PolicyNetwork(settings)
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    episodes, times = np.nonzero(shown.taken)

    def loss(rng: np.random.Generator) -> Tensor:
        picked = rng.integers(len(episodes), size=BATCH_SIZE)
        i, t = episodes[picked], times[picked]
        seen = Situations(
            shown.images[shown.screens[i, t]], shown.instructions[i], shown.layouts[i],
            shown.tasks[i], shown.states[i, t], shown.screens[i, t],
        )  # fmt: skip
        logits = network(torch.from_numpy(seen.images), torch.from_numpy(seen.instructions))
        return nn.functional.cross_entropy(logits, torch.from_numpy(agent(seen)).float())

    train(
        network, optimiser, loss, num_updates=NUM_UPDATES, rng=rng, checkpoint=checkpoint,
        progress=progress,
    )  # fmt: skip
    return network
