"""A question that the reader answers before the figure does.

The figure stays veiled until the reader has committed to a guess (or asks to skip).  Then it goes
to the state that answers, and a sentence says how far off the guess was.  The right answer is not
written down anywhere: it is read from what the figure computes at that state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context
from typing import Any

THREE_DIGITS = Context(prec=3, rounding=ROUND_HALF_UP)  # as JavaScript's toPrecision(3) does
NEAR = 0.05  # a guess this close, relatively, is as good as right


@dataclass(frozen=True)
class Prediction:
    """A question about one state of a figure.

    question  plain text
    at        the slider values that answer it; those not named stand at their start
    answer    gives the answer from the record that ``compute`` returns at that state: a number,
              or one of `choices`
    choices   the possible answers, two or more; empty if the reader is to give a number
    unit      what the number counts, in words ("sweeps"); empty for a pure number
    """

    question: str
    at: Mapping[str, Any]
    answer: Callable[[Any], float | str]
    choices: tuple[str, ...] = ()
    unit: str = ""

    def __post_init__(self) -> None:
        if len(self.choices) == 1 or len(set(self.choices)) != len(self.choices):
            raise ValueError(
                f"choices of the question {self.question!r} must be two or more different "
                f"answers, but are {self.choices!r}"
            )

    def solve(self, record: Any) -> float | str:
        """The right answer; ``ValueError`` if it is none of the choices."""
        answer = self.answer(record)
        if self.choices and answer not in self.choices:
            raise ValueError(
                f"the answer to {self.question!r} must be one of {self.choices!r}, "
                f"but is {answer!r}"
            )
        return answer if self.choices else float(answer)

    def say(self, answer: float | str) -> str:
        """An answer in words, with its unit."""
        return answer if isinstance(answer, str) else f"{show(answer)} {self.unit}".strip()

    def respond(self, guess: float | str, answer: float | str) -> str:
        """How far off the guess was, in a sentence; the twin of `respond` in `predict.js`."""
        if self.choices:
            verdict = "That is right." if guess == answer else f"The figure shows: {answer}."
            return f"You chose “{guess}”. {verdict}"
        begin = f"You said {show(guess)}. The figure shows {self.say(answer)}: "
        off = guess - answer
        if abs(off) <= NEAR * abs(answer):
            return begin + "as good as right."
        return begin + f"{show(abs(off))} too {'high' if off > 0 else 'low'}."


def show(number: float) -> str:
    """A number to three digits without an exponent, as `predict.js` writes it."""
    text = format(THREE_DIGITS.create_decimal(number), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.removeprefix("-") if float(text) == 0 else text
