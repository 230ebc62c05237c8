"""What the encoder learns before any reward: questions about screens, then what actions change.

Off the shelf, it answers questions about the screen, each stream by itself: which page, shop, word
and pattern it shows, what covers it, whether the search bar is open. With `places`, the action
stream is also asked what stands at its spot. Without, the spot is a distraction, and nothing makes
the features tell actions apart. How much pre-training asks about places is thus a choice that
decides comparisons, and not a detail.

Fine-tuning continues with one question on the transitions of the data (Bai et al.
2025): did the action change the screen? The label is the ℓ2 distance of the two screens,

    y_t = 1[ d(x_t, x_{t+1}) ≥ threshold ],    d(x, x') = √(1/P Σ_p (x_p − x'_p)²) in grey levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from qlearn_core.mdp import check_integer, check_real

from .behaviour import DEMONSTRATION_LAYOUTS, DEMONSTRATION_SEED
from .encoder import SIZE, Encoder, action_of_spot, num_spots, spot_of_action
from .layouts import make_layouts
from .phone import Phone, make_phone
from .rollouts import Trajectories, all_images
from .screens import make_screens
from .settings import PhoneSettings
from .tasks import all_tasks
from .training import seeded, train

#: How long pre-training and fine-tuning are.
NUM_UPDATES, NUM_FINE_TUNING, BATCH_SIZE, LEARNING_RATE = 600, 600, 64, 2e-3
NUM_FRAMES = 2  # frames of every screen that is asked about
THRESHOLD = 27.0  # grey levels


def untrained(settings: PhoneSettings, *, seed: int) -> Encoder:
    """A control, and where pre-training starts."""
    with seeded(np.random.default_rng([check_integer(seed, "seed", 0), 2])):
        return Encoder(settings)


def questions(phone: Phone) -> tuple[np.ndarray, tuple[int, ...]]:
    """(S, 6) the answers about every hidden state, and how many answers each question has."""
    columns = [np.unique(column, return_inverse=True) for column in zip(*phone.states, strict=True)]
    return np.stack([answer for _, answer in columns], axis=1), tuple(len(c) for c, _ in columns)


def off_the_shelf(
    settings: PhoneSettings,
    *,
    places: bool,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Encoder:
    """An encoder that has answered questions about the screens of other layouts than the data's.

    Hidden states, layouts, instructions and spots are drawn uniformly. Raises ValueError for a
    seed < 0 and as `train` does.
    """
    encoder = untrained(settings, seed=seed)
    settings = replace(settings, num_frames=min(NUM_FRAMES, settings.num_frames))
    phone = make_phone(settings)
    layouts = make_layouts(settings, DEMONSTRATION_LAYOUTS, seed=DEMONSTRATION_SEED)
    screens = tuple(make_screens(phone, layout) for layout in layouts)
    images = all_images(screens)
    moves = np.concatenate([one.moves[:, action_of_spot(settings)] for one in screens])
    answers, sizes = questions(phone)
    tokens = np.stack([task.tokens for task in all_tasks(settings)])
    rng = np.random.default_rng([seed, 3])
    with seeded(rng):
        heads = nn.ModuleList(nn.Linear(SIZE, sum(sizes)) for _ in range(2))
        at_spot = nn.Linear(SIZE, phone.num_moves)
    network = nn.ModuleList([encoder, heads, at_spot])

    def loss(rng: np.random.Generator) -> Tensor:
        k = rng.integers(len(images), size=BATCH_SIZE)
        goal = rng.integers(len(tokens), size=BATCH_SIZE)
        spot = rng.integers(num_spots(settings), size=BATCH_SIZE)
        page = k // settings.num_frames
        answer = torch.from_numpy(answers[page % phone.num_states])  # (B, 6)
        seen = encoder(*map(torch.from_numpy, (images[k], tokens[goal], spot)))
        streams = seen.split(SIZE, dim=1)
        total = sum(
            nn.functional.cross_entropy(logits, right)
            for head, stream in zip(heads, streams, strict=True)
            for logits, right in zip(head(stream).split(sizes, 1), answer.T, strict=True)
        )
        if places:
            right = torch.from_numpy(moves[page, spot]).long()
            total = total + len(sizes) * nn.functional.cross_entropy(at_spot(streams[1]), right)
        return total

    _fit(network, loss, NUM_UPDATES, rng, checkpoint, progress)
    return encoder


def screen_distances(data: Trajectories) -> np.ndarray:
    """(E, T) the distance d of the screens before and after every action; 0 after the end."""
    out = np.zeros(data.taken.shape)
    i, t = np.nonzero(data.taken)
    before, after = (data.images[data.screens[i, t + k]].astype(float) for k in (0, 1))
    out[i, t] = np.sqrt(np.square(after - before).mean(axis=(1, 2)))
    return out


def change_labels(data: Trajectories, *, threshold: float = THRESHOLD) -> np.ndarray:
    """(E, T) bool, the y_t of the module's first lines; False after the end of an episode.

    Raises ValueError for a threshold <= 0.
    """
    check_real(threshold, "threshold", "> 0", lambda x: x > 0)
    return screen_distances(data) >= threshold


def fine_tuned(
    encoder: Encoder,
    settings: PhoneSettings,
    data: Trajectories,
    labels: np.ndarray,
    *,
    seed: int,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Encoder:
    """A new encoder that started from this one and has learned to predict the labels (E, T).

    Raises ValueError for labels of another shape and as `train` does.
    """
    if labels.shape != data.taken.shape:
        raise ValueError(
            f"labels must have shape (E, T) = {data.taken.shape}, but have {labels.shape}"
        )
    rng = np.random.default_rng([check_integer(seed, "seed", 0), 4])
    with seeded(rng):
        tuned, head = Encoder(settings), nn.Linear(2 * SIZE, 1)
    tuned.load_state_dict(encoder.state_dict())
    episodes, times = np.nonzero(data.taken)
    spots = spot_of_action(settings)

    def loss(rng: np.random.Generator) -> Tensor:
        picked = rng.integers(len(episodes), size=BATCH_SIZE)
        i, t = episodes[picked], times[picked]
        seen = data.images[data.screens[i, t]], data.instructions[i], spots[data.actions[i, t]]
        logits = head(tuned(*map(torch.from_numpy, seen)))[:, 0]
        right = torch.from_numpy(labels[i, t]).float()
        return nn.functional.binary_cross_entropy_with_logits(logits, right)

    _fit(nn.ModuleList([tuned, head]), loss, NUM_FINE_TUNING, rng, checkpoint, progress)
    return tuned


def _fit(network: nn.Module, loss: Callable, num_updates: int, rng, checkpoint, progress) -> None:
    optimiser = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    train(
        network, optimiser, loss, num_updates=num_updates, rng=rng, checkpoint=checkpoint,
        progress=progress,
    )  # fmt: skip
