"""How long the book takes to build: from nothing, and after an edit of one chapter.

A copy of the project is built, so that nothing that was computed or compiled before is there.  The
packages are installed already; what npm fetches, some megabytes, is counted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

from benchmarks.timing import Row, judged
from qlearn_book.store import ROOT

NOT_COPIED = shutil.ignore_patterns("_build", ".venv*", ".git", "__pycache__")
PROGRAMS = Path(sys.executable).parent
COMMANDS = (
    [sys.executable, "-m", "qlearn_book.site.assets"],
    [sys.executable, "-m", "qlearn_book.precompute"],
    [PROGRAMS / "jupyter-book", "build", ".", "-W", "--keep-going"],
)
EDITED = Path("book", "value_iteration.ipynb")
REASON = "every figure is computed at all of its states"


def rows() -> tuple[list[Row], list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        shutil.copytree(ROOT, project, ignore=NOT_COPIED)
        cold = build_seconds(project)
        edit(project / EDITED)
        warm = build_seconds(project)
    return [
        row("from nothing", cold, goal=600.0),
        row(f"after an edit of {EDITED.name}", warm, goal=60.0),
    ], []


def row(variant: str, seconds: float, goal: float) -> Row:
    one = Row("the whole book", variant, "s", seconds, seconds, seconds, rounds=1)
    return judged(one, f"≤ {goal:.0f} s", seconds <= goal, REASON)


def build_seconds(project: Path) -> float:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("QLEARN_BOOK")}
    own = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(project),
        "OPENBLAS_NUM_THREADS": "1",
    }
    began = time.perf_counter()
    for command in COMMANDS:
        done = subprocess.run(
            command, cwd=project, env=kept | own, capture_output=True, text=True, encoding="utf-8"
        )
        if done.returncode:
            raise RuntimeError(f"the build failed: {done.stderr[-2000:]}")
    return time.perf_counter() - began


def edit(chapter: Path) -> None:
    """Add a sentence, as an author does."""
    notebook = nbformat.read(chapter, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("One more sentence."))
    nbformat.write(notebook, chapter)
