"""Pieces that hold others together: labels, dividers, cards, folding sections, rows that wrap; how small a window is."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import (
    QAbstractScrollArea,
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QLayoutItem,
    QPlainTextEdit,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.look import focus, icons
from app.look import type as type_
from app.look.buttons import PLAIN_PADDING
from app.look.theme import notifier, radius, size, theme
from app.look.type import scaled


def label(
    text: str = "", role: str = "body", tone: str = "", *, wrap: bool = False, parent: QWidget | None = None
) -> QLabel:
    """A label of the type scale. ``tone``: "", "muted", "danger", "accent" or "warning"."""
    result = QLabel(text, parent)
    type_.apply(result, role)
    if tone:
        result.setProperty("tone", tone)
    result.setWordWrap(wrap)
    result.setTextFormat(Qt.TextFormat.PlainText)
    return result


def reading_pane(name: str) -> QPlainTextEdit:
    """Long text in a fixed-width face that can be read, scrolled and copied from. ``name``: for screen readers."""
    result = QPlainTextEdit()
    result.setReadOnly(True)
    result.setProperty("code", "true")
    result.setTabChangesFocus(True)
    result.setAccessibleName(name)
    type_.apply(result, "mono")
    return result


def at_line_start(*buttons: QWidget) -> QHBoxLayout:
    """Plain buttons in a row: the icon of the first stands where the other lines of the column begin, its ground beside them."""
    row = QHBoxLayout()
    row.addSpacing(-PLAIN_PADDING)
    for button in buttons:
        row.addWidget(button)
    row.addStretch(1)
    return row


class ElidedLabel(QLabel):
    """One line that is cut with … where room ends; the whole text is in the tooltip then."""

    def __init__(self, text: str = "", role: str = "body", tone: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        type_.apply(self, role)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._tone = tone
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        notifier.changed.connect(self.update)

    def set_tone(self, tone: str) -> None:
        self._tone = tone
        self.update()

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        metrics = QFontMetricsF(self.font())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.contentsRect().width())
        tone = {"muted": "text-muted", "": "text"}.get(self._tone, self._tone)
        painter.setFont(self.font())
        painter.setPen(theme().color(tone if self.isEnabled() else "text-disabled"))
        painter.drawText(self.contentsRect(), int(self.alignment()) or int(Qt.AlignmentFlag.AlignVCenter), shown)
        whole = self.text() if shown != self.text() else ""
        if whole != self.toolTip():
            self.setToolTip(whole)


class Divider(QWidget):
    """A hairline."""

    def __init__(self, parent: QWidget | None = None, *, vertical: bool = False) -> None:
        super().__init__(parent)
        if vertical:
            self.setFixedWidth(1)
            self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        else:
            self.setFixedHeight(1)
            self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        notifier.changed.connect(self.update)

    def paintEvent(self, event) -> None:
        QPainter(self).fillRect(self.rect(), theme().color("border"))


class Card(QFrame):
    """A raised surface with a hairline and rounded corners."""

    def __init__(self, parent: QWidget | None = None, *, surface: str = "card") -> None:
        super().__init__(parent)
        self.setProperty("surface", surface)


class Spinner(QWidget):
    """Something is being worked on. With reduced motion it is an ellipsis."""

    def __init__(self, side: int = 16, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(side, side)
        self._timer = QTimer(self)
        self._timer.setInterval(33)
        self._timer.timeout.connect(self.update)

    def showEvent(self, event) -> None:
        if not notifier.reduced_motion:
            self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event) -> None:
        self._timer.stop()
        super().hideEvent(event)

    def paintEvent(self, event) -> None:
        from time import monotonic

        painter = QPainter(self)
        if notifier.reduced_motion:
            painter.setPen(theme().color("text-muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "…")
            return
        angle = (monotonic() % 0.9) / 0.9 * 360
        icons.paint_icon(painter, "loader-circle", QRectF(self.rect()), "text-muted", angle=angle)


class _Header(focus.FocusButton):
    """The line of a folding section: a chevron, the title, and at the right what is folded away."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText(title)
        self.setCheckable(True)
        self.summary = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        type_.apply(self, "label")
        focus.attach(self, radius("tag"))
        notifier.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        width = scaled(14) + 1 + QFontMetricsF(self.font()).horizontalAdvance(self.text())
        return QSize(round(width) + 60, max(size("hit-min"), self.fontMetrics().height() + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self.sizeHint().height())

    def keyPressEvent(self, event) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event) -> None:
        color = theme().color
        painter = QPainter(self)
        middle = self.height() / 2
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        name = "chevron-down" if self.isChecked() else ("chevron-left" if mirrored else "chevron-right")
        ink = color("text") if self.isEnabled() else color("text-disabled")
        quiet = color("text-muted") if self.isEnabled() else ink
        side = scaled(14)
        indent = side + 1
        x = self.width() - side + 2 if mirrored else -2
        icons.paint_icon(painter, name, QRectF(x, middle - side / 2, side, side), ink if self.underMouse() else quiet)
        metrics = QFontMetricsF(self.font())
        painter.setFont(self.font())
        painter.setPen(ink)
        title_width = metrics.horizontalAdvance(self.text())
        start = self.width() - indent - title_width if mirrored else indent
        painter.drawText(QPointF(start, middle + (metrics.ascent() - metrics.descent()) / 2), self.text())
        if self.summary and not self.isChecked():
            small = type_.font("help")
            metrics = QFontMetricsF(small)
            available = self.width() - indent - title_width - 16
            text = metrics.elidedText(self.summary, Qt.TextElideMode.ElideRight, max(0.0, available))
            width = metrics.horizontalAdvance(text)
            painter.setFont(small)
            painter.setPen(quiet)
            start = 0 if mirrored else self.width() - width
            painter.drawText(QPointF(start, middle + (metrics.ascent() - metrics.descent()) / 2), text)


