"""The canvas before its first picture: what can be done next, and what the example would become."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QImage

from app.canvas.panel import CanvasPanel
from app.language.say import say
from app.session.state import SessionState
from app.system import background


class EmptyCanvas(QObject):
    """Keeps a canvas without a picture true to the subject and the model."""

    def __init__(self, canvas: CanvasPanel, state: SessionState, parent: QObject) -> None:
        super().__init__(parent)
        self._canvas, self._state = canvas, state
        self._folder: Path | None = None
        self._examples: list[QImage] = []
        state.engineChanged.connect(self.show)
        for signal in (state.maskChanged, state.photoChanged):
            signal.connect(self._show_subject)
        self._has_prompt = False
        state.requestChanged.connect(self._follow_prompt)

    def waits(self) -> bool:
        """Return True while the canvas waits for its first picture, with nothing over it."""
        covered = self._canvas.is_covered()
        return self._state.result is None and self._canvas.canvas.state == "empty" and not covered

    @Slot()
    def show(self) -> None:
        """The scales of the open model, and the words, unless there is a picture."""
        manifest = self._state.engine.manifest
        if manifest is not None:
            wanted = self._state.values.size
            chosen = next((s for s in manifest.schedules if s.size == wanted), manifest.schedules[0])
            self._canvas.set_grids(chosen.grids)
        if not self._canvas.canvas.has_picture():
            self._show_words()

    @Slot()
    def _follow_prompt(self) -> None:
        """The words ask for a prompt while there is none."""
        has_prompt = bool(self._state.values.prompt.strip())
        if has_prompt != self._has_prompt:
            self._has_prompt = has_prompt
            self._show_subject()

    @Slot()
    def _show_subject(self) -> None:
        if not self._canvas.canvas.has_picture() and self._canvas.canvas.state == "empty":
            self._show_words()

    def _show_words(self) -> None:
        if self._state.jobs.busy or self._canvas.canvas.state == "forming":
            return
        if self._state.engine.phase == "failed":
            self._canvas.failed()
            return
        subject = self._state.subject
        manifest = self._state.engine.manifest
        first = Path(manifest.examples[0].image).name if manifest is not None and manifest.examples else ""
        shown = subject is not None and subject.example and subject.title == first  # the pictures are of this one
        pictures = self._example_pictures() if shown else []
        self._canvas.show_empty(*empty_words(self._state), pictures)

    def _example_pictures(self) -> list[QImage]:
        """Three scales of a picture that the open bundle drew, from coarse to fine, when it brings them along."""
        folder = self._state.engine.folder
        if folder != self._folder:  # read once, and not here: unpacking them would keep the window waiting
            self._folder, self._examples = folder, []
            if folder is not None:
                background.run(_read_examples, folder, done=self._examples_read)
        return self._examples

    def _examples_read(self, read: tuple[Path, list[QImage]]) -> None:
        folder, pictures = read
        if folder == self._folder:
            self._examples = pictures
            self._show_subject()


def _read_examples(folder: Path) -> tuple[Path, list[QImage]]:
    files = sorted((folder / "examples").glob("scale_*.png"))[:3]
    return folder, [image for image in map(QImage, map(str, files)) if not image.isNull()]


def empty_words(state: SessionState) -> tuple[str, str]:
    """Title and text of a canvas without a picture: what the user can do next."""
    subject = state.subject
    if subject is None:
        return say("Put your subject anywhere"), say(
            "Add a photo of one subject, write where it should be, and watch the picture form from coarse to fine."
        )
    name = subject.name.strip()
    title = say("Put this {0} anywhere").format(name) if name else say("Put your subject anywhere")
    if not subject.example and state.values.prompt.strip():
        return title, say("Press Generate and watch the picture form from coarse to fine.")
    if not subject.example:
        return title, say("Write where it should be, press Generate and watch the picture form from coarse to fine.")
    seconds = state.expected_seconds
    if not seconds:
        return title, say("The example is ready. Press Generate and watch the picture form from coarse to fine.")
    return title, say(
        "The example is ready. Press Generate and watch the picture form from coarse to fine, in about {0} seconds."
    ).format(max(1, round(seconds)))
