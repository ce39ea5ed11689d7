"""Places the window: inside the screen at the first start, then as it was left on each screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QByteArray, QMargins, QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QWidget

from app.look.theme import tokens

_FRAME = QMargins(4, 30, 4, 4)
"""Guess of the frame a window manager puts around a window, before it has said so."""


def first_geometry(wanted: QSize, available: QRect) -> tuple[QRect, bool]:
    """Place and size of a window that was never placed, in device-independent pixels.

    Args:
        wanted: its size where there is room.
        available: the screen without its panels.

    Returns:
        the window without its frame, inside the screen, and whether it should be maximised: the screen is too small for it.
    """
    inner = available.marginsRemoved(_FRAME)
    size = wanted.boundedTo(inner.size())
    rect = QRect(inner.topLeft(), size)
    rect.moveCenter(inner.center())
    return rect, size != wanted


def screen_key(screen: QScreen) -> str:
    """Tells screens apart: name, size and scale. A monitor with another resolution is another place for a window."""
    size = screen.size()
    return f"{screen.name()} {size.width()}x{size.height()} {screen.devicePixelRatio():g}"


class WindowGeometry:
    """Keeps a window inside its screen and remembers its place on every screen it was on.

    Args:
        window: not shown yet.
    """

    def __init__(self, window: QWidget) -> None:
        self._window = window
        self._known: dict[str, str] = {}
        self._bound_minimum()
        self._place_first()

    def _bound_minimum(self) -> None:
        """The least size, unless the screen is smaller still."""
        least = QSize(*tokens()["size"]["window-min"])
        available = self._available()
        if available is not None:
            least = least.boundedTo(available.marginsRemoved(_FRAME).size())
        self._window.setMinimumSize(least)

    def _available(self) -> QRect | None:
        """The room of the screen; None without a real one: the offscreen platform's 800 × 800 stands for nothing."""
        screen = QGuiApplication.primaryScreen()
        if screen is None or QGuiApplication.platformName() in ("offscreen", "minimal"):
            return None
        return screen.availableGeometry()

    def _place_first(self) -> None:
        wanted, available = QSize(*tokens()["size"]["window-default"]), self._available()
        if available is None:
            self._window.resize(wanted)
            return
        rect, too_small = first_geometry(wanted, available)
        self._window.setGeometry(rect)
        if too_small:
            self._window.setWindowState(self._window.windowState() | Qt.WindowState.WindowMaximized)

    def toggle_full_screen(self) -> None:
        """Full screen and back. A window that was maximised is maximised again."""
        self._window.setWindowState(self._window.windowState() ^ Qt.WindowState.WindowFullScreen)

    def last(self) -> str:
        """The geometry as it is now, base64."""
        return bytes(self._window.saveGeometry().toBase64().data()).decode()

    def on_screens(self) -> dict[str, str]:
        """The last geometry on each screen, by ``screen_key``, the present screen last."""
        key = screen_key(self._window.screen())
        self._known.pop(key, None)
        self._known[key] = self.last()
        return dict(list(self._known.items())[-8:])

    def restore(self, last: str, on_screens: Mapping[str, Any]) -> None:
        """Stand where the window stood: on the screen it was left on, else as it stood on the one there is now."""
        self._known = {str(key): value for key, value in on_screens.items() if isinstance(value, str)}
        there = {screen_key(screen) for screen in QGuiApplication.screens()}
        left_on = next(reversed(self._known), None)
        if left_on is not None and left_on not in there:
            last = next((value for key, value in reversed(self._known.items()) if key in there), "")
        if last:
            self._window.restoreGeometry(QByteArray.fromBase64(last.encode()))
