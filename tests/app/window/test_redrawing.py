"""Marking a region in the window: what is asked of the engine then, and that a large photo stays one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QLabel, QWidget

from app.canvas.results import _read
from app.editor.step_names import step_name
from app.look.pixels import to_array
from app.mask.drafts import DraftStore
from app.session.controller import Controller
from app.session.engine_link import Previews
from app.session.picture_drafts import PictureDrafts
from app.session.queue import PictureQueue
from app.session.state import Result, SessionState
from app.session.subjects import Subjects
from app.session.values import can_redraw, kept_sentence, recall, redraw
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.store.settings import OFFER_PUT_AWAY
from app.window.main_window import MainWindow
from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import PlacedContent
from engine.events import EngineInfo, Finished, Started, Timing
from engine.photo.load import load_photo, photo_from_pixels
from engine.photo.place import place_in_region
from engine.request import CutOut, GenerationRequest
from tests.app.fake_bundle import GRIDS, bits, cut_out, fake_bundle
from tests.app.fake_link import FakeLink
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures
from tests.engine.photo.test_colours import DISPLAY_P3, profile

pytestmark = pytest.mark.usefixtures("plain_look")


class Rig:
    def __init__(self, qtbot, tmp_path: Path) -> None:
        self.manifest = replace(fake_bundle(tmp_path), placed_content=PlacedContent(PlacementRanges(), 1))
        self.qtbot, self.link, self.state = qtbot, FakeLink(), SessionState()
        self.state.update_settings(panels={OFFER_PUT_AWAY: True})
        store = HistoryStore(None, tmp_path / "pictures")
        queue = PictureQueue(self.state, self.link)
        self.controller = Controller(self.state, queue, Subjects(self.state), store)
        self.window = MainWindow(self.state, store, AppPaths.standard())
        self.window.complete(self.controller)
        qtbot.addWidget(self.window)
        info = EngineInfo(self.manifest.identity, "fake", "CPU")
        self.state.update_engine(phase="ready", manifest=self.manifest, folder=tmp_path, info=info)
        self.state.add_subject(cut_out=cut_out(), name="box")
        self.state.update_values(prompt="a robot in the snow", seed=5)
        self.window.show()

    def show_picture(self) -> Result:
        request = GenerationRequest("a cat", cut_out(), seed=1, bundle=self.manifest.identity)
        result = Result(request, np.full((64, 64, 3), 90, np.uint8), bits(), grids=GRIDS)
        self.state.set_result(result)
        return result

    def mark(self, x0: int, y0: int, x1: int, y1: int) -> None:
        session = self.window.panels.region.canvas.session
        session.document.fill_area(((x0, y0), (x1, y0), (x1, y1), (x0, y1)))

    def drag(self, widget: QWidget, start: tuple[float, float], to: tuple[float, float]) -> None:
        begin, end = (QPointF(*at).toPoint() for at in (start, to))
        self.qtbot.mousePress(widget, Qt.MouseButton.LeftButton, pos=begin)
        self.qtbot.mouseMove(widget, end)
        self.qtbot.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=end)

    def finish(self, colour: int = 120) -> None:
        request, number = self.link.drawn[-1], len(self.link.drawn)
        self.link.started.emit(number, Started(request, GRIDS, (0.2,) * 5, 1))
        width, height = request.region.size
        image = request.region.lay_in(np.full((height, width, 3), colour, np.uint8), 4)
        self.link.finished.emit(number, Finished(request, image, bits(number), Timing(total=1.0)), Previews(number))
        self.qtbot.waitUntil(lambda: not self.state.jobs.busy and not self.controller.saving, timeout=30_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("redrawing")


@pytest.fixture
def rig(qtbot, folder, tmp_path) -> Iterator[Rig]:
    rig = Rig(qtbot, tmp_path)
    yield rig
    rig.window.close_panels()


def test_while_something_is_drawn_the_buttons_of_what_waits_for_it_are_off(rig):
    """They could be pressed, and did nothing."""
    rig.show_picture()
    canvas = rig.window.panels.canvas
    buttons = (canvas.strip.region_button, canvas.actions_bar.region_button, canvas.actions_bar.cut_button)
    assert all(button.isEnabled() for button in buttons)
    rig.window.redrawing.redraw_region()
    rig.mark(32, 32, 64, 64)
    rig.window.panels.region.accept()
    assert not any(button.isEnabled() for button in buttons)
    rig.finish()
    assert all(button.isEnabled() for button in buttons)


def test_without_a_cut_out_nothing_is_marked_that_could_not_be_drawn(rig):
    """The editor opened, and its button asked to draw a box around the subject: in the picture, as it seemed."""
    rig.show_picture()
    button = rig.window.panels.canvas.strip.region_button
    rig.state.update_subject(rig.state.subject.key, cut_out=None, problem="The cut-out is empty.")
    assert not button.isEnabled()
    rig.window.redrawing.redraw_region()
    assert not rig.window.panels.is_editing()
    rig.state.update_subject(rig.state.subject.key, cut_out=cut_out(), problem="")
    assert button.isEnabled()


def test_another_subject_goes_where_is_marked_in_a_picture(rig):
    rig.show_picture()
    side, redrawing = rig.window.panels.region.side, rig.window.redrawing
    redrawing.redraw_region()
    assert side.words.text().startswith("Mark what is to be drawn anew.")
    rig.window.panels.region.leave()
    other = CutOut(255 - cut_out().pixels)
    rig.state.add_subject(cut_out=other, name="another box")
    redrawing.redraw_region()
    assert side.words.text().startswith("Mark where the subject goes.")
    rig.mark(32, 32, 64, 64)
    rig.window.panels.region.accept()
    request = rig.link.drawn[-1]
    assert request.placement == place_in_region(other, request.region)


def test_a_photo_that_is_read_while_another_editor_is_open_waits_for_it(rig, qtbot):
    panels, redrawing = rig.window.panels, rig.window.redrawing
    rig.show_picture()
    redrawing.redraw_region()
    redrawing._loaded(photo_from_pixels(np.zeros((300, 400, 3), np.uint8)))
    assert panels.work_in_editor() == "Marking a region"
    panels.region.leave()
    qtbot.waitUntil(lambda: panels.work_in_editor() == "Putting the subject into a photo")
    panels.region.leave()
    qtbot.wait(50)
    assert not panels.is_editing(), "once"


def test_a_region_of_a_picture_and_a_place_in_a_photo(rig):
    panels, redrawing = rig.window.panels, rig.window.redrawing
    result = rig.show_picture()
    panels.canvas.strip.region_button.click()
    assert panels.is_editing() and panels.region.isVisible() and panels.work_in_editor() == "Marking a region"
    panels.region.accept()
    assert panels.is_editing() and "empty" in panels.region.side.message.text.text()
    rig.mark(32, 32, 64, 64)
    panels.region.scales.setValue(2)
    panels.region.accept()
    assert not panels.is_editing()
    request = rig.link.drawn[-1]
    assert request.region.whole == 2 and request.kept == result.bits and request.prompt == "a robot in the snow"
    assert request.placement == rig.manifest.place(result.request), "the subject stays where the picture has it"
    rig.finish()
    outside = request.region.mask == 0
    assert np.array_equal(rig.state.result.image[outside], result.image[outside])

    # A photo larger than the model's pictures: the thing goes into it, and it keeps its size.
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    redrawing._loaded(photo_from_pixels(pixels))
    assert panels.work_in_editor() == "Putting the subject into a photo"
    rig.mark(100, 100, 200, 220)
    panels.region.accept()
    request = rig.link.drawn[-1]
    assert request.region.size == (72, 48) and request.region.window is not None and request.placement is not None
    rig.finish()
    image = rig.state.result.image
    changed = (image != pixels).any(axis=2)
    assert image.shape == pixels.shape and changed[101:219, 101:199].mean() > 0.8
    changed[100:221, 100:201] = False
    assert not changed.any()

    # Placed by hand, as on the canvas: the region follows the thing, and marks take its place.
    redrawing._loaded(photo_from_pixels(pixels))
    editor = panels.region
    frame = editor.placing.frame
    assert frame.isVisible() and "Drag it" in editor.side.words.text()
    corner, end = editor.canvas.viewport.to_widget(0, 0), editor.canvas.viewport.to_widget(400, 300)
    before = frame.placement()
    middle = frame.standing().middle
    rig.drag(frame, middle, (middle[0] + (end.x() - corner.x()) / 4, middle[1]))
    frame.mirror()
    by_hand = frame.placement()
    assert abs(by_hand.x - before.x - 0.25) < 0.02 and by_hand.mirrored and by_hand.size == before.size
    editor.canvas.viewport.zoom_in()
    assert frame.placement() == by_hand, "zooming moves the photo and the thing together"
    rig.mark(10, 10, 60, 60)
    assert frame.isHidden() and "Mark where" in editor.side.words.text()
    editor.undo()
    assert frame.isVisible()
    editor.accept()
    drawn = rig.link.drawn[-1]
    placed, window = drawn.placement, drawn.region.window
    assert placed.mirrored and window.x + placed.x * window.width == pytest.approx(by_hand.x * 400, abs=1)
    assert placed.size * min(window.width, window.height) == pytest.approx(by_hand.size * 300, abs=1)
    rows, columns = np.nonzero(drawn.region.mask)
    assert columns.min() < placed.x * 72 < columns.max() and rows.min() < placed.y * 48 < rows.max()
    assert frame.isHidden()
    rig.finish()

    # Vary draws there again, out of what is shown.
    rig.controller.vary(rig.state.result.request)
    assert rig.link.drawn[-1].region == drawn.region
    rig.finish(200)
    assert rig.state.result.image.shape == pixels.shape

    # Placed over it on the canvas: the next picture is one of its own, and the bar says so.
    placement = rig.window.panels.canvas.placement
    placement.toggle()
    placement.frame.larger()
    assert "without the photo" in placement.bar.words.text()
    rig.controller.generate()
    assert rig.link.drawn[-1].region is None


def test_the_prompt_of_a_region_is_seen_and_written_where_the_region_is_marked(rig, qtbot):
    """Neither hidden behind the editor, where the picture of another prompt is drawn into by surprise, nor lost on the way back."""
    panels, field = rig.window.panels, rig.window.panels.region_prompt
    rig.show_picture()
    rig.window.redrawing.redraw_region()
    assert field.isVisible() and field.text() == "a robot in the snow"
    rig.mark(0, 0, 20, 20)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "a box by the sea")
    assert not panels.region.canvas.session.document.mask[30:].any(), "letters are no keys of tools in it"
    panels.region.accept()
    assert rig.link.drawn[-1].prompt == "a box by the sea" == panels.prompt.sheet.prompt.text()
    rig.finish()
    rig.window.redrawing.redraw_region()
    qtbot.keyClicks(field, "!")
    panels.region.leave()
    assert rig.state.values.prompt == panels.prompt.sheet.prompt.text() == field.text() and "!" in field.text()

    # The photo goes on behind a placed subject: no words change that.
    rig.window.redrawing._loaded(photo_from_pixels(np.zeros((300, 400, 3), np.uint8)))
    assert not field.isVisible()
    panels.region.leave()
    rig.state.update_engine(manifest=replace(rig.manifest, placed_content=None))
    rig.window.redrawing._loaded(photo_from_pixels(np.zeros((300, 400, 3), np.uint8)))
    assert field.isVisible()
    panels.region.leave()


def test_a_region_that_cannot_be_used_stays_marked_with_its_reason_beside_it(rig, qtbot):
    """It was known when the engine began: the marks were gone by then, and the queue had a picture that no try could draw."""
    panels, field = rig.window.panels, rig.window.panels.region_prompt
    region, side = panels.region, panels.region.side
    rig.show_picture()
    rig.window.redrawing.redraw_region()
    rig.mark(10, 10, 11, 64)
    region.accept()
    assert "too small" in side.message.text.text() and "8 × 8" in side.message.text.text()
    assert panels.is_editing() and region.canvas.session.document.mask.any() and not rig.link.drawn
    rig.mark(10, 10, 60, 60)
    assert not side.message.isVisible()
    field.setFocus()
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    region.accept()
    assert panels.is_editing() and "prompt" in rig.window.toast.text().lower() and not rig.link.drawn
    field.undo()
    region.accept()
    assert rig.link.drawn[-1].prompt == "a robot in the snow" == rig.state.values.prompt
    rig.finish()
    rig.window.redrawing.redraw_region()
    rig.mark(10, 10, 60, 60)
    field.selectAll()
    qtbot.keyClicks(field, "a box")
    region.accept()
    assert not panels.is_editing() and rig.link.drawn[-1].prompt == "a box"
    rig.finish()

    # A photo whose region is not a pixel of the model's picture.
    rig.window.redrawing._loaded(photo_from_pixels(np.zeros((3000, 4000, 3), np.uint8)))
    rig.mark(0, 0, 4000, 20)
    region.accept()
    assert panels.is_editing() and "too small" in side.message.text.text()
    region.leave()


def test_as_many_pictures_are_drawn_into_a_photo_as_the_panel_says(rig, qtbot, folder):
    panels, redrawing = rig.window.panels, rig.window.redrawing
    file = folder / "phone.jpg"
    wide = profile(DISPLAY_P3, None, "Display P3")
    exif = Image.Exif()
    exif[0x011A], exif[0x011B], exif[0x0128] = 240.0, 240.0, 2
    pixels = np.random.default_rng(1).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(pixels).save(file, icc_profile=wide, exif=exif, quality=95)
    own = np.asarray(Image.open(file))
    rig.state.update_values(count=3)
    rig.window.activateWindow()
    qtbot.waitUntil(rig.window.isActiveWindow)
    redrawing.open_photo(file)
    qtbot.waitUntil(panels.is_editing)
    assert panels.region.use.text() == "Draw 3 pictures here"
    rig.state.update_values(count=2)
    assert panels.region.use.text() == "Draw 2 pictures here"
    rig.mark(100, 100, 200, 220)
    panels.region.accept()
    assert rig.controller.queue.waiting == 1
    seed = rig.link.drawn[0].seed
    for number in (1, 2):
        request = rig.link.drawn[-1]
        rig.link.started.emit(number, Started(request, GRIDS, (0.2,) * 5, 1))
        image = request.region.lay_in(np.full((*request.region.mask.shape, 3), 90 * number, np.uint8), 4)
        rig.link.finished.emit(number, Finished(request, image, bits(number), Timing(total=1.0)), Previews(number))
        qtbot.waitUntil(lambda number=number: len(rig.controller.store.pictures()) == number, timeout=30_000)
    results = panels.canvas.results
    qtbot.waitUntil(results.isVisible, timeout=30_000)
    assert results.grid.hasFocus() and "press Enter" in results.words.text(), "Enter was a new line of the prompt"
    panels.prompt.focus_prompt()
    assert results.words.text() == "Click one to see it large."
    kept = rig.controller.store.pictures()
    assert {picture.seed for picture in kept} == {seed, seed + 1} and len(results.grid.pictures) == 2
    for picture in kept:
        with Image.open(picture.file) as saved:
            assert saved.info["icc_profile"] == wide and saved.info["dpi"] == pytest.approx((240, 240), abs=0.1)
            changed = (np.asarray(saved) != own).any(axis=2)
        assert changed[110:210, 110:190].mean() > 0.8
        changed[100:221, 100:201] = False
        assert not changed.any(), "in the numbers of the phone's own file"
        export = folder / "saved.jpg"
        rig.controller.export(picture.file, export, metadata=True)
        qtbot.waitUntil(export.exists, timeout=30_000)
        with Image.open(export) as saved:
            assert saved.info["icc_profile"] == wide and saved.info["dpi"] == (240, 240)
        export.unlink()
    tile = _read(kept[0].id, kept[0].file)[1]
    seen, shown = to_array(tile), load_photo(kept[0].file).rgb
    assert np.abs(seen.astype(int) - shown).max() <= 3, "on the screen in the screen's colours"

    # A region of a picture, too, and one alone is said as before.
    rig.state.update_values(count=1)
    rig.show_picture()
    redrawing.redraw_region()
    assert panels.region.use.text() == "Redraw this region"
    rig.state.update_values(count=4)
    assert panels.region.use.text() == "Redraw it 4 times"
    panels.region.leave()


def test_the_way_into_a_photo_stands_under_the_prompt(rig, qtbot, monkeypatch, folder):
    button = rig.window.panels.prompt.sheet.photo_button
    assert button.isVisibleTo(rig.window) and button.isEnabled()
    photo = folder / "place.png"
    Image.fromarray(np.full((80, 120, 3), 90, np.uint8)).save(photo)
    monkeypatch.setattr("app.window.redrawing.ask_for_photo", lambda *_: photo)
    button.click()
    qtbot.waitUntil(rig.window.panels.is_editing)
    assert rig.window.panels.region.into_photo and not button.isEnabled()
    rig.window.panels.region.leave()
    assert button.isEnabled()
    rig.window.state.remove_subject(rig.window.state.subject.key)
    assert not button.isEnabled(), "without a subject there is nothing to put there"


def test_recalling_and_redrawing_stay_in_the_region(rig):
    rig.show_picture()
    mask = np.zeros((64, 64), np.uint8)
    mask[:32] = 255
    assert rig.controller.redraw_region(rig.state.result, mask, 0)
    request = replace(rig.link.drawn[-1], bundle=rig.manifest.identity)
    values, note = recall(request, rig.state.values, "all", rig.manifest)
    assert note == "" and values.region == request.region and values.kept == request.kept
    assert "region" in kept_sentence(values.kept, values.region)
    other, note = recall(replace(request, bundle="other@1"), rig.state.values, "all", rig.manifest)
    assert other.region is None and other.kept is None and "region" in note
    again = redraw(request, bits(4), 3, 9)
    assert again.region.whole == 3 and again.kept == bits(4)
    assert can_redraw(bits(), rig.manifest, None) and not can_redraw(bits().first(2), rig.manifest, None)


def test_a_region_has_the_keys_and_words_its_hints_promise(rig):
    rig.show_picture()
    rig.window.redrawing.redraw_region()
    editor = rig.window.panels.region
    rig.mark(0, 0, 20, 20)
    rig.qtbot.waitUntil(lambda: editor.rail.acts["undo"].isEnabled())
    assert step_name("Lasso") in editor.rail.acts["undo"].toolTip()
    before = editor.canvas.overlay()
    rig.qtbot.keyClick(editor.canvas, Qt.Key.Key_O)
    assert editor.canvas.overlay() != before


def hints(region) -> str:
    return " ".join(label.text() for label in region.hints.findChildren(QLabel))


def test_what_was_marked_outlives_a_crash(rig, qtbot, folder):
    store = DraftStore(folder / "drafts")
    region, redrawing = rig.window.panels.region, rig.window.redrawing
    redrawing.set_drafts(PictureDrafts(store, rig.window))
    rig.show_picture()
    redrawing.redraw_region()
    rig.mark(8, 8, 40, 40)
    qtbot.waitUntil(lambda: len(store.names()) == 1)
    marked = region.canvas.session.document.mask.copy()

    # As after kill -9: another start with the same folder, and the same picture.
    redrawing._drafts._writer.freeze()
    region.leave()
    redrawing.set_drafts(PictureDrafts(store, rig.window))
    redrawing.redraw_region()
    session = region.canvas.session
    qtbot.waitUntil(lambda: np.array_equal(session.document.mask, marked))
    assert session.document.undo_label, "as one step that can be undone"
    assert rig.window.toast.text() == "What you marked last time is here again"
    region.accept()
    assert rig.link.drawn[-1].region.mask.any() and not store.names()

    # A place by hand is work, too, and the hints speak of it.
    rig.finish()
    photo = photo_from_pixels(np.full((300, 400, 3), 99, np.uint8))
    redrawing._loaded(photo)
    frame = region.placing.frame
    assert "Drag the subject" in hints(region)
    frame.mirror()
    frame.larger()
    by_hand = frame.placement()
    qtbot.waitUntil(lambda: len(store.names()) == 1 and store.load(next(iter(store.names()))).placement == by_hand)
    redrawing._drafts._writer.freeze()
    region.leave()
    redrawing.set_drafts(PictureDrafts(store, rig.window))
    redrawing._loaded(photo)
    assert frame.isVisible() and frame.placement() == by_hand and not region.canvas.session.document.undo_label
    assert rig.window.toast.text() == "The subject stands where you put it last time"
    frame.setFocus()
    rig.mark(10, 10, 60, 60)
    qtbot.waitUntil(lambda: "Drag the subject" not in hints(region))
    assert region.canvas.hasFocus(), "the keys go on in the photo, not in the next field"
    region.leave()
    qtbot.waitUntil(lambda: not store.names())  # also what was being written just then

    # What was let go does not come back, and another purpose has work of its own.
    rig.finish()
    redrawing.redraw_region()
    rig.mark(8, 8, 40, 40)
    qtbot.waitUntil(lambda: len(store.names()) == 1)
    region.leave()
    qtbot.waitUntil(lambda: not store.names())  # also what was being written just then
    redrawing.redraw_region()
    assert not region.canvas.session.document.mask.any()
    region.leave()
