"""The focus ring: 2 px outside a gap of 2 px, only while the keyboard is used.

Fields draw the focus as their own border; everything else is given to ``attach``. The ring lies over the window, so that no
control has to reserve room for it.
"""

from __future__ import annotations

import weakref

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QRegion
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QScrollArea, QWidget

from app.look.theme import radius, theme, tokens

_MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta)
_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
_FOLLOWED = (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide)


class _Ring(QWidget):
    """The ring of one window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.corner = 0
        self.hide()

    def place(self, target: QWidget, corner: int) -> None:
        stroke = tokens()["stroke"]
        grow = stroke["focus"] + stroke["focus-gap"]
        self.corner = corner + stroke["focus-gap"]
        window = target.window()
        rect = QRect(target.mapTo(window, QPoint(0, 0)), target.size()).adjusted(-grow, -grow, grow, grow)
        self.setGeometry(rect)
        visible = QRect(QPoint(0, 0), window.size())
        parent = target.parentWidget()
        while parent is not None and parent is not window:
            area = parent.parentWidget()
            if isinstance(area, QAbstractScrollArea) and area.viewport() is parent:
                shown = QRect(parent.mapTo(window, QPoint(0, 0)), parent.size())
                visible &= shown.adjusted(-grow, -grow, grow, grow)
            parent = area
        visible = visible.intersected(rect)
        if visible == rect:
            self.clearMask()
        else:
            self.setMask(QRegion(visible.translated(-rect.topLeft())))
        self.setVisible(not visible.isEmpty() and target.isVisible())
        self.raise_()

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = tokens()["stroke"]["focus"]
        painter.setPen(QPen(theme().color("focus"), width))
        rect = QRectF(self.rect()).adjusted(width / 2, width / 2, -width / 2, -width / 2)
        painter.drawRoundedRect(rect, self.corner + width / 2, self.corner + width / 2)


class _Watcher(QObject):
    """Follows the focus of attached widgets; one for the program."""

    def __init__(self) -> None:
        super().__init__()
        self.keyboard = True  # at start nobody has touched the mouse
        self._handed_on = False
        self.moving = False
        self.target: weakref.ref[QWidget] | None = None
        self._followed: list[weakref.ref[QWidget]] = []
        self._rings: dict[int, weakref.ref[_Ring]] = {}

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.FocusIn and _is_watched(watched):
            self.enter(watched, event.reason())  # type: ignore[arg-type, attr-defined]
        elif kind == QEvent.Type.FocusOut:
            self.leave(watched)
        elif kind == QEvent.Type.KeyPress and watched is self._current():
            if isinstance(event, QKeyEvent) and event.key() not in _MODIFIERS and not self.keyboard:
                self.keyboard = True
                self._take(watched)
        elif kind == QEvent.Type.MouseButtonPress and watched is self._current():
            self.keyboard = False
            self._take(watched)
        elif kind in _FOLLOWED and self._current() is not None:
            self._place()
        return False

    def enter(self, widget: QWidget, reason: Qt.FocusReason) -> None:
        """A widget has the keyboard focus now."""
        handed_on, self._handed_on = self._handed_on or self.moving, False
        if reason in _KEYBOARD:
            self.keyboard = self.keyboard or not handed_on
        elif reason == Qt.FocusReason.MouseFocusReason:
            self.keyboard = False
        self._take(widget)

    def press(self) -> None:
        """A button is pressed with the mouse, also one that takes no focus: what gets the focus by itself then has no ring."""
        self.keyboard = False

    def leave(self, widget: QObject) -> None:
        """A widget has it no more."""
        # From what is hidden or switched off Qt goes on as if somebody had pressed Tab.
        self._handed_on = isinstance(widget, QWidget) and not (widget.isVisible() and widget.isEnabled())
        if widget is self._current():
            self._leave()

    def _current(self) -> QWidget | None:
        return self.target() if self.target is not None else None

    def _take(self, widget: QWidget) -> None:
        self._leave()
        self.target = weakref.ref(widget)
        parent: QWidget | None = widget
        while parent is not None:
            # A watched widget has the filter already; installing it again only moves it to the front.
            parent.installEventFilter(self)
            if not _is_watched(parent):
                self._followed.append(weakref.ref(parent))
            if parent.isWindow():
                break
            parent = parent.parentWidget()
        widget.update()
        self._place()

    def _leave(self) -> None:
        widget = self._current()
        self.target = None
        for reference in self._followed:
            parent = reference()
            if parent is not None and _alive(parent):
                parent.removeEventFilter(self)
        self._followed = []
        if widget is not None and _alive(widget):
            widget.update()
        for held in self._rings.values():
            ring = held()
            if ring is not None and _alive(ring):
                ring.hide()

    def _place(self) -> None:
        widget = self._current()
        if widget is None or not _alive(widget):
            return
        corner = int(widget.property("focusCorner"))
        window = widget.window()
        key = id(window)
        reference = self._rings.get(key)
        ring = reference() if reference else None
        if not self.keyboard or corner < 0:
            if ring is not None and _alive(ring):
                ring.hide()
            return
        if ring is None or not _alive(ring) or ring.parentWidget() is not window:
            ring = _Ring(window)
            self._rings[key] = weakref.ref(ring)
        ring.place(widget, corner)


class FocusButton(QAbstractButton):
    """A button that says itself when it gets the focus and loses it.

    A filter sees every event of a widget, in Python; with a hundred buttons that is what building a window waits for.
    """

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if self.property("focusCorner") is not None:
            _shared().enter(self, event.reason())

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        _shared().leave(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        _shared().press()
        super().mousePressEvent(event)


def _is_watched(widget: QObject) -> bool:
    """Return True if the filter stays on a widget that has no focus."""
    return widget.property("focusCorner") is not None and not isinstance(widget, FocusButton)


def _alive(widget: QWidget) -> bool:
    from shiboken6 import isValid

    return isValid(widget)


_watcher: _Watcher | None = None


def _shared() -> _Watcher:
    global _watcher
    if _watcher is None:
        _watcher = _Watcher()
    return _watcher


def attach(widget: QWidget, corner: int | None = None) -> None:
    """Show the focus ring around this widget while it has the keyboard focus.

    Args:
        corner: radius of the widget's own corners; None takes that of controls. A negative number shows no ring: the
            widget draws the focus itself and asks ``is_visible`` while painting.
    """
    widget.setProperty("focusCorner", radius("control") if corner is None else corner)
    if _is_watched(widget):
        widget.installEventFilter(_shared())


def is_visible(widget: QWidget) -> bool:
    """Return True if this widget has the focus and the user steers by keyboard."""
    return widget.hasFocus() and _shared().keyboard


def go_into(content: QWidget) -> None:
    """Move the focus to the first field of a widget. For Qt that is a press of Tab; here whoever used the mouse still does."""
    watcher = _shared()
    watcher.moving = True
    try:
        content.focusNextChild()
    finally:
        watcher.moving = False


def reveal(widget: QWidget | None) -> None:
    """Scroll to what Tab or a shortcut gave the focus. Qt does so only while Tab stays in one area, not where it comes from outside."""
    if widget is None:
        return
    child = widget
    while not child.isWindow() and (parent := child.parentWidget()) is not None:
        area = parent.parentWidget()
        if isinstance(area, QScrollArea) and area.viewport() is parent:
            area.ensureWidgetVisible(widget)
        child = parent


def takes_escape(event: QEvent) -> bool:
    """Ask for Esc before a shortcut of the window gets it; a widget calls this in ``event``, and sees the key afterwards.

    Returns:
        whether this was the question, and is answered.
    """
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    if event.key() != Qt.Key.Key_Escape:
        return False
    event.accept()
    return True


def wheel_changes(widget: QWidget, event: QEvent) -> bool:
    """Return True if the wheel may change a widget: it has the focus. A panel that scrolls under the pointer must not change
    a value on its way, so else the event goes on to the panel."""
    if not widget.hasFocus():
        event.ignore()
    return widget.hasFocus()
