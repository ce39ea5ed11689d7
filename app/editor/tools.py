"""The tools of the cut-out: what is in hand, what a drag does, what is painted meanwhile. ``canvas.py`` feeds it events."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Literal

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.editor import mark_painting
from app.editor.surface import MaskSurface
from app.mask.brush import MAX_SIZE, MIN_SIZE, Brush
from app.mask.mask_session import MaskSession
from engine.photo import Box

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


class ToolSurface(MaskSurface):
    """A mask with a tool in hand.

    Signals:
        toolChanged: tool, brush size or hardness are different now.
        crossChanged: the cross-hair of the keyboard was taken or put away.
    """

    toolChanged = Signal()
    crossChanged = Signal()

    def __init__(self, parent: QWidget | None = None, **looks) -> None:
        super().__init__(parent, **looks)
        self._tool: Tool = "select"
        self._size = 46.0
        self._hardness = 0.7
        self._drag: Drag | None = None
        self._pointer: QPointF | None = None
        self._cross: QPointF | None = None
        self._lasso: list[QPointF] = []
        self._space = False
        self._swapped = False
        self._last_stroke: tuple[float, float] | None = None
        self._describe()

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
        """Where the cross-hair of the keyboard is, in widget pixels; None while it is put away."""
        return self._cross

    def _set_cross(self, at: QPointF | None) -> None:
        changed = (at is None) != (self._cross is None)
        self._cross = at
        if changed:
            self.crossChanged.emit()

    def set_session(self, session: MaskSession | None) -> None:
        self.finish()
        self._set_cross(None)
        self._last_stroke = None
        super().set_session(session)

    def finish(self) -> None:
        """End what is being drawn: a stroke counts, a box or a lasso does not."""
        drag, self._drag = self._drag, None
        self._lasso = []
        if drag is not None and drag.kind == "stroke" and self.session is not None:
            self.session.document.end_stroke()
        if drag is not None:
            self.update()

    def _tool_changed(self) -> None:
        self._describe()
        self._set_cursor()
        self.update()
        self.toolChanged.emit()

    def set_summary(self, share: float, parts: int) -> None:
        """Describe the mask for screen readers: how much of the photo it covers, in how many parts."""
        covers = self.tr("The cut-out covers {0} percent of the photo").format(round(100 * share))
        in_parts = self.tr("in one part.") if parts == 1 else self.tr("in {0} parts.").format(parts)
        keys = self.tr(
            "Arrow keys move a cross-hair, Enter clicks or paints with it, Shift and Enter says what does not belong."
        )
        self.setAccessibleDescription(f"{covers} {in_parts} {keys}")

    def _describe(self) -> None:
        names = {
            "select": self.tr("select"),
            "brush": self.tr("brush, {0} pixels").format(round(self._size)),
            "eraser": self.tr("eraser, {0} pixels").format(round(self._size)),
            "box": self.tr("box"),
            "lasso": self.tr("lasso"),
            "hand": self.tr("move"),
        }
        self.setAccessibleName(self.tr("Cut-out editor, {tool}").format(tool=names[self._tool]))

    # What a drag does

    def _begin_stroke(self, at: QPointF, straight: bool = False) -> None:
        session = self.session
        assert session is not None
        point = self.to_photo(at)
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
        if drag is not None and self.session is not None:
            if drag.kind == "stroke":
                self._last_stroke = self.to_photo(at)
                self.session.document.extend_stroke(self._last_stroke)
            elif drag.kind == "pan":
                self.set_view(self.view().panned(at.x() - drag.last.x(), at.y() - drag.last.y()))
            elif drag.kind == "size":
                step = (at.x() - drag.start.x()) * self.view().ratio / self.view().scale
                self.set_brush_size(drag.size + 2 * step)
            elif drag.kind == "lasso":
                self._lasso.append(at)
            elif drag.kind == "press" and far(drag.start, at) and drag.include:
                drag.kind = "box"
            if drag.kind in ("box", "lasso", "point"):
                self.update()
            drag.last = at
        if drag is None or drag.kind != "size":
            self._move_pointer(at)

    def _release(self, at: QPointF) -> None:
        drag, session = self._drag, self.session
        self._drag = None
        if drag is None or session is None:
            return
        if drag.kind == "stroke":
            session.document.end_stroke()
        elif drag.kind == "press":
            self._click(drag.start, drag.include)
        elif drag.kind == "point":
            if far(drag.start, at):
                session.move_click(drag.point, *self._inside(at))
            else:
                session.remove_click(drag.point)
        elif drag.kind == "box" and far(drag.start, at):
            (x0, y0), (x1, y1) = self._inside(drag.start), self._inside(at)
            if abs(x1 - x0) >= 1 and abs(y1 - y0) >= 1:
                session.draw_box(Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
        elif drag.kind == "lasso":
            session.document.fill_area([self.to_photo(point) for point in self._lasso], drag.include)
            self._lasso = []
        self.update()

    def _click(self, at: QPointF, include: bool) -> None:
        session = self.session
        assert session is not None
        x, y = self.to_photo(at)
        if 0 <= x < session.photo.width and 0 <= y < session.photo.height:
            session.click(x, y, include)

    def _point_at(self, at: QPointF) -> int:
        """Index of the click painted here, the topmost first; -1 for none."""
        assert self.session is not None
        for index in reversed(range(len(self.session.document.marks.clicks))):
            place = self.click_place(index)
            if hypot(place.x() - at.x(), place.y() - at.y()) <= self.point_radius() + 2:
                return index
        return -1

    def _inside(self, at: QPointF) -> tuple[float, float]:
        assert self.session is not None
        x, y = self.to_photo(at)
        width, height = self.session.photo.width, self.session.photo.height
        return min(max(x, 0.0), width - 0.01), min(max(y, 0.0), height - 0.01)

    # Painting

    def paint_marks(self, painter: QPainter) -> None:
        super().paint_marks(painter)
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
            mark_painting.paint_ring(painter, at, self._ring_radius(), include)
        if self._cross is not None:
            on_point = self._point_at(at) >= 0  # which stays readable inside of it
            mark_painting.paint_cross_hair(painter, at, gap=self.point_radius() + 3 if on_point else 3)

    def click_place(self, index: int) -> QPointF:
        drag = self._drag
        if drag is not None and drag.kind == "point" and drag.point == index and far(drag.start, drag.last):
            return drag.last
        return super().click_place(index)

    def _ring_radius(self) -> float:
        return self._size / 2 * self.view().scale / self.view().ratio

    def _ring_rect(self) -> QRect:
        if self._pointer is None:
            return QRect()
        reach = mark_painting.ring_reach(self._ring_radius())
        at = self._pointer
        return QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach).toAlignedRect()

    def _move_pointer(self, at: QPointF | None) -> None:
        ringed = self.effective_tool() in BRUSHES
        if ringed:
            self.update(self._ring_rect())
        self._pointer = at
        if ringed:
            self.update(self._ring_rect())
        self._set_cursor()

    def _set_cursor(self) -> None:
        tool = self.effective_tool()
        if self._drag is not None and self._drag.kind == "pan":
            shape = Qt.CursorShape.ClosedHandCursor
        elif self.session is None:
            shape = Qt.CursorShape.ArrowCursor
        elif tool == "hand":
            shape = Qt.CursorShape.OpenHandCursor
        elif tool in BRUSHES:
            shape = Qt.CursorShape.BlankCursor
        elif tool == "select" and self._pointer is not None and self._point_at(self._pointer) >= 0:
            shape = Qt.CursorShape.PointingHandCursor
        else:
            shape = Qt.CursorShape.CrossCursor
        if self.cursor().shape() != shape:
            self.setCursor(shape)


def far(a: QPointF, b: QPointF) -> bool:
    return hypot(b.x() - a.x(), b.y() - a.y()) >= _DRAG_FROM
