"""What a claim is, what may be found about it, and how a finding is judged and stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import ModuleType
from typing import Any

from qlearn_book import store


class Verdict(StrEnum):
    """In the words that the book prints."""

    HOLDS = "holds"
    UNDER_CONDITIONS = "holds under conditions"
    FAILS = "does not hold as stated"
    REPORTED = "reported elsewhere, not reproduced"
    OPEN = "not yet examined"


#: The parts of the essay, in its order.
SECTIONS = (
    "Introduction",
    "Contraction in TD learning",
    "Tabular case",
    "Tabular case: martingale differences",
    "Tabular case: comparison with value iteration",
    "Function approximation",
    "Function approximation: semi-gradient and full gradient",
    "Cumulative bootstrapping error",
    "Depth",
    "Per-state bias",
    "Discount factor",
    "Digi-Q: the setting",
    "Digi-Q: frozen representations",
    "Digi-Q: fine-tuned representations",
    "Digi-Q: TD learning and Monte Carlo",
    "Digi-Q: Best-of-N",
    "Digi-Q: going online",
    "Takeaways",
)


@dataclass(frozen=True)
class Finding:
    """What running code says about a claim.

    verdict    from the same numbers, by a rule that stands in the claim's function
    measured   a sentence with a place for each number: "{:.0f} % of the updates are flat"
    numbers    what stands in these places
    condition  when the claim holds, in words; there exactly if it holds under conditions

    Raises ``ValueError`` for a condition that is missing or out of place.
    """

    verdict: Verdict
    measured: str
    numbers: tuple[float, ...]
    condition: str = ""

    def __post_init__(self) -> None:
        if bool(self.condition) != (self.verdict is Verdict.UNDER_CONDITIONS):
            raise ValueError(
                "condition must be given if the claim holds under conditions and only then, "
                f"but is {self.condition!r} where it {self.verdict}"
            )

    @property
    def sentence(self) -> str:
        return self.measured.format(*self.numbers)


def judge(*cases: bool) -> Verdict:
    """Does the claim hold in all of the measured cases, in some, or in none?"""
    if all(cases):
        return Verdict.HOLDS
    return Verdict.UNDER_CONDITIONS if any(cases) else Verdict.FAILS


@dataclass(frozen=True)
class Claim:
    """One claim of the essay, in our words.

    figure  the name of the figure that shows it, if one does, with the controls in `at` set to
            these values and all others where they start
    find    measures it; None for a claim that no chapter has examined
    source  who reports the number that the claim quotes; the claim is not measured then

    Raises ``ValueError`` for a section that the essay does not have.
    """

    id: str
    section: str
    says: str
    figure: str = ""
    at: dict[str, Any] = field(default_factory=dict)
    find: Callable[[], Finding] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        if self.section not in SECTIONS:
            raise ValueError(
                f"section of claim {self.id!r} must be one of SECTIONS, but is {self.section!r}"
            )

    @property
    def chapter(self) -> str:
        """The chapter whose module measures the claim; empty if none does."""
        return self.find.__module__.rpartition(".")[2] if self.find else ""


def findings(claims: Sequence[Claim]) -> dict[str, Finding]:
    """Id of a claim -> what was found, in the order of the claims.

    A chapter's findings come from the store unless the code that they run has changed.
    """
    measured: dict[str, dict[str, Claim]] = {}
    for claim in claims:
        if claim.find:
            measured.setdefault(claim.chapter, {})[claim.id] = claim
    found = {}
    for chapter, group in measured.items():
        found |= _of_chapter(f"claims-{chapter}", group)
    return {claim.id: found.get(claim.id) or _not_measured(claim) for claim in claims}


def _of_chapter(name: str, claims: dict[str, Claim]) -> dict[str, Finding]:
    key = store.code_key(*(claim.find for claim in claims.values()), settings=" ".join(claims))
    stored = store.load(name, key)
    if stored is None:
        store.save(name, key, {id: asdict(claim.find()) for id, claim in claims.items()})
        stored = store.load(name, key)  # as JSON gives it back, whether it was there or not
    return {
        id: Finding(
            Verdict(finding["verdict"]),
            finding["measured"],
            tuple(finding["numbers"]),
            finding["condition"],
        )
        for id, finding in stored.items()
    }


def _not_measured(claim: Claim) -> Finding:
    return Finding(Verdict.REPORTED if claim.source else Verdict.OPEN, claim.source, ())


def claim(
    id: str, *, section: str, says: str, figure: str = "", at: dict[str, Any] | None = None
) -> Callable[[Callable[[], Finding]], Claim]:
    """Makes the claim that the decorated function measures."""

    def measured_by(find: Callable[[], Finding]) -> Claim:
        return Claim(id, section, says, figure, at or {}, find)

    return measured_by


def claims_of(module: ModuleType) -> Iterator[Claim]:
    """The claims that a module defines, one by one or in tuples, in its order."""
    for value in vars(module).values():
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Claim):
                yield item
