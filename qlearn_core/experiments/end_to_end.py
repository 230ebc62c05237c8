"""Frozen features against an encoder that learns, from what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .device_end_to_end import RATES
from .device_orderings import FOUR, interval, intervals, verdict
from .results import load

MEASURES = {
    "success": "success",
    "ranking": "ranking",
    "rms error": "rmse",
    "distance of the two critics": "spread",
}


@dataclass(frozen=True)
class Rates:
    """One measure of the TD critic at every rate of its encoder; rate 0 is frozen."""

    measure: str
    rates: np.ndarray  # (4,)
    values: np.ndarray  # (seed, 4)
    means: np.ndarray  # (4,)
    low: np.ndarray  # (4,) the ends of the 95% interval of the mean
    high: np.ndarray
    num_diverged: int  # runs, of all that moved
    largest: np.ndarray  # (4,) mean of the greatest |Q|, where q is in [0, 1]
    moved: np.ndarray  # (4,) mean change of the features, relative to what they were
    best: float  # the rate > 0 with the best mean success
    lead: float  # frozen minus that one, in this measure
    lead_interval: tuple[float, float]
    success_verdict: str  # on the ordering that frozen features succeed more often


def rates(*, measure: str) -> Rates:
    """Raises ValueError for another measure."""
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {'; '.join(MEASURES)}, but is {measure!r}")
    values, best = at_rates(MEASURES[measure]), _best()
    lead = values[:, 0] - values[:, best]
    return Rates(
        measure, np.array(RATES), values, values.mean(axis=0), *intervals(values),
        int(at_rates("diverged").sum()), at_rates("largest").mean(axis=0),
        at_rates("moved").mean(axis=0), RATES[best], float(lead.mean()), interval(lead),
        verdict(frozen_lead()),
    )  # fmt: skip


def frozen_lead() -> np.ndarray:
    """(seed,) success with frozen features minus that at the encoder's best rate above 0."""
    success = at_rates("success")
    return success[:, 0] - success[:, _best()]


def _best() -> int:
    """The position of the rate > 0 with the best mean success."""
    return 1 + int(at_rates("success")[:, 1:].mean(axis=0).argmax())


def at_rates(metric: str) -> np.ndarray:
    """(seed, 4) a stored metric at every rate; of success, that with 4 candidates."""
    cells = [load("end_to_end").cell(rate=rate) for rate in RATES]
    columns = [cell[metric] for cell in cells]
    return np.stack([one[:, FOUR] if one.ndim == 2 else one for one in columns], axis=1)
