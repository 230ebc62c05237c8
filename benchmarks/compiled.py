"""The C yardsticks: which compilers there are, and a library built by one of them."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

OPTIONS = ("-O3", "-march=native", "-fPIC")
NO_COMPILER = "The comparison with C is left out, because neither gcc nor clang was found."


def compilers() -> dict[str, list[str]]:
    """Name and command of every C compiler; ziglang, a Python package, brings a clang along."""
    found = {name: [name] for name in ("gcc", "clang") if shutil.which(name)}
    if "clang" not in found and find_spec("ziglang"):
        found["clang"] = [sys.executable, "-m", "ziglang", "cc"]
    return found


def versions() -> dict[str, str]:
    """The version of every compiler, the first number that it says about itself."""
    found = {}
    for name, command in compilers().items():
        done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        found[name] = re.search(r"\d+\.\d+\.\d+", done.stdout)[0]
    return found or {"C compiler": "not found"}


def build(source: str, command: list[str], folder: Path, *options: str) -> ctypes.CDLL:
    """The library of a C file of this folder, optimised for this machine."""
    built = folder / f"{Path(source).stem}-{Path(command[-1]).name}.o"
    library = built.with_suffix(".so")
    path = Path(__file__).with_name(source)
    subprocess.run([*command, *OPTIONS, *options, "-c", path, "-o", built], check=True)
    # In a step of its own, without the options: gcc would link -ffast-math with code that turns
    # subnormal numbers off in the whole process.
    subprocess.run([*command, "-shared", built, "-lm", "-o", library], check=True)
    return ctypes.CDLL(str(library))
