"""Claims of the essay that the chapter on TD against Monte Carlo examines."""

from __future__ import annotations

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import critic as experiment
from qlearn_core.experiments.device_verdicts import judged


@claim(
    "variance-decides",
    section="Digi-Q: TD learning and Monte Carlo",
    says="TD learning is ahead because its targets vary less, which matters more for ranking "
    "actions than their bias.",
    figure="critic_table",
    at={"num_episodes": 64, "limit": 120},
)
def variance_decides() -> Finding:
    """Cases: TD is ahead with 64 episodes, in success and in ranking, and still is in a table
    whose returns are not cut off; its lead shrinks with more data; it shrinks with less chance.
    """
    ahead, less, calm, ranks = (judged(k) for k in (0, 1, 2, 3))
    cut, whole = (
        experiment.tabular(gamma=0.95, num_episodes=64, chance=1.0, limit=limit)
        for limit in (15, 120)
    )
    return Finding(
        judge(
            ahead.low > 0,
            ranks.low > 0,
            whole.success[0] > whole.success[1],
            less.low > 0,
            calm.low > 0,
        ),
        "With 64 episodes TD leads by {:.2f} in success ({:.2f} to {:.2f}) and by {:.2f} in "
        "ranking; the lead is {:.2f} smaller with 512 episodes and {:.2f} ({:.2f} to {:.2f}) "
        "smaller without chance in the phone. In a table Monte Carlo reaches {:.2f} and TD {:.2f}; "
        "where no return is cut off, {:.2f} and {:.2f}.",
        (
            *(ahead.mean, ahead.low, ahead.high, ranks.mean, less.mean),
            *(calm.mean, calm.low, calm.high),
            *map(float, (*cut.success[::-1], *whole.success[::-1])),
        ),
        "with little data, and not because of the phone's chance alone; with networks and returns "
        "that are cut off, Monte Carlo is the estimate with the larger bias",
    )
