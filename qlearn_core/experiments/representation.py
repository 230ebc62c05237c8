"""What fine-tuning on change does: stored results, and the labels themselves, exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from qlearn_core.device.behaviour import SCRIPT
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import START, make_phone
from qlearn_core.device.screens import make_screens
from qlearn_core.device.settings import PhoneSettings

from .device import LAYOUT_SEED, TASK, script_policy
from .device_orderings import FOUR, intervals
from .results import load

TUNINGS = ("none", "change", "shuffled")
MEASURES = {
    "share of the action": "action_share",
    "ranking": "ranking",
    "success, N = 4": "success",
    "rms error": "rmse",
}
THRESHOLDS = np.linspace(0, 80, 81)  # grey levels


@dataclass(frozen=True)
class Tunings:
    """One measure of a TD critic on an encoder, for each of `TUNINGS` that was run."""

    encoder: str
    measure: str
    tunings: tuple[str, ...]
    values: np.ndarray  # (len(tunings), seed)
    intervals: np.ndarray  # (len(tunings), 2) of the means, 95%
    truth: float | None  # the same measure of q_β, where it is a property of values


def tunings(*, encoder: str, measure: str) -> Tunings:
    """From the stored results. Raises ValueError for a measure or an encoder that is not there."""
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}, but is {measure!r}")
    results = load("representation")
    cells = [cell for cell in results.cells if cell.settings["encoder"] == encoder]
    if not cells:
        known = dict.fromkeys(cell.settings["encoder"] for cell in results.cells)
        raise ValueError(f"encoder must be one of {', '.join(known)}, but is {encoder!r}")
    values = np.array([cell[MEASURES[measure]] for cell in cells])
    if values.ndim == 3:
        values = values[:, :, FOUR]
    truth = cells[0]["true_share"].mean() if measure == "share of the action" else None
    return Tunings(
        encoder, measure, tuple(cell.settings["tuning"] for cell in cells), values,
        intervals(values.T).T, truth,
    )  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """Shares of all actions of a script, for each of `THRESHOLDS`."""

    noise: float
    threshold: float
    labelled: np.ndarray  # (T,) whose screens before and after differ by the threshold or more
    missed: np.ndarray  # (T,) whose state changed and whose label says no
    false: np.ndarray  # (T,) whose state did not change and whose label says yes
    changed: float  # whose state changed


def labels(*, noise: float, threshold: float) -> Labels:
    """Over hidden states, moves and frames, as often as a script meets them within an episode."""
    distances, weights, changed = _distances(noise)
    above = distances[:, None] >= THRESHOLDS
    return Labels(
        noise, threshold, weights @ above, (weights * changed) @ ~above,
        (weights * ~changed) @ above, float(weights @ changed),
    )  # fmt: skip


@lru_cache(maxsize=8)
def _distances(noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distances of screens before and after an action, their chances, and whether states differ.

    One entry for each transition that can happen and each two frames.
    """
    phone = make_phone(replace(PhoneSettings(), noise=noise))
    screens = make_screens(phone, make_layouts(phone.settings, 1, seed=LAYOUT_SEED)[0])
    step = np.einsum("sm,smt->st", script_policy(screens, TASK, SCRIPT), phone.dynamics.P)
    step[phone.dynamics.terminal] = 0.0
    here, total = np.eye(len(step))[START], np.zeros(len(step))
    for _ in range(phone.settings.horizon):
        total += here
        here = here @ step
    weights = total[:, None] * step
    before, after = np.nonzero(weights)
    flat = screens.images.reshape(*screens.images.shape[:2], -1).astype(float)  # (S, F, P)
    frames, pixels = flat.shape[1:]
    squares = (flat**2).sum(axis=2)
    products = np.matmul(flat[before], flat[after].transpose(0, 2, 1))  # (E, F, F)
    square = squares[before][:, :, None] + squares[after][:, None, :] - 2 * products
    distances = np.sqrt(np.maximum(square, 0.0) / pixels)
    share = np.repeat(weights[before, after] / weights.sum() / frames**2, frames**2)
    return distances.ravel(), share, np.repeat(before != after, frames**2)
