"""Where the photo lies in the canvas. Free of Qt, so that every zoom and every scale factor can be tested.

Three kinds of pixels: those of the photo, those of the widget (device-independent), those of the screen. 100 % means that
one pixel of the photo is one pixel of the screen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import TYPE_CHECKING

from app.mask.brush import Rect

if TYPE_CHECKING:
    from app.mask.brush import Point

MAX_SCALE = 32.0
"""Screen pixels per photo pixel."""


@dataclass(frozen=True)
class PhotoView:
    """A photo in a canvas.

    Attributes:
        photo: (width, height) of the photo.
        size: (width, height) of the widget, in its own pixels.
        ratio: screen pixels per widget pixel: 1.0, 1.25, 2.0 …
        scale: screen pixels per photo pixel.
        centre: the photo's point in the middle of the widget.
    """

    photo: tuple[int, int]
    size: tuple[int, int]
    ratio: float = 1.0
    scale: float = 1.0
    centre: Point = (0.0, 0.0)

    def fitted(self, padding: int = 0) -> PhotoView:
        """The whole photo, as large as it fits, with so many widget pixels left free around it."""
        scale = self.fit_scale(padding)
        return replace(self, scale=scale, centre=(self.photo[0] / 2, self.photo[1] / 2))

    def fit_scale(self, padding: int = 0) -> float:
        room = [max(1.0, (side - 2 * padding) * self.ratio) for side in self.size]
        return min(room[0] / self.photo[0], room[1] / self.photo[1], MAX_SCALE)

    @property
    def percent(self) -> int:
        return round(self.scale * 100)

    def to_photo(self, x: float, y: float) -> Point:
        """Widget → photo."""
        factor = self.ratio / self.scale
        return self.centre[0] + (x - self.size[0] / 2) * factor, self.centre[1] + (y - self.size[1] / 2) * factor

    def to_widget(self, x: float, y: float) -> Point:
        """Photo → widget."""
        factor = self.scale / self.ratio
        return self.size[0] / 2 + (x - self.centre[0]) * factor, self.size[1] / 2 + (y - self.centre[1]) * factor

    def zoomed(self, factor: float, at: Point | None = None) -> PhotoView:
        """Closer (or farther, below 1). The photo's point under the widget's point ``at`` stays where it is."""
        lowest = min(self.fit_scale(), 1.0) / 2
        scale = min(max(self.scale * factor, lowest), MAX_SCALE)
        x, y = at or (self.size[0] / 2, self.size[1] / 2)
        before = self.to_photo(x, y)
        moved = replace(self, scale=scale)
        after = moved.to_photo(x, y)
        return moved._moved(before[0] - after[0], before[1] - after[1])

    def panned(self, dx: float, dy: float) -> PhotoView:
        """The photo moved by so many widget pixels, in whole screen pixels."""
        step = round(dx * self.ratio), round(dy * self.ratio)
        return self._moved(-step[0] / self.scale, -step[1] / self.scale)

    def resized(self, size: tuple[int, int], ratio: float) -> PhotoView:
        return replace(self, size=size, ratio=ratio, scale=self.scale / self.ratio * ratio)

    def revealing(self, x: float, y: float, margin: int = 24) -> PhotoView:
        """Moved just so far that a point of the photo is visible."""
        at = self.to_widget(x, y)
        push = [
            max(margin - place, 0) - max(place - (side - margin), 0) if side > 2 * margin else 0.0
            for place, side in zip(at, self.size, strict=True)
        ]
        return self.panned(*push) if any(push) else self

    def _moved(self, dx: float, dy: float) -> PhotoView:
        """The centre moved; the middle of the widget never leaves the photo."""
        width, height = self.photo
        return replace(
            self,
            centre=(min(max(self.centre[0] + dx, 0.0), width), min(max(self.centre[1] + dy, 0.0), height)),
        )

    # Screen pixels

    @property
    def screen_size(self) -> tuple[int, int]:
        """The canvas in screen pixels."""
        return ceil(self.size[0] * self.ratio), ceil(self.size[1] * self.ratio)

    def screen_origin(self) -> Point:
        """The photo's point at the upper left corner of the canvas."""
        return self.to_photo(0, 0)

    def photo_on_screen(self) -> Rect:
        """The screen pixels that show the photo, inside the canvas."""
        left, top = self.screen_origin()
        width, height = self.screen_size
        return Rect(
            round(-left * self.scale),
            round(-top * self.scale),
            round((self.photo[0] - left) * self.scale),
            round((self.photo[1] - top) * self.scale),
        ).clipped(height, width)

    def looked_at(self) -> Rect:
        """The part of the photo that is seen at more than half its size; an empty one when all of it is seen small."""
        if self.scale <= 0.5:
            return Rect(0, 0, 0, 0)
        left, top = self.screen_origin()
        width, height = self.screen_size
        right, bottom = ceil(left + width / self.scale), ceil(top + height / self.scale)
        return Rect(floor(left), floor(top), right, bottom).clipped(self.photo[1], self.photo[0])

    def on_screen(self, rect: Rect, margin: int = 0) -> Rect:
        """The screen pixels that a rectangle of the photo touches, clipped to what shows the photo."""
        left, top = self.screen_origin()
        outer = Rect(
            floor((rect.x0 - left) * self.scale) - margin,
            floor((rect.y0 - top) * self.scale) - margin,
            ceil((rect.x1 - left) * self.scale) + margin,
            ceil((rect.y1 - top) * self.scale) + margin,
        )
        visible = self.photo_on_screen()
        return Rect(
            max(outer.x0, visible.x0),
            max(outer.y0, visible.y0),
            min(outer.x1, visible.x1),
            min(outer.y1, visible.y1),
        )

    def shift_to(self, other: PhotoView) -> tuple[int, int] | None:
        """By how many whole screen pixels ``other`` shows the same picture moved; None when it is another picture."""
        if (self.photo, self.size, self.ratio, self.scale) != (other.photo, other.size, other.ratio, other.scale):
            return None
        dx = (self.centre[0] - other.centre[0]) * self.scale
        dy = (self.centre[1] - other.centre[1]) * self.scale
        if abs(dx - round(dx)) > 1e-3 or abs(dy - round(dy)) > 1e-3:
            return None
        return round(dx), round(dy)
