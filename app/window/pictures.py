"""Finished pictures between canvas, history, disk and prompt panel: show, recall, star, delete, save, copy."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from app.canvas.panel import CanvasPanel
from app.history.panel import HistoryPanel
from app.look.pixels import to_image
from app.prompt.panel import PromptPanel
from app.session.controller import Controller
from app.session.earlier_subjects import EarlierSubjects
from app.session.file_opener import DroppedPicture
from app.session.state import Result, SessionState
from app.session.values import Recall
from app.store.history_store import Picture
from app.store.picture_files import OpenedPicture, export_name
from app.system import background
from app.system.places import existing
from app.system.sharing import copy_picture
from app.window.empty_canvas import empty_words
from app.window.strip_pictures import StripPictures
from app.window.toasts import Toast
from engine import GenerationRequest, shown_name
from engine.photo import load_photo


class FinishedPictures(QObject):
    """Connects the panels with each other as far as finished pictures are concerned.

    Args:
        window: owner of file dialogs.
        earlier: finds the photo of an earlier picture again.
    """

    def __init__(
        self,
        window: QWidget,
        state: SessionState,
        controller: Controller,
        canvas: CanvasPanel,
        history: HistoryPanel,
        prompt: PromptPanel,
        toast: Toast,
        earlier: EarlierSubjects,
    ) -> None:
        super().__init__(window)
        self._window, self._state, self._controller = window, state, controller
        self._canvas, self._history, self._prompt, self._toast = canvas, history, prompt, toast
        self._earlier = earlier
        self._forming: GenerationRequest | None = None
        queue = controller.queue
        canvas.advanced.connect(self._advanced)
        queue.idle.connect(self._idle)
        self.scales = StripPictures(state, queue, canvas, controller.store, self)
        controller.drawing.connect(self._begins)
        controller.kept.connect(history.add)
        controller.exported.connect(self._exported)
        controller.files.pictureOpened.connect(self._dropped)
        state.resultChanged.connect(self._show_result)
        commands = history.commands
        commands.opened.connect(self._opened)
        commands.recallRequested.connect(self._recall)
        commands.compareRequested.connect(self._compare)
        commands.starred.connect(self._starred)
        commands.deleted.connect(self._deleted)
        commands.restored.connect(self._restored)
        commands.rebuilt.connect(self._rebuilt)
        commands.saveRequested.connect(self._save_other)
        commands.saveAllRequested.connect(self._save_all)
        commands.copyRequested.connect(self._copy_other)
        commands.promptCopied.connect(self._prompt_copied)
        canvas.saveRequested.connect(self._save)
        canvas.starToggled.connect(self._star_shown)
        canvas.copied.connect(self._copied)

    # While a picture forms

    @Slot(object, object)
    def _begins(self, event, size) -> None:
        self._canvas.set_previous(self._canvas.canvas.image() if self._canvas.canvas.has_picture() else None)
        # As the engine draws it, which is as it will be kept: what was asked for names no model yet, and is of no group.
        self._forming = event.request
        self._history.set_running(self._forming, "")
        self._show_cut_out(event.request)

    @Slot(object)
    def _advanced(self, image: np.ndarray) -> None:
        if self._forming is not None:
            scales = self._canvas.strip.model
            self._history.set_running(self._forming, f"{scales.now + 1} / {scales.count}", image)

    @Slot()
    def _idle(self) -> None:
        self._history.set_running(None)

    # Showing

    @Slot()
    def _show_result(self) -> None:
        result = self._state.result
        if result is not None:
            self._history.set_running(None)  # what formed is there; the next one has not begun
        self._history.set_shown(result.picture if result is not None else None)
        if result is None:
            return
        if result.picture is None:
            self._history.release_ring()  # what is on the canvas is not in the row, or not yet
        self._show_cut_out(result.request)
        self._canvas.actions_bar.set_likeness(result.likeness)
        if result is self._controller.fresh:
            return  # the canvas hears it from the queue, with the picture after each scale
        if self._canvas.bits is result.bits and result.bits is not None:
            if result.file is not None:
                self._canvas.set_saved(result.file, self._is_starred(result.picture))
            return
        self._canvas.show_picture(
            result.image,
            result.request,
            result.bits,
            result.grids,
            file=result.file,
            starred=self._is_starred(result.picture),
            whole=not result.unfinished,
        )
        if result.unfinished:
            self._canvas.stopped(result.image, result.previews)

    def _show_cut_out(self, request: GenerationRequest) -> None:
        """Compare shows the picture's own cut-out, whatever lies in the panel."""
        subject = request.subject
        self._canvas.set_cut_out(to_image(subject.rgb) if subject is not None else None)

    def _is_starred(self, picture: int | None) -> bool:
        if picture is None:
            return False
        try:
            return self._controller.store.get(picture).starred
        except KeyError:
            return False

    @Slot(object)
    def _opened(self, opened: OpenedPicture) -> None:
        """A picture of the history was clicked. While another one forms, the canvas stays with it."""
        if self._refuses():
            return
        self._show(opened)

    def _refuses(self) -> bool:
        """Return True if the canvas stays with the picture that is drawn; then the ring does, too."""
        if self._state.jobs.busy:
            self._toast.show_message(self.tr("The canvas stays with the picture that is drawn"))
            self._history.release_ring()
        return self._state.jobs.busy

    def _show(self, opened: OpenedPicture) -> None:
        picture = opened.picture
        request = opened.request or GenerationRequest(
            picture.prompt, subject_name=picture.subject_name, seed=picture.seed
        )
        if opened.bits is not None:
            self.scales.opened(opened.bits, opened.scales)
        before = self._state.result
        self._state.set_result(
            Result(
                request,
                opened.image,
                opened.bits,
                picture.seconds,
                picture.id,
                picture.file,
                likeness=picture.likeness,
            )
        )
        self._canvas.set_previous(to_image(opened.previous) if opened.previous is not None else None)
        if before is not None and before.unfinished:  # it is nowhere else
            back = partial(self._bring_back, replace(before))
            self._toast.show_message(self.tr("The stopped picture is put away"), back)

    def _bring_back(self, stopped: Result) -> None:
        if not self._refuses():
            self._state.set_result(stopped)

    @Slot(object)
    def _dropped(self, dropped: DroppedPicture) -> None:
        """A picture of ours was dropped: everything that made it comes back."""
        self._earlier.take(dropped.request, shown_name(dropped.file))
        note = self._prompt.recall(dropped.request)
        if not self._state.jobs.busy:
            self._controller.show_dropped(dropped)
        self._toast.show_message(note or self.tr("Everything that made this picture is back"))

    @Slot(object, str)
    def _recall(self, opened: OpenedPicture, what: Recall) -> None:
        if opened.request is None:
            return
        if what == "all":
            self._earlier.take(opened.request, shown_name(opened.picture.file))
            if not self._state.jobs.busy:
                self._show(opened)
        note = self._prompt.recall(opened.request, what)
        words = {
            "all": self.tr("Everything that made this picture is back"),
            "seed": self.tr("Its seed is in use"),
            "prompt": self.tr("Its prompt is in use"),
        }
        self._toast.show_message(note or words[what])

    @Slot(object, object)
    def _compare(self, newer: OpenedPicture, older: OpenedPicture) -> None:
        if self._refuses():
            return
        self._show(newer)
        self._canvas.compare_with(to_image(older.image))

    # Stars and the trash

    @Slot(object)
    def _exported(self, file: Path) -> None:
        carries = file.suffix.lower() == ".png"
        words = "" if carries else self.tr("Saved to {0}. Only a PNG carries what made it.")
        self._toast.show_saved(file, words.format(shown_name(file.parent)))

    @Slot(bool)
    def _star_shown(self, on: bool) -> None:
        result = self._state.result
        if result is not None and result.picture is not None:
            self._history.set_star(result.picture, on)

    @Slot(int, bool)
    def _starred(self, picture: int, on: bool) -> None:
        result = self._state.result
        if result is not None and result.picture == picture:
            self._canvas.actions_bar.set_star(on)

    @Slot(tuple)
    def _deleted(self, pictures: tuple[int, ...]) -> None:
        count = len(pictures)
        text = self.tr("Moved to the trash") if count == 1 else self.tr("{0} pictures moved to the trash").format(count)
        self._toast.show_message(text, self._history.commands.undo_delete)
        self._controller.forget(pictures)
        result = self._state.result
        if result is not None and result.picture in pictures:
            self._show_another()
        if self._state.jobs.busy:
            self._history.release_ring()  # the one beside is not opened: the canvas stays with what is drawn

    def _show_another(self) -> None:
        """Replace a picture that is gone by the one that the ring stands on now, or by the empty canvas."""
        self._state.set_result(None)
        beside = next(iter(self._history.commands.chosen()), None)  # of the gallery, where that is open
        # While ideas are drawn no other picture is opened; the deleted one has to go all the same.
        if self._state.jobs.busy or not self._history.show_picture(beside.id if beside is not None else None):
            self._canvas.show_empty(*empty_words(self._state))

    @Slot(tuple)
    def _restored(self, pictures: tuple[int, ...]) -> None:
        self._toast.hide()  # it says that they are deleted
        if self._state.jobs.busy:
            self._history.release_ring()  # as for one that is clicked: the canvas stays with what is drawn
        else:
            self._history.show_picture(pictures[0])

    def show_last(self, picture: int | None = None) -> bool:
        """After a start: the picture that was shown, or the newest one. False when there is none."""
        if self._state.result is not None or self._state.jobs.busy:
            return True
        return self._history.show_picture(picture)

    @Slot(int)
    def _rebuilt(self, count: int) -> None:
        if count:
            self._toast.show_message(
                self.tr("1 picture was found again")
                if count == 1
                else self.tr("{0} pictures were found again").format(count)
            )

    # Saving and copying

    @Slot()
    def save(self) -> None:
        """ "Save as…" of the picture that is shown, or of all that are chosen when those are several, with what made them."""
        self._save_shown_or_chosen(True)

    @Slot()
    def save_plain(self) -> None:
        """The same without what made them."""
        self._save_shown_or_chosen(False)

    def _save_shown_or_chosen(self, metadata: bool) -> None:
        if len(self._history.commands.chosen()) > 1:
            self._history.commands.save_chosen(metadata)
        else:
            self._save(metadata)

    @Slot(bool)
    def _save(self, metadata: bool) -> None:
        if self._is_gallery():
            self._history.commands.save_chosen(metadata)
            return
        result = self._state.result
        if result is None:
            self._toast.show_message(self.tr("The picture is not finished yet"))
            return
        # Without a file it was stopped or could not be kept: what is on the screen is all there is of it.
        self._ask_and_save(result.file or result, result.request.prompt, result.request.seed, metadata)

    def _is_gallery(self) -> bool:
        """Return True if the window's keys act on the choice in the gallery."""
        return self._history.commands.model is not self._history.model

    @Slot()
    def copy(self) -> None:
        """The picture that is shown, or the one that is chosen in the gallery, to the clipboard."""
        chosen = self._history.commands.chosen() if self._is_gallery() else []
        if chosen:
            self._copy_other(chosen[0])
        elif not self._is_gallery():
            self._canvas.copy()

    @Slot(object, bool)
    def _save_other(self, picture: Picture, metadata: bool) -> None:
        self._ask_and_save(picture.file, picture.prompt, picture.seed, metadata)

    @Slot(object, bool)
    def _save_all(self, pictures: list[Picture], metadata: bool) -> None:
        """Several pictures into one folder; no file that is there is written over."""
        start = str(existing(self._controller.store.folder.parent))
        chosen = QFileDialog.getExistingDirectory(self._window, self.tr("Save to a folder"), start)
        if chosen:
            named = [(picture.file, export_name(picture.prompt, picture.seed)) for picture in pictures]
            ask_again = partial(self._save_all, pictures, metadata)
            self._controller.export_all(named, Path(chosen), metadata=metadata, ask_again=ask_again)

    def _ask_and_save(self, source: Path | Result, prompt: str, seed: int, metadata: bool) -> None:
        start = existing(self._controller.store.folder.parent) / export_name(prompt, seed)
        kinds = "PNG (*.png);;WebP (*.webp);;JPEG (*.jpg *.jpeg)"
        title = self.tr("Save as") if metadata else self.tr("Save without metadata")
        name, _ = QFileDialog.getSaveFileName(self._window, title, str(start), kinds)
        if name:
            ask_again = partial(self._ask_and_save, source, prompt, seed, metadata)
            self._controller.export(source, Path(name), metadata=metadata, ask_again=ask_again)

    @Slot()
    def _copied(self) -> None:
        self._toast.show_message(self.tr("Copied"))

    @Slot()
    def _prompt_copied(self) -> None:
        self._toast.show_message(self.tr("Prompt copied"))

    @Slot(object)
    def _copy_other(self, picture: Picture) -> None:
        background.run(_read, picture.file, done=self._copy_ready, failed=self._copy_failed)

    @Slot(object)
    def _copy_ready(self, read: tuple[Path, np.ndarray]) -> None:
        file, pixels = read
        image: QImage = to_image(pixels)
        copy_picture(image, file)
        self._copied()

    @Slot(object)
    def _copy_failed(self, error: Exception) -> None:
        self._history.commands.failed.emit(error)


def _read(file: Path) -> tuple[Path, np.ndarray]:
    return file, load_photo(file).rgb
