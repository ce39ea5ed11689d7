"""What was done to a mask, beside its pixels: clicks, a box, strokes and areas by hand, the edge."""

from __future__ import annotations

from dataclasses import dataclass

from app.mask.brush import Brush, Point
from engine.preflight.hints import Box, Click

MAX_GROW = 100.0
MAX_FEATHER = 100.0
"""Photo pixels."""


@dataclass(frozen=True)
class Edge:
    """How the outline is moved and softened, in photo pixels. ``grow`` below 0 shrinks."""

    grow: float = 0.0
    feather: float = 0.0


@dataclass(frozen=True)
class Painted:
    """What was done by hand and has to survive the next answer of the segmenter.

    Attributes:
        path: the middle of the brush along the stroke, or the corners of an area when ``brush`` is None.
        include: belongs to the subject, or does not.
    """

    path: tuple[Point, ...]
    brush: Brush | None
    include: bool


@dataclass(frozen=True)
class Marks:
    """All of the document that is not pixels."""

    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    painted: tuple[Painted, ...] = ()
    edge: Edge = Edge()
