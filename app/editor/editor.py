"""The cut-out editor: tools, canvas and inspector, over the whole window below the top bar.

It edits a copy of the subject's mask; "Use this cut-out" hands it back as one step, "Discard changes" puts it away.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from app.editor.editor_frame import EditorFrame
from app.editor.inspector import Inspector
from app.editor.overlay import OVERLAYS
from app.editor.tools import TOOLS
from app.look import type as type_
from app.look.layout import is_narrow
from app.look.theme import notifier, size
from app.mask.mask_session import MaskSession
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.shortcuts import bind
from app.store.picture_files import with_suffix
from app.system import background
from app.system.failures import in_words
from app.system.places import pictures_folder
from engine import Sentence
from engine.photo import Photo, read_mask, write_mask


class MaskEditorView(EditorFrame):
    """See the module.

    Signals:
        accepted: the mask was handed back; the editor can be put away.
        left: nothing is handed back; the editor can be put away.
        discarded: there were changes, and ``bring_back`` can still have them.
    """

    accepted = Signal()
    left = Signal()
    discarded = Signal()

    def __init__(self, state: SessionState, subjects: Subjects, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("maskEditor")
        self._state = state
        self._subjects = subjects
        self.canvas.setObjectName("maskCanvas")
        self.inspector = Inspector()
        self._lay_out(self.inspector)
        self._connect()
        self._bind()
        self._restore()
        self.retranslate()

    def _connect(self) -> None:
        self._connect_frame()
        self.inspector.useRequested.connect(self.use)
        self.inspector.discardRequested.connect(self.discard)
        self.inspector.importRequested.connect(self.import_mask)
        self.inspector.exportRequested.connect(self.export_mask)
        self.inspector.summarized.connect(self.canvas.set_summary)
        self.inspector.escaped.connect(self._back_to_the_canvas)
        notifier.textScaled.connect(self._arrange)

    def _bind(self) -> None:
        bind(self, "leave_editor", self.discard)
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
                self.canvas.tools.set_tool("select")
        self._show_undo()
        self._show_zoom()
        self.canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def use(self) -> None:
        """The mask is right: hand it back. One that cannot be used stays here, with the sentence that says why."""
        self.canvas.tools.finish()
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
        self.canvas.tools.finish()
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

    def open_session(self) -> MaskSession | None:
        """The mask that is being edited, or None while the editor is away."""
        return self._session

    # Masks as files; they work without the editor open, too

    @Slot()
    def export_mask(self) -> None:
        session = self._session or self._subjects.session
        if session is None:
            return
        start = str(pictures_folder() / f"{Path(session.photo.name or 'photo').stem}-mask.png")
        name, _ = QFileDialog.getSaveFileName(self, self.tr("Save the mask"), start, "PNG (*.png)")
        if name:
            self.write_mask_to(Path(name))

    def write_mask_to(self, file: Path) -> None:
        """Write the mask as a grey PNG, in the background."""
        session = self._session or self._subjects.session
        if session is not None:
            session.settle()
            background.run(write_mask, with_suffix(file, only=True), session.document.mask.copy(), failed=self._failed)

    @Slot()
    def import_mask(self) -> None:
        if self._session is None and self._subjects.session is None:
            return
        kinds = self.tr("Pictures") + " (*.png *.webp *.tif *.tiff *.bmp *.jpg *.jpeg)"
        name, _ = QFileDialog.getOpenFileName(self, self.tr("Open a mask"), str(pictures_folder()), kinds)
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
        known = in_words(error, Sentence("The mask cannot be read or written: {error}", error=error))
        if self._session is not None:
            self.inspector.show_error(known)
        else:
            self._subjects.failed.emit(known)

    # What is shown

    @Slot()
    def _show_hints(self) -> None:
        super()._show_hints()
        self.inspector.show_use_key(self.canvas.tools.cross_hair() is None)

    def _restore(self) -> None:
        """Tool, brush and overlay as they were left."""
        kept = self._state.settings.panels.get("mask_editor")
        if isinstance(kept, dict):
            tool, overlay = kept.get("tool"), kept.get("overlay")
            brush, hardness = kept.get("size"), kept.get("hardness")
            if tool in TOOLS:
                self.canvas.tools.set_tool(tool)
            if overlay in OVERLAYS:
                self.options.overlay.setValue(overlay)
            if isinstance(brush, (int, float)):
                self.canvas.tools.set_brush_size(brush)
            if isinstance(hardness, (int, float)):
                self.canvas.tools.set_hardness(hardness)
        self._show_tool()

    def _remember(self) -> None:
        canvas = self.canvas
        kept = {
            "tool": canvas.tools.tool(),
            "overlay": canvas.overlay(),
            "size": canvas.tools.brush_size(),
            "hardness": canvas.tools.hardness(),
        }
        self._state.update_settings(panels={**self._state.settings.panels, "mask_editor": kept})

    def resizeEvent(self, event) -> None:
        self._arrange()
        super().resizeEvent(event)

    @Slot()
    def _arrange(self) -> None:
        narrow = is_narrow(self.width())
        self.options.set_narrow(narrow)
        self.inspector.message.set_narrow(narrow)
        type_.set_width(self.inspector, size("panel-right-small" if narrow else "panel-right"))

    @Slot()
    def retranslate(self) -> None:
        self.setAccessibleName(self.tr("Cut-out editor"))
        self.inspector.retranslate()
        super().retranslate()


def _read(file: Path, photo: Photo) -> tuple[str, np.ndarray]:
    return photo.digest, read_mask(file, photo)
