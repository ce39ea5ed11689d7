"""Short messages at the upper edge of the canvas, away from the strip and the bar they speak of: four seconds, with Undo."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QColor, QPainter, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.language.sentences import saved_to
from app.look.controls import PlainButton, label
from app.look.theme import duration, notifier, radius, theme
from app.system.sharing import reveal

_EDGE = 12
_SHADOW = 10


class Toast(QWidget):
    """One message over a host widget; a new one replaces it. It waits while the pointer or the focus is on it.

    Args:
        taken: how many pixels at the top of the host are not to be covered, asked where it is placed.
    """

    def __init__(self, host: QWidget, taken: Callable[[], int] = lambda: 0) -> None:
        super().__init__(host)
        self._taken = taken
        self.setObjectName("toast")
        self._host = host
        self._undo: Callable[[], object] | None = None
        self.message = label("", "body")
        self.button = PlainButton(self.tr("Undo"), "undo-2")
        self._row = row = QHBoxLayout(self)
        row.setContentsMargins(16 + _SHADOW, 6 + _SHADOW, 16 + _SHADOW, 6 + _SHADOW)
        row.setSpacing(8)
        row.addWidget(self.message)
        row.addWidget(self.button)
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._go)
        self.button.clicked.connect(self.take_back)
        host.installEventFilter(self)
        notifier.changed.connect(self.update)
        self.hide()

    def move_to(self, host: QWidget) -> None:
        """Lie over another widget from now on."""
        if host is not self._host:
            shown = not self.isHidden()  # its host may be hidden already
            self._host.removeEventFilter(self)
            self._host = host
            self.setParent(host)
            host.installEventFilter(self)
            if shown:
                self._place()
                self.show()
                self.raise_()

    def show_message(self, text: str, undo: Callable[[], object] | None = None, button: str = "") -> None:
        """Show a message. ``undo``: called by the button; ``button``: another word for it."""
        self._undo = undo
        self.message.setText(text)
        self.button.setText(button or self.tr("Undo"))
        self.button.set_icon_name("" if button else "undo-2")
        self.button.setVisible(undo is not None)
        right = 6 if undo is not None else 16
        self._row.setContentsMargins(16 + _SHADOW, 6 + _SHADOW, right + _SHADOW, 6 + _SHADOW)
        self._place()
        self.show()
        self.raise_()
        self._timer.start(duration("toast"))
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, text))

    def show_saved(self, file: Path, words: str = "") -> None:
        """Say where a file was saved, with a button that shows it there. ``words``: another sentence for it."""
        self.show_message(words or saved_to(file), partial(reveal, file), self.tr("Show"))

    def text(self) -> str:
        """The text that is shown now, or ""."""
        return self.message.text() if self.isVisible() else ""

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        return QSize(hint.width(), max(hint.height(), 44 + 2 * _SHADOW))

    def is_undone(self, undo: Callable[[], object]) -> None:
        """Something was undone in another way: a message that offers it goes."""
        if self._undo == undo:
            self.hide()

    @Slot()
    def take_back(self) -> None:
        """Undo what is said, where it can be."""
        undo, self._undo = self._undo, None
        self.hide()
        if undo is not None:
            undo()

    @Slot()
    def settle(self) -> None:
        """Place the message anew: other pixels are to be left uncovered now."""
        if self.isVisible():
            self._place()

    def _place(self) -> None:
        self.message.setWordWrap(False)
        self._row.invalidate()
        wanted, available = self.sizeHint(), self._host.width()
        if wanted.width() > available:
            self.message.setWordWrap(True)  # a long sentence in a narrow window
            self._row.invalidate()
            wanted = QSize(available, max(wanted.height(), self._row.totalHeightForWidth(available)))
        self.resize(wanted)
        self.move(QPoint((self._host.width() - wanted.width()) // 2, self._taken() + _EDGE - _SHADOW))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.settle()
        return False

    @Slot()
    def _go(self) -> None:
        """Its time is over: it goes, unless somebody is about to press its button."""
        if self.underMouse() or self.button.hasFocus():
            self._timer.start()
        else:
            self.hide()

    def leaveEvent(self, event) -> None:
        self._timer.start(duration("toast"))
        super().leaveEvent(event)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _, _, shadow = theme().shadow("float")
        body = QRectF(self.rect()).adjusted(_SHADOW, _SHADOW, -_SHADOW, -_SHADOW)
        painter.setPen(Qt.PenStyle.NoPen)
        for step in range(_SHADOW, 0, -2):
            color = QColor(shadow)
            color.setAlphaF(shadow.alphaF() * 0.09)
            painter.setBrush(color)
            painter.drawRoundedRect(body.adjusted(-step, -step + 3, step, step + 3), 10 + step, 10 + step)
        painter.setPen(QPen(theme().color("border"), 1))
        painter.setBrush(theme().color("surface-raised"))
        corner = radius("card")
        painter.drawRoundedRect(body.adjusted(0.5, 0.5, -0.5, -0.5), corner, corner)
