"""The claim of the essay that the last chapter of the laboratory examines."""

from __future__ import annotations

from qlearn_book.claims.claim import Finding, claim, judge
from qlearn_core.experiments.device_verdicts import judged

#: The answer to each trouble, as an ordering: freezing, fine-tuning, TD, Best-of-N, going online.
FROZEN, TUNED, TD, BEST_OF_N, ONLINE = 6, 5, 0, 8, 10


@claim(
    "components-controlled",
    section="Takeaways",
    says="Q-learning can scale to agentic tasks if each part of the deadly triad is kept under "
    "control.",
    figure="takeaways_orderings",
    at={"part": "critic"},
)
def components_controlled() -> Finding:
    """Cases: each of Digi-Q's five answers is better than its alternative, on the phone."""
    answers = [judged(k) for k in (FROZEN, TUNED, TD, BEST_OF_N, ONLINE)]
    return Finding(
        judge(*(one.low > 0 for one in answers)),
        "On the phone, in success, frozen features are ahead of an encoder that learns by {:+.3f} "
        "({:+.3f} to {:+.3f}), true labels of shuffled ones by {:+.3f} ({:+.3f} to {:+.3f}), TD of "
        "Monte Carlo by {:+.3f} ({:+.3f} to {:+.3f}), Best-of-N of AWR by {:+.3f} ({:+.3f} to "
        "{:+.3f}), and new data of none by {:+.3f} ({:+.3f} to {:+.3f}).",
        tuple(number for one in answers for number in (one.mean, one.low, one.high)),
        "for TD against returns, and by little for new data; the other answers make no difference "
        "or are reversed with a critic as inexact as ours",
    )
