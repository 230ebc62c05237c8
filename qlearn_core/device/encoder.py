"""A stand-in for the vision-language model: features of a screen, an instruction and an action.

The cells of a screen are 48 tokens. A query made of the instruction and a query made of the action
each attend to them. What they read, added to the query, are the two streams of features:

    f(screen, instruction, action) = [goal stream (SIZE), action stream (SIZE)].

The first knows nothing of the action and the second nothing of the instruction. Frozen features are
therefore computed once for every (screen, instruction) and once for every (screen, spot).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .glyphs import CELL
from .layouts import COLUMNS, HEIGHT, NUM_PIXELS, ROWS, WIDTH
from .screens import Screens, actions
from .settings import PhoneSettings
from .tasks import LENGTH, VOCABULARY, Task

NUM_CELLS = ROWS * COLUMNS
SIZE, NUM_HEADS, DEPTH = 48, 4, 2
BATCH_SIZE = 256  # screens, when features are computed


def num_spots(settings: PhoneSettings) -> int:
    """n: the cells, the words and the keys. An encoder tells two pixels of a cell not apart."""
    return NUM_CELLS + len(actions(settings)) - NUM_PIXELS


def spot_of_action(settings: PhoneSettings) -> np.ndarray:
    """(A,) the spot of every action: the cell of a click, else a place after the cells."""
    cells = np.arange(NUM_CELLS).reshape(ROWS, COLUMNS)
    clicks = cells.repeat(CELL, axis=0).repeat(CELL, axis=1).ravel()
    return np.append(clicks, np.arange(NUM_CELLS, num_spots(settings)))


def action_of_spot(settings: PhoneSettings) -> np.ndarray:
    """(n,) the first action of every spot."""
    return np.unique(spot_of_action(settings), return_index=True)[1]


class Encoder(nn.Module):
    """The network of the module's first lines; all its parts can be trained."""

    def __init__(self, settings: PhoneSettings) -> None:
        super().__init__()
        self.look = nn.Conv2d(1, SIZE, 3 * CELL, stride=CELL, padding=CELL)
        self.places = nn.Embedding(NUM_CELLS, SIZE)
        self.mix = nn.ModuleList(nn.Linear(3 * SIZE, SIZE) for _ in range(DEPTH))
        self.words = nn.Embedding(LENGTH * len(VOCABULARY), SIZE)
        self.spots = nn.Embedding(num_spots(settings), SIZE)
        self.reads = nn.ModuleList(
            nn.MultiheadAttention(SIZE, NUM_HEADS, batch_first=True) for _ in range(2)
        )
        self.outs = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * SIZE, SIZE), nn.ReLU(), nn.Linear(SIZE, SIZE))
            for _ in range(2)
        )

    def tokens(self, images: Tensor) -> Tensor:
        """(B, HEIGHT, WIDTH) uint8 -> (B, NUM_CELLS, SIZE)."""
        grey = images.flatten(1).float()
        contrast = (grey - grey.median(dim=1, keepdim=True).values).abs() / 128
        x = torch.relu(self.look(contrast.view(-1, 1, HEIGHT, WIDTH)))  # (B, SIZE, ROWS, COLUMNS)
        x = x.permute(0, 2, 3, 1)
        for mix in self.mix:
            row = x.amax(dim=2, keepdim=True).expand_as(x)
            whole = x.amax(dim=(1, 2), keepdim=True).expand_as(x)
            x = x + torch.relu(mix(torch.cat([x, row, whole], dim=3)))
        return x.flatten(1, 2)

    def goal_stream(self, tokens: Tensor, instructions: Tensor) -> Tensor:
        """(B, NUM_CELLS, SIZE), (B, G, LENGTH) positions in the vocabulary -> (B, G, SIZE)."""
        where = torch.arange(LENGTH, device=tokens.device) * len(VOCABULARY)
        return self._stream(0, tokens, self.words(instructions + where).sum(dim=2))

    def action_stream(self, tokens: Tensor, spots: Tensor) -> Tensor:
        """(B, NUM_CELLS, SIZE), (B, n) spots -> (B, n, SIZE)."""
        return self._stream(1, tokens, self.spots(spots))

    def forward(self, images: Tensor, instructions: Tensor, spots: Tensor) -> Tensor:
        """(B, HEIGHT, WIDTH), (B, LENGTH), (B,) -> (B, 2·SIZE) features."""
        tokens = self.tokens(images)
        goal = self.goal_stream(tokens, instructions[:, None])
        return torch.cat([goal, self.action_stream(tokens, spots[:, None])], dim=2)[:, 0]

    def _stream(self, k: int, tokens: Tensor, query: Tensor) -> Tensor:
        keys = tokens + self.places.weight
        read, _ = self.reads[k](query, keys, keys, need_weights=False)
        return self.outs[k](torch.cat([query, read], dim=2))


@dataclass(frozen=True, eq=False)
class Features:
    """Frozen features of K screens: all that heads need to know of an encoder."""

    states: Tensor  # (K, G, d_s) float32, of every screen with every instruction
    actions: Tensor  # (K, n, d_a) float32, of every screen with every spot


def features(encoder: Encoder, images: np.ndarray, tasks: tuple[Task, ...]) -> Features:
    """Computed once for all heads. The position of an instruction is that of its task."""
    with torch.no_grad():
        goals = torch.tensor(np.stack([task.tokens for task in tasks]))
        spots = torch.arange(len(encoder.spots.weight))
        parts = []
        for k in range(0, len(images), BATCH_SIZE):
            tokens = encoder.tokens(torch.tensor(images[k : k + BATCH_SIZE]))
            parts.append((
                encoder.goal_stream(tokens, goals.expand(len(tokens), -1, -1)),
                encoder.action_stream(tokens, spots.expand(len(tokens), -1)),
            ))  # fmt: skip
        states, actions_ = zip(*parts, strict=True)
    return Features(torch.cat(states), torch.cat(actions_))


def oracle_features(screens: tuple[Screens, ...], tasks: tuple[Task, ...]) -> Features:
    """A control: the hidden state, the words of the instruction and the move, each as indicators.

    Screens are in the order of `rollouts.all_images`.
    """
    phone = screens[0].phone
    num_frames = phone.settings.num_frames
    hidden = torch.eye(phone.num_states).repeat_interleave(num_frames, 0).repeat(len(screens), 1)
    words = torch.zeros(len(tasks), len(VOCABULARY))
    for g, task in enumerate(tasks):
        words[g, task.tokens] = 1
    states = torch.cat([
        hidden[:, None].expand(-1, len(tasks), -1), words.expand(len(hidden), -1, -1),
    ], dim=2)  # fmt: skip
    moves = np.concatenate([
        one.moves[:, action_of_spot(phone.settings)].repeat(num_frames, axis=0) for one in screens
    ])  # fmt: skip
    return Features(states, torch.eye(phone.num_moves)[torch.from_numpy(moves).long()])
