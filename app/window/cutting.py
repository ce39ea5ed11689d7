"""Results on transparency: something cut out of a finished picture, and the subject's own cut-out, as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from app.session.controller import Controller
from app.session.picture_drafts import PictureDrafts
from app.session.state import Result, SessionState
from app.session.subject_shelf import Subject
from app.store.picture_files import export_name, with_suffix
from app.system import background
from app.system.failures import in_words
from app.system.places import existing
from app.window.panels import Panels
from engine import Sentence
from engine.bundle import BundleManifest
from engine.encoders import place_cut_out
from engine.photo import photo_from_pixels, save_plain
from engine.preflight import cropped, of_cut_out, on_transparency


class Cutting(QObject):
    """See the module.

    Args:
        window: owner of the file dialog.
    """

    def __init__(self, panels: Panels, controller: Controller, window: QWidget) -> None:
        super().__init__(window)
        self._panels, self._controller, self._window = panels, controller, window
        self._state: SessionState = controller.state
        self._drafts: PictureDrafts | None = None
        editor = panels.cutting
        editor.left.connect(self._leave)
        editor.saved.connect(self._saved)
        editor.copied.connect(self._copied)
        panels.canvas.actions_bar.cutOut.connect(self.cut_out)
        for asks in (panels.editor.inspector, panels.subject):
            asks.transparentRequested.connect(self.save_subject)

    def set_drafts(self, drafts: PictureDrafts) -> None:
        """Set where the marks are kept on disk while the editor is open."""
        self._drafts = drafts

    def can_cut_out(self) -> bool:
        """Return True if a finished picture is shown, and nothing else is done with it."""
        return self._state.result is not None and not self._panels.is_editing() and not self._state.jobs.busy

    @Slot()
    def cut_out(self) -> None:
        """Cut something out of the picture that is shown; it begins with its subject, where that is known."""
        result, panels = self._state.result, self._panels
        if result is None or not self.can_cut_out():
            return
        request = result.request
        name = Path(export_name(request.prompt, request.seed)).stem
        file = str(existing(self._controller.store.folder.parent) / self.tr("{0}, cut out").format(name))
        mask = subject_in(result, self._state.engine.manifest)
        session = panels.cutting.begin(photo_from_pixels(result.image), mask, request.subject_name, file)
        goes_on = self._drafts is not None and self._drafts.begin(session, "cut out")
        panels.open_editor(panels.cutting)
        if goes_on:
            panels.toast.show_message(self.tr("What you marked last time is here again"))

    @Slot()
    def _leave(self) -> None:
        if self._drafts is not None:
            self._drafts.end()
        self._panels.close_editor()

    @Slot(object)
    def _saved(self, file: Path) -> None:
        self._panels.toast.show_saved(file)

    @Slot()
    def _copied(self) -> None:
        self._panels.toast.show_message(self.tr("Copied"))

    # The subject's own cut-out

    def can_save_subject(self) -> bool:
        """Return True if there is a subject with a cut-out."""
        subject = self._state.subject
        return subject is not None and (subject.mask is not None or subject.cut_out is not None)

    @Slot()
    def save_subject(self) -> None:
        """Ask for a name and write the current subject's cut-out on transparency, as large as in its photo."""
        if not self.can_save_subject():
            return
        subject = self._state.subject
        assert subject is not None
        title = Path(subject.title or subject.name or "subject").stem
        start = existing(self._controller.store.folder.parent) / f"{title}-cutout.png"
        name, _ = QFileDialog.getSaveFileName(
            self._window, self.tr("Save the cut-out on transparency"), str(start), "PNG (*.png)"
        )
        if name:
            self.save_subject_to(Path(name))

    def save_subject_to(self, file: Path) -> None:
        """Write it in the background. In an open editor it is the mask as it is there now."""
        subject, session = self._state.subject, self._panels.editor.open_session()
        if subject is None:
            return
        mask = subject.mask
        if session is not None:
            session.settle()
            mask = session.document.mask.copy()
        file = with_suffix(file, only=True)
        background.run(_write_subject, file, subject, mask, done=self._saved, failed=self._failed)

    @Slot(object)
    def _failed(self, error: Exception) -> None:
        known = in_words(error, Sentence("The cut-out could not be saved: {error}", error=error))
        self._controller.could_not_save(known, self.save_subject)


def subject_in(result: Result, manifest: BundleManifest | None) -> np.ndarray | None:
    """Return the mask of the subject in a picture, uint8 (H, W), at the place the model was told; None where nobody
    knows it."""
    request = result.request
    region = request.region
    if manifest is None or request.subject is None or request.bundle not in ("", manifest.identity):
        return None
    placement = manifest.place(request)
    if placement is None or (region is not None and region.window is not None):
        return None
    height, width = result.image.shape[:2]
    alpha = place_cut_out(request.subject, placement, width, height)[..., 3]
    return (alpha * 255 + 0.5).astype(np.uint8) if (alpha > 0.5).any() else None


def _write_subject(file: Path, subject: Subject, mask: np.ndarray | None) -> Path:
    if subject.photo is not None and mask is not None:
        made = on_transparency(subject.photo.rgb, mask)
    else:
        assert subject.cut_out is not None  # of a picture whose photo is gone
        made = of_cut_out(subject.cut_out)
    save_plain(file, cropped(made))
    return file
