"""The picture after each scale, for the strip: from memory, from the history, else painted by the engine from the bits."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QObject, Slot

from app.canvas.panel import CanvasPanel
from app.session.queue import PictureQueue
from app.session.state import SessionState
from app.store.history_store import HistoryStore
from app.system import background
from engine import CannotWrite, Finished, ScaleBits, Started
from engine.process import ScalesPainted

log = logging.getLogger(__name__)

_BYTES = 24 * 2**20
"""Room for what is remembered: some twenty pictures of 256 px, some five of 1024. The history keeps the others."""

Images = tuple[np.ndarray | None, ...]


class StripPictures(QObject):
    """Fills the strip of the picture that is shown. What the engine had to paint is kept beside the history afterwards."""

    def __init__(
        self,
        state: SessionState,
        queue: PictureQueue,
        canvas: CanvasPanel,
        store: HistoryStore,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state, self._queue, self._canvas, self._store = state, queue, canvas, store
        self._known: OrderedDict[int, tuple[ScaleBits, Images]] = OrderedDict()
        self._asked: tuple[int, ScaleBits] | None = None
        self._unkept: ScaleBits | None = None
        queue.started.connect(self._started)
        queue.finished.connect(self._finished)
        queue.scalesPainted.connect(self._painted)
        canvas.previewsWanted.connect(self.fill)
        state.engineChanged.connect(self._ask)
        state.resultChanged.connect(self._keep)

    def opened(self, bits: ScaleBits, images: Images) -> None:
        """A picture of the history is about to be shown; ``images``: what the history has of its scales."""
        if images:
            self.remember(bits, images)
        self._unkept = None if images and all(image is not None for image in images) else bits

    def remember(self, bits: ScaleBits, images: Sequence[np.ndarray | None]) -> None:
        """Keep the picture after each scale for as long as there is room. What is known already stays as it is."""
        key = hash(bits)
        known = self._of(bits)
        merged = tuple(known[n] if n < len(known) and known[n] is not None else image for n, image in enumerate(images))
        self._known[key] = (bits, merged)
        self._known.move_to_end(key)
        while len(self._known) > 1 and sum(_nbytes(kept) for _, kept in self._known.values()) > _BYTES:
            self._known.popitem(last=False)

    def _of(self, bits: ScaleBits) -> Images:
        known = self._known.get(hash(bits))
        return known[1] if known is not None and known[0] == bits else ()

    def _of_kept(self, kept: ScaleBits | None) -> Images:
        """Scales that are kept are not drawn again: their pictures are those of the picture they come from."""
        for bits, known in reversed(self._known.values()):
            if kept is not None and len(bits) >= len(kept) and bits.first(len(kept)) == kept:
                return known[: len(kept)]
        return ()

    @Slot(object)
    def _started(self, event: Started) -> None:
        """A picture begins with kept scales, perhaps of a picture that is not the one that was shown."""
        images = self._canvas.strip.model.images
        # A region keeps the bits of all scales, and draws from its first one on.
        for scale, image in enumerate(self._of_kept(event.request.kept)[: event.first_scale]):
            if image is not None and scale < len(images) and images[scale] is None:
                self._canvas.strip.set_preview(scale, image)

    @Slot(object, object)
    def _finished(self, finished: Finished, images: Images) -> None:
        known = self._of_kept(finished.request.kept)
        both = (known[n] if image is None and n < len(known) else image for n, image in enumerate(images))
        self.remember(finished.bits, tuple(both))
        self._unkept = finished.bits if any(image is None for image in images) else None

    # The strip

    @Slot(object)
    def fill(self, bits: ScaleBits) -> None:
        """Give the strip what it lacks of the picture with these bits, now or when the engine has painted it."""
        self._put(self._of(bits))
        self._keep()
        self._ask()

    def _put(self, images: Sequence[np.ndarray | None]) -> None:
        for scale in self._canvas.strip.model.missing:
            image = images[scale] if scale < len(images) else None
            if image is not None:
                self._canvas.strip.set_preview(scale, image)

    @Slot()
    def _ask(self) -> None:
        """Ask the engine once it can answer: a picture may be opened before the model is."""
        bits, request = self._canvas.bits, self._canvas.request
        if bits is None or request is None or not self._canvas.strip.model.missing:
            return
        if self._state.engine.phase != "ready":
            self._asked = None  # an engine that ends takes the question along
        elif self._asked is None or self._asked[1] is not bits:
            number = self._queue.paint_scales(request, bits)
            self._asked = (number, bits) if number is not None else None

    @Slot(object)
    def _painted(self, answer: ScalesPainted) -> None:
        if self._asked is None or answer.number != self._asked[0]:
            return
        bits = self._asked[1]
        if not answer.images:
            return  # the engine cannot: it need not be asked again while it is the same one
        self.remember(bits, answer.images)
        if self._canvas.bits is bits:
            self._put(answer.images)
            self._keep()

    # Beside the history

    @Slot()
    def _keep(self) -> None:
        """Keep what the history lacks, as soon as the picture is in it and its strip is full."""
        result, strip = self._state.result, self._canvas.strip.model
        if self._unkept is None or result is None or result.picture is None or result.bits is not self._unkept:
            return
        if self._canvas.bits is result.bits and not strip.missing:
            self._unkept = None
            background.run(_keep_scales, self._store, result.picture, tuple(strip.images))


def _keep_scales(store: HistoryStore, picture: int, images: Images) -> None:
    try:
        if store.keeps_scales_of(picture):
            store.set_scales(picture, images)
    except CannotWrite as error:
        log.info("the scales of picture %d are not kept: %s", picture, error)


def _nbytes(images: Images) -> int:
    return sum(image.nbytes for image in images if image is not None)
