"""Clicks and strokes of a correction, drawn into the picture that is cut."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from engine.photo.hints import Click, Stroke
from engine.preflight.colours.grabcut import BACKGROUND, MAYBE_SUBJECT, SUBJECT
from engine.preflight.colours.working_photo import Extent, Window, WorkingPhoto

_CLICK_RADIUS = 0.015
"""A click decides this far around itself, as a share of the window's longer side."""

_ALIKE = 7.0
"""Colours closer than this (Lab) to the clicked spot, and joined to it, are decided with it."""

_ALIKE_REACH = 0.06


class Marks:
    """Clicks and strokes of one correction, drawn into a window when needed."""

    def __init__(self, clicks: Sequence[Click] = (), strokes: Sequence[Stroke] = ()) -> None:
        self.clicks = tuple(clicks)
        self.strokes = tuple(strokes)

    def __bool__(self) -> bool:
        return bool(self.clicks or self.strokes)

    def without_clicks(self) -> Marks:
        """The strokes alone."""
        return Marks((), self.strokes)

    def as_clicks(self) -> tuple[Click, ...]:
        """The clicks, and up to six points along each stroke, for a cutter that knows only points."""
        points = [
            Click(stroke.points[index][0], stroke.points[index][1], stroke.include)
            for stroke in self.strokes
            for index in np.unique(np.linspace(0, len(stroke.points) - 1, 6).round().astype(int))
        ]
        return (*self.clicks, *points)

    def extent(self, working: WorkingPhoto, included_only: bool = False) -> Extent | None:
        """The part of the photo that the marks lie in, or None when all lie outside."""
        points = [(c.x, c.y, 1.0) for c in self.clicks if c.include or not included_only]
        for stroke in self.strokes:
            if stroke.include or not included_only:
                points += [(x, y, stroke.radius) for x, y in stroke.points]
        photo = working.photo
        found: Extent | None = None
        for x, y, radius in points:
            x0, x1 = max(int(x - radius), 0), min(int(x + radius) + 1, photo.width)
            y0, y1 = max(int(y - radius), 0), min(int(y + radius) + 1, photo.height)
            if x0 < x1 and y0 < y1:
                found = joined(found, (x0, y0, x1, y1))
        return found

    def drawn(self, window: Window, shape: tuple[int, ...]) -> np.ndarray:
        """uint8 (h, w): ``SUBJECT`` and ``BACKGROUND`` where a mark decides, ``MAYBE_SUBJECT`` elsewhere."""
        height, width = shape[:2]
        x0, y0, x1, y1 = window.extent
        scale_x, scale_y = width / (x1 - x0), height / (y1 - y0)
        out = np.full((height, width), MAYBE_SUBJECT, np.uint8)
        for stroke in self.strokes:
            value = SUBJECT if stroke.include else BACKGROUND
            points = [(round((x - x0) * scale_x - 0.5), round((y - y0) * scale_y - 0.5)) for x, y in stroke.points]
            # Coordinates far outside overflow OpenCV's fixed point; nothing there can be seen.
            points = [(min(max(x, -4 * width), 5 * width), min(max(y, -4 * height), 5 * height)) for x, y in points]
            radius = max(0, round(stroke.radius * scale_x))
            if len(points) > 1:
                cv2.polylines(out, [np.array(points, np.int32)], False, value, max(1, 2 * radius))
            for point in (points[0], points[-1]):
                cv2.circle(out, point, radius, value, -1)
        if self.clicks:
            lab = cv2.cvtColor(cv2.resize(window.fine, (width, height)), cv2.COLOR_RGB2LAB).astype(np.float32)
            lab[..., 0] *= 100 / 255
        for click in self.clicks:
            x, y = int((click.x - x0) * scale_x), int((click.y - y0) * scale_y)
            if 0 <= x < width and 0 <= y < height:
                spot = _alike_around(lab, x, y)
                cv2.circle(spot, (x, y), max(1, round(_CLICK_RADIUS * max(height, width))), 1, -1)
                out[spot > 0] = SUBJECT if click.include else BACKGROUND
        return out


def _alike_around(lab: np.ndarray, x: int, y: int) -> np.ndarray:
    """uint8 (h, w): the pixels close to a point, joined to it and of its colour."""
    height, width = lab.shape[:2]
    reach = max(2, round(_ALIKE_REACH * max(height, width)))
    left, top = max(x - reach, 0), max(y - reach, 0)
    part = lab[top : y + reach + 1, left : x + reach + 1]
    here = lab[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(-1, 3).mean(0)
    alike = (np.sqrt(((part - here) ** 2).sum(2)) < _ALIKE).astype(np.uint8)
    # A thin bridge of chance colours does not join two things.
    alike = cv2.morphologyEx(alike, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    out = np.zeros((height, width), np.uint8)
    label = cv2.connectedComponents(alike, connectivity=4)[1]
    centre = int(label[y - top, x - left])
    if centre:
        out[top : y + reach + 1, left : x + reach + 1] = label == centre
    return out


def joined(one: Extent | None, other: Extent | None) -> Extent | None:
    """The box around two boxes, either of which may be missing."""
    if one is None or other is None:
        return one or other
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])
