"""Claims of the essay that the chapter on features that know actions examines."""

from __future__ import annotations

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments.device_orderings import interval
from qlearn_core.experiments.device_verdicts import judged, tuned

ENCODERS = ("pages", "places", "untrained")
IGNORED = 0.1  # of the true share: a critic below it ignores the action


@claim(
    "action-ignored",
    section="Digi-Q: fine-tuned representations",
    says="On features that were not fine-tuned the critic ignores the action.",
    figure="representation_tunings",
    at={"encoder": "pages", "measure": "share of the action"},
)
def action_ignored() -> Finding:
    """Cases: pre-training that did not ask about places, pre-training that did, none at all.

    The action is ignored where its share of Q's variance is below a tenth of that of the truth.
    """
    shares = [tuned("action_share", "none", name).mean() for name in ENCODERS]
    truth = tuned("true_share", "none").mean()
    return Finding(
        judge(*(share < IGNORED * truth for share in shares)),
        "The action has {:.3f} of the variance of Q after pre-training that asked about the page "
        "only, {:.3f} after one that asked about places, and {:.3f} on untrained features; of the "
        "true values it has {:.3f}.",
        (*map(float, shares), float(truth)),
        "where pre-training never asked what an action would meet",
    )


@claim(
    "fine-tuning-lowers-floor",
    section="Digi-Q: fine-tuned representations",
    says="Fine-tuning on whether an action changes the screen lowers the projection floor.",
    figure="representation_tunings",
    at={"encoder": "pages", "measure": "rms error"},
)
def fine_tuning_lowers_floor() -> Finding:
    """The floor itself is not measured: what is, is the critic on the features.

    Cases, beyond the interval: after fine-tuning the share of the action, the ranking, the error
    and the success are better than before; success is better than with shuffled labels; and it is
    better than before where pre-training knew places.
    """
    gains = {
        metric: sign * (tuned(metric, "change") - tuned(metric, "none"))
        for metric, sign in (("action_share", 1), ("ranking", 1), ("rmse", -1), ("success", 1))
    }
    labels = judged(5)
    known = tuned("success", "change", "places") - tuned("success", "none", "places")
    better = [interval(gain)[0] > 0 for gain in (*gains.values(), known)]
    return Finding(
        judge(*better, labels.low > 0),
        "Where pre-training left actions out, fine-tuning raises the action's share by {:.2f}, "
        "ranking by {:.2f} and success by {:.2f}, and the error falls by {:.3f} ({:.3f} to "
        "{:.3f}). True labels are ahead of shuffled ones by {:.2f} in success ({:.2f} to {:.2f}). "
        "Where pre-training knew places, success changes by {:.2f} ({:.2f} to {:.2f}).",
        (
            *(float(gains[metric].mean()) for metric in ("action_share", "ranking", "success")),
            *(float(gains["rmse"].mean()), *interval(gains["rmse"])),
            *(labels.mean, labels.low, labels.high),
            *(float(known.mean()), *interval(known)),
        ),
        "where pre-training left actions out, and for what the features know of them: shuffled "
        "labels restore that as well, and features that knew places get worse",
    )
