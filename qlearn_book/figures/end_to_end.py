"""The drawing of frozen features against an encoder that learns."""

from __future__ import annotations

import numpy as np

from qlearn_book import marks
from qlearn_book.theme import BLUE, GREY
from qlearn_core.experiments.end_to_end import Rates


def rates(record: Rates) -> dict:
    """A measure against the rate of the encoder: every seed, the mean and its interval."""
    places = np.arange(len(record.rates))
    drawing = marks.axes(x=("learning rate of the encoder", -0.3, 3.3), y=("measure", 0, 1.05))
    drawing["layout"]["xaxis"] |= {
        "tickmode": "array",
        "tickvals": places,
        "ticktext": ["0 (frozen)", *(f"{rate:.0e}" for rate in record.rates[1:])],
    }
    for seed, values in enumerate(record.values):
        marks.line(drawing, places, values, f"seed {seed}", GREY, width=1)
    marks.band(drawing, places, record.low, record.high, "95 % interval", BLUE)
    marks.line(drawing, places, record.means, "mean", BLUE, dots=True)
    low, high = record.lead_interval
    best = int(np.flatnonzero(record.rates == record.best)[0])
    marks.describe(
        drawing,
        f"{record.measure.capitalize()}: {record.means[0]:.2f} with frozen features and "
        f"{record.means[best]:.2f} at the rate with the best success, {record.best:.0e}. Frozen "
        f"minus moving is {record.lead:+.2f}, 95 % interval {low:+.2f} to {high:+.2f}. "
        f"{record.num_diverged} runs diverged; at this rate the features change by "
        f"{100 * record.moved[best]:.0f} %.",
    )
    return drawing
