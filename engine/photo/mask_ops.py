"""Operations on masks: parts, holes, grow and shrink, feather, problems in words.

A mask is uint8 (H, W), 0 … 255, at the photo's resolution; a pixel belongs to the subject from ``SOLID`` on. Every
function returns a new mask and works inside the subject's bounding box only, so that 24 megapixels stay interactive.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.errors import MaskError
from engine.sentence import Sentence

SOLID = 128
FAINT = 13
"""About 5 %: fainter pixels are the tail of a feather and do not count for framing."""

FULL_SHARE = 0.997
TINY_SHARE = 0.0002
TINY_PIXELS = 64

_CUT_SHARE = 0.12
_CUT_PIXELS = 8
"""So much of the subject's width or height lies on a side of the photo that cuts it off: more than a foot that touches it."""

_NARROW = 6
"""Feathers below this are a Gaussian: box filters of whole pixels would be too coarse."""


@dataclass(frozen=True)
class MaskPart:
    """One connected part of a mask: bounding box (right and bottom exclusive) and number of solid pixels."""

    x0: int
    y0: int
    x1: int
    y1: int
    area: int


def overlap(one: np.ndarray, other: np.ndarray, *, of_nothing: float = 0.0) -> float:
    """Intersection over union of two masks, bool of one shape, 0 … 1.

    Args:
        of_nothing: the answer where both are empty.
    """
    either = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / either if either else of_nothing


def bounding_box(mask: np.ndarray, threshold: int = FAINT) -> tuple[int, int, int, int] | None:
    """(x0, y0, x1, y1) of the pixels from ``threshold`` on, right and bottom exclusive; None when there are none."""
    rows = np.flatnonzero(mask.max(axis=1) >= threshold)
    if rows.size == 0:
        return None
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[top:bottom].max(axis=0) >= threshold)
    return int(columns[0]), top, int(columns[-1]) + 1, bottom


def cut_sides(mask: np.ndarray, extent: tuple[int, int, int, int] | None = None) -> list[str]:
    """The sides of the photo ("left", "right", "top", "bottom") that cut the subject off, the longest contact first.

    Args:
        extent: the part of the photo that is a picture (``between_bars``); all of it by default.
    """
    if extent is not None:
        x0, y0, x1, y1 = extent
        mask = mask[y0:y1, x0:x1]
    lines = {"left": mask[:, 0], "right": mask[:, -1], "top": mask[0], "bottom": mask[-1]}
    touched = {side: int(np.count_nonzero(line >= SOLID)) for side, line in lines.items()}
    if not any(touched.values()):
        return []  # as with most photos: nothing else has to be looked at
    box = bounding_box(mask, SOLID)
    assert box is not None  # a side is touched
    width, height = box[2] - box[0], box[3] - box[1]
    along = {"left": height, "right": height, "top": width, "bottom": width}
    found = [side for side, pixels in touched.items() if pixels >= max(_CUT_PIXELS, _CUT_SHARE * along[side])]
    return sorted(found, key=lambda side: -touched[side])


def mask_problem(mask: np.ndarray) -> MaskError | None:
    """Return the reason why this mask cannot be used as a cut-out (empty, nearly empty, covers everything), or None
    when it can."""
    solid = int(np.count_nonzero(mask >= SOLID))
    if solid == 0:
        return MaskError(Sentence("The cut-out is empty."), Sentence("Draw a box around the subject, or click it."))
    if solid >= FULL_SHARE * mask.size:
        return MaskError(Sentence("The cut-out covers the whole photo."), Sentence("Paint away the background."))
    if solid < max(TINY_PIXELS, TINY_SHARE * mask.size):
        box = bounding_box(mask, SOLID)
        assert box is not None
        return MaskError(
            Sentence(
                "The cut-out is only {width} × {height} pixels, too small to show anything.",
                width=box[2] - box[0],
                height=box[3] - box[1],
            ),
            Sentence("Click the subject in the photo, or take a closer photo."),
        )
    return None


def parts(mask: np.ndarray, smallest_share: float = 0.01) -> tuple[MaskPart, ...]:
    """The connected parts, largest first; those below ``smallest_share`` of the largest are specks and left out."""
    region = _region(mask, 0)
    if region is None:
        return ()
    rows, columns = region
    count, _, stats, _ = cv2.connectedComponentsWithStats(_solid(mask[region]), connectivity=8)
    found = []
    for x, y, w, h, area in stats[1:count].tolist():
        left, top = x + columns.start, y + rows.start
        found.append(MaskPart(left, top, left + w, top + h, area))
    found.sort(key=lambda part: (-part.area, part.y0, part.x0))
    return tuple(part for part in found if part.area >= smallest_share * found[0].area)


