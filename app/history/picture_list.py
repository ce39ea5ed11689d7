"""The row itself: a list that scrolls sideways and paints only what is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QImage, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.history.model import HistoryModel, Row
from app.look import focus
from app.look import type as type_
from app.look.pixels import ScaledPicture, paint_dashed, read_image
from app.look.theme import on_photo, radius, size, theme, tokens
from app.look.thumbnails import HoverList, paint_badge, paint_outline, paint_star

if TYPE_CHECKING:
    from app.store.history_store import Picture

GAP = 6
_BETWEEN = 24
"""Between two groups, with the divider in its middle."""
_RING = 4
"""Room around a thumbnail for the ring of the chosen one."""

_LAYERS = 64

Index = QModelIndex | QPersistentModelIndex


class PictureDelegate(QStyledItemDelegate):
    """Paints one thumbnail, its star or progress, and its slice of the group's title."""

    def __init__(self, view: HistoryView) -> None:
        super().__init__(view)
        self._view = view
        self._layers: dict[int, ScaledPicture] = {}
        self.compact = False

    @property
    def side(self) -> int:
        return size("thumb-small") if self.compact else size("thumb")

    def row_height(self) -> int:
        return self.side + 2 * _RING + (0 if self.compact else _title_height())

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        row = self._view.history.rows[index.row()]
        before = _BETWEEN - GAP if row.place == 0 and row.group > 0 else 0
        return QSize(before + self.side + GAP, self.row_height())

    def thumb_rect(self, rect: QRectF) -> QRectF:
        """Return the rectangle of the thumbnail in an item. It lies at the right, because the first of a group has the
        gap before it."""
        mirrored = self._view.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x = rect.x() + GAP / 2 if mirrored else rect.right() - self.side - GAP / 2
        return QRectF(x, rect.bottom() - self.side - _RING, self.side, self.side)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = self._view.history
        row = model.rows[index.row()]
        item = QRectF(option.rect)
        thumb = self.thumb_rect(item)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if row.place == 0 and row.group > 0:
            edge = thumb.left() - GAP / 2 - (_BETWEEN - GAP) / 2
            painter.fillRect(QRectF(round(edge), item.y(), 1, item.height()), theme().color("border"))
        if not self.compact:
            self._paint_title(painter, item, thumb, row)
        self._paint_thumb(painter, thumb, row, index)
        painter.restore()

    def _paint_title(self, painter: QPainter, item: QRectF, thumb: QRectF, row: Row) -> None:
        """The title runs over all thumbnails of its group; each item paints what falls on it."""
        step, visible = self.side + GAP, self._view.viewport().width()
        # What is seen of the group: title and time stay in view however long it is.
        left = max(thumb.left() - row.place * step, 0.0)
        right = min(thumb.left() + (row.count - row.place) * step - GAP, float(visible))
        width = max(right - left, float(self.side))
        titles, when = self._view.history.title(row)
        small, font = type_.font("help"), type_.font("help")
        font.setWeight(font.Weight.DemiBold)
        metrics, small_metrics = QFontMetricsF(font), QFontMetricsF(small)
        painter.save()
        clip = QRectF(item)
        clip.setLeft(thumb.left() - (0 if row.place == 0 else GAP / 2))
        if row.place == row.count - 1:
            clip.setRight(thumb.right() + 1)
        painter.setClipRect(clip)
        box = QRectF(left, item.y(), width, _title_height() - 4)
        # A single picture has room for one of the two: what it shows says more than when it was made.
        with_time = row.count > 1
        available = width - small_metrics.horizontalAdvance(when) - 10 if with_time else width
        title = next((text for text in titles if metrics.horizontalAdvance(text) <= available), titles[-1])
        painter.setFont(font)
        painter.setPen(theme().color("text"))
        text = metrics.elidedText(title, Qt.TextElideMode.ElideRight, available)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        if with_time:
            painter.setFont(small)
            painter.setPen(theme().color("text-muted"))
            painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, when)
        painter.restore()

    def _layer(self, image: QImage) -> ScaledPicture:
        key = image.cacheKey()
        layer = self._layers.get(key)
        if layer is None:
            if len(self._layers) > _LAYERS:
                self._layers.clear()
            layer = self._layers[key] = ScaledPicture(image)
        return layer

    def _paint_thumb(self, painter: QPainter, rect: QRectF, row: Row, index: Index) -> None:
        model = self._view.history
        corner = radius("tile")
        selection = self._view.selectionModel()
        chosen = row.picture is None or selection.isSelected(index)
        if chosen:
            edge = rect.adjusted(-1.5, -1.5, 1.5, 1.5)
            paint_outline(painter, edge, corner + 2, "accent", tokens()["stroke"]["selected"])
            rect = rect.adjusted(2, 2, -2, -2)
        missing = row.picture is not None and model.is_missing(row.picture)
        image = model.thumb(row)
        if image.isNull():
            paint_dashed(painter, rect, corner, "outline", 1.0)
        else:
            painter.setOpacity(0.35 if missing else 1.0)
            self._layer(image).paint(painter, rect, corner - (2 if chosen else 0))
            painter.setOpacity(1.0)
        if missing:
            badge = QRectF(rect.center().x() - 13, rect.center().y() - 13, 26, 26)
            paint_badge(painter, badge, "triangle-alert", on_photo("chip-text"), 5)
        if row.picture is None and model.running is not None and model.running.progress:
            self._paint_progress(painter, rect, model.running.progress)
        if row.picture is not None and row.picture.starred:
            paint_star(painter, QRectF(rect.right() - 20, rect.y() + 3, 17, 17), 3)
        if focus.is_visible(self._view) and index == self._view.currentIndex():
            edge = self.thumb_rect(QRectF(self._view.visualRect(index))).adjusted(-3, -3, 3, 3)
            paint_outline(painter, edge, 9, "focus", tokens()["stroke"]["focus"])
        elif index == self._view.hovered() and not chosen:
            paint_outline(painter, rect.adjusted(-1.5, -1.5, 1.5, 1.5), corner + 1, "outline", 1.5)

    def _paint_progress(self, painter: QPainter, rect: QRectF, text: str) -> None:
        font = type_.font("micro")
        font.setWeight(font.Weight.DemiBold)
        bar = QRectF(rect.x() + 2, rect.bottom() - 20, rect.width() - 4, 18)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(on_photo("chip"))
        painter.drawRoundedRect(bar, radius("tag"), radius("tag"))
        painter.setFont(font)
        painter.setPen(on_photo("chip-text"))
        painter.drawText(bar, Qt.AlignmentFlag.AlignCenter, text)


