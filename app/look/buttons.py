"""Buttons that paint themselves, in every state of the look."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, QVariantAnimation, Slot
from PySide6.QtGui import QColor, QCursor, QEnterEvent, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.look import focus, icons
from app.look import type as type_
from app.look.theme import duration, mix, notifier, radius, size, theme

_CLEAR = QColor(0, 0, 0, 0)
PLAIN_PADDING = 12
"""Of a plain button: ground that is not seen until it is pointed at."""
_GAP = 8
_TURN = 900  # milliseconds of one turn of the spinner


class Button(focus.FocusButton):
    """A button of one of the looks: "primary", "danger", "tonal", "outlined", "plain" or "tool".

    Args:
        text: the label; empty shows the icon alone.
        icon_name: a Lucide icon before the label.
        kind: the look.
        busy_text: the label while busy ("Finding…"); room for it is kept from the start, so that the width never changes.
    """

    def __init__(
        self,
        text: str = "",
        icon_name: str = "",
        kind: str = "outlined",
        parent: QWidget | None = None,
        *,
        busy_text: str = "",
    ) -> None:
        super().__init__(parent)
        self._kind = kind
        self._icon_name = icon_name
        self._filled_icon = False
        self._icon_color: str | None = None
        self._hint = ""
        self._leading = False
        self._busy = False
        self._busy_text = busy_text
        self._started = 0.0
        self._hover = 0.0
        self.setText(text)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        type_.apply(
            self, {"primary": "button-primary", "danger": "button-primary", "tonal": "section"}.get(kind, "label")
        )
        focus.attach(self, radius("primary" if kind in ("primary", "danger") else "control"))
        self._animation = QVariantAnimation(self)
        self._animation.valueChanged.connect(self._set_hover)
        self._spin = QTimer(self)
        self._spin.setInterval(33)
        self._spin.timeout.connect(self.update)
        notifier.changed.connect(self.update)

    # What it shows

    def kind(self) -> str:
        return self._kind

    def icon_name(self) -> str:
        return self._icon_name

    def set_icon_name(self, name: str, *, filled: bool = False, color: str | None = None) -> None:
        """Another icon. ``color``: a token instead of the label's colour (the star)."""
        self._icon_name, self._filled_icon, self._icon_color = name, filled, color
        self.updateGeometry()
        self.update()

    def set_hint(self, text: str) -> None:
        """A key shown after the label, for example "Ctrl+Enter"."""
        self._hint = text
        self.updateGeometry()
        self.update()

    def hint(self) -> str:
        return self._hint

    def set_leading(self, leading: bool) -> None:
        """Icon and label begin at the leading edge, as in a list, instead of standing in the middle."""
        self._leading = leading
        self.update()

    def is_busy(self) -> bool:
        return self._busy

    def set_busy_text(self, text: str) -> None:
        """The label while busy."""
        self._busy_text = text
        self.updateGeometry()
        self.update()

    def set_busy(self, busy: bool) -> None:
        """Show a spinner and the busy label. The button stays enabled for those who look, but ignores clicks."""
        if busy != self._busy:
            self._busy = busy
            self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, busy)
            self._update_spinner()
            self.update()

    def _update_spinner(self) -> None:
        if self._busy and self.isVisible() and not notifier.reduced_motion:
            self._spin.start()
        else:
            self._spin.stop()

    # Size

    def sizeHint(self) -> QSize:
        height = size("primary") if self._kind in ("primary", "danger") else size("control")
        height = max(height, self.fontMetrics().height() + 12)
        if not self.text():
            return QSize(height, height)
        labels = [self.text(), self._busy_text]
        width = float(max(self.fontMetrics().horizontalAdvance(label) for label in labels if label))
        padding = PLAIN_PADDING if self._kind == "plain" else 13
        width += 2 * padding
        if self._icon_name or self._busy_text:
            width += self._icon_side() + _GAP
        if self._hint:
            width += 14 + QFontMetricsF(type_.font("micro")).horizontalAdvance(self._hint)
        return QSize(round(width) + 1, height)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _icon_side(self) -> int:
        return type_.scaled(18 if self._kind in ("primary", "danger", "tool") or not self.text() else 16)

    # State

    def enterEvent(self, event: QEnterEvent) -> None:
        self._fade(1.0)
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._fade(0.0)
        super().leaveEvent(event)

    def look_for_pointer(self) -> None:
        """Look as a button does that is not pointed at, if it went away from under a pointer that did not move."""
        lit = self._hover > 0 or self._animation.state() == QVariantAnimation.State.Running
        if lit and not self.rect().contains(self.mapFromGlobal(QCursor.pos())):
            self._fade(0.0)

    def showEvent(self, event) -> None:
        self._update_spinner()
        super().showEvent(event)

    def hideEvent(self, event) -> None:
        self._spin.stop()
        self._animation.stop()
        self._hover = 0.0
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self._animation.stop()
            self._hover = 0.0
        super().changeEvent(event)

    def keyPressEvent(self, event) -> None:
        if self._busy:
            event.ignore()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.click()
        else:
            super().keyPressEvent(event)

    def _fade(self, target: float) -> None:
        if not self.isEnabled():
            return
        self._animation.stop()
        self._animation.setDuration(duration("hover"))
        self._animation.setStartValue(self._hover)
        self._animation.setEndValue(target)
        self._animation.start()

    @Slot(object)
    def _set_hover(self, value: float) -> None:
        self._hover = value
        self.update()

    # Painting

    def _colors(self) -> tuple[QColor, QColor, QColor]:
        """Fill, border and ink of the present state."""
        color = theme().color
        if not self.isEnabled():
            fill = color("surface-hover") if self._kind in ("primary", "tonal") else _CLEAR
            border = color("border") if self._kind in ("outlined", "danger") else _CLEAR
            return fill, border, color("text-disabled")
        pressed = self.isDown()
        if self._kind == "primary":
            fill = mix(color("accent"), color("accent-hover"), self._hover)
            return (color("accent-pressed") if pressed else fill), _CLEAR, color("accent-text")
        if self._kind == "danger":
            fill = mix(_faded(color("danger-surface")), color("danger-surface"), self._hover)
            return (
                (mix(color("danger-surface"), color("danger-border"), 0.25) if pressed else fill),
                color("danger"),
                color("danger"),
            )
        if self._kind == "tonal":
            fill = mix(color("accent-soft"), color("accent-soft-hover"), self._hover)
            return (color("surface-pressed") if pressed else fill), _CLEAR, color("accent-soft-text")
        if self.isChecked():
            fill = mix(color("accent-soft"), color("accent-soft-hover"), self._hover)
            return fill, _CLEAR, color("accent-soft-text")
        rest = color("surface-raised") if self._kind == "outlined" else _faded(color("surface-hover"))
        fill = mix(rest, color("surface-hover"), self._hover)
        if pressed:
            fill = color("accent-soft") if self._kind == "tool" else color("surface-pressed")
        border = color("outline") if self._kind == "outlined" else _CLEAR
        if pressed and self._kind == "tool":
            return fill, border, color("accent-soft-text")
        return fill, border, color("text-muted") if self._busy else color("text")

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill, border, ink = self._colors()
        corner = radius("primary" if self._kind in ("primary", "danger") else "control")
        rect = QRectF(self.rect())
        if border.alpha():
            painter.setPen(QPen(border, 1))
            rect = rect.adjusted(0.5, 0.5, -0.5, -0.5)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(rect, corner, corner)
        self._paint_content(painter, ink)

    def _paint_content(self, painter: QPainter, ink: QColor) -> None:
        text = self._busy_text if self._busy and self._busy_text else self.text()
        name = "loader-circle" if self._busy else self._icon_name
        if self._busy and notifier.reduced_motion:
            name = ""
            text = text or "…"
        painter.setFont(self.font())
        metrics = QFontMetricsF(self.font())
        side = self._icon_side() if name else 0
        gap = _GAP if name and text else 0
        hint_font = type_.font("micro")
        hint_width = QFontMetricsF(hint_font).horizontalAdvance(self._hint) if self._hint and not self._busy else 0.0
        available = self.width() - 16 - side - gap - (hint_width + 14 if hint_width else 0)
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, available))
        text_width = metrics.horizontalAdvance(text)
        width = side + gap + text_width + (14 + hint_width if hint_width else 0)
        right = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x = 12.0 if self._leading else (self.width() - width) / 2
        middle = self.height() / 2

        def placed(start: float, length: float) -> float:
            return self.width() - start - length if right else start

        if name:
            tint = theme().color(self._icon_color) if self._icon_color and self.isEnabled() else ink
            rect = QRectF(placed(x, side), middle - side / 2, side, side)
            angle = self._angle() if self._busy else 0.0
            icons.paint_icon(painter, name, rect, tint, angle=angle, filled=self._filled_icon)
            x += side + gap
        if text:
            painter.setPen(ink)
            baseline = middle + (metrics.ascent() - metrics.descent()) / 2
            painter.drawText(QPointF(placed(x, text_width), baseline), text)
            x += text_width + 14
        if hint_width:
            small = QFontMetricsF(hint_font)
            painter.setFont(hint_font)
            painter.setPen(ink if self._kind in ("primary", "danger") else theme().color("text-muted"))
            baseline = middle + (small.ascent() - small.descent()) / 2
            painter.drawText(QPointF(placed(x, hint_width), baseline), self._hint)

    def _angle(self) -> float:
        from time import monotonic

        return (monotonic() * 1000 % _TURN) / _TURN * 360


