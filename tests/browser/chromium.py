"""The Chromium that the browser tests drive: find it, install it, launch it.

``python -m tests.browser.chromium`` prints where it is; ``--install`` installs one where none is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

COMMANDS = (
    "chromium",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "chromium-browser",
)
APPLICATIONS = (
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
)
# Silent, and the same on every machine.
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOW = (
    "no Chromium was found and none could be installed: install Chromium or Chrome, "
    "or set the environment variable CHROMIUM to its path"
)


def find_chromium() -> Path | None:
    """The Chromium (or Chrome, or Edge) to test with, or None.

    In this order: the environment variable ``CHROMIUM``, the commands on ``PATH``, the applications
    of macOS, and the browser that Playwright downloads.  ``ValueError`` when ``CHROMIUM`` names
    no file.
    """
    named = os.environ.get("CHROMIUM")
    if named:
        if not Path(named).is_file():
            raise ValueError(f"CHROMIUM must name an executable file, but is {named!r}")
        return Path(named)
    found = [Path(path) for path in map(shutil.which, COMMANDS) if path]
    for candidate in [*found, *APPLICATIONS]:
        if _runs(candidate):
            return candidate
    downloaded = _downloaded_by_playwright()
    return downloaded if downloaded.is_file() else None


def _runs(candidate: Path) -> bool:
    """Whether it starts: on some systems ``chromium-browser`` only says what to install."""
    if not candidate.is_file():
        return False
    return subprocess.run([candidate, "--version"], capture_output=True).returncode == 0


def _downloaded_by_playwright() -> Path:
    # In a process of its own, because Playwright's synchronous face cannot be nested.
    program = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as playwright:\n"
        "    print(playwright.chromium.executable_path)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    return Path(done.stdout.strip() or "no-browser")


def install() -> Path:
    """Return the installed Chromium; install one first where there is none."""
    found = find_chromium()
    if found:
        return found
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    attempts = []
    if as_root and shutil.which("apt-get"):
        attempts.append(
            [
                ["apt-get", "update"],
                ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
            ]
        )
    attempts.append([[sys.executable, "-m", "playwright", "install", "chromium"]])
    for commands in attempts:
        if all(subprocess.run(command).returncode == 0 for command in commands):
            found = find_chromium()
            if found:
                return found
    raise SystemExit(f"browser tests: {HOW}")


def launch(playwright: Playwright) -> Browser:
    """Start the browser without a window."""
    executable = find_chromium()
    if executable is None:
        raise FileNotFoundError(HOW)
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return playwright.chromium.launch(
        executable_path=executable,
        headless=True,
        args=[*FLAGS, *(["--no-sandbox"] if as_root else [])],
    )


if __name__ == "__main__":
    browser = install() if "--install" in sys.argv[1:] else find_chromium()
    print(f"browser tests: {browser or HOW}")
