"""The menu of the photo in the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from app.history.menu import add_entry

if TYPE_CHECKING:
    from app.subject.panel import SubjectPanel


def photo_menu(panel: SubjectPanel) -> QMenu:
    """What can be done with the photo that is shown; an example's cut-out is not changed."""
    menu = QMenu(panel)
    own = panel.tool_row.isVisibleTo(panel)
    add_entry(menu, "edit_cutout", panel.editRequested.emit)
    add_entry(menu, "overlay", panel.next_overlay)
    if own:
        add_entry(menu, "invert", panel.invert)
        add_entry(menu, "undo", panel.undo, enabled=panel.undo_button.isEnabled())
    menu.addSeparator()
    add_entry(menu, "open", panel.chooseRequested.emit)
    return menu
