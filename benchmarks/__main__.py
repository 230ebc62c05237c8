"""``python -m benchmarks``: measure everything, print one table, keep it in results/."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from benchmarks import figures, page, planning, q_learning, sweeps
from benchmarks.timing import ROUNDS, Row

RESULTS = Path(__file__).with_name("results")
LINE = "{:<56} {:<21} {:>10} {:>10} {:>10} {:>8}  {}"


def machine() -> dict[str, str]:
    """The processor and the versions that the numbers depend on."""
    own = {"processor": _processor(), "python": platform.python_version(), "gcc": _gcc()}
    packages = ("numpy", "scipy", "numba", "gymnasium", "joblib", "distributed")
    return own | {name: version(name) for name in packages}


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _gcc() -> str:
    if shutil.which("gcc") is None:
        return "not found"
    command = ["gcc", "-dumpfullversion"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def show(row: Row) -> None:
    numbers = (f"{value:,.1f}" for value in (row.low, row.median, row.high))
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    print(LINE.format(row.case, row.variant, *numbers, ratio, row.unit), flush=True)


def main() -> None:
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print(
        f"CPU time, {ROUNDS} rounds, quartiles; figures, page: fastest, median, 95th percentile\n"
    )
    print(LINE.format("case", "variant", "low", "median", "high", "ratio", "unit"))
    RESULTS.mkdir(exist_ok=True)
    for module in (q_learning, planning, sweeps, figures, page):
        rows, missing = module.rows()
        for row in rows:
            show(row)
        for sentence in missing:
            print(sentence)
        record = {"machine": about, "missing": missing, "rows": [asdict(row) for row in rows]}
        stem = module.__name__.rpartition(".")[2]
        text = json.dumps(record, indent=1, ensure_ascii=False)
        (RESULTS / f"{stem}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
