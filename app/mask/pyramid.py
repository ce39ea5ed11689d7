"""A picture at full, half, quarter … size, so that any zoom is sampled from few pixels, smoothly."""

from __future__ import annotations

import cv2
import numpy as np

from app.mask.brush import Rect

_SMALLEST = 64


class Pyramid:
    """The picture itself is level 0 and not copied; a pixel of level k covers 2^k × 2^k of it.

    Args:
        pixels: uint8 (H, W) or (H, W, 3).
        highest: the last level that is wanted; None takes all, down to a thumbnail.
    """

    def __init__(self, pixels: np.ndarray, highest: int | None = None) -> None:
        self.levels = [pixels]
        while max(self.levels[-1].shape[:2]) > _SMALLEST and len(self.levels) - 1 != highest:
            self.levels.append(_halved(self.levels[-1]))

    @property
    def height(self) -> int:
        return self.levels[0].shape[0]

    @property
    def width(self) -> int:
        return self.levels[0].shape[1]

    def copy(self) -> Pyramid:
        """Another one over the same level 0, which can be updated by itself."""
        out = Pyramid(self.levels[0], 0)
        out.levels += [level.copy() for level in self.levels[1:]]
        return out

    def raise_from(self, level: int) -> None:
        """A level changed everywhere: bring those above up to date."""
        for lower, upper in zip(self.levels[level:], self.levels[level + 1 :], strict=False):
            upper[...] = _halved(lower)

    def replace(self, pixels: np.ndarray) -> None:
        """Another picture of the same size in the place of level 0; ``update`` the levels above."""
        self.levels[0] = pixels

    def update(self, rect: Rect) -> None:
        """Level 0 changed inside ``rect``: bring the others up to date."""
        area = rect.clipped(self.height, self.width)
        for lower, upper in zip(self.levels, self.levels[1:], strict=False):
            if area.empty:
                return
            area = Rect(area.x0 // 2, area.y0 // 2, (area.x1 + 1) // 2, (area.y1 + 1) // 2)
            source = lower[2 * area.y0 : 2 * area.y1, 2 * area.x0 : 2 * area.x1]
            upper[area.slices] = _halved(source)

    def at_most(self, side: int) -> np.ndarray:
        """The largest level whose longer side is at most ``side`` pixels (the smallest level if there is none)."""
        return next((level for level in self.levels if max(level.shape[:2]) <= side), self.levels[-1])

    def sample(self, left: float, top: float, scale: float, width: int, height: int) -> np.ndarray:
        """The picture as it looks at ``scale`` target pixels per pixel, from (left, top) on: uint8 (height, width[, 3]).

        Beyond its edges the picture's outermost pixels go on.
        """
        number = 0
        while number + 1 < len(self.levels) and scale * 2 ** (number + 1) <= 1:
            number += 1
        level, factor = self.levels[number], 2.0**number
        step = 1 / (scale * factor)
        # The middle of target pixel i lies at left + (i + 0.5) / scale; the middle of a level's pixel j at j + 0.5.
        x, y = left / factor + step / 2 - 0.5, top / factor + step / 2 - 0.5
        rows, columns = level.shape[:2]
        x0, x1 = _span(x, step, width, columns)
        y0, y1 = _span(y, step, height, rows)
        return cv2.warpAffine(
            level[y0:y1, x0:x1],
            np.array([[step, 0, x - x0], [0, step, y - y0]]),
            (width, height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )


def _span(start: float, step: float, count: int, length: int) -> tuple[int, int]:
    """The source pixels that are needed: first and one past the last, at least one."""
    first = min(max(int(np.floor(start)) - 2, 0), length - 1)
    last = min(max(int(np.ceil(start + step * (count - 1))) + 3, first + 1), length)
    return first, last


def _halved(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape[:2]
    if height % 2 or width % 2:
        pixels = cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return cv2.resize(pixels, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
