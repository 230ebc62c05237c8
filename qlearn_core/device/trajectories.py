"""Offline data on disk: collected in shards, resumed where it was interrupted.

A folder holds, for format 1:

    header.json           format, settings, layouts, tasks, seed, num_episodes, shard_size and
                          "made_by", whatever the collector says about the policy
    screens.npz           images (K, HEIGHT, WIDTH) uint8; screen (layout·S + state)·F + frame
    episodes-000.npz ...  the other fields of `Trajectories`, for shard_size episodes each

A shard depends on nothing but the header, the policy and its own number, so that data that were
interrupted are, bit for bit, data that were not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from qlearn_core.mdp import check_integer

from .exact import Policy
from .files import load_arrays, save_arrays, write_atomically
from .rollouts import Trajectories, all_images, roll_out, seeing
from .screens import Screens
from .tasks import Task

FORMAT = 1
SHARD_SIZE = 250
IMAGES = ("images",)
OTHERS = tuple(field.name for field in fields(Trajectories) if field.name not in IMAGES)


def collect(
    folder: Path,
    screens: tuple[Screens, ...],
    tasks: tuple[Task, ...],
    policy: Policy,
    *,
    num_episodes: int,
    seed: int,
    made_by: dict,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Trajectories:
    """Episodes of a policy, written to `folder`; shards that are there already are kept.

    `made_by` is anything that JSON can hold and that tells this policy from others. Raises
    ValueError for num_episodes < 1, for a folder with other data, and for a damaged file.
    """
    header = _header(screens, tasks, num_episodes, seed, made_by)
    path = folder / "header.json"
    if path.exists():
        stored = read_header(folder)
        different = [name for name in header if stored.get(name) != header[name]]
        if different:
            raise ValueError(f"{folder} holds other data: {', '.join(different)} differ")
    else:
        text = json.dumps(header, indent=1) + "\n"
        write_atomically(path, lambda file: file.write(text.encode()))
    if not (folder / "screens.npz").exists():
        save_arrays(folder / "screens.npz", {"images": all_images(screens)})
    sizes = _shard_sizes(num_episodes)
    for k, size in enumerate(sizes):
        if not _shard(folder, k).exists():
            rng = np.random.default_rng([seed, k])
            episodes = roll_out(screens, tasks, seeing(policy), num_episodes=size, rng=rng)
            save_arrays(_shard(folder, k), {name: getattr(episodes, name) for name in OTHERS})
        progress(k + 1, len(sizes))
    return load(folder)


def load(folder: Path) -> Trajectories:
    """All episodes of a folder. Raises ValueError, naming the file, for one missing or damaged."""
    num_shards = len(_shard_sizes(read_header(folder)["num_episodes"]))
    images = load_arrays(folder / "screens.npz", IMAGES)
    shards = [load_arrays(_shard(folder, k), OTHERS) for k in range(num_shards)]
    joined = {name: np.concatenate([shard[name] for shard in shards]) for name in OTHERS}
    return Trajectories(**images, **joined)


def read_header(folder: Path) -> dict:
    """The header of a folder. Raises ValueError if it is missing, damaged or of another format."""
    path = folder / "header.json"
    try:
        header = json.loads(path.read_text(encoding="utf-8"))
        found = header["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged or missing: {error}") from error
    if found != FORMAT:
        raise ValueError(f"{path} must have format {FORMAT}, but has {found!r}")
    return header


def _header(screens, tasks, num_episodes: int, seed: int, made_by: dict) -> dict:
    return {
        "format": FORMAT,
        "settings": asdict(screens[0].phone.settings),
        "layouts": json.loads(json.dumps([asdict(one.layout) for one in screens])),
        "tasks": [task.instruction for task in tasks],
        "seed": check_integer(seed, "seed", 0),
        "num_episodes": check_integer(num_episodes, "num_episodes", 1),
        "shard_size": SHARD_SIZE,
        "made_by": made_by,
    }


def _shard(folder: Path, k: int) -> Path:
    return folder / f"episodes-{k:03d}.npz"


def _shard_sizes(num_episodes: int) -> list[int]:
    whole, rest = divmod(num_episodes, SHARD_SIZE)
    return [SHARD_SIZE] * whole + [rest] * (rest > 0)
