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
    assert "curve: 1 of 4 states, about" in printed
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
