"""A figure over a finite grid of slider values: what moves, what stays, how many bytes it takes.

``sample`` calls the pure functions ``compute`` and ``draw`` at every grid point and separates the
drawn figures into one *template* (everything that never changes) and a few *moving arrays*
(coordinates, texts and colours that do).  ``pack`` turns the moving arrays into one compressed
block of integers, quantised in the scale of their axis; ``unpack`` is its inverse and the
reference for the browser's decoder.  Nothing here knows what the figure is about.
"""

from __future__ import annotations

import gzip
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Codes per axis length, at least: half a step is 1/16384 of it, 0.03 pixels of a 500-pixel plot.
LEVELS = 8192
#: Steps on a linear axis are one of these times a power of ten.
ROUND_STEPS = (1, 1.25, 2, 2.5, 4, 5, 8)
#: The code of a gap in a line (NaN or padding).
GAP = 65535
#: The figure properties that a slider may move; everything else must stay fixed.
MOVING_NUMBERS = ("x", "y")
MOVING_TEXTS = ("text", "marker.color")

Path = tuple[Any, ...]


class GridError(ValueError):
    """A figure that cannot be put on the page; the message names the figure and the reason."""


@dataclass(frozen=True)
class Moving:
    """One property of the figure over all states: numbers (states, length) or text codes."""

    path: Path  # e.g. ("data", 0, "y")
    values: np.ndarray  # (states, length) float in axis scale, or int codes into `texts`
    log: bool = False  # numbers on a log axis are stored as log10
    step: float = 1.0  # quantisation step in axis scale
    texts: tuple[str, ...] | None = None  # the strings that text codes refer to


@dataclass(frozen=True)
class Sampled:
    """A figure over its grid: the template (the figure at the start) and what moves."""

    name: str
    template: dict
    moving: tuple[Moving, ...]
    num_states: int


