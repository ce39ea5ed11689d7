"""One subject on the shelf: a small picture with its name under it, which is dragged and moved by keys."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QMimeData, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QDrag, QFontMetricsF, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from app.look import type as type_
from app.look.theme import on_photo, radius, theme, tokens
from app.shortcuts import add_entry, bind
from app.subject.photo_drops import PhotoDrops
from app.subject.photo_pieces import Thumb

SUBJECT_MIME = "application/x-echogen-subject"
_GAP = 3
_BADGE = 18


class ShelfThumb(Thumb):
    """See the module.

    Args:
        side: of the picture; the name takes a line below it.

    Signals:
        moveRequested(int): one place to the left (-1) or right (1). renameRequested: give it another name.
        addRequested: choose another photo of it. photosGiven(object): paths, or a ``QImage``, that were dropped onto it.
    """

    addRequested = Signal()
    photosGiven = Signal(object)
    moveRequested = Signal(int)
    renameRequested = Signal()

    def __init__(self, side: int, parent: QWidget | None = None) -> None:
        super().__init__(side, parent)
        self.key = 0
        self._name, self._count = "", 1
        self._expandable = self._dropping = False
        self._pressed: QPoint | None = None
        self.setFixedSize(side, side + _GAP + type_.line_height("micro"))
        bind(self, "shelf_left", lambda: self.moveRequested.emit(-1))
        bind(self, "shelf_right", lambda: self.moveRequested.emit(1))
        bind(self, "shelf_rename", self.renameRequested.emit)
        bind(self, "shelf_remove", self.removeRequested.emit)
        PhotoDrops(self, lambda: self._expandable, self.photosGiven.emit, self._show_drop)

    def set_subject(self, key: int, name: str, count: int = 1) -> None:
        """Show a subject, with its name below and the number of its photos, if it has several."""
        self.key, self._name, self._count = key, name, count
        self.update()

    def set_expandable(self, expandable: bool) -> None:
        """Set whether the subject may get another photo."""
        self._expandable = expandable

    def _show_drop(self, over: bool) -> None:
        self._dropping = over
        self.update()

    def picture_rect(self) -> QRectF:
        return QRectF(0, 0, self._side, self._side)

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        font = type_.font("micro")
        painter.setFont(font)
        painter.setPen(theme().color("text" if self.isChecked() else "text-muted"))
        area = QRectF(0, self._side + _GAP, self.width(), self.height() - self._side - _GAP)
        text = QFontMetricsF(font).elidedText(self._name, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, text)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._count > 1:
            self._paint_count(painter)
        if self._dropping:
            width, corner = tokens()["stroke"]["selected"], radius("tile")
            painter.setPen(QPen(theme().color("accent"), width))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(self.picture_rect().adjusted(1, 1, -1, -1), corner, corner)

    def _paint_count(self, painter: QPainter) -> None:
        side = _BADGE
        badge = QRectF(self._side - side - 4, self._side - side - 4, side, side)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(on_photo("chip"))
        painter.drawRoundedRect(badge, radius("tag"), radius("tag"))
        painter.setPen(on_photo("chip-text"))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(self._count))

    def menu(self) -> QMenu:
        """The actions on a subject of the shelf."""
        menu = QMenu(self)
        menu.addAction(self.tr("Use this subject"), self.click).setEnabled(not self.isChecked())
        add_entry(menu, "add_photo", self.addRequested.emit, enabled=self._expandable)
        add_entry(menu, "shelf_rename", self.renameRequested.emit)
        menu.addSeparator()
        add_entry(menu, "shelf_left", lambda: self.moveRequested.emit(-1))
        add_entry(menu, "shelf_right", lambda: self.moveRequested.emit(1))
        menu.addSeparator()
        add_entry(menu, "shelf_remove", self.removeRequested.emit)
        return menu

    # Dragging

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        pressed = self._pressed
        far = QApplication.startDragDistance()
        if pressed is None or (event.position().toPoint() - pressed).manhattanLength() < far:
            super().mouseMoveEvent(event)
            return
        self._pressed = None
        self.setDown(False)
        self.set_pointed(False)
        drag = QDrag(self)
        data = QMimeData()
        data.setData(SUBJECT_MIME, QByteArray(str(self.key).encode()))
        drag.setMimeData(data)
        drag.setPixmap(self.grab(self.picture_rect().toRect()))
        drag.setHotSpot(pressed)
        drag.exec(Qt.DropAction.MoveAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        super().mouseReleaseEvent(event)
