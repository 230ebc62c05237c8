"""Predict, then see: the right answer is computed, and the guess is compared with it in words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ipywidgets import HTML, Button, RadioButtons, Text

from qlearn_book import Axis, Explorer, Prediction, live
from qlearn_book.marks import axes, describe, line
from qlearn_book.notebooks import chapters, explorers
from qlearn_book.prediction import show
from tests.test_live import without_a_loop


def compute(gamma: float, depth: int) -> np.ndarray:
    return gamma ** np.arange(depth)


def draw(curve: np.ndarray) -> dict:
    result = axes(x=("k", 0, 10), y=("error", 0.0, 1.0))
    line(result, np.arange(len(curve)), curve, "error", "#0072b2")
    describe(result, f"the last is {curve[-1]:.3g}")
    return result


NUMBER = Prediction("How many?", at={"gamma": 0.5}, answer=len, unit="values")
CHOICE = Prediction(
    "Up or <down>?",
    at={"gamma": 0.5, "depth": 8},
    answer=lambda curve: "down" if curve[-1] < curve[0] else "up",
    choices=("up", "down"),
)


def explorer(predict: Prediction) -> Explorer:
    return Explorer(
        "curve",
        compute,
        draw,
        title="Curve",
        predict=predict,
        gamma=Axis((0.5, 0.9), "discount γ", start=0.9),
        depth=Axis((2, 4, 8), "depth D", start=4),
    )


def test_the_answer_is_computed_at_the_state_asked_for():
    assert explorer(NUMBER).question() == (NUMBER, 4.0)
    assert explorer(CHOICE).question() == (CHOICE, "down")


@pytest.mark.parametrize(
    ("guess", "words"),
    [
        (4, "You said 4. The figure shows 4 values: as good as right."),
        (4.1, "You said 4.1. The figure shows 4 values: as good as right."),
        (40, "You said 40. The figure shows 4 values: 36 too high."),
        (-0.5, "You said -0.5. The figure shows 4 values: 4.5 too low."),
    ],
)
def test_a_guessed_number_is_compared_in_words(guess, words):
    assert NUMBER.respond(guess, 4.0) == words


def test_a_chosen_answer_is_compared_in_words():
    assert CHOICE.respond("down", "down") == "You chose “down”. That is right."
    assert CHOICE.respond("up", "down") == "You chose “up”. The figure shows: down."


@given(st.floats(-1e9, 1e9))
def test_a_shown_number_has_three_digits_and_no_exponent(value):
    text = show(value)
    assert "e" not in text.lower() and text == text.strip()
    assert float(text) == pytest.approx(value, rel=0.0051)


def test_an_answer_that_is_no_choice_is_refused():
    wrong = Prediction("?", at={}, answer=lambda _: "sideways", choices=("up", "down"))
    with pytest.raises(ValueError, match="must be one of .* but is 'sideways'"):
        explorer(wrong).question()


@pytest.mark.parametrize("choices", [("one",), ("same", "same")])
def test_a_choice_needs_two_different_answers(choices):
    with pytest.raises(ValueError, match="two or more different answers"):
        Prediction("?", at={}, answer=str, choices=choices)


@pytest.mark.parametrize("at", [{"gamma": 0.7}, {"alpha": 0.5}])
def test_a_question_about_a_state_off_the_grid_is_refused(at):
    with pytest.raises(ValueError, match="'curve'.*not on its grid"):
        explorer(Prediction("?", at=at, answer=len))


def test_the_page_asks_before_it_shows_and_escapes_the_question(monkeypatch, tmp_path):
    monkeypatch.setenv("QLEARN_BOOK_MODE", "static")
    monkeypatch.setenv("QLEARN_BOOK_CACHE", str(tmp_path))
    html = explorer(CHOICE)._repr_mimebundle_()["text/html"]
    assert html.index("Up or &lt;down&gt;?") < html.index('class="qx-plot"')
    assert "The answer: down." in html  # for readers without JavaScript


def parts(box, kind) -> list:
    found = [box] if isinstance(box, kind) else []
    for child in getattr(box, "children", ()):
        found += parts(child, kind)
    return found


def asked(predict: Prediction):
    one = explorer(predict)
    return live.panel(one.title, one.axes, one.at, one.stored, one.question())


@without_a_loop
def test_in_a_kernel_the_figure_waits_for_the_guess_and_goes_to_the_answer():
    box = asked(NUMBER)
    assert not any("qlearn-explorer" in part._dom_classes for part in box.children)
    parts(box, Text)[0].value = "12,5"
    show_me, _skip = parts(box, Button)
    show_me.click()
    words = [part.value for part in parts(box, HTML)]
    assert any("You said 12.5. The figure shows 4 values: 8.5 too high." in w for w in words)
    assert any("the last is 0.125" in w for w in words)  # γ = 0.5 at D = 4


@without_a_loop
@pytest.mark.parametrize("text", ["", "many", "nan"])
def test_in_a_kernel_no_guess_is_asked_for_again(text):
    box = asked(NUMBER)
    parts(box, Text)[0].value = text
    parts(box, Button)[0].click()
    assert any("commit to an answer" in part.value for part in parts(box, HTML))
    assert not any("qlearn-explorer" in part._dom_classes for part in box.children)


@without_a_loop
def test_in_a_kernel_the_question_can_be_skipped():
    box = asked(CHOICE)
    assert parts(box, RadioButtons)[0].value is None
    parts(box, Button)[1].click()
    assert any("qlearn-explorer" in part._dom_classes for part in box.children)


@pytest.mark.parametrize("chapter", chapters(), ids=lambda path: path.stem)
def test_every_chapter_asks_and_every_question_has_an_answer(chapter):
    questions = [one.question() for one in explorers(chapter) if one.predict]
    assert questions
    for asked_for, answer in questions:
        assert asked_for.question.endswith("?")
        assert answer in asked_for.choices if asked_for.choices else np.isfinite(answer)
