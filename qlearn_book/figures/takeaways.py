"""Drawings of the chapter that sums the laboratory up."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.theme import BLUE, GREY, INK
from qlearn_core.experiments.takeaways import PARTS, Orderings

#: What is compared, in the words of the chapters, by the position of the ordering.
NAMES = (
    "TD over Monte Carlo, in success",
    "lead of TD: 64 over 512 episodes",
    "lead of TD: usual over no mishaps",
    "TD over Monte Carlo, in ranking",
    "action share: fine-tuned over as it was",
    "success: true over shuffled labels",
    "success: frozen over end to end",
    "success: 16 over 4 candidates",
    "success: Best-of-N over AWR",
    "success: Best-of-N over REINFORCE",
    "success: all data over no new data",
    "success: lesser critic over the mean",
    "success: candidates of β over latest",
    "lead in ranking: cut at 8 over at 30",
    "ranking: slow target over none",
    "ranking: through V over through Q",
    "networks: Best-of-N over AWR",
    "networks: Best-of-N over REINFORCE",
)
ROWS = max(map(len, PARTS.values()))
LEFT, RIGHT = -0.4, 0.8  # the verdicts stand right of all intervals


def orderings(record: Orderings) -> dict:
    """The mean difference and its 95 % interval for each ordering, one below the other."""
    drawing = marks.axes(
        x=("difference, expected better minus worse", LEFT, RIGHT), y=("", -0.2, ROWS)
    )
    drawing["layout"]["yaxis"] |= {"tickmode": "array", "tickvals": [], "ticktext": []}
    said = []
    for row in range(ROWS):
        here = ROWS - 0.75 - row
        zero, ends, mean, words, verdict = np.nan, [np.nan] * 2, np.nan, "", ""
        if row < len(record.judgements):
            one = record.judgements[row]
            zero, ends, mean, verdict = 0.0, [one.low, one.high], one.mean, one.verdict
            words = NAMES[record.positions[row]]
            said.append(f"{words}: {mean:+.3f} ({one.low:+.3f} to {one.high:+.3f}), {verdict}")
        marks.line(drawing, [zero] * 2, [here - 0.2, here + 0.2], f"row {row + 1}, no difference",
                   GREY, width=1)  # fmt: skip
        marks.line(drawing, ends, [here] * 2, f"row {row + 1}, 95 % interval", BLUE, width=4)
        marks.points(drawing, [mean], [here], f"row {row + 1}, mean", BLUE)
        marks.write(drawing, [LEFT], [here + 0.4], [words], INK, where="middle right")
        marks.write(drawing, [RIGHT], [here], [verdict], INK,
                    where="middle left")  # fmt: skip
    marks.describe(drawing, "; ".join(said) + ".")
    return drawing
