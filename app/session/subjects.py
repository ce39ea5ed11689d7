"""Keeps the state's subjects: finds what is in their photos, holds the masks being edited, has their cut-outs follow.

The panel and the editor show what lies here; neither loads nor composes anything itself. Photos come in by ``photo_reading.py``,
cut-outs are made by ``composing.py``. Used from the window's thread; all slow work is done in other threads.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot

from app.mask.document import MaskDocument
from app.mask.mask_session import MaskSession
from app.mask.worker import MaskService, hosted_segmenter
from app.session.composing import Composing
from app.session.photo_reading import PhotoReading
from app.session.state import SessionState
from app.session.subject_shelf import Subject
from app.session.subject_work import OnDemand, find, prepare
from app.system import background
from app.system.deferred import PAINTED_MS
from engine import EchoGenError, Sentence
from engine.photo import Hint

if TYPE_CHECKING:
    import numpy as np

    from app.mask.worker import SegmenterLike
    from app.session.subject_work import Composed, Found
    from engine.photo import SubjectProposal

PUBLISH_AFTER_MS = 120
_SESSIONS = 3
"""Masks of so many subjects keep their undo; the others keep only the mask."""


class Subjects(QObject):
    """See the module.

    Args:
        factory: makes the segmenter, in a thread, while the first photo is read; None takes what is installed.

    Signals:
        sessionChanged: ``session`` is another one, or none.
        editingChanged: ``editing`` is another one, or none.
        composed: the current subject's cut-out is what its mask says again.
        editUsed(int): what was edited becomes the mask of the subject with this key.
        failed: an ``EchoGenError`` for the banner.

    Attributes:
        reading: opens photos and puts them on the shelf.
    """

    sessionChanged = Signal()
    editingChanged = Signal()
    composed = Signal()
    editUsed = Signal(int)
    failed = Signal(object)

    def __init__(
        self,
        state: SessionState,
        factory: Callable[[], SegmenterLike] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent or state)
        self.state = state
        self._segmenter = OnDemand(factory or partial(hosted_segmenter, lambda: state.settings))
        self.service = MaskService(self._segmenter.get, self)
        # The segmenter is made while the first photo is read, which is looked at as soon as it is there.
        self.reading = PhotoReading(state, self._segmenter.get, self)
        self.reading.failed.connect(self.failed)
        self._composing = Composing(state, self)
        self._composing.made.connect(self._composed)
        self._sessions: OrderedDict[int, MaskSession] = OrderedDict()
        self._published: dict[int, np.ndarray] = {}
        self._revisions: dict[int, tuple] = {}
        self._searched: set[int] = set()
        self._session: MaskSession | None = None
        self._editing: tuple[int, MaskSession] | None = None
        self._discarded: tuple[int, MaskSession] | None = None
        self._closed = False
        self._composed_for = (state.reference_size, state.settings.framing)
        self._publish = QTimer(self, singleShot=True)
        self._publish.setInterval(PUBLISH_AFTER_MS)
        self._publish.timeout.connect(self._publish_current)
        state.photoChanged.connect(self._follow)
        state.maskChanged.connect(self._follow)
        state.engineChanged.connect(self._compose_all_anew)
        state.settingsChanged.connect(self._compose_all_anew)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.close)
        self._follow()

    # Finding

    def _search(self, subject: Subject) -> None:
        self._searched.add(subject.key)
        if not subject.finding:
            self.state.update_subject(subject.key, finding=True)
        # First the window paints the photo: beside a thread that runs Python it would take twice as long.
        QTimer.singleShot(PAINTED_MS, self, partial(self._begin_search, subject.key))

    def _begin_search(self, key: int) -> None:
        subject = self.state.subject_with(key)
        if subject is not None and not self._closed:
            arguments = (self._segmenter, key, subject.photo, Hint(subject.name))
            background.run(find, *arguments, done=self._found, patient=True)

    @Slot(object)
    def _found(self, found: Found) -> None:
        subject = self.state.subject_with(found.key)
        if subject is None or subject.photo is None:
            return
        session = self._sessions.get(found.key)
        sessions = [session] if session is not None else []
        if self._editing is not None and self._editing[0] == found.key:
            sessions.append(self._editing[1])
        if isinstance(found.outcome, EchoGenError):
            self.state.update_subject(found.key, finding=False)
            for one in sessions:
                one.marksChanged.emit()
            if session is not None and not session.undo_label:
                self.failed.emit(found.outcome)
        else:
            proposal = found.outcome
            changes = {"automatic": proposal.mask, "proposal": proposal, "finding": False}
            self.state.update_subject(found.key, name=subject.name or proposal.name, **changes)
            for one in sessions:
                one.take_found(proposal)
            if session is None:
                self._composing.compose(found.key, subject.photo, proposal.mask, proposal.boxes[0])
        if session is not None:
            self._publish_session(found.key, session)

    def find_again(self) -> None:
        """Look for the current subject by the name it has now, unless its mask was corrected already."""
        subject, session = self.state.subject, self._session
        if subject is None or session is None or session.corrected or subject.corrected or session.asking:
            return
        session.find(Hint(subject.name))

    @Slot(object)
    def _proposed(self, proposal: SubjectProposal) -> None:
        """The current session looked for its subject again: its sentences and scores are shown from now on."""
        for key, session in self._sessions.items():
            if session is self.sender() and not session.document.painting:
                found = {} if session.corrected else {"automatic": proposal.mask}
                self.state.update_subject(key, proposal=proposal, **found)

    @Slot(object)
    def _prepared(self, notes: Sentence) -> None:
        if notes and self._editing is not None:
            self._editing[1].noted.emit(notes)
        elif notes:
            self._noted(notes)

    @Slot(object)
    def _noted(self, text: Sentence) -> None:
        self.failed.emit(EchoGenError(text, title=Sentence("The cut-out was made in a simpler way")))

    # Masks

    @property
    def session(self) -> MaskSession | None:
        """The current subject's mask; None when there is no photo."""
        return self._session

    @property
    def editing(self) -> MaskSession | None:
        """The copy that is edited; None while no editor is open."""
        return self._editing[1] if self._editing is not None else None

    @property
    def edited(self) -> Subject | None:
        """The subject whose mask is edited; None while no editor is open, and where it is off the shelf."""
        key = self._editing[0] if self._editing is not None else None
        return self.state.subject_with(key) if key is not None else None

    def begin_edit(self) -> MaskSession | None:
        """A copy of the current mask to edit at leisure; ``accept_edit`` or ``discard_edit`` ends it."""
        subject, session = self.state.subject, self._session
        if subject is None or session is None:
            return None
        self.discard_edit()
        session.operations.settle(edge=False)
        session.document.end_stroke()
        copy, pyramid = session.document.copy(), session.mask_pyramid.copy()
        editing = MaskSession(session.photo, session.photo_pyramid, copy, self.service, session.proposal, self, pyramid)
        self._editing = (subject.key, editing)
        self.editingChanged.emit()
        background.run(prepare, self._segmenter, session.photo, done=self._prepared, patient=True)
        return editing

    def accept_edit(self) -> None:
        """The edited mask becomes the subject's, as one step that the panel can undo."""
        if self._editing is None:
            return
        key, editing = self._editing
        session = self._sessions.get(key)
        if session is not None:
            self.editUsed.emit(key)
            session.adopt(editing, "Edit cut-out")
            self._publish_session(key, session)
        self.discard_edit()

    def keep_strokes(self) -> None:
        """Make the last strokes in the panel the subject's mask: the program ends."""
        subject, session = self.state.subject, self._session
        if subject is not None and session is not None:
            session.document.end_stroke()
            session.settle()
            if session.undo_label:
                self._published[subject.key] = mask = session.document.mask.copy()
                self.state.update_subject(subject.key, mask=mask)

    def discard_edit(self, keep: bool = False) -> None:
        """Put the edited copy away; with ``keep`` until the next one is discarded, so that ``bring_back`` can have it."""
        if self._editing is not None:
            self._forget_discarded()
            self._discarded, self._editing = self._editing, None
            self._discarded[1].release()
            self.editingChanged.emit()
            if not keep:
                self._forget_discarded()

    def bring_back(self) -> None:
        """Bring the discarded mask back as a step of the copy that is edited now, if it is of the same subject."""
        if self._editing is not None and self._discarded is not None and self._editing[0] == self._discarded[0]:
            self._editing[1].adopt(self._discarded[1], "Edit cut-out")
            self._forget_discarded()

    def _forget_discarded(self) -> None:
        if self._discarded is not None:
            self._discarded[1].deleteLater()
            self._discarded = None

    @Slot()
    def close(self) -> None:
        """End the mask thread and the segmenter's child. Done by itself when the program ends."""
        self._closed = True
        self._publish.stop()
        self.discard_edit()
        self._segmenter.close()  # first: whoever waits for its child goes on at once
        self.service.close()

    @Slot()
    def _follow(self) -> None:
        """The state changed: another subject, or its mask came from elsewhere (a session that comes back)."""
        subject = self.state.subject
        session = None
        if subject is not None and subject.photo is not None:
            session = self._session_of(subject)
            mask = subject.mask
            if mask is not None and mask is not self._published.get(subject.key):
                self._published[subject.key] = mask
                session.take_mask(mask, "Open a mask")
            if mask is None and not subject.problem and subject.key not in self._searched:
                self._search(subject)
            if mask is not None and not subject.problem and not subject.finding:
                if subject.cut_out is None:
                    self._publish_session(subject.key, session)
                else:
                    self._composing.examine(subject)
        for photo in self.state.photos:
            if photo is not self.state.subject:
                self._complete(photo)
        keys = {one.key for one in self.state.subjects}
        for key in [key for key in self._sessions if key not in keys]:
            self._drop(key)
        if session is not self._session:
            self._flush()
            self._session = session
            self.sessionChanged.emit()

    def _complete(self, subject: Subject) -> None:
        """Give a photo of the current subject that is not looked at its cut-out: the next picture is drawn of it, too."""
        if subject.photo is None or subject.problem or subject.finding or subject.cut_out is not None:
            return
        if subject.mask is None and subject.key not in self._searched:
            self._search(subject)
        elif subject.mask is not None and not self._composing.was_begun(subject.key):
            self._composing.compose(subject.key, subject.photo, subject.mask, None)

    def _session_of(self, subject: Subject) -> MaskSession:
        import numpy as np

        key = subject.key
        session = self._sessions.get(key)
        if session is None:
            assert subject.photo is not None
            layers = self.reading.layers_of(subject.photo)
            blank = np.zeros(subject.photo.rgb.shape[:2], np.uint8)
            mask = subject.mask if subject.mask is not None else blank
            automatic = subject.automatic if subject.automatic is not None else mask
            if subject.mask is not None:
                self._published[key] = subject.mask
            document = MaskDocument(automatic, mask)
            session = MaskSession(subject.photo, layers, document, self.service, subject.proposal, self)
            session.marksChanged.connect(self._publish.start)
            session.failed.connect(self.failed)
            session.noted.connect(self._noted)
            session.proposed.connect(self._proposed)
            self._sessions[key] = session
        self._sessions.move_to_end(key)
        while len(self._sessions) > _SESSIONS:
            self._drop(next(iter(self._sessions)))
        return session

    def _drop(self, key: int) -> None:
        session = self._sessions.pop(key)
        self._published.pop(key, None)
        self._revisions.pop(key, None)
        if session is self._session:
            self._session = None
            self.sessionChanged.emit()
        if self._discarded is not None and self._discarded[0] == key:
            self._forget_discarded()
        session.release()
        session.deleteLater()

    # Cut-outs

    def _flush(self) -> None:
        """Publish at once what still waits: the session is about to leave."""
        if self._publish.isActive():
            self._publish.stop()
            if self._session is not None:
                self._session.settle()
            self._publish_current()

    @Slot()
    def _publish_current(self) -> None:
        session = self._session
        for key, one in self._sessions.items():
            if one is session:
                self._publish_session(key, one)

    def _publish_session(self, key: int, session: MaskSession) -> None:
        subject = self.state.subject_with(key)
        if subject is not None and subject.finding and not session.undo_label:
            return  # nothing is found yet, and nothing was marked by hand: that is no empty cut-out
        if session.document.painting or session.busy:
            self._publish.start()
            return
        now = (session.document.revision, session.chosen, self.state.reference_size, self.state.settings.framing)
        if self._revisions.get(key) == now:
            self.composed.emit()  # who waits for the cut-out has it
            return
        self._revisions[key] = now
        proposal = session.proposal
        box = proposal.boxes[session.chosen] if proposal is not None else None
        self._composing.compose(key, session.photo, session.document.mask.copy(), box)

    def is_changing(self) -> bool:
        """Return True while a mask of the current subject is newer than its cut-out; ``composed`` tells when none is any more."""
        photos = [photo for photo in self.state.photos if photo.photo is not None and not photo.finding]
        if not photos:
            return False
        if self._publish.isActive():
            self._publish.stop()
            self._publish_current()  # somebody waits for it
        return self._publish.isActive() or any(self._composing.goes_on(photo.key) for photo in photos)

    @Slot(object, bool)
    def _composed(self, made: Composed, newest: bool) -> None:
        subject = self.state.subject_with(made.key)
        if newest:
            self._take_composed(subject, made)
        if subject is not None and not self.is_changing():
            self.composed.emit()

    def _take_composed(self, subject: Subject | None, made: Composed) -> None:
        if subject is None:
            return
        # The digest of the mask is part of a cut-out: an equal one says that nothing changed.
        if made.cut_out is None or made.cut_out != subject.cut_out:
            if made.key in self._sessions:  # one that comes later begins with the subject's mask
                self._published[made.key] = made.mask
            self.state.update_subject(
                made.key, mask=made.mask, cut_out=made.cut_out, problem=made.problem, notes=made.notes
            )

    @Slot()
    def _compose_all_anew(self) -> None:
        """Another bundle wants another size, or the framing was changed."""
        wanted = (self.state.reference_size, self.state.settings.framing)
        if wanted == self._composed_for:
            return
        self._composed_for = wanted
        for subject in self.state.subjects:
            session = self._sessions.get(subject.key)
            if session is not None and not subject.finding:
                self._publish_session(subject.key, session)
            elif subject.photo is not None and subject.mask is not None:
                box = subject.proposal.boxes[0] if subject.proposal is not None else None
                self._composing.compose(subject.key, subject.photo, subject.mask, box)
