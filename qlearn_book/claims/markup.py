"""The ledger as HTML: a card for each claim, readable on a phone, on paper and without scripts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from qlearn_book.claims.claim import Verdict
from qlearn_book.claims.ledger import Backing, Entry
from qlearn_book.site import settings

STYLE = Path(__file__).resolve().parent.parent / "browser" / "claims.css"

#: A word for style sheets and a shape for eyes that do not tell the colours apart.
KEYS = {
    Verdict.HOLDS: ("holds", "M2.5 8.5l4 4 7-9"),
    Verdict.UNDER_CONDITIONS: ("conditions", "M8 1.5v13M8 2a6 6 0 0 1 0 12M8 2a6 6 0 0 0 0 12"),
    Verdict.FAILS: ("fails", "M3 3l10 10M13 3L3 13"),
    Verdict.REPORTED: ("reported", "M3 11V7l3-4M10 11V7l3-4M3 7h3v4H3zM10 7h3v4h-3z"),
    Verdict.OPEN: ("open", "M2.5 8h.01M8 8h.01M13.5 8h.01"),
}


def ledger(entries: Sequence[Entry], suffix: str) -> str:
    """All claims by sections of the essay; chapters are files that end in `suffix`."""
    sections = [(name, list(group)) for name, group in groupby(entries, lambda e: e.claim.section)]
    return (
        f'<div class="ledger">{_counts(entries)}{_contents(sections)}'
        + "".join(
            f'<h3 id="{_ident(name)}">{escape(name)}</h3>'
            f'<ul class="claims">{"".join(_card(entry, suffix) for entry in group)}</ul>'
            for name, group in sections
        )
        + "</div>"
    )


def badge(entry: Entry, page: str) -> str:
    """A link to the claim on the ledger's page that shows its verdict."""
    return (
        f'<a class="claim-badge" href="{escape(page)}#claim-{entry.claim.id}">'
        f'<span class="visually-hidden">The ledger says: </span>'
        f"{mark(entry.finding.verdict)}</a>"
    )


def mark(verdict: Verdict) -> str:
    """The verdict's shape and its words."""
    key, path = KEYS[verdict]
    return (
        f'<span class="claim-verdict" data-verdict="{key}">'
        '<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">'
        f'<path d="{path}"/></svg>{verdict}</span>'
    )


def styled(html: str) -> str:
    """With the style sheet, for places that do not load it: a notebook in a kernel."""
    return f"<style>{STYLE.read_text(encoding='utf-8')}</style>{html}"


def _counts(entries: Sequence[Entry]) -> str:
    verdicts = [entry.finding.verdict for entry in entries]
    items = "".join(
        f"<li><b>{verdicts.count(verdict)}</b> {mark(verdict)}</li>" for verdict in Verdict
    )
    return f'<p>The essay makes {len(entries)} claims:</p><ul class="claim-counts">{items}</ul>'


def _contents(sections: list[tuple[str, list[Entry]]]) -> str:
    items = "".join(
        f'<li><a href="#{_ident(name)}">{escape(name)}</a> ({len(group)})</li>'
        for name, group in sections
    )
    return f'<nav aria-label="Sections of the essay"><ul class="claim-contents">{items}</ul></nav>'


def _ident(section: str) -> str:
    words = "".join(c if c.isalnum() else " " for c in section.lower()).split()
    return "section-" + "-".join(words)


def _card(entry: Entry, suffix: str) -> str:
    claim, finding = entry.claim, entry.finding
    parts = [
        f'<p class="claim-says">{_text(claim.says)} '
        f'<a class="claim-here" href="#claim-{claim.id}" aria-label="Link to the claim {claim.id}">'
        "#</a></p>",
        f"<p>{mark(finding.verdict)}{_condition(finding.condition)}</p>",
    ]
    if finding.sentence:
        parts.append(f'<p class="claim-measured">{_text(finding.sentence)}</p>')
    if entry.figure or entry.chapter:
        parts.append(f'<p class="claim-figure">{_where(entry, suffix)}</p>')
    if entry.tests:
        tests = "".join(f"<li>{_test(test)}</li>" for test in entry.tests)
        parts.append(
            f'<p class="claim-enforced">Enforced by</p><ul class="claim-tests">{tests}</ul>'
        )
    return f'<li class="claim" id="claim-{claim.id}">{"".join(parts)}</li>'


def _text(sentence: str) -> str:
    """A sentence in which no line begins with a lonely % sign."""
    return escape(sentence).replace(" %", "&nbsp;%")


def _condition(condition: str) -> str:
    return f": {_text(condition)}." if condition else ""


def _where(entry: Entry, suffix: str) -> str:
    page = f"{entry.chapter}{suffix}"
    if entry.figure is None:
        return f'<a href="{page}">The chapter that examines it</a>'
    values = entry.figure.start | entry.claim.at
    shown = ", ".join(
        f"{axis.label} {axis.show(values[name])}" for name, axis in entry.figure.axes.items()
    )
    return (
        f'See it: <a href="{escape(page + entry.fragment)}">{escape(entry.figure.title)}</a> '
        f"<small>({escape(shown)})</small>"
    )


def _test(test: Backing) -> str:
    sentence = escape(test.name.removeprefix("test_").replace("_", " "))
    if settings.repository():
        place = f"{settings.repository()}/blob/{settings.BRANCH}/{test.path}#L{test.line}"
        sentence = f'<a href="{escape(place)}">{sentence}</a>'
    return f"{sentence} <code>{escape(test.path)}</code>"
