"""A picture of any size through a network that takes small ones: tiles that overlap, and fade into each other.

The outer pixels of a tile are only context, for the network knows nothing of what lies beyond them; next to those two tiles
fade into each other. Neither a step nor a seam is left. What is held besides the result is one row of tiles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.errors import Cancel, raise_if_cancelled

Enlarge = Callable[[np.ndarray], np.ndarray]
"""One tile, float32 (h, w, 3), 0 … 1 → float32 (factor × h, factor × w, 3), about 0 … 1."""


@dataclass(frozen=True)
class Tiling:
    """The tiles of a picture. All lengths are pixels of the small picture, and multiples of ``grid``.

    Attributes:
        side: of a tile. context: its outer pixels, which are thrown away.
        blend: over how many pixels two tiles fade into each other.
        grid: tiles begin at its multiples, so that a network that looks through windows has the same ones in every tile.
    """

    side: int
    context: int = 16
    blend: int = 16
    grid: int = 8

    @property
    def stride(self) -> int:
        return self.side - 2 * self.context - self.blend

    def starts(self, length: int) -> list[int]:
        """Return the first pixel of each tile along a side; ``length`` is a multiple of ``grid``. The last tile ends
        with the side."""
        last = length - self.side
        return [0] if last <= 0 else [*range(0, last, self.stride), last]

    def weights(self, length: int, factor: int) -> list[np.ndarray]:
        """Return the weight of each tile along a side at its pixels, enlarged: float32 (factor × side,). They add up to
        1."""
        side = min(self.side, length)
        # Zero in the context, then rising; at the edge of the picture there is nothing to fade into.
        rising = np.arange(side * factor, dtype=np.float32) + 0.5
        rising = np.clip((rising / factor - self.context) / self.blend, 0, 1)
        starts = self.starts(length)
        found = []
        for start in starts:
            weight = np.ones(side * factor, np.float32)
            if start > 0:
                weight *= rising
            if start + side < length:
                weight *= rising[::-1]
            found.append(weight)
        total = np.zeros(length * factor, np.float32)
        for start, weight in zip(starts, found, strict=True):
            total[start * factor : (start + side) * factor] += weight
        return [
            weight / total[start * factor : (start + side) * factor]
            for start, weight in zip(starts, found, strict=True)
        ]


def by_tiles(
    image: np.ndarray,
    factor: int,
    enlarge: Enlarge,
    tiling: Tiling,
    on_progress: Callable[[float], None] = lambda share: None,
    cancel: Cancel | None = None,
) -> np.ndarray:
    """Enlarge a picture tile by tile.

    Args:
        image: RGB uint8 (H, W, 3).
        on_progress: told the share that is done, 0 … 1, after each tile.
        cancel: looked at before each tile.

    Returns:
        uint8 (factor × H, factor × W, 3).

    Raises:
        Cancelled: ``cancel`` was set.
    """
    height, width = image.shape[:2]
    # Mirrored up to the next multiple: "symmetric" mirrors a picture of one pixel, too.
    padded = np.pad(image, ((0, -height % tiling.grid), (0, -width % tiling.grid), (0, 0)), "symmetric")
    rows, columns = padded.shape[:2]
    side_y, side_x = min(tiling.side, rows), min(tiling.side, columns)
    tops, lefts = tiling.starts(rows), tiling.starts(columns)
    down, across = tiling.weights(rows, factor), tiling.weights(columns, factor)
    result = np.empty((rows * factor, columns * factor, 3), np.uint8)
    row = np.zeros((side_y * factor, columns * factor, 3), np.float32)
    for number, (top, weight_y) in enumerate(zip(tops, down, strict=True)):
        for left, weight_x in zip(lefts, across, strict=True):
            raise_if_cancelled(cancel)
            tile = padded[top : top + side_y, left : left + side_x].astype(np.float32) / 255
            weight = weight_y[:, None, None] * weight_x[None, :, None]
            row[:, left * factor : (left + side_x) * factor] += enlarge(tile) * weight
            on_progress((number + (left + side_x) / columns) / len(tops))
        done = (tops[number + 1] - top if number + 1 < len(tops) else side_y) * factor
        result[top * factor : top * factor + done] = np.rint(np.clip(row[:done], 0, 1) * 255)
        row = np.concatenate([row[done:], np.zeros_like(row[:done])])  # what the next row of tiles fades into
    return result[: height * factor, : width * factor]
