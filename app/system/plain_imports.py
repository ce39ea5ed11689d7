"""The import as it was before PySide put a slower one in its place.

PySide reads the source of every module that is imported after it, to find out whether the module may ask for other names of
Qt's functions (``from __feature__ import snake_case``). Nothing here does, and the reading took a sixteenth of the time until
the window can be seen.
"""

from __future__ import annotations

import builtins

import PySide6.QtCore  # noqa: F401 - it replaces the import, once


def restore() -> None:
    """Take the import back that PySide replaced; where it keeps that elsewhere than today, nothing changes but the time."""
    builtins.__import__ = getattr(builtins, "__orig_import__", builtins.__import__)
