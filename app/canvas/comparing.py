"""Comparing the picture: with its cut-out, with an older picture, or with the previous one while a key is held."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage

from app.look.pixels import ScaledPicture

_NEAR = 14
"""So many pixels beside the divider it can be grabbed."""


@dataclass
class Comparison:
    """The picture's comparison with another one, and the place of the divider.

    Attributes:
        cut_out: the subject on white.
        other: another picture that takes the cut-out's place until comparing ends.
        previous: the previous picture of the group.
        on: the divider is shown.
        holding: the previous picture is shown in place of the present one.
        split: where the divider stands, 0 … 1 of the picture's width.
    """

    cut_out: ScaledPicture | None = None
    other: ScaledPicture | None = None
    previous: ScaledPicture | None = None
    on: bool = False
    holding: bool = False
    split: float = 0.5

    @property
    def right(self) -> ScaledPicture | None:
        """The image right of the divider."""
        return self.other or self.cut_out

    @property
    def held(self) -> ScaledPicture | None:
        """The image shown in place of the picture while the key is held."""
        return self.previous if self.holding else None

    def turn(self, on: bool) -> bool:
        """Start or end; the divider begins in the middle. Returns whether anything changed."""
        if not on:
            self.other = None
        if on == self.on:
            return False
        self.on, self.split = on, 0.5
        return True

    def hold(self, on: bool) -> bool:
        """Show the previous picture as long as this is on. Returns whether anything changed."""
        if on == self.holding or (on and self.previous is None):
            return False
        self.holding = on
        return True

    def end(self) -> None:
        """There is no picture any more."""
        self.on = self.holding = False

    def set_split(self, split: float) -> None:
        self.split = min(1.0, max(0.0, split))

    def split_to(self, position: QPointF, picture: QRectF) -> None:
        """Put the divider under a point of the widget."""
        self.set_split((position.x() - picture.x()) / picture.width())

    def is_near(self, position: QPointF, picture: QRectF) -> bool:
        """Return True if the divider can be grabbed at a point of the widget."""
        divider = picture.x() + picture.width() * self.split
        return abs(position.x() - divider) <= _NEAR and picture.contains(position)


def layer_of(image: QImage | None) -> ScaledPicture | None:
    """A layer, or None for no picture or an empty one."""
    return ScaledPicture(image) if image is not None and not image.isNull() else None
