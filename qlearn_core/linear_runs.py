"""What every run of a linear method hands back: its weights, its errors and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .mdp import TabularMDP
from .planning import optimal_q

DIVERGED = 1e6  # Bellman errors of this many times the scale of the problem have left it for good

Status = Literal["finished", "converged", "cycling", "diverged", "undecided"]


@dataclass(frozen=True)
class LinearRun:
    """A run, seen at K chosen updates; it ends early when its fate is clear.

    "diverged": a Bellman error (a sampled run: a TD error) exceeded 1e6 times the scale, which is
    the larger of max|r|/(1−γ) and max|Φ w0|, at update `diverged_at`. A sampled run that has not
    is "finished". An expected one is
    "converged" when a step, divided by α, was at most (1−γ) 1e-10 of the scale,
    "cycling" when the last two quarters of the run fill the same box, whose size is not 0, and
    "undecided" when none of these happened within the updates given, as near a threshold.
    """

    w: np.ndarray  # (d,) the last weights
    q: np.ndarray  # (S, A) the table Φ w
    steps: np.ndarray  # (K,) int, update counts at which the run was recorded; the last one ends it
    errors: np.ndarray  # (K,) ‖Φ w − q*‖_∞ at these counts
    weights: np.ndarray  # (K, d) w at these counts
    status: Status
    diverged_at: int | None


def problem_scale(mdp: TabularMDP, phi: np.ndarray, w0: np.ndarray, gamma: float) -> float:
    """The larger of max|r|/(1−γ), which bounds |q*|, and max|Φ w0|; 1 where both are 0."""
    return max(np.abs(mdp.r).max() / (1 - gamma), np.abs(phi @ w0).max()) or 1.0


def close_run(
    mdp: TabularMDP,
    phi: np.ndarray,
    w: np.ndarray,
    steps: np.ndarray,
    weights: np.ndarray,
    *,
    gamma: float,
    num_done: int,
    status: Status,
) -> LinearRun:
    """The record of a run that stopped at w after `num_done` updates, recorded at `steps`."""
    if not steps.size or steps[-1] < num_done:
        steps, weights = np.append(steps, num_done), np.vstack([weights, w])
    q_star = optimal_q(mdp, gamma=gamma).ravel()
    return LinearRun(
        w=w,
        q=(phi @ w).reshape(mdp.r.shape),
        steps=steps,
        errors=np.abs(weights @ phi.T - q_star).max(axis=1),
        weights=weights,
        status=status,
        diverged_at=num_done if status == "diverged" else None,
    )
