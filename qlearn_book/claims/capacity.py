"""The claim of the essay that the chapter on capacity examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import capacity as experiment


@claim(
    "capacity-no-cure",
    section="Function approximation",
    says="More capacity lowers the floor but does not restore the contraction.",
    figure="capacity",
)
def capacity_no_cure() -> Finding:
    """Cases: the families at 9 of 10 features, and all ten; lost where γ‖Π‖ exceeds 1."""
    curves = {family: experiment.capacity(0.9, family) for family in experiment.FAMILIES}
    polynomials, bins = curves["polynomials"], curves["bins"]
    without, with_constant = np.isinf(experiment.fates(0.99, 9).errors).sum(axis=1)
    lost = [bool(curve.norms[8] > 1) for curve in curves.values()]
    return Finding(
        judge(*lost, bool(polynomials.norms[9] > 1)),
        "At γ = 0.9 the best fit of polynomials falls from {:.3f} with 3 features to {:.3f} with "
        "9, while γ‖Π‖ goes from {:.2f} to {:.2f}; that of bins stays at {:.2f}. With 9 random "
        "features at γ = 0.99 {} of 20 drawings diverge, and {} when one feature is constant.",
        (
            float(polynomials.floors[2]), float(polynomials.floors[8]),
            float(polynomials.norms[2]), float(polynomials.norms[8]), float(bins.norms[8]),
            int(without), int(with_constant),
        ),
        "features are not bins and fewer than the pairs; and a lost contraction seldom diverges",
    )  # fmt: skip
