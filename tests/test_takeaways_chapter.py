"""What the last chapter of the laboratory states, measured."""

from __future__ import annotations

import re

import nbformat
import numpy as np
import pytest

from qlearn_book.figures import takeaways as figure
from qlearn_book.notebooks import BOOK
from qlearn_core.experiments import takeaways as experiment
from qlearn_core.experiments.device_orderings import NUM_SEEDS, ORDERINGS, interval
from qlearn_core.experiments.device_verdicts import best_of, judged, tuned
from qlearn_core.experiments.online import with_change
from qlearn_core.experiments.results import load

TEXT = "\n".join(
    cell.source
    for cell in nbformat.read(BOOK / "takeaways.ipynb", as_version=4).cells
    if cell.cell_type == "markdown"
)


def test_every_ordering_that_was_written_down_has_a_place_in_the_figure():
    shown = sorted(position for part in experiment.PARTS.values() for position in part)
    assert shown == list(range(len(ORDERINGS))) and len(figure.NAMES) == len(ORDERINGS)


def test_nine_are_reproduced_five_reversed_and_four_open():
    verdicts = [judged(position).verdict for position in range(len(ORDERINGS))]
    count = {word: verdicts.count(word) for word in set(verdicts)}
    assert count == {"reproduced": 9, "reversed": 5, "not reproduced": 4}
    assert experiment.num_reproduced() == 9


@pytest.mark.claim("components-controlled")
@pytest.mark.parametrize("position", [0, 4, 5, 6, 7, 8, 10, 12])
def test_every_difference_in_the_table_is_the_stored_one(position):
    found = judged(position)
    numbers = [f"{value:.3f}".replace("-", "−") for value in (found.mean, found.low, found.high)]
    mean, low, high = numbers
    signed = mean if mean.startswith("−") else f"+{mean}"
    assert f"{signed} ({low} to {high})" in TEXT


def test_as_networks_best_of_n_is_ahead_of_reinforce():
    found = judged(17)
    assert f"+{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})" in TEXT


def test_candidates_of_the_behaviour_policy_keep_half_of_the_first_round():
    success = with_change("candidates of β", "success")[:, 1].mean(axis=0)
    assert success[-1] / success[1] == pytest.approx(0.5, abs=0.05)


def test_fine_tuning_raises_success_where_actions_were_left_out():
    lead = tuned("success", "change") - tuned("success", "none")
    low, high = interval(lead)
    assert f"success +{lead.mean():.3f} ({low:.3f} to {high:.3f})" in TEXT


def test_an_encoder_that_learns_along_ends_a_little_ahead_and_never_diverges():
    cells = {cell.settings["rate"]: cell for cell in load("end_to_end").cells}
    means = {rate: cell["success"][:, 1].mean() for rate, cell in cells.items()}
    frozen = means.pop(0.0)
    assert f"success is {frozen:.3f}" in TEXT and f"it is {max(means.values()):.3f}" in TEXT
    assert not any(cell["diverged"].any() for cell in cells.values())


def test_every_other_way_gets_more_out_of_the_learned_critic_than_best_of_n():
    ours = best_of("Best-of-N")[1].mean()
    assert all(best_of(way)[1].mean() > ours for way in ("AWR", "REINFORCE", "logged gradient"))


def test_about_five_percent_of_eight_normal_differences_look_reproduced():
    differences = np.random.default_rng(0).standard_normal((4_000, NUM_SEEDS))
    share = np.mean([interval(row)[0] > 0 for row in differences])
    assert 0.04 < share < 0.07
    assert len(ORDERINGS) * share == pytest.approx(1.0, abs=0.15)


def test_online_every_arm_ends_below_its_first_round():
    for cell in load("online").cells:
        success = cell["success"][:, 1]  # (seed, round), test tasks
        assert success[:, -1].mean() < success[:, 1].mean()


def test_the_first_exercise_counts_seeds_right():
    n = np.arange(1, 100)
    assert n[2 * 0.07 / np.sqrt(n) < 0.03][0] == 22
    lead = judged(5)
    assert lead.mean == pytest.approx(0.03, abs=0.005)
    assert np.std(lead.differences, ddof=1) == pytest.approx(0.07, abs=0.015)


def test_the_figure_says_each_difference_with_its_verdict():
    for part, positions in experiment.PARTS.items():
        drawing = figure.orderings(experiment.orderings(part=part))
        summary = drawing["layout"]["meta"]["summary"]
        for position in positions:
            one = judged(position)
            assert re.search(
                re.escape(f"{figure.NAMES[position]}: {one.mean:+.3f}") + f".*{one.verdict}",
                summary,
            )


def test_an_unknown_part_is_named():
    with pytest.raises(ValueError, match="part must be one of critic, .* but is 'phone'"):
        experiment.orderings(part="phone")
