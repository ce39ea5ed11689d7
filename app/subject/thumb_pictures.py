"""Small pictures of photos on the shelf: the cut-out, or the photo as long as there is none. Each is made once."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from PySide6.QtGui import QImage

from app.look.pixels import to_image
from app.session.subject_shelf import Subject

log = logging.getLogger(__name__)

PIXELS = 180
"""Side of a small picture."""


class ThumbPictures:
    """See the module."""

    def __init__(self) -> None:
        self._sources: dict[int, object] = {}
        self._pictures: dict[int, QImage] = {}

    def of(self, subject: Subject) -> QImage:
        """The picture of a photo; null while there is nothing to show."""
        source = next((one for one in (subject.cut_out, subject.photo, subject.preview) if one is not None), None)
        if source is not None and self._sources.get(subject.key) is not source:
            self._sources[subject.key] = source
            self._pictures[subject.key] = _picture(subject)
        return self._pictures.get(subject.key, QImage())

    def keep(self, keys: Iterable[int]) -> None:
        """Forget all others."""
        for kept in (self._sources, self._pictures):
            for key in set(kept) - set(keys):
                del kept[key]


def _picture(subject: Subject) -> QImage:
    import numpy as np

    from engine import MaskError
    from engine.photo import cut_out, on_white, photo_from_pixels

    if subject.cut_out is not None:
        return to_image(subject.cut_out.rgb)
    if subject.photo is None:
        assert subject.preview is not None
        return to_image(subject.preview)
    step = max(1, min(subject.photo.rgb.shape[:2]) // (2 * PIXELS))  # twice what is shown: smoothed when it is painted
    photo = subject.photo
    small = np.ascontiguousarray(photo.rgb[::step, ::step])
    if subject.mask is not None:  # of a session that came back: its cut-out is made when it is chosen
        try:
            return to_image(cut_out(photo_from_pixels(small), subject.mask[::step, ::step], PIXELS).rgb)
        except MaskError:
            log.debug("a subject of the shelf has no cut-out", exc_info=True)
    return to_image(small if photo.alpha is None else on_white(small, photo.alpha[::step, ::step]))
