"""Keeps the state's subjects: loads photos, finds what is in them, holds the masks being edited, composes the cut-outs.

The panel and the editor show what lies here; neither loads nor composes anything itself. Used from
the window's thread; all slow work is done in other threads.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from app.mask.document import MaskDocument
from app.mask.mask_session import MaskSession
from app.mask.pyramid import Pyramid
from app.mask.worker import MaskService, hosted_segmenter
from app.session.state import SessionState
from app.session.subject_shelf import Subject
from app.session.subject_work import OnDemand, compose, find, note, prepare, read_file, read_image
from app.system import background
from app.system.deferred import PAINTED_MS, TURN_MS
from app.system.failures import in_words
from engine import MAX_VIEWS, EchoGenError, PhotoError, Sentence
from engine.photo import Hint

if TYPE_CHECKING:
    import numpy as np

    from app.mask.worker import SegmenterLike
    from app.session.subject_work import Composed, Found, Loaded
    from engine.photo import Box, Photo, SubjectProposal

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
        loadingChanged: a photo is being read, or none is any more.
        failed: an ``EchoGenError`` for the banner.
    """

    sessionChanged = Signal()
    editingChanged = Signal()
    composed = Signal()
    editUsed = Signal(int)
    loadingChanged = Signal(bool)
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
        self._sessions: OrderedDict[int, MaskSession] = OrderedDict()
        self._published: dict[int, np.ndarray] = {}
        self._numbers: dict[int, int] = {}
        self._done: dict[int, int] = {}
        self._revisions: dict[int, tuple] = {}
        self._searched: set[int] = set()
        self._examined: set[int] = set()
        self._coming: Pyramid | None = None
        self._session: MaskSession | None = None
        self._editing: tuple[int, MaskSession] | None = None
        self._discarded: tuple[int, MaskSession] | None = None
        self._loading = 0
        self._in_turn: deque[tuple] = deque()
        self._reading = False
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

    # Photos

    @property
    def loading(self) -> bool:
        return self._loading > 0

    @Slot(bool)
    def expect(self, coming: bool) -> None:
        """Photos of the last session are on their way, or have come."""
        self._count_loading(1 if coming else -1)

    def open_file(self, path: Path, name: str = "", example: bool = False) -> None:
        """Read a photo and put it on the shelf; ``name``: what the subject is called, if that is known."""
        self._load(read_file, path, name, example)

    def open_image(self, image: QImage, title: str) -> None:
        """Put a pasted picture on the shelf."""
        self._load(read_image, QImage(image), title)

    def add_photos(self, card: int, given: Sequence[Path | QImage], title: str = "") -> None:
        """Put further photos of a subject on its card, as far as there is room.

        Args:
            given: files, or pictures without one, which get the ``title``.
        """
        free = MAX_VIEWS + 1 - len([photo for photo in self.state.subjects if photo.card == card])
        if len(given) > free:
            self.failed.emit(
                PhotoError(
                    Sentence("A subject has at most {most} photos.", most=MAX_VIEWS + 1),
                    Sentence("Take one of them out first."),
                )
            )
        for one in given[: max(free, 0)]:
            if isinstance(one, QImage):
                self._load(read_image, QImage(one), title, card)
            else:
                self._load(read_file, one, "", False, card)

    def _load(self, read: Callable[..., Loaded], *arguments) -> None:
        self._count_loading(1)
        background.run(self._segmenter.get, patient=True)  # the first photo is looked for in as soon as it is there
        self._in_turn.append((read, *arguments))
        self._read_next()

    def _read_next(self) -> None:
        """Photos are read one after another: they lie in the order in which they were chosen."""
        if self._in_turn and not self._reading:
            self._reading = True
            background.run(*self._in_turn.popleft(), done=self._loaded, failed=self._not_loaded)

    @Slot(object)
    def _loaded(self, loaded: Loaded) -> None:
        self._reading = False
        self._take_loaded(loaded)
        self._read_next()

    def _take_loaded(self, loaded: Loaded) -> None:
        # In a turn of its own: the panel has a subject to show by then.
        QTimer.singleShot(TURN_MS, self, self._load_ended)
        examples = [subject.key for subject in self.state.subjects if subject.example]
        digest = loaded.photo.digest
        for index, subject in enumerate(self.state.subjects):
            here = subject.photo.digest if subject.photo is not None else subject.coming
            if here == digest and loaded.card in (0, subject.card):
                self.state.select_subject(index)  # it is here already, with its mask, or about to be
                return
        self._coming = loaded.layers
        self.state.add_subject(
            photo=loaded.photo,
            name=loaded.name,
            title=loaded.photo.name,
            example=loaded.example,
            card=loaded.card,
            finding=True,
        )
        for key in examples:
            # Examples are one click away in the gallery; the shelf is for what the user brought.
            self.state.remove_subject(key)

    @Slot(object)
    def _not_loaded(self, error: Exception) -> None:
        self._load_ended()
        fact = Sentence("The photo could not be opened: {error}", error=error)
        self.failed.emit(in_words(error, fact, Sentence("Choose another one.")))
        self._reading = False
        self._read_next()

    @Slot()
    def _load_ended(self) -> None:
        self._count_loading(-1)

    def _count_loading(self, change: int) -> None:
        self._loading += change
        self.state.set_reading(self.loading)
        self.loadingChanged.emit(self.loading)

    # Finding

    def _search(self, subject: Subject) -> None:
        self._searched.add(subject.key)
        if not subject.finding:
            self.state.update_subject(subject.key, finding=True)
        # First the window paints the photo: beside a thread that runs Python it would take twice as long.
        QTimer.singleShot(PAINTED_MS, self, partial(self._begin_search, subject.key))

    def _begin_search(self, key: int) -> None:
        subject = self._subject(key)
        if subject is not None and not self._closed:
            arguments = (self._segmenter, key, subject.photo, Hint(subject.name))
            background.run(find, *arguments, done=self._found, patient=True)

    @Slot(object)
    def _found(self, found: Found) -> None:
        subject = self._subject(found.key)
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
                self._compose(found.key, subject.photo, proposal.mask, proposal.boxes[0])
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
        return next((subject for subject in self.state.subjects if subject.key == key), None)

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
                elif subject.key not in self._numbers and subject.key not in self._examined:
                    # Its cut-out came with it; what its photo lacks is not known yet.
                    self._examined.add(subject.key)
                    arguments = subject.key, subject.photo, mask, self.state.reference_size
                    background.run(note, *arguments, done=self._notes_made)
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
        elif subject.mask is not None and subject.key not in self._numbers:
            self._compose(subject.key, subject.photo, subject.mask, None)

    def _session_of(self, subject: Subject) -> MaskSession:
        import numpy as np

        key = subject.key
        session = self._sessions.get(key)
        if session is None:
            assert subject.photo is not None
            layers, self._coming = self._coming, None
            if layers is None or layers.levels[0] is not subject.photo.rgb:
                layers = Pyramid(subject.photo.rgb)
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

    def _subject(self, key: int) -> Subject | None:
        return next((subject for subject in self.state.subjects if subject.key == key), None)

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
        subject = self._subject(key)
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
        self._compose(key, session.photo, session.document.mask.copy(), box)

    def _compose(self, key: int, photo: Photo, mask: np.ndarray, box: Box | None) -> None:
        number = self._numbers[key] = self._numbers.get(key, 0) + 1
        size, framing = self.state.reference_size, self.state.settings.framing
        background.run(compose, key, number, photo, mask, size, framing, box, done=self._composed)

    def is_changing(self) -> bool:
        """Return True while a mask of the current subject is newer than its cut-out; ``composed`` tells when none is any more."""
        photos = [photo for photo in self.state.photos if photo.photo is not None and not photo.finding]
        if not photos:
            return False
        if self._publish.isActive():
            self._publish.stop()
            self._publish_current()  # somebody waits for it
        return self._publish.isActive() or any(
            self._numbers.get(photo.key) != self._done.get(photo.key) for photo in photos
        )

    @Slot(object)
    def _composed(self, made: Composed) -> None:
        subject = self._subject(made.key)
        if made.number == self._numbers.get(made.key):
            self._done[made.key] = made.number
            self._take_composed(subject, made)
        if subject is not None and not self.is_changing():
            self.composed.emit()

    @Slot(object)
    def _notes_made(self, made: tuple[int, np.ndarray, tuple[str, ...]]) -> None:
        key, mask, notes = made
        subject = self._subject(key)
        if subject is not None and subject.mask is mask:
            self.state.update_subject(key, notes=notes)

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
                self._compose(subject.key, subject.photo, subject.mask, box)
