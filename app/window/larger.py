"""Save larger: the picture that is shown, two or four times as large, into a file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from app.session.controller import Controller
from app.session.enlargement import Enlargement
from app.session.state import Result
from app.store.picture_files import export_name, with_suffix
from app.system import background
from app.system.failures import in_words
from app.system.places import existing
from app.window.panels import Panels
from engine import Sentence, shown_name
from engine.photo import save_larger
from engine.process import Enlarged, EnlargeFile

if TYPE_CHECKING:
    from app.dialogs.larger_dialog import LargerDialog

_KINDS = "PNG (*.png);;WebP (*.webp);;JPEG (*.jpg *.jpeg)"


class Larger(QObject):
    """See the module.

    Args:
        window: what the dialogs lie over.

    Signals:
        networkWanted: the user wants to get the network that enlarges.
        goingOn(str): how far it is, in words, or "".
    """

    networkWanted = Signal()
    goingOn = Signal(str)

    def __init__(self, panels: Panels, controller: Controller, window: QWidget) -> None:
        super().__init__(window)
        self._panels, self._controller, self._window = panels, controller, window
        self.enlargement = Enlargement(self)
        self.enlargement.changed.connect(self._goes_on)
        self.enlargement.done.connect(self._enlarged)
        self.enlargement.failed.connect(self._not_saved)
        self._asked: Result | None = None
        self._ask_again: Callable[[], object] | None = None
        self.dialog: LargerDialog | None = None
        panels.canvas.actions_bar.saveLarger.connect(self.ask)

    def runs(self) -> dict[str, Callable[..., object]]:
        """The slots of its actions in the table of keys."""
        return {f"save_{factor}x": partial(self.ask, factor) for factor in (2, 4)}

    @Slot(int)
    def ask(self, factor: int) -> None:
        """Ask how."""
        from app.dialogs.larger_dialog import LargerDialog

        result = self._controller.state.result
        if result is None or result.file is None:
            self._panels.toast.show_message(self.tr("The picture is not finished yet"))
            return
        self._asked = result
        height, width = result.image.shape[:2]
        self.dialog = LargerDialog((width, height), factor, self.enlargement, _is_installed, self._window)
        self.dialog.saveRequested.connect(self._ask_where)
        self.dialog.networkRequested.connect(self.networkWanted)
        self.dialog.finished.connect(self._closed)
        self.dialog.open()

    @Slot()
    def _closed(self) -> None:
        self.dialog = None

    def _close_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.accept()

    @Slot(int, bool)
    def _ask_where(self, factor: int, by_network: bool) -> None:
        result = self._asked
        if result is None or result.file is None:
            return
        name = Path(export_name(result.request.prompt, result.request.seed))
        start = existing(self._controller.store.folder.parent) / f"{name.stem} {factor}x.png"
        chosen, _ = QFileDialog.getSaveFileName(self._window, self.tr("Save larger"), str(start), _KINDS)
        if chosen:
            self._ask_again = partial(self._ask_where, factor, by_network)
            self.save(result.file, with_suffix(Path(chosen)), factor, by_network)

    def save(self, source: Path, target: Path, factor: int, by_network: bool) -> None:
        """Save a picture larger; what becomes of it is told in a message or the banner."""
        folder = _network(factor) if by_network else None
        if folder is not None:
            device = self._controller.state.settings.device
            self.enlargement.begin(EnlargeFile(source, target, factor, folder, device))
        else:
            self._close_dialog()
            background.run(_save, source, target, factor, done=self._saved, failed=self._not_saved)

    @Slot()
    def _goes_on(self) -> None:
        enlargement = self.enlargement
        words = self.tr("Enlarging, {0}\u00a0%").format(round(100 * enlargement.share)) if enlargement.busy else ""
        self.goingOn.emit(words)

    @Slot(object, object)
    def _enlarged(self, file: Path, enlarged: Enlarged) -> None:
        self._close_dialog()
        words = self.tr("Saved to {0}: {1} × {2}, by {3}")
        words = words.format(shown_name(file.parent), enlarged.width, enlarged.height, enlarged.method)
        self._panels.toast.show_saved(file, words)

    @Slot(object)
    def _saved(self, saved: tuple[Path, tuple[int, int]]) -> None:
        file, size = saved
        words = self.tr("Saved to {0}: {1} × {2}, by Lanczos with mild sharpening")
        words = words.format(shown_name(file.parent), *size)
        self._panels.toast.show_saved(file, words)

    @Slot(object)
    def _not_saved(self, error: Exception) -> None:
        self._close_dialog()  # the banner lies under it
        fact = Sentence("The picture could not be saved: {error}", error=error)
        self._controller.could_not_save(in_words(error, fact, Sentence("Choose another folder.")), self._ask_again)

    def close(self) -> None:
        """End what goes on."""
        self.enlargement.close()


def _network(factor: int) -> Path | None:
    from engine.weights import installed_upscaler

    return installed_upscaler(factor)


def _is_installed(factor: int) -> bool:
    return _network(factor) is not None


def _save(source: Path, target: Path, factor: int) -> tuple[Path, tuple[int, int]]:
    return target, save_larger(source, target, factor)
