"""The orderings written down beforehand against the stored results: differences and verdicts.

Where an ordering leaves a choice open, such as a temperature, each side has the value with the best
mean over the seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from qlearn_core.device.critic import TAU

from .critic import at_target
from .device_orderings import FOUR, ORDERINGS, Ordering, interval, verdict
from .end_to_end import frozen_lead
from .online import change_of, lead_of
from .results import load

USUAL = {"num_episodes": 64, "chance": 1.0, "encoder": "places"}
EXTRACTED = {"num_episodes": 64, "encoder": "places"}


@dataclass(frozen=True)
class Judgement:
    """An ordering and what became of it."""

    ordering: Ordering
    differences: tuple[float, ...]  # better − worse, one for each seed
    mean: float
    low: float  # the ends of the 95% interval of the mean
    high: float
    verdict: str


def lead(metric: str = "success", candidates: int = FOUR, **settings) -> np.ndarray:
    """(seed,) TD minus Monte Carlo in a metric of `td_against_mc`, with the usual settings."""
    td, mc = np.moveaxis(load("td_against_mc").cell(**USUAL | settings)[metric], 1, 0)
    return td[:, candidates] - mc[:, candidates] if td.ndim == 2 else td - mc


def tuned(metric: str, tuning: str, encoder: str = "pages") -> np.ndarray:
    """(seed,) a metric of `representation`; of success, that with 4 candidates."""
    values = load("representation").cell(encoder=encoder, tuning=tuning)[metric]
    return values[:, FOUR] if values.ndim == 2 else values


def arm(name: str, value: float, *, exact: bool = False, metric: str = "success", **settings):
    """(seed,) an arm of `extraction` at one of its values, with learned or with exact scores."""
    results = load("extraction")
    rows = list(zip(results.same["arms"], results.same["values"], strict=True))
    cell = results.cell(**EXTRACTED | settings)
    return cell[metric][:, int(exact), rows.index((name, value))]


def best_of(name: str, **settings) -> tuple[float, np.ndarray]:
    """The value of an arm of `extraction` with the best mean success, and that success (seed,)."""
    same = load("extraction").same
    values = [v for a, v in zip(same["arms"], same["values"], strict=True) if a == name]
    value = max(values, key=lambda v: arm(name, v, **settings).mean())
    return value, arm(name, value, **settings)


def ranking_lead(limit: int) -> np.ndarray:
    """(seed,) TD minus Monte Carlo in ranking, by the length of the episodes."""
    td, mc = load("horizon").cell(gamma=0.95, limit=limit)["ranking"].T
    return td - mc


def network(name: str) -> np.ndarray:
    """(seed,) success of a network on test tasks, at the arm's value with the best mean."""
    results = load("networks")
    (cell,) = results.cells
    rows = [row for row, arm in enumerate(results.same["arms"]) if arm == name]
    success = cell["success"][:, 1, 1]  # (seed, R)
    return success[:, max(rows, key=lambda row: success[:, row].mean())]


#: Position in ORDERINGS -> the differences.
DIFFERENCES: dict[int, Callable[[], np.ndarray]] = {
    0: lead,
    1: lambda: lead() - lead(num_episodes=512),
    2: lambda: lead() - lead(chance=0.0),
    3: lambda: lead("ranking"),
    4: lambda: tuned("action_share", "change") - tuned("action_share", "none"),
    5: lambda: tuned("success", "change") - tuned("success", "shuffled"),
    6: frozen_lead,
    7: lambda: arm("Best-of-N", 16) - arm("Best-of-N", 4),
    8: lambda: best_of("Best-of-N")[1] - best_of("AWR")[1],
    9: lambda: best_of("Best-of-N")[1] - best_of("REINFORCE")[1],
    10: lambda: lead_of("mixed", "none"),
    11: lambda: change_of("κ = 1"),
    12: lambda: change_of("candidates of β"),
    13: lambda: ranking_lead(8) - ranking_lead(30),
    14: lambda: at_target("V", TAU, "ranking") - at_target("V", 1.0, "ranking"),
    15: lambda: at_target("V", TAU, "ranking") - at_target("Q", TAU, "ranking"),
    16: lambda: network("Best-of-N") - network("AWR"),
    17: lambda: network("Best-of-N") - network("REINFORCE"),
}


def judged(position: int) -> Judgement:
    """What became of an ordering. Raises ValueError for a position that is not there."""
    if position not in DIFFERENCES:
        raise ValueError(f"position must be one of {sorted(DIFFERENCES)}, but is {position!r}")
    differences = DIFFERENCES[position]()
    low, high = interval(differences)
    return Judgement(
        ORDERINGS[position], tuple(differences.tolist()), float(differences.mean()), low, high,
        verdict(differences),
    )  # fmt: skip
