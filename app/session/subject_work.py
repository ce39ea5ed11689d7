"""Work for the subjects in other threads: read photos, find subjects, compose cut-outs. Values in, values out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtGui import QColorSpace, QImage

from app.look.pixels import to_array
from app.mask.pyramid import Pyramid
from app.mask.worker import SegmenterLike
from engine import CutOut, EchoGenError, Sentence, SubjectNotFound
from engine.photo import (
    MAX_PIXELS,
    Box,
    Hint,
    Photo,
    SubjectProposal,
    cut_out,
    load_photo,
    photo_from_pixels,
    photo_notes,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Loaded:
    """A photo that was read, with its pyramid for zooming; ``name`` of the subject, where it is known; ``card`` of the subject
    that it is another photo of, or 0."""

    photo: Photo
    layers: Pyramid
    name: str = ""
    example: bool = False
    card: int = 0


@dataclass(frozen=True, eq=False)
class Found:
    """The answer of the search in the photo of subject ``key``: a proposal, or why there is none."""

    key: int
    outcome: SubjectProposal | EchoGenError


@dataclass(frozen=True, eq=False)
class Composed:
    """The cut-out of a mask, uint8 (H, W), or the problem that keeps it from being made; ``number`` tells answers apart."""

    key: int
    number: int
    mask: np.ndarray
    cut_out: CutOut | None
    problem: str
    notes: tuple[str, ...] = ()


class OnDemand:
    """One segmenter for all threads, made when it is needed first."""

    def __init__(self, factory: Callable[[], SegmenterLike]) -> None:
        self._factory = factory
        self._lock = threading.Lock()
        self._made: SegmenterLike | None = None

    def get(self) -> SegmenterLike:
        with self._lock:
            if self._made is None:
                self._made = self._factory()
            return self._made

    def close(self) -> None:
        with self._lock:
            if self._made is not None:
                self._made.close()


def read_file(path: Path, name: str, example: bool, card: int = 0) -> Loaded:
    """Read a photo. Raises ``PhotoError``."""
    photo = load_photo(path)
    return Loaded(photo, Pyramid(photo.rgb), name, example, card)


def read_image(image: QImage, title: str, card: int = 0) -> Loaded:
    """Take a picture without a file, from the clipboard for example, its colours brought to sRGB."""
    if image.width() * image.height() <= MAX_PIXELS and image.colorSpace().isValid():
        # Screens and cameras of today have more colours than sRGB; the pixels are meant in the space they name.
        image = image.convertedToColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb))
    alpha = None
    if image.hasAlphaChannel():
        grey = image.convertToFormat(QImage.Format.Format_Alpha8)
        rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
        alpha = rows[:, : grey.width()].copy()
    photo = photo_from_pixels(to_array(image), alpha, title)
    return Loaded(photo, Pyramid(photo.rgb), card=card)


def find(segmenter: OnDemand, key: int, photo: Photo, hint: Hint) -> Found:
    """Find the subject of a photo; errors are in the answer, since nobody in the pool could hear them."""
    try:
        return Found(key, segmenter.get().find_subject(photo, hint))
    except EchoGenError as error:
        return Found(key, error)
    except Exception as error:
        log.exception("the segmenter failed")
        return Found(
            key,
            SubjectNotFound(
                Sentence("The subject could not be found: {error}", error=error), Sentence("Draw a box around it.")
            ),
        )


def prepare(segmenter: OnDemand, photo: Photo) -> Sentence:
    """Sentences for the user, or none."""
    return Sentence.row(*segmenter.get().prepare(photo))


def compose(
    key: int, number: int, photo: Photo, mask: np.ndarray, size: int, framing: str, box: Box | None
) -> Composed:
    try:
        made = cut_out(photo, mask, size, framing, box if framing == "reference" else None)
        return Composed(key, number, mask, made, "", photo_notes(photo, mask, size))
    except EchoGenError as error:
        return Composed(key, number, mask, None, error.sentence)


def note(key: int, photo: Photo, mask: np.ndarray, size: int) -> tuple[int, np.ndarray, tuple[str, ...]]:
    """Return the key, the mask, and what the photo lacks for a good picture: for a subject whose cut-out is there
    already."""
    return key, mask, photo_notes(photo, mask, size)