def _title_height() -> int:
    return type_.line_height("help") + 6


class HistoryView(HoverList):
    """Thumbnails in one row.

    Signals:
        opened(object): the ``Picture`` that was clicked, or on which Enter was pressed.
        menuWanted(QPoint): global position of a context menu for the selection.
        moved: scrolled, or the content's width changed.
        givenBack: what a menu was about is not chosen any more, or the user let go of all that was: a click beside the
            thumbnails, a second one with Ctrl, a key.
    """

    opened = Signal(object)
    menuWanted = Signal(QPoint)
    moved = Signal()
    givenBack = Signal()

    def __init__(self, history: HistoryModel, parent: QWidget | None = None) -> None:
        super().__init__("historyList", parent)
        self.history = history
        self._lent: tuple[list[int], int | None] | None = None
        self._pressed: tuple[list[int], int | None] | None = None
        self.setModel(history)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.delegate = PictureDelegate(self)
        self.setItemDelegate(self.delegate)
        self.customContextMenuRequested.connect(self._context)
        self.horizontalScrollBar().valueChanged.connect(self.moved)
        self.horizontalScrollBar().rangeChanged.connect(self.moved)
        self.clicked.connect(self._clicked)

    def set_compact(self, compact: bool) -> None:
        self.delegate.compact = compact
        self.scheduleDelayedItemsLayout()

    def chosen(self) -> list[Picture]:
        """The selected pictures, newest first."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [p for p in (self.history.picture_at(row) for row in rows) if p is not None]

    def chosen_ids(self) -> list[int]:
        """Their ids."""
        return [picture.id for picture in self.chosen()]

    def choose(self, picture: int, *, scroll: bool = True) -> None:
        """Select one picture by its id; none when it is not in the row, as behind a filter."""
        row = self.history.row_of(picture)
        if row < 0:
            self.clearSelection()
            return
        index = self.history.index(row)
        model = self.selectionModel()  # the view's own way looks at keys that may be held: Ctrl+Z
        model.setCurrentIndex(index, model.SelectionFlag.ClearAndSelect)
        if scroll:
            self.scrollTo(index)
            # The arrows lie on the first and the last that is seen.
            place, side = self.visualRect(index), self.delegate.side
            self.scroll_by(min(0, place.left() - side) + max(0, place.right() + side - self.viewport().width()))

    def scroll_by(self, pixels: int) -> None:
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() + pixels)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self.viewport().update()  # titles stay in view, they do not move with the pixels

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.pixelDelta() if not event.pixelDelta().isNull() else event.angleDelta()
        step = delta.y() if abs(delta.y()) >= abs(delta.x()) else delta.x()
        if step and not event.modifiers():
            mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
            self.scroll_by(step if mirrored else -step)
            event.accept()
        else:
            event.ignore()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            index = self.indexAt(event.position().toPoint())
            if index.isValid() and not self.selectionModel().isSelected(index):
                self._lend_to(index)
            return
        before = self.chosen_ids()
        super().mousePressEvent(event)
        index = self.indexAt(event.position().toPoint())
        clicked = self.history.picture_at(index.row()) if index.isValid() else None
        other = clicked is not None and clicked.id not in before and not event.modifiers()
        self._pressed = (before, clicked.id) if other and clicked is not None else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if not self.chosen():
            self.givenBack.emit()

    def _lend_to(self, index: QModelIndex) -> None:
        """A menu is about another picture than those that are chosen: it alone is chosen until ``give_back``."""
        before = self._lent[0] if self._lent is not None else self.chosen_ids()
        clicked = self.history.picture_at(index.row())
        self.setCurrentIndex(index)
        self._lent = before, clicked.id if clicked is not None else None

    @Slot()
    def give_back(self) -> None:
        """The menu is closed, or the drag is done: choose again what was chosen before, unless what was done did choose."""
        if self._lent is None:
            return
        (before, clicked), self._lent = self._lent, None
        goes = clicked is None or self.history.row_of(clicked) < 0 or not self.chosen()
        if not goes and self.chosen_ids() != [clicked]:
            return
        self.clearSelection()
        model = self.selectionModel()
        rows = [row for row in map(self.history.row_of, before) if row >= 0]
        for index in map(self.history.index, rows):
            model.setCurrentIndex(index, model.SelectionFlag.Select)
        self.givenBack.emit()

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self._clicked(self.currentIndex())
        else:
            super().keyPressEvent(event)
            if not self.chosen():
                self.givenBack.emit()

    def _clicked(self, index: QModelIndex) -> None:
        picture = self.history.picture_at(index.row()) if index.isValid() else None
        if picture is not None and len(self.selectionModel().selectedIndexes()) <= 1:
            self.opened.emit(picture)

    def _context(self, position: QPoint) -> None:
        # The menu key gives the middle of the view; the menu belongs to the current picture.
        self.menuWanted.emit(self.viewport().mapToGlobal(position))

    def startDrag(self, actions) -> None:
        from app.system.sharing import drag_out

        pictures = [picture for picture in self.chosen() if not self.history.is_missing(picture)]
        if pictures:
            files = [picture.file for picture in pictures]
            row = self.history.rows[self.history.row_of(pictures[0].id)]
            image = read_image(files[0]) if len(files) == 1 else None
            # The press chose what is dragged; nothing else was asked for it.
            self._lent, self._pressed = self._pressed, None
            drag_out(self, files, image, self.history.thumb(row))
            self.give_back()
            self.forget_hovered()

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self.moved.emit()
