"""``python -m benchmarks [group ...]``: measure, print one table, keep it in results/.

Every group is kept when it is done, so that Ctrl-C loses only the one it interrupts.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

from benchmarks import compiled, peers
from benchmarks.timing import ROUNDS, Row

RESULTS = Path(__file__).with_name("results")
GROUPS = (
    "q_learning", "q_learning_peers", "planning", "network", "growth", "sweeps", "start",
    "figures", "page", "page_peers", "kernel", "building",
)  # fmt: skip
PACKAGES = (
    "numpy", "scipy", "numba", "torch", "gymnasium", "joblib", "distributed", "quantecon",
    "mdpsolver", "pymdptoolbox", "mdptoolbox-hiive", "mdp-solver-ic", "stable-baselines3",
    "plotly", "jupyter-book", "panel", "jupyterlab", "ipywidgets",
)  # fmt: skip
LINE = "{:<48} {:<38} {:>10} {:>10} {:>10} {:>9}  {:<9} {:>3}  {:<9} {}"


def machine() -> dict[str, str]:
    """The processor and the versions that the numbers depend on."""
    own = {"processor": _processor(), "python": platform.python_version()}
    return own | compiled.versions() | peers.versions(*PACKAGES)


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def show(row: Row) -> None:
    numbers = (f"{value:,.4g}" if value < 1 else f"{value:,.1f}" for value in (
        row.low, row.median, row.high))  # fmt: skip
    ratio = "" if row.ratio is None else f"{row.ratio:,.2f}"
    verdict = {None: "", True: "met"}.get(row.met, f"short: {row.reason}")
    line = LINE.format(
        row.case, row.variant, *numbers, ratio, row.unit, row.rounds or "", row.goal, verdict
    )
    print(line.rstrip(), flush=True)


def measure(group: str, about: dict[str, str]) -> None:
    """Measure a group, print its rows and write results/<group>.json."""
    rows, missing = import_module(f"benchmarks.{group}").rows()
    for row in rows:
        show(row)
    for sentence in missing:
        print(sentence)
    record = {"machine": about, "missing": missing, "rows": [asdict(row) for row in rows]}
    text = json.dumps(record, indent=1, ensure_ascii=False)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{group}.json").write_text(text + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("group", nargs="*", help=f"some of {', '.join(GROUPS)}; all by default")
    groups = parser.parse_args(arguments).group
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        parser.error(f"there is no group {unknown[0]}; the groups are {', '.join(GROUPS)}")
    about = machine()
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print(
        f"CPU time, {ROUNDS} rounds or the number given, quartiles, seed 0; ratio: cost over ours "
        "in the same round; figures, page, kernel: fastest, median, 95th percentile\n"
    )
    print(LINE.format(
        "case", "variant", "low", "median", "high", "ratio", "unit", "n", "goal", "verdict"
    ))  # fmt: skip
    for group in groups or GROUPS:
        try:
            measure(group, about)
        except KeyboardInterrupt:
            sys.exit(f"\nInterrupted in {group}; the groups before it are kept in {RESULTS}")


if __name__ == "__main__":
    main(sys.argv[1:])
