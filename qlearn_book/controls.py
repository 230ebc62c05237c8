"""The live controls of a figure: ipywidgets for any value that its axis knows."""

from __future__ import annotations

import math

import ipywidgets as widgets

from qlearn_book.axis import Axis


def control(axis: Axis) -> widgets.ValueWidget:
    """A widget for any value in the range of the axis, not only those of the static grid; for an
    axis of stored results only those."""
    style = {"description_width": "initial"}
    if not axis.is_number:
        return widgets.ToggleButtons(options=axis.values, value=axis.start, tooltip=axis.label)
    if axis.stored:
        options = [(axis.show(value), value) for value in axis.values]
        return widgets.SelectionSlider(
            options=options, value=axis.start, description=axis.label, style=style
        )
    low, high = axis.values[0], axis.values[-1]
    if all(isinstance(value, int) for value in axis.values):
        return widgets.IntSlider(axis.start, low, high, description=axis.label, style=style)
    return widgets.FloatSlider(
        axis.start,
        min=low,
        max=high,
        step=10.0 ** round(math.log10((high - low) / 500)),
        description=axis.label,
        readout_format=".4g",
        style=style,
    )


def row(axis: Axis, control: widgets.ValueWidget) -> widgets.Widget:
    """The control, with a play button where the axis asks for one."""
    if not axis.is_number:
        return widgets.VBox([widgets.Label(axis.label), control])
    if not axis.play:
        return control
    play = widgets.Play(value=axis.start, min=axis.values[0], max=axis.values[-1], interval=150)
    widgets.jslink((play, "value"), (control, "value"))
    return widgets.HBox([play, control])
