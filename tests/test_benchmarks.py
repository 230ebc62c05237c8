"""The benchmarks measure what they say, and find every figure of a chapter."""

from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

import benchmarks.__main__ as command
from benchmarks import compiled, figures, q_learning, sweeps, timing
from qlearn_book import Axis
from qlearn_book.notebooks import explorers

CHAPTER = """
from qlearn_book import Axis, Explorer
numbers = Axis((1, 2, 4), "depth D", start=2)
def figure(name):
    return Explorer(name, lambda depth: depth, lambda record: {"depth": record},
                    title=name, depth=numbers)
"""


def chapter(folder, *cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    path = folder / "chapter.ipynb"
    nbformat.write(notebook, path)
    return path


def test_the_figures_of_a_chapter_come_in_reading_order_and_print_nothing(tmp_path, capsys):
    path = chapter(
        tmp_path,
        CHAPTER,
        'figure("first")',
        'print("seen by nobody")',
        "# NBVAL_CHECK_OUTPUT\nraise SystemExit",
        'hidden = figure("second")\nhidden',
    )
    found = explorers(path)
    assert [explorer.name for explorer in found] == ["first", "second"]
    assert found[0].at(depth=4) == {"depth": 4}
    assert capsys.readouterr().out == ""


def test_an_error_in_a_chapter_is_not_swallowed(tmp_path):
    with pytest.raises(NameError, match="unknown"):
        explorers(chapter(tmp_path, CHAPTER, "unknown"))


@pytest.mark.parametrize(
    ("values", "kind"), [((1, 2, 8), int), ((0.5, 1.0), float), (("a", "b"), str)]
)
def test_random_states_lie_on_the_sliders(values, kind):
    rng = np.random.default_rng(0)
    drawn = [figures.position(Axis(values, "x", start=values[0]), rng) for _ in range(50)]
    assert all(type(value) is kind for value in drawn)
    assert values[0] <= min(drawn) < max(drawn) <= values[-1]


def test_random_states_of_stored_results_are_stored():
    axis = Axis((0.5, 0.8, 0.95), "x", start=0.5, stored=True)
    rng = np.random.default_rng(0)
    assert {figures.position(axis, rng) for _ in range(50)} == set(axis.values)


def variant(seconds, **options):
    """A variant that costs so many seconds of the clock below."""
    return timing.Variant(lambda: lambda: seconds, 1e3, **options)


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """What is timed says itself how long it took."""
    monkeypatch.setattr(timing, "cpu_seconds", lambda run: run())


def test_a_ratio_is_the_cost_over_ours_in_the_same_round():
    rows = timing.compare("case", {"ours": variant(0.1), "three": variant(0.3)}, unit="ms")
    assert [(row.variant, row.median, row.ratio) for row in rows] == [
        ("ours", pytest.approx(100), 1),
        ("three", pytest.approx(300), pytest.approx(3)),
    ]


@pytest.mark.parametrize(("seconds", "rounds"), [(0.4, 9), (0.6, 3), (4.0, 1)])
def test_what_is_slow_is_timed_less_often_and_the_row_says_so(seconds, rounds):
    rows = timing.compare("case", {"ours": variant(0.1), "peer": variant(seconds)}, unit="ms")
    assert [row.rounds for row in rows] == [9, rounds]
    assert rows[1].low == rows[1].median == rows[1].high == 1e3 * seconds


def test_a_goal_is_a_least_ratio_and_a_reason_stands_only_where_it_is_missed():
    peers = {
        "near": variant(0.2, goal=3, reason="a reason"),
        "far": variant(0.4, goal=3, reason="a reason"),
        "free": variant(0.4),
    }
    _, near, far, free = timing.compare("case", {"ours": variant(0.1)} | peers, unit="ms")
    assert (near.goal, near.met, near.reason) == ("≥ 3×", False, "a reason")
    assert (far.goal, far.met, far.reason) == ("≥ 3×", True, "")
    assert (free.goal, free.met, free.reason) == ("", None, "")


def test_a_wrong_answer_stops_the_comparison_before_anything_is_timed(monkeypatch):
    def wrong(answer):
        raise RuntimeError(f"{answer} is wrong")

    monkeypatch.setattr(timing, "cpu_seconds", lambda run: pytest.fail("timed"))
    with pytest.raises(RuntimeError, match="0.3 is wrong"):
        timing.compare("case", {"ours": variant(0.1), "bad": variant(0.3, check=wrong)}, unit="ms")


def test_without_a_c_compiler_one_sentence_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(q_learning, "compilers", dict)
    assert q_learning.rows() == ([], [compiled.NO_COMPILER])


def test_the_random_problem_holds_distributions():
    successors, r, terminal, tables = q_learning.random_problem(5, 2, 3, q_learning.UNIFORM_PAIRS)
    assert successors.probabilities.sum(axis=1) == pytest.approx(np.ones(10))
    assert (successors.states < 5).all() and (successors.cumulative[:, -1] == 1).all()
    assert (r.shape, terminal.any(), tables.pairs.tolist()) == ((5, 2), False, list(range(10)))


def test_the_cpu_time_of_a_sweep_includes_that_of_its_workers():
    """A process computes for 0.3 s of CPU time when it is told to, and says when it is done."""
    program = (
        "import time; input(); end = time.process_time() + 0.3\n"
        "while time.process_time() < end: pass\n"
        "print(flush=True); input()"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:

        def work():
            worker.stdin.write(b"\n")
            worker.stdin.flush()
            worker.stdout.readline()

        clock_tick = 0.01  # of the system's counters, here of two processes and two kinds of time
        assert 0.3 - 4 * clock_tick <= sweeps.cpu_seconds(work)
        worker.stdin.write(b"\n")


def test_a_process_that_ends_during_a_sweep_takes_nothing_away():
    program = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()  # it has spent its time
        assert 0 <= sweeps.cpu_seconds(lambda: other.communicate(b"\n")) < 0.3


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def results(tmp_path, monkeypatch):
    """The folder in which `main` keeps what the groups below measure."""

    def group(name):
        def rows():
            if name.endswith("network"):
                raise KeyboardInterrupt
            row = timing.Row("case", "ours", "ms", 1.5, 1.0, 2.0)
            return [timing.judged(row, "≤ 1 ms", False, "because")], ["A peer: left out."]

        return SimpleNamespace(rows=rows)

    monkeypatch.setattr(command, "import_module", group)
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    return tmp_path


def test_the_table_is_printed_with_reasons_and_kept(results, capsys):
    command.main(["planning"])
    printed = capsys.readouterr().out
    assert "≤ 1 ms" in printed and "short: because" in printed and "A peer: left out." in printed
    kept = json.loads((results / "planning.json").read_text(encoding="utf-8"))
    assert kept["rows"][0] == {
        "case": "case", "variant": "ours", "unit": "ms", "median": 1.5, "low": 1.0, "high": 2.0,
        "ratio": None, "rounds": None, "goal": "≤ 1 ms", "met": False, "reason": "because",
    }  # fmt: skip
    assert kept["missing"] == ["A peer: left out."] and "processor" in kept["machine"]


def test_an_interruption_keeps_the_groups_that_are_done(results):
    with pytest.raises(SystemExit, match="Interrupted in network"):
        command.main(["planning", "network", "growth"])
    assert [path.name for path in results.iterdir()] == ["planning.json"]


def test_an_unknown_group_is_refused_with_the_list_of_groups(results, capsys):
    with pytest.raises(SystemExit):
        command.main(["plannign"])
    assert "no group plannign; the groups are q_learning," in capsys.readouterr().err
    assert list(results.iterdir()) == []
