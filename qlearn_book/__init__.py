"""Presentation of the book: figures, the Explorer that puts sliders on them, and the site."""

from qlearn_book.axis import Axis
from qlearn_book.explorer import Explorer
from qlearn_book.prediction import Prediction

__all__ = ["Axis", "Explorer", "Prediction"]
