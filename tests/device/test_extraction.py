"""Policy extraction on a bandit, against enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from qlearn_core.device import extraction
from qlearn_core.device.behaviour import PolicyNetwork
from qlearn_core.device.encoder import num_spots, spot_of_action
from qlearn_core.device.extraction import (
    ascend,
    at_pixels,
    awr_weights,
    best_of_n,
    divergence,
    extract,
    imitation_gradient,
    imitation_loss,
    optimum,
    positive_advantage,
    reinforce_gradient,
    reinforce_loss,
    spot_table,
)
from qlearn_core.device.training import seeded
from tests.device.tiny import SETTINGS, TASK, tiny

BETA = np.array([0.4, 0.1, 0.2, 0.3])
SCORES = np.array([0.1, 0.9, 0.5, 0.5])  # two of them are equal
ADVANTAGES = np.array([-0.3, 0.5, 0.1, 0.1])


@pytest.mark.parametrize("num_candidates", [1, 2, 3, 5])
def test_best_of_n_is_what_enumeration_of_all_draws_gives(num_candidates):
    chances = np.zeros(4)
    for draws in itertools.product(range(4), repeat=num_candidates):
        best = [a for a in draws if SCORES[a] == SCORES[list(draws)].max()]
        for a in best:
            chances[a] += BETA[list(draws)].prod() / len(best)
    assert best_of_n(SCORES, BETA, num_candidates) == pytest.approx(chances)


def test_best_of_n_works_on_many_situations_and_with_actions_that_are_never_drawn():
    rng = np.random.default_rng(0)
    beta = rng.dirichlet(np.ones(5), size=(2, 3))
    beta[0, 0] = [0.5, 0.0, 0.5, 0.0, 0.0]
    scores = rng.normal(size=(2, 3, 5))
    for k in (1, 4):
        together = best_of_n(scores, beta, k)
        assert together.sum(axis=-1) == pytest.approx(np.ones((2, 3)))
        for i, j in np.ndindex(2, 3):
            assert together[i, j] == pytest.approx(best_of_n(scores[i, j], beta[i, j], k))
    assert best_of_n(scores, beta, 1) == pytest.approx(beta)
    assert (together[0, 0, [1, 3, 4]] == 0).all()


def test_the_best_action_is_found_with_the_chance_of_drawing_it_at_all():
    """1 − (1 − p)^N for a single best action with chance p."""
    for k in (1, 4, 16):
        assert best_of_n(SCORES, BETA, k)[1] == pytest.approx(1 - 0.9**k)


def test_the_optimum_of_awr_maximises_value_minus_divergence():
    """π ∝ β exp(A / T) against a search over all distributions of a fine grid."""
    temperature = 0.3
    weights = awr_weights(BETA[:3] / 0.7, ADVANTAGES[:3], temperature)
    best = optimum(weights, BETA[:3])
    beta = BETA[:3] / 0.7
    grid = np.array([
        (i, j, 200 - i - j) for i in range(1, 199) for j in range(1, 200 - i)
    ]) / 200  # fmt: skip
    goals = grid @ ADVANTAGES[:3] - temperature * divergence(grid, beta)
    assert np.abs(grid[goals.argmax()] - best).max() <= 1 / 200
    own = best @ ADVANTAGES[:3] - temperature * divergence(best, beta)
    assert goals.max() <= own + 1e-12


def test_imitation_descends_to_the_normalised_weights():
    chances = best_of_n(SCORES, BETA, 3)
    weights = np.stack([
        positive_advantage(chances, ADVANTAGES), awr_weights(BETA, ADVANTAGES, 0.2), chances,
    ])  # fmt: skip
    logits = torch.zeros(3, 4, requires_grad=True)
    descent = torch.optim.SGD([logits], lr=6.0)
    for _ in range(1_000):
        descent.zero_grad()
        log_pi = torch.log_softmax(logits, dim=1)
        imitation_loss(log_pi, torch.from_numpy(weights).float()).backward()
        descent.step()
    found = torch.softmax(logits, dim=1).detach().numpy()
    assert found == pytest.approx(optimum(weights, BETA), abs=2e-3)


def test_only_actions_better_than_the_average_are_imitated_and_nothing_means_no_change():
    weights = positive_advantage(best_of_n(SCORES, BETA, 2), ADVANTAGES)
    assert weights[0] == 0 and (weights[1:] > 0).all()
    assert (optimum(np.zeros(4), BETA) == BETA).all()
    with pytest.raises(ValueError, match="weights must be >= 0, but the least is -0.12"):
        optimum(BETA * ADVANTAGES, BETA)


def test_the_mean_gradient_of_reinforce_is_the_gradient_of_the_mean_advantage():
    """Every action with its probability, against automatic differentiation of Σ_a π A."""
    logits = torch.tensor([[0.3, -0.2, 0.5, 0.0]], requires_grad=True, dtype=torch.float64)
    advantages = torch.from_numpy(ADVANTAGES)[None]
    pi = torch.softmax(logits, dim=1)
    (exact,) = torch.autograd.grad(-(pi * advantages).sum(), logits)
    mean = torch.zeros(1, 4)
    for a in range(4):
        loss = reinforce_loss(torch.log_softmax(logits, dim=1), torch.tensor([a]), advantages)
        (gradient,) = torch.autograd.grad(loss, logits)
        mean = mean + pi.detach()[0, a] * gradient
    assert mean.numpy() == pytest.approx(exact.numpy())


def test_gradients_of_tables_are_those_of_automatic_differentiation():
    logits = torch.tensor([[0.3, -0.2, 0.5, 0.0]] * 2, requires_grad=True, dtype=torch.float64)
    values = np.stack([ADVANTAGES, SCORES])
    log_pi = torch.log_softmax(logits, dim=1)
    (reinforce,) = torch.autograd.grad(
        (log_pi.exp() * torch.from_numpy(values)).sum(), logits, retain_graph=True
    )
    (imitation,) = torch.autograd.grad((log_pi * torch.from_numpy(values)).sum(), logits)
    pi = log_pi.detach().exp().numpy()
    assert reinforce_gradient(pi, values) == pytest.approx(reinforce.numpy())
    assert imitation_gradient(pi, values) == pytest.approx(imitation.numpy())


def test_reinforce_climbs_to_the_best_action_and_imitation_to_its_weights():
    best = ascend(BETA, lambda pi: reinforce_gradient(pi, ADVANTAGES), rate=2.0, num_steps=2_000)
    assert best[1] > 0.99
    weights = awr_weights(BETA, ADVANTAGES, 0.2)
    same = ascend(BETA, lambda pi: imitation_gradient(pi, weights), rate=1.0, num_steps=500)
    assert same == pytest.approx(weights, abs=1e-6)
    start = ascend(BETA, lambda pi: imitation_gradient(pi, weights), rate=1.0, num_steps=0)
    assert start == pytest.approx(BETA)


def test_logged_actions_with_negative_advantages_push_without_end():
    """−Σ β A log π has no minimum: the logarithm of a bad action's chance falls forever."""
    logits = torch.zeros(1, 4, requires_grad=True)
    descent = torch.optim.SGD([logits], lr=1.0)
    losses, worst = [], []
    for _ in range(400):
        descent.zero_grad()
        log_pi = torch.log_softmax(logits, dim=1)
        loss = imitation_loss(log_pi, torch.from_numpy(BETA * ADVANTAGES)[None].float())
        loss.backward()
        descent.step()
        losses.append(loss.item())
        worst.append(log_pi[0, 0].item())
    assert np.diff(losses[200:]).max() < 0 and losses[-1] < losses[200] - 1
    assert worst[-1] < worst[200] - 1


