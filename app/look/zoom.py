"""Holds the rectangle and the zoom of a picture in its widget: fitted, zoomed around a point, moved. Free of widgets.

Three kinds of pixels: those of the picture, those of the widget (device-independent), those of the screen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QNativeGestureEvent, QWheelEvent

STEP = 1.25
"""How much closer one step of the keys or of the wheel is."""
MAX_SCALE = 32.0
"""Screen pixels per picture pixel."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Zoom:
    """A picture in a widget.

    Attributes:
        picture: (width, height) of the picture.
        size: (width, height) of the place it may take, in widget pixels.
        ratio: screen pixels per widget pixel: 1.0, 1.25, 2.0 …
        scale: screen pixels per picture pixel.
        centre: the picture's point in the middle of its place.
        origin: the upper left corner of its place in the widget.
        covers: no pan shows what lies beyond the picture; a side that is shorter than its place is centred. Otherwise the
            picture can be moved until its edge lies in the middle, for work at that edge.
    """

    picture: tuple[int, int]
    size: tuple[float, float]
    ratio: float = 1.0
    scale: float = 1.0
    centre: Point = (0.0, 0.0)
    origin: Point = (0.0, 0.0)
    covers: bool = False

    def fitted(self, padding: int = 0, most: float = MAX_SCALE) -> Zoom:
        """The whole picture, as large as it fits.

        Args:
            padding: widget pixels that are left free around it.
            most: screen pixels per picture pixel that it is not enlarged beyond.
        """
        scale = min(self.fit_scale(padding), most)
        return replace(self, scale=scale, centre=(self.picture[0] / 2, self.picture[1] / 2))

    def fit_scale(self, padding: int = 0) -> float:
        sides = [max(1.0, (side - 2 * padding) * self.ratio) for side in self.size]
        return min(sides[0] / self.picture[0], sides[1] / self.picture[1], MAX_SCALE)

    @property
    def percent(self) -> int:
        return round(self.scale * 100)

    @property
    def middle(self) -> Point:
        """The widget's point in the middle of the picture's place."""
        return self.origin[0] + self.size[0] / 2, self.origin[1] + self.size[1] / 2

    def to_picture(self, x: float, y: float) -> Point:
        """Widget → picture."""
        factor, (left, top) = self.ratio / self.scale, self.middle
        return self.centre[0] + (x - left) * factor, self.centre[1] + (y - top) * factor

    def to_widget(self, x: float, y: float) -> Point:
        """Picture → widget."""
        factor, (left, top) = self.scale / self.ratio, self.middle
        return left + (x - self.centre[0]) * factor, top + (y - self.centre[1]) * factor

    def rect(self) -> tuple[float, float, float, float]:
        """x, y, width, height of the picture in the widget."""
        factor = self.scale / self.ratio
        return *self.to_widget(0, 0), self.picture[0] * factor, self.picture[1] * factor

    def zoomed(self, factor: float, at: Point | None = None) -> Zoom:
        """Closer (or farther, below 1). The picture's point under the widget's point ``at`` stays where it is."""
        lowest = min(self.fit_scale(), 1.0) / 2
        scale = min(max(self.scale * factor, lowest), MAX_SCALE)
        at = at or self.middle
        return replace(self, scale=scale).with_point(self.to_picture(*at), at)

    def with_point(self, point: Point, at: Point) -> Zoom:
        """Moved so that a point of the picture lies under a point of the widget, or as near to it as it can."""
        now = self.to_picture(*at)
        return self._moved(point[0] - now[0], point[1] - now[1])

    def panned(self, dx: float, dy: float) -> Zoom:
        """The picture moved by so many widget pixels, in whole screen pixels."""
        step = round(dx * self.ratio), round(dy * self.ratio)
        return self._moved(-step[0] / self.scale, -step[1] / self.scale)

    def resized(self, size: tuple[float, float], ratio: float, origin: Point = (0.0, 0.0)) -> Zoom:
        """As large as before in a place of another size, with the same point in its middle, or as near to it as it can."""
        scale = self.scale / self.ratio * ratio
        return replace(self, size=size, ratio=ratio, scale=scale, origin=origin)._moved(0, 0)

    def revealing(self, x: float, y: float, margin: int = 24) -> Zoom:
        """Moved just so far that a point of the picture is visible."""
        at = self.to_widget(x, y)
        push = [
            max(margin - place, 0) - max(place - (side - margin), 0) if side > 2 * margin else 0.0
            for place, side in zip(at, self.size, strict=True)
        ]
        return self.panned(*push) if any(push) else self

    def _moved(self, dx: float, dy: float) -> Zoom:
        x, y = (
            min(max(centre + step, low), high)
            for centre, step, (low, high) in zip(self.centre, (dx, dy), self._reach(), strict=True)
        )
        return replace(self, centre=(x, y))

    def _reach(self) -> list[tuple[float, float]]:
        """From where to where the centre can be moved, across and down."""
        if not self.covers:
            return [(0.0, side) for side in self.picture]
        halves = [place * self.ratio / self.scale / 2 for place in self.size]
        return [
            (half, side - half) if 2 * half < side else (side / 2, side / 2)
            for half, side in zip(halves, self.picture, strict=True)
        ]


def zoom_of(event: QEvent) -> tuple[float, Point] | None:
    """By which factor Ctrl and the wheel, or two fingers, zoom, and around which point of the widget; None for any other event."""
    if isinstance(event, QWheelEvent) and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
        delta = event.angleDelta()
        # Alt turns the wheel sideways on some systems.
        factor = STEP ** ((delta.y() or delta.x()) / 120)
    elif isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
        factor = 1 + event.value()
    else:
        return None
    at = event.position()
    return factor, (at.x(), at.y())
