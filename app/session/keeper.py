"""Keeps the session: writes it shortly after it changes, brings it back after a restart or a crash.

Photos and masks go to the assets folder by digest, in the background; the session names a digest only once its file is
complete, so that a crash in between loses a few seconds, never the session. At a start the shelf is there at once, and its
photos are read behind it (``coming_subjects.py``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np
from msgspec import structs
from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.session.coming_subjects import Arrived, ComingSubjects, provisional_values
from app.session.kept_region import KeptRegion, read_region, region_assets
from app.session.state import SessionState
from app.session.subject_shelf import Subject
from app.session.values import PanelValues, with_controls
from app.store.assets import AssetStore
from app.store.saved_session import SavedFinding, SavedSession, SavedSubject, SessionStore
from app.store.settings import SettingsStore
from app.system import background
from engine import MAX_PROMPT_CHARACTERS, CutOut, EchoGenError, Placement, ScaleBits

log = logging.getLogger(__name__)

_AFTER_MS = 400
"""At most so long after the first change that is not on disk: typing on does not put it off."""
_AGAIN_MS = 60_000
"""So long after a photo could not be written it is tried again: there may be room by then."""
_MOST_SUBJECTS = 24
_Read = TypeVar("_Read")


class SessionKeeper(QObject):
    """See the module.

    Args:
        extra: what the window adds to the session (prompt history, open sections, geometry), as keyword values of
            ``SavedSession``; asked for while saving.

    Signals:
        saved: the session is on disk as it stands now.
        fetching(bool): the shelf of the last session is on its way, or has come.
    """

    saved = Signal()
    fetching = Signal(bool)

    def __init__(
        self,
        state: SessionState,
        store: SessionStore,
        settings: SettingsStore,
        assets: AssetStore,
        extra: Callable[[], dict[str, Any]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._store, self._settings, self._assets, self._extra = state, store, settings, assets, extra
        self._masks: dict[int, tuple[np.ndarray, str]] = {}
        self._compared: dict[int, tuple[np.ndarray, np.ndarray, bool]] = {}
        self._photos: set[str] = set()
        self._cut_outs: dict[str, CutOut] = {}
        self._coming = ComingSubjects(state, assets, state)
        self._coming.arrived.connect(self._arrived)
        self._region = KeptRegion(assets, self)
        self._region.kept.connect(self._start)
        self._region.failed.connect(self._not_kept)
        self._asked: set[str] = set()
        self._asked_masks: dict[int, np.ndarray] = {}
        self._told = False
        self._closed = False
        self._on_its_way = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_AFTER_MS)
        self._timer.timeout.connect(self.save)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(_AGAIN_MS)
        self._again.timeout.connect(self._keep_again)
        for signal in (state.photoChanged, state.maskChanged, state.requestChanged, state.settingsChanged):
            signal.connect(self.touch)

    @Slot()
    def touch(self) -> None:
        """Something changed: save soon."""
        if self._closed:
            return
        self._keep_assets()
        self._start()

    @Slot()
    def _start(self) -> None:
        if not self._closed and not self._timer.isActive():
            self._timer.start()

    # Saving

    def _keep_assets(self) -> None:
        self._region.keep(self._state.values.region)
        for subject in self._kept():
            photo, mask = subject.photo, subject.mask
            if photo is not None and photo.digest not in self._photos and photo.digest not in self._asked:
                self._asked.add(photo.digest)
                background.run(self._assets.save_photo, photo, done=self._photo_kept, failed=self._not_kept)
            cut_out = subject.cut_out
            # It is shown at the next start until the photo is read; one that could not be written is missed there, no more.
            whole = photo is not None and cut_out is not None and cut_out.photo == photo.digest
            if cut_out is not None and whole and self._cut_outs.get(cut_out.photo) is not cut_out:
                self._cut_outs[cut_out.photo] = cut_out
                background.run(self._assets.save_cut_out, cut_out, failed=self._not_kept)
            known = self._masks.get(subject.key)
            asked = self._asked_masks.get(subject.key)
            if mask is not None and mask is not asked and (known is None or known[0] is not mask):
                self._asked_masks[subject.key] = mask
                background.run(_keep_mask, self._assets, subject.key, mask, done=self._mask_kept, failed=self._not_kept)

    def _kept(self) -> tuple[Subject, ...]:
        """The subjects that a session holds, each with all its photos."""
        return tuple(photo for card in self._state.cards[-_MOST_SUBJECTS:] for photo in card)

    @Slot(object)
    def _photo_kept(self, digest: str) -> None:
        self._photos.add(digest)
        self._start()

    @Slot(object)
    def _mask_kept(self, kept: tuple[int, np.ndarray, str]) -> None:
        key, mask, digest = kept
        self._masks[key] = (mask, digest)
        if self._asked_masks.get(key) is mask:
            del self._asked_masks[key]
        self.touch()  # the subject's own may have been written before this one

    @Slot(object)
    def _not_kept(self, error: Exception) -> None:
        log.warning("a photo or mask could not be kept for the next start: %s", error)
        self._again.start()

    @Slot()
    def _keep_again(self) -> None:
        self._asked &= self._photos
        self._asked_masks.clear()
        self._region.ask_again()
        self.touch()

    @Slot()
    def save(self) -> None:
        """Write session and settings now. A folder that cannot be written is logged once; the work goes on.

        Until a session that was loaded has come back, its file stays as it is: closing early loses nothing.
        """
        self._timer.stop()
        session = self._try(self._save_session)
        if self._try(lambda: self._settings.save(self._state.settings)) and session:
            self._told = False

    def _save_session(self) -> None:
        if not self._on_its_way:
            self._store.save(self.session())
            self.saved.emit()

    def _try(self, save: Callable[[], object]) -> bool:
        """Run ``save`` and return True if nothing went wrong. Nothing may keep the other file from being written, or
        the program from ending."""
        try:
            save()
        except Exception as error:
            if not self._told:
                log.error("the session cannot be saved: %s", error, exc_info=not isinstance(error, EchoGenError))
                self._told = True
            return False
        return True

    def keep_assets_now(self) -> None:
        """Write the photos and masks that are not on disk yet: the program ends, and nobody waits for the background."""
        try:
            self._region.keep_now(self._state.values.region)
        except EchoGenError as error:
            self._not_kept(error)
        for subject in self._kept():
            photo, mask = subject.photo, subject.mask
            try:
                if photo is not None and photo.digest not in self._photos:
                    self._photos.add(self._assets.save_photo(photo))
                known = self._masks.get(subject.key)
                if mask is not None and (known is None or known[0] is not mask):
                    self._masks[subject.key] = (mask, self._assets.save_mask(mask))
            except EchoGenError as error:
                self._not_kept(error)

    def holds(self, subject: Subject) -> bool:
        """Return True if photo and mask of a subject are in every session that is saved from now on."""
        known = self._masks.get(subject.key)
        kept = known is not None and known[0] is subject.mask
        return kept and subject.photo is not None and subject.photo.digest in self._photos

    def close(self) -> None:
        """Save for the last time; what changes from here on is not kept."""
        self.save()
        self._closed = True

    def session(self) -> SavedSession:
        """The session as it stands. Subjects whose photo is not on disk yet are left out."""
        subjects: list[SavedSubject] = []
        current = -1
        chosen, kept = self._state.subject, self._kept()
        keys = {subject.key for subject in kept}
        # Masks of large photos are not held for subjects that are gone.
        self._masks = {key: mask for key, mask in self._masks.items() if key in keys}
        self._compared = {key: masks for key, masks in self._compared.items() if key in keys}
        for subject in kept:
            described = self._describe(subject)
            if described is not None:
                if subject is chosen:
                    current = len(subjects)
                placement = self._state.placement_of(subject.card)
                subjects.append(
                    structs.replace(described, placement=placement.to_json() if placement is not None else None)
                )
        values = self._state.values
        controls = {
            entry.name: getattr(values, entry.name)
            for entry in fields(PanelValues)
            if entry.name not in ("prompt", "negative_prompt", "kept", "placement", "region")
        }
        region = self._region.described(values.region) if values.region is not None else None
        if region is not None:
            controls["region"] = region
        # The scales of a region mean nothing without it.
        if values.kept is not None and (values.region is None or region is not None):
            controls["kept"] = values.kept.to_json()
        if values.placement is not None:
            controls["placement"] = values.placement.to_json()
        extra = self._extra()
        return SavedSession(
            subjects=tuple(subjects),
            current=current,
            prompt=values.prompt,
            negative_prompt=values.negative_prompt,
            controls={**controls, **extra.pop("controls", {})},
            **extra,
        )

    def _describe(self, subject: Subject) -> SavedSubject | None:
        coming = self._coming.described(subject)
        if coming is not None:
            return coming
        if subject.photo is None:
            if subject.cut_out is None:
                return None
            packed = subject.cut_out.to_json()
            return SavedSubject(
                photo="",
                name=subject.name,
                title=subject.title,
                cut_out=packed["png"],
                framing=packed["framing"],
                cut_below=subject.cut_out.cut_below,
                cut_beside=subject.cut_out.cut_beside,
                card=subject.card,
                draft=subject.draft,
            )
        if subject.photo.digest not in self._photos:
            return None
        known = self._masks.get(subject.key)
        return SavedSubject(
            photo=subject.photo.digest,
            mask=known[1] if known is not None else "",
            name=subject.name,
            title=subject.title,
            example=subject.example,
            unsure=self._is_unsure(subject),
            found=self._found(subject),
            card=subject.card,
            draft=subject.draft,
        )

    def _is_unsure(self, subject: Subject) -> bool:
        """Return True if the cut-out is as it was found, and whoever found it was not sure."""
        unsure = subject.unsure if subject.proposal is None else not subject.proposal.sure
        return unsure and self._is_as_found(subject)

    def _found(self, subject: Subject) -> SavedFinding | None:
        """Return the answer of the search for a subject, now or in an earlier session."""
        proposal = subject.proposal
        if proposal is None:
            return SavedFinding(subject.score, corrected=True) if subject.corrected else None
        boxes = tuple((box.x0, box.y0, box.x1, box.y1, box.score) for box in proposal.boxes)
        return SavedFinding(proposal.score, proposal.sure, boxes, corrected=not self._is_as_found(subject))

    def _is_as_found(self, subject: Subject) -> bool:
        mask, automatic = subject.mask, subject.automatic
        if mask is None or automatic is None:
            return False
        known = self._compared.get(subject.key)
        if known is None or known[0] is not mask or known[1] is not automatic:  # large masks take a while
            known = self._compared[subject.key] = (mask, automatic, bool(np.array_equal(mask, automatic)))
        return known[2]

    @staticmethod
    def assets(session: SavedSession) -> tuple[str, ...]:
        """Digests of the photos and masks that a session needs."""
        of_subjects = [digest for subject in session.subjects for digest in (subject.photo, subject.mask)]
        return (*of_subjects, *region_assets(session.controls.get("region")))

    # Coming back

    def load(self) -> SavedSession:
        """The last session; ``restore`` brings it back."""
        self.expect()
        return self._store.load()

    def expect(self) -> None:
        """A session was loaded, and ``restore`` will bring it back: until then its file stays as it is."""
        self._on_its_way = True

    def restore(self, session: SavedSession) -> bool:
        """Put the values of a session into the state and fetch its photos. False when there is nothing to come back."""
        kept = _read(ScaleBits.from_json, session.controls.get("kept"))
        described = session.controls.get("region")
        placement = _read(Placement.from_json, session.controls.get("placement"))
        self._on_its_way = bool(session.subjects)
        words = PanelValues(
            prompt=session.prompt[:MAX_PROMPT_CHARACTERS],
            negative_prompt=session.negative_prompt[:MAX_PROMPT_CHARACTERS],
            kept=kept if described is None else None,
            # It is the subject's, and comes with it: a photo that is opened before is another subject.
            placement=placement if not session.subjects else None,
        )
        values = with_controls(words, session.controls)
        region = read_region(self._assets, described) if kept is not None else None
        if region is not None:
            values = replace(values, kept=kept, region=region)
        self._state.set_values(values)
        if session.subjects:
            self.fetching.emit(True)
            background.run(
                _fetch_shelf,
                self._assets,
                session.subjects,
                session.current,
                placement,
                done=self._fetched,
                failed=self._not_fetched,
            )
        return bool(session.subjects or session.prompt)

    @Slot(object)
    def _fetched(self, shelf: tuple[list[tuple[SavedSubject, dict[str, Any]]], int]) -> None:
        found, current = shelf
        self._on_its_way = False
        for described, values in found:
            if described.photo and values["cut_out"] is not None:
                self._cut_outs[described.photo] = values["cut_out"]
        back = self._state.put_back_subjects(tuple(values for _, values in found), current)
        self._coming.expect((subject, described) for subject, (described, _) in zip(back, found, strict=True))
        self.fetching.emit(False)

    @Slot(object)
    def _not_fetched(self, error: Exception) -> None:
        self._on_its_way = False
        self.fetching.emit(False)
        log.warning("the shelf of the last session could not be read", exc_info=error)

    @Slot(object)
    def _arrived(self, arrived: Arrived) -> None:
        assert arrived.values is not None
        self._photos.add(arrived.described.photo)
        if arrived.values["mask"] is not None:
            self._masks[arrived.key] = (arrived.values["mask"], arrived.described.mask)


def _read(from_json: Callable[[Any], _Read], data: Any) -> _Read | None:
    """Kept scales or a placement; a damaged one is let go, and the rest of the session comes back."""
    if data is None:
        return None
    try:
        return from_json(data)
    except EchoGenError:
        log.warning("a value of the last session could not be read", exc_info=True)
        return None


def _keep_mask(assets: AssetStore, key: int, mask: np.ndarray) -> tuple[int, np.ndarray, str]:
    return key, mask, assets.save_mask(mask)


def _fetch_shelf(
    assets: AssetStore, subjects: tuple[SavedSubject, ...], current: int, placement: Placement | None
) -> tuple[list[tuple[SavedSubject, dict[str, Any]]], int]:
    """Return what is left of the saved subjects, with values of ``Subject`` that can be shown at once and where each was put by hand,
    and which one is in use. ``placement``: of the one in use; sessions of earlier versions have no other."""
    found: list[tuple[SavedSubject, dict[str, Any]]] = []
    chosen = -1
    for index, described in enumerate(subjects):
        values = provisional_values(assets, described)
        if values is not None:
            chosen = len(found) if index == current else chosen
            own = _read(Placement.from_json, described.placement)
            values["placement"] = own or (placement if index == current else None)
            found.append((described, values))
    return found, chosen if chosen >= 0 else len(found) - 1
