"""What the chapter on projection can state, measured."""

from __future__ import annotations

import numpy as np
import pytest

from qlearn_book import grid
from qlearn_book.figures import projection as figure
from qlearn_core.environments import chain, star, two_state
from qlearn_core.experiments import projection as experiment
from qlearn_core.experiments import triad
from qlearn_core.mean_updates import expected_semi_gradient_q, largest_curvature
from qlearn_core.planning import optimal_q
from qlearn_core.projection import (
    induced_sup_norm,
    induced_weighted_norm,
    pair_transitions,
    projection_matrix,
)
from qlearn_core.weightings import stationary_weighting

GAMMAS = (0.5, 0.8, 0.9, 0.95, 0.97, 0.985)


@pytest.mark.claim("projection-floor", "error-above-floor")
@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("features", experiment.FEATURES)
def test_no_error_is_below_the_chebyshev_floor(gamma, features):
    record = experiment.regime(gamma, features=features)
    floor = record.chebyshev_floor * (1 - 1e-6)
    assert 0 < floor <= record.projection_error
    assert (record.semi >= floor).all() and (record.swept >= floor).all()


@pytest.mark.claim("error-above-floor")
@pytest.mark.parametrize("gamma", [0.5, 0.8])
def test_an_error_may_be_below_that_of_the_projection_of_q_star(gamma):
    record = experiment.regime(gamma, 0.3, features="1, x, a")
    assert record.semi_status == "converged"
    assert record.chebyshev_floor < record.semi[-1] < 0.9 * record.projection_error


@pytest.mark.claim("triad-oscillates", "update-is-projected")
@pytest.mark.parametrize(
    ("gamma", "status", "late"),
    [
        (0.5, "converged", (0.31, 0.31)),
        (0.9, "converged", (0.11, 0.11)),
        (0.965, "converged", (0.47, 0.47)),
        (0.9675, "cycling", (0.08, 1.76)),
        (0.97, "cycling", (0.13, 2.32)),
        (0.98, "cycling", (0.13, 30.0)),
    ],
)
def test_the_semi_gradient_converges_above_the_floor_and_then_cycles(gamma, status, late):
    record = experiment.regime(gamma)
    assert record.semi_status == status
    assert record.semi_range == pytest.approx(late, abs=0.01, rel=0.005)
    assert record.swept_status == "converged"
    if status == "converged":
        assert record.semi_range[0] > record.projection_error
        assert record.semi_range[1] == pytest.approx(record.swept[-1], rel=1e-5)


def test_a_step_ten_times_smaller_cycles_as_widely():
    mdp, mu = experiment.problem(0.5, 0.2)
    phi, largest = experiment.FEATURES[experiment.MAIN](mdp), optimal_q(mdp, gamma=0.97).max()
    ranges = []
    for share in (0.9, 0.09):
        late = np.arange(300_000, 400_000)
        run = expected_semi_gradient_q(
            mdp, phi, mu, gamma=0.97, alpha=share / largest_curvature(phi, mu),
            num_updates=400_000, record_at=late,
        )  # fmt: skip
        assert run.status == "cycling"
        ranges.append((run.errors[:-1].min() / largest, run.errors[:-1].max() / largest))
    assert ranges[0] == pytest.approx(ranges[1], rel=0.03)


@pytest.mark.parametrize(
    ("back", "status", "late"),
    [
        (0.2, "converged", 0.0157),
        (0.3, "cycling", 1.12),
        (0.4, "cycling", 19.7),
        (0.45, "cycling", 2638),
    ],
)
def test_the_behaviour_leads_through_the_same_three_regimes(back, status, late):
    record = experiment.regime(0.985, back)
    assert (record.semi_status, record.swept_status) == (status, "converged")
    assert record.semi_range[1] == pytest.approx(late, rel=0.01)


def test_two_sets_have_no_guarantee_and_end_nearer_than_the_three_that_contract():
    records = [experiment.regime(0.9, features=features) for features in experiment.FEATURES]
    errors = [record.swept[-1] for record in records]
    assert errors == pytest.approx([0.11, 0.39, 0.70, 0.71, 0.73], abs=0.005)
    assert [record.lipschitz < 1 for record in records] == [False, False, True, True, True]
    for record in records[2:]:
        assert errors[-1] <= record.projection_error / (1 - record.lipschitz)


