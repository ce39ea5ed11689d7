"""Into the editor of the cut-out and back."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.session.state import SessionState
from app.window.panels import Panels


class Editing(QObject):
    """See the module.

    Signals:
        changed(bool): the editor is open now, or closed.
    """

    changed = Signal(bool)

    def __init__(self, panels: Panels, state: SessionState, parent: QObject) -> None:
        super().__init__(parent)
        self._panels, self._state = panels, state
        editor = panels.editor
        editor.accepted.connect(self.leave)
        editor.left.connect(self.leave)
        editor.discarded.connect(self._offer_discarded)
        panels.subject.editRequested.connect(self.edit)
        panels.left.editRequested.connect(self.edit)

    @Slot()
    def edit(self) -> None:
        """Open the editor with the current subject; nothing happens without its photo."""
        panels, subject = self._panels, self._state.subject
        if panels.is_editing() or subject is None or subject.photo is None:
            return
        panels.left.close_panel()
        panels.editor.begin()
        panels.show_editor(True)
        panels.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit(True)

    @Slot()
    def leave(self) -> None:
        """Back to the panels."""
        if self._panels.is_editing():
            self._panels.show_editor(False)
            self.changed.emit(False)
            self._panels.prompt.focus_prompt()

    @Slot()
    def _offer_discarded(self) -> None:
        self._panels.toast.show_message(self.tr("The changes to the cut-out are discarded"), self._edit_on)

    @Slot()
    def _edit_on(self) -> None:
        """Discarding was a slip: the editor again, with what was done there."""
        self.edit()
        self._panels.editor.bring_back()
