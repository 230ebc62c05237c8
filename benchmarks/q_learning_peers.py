"""The Q-learning loop against Gymnasium's tutorial and the loops of other libraries."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.stats import betabinom

from benchmarks.jit_class import Learner
from benchmarks.peers import absent, versions
from benchmarks.timing import Row, Variant, compare
from qlearn_core import EpsilonGreedy, TabularMDP, from_gymnasium, garnet, optimal_q, q_learning

GAMMA, ALPHA, EPSILON = 0.9, 0.1, 0.1
NUM_UPDATES = 1_000_000  # of a compiled loop
PEER_UPDATES = 10_000  # of an interpreted one; the toolboxes take no fewer
NANOSECONDS = 1e9
MORE_WORK = "ours also breaks ties by chance, counts visits and looks up the step size"
INTERPRETED = "the loop of the tutorial is interpreted, so that its ratio is that of one Python"
SETTINGS = {"alpha": ALPHA, "alpha_decay": 1, "epsilon": EPSILON, "epsilon_decay": 1}
PACKAGES = ("pymdptoolbox", "mdptoolbox-hiive", "mdp-solver-ic")

Run = Callable[[], np.ndarray]  # a run from Q = 0, which gives max_a Q(s, a) at its end: (S,)


def rows() -> tuple[list[Row], list[str]]:
    import gymnasium

    lake = from_gymnasium("FrozenLake-v1")  # so small that chance finds the goal
    check("the tutorial", lake, partial(tutorial, gymnasium.make("FrozenLake-v1"), 1.0))
    check("qlearn_core", lake, ours(lake, PEER_UPDATES, 1.0))
    measured = [
        *gymnasium_rows("slippery lake", 350, "FrozenLake-v1", map_name="8x8", is_slippery=True),
        *gymnasium_rows("lake", 650, "FrozenLake-v1", map_name="8x8", is_slippery=False),
        *gymnasium_rows("cliff", 650, "CliffWalking-v1"),
        *library_rows("QuantEcon's lecture, job search", job_search(), {LECTURE: 10}),
    ]
    for num_states, num_actions in ((5, 2), (250, 4)):
        mdp = garnet(num_states, num_actions, 5, rng=np.random.default_rng(0))
        case = f"Garnet, {num_states} states"
        if num_states == 5:  # so few that 10,000 updates get somewhere
            for name, (package, prepare, _) in LEARNERS.items():
                if versions(package):
                    check(name, mdp, prepare(mdp)())
        measured += library_rows(case, mdp, GOALS[num_states])
    return measured, absent(*PACKAGES)


def ours(mdp: TabularMDP, num_updates: int, epsilon: float) -> Run:
    """`q_learning`; q*, from which it measures errors, is given to it."""
    q_star = optimal_q(mdp, gamma=GAMMA)
    return lambda: q_learning(
        mdp, gamma=GAMMA, alpha=ALPHA, num_updates=num_updates, q_star=q_star,
        behaviour=EpsilonGreedy(epsilon), rng=np.random.default_rng(0), record_at=[num_updates],
    ).q.max(axis=1)  # fmt: skip


def check(name: str, mdp: TabularMDP, run: Run) -> None:
    """Raise RuntimeError for a learner that ends more than half as far from v* as it began."""
    v_star = optimal_q(mdp, gamma=GAMMA).max(axis=1)
    left = np.abs(np.asarray(run())[: mdp.num_states] - v_star).max() / np.abs(v_star).max()
    if not left < 0.5:
        raise RuntimeError(f"{name} leaves {left:.0%} of the error")


def gymnasium_rows(name: str, goal: float, env_id: str, **options) -> list[Row]:
    """ns per update. The tutorial learns from the environment, we learn from its table."""
    import gymnasium

    env = gymnasium.make(env_id, **options)
    run = ours(from_gymnasium(env_id, **options), NUM_UPDATES, EPSILON)
    variants = {
        "qlearn_core": Variant(lambda: run, NANOSECONDS / NUM_UPDATES),
        "tutorial": Variant(
            lambda: partial(tutorial, env, EPSILON), NANOSECONDS / PEER_UPDATES, goal, INTERPRETED
        ),
    }
    return compare(f"Gymnasium, {name}", variants, unit="ns/update")


def tutorial(env, epsilon: float) -> np.ndarray:
    """Q-learning as the tutorials of Gymnasium write it."""
    rng = np.random.default_rng(0)
    q = np.zeros((env.observation_space.n, env.action_space.n))
    env.action_space.seed(0)
    state, _ = env.reset(seed=0)
    for _ in range(PEER_UPDATES):
        if rng.random() < epsilon:
            action = env.action_space.sample()
        else:
            action = np.argmax(q[state])
        next_state, reward, terminated, truncated, _ = env.step(action)
        best = 0.0 if terminated else np.max(q[next_state])
        q[state, action] += ALPHA * (reward + GAMMA * best - q[state, action])
        state = env.reset()[0] if terminated or truncated else next_state
    return q.max(axis=1)


def job_search() -> TabularMDP:
    """The lecture's problem (McCall 1970): take an offered wage for ever, or wait for the next."""
    offers = betabinom(50, 200, 100).pmf(np.arange(51))
    wages = np.linspace(10, 60, offers.size)
    P = np.stack([np.tile(offers, (offers.size, 1)), np.eye(offers.size)], axis=1)
    return TabularMDP(P=P, r=np.stack([np.full(offers.size, 25.0), wages], axis=1))


