"""The place of a photo that is on its way: what lies below it does not move when it comes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.look.theme import notifier, radius, theme
from engine import Damage, read_value

if TYPE_CHECKING:
    from app.store.saved_session import SavedSession

log = logging.getLogger(__name__)

_WIDTH, _LOWEST = 264, 132


def height_of(width: int, height: int) -> int:
    """The height in the panel of a photo so many pixels large."""
    return round(min(max(_WIDTH * height / width, _LOWEST), _WIDTH))


class ExpectedPhoto(Struct, frozen=True):
    """Its height in the panel, and whether it is the user's own; else it is an example."""

    height: Annotated[int, Meta(ge=_LOWEST, le=_WIDTH)] = _WIDTH
    own: bool = False


def photo_of_last_time(session: SavedSession) -> ExpectedPhoto | None:
    """The photo that comes back with a session; the example at the first start, None where there is none."""
    if not session.subjects:
        return None if session.prompt else ExpectedPhoto()
    try:
        return read_value(session.controls.get("photo"), ExpectedPhoto)
    except Damage:
        log.info("it is not known how high the photo is")
        return None


class ComingPhoto(QWidget):
    """An empty field as large as the photo that is expected; hidden while none is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.expected: ExpectedPhoto | None = None
        notifier.changed.connect(self.update)
        self.hide()

    @property
    def own(self) -> bool:
        """True while a photo of the user is expected."""
        return self.expected is not None and self.expected.own

    def expect(self, photo: ExpectedPhoto | None) -> None:
        """Show the place of a photo, or none."""
        self.expected = photo
        if photo is not None:
            self.setFixedHeight(photo.height)
        self.setVisible(photo is not None)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme().color("border"))
        painter.setBrush(theme().color("surface-raised"))
        corner = radius("control")
        painter.drawRoundedRect(self.rect().adjusted(0, 0, -1, -1), corner, corner)
