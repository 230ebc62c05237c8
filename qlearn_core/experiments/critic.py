"""TD against Monte Carlo on the phone, and the settings of TD: what was measured, as stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qlearn_core.device.critic import LEARNING_RATE, TAU

from .device_orderings import FOUR, interval, intervals
from .device_targets import THROUGH
from .results import Cell, load


@dataclass(frozen=True)
class Measured:
    """Success of the best-scored of N candidates, for each of `CANDIDATES`, over the seeds."""

    td: np.ndarray  # (3,) means
    mc: np.ndarray
    exact: np.ndarray
    td_interval: np.ndarray  # (2, 3) of the mean, 95%
    mc_interval: np.ndarray
    lead: float  # of TD with 4 candidates
    lead_interval: tuple[float, float]
    ranking: np.ndarray  # (2,) means, TD first


def measured(*, num_episodes: int, chance: float) -> Measured:
    """By data and chance, from the stored results. ValueError for a setting that was not run."""
    settings = {"num_episodes": num_episodes, "chance": chance, "encoder": "places"}
    return _measured(load("td_against_mc").cell(**settings))


def by_horizon(*, gamma: float, limit: int) -> Measured:
    """By the discount and the length of the episodes, with 64 of them and the usual chance.

    From the stored results. Raises ValueError for a setting that was not run.
    """
    return _measured(load("horizon").cell(gamma=gamma, limit=limit))


def _measured(cell: Cell) -> Measured:
    td, mc = np.moveaxis(cell["success"], 1, 0)
    ahead = td[:, FOUR] - mc[:, FOUR]
    return Measured(
        td.mean(axis=0), mc.mean(axis=0), cell["exact"].mean(axis=0), intervals(td), intervals(mc),
        float(ahead.mean()), interval(ahead), cell["ranking"].mean(axis=0),
    )  # fmt: skip


@dataclass(frozen=True)
class Leads:
    """TD and Monte Carlo in one measure, for each seed."""

    features: str
    measure: str
    td: np.ndarray  # (seed,)
    mc: np.ndarray
    lead: float  # the mean of td − mc
    lead_interval: tuple[float, float]


MEASURES = {"success": "success", "ranking": "ranking", "rms error": "rmse"}


def leads(*, features: str, measure: str) -> Leads:
    """With 64 episodes and the usual chance, success with 4 candidates, from the stored results.

    Raises ValueError for features or a measure that is not there.
    """
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {', '.join(MEASURES)}, but is {measure!r}")
    settings = {"num_episodes": 64, "chance": 1.0, "encoder": features}
    values = load("td_against_mc").cell(**settings)[MEASURES[measure]]
    if values.ndim == 3:
        values = values[:, :, FOUR]
    difference = values[:, 0] - values[:, 1]
    return Leads(
        features, measure, values[:, 0], values[:, 1], float(difference.mean()),
        interval(difference),
    )  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """A TD critic with one setting of its training, means over the seeds."""

    tau: float
    alpha: float  # the learning rate
    success: np.ndarray  # (3,) for each of `CANDIDATES`
    interval: np.ndarray  # (2, 3) of these means, 95%
    usual: np.ndarray  # (3,) with τ and the learning rate of all other experiments
    ranking: float
    rmse: float
    spread: float  # mean distance of the two critics
    num_diverged: int


def trained(*, tau: float, alpha: float) -> Trained:
    """From the stored results. Raises ValueError for a setting that was not run."""
    cell, usual = (
        load("targets").cell(through="V", tau=one, learning_rate=rate)
        for one, rate in ((tau, alpha), (TAU, LEARNING_RATE))
    )
    ranking, rmse, spread = (float(cell[name].mean()) for name in ("ranking", "rmse", "spread"))
    return Trained(
        tau, alpha, cell["success"].mean(axis=0), intervals(cell["success"]),
        usual["success"].mean(axis=0), ranking, rmse, spread, int(cell["diverged"].sum()),
    )  # fmt: skip


@dataclass(frozen=True)
class ByTau:
    """One measure against τ, for targets through V and through Q, at the usual learning rate."""

    measure: str
    taus: np.ndarray  # (T,)
    means: np.ndarray  # (2, T)
    ends: np.ndarray  # (2, 2, T) of the 95% intervals of the means


TARGET_MEASURES = MEASURES | {"distance of the two critics": "spread"}


def by_tau(*, measure: str) -> ByTau:
    """Success with 4 candidates, from the stored results. ValueError for another measure."""
    if measure not in TARGET_MEASURES:
        raise ValueError(f"measure must be one of {'; '.join(TARGET_MEASURES)}, but is {measure!r}")
    taus = sorted({cell.settings["tau"] for cell in load("targets").cells})
    found = [np.stack([at_target(name, tau, measure) for tau in taus], axis=1) for name in THROUGH]
    return ByTau(
        measure, np.array(taus), np.mean(found, axis=1),
        np.stack([intervals(one) for one in found], axis=1),
    )  # fmt: skip


def at_target(through: str, tau: float, measure: str) -> np.ndarray:
    """(seed,) one of `TARGET_MEASURES` at the usual learning rate."""
    cell = load("targets").cell(through=through, tau=tau, learning_rate=LEARNING_RATE)
    values = cell[TARGET_MEASURES[measure]]
    return values[:, FOUR] if values.ndim == 2 else values
