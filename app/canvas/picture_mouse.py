"""The mouse on the picture: it moves the picture, moves the divider of a comparison, or drags the picture out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.canvas.comparing import Comparison


class PictureMouse(QObject):
    """A button held down, and the space bar that makes every drag move the picture.

    Args:
        canvas: gets the cursors.
        picture: where the picture lies in the canvas; None while there is none.
        zoomed: whether it is zoomed, so that a drag moves it instead of taking it out.

    Signals:
        panned(QPointF): the picture was moved by so many pixels of the canvas.
        dividerMoved(QPointF): the divider is to stand under this point of the canvas.
        draggedOut: the picture was dragged with the left button.

    Attributes:
        space: whether the space bar is held.
    """

    panned = Signal(QPointF)
    dividerMoved = Signal(QPointF)
    draggedOut = Signal()

    def __init__(
        self, canvas: QWidget, compared: Comparison, picture: Callable[[], QRectF | None], zoomed: Callable[[], bool]
    ) -> None:
        super().__init__(canvas)
        self._canvas, self._compared, self._picture, self._zoomed = canvas, compared, picture, zoomed
        self.space = False
        self._drag: Literal["", "pan", "split", "out"] = ""
        self._pressed = QPointF()

    def set_space(self, held: bool) -> None:
        """The space bar was pressed or released."""
        self.space = held
        self._set_cursor()

    def press(self, event: QMouseEvent) -> None:
        """A button was pressed: it begins a drag, or none."""
        self._pressed = event.position()
        picture = self._picture()
        inside = picture is not None and picture.contains(event.position())
        if event.button() == Qt.MouseButton.MiddleButton and picture is not None:
            self._drag = "pan"
        elif event.button() != Qt.MouseButton.LeftButton or picture is None:
            self._drag = ""
        elif self.space:
            self._drag = "pan"
        elif self._compared.on and inside:
            self._drag = "split"
            self.dividerMoved.emit(event.position())
        elif inside:
            self._drag = "pan" if self._zoomed() else "out"
        if self._drag == "pan":
            self._canvas.setCursor(Qt.CursorShape.ClosedHandCursor)

    def move(self, event: QMouseEvent) -> None:
        """The mouse moved, with or without a button held."""
        position, picture = event.position(), self._picture()
        if self._drag == "split":
            self.dividerMoved.emit(position)
        elif self._drag == "pan":
            step, self._pressed = position - self._pressed, position
            self.panned.emit(step)
        elif self._drag == "out":
            if (position - self._pressed).manhattanLength() >= QApplication.startDragDistance():
                self._drag = ""
                self.draggedOut.emit()
        elif self._compared.on and not self.space and picture is not None:
            near = self._compared.is_near(position, picture)
            self._canvas.setCursor(Qt.CursorShape.SplitHCursor if near else Qt.CursorShape.ArrowCursor)

    def release(self) -> None:
        """The drag is over."""
        if self._drag == "pan":
            self._set_cursor()
        self._drag = ""

    def _set_cursor(self) -> None:
        if self.space and self._picture() is not None:
            self._canvas.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self._canvas.unsetCursor()
