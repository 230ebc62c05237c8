"""Long grids say how far they are, across processes, and only where somebody listens."""

from __future__ import annotations

import subprocess
import sys
import time

from qlearn_book import progress


def test_what_another_process_computes_is_printed_here(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_PROGRESS", "")  # restored afterwards
    end = progress.listen(tmp_path / "deep" / "progress")
    program = (
        "from qlearn_book import progress\n"
        "progress.EVERY = 0.0\n"
        "report = progress.reporter('curve')\n"
        "report(1, 4); report(4, 4)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    time.sleep(1.2)
    end()
    printed = capsys.readouterr().err
    assert "curve: 1 of 4 states\n" in printed
    assert "curve: 4 of 4 states, about 0 s left" in printed


def test_nothing_is_written_where_nobody_listens(tmp_path, monkeypatch):
    monkeypatch.delenv("QLEARN_BOOK_PROGRESS", raising=False)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    monkeypatch.chdir(tmp_path)
    progress.reporter("curve")(1, 2)
    assert list(tmp_path.iterdir()) == []


def test_a_line_comes_at_most_every_two_seconds(tmp_path, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_PROGRESS", str(tmp_path / "progress"))
    report = progress.reporter("curve")
    for done in range(1, 1001):
        report(done, 1000)
    assert not (tmp_path / "progress").exists()


def test_the_time_left_follows_the_pace_since_the_last_line(tmp_path, monkeypatch):
    clock = iter([0.0, 40.0, 50.0, 60.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setenv("QLEARN_BOOK_PROGRESS", str(tmp_path / "progress"))
    report = progress.reporter("curve")
    report(1, 100)  # 40 s of compiling say nothing about the rest
    report(11, 100)
    report(60, 100)
    lines = (tmp_path / "progress").read_text().splitlines()
    assert lines == [
        "  curve: 1 of 100 states",
        "  curve: 11 of 100 states, about 89 s left",
        "  curve: 60 of 100 states, about 8 s left",
    ]
