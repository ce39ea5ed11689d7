"""Thumbnails for the gallery, unpacked outside of the window's thread: those in view first, the newest wish before older ones."""

from __future__ import annotations

from collections import OrderedDict

from PySide6.QtCore import QByteArray, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPixmap

from app.store.history_store import HistoryStore
from app.system import background

_KEPT = 1200
"""Pixmaps in memory: some ten screens of small ones, three of large ones."""
_BATCH = 16
_AT_ONCE = 2


class ThumbLoader(QObject):
    """Gives thumbnails by id, square, and as large as they are shown.

    Signals:
        arrived: some that were asked for are there now.
    """

    arrived = Signal()

    def __init__(self, store: HistoryStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._side = 0
        self._known: OrderedDict[int, QPixmap] = OrderedDict()
        self._wanted: OrderedDict[int, None] = OrderedDict()
        self._under_way = 0

    def set_side(self, pixels: int) -> None:
        """Make thumbnails of another size from now on, in pixels of the screen."""
        if pixels != self._side:
            self._side = pixels
            self._known.clear()
            self._wanted.clear()

    def get(self, picture: int) -> QPixmap | None:
        """The thumbnail; None while it is not there, which asks for it. A null one cannot be read."""
        known = self._known.get(picture)
        if known is not None:
            self._known.move_to_end(picture)
            return known
        self._wanted[picture] = None
        self._wanted.move_to_end(picture)
        self._begin()
        return None

    def forget_wishes(self) -> None:
        """The view moved on: what is no longer in view need not come. What is will be asked for when it is painted."""
        self._wanted.clear()

    def _begin(self) -> None:
        while self._wanted and self._under_way < _AT_ONCE:
            batch = [self._wanted.popitem()[0] for _ in range(min(_BATCH, len(self._wanted)))]
            self._under_way += 1
            background.run(_unpack, self._store, batch, self._side, done=self._unpacked, failed=self._lost)

    @Slot(object)
    def _unpacked(self, answer: tuple[int, dict[int, QImage]]) -> None:
        side, images = answer
        self._under_way -= 1
        if side == self._side:
            for picture, image in images.items():
                self._known[picture] = QPixmap.fromImage(image)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
            self.arrived.emit()
        self._begin()

    @Slot(object)
    def _lost(self, error: Exception) -> None:
        self._under_way -= 1


def _unpack(store: HistoryStore, pictures: list[int], side: int) -> tuple[int, dict[int, QImage]]:
    return side, {picture: _square(store, picture, side) for picture in pictures}


def _square(store: HistoryStore, picture: int, side: int) -> QImage:
    """The middle of a thumbnail, ``side`` pixels wide and high; null when it is gone."""
    try:
        image = QImage.fromData(QByteArray(store.thumb(picture)))
    except KeyError:
        return QImage()
    if image.isNull():
        return image
    short = min(image.width(), image.height())
    middle = image.copy((image.width() - short) // 2, (image.height() - short) // 2, short, short)
    wanted = QSize(side, side)
    return middle.scaled(wanted, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation)
