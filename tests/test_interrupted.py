"""A build that is killed, out of disk or given damaged files corrupts nothing and loses little."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest

from qlearn_book import partial, store
from qlearn_book.site import extension

ROOT = Path(__file__).resolve().parent.parent

# A book of two figures, one quick and one slow, whose module notes every state that it computes.
FIGURES = """
import os, time
import numpy as np
from qlearn_book import Axis, Explorer
from qlearn_book.marks import axes, describe, line

def compute(gamma, depth):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{depth}\\n")
    time.sleep(0.01 if depth > 9 else 0.0)
    return gamma ** np.arange(depth)

def draw(curve):
    result = axes(x=("k", 0, 20), y=("error", 0.0, 1.0))
    line(result, np.arange(len(curve)), curve, "error", "#0072b2")
    describe(result, f"The last value is {curve[-1]:.3g}.")
    return result

def figure(name, depths):
    gamma = Axis(tuple(i / 50 for i in range(1, 50)), "discount γ", start=0.5)
    depth = Axis(depths, "depth D", start=depths[0])
    return Explorer(name, compute, draw, title="t", gamma=gamma, depth=depth)

quick, slow = figure("quick", (2, 3)), figure("slow", (10, 11))
"""
BUILD = "import figures; figures.quick.payload(); figures.slow.payload()"


class Book:
    """A folder with the two figures, where builds run as processes of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "figures.py").write_text(FIGURES, encoding="utf-8")
        self.notes = folder / "notes"
        self.grids = folder / "grids"

    def start(self, program: str = BUILD) -> subprocess.Popen:
        self.notes.write_text("")
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(self.folder), str(ROOT)]),
            "QLEARN_BOOK_CACHE": str(self.grids),
            "NOTES": str(self.notes),
        }
        return subprocess.Popen(
            [sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True
        )

    def build(self, program: str = BUILD) -> str:
        """Build to the end; returns what was said on the way to a failure."""
        build = self.start(program)
        _, said = build.communicate(timeout=60)
        return said

    def computed(self, low: int, high: int) -> int:
        """How many states with a depth in this range the last build computed."""
        return sum(low <= int(depth) <= high for depth in self.notes.read_text().split())

    def grid(self, name: str) -> dict:
        return json.loads((self.grids / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def book(tmp_path) -> Book:
    return Book(tmp_path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Book:
    """The same book, built without a disturbance."""
    whole = Book(tmp_path_factory.mktemp("whole"))
    assert whole.build() == ""
    return whole


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_a_killed_build_keeps_the_finished_figure_and_computes_the_other_one(book, whole, blow):
    build = book.start()
    wait_until(lambda: book.computed(10, 11) >= 5)
    build.send_signal(blow)
    build.wait(timeout=30)
    build.stderr.close()
    assert [file.name for file in book.grids.glob("*.json")] == ["quick.json"]
    assert book.build() == ""
    assert book.computed(2, 3) == 0, "the finished figure was computed again"
    assert {name: book.grid(name) for name in ("quick", "slow")} == {
        name: whole.grid(name) for name in ("quick", "slow")
    }


def test_a_killed_build_goes_on_inside_the_figure_that_it_was_computing(book, whole):
    often = "from qlearn_book import partial; partial.EVERY = 0.1; "
    build = book.start(often + BUILD)
    wait_until((book.grids / "slow.partial").is_file)
    build.kill()
    build.wait(timeout=30)
    build.stderr.close()
    assert book.build(often + BUILD) == ""
    assert book.computed(10, 11) < 98, "nothing of the interrupted figure was kept"
    assert book.grid("slow") == whole.grid("slow")
    assert list(book.grids.glob("*.partial")) == []


def test_an_interrupted_build_leaves_its_chapters_to_the_next_one(tmp_path, monkeypatch):
    no_outputs = SimpleNamespace(list_cache_records=lambda: [])
    monkeypatch.setattr(extension, "get_cache", lambda path: no_outputs)
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "chapter.ipynb")
    app = SimpleNamespace(
        outdir=tmp_path / "html", config=SimpleNamespace(nb_execution_cache_path="")
    )
    env = SimpleNamespace(
        found_docs={"chapter"}, doc2path=lambda name: str(tmp_path / f"{name}.ipynb")
    )

    def build(exception: BaseException | None = None) -> list[str]:
        stale = extension.outdated_chapters(app, env, set(), set(), set())
        extension.keep_chapter_keys(app, exception)
        return stale

    assert build(KeyboardInterrupt()) == ["chapter"]
    assert build() == ["chapter"]
    assert build() == []
    (tmp_path / ".chapters.json").write_text('{"chapter": "0')  # cut off
    assert build() == ["chapter"]


# A process that may write no file larger than this stands for a full disk: writing fails half-way.
ON_A_FULL_DISK = (
    "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    "resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY)); "
)


def test_a_full_disk_leaves_the_old_grid_and_nothing_half_written(book, whole):
    shutil.copytree(whole.grids, book.grids)
    before = (book.grids / "quick.json").read_bytes()
    other = FIGURES.replace("(2, 3)", "(2, 3, 4)")
    (book.folder / "figures.py").write_text(other, encoding="utf-8")
    size = len(before) // 2
    said = book.build(ON_A_FULL_DISK.format(size=size) + "import figures; figures.quick.payload()")
    assert "OSError" in said and "File too large" in said
    assert (book.grids / "quick.json").read_bytes() == before
    assert {file.name for file in book.grids.iterdir()} == {"quick.json", "slow.json"}


@pytest.mark.parametrize("damage", ["cut", "garbage", "empty", "no payload", "not text"])
def test_a_damaged_grid_is_computed_again(book, whole, damage):
    shutil.copytree(whole.grids, book.grids)
    file = book.grids / "quick.json"
    content = file.read_bytes()
    file.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "garbage": os.urandom(1000),
            "empty": b"",
            "no payload": b"[1, 2]",
            "not text": b"\xff\xfe" + content,
        }[damage]
    )
    assert book.build() == ""
    assert book.computed(2, 3) >= 98 and book.computed(10, 11) == 0
    assert book.grid("quick") == whole.grid("quick")


