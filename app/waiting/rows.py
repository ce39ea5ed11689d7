"""The rows of the queue: subject, prompt and what happens with it; a list that is sorted by dragging."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.look import focus, icons
from app.look import type as type_
from app.look.pixels import ScaledPicture, paint_dashed, paint_focus_ring
from app.look.theme import radius, theme
from app.look.thumbnails import HoverList
from app.waiting.model import QueueModel

_SIDE = 44
_PAD = 8
_SIGNS = {"drawing": "brush", "waiting": "clock", "held": "pause", "failed": "triangle-alert"}

Index = QModelIndex | QPersistentModelIndex


class QueueDelegate(QStyledItemDelegate):
    """Paints one row."""

    def __init__(self, view: QueueView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        lines = type_.line_height("body") + type_.line_height("help") + 2
        return QSize(120, max(_SIDE, lines) + 2 * _PAD)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model, color = self._view.queue, theme().color
        entry = model.entries[index.row()]
        rect = QRectF(option.rect).adjusted(2, 1, -2, -1)
        chosen = self._view.selectionModel().isSelected(index)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if chosen or index == self._view.hovered():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("accent-soft" if chosen else "surface-hover"))
            painter.drawRoundedRect(rect, radius("control"), radius("control"))
        box = QRectF(rect.x() + _PAD, rect.center().y() - _SIDE / 2, _SIDE, _SIDE)
        image = model.thumb(entry)
        if image.isNull():
            paint_dashed(painter, box, radius("tile"), "outline", 1.0)
        else:
            ScaledPicture(image).paint(painter, box, radius("tile"))
        words = rect.adjusted(_PAD + _SIDE + 12, 0, -_PAD - 22, 0)
        self._paint_words(painter, words, model, index.row(), chosen)
        if entry.phase != "drawing":
            grip = QRectF(rect.right() - 24, rect.center().y() - 8, 16, 16)
            icons.paint_icon(painter, "grip-vertical", grip, "text-muted")
        if focus.is_visible(self._view) and index == self._view.currentIndex():
            paint_focus_ring(painter, rect.adjusted(1, 1, -1, -1))
        painter.restore()

    def _paint_words(self, painter: QPainter, area: QRectF, model: QueueModel, row: int, chosen: bool) -> None:
        entry, color = model.entries[row], theme().color
        top, bottom = type_.font("body"), type_.font("help")
        heights = QFontMetricsF(top).height(), QFontMetricsF(bottom).height()
        y = area.center().y() - (sum(heights) + 2) / 2
        painter.setFont(top)
        painter.setPen(color("accent-soft-text" if chosen else "text"))
        prompt = QFontMetricsF(top).elidedText(entry.request.prompt, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(QRectF(area.x(), y, area.width(), heights[0]), Qt.AlignmentFlag.AlignLeft, prompt)
        ink = {"failed": "danger", "drawing": "accent"}.get(entry.phase, "text-muted")
        line = QRectF(area.x(), y + heights[0] + 2, area.width(), heights[1])
        sign = QRectF(line.x(), line.center().y() - 7, 14, 14)
        icons.paint_icon(painter, _SIGNS[entry.phase], sign, ink)
        painter.setFont(bottom)
        painter.setPen(color(ink))
        text = QFontMetricsF(bottom).elidedText(model.words(entry), Qt.TextElideMode.ElideRight, line.width() - 20)
        painter.drawText(line.adjusted(20, 0, 0, 0), Qt.AlignmentFlag.AlignLeft, text)


class QueueView(HoverList):
    """The list itself.

    Signals:
        menuWanted(QPoint): global position of a menu for the chosen rows.
    """

    menuWanted = Signal(QPoint)

    def __init__(self, queue: QueueModel, parent: QWidget | None = None) -> None:
        super().__init__("queueList", parent)
        self.queue = queue
        self.setModel(queue)
        self.setItemDelegate(QueueDelegate(self))
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDragDropOverwriteMode(False)
        self.customContextMenuRequested.connect(self._context)

    def chosen(self) -> list[int]:
        """Numbers of the chosen entries, in their order."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [self.queue.entries[row].number for row in rows if row < len(self.queue.entries)]

    def choose(self, number: int) -> None:
        """Choose one entry and bring it into view."""
        row = self.queue.row_of(number)
        if row >= 0:
            model = self.selectionModel()
            model.setCurrentIndex(self.queue.index(row), model.SelectionFlag.ClearAndSelect)
            self.scrollTo(self.queue.index(row))

    def _context(self, position: QPoint) -> None:
        self.menuWanted.emit(self.viewport().mapToGlobal(position))
