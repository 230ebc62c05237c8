"""Claims of the essay that the chapter on the semi-gradient and the full gradient examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import projection, triad
from qlearn_core.experiments import semi_gradient as experiment

SECTION = "Function approximation: semi-gradient and full gradient"
ALPHA = 0.25


@claim(
    "tabular-gradients-equal",
    section=SECTION,
    says="In a table the semi-gradient and the full gradient lead to equivalent updates.",
    figure="two_gradients",
)
def tabular_gradients_equal() -> Finding:
    """Cases: one limit without slips, one with slips, the same speed (to a tenth at 50 sweeps)."""
    calm, slipping = (experiment.descent(0.9, slip, ALPHA) for slip in (0.0, 0.1))
    place = int(np.argmin(np.abs(calm.sweeps - 50)))
    semi, full = float(calm.semi[place]), float(calm.full[place])
    return Finding(
        judge(calm.full[-1] < 1e-6, slipping.full[-1] < 1e-6, full < 1.1 * semi),
        "At γ = 0.9, D = 5 both find Q* without slips, with errors of {:.1f} % and {:.0f} % after "
        "{} sweeps; with slips of 0.1 the full gradient ends {:.0f} % off.",
        (100 * semi, 100 * full, int(calm.sweeps[place]), 100 * float(slipping.full[-1])),
        "transitions are deterministic and only the limit counts",
    )


@claim(
    "extra-entry-harmless",
    section=SECTION,
    says="The other entry that the full gradient changes in a table does not interfere.",
    figure="a_split",
)
def extra_entry_harmless() -> Finding:
    """Harmless: B and C of the split end at their own values, at γ = 0.5 and at 0.9."""
    low, high = (experiment.split(gamma) for gamma in (0.5, 0.9))
    return Finding(
        judge(*(float(np.abs(r.full - r.true).max()) < 1e-3 for r in (low, high))),
        "In the split at γ = 0.9 the full gradient gives {:.2f} to B and {:.2f} to C, which are "
        "worth 1 and 0.",
        (float(high.full[1]), float(high.full[2])),
    )


@claim(
    "gradient-bias",
    section=SECTION,
    says="With shared parameters, leaving out the target's gradient is a genuine bias.",
    figure="gradient_bias",
)
def gradient_bias() -> Finding:
    """Genuine: the two directions are more than one degree apart at every recorded sweep."""
    records = [experiment.biases(gamma, 0.1) for gamma in (0.5, 0.9)]
    table, shared = (
        float(np.nanmax(angles)) for angles in (records[1].table_angle, records[1].shared_angle)
    )
    return Finding(
        judge(*(bool(np.nanmin(r.shared_angle) > 1) for r in records)),
        "At γ = 0.9 and slips of 0.1 the directions are up to {:.0f} degrees apart with three "
        "shared parameters, and up to {:.0f} in a table, where nothing is shared.",
        (shared, table),
    )


@claim(
    "semi-gradient-not-to-blame",
    section=SECTION,
    says="The semi-gradient is not the cause of the lost contraction: both gradients face the same "
    "projection.",
    figure="baird_star",
)
def semi_gradient_not_to_blame() -> Finding:
    """Cases: exact fits diverge without it; and where it diverges, exact fits do so as well."""
    two, star = triad.two_states(0.9), triad.baird(0.99)
    loop = projection.regime(0.985)
    return Finding(
        judge(two.swept[-1] > 10, star.swept[-1] > 10, loop.swept_status == "diverged"),
        "On the two states exact fits multiply the weight by {:.0f} in 60 sweeps. On Baird's star "
        "the projection is the identity and exact fits go to 0, while the semi-gradient grows "
        "{:,.0f}-fold; on the loop chain at γ = 0.985 it diverges and fits end at an error of "
        "{:.2f}. The full gradient stays bounded on both examples: {:.4f} and {:.2f}.",
        (
            float(two.swept[-1]), float(star.semi[-1]), float(loop.swept[-1]),
            float(two.full[-1]), float(star.full[-1]),
        ),
        "the weights are fitted exactly in every sweep, as on the two states",
    )  # fmt: skip


@claim(
    "target-biased-either-way",
    section=SECTION,
    says="The target is biased under the semi-gradient and under the full gradient alike.",
    figure="target_bias",
)
def target_biased_either_way() -> Finding:
    """Holds if both targets are off by more than a tenth, at the start and after 20 sweeps."""
    record = experiment.biases(0.9, 0.1)
    place = int(np.argmin(np.abs(record.sweeps - 20)))
    bias = [float(b[i]) for i in (0, place) for b in (record.semi_target, record.full_target)]
    return Finding(
        judge(*(value > 0.1 for value in bias)),
        "At γ = 0.9 and slips of 0.1 both targets start {:.0f} % off and are {:.0f} % and {:.0f} % "
        "off after 20 sweeps; after 300 the semi-gradient's is right and the full gradient's "
        "still {:.0f} % off.",
        tuple(100 * b for b in (bias[0], *bias[2:], float(record.full_target[-1]))),
    )
