"""The online loop on the phone, from what was measured: means over the seeds, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.online import COLLECTIONS

from .device_online import NUM_ROUNDS
from .device_orderings import interval, verdict
from .results import load

DIVERGENCE = "divergence from β"
ROUNDS = np.arange(NUM_ROUNDS + 1)
#: What a reader may look at: the metric and, where it has two sides, which of them.
MEASURES = {
    "success on test tasks": ("success", 1),
    "success on training tasks": ("success", 0),
    "shift of the situations": ("shift", None),
    DIVERGENCE: ("divergence", None),
}
#: Where candidates come from and how they are scored: proposals and κ.
VARIANTS = {
    "of the latest policy, by the mean": ("latest", 0.0),
    "of the latest policy, by the lesser": ("latest", 1.0),
    "of β, by the mean": ("behaviour", 0.0),
    "of β, by the lesser": ("behaviour", 1.0),
}
PLAIN = "of the latest policy, by the mean"


@dataclass(frozen=True)
class Rounds:
    """One measure of all three collections in a variant, in the order of `COLLECTIONS`."""

    measure: str
    variant: str
    means: np.ndarray  # (3, R + 1)
    low: np.ndarray  # (3, R + 1) the ends of the 95% interval of the mean
    high: np.ndarray
    lead: float  # after the last round, "mixed" minus "none"
    lead_interval: tuple[float, float]
    lead_verdict: str


def rounds(*, measure: str, variant: str) -> Rounds:
    """Raises ValueError for another measure or variant."""
    _check("measure", measure, MEASURES)
    found = np.stack([of_measure(measure, name, variant) for name in COLLECTIONS])
    ends = np.array([[interval(column) for column in one.T] for one in found])
    lead = found[COLLECTIONS.index("mixed"), :, -1] - found[COLLECTIONS.index("none"), :, -1]
    return Rounds(
        measure, variant, found.mean(axis=1), ends[..., 0], ends[..., 1],
        float(lead.mean()), interval(lead), verdict(lead),
    )  # fmt: skip


def of_measure(measure: str, collection: str, variant: str) -> np.ndarray:
    """(seed, R + 1) one of the `MEASURES`."""
    metric, side = MEASURES[measure]
    values = of_metric(metric, collection, variant)
    return values if side is None else values[:, side]


def of_metric(metric: str, collection: str, variant: str) -> np.ndarray:
    """(seed, ...) a stored metric. Raises ValueError for another collection or variant."""
    _check("collection", collection, COLLECTIONS)
    _check("variant", variant, VARIANTS)
    proposals, kappa = VARIANTS[variant]
    cell = load("online").cell(collection=collection, proposals=proposals, kappa=kappa)
    return cell[metric]


@dataclass(frozen=True)
class Errors:
    """Of the critic in each round: where β goes ("familiar") and where π_k goes ("novel")."""

    collection: str
    variant: str
    rms: np.ndarray  # (2, R) means over the seeds
    low: np.ndarray  # (2, R) the ends of the 95% interval of the mean
    high: np.ndarray
    bias: np.ndarray  # (2, R) means of Q − q
    apart: tuple[float, float]  # the 95% interval of novel − familiar in the last round


def errors(*, collection: str, variant: str) -> Errors:
    """Raises ValueError for another collection or variant."""
    rms, bias = (of_metric(metric, collection, variant) for metric in ("error", "bias"))
    ends = np.array([[interval(column) for column in rms[:, side].T] for side in range(2)])
    return Errors(
        collection, variant, rms.mean(axis=0), ends[..., 0], ends[..., 1], bias.mean(axis=0),
        interval(rms[:, 1, -1] - rms[:, 0, -1]),
    )  # fmt: skip


def _check(name: str, value: str, known) -> None:
    if value not in known:
        raise ValueError(f"{name} must be one of {'; '.join(known)}, but is {value!r}")
