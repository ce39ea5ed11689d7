"""Small pieces the prompt panel is put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, Slot
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.look import focus
from app.look.controls import Disclosure
from app.look.tab_order import tab_within
from app.look.theme import notifier, space, theme
from app.prompt.fields import DialSlider
from app.session.values import STRENGTHS

if TYPE_CHECKING:
    from engine import Dial


def dial(name: str, default: Dial) -> DialSlider:
    slider = DialSlider("", *STRENGTHS, 0.1, default if isinstance(default, float) else default[0])
    slider.setObjectName(name)
    return slider


def short(dial: Dial) -> str:
    return "…" if isinstance(dial, tuple) else f"{dial:.1f}"


def column_of(*widgets: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(space("row-gap"))
    for widget in widgets:
        column.addWidget(widget)
    return holder


def fill(holder: QWidget, *widgets: QWidget) -> None:
    """Put widgets into a ``column_of``, where Tab finds them, too."""
    column = holder.layout()
    assert column is not None
    for widget in widgets:
        column.addWidget(widget)
    parts = (part for part in holder.findChildren(QWidget) if holder.isAncestorOf(part))  # and not a list that pops up
    tab_within(holder, [part for part in parts if part.focusPolicy() & Qt.FocusPolicy.TabFocus])


def labelled(title: QLabel, field: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(space("label-gap"))
    column.addWidget(title)
    column.addWidget(field)
    title.setBuddy(field)
    return holder


class Fold(Disclosure):
    """A section with fields: opened by hand, its first field gets the focus. Its line stays, to fold it where it unfolded."""

    def __init__(self, content: QWidget) -> None:
        super().__init__("", content)
        self.toggled.connect(self._opened)

    @Slot(bool)
    def _opened(self, opened: bool) -> None:
        # Only who opened it by hand goes on inside; a session that comes back leaves the focus where it is.
        by_hand = opened and self.header.hasFocus()
        if by_hand:
            focus.go_into(self.content)

    def take(self, content: QWidget) -> None:
        """The content comes back from where it was lent to."""
        layout = self.layout()
        assert layout is not None
        layout.addWidget(content)
        content.setVisible(self.is_open())


class Pinned(QWidget):
    """The bottom of the panel; a hairline on top while there is content under it."""

    def __init__(self, scroll: QScrollArea) -> None:
        super().__init__()
        self._bar = scroll.verticalScrollBar()
        self._bar.valueChanged.connect(self.update)
        self._bar.rangeChanged.connect(self.update)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        notifier.changed.connect(self.update)

    def paintEvent(self, event) -> None:
        if self._bar.value() < self._bar.maximum():
            QPainter(self).fillRect(QRect(0, 0, self.width(), 1), theme().color("border"))
