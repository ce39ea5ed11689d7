"""Takes the pictures of the user guide from the real window, and writes its table of keys.

    .venv/bin/python -m docs.screenshots           the pictures of the guide, into docs/images
    .venv/bin/python -m docs.screenshots --keys    the table of keys only (no model needed)

The program runs without a screen, in folders of its own that are deleted afterwards, with the engine in its child process as
always. The pictures are drawn while the script waits: about a minute with the mini model. To look at every state of the
window, without a model, see tests/pixels.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from itertools import groupby
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app.application import make_application
from app.shortcuts import as_markdown
from docs.camera import Camera, folders_of_its_own

DOCS = Path(__file__).resolve().parent
GUIDE = DOCS / "guide.md"
IMAGES = DOCS / "images"
KEYS_BEGIN = "<!-- keys: written by docs/screenshots.py from app/shortcuts.py -->"
KEYS_END = "<!-- end of the keys -->"

# What the guide shows: the state and the theme. At most twelve, 1.5 MB in all (tests/docs/test_guide.py).
PICTURES = (
    ("start", "light"),
    ("cutout", "dark"),
    ("drawing", "dark"),
    ("finished", "dark"),
    ("redraw", "light"),
    ("region", "light"),
    ("compare", "dark"),
    ("history", "light"),
    ("models", "dark"),
    ("settings", "light"),
    ("error", "dark"),
    ("small", "dark"),
)
THEMES = ("dark", "light")
WIDE = QSize(1280, 800)
SMALL = QSize(960, 640)
QUALITY = 92


class Photographer(Camera):
    """Walks the program through the states of the guide.

    Args:
        bundle: name or folder of the model that draws.
        folder: where the pictures go.
        wanted: pairs of state and theme.
    """

    def __init__(self, bundle: str, folder: Path, wanted: tuple[tuple[str, str], ...]) -> None:
        super().__init__(WIDE, bundle, theme="dark")
        self.folder, self.wanted = folder, wanted
        self.canvas, self.history = self.window.canvas, self.window.history

    # Taking

    def take(self, name: str, crop: Callable[[], QWidget] | None = None) -> None:
        """Save the window as it is now, in each theme that is wanted. ``crop``: gives the widget to cut out."""
        for theme in THEMES:
            if (name, theme) in self.wanted:
                self.state.update_settings(theme=theme)
                self.settle(0.15)
                save(self.picture(crop() if crop else None), self.folder / f"{name}-{theme}.webp")
                sys.stderr.write(f"{name}-{theme}\n")

    # Using the program

    def use_example(self, index: int, prompt: str) -> None:
        """Take an example of the bundle as a person does who clicks it, and wait for its cut-out."""
        example, folder = self.state.engine.manifest.examples[index], self.state.engine.folder
        before = self.state.subject
        self.window.subject.open_example(folder / example.image, example.subject_name, example.seed)
        self.wait(lambda: self.state.subject is not before and self.ready(), "the cut-out of an example")
        self.state.update_values(prompt=prompt.format(example.subject_name), seed=example.seed, seed_locked=True)

    def draw(self) -> None:
        self.window.drawing.generate()
        self.idle()

    # The states

    def run(self) -> None:
        """Walk through all states, in the order of the guide."""
        self.wait(lambda: self.state.engine.phase == "ready" and self.ready(), "the model and the example's cut-out")
        self.wait(lambda: self.program.begun, "the end of the start")
        self.settle(1.0)
        self.take("start")
        self.fill_history()
        self.drawing()
        self.redraw()
        self.region()
        self.compare()
        self.recall()
        self.cut_out()
        self.dialogs()
        self.error()
        self.small()

    def fill_history(self) -> None:
        """Some pictures of an afternoon."""
        examples = self.state.engine.manifest.examples
        for index, prompt in ((1, "a {} in the snow"), (2, "a {} in the jungle"), (0, "a {} on top of pink fabric")):
            self.use_example(index % len(examples), prompt)
            self.draw()
        self.state.update_values(prompt=examples[0].prompt)

    def drawing(self) -> None:
        strip = self.canvas.strip.model
        for theme in THEMES:  # a picture each: taking two takes too long for one
            if ("drawing", theme) in self.wanted:
                self.state.update_settings(theme=theme)
                self.state.update_values(seed=self.state.engine.manifest.examples[0].seed, seed_locked=True)
                self.window.drawing.generate()
                half = strip.count // 2
                # A fast model may be done before anyone looks: then the picture is shown as it is.
                self.wait(
                    lambda half=half: not self.state.jobs.busy or (strip.drawing and strip.image(half) is not None),
                    "half of a picture",
                )
                keep, self.wanted = self.wanted, (("drawing", theme),)
                self.take("drawing")
                self.wanted = keep
                self.idle()
        if self.state.result is None:
            self.draw()
        self.state.update_values(seed_locked=False)
        self.settle(3.5)  # no toast on the picture
        self.take("finished")

    def redraw(self) -> None:
        strip = self.canvas.strip
        strip.tiles.move_handle(4)
        strip.setFocus()
        self.take("redraw")
        strip.tiles.move_handle(strip.model.count)

    def region(self) -> None:
        """A region of the picture, boxed."""
        self.window.redrawing.redraw_region()
        self.settle()
        editor = self.window.panels.region
        editor.canvas.tools.set_tool("box")
        side = self.state.result.image.shape[0]
        begin, end = (
            editor.canvas.viewport.to_widget(side * x, side * y).toPoint() for x, y in ((0.05, 0.05), (0.45, 0.4))
        )
        QTest.mousePress(editor.canvas, Qt.MouseButton.LeftButton, pos=begin)
        QTest.mouseMove(editor.canvas, end)
        QTest.mouseRelease(editor.canvas, Qt.MouseButton.LeftButton, pos=end)
        self.settle(0.6)
        self.take("region")
        editor.left.emit()
        self.settle()

    def compare(self) -> None:
        self.canvas.canvas.setFocus()
        self.canvas.toggle_compare()
        self.settle()
        self.take("compare")
        self.canvas.toggle_compare()

    def recall(self) -> None:
        """The menu of an earlier picture."""
        view = self.history.view
        row = next(row for row in reversed(range(self.history.model.rowCount())) if self.history.model.picture_at(row))
        shown = view.chosen()[0]
        view.choose(self.history.model.picture_at(row).id)
        self.settle()
        menu = self.history.context_menu()
        corner = view.viewport().mapToGlobal(view.visualRect(view.currentIndex()).topRight())
        menu.popup(QPoint(corner.x() + 8, corner.y() - menu.sizeHint().height() + 40))
        self.settle()
        self.take("history")
        menu.close()
        menu.deleteLater()
        view.choose(shown.id)

    def cut_out(self) -> None:
        """The editor on a photo, a stroke in the making."""
        photo = self.state.engine.folder / self.state.engine.manifest.examples[-1].image
        before = self.state.subject
        self.program.controller.files.open([photo])
        self.wait(lambda: self.state.subject is not before and self.ready(), "the cut-out of a photo")
        self.window.editing.edit()
        self.settle()
        canvas = self.window.editor.canvas
        canvas.tools.set_tool("brush")
        width, height = self.state.subject.photo.width, self.state.subject.photo.height
        at = [canvas.viewport.to_widget(width * x, height * 0.55).toPoint() for x in (0.40, 0.44, 0.5)]
        QTest.mouseMove(canvas, at[0])
        QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=at[0])
        for point in at[1:]:
            QTest.mouseMove(canvas, point)
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=at[-1])
        self.settle(0.6)
        self.take("cutout")
        self.window.editor.discard()
        self.settle()

    def dialogs(self) -> None:
        dialogs = self.window.dialogs
        self.dialog("models", dialogs.models)
        self.dialog("settings", partial(dialogs.open_settings, "appearance"))

    def dialog(self, name: str, open_one: Callable[[], object]) -> None:
        open_one()
        self.settle(0.5)
        self.take(name)
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, QDialog):
            dialog.reject()

    def error(self) -> None:
        """A file that is no picture."""
        notes = self.program.paths.data / "shopping list.txt"
        notes.write_text("milk\n")
        self.program.controller.files.open([notes])
        self.wait(self.window.banner.isVisible, "the banner")
        self.settle()
        self.take("error", lambda: self.window.subject)  # it stands beside what it is about
        self.window.banner.dismiss()

    def small(self) -> None:
        self.window.resize(SMALL)
        self.settle(6.0)  # no toast on the picture
        self.take("small")
        self.window.resize(WIDE)


def save(image: QImage, file: Path) -> None:
    """Write a WebP: as small as a PNG with a palette, which would draw bands into what the model drew."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    picture = Image.frombytes(
        "RGB", (rgb.width(), rgb.height()), bytes(rgb.constBits()), "raw", "RGB", rgb.bytesPerLine()
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, quality=QUALITY, method=6)


def with_keys(text: str) -> str:
    """The guide with the table of keys as the code has it now."""
    before, _, rest = text.partition(KEYS_BEGIN)
    _, _, after = rest.partition(KEYS_END)
    # What one key does in two places of the window stands there twice; one row says it.
    rows = "\n".join(row for row, _ in groupby(as_markdown().strip().split("\n")))
    return f"{before}{KEYS_BEGIN}\n\n{rows}\n\n{KEYS_END}{after}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--bundle", default="mini", help="name or folder of the model that draws")
    parser.add_argument("--keys", action="store_true", help="only write the table of keys")
    arguments = parser.parse_args()
    GUIDE.write_text(with_keys(GUIDE.read_text(encoding="utf-8")), encoding="utf-8")
    if arguments.keys:
        return 0
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    with folders_of_its_own():
        application = make_application([])
        photographer = Photographer(arguments.bundle, IMAGES, PICTURES)
        try:
            photographer.run()
        finally:
            photographer.end()
            application.processEvents()
    return 0


if __name__ == "__main__":
    sys.exit(main())
