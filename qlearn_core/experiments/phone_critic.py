"""A critic of the behaviour policy on the layouts of the playable phone; its values are stored.

    python -m qlearn_core.experiments.phone_critic

It learns as in `device_critics`: by TD, on features of places, from 64 episodes on training tasks,
on the phone with its usual chance. What it says of a move m in a hidden state s is the mean over
the F frames and over the spots a that are this move, as often as the behaviour policy β goes there:

    π(m | s) = 1/F Σ_f Σ_{a is m} β(a | s, f),
    Q(s, m) = 1/F Σ_f Σ_{a is m} β(a | s, f) Q(s, f, a) / π(m | s).

Q and V are the means of the two copies.
"""

from __future__ import annotations

import numpy as np

from qlearn_core.device.critic import train_critic, transitions
from qlearn_core.device.encoder import Features, action_of_spot
from qlearn_core.device.layouts import make_layouts
from qlearn_core.device.phone import Phone
from qlearn_core.device.tasks import all_tasks
from qlearn_core.mdp import check_integer

from . import device_bench
from .device_bench import GAMMA, Bench, bench_in, critic_features, episodes, mean_accuracy
from .device_orderings import NUM_SEEDS
from .learned_values import FILE, LearnedValues, save
from .phone_game import LAYOUT_SEED, LEVELS, NUM_EPISODES, NUM_LAYOUTS


def learned_values(*, num_seeds: int) -> LearnedValues:
    """The critic of seed 0, and how accurate those of all seeds are.

    A seed draws the data and the heads. Raises ValueError for num_seeds < 1.
    """
    check_integer(num_seeds, "num_seeds", 1)
    layouts = make_layouts(device_bench.SETTINGS, NUM_LAYOUTS, seed=LAYOUT_SEED)
    bench = bench_in(layouts, LEVELS["usual"])
    seen = critic_features(bench, "places")
    trained = [critic_of(bench, seen, seed=seed) for seed in range(num_seeds)]
    rmse, ranking = np.transpose([
        mean_accuracy(bench, [q[g] for g in bench.tests]) for q, _ in trained
    ])  # fmt: skip
    return LearnedValues(*by_moves(bench, *trained[0]), rmse, ranking)


def critic_of(bench: Bench, seen: Features, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """What a critic says: Q (G, K, n) of spots and V (G, K) of screens."""
    data = episodes(bench, num_episodes=NUM_EPISODES, seed=seed)
    steps = transitions(data, bench.screens[0].phone.settings, gamma=GAMMA)
    critic = train_critic(seen, steps, bench.beta, method="td", gamma=GAMMA, seed=seed)
    tables = [critic.table(seen, g) for g in range(len(bench.tasks))]
    q, v = (np.stack([table[k].mean(axis=0) for table in tables]) for k in range(2))
    return q, v


def by_moves(
    bench: Bench, q: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """π and Q (L, T, S, M) and V (L, T, S), the formulas above, for all tasks in their order."""
    phone = bench.screens[0].phone
    order = [bench.tasks.index(task) for task in all_tasks(phone.settings)]
    beta, q = bench.beta.swapaxes(0, 1)[order].astype(float), q[order]  # (T, K, n)
    chances, weighted = np.zeros((2, len(bench.screens), len(order), *idle_moves(phone).shape))
    shape = (len(order), len(bench.screens), phone.num_states, phone.settings.num_frames)
    for into, table in ((chances, beta), (weighted, beta * q)):
        spots = table.reshape(*shape, -1).mean(axis=3)  # (T, L, S, n)
        for layout, one in enumerate(bench.screens):
            moves = one.moves[:, action_of_spot(phone.settings)].astype(np.int64)
            moves[np.take_along_axis(idle_moves(phone), moves, axis=1)] = 0
            for move in range(phone.num_moves):
                into[layout, :, :, move] = (spots[:, layout] * (moves == move)).sum(axis=2)
    q = np.divide(weighted, chances, out=np.zeros_like(chances), where=chances > 0)
    v = v[order].reshape(shape).mean(axis=3).swapaxes(0, 1)
    over = phone.dynamics.terminal
    q[:, :, over], v[:, :, over] = 0.0, 0.0  # no target ever asks the critic there
    return chances / chances.sum(axis=3, keepdims=True), q, v


def idle_moves(phone: Phone) -> np.ndarray:
    """(S, M) bool, what does no more in a state than a click on nothing, the first move."""
    P = phone.dynamics.P
    return (P == P[:, :1]).all(axis=2)


def main() -> None:
    values = learned_values(num_seeds=NUM_SEEDS)
    save(values)
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")
    for seed, (rmse, ranking) in enumerate(zip(values.rmse, values.ranking, strict=True)):
        print(f"seed {seed}: rms error {rmse:.3f}, ranking {ranking:.3f}")


if __name__ == "__main__":
    main()