def _faded(color: QColor) -> QColor:
    """The same colour, fully transparent: mixing from it brings no grey in."""
    result = QColor(color)
    result.setAlpha(0)
    return result


class PrimaryButton(Button):
    """The one filled button of the window: Generate, or Use this cut-out."""

    def __init__(self, text: str, icon_name: str = "", parent: QWidget | None = None, *, busy_text: str = "") -> None:
        super().__init__(text, icon_name, "primary", parent, busy_text=busy_text)


class DangerButton(Button):
    """Stop: a danger outline in the place of the primary button."""

    def __init__(self, text: str, icon_name: str = "", parent: QWidget | None = None, *, busy_text: str = "") -> None:
        super().__init__(text, icon_name, "danger", parent, busy_text=busy_text)


class TonalButton(Button):
    """The one tonal button: Vary."""

    def __init__(self, text: str, icon_name: str = "", parent: QWidget | None = None, *, busy_text: str = "") -> None:
        super().__init__(text, icon_name, "tonal", parent, busy_text=busy_text)


class OutlinedButton(Button):
    """Edit cut-out, Redraw from here, Pause; the buttons of banners and dialogs."""

    def __init__(self, text: str, icon_name: str = "", parent: QWidget | None = None, *, busy_text: str = "") -> None:
        super().__init__(text, icon_name, "outlined", parent, busy_text=busy_text)


