"""One way to run any experiment over a grid of parameters and many seeds.

joblib does the work, on all cores of this machine or on the engine that its `parallel_config`
names; the numbers depend on neither. Results can be kept in a folder, one file for each run, and
what is there is not computed again.
"""

from __future__ import annotations

import hashlib
import inspect
import itertools
import math
import os
import sys
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs, parallel_config
from joblib.parallel import get_active_backend
from tqdm.asyncio import tqdm_asyncio
from tqdm.auto import tqdm

from .source_key import source_key
from .stored_records import Damaged, from_bytes, to_bytes

SHORTEST, LONGEST = 0.5, 2.0  # seconds of work that one call to an engine should carry

Settings = dict[str, Any]  # the keywords of one run, its seed among them


@dataclass(frozen=True)
class Sweep:
    """The records of an experiment at every point of a grid, for every seed."""

    over: dict[str, tuple]  # parameter -> its values
    seeds: tuple[int, ...]
    records: np.ndarray  # (seed, *over) objects: after the seeds, an axis for each parameter

    def stack(self, read: Callable[[Any], Any]) -> np.ndarray:
        """The numbers or arrays that `read` takes from the records: (seed, *over, ...).

        Raises ValueError if the arrays have different shapes.
        """
        parts = [np.asarray(read(record)) for record in self.records.flat]
        for part in parts:
            if part.shape != parts[0].shape:
                raise ValueError(
                    "read must give arrays of one shape for all records, but gives "
                    f"{parts[0].shape} and {part.shape}"
                )
        return np.array(parts).reshape(self.records.shape + parts[0].shape)


def sweep(
    experiment: Callable[..., Any],
    *,
    over: Mapping[str, Sequence],
    seeds: Sequence[int],
    folder: str | Path | None = None,
) -> Sweep:
    """Run `experiment(**settings, seed=seed)` at every joint value of `over`, for every seed.

    over    parameter -> its values, a sequence even when there is but one
    seeds   distinct integers
    folder  where each result is written as soon as it arrives, and read when the same run comes
            again: the same settings and seed, and the same code as far as `source_key` sees it.
            A damaged file counts as absent. Without a folder nothing is kept.

    The work goes to all cores, or to what `joblib.parallel_config` says around the call. A bar
    shows the progress in a terminal or a notebook.

    Raises ValueError for a grid that does not fit the experiment and for what cannot be kept, and
    RuntimeError for a run that failed, with its settings and its traceback; what was finished
    stays kept.
    """
    grid, seeds = _checked_grid(experiment, over), _checked_seeds(seeds)
    points = [
        dict(zip(grid, values, strict=True)) | {"seed": seed}
        for seed in seeds
        for values in itertools.product(*grid.values())
    ]
    files = [] if folder is None else _files(experiment, points, Path(folder))
    records = np.empty(len(points), dtype=object)
    waiting = [] if files else list(range(len(points)))
    for index, file in enumerate(files):
        try:
            records[index] = from_bytes(file.read_bytes())["record"]
        except (FileNotFoundError, Damaged):
            waiting.append(index)
    with (
        _bar(experiment, len(points), len(points) - len(waiting)) as bar,
        closing(_outcomes(experiment, points, waiting)) as outcomes,
    ):
        for index, record in outcomes:
            records[index] = record
            if files:
                run = {"settings": points[index], "record": record}
                _write(files[index], to_bytes(run, _name(experiment)))
            bar.update()
    return Sweep(grid, seeds, records.reshape(len(seeds), *map(len, grid.values())))


