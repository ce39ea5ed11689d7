"""The model of the strip: every scale's picture so far, which are kept, which one is drawn now. Free of Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from app.language.say import say

if TYPE_CHECKING:
    import numpy as np

Tile = Literal["waiting", "now", "done", "kept", "redrawn"]


def scale_sentence(scale: int, count: int) -> str:
    """The level of detail that a scale (0-based) brings, in words."""
    if scale < min(3, count - 3):
        return say("Light and colours come first")
    if scale >= count - 3:
        return say("Fine details")
    return say("Shapes are set, details come next")


@dataclass
class ScaleStripModel:
    """The state of the strip.

    Attributes:
        grids: token grid (h, w) of every scale; empty before the first bundle is known.
        images: the picture after each scale, RGB uint8 (H, W, 3), where it is known.
        drawing: a picture is being drawn.
        done: a finished picture is shown, whether its bits are at hand or not.
        now: the scale that was drawn last while drawing; ``first`` before the first one arrived.
        first: the first scale that is drawn; those before were kept from an earlier picture.
        keep: the handle stands behind this many scales, 1 … count; count means that nothing is to be redrawn.
        can_keep: the bits of the picture are at hand, so the handle can be moved.
    """

    grids: tuple[tuple[int, int], ...] = ()
    images: list[np.ndarray | None] = field(default_factory=list)
    drawing: bool = False
    done: bool = False
    now: int = 0
    first: int = 0
    keep: int = 0
    can_keep: bool = False

    @property
    def count(self) -> int:
        return len(self.grids)

    @property
    def can_redraw(self) -> bool:
        return self.can_keep and not self.drawing and 1 <= self.keep < self.count

    def clear(self, grids: tuple[tuple[int, int], ...] = ()) -> None:
        """Nothing drawn yet: empty tiles."""
        self.grids, self.images = grids, [None] * len(grids)
        self.drawing = self.done = self.can_keep = False
        self.now, self.first, self.keep = 0, 0, len(grids)

    def begin(self, grids: tuple[tuple[int, int], ...], first: int = 0) -> None:
        """A picture begins. Pictures of kept scales stay: they are those of the picture before, unless it was cleared."""
        kept = list(self.images[:first]) if first and self.grids == grids else []
        self.clear(grids)
        self.images[: len(kept)] = kept
        self.drawing, self.first, self.now = True, first, first

    def drawn(self, scale: int, image: np.ndarray) -> None:
        """The picture after a scale. Pictures may be left out while the window is busy."""
        if 0 <= scale < self.count:
            self.images[scale] = image
            if self.drawing and scale >= self.first:
                self.now = max(self.now, scale)

    def finish(self, can_keep: bool, whole: bool = True) -> None:
        """The picture is done, or was stopped earlier, which is not ``whole``; ``can_keep``: its bits are at hand."""
        self.drawing, self.done, self.can_keep = False, whole, can_keep
        self.keep, self.now = self.count, self.count - 1

    def stop(self) -> None:
        """The drawing ended early. What is there stays; without all bits nothing can be kept."""
        self.drawing, self.can_keep, self.keep = False, False, self.count

    @property
    def missing(self) -> tuple[int, ...]:
        """Scales of a finished picture whose pictures are not known."""
        if self.drawing or not self.can_keep:
            return ()
        return tuple(index for index, image in enumerate(self.images) if image is None)

    def tile(self, scale: int) -> Tile:
        """The state of a scale's tile."""
        if self.drawing:
            if scale < self.first:
                return "kept"
            if scale == self.now:
                return "now"
            return "done" if scale < self.now else "waiting"
        if self.images[scale] is None and not self.can_keep:
            return "waiting"
        if self.can_redraw:
            return "kept" if scale < self.keep else "redrawn"
        return "done"

    def image(self, scale: int) -> np.ndarray | None:
        """The picture of a tile; a scale that was left out shows the one before it."""
        if self.tile(scale) == "waiting":
            return None
        for index in range(scale, -1, -1):
            if self.images[index] is not None:
                return self.images[index]
        return None

    def move_handle(self, keep: int) -> bool:
        """Put the handle behind so many scales; returns whether it moved."""
        keep = min(max(1, keep), self.count)
        if not self.can_keep or self.drawing or keep == self.keep:
            return False
        self.keep = keep
        return True

    def label(self, scale: int) -> str:
        """Tokens on the long side."""
        return str(max(self.grids[scale]))

    def tile_name(self, scale: int) -> str:
        """A tile's description for screen readers."""
        names = {
            "waiting": say("Scale {0} of {1}, waiting", scale + 1, self.count),
            "now": say("Scale {0} of {1}, drawing", scale + 1, self.count),
            "done": say("Scale {0} of {1}, done", scale + 1, self.count),
            "kept": say("Scale {0} of {1}, kept", scale + 1, self.count),
            "redrawn": say("Scale {0} of {1}, to be redrawn", scale + 1, self.count),
        }
        return names[self.tile(scale)]

    def sentence(self) -> str:
        """The line above the strip, in words what the veil and the badges show."""
        if self.drawing:
            return ""
        if not self.can_keep:
            empty = all(image is None for image in self.images)
            return say("appear here while the picture forms") if empty else ""
        if self.keep == self.count:
            return say("Click a scale to redraw from there")
        if self.keep == 1:
            return say("Keep 1: same light, new composition")
        return say("Keep {0}: same composition, new details", self.keep)
