"""What became of the orderings that were written down before the laboratory ran."""

from __future__ import annotations

from dataclasses import dataclass

from .device_verdicts import Judgement, judged

#: Positions in `ORDERINGS` by the part of the laboratory that they are about.
PARTS = {
    "critic": (0, 3, 1, 2, 13),
    "targets": (14, 15),
    "representation": (4, 5, 6),
    "extraction": (7, 8, 9, 16, 17),
    "online": (10, 11, 12),
}


@dataclass(frozen=True)
class Orderings:
    """The orderings of one part."""

    part: str
    positions: tuple[int, ...]
    judgements: tuple[Judgement, ...]  # in the order of the positions


def orderings(*, part: str) -> Orderings:
    """From the stored results. Raises ValueError for a part that is not in `PARTS`."""
    if part not in PARTS:
        raise ValueError(f"part must be one of {', '.join(PARTS)}, but is {part!r}")
    return Orderings(part, PARTS[part], tuple(map(judged, PARTS[part])))


def num_reproduced() -> int:
    """How many of all orderings came out as expected, beyond their interval."""
    return sum(
        judged(position).verdict == "reproduced" for part in PARTS.values() for position in part
    )
