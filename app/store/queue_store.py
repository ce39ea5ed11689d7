"""The pictures that wait to be drawn, as rows of the history's database: nothing asked for is lost by a quit or a crash."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence

from app.store.history_database import HistoryDatabase
from engine import EchoGenError, GenerationRequest

log = logging.getLogger(__name__)


class QueueStore:
    """See the module. May be used from several threads; each call is one short transaction.

    Raises:
        CannotWrite: by everything that writes: the file cannot be written, or the disk is full.
    """

    def __init__(self, database: HistoryDatabase) -> None:
        self._database = database

    def add(self, requests: Sequence[GenerationRequest]) -> list[int]:
        """Remember pictures that wait to be drawn; returns a key for each."""
        keys = []
        with self._database.transaction() as database:
            for request in requests:
                cursor = database.execute("INSERT INTO queue (request) VALUES (?)", (json.dumps(request.to_json()),))
                keys.append(int(cursor.lastrowid or 0))
        return keys

    def remove(self, keys: Iterable[int]) -> None:
        """Forget pictures that wait no more."""
        with self._database.transaction() as database:
            database.executemany("DELETE FROM queue WHERE id=?", [(key,) for key in keys])

    def reorder(self, keys: Sequence[int]) -> list[int]:
        """Give waiting pictures another order. ``keys``: of all or some of them, in the order wanted.

        Returns:
            the keys that they have from now on, in the same order.
        """
        places = sorted(keys)
        moves = [(place, key) for place, key in zip(places, keys, strict=True) if place != key]
        with self._database.transaction() as database:
            database.executemany("UPDATE queue SET id=-? WHERE id=?", moves)
            database.execute("UPDATE queue SET id=-id WHERE id<0")
        return places

    def read(self) -> list[tuple[int, GenerationRequest]]:
        """Read the queue in its order. A row that cannot be read is passed over and forgotten."""
        rows = self._database.rows("SELECT id, request FROM queue ORDER BY id")
        found, damaged = [], []
        for key, text in rows:
            try:
                found.append((key, GenerationRequest.loads(text)))
            except (EchoGenError, TypeError):
                log.warning("a picture that waited cannot be read", exc_info=True)
                damaged.append(key)
        if damaged:
            self.remove(damaged)
        return found
