"""Hints of the user about the subject, and the answer of the pre-flight. All coordinates are photo pixels.

x runs right, y runs down; (0, 0) is the upper left corner of the photo *after* its EXIF orientation was applied.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Click:
    """A point that belongs to the subject (``include``) or does not."""

    x: float
    y: float
    include: bool = True


@dataclass(frozen=True)
class Box:
    """A rectangle around a candidate subject; right and bottom are exclusive.

    Attributes:
        score: 0 … 1, how sure its finder was. 1 for a box the user drew.
        label: what the finder took it for, or "".
    """

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0
    label: str = ""

    def pixels(self, height: int, width: int) -> tuple[int, int, int, int]:
        """(x0, y0, x1, y1) as whole pixels inside a photo of that size; corners in any order are put right."""
        x0, x1 = sorted((self.x0, self.x1))
        y0, y1 = sorted((self.y0, self.y1))
        left, top = min(max(int(x0), 0), width - 1), min(max(int(y0), 0), height - 1)
        return left, top, max(left + 1, min(round(x1), width)), max(top + 1, min(round(y1), height))

    def overlap(self, other: Box) -> float:
        """Intersection over union with another box, 0 … 1."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        if width <= 0 or height <= 0:
            return 0.0
        areas = sum((box.x1 - box.x0) * (box.y1 - box.y0) for box in (self, other))
        return width * height / (areas - width * height)


@dataclass(frozen=True)
class Stroke:
    """A path painted with a round brush: the subject (``include``) or the background.

    Attributes:
        points: (x, y) along the path, at least one. They may lie outside the photo; only the inside counts.
        radius: of the brush, in photo pixels.
    """

    points: tuple[tuple[float, float], ...]
    radius: float
    include: bool = True


@dataclass(frozen=True)
class Hint:
    """Facts known of the subject before it is looked for. All of it may be empty."""

    name: str = ""
    box: Box | None = None
    clicks: tuple[Click, ...] = ()
    strokes: tuple[Stroke, ...] = ()


@dataclass(frozen=True, eq=False)
class SubjectProposal:
    """The pre-flight's answer.

    Attributes:
        name: what the subject is, or "".
        boxes: candidates, best first; the first one is the box the mask was cut from. Never empty.
        mask: uint8 (H, W), 0 … 255, as large as the photo.
        score: 0 … 1, the estimated overlap of the mask with the truth; 1 for a photo with transparency. Without any
            network it is how well the subject's colours and its edge stand out from the surroundings.
        name_score: 0 … 1; 1 for a name the user typed, 0 for no name.
        method: who cut: "alpha", "network" (the one that ships), "grabcut" (colours and edges) or "sam".
        notes: sentences for the user, for example that the name was not found in the photo.
        sure: whether the mask may be called right without a look at it.
    """

    name: str
    boxes: tuple[Box, ...]
    mask: np.ndarray
    score: float
    name_score: float = 0.0
    method: str = "grabcut"
    notes: tuple[str, ...] = ()
    sure: bool = False
