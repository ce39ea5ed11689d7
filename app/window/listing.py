"""Lists of prompts in the window: the dialog, the list between two openings of it, and its pictures to the disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QWidget

from app.language import sentences
from app.session.controller import Controller
from app.session.list_run import ListRun
from app.session.prompt_source import MAX_TEXT, PromptSource
from app.store.list_store import ListStore
from app.store.picture_files import export_name, with_suffix
from app.system import background
from app.system.failures import in_words
from app.system.places import existing
from app.window.panels import Panels
from engine import EchoGenError, ListedRequest, PhotoError, Sentence
from engine.photo import draw_sheet, load_photo, save_plain

if TYPE_CHECKING:
    from app.lists.dialog import ListDialog


class Listing(QObject):
    """See the module.

    Args:
        store: keeps what was drawn for the next start.
        window: what the dialog lies over.
    """

    def __init__(self, panels: Panels, controller: Controller, store: ListStore, window: QWidget) -> None:
        super().__init__(window)
        self._panels, self._controller, self._window = panels, controller, window
        self.run = ListRun(controller, store, self)
        self.run.ended.connect(self._ended)
        self._source = PromptSource()
        self._dialog: ListDialog | None = None
        controller.exported.connect(self._exported)
        controller.failed.connect(self._failed)
        panels.prompt.sheet.list_button.clicked.connect(self.open)

    @property
    def text(self) -> str:
        """The typed text, for the session."""
        return self._source.text[:MAX_TEXT]

    def set_text(self, text: str) -> None:
        self._source = PromptSource(text=text[:MAX_TEXT])

    @Slot()
    def open(self) -> None:
        """The list, or the pictures of the one that was drawn."""
        from app.lists.dialog import ListDialog

        state, controller = self._controller.state, self._controller
        self._panels.prompt.wording.settle()
        folder = existing(controller.store.folder.parent)
        dialog = ListDialog(state, self.run, self._source, self._can_draw, folder, self._window)
        dialog.sourceChanged.connect(self._keep_source)
        dialog.drawRequested.connect(self._draw)
        dialog.opened.connect(self._show)
        dialog.sheetRequested.connect(self._save_sheet)
        dialog.folderRequested.connect(self._save_all)
        dialog.stopRequested.connect(controller.queue.stop_now)
        dialog.finished.connect(self._closed)
        self._dialog = dialog
        dialog.open()

    @Slot()
    def _closed(self) -> None:
        self._dialog = None

    def _can_draw(self) -> tuple[bool, str]:
        return self._controller.can_draw_list()

    @Slot(object)
    def _keep_source(self, source: PromptSource) -> None:
        self._source = source

    @Slot(object)
    def _draw(self, listed: Sequence[ListedRequest]) -> None:
        self.run.begin(listed)

    @Slot(int)
    def _show(self, picture: int) -> None:
        self._panels.history.show_picture(picture)

    @Slot(int)
    def _ended(self, done: int) -> None:
        if self._dialog is None:
            words = self.tr("{0} of {1} pictures of the list are drawn").format(done, len(self.run.listed))
            self._panels.toast.show_message(words, self.open, self.tr("Show"))

    @Slot(object)
    def _save_sheet(self, target: Path) -> None:
        files = [found.picture.file if found and found.picture else None for found in self.run.pictures]
        labels = [(one.row, one.column) for one in self.run.listed]
        background.run(_write_sheet, target, files, labels, done=self._saved, failed=self._not_saved)

    @Slot(object)
    def _save_all(self, folder: Path) -> None:
        """One file a picture, in the order of the list; no file that is there is written over."""
        pictures = [(number, found.picture) for number, found in enumerate(self.run.pictures, 1) if found is not None]
        named = [
            (one.file, f"{number:03d} {export_name(one.prompt, one.seed)}")
            for number, one in pictures
            if one is not None
        ]
        self._controller.export_all(named, folder, metadata=True)

    @Slot(object)
    def _saved(self, file: Path) -> None:
        if self._dialog is not None:
            self._dialog.report(sentences.saved_to(file))
        else:
            self._panels.toast.show_saved(file)

    @Slot(object)
    def _exported(self, file: Path) -> None:
        """The last of all pictures was saved."""
        if self._dialog is not None:
            self._dialog.report(sentences.saved_to(file))

    @Slot(object, str)
    def _failed(self, error: EchoGenError, _details: str) -> None:
        if self._dialog is not None:
            self._dialog.report(sentences.of_error(error), failed=True)

    @Slot(object)
    def _not_saved(self, error: Exception) -> None:
        fact = Sentence("The sheet could not be saved: {error}", error=error)
        self._controller.could_not_save(in_words(error, fact, Sentence("Choose another folder.")))


def _write_sheet(target: Path, files: Sequence[Path | None], labels: Sequence[tuple[str, str]]) -> Path:
    """The pictures that are still there, on one sheet."""
    pictures: list[np.ndarray | None] = []
    for file in files:
        try:
            pictures.append(load_photo(file).rgb if file is not None else None)
        except PhotoError:
            pictures.append(None)  # it went to the trash since
    if all(picture is None for picture in pictures):
        raise PhotoError(Sentence("No picture of the list is there any more."), Sentence("Draw the list again."))
    target = with_suffix(target)
    save_plain(target, draw_sheet(pictures, labels))
    return target
