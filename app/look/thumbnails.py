"""Parts that lists of pictures share: how the list behaves, what is chosen in it, and the marks on a thumbnail."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QWidget

from app.look import focus, icons
from app.look.layout import own_viewport
from app.look.theme import notifier, on_photo, theme


class HoverList(QListView):
    """A list that knows the item under the mouse, so that its delegate can show it; set up as ``set_up_list`` does."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hovered = QPersistentModelIndex()
        set_up_list(self, name)
        self.setMouseTracking(True)  # of the viewport that the list has now

    def hovered(self) -> QPersistentModelIndex:
        """Return the item under the mouse; an invalid index where there is none."""
        return self._hovered

    def forget_hovered(self) -> None:
        """Take the mouse for gone: after a drag no event says so."""
        self._hovered = QPersistentModelIndex()
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        index = QPersistentModelIndex(self.indexAt(event.position().toPoint()))
        if index != self._hovered:
            self._hovered = index
            self.viewport().update()

    def leaveEvent(self, event) -> None:
        self.forget_hovered()
        super().leaveEvent(event)


def set_up_list(view: QListView, name: str) -> None:
    """A list without a ground and a frame of its own, of which several items can be chosen and that paints its own focus.

    Args:
        name: its object name.
    """
    view.setObjectName(name)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setFrameShape(QFrame.Shape.NoFrame)
    view.setStyleSheet(f"QListView#{name} {{ background: transparent; border: none; }}")
    own_viewport(view)
    view.viewport().setAutoFillBackground(False)
    view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    focus.attach(view, -1)
    notifier.changed.connect(view.viewport().update)


def choose_rows(view: QAbstractItemView, rows: Iterable[int]) -> None:
    """Add rows to what is chosen, as one change: those who hear of each change look through all that is chosen."""
    selection, model = QItemSelection(), view.model()
    # The rows of a run differ from their places by the same number.
    for _, run in groupby(enumerate(sorted(rows)), key=lambda entry: entry[1] - entry[0]):
        found = [row for _, row in run]
        selection.select(model.index(found[0], 0), model.index(found[-1], 0))
    view.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.Select)


def paint_outline(painter: QPainter, rect: QRectF, corner: float, color: str, width: float) -> None:
    """A line around something. ``color``: a token of the theme."""
    painter.setPen(QPen(theme().color(color), width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect, corner, corner)


def paint_badge(
    painter: QPainter, badge: QRectF, icon: str, color: QColor, inset: float, *, filled: bool = False
) -> None:
    """An icon on a round dark ground, over a picture. ``inset``: pixels of the ground around the icon."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(on_photo("chip"))
    painter.drawEllipse(badge)
    icons.paint_icon(painter, icon, badge.adjusted(inset, inset, -inset, -inset), color, filled=filled)


def paint_star(painter: QPainter, badge: QRectF, inset: float = 4) -> None:
    """The mark of a starred picture."""
    paint_badge(painter, badge, "star", on_photo("chip-star"), inset, filled=True)
