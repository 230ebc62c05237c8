"""The experiment of TD against Monte Carlo: its exact sums, and the verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from joblib import parallel_config

from qlearn_core.device.behaviour import PolicyNetwork
from qlearn_core.device.encoder import action_of_spot, num_spots
from qlearn_core.device.exact import at_actions, policy_q, success_probability
from qlearn_core.device.extraction import spot_table
from qlearn_core.device.phone import START
from qlearn_core.device.rollouts import all_images, roll_out, seeing
from qlearn_core.device.tasks import split
from qlearn_core.device.training import seeded
from qlearn_core.experiments import device_bench
from qlearn_core.experiments.device_bench import Bench, accuracy, reranked
from qlearn_core.experiments.device_critics import td_against_mc
from qlearn_core.experiments.device_orderings import ORDERINGS, interval, verdict
from qlearn_core.sweeps import sweep
from tests.device.tiny import SETTINGS, tiny


@pytest.fixture(scope="module")
def network() -> PolicyNetwork:
    with seeded(np.random.default_rng(0)):
        return PolicyNetwork(SETTINGS)


@pytest.fixture(scope="module")
def bench(network) -> Bench:
    """Two layouts of the tiny phone, one task for training and one for testing."""
    screens = tiny(num_layouts=2)
    training, test = split(SETTINGS)
    beta = spot_table(network, SETTINGS, all_images(screens), training + test)
    return Bench(screens, training + test, len(training), beta)


def test_success_and_values_are_those_of_the_policy_on_pixels(bench, network):
    for g, task in enumerate(bench.tasks):
        q, visits = bench.truth(g)
        reached = []
        for k, screens in enumerate(bench.screens):
            exact, pi = policy_q(screens, network.policy, task, gamma=device_bench.GAMMA)
            reached.append(success_probability(screens.phone, task, pi, horizon=8)[8, START])
            rows = q.reshape(2, -1, 2, num_spots(SETTINGS))[k]
            at_spots = at_actions(screens, exact)[:, action_of_spot(SETTINGS)]
            for f in range(2):
                assert rows[:, f] == pytest.approx(at_spots, abs=1e-6)
        assert bench.success(bench.beta[:, g], g) == pytest.approx(np.mean(reached), abs=1e-6)
        assert visits.sum() <= 2 * SETTINGS.horizon


def test_visits_are_the_mean_number_of_actions_in_each_state(bench, network):
    num_episodes = 2_000
    g = 0
    data = roll_out(
        bench.screens[:1], bench.tasks[:1], seeing(network.policy), num_episodes=num_episodes,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    visits = bench.truth(g)[1].reshape(2, -1, 2).sum(axis=2)[0]
    counts = np.zeros((num_episodes, len(visits)))
    for t in range(SETTINGS.horizon):
        here = data.taken[:, t]
        counts[here, data.states[here, t]] += 1
    error = counts.std(axis=0, ddof=1) / np.sqrt(num_episodes)
    often = visits * num_episodes > 50
    assert often.sum() > 3
    assert (np.abs(counts.mean(axis=0) - visits) <= 4.5 * error)[often].all()


def test_with_exact_values_more_candidates_are_better(bench):
    success = reranked(bench, [bench.truth(g)[0] for g in bench.tests])
    one = np.mean([bench.success(bench.beta[:, g], g) for g in bench.tests])
    assert success[0] == pytest.approx(one)
    assert success[0] < success[1] < success[2]


def test_accuracy_is_what_loops_over_all_pairs_give():
    rng = np.random.default_rng(0)
    q, truth = rng.normal(size=(3, 4)), rng.integers(3, size=(3, 4)) / 2
    q[0, 0] = q[0, 1]
    beta, visits = rng.dirichlet(np.ones(4), size=3), rng.random(3)
    rmse, ranking = accuracy(q, truth, beta, visits)
    square, right, pairs = 0.0, 0.0, 0.0
    for k in range(3):
        for a in range(4):
            square += visits[k] * beta[k, a] * (q[k, a] - truth[k, a]) ** 2 / visits.sum()
            for b in range(4):
                if truth[k, a] > truth[k, b]:
                    pair = visits[k] * beta[k, a] * beta[k, b]
                    pairs += pair
                    right += pair * (float(q[k, a] > q[k, b]) + 0.5 * (q[k, a] == q[k, b]))
    assert (rmse, ranking) == pytest.approx((np.sqrt(square), right / pairs))
    assert accuracy(truth, truth, beta, visits) == pytest.approx((0.0, 1.0))
    assert accuracy(-truth, truth, beta, visits)[1] == 0.0
    assert accuracy(np.zeros((3, 4)), truth, beta, visits)[1] == 0.5


@pytest.mark.parametrize("encoder", device_bench.ENCODERS)
def test_a_run_is_a_record_that_a_sweep_can_keep(encoder, small_experiments, tmp_path):
    over = {"num_episodes": (4,), "chance": (0.0, 1.0), "encoder": (encoder,)}
    with parallel_config("threading", n_jobs=1):  # other processes would not know the tiny phone
        first, again = (
            sweep(td_against_mc, over=over, seeds=[3], folder=tmp_path) for _ in range(2)
        )
    for one, other in zip(first.records.flat, again.records.flat, strict=True):
        assert one.success.shape == (2, 3) and one.rmse.shape == one.ranking.shape == (2,)
        assert (one.success == other.success).all() and (one.rmse == other.rmse).all()
        assert one.success[0, 0] == pytest.approx(one.success[1, 0])  # one candidate: β itself
        assert one.exact[0] == pytest.approx(one.success[0, 0])
    alone = td_against_mc(num_episodes=4, chance=1.0, encoder=encoder, seed=3)
    assert (alone.success == first.records[0, 0, 1, 0].success).all()


def test_episodes_are_cut_off_at_the_limit_and_the_same_before_it(small_experiments):
    bench = device_bench.make_bench(1.0, 0)
    short, long = (
        device_bench.episodes(bench, num_episodes=30, seed=0, limit=limit) for limit in (3, 9)
    )
    assert short.lengths.max() == 3 and long.lengths.max() == 9
    early = long.lengths <= 3
    assert (short.actions == long.actions[:, :3]).all()
    assert (short.success == (long.success & early)).all()
    assert (short.truncated.any(axis=1) == ~long.terminated[:, :3].any(axis=1)).all()
    with pytest.raises(ValueError, match="limit must be"):
        device_bench.episodes(bench, num_episodes=30, seed=0, limit=0)


def test_the_discount_of_a_run_is_that_of_its_truth(small_experiments):
    """With one candidate success is that of β for any γ; the errors are against q of that γ."""
    near, far = (
        td_against_mc(num_episodes=4, chance=1.0, encoder="oracle", seed=0, gamma=gamma)
        for gamma in (0.0, 0.95)
    )
    assert near.success[:, 0] == pytest.approx(far.success[:, 0])
    bench = device_bench.make_bench(1.0, 0)
    q, _ = bench.truth(0, 0.0)
    rewards = bench.screens[0].phone.mdp(bench.tasks[0]).r
    assert set(np.unique(q.round(6))) <= set(np.unique(rewards.round(6)))
    assert (near.rmse != far.rmse).any()


def test_what_the_experiment_cannot_be_run_with_is_named(small_experiments):
    with pytest.raises(ValueError, match="encoder must be one of places, pages, untrained"):
        td_against_mc(num_episodes=4, chance=1.0, encoder="pixels", seed=0)
    with pytest.raises(ValueError, match=r"chance must be a number in \[0, 5\], but is 6"):
        td_against_mc(num_episodes=4, chance=6, encoder="places", seed=0)


def test_every_ordering_is_one_line_of_a_named_experiment():
    assert {one.experiment for one in ORDERINGS} == {
        "td_against_mc", "representation", "extraction", "online", "horizon", "targets", "networks",
    }  # fmt: skip
    assert len(set(ORDERINGS)) == len(ORDERINGS)


def test_the_bootstrap_interval_is_the_normal_one_for_many_seeds():
    differences = np.random.default_rng(0).normal(0.3, 1.0, size=500)
    error = differences.std() / np.sqrt(500)
    low, high = interval(differences)
    assert low == pytest.approx(differences.mean() - 1.96 * error, abs=0.15 * error)
    assert high == pytest.approx(differences.mean() + 1.96 * error, abs=0.15 * error)
    with pytest.raises(ValueError, match=r"differences must have shape \(num_seeds,\)"):
        interval(np.array([1.0]))


def test_a_verdict_is_given_only_when_the_interval_leaves_zero_out():
    sure = np.array([0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.2, 0.1])
    assert verdict(sure) == "reproduced"
    assert verdict(-sure) == "reversed"
    assert verdict(sure - 0.15) == "not reproduced"
    assert verdict(np.zeros(8)) == "not reproduced"
