"""The live face of a figure: ipywidgets, a plotly FigureWidget, and the latest value always wins.

While a slider is dragged its values arrive faster than a slow figure can be computed.  Only the
newest is computed next; what came between is dropped, never queued.  A computation runs in a
thread, so that the kernel hears the slider meanwhile, and one that takes longer than 0.2 seconds
shows that it is busy.
"""

from __future__ import annotations

import asyncio
import math
import traceback
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets
import plotly.graph_objects as go

from qlearn_book.axis import Axis
from qlearn_book.prediction import Prediction

BUSY_AFTER = 0.2  # seconds


def panel(
    title: str,
    axes: dict[str, Axis],
    at: Callable[..., dict],
    question: tuple[Prediction, Any] | None = None,
) -> widgets.VBox:
    """The figure with live sliders, one widget; `at(**values)` gives its drawing.

    `question` is a prediction and its right answer: the figure shows once the reader has guessed.
    """
    shown = _Panel(title, axes, at)
    return _asked(shown, *question) if question else shown.box


class _Panel:
    def __init__(self, title: str, axes: dict[str, Axis], at: Callable[..., dict]) -> None:
        self.title, self.at = title, at
        self.controls = {name: _control(axis) for name, axis in axes.items()}
        self.figure = go.FigureWidget(_on_white(at()))
        self.figure._config |= {"displayModeBar": False, "showSendToCloud": False}
        self.status = widgets.HTML(_sentence(self.figure.layout.meta["summary"]))
        self.task: asyncio.Task | None = None
        self.newest: dict[str, Any] | None = None
        for control in self.controls.values():
            control.observe(self._moved, names="value")
        self.box = widgets.VBox(
            [
                widgets.HTML(f"<b>{escape(title)}</b>"),
                widgets.HBox(
                    [_row(axes[n], c) for n, c in self.controls.items()],
                    layout=widgets.Layout(flex_flow="row wrap"),
                ),
                self.figure,
                self.status,
            ]
        )
        self.box.add_class("qlearn-explorer")

    def _moved(self, _change: Any) -> None:
        self.newest = {name: control.value for name, control in self.controls.items()}
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no event loop (a plain Python session): answer at once
            values, self.newest = self.newest, None
            self._show(self._drawing(values))
            return
        if self.task is None or self.task.done():
            self.task = loop.create_task(self._follow())

    async def _follow(self) -> None:
        """Answer the newest values until none is left."""
        while self.newest is not None:
            values, self.newest = self.newest, None
            work = asyncio.create_task(asyncio.to_thread(self._drawing, values))
            done, _ = await asyncio.wait({work}, timeout=BUSY_AFTER)
            if not done:
                self.status.value = _sentence("computing …")
            drawing = await work
            try:
                self._show(drawing)
            except Exception:  # nobody awaits this task: say it here or it is lost
                self._show(traceback.format_exc())

    def _drawing(self, values: dict[str, Any]) -> dict | str:
        """The drawing at these values, or the text of the error that it ended in."""
        try:
            return _on_white(self.at(**values))
        except Exception:  # whatever it is, the reader sees it in the figure's place
            return traceback.format_exc()

    def _show(self, drawing: dict | str) -> None:
        if isinstance(drawing, str):
            self.figure.layout.height = 10  # plotly's least
            self.status.value = (
                f'<pre style="color:#b00020;white-space:pre-wrap">{escape(drawing)}</pre>'
            )
            return
        with self.figure.batch_update():
            self.figure.layout.height = drawing["layout"]["height"]
            for shown, trace in zip(self.figure.data, drawing["data"], strict=True):
                shown.x, shown.y = trace["x"], trace["y"]
                if "text" in trace:
                    shown.text = trace["text"]
                if not isinstance(trace.get("marker", {}).get("color", ""), str):
                    shown.marker.color = trace["marker"]["color"]
        self.status.value = _sentence(drawing["layout"]["meta"]["summary"])


def _asked(shown: _Panel, asked: Prediction, answer: float | str) -> widgets.VBox:
    """The question in the figure's place, until the reader commits to a guess or skips."""
    wide = widgets.Layout(width="auto")
    guess = (
        widgets.RadioButtons(options=asked.choices, value=None, layout=wide)
        if asked.choices
        else widgets.Text(placeholder="your guess", description=asked.unit)
    )
    show = widgets.Button(description="Show me", button_style="primary")
    skip = widgets.Button(description="Skip")
    verdict = widgets.HTML()
    form = widgets.VBox([guess, widgets.HBox([show, skip])])
    question = widgets.HTML(f"<p><b>Predict.</b> {escape(asked.question)}</p>")
    box = widgets.VBox([widgets.HTML(f"<b>{escape(shown.title)}</b>"), question, form, verdict])

    def reveal() -> None:
        box.children = (question, verdict, shown.box)

    def commit(_button: widgets.Button) -> None:
        value = guess.value
        if not asked.choices:
            try:
                value = float(guess.value.replace(",", "."))
            except ValueError:
                value = None
        if value is None or value != value:
            verdict.value = _sentence("Please commit to an answer first.")
            return
        verdict.value = _sentence(asked.respond(value, answer))
        for name, at in asked.at.items():
            shown.controls[name].value = at
        reveal()

    show.on_click(commit)
    skip.on_click(lambda _button: reveal())
    return box


def _on_white(drawing: dict) -> dict:
    """A kernel does not know the notebook's theme: a white card reads well in both."""
    drawing["layout"] |= {"paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff"}
    return drawing


def _sentence(text: str) -> str:
    return f'<p style="margin:0.3em 0">{escape(text)}</p>'


def _control(axis: Axis) -> widgets.ValueWidget:
    """A widget for any value in the range of the axis, not only those of the static grid."""
    style = {"description_width": "initial"}
    if not axis.is_number:
        return widgets.ToggleButtons(options=axis.values, value=axis.start, tooltip=axis.label)
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


def _row(axis: Axis, control: widgets.ValueWidget) -> widgets.Widget:
    """The control, with a play button where the axis asks for one."""
    if not axis.is_number:
        return widgets.VBox([widgets.Label(axis.label), control])
    if not axis.play:
        return control
    play = widgets.Play(value=axis.start, min=axis.values[0], max=axis.values[-1], interval=150)
    widgets.jslink((play, "value"), (control, "value"))
    return widgets.HBox([play, control])