class PlainButton(Button):
    """A label with an icon and no frame until it is pointed at."""

    def __init__(self, text: str, icon_name: str = "", parent: QWidget | None = None, *, busy_text: str = "") -> None:
        super().__init__(text, icon_name, "plain", parent, busy_text=busy_text)


class IconButton(Button):
    """An icon without a word; it always has a tooltip with its key.

    Args:
        icon_name: a Lucide icon.
        tooltip: what it does ("Brush"); also the accessible name.
        key: the key as shown ("B"), or "".
        checkable: stays pressed while its tool or view is on.
        side: width and height; None takes that of controls.
    """

    def __init__(
        self,
        icon_name: str,
        tooltip: str,
        key: str = "",
        parent: QWidget | None = None,
        *,
        checkable: bool = False,
        side: int | None = None,
    ) -> None:
        super().__init__("", icon_name, "tool", parent)
        self._side = side or size("tool")
        self.setCheckable(checkable)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.describe(tooltip, key)

    def describe(self, tooltip: str, key: str = "") -> None:
        """Another tooltip, key and accessible name."""
        self.setToolTip(f"{tooltip} ({key})" if key else tooltip)
        self.setAccessibleName(tooltip)

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def _icon_side(self) -> int:
        return min(type_.scaled(20 if self._side >= 40 else 18), self._side - 6)


class Chip(Button):
    """A small rounded button: a scene to try, a word to add."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, "", "chip", parent)
        type_.apply(self, "help")
        focus.attach(self, size("chip") // 2)

    def sizeHint(self) -> QSize:
        height = max(size("chip"), self.fontMetrics().height() + 10)
        return QSize(self.fontMetrics().horizontalAdvance(self.text()) + 24, height)

    def paintEvent(self, event) -> None:
        color = theme().color
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        fill = mix(color("surface-raised"), color("surface-hover"), self._hover)
        border, ink = color("border"), color("text")
        if not self.isEnabled():
            fill, ink = _CLEAR, color("text-disabled")
        elif self.isDown():
            fill = color("surface-pressed")
        elif self.isChecked():
            fill, border, ink = color("accent-soft"), color("accent"), color("accent-soft-text")
        painter.setPen(QPen(border, 1))
        painter.setBrush(fill)
        rect = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        self._paint_content(painter, ink)