def largest_part(mask: np.ndarray) -> np.ndarray:
    """Only the largest connected part, with its soft edge."""
    out = np.zeros_like(mask)
    region = _region(mask, 2)
    if region is None:
        return out
    window = mask[region]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(_solid(window), connectivity=8)
    if count == 1:
        return out
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    others = ((labels > 0) & (labels != largest)).astype(np.uint8)
    rest = np.where(cv2.dilate(others, np.ones((5, 5), np.uint8)) > 0, 0, window).astype(np.uint8)
    rest[labels == largest] = window[labels == largest]
    # What is left of the faint edges belongs to the part it touches.
    _, touching = cv2.connectedComponents((rest > 0).astype(np.uint8), connectivity=8)
    seed = int(touching[labels == largest][0])
    out[region] = np.where(touching == seed, rest, 0)
    return out


def fill_holes(mask: np.ndarray, largest_share: float = 1.0) -> np.ndarray:
    """Background that the subject encloses on all sides, filled; each up to ``largest_share`` of the subject's area."""
    region = _region(mask, 1)
    if region is None:
        return mask.copy()
    solid = _solid(mask[region])
    # A rim of background joins everything that is open to the outside.
    padded = cv2.copyMakeBorder(1 - solid, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=4)
    enclosed = stats[:, cv2.CC_STAT_AREA] <= largest_share * max(int(solid.sum()), 1)
    enclosed[0] = enclosed[labels[0, 0]] = False
    out = mask.copy()
    if count > 2:
        out[region][enclosed[labels[1:-1, 1:-1]]] = 255
    return out


def grow(mask: np.ndarray, pixels: float) -> np.ndarray:
    """The outline moved outwards by ``pixels`` (inwards when negative), by true distance, with an antialiased edge."""
    if pixels == 0:
        return mask.copy()
    out = np.zeros_like(mask)
    region = _region(mask, int(np.ceil(max(pixels, 0))) + 2)
    if region is None:
        return out
    solid = _solid(mask[region])
    if pixels > 0:
        distance = cv2.distanceTransform(1 - solid, cv2.DIST_L2, cv2.DIST_MASK_5)
        level = pixels + 1.0 - distance
    else:
        # The photo's own edge is no edge of the subject: it does not eat into it.
        distance = cv2.distanceTransform(solid, cv2.DIST_L2, cv2.DIST_MASK_5)
        level = distance + pixels
    out[region] = cv2.convertScaleAbs(np.clip(level, 0.0, 1.0, out=level), alpha=255.0)
    return out


def feather(mask: np.ndarray, pixels: float) -> np.ndarray:
    """A soft edge about ``pixels`` wide on either side of the outline; the photo's own edge stays hard."""
    if pixels <= 0:
        return mask.copy()
    region = _region(mask, int(np.ceil(pixels)) + 2)
    if region is None:
        return np.zeros_like(mask)
    out = mask.copy()
    window = mask[region]
    if pixels < _NARROW:
        side = 2 * int(np.ceil(pixels)) + 1
        window = cv2.GaussianBlur(window, (side, side), pixels / 2, borderType=cv2.BORDER_REPLICATE)
    else:
        # Three box filters are close to a Gaussian and cost the same for any width.
        width = round(2 * pixels / 3) | 1
        for _ in range(3):
            window = cv2.blur(window, (width, width), borderType=cv2.BORDER_REPLICATE)
    out[region] = window
    return out


def edge_reach(grown: float, feathered: float) -> int:
    """Return the distance in pixels over which a mask can still change ``adjusted``."""
    return int(np.ceil(abs(grown))) + int(np.ceil(feathered)) + 4 if grown or feathered else 0


def adjusted(mask: np.ndarray, grown: float, feathered: float, rows: slice, columns: slice) -> np.ndarray:
    """``feather(grow(mask, grown), feathered)[rows, columns]``, computed from that window and its surroundings alone."""
    reach = edge_reach(grown, feathered)
    top, left = max(rows.start - reach, 0), max(columns.start - reach, 0)
    window = mask[top : rows.stop + reach, left : columns.stop + reach]
    inside = (slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left))
    first = int(window[0, 0])
    if first in (0, 255) and bool((window == first).all()):
        return window[inside].copy()
    return feather(grow(window, grown), feathered)[inside]


def _solid(mask: np.ndarray) -> np.ndarray:
    return (mask >= SOLID).astype(np.uint8)


def _region(mask: np.ndarray, margin: int) -> tuple[slice, slice] | None:
    """Rows and columns of everything that is not 0, with a margin, inside the picture."""
    box = bounding_box(mask, 1)
    if box is None:
        return None
    height, width = mask.shape
    x0, y0, x1, y1 = box
    return (
        slice(max(y0 - margin, 0), min(y1 + margin, height)),
        slice(max(x0 - margin, 0), min(x1 + margin, width)),
    )
