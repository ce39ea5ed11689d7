"""The painting canvas: mouse, touchpad and keyboard for the tools.

The keyboard can do everything the mouse can: arrow keys move a cross-hair (Shift: one pixel, Ctrl: far), Enter clicks with
it, sets the brush down and lifts it, begins and ends a box; Shift+Enter says "does not belong"; Esc puts it away.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QKeyEvent, QMouseEvent, QNativeGestureEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.editor.surface import ZOOM_STEP
from app.editor.tools import BRUSHES, Drag, ToolSurface
from app.look import focus

_MODIFIERS = (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Alt, Qt.Key.Key_Meta)
_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class MaskCanvas(ToolSurface):
    """A photo whose mask can be painted, clicked and boxed.

    Args:
        wheel: the wheel moves the photo; otherwise it belongs to whatever the canvas lies in (Ctrl+wheel always zooms).
        looks: as for ``MaskSurface``.

    Signals:
        menuWanted(QPoint): a context menu at this global position, in the small form.
    """

    menuWanted = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None, *, wheel: bool = True, **looks) -> None:
        super().__init__(parent, **looks)
        self._wheel = wheel
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        focus.attach(self, self._corner)

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._set_cross(None)
        self._see_modifiers(event.modifiers())
        if self.session is None or self._drag is not None:
            return
        at, button, modifiers = event.position(), event.button(), event.modifiers()
        if self._small and button == Qt.MouseButton.RightButton:
            return  # its menu comes
        tool = self.effective_tool()
        left, right = button == Qt.MouseButton.LeftButton, button == Qt.MouseButton.RightButton
        if button == Qt.MouseButton.MiddleButton or (left and tool == "hand"):
            self._drag = Drag("pan", at, at)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif left and tool in BRUSHES and modifiers & Qt.KeyboardModifier.AltModifier:
            self._drag = Drag("size", at, at, size=self._size)
        elif left and tool in BRUSHES:
            self._begin_stroke(at, straight=bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
        elif (left or right) and tool == "select":
            point = self._point_at(at)
            include = left and not modifiers & Qt.KeyboardModifier.ShiftModifier
            self._drag = Drag("point" if point >= 0 else "press", at, at, include, point)
        elif left and tool == "box":
            # Without a move it is a click on the subject: nobody has to change the tool.
            self._drag = Drag("press", at, at)
        elif left and tool == "lasso":
            self._drag = Drag("lasso", at, at, not modifiers & Qt.KeyboardModifier.ControlModifier)
            self._lasso = [at]
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._see_modifiers(event.modifiers())
        self._move_to(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & (Qt.MouseButton.LeftButton | Qt.MouseButton.RightButton | Qt.MouseButton.MiddleButton):
            return
        if self._drag is not None:
            self._move_to(event.position())
            self._release(event.position())
        self._set_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        # Two quick clicks are two clicks for the tools.
        self.mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """In the panel a right click opens a menu; in the editor, where the help line says so, it is a tool's."""
        if self._small and self.session is not None and self._drag is None:
            self.menuWanted.emit(event.globalPos())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        if self._drag is None:
            self._move_pointer(None)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta, modifiers = event.angleDelta(), event.modifiers()
        # Alt turns the wheel sideways on some systems.
        turn = (delta.y() or delta.x()) / 120
        if self.session is None or not turn:
            event.ignore()
        elif modifiers & Qt.KeyboardModifier.ControlModifier:
            at = event.position()
            self.set_view(self.view().zoomed(ZOOM_STEP**turn, (at.x(), at.y())))
            event.accept()
        elif modifiers & Qt.KeyboardModifier.AltModifier and self._tool in BRUSHES:
            self.step_brush(1 if turn > 0 else -1)
            event.accept()
        elif self._wheel:
            pixels = event.pixelDelta()
            dx, dy = (pixels.x(), pixels.y()) if not pixels.isNull() else (delta.x() / 2, delta.y() / 2)
            if modifiers & Qt.KeyboardModifier.ShiftModifier and not dx:
                dx, dy = dy, 0
            self.set_view(self.view().panned(dx, dy))
            event.accept()
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture and self.session is not None:
                at = event.position()
                self.set_view(self.view().zoomed(1 + event.value(), (at.x(), at.y())))
            return True
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._takes(event):
            event.accept()
            return True
        return super().event(event)

    # Keyboard

    def _takes(self, event: QKeyEvent) -> bool:
        """Keys that act on the canvas before any shortcut of the window does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            return self._cross is not None and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        if event.key() == Qt.Key.Key_Escape:
            return self._cross is not None or self._drag is not None
        return event.key() in _ARROWS or event.key() == Qt.Key.Key_Space

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        if self.session is None:
            super().keyPressEvent(event)
        elif key in _MODIFIERS:
            self._see_modifiers(modifiers | _modifier_of(key))
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space = True
                self._set_cursor()
                self.update()
        elif key in _ARROWS and not modifiers & Qt.KeyboardModifier.AltModifier:
            self._move_cross(*_ARROWS[Qt.Key(key)], modifiers)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._cross is not None:
            self._act(bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
        elif key == Qt.Key.Key_Escape and (self._cross is not None or self._drag is not None):
            self._give_up()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() in _MODIFIERS:
            self._see_modifiers(event.modifiers() & ~_modifier_of(event.key()))
        elif event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._set_cursor()
            self.update()
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event) -> None:
        self._space = self._swapped = False
        self._set_cursor()
        super().focusOutEvent(event)

    def hideEvent(self, event) -> None:
        self.finish()
        super().hideEvent(event)

    def _move_cross(self, dx: int, dy: int, modifiers: Qt.KeyboardModifier) -> None:
        step = 10.0
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            step = 1.0
        elif modifiers & Qt.KeyboardModifier.ControlModifier:
            step = 60.0
        if self._tool == "hand" or self._space:
            self.set_view(self.view().panned(-dx * 4 * step, -dy * 4 * step))
            return
        cross = self._cross
        if cross is None:
            cross = QPointF(self.width() / 2, self.height() / 2)
            at = self._inside(cross)
        else:
            at = self._inside(QPointF(cross.x() + dx * step, cross.y() + dy * step))
        view = self.view().revealing(*at)
        self.set_view(view)
        cross = self.to_widget(*at)
        self._set_cross(cross)
        self._move_to(cross)
        self.update()

    def _act(self, shifted: bool) -> None:
        """Enter: what a press of the mouse would do at the cross-hair, or its release when something is being drawn."""
        at = self._cross
        assert at is not None and self.session is not None
        if self._drag is not None:
            self._release(at)
            return
        tool = self.effective_tool()
        if tool in BRUSHES:
            self._begin_stroke(at)
        elif tool == "select":
            point = self._point_at(at)
            if point >= 0:
                self.session.remove_click(point)
            else:
                self._click(at, not shifted)
        elif tool in ("box", "lasso"):
            self._drag = Drag(tool, at, at, not shifted)
            self._lasso = [at] if tool == "lasso" else []
        self.update()

    def _give_up(self) -> None:
        """Esc: what is being drawn is forgotten; the next one puts the cross-hair away."""
        if self._drag is not None:
            if self._drag.kind == "stroke" and self.session is not None:
                self.session.document.cancel_stroke()
            self._drag = None
            self._lasso = []
        else:
            self._set_cross(None)
        self.update()

    def _see_modifiers(self, modifiers: Qt.KeyboardModifier) -> None:
        swapped = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if swapped != self._swapped:
            self._swapped = swapped
            if self._drag is None:
                self.update(self._ring_rect())
                self._set_cursor()


def _modifier_of(key: int) -> Qt.KeyboardModifier:
    return {
        Qt.Key.Key_Control: Qt.KeyboardModifier.ControlModifier,
        Qt.Key.Key_Shift: Qt.KeyboardModifier.ShiftModifier,
        Qt.Key.Key_Alt: Qt.KeyboardModifier.AltModifier,
    }.get(Qt.Key(key), Qt.KeyboardModifier.NoModifier)
