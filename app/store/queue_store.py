"""The pictures that wait to be drawn, as rows of the history's database: nothing asked for is lost by a quit or a crash.

A row is a request as JSON. The pixels of its cut-outs, which are nearly all of it, are kept once for all rows of a subject: in
the row stands their digest.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from app.store.history_database import HistoryDatabase
from engine import EchoGenError

if TYPE_CHECKING:
    from engine import GenerationRequest

log = logging.getLogger(__name__)

_REFERENCE = re.compile(r'"png": "#([0-9a-f]{64})"')


class QueueStore:
    """See the module. May be used from several threads; each call is one short transaction.

    Attributes:
        unreadable: how many rows the last ``read`` could not read, and had not met before.

    Raises:
        CannotWrite: by everything that writes: the file cannot be written, or the disk is full.
    """

    def __init__(self, database: HistoryDatabase) -> None:
        self._database = database
        self.unreadable = 0

    def add(self, requests: Sequence[GenerationRequest]) -> list[int]:
        """Remember pictures that wait to be drawn; returns a key for each."""
        keys, digests = [], dict[str, str]()
        with self._database.transaction() as database:
            for request in requests:
                row = _packed(request, digests)
                cursor = database.execute("INSERT INTO queue (request) VALUES (?)", (row,))
                keys.append(int(cursor.lastrowid or 0))
            kept = [(digest, png) for png, digest in digests.items()]
            database.executemany("INSERT OR IGNORE INTO queue_cut_outs VALUES (?, ?)", kept)
        return keys

    def remove(self, keys: Iterable[int]) -> None:
        """Forget pictures that wait no more."""
        with self._database.transaction() as database:
            database.executemany("DELETE FROM queue WHERE id=?", [(key,) for key in keys])
            unnamed = " AND ".join(
                f"NOT EXISTS (SELECT 1 FROM {table} WHERE instr(request, digest))" for table in ("queue", "queue_aside")
            )
            database.execute(f"DELETE FROM queue_cut_outs WHERE {unnamed}")

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
        """Read the queue in its order. A row that cannot be read is set aside; it comes back at the end of the queue as soon
        as a program reads it, which may be a newer one."""
        self._take_back()
        rows = self._database.rows("SELECT id, request FROM queue ORDER BY id")
        found, damaged = [], []
        for key, text in rows:
            request = self._request(text)
            if request is None:
                log.warning("a picture that waited cannot be read: %.200s", text)
                damaged.append(key)
            else:
                found.append((key, request))
        self.unreadable = len(damaged)
        if damaged:
            with self._database.transaction() as database:
                for key in damaged:
                    database.execute("INSERT INTO queue_aside (request) SELECT request FROM queue WHERE id=?", (key,))
                    database.execute("DELETE FROM queue WHERE id=?", (key,))
        return found

    def _take_back(self) -> None:
        rows = self._database.rows("SELECT id, request FROM queue_aside ORDER BY id")
        readable = [key for key, text in rows if self._request(text) is not None]
        if readable:
            with self._database.transaction() as database:
                for key in readable:
                    database.execute("INSERT INTO queue (request) SELECT request FROM queue_aside WHERE id=?", (key,))
                    database.execute("DELETE FROM queue_aside WHERE id=?", (key,))

    def _request(self, text: str) -> GenerationRequest | None:
        """A row as the request it was, or None."""
        from engine import GenerationRequest

        try:
            return GenerationRequest.loads(_REFERENCE.sub(self._cut_out, text))
        except (EchoGenError, TypeError):
            return None

    def _cut_out(self, reference: re.Match[str]) -> str:
        found = self._database.row("SELECT png FROM queue_cut_outs WHERE digest=?", (reference[1],))
        return f'"png": "{found[0]}"' if found else reference[0]


def _packed(request: GenerationRequest, digests: dict[str, str]) -> str:
    """A request as a row. ``digests``: of the pixels that are known already; those of this one are added."""
    import hashlib  # not at the head of the file: it loads OpenSSL, and the window would wait for that

    data = request.to_json()
    for cut_out in filter(None, (data["subject"], *data.get("views", ()))):
        png = cut_out["png"]
        if png not in digests:
            digests[png] = hashlib.sha256(png.encode()).hexdigest()
        cut_out["png"] = f"#{digests[png]}"
    return json.dumps(data)
