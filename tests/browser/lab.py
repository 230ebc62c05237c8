"""A real JupyterLab on copies of the chapters: start it, run one, bring a figure into view."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Locator, Page

from qlearn_book.explorer import Explorer

SCREEN = {"viewport": {"width": 1400, "height": 1000}}
CODE = (
    "window.jupyterapp.shell.currentWidget.content.widgets.filter((c) => c.model.type === 'code')"
)
ERRORS = f"""{CODE}.flatMap((c) => c.model.sharedModel.getOutputs())
    .filter((o) => o.output_type === 'error').map((o) => `${{o.ename}}: ${{o.evalue}}`)"""


@contextmanager
def lab_on(notebooks: Sequence[Path], folder: Path) -> Iterator[str]:
    """The address of a JupyterLab on copies of the notebooks; their originals stay untouched."""
    for notebook in notebooks:
        shutil.copy(notebook, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("QLEARN_BOOK")}
    home = {
        "JUPYTER_CONFIG_DIR": str(folder / ".config"),
        "JUPYTER_DATA_DIR": str(folder / ".data"),
    }
    with open(folder / "lab.log", "wb") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
                f"--port={port}",
                "--ServerApp.port_retries=0",
                "--IdentityProvider.token=",
                f"--ServerApp.root_dir={folder}",
                "--LabApp.expose_app_in_browser=True",
            ],
            env=environment | home,
            stdout=log,
            stderr=log,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api/status", server, folder / "lab.log")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(url: str, server: subprocess.Popen, log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, f"JupyterLab ended: {log.read_text()[-2000:]}"
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not answer within {seconds} s: {log.read_text()[-2000:]}")


def run_notebook(page: Page, lab: str, notebook: Path) -> None:
    """Open a notebook and run all of its cells; raises AssertionError for a cell that fails."""
    page.goto(f"{lab}/lab/workspaces/{notebook.stem}/tree/{notebook.name}")
    until(
        page,
        "window.jupyterapp?.shell.currentWidget?.sessionContext"
        "?.session?.kernel?.status === 'idle'",
        seconds=90,
    )
    execute(page, "notebook:clear-all-cell-outputs")  # and the numbers of cells that ran elsewhere
    execute(page, "notebook:run-all-cells")
    until(page, f"{CODE}.every((c) => c.model.executionCount) || {ERRORS}.length > 0", seconds=240)
    errors = page.evaluate(ERRORS)
    assert errors == [], f"{notebook.name}: {errors}"


def until(page: Page, condition: str, seconds: float) -> None:
    """Wait until a JavaScript expression is true."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"not within {seconds} s: {condition}"
        kernel = page.locator(".jp-Dialog button.jp-mod-accept", has_text="Select")
        if kernel.is_visible():  # now and then the Lab asks which kernel; a reader says yes
            kernel.click()
        page.wait_for_timeout(200)


def execute(page: Page, command: str) -> None:
    page.evaluate("command => window.jupyterapp.commands.execute(command)", command)


def open_figure(page: Page, number: int, explorer: Explorer) -> Locator:
    """The panel of a chapter's figure, counted from zero; its question is skipped."""
    panel = page.locator(".qlearn-explorer", has_text=explorer.title)
    scroll_to(page, number)
    if explorer.predict:
        asked = page.locator(".jp-OutputArea-output", has_text=explorer.predict.question)
        asked.get_by_role("button", name="Skip").click(timeout=60_000)
    panel.locator(".js-plotly-plot .plot-container").first.wait_for(timeout=60_000)
    return panel


def scroll_to(page: Page, number: int, name: str = "Explorer") -> None:
    """JupyterLab attaches cells only near the screen: bring the n-th cell that shows this in."""
    page.evaluate(
        """([number, name]) => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          const cells = notebook.widgets
            .map((cell, index) => [cell, index])
            .filter(([cell]) => cell.model.type === "code")
            .filter(([cell]) => `\\n${cell.model.sharedModel.source}`.includes(`\\n${name}(`));
          return notebook.scrollToItem(cells[number][1], "start");
        }""",
        [number, name],
    )
