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
FIGURES = ("page", "kernel")  # groups with rows for every figure of the book


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
        parts = [summed(rows)] * bool(rows)
    elif group in LISTS:
        parts = [listed(rows)] * bool(rows)
    else:
        compared = [row for row in rows if row["ratio"] is not None]
        alone = [row for row in rows if row["ratio"] is None]
        parts = [against(list(part)) for _, part in groupby(compared, key=title)]
        parts += [listed(alone)] * bool(alone)
    if any(row["met"] is False for row in rows):
        parts.append("Short of the goal:\n\n" + shortfalls(rows, with_case=group in LISTS))
    return "\n".join(parts + [f"{sentence}\n" for sentence in record["missing"]])


def read(group: str) -> dict:
    """What a group has measured; a sentence where it has not been run."""
    if not (RESULTS / f"{group}.json").is_file():
        missing = [f'Not measured yet: `make bench GROUPS="{group}"` does it.']
        return {"machine": {}, "rows": [], "missing": missing}
    return json.loads((RESULTS / f"{group}.json").read_text(encoding="utf-8"))


def title(row: dict) -> str:
    """What the cases of one table share: all of a case but its last words."""
    return row["case"].rpartition(", ")[0]


def shortfalls(rows: list[dict], *, with_case: bool) -> str:
    """One item for every name that misses a goal for the same reason, with how often it does."""
    counts = Counter(
        (f"{row['case']}, {row['variant']}" if with_case else row["variant"], row["reason"])
        for row in rows
        if row["met"] is False
    )
    return "".join(
        f"- {name}{'' if count == 1 else f' ({count} times)'}: "
        f"{reason or 'the reason is not known yet'}.\n"
        for (name, reason), count in counts.items()
    )


def against(rows: list[dict]) -> str:
    """A line for every variant, a column for every case: the cost of the first, and the others over
    it. The first is ours, or a plain loop beside ways of ours."""
    variants: dict[str, dict[str, dict]] = {}
    for row in rows:
        variants.setdefault(row["variant"], {})[row["case"]] = row
    first = rows[0]["variant"]
    ours = variants.pop(first)
    own = ", then ".join(row["goal"] for row in ours.values() if row["goal"])
    lines = [["ours" if first == OURS else first, *map(cost, ours.values()), own]]
    for variant, found in variants.items():
        ratios = (quotient(found[case]) if case in found else "–" for case in ours)
        # Where the goal changes from one case to the next, both are said.
        goals = [goal for goal, _ in groupby(row["goal"] for row in found.values())]
        lines.append([variant, *ratios, ", then ".join(goals)])
    columns = (case.rpartition(", ")[2] for case in ours)
    return table([title(rows[0]), *columns, "goal"], lines, words=1)


def cost(row: dict) -> str:
    """Our own number, bold where it falls short of a goal of its own."""
    shown = f"{number(row['median'])} {row['unit']}"
    return f"**{shown}**" if row["met"] is False else shown


def quotient(row: dict) -> str:
    """The ratio of a row, bold where it falls short."""
    ratio = f"{number(row['ratio'])}×"
    return f"**{ratio}**" if row["met"] is False else ratio


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
        if about:
            alike.setdefault(", ".join(f"{name} {version}" for name, version in about), []).append(
                group
            )
    if len(alike) == 1:
        return f"{next(iter(alike))}.\n"
    return "".join(f"- {', '.join(names)}: {about}.\n" for about, names in alike.items())


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"written: {PAGE}")
