"""Claims of the essay that the chapter on the discount examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import discount as experiment
from qlearn_core.experiments import per_state_bias

SETTINGS = {"updates": 3_000, "depth": 16, "period": 100}


@claim(
    "bias-grows-with-discount",
    section="Discount factor",
    says="A larger discount lets the bias accumulate more.",
    figure="discount_budget",
)
def bias_grows_with_discount() -> Finding:
    """Grows: twofold or more. Cases: the lock with a random code, and the terminal corridor."""
    low, high = _lock(0.9), _lock(0.99)
    record = experiment.budget(**SETTINGS, optimiser="SGD 0.1")
    small, large = record.terminal[[_index(0.5), _index(0.95)]]
    return Finding(
        judge(high > 2 * low, large > 2 * small),
        "From γ = 0.9 to 0.99 the bias that stays in a lock with a random code grows from {:.1f} "
        "to {:.1f}; from γ = 0.5 to 0.95 the error on the terminal corridor falls from {:.1f} to "
        "{:.2f}.",
        (low, high, float(small), float(large)),
        "where every fit leaves errors of one sign, as in the lock",
    )


@claim(
    "large-discounts-avoided",
    section="Discount factor",
    says="Practitioners avoid very large discounts because errors then compound.",
    figure="discount_divergence",
)
def large_discounts_avoided() -> Finding:
    """Is compounding what goes wrong? Cases: the lock, and the loop, where delay may explain it."""
    low, high = _lock(0.9), _lock(0.99)
    record = experiment.budget(**SETTINGS, optimiser="Adam 0.001")
    error, table = (float(e[_index(0.9999)]) for e in (record.loop, record.table))
    runs = experiment.divergence(gamma=0.99, depth=8, alpha=1e-3, period=1)
    lost = int((runs.diverged_at >= 0).sum())
    return Finding(
        judge(high > 2 * low, error > table),
        "In a lock with a random code they compound, from {:.1f} to {:.1f}. On a loop at "
        "γ = 0.9999 the error after 30 copies is {:.1f}, and that of a table after 30 sweeps "
        "{:.1f}: late news. Without a target network {} of {} networks diverge on the loop at "
        "γ = 0.99. What practitioners think was not measured.",
        (low, high, error, table, lost, len(runs.status)),
        "where every fit leaves errors of one sign; elsewhere the news is late, or the values run "
        "away",
    )


def _lock(gamma: float) -> float:
    """The median of the largest biases in five locks after 30,000 updates."""
    return float(
        np.median(per_state_bias.lock_biases("lock", num_steps=1, gamma=gamma)[:, -1].max(axis=1))
    )


def _index(gamma: float) -> int:
    return experiment.HORIZONS.index(round(1 / (1 - gamma)))
