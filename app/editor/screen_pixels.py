"""Maps the photo to the pixels of the screen inside an editor's canvas. Free of Qt's widgets."""

from __future__ import annotations

from math import ceil, floor

from app.look.zoom import Zoom
from app.mask.brush import Rect


def screen_size(zoom: Zoom) -> tuple[int, int]:
    """The canvas in screen pixels."""
    return ceil(zoom.size[0] * zoom.ratio), ceil(zoom.size[1] * zoom.ratio)


def photo_on_screen(zoom: Zoom) -> Rect:
    """The screen pixels that show the photo, inside the canvas."""
    left, top = zoom.to_picture(0, 0)
    width, height = screen_size(zoom)
    return Rect(
        round(-left * zoom.scale),
        round(-top * zoom.scale),
        round((zoom.picture[0] - left) * zoom.scale),
        round((zoom.picture[1] - top) * zoom.scale),
    ).clipped(height, width)


def shown_large(zoom: Zoom) -> Rect:
    """The part of the photo that is seen at more than half its size; an empty one when all of it is seen small."""
    if zoom.scale <= 0.5:
        return Rect(0, 0, 0, 0)
    left, top = zoom.to_picture(0, 0)
    width, height = screen_size(zoom)
    right, bottom = ceil(left + width / zoom.scale), ceil(top + height / zoom.scale)
    return Rect(floor(left), floor(top), right, bottom).clipped(zoom.picture[1], zoom.picture[0])


def on_screen(zoom: Zoom, rect: Rect, margin: int = 0) -> Rect:
    """The screen pixels that a rectangle of the photo touches, clipped to what shows the photo."""
    left, top = zoom.to_picture(0, 0)
    outer = Rect(
        floor((rect.x0 - left) * zoom.scale) - margin,
        floor((rect.y0 - top) * zoom.scale) - margin,
        ceil((rect.x1 - left) * zoom.scale) + margin,
        ceil((rect.y1 - top) * zoom.scale) + margin,
    )
    visible = photo_on_screen(zoom)
    return Rect(
        max(outer.x0, visible.x0),
        max(outer.y0, visible.y0),
        min(outer.x1, visible.x1),
        min(outer.y1, visible.y1),
    )


def shift_between(shown: Zoom, wanted: Zoom) -> tuple[int, int] | None:
    """By how many whole screen pixels the same picture moved from one to the other; None when it is another picture."""
    if (shown.picture, shown.size, shown.ratio, shown.scale) != (
        wanted.picture,
        wanted.size,
        wanted.ratio,
        wanted.scale,
    ):
        return None
    dx = (shown.centre[0] - wanted.centre[0]) * shown.scale
    dy = (shown.centre[1] - wanted.centre[1]) * shown.scale
    if abs(dx - round(dx)) > 1e-3 or abs(dy - round(dy)) > 1e-3:
        return None
    return round(dx), round(dy)
