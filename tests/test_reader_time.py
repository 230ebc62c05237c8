"""The rows on the reader's time: what is compared with what, and when a goal is met."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import nbformat
import pytest

from benchmarks import building, dragging, page_peers, report
from benchmarks.timing import Row


def test_a_row_of_waits_holds_the_median_the_shortest_and_the_95th_percentile():
    row = dragging.tail("figure", "move", [float(wait) for wait in range(101)])
    assert (row.low, row.median, row.high, row.rounds) == (0, 50, 95, 101)
    assert dragging.tail("figure", "move", [7.0]).high == 7


def test_a_round_that_the_machine_slowed_does_not_decide():
    waits = iter([(4.0, 1.0), (40.0, 1.6), (6.0, 1.4)])  # of the figure in three rounds

    def follow():
        wait, ratio = next(waits)
        yield replace(dragging.tail("figure", "move", [wait, wait + 1]), ratio=ratio)
        yield dragging.tail("figure", "at rest", [2.0])

    move, rest = dragging.in_rounds(follow)
    assert (move.low, move.median, move.high, move.ratio) == (6, 6.5, 6.95, 1.4)
    assert (move.rounds, rest.rounds, rest.median, rest.ratio) == (6, 3, 2, None)


def test_a_peer_is_ahead_where_its_number_is_below_ours():
    rows = [page_peers.fixed("bytes", name, value) for name, value in (
        (report.OURS, 2.0), ("slower", 5.0), ("faster", 1.0))]  # fmt: skip
    ours, slower, faster = page_peers.beside_ours(rows)
    assert (ours.ratio, ours.met) == (1, None)
    assert (slower.ratio, slower.met, slower.reason) == (2.5, True, "")
    assert (faster.ratio, faster.met, faster.reason) == (0.5, False, "it is ahead of us here")


def test_the_page_sums_the_figures_up_and_names_the_worst(tmp_path, monkeypatch):
    goal = {"goal": "p95 ≤ 10 ms", "reason": "paint"}
    rows = [
        Row("a: one", "move", "ms", 2.0, 1.0, 4.0, met=True, goal=goal["goal"]),
        Row("b: two", "move", "ms", 6.0, 1.0, 20.0, met=False, **goal),
        Row("b: six", "move", "ms", 3.0, 1.0, 5.0, met=True, goal=goal["goal"]),
        Row("a: one", "first figure", "ms", 7.0, 7.0, 7.0),
    ]
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    record = {"machine": {}, "missing": [], "rows": [row.__dict__ for row in rows]}
    (tmp_path / "page.json").write_text(json.dumps(record), encoding="utf-8")
    assert report.body("page") == (
        "| what | p50 | p95 | the worst p95 | goal |\n| --- | --: | --: | --: | --: |\n"
        "| move | 3 ms | 5 ms | 20 ms, b: two | p95 ≤ 10 ms: 2 of 3 |\n"
        "| first figure | 7 ms | 7 ms | 7 ms, a: one |  |\n"
        "\nShort of the goal:\n\n- move: paint.\n"
    )


def test_the_build_is_timed_twice_in_a_copy_that_starts_from_nothing(tmp_path, monkeypatch):
    (project := tmp_path / "project").mkdir()
    (project / "book").mkdir()
    (project / "_build").mkdir()
    nbformat.write(nbformat.v4.new_notebook(), project / building.EDITED)
    log = tmp_path / "log"
    note = (
        "import pathlib, nbformat; here = pathlib.Path.cwd();"
        f"cells = nbformat.read(here / {str(building.EDITED)!r}, 4).cells;"
        f"file = open({str(log)!r}, 'a');"
        "print((here / '_build').exists(), len(cells), file=file);"
        "(here / '_build').mkdir(exist_ok=True)"
    )
    monkeypatch.setattr(building, "ROOT", project)
    monkeypatch.setattr(building, "COMMANDS", ([sys.executable, "-c", note],))
    (cold, warm), missing = building.rows()
    assert log.read_text().splitlines() == ["False 0", "True 1"]
    assert cold.met and warm.met and missing == [] and 0 < cold.median < 60
    assert not nbformat.read(project / building.EDITED, 4).cells, "the author's chapter was edited"


@pytest.mark.parametrize(("seconds", "met"), [(59.0, True), (61.0, False)])
def test_a_build_is_judged_by_its_seconds(seconds, met):
    row = building.row("after an edit", seconds, goal=60.0)
    assert (row.met, row.goal, bool(row.reason)) == (met, "≤ 60 s", not met)


def test_a_build_that_fails_says_why(tmp_path, monkeypatch):
    failing = "import sys; sys.exit('a figure is over its cap')"
    monkeypatch.setattr(building, "COMMANDS", ([sys.executable, "-c", failing],))
    with pytest.raises(RuntimeError, match="a figure is over its cap"):
        building.build_seconds(tmp_path)
