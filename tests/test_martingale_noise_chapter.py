"""The claims of the chapter on martingale noise, measured."""

from __future__ import annotations

import itertools

import numpy as np
import plotly.graph_objects as go
import pytest

from qlearn_book.figures import martingale_noise as figure
from qlearn_core.behaviours import Cyclic, EpsilonGreedy, FixedPolicy, UniformPairs
from qlearn_core.environments import chain
from qlearn_core.experiments import martingale_noise as experiment
from qlearn_core.experiments import noise_tests
from qlearn_core.noise import broken_conditional_mean, conditional_mean, predictable_variance
from qlearn_core.tabular import q_learning, trace_q_learning

UNIFORM, GREEDY, BACK = experiment.BEHAVIOURS
SEEDS = range(2, 7)


def standard_error(share: float, num_samples: int) -> float:
    return float(np.sqrt(share * (1 - share) / num_samples))


# --- the fair game -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "behaviour",
    [UniformPairs(), Cyclic(), EpsilonGreedy(0.3), FixedPolicy(np.tile([0.65, 0.35], (5, 1)))],
)
@pytest.mark.claim(
    "martingale-difference", "any-behaviour", "off-policy-reason", "sweep-on-average"
)
def test_the_noise_has_conditional_mean_zero_under_every_behaviour(behaviour):
    mdp = chain(5, slip=0.1, goal="loop")
    run = q_learning(
        mdp, gamma=0.9, alpha=0.1, num_updates=1_000, behaviour=behaviour,
        rng=np.random.default_rng(1),
    )  # fmt: skip
    for q in run.tables[:: len(run.tables) // 20]:
        assert np.abs(conditional_mean(mdp, q, gamma=0.9)).max() < 1e-12


@pytest.mark.parametrize("kind", ["raw", "stale", "mean"])
def test_each_broken_noise_has_a_conditional_mean_far_from_zero_at_every_pair(kind):
    mdp = chain(5, slip=0.1, goal="loop")
    run = q_learning(
        mdp, gamma=0.9, alpha=0.1, num_updates=1_000, behaviour=UniformPairs(),
        rng=np.random.default_rng(1),
    )  # fmt: skip
    assert np.abs(broken_conditional_mean(mdp, run.q, gamma=0.9, kind=kind)).min() > 0.1


@pytest.mark.parametrize("behaviour, count", [(UNIFORM, 382), (GREEDY, 375), (BACK, 373)])
def test_about_95_percent_of_400_running_sums_end_inside_their_band(behaviour, count):
    record = experiment.fair_game(0.9, 5, 0.1, behaviour, seed=7, num_runs=400)
    assert record.num_inside == count  # as printed
    # Three standard errors for chance, two percentage points for the skew at T = 2,000.
    assert abs(record.num_inside / 400 - 0.95) <= 3 * standard_error(0.95, 400) + 0.02


@pytest.mark.parametrize("behaviour", experiment.BEHAVIOURS)
def test_the_mean_square_of_the_final_sum_equals_the_mean_accumulated_variance(behaviour):
    record = experiment.fair_game(0.9, 5, 0.1, behaviour, seed=11, num_runs=400)
    squares = record.sums[:, -1] ** 2
    assert abs(squares.mean() - record.final_sd**2) <= 4 * squares.std() / np.sqrt(400)


def test_the_running_sum_does_not_drift():
    for behaviour in experiment.BEHAVIOURS:
        record = experiment.fair_game(0.9, 5, 0.1, behaviour, seed=3, num_runs=400)
        assert abs(record.sums[:, -1].mean()) <= 4 * record.final_sd / np.sqrt(400)


def test_a_table_of_zeros_has_no_noise():
    mdp = chain(5, slip=0.1, goal="loop")
    assert not predictable_variance(mdp, np.zeros((5, 2)), gamma=0.9).any()


# --- zero mean is not even odds ------------------------------------------------------------------


@pytest.mark.parametrize("action, share", [("forward", 0.9), ("back", 0.1)])
@pytest.mark.claim("up-or-down")
def test_at_slip_a_tenth_the_odds_are_nine_to_one_whatever_gamma_and_depth(action, share):
    for gamma, depth in itertools.product((0.5, 0.9, 0.99), (2, 5, 12)):
        record = experiment.not_symmetric(gamma, 0.1, depth, action)
        assert record.share_positive == pytest.approx(share, abs=1e-12)
        np.testing.assert_allclose(record.highs * share + record.lows * (1 - share), 0, atol=1e-12)
        np.testing.assert_allclose(-record.lows / record.highs, share / (1 - share), rtol=1e-6)
        assert abs(record.measured_share - share) <= 4 * standard_error(share, 1_800)


def test_the_two_values_at_state_3_are_the_printed_ones():
    record = experiment.not_symmetric(0.9, 0.1, 5, "forward")
    assert (round(record.highs[3], 3), round(record.lows[3], 3)) == (0.165, -1.488)


@pytest.mark.parametrize("action", ["back", "forward"])
def test_up_and_down_are_equally_likely_at_slip_one_half_only(action):
    for slip in (0.02, 0.1, 0.25, 0.4, 0.5):
        odds = experiment.not_symmetric(0.9, slip, 5, action).share_positive
        assert odds == pytest.approx(slip if action == "back" else 1 - slip, abs=1e-12)


# --- testing for zero mean -----------------------------------------------------------------------


@pytest.mark.parametrize("behaviour, share", [(UNIFORM, 0.955), (GREEDY, 0.96), (BACK, 0.96)])
@pytest.mark.claim("any-behaviour")
def test_about_95_percent_of_the_standardised_means_lie_in_the_band(behaviour, share):
    shown = noise_tests.zero_mean(0.9, behaviour).scores
    assert np.mean(np.abs(shown[np.isfinite(shown)]) <= 1.96) == pytest.approx(share, abs=0.0051)
    scores = noise_tests.zero_mean(0.9, behaviour, seed=5, num_runs=100).scores
    known = scores[np.isfinite(scores)]
    inside = np.mean(np.abs(known) <= 1.96)
    # Rarely visited pairs are far from normal: two percentage points on top of chance.
    assert abs(inside - 0.95) <= 4 * standard_error(0.95, known.size) + 0.02


def test_t_intervals_reject_the_truth_in_four_of_ten_greedy_runs_and_known_variances_do_not():
    for seed in (1, 2):
        rates = noise_tests.false_positives(0.9, GREEDY, seed=seed)
        assert abs(rates.sample_variance - 0.43) <= 4 * standard_error(0.43, 400)
        assert rates.known_variance <= 0.05 + 4 * standard_error(0.05, 400)


# --- neither identically distributed nor independent ---------------------------------------------


def test_with_uniform_pairs_the_loudest_pair_is_about_three_times_as_loud_as_the_quietest():
    late = experiment.spread(0.9, UNIFORM).late
    assert round(late.max() / late.min(), 1) == 2.9
    for seed in SEEDS:
        late = experiment.spread(0.9, UNIFORM, seed=seed).late
        assert 2 < late.max() / late.min() < 5


def test_the_noise_of_state_0_doubles_under_the_walk_back():
    record = experiment.spread(0.9, BACK)
    assert (record.late / record.early)[0].round(1).tolist() == [4.2, 3.5]
    for seed in SEEDS:
        record = experiment.spread(0.9, BACK, seed=seed)
        assert (record.late[0] >= 1.95 * record.early[0]).all()


def test_the_noise_of_forward_at_state_1_shrinks_under_the_greedy_walk():
    shown = experiment.spread(0.9, GREEDY)
    assert shown.late[1, 1] / shown.early[1, 1] == pytest.approx(1 / 3, abs=0.05)
    for seed in SEEDS:
        record = experiment.spread(0.9, GREEDY, seed=seed)
        assert record.late[1, 1] < 0.75 * record.early[1, 1]


@pytest.mark.parametrize("behaviour", experiment.BEHAVIOURS)
@pytest.mark.claim("independence-not-needed")
def test_the_noise_is_uncorrelated_up_to_chance(behaviour):
    for gamma, seed in itertools.product((0.5, 0.9), (1, 2)):
        record = experiment.memory(gamma, behaviour, seed=seed)
        assert (np.abs(record.noise) <= record.band).sum() >= 9  # P(Binomial(12, .95) < 9) < 3e-4


@pytest.mark.claim("independence-not-needed")
def test_the_square_of_the_noise_is_correlated_along_walks_and_hardly_for_uniform_pairs():
    lag_2 = {name: experiment.memory(0.9, name).squares[1] for name in experiment.BEHAVIOURS}
    assert {name: round(value, 2) for name, value in lag_2.items()} == {
        UNIFORM: 0.01, GREEDY: 0.07, BACK: 0.19,
    }  # fmt: skip
    for seed in SEEDS:
        uniform, greedy, back = (
            experiment.memory(0.9, name, seed=seed).squares[1] for name in experiment.BEHAVIOURS
        )
        assert uniform < 0.04 < greedy < back


# --- broken noise --------------------------------------------------------------------------------


def test_the_factors_by_which_broken_sums_leave_the_band_are_the_printed_ones():
    last = experiment.broken(0.9, 5, 0.1).ratios[:, -1]
    assert last[0] < 1
    assert last[1:].round().tolist() == [15, 176, 35]


def test_the_sum_without_a_baseline_ends_at_a_quarter_of_the_half_width():
    assert experiment.broken(0.5, 2, 1.0).ratios[1, -1] == pytest.approx(0.25, abs=0.02)


def test_the_mean_target_leaves_the_band_and_the_correct_noise_does_not():
    for gamma, depth, alpha in itertools.product((0.5, 0.9, 0.99), (2, 8), (0.05, 0.3, 1.0)):
        correct, _, _, mean = experiment.broken(gamma, depth, alpha).ratios[:, -1]
        assert correct < 1 < mean


def test_relative_to_the_band_the_mean_target_grows_like_the_square_root_of_time():
    # α = 1 and depth 2: the table has settled within 100 updates, the drift is steady from then on.
    record = experiment.broken(0.5, 2, 1.0)
    slope = np.polyfit(np.log(record.updates), np.log(record.ratios[3]), 1)[0]
    assert slope == pytest.approx(0.5, abs=0.05)


def test_raw_td_errors_telescope_with_a_constant_step_size():
    trace = trace_q_learning(
        chain(5, slip=0.1, goal="loop"), gamma=0.9, alpha=0.3, num_updates=3_000,
        behaviour=UniformPairs(), rng=np.random.default_rng(4),
    )  # fmt: skip
    assert trace.td_errors.sum() == pytest.approx(trace.q.sum() / 0.3, rel=1e-10)


# --- step sizes ----------------------------------------------------------------------------------


def test_the_accumulated_variances_are_the_printed_ones():
    record = experiment.budget(0.9, 5)
    early = np.argmin(np.abs(record.updates - 2_000))
    printed = {
        "0.1": (1.8, 26), "n^-0.5": (4.1, 7.2), "n^-0.7": (1.21, 1.45),
        "1/n": (0.308, 0.313), "rescaled": (8.1, 8.6),
    }  # fmt: skip
    for name, numbers in printed.items():
        variance = record.variance[record.names.index(name)]
        assert (variance[early], variance[-1]) == pytest.approx(numbers, rel=0.02)
    distance = record.distance[record.names.index("n^-1.5"), -1]
    assert round(distance, 2) == 2.57
    assert np.sum(np.arange(1, 10**6) ** -1.5) + 2 / np.sqrt(10**6 - 1) < 2.62


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.claim("square-sum-bounds-noise")
def test_accumulated_variance_stays_bounded_for_square_summable_steps_only(seed):
    record = experiment.budget(0.9, 5, seed=seed)
    times = np.log([200, 2_000, 20_000])
    rows = dict(zip(record.names, record.variance, strict=True))
    sums = {name: np.interp(times, np.log(record.updates), row) for name, row in rows.items()}
    for name in ("n^-0.7", "1/n", "rescaled", "n^-1.5"):
        assert sums[name][2] - sums[name][1] < 0.25 * sums[name][2]
    first, second = np.diff(sums["n^-0.5"])
    assert 0.6 < second / first < 1.7  # the same in every decade, up to learning and chance
    assert sums["0.1"][2] / sums["0.1"][1] > 8  # in proportion to time


def test_the_accumulated_variance_obeys_the_bound_from_the_range_of_the_values():
    for gamma in (0.5, 0.9, 0.99):
        record = experiment.budget(gamma, 5)
        harmonic = record.variance[record.names.index("1/n"), -1]
        assert harmonic <= gamma**2 / (4 * (1 - gamma) ** 2) * 10 * np.pi**2 / 6


# --- the drawings --------------------------------------------------------------------------------

DRAWINGS = [
    (experiment.fair_game, figure.fair_game, (0.9, 5, 0.1, GREEDY), (0.57, 6, 0.77, BACK)),
    (
        experiment.not_symmetric,
        figure.not_symmetric,
        (0.9, 0.1, 5, "back"),
        (0.6, 0.3, 9, "forward"),
    ),
    (noise_tests.zero_mean, figure.zero_mean, (0.9, UNIFORM), (0.5, GREEDY)),
    (experiment.spread, figure.spread, (0.9, UNIFORM), (0.5, GREEDY)),
    (experiment.memory, figure.memory, (0.9, BACK), (0.61, UNIFORM)),
    (experiment.broken, figure.broken, (0.9, 5, 0.1), (0.99, 8, 0.05)),
    (experiment.budget, figure.budget, (0.9, 5), (0.5, 8)),
]


@pytest.mark.parametrize("compute, draw, start, elsewhere", DRAWINGS)
def test_every_drawing_is_valid_and_its_sentence_and_axes_are_in_place(
    compute, draw, start, elsewhere
):
    first, second = draw(compute(*start)), draw(compute(*elsewhere))
    go.Figure(first), go.Figure(second)
    assert len(first["data"]) == len(second["data"])
    for axis in ("xaxis", "yaxis"):
        assert first["layout"][axis] == second["layout"][axis]
    assert first["layout"]["meta"]["summary"] != ""
