"""What networks learned on the layouts of the playable phone, as one small file beside this one.

`python -m qlearn_core.experiments.phone_critic` makes it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from qlearn_core.device.files import load_arrays, save_arrays

FILE = Path(__file__).resolve().parent / "phone_critic.npz"
#: Steps in which numbers are stored. That of pi moves exact values by 0.0005 at most.
STEPS = {"pi": 5e-4, "q": 1e-3, "v": 1e-3}
#: Numbers that are stored as they are.
ACCURACIES = ("rmse", "ranking")


@dataclass(frozen=True, eq=False)
class LearnedValues:
    """A behaviour policy and a critic of it, for L layouts, T tasks, S states and M moves.

    All moves that do nothing on a screen count as the first one, a click on nothing. A move that a
    screen does not offer has zeros.
    """

    pi: np.ndarray  # (L, T, S, M) the behaviour policy's chances of moves
    q: np.ndarray  # (L, T, S, M) what the critic says that a move is worth
    v: np.ndarray  # (L, T, S) what it says that a screen is worth; 0 after the end
    rmse: np.ndarray  # (seeds,) of such critics on test tasks, that of the first seed is shown
    ranking: np.ndarray  # (seeds,) the chance that they order two actions as the exact values do


def save(values: LearnedValues) -> None:
    """Write the file, rounded; whoever reads sees the old one or the new."""
    tables = {name: _planes(np.rint(getattr(values, name) / step)) for name, step in STEPS.items()}
    save_arrays(FILE, tables | {name: getattr(values, name) for name in ACCURACIES})
    load.cache_clear()


@lru_cache(maxsize=1)
def load() -> LearnedValues:
    """What is stored. Raises ValueError, naming the file, if it is damaged."""
    arrays = load_arrays(FILE, (*STEPS, *ACCURACIES))
    arrays |= {name: step * _numbers(arrays[name]) for name, step in STEPS.items()}
    arrays["pi"] /= arrays["pi"].sum(axis=-1, keepdims=True)  # rounding must not take chances away
    for array in arrays.values():
        array.flags.writeable = False
    return LearnedValues(**arrays)


def _planes(table: np.ndarray) -> np.ndarray:
    """(L, T, S, ...) as bytes (2, S, ..., L, T), low ones first: what is alike is side by side,
    which halves the file.
    """
    numbers = np.ascontiguousarray(np.moveaxis(table, (0, 1), (-2, -1)), dtype="<i2")
    return np.moveaxis(numbers[..., None].view(np.uint8), -1, 0)


def _numbers(planes: np.ndarray) -> np.ndarray:
    """The inverse of `_planes`."""
    numbers = np.ascontiguousarray(np.moveaxis(planes, 0, -1)).view("<i2")[..., 0]
    return np.moveaxis(numbers, (-2, -1), (0, 1))