@pytest.mark.parametrize(("gamma", "diverges"), [(0.92, False), (0.93, False), (0.94, True)])
def test_all_three_legs_diverge_from_0_94_on(gamma, diverges):
    assert np.isinf(triad.legs(gamma).all_three) == diverges


@pytest.mark.claim("update-is-projected", "semi-gradient-not-to-blame")
@pytest.mark.parametrize("gamma", [0.985, 0.99])
def test_it_diverges_where_sweeps_of_least_squares_still_settle(gamma):
    record = experiment.regime(gamma)
    assert (record.semi_status, record.swept_status) == ("diverged", "converged")
    assert record.semi[-1] > 1e5 and np.isfinite(record.semi).all()
    assert record.swept[-1] < 1


def test_the_floor_falls_with_gamma_while_the_error_rises():
    records = [experiment.regime(gamma) for gamma in (0.9, 0.95, 0.965)]
    assert (np.diff([record.chebyshev_floor for record in records]) < 0).all()
    assert (np.diff([record.swept[-1] for record in records]) > 0).all()


@pytest.mark.claim("contraction-lost")
@pytest.mark.parametrize("gamma", [0.7, 0.9, 0.95, 0.99])
def test_a_norm_above_one_over_gamma_does_not_imply_divergence(gamma):
    record = experiment.regime(gamma)
    assert record.norm > 1 and record.lipschitz > 1
    assert record.swept_status == "converged"


@pytest.mark.claim("contraction-lost", "no-guarantee-at-scale")
def test_the_norm_is_a_loose_bound_and_a_contraction_can_be_far_off():
    parabola = experiment.regime(0.9, features="1, x, x²", slip=0.1)
    assert parabola.norm > 1.3 and parabola.lipschitz < 1
    bins = experiment.regime(0.9, features="3 bins")
    assert bins.norm == pytest.approx(0.9)
    assert bins.swept[-1] > 0.7 > 5 * bins.chebyshev_floor


def test_the_more_the_behaviour_goes_back_the_larger_the_error():
    record = experiment.dial(0.9, experiment.MAIN, slip=0.1)
    chosen = [np.argmin(np.abs(record.backs - back)) for back in (0.1, 0.3, 0.5, 0.6)]
    assert record.errors[chosen] == pytest.approx([0.087, 0.098, 0.508, 5.44], rel=0.01)
    assert np.isinf(record.errors).tolist() == (record.backs > 0.62).tolist()
    assert (record.norms > 1).all() and (record.lipschitz > 1).sum() == 16
    assert (record.errors > record.floor * (1 - 1e-6)).all()


@pytest.mark.parametrize("back", [0.1, 0.5, 0.6, 0.7])
def test_the_dial_and_the_regime_tell_the_same(back):
    record = experiment.dial(0.9, experiment.MAIN, slip=0.1)
    regime = experiment.regime(0.9, back, slip=0.1)
    place = np.argmin(np.abs(record.backs - back))
    assert regime.norm == pytest.approx(record.norms[place])
    assert regime.lipschitz == pytest.approx(record.lipschitz[place])
    assert regime.chebyshev_floor == record.floor
    assert (regime.swept_status == "diverged") == np.isinf(record.errors[place])
    assert (regime.semi_status == "diverged") == np.isinf(record.errors[place])


def test_more_slips_make_every_behaviour_safe():
    assert np.isinf(experiment.dial(0.9, experiment.MAIN, slip=0.05).errors).sum() == 7
    assert np.isfinite(experiment.dial(0.9, experiment.MAIN, slip=0.3).errors).all()


@pytest.mark.parametrize("depth", [3, 8, 12])
def test_bins_contract_at_every_depth_and_behaviour(depth):
    record = experiment.dial(0.95, "3 bins", depth=depth)
    assert record.norms == pytest.approx(np.full(17, 0.95))
    assert np.isfinite(record.errors).all()


