"""The end of a build: the site is finished, held to its limits, and its weights are printed."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

from qlearn_book.site import finish, settings, weights

LOGGER = logging.getLogger(__name__)


def connect(app: Sphinx) -> None:
    app.connect("config-inited", lambda app, config: settings.apply(config))
    # After the theme's own handlers, which rewrite files of the finished site.
    app.connect("build-finished", publish, priority=900)


def publish(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    finish.finish(site, pages(app))
    try:
        LOGGER.info(weights.table(weights.check(site)))
    except weights.BudgetError as error:
        # Raised from here it would be buried under what other extensions make of it.
        LOGGER.error("%s", error)
        app.statuscode = 1


def pages(app: Sphinx) -> list[tuple[str, str]]:
    """Address and title of every page of the book, in reading order."""
    env = app.env
    return [
        (app.builder.get_target_uri(name), env.titles[name].astext())
        for name in env.collect_relations()
    ]
