"""Presentation of the book: figures, the Explorer that puts sliders on them, and the site."""

from qlearn_book.explorer import Axis, Explorer

__all__ = ["Axis", "Explorer"]
