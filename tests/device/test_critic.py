"""The critics: targets, marks, and dynamic programming on counted transitions."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from qlearn_core.device import critic, training
from qlearn_core.device.critic import (
    COPIES,
    Critic,
    Transitions,
    critic_loss,
    follow,
    train_critic,
    transitions,
)
from qlearn_core.device.encoder import Features, spot_of_action
from qlearn_core.device.rollouts import roll_out, seeing
from qlearn_core.device.script import Script
from qlearn_core.device.training import seeded
from tests.device.tiny import SETTINGS, TASK, recognising, tiny

GAMMA = 0.8
S, N_SPOTS, POLICY = 4, 2, np.array([0.25, 0.75])  # of the counted transitions


@pytest.fixture
def linear(monkeypatch):
    """Heads without hidden layers: with one indicator per pair they are tables."""
    monkeypatch.setattr(critic, "HIDDEN", ())


def counted(rng: np.random.Generator, num_steps: int = 60) -> Transitions:
    """Random steps between four screens, every pair among them, some terminal, some cut off."""
    pairs = np.arange(S * N_SPOTS)
    pairs = np.append(pairs, rng.integers(S * N_SPOTS, size=num_steps - len(pairs)))
    return Transitions(
        screens=pairs // N_SPOTS,
        spots=pairs % N_SPOTS,
        rewards=rng.integers(2, size=num_steps).astype(np.float32),
        next_screens=rng.integers(S, size=num_steps),
        terminated=rng.random(num_steps) < 0.2,
        tasks=np.zeros(num_steps, dtype=np.int64),
        returns=rng.random(num_steps).astype(np.float32),
    )


def indicators() -> Features:
    """Of each screen, and of each pair of screen and spot."""
    return Features(torch.eye(S)[:, None], torch.eye(S * N_SPOTS).view(S, N_SPOTS, -1))


def by_counting(steps: Transitions, pi: np.ndarray = POLICY) -> np.ndarray:
    """(S, n) the solution of Q = r̂ + γ P̂ Σ_a π Q with means r̂ and frequencies P̂ of the steps."""
    pairs = steps.screens * N_SPOTS + steps.spots
    r, P = np.zeros(S * N_SPOTS), np.zeros((S * N_SPOTS, S))
    for pair, reward, s_next, ends in zip(
        pairs, steps.rewards, steps.next_screens, steps.terminated, strict=True
    ):
        weight = 1 / (pairs == pair).sum()
        r[pair] += weight * reward
        if not ends:
            P[pair, s_next] += weight
    to_pairs = (P[:, :, None] * pi).reshape(S * N_SPOTS, S * N_SPOTS)
    return np.linalg.solve(np.eye(S * N_SPOTS) - GAMMA * to_pairs, r).reshape(S, N_SPOTS)


def descended(steps: Transitions, drawn: np.ndarray, method: str) -> tuple[np.ndarray, np.ndarray]:
    """Q (COPIES, S, n) and V (COPIES, S) after many steps with the gradient of all transitions.

    What is drawn at s is drawn at s' too.
    """
    features = indicators()
    with seeded(np.random.default_rng(0)):
        network = Critic(features)
    target = copy.deepcopy(network).requires_grad_(False)
    descent = torch.optim.Adam(network.parameters(), lr=0.05)
    for k in range(400):
        descent.param_groups[0]["lr"] = 0.05 if k < 200 else 0.005
        follow(target, network, 0.3)
        descent.zero_grad()
        critic_loss(
            network, target, features, features, steps, drawn, drawn, method=method, gamma=GAMMA
        ).backward()  # fmt: skip
        descent.step()
    return network.table(features, 0)


@pytest.mark.parametrize("method", ["td", "sarsa"])
def test_batch_td_converges_to_dynamic_programming_on_the_counted_transitions(method, linear):
    """Every step comes four times, with each a' as often as the policy draws it."""
    steps = counted(np.random.default_rng(0))
    drawn = np.tile([0, 1, 1, 1], len(steps.screens))
    exact = by_counting(steps)
    q, v = descended(steps.at(np.arange(len(steps.screens)).repeat(4)), drawn, method)
    assert q.shape == (COPIES, S, N_SPOTS)
    assert q == pytest.approx(np.stack([exact] * COPIES), abs=1e-3)
    assert v == pytest.approx(np.stack([exact @ POLICY] * COPIES), abs=1e-3)


def test_monte_carlo_converges_to_the_mean_returns(linear):
    steps = counted(np.random.default_rng(1))
    q, v = descended(steps, np.zeros_like(steps.spots), "mc")
    for s in range(S):
        here = steps.screens == s
        assert v[:, s] == pytest.approx(steps.returns[here].mean(), abs=1e-3)
        for a in range(N_SPOTS):
            mean = steps.returns[here & (steps.spots == a)].mean()
            assert q[:, s, a] == pytest.approx(mean, abs=1e-3)


