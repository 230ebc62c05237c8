"""The training loop of everything neural on the phone: seeded, and resumed where it stopped."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from qlearn_core.mdp import check_integer, check_rng

from .files import write_atomically

CHECKPOINT_EVERY = 200  # updates


def device_of() -> torch.device:
    """Where an encoder is trained: on a GPU if there is one. Heads alone are faster without."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


@contextmanager
def seeded(rng: np.random.Generator):
    """Inside, torch draws what `rng` decides; outside, its global generator is as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(check_rng(rng).integers(2**63)))
        yield


def train(
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    loss: Callable[[np.random.Generator], Tensor],
    *,
    num_updates: int,
    rng: np.random.Generator,
    checkpoint: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> np.ndarray:
    """Updates of a network with the gradient of `loss(rng)`; returns the losses (num_updates,).

    With a `checkpoint` the network, the optimiser, the generator and the losses are written there
    every CHECKPOINT_EVERY updates and at the end. If the file exists, training goes on from it, and
    ends with the bits that it would have ended with. Raises ValueError for num_updates < 0, for a
    damaged file and for one of another network.
    """
    num_updates = check_integer(num_updates, "num_updates", 0)
    losses: list[float] = []
    if checkpoint is not None and checkpoint.exists():
        losses = _restore(checkpoint, network, optimiser, rng)
    while len(losses) < num_updates:
        optimiser.zero_grad()
        value = loss(rng)
        value.backward()
        optimiser.step()
        losses.append(value.item())
        done = len(losses)
        if done % CHECKPOINT_EVERY == 0 or done == num_updates:
            if checkpoint is not None:
                _save(checkpoint, network, optimiser, rng, losses)
            progress(done, num_updates)
    return np.array(losses[:num_updates])


def _save(path: Path, network, optimiser, rng, losses: list[float]) -> None:
    content = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "rng": json.dumps(rng.bit_generator.state),
        "losses": losses,
    }
    write_atomically(path, lambda file: torch.save(content, file))


def _restore(path: Path, network, optimiser, rng) -> list[float]:
    try:
        content = torch.load(path, weights_only=True)
        network.load_state_dict(content["network"])
        optimiser.load_state_dict(content["optimiser"])
        rng.bit_generator.state = json.loads(content["rng"])
        return content["losses"]
    except (RuntimeError, ValueError, KeyError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged or of another training: {error}") from error
