"""What the chapter on policy extraction states, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_core.device.exact import success_probability
from qlearn_core.device.extraction import best_of_n, divergence, positive_advantage
from qlearn_core.device.phone import START
from qlearn_core.experiments import extraction as experiment
from qlearn_core.experiments.critic_table import scripted
from qlearn_core.experiments.device import TASK
from qlearn_core.experiments.device_orderings import interval
from qlearn_core.experiments.device_verdicts import arm, best_of, judged
from qlearn_core.experiments.results import load
from qlearn_core.planning import evaluate_policy


def arms(scores: str = "learned", critic: str = "64 episodes") -> experiment.Arms:
    return experiment.arms(critic=critic, scores=scores)


def ends(judgement) -> tuple[float, float, float]:
    return judgement.mean, judgement.low, judgement.high


# --- stored results -------------------------------------------------------------------------------


def test_the_arms_of_a_record_are_the_rows_of_the_stored_table():
    results, record = load("extraction"), arms()
    rows = list(zip(results.same["arms"], results.same["values"], strict=True))
    cell = results.cell(num_episodes=64, encoder="places")
    assert [(one.name, value) for one in record.arms for value in one.values] == rows
    flat = np.concatenate([one.success for one in record.arms])
    assert flat == pytest.approx(cell["success"][:, 0].mean(axis=0))
    assert np.concatenate([one.divergence for one in arms("exact").arms]) == pytest.approx(
        cell["divergence"][:, 1].mean(axis=0)
    )
    for one in record.arms:
        assert (one.interval[0] <= one.success).all() and (one.success <= one.interval[1]).all()


@pytest.mark.claim("more-candidates-better")
def test_more_candidates_are_better_with_exact_values():
    record = arms("exact")
    assert record["reranked"].success == pytest.approx(
        [0.310, 0.875, 0.978, 0.984, 0.985], abs=6e-4
    )
    each = [arm("reranked", n, exact=True) for n in (1, 2, 4, 8, 16)]
    assert (np.diff(each, axis=0) > 0).all(axis=1).all()


@pytest.mark.claim("more-candidates-better")
def test_more_candidates_are_worse_with_a_learned_critic():
    record = arms()
    assert record["reranked"].success == pytest.approx(
        [0.310, 0.587, 0.548, 0.387, 0.210], abs=6e-4
    )
    assert record["reranked"].interval[1, -1] < record.behaviour
    assert record["Best-of-N"].success[[1, 2, 4]] == pytest.approx([0.394, 0.370, 0.184], abs=6e-4)
    assert judged(7).verdict == "reversed"
    assert ends(judged(7)) == pytest.approx((-0.187, -0.230, -0.146), abs=6e-4)


@pytest.mark.claim("extraction-stable")
def test_best_of_n_is_ahead_by_a_little_with_exact_values():
    best = [best_of(name, exact=True)[1].mean() for name in ("Best-of-N", "AWR", "REINFORCE")]
    assert best == pytest.approx([0.985, 0.970, 0.975], abs=6e-4)
    assert arms("exact")["logged gradient"].success.max() > 0.97


@pytest.mark.claim("extraction-stable")
def test_best_of_n_is_behind_both_with_a_learned_critic():
    found = {name: best_of(name) for name in experiment_arms()}
    assert {name: value for name, (value, _) in found.items()} == {
        "reranked": 2, "Best-of-N": 2, "as released": 1, "AWR": 0.1, "REINFORCE": 100,
        "logged gradient": 1000,
    }  # fmt: skip
    means = {name: success.mean() for name, (_, success) in found.items()}
    assert means == pytest.approx(
        {
            "reranked": 0.587, "Best-of-N": 0.394, "as released": 0.360, "AWR": 0.494,
            "REINFORCE": 0.587, "logged gradient": 0.751,
        },
        abs=6e-4,
    )  # fmt: skip
    assert [judged(k).verdict for k in (8, 9)] == ["reversed", "reversed"]
    assert ends(judged(8)) == pytest.approx((-0.100, -0.180, -0.034), abs=6e-4)
    assert ends(judged(9)) == pytest.approx((-0.193, -0.256, -0.138), abs=6e-4)
    assert arms()["logged gradient"].divergence[-1] == pytest.approx(0.81, abs=6e-3)


def test_with_more_data_the_order_is_the_same():
    more = {name: best_of(name, num_episodes=256)[1] for name in experiment_arms()}
    means = [more[name].mean() for name in ("Best-of-N", "AWR", "REINFORCE", "logged gradient")]
    assert means == pytest.approx([0.480, 0.576, 0.701, 0.869], abs=6e-4)
    for name in ("AWR", "REINFORCE"):
        assert interval(more["Best-of-N"] - more[name])[1] < 0
    fall = arm("Best-of-N", 16, num_episodes=256) - arm("Best-of-N", 4, num_episodes=256)
    assert interval(fall)[1] < 0


def test_with_the_state_told_the_order_is_the_same():
    told = {name: best_of(name, encoder="oracle")[1] for name in experiment_arms()}
    means = [told[name].mean() for name in ("Best-of-N", "AWR", "REINFORCE", "logged gradient")]
    assert means == pytest.approx([0.252, 0.535, 0.551, 0.578], abs=6e-4)
    for name in ("AWR", "REINFORCE"):
        assert interval(told["Best-of-N"] - told[name])[1] < 0


def experiment_arms() -> list[str]:
    return [one.name for one in arms().arms]


def test_the_rule_hardly_filters_the_best_of_sixteen():
    record = experiment.kept(critic="64 episodes")
    assert record.candidates == (1, 2, 4, 8, 16)
    assert record.learned[[0, -1]] == pytest.approx([0.639, 0.970], abs=6e-4)
    assert record.exact[[0, -1]] == pytest.approx([0.607, 0.998], abs=6e-4)
    assert record.noise[[2, -1]] == pytest.approx([0.9375, 0.99998], abs=1e-5)
    assert arms("exact")["Best-of-N"].success[0] == pytest.approx(0.984, abs=6e-4)
    assert arms()["Best-of-N"].success[0] == pytest.approx(0.388, abs=6e-4)


def test_of_pure_noise_the_rule_keeps_all_but_two_to_the_minus_n():
    rng = np.random.default_rng(0)
    num_actions, num_states = 2_000, 300
    beta = np.full((num_states, num_actions), 1 / num_actions)
    advantages = rng.normal(size=beta.shape)
    for n in (1, 2, 4, 8):
        share = positive_advantage(best_of_n(advantages, beta, n), advantages).sum(axis=1)
        error = share.std() / np.sqrt(num_states)
        assert abs(share.mean() - (1 - 0.5**n)) < 4 * error + n**2 / num_actions


@pytest.mark.parametrize("n", [2, 4, 16])
def test_the_best_of_n_is_as_far_from_beta_as_the_exercise_says(n):
    num_actions = 20_000
    beta = np.full((1, num_actions), 1 / num_actions)
    scores = np.random.default_rng(0).normal(size=beta.shape)
    distance = divergence(best_of_n(scores, beta, n), beta)[0]
    assert distance == pytest.approx(np.log(n) - (n - 1) / n, abs=n / num_actions)
    reranked = arms()["reranked"]
    assert reranked.divergence[reranked.values.index(n)] < distance


def test_the_numbers_on_temperature():
    assert arms()["AWR"].success[:2] == pytest.approx([0.285, 0.494], abs=6e-4)
    assert arms("exact")["AWR"].success[:2] == pytest.approx([0.970, 0.871], abs=6e-4)


# --- networks -------------------------------------------------------------------------------------


def test_the_tables_beside_the_networks_are_those_of_the_other_experiment():
    """Other code, the same critics: all ways, by tables, on test tasks."""
    results = load("networks")
    (cell,) = results.cells
    for row, (name, value) in enumerate(zip(results.same["arms"], results.same["values"],
                                            strict=True)):  # fmt: skip
        assert cell["success"][:, 0, 1, row] == pytest.approx(arm(name, value), abs=2e-4)
        here = arm(name, value, metric="divergence")
        assert cell["divergence"][:, 0, row] == pytest.approx(here, abs=2e-4)


@pytest.mark.parametrize("side", range(2))
def test_the_record_of_networks_holds_the_means_of_the_file(side):
    record = experiment.tables_and_networks(tasks=experiment.SIDES[side])
    (cell,) = load("networks").cells
    assert record.means == pytest.approx(cell["success"][:, :, side].mean(axis=0))
    assert record.behaviour == pytest.approx(cell["behaviour"][:, side].mean())
    for k in range(2):
        for row in range(len(record.names)):
            expected = interval(cell["success"][:, k, side, row])
            assert record.ends[:, k, row] == pytest.approx(expected)
    with pytest.raises(ValueError, match="tasks must be one of training tasks, test tasks"):
        experiment.tables_and_networks(tasks="all")


@pytest.mark.claim("extraction-stable")
def test_networks_with_weights_survive_and_gradients_run_away():
    record = experiment.tables_and_networks(tasks="test tasks")
    assert record.names == (
        "Best-of-N, N = 4", "Best-of-N, N = 16", "AWR, T = 0.1", "AWR, T = 0.3", "REINFORCE",
        "logged gradient",
    )  # fmt: skip
    tables, learned = record.means
    assert tables == pytest.approx([0.371, 0.184, 0.494, 0.473, 0.587, 0.622], abs=6e-4)
    assert learned == pytest.approx([0.370, 0.184, 0.514, 0.471, 0.072, 0.000], abs=6e-4)
    assert record.divergence[1, 4:] == pytest.approx([2.16, 4.60], abs=6e-3)
    assert record.num_diverged == 0
    trained_on = experiment.tables_and_networks(tasks="training tasks").means
    assert (trained_on[1, 4:] < 0.1).all() and (trained_on[0, 4:] > 0.6).all()
    assert [judged(k).verdict for k in (16, 17)] == ["reversed", "reproduced"]
    assert ends(judged(16)) == pytest.approx((-0.144, -0.205, -0.084), abs=6e-4)
    assert ends(judged(17)) == pytest.approx((0.298, 0.255, 0.349), abs=6e-4)


# --- noise ----------------------------------------------------------------------------------------


def test_without_noise_more_candidates_are_better_and_with_it_they_are_not():
    calm, noisy = (experiment.noisy(gamma=0.95, noise=noise) for noise in (0.0, 0.05))
    assert (np.diff(calm.exact) > 0).all()
    assert calm.success == pytest.approx(np.tile(calm.exact, (experiment.NUM_DRAWS, 1)))
    assert noisy.success.mean(axis=0)[[1, 3, 4]] == pytest.approx([0.868, 0.571, 0.224], abs=6e-4)
    assert (noisy.success[:, 4] < noisy.success[:, 1]).all()
    small = [experiment.noisy(gamma=0.95, noise=x).success.mean(axis=0) for x in (0.005, 0.01)]
    assert small[0][4] > small[0][2] and abs(small[1][4] - small[1][2]) < 1e-3
    more = experiment.noisy(gamma=0.95, noise=0.02).success.mean(axis=0)
    assert more[[2, 4]] == pytest.approx([0.966, 0.749], abs=6e-4)


@pytest.mark.parametrize("noise", [0.02, 0.05])
def test_the_same_noise_does_more_harm_at_larger_and_at_small_discounts(noise):
    middle = experiment.noisy(gamma=0.9, noise=noise).success.mean(axis=0)[4]
    for gamma in (0.5, 0.99):
        assert experiment.noisy(gamma=gamma, noise=noise).success.mean(axis=0)[4] < middle


def test_success_with_noise_is_that_of_the_best_of_n_policy():
    phone, pi = scripted(1.0)
    q = evaluate_policy(phone.mdp(TASK), pi, gamma=0.9)
    noise = np.random.default_rng(0).normal(size=(experiment.NUM_DRAWS, *q.shape))[3]
    best = best_of_n(q + 0.1 * noise, pi, 4)
    reached = success_probability(phone, TASK, best / best.sum(axis=1, keepdims=True), horizon=15)
    record = experiment.noisy(gamma=0.9, noise=0.1)
    assert record.success[3, 2] == pytest.approx(reached[-1, START])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"critic": "7 episodes"}, "critic must be one of 64 episodes, 256 episodes, .* but is '7"),
        ({"scores": "guessed"}, "scores must be one of learned, exact, but is 'guessed'"),
    ],
)
def test_what_was_not_measured_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        experiment.arms(**{"critic": "64 episodes", "scores": "learned"} | change)
