"""Four ideas: only the coarse scales of four seeds, side by side; the one that is chosen is finished from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from app.look import focus
from app.look import type as type_
from app.look.controls import IconButton, heading, label
from app.look.pixels import ScaledPicture, paint_dashed, to_image
from app.look.theme import notifier, on_photo, radius, theme, tokens

if TYPE_CHECKING:
    import numpy as np

    from engine import GenerationRequest

COUNT = 4
_COLUMNS = 2
_GAP = 12
_CLEAR = 8
_STEPS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Up: -_COLUMNS,
    Qt.Key.Key_Down: _COLUMNS,
}


def coarse_scales(grids: Sequence[tuple[int, int]]) -> int:
    """Return the number of scales an idea draws: enough to see the composition, cheap beside a whole picture.

    The last three of thirteen scales are three quarters of the work, the first half of them a few hundredths. Fewer than
    ``_CLEAR`` tokens across are only a blur, though, as a model of few scales would show.
    """
    clear = next((number for number, grid in enumerate(grids, 1) if min(grid) >= _CLEAR), len(grids))
    return max(1, min(len(grids) - 1, max(clear, round(len(grids) * 0.6))))


class IdeaTile(QAbstractButton):
    """One idea: waiting, forming, or ready to be chosen."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = number
        self._layer: ScaledPicture | None = None
        self._ratio = 1.0
        self._ready = False
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        focus.attach(self, radius("picture"))
        notifier.changed.connect(self.update)
        self.reset()

    def reset(self, ratio: float = 1.0) -> None:
        """Waiting. ``ratio``: width by height of the picture."""
        self._layer, self._ready, self._ratio = None, False, ratio
        self.setEnabled(False)
        self.speak()

    def show_image(self, pixels: np.ndarray) -> None:
        self._layer = ScaledPicture(to_image(pixels))
        self.setEnabled(True)
        self.speak()

    def set_ready(self) -> None:
        self._ready = True
        self.speak()

    def has_image(self) -> bool:
        return self._layer is not None

    def is_ready(self) -> bool:
        return self._ready

    def speak(self) -> None:
        state = self.tr("ready") if self._ready else self.tr("drawing") if self._layer else self.tr("waiting")
        self.setAccessibleName(self.tr("Idea {0}, {1}").format(self.number, state))
        self.setToolTip(self.tr("Finish this idea ({0})").format(self.number) if self._layer else "")
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        # A button would walk to its neighbours in the order of Tab: the view knows what lies above and below.
        if event.key() == Qt.Key.Key_Space:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def sizeHint(self) -> QSize:
        return QSize(180, 180)

    def minimumSizeHint(self) -> QSize:
        return QSize(64, 64)

    def _picture(self) -> QRectF:
        width = min(float(self.width()), self.height() * self._ratio)
        height = width / self._ratio
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height).adjusted(3, 3, -3, -3)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = self._picture()
        corner = radius("picture")
        if self._layer is None:
            paint_dashed(painter, rect, corner, "outline", 1.0)
        else:
            self._layer.paint(painter, rect, corner)
            if self.underMouse() or self.isDown():
                painter.setPen(QPen(theme().color("accent"), tokens()["stroke"]["selected"]))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(rect.adjusted(-1.5, -1.5, 1.5, 1.5), corner + 1, corner + 1)
        badge = QRectF(rect.x() + 8, rect.y() + 8, 22, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(on_photo("chip"))
        painter.drawRoundedRect(badge, radius("tag"), radius("tag"))
        painter.setFont(type_.font("micro"))
        painter.setPen(on_photo("chip-text"))
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, str(self.number))


