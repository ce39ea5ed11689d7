"""Brings the real window into its states, one after the other, for those who look at them and for the snapshots."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QImage, QTransform
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog

from app.look.controls import PlainButton
from app.models.dialog import ModelsDialog
from app.resources import resource
from app.shortcuts import keymap
from docs.camera import Camera
from engine.bundle.library import models_folder
from engine.device.devices import GIB, Device
from engine.errors import BundleError
from engine.request import GenerationRequest
from engine.sentence import Sentence
from tests.pixels.model_states import ShownStore, states
from tests.pixels.painted import ENGINE, GRIDS, HOLD, SIDE, coarse, paint, write_painted_bundle

LEFT = Qt.MouseButton.LeftButton
CARD = Device("cuda", "NVIDIA RTX 4070", 12 * GIB, 11 * GIB, half=True)
"""What the offer of the large model speaks of, whatever this computer has."""
Take = Callable[[str, str, QImage], None]


class Walk(Camera):
    """The window with a painted model.

    Args:
        take: gets the name of a state, the theme, and the picture.
        themes: the themes to take every state in.
        only: names of states; a name that ends in "-" takes all that begin so. Nothing takes all.
    """

    def __init__(
        self,
        take: Take,
        themes: Collection[str] = ("light", "dark"),
        size: QSize | None = None,
        only: Collection[str] = (),
        **settings,
    ) -> None:
        folder = models_folder() / "painted"
        write_painted_bundle(folder)
        self._take, self._themes, self._only = take, tuple(themes), tuple(only)
        super().__init__(size or QSize(1440, 900), str(folder), ENGINE, theme=self._themes[0], **settings)
        downloads = self.window.dialogs.downloads
        downloads.find_device = lambda: downloads._device_found(CARD)
        downloads.device = CARD
        self._models = ShownStore()
        downloads._take(self._models)

    def wanted(self, name: str) -> bool:
        return not self._only or any(name.startswith(o) if o.endswith("-") else name == o for o in self._only)

    def any_wanted(self, *beginnings: str) -> bool:
        """Whether a state is wanted whose name begins so."""
        return not self._only or any(name.startswith(beginnings) for name in self._only)

    def shot(self, name: str) -> None:
        if self.wanted(name):
            # The theme in force first: dressing the window anew is what takes the time.
            for theme in sorted(self._themes, key=lambda theme: theme != self.state.settings.theme):
                self.state.update_settings(theme=theme)
                self.settle(0.1)
                self._take(name, theme, self.picture())

    # Using the program

    def example(self, index: int, prompt: str = "") -> None:
        """Take an example of the model as a person does who clicks it."""
        example, folder = self.state.engine.manifest.examples[index], self.state.engine.folder
        self.window.subject.open_example(folder / example.image, example.subject_name, example.seed)
        self.wait(lambda: self.ready() and self.state.subject.name == example.subject_name, "the cut-out of an example")
        self.state.update_values(prompt=prompt or example.prompt)

    def photo(self, name: str) -> None:
        """Open a photo of one's own."""
        before = self.state.subject
        self.program.controller.files.open([resource("examples", name)])
        self.wait(lambda: self.state.subject is not before and self.ready(), "the cut-out of a photo")

    def draw(self, seed: int) -> None:
        self.state.update_values(seed=seed, seed_locked=True)
        self.window.drawing.generate()
        self.idle()
        self.settle(0.2)

    def quiet(self) -> None:
        """No toast, no banner."""
        self.window.toast.hide()
        if self.window.banner.isVisible():
            self.window.banner.dismiss()

    # The states

    def run(self) -> None:
        """Walk through all states that are wanted."""
        self.wait(lambda: self.state.engine.phase == "ready" and self.ready(), "the model and the example's cut-out")
        self.wait(lambda: self.program.begun, "the end of the start")
        self.wait(lambda: self.state.prepared is not None, "the encoded prompt")
        self.settle()
        self.shot("start")
        self.fill()
        self.drawing()
        self.finished()
        self.ideas()
        if self.any_wanted("history", "trash"):
            self.history()
        if self.any_wanted("gallery", "screen", "results", "queue"):
            self.many()
        if self.any_wanted("region", "list", "presets", "larger"):
            self.ways()
        if self.any_wanted("prompt"):
            self.prompts()
        if self.any_wanted("engine"):
            self.engine()
        self.errors()
        self.subject()
        if self.any_wanted("editor"):
            self.editor()
        self.dialogs()
        self.small()
        self.large_text()

    def fill(self) -> None:
        """Some pictures of an afternoon."""
        for index, prompt, seeds in (
            (1, "a robot toy in the snow", (11,)),
            (2, "a colorful sneaker on top of pink fabric", (12,)),
            (2, "a colorful sneaker in the jungle", (13, 14)),
            (0, "a duck toy in the jungle", (15,)),
            (0, "a duck toy on the beach", (16, 17)),
        ):
            self.example(index, prompt)
            for seed in seeds:
                self.draw(seed)
        self.program.store.star([2], True)
        self.window.history.reload()

    def drawing(self) -> None:
        strip = self.window.canvas.strip.model
        for scales in (1, 5, 9, 12):
            name = f"drawing-{scales}"
            if self.wanted(name):
                self.state.update_values(seed=HOLD + scales, seed_locked=True)
                self.window.drawing.generate()
                self.wait(lambda n=scales: strip.drawing and strip.image(n - 1) is not None, name)
                self.shot(name)
                self.window.drawing.stop()
                self.idle()
        self.shot("stopped")
        if self.wanted("drawing-queue"):
            self.state.update_values(seed=HOLD + 8, seed_locked=True, count=4)
            self.window.drawing.generate()
            self.wait(lambda: strip.drawing and strip.image(7) is not None, "the first of four")
            self.shot("drawing-queue")
            self.state.update_values(count=1)
            self.window.drawing.stop()
            self.idle()

    def finished(self) -> None:
        self.draw(20)
        self.quiet()
        self.shot("finished")
        strip, canvas = self.window.canvas.strip, self.window.canvas
        strip.tiles.move_handle(6)
        self.shot("redraw")
        strip.tiles.move_handle(strip.model.count)
        canvas.toggle_compare()
        self.shot("compare")
        canvas.toggle_compare()
        self.state.update_values(seed_locked=False)

    def ideas(self) -> None:
        if self.wanted("ideas"):
            canvas = self.window.canvas
            requests: list = []
            self.program.controller.ideasBegun.connect(requests.extend)
            self.window.drawing.draw_ideas()
            self.idle()
            for number, request in enumerate(
                requests
            ):  # the seeds are drawn by lot: show four that are always the same
                canvas.ideas.show_preview(number, _idea(request.with_seed(30 + number)))
            self.shot("ideas")
            canvas.close_ideas()

    def history(self) -> None:
        panel, view = self.window.history, self.window.history.view
        pictures = list(panel.model.pictures())
        view.choose(pictures[1].id)
        self.settle(0.1)
        view.selectionModel().select(
            panel.model.index(panel.model.row_of(pictures[-2].id)), view.selectionModel().SelectionFlag.Select
        )
        self.shot("history-two")
        panel.commands.compare()
        self.settle(0.4)
        self.shot("history-compare")
        self.window.canvas.toggle_compare()
        for name, picture in (("history-menu", pictures[0]), ("history-menu-oldest", pictures[-1])):
            if self.wanted(name):
                view.choose(picture.id)
                menu = panel.context_menu()
                corner = view.viewport().mapToGlobal(view.visualRect(view.currentIndex()).topRight())
                menu.popup(QPoint(corner.x() + 8, corner.y() - menu.sizeHint().height() + 40))
                self.settle(0.2)
                self.shot(name)
                menu.close()
                menu.deleteLater()
        self.window.panels.search_history()
        for name, words in (("history-search", "jungle"), ("history-nothing", "elephant")):
            panel.field.setText(words)
            self.settle(0.3)
            self.shot(name)
        panel.search_button.setChecked(False)
        self.program.store.star([2], False)
        panel.star_button.setChecked(True)
        self.shot("history-unstarred")
        panel.star_button.setChecked(False)
        if self.wanted("history-missing"):
            away = [(picture.file, picture.file.with_suffix(".away")) for picture in (pictures[2], pictures[5])]
            for file, elsewhere in away:
                file.rename(elsewhere)
            panel.commands.check_files()
            self.wait(lambda: len(panel.model.missing) == 2, "files that are missing")
            self.shot("history-missing")
            for file, elsewhere in away:
                elsewhere.rename(file)
            panel.commands.check_files()
        view.choose(pictures[2].id)
        panel.commands.delete()
        self.settle(0.1)
        self.shot("trash")
        panel.commands.undo_delete()
        self.quiet()
        panel.commands.check_files()

    def many(self) -> None:
        """What shows many pictures, and one picture alone."""
        window, queue = self.window, self.window.panels.queue
        window.gallery_page.toggle()
        self.settle(0.5)
        self.shot("gallery")
        self.window.panels.gallery.field.setText("elephant")
        self.settle(0.5)
        self.shot("gallery-nothing")
        self.window.panels.gallery.field.clear()
        window.gallery_page.leave()
        window.full_screen.open_shown()
        self.settle(0.4)
        self.shot("screen")
        screen = window.full_screen.screen
        assert screen is not None
        screen.close()
        pictures = list(window.history.model.pictures())
        window.history.view.choose(pictures[0].id)
        window.history.view.selectAll()
        window.side_by_side.toggle()
        self.settle(0.6)
        self.shot("results")
        window.side_by_side.toggle()
        window.history.view.choose(pictures[0].id)
        self.settle(0.3)
        queue.toggle()
        self.shot("queue-empty")
        self.state.update_values(seed=HOLD + 8, seed_locked=True, count=4)
        window.drawing.generate()
        self.wait(lambda: window.canvas.strip.model.image(7) is not None and self.state.jobs.busy, "the first of four")
        queue.move_down()
        self.settle(0.3)
        self.shot("queue")
        self.program.controller.queue.pause()
        self.settle(0.3)
        self.shot("queue-paused")
        queue.put_away()
        window.drawing.stop()
        self.idle()
        self.program.controller.queue.drop_held()
        self.state.update_values(count=1, seed_locked=False)
        self.quiet()

    def ways(self) -> None:
        """Ways to a picture that open over the window."""
        window = self.window
        self.draw(20)
        self.quiet()
        window.redrawing.redraw_region()
        self.settle(0.4)
        self.shot("region")
        canvas = window.panels.region.canvas
        at = [canvas.viewport.to_widget(SIDE * x, SIDE * 0.3).toPoint() for x in (0.2, 0.3, 0.4)]
        QTest.mousePress(canvas, LEFT, pos=at[0])
        for point in at[1:]:
            QTest.mouseMove(canvas, point)
        QTest.mouseRelease(canvas, LEFT, pos=at[-1])
        self.settle(0.3)
        self.shot("region-marked")
        window.panels.region.leave()
        window.redrawing.open_photo(resource("examples", "colorful_sneaker.webp"))
        self.wait(window.panels.is_marking, "the photo that the subject goes into")
        self.settle(0.4)
        self.shot("region-photo")
        window.panels.region.leave()
        window.listing.set_text("a duck toy in the snow\na duck toy on the beach\n\na duck toy in the city at night")
        self.dialog("list", window.listing.open, 0.5)
        window.presets.keep("Close to the photo")
        window.presets.keep("Free & wild")
        self.quiet()
        window.presets.show_menu()
        self.settle(0.2)
        self.shot("presets")
        while (menu := QApplication.activePopupWidget()) is not None:
            menu.close()
        self.dialog("presets-name", window.presets.ask_and_keep)
        self.dialog("larger", partial(window.larger.ask, 2), 0.5)

    def photos(self) -> None:
        """Several photos of one subject, and a shelf of subjects."""
        assert self.state.subject is not None
        card = self.state.subject.card
        robot = QImage(str(resource("examples", "robot_toy.webp")))
        for count, angle in ((2, 12), (3, -9), (4, 5)):
            turned = robot.transformed(QTransform().rotate(angle))
            self.program.controller.subjects.reading.add_photos(card, [turned], "robot")
            self.wait(lambda n=count: len(self.state.photos) == n and self.ready(), "another photo of the subject")
        self.photo("duck_toy.webp")
        self.state.select_subject(0)
        self.settle(0.4)
        if self.window.left.is_narrow():
            self.window.left.open_panel()
            self.settle(0.3)
        self.shot("photos")
        bar = self.window.subject._scroll.verticalScrollBar()
        bar.setValue(bar.maximum())
        self.shot("shelf")
        bar.setValue(0)
        thumb = self.window.subject.photos.thumbs[1]
        menu = thumb.menu()
        menu.popup(thumb.mapToGlobal(QPoint(30, 30)))
        self.settle(0.2)
        self.shot("photos-menu")
        menu.close()
        if self.window.left.is_narrow():
            self.window.left.close_panel()

    def prompts(self) -> None:
        sheet = self.window.prompt.sheet
        before = sheet.open_sections()
        self.state.update_values(prompt="a duck toy riding a zeppelin over the fjord at night")
        self.settle(0.4)
        self.shot("prompt-unknown")
        self.state.update_values(prompt="a duck toy on the beach with a red duck and a blue duck and a pink toy " * 3)
        self.settle(0.6)
        self.shot("prompt-long")
        self.state.update_values(prompt="")
        self.settle(0.2)
        self.shot("prompt-empty")
        self.state.update_values(prompt="a duck toy on the beach")
        sheet.set_open_sections(dict.fromkeys(before, True))
        self.settle(0.3)
        self.shot("prompt-open")
        sheet.set_open_sections(before)
        if self.wanted("prompt-earlier"):
            sheet.history_button.click()
            self.settle(0.2)
            self.shot("prompt-earlier")
            while (menu := QApplication.activePopupWidget()) is not None:
                menu.close()

    def engine(self) -> None:
        """The model on its way, and one that cannot be opened."""
        before = self.state.engine
        self.state.update_engine(phase="loading", fraction=0.62, text="Reading the weights", info=None)
        self.shot("engine-loading")
        self.state.update_engine(phase="failed", fraction=0.0)
        self.program.controller.failed.emit(
            BundleError(
                Sentence.row("The file transformer.safetensors of Painted is cut off."),
                Sentence.row("Get the model again."),
            ),
            "",
        )
        self.shot("engine-failed")
        self.state.update_engine(phase=before.phase, fraction=before.fraction, text=before.text, info=before.info)
        self.quiet()

    def errors(self) -> None:
        notes = self.program.paths.data / "shopping list.txt"
        notes.write_text("milk\n")
        self.program.controller.files.open([notes])
        self.wait(self.window.banner.isVisible, "the banner")
        self.shot("error-file")
        self.quiet()
        self.state.update_values(prompt="a duck toy in the memory", seed_locked=False)
        self.settle(0.3)
        self.window.drawing.generate()
        self.wait(self.window.banner.isVisible, "the banner")
        self.settle(0.2)
        self.shot("error")
        if self.wanted("error-details"):
            self.window.banner.details_button.click()
            self.shot("error-details")
        self.quiet()
        self.state.update_values(prompt="a duck toy on the beach")
        self.settle(0.4)

    def subject(self) -> None:
        if self.wanted("drop"):
            self.window.drop_frame.show_text("Drop to use this photo")
            self.shot("drop")
            self.window.drop_frame.hide()
        self.photo("robot_toy.webp")
        self.settle()
        self.shot("photo")
        if self.wanted("finding"):
            subject = self.state.subject
            self.state.update_subject(subject.key, finding=True, cut_out=None, mask=None)
            self.shot("finding")
            self.state.update_subject(subject.key, finding=False, cut_out=subject.cut_out, mask=subject.mask)
        for overlay in ("outline", "model"):
            self.window.subject.next_overlay()
            self.shot(f"photo-{overlay}")
        self.window.subject.next_overlay()
        if self.window.left.is_narrow():
            self.window.left.open_panel()
            self.settle(0.3)
            self.shot("photo-panel")
            self.window.left.close_panel()
        if self.any_wanted("photos", "shelf"):
            self.photos()

    def editor(self) -> None:
        self.window.editing.edit()
        self.settle(0.4)
        canvas, editor = self.window.editor.canvas, self.window.editor
        photo = self.state.subject.photo

        def at(x: float, y: float) -> QPoint:
            return canvas.viewport.to_widget(photo.width * x, photo.height * y).toPoint()

        strokes = {
            "box": ((0.18, 0.06), (0.5, 0.5), (0.84, 0.93)),
            "lasso": ((0.74, 0.3), (0.86, 0.3), (0.84, 0.5), (0.72, 0.46)),
            "eraser": ((0.6, 0.8), (0.66, 0.72), (0.7, 0.66)),
            "brush": ((0.22, 0.8), (0.26, 0.86), (0.33, 0.9)),
        }
        for tool in ("select", "box", "lasso", "hand", "eraser", "brush"):
            canvas.tools.set_tool(tool)
            stroke = strokes.get(tool, ())
            if stroke:
                QTest.mouseMove(canvas, at(*stroke[0]))
                QTest.mousePress(canvas, LEFT, pos=at(*stroke[0]))
                for point in stroke[1:]:
                    QTest.mouseMove(canvas, at(*point))
            elif tool == "select":
                QTest.mouseClick(canvas, LEFT, pos=at(0.5, 0.5))
                QTest.mouseClick(canvas, LEFT, Qt.KeyboardModifier.ShiftModifier, at(0.1, 0.15))
                self.answered()
            self.settle(0.2)
            self.shot(f"editor-{tool}")
            if stroke:
                QTest.mouseRelease(canvas, LEFT, pos=at(*stroke[-1]))
                self.answered()
        self.shot("editor")
        for overlay in ("outline", "model"):
            canvas.set_overlay(overlay)
            self.settle(0.2)
            self.shot(f"editor-{overlay}")
        canvas.set_overlay("tint")
        editor.discard()
        self.settle(0.2)
        self.quiet()

    def answered(self) -> None:
        """Until the editor has the cut-out that was asked for, and what the model would see of it."""
        session = self.window.editor._session
        self.wait(lambda: not session.asking and not session.waiting and not session.busy, "the cut-out asked for")
        self.settle(0.3)

    def dialogs(self) -> None:
        dialogs = self.window.dialogs
        for page in ("model", "pictures", "appearance", "keys"):
            self.dialog(f"settings-{page}", partial(dialogs.open_settings, page))
        keymap.set_keys("copy", ("Ctrl+V",))
        self.dialog("settings-conflict", partial(dialogs.open_settings, "keys"))
        keymap.reset()
        self.dialog("models", dialogs.models, 1.0)
        self.dialog("models-licences", self.licences, 0.5)
        self.dialog("models-licence-text", partial(self.licences, read=True), 0.5)
        for name, shown in states(self._models).items() if self.any_wanted("models-") else ():
            self._models.show(*shown)
            self.dialog(name, dialogs.models, 0.5)
        self._models.show()
        self.dialog("help", dialogs.help)
        self.dialog("about", dialogs.about)
        if self.wanted("menu"):
            self.window.top_bar.open_menu()
            self.settle(0.2)
            self.shot("menu")
            self.window.commands.menu.close()

    def dialog(self, name: str, open_one: Callable[[], object], seconds: float = 0.3) -> None:
        """A dialog, and its picture in every theme: it follows the theme while it is open."""
        if self.wanted(name):
            open_one()
            self.settle(seconds)
            self.shot(name)
            while isinstance(dialog := QApplication.activeModalWidget(), QDialog):
                dialog.reject()

    def licences(self, read: bool = False) -> None:
        """What is accepted before EchoGen 2B is fetched, or the first of its licences in full."""
        self.window.dialogs.models()
        models = QApplication.activeModalWidget()
        assert isinstance(models, ModelsDialog)
        card = models.cards["echogen-2b"]
        card.begin()
        self.settle(0.3)
        if read and card.sheet is not None:
            next(button for button in card.sheet.findChildren(PlainButton) if button.property("licence")).click()

    def small(self) -> None:
        if self.wanted("small"):
            before = self.window.size()
            self.window.resize(QSize(960, 640))
            self.settle(0.5)
            self.shot("small")
            self.window.resize(before)

    def large_text(self) -> None:
        """The largest text, which leaves less room for everything else."""
        if not self.any_wanted("large-text"):
            return
        self.state.update_settings(text_scale=1.5)
        self.settle(0.5)
        self.shot("large-text")
        sheet = self.window.prompt.sheet
        before = sheet.open_sections()
        sheet.set_open_sections(dict.fromkeys(before, True))
        self.settle(0.3)
        self.shot("large-text-open")
        sheet.set_open_sections(before)
        self.window.editing.edit()
        self.settle(0.4)
        self.shot("large-text-editor")
        self.window.editing.leave()
        dialogs = self.window.dialogs
        self.dialog("large-text-models", dialogs.models, 0.5)
        self.dialog("large-text-keys", partial(dialogs.open_settings, "keys"))
        self.dialog("large-text-help", dialogs.help)
        self.state.update_settings(text_scale=1.0)
        self.settle(0.3)


def _idea(request: GenerationRequest) -> np.ndarray:
    """What an idea looks like when its coarse scales are drawn."""
    return np.asarray(coarse(paint(request), GRIDS[7][0]))


def save(image: QImage, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(str(file))
