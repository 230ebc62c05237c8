"""Claims of the essay that the chapter on going online examines."""

from __future__ import annotations

import numpy as np

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments import end_to_end
from qlearn_core.experiments import online as experiment
from qlearn_core.experiments.device_orderings import interval

NOVEL = 1  # where the latest policy goes, in what is stored about errors


@claim(
    "divergence-3-28",
    section="Digi-Q: going online",
    says="The policy of Best-of-N stays close to the one that collected the data.",
    figure="online_drift",
    at={"collection": "none"},
)
def divergence_3_28() -> Finding:
    """Close: no further than the best of N candidates of β can be, log N nats.

    Cases: after one round, and after four without new data.
    """
    nats = experiment.of_arm("none", "divergence")
    most = experiment.drift(collection="none").most[1]
    return Finding(
        judge(interval(nats[:, 1])[1] < most, interval(nats[:, -1])[1] < most),
        "One round of the best of 4 leads {:.2f} nats away from the policy that collected the "
        "data, and four rounds without new data lead {:.2f} nats away; log 4 is {:.2f}. (Bai et "
        "al. report 3.28, over the tokens of an action.)",
        (*nats[:, [1, -1]].mean(axis=0).tolist(), float(most)),
        "for one round from the data's own policy",
    )


@claim(
    "distribution-shift",
    section="Digi-Q: going online",
    says="An improved policy meets states where the critic has no data and may be arbitrarily "
    "wrong.",
    figure="online_errors",
    at={"collection": "none"},
)
def distribution_shift() -> Finding:
    """Cases, without new data: the critic is worse where its policy goes than where β goes, after
    one round and after four; and worse after four rounds than after one, by then more wrong than
    right: the error is more than half of the range of values.
    """
    rms = experiment.of_arm("none", "error")
    familiar, novel = rms[:, 0], rms[:, NOVEL]
    apart = [interval(novel[:, k] - familiar[:, k])[0] > 0 for k in (0, -1)]
    mixed = experiment.of_arm("mixed", "error")[:, NOVEL, -1]
    return Finding(
        judge(
            *apart,
            interval(novel[:, -1] - novel[:, 0])[0] > 0,
            interval(novel[:, -1])[0] > 0.5,
        ),
        "Values are between 0 and 1. The first critic is wrong by {:.2f} where β goes and by "
        "{:.2f} where its own policy goes, the fourth without new data by {:.2f} and {:.2f}; with "
        "all data so far by {:.2f} where its policy goes.",
        tuple(
            float(np.mean(part))
            for part in (familiar[:, 0], novel[:, 0], familiar[:, -1], novel[:, -1], mixed)
        ),
    )


@claim(
    "online-needs-recollection",
    section="Digi-Q: going online",
    says="Going online needs new data from the current policy, mixed with old, and a robust "
    "critic.",
    figure="online_success",
    at={"tasks": "test tasks"},
)
def online_needs_recollection() -> Finding:
    """Cases, in success on test tasks after four rounds: new and old data together are better than
    no new data; than the new alone; are enough not to fall behind the first round; and pessimism,
    which makes the critic robust, adds to them.
    """
    over_none = experiment.lead_of("mixed", "none")
    over_fresh = experiment.lead_of("mixed", "fresh")
    success = experiment.of_arm("mixed", "success")[:, 1]
    kept = success[:, -1] - success[:, 1]
    pessimism = experiment.change_of("κ = 1")
    return Finding(
        judge(
            interval(over_none)[0] > 0,
            interval(over_fresh)[0] > 0,
            interval(kept)[1] >= 0,
            interval(pessimism)[0] > 0,
        ),
        "After four rounds {:.0f} % of the test tasks succeed with all data, {:.0f} % with the "
        "newest and {:.0f} % without new data. All data lead over none by {:.3f} ({:.3f} to "
        "{:.3f}) and over the newest by {:.3f} ({:.3f} to {:.3f}); pessimism adds {:.3f} "
        "({:.3f} to {:.3f}). After one round {:.0f} % succeeded.",
        (
            *(
                100 * float(experiment.of_arm(name, "success")[:, 1, -1].mean())
                for name in ("mixed", "fresh", "none")
            ),
            float(over_none.mean()),
            *interval(over_none),
            float(over_fresh.mean()),
            *interval(over_fresh),
            float(pessimism.mean()),
            *interval(pessimism),
            100 * float(success[:, 1].mean()),
        ),
        "new data help, by little; that old ones must be mixed in is not reproduced, and nothing "
        "that was tried keeps what the first round has gained",
    )


@claim(
    "end-to-end-unstable",
    section="Digi-Q: frozen representations",
    says="Training a large model end to end by TD learning is unstable.",
    figure="end_to_end",
    at={"measure": "success"},
)
def end_to_end_unstable() -> Finding:
    """Cases: a run diverges; the values leave their range farther than with frozen features, at
    the rate with the best success; and the ordering written down before, that frozen features
    succeed more often than that.
    """
    record = end_to_end.rates(measure="success")
    best = int(np.flatnonzero(record.rates == record.best)[0])
    largest = end_to_end.at_rates("largest")
    return Finding(
        judge(
            record.num_diverged > 0,
            interval(largest[:, best] - largest[:, 0])[0] > 0,
            record.success_verdict == "reproduced",
        ),
        "On a small encoder {:.0f} of {:.0f} runs diverged. The greatest |Q|, of values in [0, 1], "
        "is {:.2f} with frozen features and {:.2f} at the best rate; the best of 4 candidates "
        "succeeds in {:.0f} % and {:.0f} %, frozen minus moving {:.3f} ({:.3f} to {:.3f}).",
        (
            float(record.num_diverged),
            float(record.values[:, 1:].size),
            *record.largest[[0, best]].tolist(),
            *(100 * record.means[[0, best]]).tolist(),
            record.lead,
            *record.lead_interval,
        ),
    )


@claim(
    "frozen-is-stable",
    section="Digi-Q: frozen representations",
    says="Frozen features may raise the floor, but TD learning on them is more stable.",
    figure="end_to_end",
    at={"measure": "distance of the two critics"},
)
def frozen_is_stable() -> Finding:
    """Cases, against the rate with the best success: the frozen critic has the larger rms error;
    and its two copies, which differ in their first weights alone, are the closer.
    """
    rms, spread = (
        end_to_end.rates(measure=name) for name in ("rms error", "distance of the two critics")
    )
    best = int(np.flatnonzero(rms.rates == rms.best)[0])
    return Finding(
        judge(rms.lead_interval[0] > 0, spread.lead_interval[1] < 0),
        "On a small encoder the rms error is {:.3f} with frozen features and {:.3f} with an "
        "encoder that learns, and two critics from different first weights differ by {:.3f} and "
        "{:.3f}.",
        (*rms.means[[0, best]].tolist(), *spread.means[[0, best]].tolist()),
    )
