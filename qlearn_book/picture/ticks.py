"""Where the ticks of an axis stand and what they say, by plotly's own rules.

Only what the book's axes use: fixed linear and logarithmic ranges, about ``nticks`` round numbers,
whole decades, or given values with given texts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from qlearn_book.theme import FONT_SIZE

MINUS = "\u2212"
#: Advance widths in font sizes, of Source Sans 3; digits, the minus sign and k share theirs.
DIGIT = 0.497
OTHERS = {".": 0.249, "M": 0.727, "B": 0.588}
SUPERSCRIPT = 0.7  # of the size of its base
LARGER = 1.25  # powers are written larger, so that their exponents can be read
SUFFIXES = {0: "", 3: "k", 6: "M", 9: "B"}


class Scale:
    """From data to the share of the axis: 0 at its low end, 1 at its high end."""

    def __init__(self, axis: dict) -> None:
        self.log = axis["type"] == "log"
        self.low, self.high = axis["range"]

    def share(self, value: float | None) -> float | None:
        """None for a gap, and for what a logarithmic axis cannot show."""
        if value is None or (self.log and value <= 0):
            return None
        at = math.log10(value) if self.log else value
        return (at - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Label:
    """What stands at a tick: a text, perhaps with a power written above; its font size."""

    text: str
    power: str = ""
    size: float = FONT_SIZE

    @property
    def width(self) -> float:
        """In pixels, if it is a number; titles stand beside the widest label."""
        text = sum(OTHERS.get(sign, DIGIT) for sign in self.text)
        return self.size * (text + SUPERSCRIPT * DIGIT * len(self.power))


def ticks(axis: dict) -> list[tuple[float, Label]]:
    """The (share of the axis, label) of every tick; none where labels are switched off."""
    if not axis.get("showticklabels", True):
        return []
    scale = Scale(axis)
    length = scale.high - scale.low
    if axis.get("tickmode") == "array":
        texts = zip(axis["tickvals"], axis["ticktext"], strict=True)
        marked = [(scale.share(value), Label(text)) for value, text in texts]
        return [(share, label) for share, label in marked if share is not None and 0 <= share <= 1]
    if scale.log:
        powers = multiples(scale.low, scale.high, axis["dtick"])
        return [((power - scale.low) / length, power_label(round(power))) for power in powers]
    values = multiples(scale.low, scale.high, nice_step(length / axis["nticks"]))
    exponent = thousands(max(abs(scale.low), abs(scale.high)))
    return [((v - scale.low) / length, number_label(v, exponent)) for v in values]


def nice_step(least: float) -> float:
    """The smallest of 2, 5 and 10 times a power of ten that is no smaller than `least`."""
    decade = 10.0 ** math.floor(math.log10(least))
    return next(m * decade for m in (2, 5, 10) if m * decade >= least * (1 - 1e-12))


def multiples(low: float, high: float, step: float) -> list[float]:
    """The multiples of `step` from low to high, both included up to 1/10000 of the range."""
    slack = (high - low) / 10_000
    first, last = math.ceil((low - slack) / step), math.floor((high + slack) / step)
    return [float(f"{index * step:.12g}") for index in range(first, last + 1)]


def thousands(largest: float) -> int:
    """The power of 1000, as an exponent of ten, in which an axis up to `largest` counts."""
    exponent = math.floor(math.log10(largest) + 0.01)
    return min(3 * round((exponent - 1) / 3), max(SUFFIXES)) if exponent > 3 else 0


def number_label(value: float, exponent: int) -> Label:
    digits = f"{value / 10**exponent:.12f}".rstrip("0").rstrip(".").replace("-", MINUS)
    return Label(digits + SUFFIXES[exponent] if value else "0")


def power_label(power: int) -> Label:
    """10 to a power: 1 and 10 are written out."""
    if power in (0, 1):
        return Label(str(10**power), size=LARGER * FONT_SIZE)
    return Label("10", str(power).replace("-", MINUS), LARGER * FONT_SIZE)
