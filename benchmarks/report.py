"""``python -m benchmarks.report``: fill the tables of book/speed.md from results/.

A table stands between ``<!-- table: group -->`` and ``<!-- end -->``; the prose around it is
written by hand. A test compares the page with what this module would write.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import groupby
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "book" / "speed.md"
TABLE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
OURS = "qlearn_core"
LISTS = ("growth", "start", "building")  # groups whose rows are not costs of the same work
FIGURES = ("page", "kernel")  # groups with a row for every figure of the book


def filled(page: str) -> str:
    """The page with every table as the results have it."""
    return TABLE.sub(lambda found: f"{found[1]}\n{body(found[2])}\n{found[3]}", page)


def groups(page: str) -> list[str]:
    """The groups whose results the page shows."""
    return [name for _, name, _ in TABLE.findall(page) if name != "machine"]


def body(group: str) -> str:
    """The tables of a group with what falls short and what was left out, as Markdown."""
    if group == "machine":
        return machines()
    record = read(group)
    rows = record["rows"]
    if group in FIGURES:
        parts = [summed(rows)]
    elif group in LISTS:
        parts = [listed(rows)]
    else:
        compared = [row for row in rows if row["ratio"] is not None]
        alone = [row for row in rows if row["ratio"] is None]
        parts = [against(part) for part in parted(compared)] + [listed(alone)] * bool(alone)
    if any(row["met"] is False for row in rows):
        parts.append("Short of the goal:\n\n" + shortfalls(rows))
    return "\n".join(parts + [f"{sentence}\n" for sentence in record["missing"]])


def read(group: str) -> dict:
    return json.loads((RESULTS / f"{group}.json").read_text(encoding="utf-8"))


def parted(rows: list[dict]) -> list[list[dict]]:
    """The rows of one table after the other: a new one where the unit or the first peer changes."""
    cases = [list(part) for _, part in groupby(rows, key=lambda row: row["case"])]
    kind = groupby(cases, key=lambda case: (case[0]["unit"], [row["variant"] for row in case[1:2]]))
    return [[row for case in part for row in case] for _, part in kind]


def shortfalls(rows: list[dict]) -> str:
    """One item for every variant that misses a goal for the same reason, with how often it does."""
    counts = Counter((row["variant"], row["reason"]) for row in rows if row["met"] is False)
    return "".join(
        f"- {variant}{'' if count == 1 else f' ({count} times)'}: "
        f"{reason or 'the reason is not known yet'}.\n"
        for (variant, reason), count in counts.items()
    )


def against(rows: list[dict]) -> str:
    """One line for every case: our cost, and what every peer takes in units of it.

    A goal that a peer has in all cases stands in the head of its column, others in the cells.
    """
    columns: dict[str, list[dict]] = {}
    cases: dict[str, dict[str, dict]] = {}
    for row in rows:
        cases.setdefault(row["case"], {})[row["variant"]] = row
        if row["variant"] != OURS:
            columns.setdefault(row["variant"], []).append(row)
    shared = {peer: one_goal(found) for peer, found in columns.items()}
    lines = [
        [case, ours(found[OURS])]
        + [quotient(found[p], shared[p]) if p in found else "–" for p in columns]
        for case, found in cases.items()
    ]
    head = [f"{peer} ({goal})" if goal else peer for peer, goal in shared.items()]
    return table(["work", "ours", *head], lines, words=1)


def ours(row: dict) -> str:
    """Our own cost, with a goal of its own if it has one."""
    cost = f"{number(row['median'])} {row['unit']}"
    goal = f" ({row['goal']})" if row["goal"] else ""
    return f"**{cost}**{goal}" if row["met"] is False else f"{cost}{goal}"


def one_goal(rows: list[dict]) -> str:
    """The goal of all these rows, or nothing where they differ."""
    goals = {row["goal"] for row in rows}
    return goals.pop() if len(goals) == 1 else ""


def quotient(row: dict, shared: str) -> str:
    """The ratio of a row, bold where it falls short, with its goal if that is not a shared one."""
    ratio = f"{number(row['ratio'])}×"
    goal = "" if row["goal"] == shared else f" ({row['goal']})"
    return f"**{ratio}**{goal}" if row["met"] is False else f"{ratio}{goal}"


def listed(rows: list[dict]) -> str:
    """One line for every row: the number, its quartiles, and its goal."""
    lines = [[row["case"], row["variant"], value(row), verdict(row)] for row in rows]
    return table(["what", "of", "measured", "goal"], lines, words=2)


def summed(rows: list[dict]) -> str:
    """One line for every quantity that the figures of the book share.

    The last columns hold the worst figure by its 95th percentile, and how many meet the goal.
    """
    lines = []
    for what in dict.fromkeys(row["variant"] for row in rows):
        alike = [row for row in rows if row["variant"] == what]
        worst = max(alike, key=lambda row: row["high"])
        unit = worst["unit"]
        met = sum(row["met"] is True for row in alike)
        lines.append([
            what,
            f"{number(median(row['median'] for row in alike))} {unit}",
            f"{number(median(row['high'] for row in alike))} {unit}",
            f"{number(worst['high'])} {unit}, {worst['case']}",
            f"{worst['goal']}: {met} of {len(alike)}" if worst["goal"] else "",
        ])  # fmt: skip
    return table(["what", "p50", "p95", "the worst p95", "goal"], lines, words=1)


def value(row: dict) -> str:
    unit = "" if row["unit"] == "slope" else f" {row['unit']}"
    middle, low, high = (number(row[name]) for name in ("median", "low", "high"))
    return f"{middle}{unit}" if low == high else f"{middle}{unit} ({low} to {high})"


def verdict(row: dict) -> str:
    if row["met"] is None:
        return ""
    return row["goal"] if row["met"] else f"**{row['goal']}, short**"


def number(value: float) -> str:
    """Three significant digits, and no more than a whole number has."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(head: list[str], lines: list[list[str]], *, words: int) -> str:
    """A Markdown table; its first columns are words, the others numbers."""
    rule = ["---"] * words + ["--:"] * (len(head) - words)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *lines))


def machines() -> str:
    """The machine and the versions, once for all groups that were measured alike."""
    shown = groups(PAGE.read_text(encoding="utf-8"))
    alike: dict[str, list[str]] = {}
    for group in shown:
        about = read(group)["machine"].items()
        alike.setdefault(", ".join(f"{name} {version}" for name, version in about), []).append(
            group
        )
    if len(alike) == 1:
        return f"{next(iter(alike))}.\n"
    return "".join(f"- {', '.join(names)}: {about}.\n" for about, names in alike.items())


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"written: {PAGE}")
