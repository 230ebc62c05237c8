"""Claims of the essay that the chapter on policy extraction examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments.device_verdicts import arm, best_of, judged

START = {"critic": "64 episodes", "scores": "learned"}


@claim(
    "more-candidates-better",
    section="Digi-Q: Best-of-N",
    says="Performance rises with every increase of N up to 16.",
    figure="extraction_candidates",
    at=START,
)
def more_candidates_better() -> Finding:
    """Cases: acting by the best of N with exact values; and with the learned critic, where 16
    candidates would have to be better than 4 beyond the interval.
    """
    exact = [arm("reranked", n, exact=True) for n in (1, 2, 4, 8, 16)]
    rises = all((np.diff(exact, axis=0) > 0).all(axis=1))
    fall = judged(7)
    learned = [float(arm("Best-of-N", n).mean()) for n in (1, 4, 16)]
    return Finding(
        judge(rises, fall.low > 0),
        "With exact values success rises from {:.2f} to {:.2f}, {:.3f} and {:.3f} for N = 1, 4, 8 "
        "and 16. With the critic from 64 episodes Best-of-N has {:.2f}, {:.2f} and {:.2f} for "
        "N = 1, 4 and 16; from 4 to 16 it changes by {:.2f} ({:.2f} to {:.2f}).",
        (
            *(float(exact[k].mean()) for k in (0, 2, 3, 4)),
            *(*learned, fall.mean, fall.low, fall.high),
        ),
        "where the values are exact; with a learned critic the ordering is reversed",
    )


@claim(
    "extraction-stable",
    section="Digi-Q: Best-of-N",
    says="Imitating the best of N actions avoids the instability of policy gradients and the "
    "caution of weighted regression.",
    figure="extraction_frontier",
    at=START,
)
def extraction_stable() -> Finding:
    """Cases: Best-of-N is ahead of AWR and of REINFORCE, each at its best value, with exact values;
    with the learned critic; and with that critic and networks in place of tables.
    """
    exact = [best_of(name, exact=True)[1] for name in ("Best-of-N", "AWR", "REINFORCE")]
    regression, gradient = judged(8), judged(9)
    networks = judged(16), judged(17)
    learned = [best_of(name)[1] for name in ("Best-of-N", "AWR", "REINFORCE")]
    return Finding(
        judge(
            exact[0].mean() > exact[1].mean(),
            exact[0].mean() > exact[2].mean(),
            regression.low > 0,
            gradient.low > 0,
            *(one.low > 0 for one in networks),
        ),
        "With exact values Best-of-N reaches {:.3f}, AWR {:.3f} and REINFORCE {:.3f}. With the "
        "critic from 64 episodes {:.2f}, {:.2f} and {:.2f}: Best-of-N minus AWR is {:.2f} ({:.2f} "
        "to {:.2f}), minus REINFORCE {:.2f} ({:.2f} to {:.2f}); as networks "
        "{:.2f} ({:.2f} to {:.2f}) and {:.2f} ({:.2f} to {:.2f}).",
        (
            *(float(one.mean()) for one in (*exact, *learned)),
            *(regression.mean, regression.low, regression.high),
            *(gradient.mean, gradient.low, gradient.high),
            *(number for one in networks for number in (one.mean, one.low, one.high)),
        ),
        "where the values are exact, and for networks against the gradient; with a learned critic "
        "tables reverse both orderings, and AWR is ahead in either form",
    )
