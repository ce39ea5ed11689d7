"""Fields for numbers and searches, combo boxes and check boxes in the program's look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QLocale, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QIcon, QPainter, QPen, QValidator
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QWidget,
)

from app.look import focus, icons
from app.look import type as type_
from app.look.theme import notifier, size, space, theme

if TYPE_CHECKING:
    from PySide6.QtWidgets import QStyleOptionComboBox

_PLACED_ON = (
    QEvent.Type.Resize,
    QEvent.Type.Show,
    QEvent.Type.Polish,
    QEvent.Type.StyleChange,
    QEvent.Type.FontChange,
    QEvent.Type.LayoutDirectionChange,
    QEvent.Type.LayoutRequest,
)


class SearchField(QLineEdit):
    """A field for the words of a search, with a cross at its end that follows the theme.

    Attributes:
        cross: the cross; its slot and its tooltip are those of who has the field.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cross = self.addAction(QIcon(), QLineEdit.ActionPosition.TrailingPosition)
        type_.apply(self, "body")
        type_.set_width(self, 200)
        notifier.changed.connect(self._dress)

    def showEvent(self, event) -> None:
        self._dress()
        super().showEvent(event)

    @Slot()
    def _dress(self) -> None:
        self.cross.setIcon(icons.icon("x", "text-muted"))


class NumberField(QDoubleSpinBox):
    """A number to type, step or wheel (only while it has the focus). Whole numbers up to 2^53 when ``decimals`` is 0.

    Args:
        low, high, step: range and step.
        decimals: digits after the point.
        suffix: unit after the number, with its space (" px").
        buttons: show the two steppers.
    """

    def __init__(
        self,
        low: float = 0,
        high: float = 100,
        step: float = 1,
        decimals: int = 0,
        suffix: str = "",
        parent: QWidget | None = None,
        *,
        buttons: bool = True,
    ) -> None:
        super().__init__(parent)
        self.setDecimals(decimals)
        self.setRange(low, high)
        self.setSingleStep(step)
        self.setSuffix(suffix)
        self.setKeyboardTracking(False)
        self.setLocale(QLocale.c())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if not buttons:
            self.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        type_.apply(self, "body")
        notifier.changed.connect(self.update)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        """A comma is a point: it is no mark between thousands here. Without decimals neither makes sense."""
        if not self.decimals() and ("," in text or "." in text):
            return QValidator.State.Intermediate, text, position
        return super().validate(text.replace(",", "."), position)

    def valueFromText(self, text: str) -> float:
        return super().valueFromText(text.replace(",", "."))

    def fixup(self, text: str) -> str:
        """Replace text that is no number by the value in force."""
        return self.textFromValue(self.value())

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        digits = max(len(f"{self.maximum():.{self.decimals()}f}"), len(f"{self.minimum():.{self.decimals()}f}"))
        width = self.fontMetrics().horizontalAdvance("0" * min(digits, 10) + self.suffix()) + 24
        if self.buttonSymbols() != QAbstractSpinBox.ButtonSymbols.NoButtons:
            width += 22
        return QSize(width, max(hint.height(), size("field")))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(64, self.sizeHint().width()), self.sizeHint().height())

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in _PLACED_ON:
            self._place_edit()
        return done

    def _place_edit(self) -> None:
        # A style sheet's padding misplaces the text, and without buttons it vanishes: the place is set by hand.
        right = 10 if self.buttonSymbols() == QAbstractSpinBox.ButtonSymbols.NoButtons else 14 + type_.scaled(12)
        left = 10
        if self.layoutDirection() == Qt.LayoutDirection.RightToLeft:
            left, right = right, left
        self.lineEdit().setGeometry(left - 2, 2, max(0, self.width() - left - right + 4), max(0, self.height() - 4))

    def wheelEvent(self, event) -> None:
        if focus.wheel_changes(self, event):
            super().wheelEvent(event)

    def paintEvent(self, event) -> None:
        super().paintEvent(event)
        if self.buttonSymbols() == QAbstractSpinBox.ButtonSymbols.NoButtons:
            return
        painter = QPainter(self)
        side = type_.scaled(12)
        x = 5 if self.layoutDirection() == Qt.LayoutDirection.RightToLeft else self.width() - 7 - side
        ups = self.stepEnabled()
        for name, flag, y in (
            ("chevron-up", QAbstractSpinBox.StepEnabledFlag.StepUpEnabled, self.height() / 2 - side),
            ("chevron-down", QAbstractSpinBox.StepEnabledFlag.StepDownEnabled, self.height() / 2),
        ):
            tint = "text-muted" if self.isEnabled() and ups & flag else "text-disabled"
            icons.paint_icon(painter, name, QRectF(x, y, side, side), tint)


