"""The benchmarks measure what they say, and find every figure of a chapter."""

from __future__ import annotations

import subprocess
import sys

import nbformat
import numpy as np
import pytest

from benchmarks import figures, q_learning, sweeps, timing
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


def test_a_ratio_compares_variants_of_the_same_round(monkeypatch):
    seconds = {"one": 1.0, "three": 3.0}
    monkeypatch.setattr(timing, "cpu_seconds", lambda run: seconds[run()])
    variants = {name: lambda name=name: lambda: name for name in seconds}
    rows = timing.compare("case", variants, unit="ms", per_unit=dict.fromkeys(seconds, 1e3))
    assert [(row.variant, row.median, row.ratio) for row in rows] == [
        ("one", 1000, 1),
        ("three", 3000, 3),
    ]


def test_without_a_c_compiler_one_sentence_says_what_is_missing(monkeypatch):
    monkeypatch.setattr(q_learning.shutil, "which", lambda name: None)
    monkeypatch.setattr(q_learning, "tutorial_rows", list)
    assert q_learning.rows() == ([], ["The comparison with C is left out: gcc was not found."])


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
