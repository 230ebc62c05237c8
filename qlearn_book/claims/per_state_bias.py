"""Claims of the essay that the chapter on the bias of each state examines."""

from __future__ import annotations

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import per_state_bias as experiment


@claim(
    "bias-grows-with-distance",
    section="Per-state bias",
    says="The bias of a state grows with its distance to the end.",
    figure="bias_chain",
    at={"gamma": 0.9, "depth": 32, "updates": 1000},
)
def bias_grows_with_distance() -> Finding:
    """Grows: a rank correlation of 0.5 or more. Cases: the lock, and the corridor that pays."""
    lock = experiment.lock_profile(
        gamma=0.99, depth=32, num_steps=1, alpha=1e-3, updates=30_000, num_seeds=10
    )
    corridor = experiment.chain_profile(gamma=0.9, depth=32, alpha=0.1, updates=1_000)
    correlations = (lock.rank_correlation, corridor.rank_correlation)
    return Finding(
        judge(*(correlation > 0.5 for correlation in correlations)),
        "The rank correlation of bias with distance is {:+.1f} in a lock with a random code at "
        "γ = 0.99, and {:+.1f} on the corridor that pays at its end at γ = 0.9.",
        correlations,
        "where every fit leaves errors of one sign, for γ near 1",
    )
