"""A photo and its mask → what the canvas shows, at screen resolution. Free of Qt.

The mask's outline is a white line on a dark one. Both come from one blurred copy of the mask: across a straight edge a
Gaussian blur is the normal distribution, so that its value tells the distance from the edge to a fraction of a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


OVERLAYS = ("tint", "outline", "model")
"""Tint and outline; the outline alone; the subject on white, as the model sees it."""

Colour = tuple[int, int, int, float]
"""Red, green, blue 0 … 255, opacity 0 … 1."""


@dataclass(frozen=True)
class Style:
    """Colours and widths of the overlay, from the tokens of the look.

    Attributes:
        tint, dim: over the subject, over the rest.
        inner, outer: the two lines of the edge; ``inner`` lies on ``outer``.
        inner_width, outer_width: in screen pixels.
    """

    tint: Colour
    dim: Colour
    inner: Colour
    outer: Colour
    inner_width: float
    outer_width: float


def edge_margin(style: Style) -> int:
    """Return how far from a change of the mask the outline can change, in screen pixels."""
    return ceil(2.6 * _sigma(style)) + 1


def compose(photo: np.ndarray, mask: np.ndarray, overlay: str, style: Style, margin: int = 0) -> np.ndarray:
    """One picture of photo and mask.

    Args:
        photo: RGB uint8 (h, w, 3).
        mask: uint8 (h + 2 margin, w + 2 margin): also what lies around the photo's part, for the outline.
        overlay: one of ``OVERLAYS``.

    Returns:
        RGB uint8 (h, w, 3).
    """
    from engine.photo import on_white

    height, width = photo.shape[:2]
    inside = mask[margin : margin + height, margin : margin + width]
    if overlay == "model":
        return on_white(photo, inside)
    if overlay == "tint":
        photo = _tinted(photo, inside, style)
    return _with_edge(photo, mask, style, margin)


def _tinted(photo: np.ndarray, mask: np.ndarray, style: Style) -> np.ndarray:
    keep, add = _tint_tables(style)
    return _table_mix(photo, mask, keep, add)


def _with_edge(photo: np.ndarray, mask: np.ndarray, style: Style, margin: int) -> np.ndarray:
    import cv2

    low, high = cv2.minMaxLoc(mask)[:2]
    if low == high:  # nothing is chosen yet, or everything: there is no edge, and no need to look for one
        return photo
    # A soft mask has its outline where it is half there, as sharp as that of a hard one.
    steep = cv2.LUT(mask, _steep())
    sigma = _sigma(style)
    side = 2 * ceil(2.6 * sigma) + 1
    blurred = cv2.GaussianBlur(steep, (side, side), sigma, borderType=cv2.BORDER_REPLICATE)
    height, width = photo.shape[:2]
    blurred = blurred[margin : margin + height, margin : margin + width]
    keep, add = _edge_tables(style)
    if cv2.minMaxLoc(cv2.LUT(blurred, keep))[0] == 255:
        return photo
    return _table_mix(photo, blurred, keep, add)


def _table_mix(photo: np.ndarray, values: np.ndarray, keep: np.ndarray, add: np.ndarray) -> np.ndarray:
    """photo · keep[values] + add[values]; the tables are uint8 (256,) and (256, 1, 3), 255 keeps all."""
    import cv2

    kept = cv2.LUT(values, keep)
    added = cv2.LUT(cv2.merge([values, values, values]), add)
    return cv2.add(cv2.multiply(photo, cv2.merge([kept, kept, kept]), scale=1 / 255), added)


@cache
def _steep() -> np.ndarray:
    """Takes the soft part of a mask together to a narrow slope."""
    import numpy as np

    return np.clip((np.arange(256) - 127.5) * 20 + 127.5, 0, 255).astype(np.uint8)


def _sigma(style: Style) -> float:
    """Wide enough that the outer line's edge is still on the slope of the blur."""
    return max(0.7 * style.outer_width / 2, 0.8)


@lru_cache(maxsize=32)
def _tint_tables(style: Style) -> tuple[np.ndarray, np.ndarray]:
    """For each value of the mask: how much of the photo stays (256,), and what is added (256, 1, 3)."""
    import numpy as np

    share = (np.arange(256) / 255)[:, None]
    keep = share * (1 - style.tint[3]) + (1 - share) * (1 - style.dim[3])
    add = share * style.tint[3] * np.array(style.tint[:3]) + (1 - share) * style.dim[3] * np.array(style.dim[:3])
    return np.rint(keep * 255).astype(np.uint8)[:, 0], np.rint(add).astype(np.uint8)[:, None, :]


@lru_cache(maxsize=32)
def _edge_tables(style: Style) -> tuple[np.ndarray, np.ndarray]:
    """For each value of the blurred mask: how much of the photo stays (256,), and what is added (256, 1, 3)."""
    from statistics import NormalDist

    import numpy as np

    sigma = _sigma(style)
    shares = (np.arange(256) + 0.5) / 256
    distance = np.abs([sigma * NormalDist().inv_cdf(share) for share in shares])
    inner = np.clip(style.inner_width / 2 + 0.5 - distance, 0, 1) * style.inner[3]
    outer = np.clip(style.outer_width / 2 + 0.5 - distance, 0, 1) * style.outer[3]
    keep = (1 - inner) * (1 - outer)
    add = (outer * (1 - inner))[:, None] * np.array(style.outer[:3]) + inner[:, None] * np.array(style.inner[:3])
    keep[[0, -1]], add[[0, -1]] = 1, 0
    return np.rint(keep * 255).astype(np.uint8), np.rint(add).astype(np.uint8)[:, None, :]
