"""Into the editor of the cut-out and back."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from app.mask.drafts import Draft
from app.session.draft_keeper import DraftKeeper
from app.session.state import SessionState
from app.window.panels import Panels


class Editing(QObject):
    """See the module."""

    def __init__(self, panels: Panels, state: SessionState, parent: QObject) -> None:
        super().__init__(parent)
        self._panels, self._state = panels, state
        self._drafts: DraftKeeper | None = None
        self._dropped: Draft | None = None
        self._told = False
        editor = panels.editor
        editor.accepted.connect(self.leave)
        editor.left.connect(self.leave)
        editor.discarded.connect(self._offer_discarded)
        panels.subject.editRequested.connect(self.edit)
        panels.left.editRequested.connect(self.edit)

    def set_drafts(self, drafts: DraftKeeper) -> None:
        """Work that was not finished at the last end is offered beside its photo."""
        self._drafts = drafts
        line = self._panels.subject.draft
        line.goOn.connect(self.edit)
        line.forgotten.connect(self._forget_draft)
        drafts.offerChanged.connect(self._offer_draft)
        self._state.photoChanged.connect(self._offer_draft)

    @Slot()
    def _offer_draft(self) -> None:
        offered = self._drafts is not None and self._drafts.offer is not None
        panels = self._panels
        # It keeps its room while photo and work are read.
        panels.subject.draft.setVisible(self._drafts is not None and self._drafts.expected)
        panels.subject.draft.set_ready(offered)
        if offered and not self._told and panels.left.is_narrow():
            # The panel is folded away there.
            panels.toast.show_message(panels.subject.draft.words.text(), self.edit, panels.subject.draft.button.text())
        self._told = self._told or offered

    @Slot()
    def _forget_draft(self) -> None:
        self._dropped = self._drafts.drop() if self._drafts is not None else None
        self._panels.toast.show_message(self.tr("The unfinished changes are forgotten"), self._remember_draft)

    @Slot()
    def _remember_draft(self) -> None:
        dropped, self._dropped = self._dropped, None
        if self._drafts is not None and dropped is not None:
            self._drafts.bring_back(dropped)

    @Slot()
    def edit(self) -> None:
        """Open the editor with the current subject; nothing happens without its photo."""
        panels, subject = self._panels, self._state.subject
        if panels.is_editing() or subject is None or subject.photo is None:
            return
        panels.editor.begin()
        panels.open_editor(panels.editor)

    @Slot()
    def leave(self) -> None:
        """Back to the panels."""
        if self._panels.is_editing():
            self._panels.close_editor()

    @Slot()
    def _offer_discarded(self) -> None:
        self._panels.toast.show_message(self.tr("The changes to the cut-out are discarded"), self._edit_on)

    @Slot()
    def _edit_on(self) -> None:
        """Discarding was a slip: the editor again, with what was done there."""
        self.edit()
        self._panels.editor.bring_back()
