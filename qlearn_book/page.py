"""The static face of a figure: native controls, a place for the plot, a sentence, the data.

The data travel inside the HTML as a ``<template>`` until ``qlearn_book.sphinx_extension`` moves
them to a file of their own; `browser/*.js` brings the figure to life.
"""

from __future__ import annotations

import hashlib
import json
from html import escape

from qlearn_book.axis import Axis


def html(name: str, title: str, axes: dict[str, Axis], payload: dict) -> str:
    """The figure's HTML; its data stand in the trailing ``<template>``."""
    controls = "".join(_control(name, key, axis) for key, axis in axes.items())
    summary = payload["figure"]["layout"]["meta"]["summary"]
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(data.encode()).hexdigest()[:16]
    height = payload["figure"]["layout"]["height"]
    return (
        f'<figure class="qx" id="{name}" data-qx="{digest}">'
        f'<figcaption class="qx-title" id="{name}-title">{escape(title)}'
        "</figcaption>"
        f'<div class="qx-controls">{controls}</div>'
        f'<div class="qx-plot" role="img" aria-labelledby="{name}-title" '
        f'aria-describedby="{name}-summary" style="height:{height}px"></div>'
        f'<p class="qx-summary" id="{name}-summary">{escape(summary)}</p>'
        '<p class="qx-said visually-hidden" role="status"></p>'  # spoken when a slider rests
        f"</figure>"
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
        return (
            f'<fieldset class="qx-control qx-choice" data-axis="{name}">'
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
