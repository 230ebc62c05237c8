"""The phone in a kernel: the page's own element, styles and script as a widget."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

BROWSER = Path(__file__).resolve().parent.parent / "browser"

RENDER = """
export default {
  render({ model, el }) {
    el.innerHTML = model.get("element");
    const root = el.querySelector("figure.phone");
    return new window.qlearn.Phone(root, async () => model.get("payload")).mount();
  },
};
"""


def widget(element: str, payload: dict) -> anywidget.AnyWidget:
    """The element, alive; the kernel is not asked again."""
    return _Phone(element=element, payload=payload)


def _files(*names: str) -> str:
    return "\n".join((BROWSER / name).read_text(encoding="utf-8") for name in names)


class _Phone(anywidget.AnyWidget):
    _esm = _files("codec.js", "phone.js") + RENDER
    _css = _files("explorer.css", "phone.css")
    element = traitlets.Unicode().tag(sync=True)
    payload = traitlets.Dict().tag(sync=True)
