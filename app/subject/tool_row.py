"""The row under the photo: the tools that correct its mask, undo, the overlay, and the way to the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.editor.step_names import step_name
from app.look.controls import Divider, IconButton
from app.shortcuts import keymap, tooltip

if TYPE_CHECKING:
    from app.editor.tools import Tool, Tools

_ICONS: tuple[tuple[Tool, str], ...] = (
    ("select", "mouse-pointer-click"),
    ("brush", "brush"),
    ("eraser", "eraser"),
    ("box", "square-dashed"),
)


class ToolRow(QWidget):
    """See the module.

    Args:
        tools_in_hand: the canvas's; a button of the row puts its tool in hand.

    Attributes:
        tools: the buttons by tool. undo, overlay, expand: the other buttons; the panel says what they do.
    """

    def __init__(self, tools_in_hand: Tools, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._in_hand = tools_in_hand
        self.tools = {tool: IconButton(icon, "", checkable=True) for tool, icon in _ICONS}
        self.undo, self.overlay = IconButton("undo-2", ""), IconButton("layers", "")
        self.expand = IconButton("maximize-2", "")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for button in self.tools.values():
            row.addWidget(button)
            button.clicked.connect(self._clicked)
        line = Divider(vertical=True)
        line.setFixedHeight(18)
        row.addSpacing(4)
        row.addWidget(line)
        row.addSpacing(4)
        row.addWidget(self.undo)
        row.addWidget(self.overlay)
        row.addStretch(1)
        row.addWidget(self.expand)
        tools_in_hand.toolChanged.connect(self._show_tool)
        keymap.changed.connect(self._retranslate)
        self._show_tool()
        self._retranslate()

    def show_undo(self, step: str) -> None:
        """Offer to undo a step, by its name in ``step_name``; "" when there is none."""
        self.undo.setEnabled(bool(step))
        self.undo.setToolTip(f"{tooltip('undo')} – {step_name(step)}" if step else tooltip("undo"))

    @Slot()
    def _show_tool(self) -> None:
        for tool, button in self.tools.items():
            button.setChecked(tool == self._in_hand.tool())

    @Slot()
    def _clicked(self) -> None:
        self._in_hand.set_tool(next(tool for tool, button in self.tools.items() if button is self.sender()))
        self._show_tool()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    @Slot()
    def _retranslate(self) -> None:
        for tool, button in self.tools.items():
            button.setToolTip(tooltip(tool))
            button.setAccessibleName(tooltip(tool).partition(" (")[0])
        self.undo.describe(self.tr("Undo"), keymap.shown("undo"))
        self.overlay.describe(self.tr("Overlay"), keymap.shown("overlay"))
        self.expand.describe(self.tr("Edit cut-out"), keymap.shown("edit_cutout"))
