"""Numbers of figures and equations, and the links that lead to them.

The chapters stay plain Markdown, which reads well in JupyterLab.  On the site

* every Explorer is a numbered figure,
* a displayed formula with ``<div id="name"></div>`` before it is a numbered equation,
* a link to either, ``[the first figure](#spread)``, reads "Figure 1.1": its words give way,
* and each work of the bibliography, which stands behind such a div too, says who cites it.

A link to a name that nobody gave is left to MyST, which warns, and a warning fails the build.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode

BIBLIOGRAPHY = "book/bibliography"
ANCHOR = re.compile(r'<div id="([\w-]+)"></div>\s*')
FIGURE = re.compile(r'<figcaption class="qx-title" id="([\w-]+)-title">')


def setup(app: Sphinx) -> dict:
    app.add_post_transform(Numbers)
    # After Sphinx has numbered the chapters.
    app.connect("env-get-updated", number_pages, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def places(doctree: nodes.document) -> Iterator[tuple[str, str, nodes.raw]]:
    """What links may lead to, in reading order: its kind, its name, the node that names it."""
    for raw in list(doctree.findall(nodes.raw)):
        html = raw.astext()
        if anchor := ANCHOR.fullmatch(html):
            yield "Equation" if isinstance(follower(raw), nodes.math_block) else "", anchor[1], raw
        for name in FIGURE.findall(html):
            yield "Figure", name, raw


def follower(anchor: nodes.raw) -> nodes.Node | None:
    """What stands behind an anchor, and is named by it."""
    return anchor.next_node(descend=False, siblings=True)


def destination(link: pending_xref) -> tuple[str, str | None]:
    """The page and the name that a Markdown link asks for."""
    if link["refdomain"] == "doc":
        return link["reftarget"], link["reftargetid"]
    return link["refdoc"], link["reftarget"]


def links(doctree: nodes.document) -> list[pending_xref]:
    return [link for link in doctree.findall(pending_xref) if link["reftype"] == "myst"]


def number_pages(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Number what the pages name, and find who cites; all pages again when that has changed.

    Chapters count from 1 in the order of the table of contents; what has no number there,
    the introduction, is chapter 0.
    """
    numbers: dict[str, dict[str, str]] = {}
    citing: dict[str, list[str]] = {}
    for page in _reading_order(env):
        doctree = env.get_doctree(page)
        chapter = (env.toc_secnumbers.get(page, {}).get("") or (0,))[0]
        numbers[page] = _numbers(doctree, chapter)
        for target, name in dict.fromkeys(map(destination, links(doctree))):
            if name and target == BIBLIOGRAPHY:
                citing.setdefault(name, []).append(page)
    before = getattr(env, "qlearn_references", None)
    env.qlearn_references = numbers, citing
    return [] if before == (numbers, citing) else sorted(env.found_docs)


def _reading_order(env: BuildEnvironment) -> list[str]:
    root = env.config.root_doc
    listed = [root, *env.toctree_includes.get(root, [])]
    return listed + sorted(env.found_docs - set(listed))


def _numbers(doctree: nodes.document, chapter: int) -> dict[str, str]:
    """The number of each named place of a page, "Figure 2.1"; empty where it has only a name."""
    numbers: dict[str, str] = {}
    counts = {"Figure": 0, "Equation": 0, "": 0}
    for kind, name, node in places(doctree):
        if name in numbers:
            raise ValueError(f"{node.source}: the name {name!r} must be given once, but is twice")
        counts[kind] += 1
        numbers[name] = f"{kind} {chapter}.{counts[kind]}" if kind else ""
    return numbers


class Numbers(SphinxPostTransform):
    """Put the numbers where they belong."""

    default_priority = 8  # MyST looks at 9 for what these links lead to, and would warn

    def run(self, **kwargs) -> None:
        numbers, citing = self.env.qlearn_references
        page = self.env.docname
        for kind, name, node in places(self.document):
            if kind == "Figure":
                caption_figure(node, name, numbers[page][name])
            elif kind == "Equation":
                number_equation(node, name, numbers[page][name])
            elif page == BIBLIOGRAPHY:
                self.name_readers(node, citing.get(name, []))
        for link in links(self.document):
            target, name = destination(link)
            if name in numbers.get(target, {}):
                text = numbers[target][name].replace(" ", "\N{NO-BREAK SPACE}")
                words = [nodes.Text(text)] if text else link[0].children
                link.replace_self(self.reference(target, name, words))

    def reference(self, page: str, name: str, words: list[nodes.Node]) -> nodes.reference:
        inline = nodes.inline("", "", *words)
        return make_refnode(self.app.builder, self.env.docname, page, name, inline)

    def name_readers(self, anchor: nodes.raw, pages: list[str]) -> None:
        """Say at a work of the bibliography which pages cite it."""
        paragraph = follower(anchor)
        for number, page in enumerate(pages):
            paragraph += nodes.Text(", " if number else " Cited in ")
            title = self.env.titles[page].astext()
            paragraph += self.reference(page, "", [nodes.Text(title)])
        paragraph += nodes.Text(".")


def caption_figure(raw: nodes.raw, name: str, number: str) -> None:
    caption = f'<figcaption class="qx-title" id="{name}-title">'
    html = raw.astext().replace(caption, f'{caption}<span class="qx-number">{number}.</span> ', 1)
    raw.children = [nodes.Text(html)]
    raw.rawsource = ""


def number_equation(anchor: nodes.raw, name: str, number: str) -> None:
    """Give the formula behind the anchor its name and its number, in the theme's own form."""
    formula = follower(anchor)
    formula["ids"] = [name]
    formula["number"] = number.removeprefix("Equation ")
    anchor.parent.remove(anchor)
