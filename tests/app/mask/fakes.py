"""A segmenter that answers at once, and masks to compare with."""

from __future__ import annotations

import threading

import numpy as np

from engine.errors import SubjectNotFound
from engine.photo.hints import Box, SubjectProposal
from engine.photo.load import Photo

WIDTH, HEIGHT = 600, 400


def disc(x=300, y=200, radius=90, width=WIDTH, height=HEIGHT) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width]
    return np.where(np.hypot(xs + 0.5 - x, ys + 0.5 - y) <= radius, 255, 0).astype(np.uint8)


def area(mask) -> int:
    return int(np.count_nonzero(np.asarray(mask) >= 128))


class FakeSegmenter:
    """Answers a click with a disc around it, a box with the box. ``gate`` holds answers back while it is cleared."""

    def __init__(self) -> None:
        self.asked: list[tuple] = []
        self.gate = threading.Event()
        self.gate.set()
        self.threads: set[int] = set()
        self.fail = False
        self.sure = True
        self.notes: list[str] = []
        self.prepared: list[str] = []
        self.closed = False

    def find_subject(self, photo, hint):
        self._work("find", hint)
        box = hint.box or Box(210, 110, 390, 290, 0.96, hint.name)
        mask = _filled(box, photo) if hint.box else disc(width=photo.width, height=photo.height)
        others = (Box(20, 20, 120, 90, 0.41, "cushion"),)
        return SubjectProposal(
            hint.name,
            (box, *others),
            mask,
            0.96 if self.sure else 0.62,
            1.0 if hint.name else 0.0,
            notes=tuple(self.notes),
            sure=self.sure,
        )

    def refine_mask(self, photo, clicks=(), box=None, strokes=(), start=None, notes=None):
        self._work("refine", clicks, box, strokes)
        mask = np.zeros(photo.rgb.shape[:2], np.uint8) if start is None else start.copy()
        if box is not None:
            mask = np.maximum(mask, _filled(box, photo))
        for click in clicks:
            spot = disc(click.x, click.y, 30, photo.width, photo.height)
            mask = np.maximum(mask, spot) if click.include else np.minimum(mask, 255 - spot)
        if notes is not None:
            notes += self.notes
        return mask

    def prepare(self, photo):
        self.prepared.append(photo.digest)
        return tuple(self.notes)

    def close(self):
        self.closed = True
        self.gate.set()

    def _work(self, *asked):
        self.threads.add(threading.get_ident())
        self.asked.append(asked)
        assert self.gate.wait(10)
        if self.fail:
            raise SubjectNotFound("Nothing found in the photo.", "Draw a box around it.")


def _filled(box: Box, photo: Photo) -> np.ndarray:
    mask = np.zeros(photo.rgb.shape[:2], np.uint8)
    x0, y0, x1, y1 = box.pixels(photo.height, photo.width)
    mask[y0:y1, x0:x1] = 255
    return mask
