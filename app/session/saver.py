"""Finished pictures to disk without holding up the window."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.session.state import Result
from app.store.history_store import HistoryStore, Picture
from app.store.picture_files import export_beside, export_picture, keep_picture, with_suffix
from app.system import background
from engine import Finished, PhotoError
from engine.photo import save_picture, save_plain


class PictureSaver(QObject):
    """Saves into the pictures folder, and elsewhere when asked.

    Signals:
        kept(object, object): the token given to ``keep``, and the ``Picture`` in the history.
        keepFailed(object, object): the token, and the ``EchoGenError``; the picture is on the screen only.
        exported(object): the ``Path`` that was written.
        failed(object): the ``EchoGenError`` of an export.
    """

    kept = Signal(object, object)
    keepFailed = Signal(object, object)
    exported = Signal(object)
    failed = Signal(object)

    def __init__(self, store: HistoryStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self._in_turn: deque[tuple[Path, Path, bool]] = deque()
        self._exporting = False

    def keep(self, finished: Finished, token: object = None, scales: Sequence[np.ndarray | None] = ()) -> None:
        """Save a finished picture and the picture after each scale; ``token`` comes back with the answer."""
        background.run(partial(_keep, finished, self.store, token, tuple(scales)), done=self._kept)

    def export(self, source: Path, target: Path, metadata: bool = True) -> None:
        """ "Save as…": the suffix of ``target`` chooses the format."""
        background.run(
            partial(export_picture, source, target, metadata=metadata), done=self._exported, failed=self._failed
        )

    def export_all(self, named: Iterable[tuple[Path, str]], folder: Path, metadata: bool = True) -> None:
        """ "Save as…" of several files under these names; no file that is there is written over. ``exported`` tells of the last
        one. They are written one after another, so that a photo that is opened meanwhile need not wait for all of them."""
        self._in_turn += [(source, folder / name, metadata) for source, name in named]
        self._export_next()

    def _export_next(self) -> None:
        if self._in_turn and not self._exporting:
            self._exporting = True
            background.run(export_beside, *self._in_turn.popleft(), done=self._one_exported, failed=self._one_failed)

    @Slot(object)
    def _one_exported(self, target: Path) -> None:
        self._exporting = False
        if not self._in_turn:
            self.exported.emit(target)
        self._export_next()

    @Slot(object)
    def _one_failed(self, error: Exception) -> None:
        """One that is gone is told, and the others are saved; on a disk that takes nothing more no other is tried."""
        self._exporting = False
        if not isinstance(error, PhotoError):
            self._in_turn.clear()
        self.failed.emit(error)
        self._export_next()

    def write(self, result: Result, target: Path, metadata: bool = True) -> None:
        """ "Save as…" of a picture that is in no file, from what is on the screen."""
        background.run(partial(_write, result, target, metadata), done=self._exported, failed=self._failed)

    @Slot(object)
    def _kept(self, answer: tuple[object, Picture | None, Exception | None]) -> None:
        token, picture, error = answer
        if error is None:
            self.kept.emit(token, picture)
        else:
            self.keepFailed.emit(token, error)

    @Slot(object)
    def _exported(self, target: Path) -> None:
        self.exported.emit(target)

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        self.failed.emit(error)


def _write(result: Result, target: Path, metadata: bool) -> Path:
    target = with_suffix(target)
    if result.bits is not None and metadata and target.suffix.lower() == ".png":
        save_picture(target, result.image, result.request, result.bits)
    else:
        save_plain(target, result.image, dpi=result.request.resolution)
    return target


def _keep(
    finished: Finished, store: HistoryStore, token: object, scales: tuple[np.ndarray | None, ...]
) -> tuple[object, Picture | None, Exception | None]:
    try:
        return token, keep_picture(finished, store, scales), None
    except Exception as error:  # told to the user, whatever it is: the picture is not on disk
        return token, None, error
