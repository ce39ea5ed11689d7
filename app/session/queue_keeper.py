"""Keeps what waits to be drawn on disk: nothing that was asked for is lost by a quit or a crash.

A picture leaves the table when it is in the history, or when the user stops it; what is left comes back paused.
"""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, Slot

from app.session.queue import PictureQueue
from app.session.saver import PictureSaver
from app.session.state import SessionState
from app.store.queue_store import QueueStore
from engine import EchoGenError, Finished, GenerationRequest, ScaleBits

log = logging.getLogger(__name__)


class QueueKeeper(QObject):
    """See the module. To be made before anybody else hears ``queue.finished``.

    Args:
        saver: tells when a finished picture is in the history.
    """

    def __init__(
        self,
        state: SessionState,
        queue: PictureQueue,
        saver: PictureSaver,
        store: QueueStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._queue, self._store = queue, store
        self._rows: dict[int, tuple[GenerationRequest, int]] = {}
        self._saving: dict[int, tuple[ScaleBits, int]] = {}
        self._frozen = False
        queue.changed.connect(self._follow)
        queue.finishing.connect(self._finishing)
        saver.kept.connect(self._kept)

    def restore(self) -> int:
        """Bring back what was left, paused; returns how many pictures. ``unreadable`` says how many more there were."""
        found = self._store.read()
        for key, request in found:
            self._rows[id(request)] = (request, key)
        self._queue.hold([request for _, request in found])
        return len(found)

    @property
    def unreadable(self) -> int:
        """The number of waiting pictures that could not be brought back."""
        return self._store.unreadable

    def freeze(self) -> None:
        """The program ends: what is stopped from here on comes back at the next start."""
        self._frozen = True

    @Slot()
    def _follow(self) -> None:
        if self._frozen:
            return
        wanted = {id(request): request for request in self._queue.unfinished()}
        gone = [number for number in self._rows if number not in wanted]
        fresh = [request for number, request in wanted.items() if number not in self._rows]
        order = [self._rows[number][1] for number in wanted if number in self._rows]
        if not gone and not fresh and order == sorted(order):
            return
        try:
            self._store.remove([self._rows[number][1] for number in gone])
            for number in gone:
                del self._rows[number]
            for request, key in zip(fresh, self._store.add(fresh), strict=True):
                self._rows[id(request)] = (request, key)
            self._reorder([self._rows[number] for number in wanted])
        except EchoGenError as error:
            log.error("what waits cannot be kept: %s", error)

    def _reorder(self, rows: list[tuple[GenerationRequest, int]]) -> None:
        """Note the order of the queue, so that it comes back in it."""
        keys = [key for _, key in rows]
        if keys != sorted(keys):
            for (request, _), key in zip(rows, self._store.reorder(keys), strict=True):
                self._rows[id(request)] = (request, key)

    @Slot(object, object)
    def _finishing(self, request: GenerationRequest, event: Finished) -> None:
        """A picture is drawn: it stays in the table until it is in the history."""
        row = self._rows.pop(id(request), None)
        if row is not None:
            self._saving[id(event.bits)] = (event.bits, row[1])

    @Slot(object, object)
    def _kept(self, event: Finished, picture: object) -> None:
        # By its bits: a picture that is put into a photo is saved as another event.
        saving = self._saving.pop(id(event.bits), None)
        if saving is not None:
            try:
                self._store.remove([saving[1]])
            except EchoGenError as error:
                log.error("a finished picture stays in the queue: %s", error)
