"""The slider, bare and with a title and a value that can be typed over."""

from __future__ import annotations

import contextlib
import re

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QPainter, QPen, QValidator
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QSlider, QVBoxLayout, QWidget

from app.look import focus
from app.look import type as type_
from app.look.theme import notifier, size, theme


class Slider(QSlider):
    """A horizontal slider: click anywhere to go there, arrows to step, wheel only while it has the focus."""

    _HANDLE = 8.0

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setMouseTracking(True)
        focus.attach(self, -1)
        notifier.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(160, size("hit-min"))

    def minimumSizeHint(self) -> QSize:
        return QSize(48, size("hit-min"))

    def _share(self) -> float:
        span = self.maximum() - self.minimum()
        share = (self.value() - self.minimum()) / span if span else 0.0
        return 1 - share if self._mirrored() else share

    def _mirrored(self) -> bool:
        return self.layoutDirection() == Qt.LayoutDirection.RightToLeft

    def _center(self) -> QPointF:
        travel = self.width() - 2 * self._HANDLE
        return QPointF(self._HANDLE + travel * self._share(), self.height() / 2)

    def _value_at(self, x: float) -> int:
        travel = max(1.0, self.width() - 2 * self._HANDLE)
        share = min(1.0, max(0.0, (x - self._HANDLE) / travel))
        if self._mirrored():
            share = 1 - share
        return self.minimum() + round(share * (self.maximum() - self.minimum()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self.setValue(self._value_at(event.position().x()))
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setValue(self._value_at(event.position().x()))
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderDown(False)
            self.update()

    def wheelEvent(self, event) -> None:
        if focus.wheel_changes(self, event):
            super().wheelEvent(event)

    def paintEvent(self, event) -> None:
        color = theme().color
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        center = self._center()
        groove = QRectF(0, center.y() - 2, self.width(), 4)
        painter.setBrush(color("track"))
        painter.drawRoundedRect(groove, 2, 2)
        filled = QRectF(groove)
        if self._mirrored():
            filled.setLeft(center.x())
        else:
            filled.setRight(center.x())
        painter.setBrush(color("accent") if self.isEnabled() else color("outline"))
        painter.drawRoundedRect(filled, 2, 2)
        if not self.isEnabled():
            painter.setBrush(color("track"))
            painter.drawEllipse(center, self._HANDLE - 0.5, self._HANDLE - 0.5)
            return
        if self.underMouse() and not self.isSliderDown():
            halo = color("accent")
            halo.setAlphaF(0.28)
            painter.setBrush(halo)
            painter.drawEllipse(center, 12, 12)
        if focus.is_visible(self):
            painter.setBrush(color("surface"))
            painter.setPen(QPen(color("focus"), 2))
            painter.drawEllipse(center, 11, 11)
        # The handle is white in both themes: it has to stand out from the groove it lies on.
        painter.setBrush(color("surface-raised") if not theme().dark else color("text"))
        painter.setPen(QPen(color("outline"), 1))
        half = self._HANDLE + (1 if self.isSliderDown() else -0.5)
        painter.drawEllipse(center, half, half)


class _ValueEdit(QLineEdit):
    """The number at the end of a slider's title: looks like text, becomes a field when it is clicked."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        type_.apply(self, "value")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.refresh()
        notifier.changed.connect(self.refresh)

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("000.00") + 14, 22)

    @Slot()
    def refresh(self) -> None:
        color = theme().color
        self.setStyleSheet(
            "QLineEdit{background:transparent;border:1px solid transparent;border-radius:5px;padding:0;min-height:18px;}"
            f"QLineEdit:hover{{border-color:{color('border').name()};}}"
            f"QLineEdit:focus{{background:{color('surface-sunken').name()};border:2px solid {color('focus').name()};"
            "padding:0;min-height:16px;}"
        )


class _Typing(QValidator):
    """Any number may be typed, with a point or a comma; what is out of range is moved into it when it is done.

    Qt's own validator calls such texts unfinished, and an unfinished text is never told: the field would go on showing it.
    """

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        typed = _TYPED.fullmatch(text)
        return QValidator.State.Acceptable if typed else QValidator.State.Invalid, text, position


_TYPED = re.compile(r"-?\d{0,9}([.,]\d{0,9})?\s*[^\d.,-]{0,3}")


class LabelledSlider(QWidget):
    """A title, the value that can be typed over, and a slider below. A double click on the title resets it.

    Args:
        label: the title, also the accessible name.
        low, high, step: range and step of the value.
        default: where it starts and what a reset goes back to.
        decimals: shown after the point.
        suffix: shown after the number, for example " px".
    """

    valueChanged = Signal(float)

    def __init__(
        self,
        label: str,
        low: float,
        high: float,
        step: float = 0.1,
        default: float | None = None,
        decimals: int = 1,
        suffix: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._low, self._high, self._step = low, high, step
        self._decimals, self._suffix = decimals, suffix
        self._default = low if default is None else default
        self.title = QLabel(label)
        type_.apply(self.title, "label")
        self.edit = _ValueEdit(self)
        self._validator = _Typing(self.edit)
        self.edit.setValidator(self._validator)
        self.slider = Slider(self)
        self.slider.setRange(0, round((high - low) / step))
        self.slider.setPageStep(max(1, self.slider.maximum() // 10))
        self._set_names(label)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.title, 1)
        row.addWidget(self.edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.slider)
        self.setFocusProxy(self.slider)
        self.slider.valueChanged.connect(self._moved)
        self.edit.editingFinished.connect(self._typed)
        self.title.installEventFilter(self)
        self._value = self._default
        self.setValue(self._default)

    def _set_names(self, label: str) -> None:
        self.setAccessibleName(label)
        self.slider.setAccessibleName(label)
        self.edit.setAccessibleName(label)

    def setLabel(self, label: str) -> None:
        self.title.setText(label)
        self._set_names(label)

    def setRange(self, low: float, high: float) -> None:
        """Another range; the value is kept within it."""
        self._low, self._high = low, high
        value = self._value
        self.slider.blockSignals(True)
        self.slider.setRange(0, round((high - low) / self._step))
        self.slider.blockSignals(False)
        self.setValue(value)

    def value(self) -> float:
        return self._value

    def setValue(self, value: float) -> None:
        """Kept within the range and rounded to the step."""
        steps = round((min(self._high, max(self._low, float(value))) - self._low) / self._step)
        value = round(self._low + steps * self._step, 6)
        self.slider.blockSignals(True)
        self.slider.setValue(steps)
        self.slider.blockSignals(False)
        self.slider.update()
        self._show(value)
        if value != self._value:
            self._value = value
            self.valueChanged.emit(value)

    def default(self) -> float:
        return self._default

    def setDefault(self, value: float) -> None:
        """Set the value that a reset goes back to; the value itself stays."""
        self._default = value

    def reset(self) -> None:
        self.setValue(self._default)

    def _show(self, value: float) -> None:
        # Numbers read the same in every language here: the validator and the files use the same form.
        self.edit.setText(f"{value:.{self._decimals}f}{self._suffix}")

    @Slot(int)
    def _moved(self, steps: int) -> None:
        self.setValue(self._low + steps * self._step)

    @Slot()
    def _typed(self) -> None:
        text = self.edit.text().removesuffix(self._suffix).replace(",", ".")
        with contextlib.suppress(ValueError):
            self.setValue(float(text))
        self._show(self._value)  # the field never says what is not in force

    def eventFilter(self, watched, event) -> bool:
        if watched is self.title and event.type() == QEvent.Type.MouseButtonDblClick:
            self.reset()
            return True
        return super().eventFilter(watched, event)
