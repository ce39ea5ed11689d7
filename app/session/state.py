"""The one state of the open window: what is in the session, what is drawn, what the engine does.

Panels read it and change it through its methods; they never talk to each other. Every change is told by one signal, after
the value is in place and only when it is another one. Values are frozen dataclasses: ask for them again after a signal.

    photoChanged      the current subject is another one, or the shelf changed (``subjects``, ``current``, ``subject``)
    maskChanged       mask, cut-out or name of the current subject changed, or its cut-out is being looked for
    promptChanged     the prompt, what to avoid, or the subject's name was typed
    requestChanged    any value of the prompt panel changed, the prompt included (``values``)
    engineChanged     the engine loads, is ready, draws, stops or failed; bundle and device (``engine``)
    jobChanged        what is drawn and what waits (``jobs``)
    resultChanged     another picture is shown, or none (``result``)
    preparedChanged   subject and prompt are encoded, or not any more (``prepared``); a photo is being read, or none
    settingsChanged   a setting changed (``settings``)

What the window expects of the panels:

    SubjectPanel(state)   app.subject.panel: ``open_example(path, name,
                          seed)``; signals ``editRequested()``, ``chooseRequested()``, ``failed(EchoGenError)``. It loads
                          photos and finds subjects in its own worker and keeps the state's subjects up to date, the
                          ``CutOut`` at ``state.reference_size`` included. ``set_rail(bool)`` in narrow windows.
    MaskEditorView(state) app.editor.editor: signals ``accepted()`` and ``left()``; ``inspector`` takes the place of the right
                          panel while it is open.
    PromptPanel(state)    app.prompt.panel: signals ``generateRequested()``, ``cancelRequested()``; ``sheet.set_banner(widget)``
                          puts the error banner under the prompt; ``remember(prompt)`` after Generate.
    HistoryPanel(store)   app.history.panel: signals for recalling, showing, starring and deleting.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.session.values import PanelValues, Readiness
from app.store.settings import Settings
from engine import CutOut, EngineInfo, GenerationRequest, ScaleBits
from engine.bundle import BundleManifest
from engine.photo import Photo, SubjectProposal

DEFAULT_REFERENCE_SIZE = 256
"""The side of a cut-out while no bundle is known."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One subject on the shelf.

    Attributes:
        key: number of this subject in this session.
        photo: the photo; None for a subject recalled from a picture, of which only the cut-out is left.
        mask: uint8 (H, W) as large as the photo, or None while it is looked for.
        automatic: the mask as it was found, for a reset.
        proposal: the pre-flight's answer, or None.
        cut_out: the subject as the model sees it; None while there is none that can be used.
        name: what it is called, typed or found.
        problem: why the cut-out cannot be used, in words, or "".
        notes: what its photo lacks for a good picture, in words.
        unsure: it comes from an earlier session, where its cut-out was found, called unsure, and not corrected.
        finding: the cut-out is being looked for.
        example: it came with the bundle.
        title: the photo's file name, for tooltips.
        coming: digest of its photo while that is read from the last session; "" otherwise.
        preview: a small copy of that photo, RGB uint8 (H, W, 3), shown meanwhile; or None.
    """

    key: int
    photo: Photo | None = None
    mask: np.ndarray | None = None
    automatic: np.ndarray | None = None
    proposal: SubjectProposal | None = None
    cut_out: CutOut | None = None
    name: str = ""
    problem: str = ""
    notes: tuple[str, ...] = ()
    unsure: bool = False
    finding: bool = False
    example: bool = False
    title: str = ""
    coming: str = ""
    preview: np.ndarray | None = None


_MOST_REMOVED = 12
"""Subjects taken off the shelf that can come back: each holds its photo in memory."""

Phase = Literal["off", "loading", "ready", "failed"]


@dataclass(frozen=True)
class EngineStatus:
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


@dataclass(frozen=True)
class Jobs:
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
        grids: token grid of every scale.
        likeness: how alike its subject is to the cut-out, 0 … 1, or None where nobody measured it.
        unfinished: the drawing was stopped; ``image`` is the picture after the last scale that was drawn.
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


@dataclass
class _Contents:
    """The values themselves, free of Qt."""

    subjects: tuple[Subject, ...] = ()
    current: int = -1
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
        self._next_key = 1
        self._removed: list[tuple[int, Subject | int]] = []

    # Subjects

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return self._contents.subjects

    @property
    def current(self) -> int:
        """Index of the current subject, or -1."""
        return self._contents.current

    @property
    def subject(self) -> Subject | None:
        return self._contents.subjects[self._contents.current] if self._contents.current >= 0 else None

    @property
    def reference_size(self) -> int:
        """Side in pixels of the cut-out that the open bundle wants."""
        manifest = self._contents.engine.manifest
        return manifest.reference_size if manifest is not None else DEFAULT_REFERENCE_SIZE

    def add_subject(self, **values: Any) -> Subject:
        """Put a subject on the shelf and make it the current one. ``values``: fields of ``Subject`` but the key."""
        subject = Subject(self._next_key, **values)
        self._next_key += 1
        self._contents.subjects = (*self._contents.subjects, subject)
        self._contents.current = len(self._contents.subjects) - 1
        self.photoChanged.emit()
        self.maskChanged.emit()
        return subject

    def update_subject(self, key: int, **changes: Any) -> None:
        """Change fields of a subject; a key that is gone is ignored (its work came too late)."""
        for index, subject in enumerate(self._contents.subjects):
            if subject.key != key:
                continue
            if all(_same(getattr(subject, name), value) for name, value in changes.items()):
                return
            changed = replace(subject, **changes)
            self._contents.subjects = (*self._contents.subjects[:index], changed, *self._contents.subjects[index + 1 :])
            if "photo" in changes or ("name" in changes and index != self._contents.current):
                self.photoChanged.emit()  # the shelf shows photo and name of every subject
            if index == self._contents.current:
                self.maskChanged.emit()
                if "name" in changes:
                    self.promptChanged.emit()
            return

    def select_subject(self, index: int) -> None:
        if index != self._contents.current and -1 <= index < len(self._contents.subjects):
            self._contents.current = index
            self.photoChanged.emit()
            self.maskChanged.emit()

    def remove_subject(self, key: int, *, for_good: bool = False) -> None:
        """Take a subject off the shelf; the one before it becomes current. ``bring_back_subject`` undoes it, unless it went
        for good."""
        place = next((place for place, one in enumerate(self.subjects) if one.key == key), None)
        if place is not None and not self.subjects[place].example and not for_good:
            self._removed = [*self._removed[1 - _MOST_REMOVED :], (place, self.subjects[place])]
        remaining = tuple(subject for subject in self._contents.subjects if subject.key != key)
        if len(remaining) != len(self._contents.subjects):
            current = self.subject
            self._contents.subjects = remaining
            keys = [subject.key for subject in remaining]
            if current is not None and current.key in keys:
                self._contents.current = keys.index(current.key)
            else:
                self._contents.current = min(self._contents.current, len(remaining)) - 1 if remaining else -1
                self._contents.current = max(self._contents.current, 0 if remaining else -1)
            self.photoChanged.emit()
            self.maskChanged.emit()

    def move_subject(self, key: int, place: int) -> None:
        """Give a subject another place on the shelf, 0 … their number - 1; ``bring_back_subject`` undoes it."""
        before = next((index for index, one in enumerate(self.subjects) if one.key == key), None)
        if before is not None and before != place and 0 <= place < len(self.subjects):
            self._removed = [*self._removed[1 - _MOST_REMOVED :], (before, key)]
            self._place_subject(key, place)

    def _place_subject(self, key: int, place: int) -> None:
        moved = next((subject for subject in self.subjects if subject.key == key), None)
        if moved is not None:
            current = self.subject
            others = [subject for subject in self.subjects if subject.key != key]
            self._contents.subjects = (*others[:place], moved, *others[place:])
            if current is not None:
                self._contents.current = self._contents.subjects.index(current)
            self.photoChanged.emit()

    def bring_back_subject(self) -> bool:
        """Undo what was done to the shelf last: put back the subject that was taken off, and make it the current one, or move
        the one that was moved. False when there is nothing to undo."""
        if not self._removed:
            return False
        place, subject = self._removed.pop()
        if isinstance(subject, int):
            self._place_subject(subject, place)
            return True
        others = self._contents.subjects
        self._contents.subjects = (*others[:place], subject, *others[place:])
        self._contents.current = self._contents.subjects.index(subject)
        self.photoChanged.emit()
        self.maskChanged.emit()
        return True

    def put_back_subjects(self, subjects: tuple[dict[str, Any], ...], current: int) -> tuple[Subject, ...]:
        """A session comes back: its shelf stands before what was opened meanwhile, which stays the current one."""
        made = []
        for values in subjects:
            made.append(Subject(self._next_key, **values))
            self._next_key += 1
        opened = self._contents.subjects
        if opened:
            self._contents.current += len(made)
        else:
            self._contents.current = min(max(current, 0 if made else -1), len(made) - 1)
        self._contents.subjects = (*made, *opened)
        self.photoChanged.emit()
        self.maskChanged.emit()
        return tuple(made)

    # The prompt panel

    @property
    def values(self) -> PanelValues:
        return self._contents.values

    def set_values(self, values: PanelValues) -> None:
        before = self._contents.values
        if values != before:
            self._contents.values = values
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
        self.set_engine(replace(self._contents.engine, **changes))

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
        """Whether the subject was moved over the picture of this request: what is drawn from it keeps its seed and scales, and
        takes the panel's placement."""
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
        """Whether a photo is being read, which is no subject yet."""
        if reading != self._contents.reading:
            self._contents.reading = reading
            self.preparedChanged.emit()

    @property
    def expected_seconds(self) -> float | None:
        """How long one picture took lately, or None before the first one."""
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
        self.set_settings(replace(self._contents.settings, **changes))

    # What follows from it

    def readiness(self) -> Readiness:
        """The values that the help line under Generate is made from."""
        subject, engine = self.subject, self._contents.engine
        return Readiness(
            has_model=engine.phase in ("loading", "ready"),
            loading=engine.phase == "loading",
            reading=self._contents.reading or (subject is not None and bool(subject.coming)),
            has_photo=subject is not None,
            has_subject=subject is not None and subject.cut_out is not None,
            problem=subject.problem if subject is not None else "",
            has_prompt=bool(self._contents.values.prompt.strip()),
            prepared=self._contents.prepared is not None,
            seconds=self._contents.seconds,
        )


def _same(a: Any, b: Any) -> bool:
    """Equal without comparing pixels: arrays are the same only when they are one object."""
    if a is b:
        return True
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return False
    return bool(a == b)
