"""Save larger: the picture that is shown, two or four times as large, into a file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QFileDialog, QWidget

from app.session.controller import Controller
from app.store.picture_files import export_name
from app.system import background
from app.window.panels import Panels
from engine import EchoGenError, Sentence
from engine.photo import save_larger


class Larger(QObject):
    """See the module.

    Args:
        window: owner of the file dialog.
    """

    def __init__(self, panels: Panels, controller: Controller, window: QWidget) -> None:
        super().__init__(window)
        self._panels, self._controller, self._window = panels, controller, window
        panels.canvas.actions_bar.saveLarger.connect(self.ask)

    def runs(self) -> dict[str, Callable[..., object]]:
        """The slots for actions of the table."""
        return {f"save_{factor}x": partial(self.ask, factor) for factor in (2, 4)}

    @Slot(int)
    def ask(self, factor: int) -> None:
        """Ask where to, and save."""
        result = self._controller.state.result
        if result is None or result.file is None:
            self._panels.toast.show_message(self.tr("The picture is not finished yet"))
            return
        name = Path(export_name(result.request.prompt, result.request.seed))
        start = self._controller.store.folder.parent / f"{name.stem} {factor}x.png"
        kinds = "PNG (*.png);;WebP (*.webp);;JPEG (*.jpg *.jpeg)"
        chosen, _ = QFileDialog.getSaveFileName(self._window, self.tr("Save larger"), str(start), kinds)
        if chosen:
            target = Path(chosen) if Path(chosen).suffix else Path(chosen).with_suffix(".png")
            background.run(_save, result.file, target, factor, done=self._saved, failed=self._not_saved)

    @Slot(object)
    def _saved(self, saved: tuple[Path, tuple[int, int]]) -> None:
        file, size = saved
        words = self.tr("Saved to {0}: {1} × {2}, by Lanczos with mild sharpening")
        self._panels.toast.show_message(words.format(file.parent.name or str(file.parent), *size))

    @Slot(object)
    def _not_saved(self, error: Exception) -> None:
        if not isinstance(error, EchoGenError):
            error = EchoGenError(
                Sentence("The picture could not be saved: {error}", error=error), Sentence("Choose another folder.")
            )
        self._controller.failed.emit(error, "")


def _save(source: Path, target: Path, factor: int) -> tuple[Path, tuple[int, int]]:
    return target, save_larger(source, target, factor)
