"""One control of a figure: its values, its name, where it stands at first sight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Axis:
    """One control of a figure: a slider over numbers or a choice among words.

    values  the grid of the static page, in order; all numbers or all strings, at least two
    label   what the reader sees and hears, e.g. "discount γ"
    start   the value at first sight, one of `values`
    play    offers a button that runs through the values (for time)
    stored  nothing is known between the values: in a kernel too, the slider goes from one to the
            next
    """

    values: tuple
    label: str
    start: Any
    play: bool = False
    stored: bool = field(default=False, repr=False)  # grids, which are the same, are kept by repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        kinds = {isinstance(value, str) for value in self.values}
        if len(self.values) < 2 or len(kinds) != 1:
            raise ValueError(
                f"values of axis {self.label!r} must be two or more numbers, or two or more "
                f"strings, but are {self.values!r}"
            )
        if self.is_number and list(self.values) != sorted(set(self.values)):
            raise ValueError(
                f"values of axis {self.label!r} must increase, but are {self.values!r}"
            )
        if self.start not in self.values:
            raise ValueError(
                f"start of axis {self.label!r} must be one of its values {self.values!r}, "
                f"but is {self.start!r}"
            )

    @property
    def is_number(self) -> bool:
        return not isinstance(self.values[0], str)

    def show(self, value: Any) -> str:
        """A value as the reader sees it: 0.95, 32, 1e-06 or the word itself."""
        return value if isinstance(value, str) else f"{value:g}"
