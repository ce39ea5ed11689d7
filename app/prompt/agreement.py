"""Keeps the prompt and the subject's name together: chips write sentences with the name, and one line tells a
disagreement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.language.scene_names import scene_name
from app.prompt.sheet import PromptSheet
from app.prompt.vocabulary import insert_scene
from app.session.state import SessionState
from app.session.wording import Wording

if TYPE_CHECKING:
    from engine.bundle import SceneEntry


class Agreement(QObject):
    """Writes the scenes that are picked, and shows the line under the prompt.

    Signals:
        nameWanted: the subject has no name, and a sentence needs one.
    """

    nameWanted = Signal()

    def __init__(
        self, sheet: PromptSheet, state: SessionState, wording: Wording, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._sheet, self._state, self._wording = sheet, state, wording
        self._waiting_scene: SceneEntry | None = None
        sheet.chips.picked.connect(self._scene_picked)
        sheet.mend_button.clicked.connect(self._mend)
        sheet.retranslated.connect(self.show)
        wording.changed.connect(self.show)
        wording.named.connect(self._write_waiting_scene)

    @Slot()
    def show(self) -> None:
        """One line where prompt and subject disagree, or where a scene waits for the subject's name."""
        sheet, found = self._sheet, self._wording.disagreement()
        if self._waiting_scene is not None and not sheet.prompt.text().strip():
            words = self.tr("Say what it is: “{0}” is written then.").format(scene_name(self._waiting_scene.label))
            sheet.set_disagreement(words, self.tr("Name it"))
        elif found is None:
            sheet.set_disagreement("", "")
        elif found.name:
            words = self.tr("The prompt speaks of “{0}”, the photo is “{1}”.").format(found.spoken, found.name)
            sheet.set_disagreement(words, self.tr("Replace"))
        else:
            words = self.tr("The prompt speaks of “{0}”; this photo has no name yet.").format(found.spoken)
            sheet.set_disagreement(words, self.tr("Name it"))

    @Slot(object)
    def _scene_picked(self, scene: SceneEntry) -> None:
        sheet, subject = self._sheet, self._state.subject
        name = subject.name if subject is not None else ""
        self._waiting_scene = None
        if subject is not None and not name.strip() and not sheet.prompt.text().strip():
            self._waiting_scene = scene  # "a … in the snow" needs a noun
            self.show()
            self.nameWanted.emit()
            return
        sheet.prompt.set_text(insert_scene(sheet.prompt.text(), scene, sheet.chips.scenes, name))
        sheet.prompt.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _write_waiting_scene(self) -> None:
        """The subject has a name now: the chip that asked for it writes its sentence."""
        scene, self._waiting_scene = self._waiting_scene, None
        if scene is not None and self._state.subject is not None and not self._sheet.prompt.text().strip():
            self._state.update_values(prompt=scene.sentence(self._state.subject.name))
        self.show()

    @Slot()
    def _mend(self) -> None:
        found = self._wording.disagreement()
        if found is not None and found.name:
            self._wording.replace()
            self._sheet.prompt.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.nameWanted.emit()
