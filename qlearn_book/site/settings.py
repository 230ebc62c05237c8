"""Where the book is published, from the environment; without it the pages show no dead button.

``QLEARN_BOOK_REPOSITORY``
    address of the repository on GitHub or GitLab, such as ``https://github.com/owner/name``:
    pages get buttons for the repository, an issue, an edit, and Binder
``QLEARN_BOOK_SITE``
    address of the published book, such as ``https://owner.github.io/name/``: pages get canonical
    links, the site a sitemap, and the page for lost readers links that work below ``/name/``
"""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import urlsplit

BRANCH = "main"
BINDER = "https://mybinder.org"


def repository() -> str | None:
    """The repository's address without a trailing slash, or None.

    Raises ``ValueError`` for an address that is not ``https://<GitHub or GitLab>/owner/name``.
    """
    address = os.environ.get("QLEARN_BOOK_REPOSITORY", "").removesuffix("/").removesuffix(".git")
    if not address:
        return None
    if not re.fullmatch(r"https://[\w.-]*(github|gitlab)[\w.-]*/[\w.-]+/[\w.-]+", address):
        raise ValueError(
            "QLEARN_BOOK_REPOSITORY must be like 'https://github.com/owner/name' or "
            f"'https://gitlab.com/owner/name', but is {address!r}"
        )
    return address


def site() -> str | None:
    """The published book's address with a trailing slash, or None.

    Raises ``ValueError`` for anything but a plain http(s) address.
    """
    address = os.environ.get("QLEARN_BOOK_SITE", "")
    if not address:
        return None
    if not re.fullmatch(r"https?://[\w.:-]+(/[\w.~-]+)*/?", address):
        raise ValueError(
            f"QLEARN_BOOK_SITE must be like 'https://owner.github.io/name/', but is {address!r}"
        )
    return address.removesuffix("/") + "/"


def root() -> str:
    """The path of the published book on its host: ``/name/``, or ``/`` where none is known."""
    return urlsplit(site() or "/").path


def apply(config: Any) -> None:
    """Tell Sphinx and the theme; `config` is Sphinx's, before the builder reads it."""
    if repository():
        config.html_theme_options |= {
            "repository_url": repository(),
            "repository_branch": BRANCH,
            "path_to_docs": "",  # the book's files are addressed from the top of the repository
            "use_repository_button": True,
            "use_issues_button": True,
            "use_edit_page_button": True,
            "launch_buttons": {"binderhub_url": BINDER, "notebook_interface": "jupyterlab"},
        }
    if site():
        config.html_baseurl = site()
