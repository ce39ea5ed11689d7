"""The row of tiles in the strip of scales, and the handle that is dragged between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.canvas.strip.scales import ScaleStripModel
from app.look import focus, icons
from app.look import type as type_
from app.look.pixels import ScaledPicture, paint_dashed, to_image
from app.look.theme import notifier, on_photo, radius, size, theme, tokens

if TYPE_CHECKING:
    import numpy as np

END = 12
"""Room behind the last tile for the handle, taken from the strip's margin."""
START = 4
"""Room before the first tile for the ring of the scale that is drawn."""
_ABOVE = 5
"""Pixels above and below the tiles for the ring of the present scale and the ends of the handle."""
_BADGE_FROM = 48


class Tiles(QWidget):
    """The row of tiles and the handle between them.

    Signals:
        pointed(int): the scale under the pointer, or -1 when it left.
        handleMoved(int): the handle stands behind so many scales.
    """

    pointed = Signal(int)
    handleMoved = Signal(int)

    def __init__(self, model: ScaleStripModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scaleTiles")
        self.model = model
        self.side = size("tile")
        self._layers: dict[int, tuple[np.ndarray, ScaledPicture]] = {}
        self._pointed = -1
        self._dragging = False
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        focus.attach(self, radius("control"))
        notifier.changed.connect(self.update)

    def set_side(self, side: int) -> None:
        if side != self.side:
            self.side = side
            self.updateGeometry()
            self.update()

    def sizeHint(self) -> QSize:
        count = max(1, self.model.count)
        return QSize(count * self.side + (count - 1) * 8, self.side + 2 * _ABOVE + _label_height())

    def minimumSizeHint(self) -> QSize:
        return QSize(max(1, self.model.count) * (size("tile-small") - 8), self.sizeHint().height())

    def tile_rect(self, scale: int) -> QRectF:
        """Return the rectangle of a tile. Gaps share what the tiles leave; in a very narrow strip the tiles shrink."""
        count = max(1, self.model.count)
        width = self.width() - END - START
        side = min(float(self.side), (width - 4.0 * (count - 1)) / count)
        gap = (width - count * side) / (count - 1) if count > 1 else 0.0
        x = START + scale * (side + gap)
        if self._mirrored():
            x = self.width() - x - side
        return QRectF(x, _ABOVE + (self.side - side) / 2, side, side)

    def _mirrored(self) -> bool:
        return self.layoutDirection() == Qt.LayoutDirection.RightToLeft

    def handle_rect(self) -> QRectF:
        """The rectangle by which the handle can be grabbed, or an empty one when there is no handle."""
        if not self.model.can_keep or self.model.drawing or not self.model.count:
            return QRectF()
        last = self.tile_rect(self.model.keep - 1)
        mirrored = self._mirrored()
        if self.model.keep < self.model.count:
            following = self.tile_rect(self.model.keep)
            x = (following.right() + last.left()) / 2 if mirrored else (last.right() + following.left()) / 2
        else:
            x = last.left() - END + 7 if mirrored else last.right() + END - 7
        return QRectF(x - 9, 0, 18, self.side + 2 * _ABOVE)

    def scale_at(self, position: QPointF) -> int:
        """The scale of the tile (or label) at a position, or -1."""
        for scale in range(self.model.count):
            rect = self.tile_rect(scale)
            if rect.left() <= position.x() <= rect.right():
                return scale
        return -1

    def refresh(self) -> None:
        self.updateGeometry()
        self._speak()
        self.update()

    def _speak(self) -> None:
        model = self.model
        if model.drawing:
            name = model.tile_name(model.now) if model.count else ""
        elif model.can_redraw:
            name = self.tr("Keep scales 1 to {0}").format(model.keep) if model.keep > 1 else self.tr("Keep scale 1")
        else:
            name = self.tr("Scales")
        self.setAccessibleName(name)

    # Events

    def move_handle(self, keep: int) -> None:
        if self.model.move_handle(keep):
            self.refresh()
            self.handleMoved.emit(self.model.keep)

    def _keep_at(self, x: float) -> int:
        centers = [self.tile_rect(scale).center().x() for scale in range(self.model.count)]
        if self._mirrored():
            return max(1, sum(1 for center in centers if center >= x))
        return max(1, sum(1 for center in centers if center <= x))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        position = event.position()
        if self.handle_rect().contains(position):
            self._dragging = True
        elif (scale := self.scale_at(position)) >= 0:
            self.move_handle(scale + 1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        position = event.position()
        if self._dragging:
            self.move_handle(self._keep_at(position.x()))
            return
        over = self.handle_rect().contains(position)
        self.setCursor(Qt.CursorShape.SplitHCursor if over else Qt.CursorShape.ArrowCursor)
        self._point(-1 if over else self.scale_at(position))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._dragging = False

    def leaveEvent(self, event: QEvent) -> None:
        self._point(-1)
        super().leaveEvent(event)

    def _point(self, scale: int) -> None:
        if scale >= 0 and self.model.image(scale) is None:
            scale = -1
        if scale != self._pointed:
            self._pointed = scale
            if scale >= 0:
                self.setToolTip(self.model.tile_name(scale))
            self.pointed.emit(scale)
            self.update()

    # Painting

    def _layer(self, scale: int) -> ScaledPicture | None:
        pixels = self.model.image(scale)
        if pixels is None:
            self._layers.pop(scale, None)
            return None
        known = self._layers.get(scale)
        if known is None or known[0] is not pixels:
            known = (pixels, ScaledPicture(_thumb(pixels)))
            self._layers[scale] = known
        return known[1]

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for scale in range(self.model.count):
            self._paint_tile(painter, scale)
        handle = self.handle_rect()
        if not handle.isEmpty():
            self._paint_handle(painter, handle)

    def _paint_tile(self, painter: QPainter, scale: int) -> None:
        color = theme().color
        rect = self.tile_rect(scale)
        corner = radius("tile") if rect.width() >= _BADGE_FROM else radius("tag")
        kind = self.model.tile(scale)
        layer = self._layer(scale)
        if layer is not None:
            layer.paint(painter, rect, corner)
        if kind == "waiting" or (layer is None and kind != "now"):
            paint_dashed(painter, rect, corner, "outline", 1.0)
        if kind == "redrawn":
            veil = color("surface")
            veil.setAlphaF(0.47)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(veil)
            painter.drawRoundedRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5), corner, corner)
        if kind == "kept" and rect.width() >= _BADGE_FROM:
            badge = QRectF(rect.right() - 20, rect.bottom() - 20, 17, 17)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(on_photo("chip"))
            painter.drawEllipse(badge)
            icons.paint_icon(painter, "lock", badge.adjusted(3.5, 3.5, -3.5, -3.5), on_photo("chip-text"))
        if kind == "now":
            width = tokens()["stroke"]["selected"]
            painter.setPen(QPen(color("accent"), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            ring = rect.adjusted(-3, -3, 3, 3)
            painter.drawRoundedRect(ring, corner + 3, corner + 3)
        elif scale == self._pointed:
            painter.setPen(QPen(color("outline"), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(rect.adjusted(-2, -2, 2, 2), corner + 2, corner + 2)
        font = type_.font("micro")
        if kind == "now":
            font.setWeight(font.Weight.Bold)
        painter.setFont(font)
        painter.setPen(color("text") if kind == "now" else color("text-muted"))
        under = QRectF(rect.x() - 8, self.side + 2 * _ABOVE, rect.width() + 16, _label_height())
        painter.drawText(under, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self.model.label(scale))

    def _paint_handle(self, painter: QPainter, rect: QRectF) -> None:
        color = theme().color
        tint = color("accent") if not self._dragging else color("accent-pressed")
        if not self.model.can_redraw:
            tint = color("outline")
        x = rect.center().x()
        painter.setPen(QPen(tint, 2))
        painter.drawLine(QPointF(x, 0.0), QPointF(x, rect.bottom()))
        grip = QRectF(x - 7, rect.center().y() - 12, 14, 24)
        painter.setPen(QPen(color("surface"), 2))
        painter.setBrush(tint)
        painter.drawRoundedRect(grip, 7, 7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color("accent-text") if self.model.can_redraw else color("surface"))
        for shift in (-5, 0, 5):
            painter.drawEllipse(QPointF(x, grip.center().y() + shift), 1.5, 1.5)


def _label_height() -> int:
    return type_.line_height("micro") + 4


def _thumb(pixels: np.ndarray) -> QImage:
    """A tile never shows more than about 128 pixels: keep that, not the whole preview."""
    image = to_image(pixels)
    if max(image.width(), image.height()) > 128:
        image = image.scaled(
            128, 128, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
        )
    side = min(image.width(), image.height())
    return image.copy((image.width() - side) // 2, (image.height() - side) // 2, side, side)
