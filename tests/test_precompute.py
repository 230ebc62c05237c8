"""All figures computed at once, before the chapters run."""

from __future__ import annotations

import nbformat
import pytest

from qlearn_book import precompute
from qlearn_book.notebooks import explorers

CHAPTER = """
from qlearn_book import Axis, Explorer
from qlearn_book.figures import value_iteration as figure
from qlearn_core.experiments import value_iteration as experiment

depth, alpha = Axis((2, 3), "depth D", start=2), Axis((0.5, 1.0), "step size α", start=1.0)
gamma = Axis({gammas}, "discount γ", start=0.5)
for_all = dict(title="t", depth=depth, alpha=alpha)
Explorer("first", experiment.contraction, figure.contraction, gamma=gamma, **for_all)
Explorer("second", experiment.contraction, figure.contraction, gamma=gamma, **for_all)
"""


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    monkeypatch.setenv("QLEARN_BOOK_CACHE", str(tmp_path / "grids"))
    path = tmp_path / "chapter.ipynb"
    monkeypatch.setattr(precompute, "chapters", lambda: [path])

    def write(gammas: str):
        cell = nbformat.v4.new_code_cell(CHAPTER.format(gammas=gammas))
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
        return path

    return write


def test_every_figure_is_in_the_store_and_is_not_computed_again(chapter, capsys):
    path = chapter("(0.5, 0.9)")
    precompute.main()
    assert "computing 2 figures" in capsys.readouterr().out
    assert [figure.stored()["name"] for figure in explorers(path)] == ["first", "second"]
    precompute.main()
    assert capsys.readouterr().out == ""


def test_a_figure_that_cannot_be_computed_ends_the_build_with_its_reason(chapter):
    chapter("(0.5, 1.5)")
    with pytest.raises(ValueError, match=r"gamma must be .* 1\.5"):
        precompute.main()
