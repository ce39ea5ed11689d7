"""The frame of all dialogs: a card with a title over a scrim, at most 900 × 668."""

from __future__ import annotations

import ctypes.util
import logging
from functools import cache

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QBitmap, QColor, QGuiApplication, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.dialogs import frame
from app.look import focus
from app.look import type as type_
from app.look.controls import IconButton, label
from app.look.theme import notifier, radius, theme, tokens

_SHADOW = 24
_LEFT, _RIGHT, _INSET = 24, 16, 8


class Scrim(QWidget):
    """Dims the window under a dialog; follows its size."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.setGeometry(window.rect())
        window.installEventFilter(self)
        self.show()
        self.raise_()

    def lift(self) -> None:
        """The dialog is gone."""
        self._window.removeEventFilter(self)
        self.hide()
        self.deleteLater()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme().color("scrim"))
        if isinstance(self._window, Dialog):  # its card only: what surrounds it is its shadow
            painter.drawRoundedRect(self._window.card_rect(), radius("dialog"), radius("dialog"))
        else:
            painter.drawRect(self.rect())


class Dialog(QDialog):
    """A frame to fill: ``body`` is the layout under the title.

    Args:
        title: shown at the top, and the accessible name.
        width, height: wanted size in device-independent pixels; larger text makes it larger, a small window smaller. Without a height
            it is as high as what is in it, now and whenever that changes.
    """

    def __init__(self, title: str, window: QWidget, width: int = 640, height: int | None = 560) -> None:
        super().__init__(window)
        self._window = window
        self.setWindowFlags(Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        most = tokens()["size"]["dialog-models"]
        self._as_content = height is None
        self._wanted = QSize(*(min(side, limit) for side, limit in zip((width, height or 0), most, strict=True)))
        self._scrim: Scrim | None = None
        self.title = label(title, "heading")
        self.close_button = IconButton("x", self.tr("Close"), "Esc")
        self.close_button.clicked.connect(self.reject)
        self.close_button.setAutoRepeat(False)
        self.top = QHBoxLayout()  # further buttons go between the title and the cross
        self.top.addWidget(self.title, 1)
        self.top.addWidget(self.close_button)
        self.body = QVBoxLayout()
        self.body.setSpacing(12)
        column = QVBoxLayout(self)
        column.setContentsMargins(_LEFT + _SHADOW, 16 + _SHADOW, _RIGHT + _SHADOW, 24 + _SHADOW)
        column.setSpacing(12)
        column.addLayout(self.top)
        inner = QHBoxLayout()
        inner.setContentsMargins(0, 0, _INSET, 0)
        inner.addLayout(self.body, 1)
        column.addLayout(inner, 1)
        notifier.changed.connect(self.update)
        notifier.textScaled.connect(self._rescale)

    def open(self) -> None:
        """Show it over its window; the window goes on working."""
        window = self._window.window()
        self._scrim = Scrim(window)
        self._place()
        window.installEventFilter(self)
        super().open()
        if self.focusWidget() in (None, self.close_button):
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # Tab goes to the first field then

    @Slot()
    def _rescale(self) -> None:
        if self.isVisible():
            QTimer.singleShot(0, self, self._place)  # what is in it has its new sizes then

    @Slot()
    def _place(self) -> None:
        """In the middle of the window, and within it."""
        window = self._window.window()
        size = self._card_size() + QSize(2 * _SHADOW, 2 * _SHADOW)
        self.resize(size)
        corner = window.mapToGlobal(window.rect().center())
        self.move(corner.x() - size.width() // 2, corner.y() - size.height() // 2)

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self._as_content and self.isVisible():
            self._place()
        return done

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def _card_size(self) -> QSize:
        wanted = QSize(type_.scaled(self._wanted.width()), type_.scaled(self._wanted.height()))
        most = self._window.window().size() - QSize(48, 48)
        if self._as_content:
            layout, width = self.layout(), min(wanted.width(), most.width()) + 2 * _SHADOW
            assert layout is not None
            wanted.setHeight(layout.totalHeightForWidth(width) - 2 * _SHADOW)
        return wanted.boundedTo(most)

    def body_width(self) -> int:
        """Return the width of ``body`` in pixels."""
        return self._card_size().width() - _LEFT - _RIGHT - _INSET

    def card_rect(self) -> QRectF:
        """The card, without the shadow around it."""
        return QRectF(self.rect()).adjusted(_SHADOW, _SHADOW, -_SHADOW, -_SHADOW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if not frame.is_composited():
            # No shadow then: what surrounds the card would be black.
            shape = QBitmap(self.size())
            shape.clear()
            painter = QPainter(shape)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(Qt.GlobalColor.color1)
            corner = radius("dialog") + 2  # a pixel that the card covers in part would be dark
            painter.drawRoundedRect(self.card_rect(), corner, corner)
            painter.end()
            self.setMask(shape)

    def focusNextPrevChild(self, following: bool) -> bool:
        moved = super().focusNextPrevChild(following)
        focus.reveal(self.focusWidget())
        return moved

    def done(self, result: int) -> None:
        if self._scrim is not None:
            self._scrim.lift()
            self._scrim = None
        super().done(result)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = self.card_rect()
        corner = radius("dialog")
        painter.setPen(Qt.PenStyle.NoPen)
        for step in range(_SHADOW, 0, -3):
            color = QColor(0, 0, 0, 5)
            painter.setBrush(color)
            painter.drawRoundedRect(card.adjusted(-step, -step + 6, step, step), corner + step, corner + step)
        painter.setPen(QPen(theme().color("border"), 1))
        painter.setBrush(theme().color("surface"))
        painter.drawRoundedRect(card.adjusted(0.5, 0.5, -0.5, -0.5), corner, corner)


# Whether translucent windows are seen as such. An X server without a compositing manager shows black in their place.


log = logging.getLogger(__name__)


@cache
def is_composited() -> bool:
    """True unless this is an X server on which nobody owns the selection of compositing managers (EWMH, _NET_WM_CM_Sn)."""
    if QGuiApplication.platformName() != "xcb":
        return True
    try:
        x11 = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = x11.XGetSelectionOwner.restype = ctypes.c_ulong
        x11.XInternAtom.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)
        x11.XGetSelectionOwner.argtypes = (ctypes.c_void_p, ctypes.c_ulong)
        for one in (x11.XDefaultScreen, x11.XCloseDisplay):
            one.argtypes = (ctypes.c_void_p,)
        display = x11.XOpenDisplay(None)
        if not display:
            return True
        try:
            name = f"_NET_WM_CM_S{x11.XDefaultScreen(display)}".encode()
            return bool(x11.XGetSelectionOwner(display, x11.XInternAtom(display, name, 0)))
        finally:
            x11.XCloseDisplay(display)
    except (OSError, AttributeError):
        log.info("it cannot be told whether this X server is composited", exc_info=True)
        return True
