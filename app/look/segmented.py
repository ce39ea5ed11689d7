"""A row of choices of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QButtonGroup, QHBoxLayout, QSizePolicy, QWidget

from app.look import focus
from app.look import type as type_
from app.look.theme import notifier, radius, size, theme


class _Segment(focus.FocusButton):
    """One choice of a ``Segmented``."""

    def __init__(self, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setCheckable(True)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        type_.apply(self, "help")
        focus.attach(self, radius("control") - 2)
        notifier.changed.connect(self.update)

    def keyPressEvent(self, event) -> None:
        # As every button takes Enter; the choice that is made already has no use for it.
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() and not self.isChecked():
            self.click()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        bold = QFontMetricsF(type_.font("section")).horizontalAdvance(self.text())
        return QSize(round(bold) + 22, max(size("field") - 4, self.fontMetrics().height() + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(34, self.sizeHint().width()), self.sizeHint().height())

    def paintEvent(self, event) -> None:
        color = theme().color
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
        text_font = type_.font("help")
        ink = color("text") if self.isEnabled() else color("text-disabled")
        painter.setPen(Qt.PenStyle.NoPen)
        if self.isChecked():
            text_font.setWeight(text_font.Weight.DemiBold)
            if self.isEnabled():
                ink = color("accent-soft-text")
                painter.setPen(QPen(color("accent"), 1.5))
                painter.setBrush(color("accent-soft-hover") if self.underMouse() else color("accent-soft"))
            else:
                painter.setBrush(color("surface-hover"))
            painter.drawRoundedRect(rect, 6, 6)
        elif self.isDown() or (self.underMouse() and self.isEnabled()):
            painter.setBrush(color("surface-pressed") if self.isDown() else color("surface-hover"))
            painter.drawRoundedRect(rect, 6, 6)
        painter.setFont(text_font)
        painter.setPen(ink)
        text = QFontMetricsF(text_font).elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width() - 8)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, text)


class Segmented(QWidget):
    """A row of choices of which one is chosen. Arrow keys move the choice.

    Args:
        options: (value, label) of each choice.
        stretch: the choices share the whole width; otherwise each takes what it needs.
    """

    valueChanged = Signal(object)

    def __init__(
        self, options: Sequence[tuple[Any, str]], name: str = "", parent: QWidget | None = None, *, stretch: bool = True
    ) -> None:
        super().__init__(parent)
        self._values = [value for value, _ in options]
        self._group = QButtonGroup(self)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2, 2, 2, 2)
        self._row.setSpacing(2)
        for index, (_, label) in enumerate(options):
            button = _Segment(label, self)
            self._group.addButton(button, index)
            self._row.addWidget(button, 1 if stretch else 0)
        if not stretch:
            self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        else:
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        if name:
            self.set_name(name)
        if self._values:
            self._group.button(0).setChecked(True)
            self.setFocusProxy(self._group.button(0))
        self._group.idToggled.connect(self._toggled)
        notifier.changed.connect(self.update)

    def set_name(self, name: str) -> None:
        """Name the choice for screen readers, and each button after it."""
        self.setAccessibleName(name)
        for button in self._group.buttons():
            button.setAccessibleName(f"{name}, {button.text()}")

    def value(self) -> Any:
        """The choice; None while none is marked."""
        if self._group.checkedId() < 0:
            return None
        return self._values[self._group.checkedId()]

    def setValue(self, value: Any) -> None:
        """None marks no choice at all. Raises ``ValueError`` when it is none of the choices."""
        if value is None and value not in self._values:
            self._group.setExclusive(False)
            for button in self._group.buttons():
                button.setChecked(False)
            self._group.setExclusive(True)
            return
        self._group.button(self._values.index(value)).setChecked(True)

    def values(self) -> list[Any]:
        return list(self._values)

    def button(self, value: Any) -> QAbstractButton:
        """The button of one choice, for tooltips and for disabling it."""
        return self._group.button(self._values.index(value))

    def setLabels(self, labels: Sequence[str]) -> None:
        for index, label in enumerate(labels):
            self._group.button(index).setText(label)
            self._group.button(index).updateGeometry()

    @Slot(int, bool)
    def _toggled(self, index: int, checked: bool) -> None:
        if checked:
            self.setFocusProxy(self._group.button(index))
            self.valueChanged.emit(self._values[index])

    def paintEvent(self, event) -> None:
        color = theme().color
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color("outline") if self.isEnabled() else color("border"), 1))
        painter.setBrush(color("surface-sunken"))
        corner = radius("control")
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), corner, corner)
