"""The tools of the cut-out: which is in hand, what a drag or a key does with it, what is painted meanwhile.

The keyboard can do everything the mouse can: the canvas moves a cross-hair with the arrow keys, and Enter acts there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QPainter

from app.editor import mark_painting
from app.mask.brush import MAX_SIZE, MIN_SIZE, Brush

if TYPE_CHECKING:
    from app.editor.viewport import Viewport

Tool = Literal["select", "brush", "eraser", "box", "lasso", "hand"]
TOOLS: tuple[Tool, ...] = ("select", "brush", "eraser", "box", "lasso", "hand")
BRUSHES = ("brush", "eraser")

_DRAG_FROM = 4.0
"""Widget pixels the mouse moves before a click becomes a drag."""


@dataclass
class Drag:
    """A button that is held down, or a key that acts like one.

    Attributes:
        kind: what it does: "stroke", "press" (click or box to be), "box", "lasso", "point", "pan" or "size".
        start, last: widget points.
    """

    kind: str
    start: QPointF
    last: QPointF
    include: bool = True
    point: int = -1
    size: float = 0.0


class Tools(QObject):
    """The tool in hand, at work on the photo of a viewport. The canvas that has the tools brings them mouse and keys, and
    paints them.

    Args:
        viewport: the photo, its mask, and where it lies.
        point_radius: of a click as it is painted, in widget pixels.

    Signals:
        toolChanged: tool, brush size or hardness are different now.
        crossChanged: the cross-hair of the keyboard was taken or put away.
        repaint(rect): what ``paint`` paints changed, in a QRect of the widget or, for None, anywhere.
        cursorChanged: ``cursor_shape`` may be another one.
    """

    toolChanged = Signal()
    crossChanged = Signal()
    repaint = Signal(object)
    cursorChanged = Signal()

    def __init__(self, viewport: Viewport, point_radius: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewport, self._point_radius = viewport, point_radius
        self._tool: Tool = "select"
        self._size = 46.0
        self._hardness = 0.7
        self._drag: Drag | None = None
        self._button = Qt.MouseButton.NoButton
        self._pointer: QPointF | None = None
        self._cross: QPointF | None = None
        self._lasso: list[QPointF] = []
        self._space = False
        self._swapped = False
        self._last_stroke: tuple[float, float] | None = None

    # Tools

    def tool(self) -> Tool:
        return self._tool

    def set_tool(self, tool: Tool) -> None:
        if tool not in TOOLS:
            raise ValueError(f"no tool: {tool!r}")
        if tool != self._tool:
            self.finish()
            self._tool = tool
            self._tool_changed()

    def brush_size(self) -> float:
        """Diameter in pixels of the photo."""
        return self._size

    def set_brush_size(self, size: float) -> None:
        size = min(max(round(size, 1), MIN_SIZE), MAX_SIZE)
        if size != self._size:
            self._size = size
            self._tool_changed()

    def hardness(self) -> float:
        return self._hardness

    def set_hardness(self, hardness: float) -> None:
        hardness = min(max(round(hardness, 2), 0.0), 1.0)
        if hardness != self._hardness:
            self._hardness = hardness
            self._tool_changed()

    def step_brush(self, steps: int) -> None:
        """So many steps larger, or smaller below 0; each is about a tenth, at least a pixel."""
        for _ in range(abs(steps)):
            step = max(1.0, round(self._size * 0.1))
            self.set_brush_size(self._size + (step if steps > 0 else -step))

    def swap(self) -> None:
        """Brush becomes eraser and the other way round."""
        self.set_tool("eraser" if self._tool == "brush" else "brush")

    def effective_tool(self) -> Tool:
        """The tool in hand: the other one of brush and eraser while Ctrl is held, the hand while Space is."""
        if self._space:
            return "hand"
        if self._swapped and self._tool in BRUSHES:
            return "eraser" if self._tool == "brush" else "brush"
        return self._tool

    def cross_hair(self) -> QPointF | None:
        """Return the cross-hair of the keyboard, in widget pixels; None while it is put away."""
        return self._cross

    def _set_cross(self, at: QPointF | None) -> None:
        changed = (at is None) != (self._cross is None)
        self._cross = at
        if changed:
            self.crossChanged.emit()

    def put_away(self) -> None:
        """Another photo comes: end what is being drawn, and forget where the last stroke ended."""
        self.finish()
        self._set_cross(None)
        self._last_stroke = None

    def finish(self) -> None:
        """End what is being drawn: a stroke counts, a box or a lasso does not."""
        drag, self._drag = self._drag, None
        self._button, self._lasso = Qt.MouseButton.NoButton, []
        if drag is not None and drag.kind == "stroke" and self._viewport.session is not None:
            self._viewport.session.document.end_stroke()
        if drag is not None:
            self._paint_again()

    def _tool_changed(self) -> None:
        self.cursorChanged.emit()
        self._paint_again()
        self.toolChanged.emit()

    def _paint_again(self) -> None:
        self.repaint.emit(None)

    # Mouse

    def press(self, at: QPointF, button: Qt.MouseButton, modifiers: Qt.KeyboardModifier) -> bool:
        """A button of the mouse went down; False when it is nothing to the tools."""
        self._set_cross(None)
        self.set_modifiers(modifiers)
        if button == self._button:
            self.finish()  # it went up where nobody heard of it
        if self._viewport.session is None or self._drag is not None:
            return False
        tool = self.effective_tool()
        left, right = button == Qt.MouseButton.LeftButton, button == Qt.MouseButton.RightButton
        if button == Qt.MouseButton.MiddleButton or (left and tool == "hand"):
            self._drag = Drag("pan", at, at)
            self.cursorChanged.emit()
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
        self._button = button
        return True

    def move(self, at: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self.set_modifiers(modifiers)
        self._move_to(at)

    def release(self, at: QPointF, button: Qt.MouseButton) -> None:
        """A button went up. The one that began a drag ends it, whatever else is, or is said to be, held down."""
        if button == self._button:
            self._button = Qt.MouseButton.NoButton
            if self._drag is not None:
                self._move_to(at)
                self._release(at)
        self.cursorChanged.emit()

    def leave(self) -> None:
        """The mouse is over something else."""
        if self._drag is None:
            self._move_pointer(None)

    # Keys

    def set_modifiers(self, modifiers: Qt.KeyboardModifier) -> None:
        swapped = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if swapped != self._swapped:
            self._swapped = swapped
            if self._drag is None:
                self.repaint.emit(self._ring_rect())
                self.cursorChanged.emit()

    def hold_space(self, held: bool) -> None:
        """The hand takes the tool's place as long as Space is held."""
        self._space = held
        self.cursorChanged.emit()
        self._paint_again()

    def let_keys_go(self) -> None:
        """Keys are released elsewhere from now on."""
        self._space = self._swapped = False
        self.cursorChanged.emit()

    def move_cross(self, dx: int, dy: int, modifiers: Qt.KeyboardModifier) -> None:
        """Move the cross-hair by a step in one direction, or the photo when the hand is the tool. The first step puts the
        cross-hair into the middle."""
        step = 10.0
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            step = 1.0
        elif modifiers & Qt.KeyboardModifier.ControlModifier:
            step = 60.0
        viewport = self._viewport
        if self._tool == "hand" or self._space:
            viewport.set_view(viewport.view().panned(-dx * 4 * step, -dy * 4 * step))
            return
        if self._cross is None:
            at = viewport.inside(QPointF(viewport.view().size[0] / 2, viewport.view().size[1] / 2))
        else:
            at = viewport.inside(QPointF(self._cross.x() + dx * step, self._cross.y() + dy * step))
        viewport.set_view(viewport.view().revealing(*at))
        cross = viewport.to_widget(*at)
        self._set_cross(cross)
        self._move_to(cross)
        self._paint_again()

    def act(self, shifted: bool) -> None:
        """Enter: what a press of the mouse would do at the cross-hair, or its release when something is being drawn."""
        at, session = self._cross, self._viewport.session
        assert at is not None and session is not None
        if self._drag is not None:
            self._release(at)
            return
        tool = self.effective_tool()
        if tool in BRUSHES:
            self._begin_stroke(at)
        elif tool == "select":
            point = self._point_at(at)
            if point >= 0:
                session.remove_click(point)
            else:
                self._click(at, not shifted)
        elif tool in ("box", "lasso"):
            self._drag = Drag(tool, at, at, not shifted)
            self._lasso = [at] if tool == "lasso" else []
        self._paint_again()

    def is_busy(self) -> bool:
        """Return True while a button is held down, or a key that acts like one."""
        return self._drag is not None

    def can_give_up(self) -> bool:
        return self._cross is not None or self._drag is not None

    def give_up(self) -> None:
        """Esc: what is being drawn is forgotten; the next one puts the cross-hair away."""
        if self._drag is not None:
            if self._drag.kind == "stroke" and self._viewport.session is not None:
                self._viewport.session.document.cancel_stroke()
            self._drag = None
            self._button, self._lasso = Qt.MouseButton.NoButton, []
        else:
            self._set_cross(None)
        self._paint_again()

    # What a drag does

    def _begin_stroke(self, at: QPointF, straight: bool = False) -> None:
        session = self._viewport.session
        assert session is not None
        point = self._viewport.to_photo(at)
        brush = Brush(self._size, self._hardness, include=self.effective_tool() == "brush")
        self._drag = Drag("stroke", at, at, brush.include)
        if straight and self._last_stroke is not None:
            # A straight line from where the last stroke ended.
            session.document.begin_stroke(self._last_stroke, brush)
            session.document.extend_stroke(point)
        else:
            session.document.begin_stroke(point, brush)
        self._last_stroke = point

    def _move_to(self, at: QPointF) -> None:
        drag = self._drag
        if drag is not None and self._viewport.session is not None:
            if drag.kind == "stroke":
                self._last_stroke = self._viewport.to_photo(at)
                self._viewport.session.document.extend_stroke(self._last_stroke)
            elif drag.kind == "pan":
                self._viewport.set_view(self._viewport.view().panned(at.x() - drag.last.x(), at.y() - drag.last.y()))
            elif drag.kind == "size":
                step = (at.x() - drag.start.x()) * self._viewport.view().ratio / self._viewport.view().scale
                self.set_brush_size(drag.size + 2 * step)
            elif drag.kind == "lasso":
                self._lasso.append(at)
            elif drag.kind == "press" and far(drag.start, at) and drag.include:
                drag.kind = "box"
            if drag.kind in ("box", "lasso", "point"):
                self._paint_again()
            drag.last = at
        if drag is None or drag.kind != "size":
            self._move_pointer(at)

    def _release(self, at: QPointF) -> None:
        from engine.photo import Box

        drag, session = self._drag, self._viewport.session
        self._drag = None
        if drag is None or session is None:
            return
        if drag.kind == "stroke":
            session.document.end_stroke()
        elif drag.kind == "press":
            self._click(drag.start, drag.include)
        elif drag.kind == "point":
            if far(drag.start, at):
                session.move_click(drag.point, *self._viewport.inside(at))
            else:
                session.remove_click(drag.point)
        elif drag.kind == "box" and far(drag.start, at):
            (x0, y0), (x1, y1) = self._viewport.inside(drag.start), self._viewport.inside(at)
            if abs(x1 - x0) >= 1 and abs(y1 - y0) >= 1:
                session.draw_box(Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
        elif drag.kind == "lasso":
            session.document.fill_area([self._viewport.to_photo(point) for point in self._lasso], drag.include)
            self._lasso = []
        self._paint_again()

    def _click(self, at: QPointF, include: bool) -> None:
        session = self._viewport.session
        assert session is not None
        x, y = self._viewport.to_photo(at)
        if 0 <= x < session.photo.width and 0 <= y < session.photo.height:
            session.click(x, y, include)

    def _point_at(self, at: QPointF) -> int:
        """Index of the click painted here, the topmost first; -1 for none."""
        assert self._viewport.session is not None
        for index in reversed(range(len(self._viewport.session.document.marks.clicks))):
            place = self.click_place(index)
            if hypot(place.x() - at.x(), place.y() - at.y()) <= self._point_radius + 2:
                return index
        return -1

    # Painting

    def paint(self, painter: QPainter) -> None:
        """Paint the box or lasso being drawn, the brush's ring and the cross-hair."""
        drag = self._drag
        if drag is not None and drag.kind == "box":
            mark_painting.paint_box(painter, QRectF(drag.start, drag.last))
        elif drag is not None and drag.kind == "lasso" and len(self._lasso) > 1:
            mark_painting.paint_lasso(painter, self._lasso)
        at = self._cross if self._cross is not None else self._pointer
        if at is None:
            return
        if self.effective_tool() in BRUSHES and (drag is None or drag.kind in ("stroke", "size")):
            include = self.effective_tool() == "brush" if drag is None or drag.kind == "size" else drag.include
            mark_painting.paint_ring(painter, at, self.ring_radius(), include)
        if self._cross is not None:
            on_point = self._point_at(at) >= 0  # which stays readable inside of it
            mark_painting.paint_cross_hair(painter, at, gap=self._point_radius + 3 if on_point else 3)

    def click_place(self, index: int) -> QPointF:
        """Return the place at which a click of the document is painted: at the mouse while it is dragged."""
        drag = self._drag
        if drag is not None and drag.kind == "point" and drag.point == index and far(drag.start, drag.last):
            return drag.last
        assert self._viewport.session is not None
        click = self._viewport.session.document.marks.clicks[index]
        return self._viewport.to_widget(click.x, click.y)

    def ring_radius(self) -> float:
        return self._size / 2 * self._viewport.view().scale / self._viewport.view().ratio

    def _ring_rect(self) -> QRect:
        if self._pointer is None:
            return QRect()
        reach = mark_painting.ring_reach(self.ring_radius())
        at = self._pointer
        return QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach).toAlignedRect()

    def _move_pointer(self, at: QPointF | None) -> None:
        ringed = self.effective_tool() in BRUSHES
        if ringed:
            self.repaint.emit(self._ring_rect())
        self._pointer = at
        if ringed:
            self.repaint.emit(self._ring_rect())
        self.cursorChanged.emit()

    def cursor_shape(self) -> Qt.CursorShape:
        """The mouse cursor for the tool, and for what lies under it."""
        tool = self.effective_tool()
        if self._drag is not None and self._drag.kind == "pan":
            return Qt.CursorShape.ClosedHandCursor
        if self._viewport.session is None:
            return Qt.CursorShape.ArrowCursor
        if tool == "hand":
            return Qt.CursorShape.OpenHandCursor
        if tool in BRUSHES:
            return Qt.CursorShape.BlankCursor
        if tool == "select" and self._pointer is not None and self._point_at(self._pointer) >= 0:
            return Qt.CursorShape.PointingHandCursor
        return Qt.CursorShape.CrossCursor


def far(a: QPointF, b: QPointF) -> bool:
    return hypot(b.x() - a.x(), b.y() - a.y()) >= _DRAG_FROM
