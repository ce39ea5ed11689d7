"""Cut-outs of masks, composed in the pool: of each photo only the newest one counts. Used from the window's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from app.session.state import SessionState
from app.session.subject_shelf import Subject
from app.session.subject_work import compose, note
from app.system import background

if TYPE_CHECKING:
    import numpy as np

    from app.session.subject_work import Composed
    from engine.photo import Box, Photo


class Composing(QObject):
    """See the module.

    Signals:
        made(object, bool): a ``Composed``, and whether it is the newest of its photo.
    """

    made = Signal(object, bool)

    def __init__(self, state: SessionState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._numbers: dict[int, int] = {}
        self._done: dict[int, int] = {}
        self._examined: set[int] = set()

    def compose(self, key: int, photo: Photo, mask: np.ndarray, box: Box | None) -> None:
        """Begin the cut-out of a photo by a mask, uint8 (H, W); ``box`` of what was found, for the framing that goes by it."""
        number = self._numbers[key] = self._numbers.get(key, 0) + 1
        size, framing = self._state.reference_size, self._state.settings.framing
        background.run(compose, key, number, photo, mask, size, framing, box, done=self._composed)

    def was_begun(self, key: int) -> bool:
        """Return True if a cut-out of this photo was ever begun."""
        return key in self._numbers

    def goes_on(self, key: int) -> bool:
        """Return True while the newest cut-out of this photo is on its way."""
        return self._numbers.get(key) != self._done.get(key)

    @Slot(object)
    def _composed(self, made: Composed) -> None:
        newest = made.number == self._numbers.get(made.key)
        if newest:
            self._done[made.key] = made.number
        self.made.emit(made, newest)

    def examine(self, subject: Subject) -> None:
        """Note once what the photo of a subject lacks whose cut-out came with it."""
        if subject.key not in self._numbers and subject.key not in self._examined:
            self._examined.add(subject.key)
            arguments = subject.key, subject.photo, subject.mask, self._state.reference_size
            background.run(note, *arguments, done=self._notes_made)

    @Slot(object)
    def _notes_made(self, made: tuple[int, np.ndarray, tuple[str, ...]]) -> None:
        key, mask, notes = made
        subject = self._state.subject_with(key)
        if subject is not None and subject.mask is mask:
            self._state.update_subject(key, notes=notes)
