"""Step sizes of stochastic approximation: one formula, α(c) = scale / (1 + slope·c)^power.

The count c is n(s, a), the updates of that pair so far ("pair"), or t, all updates so far
("global"); both start at 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ._compile import jit
from .mdp import check_gamma, check_real


class Schedule(NamedTuple):
    """The numbers of a step size, in the form the compiled loops take."""

    scale: float
    slope: float
    power: float
    is_global: bool


@dataclass(frozen=True)
class StepSize:
    """α(c) = scale / (1 + slope·c)^power with 0 < scale <= 1 and slope, power >= 0."""

    scale: float
    slope: float
    power: float
    clock: Literal["pair", "global"]

    def __post_init__(self) -> None:
        check_real(self.scale, "scale", "in (0, 1]", lambda x: 0 < x <= 1)
        check_real(self.slope, "slope", ">= 0", lambda x: x >= 0)
        check_real(self.power, "power", ">= 0", lambda x: x >= 0)
        if self.clock not in ("pair", "global"):
            raise ValueError(f"clock must be 'pair' or 'global', but is {self.clock!r}")

    def at(self, count: int | np.ndarray) -> float | np.ndarray:
        """α after `count` earlier updates; a number or an array."""
        return self.scale / (1 + self.slope * count) ** self.power

    @property
    def name(self) -> str:
        """The formula as text, e.g. "1/(1+n)"."""
        count = "n" if self.clock == "pair" else "t"
        base = f"(1+{count})" if self.slope == 1 else f"(1+{self.slope:g}{count})"
        if self.power == 0 or self.slope == 0:
            return f"{self.scale:g}"
        if self.power == 1:
            return f"{self.scale:g}/{base}"
        return ("" if self.scale == 1 else f"{self.scale:g}") + f"{base}^-{self.power:g}"

    @property
    def schedule(self) -> Schedule:
        """The same numbers for the compiled loops."""
        return Schedule(
            float(self.scale), float(self.slope), float(self.power), self.clock == "global"
        )


@jit
def step_size(schedule, n, t):
    """α before the n-th update of a pair and the t-th of the run, both counted from 0."""
    count = t if schedule.is_global else n
    if schedule.power == 0.0:
        return schedule.scale
    if schedule.power == 1.0:  # pow() would cost more than the rest of the update
        return schedule.scale / (1.0 + schedule.slope * count)
    return schedule.scale / (1.0 + schedule.slope * count) ** schedule.power


def constant(alpha: float) -> StepSize:
    """α at every update. Raises ValueError for α outside (0, 1]."""
    alpha = check_real(alpha, "alpha", "in (0, 1]", lambda x: 0 < x <= 1)
    return StepSize(scale=alpha, slope=0.0, power=0.0, clock="pair")


def harmonic() -> StepSize:
    """1/(n+1) on the clock of the pair: every estimate is the mean of its targets.

    On a one-state loop n updates leave Γ(n+γ) / (Γ(γ) Γ(n+1)) ~ n^−(1−γ) of the error
    (Szepesvári 1998).
    """
    return StepSize(scale=1.0, slope=1.0, power=1.0, clock="pair")


def harmonic_global() -> StepSize:
    """1/(t+1) on the clock of the whole run, slower still by the number of pairs."""
    return StepSize(scale=1.0, slope=1.0, power=1.0, clock="global")


def polynomial(omega: float) -> StepSize:
    """(n+1)^−ω (Even-Dar & Mansour 2003). Raises ValueError unless ω > 0."""
    omega = check_real(omega, "omega", "> 0", lambda x: x > 0)
    return StepSize(scale=1.0, slope=1.0, power=omega, clock="pair")


def rescaled(gamma: float) -> StepSize:
    """1/(1 + (1−γ) n) (Wainwright 2019).

    On a one-state loop n updates leave the share γ / (1 + (1−γ)(n−1)) of the error. Raises
    ValueError for γ outside [0, 1).
    """
    return StepSize(scale=1.0, slope=1 - check_gamma(gamma), power=1.0, clock="pair")


def as_step_size(alpha: float | StepSize) -> StepSize:
    """A StepSize as it is, a number as `constant(alpha)`; ValueError for anything else."""
    return alpha if isinstance(alpha, StepSize) else constant(alpha)
