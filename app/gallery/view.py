"""The grid of the gallery: thumbnails of one size in rows, painted only where they are seen."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QBrush, QImage, QMouseEvent, QPainter, QTransform
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.gallery.model import GalleryModel
from app.gallery.thumbs import ThumbLoader
from app.look import focus, icons
from app.look.pixels import read_image
from app.look.theme import radius, theme, tokens
from app.look.thumbnails import paint_outline, paint_star, set_up_list
from app.store.history_store import HistoryStore, Picture
from app.system.sharing import drag_out

SIZES = {"small": 88, "medium": 136, "large": 192}
"""Sides of a thumbnail: in the history one is kept of 192 pixels."""
_GAP = 10

Index = QModelIndex | QPersistentModelIndex


class GalleryDelegate(QStyledItemDelegate):
    """Paints one thumbnail with its star."""

    def __init__(self, view: GalleryView) -> None:
        super().__init__(view)
        self._view = view
        self.side = SIZES["medium"]

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self.side + _GAP, self.side + _GAP)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        view, color, corner = self._view, theme().color, radius("tile")
        # By its id alone: while the gallery is scrolled nothing else of a picture is read.
        picture = view.pictures.id_at(index.row())
        if picture is None:
            return
        rect = QRectF(option.rect).adjusted(_GAP / 2, _GAP / 2, -_GAP / 2, -_GAP / 2)
        chosen = view.selectionModel().isSelected(index)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        if chosen:
            paint_outline(painter, rect.adjusted(-2, -2, 2, 2), corner + 2, "accent", tokens()["stroke"]["selected"])
        painter.setPen(Qt.PenStyle.NoPen)
        thumb = view.thumbs.get(picture)
        if thumb is None or thumb.isNull():
            painter.setBrush(color("surface-hover"))
        else:
            brush = QBrush(thumb)
            step = rect.width() / thumb.width()
            brush.setTransform(QTransform.fromTranslate(rect.x(), rect.y()).scale(step, step))
            painter.setBrush(brush)
        missing = picture in view.pictures.missing
        painter.setOpacity(0.35 if missing else 1.0)
        painter.drawRoundedRect(rect, corner, corner)
        painter.setOpacity(1.0)
        if missing:
            sign = QRectF(rect.center().x() - 10, rect.center().y() - 10, 20, 20)
            icons.paint_icon(painter, "triangle-alert", sign, "warning")
        if view.pictures.is_starred(picture):
            paint_star(painter, QRectF(rect.right() - 24, rect.y() + 4, 20, 20))
        if focus.is_visible(view) and index == view.currentIndex():
            paint_outline(painter, rect.adjusted(-4, -4, 4, 4), corner + 4, "focus", tokens()["stroke"]["focus"])
        painter.restore()


class GalleryView(QListView):
    """The list, wrapped into rows.

    Signals:
        opened(object): the ``Picture`` that was double-clicked, or on which Enter was pressed.
        menuWanted(QPoint): global position of a menu for what is chosen.
        chosenChanged: other pictures are chosen.
        moved: other pictures are in view. settled: and no others for a moment.
    """

    opened = Signal(object)
    menuWanted = Signal(QPoint)
    chosenChanged = Signal()
    moved = Signal()
    settled = Signal()

    def __init__(self, pictures: GalleryModel, store: HistoryStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures = pictures
        self.thumbs = ThumbLoader(store, self)
        set_up_list(self, "galleryList")
        self.setModel(pictures)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setUniformItemSizes(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionRectVisible(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setDragEnabled(True)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.delegate = GalleryDelegate(self)
        self.setItemDelegate(self.delegate)
        self.customContextMenuRequested.connect(self._context)
        self.doubleClicked.connect(self._open)
        self.selectionModel().selectionChanged.connect(self.chosenChanged)
        pictures.modelReset.connect(self.chosenChanged)
        self._settle = QTimer(self, singleShot=True)
        self._settle.setInterval(60)
        self._settle.timeout.connect(self._read_in_view)
        self.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.thumbs.arrived.connect(self.viewport().update)
        self.set_size("medium")

    def set_size(self, name: str) -> None:
        """One of ``SIZES``; the picture in the middle of the view stays in view."""
        middle = self.indexAt(QPoint(self.width() // 2, self.viewport().height() // 2))
        self.delegate.side = SIZES[name]
        self.thumbs.set_side(round(SIZES[name] * self.devicePixelRatioF()))
        self.verticalScrollBar().setSingleStep(SIZES[name] // 2)
        self.doItemsLayout()
        if middle.isValid():
            self.scrollTo(middle, QAbstractItemView.ScrollHint.PositionAtCenter)

    def in_view(self) -> tuple[int, int]:
        """The first and the last row that are seen; (0, -1) when nothing is."""
        first = self.indexAt(QPoint(_GAP, _GAP))
        if not first.isValid():
            return 0, min(self.pictures.rowCount() - 1, 0)
        step = self.delegate.side + _GAP
        columns = max(1, self.viewport().width() // step)
        rows = self.viewport().height() // step + 2
        return first.row(), min(self.pictures.rowCount() - 1, first.row() + columns * rows)

    @Slot()
    def _scrolled(self) -> None:
        self.thumbs.forget_wishes()
        self._settle.start()
        self.moved.emit()

    @Slot()
    def _read_in_view(self) -> None:
        self.pictures.set_in_view(*self.in_view())
        self.settled.emit()

    # What is chosen

    def chosen(self) -> list[Picture]:
        """The chosen pictures, newest first."""
        return self.pictures.read(self.chosen_rows())

    def chosen_ids(self) -> list[int]:
        """Their ids; quick for any number of them."""
        return self.pictures.ids_of(self.chosen_rows())

    def chosen_rows(self) -> list[int]:
        """Their rows."""
        chosen = self.selectionModel().selection()
        parts = [chosen.at(number) for number in range(chosen.count())]
        return sorted(row for part in parts for row in range(part.top(), part.bottom() + 1))

    def choose(self, picture: int) -> None:
        """Choose one picture by its id."""
        row = self.pictures.row_of(picture)
        if row >= 0:
            model = self.selectionModel()
            model.setCurrentIndex(self.pictures.index(row), model.SelectionFlag.ClearAndSelect)
            self.scrollTo(self.pictures.index(row))

    # Events

    def _open(self, index: QModelIndex) -> None:
        picture = self.pictures.picture_at(index.row()) if index.isValid() else None
        if picture is not None:
            self.opened.emit(picture)

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self._open(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            index = self.indexAt(event.position().toPoint())
            if index.isValid() and not self.selectionModel().isSelected(index):
                self.setCurrentIndex(index)
            return
        super().mousePressEvent(event)

    def _context(self, position: QPoint) -> None:
        self.menuWanted.emit(self.viewport().mapToGlobal(position))

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._settle.start()
        self.moved.emit()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.thumbs.set_side(round(self.delegate.side * self.devicePixelRatioF()))  # of the screen it is on now
        self._settle.start()

    def startDrag(self, actions) -> None:
        pictures = [picture for picture in self.chosen() if not self.pictures.is_missing(picture)]
        if pictures:
            thumb = self.thumbs.get(pictures[0].id)
            image = read_image(pictures[0].file) if len(pictures) == 1 else None
            preview = thumb.toImage() if thumb is not None else QImage()
            drag_out(self, [picture.file for picture in pictures], image, preview)
