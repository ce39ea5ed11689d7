"""Keeps what is marked on a picture (a region to redraw, something to cut out) and where the subject stands in it until it is
used or let go.

Opened again over the same picture after a quit or a crash, its editor goes on with what was marked, as one step that can be
undone.
"""

from __future__ import annotations

import hashlib

from PySide6.QtCore import QObject, Slot

from app.mask.drafts import DraftStore
from app.mask.mask_session import MaskSession
from app.mask.strokes import MaskMarks
from app.session.draft_writer import DraftWriter


class PictureDrafts(QObject):
    """See the module. ``store``: where drafts are kept, with those of the subjects."""

    def __init__(self, store: DraftStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._writer = DraftWriter(store, self)
        self._writer.late.connect(self._forget)

    def begin(self, session: MaskSession, purpose: str) -> bool:
        """An editor opens over a picture.

        Args:
            purpose: for what it is marked: the same picture may have a draft for each.

        Returns:
            whether it goes on with work that was left.
        """
        key = hashlib.sha256(f"{purpose} {session.photo.digest}".encode()).hexdigest()
        left = self._store.load(key)
        fits = left is not None and left.base.shape == session.document.mask.shape
        if left is not None and fits:
            session.place(left.placement)
            if left.base.any() or left.marks != MaskMarks():
                session.take_work(left.base, left.marks, "Go on with what was marked")
        self._writer.follow(session, key)
        return fits

    def end(self) -> None:
        """It was closed: what was marked is used, or let go."""
        if self._writer.frozen or self._writer.session is None:
            return
        key = self._writer.key
        self._writer.follow(None)
        self._forget(key)

    def keep_now(self) -> None:
        """The program ends, perhaps with an editor open."""
        self._writer.keep_now()

    @Slot(str)
    def _forget(self, key: str) -> None:
        self._store.clear(key)
