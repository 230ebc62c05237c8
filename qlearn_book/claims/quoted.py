"""What the essay reports of others, or of its own experience: quoted, and not measured here.

A chapter that examines one of these takes it from here into a module of its own.
"""

from __future__ import annotations

from qlearn_book.claims.claim import Claim

BAI = "H. Bai and others, 2025, Digi-Q."


def _listed(section: str, *claims: tuple[str, str, str]) -> tuple[Claim, ...]:
    """(id, what it says, who reports it) of claims that are quoted."""
    return tuple(Claim(id, section, says, source=source) for id, says, source in claims)


DIGI_Q = (
    *_listed(
        "Digi-Q: frozen representations",
        (
            "one-percent-trained",
            "About 1 % of the parameters are trained.",
            "Quoted: 1 %. " + BAI,
        ),
    ),
    *_listed(
        "Digi-Q: TD learning and Monte Carlo",
        (
            "td-58-mc-37",
            "With Monte Carlo returns in place of TD learning, success falls from 58.0 % to "
            "37.5 %.",
            "Quoted: 58.0 % and 37.5 % on the web shopping tasks. " + BAI,
        ),
    ),
    *_listed(
        "Digi-Q: going online",
        (
            "engineering-is-the-barrier",
            "What limits the method online is the engineering and the pace of experiments, more "
            "than its algorithm.",
            "The essay's own experience; it gives no number.",
        ),
    ),
    *_listed(
        "Takeaways",
        (
            "offline-21-percent",
            "Digi-Q is ahead of all earlier offline methods on Android in the Wild.",
            "Quoted: by 21.2 %. " + BAI,
        ),
        (
            "nearly-online",
            "Digi-Q nearly matches DigiRL, which learns online.",
            "Quoted without a number. " + BAI,
        ),
    ),
)
