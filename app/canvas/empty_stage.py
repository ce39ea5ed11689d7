"""The canvas while there is no picture: words, pictures from coarse to fine, and the ground of the picture to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from app.canvas import painting
from app.look.pixels import ScaledPicture

_SIDE = 520.0
"""The widest that words and pictures become, in pixels."""


@dataclass
class EmptyStage:
    """See the module.

    Attributes:
        words: a title and a sentence.
        examples: up to three pictures over the words.
        ground: where the ground is, as a share of the height of the picture to come; None shows words alone.
        words_on_stage: the words are said on that picture too.
    """

    words: tuple[str, str] = ("", "")
    examples: list[ScaledPicture] = field(default_factory=list)
    ground: float | None = None
    words_on_stage: bool = True

    def set_words(self, title: str, text: str, pictures: Sequence[QImage] = ()) -> None:
        """Show other words, and other pictures."""
        self.words, self.examples = (title, text), [ScaledPicture(image) for image in pictures[:3]]

    def paint(self, painter: QPainter, picture: QRectF, place: QRectF, state: str) -> None:
        """Paint the stage.

        Args:
            picture: where the picture to come will lie. place: the place for words alone.
            state: of the canvas. Once a picture is being drawn nothing is left to be said; of "error", a drawing that failed,
                the words always speak.
        """
        failed = state == "error"
        words, examples = (("", ""), ()) if state == "forming" else (self.words, self.examples)
        if self.ground is not None:
            words = words if self.words_on_stage or failed else ("", "")
            painting.paint_stage(painter, picture, self.ground, words, examples)
            return
        width = min(_SIDE, place.width())
        side = min(_SIDE, place.width(), place.height())
        rect = QRectF(place.x() + (place.width() - width) / 2, place.y() + (place.height() - side) / 2, width, side)
        painting.paint_words(painter, rect, words, examples, icon="image" if failed else "")
