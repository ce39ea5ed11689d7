"""Files that were dropped, pasted or handed over: pictures of ours bring everything back, others are photos."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.language import sentences
from app.session.subjects import Subjects
from app.system import background
from app.system.failures import in_words
from engine import GenerationRequest, InputError, PhotoError, ScaleBits, Sentence
from engine.photo import carries_request, load_photo, read_picture_file


@dataclass(frozen=True, eq=False)
class DroppedPicture:
    """A picture of ours, read back from its file; ``bits`` is None where it has lost them."""

    file: Path
    image: np.ndarray
    request: GenerationRequest
    bits: ScaleBits | None
    likeness: float | None = None


class FileOpener(QObject):
    """See the module. A photo becomes the subject.

    Signals:
        pictureOpened(object): a ``DroppedPicture`` to show.
        failed(object, str): ``EchoGenError`` and details for the banner.
        notice(str): a sentence for a toast.
    """

    pictureOpened = Signal(object)
    failed = Signal(object, str)
    notice = Signal(str)

    def __init__(self, subjects: Subjects, parent: QObject) -> None:
        super().__init__(parent)
        self._subjects = subjects
        self._in_turn: deque[Path] = deque()
        self._reading = False

    def open(self, files: Sequence[Path]) -> None:
        """Open what was dropped, pasted or handed over: pictures of ours bring everything back, others are photos."""
        if not self._in_turn and not self._reading:
            self._subjects.reading.begin()
        self._in_turn.extend(files)
        self._read_next()

    def _read_next(self) -> None:
        """Files are read one after another: they are opened in the order in which they were chosen."""
        if self._in_turn and not self._reading:
            self._reading = True
            background.run(_recognise, self._in_turn.popleft(), done=self._recognised, failed=self._could_not_open)

    @Slot(object)
    def _recognised(self, found: DroppedPicture | Path | tuple[Path, InputError]) -> None:
        if isinstance(found, DroppedPicture):
            self.pictureOpened.emit(found)
        elif isinstance(found, Path):
            self._subjects.reading.open_file(found)
        else:
            file, error = found
            self._subjects.reading.open_file(file)
            self.notice.emit(self.tr("{0} It is opened as a photo.").format(sentences.translated(error.fact)))
        self._read_on()

    @Slot(object)
    def _could_not_open(self, error: Exception) -> None:
        self.failed.emit(in_words(error, Sentence("The file could not be opened: {error}", error=error)), "")
        self._read_on()

    def _read_on(self) -> None:
        self._reading = False
        self._read_next()


def read_picture(file: Path) -> DroppedPicture:
    """Read a picture of ours. Raises ``EchoGenError``."""
    found = read_picture_file(file)
    return DroppedPicture(file, load_photo(file).rgb, found.request, found.bits, found.likeness)


def _recognise(file: Path) -> DroppedPicture | Path | tuple[Path, InputError]:
    """A picture of ours; a photo; or a picture of ours that is a photo now, with what is the matter with its settings."""
    if file.suffix.lower() != ".png" or not carries_request(file):
        return file
    try:
        return read_picture(file)
    except PhotoError:
        raise
    except InputError as error:
        return file, error
