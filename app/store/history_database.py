"""The file of the history and of what waits: opened, checked, set aside when damaged, read and written in transactions."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.store.errors import HistoryNotWritten
from app.store.picture_filter import INDEX
from engine import EchoGenError, Sentence, os_reason

log = logging.getLogger(__name__)

VERSION = 1

_IN_USE, _CLOSED = 0x45434F00, 0x45434F01
"""Application ids of the file while it is open, and after an orderly end: only what was not closed is checked as a whole,
which reads every page."""

_NOT_DAMAGED = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}
"""Primary codes of errors whose cause lies outside of the file: it is never set aside for them."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pictures (
    id INTEGER PRIMARY KEY,
    file TEXT NOT NULL UNIQUE,
    created REAL NOT NULL,
    prompt TEXT NOT NULL,
    subject_name TEXT NOT NULL,
    seed INTEGER NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bundle TEXT NOT NULL,
    group_key TEXT NOT NULL,
    kept INTEGER NOT NULL,
    seconds REAL NOT NULL,
    starred INTEGER NOT NULL DEFAULT 0,
    deleted REAL,
    thumb BLOB NOT NULL,
    likeness REAL,
    assets TEXT
);
CREATE INDEX IF NOT EXISTS by_time ON pictures (deleted, created);
CREATE TABLE IF NOT EXISTS scales (
    picture INTEGER PRIMARY KEY REFERENCES pictures (id),
    shapes TEXT NOT NULL,
    film BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS queue (
    id INTEGER PRIMARY KEY,
    request TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS queue_aside (
    id INTEGER PRIMARY KEY,
    request TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS queue_cut_outs (
    digest TEXT PRIMARY KEY,
    png TEXT NOT NULL
);
"""

COLUMNS = (
    "id, file, created, prompt, subject_name, seed, width, height, bundle, group_key, kept, seconds, starred, likeness"
)
"""Of a picture, in the order of ``Picture``."""


class HistoryDatabase:
    """One SQLite file. An instance may be used from several threads.

    Args:
        path: the file, made when missing and set aside when damaged; None keeps everything in memory.

    Attributes:
        lock: held by each call. Several reads that belong together hold it around them.
        was_damaged: the file could not be read and was set aside as "….damaged".
        was_new: there was no file, or an empty one, as a power failure may leave it.

    Raises:
        HistoryNotWritten: by the constructor: the file cannot be opened.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.was_damaged = False
        self.was_new = True
        if path is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                self.was_new = not path.exists() or path.stat().st_size == 0
            except OSError as error:
                raise _cannot_write(path, os_reason(error)) from error
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            if path is None or getattr(error, "sqlite_errorcode", 0) & 0xFF in _NOT_DAMAGED:
                raise _cannot_write(path, str(error)) from error
            log.warning("the history was damaged and is rebuilt from the pictures", exc_info=True)
            self._set_aside(path)
            self._connection = self._open()
            self.was_damaged = True

    def _set_aside(self, path: Path) -> None:
        try:
            for suffix in ("", "-wal", "-shm"):
                damaged = path.with_name(path.name + suffix)
                if damaged.exists():
                    damaged.replace(path.with_name(f"{path.name}{suffix}.damaged"))
        except OSError as error:
            raise _cannot_write(path, os_reason(error)) from error

    def _open(self) -> sqlite3.Connection:
        name = ":memory:" if self.path is None else self.path
        left_open = self.path is not None and self.path.with_name(self.path.name + "-wal").exists()
        # Nobody waits long for a window because another program holds the file; later there is more patience.
        database = sqlite3.connect(name, check_same_thread=False, timeout=1, isolation_level=None)
        try:
            if not left_open:
                # The window waits for this. Nothing of it has to be on the disk before something is recorded: a power failure
                # leaves the file as it was, or, where it was new, one that is empty or damaged and made anew.
                database.execute("PRAGMA synchronous=OFF")
            database.execute("PRAGMA journal_mode=WAL")
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError(f"history version {version}")
            (state,) = database.execute("PRAGMA application_id").fetchone()
            if (state != _CLOSED or self._is_cut_off(database)) and _quick_check(database) != "ok":
                raise sqlite3.DatabaseError("quick_check")
            database.executescript(_SCHEMA)
            _bring_up_to_date(database)
            database.execute(f"SELECT {COLUMNS}, deleted, thumb FROM pictures LIMIT 1")
            database.execute(INDEX)
            database.execute(f"PRAGMA user_version={VERSION}")
            database.execute(f"PRAGMA application_id={_IN_USE}")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute("PRAGMA busy_timeout=5000")
        except BaseException:
            database.close()
            raise
        return database

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple]:
        """Everything that a query finds. Raises ``EchoGenError`` when the file cannot be read."""
        with self.lock:
            try:
                return self._connection.execute(query, values).fetchall()
            except sqlite3.DatabaseError as error:
                raise EchoGenError(
                    Sentence("The history cannot be read: {error}.", error=error),
                    Sentence("Start the program again; your pictures are in their folder."),
                    title=Sentence("The history cannot be read"),
                ) from error

    def row(self, query: str, values: Sequence[Any] = ()) -> tuple | None:
        """The first row that a query finds, or None. Raises as ``rows``."""
        return next(iter(self.rows(query, values)), None)

    def _is_cut_off(self, database: sqlite3.Connection) -> bool:
        """Return True if the file is shorter than its header says."""
        (pages,), (page,) = (database.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size"))
        return self.path is not None and self.path.stat().st_size < pages * page

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write everything inside of it, or nothing. Raises ``HistoryNotWritten``."""
        with self.lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                except BaseException:
                    if self._connection.in_transaction:  # a full disk ends the transaction by itself
                        self._connection.execute("ROLLBACK")
                    raise
            except sqlite3.DatabaseError as error:  # also for a file that was damaged while it was open
                raise _cannot_write(self.path, str(error)) from error

    def close(self) -> None:
        """An orderly end: the next start does not check the whole file."""
        with self.lock:
            with contextlib.suppress(sqlite3.Error):  # then it is checked at the next start
                self._connection.execute(f"PRAGMA application_id={_CLOSED}")
            self._connection.close()


def _bring_up_to_date(database: sqlite3.Connection) -> None:
    """Columns that later versions added. Earlier programs go on reading the file: they ask for no more than they know."""
    columns = {row[1] for row in database.execute("PRAGMA table_info(pictures)")}
    for name, kind in (("likeness", "REAL"), ("assets", "TEXT")):
        if name not in columns:
            database.execute(f"ALTER TABLE pictures ADD COLUMN {name} {kind}")


def _quick_check(database: sqlite3.Connection) -> str:
    return database.execute("PRAGMA quick_check(1)").fetchone()[0]


def _cannot_write(path: Path | None, reason: str) -> HistoryNotWritten:
    where = "in memory" if path is None else str(path)
    return HistoryNotWritten(
        Sentence("The history {where} cannot be written: {reason}.", where=where, reason=reason),
        Sentence("Pictures are still saved to their folder and come back with “Rescan folder”."),
    )
