"""The static face of a figure: a picture, native controls, a sentence, a table, the data.

What the reader gets before any script has run is complete: a picture of the start with its
sentence and its numbers.  The data of all other states travel inside the HTML as a ``<template>``
until ``qlearn_book.site.extension`` moves them to a file of their own; `browser/*.js` brings the
figure to life.
"""

from __future__ import annotations

import hashlib
import json
from html import escape
from typing import Any

from qlearn_book import table
from qlearn_book.axis import Axis
from qlearn_book.picture.svg import svg
from qlearn_book.prediction import Prediction


def html(
    name: str,
    title: str,
    axes: dict[str, Axis],
    payload: dict,
    question: tuple[Prediction, Any] | None = None,
) -> str:
    """The figure's HTML; its data stand in the trailing ``<template>``.

    `question` is the prediction asked for and its right answer.
    """
    drawing = payload["figure"]
    summary = drawing["layout"]["meta"]["summary"]
    height = drawing["layout"]["height"]
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(data.encode()).hexdigest()[:16]
    controls = "".join(_control(name, key, axis) for key, axis in axes.items())
    return (
        f'<figure class="qx" id="{name}" data-qx="{digest}">'
        f'<figcaption class="qx-title" id="{name}-title">{escape(title)}</figcaption>'
        f"{_question(name, axes, *question) if question else ''}"
        '<p class="qx-note" role="status"></p>'
        f'<div class="qx-controls">{controls}</div>'
        '<div class="qx-stage">'
        f'<div class="qx-plot" role="img" aria-labelledby="{name}-title" '
        f'aria-describedby="{name}-summary" style="height:{height}px">'
        f"{svg(drawing)}</div>"
        f'<p class="qx-summary" id="{name}-summary">{escape(summary)}</p>'
        '<p class="qx-said visually-hidden" role="status"></p>'  # spoken when a slider rests
        "</div>"
        f'<div class="qx-tools"><details class="qx-data"><summary>Data</summary>'
        f'<div class="qx-table" tabindex="0" role="region" aria-label="Data: {escape(title)}">'
        f"{table.html(drawing, title)}</div></details></div>"
        "</figure>"
        f'<template class="qx-data" data-key="{digest}">{escape(data)}</template>'
    )


def _control(figure: str, name: str, axis: Axis) -> str:
    ident = f"{figure}-{name}"
    label = escape(axis.label)
    if not axis.is_number:
        buttons = "".join(
            f'<label class="qx-option"><input type="radio" name="{ident}" value="{index}"'
            f"{' checked' if value == axis.start else ''}><span>{escape(value)}</span></label>"
            for index, value in enumerate(axis.values)
        )
        wide = " qx-wide" if len(axis.values) > 2 else ""
        return (
            f'<fieldset class="qx-control qx-choice{wide}" data-axis="{name}">'
            f"<legend>{label}</legend><div>{buttons}</div></fieldset>"
        )
    play = (
        f'<button type="button" class="qx-play" aria-label="Play {label}" aria-pressed="false">'
        '<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">'
        '<path class="qx-go" d="M4 2.5v11l9-5.5z"/>'
        '<path class="qx-stop" d="M4 3h3v10H4zM9 3h3v10H9z"/>'
        "</svg></button>"
        if axis.play
        else ""
    )
    shown = escape(axis.show(axis.start))
    return (
        f'<div class="qx-control qx-range" data-axis="{name}">'
        f'<label for="{ident}">{label}</label><output for="{ident}">{shown}</output>'
        f'<div class="qx-track">{play}<input type="range" id="{ident}" min="0" '
        f'max="{len(axis.values) - 1}" step="1" value="{axis.values.index(axis.start)}" '
        f'aria-valuetext="{shown}" autocomplete="off"></div></div>'
    )


def _question(figure: str, axes: dict[str, Axis], asked: Prediction, answer: Any) -> str:
    """The form that asks for a prediction; without JavaScript, the question and its answer."""
    positions = {name: axes[name].values.index(value) for name, value in asked.at.items()}
    data = json.dumps({"answer": answer, "unit": asked.unit, "at": positions}, ensure_ascii=False)
    if asked.choices:
        field = "".join(
            f'<label class="qx-answer"><input type="radio" name="guess" value="{escape(choice)}">'
            f"<span>{escape(choice)}</span></label>"
            for choice in asked.choices
        )
        field = f'<div class="qx-answers">{field}</div>'
    else:
        field = (
            f'<label class="qx-guess">Your guess <input type="text" inputmode="decimal" '
            f'name="guess" size="8" autocomplete="off"> {escape(asked.unit)}</label>'
        )
    return (
        f'<form class="qx-predict" data-ask="{escape(data)}" autocomplete="off">'
        f"<fieldset><legend><strong>Predict.</strong> {escape(asked.question)}</legend>{field}"
        '<div class="qx-commit"><button type="submit">Show me</button>'
        '<button type="button" class="qx-skip">Skip</button></div></fieldset>'
        f'<p class="qx-verdict" role="status" id="{figure}-verdict"></p>'
        f"<noscript><p>The answer: {escape(asked.say(answer))}.</p></noscript></form>"
    )
