"""The phone as a page element: controls, a screen, keys, a sentence, a table of values.

The same HTML serves the site and the kernel. Before any script has run it is a still picture with
a sentence; ``browser/phone.js`` brings it to life. On the site the data travel behind it in a
``<template>``, which `qlearn_book.site.extension` moves to a file, as for every figure.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import zlib
from html import escape

import numpy as np


def html(payload: dict, title: str, image: np.ndarray) -> str:
    """The element; `image` (height, width) uint8 is what the screen shows at the start."""
    name, axes = payload["name"], payload["axes"]
    rows, columns, size = payload["grid"]
    start = payload["states"][payload["start"]]
    tasks = "".join(
        f'<option value="{k}">{escape(task)}</option>' for k, task in enumerate(axes["task"])
    )
    keys = "".join(
        f'<button type="button" data-move="{move}">{escape(payload["moves"][move][0])}</button>'
        for move in payload["buttons"]
    )
    exact = payload["exact"]
    heads = "".join(f"<th scope=col>{escape(label)}</th>" for label in (*exact, "critic"))
    return (
        f'<figure class="phone" id="{name}" style="--rows:{rows};--columns:{columns}">'
        f'<figcaption class="qx-title" id="{name}-title">{escape(title)}</figcaption>'
        '<div class="phone-controls">'
        f'<div class="qx-control phone-wide" data-axis="task"><label for="{name}-task">task</label>'
        f'<select id="{name}-task" autocomplete="off">{tasks}</select></div>'
        f"{_choice(name, 'chances', 'chance of mishaps', axes['chances'], 'usual')}"
        f"{_choice(name, 'layout', 'layout', axes['layout'], axes['layout'][0])}"
        f'<div class="qx-control" data-axis="seed"><label for="{name}-seed">seed</label>'
        f'<input type="number" id="{name}-seed" min="0" max="99999" step="1" value="0" '
        'autocomplete="off"></div>'
        '<div class="qx-control phone-buttons">'
        '<button type="button" class="phone-again">Start again</button>'
        '<button type="button" class="phone-luck">Next seed</button></div></div>'
        '<div class="phone-stage"><div class="phone-body">'
        f'<p class="phone-task">“{escape(axes["task"][0])}”</p>'
        f'<div class="phone-screen" tabindex="0" role="application" '
        f'aria-roledescription="touch screen" aria-label="Screen of the phone" '
        f'aria-describedby="{name}-how {name}-said">'
        f'<img alt="The home screen of the phone with four icons" src="{_png(image)}">'
        f'<canvas width="{columns * size}" height="{rows * size}"></canvas>'
        '<span class="phone-ring" hidden></span></div>'
        f'<div class="phone-keys" role="group" aria-label="Words and keys">{keys}</div>'
        "</div>"
        '<div class="phone-panel">'
        f'<p class="phone-said" role="status" id="{name}-said">{escape(start)} '
        f"Step 0 of {payload['horizon']}, reward 0.</p>"
        '<p class="phone-place visually-hidden" role="status"></p>'
        f'<table class="phone-values"><caption>Values of this screen, γ = {payload["gamma"]:g}; '
        "the highest move of each column in bold</caption><thead><tr><td></td>"
        f"<th scope=colgroup colspan={len(exact)}>exact</th>"
        f"<th scope=colgroup>learned</th></tr><tr><td></td>{heads}</tr></thead>"
        '<tbody></tbody></table><p class="phone-note"></p>'
        f'<p class="phone-how" id="{name}-how">Click on the screen, or move over it with the '
        "arrow keys and press Enter.</p>"
        "<noscript><p>This is a picture of the home screen; the phone needs JavaScript to be "
        "played.</p></noscript>"
        "</div></div></figure>"
    )


def with_data(element: str, payload: dict) -> str:
    """The element with its data behind it."""
    data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    digest = hashlib.sha256(data.encode()).hexdigest()[:16]
    element = element.replace('<figure class="phone"', f'<figure class="phone" data-qx="{digest}"')
    return f'{element}<template class="qx-data" data-key="{digest}">{escape(data)}</template>'


def _choice(figure: str, axis: str, label: str, values: list[str], start: str) -> str:
    buttons = "".join(
        f'<label class="qx-option"><input type="radio" name="{figure}-{axis}" value="{k}" '
        f'autocomplete="off"{" checked" if value == start else ""}>'
        f"<span>{escape(value)}</span></label>"
        for k, value in enumerate(values)
    )
    return (
        f'<fieldset class="qx-control qx-choice" data-axis="{axis}"><legend>{label}</legend>'
        f"<div>{buttons}</div></fieldset>"
    )


def _png(image: np.ndarray) -> str:
    """A grey picture (height, width) uint8 as the address of a PNG (RFC 2083)."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    height, width = image.shape
    rows = np.hstack([np.zeros((height, 1), np.uint8), image]).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    file = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + file).decode()
