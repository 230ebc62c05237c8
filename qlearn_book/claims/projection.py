"""Claims of the essay that the chapter on projection examines."""

from __future__ import annotations

import itertools

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import projection as experiment
from qlearn_core.experiments import triad

SECTION = "Function approximation"
GAMMAS = (0.5, 0.9, 0.97)


@claim(
    "contraction-lost",
    section=SECTION,
    says="With function approximation Q-learning is no longer a contraction: the projection can "
    "stretch distances by more than 1/γ.",
    figure="behaviour_dial",
    at={"features": "1, x, x²"},
)
def contraction_lost() -> Finding:
    """Cases: five sets of three features; lost where the exact stretch of ΠT exceeds 1."""
    records = [experiment.regime(0.9, features=features) for features in experiment.FEATURES]
    lost = [record.lipschitz > 1 for record in records]
    return Finding(
        judge(*lost),
        "At γ = 0.9, of five sets of three features γ‖Π‖ is above 1 for {}, the stretch of ΠT "
        "itself for {}; sweeps of ΠT settle for {}.",
        (
            sum(record.norm > 1 for record in records),
            sum(lost),
            sum(record.swept_status == "converged" for record in records),
        ),
        "features are neither averages, as bins are, nor enough for every table",
    )


@claim(
    "update-is-projected",
    section=SECTION,
    says="The effective update is the Bellman operator followed by a projection.",
    figure="regimes",
    at={"gamma": 0.97},
)
def update_is_projected() -> Finding:
    """Cases: the semi-gradient ends like sweeps of ΠT below, in and above the window of cycles."""
    records = [experiment.regime(gamma) for gamma in (0.9, 0.97, 0.985)]
    same = [
        record.semi_status == record.swept_status
        and abs(record.semi_range[1] / record.swept[-1] - 1) < 1e-3
        for record in records
    ]
    settled, cycling, _ = records
    return Finding(
        judge(*same),
        "At γ = 0.9 both end at an error of {:.2f}. At 0.97 sweeps of ΠT end at {:.2f} and the "
        "semi-gradient cycles up to {:.1f}; at 0.985 they end at {:.2f} and it diverges.",
        (
            settled.semi_range[1], float(cycling.swept[-1]), cycling.semi_range[1],
            float(records[2].swept[-1]),
        ),
        "the step by step update settles at all; then it ends where sweeps of ΠT end",
    )  # fmt: skip


@claim(
    "projection-floor",
    section=SECTION,
    says="With 3 parameters for 10 pairs Q* cannot be represented exactly.",
    figure="regimes",
)
def projection_floor() -> Finding:
    """Holds if no best fit in the maximum norm is exact, over five sets and three discounts."""
    floors = [
        experiment.regime(gamma, features=features).chebyshev_floor
        for gamma, features in itertools.product(GAMMAS, experiment.FEATURES)
    ]
    return Finding(
        judge(*(floor > 1e-3 for floor in floors)),
        "Over five sets of features and three discounts the best fit is {:.1f} % to {:.0f} % off.",
        (100 * min(floors), 100 * max(floors)),
    )


@claim(
    "error-above-floor",
    section=SECTION,
    says="The actual error stays above the projection floor.",
    figure="regimes",
    at={"gamma": 0.5, "features": "1, x, a", "back": 0.3},
)
def error_above_floor() -> Finding:
    """Cases: all settled runs, against the best fit and against the projection of Q*."""
    settings = itertools.product(GAMMAS, experiment.FEATURES, (0.1, 0.2, 0.3, 0.5, 0.7))
    records = [
        experiment.regime(gamma, back, features=features) for gamma, features, back in settings
    ]
    settled = [record for record in records if record.semi_status == "converged"]
    below_best = [r.semi_range[1] < r.chebyshev_floor * (1 - 1e-6) for r in settled]
    below_fit = [r.semi_range[1] < r.projection_error * (1 - 1e-6) for r in settled]
    return Finding(
        judge(not any(below_best), not any(below_fit)),
        "Of {} settled runs {} end below the best fit in the maximum norm, and {} below the "
        "error of the projection of Q*.",
        (len(settled), int(sum(below_best)), int(sum(below_fit))),
        "the floor is the best fit in the norm of the error; then it is true by definition",
    )


@claim(
    "triad-oscillates",
    section=SECTION,
    says="With off-policy data, approximation and bootstrapping together the iterates may "
    "oscillate and not converge.",
    figure="regimes",
    at={"gamma": 0.97},
)
def triad_oscillates() -> Finding:
    """Cases: the expected semi-gradient, all three legs present, at five discounts."""
    gammas = (0.5, 0.9, 0.97, 0.98, 0.99)
    status = [experiment.regime(gamma).semi_status for gamma in gammas]
    return Finding(
        judge(*(fate != "converged" for fate in status)),
        "Without any noise, of five discounts {} end in a fixed point, {} in a cycle and {} in "
        "divergence.",
        tuple(status.count(fate) for fate in ("converged", "cycling", "diverged")),
        "γ is large enough for the features and the behaviour; below that the error settles",
    )


@claim(
    "no-guarantee-at-scale",
    section=SECTION,
    says="In real applications the projection is never the identity, so that the guarantees of "
    "the table cannot be assumed.",
    figure="baird_star",
)
def no_guarantee_at_scale() -> Finding:
    """Cases: five projections that are not the identity; is γ‖Π‖ below 1 lost with each?"""
    records = [experiment.regime(0.9, features=features) for features in experiment.FEATURES]
    return Finding(
        judge(*(record.norm > 1 for record in records)),
        "Of five projections, none the identity, {} lose the guarantee γ‖Π‖ < 1. With the "
        "identity the guarantee can be lost as well: on Baird's star the semi-gradient grows "
        "{:,.0f}-fold in 3,000 updates.",
        (
            sum(record.norm > 1 for record in records),
            float(triad.baird(0.99).semi[-1]),
        ),
        "the projection is not an average, as bins are; and the identity alone does not help",
    )
