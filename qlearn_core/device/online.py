"""Rounds of self-improvement: collect with the latest policy, train the critic again, extract.

Policies are tables (K, G, n) over all screens, instructions and spots. π_0 = β, and in round k

    data_k   what the arm allows of D_0 ~ β, D_1 ~ π_1, ..., D_{k−1} ~ π_{k−1},
    Q_k, V_k ← TD on data_k with a' ~ π_{k−1},
    π_k      = the best of N draws from μ by S_k, kept where S_k > V_k, normalised; where nothing
               is kept, π_{k−1} stays.

The candidates come from μ = π_{k−1}, and the policy may move on in every round, or from μ = β, and
it stays near home. The scores are pessimistic,

    S_k = mean Q_k − κ spread Q_k,

with the mean and the standard deviation over the copies of the critic. Of two copies a and b these
are (a + b) / 2 and |a − b| / 2: κ = 0 is their mean, κ = 1 is the lesser of the two.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from qlearn_core.mdp import check_real

from .critic import Transitions
from .extraction import at_pixels, best_of_n, optimum, positive_advantage
from .rollouts import Agent, Situations
from .settings import PhoneSettings

#: What an arm trains on: only D_0, only the latest data, or all data so far.
COLLECTIONS = ("none", "fresh", "mixed")
#: Where candidates come from: π_{k−1} or β.
PROPOSALS = ("latest", "behaviour")


def acting(table: np.ndarray, settings: PhoneSettings) -> Agent:
    """The agent that acts by a policy (K, G, n): a cell is clicked at any of its pixels alike."""

    def answer(seen: Situations) -> np.ndarray:
        return at_pixels(settings, table[seen.screens, seen.tasks])

    return answer


def joined(parts: list[Transitions]) -> Transitions:
    """All steps of several data sets in one."""
    return Transitions(*(
        np.concatenate([getattr(part, field.name) for part in parts])
        for field in fields(Transitions)
    ))  # fmt: skip


def allowed(collection: str, parts: list[Transitions]) -> Transitions:
    """What an arm trains on, of the data of all rounds. Raises ValueError for another arm."""
    if collection not in COLLECTIONS:
        raise ValueError(
            f"collection must be one of {', '.join(COLLECTIONS)}, but is {collection!r}"
        )
    if collection == "mixed":
        return joined(parts)
    return parts[0] if collection == "none" else parts[-1]


def pessimistic(q: np.ndarray, kappa: float) -> np.ndarray:
    """(...) the mean minus κ standard deviations of the copies (COPIES, ...).

    Raises ValueError for a κ < 0.
    """
    check_real(kappa, "kappa", ">= 0", lambda x: x >= 0)
    return q.mean(axis=0) - kappa * q.std(axis=0)


def improved(
    policy: np.ndarray,
    proposals: np.ndarray,
    scores: np.ndarray,
    values: np.ndarray,
    num_candidates: int,
) -> np.ndarray:
    """(B, n) π_k from π_{k−1} (B, n), μ (B, n), scores (B, n) and values (B,).

    Raises ValueError as `best_of_n` does.
    """
    chances = best_of_n(scores, proposals, num_candidates)
    return optimum(positive_advantage(chances, scores - values[:, None]), policy)
