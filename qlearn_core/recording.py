"""At which update counts a run is recorded; every learner takes the same `record_at`."""

from __future__ import annotations

import numpy as np

DEFAULT_RECORDS = 200


def record_steps(record_at: np.ndarray | None, num_updates: int) -> np.ndarray:
    """record_at, checked: (K,) increasing integers between 0 and num_updates.

    None stands for about DEFAULT_RECORDS of them, spaced evenly on a log scale, both ends included.
    """
    if record_at is None:
        spaced = np.geomspace(1, num_updates, DEFAULT_RECORDS - 1)
        return np.unique(np.append(0, np.rint(spaced).astype(np.int64)))
    steps = np.array(record_at)
    increasing = (
        steps.ndim == 1
        and steps.size > 0
        and steps.dtype.kind in "iu"
        and (np.diff(steps.astype(np.int64)) > 0).all()
    )
    if not increasing or steps[0] < 0 or steps[-1] > num_updates:
        raise ValueError(
            f"record_at must be increasing integers between 0 and num_updates={num_updates}, "
            f"but is {record_at!r}"
        )
    return steps.astype(np.int64)
