"""Pictures of a list as a table: words above the columns and beside the rows, or below each picture."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QImage, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QGridLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.look import focus
from app.look.controls import ElidedLabel, clear, label
from app.look.pixels import ScaledPicture, paint_dashed
from app.look.tab_order import tab_within
from app.look.theme import notifier, radius, theme, tokens
from engine.photo import arrange

_SIDE = 148
_BESIDE = 150
_INSET = 3
"""Between the edge of a cell and its picture; words above and below begin where the picture does."""


class PictureCell(QAbstractButton):
    """One picture; an empty frame until it is drawn.

    Args:
        words: what it shows, for the tooltip and for screen readers.
    """

    def __init__(self, place: int, words: str) -> None:
        super().__init__()
        self.place, self._words = place, words
        self._layer: ScaledPicture | None = None
        self.setFixedSize(_SIDE, _SIDE)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(words)
        focus.attach(self, radius("picture"))
        notifier.changed.connect(self.update)
        self.show_image(None)

    def show_image(self, image: QImage | None) -> None:
        self._layer = ScaledPicture(image) if image is not None else None
        self.setEnabled(image is not None)
        self.setCursor(Qt.CursorShape.PointingHandCursor if image is not None else Qt.CursorShape.ArrowCursor)
        state = "" if image is not None else self.tr("not drawn yet")
        self.setAccessibleName(f"{self._words}, {state}" if state else self._words)
        self.update()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_INSET)
        if self._layer is None:
            paint_dashed(painter, rect, radius("picture"), "outline", 1.0)
            return
        size = self._layer.image.size().scaled(rect.size().toSize(), Qt.AspectRatioMode.KeepAspectRatio)
        picture = QRectF(0, 0, size.width(), size.height())
        picture.moveCenter(rect.center())
        self._layer.paint(painter, picture, radius("picture"))
        if self.underMouse() or self.isDown():
            painter.setPen(QPen(theme().color("accent"), tokens()["stroke"]["selected"]))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(picture, radius("picture"), radius("picture"))


class PictureTable(QScrollArea):
    """See the module; scrolls where it has no room.

    Signals:
        opened(int): the picture at this place was clicked.
    """

    opened = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.cells: list[PictureCell] = []
        self._content = QWidget()
        self._content.setProperty("scrolled", "true")
        self._grid = QGridLayout(self._content)
        self._grid.setContentsMargins(0, 0, 12, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(8)
        self.setWidget(self._content)

    def set_labels(self, labels: Sequence[tuple[str, str]], width: int) -> None:
        """Empty places for so many pictures; (row, column) of each as ``engine.photo.arrange`` wants them, in a view this wide."""
        clear(self._grid)
        table = arrange(labels)
        self.cells = []
        for column, words in enumerate(table.columns, 1):
            above = _words(words, _SIDE)
            above.setContentsMargins(_INSET, 0, _INSET, 0)
            self._grid.addWidget(above, 0, column, Qt.AlignmentFlag.AlignBottom)
        for row, words in enumerate(table.rows, 1):
            self._grid.addWidget(_words(words, _BESIDE, 6), row, 0, Qt.AlignmentFlag.AlignVCenter)
        across = max(1, (width - 24) // (_SIDE + 8))
        for place, (parts, at) in enumerate(zip(labels, table.places, strict=True)):
            cell = PictureCell(place, " · ".join(part for part in parts if part))
            cell.clicked.connect(self._clicked)
            self.cells.append(cell)
            if not table.captions:
                self._grid.addWidget(cell, at[0] + 1, at[1] + 1)
                continue
            holder = QWidget()
            holder.setFixedWidth(_SIDE)
            stack = QVBoxLayout(holder)
            stack.setContentsMargins(0, 0, 0, 8)
            stack.setSpacing(2)
            stack.addWidget(cell)
            below = ElidedLabel(table.captions[place], "help", "muted")
            below.setContentsMargins(_INSET, 0, _INSET, 0)
            stack.addWidget(below)
            self._grid.addWidget(holder, *divmod(place, across))
        tab_within(self._content, self.cells)
        self._grid.setColumnStretch(max(table.shape[1], across) + 1, 1)
        self._grid.setRowStretch(len(labels) + 1, 1)

    def show_image(self, place: int, image: QImage | None) -> None:
        self.cells[place].show_image(image)

    @Slot()
    def _clicked(self) -> None:
        cell = self.sender()
        if isinstance(cell, PictureCell):
            self.opened.emit(cell.place)

    def sizeHint(self) -> QSize:
        return QSize(600, 400)


def _words(text: str, width: int, lines: int = 3) -> QWidget:
    """Words of a row or a column, in a few lines; all of them in the tooltip."""
    shown = label(text, "help", "muted", wrap=True)
    shown.setFixedWidth(width)
    shown.setMaximumHeight(shown.fontMetrics().lineSpacing() * lines + 4)
    shown.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
    shown.setToolTip(text)
    return shown