def library_rows(case: str, mdp: TabularMDP, goals: dict[str, float]) -> list[Row]:
    """ns per update of every learner that has a goal."""
    run = ours(mdp, NUM_UPDATES, EPSILON)
    variants = {"qlearn_core": Variant(lambda: run, NANOSECONDS / NUM_UPDATES)}
    for name, goal in goals.items():
        package, prepare, num_updates = LEARNERS[name]
        if versions(package):
            variants[name] = Variant(prepare(mdp), NANOSECONDS / num_updates, goal, MORE_WORK)
    return compare(case, variants, unit="ns/update")


def lecture(mdp: TabularMDP) -> Callable[[], Run]:
    states, probabilities, _ = mdp.successors
    arrays = states.astype(np.int64), probabilities.copy(), mdp.r.copy()
    learner = Learner(*arrays, GAMMA, ALPHA, EPSILON)
    return lambda: lambda: learner.run(np.zeros(mdp.r.shape), 0, NUM_UPDATES).max(axis=1)


def toolbox(module: str, settings: dict, mdp: TabularMDP) -> Callable[[], Run]:
    """Dense matrices, which they read faster; both draw from NumPy's global generator."""
    learner = import_module(module).QLearning
    P = np.ascontiguousarray(mdp.P.transpose(1, 0, 2))

    def prepare():
        np.random.seed(0)
        one = learner(P, mdp.r, GAMMA, n_iter=PEER_UPDATES, **settings)

        def run():
            one.run()
            return one.V

        return run

    return prepare


def solver_ic(mdp: TabularMDP) -> Callable[[], Run]:
    from mdp import MDP

    with TemporaryDirectory() as folder, redirect_stdout(StringIO()):  # it prints every state
        model = MDP(
            list(range(mdp.num_states)), list(range(mdp.num_actions)),
            lambda s, a, s_next: mdp.P[s, a, s_next], lambda s, a, s_next: mdp.r[s, a],
            transition_file=str(Path(folder) / "transitions.csv"),
        )  # fmt: skip

    def run():
        model.QLearning(GAMMA, EPSILON, ALPHA, s0=0, max_iter=NUM_UPDATES, verbose=False)
        return model.value

    return lambda: run


LECTURE = "QuantEcon's lectures, numba class"
OLDER, HIIVE, IN_CPP = "pymdptoolbox", "hiive mdptoolbox", "mdp-solver-ic, C++"
LEARNERS = {  # the package, how it is prepared, and its updates
    LECTURE: ("numba", lecture, NUM_UPDATES),
    OLDER: ("pymdptoolbox", partial(toolbox, "mdptoolbox.mdp", {}), PEER_UPDATES),
    HIIVE: ("mdptoolbox-hiive", partial(toolbox, "hiive.mdptoolbox.mdp", SETTINGS), PEER_UPDATES),
    IN_CPP: ("mdp-solver-ic", solver_ic, NUM_UPDATES),
}
GOALS = {  # by the number of states
    5: {LECTURE: 1, OLDER: 250, HIIVE: 250, IN_CPP: 1.5},
    250: {LECTURE: 1, OLDER: 800, HIIVE: 800, IN_CPP: 1.5},
}
