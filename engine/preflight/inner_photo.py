"""The picture between two bars as a photo of its own: hints go in, masks and boxes come back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.photo.bars import Extent, between_bars
from engine.photo.hints import Box, Click, Hint, Stroke, SubjectProposal
from engine.photo.load import Photo, photo_from_pixels


@dataclass(frozen=True, eq=False)
class InnerPhoto:
    """The part of a photo between its bars.

    Attributes:
        photo: that part. extent: its place in the whole photo. shape: (H, W) of the whole photo.
    """

    photo: Photo
    extent: Extent
    shape: tuple[int, int]

    @classmethod
    def of(cls, photo: Photo) -> InnerPhoto | None:
        """Return the part between the bars; None for a photo without bars, or with transparency."""
        if photo.alpha is not None:
            return None
        extent = x0, y0, x1, y1 = between_bars(photo.rgb)
        if extent == (0, 0, photo.width, photo.height):
            return None
        return cls(photo_from_pixels(photo.rgb[y0:y1, x0:x1], name=photo.name), extent, (photo.height, photo.width))

    def holds(self, hint: Hint, start: np.ndarray | None = None) -> bool:
        """Return True if all hints, and all of an earlier mask, lie inside; a mark on a bar means the bar, too."""
        x0, y0, x1, y1 = self.extent
        included = [(click.x, click.y) for click in hint.clicks if click.include]
        included += [point for stroke in hint.strokes if stroke.include for point in stroke.points]
        if hint.box is not None:
            included.append(((hint.box.x0 + hint.box.x1) / 2, (hint.box.y0 + hint.box.y1) / 2))
        if not all(x0 <= x < x1 and y0 <= y < y1 for x, y in included):
            return False
        return start is None or np.count_nonzero(start) == np.count_nonzero(start[y0:y1, x0:x1])

    def hint(self, hint: Hint) -> Hint:
        """The same hint in pixels of the inner photo."""
        x0, y0 = self.extent[:2]
        return replace(
            hint,
            box=None if hint.box is None else _moved(hint.box, -x0, -y0),
            clicks=tuple(Click(click.x - x0, click.y - y0, click.include) for click in hint.clicks),
            strokes=tuple(
                Stroke(tuple((x - x0, y - y0) for x, y in stroke.points), stroke.radius, stroke.include)
                for stroke in hint.strokes
            ),
        )

    def start(self, mask: np.ndarray | None) -> np.ndarray | None:
        """A mask of the whole photo as the inner one has it."""
        x0, y0, x1, y1 = self.extent
        return None if mask is None else np.ascontiguousarray(mask[y0:y1, x0:x1])

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """A mask of the inner photo as the whole one has it, uint8 (H, W)."""
        x0, y0, x1, y1 = self.extent
        out = np.zeros(self.shape, np.uint8)
        out[y0:y1, x0:x1] = mask
        return out

    def proposal(self, found: SubjectProposal) -> SubjectProposal:
        """An answer for the inner photo as one for the whole photo."""
        x0, y0 = self.extent[:2]
        boxes = tuple(_moved(box, x0, y0) for box in found.boxes)
        return replace(found, boxes=boxes, mask=self.mask(found.mask))


def _moved(box: Box, x: int, y: int) -> Box:
    return replace(box, x0=box.x0 + x, y0=box.y0 + y, x1=box.x1 + x, y1=box.y1 + y)
