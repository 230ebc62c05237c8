"""The live face of a figure: ipywidgets, a plot, and the latest value always wins.

While a slider is dragged its values arrive faster than a slow figure can be computed.  Only the
newest is computed next; what came between is dropped, never queued.  A computation runs in a
thread, so that the kernel hears the slider meanwhile.  A slow one does not keep the reader waiting:
where the book has been built, the nearest state of its grid is drawn at once, and the sentence says
so until the asked state is there; elsewhere the sentence says that the figure is computing.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from qlearn_book import controls
from qlearn_book.axis import Axis
from qlearn_book.live_plot import LivePlot
from qlearn_book.nearest import Nearest
from qlearn_book.prediction import Prediction

BUSY_AFTER = 0.2  # seconds of computing until the sentence says so
NEAREST_AFTER = 0.05  # seconds of computing until the nearest state of the grid is drawn
REST = 0.5  # seconds without a move until plotly draws the state in full


def panel(
    title: str,
    axes: dict[str, Axis],
    at: Callable[..., dict],
    stored: Callable[[], dict | None],
    question: tuple[Prediction, Any] | None = None,
) -> widgets.VBox:
    """The figure with live sliders, one widget; `at(**values)` gives its drawing.

    `stored()` gives the payload of the figure's grid if it has been computed before.
    `question` is a prediction and its right answer: the figure shows once the reader has guessed.
    """
    shown = _Panel(title, axes, at, stored)
    return _asked(shown, *question) if question else shown.box


class _Panel:
    def __init__(
        self,
        title: str,
        axes: dict[str, Axis],
        at: Callable[..., dict],
        stored: Callable[[], dict | None],
    ) -> None:
        self.title, self.axes, self.at = title, axes, at
        payload = stored()
        self.nearest = Nearest(payload) if payload else None
        self.controls = {name: controls.control(axis) for name, axis in axes.items()}
        drawing = _on_white(at())
        self.plot = LivePlot(drawing, self._settle)
        self.drawing: dict | None = None  # the newest that plotly has not drawn
        self.status = widgets.HTML(_sentence(drawing["layout"]["meta"]["summary"]))
        self.task: asyncio.Task | None = None
        self.newest: dict[str, Any] | None = None
        self.moved = asyncio.Event()
        self.seconds = 0.0  # that the last computation took
        for control in self.controls.values():
            control.observe(self._hear, names="value")
        self.box = widgets.VBox(
            [
                widgets.HTML(f"<b>{escape(title)}</b>"),
                widgets.HBox(
                    [controls.row(axes[n], c) for n, c in self.controls.items()],
                    layout=widgets.Layout(flex_flow="row wrap"),
                ),
                self.plot,
                self.status,
            ]
        )
        self.box.add_class("qlearn-explorer")

    def _hear(self, _change: Any) -> None:
        self.newest = {name: control.value for name, control in self.controls.items()}
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # no event loop (a plain Python session): answer at once
            values, self.newest = self.newest, None
            self._show(self._drawing(values))
            self._settle()
            return
        if self.task is None or self.task.done():
            self.moved = asyncio.Event()
            self.task = loop.create_task(self._follow())
        else:  # a kernel may hear two controls in two threads
            self.task.get_loop().call_soon_threadsafe(self.moved.set)

    async def _follow(self) -> None:
        """Answer the newest values until none is left; at rest, let plotly draw what is shown."""
        while self.newest is not None:
            values, self.newest = self.newest, None
            self.moved.clear()
            work = asyncio.create_task(asyncio.to_thread(self._drawing, values))
            try:
                has_shown = await self._meanwhile(work, values)
                drawing = await work
                if self.newest is None or not has_shown:  # or what is shown is newer than this
                    self._show(drawing)
                while self.newest is None:
                    self.moved.clear()  # it may tell of the move that has just been answered
                    if not await _happens(self.moved, REST):
                        self._settle()
                        break
            except Exception:  # nobody awaits this task: say it here or it is lost
                self._show(traceback.format_exc())

    async def _meanwhile(self, work: asyncio.Task, values: dict[str, Any]) -> bool:
        """While a slow computation runs, show the nearest state; whether one was shown."""
        if self.nearest is None:
            await asyncio.wait({work}, timeout=BUSY_AFTER)
            if not work.done():
                self.status.value = _sentence("Computing …")
            return False
        # By the last one: after a slow computation the next is expected to be slow too.
        patience = 0 if self.seconds > NEAREST_AFTER else NEAREST_AFTER
        await asyncio.wait({work}, timeout=patience)
        if work.done():
            return False
        while not work.done():
            self.moved.clear()
            drawing, state = self.nearest(self.newest or values)
            where = ", ".join(
                f"{self.axes[n].label} = {self.axes[n].show(state[n])}" for n in state
            )
            self._show(_on_white(drawing), f"Computing … Meanwhile, at {where}: ")
            move = asyncio.create_task(self.moved.wait())
            await asyncio.wait({work, move}, return_when=asyncio.FIRST_COMPLETED)
            move.cancel()
        return True

    def _drawing(self, values: dict[str, Any]) -> dict | str:
        """The drawing at these values, or the text of the error that it ended in."""
        began = time.perf_counter()
        try:
            return _on_white(self.at(**values))
        except Exception:  # whatever it is, the reader sees it in the figure's place
            return traceback.format_exc()
        finally:
            self.seconds = time.perf_counter() - began

    def _show(self, drawing: dict | str, before: str = "") -> None:
        """Paint a drawing, with these words before its sentence, or show an error in its place."""
        if isinstance(drawing, str):
            self.drawing = None
            self.plot.layout.display = "none"
            self.status.value = (
                f'<pre style="color:#b00020;white-space:pre-wrap">{escape(drawing)}</pre>'
            )
            return
        self.drawing = drawing
        self.plot.layout.display = None
        self.plot.paint(drawing)
        self.status.value = _sentence(before + drawing["layout"]["meta"]["summary"])

    def _settle(self) -> None:
        """Let plotly draw the newest drawing, so that hovering finds its points."""
        drawing, self.drawing = self.drawing, None
        if drawing is not None:
            self.plot.draw(drawing)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event is set within so many seconds."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


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
