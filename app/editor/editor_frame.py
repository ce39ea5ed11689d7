"""The parts of every editor of a mask, whatever the mask is for: tools, canvas, options, hints, and something at its side."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QVBoxLayout, QWidget

from app.editor.bars import HintBar, OptionBar, ToolRail
from app.editor.mask_canvas import MaskCanvas
from app.editor.overlay import OVERLAYS
from app.editor.step_names import step_name
from app.editor.tool_keys import BRUSH_KEYS, HARDNESS_KEYS, ToolKeys
from app.editor.tools import TOOLS, Tool
from app.look.controls import Divider
from app.mask.mask_session import MaskSession
from app.shortcuts import bind, keymap


class EditorFrame(QWidget):
    """See the module. Who inherits sets ``_session``, calls ``_lay_out`` and ``_connect_frame``, and extends ``retranslate``.
    What is overridden is no slot here: a signal would go on calling the override of a slot after its object is gone.

    Args:
        region: what is marked is a region, not a subject: no view of the model, and other words.
        result: what is marked is the result, and no model sees it.

    Signals:
        helpRequested: the question mark.
    """

    helpRequested = Signal()

    def __init__(self, parent: QWidget | None = None, *, region: bool = False, result: bool = False) -> None:
        super().__init__(parent)
        self._overlays = OVERLAYS[:2] if region else OVERLAYS
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._session: MaskSession | None = None
        self.rail, self.hints = ToolRail(), HintBar(region=region)
        self.options = OptionBar(self._overlays, white=result)
        self.canvas = MaskCanvas(padding=24, frame="canvas")

    def _lay_out(self, side: QWidget) -> None:
        middle = QVBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.options)
        middle.addWidget(Divider())
        middle.addWidget(self.canvas, 1)
        middle.addWidget(Divider())
        middle.addWidget(self.hints)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.rail)
        row.addWidget(Divider(vertical=True))
        row.addLayout(middle, 1)
        row.addWidget(Divider(vertical=True))
        row.addWidget(side)
        # A click on a tool leaves the focus on the canvas, whose keys then go on working: Enter, which takes the mask over.
        for part in (self.rail, self.options, side):
            for button in part.findChildren(QAbstractButton):
                if button.focusPolicy() == Qt.FocusPolicy.StrongFocus:
                    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _connect_frame(self) -> None:
        self.rail.toolChosen.connect(self.canvas.tools.set_tool)
        self.rail.triggered.connect(self._act)
        self.options.sizeChanged.connect(self.canvas.tools.set_brush_size)
        self.options.hardnessChanged.connect(self.canvas.tools.set_hardness)
        self.options.overlayChanged.connect(self.canvas.set_overlay)
        self.canvas.tools.toolChanged.connect(self._show_tool)
        self.canvas.viewport.changed.connect(self._show_zoom)
        self.canvas.tools.crossChanged.connect(self._show_hints)
        ToolKeys(self, self.canvas.tools, (*TOOLS, *BRUSH_KEYS, *HARDNESS_KEYS))
        bind(self, "invert", self.invert)
        bind(self, "overlay", self.next_overlay)
        keymap.changed.connect(self.retranslate)

    # Begin and end of a session of the editor's own

    def _mark(self, session: MaskSession, tool: Tool, brush: float) -> None:
        """Begin to mark something. ``brush``: its diameter, in pixels of the picture."""
        self._session = session
        self.canvas.set_session(session)
        self.canvas.tools.set_tool(tool)
        self.canvas.tools.set_brush_size(brush)
        self._show_zoom()
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _release(self) -> None:
        """Nothing is marked any more."""
        session, self._session = self._session, None
        self.canvas.set_session(None)
        if session is not None:
            session.release()
            session.deleteLater()

    # Edit

    @Slot()
    def undo(self) -> None:
        self._history("undo")

    @Slot()
    def redo(self) -> None:
        self._history("redo")

    def has_undo(self) -> bool:
        """Return True if a step can be undone."""
        return self._session is not None and bool(self._session.undo_label)

    def has_redo(self) -> bool:
        """Return True if a step can be done again."""
        return self._session is not None and bool(self._session.redo_label)

    def _history(self, direction: str) -> None:
        session = self._session
        if session is None:
            return
        label = session.undo_label if direction == "undo" else session.redo_label
        if label or session.document.painting:
            self.canvas.tools.finish()
            getattr(session, direction)()
            spoken = self.tr("Undone: {0}") if direction == "undo" else self.tr("Redone: {0}")
            self._announce(spoken.format(step_name(label)))

    @Slot()
    def invert(self) -> None:
        if self._session is not None:
            self.canvas.tools.finish()
            self._session.invert()

    @Slot()
    def next_overlay(self) -> None:
        """Tint, outline, what the model sees, and again."""
        place = self._overlays.index(self.canvas.overlay())
        self.options.overlay.setValue(self._overlays[(place + 1) % len(self._overlays)])

    @Slot(str)
    def _act(self, name: str) -> None:
        {
            "invert": self.invert,
            "undo": self.undo,
            "redo": self.redo,
            "zoom_in": self.canvas.viewport.zoom_in,
            "fit": self.canvas.viewport.zoom_fit,
            "help": self.helpRequested.emit,
        }[name]()

    # What is shown

    @Slot()
    def _show_tool(self) -> None:
        tools = self.canvas.tools
        self.rail.show_tool(tools.tool())
        self.options.show_tool(tools.tool(), tools.brush_size(), tools.hardness())
        self._show_hints()

    def _show_hints(self) -> None:
        """Show the hints of the mouse, or those of the keys from the moment the cross-hair is there."""
        tools = self.canvas.tools
        self.hints.show_hints(tools.tool(), "cross-hair" if tools.cross_hair() is not None else "mouse")

    @Slot()
    def _show_zoom(self) -> None:
        self.hints.show_zoom(self.canvas.viewport.view().percent)

    @Slot()
    def _show_undo(self) -> None:
        session = self._session
        undo, redo = (session.undo_label, session.redo_label) if session is not None else ("", "")
        self.rail.show_undo(step_name(undo), step_name(redo))

    def _announce(self, text: str) -> None:
        """Say something to a screen reader."""
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.canvas, text))

    def focusInEvent(self, event) -> None:
        # No focus proxy: Tab would come back to the canvas from the last button, and never reach the tools.
        self.canvas.setFocus(event.reason())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    def retranslate(self) -> None:
        """Say everything in the language, and with the keys, in force. Who extends it sets its accessible name before."""
        self.canvas.describe(self.accessibleName())
        self.rail.retranslate()
        self.options.retranslate()
        self.hints.forget()
        self._show_hints()
        self._show_zoom()
        self._show_undo()
