"""Several pictures side by side over the canvas: those of one press of Generate, or some that were chosen in the history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QContextMenuEvent,
    QFocusEvent,
    QImage,
    QImageReader,
    QKeyEvent,
    QMouseEvent,
    QPainter,
)
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.look import focus
from app.look.controls import IconButton, heading, label
from app.look.pixels import ScaledPicture, in_srgb, paint_dashed
from app.look.theme import notifier, radius, theme, tokens
from app.look.thumbnails import paint_outline, paint_star
from app.system import background

if TYPE_CHECKING:
    from app.store.history_store import Picture

MOST = 9
_GAP = 12
_PIXELS = 768
"""Longest side of a loaded picture: as large as a tile of two gets."""


def columns_for(count: int, ratio: float, width: float, height: float) -> int:
    """Return the number of columns that gives ``count`` pictures of a ratio (width by height) the largest tiles in an
    area."""

    def tile(columns: int) -> float:
        rows = math.ceil(count / columns)
        across = (width - (columns - 1) * _GAP) / columns
        down = (height - (rows - 1) * _GAP) / rows
        return min(across, down * ratio)

    return max(range(1, count + 1), key=tile)


class ResultsGrid(QWidget):
    """The tiles. One is current; the arrow keys go from one to the next, Enter and a click open.

    Signals:
        opened(object): the ``Picture`` that was chosen. starWanted(object): star it, or take its star away.
        menuWanted(QPoint): global position of a menu for the current one.
        left: Esc. focusMoved: the keys are for the tiles now, or no longer.
    """

    opened = Signal(object)
    starWanted = Signal(object)
    menuWanted = Signal(QPoint)
    left = Signal()
    focusMoved = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultsGrid")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        focus.attach(self, -1)
        self.pictures: tuple[Picture, ...] = ()
        self._layers: dict[int, ScaledPicture] = {}
        self.current, self._hovered = 0, -1
        notifier.changed.connect(self.update)

    def show_pictures(self, pictures: Sequence[Picture], shown: int | None = None) -> None:
        """Two to nine pictures; they are read in the background. ``shown``: id of the one to begin with, the first by default."""
        self.pictures = tuple(pictures[:MOST])
        self._layers, self._hovered = {}, -1
        self.current = next((n for n, picture in enumerate(self.pictures) if picture.id == shown), 0)
        for picture in self.pictures:
            background.run(_read, picture.id, picture.file, done=self._arrived)
        self._speak()

    def replace(self, picture: Picture) -> None:
        """One of them was starred."""
        self.pictures = tuple(picture if picture.id == one.id else one for one in self.pictures)
        self._speak()

    @Slot(object)
    def _arrived(self, read: tuple[int, QImage]) -> None:
        if not read[1].isNull() and any(picture.id == read[0] for picture in self.pictures):
            self._layers[read[0]] = ScaledPicture(read[1])
            self.update()

    def tile(self, index: int) -> QRectF:
        """Return the rectangle of one picture."""
        count = max(1, len(self.pictures))
        ratio = self._ratio()
        columns = columns_for(count, ratio, self.width(), self.height())
        rows = math.ceil(count / columns)
        across = (self.width() - (columns - 1) * _GAP) / columns
        down = (self.height() - (rows - 1) * _GAP) / rows
        width = max(16.0, min(across, down * ratio) - 6)
        height = width / ratio
        x0 = (self.width() - columns * width - (columns - 1) * _GAP) / 2
        y0 = (self.height() - rows * height - (rows - 1) * _GAP) / 2
        return QRectF(x0 + index % columns * (width + _GAP), y0 + index // columns * (height + _GAP), width, height)

    def _ratio(self) -> float:
        return self.pictures[0].width / self.pictures[0].height if self.pictures else 1.0

    def _at(self, position: QPointF) -> int:
        return next((n for n in range(len(self.pictures)) if self.tile(n).contains(position)), -1)

    # Events

    def go_to(self, index: int) -> None:
        """Make another picture the current one; beyond the ends nothing happens."""
        if 0 <= index < len(self.pictures) and index != self.current:
            self.current = index
            self._speak()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        columns = columns_for(max(1, len(self.pictures)), self._ratio(), self.width(), self.height())
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -columns,
            Qt.Key.Key_Down: columns,
        }
        key = event.key()
        if key in steps:
            self.go_to(self.current + steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.go_to(0 if key == Qt.Key.Key_Home else len(self.pictures) - 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.pictures and not event.modifiers():
            self.opened.emit(self.pictures[self.current])
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        elif 0 <= key - Qt.Key.Key_1 < len(self.pictures) and not event.modifiers():
            self.opened.emit(self.pictures[key - Qt.Key.Key_1])
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """Esc leaves the grid before it stops anything."""
        return focus.takes_escape(event) or super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focusMoved.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.focusMoved.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.go_to(index)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_key = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.current if by_key else self._at(QPointF(event.pos()))
        if 0 <= index < len(self.pictures):
            self.go_to(index)
            at = self.mapToGlobal(self.tile(index).center().toPoint()) if by_key else event.globalPos()
            self.menuWanted.emit(at)
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position())
        if index == self.current and index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(self.pictures[index])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position())
        if index != self._hovered:
            self._hovered = index
            self.setCursor(Qt.CursorShape.PointingHandCursor if index >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event) -> None:
        self._hovered = -1
        self.update()
        super().leaveEvent(event)

    def _speak(self) -> None:
        """A screen reader hears which picture is current."""
        if self.pictures:
            picture = self.pictures[self.current]
            parts = [self.tr("Picture {0} of {1}").format(self.current + 1, len(self.pictures))]
            parts += [self.tr("starred")] if picture.starred else []
            self.setAccessibleName(", ".join([*parts, picture.prompt]))
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.NameChanged))
        self.update()

    # Painting

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        corner, stroke = radius("picture"), tokens()["stroke"]["selected"]
        for index, picture in enumerate(self.pictures):
            rect = self.tile(index)
            layer = self._layers.get(picture.id)
            if layer is None:
                paint_dashed(painter, rect, corner, "outline", 1.0)
            else:
                layer.paint(painter, rect, corner)
            if index in (self.current, self._hovered):
                color = "accent" if index == self.current else "outline"
                paint_outline(painter, rect.adjusted(-2, -2, 2, 2), corner + 2, color, stroke)
            if index == self.current and focus.is_visible(self):
                paint_outline(painter, rect.adjusted(-4, -4, 4, 4), corner + 4, "focus", tokens()["stroke"]["focus"])
            if picture.starred:
                paint_star(painter, QRectF(rect.right() - 30, rect.y() + 8, 22, 22))


class ResultsView(QWidget):
    """The tiles under a title; lies over the canvas.

    Signals:
        closed: put away without choosing.
    """

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("resultsView")
        self.grid = ResultsGrid(self)
        self.title = label("", "heading")
        self.words = label("", "body", "muted", wrap=True)
        self.close_button = IconButton("x", "", "Esc", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(12)
        column.addLayout(heading(self.title, self.words, self.close_button))
        column.addWidget(self.grid, 1)
        self.setFocusProxy(self.grid)
        self.close_button.clicked.connect(self.closed)
        self.grid.left.connect(self.closed)
        self.grid.focusMoved.connect(self.retranslate)
        notifier.changed.connect(self.update)
        self.retranslate()

    def show_pictures(self, pictures: Sequence[Picture], shown: int | None = None) -> None:
        """Two to nine pictures; ``shown`` is the id of the one to begin with."""
        self.grid.show_pictures(pictures, shown)
        self.retranslate()

    @Slot()
    def retranslate(self) -> None:
        self.title.setText(self.tr("{0} pictures").format(len(self.grid.pictures)))
        # To whom types a prompt, Enter is a new line of it.
        by_key = self.tr("Click one, or walk with the arrow keys and press Enter, to see it large.")
        self.words.setText(by_key if self.grid.hasFocus() else self.tr("Click one to see it large."))
        self.close_button.describe(self.tr("Close without choosing"), "Esc")

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def paintEvent(self, event) -> None:
        QPainter(self).fillRect(self.rect(), theme().color("canvas"))


def _read(picture: int, file: Path) -> tuple[int, QImage]:
    reader = QImageReader(str(file))
    size = reader.size()
    if max(size.width(), size.height()) > _PIXELS:
        reader.setScaledSize(size.scaled(QSize(_PIXELS, _PIXELS), Qt.AspectRatioMode.KeepAspectRatio))
    return picture, in_srgb(reader.read())
