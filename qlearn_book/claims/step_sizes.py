"""Claims of the essay that the chapter on step sizes examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import step_sizes as experiment
from qlearn_core.step_sizes import (
    StepSize,
    constant,
    harmonic,
    harmonic_global,
    polynomial,
    rescaled,
)

NOISE = "Tabular case: martingale differences"


@claim(
    "step-size-trade-off",
    section="Tabular case",
    says="A larger step size learns faster and is noisier in the end.",
    figure="noise_floor",
)
def step_size_trade_off() -> Finding:
    """Holds if early errors fall and final errors rise with the constant step size."""
    alphas = (0.05, 0.1, 0.2, 0.5)
    early = [
        experiment.median_errors(0.9, 5, constant(alpha), "loop", 9, 0)[experiment.MARKS <= 500][-1]
        for alpha in alphas
    ]
    record = experiment.noise_floor(0.9, 5, 0.1)
    return Finding(
        judge(bool((np.diff(early) < 0).all()), bool((np.diff(record.floors) > 0).all())),
        "About 500 updates leave {:.0f} % of the error with α = 0.05 and {:.0f} % with 0.5; the "
        "floor grows like α to the power {:.2f}.",
        (100 * float(early[0]), 100 * float(early[-1]), record.slope),
    )


@claim(
    "convergence",
    section="Tabular case",
    says="Under the two conditions on the step sizes and with all pairs visited, the table "
    "converges to Q*.",
    figure="schedules",
)
def convergence() -> Finding:
    """The theorem as far as a run can show it: the error falls in each of the last decades."""
    errors = experiment.median_errors(0.9, 5, rescaled(0.9), "loop", 9, 0)
    decades = [float(errors[np.argmin(np.abs(experiment.MARKS - t))]) for t in (1e3, 1e4, 1e5)]
    return Finding(
        judge(decades[1] < decades[0] / 2, decades[2] < decades[1] / 2),
        "With 1/(1+(1−γ)n) at γ = 0.9, D = 5, {:.0f} %, {:.1f} % and {:.1f} % of the error are "
        "left after 1,000, 10,000 and 100,000 updates.",
        tuple(100 * error for error in decades),
    )


@claim(
    "finite-sum-stalls",
    section=NOISE,
    says="Step sizes with a finite sum may stop short of the fixed point.",
    figure="one_state",
    at={"gamma": 0.9, "omega": 1.5},
)
def finite_sum_stalls() -> Finding:
    """Holds if the limit of the error is far from zero."""
    left = [experiment.one_state(0.9, 0.1, omega).stalls_at for omega in (1.5, 2.0)]
    return Finding(
        judge(*(share > 0.05 for share in left)),
        "On one state at γ = 0.9 the power 1.5 stalls at {:.0f} % of the error and the power 2 at "
        "{:.0f} %.",
        tuple(100 * share for share in left),
    )


@claim(
    "square-sum-bounds-noise",
    section=NOISE,
    says="If the squares of the step sizes have a finite sum, the noise that they let in stays "
    "bounded.",
    figure="budget",
)
def square_sum_bounds_noise() -> Finding:
    """Holds if the noise levels off for such steps and does not for the constant one."""
    fixed, harmonic_, power = (_growth(step) for step in (constant(0.1), harmonic(), POWER))
    return Finding(
        judge(harmonic_ < 2, power < 2, fixed > 50),
        "Between 1,000 and 100,000 updates the accumulated variance grows {:.0f}-fold for "
        "α = 0.1, by {:.0f} % for 1/(n+1) and by {:.0f} % for (n+1)^−0.7.",
        (fixed, 100 * (harmonic_ - 1), 100 * (power - 1)),
    )


POWER = polynomial(0.7)


def _growth(step: StepSize) -> float:
    """Σ α² Var(ε) after 100,000 updates, as a multiple of that after 1,000."""
    few, many = (
        experiment.budget(0.9, 5, step, num_updates=n, seed=0).noise for n in (1_000, 100_000)
    )
    return many / few


@claim(
    "harmonic-choice",
    section=NOISE,
    says="α = 1/(t+1) satisfies both conditions and is a natural choice.",
    figure="schedules",
)
def harmonic_choice() -> Finding:
    """A choice is of use if 100,000 updates of ten pairs leave less than half of the error."""
    runs = {
        gamma: np.median(
            [
                experiment.median_errors(gamma, 5, harmonic_global(), "loop", 1, k)[-1]
                for k in range(40)
            ]
        )
        for gamma in (0.9, 0.99)
    }
    return Finding(
        judge(*(bool(left < 0.5) for left in runs.values())),
        "On 10 pairs {:.0f} % of the error is left after 100,000 updates at γ = 0.9 and {:.0f} % "
        "at γ = 0.99.",
        tuple(100 * float(left) for left in runs.values()),
    )