class ComboBox(QComboBox):
    """A drop-down list; the wheel changes it only while it has the focus."""

    def __init__(self, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMaxVisibleItems(12)
        if name:
            self.setAccessibleName(name)
        type_.apply(self, "body")
        notifier.changed.connect(self.update)

    def minimumSizeHint(self) -> QSize:
        # A long name is cut in a narrow window instead of widening the panel.
        return QSize(72, self.sizeHint().height())

    def wheelEvent(self, event) -> None:
        if focus.wheel_changes(self, event):
            super().wheelEvent(event)

    def initStyleOption(self, option: QStyleOptionComboBox) -> None:
        super().initStyleOption(option)
        option.currentText = ""  # the text is painted below, cut where it has no room

    def paintEvent(self, event) -> None:
        # The base paints the control: to name its parts here would load all names that styles have.
        super().paintEvent(event)
        painter = QPainter(self)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        side = type_.scaled(16)
        area = self.rect().adjusted(14 + side if mirrored else 11, 0, -11 if mirrored else -14 - side, 0)
        text = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, area.width())
        painter.setFont(self.font())
        painter.setPen(theme().color("text" if self.isEnabled() else "text-disabled"))
        edge = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, edge | Qt.AlignmentFlag.AlignVCenter, text)
        x = 8 if mirrored else self.width() - 8 - side
        tint = "text-muted" if self.isEnabled() else "text-disabled"
        icons.paint_icon(painter, "chevron-down", QRectF(x, self.height() / 2 - side / 2, side, side), tint)


class CheckBox(QCheckBox):
    """A check box with a drawn tick."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        type_.apply(self, "body")
        focus.attach(self, 6)
        notifier.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        width = _tick_box() + (space(4) + self.fontMetrics().horizontalAdvance(self.text()) if self.text() else 0)
        return QSize(width + 2, max(size("hit-min"), self.fontMetrics().height() + 4))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def hitButton(self, position) -> bool:
        return self.rect().contains(position)

    def paintEvent(self, event) -> None:
        color = theme().color
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        side = _tick_box()
        x = self.width() - side if mirrored else 0
        box = QRectF(x, (self.height() - side) / 2, side, side).adjusted(0.75, 0.75, -0.75, -0.75)
        on = self.isChecked()
        if not self.isEnabled():
            painter.setPen(QPen(color("border"), 1))
            painter.setBrush(color("surface-hover"))
        elif on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color("accent-hover") if self.underMouse() else color("accent"))
        else:
            painter.setPen(QPen(color("text") if self.underMouse() else color("outline"), 1))
            painter.setBrush(color("surface-sunken"))
        painter.drawRoundedRect(box, 5, 5)
        if on:
            icons.paint_icon(
                painter, "check", box.adjusted(1, 1, -1, -1), "accent-text" if self.isEnabled() else "text-disabled"
            )
        painter.setFont(self.font())
        painter.setPen(color("text") if self.isEnabled() else color("text-disabled"))
        left = 0 if mirrored else side + space(4)
        area = QRectF(left, 0, self.width() - side - space(4), self.height())
        edge = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        painter.drawText(area, edge | Qt.AlignmentFlag.AlignVCenter, self.text())


def _tick_box() -> int:
    return type_.scaled(18)