@pytest.mark.parametrize("back", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("features", experiment.FEATURES)
def test_a_policy_judged_by_its_own_weights_contracts_in_the_weighted_norm(features, back):
    mdp = chain(5, slip=0.1, goal="loop")
    pi = np.tile([back, 1 - back], (5, 1))
    mu = stationary_weighting(mdp, pi)
    projection = projection_matrix(experiment.FEATURES[features](mdp), mu)
    assert induced_weighted_norm(projection, mu) == pytest.approx(1, abs=1e-9)
    stretch = induced_weighted_norm(projection @ pair_transitions(mdp, pi), mu)
    assert stretch <= 1 + 1e-9


def test_online_runs_stay_finite_at_0_9_and_all_diverge_at_0_99():
    stable = experiment.online(0.9, 0.5, 0.02, num_seeds=20)
    assert stable.num_diverged == 0 and np.isfinite(stable.errors).all()
    floor = experiment.regime(0.9).chebyshev_floor
    assert (stable.errors >= floor * (1 - 1e-6)).all()
    unstable = experiment.online(0.99, 0.5, 0.02, num_seeds=20)
    assert unstable.num_diverged == 20
    assert np.isnan(unstable.errors[:, -1]).all() and (unstable.errors[:, 0] == 1).all()


@pytest.mark.claim("semi-gradient-not-to-blame")
@pytest.mark.parametrize(
    ("gamma", "grows"), [(0.8, False), (0.83, False), (0.84, True), (0.9, True)]
)
def test_two_states_grow_from_five_sixths_on_and_the_full_gradient_never_does(gamma, grows):
    record = triad.two_states(gamma)
    assert record.swept[1:] / record.swept[:-1] == pytest.approx(np.full(60, 6 * gamma / 5))
    assert record.semi == pytest.approx(record.swept)
    assert (record.swept[-1] > 1) == grows
    assert (np.diff(record.full) < 0).all()


def test_the_norm_of_the_two_states_gives_their_threshold():
    _, phi, mu, *_ = two_state()
    assert induced_sup_norm(projection_matrix(phi, mu)[:2, :2]) == pytest.approx(6 / 5)
    assert triad.two_states(0.96, 0.2).swept[-1] < 1 < triad.two_states(0.97, 0.2).swept[-1]


@pytest.mark.claim("semi-gradient-not-to-blame", "no-guarantee-at-scale")
def test_the_star_diverges_by_the_semi_gradient_alone():
    record = triad.baird(0.99)
    assert record.semi[-1] > 1000
    assert record.swept[-1] < 1e-9 and record.full.max() <= 1
    calm = triad.baird(0.8)
    assert calm.semi[-1] < 1
    assert projection_matrix(star().phi, star().mu) == pytest.approx(np.eye(7), abs=1e-9)


@pytest.mark.parametrize("alpha", [0.005, 0.01, 0.02])
def test_no_step_size_saves_the_star(alpha):
    assert triad.baird(0.99, alpha).semi[-1] > 100
    assert triad.baird(0.99, alpha).full.max() <= 1


def test_each_leg_of_the_triad_taken_away_ends_the_divergence():
    record = triad.legs(0.95)
    assert record.all_three == np.inf
    assert record.tables < 1e-8
    assert record.on_policy == pytest.approx(0.051, abs=0.001)
    assert record.no_bootstrap == pytest.approx(0.035, abs=0.001)


def test_unknown_features_are_named():
    with pytest.raises(ValueError, match="features must be one of 1, x, x·a, .* but is 'x'"):
        experiment.regime(0.9, features="x")


@pytest.mark.parametrize("gamma", [0.5, 0.9, 0.97, 0.99])
def test_the_drawings_are_finite_and_have_a_sentence(gamma):
    drawings = [
        figure.regimes(experiment.regime(gamma)),
        figure.dial(experiment.dial(gamma, experiment.MAIN)),
        figure.online(experiment.online(gamma, 0.5, 0.02)),
        figure.two_states(triad.two_states(gamma)),
        figure.star(triad.baird(gamma)),
        figure.legs(triad.legs(gamma)),
    ]
    for drawing in drawings:
        assert drawing["layout"]["meta"]["summary"] and "nan" not in str(grid.plain(drawing))


@pytest.mark.parametrize(
    ("gamma", "words"),
    [
        (0.9, "converges to an error of 0.11; sweeps of ΠT converge to 0.11"),
        (0.97, "cycles between 0.13 and 2.3; sweeps of ΠT converge to 0.53"),
        (0.985, "diverges; sweeps of ΠT converge to 0.76"),
    ],
)
def test_the_sentence_names_the_regime(gamma, words):
    assert words in figure.regimes(experiment.regime(gamma))["layout"]["meta"]["summary"]
