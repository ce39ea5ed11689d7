"""The queue as rows of a list: what is drawn, what waits, what is held. Dragging a row gives it another place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QByteArray, QMimeData, QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QImage

from app.language import sentences
from app.look.pixels import to_image
from app.session.queue import PictureQueue
from app.session.waiting_line import QueueEntry
from engine import CutOut

EntryRole = Qt.ItemDataRole.UserRole + 1
_DRAGGED = "application/x-echogen-queue"
_SIDE = 88
"""Pixels of a thumbnail: twice what is shown."""

Index = QModelIndex | QPersistentModelIndex


class QueueModel(QAbstractListModel):
    """Follows the queue. A row is a ``QueueEntry``."""

    def __init__(self, queue: PictureQueue) -> None:
        super().__init__()
        self._queue = queue
        self.entries: tuple[QueueEntry, ...] = ()
        self._thumbs: dict[int, tuple[CutOut, QImage]] = {}
        queue.changed.connect(self.follow)
        self.follow()

    @Slot()
    def follow(self) -> None:
        """Show what is in the queue now; an unchanged row keeps its selection."""
        fresh = self._queue.entries()
        if [_key(entry) for entry in fresh] == [_key(entry) for entry in self.entries]:
            return
        self.layoutAboutToBeChanged.emit()
        kept = [(index, self.entries[index.row()].number) for index in self.persistentIndexList()]
        rows = {entry.number: row for row, entry in enumerate(fresh)}
        self.entries = fresh
        for index, number in kept:
            row = rows.get(number, -1)
            self.changePersistentIndex(index, self.index(row) if row >= 0 else QModelIndex())
        used = {id(entry.request.subject) for entry in fresh}
        self._thumbs = {key: thumb for key, thumb in self._thumbs.items() if key in used}
        self.layoutChanged.emit()

    def row_of(self, number: int) -> int:
        """The row of an entry, or -1."""
        return next((row for row, entry in enumerate(self.entries) if entry.number == number), -1)

    def thumb(self, entry: QueueEntry) -> QImage:
        """The subject on white; null for a request without one. Pictures of one subject share it."""
        subject = entry.request.subject
        if subject is None:
            return QImage()
        known = self._thumbs.get(id(subject))
        if known is None:
            image = to_image(subject.rgb).scaled(
                _SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            known = self._thumbs[id(subject)] = (subject, image)
        return known[1]

    def words(self, entry: QueueEntry) -> str:
        """The state of an entry in words: "Drawing", "Waiting", "Paused", or why it failed."""
        if entry.problem is not None:
            return self.tr("Failed: {0}").format(sentences.title_inside(entry.problem))
        return {
            "drawing": self.tr("Drawing"),
            "waiting": self.tr("Waiting"),
            "held": self.tr("Paused"),
        }[entry.phase]

    # Qt's side

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.entries)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole):
        if not index.isValid() or index.row() >= len(self.entries):
            return None
        entry = self.entries[index.row()]
        if role == EntryRole:
            return entry
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.words(entry)}, {entry.request.prompt}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return "\n".join([entry.request.prompt, self.tr("Seed {0}").format(entry.request.seed), self.words(entry)])
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.ItemIsDropEnabled  # between two rows
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        drawn = self.entries[index.row()].phase == "drawing"
        return flags if drawn else flags | Qt.ItemFlag.ItemIsDragEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_DRAGGED]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        numbers = [str(self.entries[index.row()].number) for index in sorted(indexes, key=lambda index: index.row())]
        data.setData(_DRAGGED, QByteArray(" ".join(numbers).encode()))
        return data

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        if action != Qt.DropAction.MoveAction or not data.hasFormat(_DRAGGED):
            return False
        before = self.entries[row].number if 0 <= row < len(self.entries) else None
        for number in bytes(data.data(_DRAGGED).data()).decode().split():
            self._queue.move(int(number), before)
        return True


def _key(entry: QueueEntry) -> tuple[int, str]:
    return entry.number, entry.phase
