"""The menu of the photo in the panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtWidgets import QMenu, QWidget

from app.shortcuts import add_entry


def photo_menu(parent: QWidget, acts: Mapping[str, Callable[[], object]], can_undo: bool) -> QMenu:
    """Make the menu of the photo that is shown.

    Args:
        acts: what each action of the table of keys does; "export_cutout" stands apart, "add_photo" and "open" at the end.
        can_undo: whether "undo" has something to take back.
    """
    menu = QMenu(parent)
    for name, act in acts.items():
        if name in ("export_cutout", "add_photo" if "add_photo" in acts else "open"):
            menu.addSeparator()
        add_entry(menu, name, act, enabled=can_undo or name != "undo")
    return menu
