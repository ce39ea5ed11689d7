"""The picture on the canvas, and how a new one takes the place of the old: by a cross-fade."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, QVariantAnimation, Signal, Slot
from PySide6.QtGui import QImage, QPainter

from app.look.pixels import ScaledPicture


class FadingPicture(QObject):
    """One picture, or none; while a cross-fade runs, the one before it too.

    Signals:
        changed: it has to be painted again.

    Attributes:
        layer: the picture, or None.
        before: what it takes the place of, while it fades in.
        share: how much of the new picture is seen, 0 … 1.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layer: ScaledPicture | None = None
        self.before: ScaledPicture | None = None
        self.share = 1.0
        self._fade = QVariantAnimation(self)
        self._fade.setStartValue(0.0)
        self._fade.setEndValue(1.0)
        self._fade.valueChanged.connect(self._faded)

    def show(self, image: QImage, milliseconds: int) -> None:
        """Show another picture; it fades in over so many milliseconds when there is one before it, 0: at once."""
        self._fade.stop()
        fades = milliseconds > 0 and self.layer is not None
        self.before = self.layer if fades else None
        self.layer = ScaledPicture(image)
        self.share = 0.0 if fades else 1.0
        if fades:
            self._fade.setDuration(milliseconds)
            self._fade.start()

    def drop(self) -> None:
        """Show nothing."""
        self._fade.stop()
        self.layer = self.before = None

    def paint(self, painter: QPainter, rect: QRectF, corner: float) -> None:
        """Fill a rectangle with rounded corners."""
        if self.layer is None:
            return
        if self.before is not None and self.share < 1.0:
            self.before.paint(painter, rect, corner)
            painter.setOpacity(self.share)
        self.layer.paint(painter, rect, corner)
        painter.setOpacity(1.0)

    @Slot(object)
    def _faded(self, share: float) -> None:
        self.share = share
        if share >= 1.0:
            self.before = None
        self.changed.emit()
