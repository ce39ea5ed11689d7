"""The cut-out editor: tools, canvas and inspector, over the whole window below the top bar.

It edits a copy of the subject's mask; "Use this cut-out" hands it back as one step, "Discard changes" puts it away.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.editor.bars import HintBar, OptionBar, ToolRail
from app.editor.inspector import Inspector
from app.editor.mask_canvas import MaskCanvas
from app.editor.overlay import OVERLAYS
from app.editor.step_names import step_name
from app.editor.tool_keys import BRUSH_KEYS, HARDNESS_KEYS, ToolKeys
from app.editor.tools import TOOLS
from app.look import type as type_
from app.look.controls import Divider
from app.look.layout import is_narrow
from app.look.theme import notifier, size
from app.mask.mask_session import MaskSession
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.shortcuts import bind, keymap
from app.system import background
from engine import EchoGenError
from engine.photo import Photo, read_mask, write_mask


class MaskEditorView(QWidget):
    """See the module.

    Signals:
        accepted: the mask was handed back; the editor can be put away.
        left: nothing is handed back; the editor can be put away.
        discarded: there were changes, and ``bring_back`` can still have them.
        helpRequested: the question mark.
    """

    accepted = Signal()
    left = Signal()
    discarded = Signal()
    helpRequested = Signal()

    def __init__(self, state: SessionState, subjects: Subjects, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maskEditor")
        self.setProperty("surface", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._state = state
        self._subjects = subjects
        self._session: MaskSession | None = None
        self.rail, self.options, self.hints = ToolRail(), OptionBar(), HintBar()
        self.canvas = MaskCanvas(padding=24, frame="canvas")
        self.canvas.setObjectName("maskCanvas")
        self.inspector = Inspector()
        self._build()
        self._connect()
        self._bind()
        self._restore()
        self.retranslate()

    def _build(self) -> None:
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
        row.addWidget(self.inspector)

    def _connect(self) -> None:
        self.rail.toolChosen.connect(self.canvas.set_tool)
        self.rail.triggered.connect(self._act)
        self.options.sizeChanged.connect(self.canvas.set_brush_size)
        self.options.hardnessChanged.connect(self.canvas.set_hardness)
        self.options.overlayChanged.connect(self.canvas.set_overlay)
        self.canvas.toolChanged.connect(self._show_tool)
        self.canvas.viewChanged.connect(self._show_zoom)
        self.canvas.crossChanged.connect(self._show_hints)
        self.inspector.useRequested.connect(self.use)
        self.inspector.discardRequested.connect(self.discard)
        self.inspector.importRequested.connect(self.import_mask)
        self.inspector.exportRequested.connect(self.export_mask)
        self.inspector.summarized.connect(self.canvas.set_summary)
        self.inspector.escaped.connect(self._back_to_the_canvas)
        keymap.changed.connect(self.retranslate)
        notifier.textScaled.connect(self._arrange)

    def _bind(self) -> None:
        ToolKeys(self, self.canvas, (*TOOLS, *BRUSH_KEYS, *HARDNESS_KEYS))
        for action, run in {
            "invert": self.invert,
            "overlay": self.next_overlay,
            "leave_editor": self.discard,
        }.items():
            bind(self, action, run)
        # Only where nothing else wants Enter: buttons and number fields keep theirs.
        bind(self.canvas, "use_cutout", self.use)

    # Begin and end

    def begin(self) -> None:
        """Edit the current subject's mask."""
        self._session = self._subjects.begin_edit()
        self.canvas.set_session(self._session)
        self.inspector.set_session(self._session, self._state.reference_size, self._state.settings.framing)
        if self._session is not None:
            self._session.marksChanged.connect(self._show_undo)
            if not self._session.document.mask.any():
                self.canvas.set_tool("select")
        self._show_undo()
        self._show_zoom()
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def use(self) -> None:
        """The mask is right: hand it back. One that cannot be used stays here, with the sentence that says why."""
        self.canvas.finish()
        if self._session is not None:
            self._session.operations.settle(edge=False)
        self.inspector.refresh()
        if not self.inspector.use.isEnabled():
            return
        self._end()
        self._subjects.accept_edit()
        self.accepted.emit()

    @Slot()
    def discard(self) -> None:
        """Back to the mask as it was. The changes are kept for a while, in case that was a slip."""
        self.canvas.finish()
        changed = self._session is not None and bool(self._session.undo_label)
        self._end()
        self._subjects.discard_edit(keep=changed)
        self.left.emit()
        if changed:
            self.discarded.emit()

    @Slot()
    def bring_back(self) -> None:
        """The changes that were discarded last, in an editor that has just begun."""
        if self._session is not None:
            self._subjects.bring_back()

    @Slot()
    def _back_to_the_canvas(self) -> None:
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def _end(self) -> None:
        if self._session is not None:
            self._session.marksChanged.disconnect(self._show_undo)
        self.canvas.set_session(None)
        self.inspector.set_session(None)
        self._session = None
        self._remember()

    # Edit

    @Slot()
    def undo(self) -> None:
        self._history("undo")

    @Slot()
    def redo(self) -> None:
        self._history("redo")

    def _history(self, direction: str) -> None:
        session = self._session
        if session is None:
            return
        label = session.undo_label if direction == "undo" else session.redo_label
        if label or session.document.painting:
            self.canvas.finish()
            getattr(session, direction)()
            said = self.tr("Undone: {0}") if direction == "undo" else self.tr("Redone: {0}")
            self._announce(said.format(step_name(label)))

    @Slot()
    def invert(self) -> None:
        if self._session is not None:
            self.canvas.finish()
            self._session.invert()

    @Slot()
    def next_overlay(self) -> None:
        """Tint, outline, what the model sees, and again."""
        self.options.overlay.setValue(OVERLAYS[(OVERLAYS.index(self.canvas.overlay()) + 1) % len(OVERLAYS)])

    @Slot(str)
    def _act(self, name: str) -> None:
        {
            "invert": self.invert,
            "undo": self.undo,
            "redo": self.redo,
            "zoom_in": self.canvas.zoom_in,
            "fit": self.canvas.zoom_fit,
            "help": self.helpRequested.emit,
        }[name]()

    # Masks as files; they work without the editor open, too

    @Slot()
    def export_mask(self) -> None:
        session = self._session or self._subjects.session
        if session is None:
            return
        title = Path(session.photo.name or "photo").stem
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save the mask"), f"{title}-mask.png", "PNG (*.png)")
        if name:
            self.write_mask_to(Path(name))

    def write_mask_to(self, file: Path) -> None:
        """Write the mask as a grey PNG, in the background."""
        session = self._session or self._subjects.session
        if session is not None:
            session.settle()
            file = file if file.suffix else file.with_suffix(".png")
            background.run(write_mask, file, session.document.mask.copy(), failed=self._failed)

    @Slot()
    def import_mask(self) -> None:
        if self._session is None and self._subjects.session is None:
            return
        kinds = self.tr("Pictures") + " (*.png *.webp *.tif *.tiff *.bmp *.jpg *.jpeg)"
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Open a mask"), "", kinds)
        if name:
            self.read_mask_from(Path(name))

    def read_mask_from(self, file: Path) -> None:
        """Read a mask in the background and make it the mask, as one step."""
        session = self._session or self._subjects.session
        if session is not None:
            background.run(_read, file, session.photo, done=self._mask_read, failed=self._failed)

    @Slot(object)
    def _mask_read(self, read: tuple[str, np.ndarray]) -> None:
        session = self._session or self._subjects.session
        if session is not None and session.photo.digest == read[0]:
            session.take_mask(read[1], "Open a mask")

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        if not isinstance(error, EchoGenError):
            error = EchoGenError(self.tr("The mask cannot be read or written: {0}").format(error))
        if self._session is not None:
            self.inspector.show_error(error)
        else:
            self._subjects.failed.emit(error)

    # What is shown

    @Slot()
    def _show_tool(self) -> None:
        canvas = self.canvas
        self.rail.show_tool(canvas.tool())
        self.options.show_tool(canvas.tool(), canvas.brush_size(), canvas.hardness())
        self._show_hints()

    @Slot()
    def _show_hints(self) -> None:
        """What mouse or keys do: the keys from the moment the cross-hair is there."""
        by_keys = self.canvas.cross_hair() is not None
        self.hints.show_tool(self.canvas.tool(), by_keys)
        self.inspector.show_use_key(not by_keys)

    @Slot()
    def _show_zoom(self) -> None:
        self.hints.show_zoom(self.canvas.view().percent)

    @Slot()
    def _show_undo(self) -> None:
        session = self._session
        undo, redo = (session.undo_label, session.redo_label) if session is not None else ("", "")
        self.rail.show_undo(step_name(undo), step_name(redo))

    def _announce(self, text: str) -> None:
        """Say something to a screen reader."""
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.canvas, text))

    def _restore(self) -> None:
        """Tool, brush and overlay as they were left."""
        kept = self._state.settings.panels.get("mask_editor")
        if isinstance(kept, dict):
            tool, overlay = kept.get("tool"), kept.get("overlay")
            brush, hardness = kept.get("size"), kept.get("hardness")
            if tool in TOOLS:
                self.canvas.set_tool(tool)
            if overlay in OVERLAYS:
                self.options.overlay.setValue(overlay)
            if isinstance(brush, (int, float)):
                self.canvas.set_brush_size(brush)
            if isinstance(hardness, (int, float)):
                self.canvas.set_hardness(hardness)
        self._show_tool()

    def _remember(self) -> None:
        canvas = self.canvas
        kept = {
            "tool": canvas.tool(),
            "overlay": canvas.overlay(),
            "size": canvas.brush_size(),
            "hardness": canvas.hardness(),
        }
        self._state.update_settings(panels={**self._state.settings.panels, "mask_editor": kept})

    def focusInEvent(self, event) -> None:
        # No focus proxy: Tab would come back to the canvas from the last button, and never reach the tools.
        self.canvas.setFocus(event.reason())

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    @Slot()
    def _arrange(self) -> None:
        narrow = is_narrow(self.width())
        self.options.set_narrow(narrow)
        self.inspector.message.set_narrow(narrow)
        type_.set_width(self.inspector, size("panel-right-small" if narrow else "panel-right"))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self.retranslate()
        super().changeEvent(event)

    @Slot()
    def retranslate(self) -> None:
        self.setAccessibleName(self.tr("Cut-out editor"))
        self.rail.retranslate()
        self.options.retranslate()
        self.inspector.retranslate()
        self.hints.forget()
        self._show_hints()
        self._show_undo()


def _read(file: Path, photo: Photo) -> tuple[str, np.ndarray]:
    return photo.digest, read_mask(file, photo)
