"""Whether translucent windows are seen as such. An X server without a compositing manager shows black in their place."""

from __future__ import annotations

import ctypes
import ctypes.util
import logging
from functools import cache

from PySide6.QtGui import QGuiApplication

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