class IdeaGrid(QWidget):
    """Four tiles, two by two, as large as fits, close together in the middle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tiles = [IdeaTile(index + 1, self) for index in range(COUNT)]
        self._ratio = 1.0

    def set_ratio(self, ratio: float) -> None:
        """Width by height of every picture."""
        self._ratio = ratio
        self._place()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        cell_width, cell_height = (self.width() - _GAP) / 2, (self.height() - _GAP) / 2
        width = max(32.0, min(cell_width, cell_height * self._ratio))
        height = width / self._ratio
        left = (self.width() - 2 * width - _GAP) / 2
        top = (self.height() - 2 * height - _GAP) / 2
        for index, tile in enumerate(self.tiles):
            x, y = left + (index % _COLUMNS) * (width + _GAP), top + (index // _COLUMNS) * (height + _GAP)
            tile.setGeometry(round(x), round(y), round(width), round(height))


class IdeasView(QWidget):
    """Lies over the canvas while ideas are drawn and chosen. The arrow keys walk, Enter and digits choose, Esc closes.

    Signals:
        chosen(object): the ``GenerationRequest`` to finish; the same request gives the same coarse scales again.
        closed: the user does not want any of them.
    """

    chosen = Signal(object)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ideasView")
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # for its keys; Tab goes to the tiles themselves
        self.requests: tuple[GenerationRequest, ...] = ()
        self._ended = False
        self.title = label("", "heading")
        self.words = label("", "body", "muted", wrap=True)
        self.close_button = IconButton("x", "", "Esc", self)
        self._grid = IdeaGrid(self)
        self.tiles = self._grid.tiles
        for tile in self.tiles:
            tile.clicked.connect(self._clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addLayout(heading(self.title, self.words, self.close_button))
        column.addWidget(self._grid, 1)
        self.close_button.clicked.connect(self.closed)
        notifier.changed.connect(self.update)
        self._name()

    def begin(self, requests: Sequence[GenerationRequest]) -> None:
        """Empty tiles for up to four requests that differ in their seeds."""
        self.requests, self._ended = tuple(requests[:COUNT]), False
        for index, tile in enumerate(self.tiles):
            size = self.requests[index].size if index < len(self.requests) else None
            tile.reset(size[0] / size[1] if size else 1.0)
            tile.setVisible(index < len(self.requests))
        first = self.requests[0].size if self.requests else None
        self._grid.set_ratio(first[0] / first[1] if first else 1.0)
        self._name()

    def show_preview(self, index: int, pixels: np.ndarray) -> None:
        """The picture so far of one idea; it can be chosen from now on."""
        self.tiles[index].show_image(pixels)

    def finish(self, index: int) -> None:
        """All coarse scales of one idea are drawn."""
        self.tiles[index].set_ready()
        self._name()

    def end(self) -> bool:
        """Nothing more of them is drawn. Returns whether there is one to choose; what was never drawn is hidden."""
        self._ended = True
        drawn = [tile for tile in self.tiles if tile.has_image()]
        for tile in self.tiles:
            tile.setVisible(tile in drawn)
        self._name()
        return bool(drawn)

    def all_ready(self) -> bool:
        return all(tile.is_ready() for tile in self.tiles[: len(self.requests)])

    @Slot()
    def _clicked(self) -> None:
        tile = self.sender()
        self._choose(self.tiles.index(tile))  # type: ignore[arg-type]

    def _choose(self, index: int) -> None:
        if index < len(self.requests) and self.tiles[index].isEnabled():
            self.chosen.emit(self.requests[index])

    def _walk(self, step: int) -> None:
        """Give the focus to the tile so many places further; to the first that can be chosen where none has it."""
        here = next((index for index, tile in enumerate(self.tiles) if tile.hasFocus()), None)
        there = (
            here + step if here is not None else next((n for n, tile in enumerate(self.tiles) if tile.isEnabled()), -1)
        )
        if 0 <= there < COUNT and self.tiles[there].isEnabled():
            self.tiles[there].setFocus(Qt.FocusReason.TabFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = event.key() - Qt.Key.Key_1
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.key() in _STEPS:
            self._walk(_STEPS[Qt.Key(event.key())])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            for index, tile in enumerate(self.tiles):
                if tile.hasFocus():
                    self._choose(index)
        elif 0 <= number < COUNT and not event.modifiers():
            self._choose(number)
        else:
            super().keyPressEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._name()
            for tile in self.tiles:
                tile.speak()
        super().changeEvent(event)

    def _name(self) -> None:
        self.title.setText(self.tr("Four ideas"))
        self.setAccessibleName(self.title.text())
        if self.requests and (self._ended or self.all_ready()):
            self.words.setText(self.tr("Pick one to finish it."))
        else:
            self.words.setText(self.tr("Light and composition come first. Choose one as soon as you like it."))
        self.close_button.describe(self.tr("Close without choosing"), "Esc")

    def paintEvent(self, event) -> None:
        QPainter(self).fillRect(self.rect(), theme().color("canvas"))
