"""Placing in the window: from the mouse and the keys to the request; only where the model knows placement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.session.controller import Controller
from app.session.engine_link import Previews
from app.session.file_opener import DroppedPicture
from app.session.queue import PictureQueue
from app.session.state import SessionState
from app.session.subjects import Subjects
from app.shortcuts import TABLE
from app.store.history_store import HistoryStore
from app.store.paths import AppPaths
from app.store.settings import OFFER_PUT_AWAY
from app.window.main_window import MainWindow
from engine.bundle.manifest import BundleManifest
from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import PlacedContent
from engine.events import EngineInfo, Finished, ScalePreview, Started, Timing
from engine.placement import Placement
from engine.request import GenerationRequest
from tests.app.fake_bundle import GRIDS, bits, cut_out, fake_bundle
from tests.app.fake_link import FakeLink
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures

pytestmark = pytest.mark.usefixtures("plain_look")

LEFT = Qt.MouseButton.LeftButton
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier
BY_HAND = Placement(0.3, 0.6, 0.4, 10.0, True)


class Bench:
    """The window with an engine that only writes down what is asked."""

    def __init__(self, qtbot, tmp_path: Path, manifest: BundleManifest) -> None:
        self.qtbot, self.manifest, self.link = qtbot, manifest, FakeLink()
        self.state = SessionState()
        self.state.update_settings(panels={OFFER_PUT_AWAY: True})
        self.controller = Controller(
            self.state,
            PictureQueue(self.state, self.link),
            Subjects(self.state),
            HistoryStore(None, tmp_path / "pictures"),
        )
        self.window = MainWindow(self.state, self.controller.store, AppPaths.standard())
        self.window.complete(self.controller)
        qtbot.addWidget(self.window)
        self.state.update_engine(
            phase="ready", manifest=manifest, folder=tmp_path, info=EngineInfo(manifest.identity, "fake", "CPU")
        )
        self.state.add_subject(cut_out=cut_out(), name="box")
        self.state.update_values(prompt="a robot in the snow", seed=5)
        self.window.resize(1280, 860)
        self.window.show()
        qtbot.waitExposed(self.window)
        self.window.activateWindow()
        self.canvas, self.frame = self.window.canvas, self.window.canvas.placement.frame

    @property
    def values(self):
        return self.state.values

    def drag(self, start: tuple[float, float], dx: float, dy: float, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        a, b = QPointF(*start).toPoint(), QPointF(start[0] + dx, start[1] + dy).toPoint()
        QTest.mousePress(self.frame, LEFT, modifier, a)
        for point in ((a + b) / 2, b):
            self.move(point, modifier)
        QTest.mouseRelease(self.frame, LEFT, modifier, b)

    def move(self, point: QPoint, modifier) -> None:
        at = QPointF(point)
        event = QMouseEvent(
            QEvent.Type.MouseMove, at, self.frame.mapToGlobal(at), Qt.MouseButton.NoButton, LEFT, modifier
        )
        QApplication.sendEvent(self.frame, event)

    def key(self, key, modifier=Qt.KeyboardModifier.NoModifier) -> None:
        QTest.keyClick(self.frame, key, modifier)

    def draw(self, finish: bool = True) -> GenerationRequest:
        """Generate, and let the engine answer."""
        self.window.drawing.generate()
        return self.answer(finish)

    def answer(self, finish: bool = True) -> GenerationRequest:
        request, number = self.link.drawn[-1], len(self.link.drawn)
        self.link.started.emit(number, Started(request, GRIDS, (0.2,) * 5, len(request.kept or ())))
        self.link.preview.emit(number, ScalePreview(0, 5, GRIDS[0], np.full((8, 8, 3), 90, np.uint8), 0.1))
        if finish:
            image = np.full((64, 64, 3), 120, np.uint8)
            event = Finished(request, image, bits(number), Timing(total=1.0))
            self.link.finished.emit(number, event, Previews(number))
            self.qtbot.waitUntil(lambda: not self.controller.saving)
        return request


@pytest.fixture
def placed(tmp_path) -> BundleManifest:
    return replace(fake_bundle(tmp_path), placed_content=PlacedContent(PlacementRanges(), 1))


@pytest.fixture
def bench(qtbot, tmp_path, placed) -> Iterator[Bench]:
    bench = Bench(qtbot, tmp_path, placed)
    yield bench
    bench.window.close_panels()


def test_the_cut_out_stands_there_before_the_first_picture(bench):
    assert bench.frame.isVisible() and bench.canvas.placement.bar.isVisible()
    assert bench.canvas.placement.bar.automatic_button.isChecked()
    assert bench.frame.standing().on_ground and bench.frame.standing().in_middle
    assert bench.frame.accessibleName() == "Place of the subject"
    assert bench.frame.accessibleDescription().startswith("automatic, 50 percent from the left, stands at 88 percent")
    image = bench.canvas.canvas.grab().toImage()
    x, y = bench.frame.standing().middle
    ratio = image.devicePixelRatio()
    color = image.pixelColor(round(x * ratio), round(y * ratio))
    assert color.red() > 150 and color.green() < 80, "the cut-out, without the white around it"
    assert bench.draw().placement is None, "automatic: the seed chooses"


@pytest.mark.parametrize("locked", [False, True])
def test_what_the_photo_cuts_off_at_a_side_stands_at_that_side_of_the_stage(bench, locked: bool):
    bench.state.update_values(seed_locked=locked)
    for side in ("left", "right"):
        bench.state.add_subject(cut_out=replace(cut_out(), cut_beside=side), name=side)
        standing = bench.frame.standing()
        left, _, right, _ = standing.extent
        edges = standing.stage.x, standing.stage.x + standing.stage.width
        assert (left < edges[0] < right < edges[1]) if side == "left" else (edges[0] < left < edges[1] < right)
        assert standing.placement.turn == 0.0
    assert bench.draw().placement is None


def test_it_is_dragged_and_every_picture_has_it_there(bench):
    before = bench.frame.standing()
    bench.drag(before.middle, -60, -50)
    place = bench.values.placement
    assert place is not None and not bench.canvas.placement.bar.automatic_button.isChecked()
    after = bench.frame.standing()
    assert after.middle == pytest.approx((before.middle[0] - 60, before.middle[1] - 50), abs=1.5)
    assert bench.draw().placement == place
    assert bench.draw().placement == place
    assert bench.link.drawn[0].seed != bench.link.drawn[1].seed


def test_a_drag_snaps_and_with_ctrl_it_does_not(bench):
    bench.drag(bench.frame.standing().middle, -60, -50)
    start = bench.frame.standing()
    bench.drag(start.middle, 60 - 4, 50 - 4)
    assert bench.frame.standing().on_ground and bench.frame.standing().in_middle
    bench.drag(bench.frame.standing().middle, 5, -5, CTRL)
    assert not bench.frame.standing().on_ground and not bench.frame.standing().in_middle


def test_it_is_sized_at_a_corner_and_with_the_wheel(bench):
    standing = bench.frame.standing()
    bench.drag(standing.corners[1], -20, 20)
    assert bench.values.placement.size < standing.placement.size
    assert bench.frame.standing().corners[3] == pytest.approx(standing.corners[3], abs=0.5)
    smaller, foot, at = (
        bench.values.placement.size,
        bench.frame.standing().foot,
        QPointF(*bench.frame.standing().middle),
    )
    event = QWheelEvent(
        at,
        bench.frame.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(bench.frame, event)
    assert bench.values.placement.size > smaller and bench.frame.standing().foot == pytest.approx(foot, abs=0.1)


def test_it_is_turned_at_its_handle(bench):
    standing = bench.frame.standing()
    _, handle = standing.turn_handle((bench.frame.width(), bench.frame.height()))
    bench.drag(handle, standing.middle[0] + 90 - handle[0], standing.middle[1] - handle[1])
    assert bench.values.placement.turn == pytest.approx(90, abs=2)


def test_every_key_of_the_frame_acts(bench):
    bench.frame.setFocus()
    bench.qtbot.waitUntil(bench.frame.hasFocus)
    unit, start = bench.frame.standing().stage.unit, bench.frame.standing().foot
    bench.key(Qt.Key.Key_Left)
    assert bench.frame.standing().foot == pytest.approx((start[0] - 0.01 * unit, start[1]), abs=0.1)
    bench.key(Qt.Key.Key_Up, SHIFT)
    assert bench.frame.standing().foot == pytest.approx((start[0] - 0.01 * unit, start[1] - 0.05 * unit), abs=0.1)
    size = bench.values.placement.size
    bench.key(Qt.Key.Key_Plus)
    assert bench.values.placement.size > size
    bench.key(Qt.Key.Key_Minus)
    assert bench.values.placement.size == pytest.approx(size)
    bench.key("]")
    assert bench.values.placement.turn == 2
    bench.key("[")
    bench.key("[")
    assert bench.values.placement.turn == -2
    bench.key("U")
    assert bench.values.placement.turn == 0
    bench.key("G")
    assert bench.frame.standing().on_ground
    bench.key("M")
    assert bench.values.placement.mirrored
    assert "mirrored" in bench.frame.accessibleDescription()
    bench.key("A")
    assert bench.values.placement is None


def test_the_bar_mirrors_and_leads_back_to_automatic(bench):
    bar = bench.canvas.placement.bar
    bar.automatic_button.click()
    assert bar.automatic_button.isChecked() and bench.values.placement is None, "it stays on"
    bar.mirror_button.click()
    assert bench.values.placement.mirrored
    bar.automatic_button.click()
    assert bench.values.placement is None and bar.automatic_button.isChecked()


def test_the_menu_offers_what_the_keys_do(bench):
    menu = bench.frame.menu()
    names = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert "Mirror it" in names and "Automatic place" in names
    next(action for action in menu.actions() if action.text() == "Mirror it").trigger()
    assert bench.values.placement.mirrored
    menu.deleteLater()


def test_esc_takes_a_drag_back(bench):
    x, y = bench.frame.standing().middle
    QTest.mousePress(bench.frame, LEFT, pos=QPoint(round(x), round(y)))
    bench.move(QPoint(round(x) - 50, round(y) - 30), Qt.KeyboardModifier.NoModifier)
    assert bench.frame.is_dragged() and not bench.frame.standing().in_middle
    bench.window.drawing.stop()
    QTest.mouseRelease(bench.frame, LEFT, pos=QPoint(round(x) - 50, round(y) - 30))
    assert bench.values.placement is None and bench.frame.standing().in_middle


def test_a_locked_seed_shows_the_place_it_chooses(bench):
    bench.state.update_values(seed=77, seed_locked=True)
    request = GenerationRequest("a robot in the snow", bench.state.subject.cut_out, seed=77)
    assert bench.frame.placement() == bench.manifest.place(request)


def test_other_models_show_nothing_and_get_no_place(qtbot, tmp_path):
    bench = Bench(qtbot, tmp_path, fake_bundle(tmp_path))
    bench.state.update_values(placement=BY_HAND)
    assert not bench.frame.isVisible() and not bench.canvas.placement.bar.isVisible()
    assert bench.draw().placement is None
    assert not bench.canvas.actions_bar.place_button.isVisible()
    assert not bench.window.commands.actions["place"].isEnabled()
    bench.canvas.placement.toggle()
    assert not bench.frame.isVisible()
    bench.controller.vary(replace(bench.link.drawn[-1], placement=BY_HAND))
    assert bench.link.drawn[-1].placement is None
    bench.window.close_panels()


def test_the_frame_is_off_while_a_picture_forms(bench):
    bench.frame.setFocus()
    bench.draw(finish=False)
    assert not bench.frame.isVisible() and not bench.canvas.placement.bar.isVisible()
    assert bench.canvas.canvas.hasFocus(), "the focus stays where the frame was"
    bench.link.finished.emit(
        1, Finished(bench.link.drawn[0], np.zeros((64, 64, 3), np.uint8), bits(), Timing()), Previews(1)
    )
    assert not bench.frame.isVisible(), "a finished picture has no frame until it is asked for"
    assert bench.canvas.actions_bar.place_button.isVisible()
    bench.qtbot.waitUntil(lambda: not bench.controller.saving)


def test_one_key_shows_the_frame_where_the_picture_has_it(bench):
    request = bench.draw()
    bench.window.commands.actions["place"].trigger()
    assert bench.frame.isVisible() and bench.frame.hasFocus()
    assert not bench.canvas.actions_bar.isVisible() and bench.canvas.placement.bar.close_button.isVisible()
    assert bench.frame.placement() == bench.manifest.place(request)
    bench.window.commands.actions["place"].trigger()
    assert not bench.frame.isVisible() and bench.canvas.actions_bar.isVisible()
    bench.canvas.placement.toggle()
    bench.window.drawing.stop()  # Esc
    assert not bench.frame.isVisible()


def test_moved_over_a_picture_generate_keeps_its_seed_once(bench):
    first = bench.draw()
    bench.canvas.placement.toggle()
    bench.key(Qt.Key.Key_Left, SHIFT)
    moved = bench.values.placement
    second = bench.draw()
    assert second.placement == moved and second.seed == first.seed
    assert replace(second, placement=None) == first
    assert bench.draw().seed != first.seed, "then new seeds again"


def test_automatic_over_a_picture_draws_with_a_new_seed(bench):
    first = bench.draw()
    bench.canvas.placement.toggle()
    bench.key(Qt.Key.Key_Left, SHIFT)
    bench.canvas.placement.bar.automatic_button.click()
    second = bench.draw()
    assert second.placement is None and second.seed != first.seed


def test_a_redraw_keeps_the_place_of_its_picture(bench):
    first = bench.draw()
    bench.canvas.strip.tiles.move_handle(3)
    bench.canvas.strip.redraw()
    redrawn = bench.answer()
    assert redrawn.seed != first.seed and len(redrawn.kept) == 3
    assert redrawn.placement == bench.manifest.place(first)


def test_a_redraw_takes_a_place_that_was_moved_over_its_picture_and_no_other(bench):
    first = bench.draw()
    bench.canvas.placement.toggle()
    bench.key(Qt.Key.Key_Left, SHIFT)
    bench.canvas.strip.tiles.move_handle(2)
    bench.canvas.strip.redraw()
    assert bench.answer().placement == bench.values.placement != bench.manifest.place(first)
    # A picture of the history: the place by hand was not meant for it.
    other = replace(first, seed=99)
    bench.controller.redraw(other, bits(), 2)
    assert bench.link.drawn[-1].placement == bench.manifest.place(other)


@pytest.mark.parametrize("placement", [BY_HAND, None])
def test_recall_brings_the_place_back(bench, placement):
    bench.state.update_values(placement=Placement(0.1, 0.2, 0.3))
    request = GenerationRequest(
        "a robot in the snow", bench.state.subject.cut_out, seed=9, placement=placement, bundle=bench.manifest.identity
    )
    picture = DroppedPicture(Path("robot.png"), np.zeros((64, 64, 3), np.uint8), request, bits())
    bench.window.pictures._dropped(picture)
    assert bench.values.placement == placement
    assert bench.draw() == request or bench.link.drawn[-1].placement == placement
    assert bench.window.prompt.recall(request, "prompt") == ""


def test_a_model_without_placement_says_that_it_does_not_use_the_place(qtbot, tmp_path):
    bench = Bench(qtbot, tmp_path, fake_bundle(tmp_path))
    note = bench.window.prompt.recall(GenerationRequest("a robot", cut_out(), placement=BY_HAND))
    assert note == "The open model cannot be told where the subject stands; its place is not used."
    bench.window.close_panels()


def test_the_table_of_keys_has_the_frame(bench):
    assert "place" in bench.window.commands.actions
    bound = {action.entry.id for action in bench.frame._actions}
    assert bound == {line.id for line in TABLE if line.context == "frame" and line.keys}