class Disclosure(QWidget):
    """A section that folds to one line with its values.

    Args:
        title: the line.
        content: what is folded; taken over by this widget.
        opened: whether it starts open.
    """

    toggled = Signal(bool)

    def __init__(self, title: str, content: QWidget, opened: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.header = _Header(title, self)
        self.content = content
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.header)
        column.addWidget(content)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setFocusProxy(self.header)
        self.header.setAccessibleName(title)
        self.header.toggled.connect(self._toggle)
        self.header.clicked.connect(self._pressed)
        content.setVisible(opened)
        self.header.setChecked(opened)

    def is_open(self) -> bool:
        return self.header.isChecked()

    def set_open(self, opened: bool) -> None:
        self.header.setChecked(opened)

    def set_summary(self, text: str) -> None:
        """Set the summary at the end of the folded line ("2.5 and 2.5")."""
        self.header.summary = text
        self.header.setAccessibleDescription(text)
        self.header.update()

    def set_title(self, text: str) -> None:
        self.header.setText(text)
        self.header.setAccessibleName(text)

    def _toggle(self, opened: bool) -> None:
        self.content.setVisible(opened)
        self.toggled.emit(opened)

    @Slot(bool)
    def _pressed(self, opened: bool) -> None:
        if opened:
            QTimer.singleShot(0, self, self._scroll_to_content)  # when it has its size

    @Slot()
    def _scroll_to_content(self) -> None:
        """Bring what was unfolded into view, as much as fits below its line."""
        area = scroll_area_of(self)
        if area is not None:
            for widget in (self.content, self.header):
                area.ensureWidgetVisible(widget, 0, 16)


class ScrollArea(QScrollArea):
    """A scroll area in which a focus that goes on by itself, from a control that is hidden or switched off, scrolls nothing. The Tab
    key does."""

    def focusNextPrevChild(self, forward: bool) -> bool:
        bar, left = self.verticalScrollBar(), QApplication.focusWidget()
        value, by_itself = bar.value(), left is not None and not (left.isVisible() and left.isEnabled())
        moved = super().focusNextPrevChild(forward)
        if by_itself:
            bar.setValue(value)
        return moved


def scroll_area_of(widget: QWidget) -> QScrollArea | None:
    """The innermost scroll area that a widget is in, or None."""
    above = widget.parentWidget()
    while above is not None and not isinstance(above, QScrollArea):
        above = above.parentWidget()
    return above


def heading(title: QLabel, words: QLabel, close: QWidget) -> QHBoxLayout:
    """Lay out the top of what covers a place: a title over its words, and the button that closes it at the end."""
    texts = QVBoxLayout()
    texts.setSpacing(2)
    texts.addWidget(title)
    texts.addWidget(words)
    top = QHBoxLayout()
    top.addLayout(texts, 1)
    top.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
    return top


def clear(layout) -> None:
    """Take everything out of a layout and delete the widgets in it."""
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()
        elif item.layout() is not None:
            clear(item.layout())


def show_all(widgets: Iterable[QWidget]) -> None:
    """Show what was put into a visible layout at once. Call it when the layout is complete: shown one by one while it is filled,
    a widget lies for a moment where another belongs, and Qt gives it the pointer that rests there."""
    for widget in widgets:
        widget.show()


def retranslates(event: QEvent) -> bool:
    """Return True if a ``changeEvent`` says that the language changed."""
    return event.type() == QEvent.Type.LanguageChange


# When a window is too small for everything (ui.md, Layout). Larger text needs more room, so it counts as a smaller window.


NARROW, RAIL, LOW = 1120, 1280, 760


def is_narrow(width: int) -> bool:
    """Smaller panels; less in the top bar."""
    return width < scaled(NARROW)


def needs_rail(width: int) -> bool:
    """The subject panel makes way for a rail."""
    return width < scaled(RAIL)


def is_low(height: int) -> bool:
    """Fewer lines in the history and the prompt panel."""
    return height < scaled(LOW)


class FlowLayout(QLayout):
    """One widget beside the other, in as many rows as the width asks for."""

    def __init__(self, gap: int = 6, line_gap: int = 8) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self._gap, self._line_gap = gap, line_gap
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._arrange(QRect(0, 0, width, 0), move=False)

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        result = QSize()
        for item in self._items:
            result = result.expandedTo(item.minimumSize())
        return result

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._arrange(rect, move=True)

    def _arrange(self, rect: QRect, move: bool) -> int:
        mirrored = False
        parent = self.parentWidget()
        if parent is not None:
            mirrored = parent.layoutDirection() == Qt.LayoutDirection.RightToLeft
        x, y, line = rect.x(), rect.y(), 0
        for item in self._items:
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            hint = item.sizeHint().boundedTo(QSize(rect.width(), 10_000))
            if x > rect.x() and x + hint.width() > rect.x() + rect.width():
                x, y, line = rect.x(), y + line + self._line_gap, 0
            if move:
                left = rect.x() + rect.right() - x - hint.width() + 1 if mirrored else x
                item.setGeometry(QRect(QPoint(left, y), hint))
            x += hint.width() + self._gap
            line = max(line, hint.height())
        return y + line - rect.y()


def own_viewport(area: QAbstractScrollArea) -> None:
    """Give a scroll area a viewport that was made here, before it has a widget.

    Of the one that Qt makes Python knows nothing, and to find out what kind of widget it is loads all kinds there are: a
    tenth of a start.
    """
    area.setViewport(QWidget())
