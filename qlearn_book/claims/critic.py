"""Claims of the essay that the chapter on TD against Monte Carlo examines."""

from __future__ import annotations

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.device.critic import TAU
from qlearn_core.experiments import critic_table as in_table
from qlearn_core.experiments.critic import at_target
from qlearn_core.experiments.device_orderings import interval
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
        in_table.tabular(gamma=0.95, num_episodes=64, chance=1.0, limit=limit)
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


@claim(
    "target-networks",
    section="Digi-Q: frozen representations",
    says="Slowly moving target networks reduce the instability of the target.",
    figure="critic_targets",
    at={"measure": "ranking"},
)
def target_networks() -> Finding:
    """Targets that follow at τ = 0.02 against τ = 1, the critic of one update before."""
    cases, numbers = _compared(("V", TAU), ("V", 1.0), ordering=14)
    return Finding(
        judge(*cases),
        "On the phone, in 1,000 updates, targets that follow at 0.02 lead over the critic of one "
        "update before by {:+.3f} ({:+.3f} to {:+.3f}) in ranking and by {:+.3f} ({:+.3f} to "
        "{:+.3f}) in success; two critics from different first weights are apart by {:.2f} and "
        "{:.2f}.",
        numbers,
        "in ranking and in success; but the two critics are farther apart, and without any copy no "
        "run diverges",
    )


@claim(
    "separate-value-critic",
    section="Digi-Q: frozen representations",
    says="A second critic for state values stabilises the training.",
    figure="critic_targets",
    at={"measure": "distance of the two critics"},
)
def separate_value_critic() -> Finding:
    """Targets through V against targets through a draw from Q, both at τ = 0.02."""
    cases, numbers = _compared(("V", TAU), ("Q", TAU), ordering=15)
    return Finding(
        judge(*cases),
        "On the phone, targets through V lead over targets through Q by {:+.3f} ({:+.3f} to "
        "{:+.3f}) in ranking and by {:+.3f} ({:+.3f} to {:+.3f}) in success; two critics from "
        "different first weights are apart by {:.2f} and {:.2f}.",
        numbers,
        "in ranking, by a hair; success is the same within its interval, and the two critics are "
        "farther apart",
    )


def _compared(
    better: tuple[str, float], worse: tuple[str, float], *, ordering: int
) -> tuple[tuple[bool, ...], tuple[float, ...]]:
    """Cases of a target against another, and their numbers: it ranks better, as was written down
    beforehand; it succeeds more often; two critics from different first weights are closer.
    """
    ranks = judged(ordering)
    success, apart = (
        [at_target(*target, measure) for target in (better, worse)]
        for measure in ("success", "distance of the two critics")
    )
    lead, closer = success[0] - success[1], apart[1] - apart[0]
    cases = ranks.low > 0, interval(lead)[0] > 0, interval(closer)[0] > 0
    return cases, (
        *(ranks.mean, ranks.low, ranks.high),
        *(float(lead.mean()), *interval(lead)),
        *(float(one.mean()) for one in apart),
    )
