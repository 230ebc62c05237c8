"""The C yardsticks: which compilers there are, and a library built by one of them."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

OPTIONS = ("-O3", "-march=native", "-shared", "-fPIC")
NO_COMPILER = "The comparison with C is left out, because neither gcc nor clang was found."


def compilers() -> dict[str, list[str]]:
    """Name and command of every C compiler; ziglang, a Python package, brings a clang along."""
    found = {name: [name] for name in ("gcc", "clang") if shutil.which(name)}
    if "clang" not in found and find_spec("ziglang"):
        found["clang"] = [sys.executable, "-m", "ziglang", "cc"]
    return found


def versions() -> dict[str, str]:
    """The version of every compiler, as it says it itself."""
    return {
        name: _first_line([*command, "--version"]) for name, command in compilers().items()
    } or {"C compiler": "not found"}


def _first_line(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[0]


def build(source: str, command: list[str], folder: Path, *options: str) -> ctypes.CDLL:
    """The library of a C file of this folder, optimised for this machine."""
    library = folder / f"{Path(source).stem}-{Path(command[-1]).name}.so"
    path = Path(__file__).with_name(source)
    subprocess.run([*command, *OPTIONS, *options, path, "-lm", "-o", library], check=True)
    return ctypes.CDLL(str(library))
