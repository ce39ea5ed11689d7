"""Errors into the banner: each with what can be done about it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from PySide6.QtCore import QObject, Slot

from app.language import sentences
from app.language.say import say
from app.session.controller import Controller
from app.session.photo_reading import TooManyPhotos
from app.store.errors import HistoryNotWritten
from app.window.banner import ErrorBanner, NextStep
from engine import (
    BundleError,
    CannotWrite,
    DeviceLost,
    EchoGenError,
    NotEnoughMemory,
    PhotoError,
    Sentence,
    SubjectNotFound,
)

log = logging.getLogger(__name__)


class ErrorSteps(QObject):
    """Shows errors of the engine, of the disk and our own.

    Args:
        edit, choose_model, choose_folder, choose_photo: what the banner's buttons open: the cut-out editor, two pages of
            the settings, and the dialog for a photo. rescan: brings pictures back that the history lacks.
        place_banner: puts the banner beside the subject (True) or the prompt (False), and scrolls to it.
        tell: says a sentence over what is seen, where the banner is not: in an editor, in the gallery.
    """

    def __init__(
        self,
        parent: QObject,
        banner: ErrorBanner,
        controller: Controller,
        edit: Callable[[], object],
        choose_model: Callable[[], object],
        choose_folder: Callable[[], object],
        choose_photo: Callable[[], object],
        rescan: Callable[[], object],
        place_banner: Callable[[bool], object] = lambda _: None,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        super().__init__(parent)
        self._banner, self._controller = banner, controller
        self._edit, self._choose_model, self._choose_folder = edit, choose_model, choose_folder
        self._choose_photo, self._rescan, self._place_banner = choose_photo, rescan, place_banner
        self._tell = tell
        self._about = -1
        self._of = ""
        for signal in (controller.state.photoChanged, controller.state.maskChanged):
            signal.connect(self._clear_not_found)

    @Slot(object)
    @Slot(object, str)
    def show(self, error: EchoGenError, details: str = "") -> None:
        """Put an error of the drawing, of the disk, or of a photo that was given into the banner."""
        if details:
            log.warning("%s\n%s", error, details.strip())
        self._place_banner(isinstance(error, PhotoError | SubjectNotFound))
        self._about = self._current()
        self._of = "given"
        self._show(error, details, self._next_steps(error))

    @Slot(object)
    def report(self, error: BaseException) -> None:
        """Something nobody expected: said without ending the program. Errors of ours are shown as they are; a photo that
        cannot be read is one of the history here, which no other photo replaces."""
        if not isinstance(error, EchoGenError):
            error = EchoGenError(
                Sentence("Something went wrong inside the program: {error}", error=f"{type(error).__name__}: {error}"),
                Sentence("Your photo, cut-out and prompt are safe. Help › Copy diagnostics has what a report needs."),
                title=Sentence("This should not happen"),
            )
        steps = [] if isinstance(error, PhotoError) else self._next_steps(error)
        self._place_banner(False)
        self._of = "history"
        self._show(error, "", steps)

    def _show(self, error: EchoGenError, details: str, steps: list[NextStep]) -> None:
        self._banner.show_error(error, details, steps)
        if not self._banner.isVisible():
            self._tell(sentences.translated(error.fact) or sentences.title(error))

    @Slot()
    def photos_given(self) -> None:
        """Photos are chosen, dropped or pasted: what was wrong with the ones before is done with."""
        self._clear_photo("given")

    @Slot()
    def photo_taken_out(self) -> None:
        """A photo of a subject was taken out: that it has too many is done with."""
        if isinstance(self._banner.error, TooManyPhotos):
            self._banner.clear_error()

    @Slot()
    def history_used(self) -> None:
        """A picture of the history is shown, or one was taken out: that one could not be read is done with."""
        self._clear_photo("history")

    @Slot()
    def picture_saved(self) -> None:
        """A picture is where the user wanted it: that one could not be saved is done with. One of the history still is not."""
        error = self._banner.error
        if error is not None and error is self._controller.export_error:
            self._banner.clear_error()

    def _clear_photo(self, of: str) -> None:
        if self._of == of and isinstance(self._banner.error, PhotoError):
            self._banner.clear_error()

    def _current(self) -> int:
        subject = self._controller.state.subject
        return subject.key if subject is not None else -1

    @Slot()
    def _clear_not_found(self) -> None:
        """That nothing was found is said of one photo, as long as nothing is cut out of it."""
        subject = self._controller.state.subject
        found = subject is not None and subject.cut_out is not None
        if isinstance(self._banner.error, SubjectNotFound) and (found or self._current() != self._about):
            self._banner.clear_error()

    @Slot()
    def _rescan_now(self) -> None:
        self._banner.clear_error()  # it comes again when there is still no room
        self._rescan()

    def _save_again(self, ask: Callable[[], object]) -> None:
        self._banner.clear_error()  # it comes again when that place takes nothing either
        ask()

    def _next_steps(self, error: EchoGenError) -> list[NextStep]:
        state = self._controller.state
        match error:
            case NotEnoughMemory() if state.settings.memory not in ("low", "int8", "streamed"):
                return [NextStep(self.tr("Use low-memory plan"), self._controller.use_low_memory)]
            case HistoryNotWritten():  # another folder for pictures would not help
                return [NextStep(say("Rescan folder"), self._rescan_now)]
            case CannotWrite() if (
                error is self._controller.export_error
            ):  # the pictures folder has nothing to do with it
                ask = self._controller.ask_again
                return [NextStep(self.tr("Choose another folder…"), lambda: self._save_again(ask))] if ask else []
            case CannotWrite() if error is self._controller.keep_error:
                return [NextStep(self.tr("Choose another folder…"), self._choose_folder)]
            case BundleError():
                return [NextStep(self.tr("Choose another model…"), self._choose_model)]
            case DeviceLost() if state.engine.phase == "failed":
                return [NextStep(self.tr("Start it again"), self._controller.models.restart)]
            case TooManyPhotos():
                return []
            case PhotoError():
                return [NextStep(self.tr("Choose another photo…"), self._choose_photo)]
            case SubjectNotFound():
                return [NextStep(self.tr("Draw a box"), self._edit)]
        return []
