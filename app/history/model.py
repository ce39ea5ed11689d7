"""The pictures of the history as rows of a list, grouped by request."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from PySide6.QtCore import QAbstractListModel, QByteArray, QMimeData, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage

from app.history.groups import group_pictures, narrower_titles, spoken_name, spoken_time
from app.language.scene_names import NAMES, scene_name
from app.look.pixels import read_image

if TYPE_CHECKING:
    from app.store.history_store import HistoryStore, Picture
    from engine import GenerationRequest

_CACHED = 64
"""Thumbnails kept unpacked: three screens of them."""
_SIDE = 128
"""Twice the size of a thumbnail on the screen."""
PAGE = 600
"""So many pictures are in the row at first, and so many more each time its end is reached: older ones are for the gallery."""
Index = QModelIndex | QPersistentModelIndex

PictureRole = Qt.ItemDataRole.UserRole + 1


class Running(Struct, frozen=True):
    """The picture that is being drawn, at the head of its group.

    Attributes:
        progress: "9 / 13".
    """

    request: GenerationRequest
    progress: str = ""
    image: QImage | None = None


class Row(Struct, frozen=True):
    """One picture in the row.

    Attributes:
        picture: the picture, or None for the one that is being drawn.
        group: number of its group. place: its number in the group, from 0. count: pictures in the group.
    """

    picture: Picture | None
    group: int
    place: int
    count: int


def square(image: QImage) -> QImage:
    """The middle of a picture, at most 128 pixels a side."""
    if image.isNull():
        return image
    side = min(image.width(), image.height())
    if image.width() != image.height():
        image = image.copy((image.width() - side) // 2, (image.height() - side) // 2, side, side)
    if side > _SIDE:
        image = image.scaled(_SIDE, _SIDE, mode=Qt.TransformationMode.SmoothTransformation)
    return image.convertToFormat(QImage.Format.Format_RGB32)


def _in_words(title: str) -> str:
    """A title that is nothing but the name of a scene, in the language of the window. The user's own words stay."""
    name = title[:1].upper() + title[1:]
    spoken = scene_name(name) if name in NAMES else name
    return spoken if spoken != name else title


