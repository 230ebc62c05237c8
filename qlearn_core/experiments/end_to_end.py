"""Frozen features against an encoder that learns, from what was measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .device_end_to_end import RATES
from .device_orderings import interval, verdict
from .results import load

FOUR = 1  # the position of 4 among the numbers of candidates
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
    values, success = at_rates(MEASURES[measure]), at_rates("success")
    best = 1 + int(success[:, 1:].mean(axis=0).argmax())
    lead, ahead = (part[:, 0] - part[:, best] for part in (values, success))
    ends = np.array([interval(column) for column in values.T])
    return Rates(
        measure, np.array(RATES), values, values.mean(axis=0), ends[:, 0], ends[:, 1],
        int(at_rates("diverged").sum()), at_rates("largest").mean(axis=0),
        at_rates("moved").mean(axis=0), RATES[best], float(lead.mean()), interval(lead),
        verdict(ahead),
    )  # fmt: skip


def at_rates(metric: str) -> np.ndarray:
    """(seed, 4) a stored metric at every rate; of success, that with 4 candidates."""
    cells = [load("end_to_end").cell(rate=rate) for rate in RATES]
    columns = [cell[metric] for cell in cells]
    return np.stack([one[:, FOUR] if one.ndim == 2 else one for one in columns], axis=1)
