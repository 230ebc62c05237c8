"""Every claim with what was found, the figure that shows it and the tests that enforce it.

A `Ledger` cannot be made while a verdict has no test, a citation no claim, or a link no figure
state: `LedgerError` then names each claim, and the build of the book fails.
"""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat

from qlearn_book import claims
from qlearn_book.address import address
from qlearn_book.claims.claim import SECTIONS, Claim, Finding, Verdict, claims_of, findings
from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import BOOK, explorers
from qlearn_book.store import ROOT

CITATION = re.compile(r"`claim:([^`]*)`")


class LedgerError(ValueError):
    """What the book says and what its code and tests show do not fit together."""


@dataclass(frozen=True)
class Backing:
    """A test marked ``@pytest.mark.claim("id")``."""

    path: str  # from the top of the repository
    name: str
    line: int


@dataclass(frozen=True)
class Entry:
    """A claim, what was found, where to see it and what enforces it."""

    claim: Claim
    finding: Finding
    chapter: str  # stem of the chapter that shows or measures it, or empty
    figure: Explorer | None
    tests: tuple[Backing, ...]

    @property
    def fragment(self) -> str:
        """The address of the figure's state within the chapter's page, or empty."""
        if self.figure is None:
            return ""
        return address(self.figure.name, self.figure.start | self.claim.at)


class Ledger:
    """All claims of the essay; shows itself as a page, in the book and in a kernel."""

    def __init__(self) -> None:
        every = registered()
        figures = book_figures({claim.chapter for claim in every if claim.chapter})
        tests = backings(ROOT / "tests")
        found = findings(every)
        problems = [
            *problems_of_claims(found, tests),
            *problems_of_links(every, figures),
            *problems_of_citations(found, citations(BOOK)),
        ]
        if problems:
            raise LedgerError("; ".join(problems))
        self.entries = tuple(
            _entry(claim, found[claim.id], figures, tests)
            for claim in sorted(every, key=lambda claim: SECTIONS.index(claim.section))
        )

    @cached_property
    def by_id(self) -> dict[str, Entry]:
        return {entry.claim.id: entry for entry in self.entries}

    def __repr__(self) -> str:
        verdicts = [entry.finding.verdict for entry in self.entries]
        counts = (f"{verdicts.count(verdict)} {verdict}" for verdict in Verdict)
        return f"Ledger({len(self.entries)} claims: {'; '.join(counts)})"

    def _repr_html_(self) -> str:
        from qlearn_book.claims import markup

        if os.environ.get("QLEARN_BOOK_MODE") == "static":
            return markup.ledger(self.entries, ".html")
        return markup.styled(markup.ledger(self.entries, ".ipynb"))


def registered() -> list[Claim]:
    """The claims of all modules of this package; ``LedgerError`` for an id given twice."""
    found: dict[str, Claim] = {}
    for info in pkgutil.iter_modules(claims.__path__):
        for claim in claims_of(importlib.import_module(f"{claims.__name__}.{info.name}")):
            if claim.id in found:
                raise LedgerError(f"claim {claim.id!r} is there twice")
            found[claim.id] = claim
    return list(found.values())


def book_figures(chapters: Iterable[str]) -> dict[str, tuple[str, Explorer]]:
    """Name of a figure -> its chapter and the figure, for these chapters."""
    return {
        explorer.name: (chapter, explorer)
        for chapter in sorted(chapters)
        for explorer in explorers(BOOK / f"{chapter}.ipynb")
    }


def backings(folder: Path) -> dict[str, tuple[Backing, ...]]:
    """Id of a claim -> the tests below a folder that are marked with it."""
    found: dict[str, tuple[Backing, ...]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef):
                continue
            test = Backing(path.relative_to(folder.parent).as_posix(), node.name, node.lineno)
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.claim":
                    for id in map(ast.literal_eval, mark.args):
                        found[id] = (*found.get(id, ()), test)
    return found


def citations(book: Path) -> dict[str, set[str]]:
    """Name of a file of the book -> the ids that its text cites as `claim:id`."""
    found = {}
    for path in sorted(book.iterdir()):
        if path.suffix == ".ipynb":
            cells = nbformat.read(path, as_version=4).cells
            text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        elif path.suffix == ".md":
            text = path.read_text(encoding="utf-8")
        else:
            continue
        found[path.name] = set(CITATION.findall(text))
    return found


def problems_of_claims(
    found: dict[str, Finding], tests: dict[str, tuple[Backing, ...]]
) -> list[str]:
    """Verdicts that rest on a measurement and have no test; tests of claims that are not there."""
    unmeasured = (Verdict.OPEN, Verdict.REPORTED)
    return [
        *(
            f"claim {id!r} {finding.verdict}, but no test is marked with it"
            for id, finding in found.items()
            if finding.verdict not in unmeasured and id not in tests
        ),
        *(
            f"{test.path}::{test.name} is marked with {id!r}, which is no measured claim"
            for id, marked in tests.items()
            for test in marked
            if id not in found or found[id].verdict in unmeasured
        ),
    ]


def problems_of_links(
    every: list[Claim], figures: dict[str, tuple[str, Explorer]]
) -> list[str]:  # fmt: skip
    """Claims that point to a figure, a control or a value that the book does not have."""
    problems = []
    for claim in every:
        if not claim.figure:
            continue
        if claim.figure not in figures:
            problems.append(f"claim {claim.id!r} links to figure {claim.figure!r}: there is none")
            continue
        axes = figures[claim.figure][1].axes
        for axis, value in claim.at.items():
            if axis not in axes or value not in axes[axis].values:
                problems.append(
                    f"claim {claim.id!r} links to {axis} = {value!r}, "
                    f"which figure {claim.figure!r} does not have"
                )
    return problems


def problems_of_citations(found: dict[str, Finding], cited: dict[str, set[str]]) -> list[str]:
    """Claims that a chapter cites and the ledger does not list."""
    return [
        f"{name} cites the claim {id!r}, which is not in the ledger"
        for name, ids in cited.items()
        for id in sorted(ids - found.keys())
    ]


def _entry(
    claim: Claim,
    finding: Finding,
    figures: dict[str, tuple[str, Explorer]],
    tests: dict[str, tuple[Backing, ...]],
) -> Entry:
    chapter, figure = figures[claim.figure] if claim.figure else (claim.chapter, None)
    return Entry(claim, finding, chapter, figure, tests.get(claim.id, ()))