@pytest.mark.parametrize("method", ["td", "sarsa"])
def test_training_draws_what_the_policy_says(method, linear, monkeypatch):
    """It ends nearer to the fixed point of the given policy than to that of another."""
    monkeypatch.setattr(critic, "NUM_UPDATES", 300)
    steps = counted(np.random.default_rng(0))
    policies = np.array([[1.0, 0.0], [0.0, 1.0]])
    exact = np.stack([by_counting(steps, pi) for pi in policies])
    values = (exact * policies[:, None]).sum(axis=2)
    for k, pi in enumerate(policies):
        table = np.broadcast_to(pi, (S, 1, N_SPOTS))
        trained = train_critic(
            indicators(), steps, table, method=method, gamma=GAMMA, seed=0, learning_rate=0.05,
            tau=0.1,
        )  # fmt: skip
        q, v = trained.table(indicators(), 0)
        assert np.abs(exact - q.mean(axis=0)).mean(axis=(1, 2)).argmin() == k
        assert np.abs(values - v.mean(axis=0)).mean(axis=1).argmin() == k


def test_only_an_order_is_terminal_and_a_time_limit_bootstraps(linear):
    """One step that ends at the time limit and one that ends with an order, both with reward 0."""
    features = indicators()
    with seeded(np.random.default_rng(0)):
        network = Critic(features)
    steps = counted(np.random.default_rng(0)).at(np.array([0, 0]))
    steps.terminated[:] = [True, False]
    steps.rewards[:] = 0.0
    losses = [
        critic_loss(
            network, network, features, features, steps.at(np.array([k])), np.array([0]),
            method="td", gamma=GAMMA,
        ).item()
        for k in range(2)
    ]  # fmt: skip
    q, v = network.table(features, 0)
    here, a, then = steps.screens[0], steps.spots[0], steps.next_screens[0]
    v_loss = np.square(v[:, here] - q[:, here, 0]).mean()
    assert losses[0] == pytest.approx(np.square(q[:, here, a]).mean() + v_loss, rel=1e-5)
    bootstrapped = np.square(q[:, here, a] - GAMMA * v[:, then]).mean()
    assert losses[1] == pytest.approx(bootstrapped + v_loss, rel=1e-5)


def test_the_steps_of_episodes_are_those_that_were_taken_with_their_marks_and_returns():
    screens = tiny()
    policy = recognising(screens, TASK, Script(0.9))
    data = roll_out(
        screens, (TASK,), seeing(policy), num_episodes=50, rng=np.random.default_rng(0)
    )  # fmt: skip
    steps = transitions(data, SETTINGS, gamma=GAMMA)
    spots = spot_of_action(SETTINGS)
    k = 0
    for e, length in enumerate(data.lengths):
        for t in range(length):
            assert steps.screens[k] == data.screens[e, t]
            assert steps.next_screens[k] == data.screens[e, t + 1]
            assert steps.spots[k] == spots[data.actions[e, t]]
            assert steps.terminated[k] == (data.terminated[e, t])
            expected = GAMMA ** (length - 1 - t) * data.success[e]
            assert steps.returns[k] == pytest.approx(expected)
            k += 1
    assert k == len(steps.screens) == len(steps.returns)
    assert data.truncated.any() and steps.terminated.sum() == data.terminated.sum()


def test_the_target_copy_follows_by_an_exponential_average():
    slow, fast = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    start = slow.weight.detach().clone()
    for _ in range(5):
        follow(slow, fast, 0.1)
    expected = fast.weight + 0.9**5 * (start - fast.weight)
    assert torch.allclose(slow.weight, expected, atol=1e-6)


def test_copies_start_differently_and_a_seed_gives_one_critic(monkeypatch):
    monkeypatch.setattr(critic, "NUM_UPDATES", 4)
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 2)
    steps, policy = counted(np.random.default_rng(0)), np.full((S, 1, N_SPOTS), 0.5)

    def table(seed: int, method: str = "td") -> np.ndarray:
        made = train_critic(indicators(), steps, policy, method=method, gamma=GAMMA, seed=seed)
        return made.table(indicators(), 0)[0]

    assert (table(0) == table(0)).all()
    assert (table(0) != table(1)).any() and (table(0) != table(0, "mc")).any()
    assert (table(0) != table(0, "sarsa")).any()
    assert (table(0)[0] != table(0)[1]).all()


def test_a_critic_that_was_interrupted_ends_with_the_same_bits(monkeypatch, tmp_path):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 3)
    steps, policy = counted(np.random.default_rng(0)), np.full((S, 1, N_SPOTS), 0.5)

    def table(num_updates: int, path=None) -> np.ndarray:
        monkeypatch.setattr(critic, "NUM_UPDATES", num_updates)
        made = train_critic(
            indicators(), steps, policy, method="td", gamma=GAMMA, seed=0, checkpoint=path
        )
        return made.table(indicators(), 0)[0]

    table(6, tmp_path / "critic.pt")
    assert (table(9, tmp_path / "critic.pt") == table(9)).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "dqn"}, "method must be one of td, sarsa, mc, but is 'dqn'"),
        ({"tau": 0.0}, r"tau must be a number in \(0, 1\], but is 0"),
        ({"learning_rate": 0.0}, "learning_rate must be a number > 0, but is 0"),
        ({"policy": np.ones((S, 2, 1))}, r"policy must have shape \(K, G, n\) = \(4, 1, 2\)"),
        ({"gamma": 1.0}, "gamma must be a number"),
    ],
)
def test_what_a_critic_cannot_be_trained_with_is_named(change, message):
    given = {"policy": np.full((S, 1, N_SPOTS), 0.5), "method": "td", "gamma": GAMMA} | change
    with pytest.raises(ValueError, match=message):
        train_critic(indicators(), counted(np.random.default_rng(0)), seed=0, **given)