def states(axes: Mapping[str, Sequence]) -> Iterator[dict]:
    """All grid points in C order: the last axis varies fastest."""
    for values in itertools.product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def sample(
    name: str,
    compute: Callable[..., Any],
    draw: Callable[[Any], dict],
    axes: Mapping[str, Sequence],
    start: Mapping[str, Any],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Sampled:
    """Draw every state of the grid and split the drawings into template and moving arrays.

    Raises ``GridError`` if a drawing changes anything but coordinates, texts and colours: the
    axes stay where they are while a reader moves a slider.
    """
    total = math.prod(len(values) for values in axes.values())
    leaves: list[dict[Path, Any]] = []
    for done, values in enumerate(states(axes)):
        leaves.append(dict(_leaves(draw(compute(**values)))))
        progress(done + 1, total)
    template = plain(draw(compute(**start)))
    moving = []
    for path in leaves[0]:
        column = [leaf.get(path) for leaf in leaves]
        if any(not _same(column[0], other) for other in column[1:]):
            moving.append(_moving(name, template, path, column))
    strangers = {path for leaf in leaves for path in leaf.keys() ^ leaves[0].keys()}
    if strangers:
        raise GridError(
            f"figure {name!r}: {_dotted(min(strangers, key=str))} is not in every drawing"
        )
    return Sampled(name, template, tuple(moving), total)


def _leaves(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The scalars and flat arrays of a figure's dictionary, each with its path."""
    if isinstance(node, Mapping):
        for key, child in node.items():
            yield from _leaves(child, (*path, key))
    elif isinstance(node, (list, tuple)) and any(isinstance(c, Mapping) for c in node):
        for index, child in enumerate(node):
            yield from _leaves(child, (*path, index))
    else:
        yield path, node


def plain(node: Any) -> Any:
    """The same dictionary with lists for arrays and None for gaps, ready for JSON."""
    if isinstance(node, Mapping):
        return {key: plain(child) for key, child in node.items()}
    if isinstance(node, np.ndarray):
        return plain(node.tolist())
    if isinstance(node, (list, tuple)):
        return [plain(child) for child in node]
    if isinstance(node, np.generic):
        return plain(node.item())
    if isinstance(node, float) and not math.isfinite(node):
        return None
    return node


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, np.ndarray) or isinstance(right, np.ndarray):
        left, right = np.asarray(left), np.asarray(right)
        if left.shape != right.shape:
            return False
        numeric = left.dtype.kind in "fc" and right.dtype.kind in "fc"
        return np.array_equal(left, right, equal_nan=numeric)
    return left == right


def _moving(name: str, template: dict, path: Path, column: list) -> Moving:
    """Stack one moving property over the states, or say why it may not move."""
    prop = ".".join(map(str, path[2:]))
    if path[0] == "data" and prop in MOVING_NUMBERS:
        log, span = _axis_scale(name, template, path)
        values = _padded([np.asarray(v, dtype=float) for v in column])
        if log and np.any(values <= 0):
            raise GridError(
                f"figure {name!r}: {_dotted(path)} is {np.nanmin(values):g} on a log axis; "
                "clip it to the axis in draw"
            )
        values = np.log10(values) if log else values
        step = quantum(span, log)
        if np.nanmax(values) - np.nanmin(values) >= (GAP - 2) * step:
            raise GridError(
                f"figure {name!r}: {_dotted(path)} runs from {np.nanmin(values):g} to "
                f"{np.nanmax(values):g}, too far beyond an axis of length {span:g}; clip it in draw"
            )
        return Moving(path, values, log, step)
    if (path[0] == "data" and prop in MOVING_TEXTS) or path[:2] == ("layout", "meta"):
        rows = [[v] if isinstance(v, str) else list(v) for v in column]
        length = max(map(len, rows))
        rows = [[*map(str, row), *[""] * (length - len(row))] for row in rows]
        codes: dict[str, int] = {}
        table = np.array([[codes.setdefault(t, len(codes)) for t in row] for row in rows])
        if len(codes) >= GAP:
            raise GridError(f"figure {name!r}: {_dotted(path)} has {len(codes)} different texts")
        return Moving(path, table, texts=tuple(codes))
    raise GridError(
        f"figure {name!r}: {_dotted(path)} moves with the sliders; only x, y, text, marker.color "
        "and layout.meta may"
    )


def quantum(span: float, log: bool) -> float:
    """The step of a quantised axis of this length, at most 1/LEVELS of it.

    Round numbers are exact, because readers see them in the table: a linear step is a round one,
    and a decade of a log axis is a whole number of steps.
    """
    finest = span / LEVELS
    if log:
        return 1 / math.ceil(1 / finest)
    power = 10.0 ** math.floor(math.log10(finest))
    return power * max(factor for factor in ROUND_STEPS if factor * power <= finest * (1 + 1e-9))


def _padded(rows: list[np.ndarray]) -> np.ndarray:
    """Rows of different lengths as one array, filled up with NaN, which draws nothing."""
    out = np.full((len(rows), max(row.size for row in rows)), np.nan)
    for row, values in zip(out, rows, strict=True):
        row[: values.size] = values
    return out


def _axis_scale(name: str, template: dict, path: Path) -> tuple[bool, float]:
    """(log?, length of the fixed range in axis scale) of the axis that a coordinate belongs to."""
    letter = path[2]
    trace = template["data"][path[1]]
    axis = letter + "axis" + str(trace.get(letter + "axis", letter))[1:]
    settings = template["layout"].get(axis, {})
    if "range" not in settings:
        raise GridError(
            f"figure {name!r}: layout.{axis}.range is not fixed, but {_dotted(path)} moves"
        )
    low, high = settings["range"]
    return settings.get("type") == "log", abs(high - low)


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


# --- bytes ---------------------------------------------------------------------------------------

#: Ways to take differences before compression; the one with the fewest bytes is kept per array.
DIFFERENCES = {"point": (1,), "state": (0,), "both": (0, 1)}


def pack(sampled: Sampled) -> tuple[list[dict], bytes]:
    """Quantise and compress the moving arrays.

    Returns (specs, block).  Each spec has ``path``, ``shape`` (states, length), ``diff`` and
    ``kind``; numbers add ``log``, ``low`` and ``step`` (value = low + step·code, in axis scale).
    ``block`` is the gzip of all 16-bit codes, first their low bytes, then their high bytes,
    followed by the texts of each text array as one JSON list of lists in UTF-8.
    """
    specs, codes, texts = [], [], []
    for moving in sampled.moving:
        spec: dict = {"path": list(moving.path), "shape": list(moving.values.shape)}
        if moving.texts is None:
            low = moving.step * math.floor(np.nanmin(moving.values) / moving.step)
            raw = np.rint((moving.values - low) / moving.step)
            raw = np.where(np.isnan(raw), GAP, raw).astype(np.uint16)
            spec |= {"kind": "number", "log": moving.log, "low": low, "step": moving.step}
        else:
            raw = moving.values.astype(np.uint16)
            spec |= {"kind": "text"}
            texts.append(moving.texts)
        tried = {way: _difference(raw, DIFFERENCES[way]) for way in DIFFERENCES}
        spec["diff"] = min(tried, key=lambda way: (len(gzip.compress(_planes(tried[way]), 1)), way))
        specs.append(spec)
        codes.append(tried[spec["diff"]].ravel())
    flat = np.concatenate(codes) if codes else np.zeros(0, np.uint16)
    tables = json.dumps(texts, ensure_ascii=False, separators=(",", ":")).encode()
    return specs, gzip.compress(_planes(flat) + tables, 9, mtime=0)


def unpack(specs: list[dict], block: bytes) -> list[np.ndarray]:
    """The moving arrays as they will be drawn: floats in data scale (NaN in gaps) or strings."""
    content = gzip.decompress(block)
    total = sum(math.prod(spec["shape"]) for spec in specs)
    planes = np.frombuffer(content[: 2 * total], np.uint8).reshape(2, -1).astype(np.uint16)
    texts = iter(json.loads(content[2 * total :]))
    flat = planes[0] | planes[1] << 8
    arrays, position = [], 0
    for spec in specs:
        size = math.prod(spec["shape"])
        codes = flat[position : position + size].reshape(spec["shape"])
        position += size
        for axis in DIFFERENCES[spec["diff"]]:
            codes = np.cumsum(codes, axis=axis, dtype=np.uint16)
        if spec["kind"] == "text":
            arrays.append(np.array(next(texts), dtype=object)[codes])
        else:
            values = np.where(codes == GAP, np.nan, spec["low"] + spec["step"] * codes)
            arrays.append(10**values if spec["log"] else values)
    return arrays


def _difference(codes: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    for axis in axes:
        codes = np.diff(codes, axis=axis, prepend=np.zeros_like(codes.take([0], axis=axis)))
    return codes.astype(np.uint16)


def _planes(codes: np.ndarray) -> bytes:
    """All low bytes, then all high bytes: similar bytes side by side compress better."""
    flat = codes.ravel()
    return (flat & 255).astype(np.uint8).tobytes() + (flat >> 8).astype(np.uint8).tobytes()
