"""Small Markov decision processes: chains, locks, Garnets, Gymnasium's tables, counter-examples."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from ._compile import jit
from .behaviours import UniformPairs
from .mdp import TabularMDP, check_integer, check_real, check_rng

SECOND, FORWARD = 0, 1  # the two actions of a chain


def chain(
    depth: int,
    *,
    slip: float = 0.0,
    goal: Literal["terminal", "loop"] = "terminal",
    second: Literal["back", "stay", "reset"] = "back",
    sparse: bool = False,
) -> TabularMDP:
    """A corridor of `depth` states; action 1 goes forward, action 0 is the second action.

    second="back" goes one state back (state 0 stays), "stay" stays, "reset" goes to state 0.
    goal="terminal" (S = depth + 1): forward from the last state pays 1 and enters the terminal
    state `depth`. goal="loop" (S = depth): forward at the last state stays and pays 1 each time.
    With probability `slip` the other action's move happens; r(s, a) is the expected reward.
    sparse=True gives the same MDP with a sparse P, in time and memory proportional to the depth.
    Raises ValueError for depth < 1, slip outside [0, 1] or an unknown goal or second.
    """
    depth = check_integer(depth, "depth", 1)
    slip = check_real(slip, "slip", "in [0, 1]", lambda x: 0 <= x <= 1)
    if goal not in ("terminal", "loop"):
        raise ValueError(f"goal must be 'terminal' or 'loop', but is {goal!r}")
    s = np.arange(depth)
    moves = {"back": np.maximum(s - 1, 0), "stay": s, "reset": np.zeros_like(s)}
    if second not in moves:
        raise ValueError(f"second must be one of {', '.join(moves)}, but is {second!r}")

    num_states = depth + 1 if goal == "terminal" else depth
    s_next = np.full((num_states, 2), depth)  # where the action leads, (S, 2)
    s_next[s, SECOND] = moves[second]
    s_next[s, FORWARD] = np.minimum(s + 1, num_states - 1)
    reward = np.zeros((num_states, 2))
    reward[depth - 1, FORWARD] = 1
    terminal = np.arange(num_states) >= depth
    intended, other = (_moves(to, num_states, sparse) for to in (s_next, s_next[:, ::-1]))
    return TabularMDP(
        P=(1 - slip) * intended + slip * other,
        r=(1 - slip) * reward + slip * reward[:, ::-1],
        terminal=terminal,
    )


def _moves(s_next: np.ndarray, num_states: int, sparse: bool):
    """P of the deterministic moves s_next (S, A): (S, A, S), or a sparse (S·A, S)."""
    if not sparse:
        return np.eye(num_states)[s_next]
    from scipy.sparse import csr_array  # slow to import, used only here

    ends = np.arange(s_next.size + 1)
    return csr_array((np.ones(s_next.size), s_next.ravel(), ends), shape=(s_next.size, num_states))


def garnet(
    num_states: int,
    num_actions: int,
    branching: int,
    *,
    rng: np.random.Generator,
    sparse: bool = False,
) -> TabularMDP:
    """A random MDP of the Garnet family (Archibald, McKinnon & Thomas 1995).

    Every pair has `branching` distinct successors chosen uniformly, with the gaps between
    branching − 1 sorted uniform numbers as probabilities, and a reward uniform on (0, 1).
    sparse=True gives the same MDP with a sparse P, in memory proportional to the transitions.
    Raises ValueError for sizes below 1 or more successors than states.
    """
    num_states = check_integer(num_states, "num_states", 1)
    num_actions = check_integer(num_actions, "num_actions", 1)
    branching = check_integer(branching, "branching", 1)
    if branching > num_states:
        raise ValueError(f"branching must be at most num_states={num_states}, but is {branching}")
    num_pairs = num_states * num_actions
    states = np.empty((num_pairs, branching), dtype=np.int32)
    cuts = np.empty((num_pairs, branching - 1))
    _draw_rows(states, cuts, num_states, check_rng(rng))
    gaps = np.diff(np.sort(cuts, axis=1), prepend=0.0, append=1.0, axis=1)  # (S·A, b)
    if sparse:
        from scipy.sparse import csr_array  # slow to import, used only here

        ends = branching * np.arange(num_pairs + 1)
        P = csr_array((gaps.ravel(), states.ravel(), ends), shape=(num_pairs, num_states))
    else:
        P = np.zeros((num_states, num_actions, num_states))
        np.put_along_axis(P.reshape(num_pairs, num_states), states, gaps, axis=1)
    return TabularMDP(P=P, r=rng.random((num_states, num_actions)))


@jit
def _draw_rows(states, cuts, num_states, rng):
    """For every row uniform numbers (b − 1) and b distinct states, all sets of b equally likely.

    Floyd's algorithm (Bentley & Floyd 1987) takes a number below j + 1 for j = S − b to S − 1,
    and j where that is taken; then the states are put in a random order.
    """
    num_rows, branching = states.shape
    taken = np.zeros(num_states, dtype=np.bool_)
    for row in range(num_rows):
        for k in range(branching - 1):
            cuts[row, k] = rng.random()
        for k in range(branching):
            j = num_states - branching + k
            state = rng.integers(0, j + 1)
            state = j if taken[state] else state
            taken[state] = True
            states[row, k] = state
        for k in range(branching - 1, 0, -1):
            other = rng.integers(0, k + 1)
            states[row, k], states[row, other] = states[row, other], states[row, k]
        for k in range(branching):
            taken[states[row, k]] = False


def from_gymnasium(env_id: str, **kwargs) -> TabularMDP:
    """The MDP behind a Gymnasium environment that publishes its table as `env.unwrapped.P`.

    FrozenLake, CliffWalking and Taxi do. Repeated successors are summed and r(s, a) is the
    expected reward. Where the table says `done` the episode ends: if the states entered with
    `done` are entered in no other way they become the terminal states, and their own rows,
    which no episode plays, are dropped; otherwise one terminal state is appended and every
    `done` transition leads there. Raises ValueError for an environment without a table.
    """
    import gymnasium

    env = gymnasium.make(env_id, **kwargs)
    table = getattr(env.unwrapped, "P", None)
    env.close()
    if not isinstance(table, dict):
        raise ValueError(
            f"env_id must name an environment with a transition table env.unwrapped.P, "
            f"but {env_id!r} has none"
        )
    outcomes = [
        (s, a, probability, int(s_next), float(reward), bool(done))
        for s, row in table.items()
        for a, listed in row.items()
        for probability, s_next, reward, done in listed
    ]
    ending = {s_next for *_, s_next, _, done in outcomes if done}
    continuing = {s_next for *_, s_next, _, done in outcomes if not done}
    appended = bool(ending & continuing)
    num_states, num_actions = len(table) + appended, len(table[0])
    terminal = np.zeros(num_states, dtype=bool)
    terminal[[len(table)] if appended else list(ending)] = True

    P = np.zeros((num_states, num_actions, num_states))
    r = np.zeros((num_states, num_actions))
    for s, a, probability, s_next, reward, done in outcomes:
        if not terminal[s]:
            P[s, a, len(table) if done and appended else s_next] += probability
            r[s, a] += probability * reward
    P[terminal, :, terminal] = 1
    return TabularMDP(P=P, r=r, terminal=terminal)


def combination_lock(
    depth: int,
    num_actions: int = 2,
    *,
    wrong: Literal["stay", "reset"] = "stay",
    step_reward: float = 0.0,
    goal_reward: float = 1.0,
    rng: np.random.Generator,
) -> TabularMDP:
    """A deterministic corridor whose way forward is a secret code (S = depth + 1).

    In every state one action, drawn uniformly with `rng`, goes forward; every other action stays
    (wrong="stay") or goes back to state 0 (wrong="reset"). Every step pays `step_reward`, and the
    step into the terminal state `depth` pays `goal_reward` on top. (wrong="reset" is the
    combination lock of Kakade 2003.) Raises ValueError for depth < 1, num_actions < 1, an
    unknown wrong or rewards that are not finite.
    """
    depth = check_integer(depth, "depth", 1)
    num_actions = check_integer(num_actions, "num_actions", 1)
    step_reward = check_real(step_reward, "step_reward", "that is finite", lambda x: True)
    goal_reward = check_real(goal_reward, "goal_reward", "that is finite", lambda x: True)
    if wrong not in ("stay", "reset"):
        raise ValueError(f"wrong must be 'stay' or 'reset', but is {wrong!r}")
    code = check_rng(rng).integers(num_actions, size=depth)
    s = np.arange(depth)
    right = code[:, None] == np.arange(num_actions)  # (depth, A)
    elsewhere = s if wrong == "stay" else np.zeros_like(s)
    P = np.zeros((depth + 1, num_actions, depth + 1))
    s_next = np.where(right, s[:, None] + 1, elsewhere[:, None])  # (depth, A)
    P[s[:, None], np.arange(num_actions), s_next] = 1
    P[depth, :, depth] = 1
    r = np.zeros((depth + 1, num_actions))
    r[:depth] = step_reward
    r[depth - 1] += goal_reward * right[depth - 1]
    return TabularMDP(P=P, r=r, terminal=np.arange(depth + 1) == depth)


class Counterexample(NamedTuple):
    """A problem on which linear bootstrapping diverges; its rewards, and so q*, are all 0."""

    mdp: TabularMDP  # one action: the policy that is evaluated
    phi: np.ndarray  # (S·A, d) features
    mu: np.ndarray  # (S·A,) how often each pair is updated
    w0: np.ndarray  # (d,) the weights that the literature starts from
    behaviour: UniformPairs  # draws the pairs with the weights mu


def two_state(epsilon: float = 0.0) -> Counterexample:
    """The w, 2w example of Tsitsiklis & Van Roy (1996): features 1 and 2, one weight.

    State 0 leads to state 1, which leads to itself or, with probability ε, to the terminal state
    2. Both count alike, and q* = 0 has the weight 0. A sweep of least squares multiplies the
    weight by γ (6 − 4ε) / 5, so it diverges for γ > 5 / (6 − 4ε). (Sutton & Barto 2018, example
    11.1.) Raises ValueError for ε outside [0, 1].
    """
    epsilon = check_real(epsilon, "epsilon", "in [0, 1]", lambda x: 0 <= x <= 1)
    P = np.array([[[0.0, 1.0, 0.0]], [[0.0, 1 - epsilon, epsilon]], [[0.0, 0.0, 1.0]]])
    mdp = TabularMDP(P=P, r=np.zeros((3, 1)), terminal=np.array([False, False, True]))
    phi, mu = np.array([[1.0], [2.0], [0.0]]), np.array([0.5, 0.5, 0.0])
    return Counterexample(mdp, phi, mu, np.ones(1), UniformPairs())


def star(num_upper: int = 6) -> Counterexample:
    """Baird's (1995) star: more features than states, and still the semi-gradient diverges.

    `num_upper` states lead to the last state, which leads to itself. With a weight for every
    state and a shared one, v = 2 w_s + w_shared above and v = w_s + 2 w_shared in the last state.
    All states are updated alike, which is what the seven-state form of Sutton & Barto (2018,
    section 11.2) amounts to in expectation. Every table has weights, so the projection is the
    identity; the expected semi-gradient diverges for γ > (num_upper + 9) / (2 num_upper + 5).
    Raises ValueError for num_upper < 1.
    """
    num_states = check_integer(num_upper, "num_upper", 1) + 1
    P = np.zeros((num_states, 1, num_states))
    P[:, 0, -1] = 1
    phi = np.hstack([2 * np.eye(num_states), np.ones((num_states, 1))])
    phi[-1, -2:] = 1, 2
    w0 = np.ones(num_states + 1)
    w0[-2] = 10
    mu = np.full(num_states, 1 / num_states)
    return Counterexample(TabularMDP(P=P, r=np.zeros((num_states, 1))), phi, mu, w0, UniformPairs())
