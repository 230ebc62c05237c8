"""What a reader waits for at the start: imports and first results, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.peers import absent, versions
from benchmarks.timing import ROUNDS, Row, judged, spread

STATUS = Path("/proc/self/status")  # VmHWM: the most memory of this process alone
REPORT = """
import pathlib, time
seconds = time.process_time()
status = pathlib.Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else []
print(seconds, *(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")))
"""
# Nothing of these may be loaded before it is used.
LATE = ("torch", "plotly.express", "gymnasium", "quantecon", "matplotlib", "qlearn_book")
IMPORT = f"import sys, qlearn_core; assert not set(sys.modules) & set({LATE!r})"
RESULT = """
import numpy as np
from qlearn_core import UniformPairs, chain, q_learning
q_learning(chain(5), gamma=0.9, alpha=0.1, num_updates=1000, behaviour=UniformPairs(),
           rng=np.random.default_rng(0))
"""
SECONDS, MEGABYTES = 0.35, 100
FIRST_RESULT = 0.7
NUMBA = "almost all of it is numba, which also loads coverage where that is installed"
PEERS = {
    "numpy": "numpy",
    "numba": "numba",
    "quantecon": "quantecon",
    "torch": "torch",
    "stable-baselines3": "stable_baselines3",
}


def rows() -> tuple[list[Row], list[str]]:
    return import_rows() + result_rows(), absent(*PEERS)


def import_rows() -> list[Row]:
    """CPU seconds and MiB of a process that imports one package."""
    programs = {"qlearn_core": IMPORT}
    programs |= {name: f"import {module}" for name, module in PEERS.items() if versions(name)}
    runs = {name: [] for name in programs}
    for program in programs.values():
        fresh(program)  # brings the files into memory
    for _ in range(ROUNDS):
        for name, program in programs.items():
            runs[name].append(fresh(program))
    found = []
    for kind, unit, limit in ((0, "s", SECONDS), (1, "MiB", MEGABYTES)):
        if kind == 1 and not STATUS.exists():
            break
        ours = median(run[kind] for run in runs["qlearn_core"])
        for name, measured in runs.items():
            row = spread("import", name, unit, [run[kind] for run in measured])
            row = replace(row, ratio=row.median / ours)
            if name == "qlearn_core":
                row = judged(row, f"≤ {limit:g} {unit}", row.median <= limit, NUMBA)
            found.append(row)
    return found


def result_rows() -> list[Row]:
    """CPU seconds of a process that learns on a chain: with an empty cache of compiled code, and
    in every later process.

    Raises RuntimeError if a later process compiles anything again.
    """
    with TemporaryDirectory() as folder:
        first = fresh(RESULT, cache=folder)
        compiled = cached(folder)
        later = [fresh(RESULT, cache=folder) for _ in range(ROUNDS)]
        if cached(folder) != compiled:
            raise RuntimeError("the second process compiles something that the first had compiled")
    row = spread("first result", "in every later process", "s", [run[0] for run in later])
    return [
        spread("first result", "in the first process, which compiles", "s", [first[0]]),
        judged(row, f"≤ {FIRST_RESULT:g} s", row.median <= FIRST_RESULT, NUMBA),
    ]


def cached(folder: str) -> dict[str, int]:
    """Every file of compiled code and when it was written."""
    return {
        str(path): path.stat().st_mtime_ns for path in Path(folder).rglob("*") if path.is_file()
    }


def fresh(program: str, *, cache: str | None = None) -> list[float]:
    """CPU seconds and MiB that a new interpreter has used at the end of the program."""
    environment = dict(os.environ) | ({"NUMBA_CACHE_DIR": cache} if cache else {})
    command = [sys.executable, "-W", "ignore", "-c", program + REPORT]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    return [float(word) for word in done.stdout.split()]
