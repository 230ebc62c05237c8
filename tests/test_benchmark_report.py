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


def test_every_variant_is_a_line_and_every_case_a_column(results):
    three, two = {"goal": "≥ 3×", "met": True}, {"goal": "≥ 2×", "met": True}
    results("planning", [
        row("G, 10", "qlearn_core", 0.25), row("G, 10", "x", 5.0, 20.0, **three),
        row("G, 10", "y", 5.0, 4.0),
        row("G, 99", "qlearn_core", 1234.5), row("G, 99", "x", 5.0, 2.0, **two),
    ])  # fmt: skip
    assert report.body("planning") == (
        "| G | 10 | 99 | goal |\n| --- | --: | --: | --: |\n"
        "| ours | 0.25 ms | 1,234 ms |  |\n| x | 20× | 2× | ≥ 3×, then ≥ 2× |\n"
        "| y | 4× | – |  |\n"
    )


def test_other_work_begins_a_new_table(results):
    cases = ("G, γ = 0.9, 10", "G, γ = 0.9, 99", "G, γ = 0.99, 10")
    results("planning", [row(case, name) for case in cases for name in ("qlearn_core", "x")])
    body = report.body("planning")
    assert "| G, γ = 0.9 | 10 | 99 | goal |" in body and "| G, γ = 0.99 | 10 | goal |" in body


def test_what_falls_short_is_bold_with_its_reason_and_what_is_missing_is_said(results):
    short = {"goal": "≥ 3×", "met": False}
    results("network", [
        row("W, A", "qlearn_core"), row("W, A", "x", 5.0, 2.0, reason="it is small", **short),
        row("W, B", "qlearn_core"), row("W, B", "x", 5.0, 2.0, reason="it is small", **short),
        row("W, B", "y", 5.0, 1.0, **short),
    ], ["A peer: left out."])  # fmt: skip
    body = report.body("network")
    assert "| **2×** | **2×** | ≥ 3× |" in body and "| – | **1×** | ≥ 3× |" in body
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
