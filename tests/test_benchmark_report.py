"""The page on speed: its tables are what the results say."""

from __future__ import annotations

import json

import pytest

from benchmarks import report
from benchmarks.__main__ import GROUPS


def row(case, variant, median=1.0, ratio=1.0, **others):
    spread = {"median": median, "low": median, "high": median, "ratio": ratio, "unit": "ms"}
    return {"case": case, "variant": variant, "met": None, "goal": "", "reason": ""} | (
        spread | others
    )


@pytest.fixture
def results(tmp_path, monkeypatch):
    """results(group, rows) puts made-up results in the place of the measured ones."""
    monkeypatch.setattr(report, "RESULTS", tmp_path)

    def write(group, rows, missing=()):
        record = {"machine": {"processor": "P"}, "missing": list(missing), "rows": rows}
        (tmp_path / f"{group}.json").write_text(json.dumps(record), encoding="utf-8")

    return write


def test_the_page_is_what_the_results_say():
    page = report.PAGE.read_text(encoding="utf-8")
    assert page == report.filled(page), "run python -m benchmarks.report"


def test_the_page_shows_groups_that_are_measured():
    shown = report.groups(report.PAGE.read_text(encoding="utf-8"))
    assert len(shown) == len(set(shown)) >= 6
    assert set(shown) <= set(GROUPS)


def test_every_case_is_a_line_and_every_peer_a_column(results):
    peer = {"goal": "≥ 3×", "met": True}
    results("planning", [
        row("A", "qlearn_core", 0.25), row("A", "x", 5.0, 20.0, **peer),
        row("B", "qlearn_core", 1234.5), row("B", "x", 5.0, 2.0, **peer), row("B", "y", 5.0, 4.0),
    ])  # fmt: skip
    assert report.body("planning") == (
        "| work | ours | x (≥ 3×) | y |\n| --- | --: | --: | --: |\n"
        "| A | 0.25 ms | 20× | – |\n| B | 1,234 ms | 2× | 4× |\n"
    )


def test_goals_that_differ_stand_in_the_cells(results):
    results("planning", [
        row("A", "qlearn_core"), row("A", "x", 5.0, 20.0, goal="≥ 3×", met=True),
        row("B", "qlearn_core"), row("B", "x", 5.0, 1.0, goal="≥ 2×", met=False),
    ])  # fmt: skip
    body = report.body("planning")
    assert "| work | ours | x |" in body
    assert "| 20× (≥ 3×) |" in body and "| **1×** (≥ 2×) |" in body


def test_another_unit_or_another_first_peer_begins_a_new_table(results):
    results("planning", [
        row("A", "qlearn_core"), row("A", "x"),
        row("B", "qlearn_core", unit="s"), row("B", "x"), row("C", "qlearn_core"), row("C", "y"),
    ])  # fmt: skip
    assert report.body("planning").count("| work | ours |") == 3


def test_what_falls_short_is_bold_with_its_reason_and_what_is_missing_is_said(results):
    short = {"goal": "≥ 3×", "met": False}
    results("network", [
        row("A", "qlearn_core"), row("A", "x", 5.0, 2.0, reason="it is small", **short),
        row("B", "qlearn_core"), row("B", "x", 5.0, 2.0, reason="it is small", **short),
        row("B", "y", 5.0, 1.0, **short),
    ], ["A peer: left out."])  # fmt: skip
    body = report.body("network")
    assert "| **2×** |" in body and "| **1×** |" in body
    assert "- x (2 times): it is small.\n- y: the reason is not known yet.\n" in body
    assert body.endswith("\nA peer: left out.\n")


def test_slopes_and_starts_are_listed_with_their_quartiles(results):
    results("growth", [
        row("A", "time", 1.25, unit="slope", low=1.2, high=1.3, goal="≤ 1.1", met=False),
        row("A", "memory", 0.5, unit="MiB", goal="≤ 1", met=True),
    ])  # fmt: skip
    body = report.body("growth")
    assert "| A | time | 1.25 (1.2 to 1.3) | **≤ 1.1, short** |" in body
    assert "| A | memory | 0.5 MiB | ≤ 1 |" in body
