"""Reads the photos of the last session's subjects, one after another, the current one first.

A large photo takes seconds to read. Until it is there, its subject stands on the shelf as it was left: with its cut-out, so that
it can be drawn, and with a small copy of its photo.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from PySide6.QtCore import QObject, Signal, Slot

from app.session.state import SessionState, Subject
from app.store.assets import AssetStore
from app.store.saved_session import SavedSubject
from app.system import background
from engine import CutOut, EchoGenError
from engine.photo import Box, SubjectProposal

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Arrived:
    """The photo of subject ``key`` with its mask, which may be None; ``values`` of ``Subject``, or None when it is gone."""

    key: int
    described: SavedSubject
    values: dict[str, Any] | None


class ComingSubjects(QObject):
    """See the module.

    Signals:
        arrived(object): ``Arrived``, once the state has it.
    """

    arrived = Signal(object)

    def __init__(self, state: SessionState, assets: AssetStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._assets = state, assets
        self._described: dict[int, SavedSubject] = {}
        self._reading = False
        # A subject that was taken off the shelf and came back is read then, and the current one before all others.
        state.photoChanged.connect(self._read_next)

    def expect(self, subjects: Iterable[tuple[Subject, SavedSubject]]) -> None:
        """Subjects that are on the shelf, with what the last session says of them."""
        self._described |= {subject.key: described for subject, described in subjects if subject.coming}
        self._read_next()

    def described(self, subject: Subject) -> SavedSubject | None:
        """A subject whose photo is not read yet, for the session file; None for any other."""
        known = self._described.get(subject.key) if subject.coming else None
        return replace(known, name=subject.name, title=subject.title, card=subject.card) if known is not None else None

    @Slot()
    def _read_next(self) -> None:
        first = [self._state.subject] if self._state.subject is not None else []
        waiting = [one for one in (*first, *self._state.subjects) if one.coming and one.key in self._described]
        if waiting and not self._reading:
            self._reading = True
            key = waiting[0].key
            background.run(_read, self._assets, key, self._described[key], done=self._read, failed=self._not_read)

    @Slot(object)
    def _read(self, read: Arrived) -> None:
        self._reading = False
        subject = self._state.subject_with(read.key)
        if subject is not None and subject.coming:
            self._take(subject, read)
        self._read_next()

    def _take(self, subject: Subject, read: Arrived) -> None:
        if read.values is not None:
            cut_out = subject.cut_out
            if cut_out is not None and len(cut_out.pixels) != self._state.reference_size:
                cut_out = None  # another bundle is open now, which wants another size
            self._state.update_subject(subject.key, coming="", preview=None, **{"cut_out": cut_out} | read.values)
            self.arrived.emit(read)
        elif subject.cut_out is not None:  # it can be drawn without its photo
            self._state.update_subject(subject.key, photo=None, coming="", preview=None)
        else:
            self._state.remove_subject(subject.key, alone=True, for_good=True)

    @Slot(object)
    def _not_read(self, error: Exception) -> None:
        log.error("a photo of the last session could not be read", exc_info=error)
        self._reading = False


def provisional_values(assets: AssetStore, described: SavedSubject) -> dict[str, Any] | None:
    """Return what can be shown of a saved subject at once, as values of ``Subject``; None when nothing of it is left."""
    common: dict[str, Any] = {
        "name": described.name,
        "title": described.title,
        "example": described.example,
        "card": described.card,
        "draft": described.draft or described.photo,
    }
    try:
        if not described.photo:
            packed = {
                "png": described.cut_out,
                "framing": described.framing,
                "cut_below": described.cut_below,
                "cut_beside": described.cut_beside,
            }
            return {**common, "cut_out": CutOut.from_json(packed)}
    except EchoGenError:
        log.warning("a subject of the last session is gone", exc_info=True)
        return None
    if not assets.has_photo(described.photo):
        log.warning("the photo %s of the last session is gone", described.photo[:12])
        return None
    cut_out = assets.load_cut_out(described.photo, described.mask) if described.mask else None
    shown: dict[str, Any] = {
        "preview": assets.load_small(described.photo),
        "cut_out": cut_out,
        "unsure": described.unsure,
    }
    if described.found is not None:
        shown |= {"score": described.found.score, "corrected": described.found.corrected}
    return {**common, "coming": described.photo, **shown}


def _read(assets: AssetStore, key: int, described: SavedSubject) -> Arrived:
    try:
        photo = assets.load_photo(described.photo, described.title)
        mask = assets.load_mask(described.mask) if photo is not None and described.mask else None
    except Exception:  # whatever it is, the next one is read
        log.warning("a subject of the last session is gone", exc_info=True)
        photo = mask = None
    if photo is None:
        return Arrived(key, described, None)
    if mask is not None and mask.shape != photo.rgb.shape[:2]:
        mask = None
    values: dict[str, Any] = {"photo": photo, "mask": mask}
    if mask is None:
        values |= {"cut_out": None, "unsure": False, "corrected": False, "score": 0.0}
    elif described.unsure or (described.found is not None and not described.found.corrected):
        values["automatic"] = mask
        values["proposal"] = _proposal(described, mask)
    return Arrived(key, described, values)


def _proposal(described: SavedSubject, mask: np.ndarray) -> SubjectProposal | None:
    """The answer of the search again; its mask is the subject's, which nobody corrected. None where it was not kept."""
    found = described.found
    if found is None or not found.boxes:
        return None
    boxes = tuple(Box(*box) for box in found.boxes)
    return SubjectProposal(described.name, boxes, mask, found.score, sure=found.sure)
