"""The claim of the essay that the first chapter examines alone."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import intro as experiment


@claim(
    "depth-harder",
    section="Introduction",
    says="Of the two ways in which a task gets harder, depth costs more than width.",
    figure="depth_width",
)
def depth_harder() -> Finding:
    """Holds where a doubling costs at least a half more in depth than in width."""
    own_deeper, own_wider = _doubling("every entry", gamma=0.95)
    sup_deeper, sup_wider = _doubling("sup norm", gamma=0.5)
    return Finding(
        judge(own_deeper > 1.5 * own_wider, sup_deeper > 1.5 * sup_wider),
        "From 16 to 32 the updates grow {:.1f}-fold in depth and {:.1f}-fold in width; in the "
        "maximum norm at γ = 0.5 {:.1f}-fold and {:.1f}-fold.",
        (own_deeper, own_wider, sup_deeper, sup_wider),
        "in a table, counted in single updates, with each error relative to its own value",
    )


def _doubling(measure: str, *, gamma: float) -> tuple[float, float]:
    """Growth of the median updates from size 16 to 32, in depth and in width."""
    record = experiment.depth_width(
        gamma=gamma, alpha=0.5, tolerance=0.1, measure=measure, num_seeds=21
    )
    medians = (np.median(u, axis=0) for u in (record.depth_updates, record.width_updates))
    deeper, wider = (float(median[-1] / median[-2]) for median in medians)
    return deeper, wider
