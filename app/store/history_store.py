"""The history of finished pictures: a SQLite index over PNGs that carry everything themselves.

Losing the database loses no picture: ``rebuild`` reads it back from the files. Deleting hides a picture first; it goes to
the system's trash when the user did not take it back (``purge``), so that undo needs nothing from the trash.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from app.store.history_database import COLUMNS, HistoryDatabase
from app.store.picture_filter import Facets, PictureFilter
from app.store.queue_store import QueueStore
from app.store.thumb_bytes import FilmShape, make_film, make_thumb, read_film
from engine import CannotWrite, EchoGenError, Finite, Share, is_text, parse_json, read_value

if TYPE_CHECKING:
    import numpy as np

    from engine import GenerationRequest

log = logging.getLogger(__name__)

SCALES_KEPT = 400
"""Of so many of the newest pictures, the picture after each scale is kept: some 30 to 100 kB each."""
_AT_ONCE = 500
"""Ids in one query: fewer than any SQLite allows."""
_MAX_SHAPES = 2**16
_LATEST = 32_503_680_000
"""The year 3000: no system knows later days."""


class Picture(Struct, frozen=True):
    """One finished picture in the history.

    Attributes:
        id: key in the database.
        file: the PNG; may be missing by now (``file.exists()``).
        created: seconds since the epoch.
        group_key: the same for pictures that differ in seed and kept scales only.
        kept: how many scales were kept from an earlier picture.
        seconds: how long it took; 0 when that is not known.
        likeness: how alike its subject is to the cut-out, 0 … 1, or None where nobody measured it.
    """

    id: int
    file: Path
    created: Annotated[float, Meta(ge=0, le=_LATEST)]
    prompt: str
    subject_name: str
    seed: int
    width: int
    height: int
    bundle: str
    group_key: str
    kept: int
    seconds: Finite
    starred: bool
    likeness: Share | None = None


class HistoryStore:
    """The index. One instance may be used from several threads; each call is one short transaction.

    Args:
        path: the database file, made when missing and set aside when damaged; None keeps the index in memory, for a
            data folder that cannot be written.
        folder: the pictures folder it can be rebuilt from.

    Attributes:
        database: the file itself. Where it was damaged, or new, ``rebuild`` brings back the pictures of the folder.
        queue: what waits to be drawn, in the same file.

    Raises:
        CannotWrite: by the constructor and by everything that writes: the file cannot be opened or written, or the
            disk is full.
    """

    def __init__(self, path: Path | None, folder: Path) -> None:
        self.folder = folder
        self.database = HistoryDatabase(path)
        self.queue = QueueStore(self.database)

    def close(self) -> None:
        self.database.close()

    def add(
        self,
        file: Path,
        request: GenerationRequest,
        image: np.ndarray,
        seconds: float,
        created: float | None = None,
        likeness: float | None = None,
    ) -> Picture:
        """Record a picture that lies on disk already. ``image``: RGB uint8 (H, W, 3)."""
        height, width = image.shape[:2]
        values = (
            _stored(file),
            time.time() if created is None else created,
            request.prompt,
            request.subject_name,
            request.seed,
            width,
            height,
            request.bundle,
            request.group_key(),
            len(request.kept or ()),
            seconds,
            make_thumb(image),
            likeness,
            " ".join(request.assets),
        )
        with self.database.transaction() as database:
            cursor = database.execute(
                "INSERT OR REPLACE INTO pictures (file, created, prompt, subject_name, seed, width, height, bundle, "
                "group_key, kept, seconds, thumb, likeness, assets) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                values,
            )
        return self.get(int(cursor.lastrowid or 0))

    def get(self, picture: int) -> Picture:
        """One picture. Raises ``KeyError`` when it is gone."""
        row = self.database.row(f"SELECT {COLUMNS} FROM pictures WHERE id=?", (picture,))
        found = None if row is None else _picture(row)
        if found is None:
            raise KeyError(picture)
        return found

    def thumb(self, picture: int) -> bytes:
        """WebP bytes, at most 192 px a side. Raises ``KeyError`` when the picture is gone."""
        row = self.database.row("SELECT thumb FROM pictures WHERE id=?", (picture,))
        if row is None:
            raise KeyError(picture)
        return row[0] if isinstance(row[0], bytes) else b""

    def assets(self) -> set[str]:
        """Digests of the photos and masks that the pictures refer to, hidden ones too."""
        rows = self.database.rows("SELECT DISTINCT assets FROM pictures WHERE assets IS NOT NULL")
        return {digest for (text,) in rows for digest in str(text).split()}

    def without_assets(self, limit: int) -> list[tuple[int, Path]]:
        """Pictures of which it is not known what they refer to, with their files: earlier programs did not note it."""
        rows = self.database.rows("SELECT id, file FROM pictures WHERE assets IS NULL LIMIT ?", (limit,))
        return [(picture, _file(name)) for picture, name in rows]

    def set_assets(self, picture: int, digests: Iterable[str]) -> None:
        """Note what a picture refers to."""
        with self.database.transaction() as database:
            database.execute("UPDATE pictures SET assets=? WHERE id=?", (" ".join(digests), picture))

    def set_scales(self, picture: int, images: Sequence[np.ndarray | None]) -> None:
        """Keep the picture after each scale (RGB uint8, None where it is not known), small, so that the strip of an
        earlier picture is full without drawing it again. Those of old pictures are forgotten."""
        shapes, film = make_film(images)
        with self.database.transaction() as database:
            database.execute("INSERT OR REPLACE INTO scales VALUES (?,?,?)", (picture, json.dumps(shapes), film))
            database.execute(
                "DELETE FROM scales WHERE picture NOT IN (SELECT picture FROM scales ORDER BY picture DESC LIMIT ?)",
                (SCALES_KEPT,),
            )

    def keeps_scales_of(self, picture: int) -> bool:
        """Return True if the scales of this picture would be kept by ``set_scales``: it is one of the newest, and still
        there."""
        row = self.database.row(
            "SELECT EXISTS (SELECT 1 FROM pictures WHERE id=?) AND (SELECT COUNT(*) FROM scales WHERE picture>?) < ?",
            (picture, picture, SCALES_KEPT),
        )
        return row is not None and bool(row[0])

    def scales(self, picture: int) -> tuple[np.ndarray | None, ...]:
        """The pictures ``set_scales`` kept, at most 256 px a side; empty when there are none."""
        row = self.database.row("SELECT shapes, film FROM scales WHERE picture=?", (picture,))
        if row is None:
            return ()
        try:
            return read_film(read_value(parse_json(row[0], _MAX_SHAPES), list[FilmShape]), row[1])
        except (ValueError, OSError, TypeError):
            log.warning("the scales of picture %d cannot be read", picture, exc_info=True)
            return ()

    def find(self, file: Path) -> Picture | None:
        """The entry of a file, or None."""
        row = self.database.row(f"SELECT {COLUMNS} FROM pictures WHERE file=? AND deleted IS NULL", (_stored(file),))
        return None if row is None else _picture(row)

    def pictures(
        self, search: str = "", starred: bool = False, limit: int = 100_000, *, most_alike: bool = False
    ) -> list[Picture]:
        """Newest first. ``search``: every word has to occur in the prompt or the subject's name.

        Args:
            most_alike: the most alike first instead; those that nobody measured come last.
        """
        return self.read(self.ids(PictureFilter(search, starred), limit, most_alike=most_alike))

    def ids(self, wanted: PictureFilter, limit: int = -1, *, most_alike: bool = False) -> list[int]:
        """Ids of the pictures that a filter lets through, newest first; quick for any number of them.

        Args:
            most_alike: as for ``pictures``.
        """
        where, values = wanted.where()
        index = "INDEXED BY by_filter" if wanted.filters_rows() else "INDEXED BY by_time"
        order = "created DESC"
        if most_alike:
            index, order = "", "likeness IS NULL, likeness DESC, created DESC"
        query = f"SELECT id FROM pictures {index} WHERE {where} ORDER BY {order}, id DESC LIMIT ?"
        return [row[0] for row in self.database.rows(query, (*values, limit))]

    def read(self, ids: Sequence[int]) -> list[Picture]:
        """Pictures by their ids, in the same order; those that are gone are left out."""
        found: dict[int, Picture] = {}
        for start in range(0, len(ids), _AT_ONCE):
            part = ids[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self.database.rows(f"SELECT {COLUMNS} FROM pictures WHERE id IN ({marks})", part)
            found |= {picture.id: picture for row in rows if (picture := _picture(row)) is not None}
        return [found[picture] for picture in ids if picture in found]

    def facets(self) -> Facets:
        """The values the pictures can be filtered by."""

        def counted(column: str, order: str) -> tuple[tuple[str, int], ...]:
            query = f"SELECT {column}, COUNT(*) FROM pictures WHERE deleted IS NULL GROUP BY 1 ORDER BY {order}"
            return tuple((value, count) for value, count in self.database.rows(query) if isinstance(value, str))

        with self.database.lock:
            days = counted("date(created, 'unixepoch', 'localtime')", "1 DESC")
            subjects, bundles = counted("subject_name", "2 DESC"), counted("bundle", "2 DESC")
        return Facets(subjects, bundles, days)

    def star(self, pictures: Iterable[int], starred: bool) -> None:
        with self.database.transaction() as database:
            database.executemany("UPDATE pictures SET starred=? WHERE id=?", [(starred, p) for p in pictures])

    def delete(self, pictures: Iterable[int]) -> None:
        """Hide pictures; ``restore`` brings them back until ``purge`` moves their files to the trash."""
        self._set_deleted(pictures, time.time())

    def restore(self, pictures: Iterable[int]) -> None:
        self._set_deleted(pictures, None)

    def _set_deleted(self, pictures: Iterable[int], when: float | None) -> None:
        with self.database.transaction() as database:
            database.execute(
                "UPDATE pictures SET deleted=? WHERE id IN (SELECT value FROM json_each(?))",
                (when, json.dumps(list(pictures))),
            )

    def purge(self, trash: Callable[[str], object] | None = None) -> list[Path]:
        """Move the files of deleted pictures to the system's trash and forget them; returns what could not be moved.

        A file that cannot be moved comes back into the history: nothing disappears without being in the trash.
        """
        move = trash if trash is not None else _system_trash
        failed: list[Path] = []
        for identifier, name in self.database.rows("SELECT id, file FROM pictures WHERE deleted IS NOT NULL"):
            file = _file(name)
            try:
                if file.exists():
                    move(str(file))
            except Exception:  # every platform's trash raises its own kinds
                log.warning("%s could not be moved to the trash", file, exc_info=True)
                failed.append(file)
                self.restore([identifier])
                continue
            self.forget(identifier)
        return failed

    def forget(self, picture: int) -> None:
        """Remove an entry whose file is gone; touches no file."""
        with self.database.transaction() as database:
            database.execute("DELETE FROM pictures WHERE id=?", (picture,))
            database.execute("DELETE FROM scales WHERE picture=?", (picture,))

    def relocate(self, picture: int, file: Path) -> None:
        """The user says where a missing file is now."""
        with self.database.transaction() as database:
            database.execute("UPDATE OR REPLACE pictures SET file=? WHERE id=?", (_stored(file), picture))

    def rebuild(self) -> int:
        """Adopt every EchoGen PNG of the folder that the index does not know; returns how many were added.

        Files of other programs and damaged ones are passed over.
        """
        from engine.photo import load_photo, read_picture_file

        known = {_file(row[0]) for row in self.database.rows("SELECT file FROM pictures")}
        files = [file for file in sorted(self.folder.glob("*.png")) if file not in known]
        added = 0
        for file in files:
            try:
                found = read_picture_file(file)
                image = load_photo(file).rgb
                self.add(file, found.request, image, 0.0, file.stat().st_mtime, found.likeness)
                added += 1
            except CannotWrite:
                raise
            except Exception as error:  # one bad file must not hide those behind it
                expected = isinstance(error, EchoGenError | OSError)
                log.info("%s is no picture of ours", file.name, exc_info=not expected)
        return added


def _stored(file: Path) -> str | bytes:
    """A path as the database holds it: text, or the bytes of a name that is in another encoding."""
    return str(file) if is_text(str(file)) else os.fsencode(file)


def _file(stored: str | bytes) -> Path:
    return Path(os.fsdecode(stored))


def _picture(row: tuple) -> Picture | None:
    """A row as a picture; None, and a line in the log, for one that this program cannot have written."""
    values = dict(zip(Picture.__struct_fields__, row, strict=True))
    try:
        file = _file(values["file"])
        if "\0" in str(file):
            raise ValueError("no path")
        return read_value({**values, "file": file, "starred": bool(values["starred"])}, Picture)
    except (TypeError, ValueError) as error:
        log.warning("a row of the history cannot be read: %s: %s", row[0], error)
        return None


def _system_trash(name: str) -> None:
    from send2trash import send2trash

    send2trash(name)
