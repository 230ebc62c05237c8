"""The ledger of claims: what it refuses to print, and what a claim and a finding are."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sphinx.errors import ExtensionError

from qlearn_book import Axis, Explorer, store
from qlearn_book.claims import claim as claims
from qlearn_book.claims import ledger
from qlearn_book.claims.claim import Claim, Finding, Verdict, judge
from qlearn_book.site import ledger_page

from .test_claims import FOUND

HOLDS, UNDER, FAILS = Verdict.HOLDS, Verdict.UNDER_CONDITIONS, Verdict.FAILS


# --- what stops the build -------------------------------------------------------------------------


def make(**more) -> Claim:
    return Claim("flat", "Tabular case", "It is flat.", **more)


def figure() -> dict[str, tuple[str, Explorer]]:
    axes = {"gamma": Axis((0.5, 0.9), "γ", start=0.9), "goal": Axis(("a", "b"), "goal", start="a")}
    return {"curve": ("here", Explorer("curve", print, print, title="A curve", **axes))}


@pytest.mark.parametrize("verdict", [HOLDS, UNDER, FAILS])
def test_a_verdict_without_a_test_is_named(verdict):
    finding = Finding(verdict, "", (), "sometimes" if verdict is UNDER else "")
    assert ledger.problems_of_claims({"flat": finding}, {}) == [
        f"claim 'flat' {verdict}, but no test is marked with it"
    ]


def test_a_claim_that_is_not_measured_needs_no_test_and_may_have_none():
    for verdict in (Verdict.OPEN, Verdict.REPORTED):
        found = {"flat": Finding(verdict, "", ())}
        assert ledger.problems_of_claims(found, {}) == []
        mark = ledger.Backing("tests/test_it.py", "test_it", 1)
        (problem,) = ledger.problems_of_claims(found, {"flat": (mark,)})
        assert "test_it is marked with 'flat'" in problem


def test_a_mark_of_a_claim_that_is_not_there_is_named():
    mark = ledger.Backing("tests/test_it.py", "test_it", 1)
    assert ledger.problems_of_claims({}, {"flta": (mark,)}) == [
        "tests/test_it.py::test_it is marked with 'flta', which is no measured claim"
    ]


def test_a_citation_without_a_claim_is_named(tmp_path):
    (tmp_path / "page.md").write_text("It is so `claim:falt`, and `code`.", encoding="utf-8")
    cited = ledger.citations(tmp_path)
    assert cited == {"page.md": {"falt"}}
    assert ledger.problems_of_citations({}, cited) == [
        "page.md cites the claim 'falt', which is not in the ledger"
    ]


@pytest.mark.parametrize(
    ("name", "at", "message"),
    [
        ("curvy", {}, "links to figure 'curvy'"),
        ("curve", {"depth": 2}, "links to depth = 2"),
        ("curve", {"gamma": 0.7}, "links to gamma = 0.7"),
        ("curve", {"goal": "c"}, "links to goal = 'c'"),
    ],
)
def test_a_figure_state_that_does_not_exist_is_named(name, at, message):
    (problem,) = ledger.problems_of_links([make(figure=name, at=at)], figure())
    assert problem.startswith("claim 'flat' ") and message in problem


def test_a_figure_state_that_exists_is_no_problem():
    at = {"gamma": 0.5, "goal": "b"}
    assert ledger.problems_of_links([make(figure="curve", at=at), make()], figure()) == []


def test_all_problems_stop_the_ledger_with_their_names(monkeypatch):
    monkeypatch.setattr(ledger, "backings", lambda folder: {})
    with pytest.raises(ledger.LedgerError) as caught:
        ledger.Ledger()
    assert all(repr(id) in str(caught.value) for id in FOUND)


def test_the_build_of_the_book_ends_where_the_ledger_cannot_be_made(monkeypatch):
    monkeypatch.setattr(ledger, "backings", lambda folder: {})
    with pytest.raises(ExtensionError, match="claim 'staircase' holds, but no test is marked"):
        ledger_page.pages_to_renew(SimpleNamespace(), SimpleNamespace(), [], [], [])


def test_an_id_given_twice_is_refused(monkeypatch):
    monkeypatch.setattr(ledger, "claims_of", lambda module: [make()])
    with pytest.raises(ledger.LedgerError, match="'flat' is there twice"):
        ledger.registered()


# --- claims and findings --------------------------------------------------------------------------


def test_a_claim_holds_in_all_cases_in_some_or_in_none():
    assert judge(True, True) is HOLDS
    assert judge(True, False) is UNDER
    assert judge(False, False) is FAILS


def test_a_condition_stands_where_a_claim_holds_under_conditions_and_only_there():
    for verdict, condition in ((UNDER, ""), (HOLDS, "sometimes")):
        with pytest.raises(ValueError, match="condition must be given"):
            Finding(verdict, "", (), condition)


def test_a_section_that_the_essay_does_not_have_is_refused():
    with pytest.raises(ValueError, match="section of claim 'flat' .* 'Summary'"):
        Claim("flat", "Summary", "It is flat.")


CALLS = []


def measure() -> Finding:
    CALLS.append(1)
    return Finding(UNDER, "{:.0f} of {}", (4.2, 10), "sometimes")


def test_a_finding_is_computed_once_and_then_read_from_the_store(tmp_path, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_CACHE", str(tmp_path))
    CALLS.clear()
    first, second = (claims.findings([make(find=measure)])["flat"] for _ in range(2))
    assert first == second == Finding(UNDER, "{:.0f} of {}", (4.2, 10), "sometimes")
    assert second.sentence == "4 of 10"
    assert len(CALLS) == 1
    assert [path.name for path in store.folder().iterdir()] == ["claims-test_ledger.json"]


def test_marked_tests_are_found_by_reading_the_files(tmp_path):
    source = (
        "import pytest\n\n@pytest.mark.claim('a', 'b')\n@pytest.mark.slow\ndef test_one(): ...\n"
    )
    (tmp_path / "tests" / "browser").mkdir(parents=True)
    (tmp_path / "tests" / "browser" / "test_it.py").write_text(source, encoding="utf-8")
    mark = ledger.Backing("tests/browser/test_it.py", "test_one", 5)
    assert ledger.backings(tmp_path / "tests") == {"a": (mark,), "b": (mark,)}
