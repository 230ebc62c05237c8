"""Updates of the 257-parameter network: against PyTorch, DQN libraries and the same loop in C."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import network_peers
from benchmarks.compiled import NO_COMPILER, build, compilers
from benchmarks.peers import absent, versions
from benchmarks.timing import Row, Variant, compare
from qlearn_core import Adam, CopyEvery, Sgd, Targets, bootstrapped_targets, chain, train_network

DEPTH, GAMMA = 32, 0.9
NUM_UPDATES = 20_000  # of a compiled loop
PEER_UPDATES = 100  # of everything else, and of the comparison of parameters
LEARNING = 2_000  # updates after which DQN should have learnt something
NUM_SEEDS = 50
TOLERANCE = 1e-4  # between parameters of order 1 after PEER_UPDATES steps in single precision
MICROSECONDS = 1e6


@dataclass(frozen=True)
class Setting:
    """How the network is trained, in the words of a row and in arguments."""

    name: str
    arguments: dict

    def train(self, targets: Targets, num_updates: int, num_seeds: int = 1) -> np.ndarray:
        """The parameters (seed, 257) that the package ends with."""
        runs = train_network(
            [targets] * num_seeds, num_updates=num_updates, rng=np.random.default_rng(0),
            record_at=[num_updates], **self.arguments,
        )  # fmt: skip
        return runs.theta


SETTINGS = (
    Setting("SGD on all 64 pairs", {"optimiser": Sgd(0.01)}),
    Setting(
        "Adam on 32 of 64 pairs",
        {"optimiser": Adam(1e-3), "batch_size": 32, "target_network": CopyEvery(100)},
    ),
)


def rows() -> tuple[list[Row], list[str]]:
    measured, missing = [], absent("torch", "stable-baselines3")
    if not compilers():
        missing.append(NO_COMPILER)
    targets = bootstrapped_targets(chain(DEPTH), gamma=GAMMA)
    for setting in SETTINGS:
        measured += update_rows(targets, setting)
    if versions("torch"):
        measured += seed_rows(targets, SETTINGS[0])
    return measured, missing


def ours(targets: Targets, setting: Setting, num_updates: int, num_seeds: int = 1) -> Variant:
    per_unit = MICROSECONDS / (num_updates * num_seeds)
    return Variant(lambda: lambda: setting.train(targets, num_updates, num_seeds), per_unit)


def update_rows(targets: Targets, setting: Setting) -> list[Row]:
    """µs per update of one network."""
    case = f"one network, {setting.name}"
    expected = setting.train(targets, PEER_UPDATES)[0]
    variants = {"qlearn_core": ours(targets, setting, NUM_UPDATES)}
    with tempfile.TemporaryDirectory() as folder:
        for name, command in compilers().items():
            library = build("network.c", command, Path(folder), "-ffast-math")
            check(case, f"C, {name}", in_c(library, targets, setting, PEER_UPDATES)(), expected)
            variants[f"C, {name}"] = Variant(
                lambda library=library: in_c(library, targets, setting, NUM_UPDATES),
                MICROSECONDS / NUM_UPDATES,
                goal=0.5,
            )
        if versions("torch"):
            found = network_peers.minimal(targets, setting.arguments, PEER_UPDATES)()
            check(case, "PyTorch", found, expected)
            variants["PyTorch, minimal loop"] = Variant(
                lambda: network_peers.minimal(targets, setting.arguments, PEER_UPDATES),
                MICROSECONDS / PEER_UPDATES,
                goal=100,
            )
        if versions("stable-baselines3") and "batch_size" in setting.arguments:
            for name, (peer, goal) in network_peers.DQN.items():
                variants[name] = dqn_variant(case, name, peer, goal)
        return compare(case, variants, unit="µs/update")


def dqn_variant(case: str, name: str, peer: Callable, goal: float) -> Variant:
    """DQN has a network of its own, so its TD error is compared: at most twice ours."""
    model = network_peers.dqn(chain(DEPTH), GAMMA)
    run = peer(model, PEER_UPDATES)
    for _ in range(LEARNING // PEER_UPDATES):
        run()
    found, expected = network_peers.td_error(model), td_error()
    if not found < 2 * expected:
        raise RuntimeError(
            f"{case}: {name} ends with a TD error of {found:.2g}, not {expected:.2g}"
        )
    return Variant(lambda: run, MICROSECONDS / PEER_UPDATES, goal)


def td_error() -> float:
    """Root mean square of y − Q after our training against a target network that stays."""
    targets = bootstrapped_targets(chain(DEPTH), gamma=GAMMA)
    stays = SETTINGS[1].arguments | {"target_network": CopyEvery(10 * LEARNING)}
    first = network_peers.initial_parameters(network_peers.generators(1)[0])
    last = Setting("", stays).train(targets, LEARNING)[0]
    q, judge = network_peers.values(targets, last), network_peers.values(targets, first)
    best = judge.reshape(DEPTH, -1).max(axis=1).repeat(targets.q_star.shape[1])
    y = targets.rewards + targets.weights[:, 0] * best[targets.successors[:, 0]]
    return float(np.sqrt(np.square(q - y).mean()))


def seed_rows(targets: Targets, setting: Setting) -> list[Row]:
    """µs per update and network, many networks at once."""
    case = f"{NUM_SEEDS} networks, {setting.name}"
    batched = network_peers.batched(targets, setting.arguments, PEER_UPDATES, NUM_SEEDS)
    expected = setting.train(targets, PEER_UPDATES, NUM_SEEDS)
    check(case, "PyTorch", batched(), expected)
    variants = {
        "qlearn_core": ours(targets, setting, NUM_UPDATES // NUM_SEEDS, NUM_SEEDS),
        "PyTorch, batched over the networks": Variant(
            lambda: network_peers.batched(targets, setting.arguments, PEER_UPDATES, NUM_SEEDS),
            MICROSECONDS / (PEER_UPDATES * NUM_SEEDS),
            goal=10,
        ),
    }
    return compare(case, variants, unit="µs/update")


def check(case: str, name: str, found: np.ndarray, expected: np.ndarray) -> None:
    """Raise RuntimeError for parameters that are not ours."""
    distance = np.abs(found - expected).max()
    if not distance <= TOLERANCE:
        raise RuntimeError(f"{case}: the parameters of {name} differ by {distance:.1e}")


class Problem(ctypes.Structure):
    """`problem` of network.c."""

    _fields_ = [
        *((name, ctypes.c_int64) for name in (
            "num_samples", "num_actions", "batch_size", "num_updates", "period", "adam")),
        ("alpha", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in ("inputs", "rewards", "weights", "successors")),
    ]  # fmt: skip


def in_c(
    library: ctypes.CDLL, targets: Targets, setting: Setting, num_updates: int
) -> Callable[[], np.ndarray]:
    """The training in C with the same first parameters and the same batches: θ (257,)."""
    arguments, rng = setting.arguments, network_peers.generators(1)[0]
    theta = network_peers.initial_parameters(rng)
    arrays = [
        np.ascontiguousarray(array, np.float32)
        for array in (targets.inputs, targets.rewards, targets.weights)
    ] + [np.ascontiguousarray(targets.successors)]
    optimiser, target_network = arguments["optimiser"], arguments.get("target_network")
    problem = Problem(
        targets.pairs.size, targets.q_star.shape[1],
        arguments.get("batch_size", targets.pairs.size), num_updates,
        target_network.period if target_network else 0, isinstance(optimiser, Adam),
        optimiser.alpha, *(array.ctypes.data for array in arrays),
    )  # fmt: skip

    def run():
        bits = rng.bit_generator.ctypes.bit_generator
        library.train(ctypes.byref(problem), theta.ctypes, bits)
        return theta if arrays else None  # naming the arrays keeps them alive for C

    return run
