"""Drawings of the chapter on features that know actions."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.theme import BLUE, GREY, INK, ORANGE, RED
from qlearn_core.experiments.representation import THRESHOLDS, TUNINGS, Labels, Tunings

NAMES = {"none": "as it is", "change": "fine-tuned", "shuffled": "shuffled labels"}


def tunings(record: Tunings) -> dict:
    """One measure for each seed, before and after fine-tuning, and its mean with an interval.

    What was not run, or has no true value, is a gap: every figure has the same marks.
    """
    drawing = marks.axes(x=("features", -0.5, 2.5), y=("measure", 0, 1.05))
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": np.arange(len(NAMES)),
        "ticktext": list(NAMES.values()),
    }
    truth = np.nan if record.truth is None else record.truth
    marks.line(drawing, [-0.5, 2.5], [truth] * 2, "true values", INK, dash="dash")
    rows = [record.tunings.index(name) if name in record.tunings else None for name in NAMES]
    places = np.arange(len(NAMES))
    for seed in range(record.values.shape[1]):
        values = [np.nan if k is None else record.values[k, seed] for k in rows]
        marks.line(drawing, places, values, f"seed {seed}", GREY, width=1)
    for place, k in enumerate(rows):
        ends = [np.nan] * 2 if k is None else record.intervals[k]
        mean = np.nan if k is None else record.values[k].mean()
        marks.line(drawing, [place] * 2, ends, f"{TUNINGS[place]}, 95 % interval", BLUE, width=4)
        marks.points(drawing, [place], [mean], f"{TUNINGS[place]}, mean", BLUE)
        word = "not run" if k is None else f"{mean:.2f}"
        marks.write(drawing, [place + 0.06], [0.02 if k is None else mean], [word], BLUE,
                    where="middle right")  # fmt: skip
    parts = [
        f"{values.mean():.3f} {NAMES[name]}"
        for name, values in zip(record.tunings, record.values, strict=True)
    ]
    last = "" if record.truth is None else f"; of the true values it is {record.truth:.3f}"
    marks.describe(
        drawing, f"Encoder “{record.encoder}”, {record.measure}: {', '.join(parts)}{last}."
    )
    return drawing


def labels(record: Labels) -> dict:
    """What the label calls a change, and where it is wrong, against the threshold."""
    drawing = marks.axes(
        x=("threshold, grey levels", 0, THRESHOLDS[-1]), y=("share of all actions", 0, 1.02)
    )
    k = int(np.abs(THRESHOLDS - record.threshold).argmin())
    marks.line(drawing, [record.threshold] * 2, [0, 1], "threshold", GREY, dash="dot")
    marks.line(drawing, THRESHOLDS[[0, -1]], [record.changed] * 2, "true changes", INK, dash="dash")
    for name, values, colour, height in (
        ("labelled as change", record.labelled, BLUE, 0.97),
        ("change, but not labelled", record.missed, ORANGE, 0.9),
        ("labelled, but no change", record.false, RED, 0.83),
    ):
        marks.line(drawing, THRESHOLDS, values, name, colour)
        marks.write(drawing, [79], [height], [name], colour, where="middle left")
    marks.write(drawing, [79], [record.changed - 0.03], ["true changes"], INK, where="middle left")
    marks.describe(
        drawing,
        f"At a threshold of {record.threshold:g} the label calls {100 * record.labelled[k]:.0f} % "
        f"of the actions a change and is wrong about {100 * (record.missed + record.false)[k]:.1f} "
        f"%; in truth {100 * record.changed:.0f} % change the state.",
    )
    return drawing
