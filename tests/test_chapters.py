"""What every chapter has in common: its figures are named once, large enough, valid and honest."""

from __future__ import annotations

import itertools
import re
from collections import Counter

import ipywidgets as widgets
import nbformat
import plotly.graph_objects as go
import pytest
import yaml

from qlearn_book.controls import control
from qlearn_book.explorer import Explorer
from qlearn_book.notebooks import BOOK, chapters, explorers

CHAPTERS = {path.stem: path for path in sorted(BOOK.glob("*.ipynb"))}
STEMS = [path.stem for path in chapters()]
# Sliders that a chapter lacks because what it shows does not depend on them.
LACKING = {
    "bootstrapping": {"alpha"},  # sums of errors, whatever the step
    "capacity": {"alpha", "depth"},  # norms and floors of one MDP
    "critic": {"depth"},  # the way of the phone is six actions long
    "device": {"alpha", "depth"},  # exact values; the way to an order is six actions long
    "extraction": {"alpha", "depth"},  # stored results, and noise on exact values
    "horizon": {"alpha"},  # sweeps with exact targets
    "online": {"alpha", "depth", "gamma"},  # stored results of networks; errors of a given size
    "takeaways": {"alpha", "depth", "gamma"},  # differences of stored results
    # shares, and labels made of pixels
    "representation": {"alpha", "depth", "gamma"},
}


@pytest.fixture(scope="module")
def figures() -> dict[str, list[Explorer]]:
    return {stem: explorers(path) for stem, path in CHAPTERS.items()}


def prose(stem: str) -> str:
    cells = nbformat.read(CHAPTERS[stem], as_version=4).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def test_every_chapter_of_the_contents_is_there_and_no_other():
    contents = yaml.safe_load((BOOK.parent / "_toc.yml").read_text(encoding="utf-8"))
    files = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    named = {file.removeprefix("book/") for file in [contents["root"], *files]}
    assert named == {path.stem for path in BOOK.iterdir() if path.suffix in {".ipynb", ".md"}}


def test_every_figure_of_the_book_has_a_name_of_its_own(figures):
    names = Counter(explorer.name for chapter in figures.values() for explorer in chapter)
    assert [name for name, count in names.items() if count > 1] == []


def test_a_figure_with_three_axes_has_a_thousand_joint_states(figures):
    wide = [e for chapter in figures.values() for e in chapter if len(e.axes) >= 3]
    assert wide and [(e.name, e.num_states) for e in wide if e.num_states < 1000] == []


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_has_sliders_for_gamma_depth_and_alpha(figures, stem):
    axes = {name for explorer in figures[stem] for name in explorer.axes}
    assert {"gamma", "depth", "alpha"} - axes == LACKING.get(stem, set())


@pytest.mark.parametrize("stem", STEMS)
def test_every_drawing_at_the_corners_of_its_grid_is_valid_plotly(figures, stem):
    for explorer in figures[stem]:
        ends = {name: (a.values[0], a.values[-1]) for name, a in explorer.axes.items()}
        for corner in itertools.islice(itertools.product(*ends.values()), 16):
            drawing = explorer.at(**dict(zip(ends, corner, strict=True)))
            figure = go.Figure({"data": drawing["data"], "layout": drawing["layout"]})
            assert len(figure.data) == len(explorer.at()["data"]), (explorer.name, corner)
            assert drawing["layout"]["meta"]["summary"], explorer.name


@pytest.mark.parametrize("stem", STEMS)
def test_between_the_values_of_its_grid_a_live_figure_answers_too(figures, stem):
    """In a kernel a slider stops anywhere between its ends, unless its control says otherwise."""
    for explorer in figures[stem]:
        between = {}
        for name, axis in explorer.axes.items():
            slider = control(axis)
            if axis.stored:
                assert [value for _, value in slider.options] == [*axis.values]
            elif axis.is_number:
                middle = (axis.values[0] + axis.values[1]) / 2
                between[name] = int(middle) if isinstance(slider, widgets.IntSlider) else middle
        assert explorer.at(**between)["layout"]["meta"]["summary"], explorer.name


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_asks_answers_and_sets_exercises_with_hidden_solutions(stem):
    text = prose(stem)
    assert "## What holds and what does not" in text
    assert "## Exercises" in text and "## Sources" in text
    solutions = text.split("## Exercises")[1].split("## Sources")[0]
    assert solutions.count("<details>") >= 1
    assert solutions.count("<details>") == solutions.count("</details>")
    assert re.search(r"\*\*(holds|does not hold)", text, re.IGNORECASE)


@pytest.mark.parametrize("stem", STEMS)
def test_a_chapter_defines_no_algorithm(stem):
    code = "\n".join(
        cell.source
        for cell in nbformat.read(CHAPTERS[stem], as_version=4).cells
        if cell.cell_type == "code"
    )
    assert not re.search(r"^\s*(def|class|while)\b", code, re.MULTILINE)


@pytest.mark.parametrize("stem", STEMS)
def test_links_between_chapters_lead_somewhere(stem):
    for target in re.findall(r"\]\(([^)#]+\.(?:ipynb|md))\)", prose(stem)):
        assert (BOOK / target).is_file(), target
