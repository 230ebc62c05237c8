"""Compute the grids of all figures, on all cores: ``python -m qlearn_book.precompute``.

A build runs the chapters one after the other.  Their figures do not wait for each other, so that
this step, which comes before, leaves the build nothing to compute but text.  Without it a build
gives the same book, later.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from qlearn_book import progress, store
from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import chapters, explorers


@cache
def _figures(chapter: Path) -> list[Explorer]:
    return explorers(chapter)


def _compute(chapter: Path, number: int) -> None:
    _figures(chapter)[number].payload()


def main() -> None:
    """Fill the store; a figure that cannot be computed ends the run with its error."""
    missing = [
        (chapter, number)
        for chapter in chapters()
        for number, figure in enumerate(explorers(chapter))
        if figure.stored() is None
    ]
    if not missing:
        return
    print(f"computing {len(missing)} figures on {os.cpu_count()} cores", flush=True)
    silence = progress.listen(store.ROOT / "_build" / ".precompute")
    # Processes of their own, not forks: threads of the compiled loops do not survive a fork.
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as workers:
        try:
            for done in as_completed([workers.submit(_compute, *each) for each in missing]):
                done.result()
        except BaseException:
            workers.shutdown(wait=False, cancel_futures=True)
            raise
        finally:
            silence()


if __name__ == "__main__":
    main()
