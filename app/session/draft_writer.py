"""Writes what is done in an open editor to disk, shortly after every change."""

from __future__ import annotations

import logging

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance, Slot

from app.mask.drafts import Draft, DraftStore
from app.mask.mask_session import MaskSession
from app.system import background
from engine import EchoGenError

log = logging.getLogger(__name__)

_AFTER_MS = 250
"""So long after the first change that is not on disk, whatever else is changed meanwhile."""


class DraftWriter(QObject):
    """Follows one open editor at a time.

    Signals:
        working(str): what is done in the editor is about to be written under this key.
        late(str): a draft was written after its editor was closed.
    """

    working = Signal(str)
    late = Signal(str)

    def __init__(self, store: DraftStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self.session: MaskSession | None = None
        self.key = ""
        self.frozen = self._told = False
        self._writing: MaskSession | None = None
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(_AFTER_MS)
        self._timer.timeout.connect(self._write)

    def follow(self, session: MaskSession | None, key: str = "") -> None:
        """Another editor is open now, or none. ``key``: the name of its draft, 64 hexadecimal digits."""
        if session is self.session:
            return
        if self.session is not None:
            for signal in _changes(self.session):
                signal.disconnect(self._touch)
            self._timer.stop()
        self.session, self.key = session, key
        if session is not None:
            for signal in _changes(session):
                signal.connect(self._touch)

    @Slot()
    @Slot(object)
    def _touch(self, rect: object = None) -> None:
        if not self._timer.isActive() and self._writing is None:
            self._timer.start()

    @Slot()
    def _write(self) -> None:
        draft = self._draft()
        if draft is not None:
            self._writing = self.session
            background.run(_save, self._store, draft, done=self._written, failed=self.not_written)

    def _draft(self) -> Draft | None:
        session = self.session
        if session is None:
            return None
        document = session.document
        if not (document.undo_label or document.painting) and session.placement is None:
            return None
        self.working.emit(self.key)
        return Draft(self.key, document.lend(), document.marks, session.placement)

    @Slot(object)
    def _written(self, draft: Draft) -> None:
        written, self._writing = self._writing, None
        if self.session is not written:
            self.late.emit(draft.name)
            if self.session is not None:  # what was done there meanwhile waited, and may be just what was let go
                self._timer.start()
            return
        assert self.session is not None
        document = self.session.document
        same = document.is_base(draft.base) and document.marks == draft.marks
        if document.painting or not same or self.session.placement != draft.placement:
            self._timer.start()

    @Slot(object)
    def not_written(self, error: Exception) -> None:
        """Said once: the work goes on without its copy on disk."""
        self._writing = None
        if not self._told:
            log.error("work in an open editor cannot be kept on disk: %s", error)
            self._told = True

    def freeze(self) -> None:
        """Write no more: what is on disk stays as it is."""
        self._timer.stop()
        self.frozen = True

    def keep_now(self) -> None:
        """The program ends with its editor open: what was done there waits for the next start."""
        self._timer.stop()
        if self.session is not None:
            self.session.document.end_stroke()
            self.session.settle()
        draft = self._draft()
        self.freeze()
        if draft is not None:
            try:
                self._store.save(draft)
            except EchoGenError as error:
                self.not_written(error)


def _changes(session: MaskSession) -> tuple[SignalInstance, ...]:
    return session.marksChanged, session.pixelsChanged, session.placementChanged


def _save(store: DraftStore, draft: Draft) -> Draft:
    store.save(draft)
    return draft
