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


class Rig:
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
def rig(qtbot, tmp_path, placed) -> Iterator[Rig]:
    rig = Rig(qtbot, tmp_path, placed)
    yield rig
    rig.window.close_panels()


def test_the_cut_out_stands_there_before_the_first_picture(rig):
    assert rig.frame.isVisible() and rig.canvas.placement.bar.isVisible()
    assert rig.canvas.placement.bar.automatic_button.isChecked()
    assert rig.frame.standing().on_ground and rig.frame.standing().in_middle
    assert rig.frame.accessibleName() == "Place of the subject"
    assert rig.frame.accessibleDescription().startswith("automatic, 50 percent from the left, stands at 88 percent")
    image = rig.canvas.canvas.grab().toImage()
    x, y = rig.frame.standing().middle
    ratio = image.devicePixelRatio()
    color = image.pixelColor(round(x * ratio), round(y * ratio))
    assert color.red() > 150 and color.green() < 80, "the cut-out, without the white around it"
    assert rig.draw().placement is None, "automatic: the seed chooses"


def test_a_new_subject_stands_at_its_own_place_and_the_one_before_where_it_was_put(rig):
    rig.state.update_values(placement=BY_HAND)
    rig.state.add_subject(cut_out=cut_out(), name="robot")
    assert rig.canvas.placement.bar.automatic_button.isChecked() and rig.frame.standing().in_middle
    assert rig.draw().placement is None
    rig.state.select_subject(0)
    assert rig.frame.placement() == BY_HAND and not rig.canvas.placement.bar.automatic_button.isChecked()
    assert rig.draw().placement == BY_HAND


@pytest.mark.parametrize("locked", [False, True])
def test_what_the_photo_cuts_off_at_a_side_stands_at_that_side_of_the_stage(rig, locked: bool):
    rig.state.update_values(seed_locked=locked)
    for side in ("left", "right"):
        rig.state.add_subject(cut_out=replace(cut_out(), cut_beside=side), name=side)
        standing = rig.frame.standing()
        left, _, right, _ = standing.extent
        edges = standing.stage.x, standing.stage.x + standing.stage.width
        assert (left < edges[0] < right < edges[1]) if side == "left" else (edges[0] < left < edges[1] < right)
        assert standing.placement.turn == 0.0
    assert rig.draw().placement is None


def test_it_is_dragged_and_every_picture_has_it_there(rig):
    before = rig.frame.standing()
    rig.drag(before.middle, -60, -50)
    place = rig.values.placement
    assert place is not None and not rig.canvas.placement.bar.automatic_button.isChecked()
    after = rig.frame.standing()
    assert after.middle == pytest.approx((before.middle[0] - 60, before.middle[1] - 50), abs=1.5)
    assert rig.draw().placement == place
    assert rig.draw().placement == place
    assert rig.link.drawn[0].seed != rig.link.drawn[1].seed


def test_a_drag_snaps_and_with_ctrl_it_does_not(rig):
    rig.drag(rig.frame.standing().middle, -60, -50)
    start = rig.frame.standing()
    rig.drag(start.middle, 60 - 4, 50 - 4)
    assert rig.frame.standing().on_ground and rig.frame.standing().in_middle
    rig.drag(rig.frame.standing().middle, 5, -5, CTRL)
    assert not rig.frame.standing().on_ground and not rig.frame.standing().in_middle


