"""Photos that are opened, pasted or added: read one after another in another thread, and put on the shelf.

Used from the window's thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage

from app.mask.pyramid import Pyramid
from app.session.state import SessionState
from app.session.subject_work import read_file, read_image
from app.system import background
from app.system.deferred import TURN_MS
from app.system.failures import in_words
from engine import MAX_VIEWS, EchoGenError, PhotoError, Sentence

if TYPE_CHECKING:
    from app.session.subject_work import Loaded
    from engine.photo import Photo

TOLD = 3
"""So many photos that cannot be opened are said with their reason."""


class TooManyPhotos(PhotoError):
    """A subject has as many photos as it may have; another photo would not help."""

    title = Sentence("Too many photos")


class PhotoReading(QObject):
    """See the module.

    Args:
        beforehand: done in a thread as soon as a photo is on its way, for what comes after the reading.

    Signals:
        changed(bool): a photo is being read, or none is any more.
        failed(object): an ``EchoGenError`` for the banner; of several photos that were given together, it says all that failed so far.
    """

    changed = Signal(bool)
    failed = Signal(object)

    def __init__(self, state: SessionState, beforehand: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state, self._beforehand = state, beforehand
        self._layers: Pyramid | None = None
        self._expected = 0
        self._in_turn: deque[tuple] = deque()
        self._busy = False
        self._refused: list[EchoGenError] = []

    @property
    def active(self) -> bool:
        """True while a photo is being read."""
        return self._expected > 0

    @Slot(bool)
    def expect(self, coming: bool) -> None:
        """Photos of the last session are on their way, or have come."""
        self._count(1 if coming else -1)

    def begin(self) -> None:
        """Photos are given anew: what was wrong with earlier ones is said, unless some of them are still read."""
        if not self._busy:
            self._refused.clear()

    def open_file(self, path: Path, name: str = "", example: bool = False) -> None:
        """Read a photo and put it on the shelf; ``name``: what the subject is called, if that is known."""
        self._load(read_file, path, name, example)

    def open_image(self, image: QImage, title: str) -> None:
        """Put a pasted picture on the shelf."""
        self.begin()
        self._load(read_image, QImage(image), title)

    def add_photos(self, card: int, given: Sequence[Path | QImage], title: str = "") -> None:
        """Put further photos of a subject on its card, as far as there is room.

        Args:
            given: files, or pictures without one, which get the ``title``.
        """
        self.begin()
        free = MAX_VIEWS + 1 - len([photo for photo in self._state.subjects if photo.card == card])
        if len(given) > free:
            self.failed.emit(
                TooManyPhotos(
                    Sentence("A subject has at most {most} photos.", most=MAX_VIEWS + 1),
                    Sentence("Take one of them out first."),
                )
            )
        for one in given[: max(free, 0)]:
            if isinstance(one, QImage):
                self._load(read_image, QImage(one), title, card)
            else:
                self._load(read_file, one, "", False, card)

    def layers_of(self, photo: Photo) -> Pyramid:
        """Return the pyramid of a photo: the one that was made while it was read, for whoever asks first, else a new one."""
        layers, self._layers = self._layers, None
        return layers if layers is not None and layers.levels[0] is photo.rgb else Pyramid(photo.rgb)

    def _load(self, read: Callable[..., Loaded], *arguments) -> None:
        self._count(1)
        background.run(self._beforehand, patient=True)
        self._in_turn.append((read, *arguments))
        self._read_next()

    def _read_next(self) -> None:
        """Photos are read one after another: they lie in the order in which they were chosen."""
        if self._in_turn and not self._busy:
            self._busy = True
            background.run(*self._in_turn.popleft(), done=self._loaded, failed=self._not_loaded)

    @Slot(object)
    def _loaded(self, loaded: Loaded) -> None:
        self._busy = False
        self._put_on_shelf(loaded)
        self._read_next()

    def _put_on_shelf(self, loaded: Loaded) -> None:
        # In a turn of its own: the panel has a subject to show by then.
        QTimer.singleShot(TURN_MS, self, self._ended)
        examples = [subject.key for subject in self._state.subjects if subject.example]
        digest = loaded.photo.digest
        for index, subject in enumerate(self._state.subjects):
            here = subject.photo.digest if subject.photo is not None else subject.coming
            if here == digest and loaded.card in (0, subject.card):
                self._state.select_subject(index)  # it is here already, with its mask, or about to be
                return
        self._layers = loaded.layers
        self._state.add_subject(
            photo=loaded.photo,
            name=loaded.name,
            title=loaded.photo.name,
            example=loaded.example,
            card=loaded.card,
            finding=True,
        )
        for key in examples:
            # Examples are one click away in the gallery; the shelf is for what the user brought.
            self._state.remove_subject(key)

    @Slot(object)
    def _not_loaded(self, error: Exception) -> None:
        self._ended()
        fact = Sentence("The photo could not be opened: {error}", error=error)
        self._refused.append(in_words(error, fact, Sentence("Choose another one.")))
        self.failed.emit(_together(self._refused))
        self._busy = False
        self._read_next()

    @Slot()
    def _ended(self) -> None:
        self._count(-1)

    def _count(self, change: int) -> None:
        self._expected += change
        self._state.set_reading(self.active)
        self.changed.emit(self.active)


def _together(errors: Sequence[EchoGenError]) -> EchoGenError:
    """One error that says them all, the first few in their words."""
    if len(errors) == 1:
        return errors[0]
    facts, more = [error.fact for error in errors[:TOLD]], len(errors) - TOLD
    if more > 0:
        facts.append(Sentence("{count} more could not be opened.", count=more))
    title = Sentence("{count} photos cannot be opened", count=len(errors))
    return PhotoError(Sentence.row(*facts), title=title)
