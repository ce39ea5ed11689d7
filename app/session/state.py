"""The one state of the open window: what is in the session, what is drawn, what the engine does.

Panels read it and change it through its methods; they never talk to each other. Every change is told by one signal, after
the value is in place and only when it is another one. Values are frozen: ask for them again after a signal.

    photoChanged      the current photo is another one, or the shelf changed (``subjects``, ``current``, ``subject``, ``photos``)
    maskChanged       mask, cut-out or name of a photo of the current subject changed, or its cut-out is being looked for
    promptChanged     the prompt, what to avoid, or the subject's name was typed
    requestChanged    any value of the prompt panel changed, the prompt included (``values``)
    engineChanged     the engine loads, is ready, draws, stops or failed; bundle and device (``engine``)
    jobChanged        what is drawn and what waits (``jobs``)
    resultChanged     another picture is shown, or none (``result``)
    preparedChanged   subject and prompt are encoded, or not any more (``prepared``); a photo is being read, or none
    settingsChanged   a setting changed (``settings``)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, structs
from PySide6.QtCore import QObject, Signal

from app.session.subject_shelf import Subject, SubjectShelf
from app.session.values import PanelValues, Readiness
from app.store.settings import Settings
from engine import MAX_VIEWS

if TYPE_CHECKING:
    import numpy as np

    from engine import CutOut, EngineInfo, GenerationRequest, Placement, ScaleBits
    from engine.bundle import BundleManifest

DEFAULT_REFERENCE_SIZE = 256
"""The side of a cut-out while no bundle is known."""


Phase = Literal["off", "loading", "ready", "failed"]


class EngineStatus(Struct, frozen=True):
    """The engine's phase, model and device.

    Attributes:
        phase: "off" before a bundle was chosen, "loading", "ready", or "failed" (the banner says why).
        fraction, text: progress of loading.
        info: what was opened; stays while another bundle loads.
        manifest, folder: of the chosen bundle, known before it is loaded.
    """

    phase: Phase = "off"
    fraction: float = 0.0
    text: str = ""
    info: EngineInfo | None = None
    manifest: BundleManifest | None = None
    folder: Path | None = None


class Jobs(Struct, frozen=True):
    """The picture being drawn and the number of those that wait.

    Attributes:
        drawing: number of the job that is drawn, or None.
        request: its request.
        index, count: picture ``index`` (1-based) of ``count`` of this press of Generate, those behind it included.
        waiting: how many more wait.
        held: how many more wait until the user says so: left by a quit, a crash or an error.
        ideas: an idea is drawn, of which nothing is kept.
        stopping: a stop was asked for and has not acted yet.
        last: the queue ends after this picture.
    """

    drawing: int | None = None
    request: GenerationRequest | None = None
    index: int = 0
    count: int = 0
    waiting: int = 0
    held: int = 0
    ideas: bool = False
    stopping: bool = False
    last: bool = False

    @property
    def busy(self) -> bool:
        return self.drawing is not None


@dataclass(frozen=True, eq=False)
class Result:
    """The picture that is shown.

    Attributes:
        request: what drew it.
        image: RGB uint8 (H, W, 3).
        bits: bit labels of every scale, or None when they are not at hand (a stopped picture).
        seconds: how long it took.
        picture: its number in the history, or None while it is being saved.
        file: the PNG, or None while it is being saved.
        grids: token grid of every scale; that of the bits where it is left out.
        likeness: how alike its subject is to the cut-out, 0 … 1, or None where nobody measured it.
        unfinished: the drawing was stopped; ``image`` is the picture after the last scale that was drawn.
        previews: of an unfinished picture, that after each scale, RGB uint8 (H, W, 3); None for one that is not known.
    """

    request: GenerationRequest
    image: np.ndarray
    bits: ScaleBits | None = None
    seconds: float = 0.0
    picture: int | None = None
    file: Path | None = None
    grids: tuple[tuple[int, int], ...] = ()
    likeness: float | None = None
    unfinished: bool = False
    previews: tuple[np.ndarray | None, ...] = ()

    def __post_init__(self) -> None:
        if self.bits is not None and not self.grids:
            object.__setattr__(self, "grids", self.bits.grids)


@dataclass
class _Contents:
    """The values themselves, free of Qt."""

    values: PanelValues = field(default_factory=PanelValues)
    engine: EngineStatus = field(default_factory=EngineStatus)
    jobs: Jobs = field(default_factory=Jobs)
    result: Result | None = None
    moved_over: GenerationRequest | None = None
    prepared: tuple[str, ...] | None = None
    reading: bool = False
    settings: Settings = field(default_factory=Settings)
    seconds: float | None = None


class SessionState(QObject):
    """The observable state; see the module's docstring. One per window, used from the window's thread only."""

    photoChanged = Signal()
    maskChanged = Signal()
    promptChanged = Signal()
    requestChanged = Signal()
    engineChanged = Signal()
    jobChanged = Signal()
    resultChanged = Signal()
    preparedChanged = Signal()
    settingsChanged = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._contents = _Contents()
        self._shelf = SubjectShelf()
        self._card = 0

    # Subjects

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return self._shelf.subjects

    def subject_with(self, key: int) -> Subject | None:
        """Return the photo on the shelf with this key; None where it is gone."""
        return next((subject for subject in self.subjects if subject.key == key), None)

    @property
    def current(self) -> int:
        """Index of the current subject, or -1."""
        return self._shelf.current

    @property
    def subject(self) -> Subject | None:
        return self._shelf.subject

    @property
    def reference_size(self) -> int:
        """Side in pixels of the cut-out that the open bundle wants."""
        manifest = self._contents.engine.manifest
        return manifest.reference_size if manifest is not None else DEFAULT_REFERENCE_SIZE

    @property
    def photos(self) -> tuple[Subject, ...]:
        """The photos of the current subject, the first one first: those on the card of the current photo."""
        subject = self.subject
        return self._shelf.photos_of(subject.card) if subject is not None else ()

    @property
    def card(self) -> int:
        """Number of the card that the current photo lies on; 0 where there is none."""
        return self._shelf.card

    @property
    def cards(self) -> tuple[tuple[Subject, ...], ...]:
        """The subjects on the shelf in their order, each with its photos."""
        return self._shelf.cards

    def placement_of(self, card: int) -> Placement | None:
        """Return where the subject of a card was put by hand, or None. Of the current one it is that of ``values``."""
        return self._shelf.placements.get(card)

    @property
    def may_add_photo(self) -> bool:
        """Return True if the current subject may get another photo. An example stays as it is."""
        photos = self.photos
        return 0 < len(photos) <= MAX_VIEWS and not photos[0].example

    @property
    def cut_outs(self) -> tuple[CutOut, ...]:
        """The cut-outs that the next picture is drawn of: that of each photo of the current subject, the first one first. None while
        one of them cannot be used."""
        made = [photo.cut_out for photo in self.photos]
        whole = tuple(cut_out for cut_out in made if cut_out is not None)
        return whole if len(whole) == len(made) else ()

    def add_subject(self, **values: Any) -> Subject:
        """Put a photo on the shelf and make it the current one. ``values``: fields of ``Subject`` but the key; with a ``card`` it is
        another photo of the subject there."""
        subject = self._shelf.add(values)
        self._shelf_changed()
        return subject

    def update_subject(self, key: int, **changes: Any) -> None:
        """Change fields of a subject; a key that is gone is ignored (its work came too late)."""
        index = self._shelf.update(key, changes)
        if index is None:
            return
        subject = self.subject
        of_current = subject is not None and self.subjects[index].card == subject.card
        if "photo" in changes or ("name" in changes and index != self.current):
            self.photoChanged.emit()  # the shelf shows photo and name of every subject
        if of_current:
            self.maskChanged.emit()
            if "name" in changes:
                self.promptChanged.emit()

    def select_subject(self, index: int) -> None:
        if self._shelf.select(index):
            self._shelf_changed()

    def remove_subject(self, key: int, *, alone: bool = False, for_good: bool = False) -> None:
        """Take the subject that a photo is of off the shelf, or that photo ``alone`` off its card; the card that takes its place, or
        the photo before, becomes current. ``bring_back_subject`` undoes it, unless it went for good."""
        if self._shelf.remove(key, alone=alone, for_good=for_good):
            self._shelf_changed()

    def move_subject(self, key: int, place: int) -> None:
        """Give a subject with its photos another place on the shelf, 0 … their number - 1; ``bring_back_subject`` undoes it."""
        if self._shelf.move(key, place):
            self.photoChanged.emit()

    def make_first_photo(self, key: int) -> None:
        """Make a photo the first one of its subject: the one that is placed and compared. ``bring_back_subject`` undoes it."""
        if self._shelf.make_first(key):
            self._shelf_changed()

    @property
    def can_bring_back(self) -> bool:
        """True if ``bring_back_subject`` has something to undo."""
        return self._shelf.can_undo

    def bring_back_subject(self) -> bool:
        """Undo what was done to the shelf last: put back the subject that was taken off, and make it the current one, or move
        what was moved. False when there is nothing to undo."""
        undone = self._shelf.undo()
        if undone == "removed":
            self._shelf_changed()
        elif undone == "moved":
            self.photoChanged.emit()
        elif undone == "placed":
            self._shelf_changed()
        return undone is not None

    def put_back_subjects(self, subjects: tuple[dict[str, Any], ...], current: int) -> tuple[Subject, ...]:
        """A session comes back: its shelf stands before what was opened meanwhile, which stays the current one."""
        made = self._shelf.put_before(subjects, current)
        self._shelf_changed()
        return made

    def _shelf_changed(self) -> None:
        placed = self._follow_card()
        self.photoChanged.emit()
        self.maskChanged.emit()
        if placed:
            self.requestChanged.emit()

    def _follow_card(self) -> bool:
        """Have ``values`` say where the subject that is current now was put by hand: a new one was put nowhere yet. Returns whether
        that is another place. What was chosen while there was no subject holds for the first one."""
        before, card = self._card, self._shelf.card
        if card == before:
            return False
        self._card = card
        self._contents.moved_over = None
        values = self._contents.values
        if before == 0 and self.placement_of(card) is None:
            self._shelf.place(card, values.placement)
        placement = self.placement_of(card)
        self._contents.values = replace(values, placement=placement)
        return placement != values.placement

    # The prompt panel

    @property
    def values(self) -> PanelValues:
        return self._contents.values

    def set_values(self, values: PanelValues) -> None:
        before = self._contents.values
        if values != before:
            self._contents.values = values
            if self._card:
                self._shelf.place(self._card, values.placement)
            if (values.prompt, values.negative_prompt) != (before.prompt, before.negative_prompt):
                self.promptChanged.emit()
            self.requestChanged.emit()

    def update_values(self, **changes: Any) -> None:
        """Change fields of ``values``."""
        self.set_values(replace(self._contents.values, **changes))

    # Engine, jobs, result

    @property
    def engine(self) -> EngineStatus:
        return self._contents.engine

    def set_engine(self, status: EngineStatus) -> None:
        if status != self._contents.engine:
            self._contents.engine = status
            self.engineChanged.emit()

    def update_engine(self, **changes: Any) -> None:
        self.set_engine(structs.replace(self._contents.engine, **changes))

    @property
    def jobs(self) -> Jobs:
        return self._contents.jobs

    def set_jobs(self, jobs: Jobs) -> None:
        if jobs != self._contents.jobs:
            self._contents.jobs = jobs
            self.jobChanged.emit()

    @property
    def result(self) -> Result | None:
        return self._contents.result

    def set_result(self, result: Result | None) -> None:
        if result is not self._contents.result:
            self._contents.result = result
            self.resultChanged.emit()

    def set_moved_over(self, request: GenerationRequest | None) -> None:
        """The subject was moved over the picture of this request. It holds as long as that picture is shown."""
        self._contents.moved_over = request

    def was_moved_over(self, request: GenerationRequest) -> bool:
        """Return True if the subject was moved over the picture of this request: what is drawn from it keeps its seed
        and scales, and takes the panel's placement."""
        return self._contents.moved_over is request

    @property
    def prepared(self) -> tuple[str, ...] | None:
        """Sentences about the encoded prompt (what a limit cut off), or None while subject and prompt are not encoded."""
        return self._contents.prepared

    def set_prepared(self, notes: tuple[str, ...] | None) -> None:
        if notes != self._contents.prepared:
            self._contents.prepared = notes
            self.preparedChanged.emit()

    def set_reading(self, reading: bool) -> None:
        """Set while a photo is read, which is no subject yet."""
        if reading != self._contents.reading:
            self._contents.reading = reading
            self.preparedChanged.emit()

    @property
    def expected_seconds(self) -> float | None:
        """Seconds that one picture took lately, or None before the first one."""
        return self._contents.seconds

    def set_expected_seconds(self, seconds: float | None) -> None:
        if seconds != self._contents.seconds:
            self._contents.seconds = seconds
            self.preparedChanged.emit()

    # Settings

    @property
    def settings(self) -> Settings:
        return self._contents.settings

    def set_settings(self, settings: Settings) -> None:
        if settings != self._contents.settings:
            self._contents.settings = settings
            self.settingsChanged.emit()

    def update_settings(self, **changes: Any) -> None:
        self.set_settings(structs.replace(self._contents.settings, **changes))

    # What follows from it

    def readiness(self) -> Readiness:
        """The values that the help line under Generate is made from."""
        photos, engine = self.photos, self._contents.engine
        return Readiness(
            starting=engine.phase == "off",
            loading=engine.phase == "loading",
            failed=engine.phase == "failed",
            reading=self._contents.reading or any(photo.coming for photo in photos),
            has_photo=bool(photos),
            finding=any(photo.finding for photo in photos),
            has_subject=bool(self.cut_outs),
            # While a subject is looked for, its cut-out is empty, and that is no problem yet.
            problem=next((photo.problem for photo in photos if photo.problem and not photo.finding), ""),
            has_prompt=bool(self._contents.values.prompt.strip()),
            prepared=self._contents.prepared is not None,
            seconds=self._contents.seconds,
        )
