"""The photo with its mask on it, at the screen's resolution. Only what changed is composed anew."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QImage, QPainter

from app.editor.overlay import OVERLAYS, Style, compose, edge_margin
from app.editor.screen_pixels import on_screen, photo_on_screen, screen_size, shift_between
from app.look.pixels import on_chequers, to_image
from app.look.theme import on_photo, theme, tokens
from app.look.zoom import Zoom
from app.mask.brush import Rect

if TYPE_CHECKING:
    import numpy as np

    from app.editor.overlay import Colour
    from app.editor.viewport import Viewport
    from app.mask.mask_session import MaskSession
    from app.mask.pyramid import Pyramid


_SQUARE = 8
"""Side of a square of the chequerboard that shows through a transparent photo, in pixels of the window."""

_LOOKED_AT = 256
"""Pixels a side in which the clear part of a photo is looked at."""

_MARKED_SIDE = 512
"""Pixels a side of the mask in which it is looked for anything that is marked."""

_ONE_COLOUR = 8.0
"""Spread of levels up to which pixels are of one colour."""


class ComposedPhoto:
    """An image as large as the canvas, in screen pixels, kept between two paintings.

    Args:
        viewport: the photo and where it lies.
        small: the panel's form: a fainter tint.
    """

    def __init__(self, viewport: Viewport, *, small: bool) -> None:
        self._viewport, self._small = viewport, small
        self._overlay = "tint"
        self._backing = QImage()
        self._shown_view: Zoom | None = None
        self._sampled: np.ndarray | None = None
        self._sampled_view: Zoom | None = None
        self._stale = Rect(0, 0, 0, 0)
        self._alpha: Pyramid | None = None
        self._masked = False
        self._marked = False

    def forget(self) -> None:
        """Another photo is shown."""
        self._backing = QImage()
        self._sampled_view = None

    def overlay(self) -> str:
        return self._overlay

    def set_overlay(self, overlay: str) -> None:
        """One of ``OVERLAYS``."""
        if overlay not in OVERLAYS:
            raise ValueError(f"no overlay: {overlay!r}")
        if overlay != self._overlay:
            self._overlay = overlay
            self._sampled_view = None
            self.compose_all()

    def compose_all(self) -> None:
        """Nothing of the image holds any more."""
        self._shown_view = None

    def pixels_changed(self, rect: Rect) -> Rect:
        """Part of the photo's mask is another one; returns the screen pixels to paint again."""
        view = self._viewport.view()
        if self._follow_marked():
            return photo_on_screen(view)
        around = ceil(2 / min(view.scale, 1.0))  # one more for the pyramid's coarser pixels
        area = on_screen(view, rect.grown(around), edge_margin(self._style()) + 1)
        if not area.empty:
            self._stale = self._stale.united(area)
        return area

    def image(self) -> QImage:
        """The image, up to date."""
        view = self._viewport.view()
        self._follow_marked()
        width, height = screen_size(view)
        shift = shift_between(self._shown_view, view) if self._shown_view is not None else None
        torn = shift != (0, 0) and not self._stale.empty  # changed and moved: whose coordinates would they be?
        if self._backing.width() != width or self._backing.height() != height or shift is None or torn:
            self._backing = QImage(width, height, QImage.Format.Format_RGB32)
            self._backing.fill(theme().color("canvas"))
            areas = [photo_on_screen(view)]
        else:
            areas = [self._stale] if not self._stale.empty else []
            if shift != (0, 0):
                areas = self._scroll(*shift)
        self._backing.setDevicePixelRatio(1)
        painter = QPainter(self._backing)
        for area in areas:
            self._compose(painter, area)
        painter.end()
        self._backing.setDevicePixelRatio(view.ratio)
        self._shown_view, self._stale = view, Rect(0, 0, 0, 0)
        return self._backing

    def _follow_marked(self) -> bool:
        """Return True if something is marked now and was not, or the other way round: then all of the photo looks different."""
        session = self._viewport.session
        marked = session is not None and bool(session.mask_pyramid.at_most(_MARKED_SIDE).any())
        changed, self._marked = marked != self._marked, marked
        if changed:
            self.compose_all()
        return changed

    def _style(self) -> Style:
        stroke, ratio = tokens()["stroke"], self._viewport.view().ratio
        alpha = on_photo("mask-tint-alpha-panel" if self._small else "mask-tint-alpha-editor")
        return Style(
            tint=_colour(on_photo("mask-tint"), alpha),
            # Before anything is marked there is no rest to be dimmed: the photo is seen as it is.
            dim=_colour(on_photo("outside-dim"), None if self._marked else 0.0),
            inner=_colour(on_photo("mask-edge-inner")),
            outer=_colour(on_photo("mask-edge-outer")),
            inner_width=stroke["mask-edge-inner"] * ratio,
            outer_width=stroke["mask-edge-outer"] * ratio,
        )

    def _scroll(self, dx: int, dy: int) -> list[Rect]:
        """Move the backing; returns what has to be composed anew."""
        width, height = self._backing.width(), self._backing.height()
        moved = QImage(width, height, QImage.Format.Format_RGB32)
        moved.fill(theme().color("canvas"))
        self._backing.setDevicePixelRatio(1)
        painter = QPainter(moved)
        painter.drawImage(dx, dy, self._backing)
        painter.end()
        self._backing = moved
        shown = photo_on_screen(self._viewport.view())
        areas = []
        # The photo's own edge may have moved by a rounded pixel: one more on every side.
        if dx:
            areas.append(Rect(0, 0, dx + 1, height) if dx > 0 else Rect(width + dx - 1, 0, width, height))
        if dy:
            areas.append(Rect(0, 0, width, dy + 1) if dy > 0 else Rect(0, height + dy - 1, width, height))
        return [_common(area, shown) for area in areas]

    def _compose(self, painter: QPainter, area: Rect) -> None:
        session, view = self._viewport.session, self._viewport.view()
        if area.empty or session is None:
            return
        style = self._style()
        margin = edge_margin(style)
        left, top = view.to_picture(0, 0)
        scale = view.scale
        photo = self._photo_of(area)
        mask = session.mask_pyramid.sample(
            left + (area.x0 - margin) / scale,
            top + (area.y0 - margin) / scale,
            scale,
            area.width + 2 * margin,
            area.height + 2 * margin,
        )
        painter.drawImage(area.x0, area.y0, to_image(compose(photo, mask, self._overlay, style, margin)))

    def _photo_of(self, area: Rect) -> np.ndarray:
        """The photo at the screen's resolution: RGB uint8. Sampled once per view, because a stroke asks for it anew
        with every move."""
        view, session = self._viewport.view(), self._viewport.session
        assert session is not None
        shown = photo_on_screen(view)
        left, top = view.to_picture(0, 0)
        if self._sampled is None or self._sampled_view != view:
            part = left + shown.x0 / view.scale, top + shown.y0 / view.scale, view.scale, shown.width, shown.height
            self._sampled = session.photo_pyramid.sample(*part)
            alpha = self._alpha_of(session)
            if alpha is not None and self._overlay != "model":  # the model sees what lies in the mask, clear or not
                x, y = round(left * view.scale) + shown.x0, round(top * view.scale) + shown.y0
                self._sampled = on_chequers(self._sampled, alpha.sample(*part), round(_SQUARE * view.ratio), x, y)
            self._sampled_view = view
        return self._sampled[area.y0 - shown.y0 : area.y1 - shown.y0, area.x0 - shown.x0 : area.x1 - shown.x0]

    def _alpha_of(self, session: MaskSession) -> Pyramid | None:
        """The transparency of the photo for every zoom; None for one that is opaque, or only masked: its picture is still there."""
        from app.mask.pyramid import Pyramid

        alpha = session.photo.alpha
        if alpha is None:
            return None
        if self._alpha is None or self._alpha.levels[0] is not alpha:
            self._alpha, self._masked = Pyramid(alpha), _goes_on_beneath(session.photo.rgb, alpha)
        return None if self._masked else self._alpha


def _goes_on_beneath(rgb: np.ndarray, alpha: np.ndarray) -> bool:
    """Return True if the clear part of a photo has a picture of its own, and not one colour as what was erased has."""
    step = max(1, max(alpha.shape) // _LOOKED_AT)
    beneath = rgb[::step, ::step][alpha[::step, ::step] == 0]
    return len(beneath) > 0 and float(beneath.std(axis=0).max()) > _ONE_COLOUR


def _colour(colour: QColor, alpha: float | None = None) -> Colour:
    return colour.red(), colour.green(), colour.blue(), colour.alphaF() if alpha is None else alpha


def _common(a: Rect, b: Rect) -> Rect:
    return Rect(max(a.x0, b.x0), max(a.y0, b.y0), min(a.x1, b.x1), min(a.y1, b.y1))
