"""Shows a photo with its mask at any zoom. Only what changed is composed anew; ``canvas.py`` adds the tools."""

from __future__ import annotations

from math import ceil, floor
from time import monotonic

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath
from PySide6.QtWidgets import QWidget

from app.editor import mark_painting
from app.editor.overlay import OVERLAYS, Colour, Style, compose, edge_margin
from app.editor.photo_view import PhotoView
from app.look.pixels import to_image
from app.look.theme import notifier, on_photo, theme, tokens
from app.mask.brush import Rect
from app.mask.mask_session import MaskSession

ZOOM_STEP = 1.25
_TURN = 0.9


class MaskSurface(QWidget):
    """A photo and its mask.

    Args:
        padding: free widget pixels around a fitted photo.
        corner: radius of the widget's corners; outside them is ``frame``, a colour of the theme.
        small: the panel's form: fainter tint, smaller points.

    Signals:
        viewChanged: zoom or place are different now.
    """

    viewChanged = Signal()

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        padding: int = 24,
        corner: int = 0,
        frame: str = "surface",
        small: bool = False,
    ) -> None:
        super().__init__(parent)
        self.session: MaskSession | None = None
        self._padding, self._corner, self._frame, self._small = padding, corner, frame, small
        self._overlay = "tint"
        self._view = PhotoView((1, 1), (1, 1))
        self._fitted = True
        self._backing = QImage()
        self._shown_view: PhotoView | None = None
        self._sampled = np.zeros((0, 0, 3), np.uint8)
        self._sampled_view: PhotoView | None = None
        self._stale = Rect(0, 0, 0, 0)
        self._spin = QTimer(self)
        self._spin.setInterval(33)
        self._spin.timeout.connect(self._update_marks)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(64, 64)
        notifier.changed.connect(self._theme_changed)

    def sizeHint(self) -> QSize:
        return QSize(264, 264)

    # What is shown

    def set_session(self, session: MaskSession | None) -> None:
        """Show another photo, or none; it is fitted."""
        if self.session is not None:
            self.session.pixelsChanged.disconnect(self._pixels_changed)
            self.session.marksChanged.disconnect(self._update_marks)
            self.session.waitingChanged.disconnect(self._waiting_changed)
        self.session = session
        self._backing = QImage()
        self._sampled_view = None
        self._spin.stop()
        if session is not None:
            session.pixelsChanged.connect(self._pixels_changed)
            session.marksChanged.connect(self._update_marks)
            session.waitingChanged.connect(self._waiting_changed)
            self._view = PhotoView((session.photo.width, session.photo.height), self._widget_size(), self._ratio())
            self.zoom_fit()
            self._waiting_changed(session.waiting)
        self.update()

    def overlay(self) -> str:
        return self._overlay

    def set_overlay(self, overlay: str) -> None:
        """One of ``OVERLAYS``."""
        if overlay not in OVERLAYS:
            raise ValueError(f"no overlay: {overlay!r}")
        if overlay != self._overlay:
            self._overlay = overlay
            self._compose_all()

    # Zoom and place

    def view(self) -> PhotoView:
        return self._view

    def set_view(self, view: PhotoView) -> None:
        if view != self._view:
            self._view = view
            self._fitted = False
            self.update()
            self.viewChanged.emit()

    @Slot()
    def zoom_fit(self) -> None:
        """The whole photo."""
        self._view = self._view.fitted(self._padding)
        self._fitted = True
        self.update()
        self.viewChanged.emit()

    @Slot()
    def zoom_actual(self) -> None:
        """100 %: one pixel of the photo is one pixel of the screen."""
        self.set_view(self._view.zoomed(1 / self._view.scale))

    @Slot()
    def zoom_in(self) -> None:
        self.set_view(self._view.zoomed(ZOOM_STEP))

    @Slot()
    def zoom_out(self) -> None:
        self.set_view(self._view.zoomed(1 / ZOOM_STEP))

    def to_photo(self, at: QPointF) -> tuple[float, float]:
        return self._view.to_photo(at.x(), at.y())

    def to_widget(self, x: float, y: float) -> QPointF:
        return QPointF(*self._view.to_widget(x, y))

    # Painting

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setClipRect(event.rect())
        if self.session is None:
            painter.fillRect(event.rect(), theme().color("canvas"))
        else:
            self._refresh()
            painter.drawImage(QPointF(0, 0), self._backing)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self.paint_marks(painter)
        if self._corner:
            self._paint_corners(painter)

    def paint_marks(self, painter: QPainter) -> None:
        """Everything that lies on the photo and its mask."""
        session = self.session
        assert session is not None
        found = session.document.marks
        if self._overlay != "model" and found.box is not None:
            box = found.box
            mark_painting.paint_box(painter, QRectF(self.to_widget(box.x0, box.y0), self.to_widget(box.x1, box.y1)))
        for index, click in enumerate(found.clicks):
            mark_painting.paint_point(painter, self.click_place(index), click.include, self.point_radius())
        if session.waiting:
            angle = monotonic() % _TURN / _TURN * 360
            mark_painting.paint_spinner(
                painter, self._spinner_place(), angle, notifier.reduced_motion, self.point_radius()
            )

    def click_place(self, index: int) -> QPointF:
        """Where a click of the document is painted."""
        assert self.session is not None
        click = self.session.document.marks.clicks[index]
        return self.to_widget(click.x, click.y)

    def point_radius(self) -> float:
        return mark_painting.POINT_RADIUS_SMALL if self._small else mark_painting.POINT_RADIUS

    def _spinner_place(self) -> QPointF:
        assert self.session is not None
        found = self.session.document.marks
        if found.clicks:
            return self.click_place(len(found.clicks) - 1)
        if found.box is not None:
            return self.to_widget((found.box.x0 + found.box.x1) / 2, (found.box.y0 + found.box.y1) / 2)
        return QPointF(self.width() / 2, self.height() / 2)

    def _paint_corners(self, painter: QPainter) -> None:
        frame = QPainterPath()
        frame.addRect(QRectF(self.rect()))
        inner = QPainterPath()
        inner.addRoundedRect(QRectF(self.rect()), self._corner, self._corner)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(frame.subtracted(inner), theme().color(self._frame))

    # Composing

    def _style(self) -> Style:
        stroke, ratio = tokens()["stroke"], self._ratio()
        alpha = on_photo("mask-tint-alpha-panel" if self._small else "mask-tint-alpha-editor")
        return Style(
            tint=_colour(on_photo("mask-tint"), alpha),
            dim=_colour(on_photo("outside-dim")),
            inner=_colour(on_photo("mask-edge-inner")),
            outer=_colour(on_photo("mask-edge-outer")),
            inner_width=stroke["mask-edge-inner"] * ratio,
            outer_width=stroke["mask-edge-outer"] * ratio,
        )

    def _refresh(self) -> None:
        """Bring the backing up to date."""
        view = self._view
        if self.session is not None:
            self.session.in_view = view.looked_at()
        width, height = view.screen_size
        shift = self._shown_view.shift_to(view) if self._shown_view is not None else None
        torn = shift != (0, 0) and not self._stale.empty  # changed and moved: whose coordinates would they be?
        if self._backing.width() != width or self._backing.height() != height or shift is None or torn:
            self._backing = QImage(width, height, QImage.Format.Format_RGB32)
            self._backing.fill(theme().color("canvas"))
            areas = [view.photo_on_screen()]
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
        shown = self._view.photo_on_screen()
        areas = []
        # The photo's own edge may have moved by a rounded pixel: one more on every side.
        if dx:
            areas.append(Rect(0, 0, dx + 1, height) if dx > 0 else Rect(width + dx - 1, 0, width, height))
        if dy:
            areas.append(Rect(0, 0, width, dy + 1) if dy > 0 else Rect(0, height + dy - 1, width, height))
        return [_common(area, shown) for area in areas]

    def _compose(self, painter: QPainter, area: Rect) -> None:
        session, view = self.session, self._view
        if area.empty or session is None:
            return
        style = self._style()
        margin = edge_margin(style)
        left, top = view.screen_origin()
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
        view, session = self._view, self.session
        assert session is not None
        shown = view.photo_on_screen()
        left, top = view.screen_origin()
        if self._sampled_view != view:
            self._sampled = session.photo_pyramid.sample(
                left + shown.x0 / view.scale, top + shown.y0 / view.scale, view.scale, shown.width, shown.height
            )
            self._sampled_view = view
        return self._sampled[area.y0 - shown.y0 : area.y1 - shown.y0, area.x0 - shown.x0 : area.x1 - shown.x0]

    def _compose_all(self) -> None:
        self._shown_view = None
        self.update()

    # Changes

    @Slot(object)
    def _pixels_changed(self, rect: Rect) -> None:
        view = self._view
        # One more for the pyramid's coarser pixels.
        around = ceil(2 / min(view.scale, 1.0))
        area = view.on_screen(rect.grown(around), edge_margin(self._style()) + 1)
        if area.empty:
            return
        self._stale = self._stale.united(area)
        self.update(self._widget_rect(area))

    def _widget_rect(self, area: Rect) -> QRect:
        ratio = self._view.ratio
        left, top = floor(area.x0 / ratio), floor(area.y0 / ratio)
        return QRect(left, top, ceil(area.x1 / ratio) - left + 1, ceil(area.y1 / ratio) - top + 1)

    @Slot()
    def _update_marks(self) -> None:
        self.update()

    @Slot(bool)
    def _waiting_changed(self, waiting: bool) -> None:
        if waiting and self.isVisible() and not notifier.reduced_motion:
            self._spin.start()
        else:
            self._spin.stop()
        self.update()

    @Slot()
    def _theme_changed(self) -> None:
        self._compose_all()

    def _ratio(self) -> float:
        return self.devicePixelRatioF()

    def _widget_size(self) -> tuple[int, int]:
        return max(self.width(), 1), max(self.height(), 1)

    def resizeEvent(self, event) -> None:
        self._resized()
        super().resizeEvent(event)

    def showEvent(self, event) -> None:
        self._resized()
        if self.session is not None:
            self._waiting_changed(self.session.waiting)
        super().showEvent(event)

    def hideEvent(self, event) -> None:
        self._spin.stop()
        super().hideEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._resized()
        return super().event(event)

    def _resized(self) -> None:
        view = self._view.resized(self._widget_size(), self._ratio())
        if view != self._view:
            self._view = view.fitted(self._padding) if self._fitted else view
            self.update()
            self.viewChanged.emit()


def _colour(colour: QColor, alpha: float | None = None) -> Colour:
    return colour.red(), colour.green(), colour.blue(), colour.alphaF() if alpha is None else alpha


def _common(a: Rect, b: Rect) -> Rect:
    return Rect(max(a.x0, b.x0), max(a.y0, b.y0), min(a.x1, b.x1), min(a.y1, b.y1))
