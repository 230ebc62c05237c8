"""The libraries we are compared with: which are installed, and one sentence for those that are not.

They are pinned in requirements.txt beside this file, which `make bench` installs into an
environment of its own: the book needs none of them.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def versions(*packages: str) -> dict[str, str]:
    """The version of every installed package of these."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def absent(*packages: str) -> list[str]:
    """One sentence for every package that is not there."""
    present = versions(*packages)
    return [
        f"{package}: left out, because it is not installed; `make bench` installs it."
        for package in packages
        if package not in present
    ]