# --- the part of a figure that is done -----------------------------------------------------------


class Counted:
    """A function that counts its calls."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, depth: int) -> dict:
        self.calls.append(depth)
        return {"y": np.arange(depth) / 3, "text": ["γ", None], "gap": float("nan")}


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """kept(function, key) makes a Partial that keeps every result at once."""
    monkeypatch.setattr(partial, "EVERY", -1.0)
    return lambda function, key="k": partial.Partial(function, tmp_path / "deep" / "a.partial", key)


def run(drawn: partial.Partial, depths) -> list[str]:
    return [repr(drawn(depth=depth)) for depth in depths]


def test_what_an_earlier_run_kept_is_not_computed_again_and_is_the_same(kept):
    wanted = run(kept(Counted()), range(7))
    second = Counted()
    assert run(kept(second), range(10))[:7] == wanted
    assert second.calls == [7, 8, 9]


def test_what_other_code_kept_counts_as_nothing(kept):
    run(kept(Counted(), "old code"), range(5))
    second = Counted()
    run(kept(second, "new code"), range(5))
    assert second.calls == [0, 1, 2, 3, 4]
    third = Counted()
    run(kept(third, "new code"), range(5))
    assert third.calls == []


@pytest.mark.parametrize("size", [0, 1, 7, 8, 30, 40, 41, 200])
def test_a_file_cut_anywhere_gives_whole_results_or_none(kept, tmp_path, size):
    wanted = run(kept(Counted()), range(6))
    file = tmp_path / "deep" / "a.partial"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) - size] if size else content[:50])
    second = Counted()
    assert run(kept(second), range(6)) == wanted
    third = Counted()
    assert run(kept(third), range(6)) == wanted
    assert third.calls == []


def test_a_changed_byte_or_garbage_ends_what_is_read(kept, tmp_path):
    wanted = run(kept(Counted()), range(4))
    file = tmp_path / "deep" / "a.partial"
    content = file.read_bytes()
    for place in range(0, len(content), 7):
        damaged = bytearray(content)
        damaged[place] ^= 0x55
        file.write_bytes(damaged)
        assert run(kept(Counted()), range(4)) == wanted
    file.write_bytes(b"\x00" * 8 + os.urandom(500))
    assert run(kept(Counted()), range(4)) == wanted


def test_the_seconds_of_earlier_runs_count(kept):
    def slow(depth: int) -> int:
        time.sleep(0.03)
        return depth

    run(kept(slow), range(3))
    again = kept(slow)
    run(again, range(4))
    assert again.seconds >= 4 * 0.03


def test_little_is_written_where_computing_is_quick(tmp_path):
    drawn = partial.Partial(Counted(), tmp_path / "a.partial", "k")
    run(drawn, range(50))
    assert list(tmp_path.iterdir()) == []


def test_storing_a_grid_ends_its_partial_file(tmp_path, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_CACHE", str(tmp_path))
    store.partial_file("curve").write_bytes(b"some")
    store.save("curve", "k", {"a": 1})
    assert [file.name for file in tmp_path.iterdir()] == ["curve.json"]


def test_a_full_disk_stops_the_computation_with_the_name_of_the_file(book):
    program = ON_A_FULL_DISK.format(size=3000) + (
        "import os, pathlib; from qlearn_book import partial; partial.EVERY = -1.0; "
        "drawn = partial.Partial(lambda depth: os.urandom(500), pathlib.Path('a.partial'), 'k'); "
        f"os.chdir({str(book.folder)!r}); "
        "[drawn(depth=depth) for depth in range(20)]"
    )
    said = book.build(program)
    assert "OSError" in said and "File too large" in said
    again = Counted()
    drawn = partial.Partial(again, book.folder / "a.partial", "k")
    run(drawn, range(20))
    assert 0 < len(again.calls) < 20, "what was kept before the disk was full is not lost"


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "the build did not get there"
        time.sleep(0.02)
