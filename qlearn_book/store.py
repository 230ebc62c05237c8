"""Computed grids on disk, keyed by the code that computed them.

A grid is computed again only when a module that its functions import, directly or not, has
changed.  Files are written to one side and renamed, so that an interrupted run leaves either the
old file or the new one; a file that cannot be read counts as absent.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def folder() -> Path:
    """Where grids are stored: $QLEARN_BOOK_CACHE, or _build/grids of the project."""
    return Path(os.environ.get("QLEARN_BOOK_CACHE", ROOT / "_build" / "grids"))


def source_files(*modules: str) -> set[Path]:
    """The project's files that these modules import, directly or not, themselves included."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = _project_file(module)
        if file is None or file in found:
            continue
        found.add(file)
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        waiting += imported_modules(file.read_text(encoding="utf-8"), package)
    return found


@lru_cache(maxsize=256)
def imported_modules(source: str, package: str = "") -> tuple[str, ...]:
    """Names of modules that a piece of Python in `package` imports.

    `from a import b` gives a.b if that is a module of this project, and a otherwise.
    """
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            module = importlib.util.resolve_name(relative, package)
            inner = [f"{module}.{alias.name}" for alias in node.names]
            names += [name if _project_file(name) else module for name in inner]
    return tuple(names)


def _project_file(module: str) -> Path | None:
    """The file of a module if it belongs to this project."""
    if not (ROOT / module.split(".")[0]).is_dir():
        return None
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # `from module import function`: module.function is no module
        return None
    if spec is None or not spec.origin:
        return None
    file = Path(spec.origin).resolve()
    return file if ROOT in file.parents else None


def digest(files: set[Path], *more: str) -> str:
    """A short hash of the contents of files (by name, sorted) and of more strings."""
    total = hashlib.sha256()
    for file in sorted(files):
        total.update(file.relative_to(ROOT).as_posix().encode())
        total.update(file.read_bytes())
    for text in more:
        total.update(text.encode())
    return total.hexdigest()[:16]


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
    versions = f"{sys.version_info[:2]} {importlib.import_module('numpy').__version__}"
    names = " ".join(f"{f.__module__}.{f.__qualname__}" for f in functions)
    return digest(source_files(*modules, "qlearn_book.grid"), settings, versions, names)


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