def _outcomes(
    experiment: Callable[..., Any], points: list[Settings], waiting: list[int]
) -> Iterator[tuple[int, Any]]:
    """The waiting points with their records, in the order in which these arrive.

    An engine is given several runs in one call, more as long as calls are short: handing over a
    call costs about as much as a run of some milliseconds.
    """
    backend, num_wanted = get_active_backend()
    one_thread = 1 if backend.supports_inner_max_num_threads else None
    size, failed = 1, ""

    def calls() -> Iterator[Any]:
        rest = waiting
        while rest and not failed:
            fair = math.ceil(len(rest) / (2 * num_workers))  # so that all workers end together
            part, rest = rest[: min(size, fair)], rest[min(size, fair) :]
            yield delayed(_run)(experiment, part, [points[index] for index in part])

    with parallel_config(backend, n_jobs=num_wanted or -1, inner_max_num_threads=one_thread):
        num_workers = effective_n_jobs(None)
        parallel = Parallel(batch_size=1, return_as="generator_unordered")
        with closing(parallel(calls())) as results:
            for part, records, failure, seconds in results:  # calls under way end in any case
                yield from zip(part, records, strict=False)  # as far as it came
                if failure is not None:
                    call = _call(experiment, points[part[len(records)]])
                    failed = failed or f"{call} failed:\n{failure}"
                if len(part) == size and not SHORTEST <= seconds <= LONGEST:
                    size = 2 * size if seconds < SHORTEST else max(size // 2, 1)
    if failed:
        raise RuntimeError(failed)


def _run(
    experiment: Callable[..., Any], part: list[int], points: list[Settings]
) -> tuple[list[int], list[Any], str | None, float]:
    """One call to an engine: some runs in turn, until one fails, and the seconds that they took."""
    began, records, failure = time.perf_counter(), [], None
    for settings in points:
        try:
            records.append(experiment(**settings))
        except Exception:  # as text, which every engine can carry
            failure = traceback.format_exc()
            break
    return part, records, failure, time.perf_counter() - began


def _bar(experiment: Callable[..., Any], total: int, initial: int) -> tqdm:
    """A progress bar that shows in a terminal and in a notebook, and nowhere else."""
    in_terminal = tqdm is tqdm_asyncio
    return tqdm(
        total=total,
        initial=initial,
        desc=_name(experiment),
        disable=in_terminal and not sys.stderr.isatty(),
    )


def _files(experiment: Callable[..., Any], points: list[Settings], folder: Path) -> list[Path]:
    """Where each run is kept: named by the code, the settings and the seed."""
    folder.mkdir(parents=True, exist_ok=True)
    code = source_key(experiment).encode()
    keys = [code + to_bytes(dict(sorted(settings.items())), "settings") for settings in points]
    return [folder / f"{hashlib.sha256(key).hexdigest()[:32]}.npz" for key in keys]


def _write(file: Path, content: bytes) -> None:
    """To one side and then renamed: the file is whole at any moment, for every process."""
    aside = file.with_suffix(f".{uuid.uuid4().hex}.part")
    try:
        aside.write_bytes(content)
        os.replace(aside, file)
    finally:
        aside.unlink(missing_ok=True)


def _name(experiment: Callable[..., Any]) -> str:
    return getattr(experiment, "__name__", repr(experiment))


def _call(experiment: Callable[..., Any], settings: Settings) -> str:
    keywords = (f"{name}={value!r}" for name, value in settings.items())
    return f"{_name(experiment)}({', '.join(keywords)})"


def _checked_grid(
    experiment: Callable[..., Any], over: Mapping[str, Sequence]
) -> dict[str, tuple[Any, ...]]:
    parameters = inspect.signature(experiment).parameters
    free = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if "seed" not in parameters and not free:
        raise ValueError(
            f"experiment must have a parameter seed, but {_name(experiment)} has only "
            f"{', '.join(parameters) or 'none'}"
        )
    for name, values in over.items():
        if name == "seed":
            raise ValueError("over must not hold seed: the argument seeds is for it")
        if name not in parameters and not free:
            raise ValueError(
                f"over must hold parameters of {_name(experiment)}, which are "
                f"{', '.join(parameters)}, but holds {name!r}"
            )
        is_sequence = isinstance(values, Sequence) and not isinstance(values, str)
        if not is_sequence and not (isinstance(values, np.ndarray) and values.ndim):
            raise ValueError(
                f"over[{name!r}] must be a sequence of values, but is {values!r}: write one value "
                f"as [{values!r}]"
            )
        if len(values) == 0:
            raise ValueError(f"over[{name!r}] must hold at least one value, but is {values!r}")
    missing = [
        name
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        and name not in {"seed", *over}
    ]
    if missing:
        raise ValueError(
            f"over must hold every parameter of {_name(experiment)} that has no default, but "
            f"lacks {', '.join(missing)}"
        )
    return {name: tuple(values) for name, values in over.items()}


def _checked_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    is_sequence = isinstance(seeds, Sequence) or (isinstance(seeds, np.ndarray) and seeds.ndim)
    whole = is_sequence and all(
        isinstance(seed, Integral) and not isinstance(seed, bool) for seed in seeds
    )
    if not whole or not 0 < len(set(seeds)) == len(seeds):
        raise ValueError(
            f"seeds must be distinct integers, at least one, as in range(20), but is {seeds!r}"
        )
    return tuple(map(int, seeds))
