"""Where a picture lies on the canvas: fit or zoomed, panned, never lost. Free of Qt."""

from __future__ import annotations

from dataclasses import dataclass

MOST = 16.0
LEAST = 0.1
SMALL = 512
"""A picture smaller than this many pixels is shown up to twice as large: details are hard to see otherwise."""


@dataclass
class PictureView:
    """Zoom and pan of a picture.

    Attributes:
        zoom: screen pixels per picture pixel, or None to fit (at most 1, for a small picture at most 2).
        x, y: the point of the picture, 0 … 1, that lies in the middle of the room while zoomed.
    """

    zoom: float | None = None
    x: float = 0.5
    y: float = 0.5

    def fit(self) -> None:
        self.zoom, self.x, self.y = None, 0.5, 0.5

    def scale(self, picture: tuple[int, int], area: tuple[float, float]) -> float:
        """Screen pixels per picture pixel."""
        if self.zoom is not None:
            return self.zoom
        most = min(2.0, max(1.0, SMALL / max(picture)))
        return max(0.01, min(most, area[0] / picture[0], area[1] / picture[1]))

    def rect(
        self, picture: tuple[int, int], area: tuple[float, float, float, float]
    ) -> tuple[float, float, float, float]:
        """x, y, width, height of the picture. ``area``: the same of the place it may take.

        A side that fits is centred; a longer one covers the room, so that no pan shows what is beyond the picture.
        """
        left, top, width, height = area
        scale = self.scale(picture, (width, height))
        w, h = picture[0] * scale, picture[1] * scale
        return (
            _place(left, width, w, self.x),
            _place(top, height, h, self.y),
            w,
            h,
        )

    def zoom_at(
        self, factor: float, at: tuple[float, float], picture: tuple[int, int], area: tuple[float, float, float, float]
    ) -> None:
        """Zoom so that the point under ``at`` (screen) stays there."""
        x, y, w, h = self.rect(picture, area)
        u, v = (at[0] - x) / w, (at[1] - y) / h
        old = self.scale(picture, area[2:])
        fit = PictureView().scale(picture, area[2:])
        self.zoom = min(MOST, max(min(LEAST, fit), old * factor))
        w, h = picture[0] * self.zoom, picture[1] * self.zoom
        self.x = u - (at[0] - area[0] - area[2] / 2) / w
        self.y = v - (at[1] - area[1] - area[3] / 2) / h
        self._settle(picture, area)

    def pan(self, dx: float, dy: float, picture: tuple[int, int], area: tuple[float, float, float, float]) -> None:
        """Move the picture by screen pixels."""
        scale = self.scale(picture, area[2:])
        self.x -= dx / (picture[0] * scale)
        self.y -= dy / (picture[1] * scale)
        self._settle(picture, area)

    def _settle(self, picture: tuple[int, int], area: tuple[float, float, float, float]) -> None:
        scale = self.scale(picture, area[2:])
        self.x = _settled(self.x, picture[0] * scale, area[2])
        self.y = _settled(self.y, picture[1] * scale, area[3])


def area(width: int, height: int, bottom: int, *, zoomed: bool) -> tuple[float, float, float, float]:
    """x, y, width, height of the place a picture may take on a canvas: all of it while zoomed, else inside a margin.

    Args:
        bottom: pixels at the lower edge that the bar of actions takes; 0 without the bar.
    """
    if zoomed:
        return 0.0, 0.0, float(width), float(height)
    margin = 16.0 if bottom else 24.0
    return margin, margin, max(32.0, width - 2 * margin), max(32.0, height - 2 * margin - bottom)


def _place(start: float, area: float, length: float, at: float) -> float:
    if length <= area:
        return start + (area - length) / 2
    return min(start, max(start + area - length, start + area / 2 - at * length))


def _settled(at: float, length: float, area: float) -> float:
    if length <= area:
        return 0.5
    half = area / length / 2
    return min(1 - half, max(half, at))
