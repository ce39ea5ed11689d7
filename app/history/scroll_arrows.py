"""The two arrows over the ends of the history's row."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRectF, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from app.history.picture_list import HistoryView
from app.look.controls import IconButton
from app.look.theme import theme


class Arrow(IconButton):
    """Scrolls the row. It lies on thumbnails, so it brings its own ground."""

    def __init__(self, icon: str, parent: QWidget) -> None:
        super().__init__(icon, "", parent=parent, side=28)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme().color("border"))
        painter.setBrush(theme().color("surface-raised"))
        painter.drawEllipse(QRectF(self.rect()).adjusted(1, 1, -1, -1))
        painter.end()
        super().paintEvent(event)


class ScrollArrows(QObject):
    """See the module.

    Args:
        panel: the widget that the row and the arrows lie in.
    """

    def __init__(self, view: HistoryView, panel: QWidget) -> None:
        super().__init__(panel)
        self._view, self._panel = view, panel
        self.left, self.right = Arrow("chevron-left", panel), Arrow("chevron-right", panel)
        self.left.clicked.connect(self._scroll_left)
        self.right.clicked.connect(self._scroll_right)

    @Slot()
    def _scroll_left(self) -> None:
        self._view.scroll_by(-self._view.width() + 80)

    @Slot()
    def _scroll_right(self) -> None:
        self._view.scroll_by(self._view.width() - 80)

    @Slot()
    def place(self) -> None:
        """The row was moved, or is another one: arrows stand where there is more."""
        bar, view = self._view.horizontalScrollBar(), self._view
        shown = view.isVisibleTo(self._panel)
        self.left.setVisible(shown and bar.value() > 0)
        self.right.setVisible(shown and bar.value() < bar.maximum())
        for arrow in (self.left, self.right):
            arrow.resize(arrow.sizeHint())  # no layout does it
        y = view.y() + view.height() - view.delegate.side // 2 - 4 - self.left.height() // 2
        self.left.move(view.x() + 2, y)
        self.right.move(view.x() + view.width() - self.right.width() - 2, y)
        self.left.raise_()
        self.right.raise_()

    def retranslate(self) -> None:
        self.left.describe(self.tr("Newer pictures"))
        self.right.describe(self.tr("Older pictures"))
