"""Cutting something out of a finished picture: the tools of the cut-out editor, and the result on transparency."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from app.editor.cutout_view import CutOutView
from app.editor.editor_frame import EditorFrame
from app.editor.side import EditorSide
from app.look.controls import OutlinedButton, PlainButton, PrimaryButton
from app.look.pixels import on_chequers, to_image
from app.look.theme import tokens
from app.mask.document import MaskDocument
from app.mask.mask_session import MaskSession
from app.mask.pyramid import Pyramid
from app.mask.worker import MaskService
from app.shortcuts import bind
from app.store.picture_files import with_suffix
from app.system import background
from app.system.failures import in_words
from app.system.places import pictures_folder
from app.system.sharing import copy_picture
from engine import MaskError, Sentence
from engine.photo import Hint, Photo, save_plain
from engine.preflight import cropped, on_transparency

_PREVIEW = 200
_PREVIEW_SIDE = 512
_SQUARE = 10
"""Side of a square of the chequerboard that stands for transparency, in pixels of the preview."""


class CuttingEditor(EditorFrame):
    """See the module.

    Signals:
        saved(object): the file that was written. copied: it is on the clipboard.
        left: back to the picture.
    """

    saved = Signal(object)
    copied = Signal()
    left = Signal()

    def __init__(self, service: MaskService, parent: QWidget | None = None) -> None:
        super().__init__(parent, result=True)
        self.setObjectName("cuttingEditor")
        self._service = service
        self._file = ""
        self.preview = CutOutView(_PREVIEW)
        self.save_button, self.copy_button = PrimaryButton("", "download"), OutlinedButton("", "copy")
        self.discard = PlainButton("")
        buttons = (self.save_button, self.copy_button, self.discard)
        self.side = EditorSide((self.preview,), buttons)
        self.side.column.setAlignment(self.preview, Qt.AlignmentFlag.AlignHCenter)
        self._lay_out(self.side)
        self._refresh = QTimer(self, singleShot=True)
        self._refresh.setInterval(tokens()["duration"]["preview-min-gap"])
        self._refresh.timeout.connect(self.refresh)
        self._connect()
        self.retranslate()

    def _connect(self) -> None:
        self._connect_frame()
        self.save_button.clicked.connect(self.save)
        self.copy_button.clicked.connect(self.copy)
        self.discard.clicked.connect(self.leave)
        bind(self, "leave_editor", self.leave)
        bind(self.canvas, "use_cutout", self.save)

    # Begin and end

    def begin(self, picture: Photo, mask: np.ndarray | None, name: str, file: str) -> MaskSession:
        """Cut something out of a picture; returns what is marked.

        Args:
            mask: where its subject is, uint8 (H, W), if that is known; it is looked for by its name otherwise.
            name: what the subject is called, or "".
            file: the name that is offered for the result, without a suffix.
        """
        blank = np.zeros(picture.rgb.shape[:2], np.uint8)
        document = MaskDocument(blank if mask is None else mask)
        self._file = file
        session = MaskSession(picture, Pyramid(picture.rgb), document, self._service, None, self)
        session.pixelsChanged.connect(self._changed)
        session.marksChanged.connect(self._changed)
        session.failed.connect(self.side.show_error)
        self._mark(session, "select", max(picture.width, picture.height) / 12)
        if mask is None:
            session.find(Hint(name))
        self.refresh()
        return session

    @Slot()
    def leave(self) -> None:
        """Back to the picture."""
        self._refresh.stop()
        self._release()
        self.left.emit()

    # What comes out

    def ready(self) -> bool:
        """Return True if something is marked. Where nothing is, show a sentence that says so."""
        self.canvas.tools.finish()
        if self._session is None:
            return False
        self._session.settle()
        if not self._session.document.mask.any():
            self.side.show_error(MaskError(Sentence("The cut-out is empty."), Sentence("Mark what belongs to it.")))
            return False
        return True

    @Slot()
    def save(self) -> None:
        """Ask for a name and write a transparent PNG."""
        if self.ready():
            title, start = self.tr("Save on transparency"), str(pictures_folder() / f"{self._file}.png")
            name, _ = QFileDialog.getSaveFileName(self, title, start, "PNG (*.png)")
            if name:
                self.save_to(Path(name))

    def save_to(self, file: Path) -> None:
        """Write what is cut out now, in the background."""
        if self.ready() and self._session is not None:
            file = with_suffix(file, only=True)
            photo, mask = self._session.photo, self._session.document.mask.copy()
            background.run(_write, file, photo.rgb, mask, done=self._is_saved, failed=self._not_made)

    @Slot()
    def copy(self) -> None:
        """Put it on the clipboard, transparency and all."""
        if self.ready() and self._session is not None:
            photo, mask = self._session.photo, self._session.document.mask.copy()
            background.run(_made, photo.rgb, mask, done=self._copy_ready, failed=self._not_made)

    @Slot(object)
    def _copy_ready(self, made: np.ndarray) -> None:
        copy_picture(to_image(made))
        self.copied.emit()

    @Slot(object)
    def _is_saved(self, file: Path) -> None:
        self.saved.emit(file)

    @Slot(object)
    def _not_made(self, error: Exception) -> None:
        self.side.show_error(in_words(error, Sentence("The cut-out could not be saved: {error}", error=error)))

    # What is shown

    @Slot()
    @Slot(object)
    def _changed(self, rect: object = None) -> None:
        if not self._refresh.isActive():
            self._refresh.start()

    @Slot()
    def refresh(self) -> None:
        """The preview anew, from small copies, and what can be done with it."""
        session = self._session
        if session is None:
            return
        self.side.message.hide()
        mask = session.mask_pyramid.at_most(_PREVIEW_SIDE)
        there = bool(mask.any())
        shown = (
            _in_square(cropped(on_transparency(session.photo_pyramid.at_most(_PREVIEW_SIDE), mask))) if there else None
        )
        self.preview.set_pixels(shown)
        self.save_button.setEnabled(there)
        self.copy_button.setEnabled(there)
        self._show_undo()

    def retranslate(self) -> None:
        self.side.title.setText(self.tr("Cut out of the picture"))
        self.side.words.setText(self.tr("Click what belongs, or paint it. Everything else becomes transparent."))
        self.preview.setAccessibleName(self.tr("The cut-out on transparency"))
        self.save_button.setText(self.tr("Save as PNG…"))
        self.copy_button.setText(self.tr("Copy"))
        self.discard.setText(self.tr("Back"))
        self.setAccessibleName(self.side.title.text())
        super().retranslate()


def _in_square(rgba: np.ndarray) -> np.ndarray:
    """A transparent picture, uint8 (h, w, 4), in the middle of a square chequerboard, RGB uint8 (S, S, 3)."""
    height, width = rgba.shape[:2]
    side = max(height, width) + max(height, width) // 8
    square = np.zeros((side, side, 4), np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = rgba
    return on_chequers(square[..., :3], square[..., 3], max(1, round(side * _SQUARE / _PREVIEW)))


def _made(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return cropped(on_transparency(rgb, mask))


def _write(file: Path, rgb: np.ndarray, mask: np.ndarray) -> Path:
    save_plain(file, _made(rgb, mask))
    return file
