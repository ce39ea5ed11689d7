"""The pictures of the gallery as rows: all ids are known, a picture is read when somebody looks at it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from PySide6.QtCore import QMimeData, QModelIndex, QPersistentModelIndex, QStringListModel, Qt

from app.history.groups import spoken_name
from app.history.model import PictureRole
from app.look.pixels import read_image
from app.store.history_store import HistoryStore, Picture
from app.store.picture_filter import PictureFilter
from app.system.sharing import mime_data

_PAGE = 64
_PAGES = 80
_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsDragEnabled
"""Put together once: a view asks for them with every picture it paints."""

Index = QModelIndex | QPersistentModelIndex


class GalleryModel(QStringListModel):
    """Newest first, or the most alike, as a filter lets them through.

    Qt's own list of strings, all of them empty, counts the rows: a view asks for their number several times a row whenever it
    is laid out, 100,000 times for 25,000 pictures, which Python answers too slowly.
    """

    def __init__(self, store: HistoryStore) -> None:
        super().__init__()
        self.store = store
        self.filter = PictureFilter()
        self.most_alike = False
        self.missing: frozenset[int] = frozenset()
        self._ids: list[int] = []
        self._starred: frozenset[int] = frozenset()
        self._rows: dict[int, int] = {}
        self._pages: OrderedDict[int, dict[int, Picture]] = OrderedDict()
        self._in_view = (0, 0)

    def set_filter(self, wanted: PictureFilter) -> None:
        """Show other pictures."""
        if wanted != self.filter:
            self.filter = wanted
            self._show()

    def set_most_alike(self, on: bool) -> None:
        """The most alike first, or the newest."""
        if on != self.most_alike:
            self.most_alike = on
            self._show()

    def reload(self) -> None:
        """Ask the store anew. When the same pictures are there, only what is known of them is read again."""
        self._starred = frozenset(self.store.ids(PictureFilter(starred=True)))
        self._show()

    def _show(self) -> None:
        ids = self.store.ids(self.filter, most_alike=self.most_alike)
        self._pages.clear()
        if ids == self._ids:
            if ids:
                self.dataChanged.emit(self.index(0), self.index(len(ids) - 1))
            return
        self._ids, self._rows = ids, {picture: row for row, picture in enumerate(ids)}
        self.setStringList([""] * len(ids))

    # Pictures

    def id_at(self, row: int) -> int | None:
        return self._ids[row] if 0 <= row < len(self._ids) else None

    def picture_at(self, row: int) -> Picture | None:
        """The picture of a row; None beyond the ends, and for one that was forgotten meanwhile."""
        if not 0 <= row < len(self._ids):
            return None
        page = row // _PAGE
        known = self._pages.get(page)
        if known is None:
            ids = self._ids[page * _PAGE : (page + 1) * _PAGE]
            known = self._pages[page] = {picture.id: picture for picture in self.store.read(ids)}
            while len(self._pages) > _PAGES:
                self._pages.popitem(last=False)
        return known.get(self._ids[row])

    def row_of(self, picture: int) -> int:
        """The row of a picture by its id, or -1."""
        return self._rows.get(picture, -1)

    def read(self, rows: Sequence[int]) -> list[Picture]:
        """Many pictures at once."""
        return self.store.read(self.ids_of(rows))

    def ids_of(self, rows: Iterable[int]) -> list[int]:
        """The ids of many pictures."""
        return [self._ids[row] for row in rows if row < len(self._ids)]

    def set_in_view(self, first: int, last: int) -> None:
        """Have the thumbnails of these rows unpacked first: they are in view."""
        self._in_view = first, last + 1

    def pictures(self) -> Sequence[Picture]:
        """Those in view: whether the files of all are there is not looked at."""
        found = (self.picture_at(row) for row in range(*self._in_view))
        return [picture for picture in found if picture is not None]

    def set_missing(self, missing: Iterable[int]) -> None:
        missing = frozenset(missing)
        if missing != self.missing and self._ids:
            self.missing = missing
            self.dataChanged.emit(self.index(0), self.index(len(self._ids) - 1))

    def is_missing(self, picture: Picture) -> bool:
        return picture.id in self.missing

    def is_starred(self, picture: int) -> bool:
        """Return True if the picture of an id has a star."""
        return picture in self._starred

    def previous_of(self, picture: Picture) -> Picture | None:
        """The next older picture, when it is one of the same request; in another order nobody knows which that is."""
        if self.most_alike:
            return None
        other = self.picture_at(self.row_of(picture.id) + 1)
        same = other is not None and other.group_key == picture.group_key and not self.is_missing(other)
        return other if same else None

    # In its order, for the full screen

    def beside(self, picture: int, step: int) -> Picture | None:
        row = self.row_of(picture)
        return self.picture_at(row + step) if row >= 0 else None

    def end(self, place: int) -> Picture | None:
        return self.picture_at(0 if place == 0 else len(self._ids) - 1)

    def place_of(self, picture: int) -> tuple[int, int]:
        row = self.row_of(picture)
        return (row + 1, len(self._ids)) if row >= 0 else (0, 0)

    # Qt's side

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole):
        if role not in (PictureRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return None
        picture = self.picture_at(index.row()) if index.isValid() else None
        if picture is None:
            return None
        if role == PictureRole:
            return picture
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return spoken_name(picture, index.row() + 1, len(self._ids), missing=self.is_missing(picture))
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(picture.created))
        size = self.tr("{0} × {1}, seed {2}").format(picture.width, picture.height, picture.seed)
        return "\n".join([picture.prompt, size, when])

    def flags(self, index: Index) -> Qt.ItemFlag:
        return _FLAGS

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """The files, and the pixels when it is one."""
        files = [picture.file for picture in self.read([index.row() for index in indexes])]
        return mime_data(files, read_image(files[0]) if len(files) == 1 else None)
