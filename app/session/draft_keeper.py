"""Keeps what is done in an open editor on disk, and offers it after a quit or a crash.

A draft is written shortly after every change. It goes when the work is discarded, or when it was used and is on disk as the
subject's own mask; what is left at the next start waits until its photo is there. Like the mask it belongs to one photo of one
card: the same photo on another card has a draft of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.mask.drafts import Draft, DraftStore
from app.mask.mask_session import MaskSession
from app.session.draft_writer import DraftWriter
from app.session.keeper import SessionKeeper
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.system import background


@dataclass(frozen=True, eq=False)
class _Used:
    """Work that was used: the subject, and the mask it had before."""

    key: int
    before: np.ndarray | None


class DraftKeeper(QObject):
    """See the module.

    Signals:
        offerChanged: ``offer`` is another draft, or none.
    """

    offerChanged = Signal()

    def __init__(
        self,
        state: SessionState,
        subjects: Subjects,
        keeper: SessionKeeper,
        store: DraftStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._subjects, self._keeper, self._store = state, subjects, keeper, store
        self._left: set[str] = set()
        self._found: dict[str, Draft] = {}
        self._reading: set[str] = set()
        self._used: dict[str, _Used] = {}
        self._writer = DraftWriter(store, self)
        self._writer.working.connect(self._work_goes_on)
        self._writer.late.connect(self._clear_unless_used)
        subjects.editingChanged.connect(self._follow)
        subjects.editUsed.connect(self._is_used)
        keeper.saved.connect(self._forget_used)
        for signal in (state.photoChanged, state.maskChanged):
            signal.connect(self._read_those_on_shelf)

    # While an editor is open

    @Slot()
    def _follow(self) -> None:
        """An editor was opened or closed."""
        writer = self._writer
        before, session = writer.session, self._subjects.editing
        if writer.frozen or before is session:
            return
        subject, left = self._subjects.edited, writer.key
        writer.follow(session, subject.draft if subject is not None else "")
        if before is not None:
            self._clear_unless_used(left)  # discarded; the window can bring it back for a while
        if session is not None:
            self._take_up(session)

    @Slot(str)
    def _work_goes_on(self, name: str) -> None:
        self._used.pop(name, None)

    @Slot(str)
    def _clear_unless_used(self, name: str) -> None:
        if name not in self._used:
            self._store.clear(name)

    def keep_now(self) -> None:
        """The program ends with its editor open: what was done there waits for the next start."""
        self._writer.keep_now()

    # After it was used

    @Slot(int)
    def _is_used(self, key: int) -> None:
        """The work becomes the subject's mask. Its draft stays until that mask is on disk."""
        session, subject = self._writer.session, self._state.subject_with(key)
        if session is not None and subject is not None:
            self._used[subject.draft] = _Used(key, subject.mask)

    @Slot()
    def _forget_used(self) -> None:
        for name, used in list(self._used.items()):
            subject = self._state.subject_with(used.key)
            if subject is None or (subject.mask is not used.before and self._keeper.holds(subject)):
                del self._used[name]
                self._store.clear(name)

    # After a start

    def restore(self) -> None:
        """See what was left; it is offered as soon as its photo is there."""
        self._left = self._store.names()
        self._read_those_on_shelf()

    @Slot()
    def _read_those_on_shelf(self) -> None:
        if not self._left:
            return
        for subject in self._state.subjects:
            name = subject.draft if subject.photo is not None else ""
            if name in self._left and name not in self._reading and not subject.finding:
                self._reading.add(name)
                background.run(_load, self._store, name, subject.mask, done=self._read)
        self.offerChanged.emit()

    @Slot(object)
    def _read(self, read: tuple[str, Draft | None]) -> None:
        name, draft = read
        self._reading.discard(name)
        self._left.discard(name)
        if draft is None:
            self._store.clear(name)
        else:
            self._found[name] = draft
            session = self._writer.session
            if session is not None and self._writer.key == name:
                self._take_up(session)
        self.offerChanged.emit()

    @property
    def offer(self) -> Draft | None:
        """The work on the current subject's cut-out that was not finished at the last end, or None."""
        subject = self._state.subject
        return self._found.get(subject.draft) if subject is not None and subject.photo is not None else None

    @property
    def expected(self) -> bool:
        """True while there is, or may be, such work on the current subject's cut-out: it is offered as soon as it is read."""
        subject = self._state.subject
        if subject is None or not (subject.photo is not None or subject.coming):
            return False
        return subject.draft in self._left or subject.draft in self._found

    def drop(self) -> Draft | None:
        """Forget what is offered; returns it for ``bring_back``."""
        draft = self.offer
        if draft is not None:
            del self._found[draft.name]
            self._store.clear(draft.name)
            self.offerChanged.emit()
        return draft

    def bring_back(self, draft: Draft) -> None:
        """Dropping it was a slip: offer it again."""
        self._found[draft.name] = draft
        background.run(self._store.save, draft, failed=self._writer.not_written)
        self.offerChanged.emit()

    def _take_up(self, session: MaskSession) -> None:
        """An editor opens for a photo whose work was not finished: it goes on there, as one step that can be undone."""
        draft = self._found.pop(self._writer.key, None)
        if draft is not None:
            session.take_work(draft.base, draft.marks, "Edit cut-out")
            self.offerChanged.emit()


def _load(store: DraftStore, name: str, mask: np.ndarray | None) -> tuple[str, Draft | None]:
    """A draft; None when it is damaged, of another size, or what the mask is already."""
    draft = store.load(name)
    if draft is None or (mask is not None and (draft.base.shape != mask.shape or np.array_equal(draft.mask(), mask))):
        return name, None
    return name, draft
