"""How far a grid is, told across processes: kernels compute it, the build's terminal shows it.

A kernel's own output belongs to its notebook, so it appends lines to the file that
``QLEARN_BOOK_PROGRESS`` names, and the process that builds the book prints what is appended.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

EVERY = 2.0  # seconds between two lines about one figure


def reporter(name: str) -> Callable[[int, int], None]:
    """report(done, total) for one figure; says nothing where nobody listens."""
    target = os.environ.get("QLEARN_BOOK_PROGRESS")
    told, before = time.monotonic(), 0

    def report(done: int, total: int) -> None:
        nonlocal told, before
        now = time.monotonic()
        if target is None or now - told < EVERY:
            return
        # By the pace since the last line: the first state compiles, and those kept from an
        # interrupted run took no time.
        left = (now - told) / max(done - before, 1) * (total - done)
        estimate = f", about {left:.0f} s left" if done > 1 else ""
        told, before = now, done
        with open(target, "a", encoding="utf-8") as file:
            file.write(f"  {name}: {done:,} of {total:,} states{estimate}\n")

    return report


def listen(target: Path) -> Callable[[], None]:
    """Print what kernels report from now on; returns the function that ends it."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text("", encoding="utf-8")
    os.environ["QLEARN_BOOK_PROGRESS"] = str(target)
    ended = threading.Event()

    def follow() -> None:
        with open(target, encoding="utf-8") as file:
            while not ended.wait(0.5):
                sys.stderr.write(file.read())
                sys.stderr.flush()

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()

    def end() -> None:
        ended.set()
        thread.join()

    return end