def test_divergence_is_zero_at_home_and_log_n_at_the_best_of_an_even_choice():
    even = np.full(4, 0.25)
    assert divergence(even, even) == pytest.approx(0.0)
    assert divergence(np.eye(4)[2], even) == pytest.approx(np.log(4))


def test_a_table_of_spots_is_the_policy_of_the_network():
    (screens,) = tiny()
    with seeded(np.random.default_rng(0)):
        network = PolicyNetwork(SETTINGS)
    images = screens.images.reshape(-1, *screens.images.shape[2:])
    table = spot_table(network, SETTINGS, images, (TASK,))[:, 0]
    answer = network.policy(images, np.tile(TASK.tokens, (len(images), 1)))
    sums = np.stack([np.bincount(spot_of_action(SETTINGS), weights=row) for row in answer])
    assert table.shape == (len(images), num_spots(SETTINGS))
    assert table == pytest.approx(sums, abs=1e-6)
    assert at_pixels(SETTINGS, table) == pytest.approx(answer, abs=1e-6)


@pytest.mark.parametrize("method", ["imitation", "reinforce"])
def test_a_network_learns_what_pays(method, monkeypatch):
    """Typing the word is good everywhere: its probability rises, by the same bits for one seed."""
    monkeypatch.setattr(extraction, "NUM_UPDATES", 10)
    monkeypatch.setattr(extraction, "BATCH_SIZE", 16)
    (screens,) = tiny()
    with seeded(np.random.default_rng(0)):
        behaviour = PolicyNetwork(SETTINGS)
    images = screens.images[:, 0]
    tokens = np.tile(TASK.tokens, (len(images), 1))
    values = np.zeros((len(images), num_spots(SETTINGS)))
    values[:, 48] = 1.0
    before = behaviour.policy(images, tokens)[:, 1200]

    def learned(seed: int) -> np.ndarray:
        made = extract(behaviour, SETTINGS, images, tokens, values, method=method, seed=seed)
        return made.policy(images, tokens)[:, 1200]

    after = learned(0)
    assert (after > before).all()
    assert (learned(0) == after).all() and (learned(1) != after).any()
    assert (behaviour.policy(images, tokens)[:, 1200] == before).all()
    with pytest.raises(ValueError, match="method must be one of imitation, reinforce"):
        extract(behaviour, SETTINGS, images, tokens, values, method="awr", seed=0)
