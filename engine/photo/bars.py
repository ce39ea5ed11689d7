"""Bars beside a picture – of a phone's screen, of a film – are no part of what was photographed.

A network takes the strip between black bars for the thing, and a subject that the picture cuts off seems to be whole beside
a bar. So whoever looks for the subject, or for where it is cut off, looks between the bars.
"""

from __future__ import annotations

import numpy as np

_FLAT = 10
"""Levels by which a bar's pixels may differ from its colour: what a strong JPEG leaves of one colour."""

_ALIKE = 16
"""Levels by which the colours of two bars that belong together may differ."""

_EDGE = 24
"""Levels by which the picture differs from the bar where it begins."""

_EDGE_SHARE = 0.85
"""Of the picture's first line differs so far. A sky, or a studio's ground, ends at no such line."""

_ENDS = 0.05
"""Share of a line at each of its ends. The picture reaches from side to side: a thing on a plain ground does not."""

_NARROWEST, _WIDEST = 0.02, 0.45
"""Width of a bar as a share of the photo; two of the widest leave a tenth."""

_UNEVEN = 0.03
"""Share of the photo by which the widths of its two bars may differ: who fits a picture into a frame puts it in the middle, and a
post before a wall stands anywhere."""

_ONE_COLOUR = 20
"""Levels within which the picture's lines beside both bars, but for a tenth of each, are one colour: a thing's straight sides."""

_BLUR = 8
"""Lines in which bar and picture are blurred: a block of a JPEG."""

_SAMPLES = 512
"""Pixels of a line that are looked at, at least, where it has so many."""

Extent = tuple[int, int, int, int]


def between_bars(rgb: np.ndarray) -> Extent:
    """The part of a photo between two bars of one colour, at its left and right or above and below.

    Args:
        rgb: uint8 (H, W, 3).

    Returns:
        (x0, y0, x1, y1), right and bottom exclusive; the whole photo where there are no bars.
    """
    height, width = rgb.shape[:2]
    left, right = _bars(rgb[:: max(1, height // _SAMPLES)].transpose(1, 0, 2))
    top, bottom = _bars(rgb[:, :: max(1, width // _SAMPLES)]) if not left else (0, 0)
    return left, top, width - right, height - bottom


def _bars(lines: np.ndarray) -> tuple[int, int]:
    """The lines of the bars at the beginning and at the end, (lines, pixels, 3); 0 and 0 where they are not both there."""
    first, last = _bar(lines), _bar(lines[::-1])
    if first is None or last is None or np.abs(first[1] - last[1]).max() > _ALIKE:
        return 0, 0
    if abs(first[0] - last[0]) > max(_UNEVEN * len(lines), 1):
        return 0, 0
    if all(_of_one_colour(line) for line in (lines[first[0]], lines[-1 - last[0]])):
        return 0, 0
    return first[0], last[0]


def _bar(lines: np.ndarray) -> tuple[int, np.ndarray] | None:
    """The number of lines of a bar at the beginning, and its colour; None where there is none."""
    count = len(lines)
    least, most = max(int(np.ceil(_NARROWEST * count)), 1), int(_WIDEST * count)
    colour = np.median(lines[0], axis=0).astype(np.int16)
    if any(_away(near, colour).max() > _FLAT for near in (lines[:1], lines[:least])):
        return None  # as with most photos: nothing else has to be looked at
    away = _away(lines[: most + 2 * _BLUR], colour)
    flat = (away <= _FLAT).all(axis=1)
    wide = int(flat.argmin()) if not flat.all() else len(away)
    if wide > most:
        return None
    differs = away[wide : wide + _BLUR] > _EDGE
    begins = differs.mean(axis=1) >= _EDGE_SHARE
    line = differs[int(begins.argmax())]
    end = max(1, int(_ENDS * len(line)))
    if not begins.any() or min(line[:end].mean(), line[-end:].mean()) < 0.5:
        return None
    # The line in which both are blurred belongs to neither.
    return wide + int(begins.argmax()) + 1, colour


def _of_one_colour(line: np.ndarray) -> bool:
    low, high = np.percentile(line, (5, 95), axis=0)
    return bool((high - low).max() <= _ONE_COLOUR)


def _away(lines: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Levels by which pixels differ from a colour, int16 (lines, pixels)."""
    return np.abs(lines.astype(np.int16) - colour).max(axis=2)
