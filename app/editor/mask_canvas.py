"""The painting canvas: shows a photo with its mask, and brings its tools mouse, touchpad and keyboard.

The keyboard can do everything the mouse can: arrow keys move a cross-hair (Shift: one pixel, Ctrl: far), Enter clicks with
it, sets the brush down and lifts it, begins and ends a box; Shift+Enter says "does not belong"; Esc puts it away.
"""

from __future__ import annotations

from math import ceil, floor
from time import monotonic
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.editor import mark_painting
from app.editor.composed_photo import ComposedPhoto
from app.editor.screen_pixels import shown_large
from app.editor.tools import BRUSHES, Tools
from app.editor.viewport import Viewport
from app.look import focus
from app.look.theme import notifier, theme
from app.look.zoom import zoom_of

if TYPE_CHECKING:
    from app.mask.brush import Rect
    from app.mask.mask_session import MaskSession

_TURN = 0.9
"""Seconds in which the spinner goes round once."""
_MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta)
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class MaskCanvas(QWidget):
    """A photo whose mask can be painted, clicked and boxed.

    Args:
        wheel: the wheel moves the photo; otherwise it belongs to whatever the canvas lies in (Ctrl+wheel always zooms).
        padding: free widget pixels around a fitted photo.
        corner: radius of the widget's corners; outside them is ``frame``, a colour of the theme.
        small: the panel's form: fainter tint, smaller points.

    Attributes:
        viewport: the photo and where it lies; zooms.
        tools: the tool in hand, the brush and what is being drawn.

    Signals:
        menuWanted(QPoint): a context menu at this global position, in the small form.
    """

    menuWanted = Signal(QPoint)

    def __init__(
        self,
        parent: QWidget | None = None,
        *,
        wheel: bool = True,
        padding: int = 24,
        corner: int = 0,
        frame: str = "surface",
        small: bool = False,
    ) -> None:
        super().__init__(parent)
        self._wheel, self._corner, self._frame, self._small = wheel, corner, frame, small
        self._point_radius = mark_painting.POINT_RADIUS_SMALL if small else mark_painting.POINT_RADIUS
        self.viewport = Viewport(self, padding=padding)
        self.tools = Tools(self.viewport, self._point_radius, self)
        self._composed = ComposedPhoto(self.viewport, small=small)
        self._preview: QImage | None = None
        self._place = ""
        self._summary: tuple[float, int] | None = None
        self._spin = QTimer(self)
        self._spin.setInterval(33)
        self._spin.timeout.connect(self._update_all)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(64, 64)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        focus.attach(self, corner)
        self.viewport.changed.connect(self._update_all)
        self.tools.toolChanged.connect(self._describe)
        self.tools.repaint.connect(self._update_tools)
        self.tools.cursorChanged.connect(self._set_cursor)
        notifier.changed.connect(self._compose_all)
        self._describe()

    def sizeHint(self) -> QSize:
        return QSize(264, 264)

    # What is shown

    @property
    def session(self) -> MaskSession | None:
        return self.viewport.session

    def set_session(self, session: MaskSession | None) -> None:
        """Show another photo, or none; it is fitted."""
        self.tools.put_away()
        if self.session is not None:
            self.session.pixelsChanged.disconnect(self._pixels_changed)
            self.session.marksChanged.disconnect(self._update_all)
            self.session.waitingChanged.disconnect(self._waiting_changed)
        self._composed.forget()
        self._spin.stop()
        self.viewport.show_session(session, self._widget_size(), self.devicePixelRatioF())
        if session is not None:
            session.pixelsChanged.connect(self._pixels_changed)
            session.marksChanged.connect(self._update_all)
            session.waitingChanged.connect(self._waiting_changed)
            self._waiting_changed(session.waiting)
        self.update()

    def set_preview(self, preview: QImage | None) -> None:
        """A picture to show, fitted, while there is no session: its photo is still being read."""
        if preview is not self._preview:
            self._preview = preview
            self.update()

    def overlay(self) -> str:
        return self._composed.overlay()

    def set_overlay(self, overlay: str) -> None:
        """One of ``OVERLAYS``."""
        self._composed.set_overlay(overlay)
        self.update()

    def set_summary(self, share: float, parts: int) -> None:
        """Describe the mask for screen readers: how much of the photo it covers, in how many parts."""
        self._summary = share, parts
        covers = self.tr("The cut-out covers {0} percent of the photo").format(round(100 * share))
        in_parts = self.tr("in one part.") if parts == 1 else self.tr("in {0} parts.").format(parts)
        keys = self.tr(
            "Arrow keys move a cross-hair, Enter clicks or paints with it, Shift and Enter says what does not belong."
        )
        self.setAccessibleDescription(f"{covers} {in_parts} {keys}")

    def describe(self, place: str) -> None:
        """Name the editor or panel that it is the canvas of, for screen readers."""
        self._place = place
        self._describe()

    @Slot()
    def _describe(self) -> None:
        names = {
            "select": self.tr("select"),
            "brush": self.tr("brush, {0} pixels").format(round(self.tools.brush_size())),
            "eraser": self.tr("eraser, {0} pixels").format(round(self.tools.brush_size())),
            "box": self.tr("box"),
            "lasso": self.tr("lasso"),
            "hand": self.tr("move"),
        }
        self.setAccessibleName(", ".join(part for part in (self._place, names[self.tools.tool()]) if part))

    # Painting

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setClipRect(event.rect())
        if self.session is None:
            painter.fillRect(event.rect(), theme().color("canvas"))
            if self._preview is not None:
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
                shown = self._preview.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
                place = QRect((self.width() - shown.width()) // 2, (self.height() - shown.height()) // 2, 0, 0)
                place.setSize(shown)
                painter.drawImage(place, self._preview)
        else:
            self.session.in_view = shown_large(self.viewport.view())
            painter.drawImage(QPointF(0, 0), self._composed.image())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_marks(painter, self.session)
            self.tools.paint(painter)
        if self._corner:
            self._paint_corners(painter)

    def _paint_marks(self, painter: QPainter, session: MaskSession) -> None:
        """The box and the clicks that the mask was made by."""
        marks, radius = session.document.marks, self._point_radius
        if self.overlay() != "model" and marks.box is not None:
            box, to_widget = marks.box, self.viewport.to_widget
            mark_painting.paint_box(painter, QRectF(to_widget(box.x0, box.y0), to_widget(box.x1, box.y1)))
        for index, click in enumerate(marks.clicks):
            mark_painting.paint_point(painter, self.tools.click_place(index), click.include, radius)
        if session.waiting:
            angle = monotonic() % _TURN / _TURN * 360
            mark_painting.paint_spinner(painter, self._spinner_place(session), angle, notifier.reduced_motion, radius)

    def _spinner_place(self, session: MaskSession) -> QPointF:
        marks = session.document.marks
        if marks.clicks:
            return self.tools.click_place(len(marks.clicks) - 1)
        if marks.box is not None:
            return self.viewport.to_widget((marks.box.x0 + marks.box.x1) / 2, (marks.box.y0 + marks.box.y1) / 2)
        return QPointF(self.width() / 2, self.height() / 2)

    def _paint_corners(self, painter: QPainter) -> None:
        frame = QPainterPath()
        frame.addRect(QRectF(self.rect()))
        inner = QPainterPath()
        inner.addRoundedRect(QRectF(self.rect()), self._corner, self._corner)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(frame.subtracted(inner), theme().color(self._frame))

    # Changes

    @Slot()
    def _update_all(self) -> None:
        self.update()

    @Slot(object)
    def _update_tools(self, rect: QRect | None) -> None:
        if rect is None:
            self.update()
        else:
            self.update(rect)

    @Slot(object)
    def _pixels_changed(self, rect: Rect) -> None:
        area = self._composed.pixels_changed(rect)
        if not area.empty:
            self.update(self._widget_rect(area))

    @Slot()
    def _compose_all(self) -> None:
        self._composed.compose_all()
        self.update()

    @Slot(bool)
    def _waiting_changed(self, waiting: bool) -> None:
        if waiting and self.isVisible() and not notifier.reduced_motion:
            self._spin.start()
        else:
            self._spin.stop()
        self.update()

    @Slot()
    def _set_cursor(self) -> None:
        shape = self.tools.cursor_shape()
        if self.cursor().shape() != shape:
            self.setCursor(shape)

    def _widget_rect(self, area: Rect) -> QRect:
        """Screen pixels → widget pixels, all that they touch."""
        ratio = self.viewport.view().ratio
        left, top = floor(area.x0 / ratio), floor(area.y0 / ratio)
        return QRect(left, top, ceil(area.x1 / ratio) - left + 1, ceil(area.y1 / ratio) - top + 1)

    def _widget_size(self) -> tuple[int, int]:
        return max(self.width(), 1), max(self.height(), 1)

    def _resized(self) -> None:
        self.viewport.resize(self._widget_size(), self.devicePixelRatioF())

    def resizeEvent(self, event) -> None:
        self._resized()
        super().resizeEvent(event)

    def showEvent(self, event) -> None:
        self._resized()
        if self.session is not None:
            self._waiting_changed(self.session.waiting)
        super().showEvent(event)

    def hideEvent(self, event) -> None:
        self.tools.finish()
        self._spin.stop()
        super().hideEvent(event)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._small and event.button() == Qt.MouseButton.RightButton:
            return  # its menu comes
        if self.tools.press(event.position(), event.button(), event.modifiers()):
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.tools.move(event.position(), event.modifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.tools.release(event.position(), event.button())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Two quick clicks are two clicks for the tools.
        self.mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """In the panel a right click opens a menu; in the editor, where the help line says so, it is a tool's."""
        if self._small and self.session is not None and not self.tools.is_busy():
            self.menuWanted.emit(event.globalPos())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        self.tools.leave()
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta, modifiers = event.angleDelta(), event.modifiers()
        # Alt turns the wheel sideways on some systems.
        turn = (delta.y() or delta.x()) / 120
        if self.session is None or not turn:
            event.ignore()
        elif modifiers & Qt.KeyboardModifier.AltModifier and self.tools.tool() in BRUSHES:
            self.tools.step_brush(1 if turn > 0 else -1)
            event.accept()
        elif self._wheel:
            pixels = event.pixelDelta()
            dx, dy = (pixels.x(), pixels.y()) if not pixels.isNull() else (delta.x() / 2, delta.y() / 2)
            if modifiers & Qt.KeyboardModifier.ShiftModifier and not dx:
                dx, dy = dy, 0
            self.viewport.set_view(self.viewport.view().panned(dx, dy))
            event.accept()
        else:
            event.ignore()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._describe()
            if self._summary is not None:
                self.set_summary(*self._summary)
        super().changeEvent(event)

    def event(self, event: QEvent) -> bool:
        if (zoom := zoom_of(event)) is not None and self.session is not None:
            self.viewport.set_view(self.viewport.view().zoomed(*zoom))
            event.accept()
            return True
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._takes(event):
            event.accept()
            return True
        if event.type() == QEvent.Type.DevicePixelRatioChange:
            self._resized()
        return super().event(event)

    # Keyboard

    def _takes(self, event: QKeyEvent) -> bool:
        """Keys that act on the canvas before any shortcut of the window does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self.tools.cross_hair() is not None and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if event.key() == Qt.Key.Key_Escape:
            return self.tools.can_give_up()
        return event.key() in _ARROWS or event.key() == Qt.Key.Key_Space

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        if self.session is None:
            super().keyPressEvent(event)
        elif key in _MODIFIERS:
            self.tools.set_modifiers(modifiers | _modifier_of(key))
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self.tools.hold_space(True)
        elif key in _ARROWS and not modifiers & Qt.KeyboardModifier.AltModifier:
            self.tools.move_cross(*_ARROWS[Qt.Key(key)], modifiers)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.tools.cross_hair() is not None:
            self.tools.act(bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
        elif key == Qt.Key.Key_Escape and self.tools.can_give_up():
            self.tools.give_up()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() in _MODIFIERS:
            self.tools.set_modifiers(event.modifiers() & ~_modifier_of(event.key()))
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self.tools.hold_space(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event) -> None:
        self.tools.let_keys_go()
        super().focusOutEvent(event)


def _modifier_of(key: int) -> Qt.KeyboardModifier:
    return {
        Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
        Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
        Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
    }.get(Qt.Key(key), Qt.KeyboardModifier.NoModifier)