def test_it_is_sized_at_a_corner_and_with_the_wheel(rig):
    standing = rig.frame.standing()
    rig.drag(standing.corners[1], -20, 20)
    assert rig.values.placement.size < standing.placement.size
    assert rig.frame.standing().corners[3] == pytest.approx(standing.corners[3], abs=0.5)
    smaller, foot, at = (
        rig.values.placement.size,
        rig.frame.standing().foot,
        QPointF(*rig.frame.standing().middle),
    )
    event = QWheelEvent(
        at,
        rig.frame.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(rig.frame, event)
    assert rig.values.placement.size > smaller and rig.frame.standing().foot == pytest.approx(foot, abs=0.1)


def test_it_is_turned_at_its_handle(rig):
    standing = rig.frame.standing()
    _, handle = standing.turn_handle((rig.frame.width(), rig.frame.height()))
    rig.drag(handle, standing.middle[0] + 90 - handle[0], standing.middle[1] - handle[1])
    assert rig.values.placement.turn == pytest.approx(90, abs=2)


def test_every_key_of_the_frame_acts(rig):
    rig.frame.setFocus()
    rig.qtbot.waitUntil(rig.frame.hasFocus)
    unit, start = rig.frame.standing().stage.unit, rig.frame.standing().foot
    rig.key(Qt.Key.Key_Left)
    assert rig.frame.standing().foot == pytest.approx((start[0] - 0.01 * unit, start[1]), abs=0.1)
    rig.key(Qt.Key.Key_Up, SHIFT)
    assert rig.frame.standing().foot == pytest.approx((start[0] - 0.01 * unit, start[1] - 0.05 * unit), abs=0.1)
    size = rig.values.placement.size
    rig.key(Qt.Key.Key_Plus)
    assert rig.values.placement.size > size
    rig.key(Qt.Key.Key_Minus)
    assert rig.values.placement.size == pytest.approx(size)
    rig.key("]")
    assert rig.values.placement.turn == 2
    rig.key("[")
    rig.key("[")
    assert rig.values.placement.turn == -2
    rig.key("U")
    assert rig.values.placement.turn == 0
    rig.key("G")
    assert rig.frame.standing().on_ground
    rig.key("M")
    assert rig.values.placement.mirrored
    assert "mirrored" in rig.frame.accessibleDescription()
    rig.key("A")
    assert rig.values.placement is None


def test_the_bar_mirrors_and_leads_back_to_automatic(rig):
    bar = rig.canvas.placement.bar
    bar.automatic_button.click()
    assert bar.automatic_button.isChecked() and rig.values.placement is None, "it stays on"
    bar.mirror_button.click()
    assert rig.values.placement.mirrored
    bar.automatic_button.click()
    assert rig.values.placement is None and bar.automatic_button.isChecked()


def test_the_menu_offers_what_the_keys_do(rig):
    menu = rig.frame.menu()
    names = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert "Mirror it" in names and "Automatic place" in names
    next(action for action in menu.actions() if action.text() == "Mirror it").trigger()
    assert rig.values.placement.mirrored
    menu.deleteLater()


def test_esc_takes_a_drag_back(rig):
    x, y = rig.frame.standing().middle
    QTest.mousePress(rig.frame, LEFT, pos=QPoint(round(x), round(y)))
    rig.move(QPoint(round(x) - 50, round(y) - 30), Qt.KeyboardModifier.NoModifier)
    assert rig.frame.is_dragged() and not rig.frame.standing().in_middle
    rig.window.drawing.stop()
    QTest.mouseRelease(rig.frame, LEFT, pos=QPoint(round(x) - 50, round(y) - 30))
    assert rig.values.placement is None and rig.frame.standing().in_middle


def test_a_locked_seed_shows_the_place_it_chooses(rig):
    rig.state.update_values(seed=77, seed_locked=True)
    request = GenerationRequest("a robot in the snow", rig.state.subject.cut_out, seed=77)
    assert rig.frame.placement() == rig.manifest.place(request)


def test_other_models_show_nothing_and_get_no_place(qtbot, tmp_path):
    rig = Rig(qtbot, tmp_path, fake_bundle(tmp_path))
    rig.state.update_values(placement=BY_HAND)
    assert not rig.frame.isVisible() and not rig.canvas.placement.bar.isVisible()
    assert rig.draw().placement is None
    assert not rig.canvas.actions_bar.place_button.isVisible()
    assert not rig.window.commands.actions["place"].isEnabled()
    rig.canvas.placement.toggle()
    assert not rig.frame.isVisible()
    rig.controller.vary(replace(rig.link.drawn[-1], placement=BY_HAND))
    assert rig.link.drawn[-1].placement is None
    rig.window.close_panels()


def test_the_frame_is_off_while_a_picture_forms(rig):
    rig.frame.setFocus()
    rig.draw(finish=False)
    assert not rig.frame.isVisible() and not rig.canvas.placement.bar.isVisible()
    assert rig.canvas.canvas.hasFocus(), "the focus stays where the frame was"
    rig.link.finished.emit(
        1, Finished(rig.link.drawn[0], np.zeros((64, 64, 3), np.uint8), bits(), Timing()), Previews(1)
    )
    assert not rig.frame.isVisible(), "a finished picture has no frame until it is asked for"
    assert rig.canvas.actions_bar.place_button.isVisible()
    rig.qtbot.waitUntil(lambda: not rig.controller.saving)


def test_one_key_shows_the_frame_where_the_picture_has_it(rig):
    request = rig.draw()
    rig.window.commands.actions["place"].trigger()
    assert rig.frame.isVisible() and rig.frame.hasFocus()
    assert not rig.canvas.actions_bar.isVisible() and rig.canvas.placement.bar.close_button.isVisible()
    assert rig.frame.placement() == rig.manifest.place(request)
    rig.window.commands.actions["place"].trigger()
    assert not rig.frame.isVisible() and rig.canvas.actions_bar.isVisible()
    rig.canvas.placement.toggle()
    rig.window.drawing.stop()  # Esc
    assert not rig.frame.isVisible()


def test_moved_over_a_picture_generate_keeps_its_seed_once(rig):
    first = rig.draw()
    rig.canvas.placement.toggle()
    rig.key(Qt.Key.Key_Left, SHIFT)
    moved = rig.values.placement
    second = rig.draw()
    assert second.placement == moved and second.seed == first.seed
    assert replace(second, placement=None) == first
    assert rig.draw().seed != first.seed, "then new seeds again"


def test_automatic_over_a_picture_draws_with_a_new_seed(rig):
    first = rig.draw()
    rig.canvas.placement.toggle()
    rig.key(Qt.Key.Key_Left, SHIFT)
    rig.canvas.placement.bar.automatic_button.click()
    second = rig.draw()
    assert second.placement is None and second.seed != first.seed


def test_a_redraw_keeps_the_place_of_its_picture(rig):
    first = rig.draw()
    rig.canvas.strip.tiles.move_handle(3)
    rig.canvas.strip.redraw()
    redrawn = rig.answer()
    assert redrawn.seed != first.seed and len(redrawn.kept) == 3
    assert redrawn.placement == rig.manifest.place(first)


def test_a_redraw_takes_a_place_that_was_moved_over_its_picture_and_no_other(rig):
    first = rig.draw()
    rig.canvas.placement.toggle()
    rig.key(Qt.Key.Key_Left, SHIFT)
    rig.canvas.strip.tiles.move_handle(2)
    rig.canvas.strip.redraw()
    assert rig.answer().placement == rig.values.placement != rig.manifest.place(first)
    # A picture of the history: the place by hand was not meant for it.
    other = replace(first, seed=99)
    rig.controller.redraw(other, bits(), 2)
    assert rig.link.drawn[-1].placement == rig.manifest.place(other)


@pytest.mark.parametrize("placement", [BY_HAND, None])
def test_recall_brings_the_place_back(rig, placement):
    rig.state.update_values(placement=Placement(0.1, 0.2, 0.3))
    request = GenerationRequest(
        "a robot in the snow", rig.state.subject.cut_out, seed=9, placement=placement, bundle=rig.manifest.identity
    )
    picture = DroppedPicture(Path("robot.png"), np.zeros((64, 64, 3), np.uint8), request, bits())
    rig.window.pictures._dropped(picture)
    assert rig.values.placement == placement
    assert rig.draw() == request or rig.link.drawn[-1].placement == placement
    assert rig.window.prompt.recall(request, "prompt") == ""


def test_a_model_without_placement_says_that_it_does_not_use_the_place(qtbot, tmp_path):
    rig = Rig(qtbot, tmp_path, fake_bundle(tmp_path))
    note = rig.window.prompt.recall(GenerationRequest("a robot", cut_out(), placement=BY_HAND))
    assert note == "The open model cannot be told where the subject stands; its place is not used."
    rig.window.close_panels()


def test_the_table_of_keys_has_the_frame(rig):
    assert "place" in rig.window.commands.actions
    bound = {action.entry.id for action in rig.frame._actions}
    assert bound == {line.id for line in TABLE if line.context == "frame" and line.keys}
