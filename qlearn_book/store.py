"""Computed grids on disk, keyed by the code that computed them.

A grid is computed again only when a module that its functions import, directly or not, has
changed.  Files are written to one side and renamed, so that an interrupted run leaves either the
old file or the new one; a file that cannot be read counts as absent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qlearn_core import source_key
from qlearn_core.source_key import digest, versions

ROOT = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Where grids are stored: $QLEARN_BOOK_CACHE, or _build/grids of the project."""
    return Path(os.environ.get("QLEARN_BOOK_CACHE", ROOT / "_build" / "grids"))


def source_files(*modules: str) -> dict[str, Path]:
    """The project's modules that these import, directly or not, themselves included."""
    return source_key.source_files(*modules, own=source_key.modules_in(ROOT))


def imported_modules(source: str) -> list[str]:
    """Names of modules that a piece of Python imports."""
    return source_key.imported_modules(source, own=source_key.modules_in(ROOT))


def code_key(*functions: Callable, settings: str) -> str:
    """The key of what these functions compute under these settings.

    Raises ``ValueError`` for a function defined in a notebook, whose imports are not known.
    """
    modules = [function.__module__ for function in functions]
    if "__main__" in modules:
        raise ValueError(
            "compute and draw must live in a module when the book is built, but one of "
            f"{[f.__name__ for f in functions]} is defined in the notebook"
        )
    names = " ".join(f"{f.__module__}.{f.__qualname__}" for f in functions)
    return digest(source_files(*modules, "qlearn_book.grid"), settings, versions(), names)


def partial_file(name: str) -> Path:
    """Where a grid that is being computed keeps what it has (``qlearn_book.partial``)."""
    return folder() / f"{name}.partial"


def load(name: str, key: str) -> dict[str, Any] | None:
    """The stored grid, or None if there is none under this key or its file is damaged."""
    try:
        stored = json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))
        return stored["payload"] if stored["key"] == key else None
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def save(name: str, key: str, payload: dict[str, Any]) -> int:
    """Store a grid; returns the number of bytes that its payload takes."""
    text = json.dumps({"key": key, "payload": payload}, ensure_ascii=False, separators=(",", ":"))
    target = folder() / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f"{name}.{os.getpid()}.part")
    try:
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    partial_file(name).unlink(missing_ok=True)
    return len(text.encode())