class HistoryModel(QAbstractListModel):
    """Rows newest first. Thumbnails are unpacked when they are painted."""

    def __init__(self, store: HistoryStore) -> None:
        super().__init__()
        self.store = store
        self.search, self.starred = "", False
        self.most_alike = False
        self.running: Running | None = None
        self.missing: frozenset[int] = frozenset()
        self.rows: list[Row] = []
        self.titles: list[tuple[list[str], float]] = []
        self._pictures: list[Picture] = []
        self._thumbs: OrderedDict[int, QImage] = OrderedDict()
        self._limit = PAGE

    # Content

    def reload(self) -> None:
        """Ask the store anew with the present search and filter."""
        self._set(self.store.pictures(self.search, self.starred, self._limit, most_alike=self.most_alike))

    def set_filter(self, search: str, starred: bool) -> None:
        if (search, starred) != (self.search, self.starred):
            self.search, self.starred, self._limit = search, starred, PAGE
            self.reload()

    def has_more(self) -> bool:
        """Return True if there may be older pictures that are not in the row yet."""
        return len(self._pictures) >= self._limit

    def load_more(self) -> None:
        """The next older pictures join the row."""
        if self.has_more():
            self._limit += PAGE
            self.reload()

    def set_most_alike(self, on: bool) -> None:
        """The pictures whose subject is most like its cut-out come first, instead of the newest."""
        if on != self.most_alike:
            self.most_alike = on
            self.reload()

    def add(self, picture: Picture) -> None:
        """A picture that was just kept."""
        if self.search or self.starred or self.most_alike:
            self.reload()
        else:
            self._set([picture, *(known for known in self._pictures if known.id != picture.id)])

    def set_running(self, running: Running | None) -> None:
        """Show, update or take away the picture that is being drawn."""
        before, self.running = self.running, running
        if before is not None and running is not None and before.request is running.request:
            self.dataChanged.emit(self.index(0), self.index(0))
        elif before is not None or running is not None:
            self._set(self._pictures)

    def set_missing(self, missing: Iterable[int]) -> None:
        missing = frozenset(missing)
        if missing != self.missing:
            self.missing = missing
            if self.rows:
                self.dataChanged.emit(self.index(0), self.index(len(self.rows) - 1))

    def is_missing(self, picture: Picture) -> bool:
        return picture.id in self.missing

    def pictures(self) -> Sequence[Picture]:
        return self._pictures

    def row_of(self, picture: int) -> int:
        """The row of a picture by its id, or -1."""
        return next((n for n, row in enumerate(self.rows) if row.picture is not None and row.picture.id == picture), -1)

    def picture_at(self, row: int) -> Picture | None:
        return self.rows[row].picture if 0 <= row < len(self.rows) else None

    def previous_of(self, picture: Picture) -> Picture | None:
        """The next older picture of the same group that is still there."""
        for row in self.rows:
            if row.picture is not None and row.picture.id == picture.id:
                following = self.rows.index(row) + 1
                other = self.picture_at(following)
                same = following < len(self.rows) and self.rows[following].group == row.group
                return other if same and other is not None and not self.is_missing(other) else None
        return None

    def group_of(self, picture: int) -> list[Picture]:
        """The pictures that stand in one group with this one, itself included, newest first."""
        row = self.row_of(picture)
        if row < 0:
            return []
        first = row - self.rows[row].place
        return [one.picture for one in self.rows[first : first + self.rows[row].count] if one.picture is not None]

    # In its order, for the full screen (``app/window/full_screen.py``)

    def beside(self, picture: int, step: int) -> Picture | None:
        """The picture so many places further on in the row; None beyond its ends."""
        row = self.row_of(picture)
        if row + step >= len(self.rows):
            self.load_more()
            row = self.row_of(picture)
        return self.picture_at(row + step) if row >= 0 else None

    def end(self, place: int) -> Picture | None:
        """The first (0) or the last (-1) picture of the row."""
        shown = [row.picture for row in (self.rows[:2] if place == 0 else self.rows[-1:]) if row.picture is not None]
        return shown[0] if shown else None

    def place_of(self, picture: int) -> tuple[int, int]:
        """Its number in the row, from 1 on, and how many there are; (0, 0) when it is not there."""
        drawing = 1 if self.running is not None else 0
        row = self.row_of(picture)
        return (row + 1 - drawing, len(self.rows) - drawing) if row >= 0 else (0, 0)

    def _set(self, pictures: list[Picture]) -> None:
        self.beginResetModel()
        self._pictures = pictures
        groups = group_pictures(pictures)
        rows, titles = [], []
        if self.running is not None:
            key = self.running.request.group_key()
            if groups and groups[0].key == key:
                count = len(groups[0].pictures) + 1
                rows = [Row(None, 0, 0, count)]
                rows += [Row(p, 0, n + 1, count) for n, p in enumerate(groups[0].pictures)]
                groups = groups[1:]
            else:
                rows = [Row(None, 0, 0, 1)]
            request = self.running.request
            titles = [(narrower_titles(request.prompt, request.subject_name), time.time())]
        for number, group in enumerate(groups, start=len(titles)):
            rows += [Row(p, number, place, len(group.pictures)) for place, p in enumerate(group.pictures)]
        titles += [
            (narrower_titles(group.pictures[0].prompt, group.pictures[0].subject_name), group.created)
            for group in groups
        ]
        self.rows, self.titles = rows, titles
        self.endResetModel()

    def title(self, row: Row) -> tuple[list[str], str]:
        """The group's title, with ever fewer words after it, and when its newest picture was made, in words."""
        texts, created = self.titles[row.group]
        return [_in_words(text) for text in texts], spoken_time(created, time.time())

    def thumb(self, row: Row) -> QImage:
        """The small picture; null while there is none."""
        if row.picture is None:
            return self.running.image if self.running is not None and self.running.image is not None else QImage()
        known = self._thumbs.get(row.picture.id)
        if known is None:
            try:
                known = square(QImage.fromData(QByteArray(self.store.thumb(row.picture.id))))
            except KeyError:
                known = QImage()
            self._thumbs[row.picture.id] = known
            if len(self._thumbs) > _CACHED:
                self._thumbs.popitem(last=False)
        else:
            self._thumbs.move_to_end(row.picture.id)
        return known

    # Qt's side

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole):
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == PictureRole:
            return row.picture
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return self._spoken(row) if role == Qt.ItemDataRole.AccessibleTextRole else self._tip(row)
        return None

    def _spoken(self, row: Row) -> str:
        if row.picture is None:
            return self.tr("Drawing, {0}").format(self.running.progress if self.running is not None else "")
        return spoken_name(row.picture, row.place + 1, row.count, missing=self.is_missing(row.picture))

    def _tip(self, row: Row) -> str:
        picture = row.picture
        if picture is None:
            return self.tr("Being drawn")
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(picture.created))
        lines = [
            picture.prompt,
            self.tr("{0} × {1}, seed {2}").format(picture.width, picture.height, picture.seed),
            when,
        ]
        if picture.kept:
            lines.append(self.tr("{0} scales kept from an earlier picture").format(picture.kept))
        if picture.likeness is not None:
            lines.append(self.tr("Likeness {0}\u00a0%").format(round(100 * picture.likeness)))
        if self.is_missing(picture):
            lines.append(self.tr("The file is not where it was: {0}").format(picture.file))
        return "\n".join(lines)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if self.picture_at(index.row()) is not None:
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        return flags

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The files, and the pixels when it is one."""
        from app.system.sharing import mime_data

        chosen = [p for p in (self.picture_at(index.row()) for index in indexes) if p is not None]
        files = [picture.file for picture in chosen if not self.is_missing(picture)]
        image = read_image(files[0]) if len(files) == 1 else None
        return mime_data(files, image)
