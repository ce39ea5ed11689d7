"""A photo in the sizes the pre-flight works at, kept per photo so that the next click starts where the last one ended."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from engine.photo.load import Photo
from engine.preflight.colours.saliency import Regions, find_regions, saliency
from engine.preflight.inner_photo import InnerPhoto

FINE_SIDE = 512
"""Long side of the picture an outline is found in (design, section 3)."""

COARSE_SIDE = 256
"""Long side of the picture a rough cut is made in."""

_DETAILED = 2 * FINE_SIDE
"""A part of a photo is shrunk from a picture in which its long side has at least so many pixels."""

Extent = tuple[int, int, int, int]
"""x0, y0, x1, y1 in photo pixels, right and bottom exclusive."""


@dataclass(frozen=True, eq=False)
class Window:
    """A part of a photo, shrunk.

    Attributes:
        extent: which part.
        photo: RGB uint8, the part at full size.
        fine: RGB uint8, long side at most ``FINE_SIDE``.
        coarse: RGB uint8, long side at most ``COARSE_SIDE``.
    """

    extent: Extent
    photo: np.ndarray
    fine: np.ndarray
    coarse: np.ndarray


class WorkingPhoto:
    """One photo with everything that is computed once per photo; what is lazy is computed under ``lock``."""

    def __init__(self, photo: Photo) -> None:
        self.photo = photo
        self.lock = threading.RLock()
        self._windows: OrderedDict[Extent, Window] = OrderedDict()
        self._windows_lock = threading.Lock()
        self._halves = [photo.rgb]

    @cached_property
    def whole(self) -> Window:
        """The whole photo."""
        return self.window((0, 0, self.photo.width, self.photo.height))

    @cached_property
    def inner(self) -> InnerPhoto | None:
        """The part between bars, as a photo of its own; None without bars."""
        return InnerPhoto.of(self.photo)

    @cached_property
    def regions(self) -> Regions:
        """Superpixels of the coarse picture."""
        return find_regions(self.whole.coarse)

    @cached_property
    def saliency(self) -> np.ndarray:
        """The degree to which each superpixel stands out, float32 (N,)."""
        return saliency(self.regions)[0]

    def window(self, extent: Extent) -> Window:
        """A part of the photo; the last few are kept. Thread-safe."""
        with self._windows_lock:
            found = self._windows.pop(extent, None)
            if found is None:
                x0, y0, x1, y1 = extent
                fine = self._fine(extent)
                found = Window(extent, self.photo.rgb[y0:y1, x0:x1], fine, shrunk(fine, COARSE_SIDE))
            self._windows[extent] = found
            while len(self._windows) > 4:
                self._windows.popitem(last=False)
            return found

    def _fine(self, extent: Extent) -> np.ndarray:
        """A part of the photo with a long side of at most ``FINE_SIDE``.

        Of a large photo every window would read millions of pixels anew: they are taken from the photo at half, a quarter, …
        of its size, which is made once, as long as there are far more pixels than are wanted.
        """
        x0, y0, x1, y1 = extent
        step = 0
        while max(x1 - x0, y1 - y0) >> (step + 1) >= _DETAILED and min(x1 - x0, y1 - y0) >> (step + 1):
            step += 1
        while len(self._halves) <= step:
            large = self._halves[-1]
            height, width = large.shape[0] // 2, large.shape[1] // 2
            # Exactly two by two pixels each: that is OpenCV's fastest way.
            self._halves.append(
                cv2.resize(large[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
            )
        picture = self._halves[step]
        part = picture[y0 >> step : max(y1 >> step, (y0 >> step) + 1), x0 >> step : max(x1 >> step, (x0 >> step) + 1)]
        return shrunk(part, FINE_SIDE)

    def around(self, extent: Extent, share: float) -> Extent:
        """An extent widened by a share of its longer side, in steps, so that small changes meet the same window."""
        x0, y0, x1, y1 = extent
        reach = share * max(x1 - x0, y1 - y0)
        step = max(1, max(self.photo.width, self.photo.height) // 32)
        left, top = max(int((x0 - reach) // step * step), 0), max(int((y0 - reach) // step * step), 0)
        right = min(int(-(-(x1 + reach) // step) * step), self.photo.width)
        bottom = min(int(-(-(y1 + reach) // step) * step), self.photo.height)
        return left, top, right, bottom


class WorkingPhotos:
    """The last few working photos, by the photo's digest. Thread-safe."""

    def __init__(self, keep: int = 4, make: Callable[[Photo], WorkingPhoto] = WorkingPhoto) -> None:
        self._keep = keep
        self._make = make
        self._kept: OrderedDict[str, WorkingPhoto] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, photo: Photo) -> WorkingPhoto:
        with self._lock:
            found = self._kept.get(photo.digest)
            if found is None:
                found = self._kept[photo.digest] = self._make(photo)
            self._kept.move_to_end(photo.digest)
            while len(self._kept) > self._keep:
                self._kept.popitem(last=False)
            return found


def shrunk(rgb: np.ndarray, side: int) -> np.ndarray:
    """RGB with a long side of at most ``side``; never enlarged."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return np.ascontiguousarray(rgb)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
