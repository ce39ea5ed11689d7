"""The strip of a picture of the history: filled from memory, from the store, else by the engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.canvas.panel import CanvasPanel
from app.session.queue import Generation
from app.session.state import Result, SessionState
from app.store.history_store import HistoryStore
from app.window.strip_pictures import ScalePictures
from engine.events import EngineInfo, Finished, Started, Timing
from engine.request import GenerationRequest, ScaleBits
from tests.app.fake_link import FakeLink
from tests.app.look_fixture import dressed, plain_look

__all__ = ["dressed", "plain_look"]
pytestmark = pytest.mark.usefixtures("plain_look")

GRIDS = tuple((n, n) for n in (1, 2, 3, 5))
HERE = "mini@0123456789ab"


def plain(value: int) -> np.ndarray:
    return np.full((32, 32, 3), value, np.uint8)


def bits_of(seed: int) -> ScaleBits:
    random = np.random.default_rng(seed)
    return ScaleBits(tuple(random.integers(0, 2, (h, w, 4), dtype=np.uint8) for h, w in GRIDS))


class Desk:
    """State, canvas, store and link around ``ScalePictures``."""

    def __init__(self, folder: Path, panel: CanvasPanel) -> None:
        self.state, self.link, self.panel = SessionState(), FakeLink(), panel
        self.store = HistoryStore(folder / "history.sqlite", folder)
        self.generation = Generation(self.state, self.link)
        self.scales = ScalePictures(self.state, self.generation, panel, self.store)
        self.open()

    def open(self, bundle: str = HERE) -> None:
        self.state.update_engine(phase="ready", info=EngineInfo(bundle, "/mini", "CPU"))

    def add(self, seed: int) -> int:
        request = GenerationRequest("a", seed=seed, bundle=HERE)
        return self.store.add(self.store.folder / f"{seed}.png", request, plain(200), 1.0).id

    def show(self, bits: ScaleBits, picture: int | None = None, bundle: str = HERE) -> None:
        request = GenerationRequest("a", size=(32, 32), bundle=bundle)
        self.state.set_result(Result(request, plain(200), bits, picture=picture, file=Path("/nowhere/a.png")))
        self.panel.show_picture(plain(200), request, bits)

    @property
    def shown(self) -> list[int | None]:
        return [None if image is None else int(image[0, 0, 0]) for image in self.panel.strip.model.images]


@pytest.fixture
def desk(qtbot, tmp_path) -> Desk:
    panel = CanvasPanel()
    qtbot.addWidget(panel)
    desk = Desk(tmp_path, panel)
    yield desk
    desk.store.close()


def test_tiles_fill_when_the_engine_answers(desk, qtbot):
    bits, picture = bits_of(1), desk.add(1)
    desk.scales.opened(bits, ())
    desk.show(bits, picture)
    assert [(b, r.size, r.bundle) for b, r in desk.link.asked] == [(bits, (32, 32), HERE)]
    assert desk.shown == [None, None, None, 200]
    desk.link.answer(1, 10, 20, 30, 40)
    assert desk.shown == [10, 20, 30, 200], "the last tile is the picture, not a preview of it"
    qtbot.waitUntil(lambda: len(desk.store.scales(picture)) == 4)
    assert abs(int(desk.store.scales(picture)[1].mean()) - 20) <= 2, "and they are kept beside the history"


def test_only_the_picture_that_is_shown_gets_the_answer(desk):
    first, second = bits_of(1), bits_of(2)
    desk.show(first)
    desk.show(second)
    desk.link.answer(1, 10, 20, 30, 40)
    assert desk.shown == [None, None, None, 200], "two wishes: the first is out of date"
    desk.link.answer(2, 11, 21, 31, 41)
    assert desk.shown == [11, 21, 31, 200]
    desk.show(second)
    assert desk.shown == [11, 21, 31, 200] and len(desk.link.asked) == 2, "nothing is asked twice"


def test_an_answer_never_lands_in_a_picture_that_forms(desk):
    desk.show(bits_of(1))
    desk.panel.started(Started(GenerationRequest("b"), GRIDS, (0.25,) * 4), (32, 32))
    desk.link.answer(1, 10, 20, 30, 40)
    assert desk.shown == [None] * 4


def test_what_the_store_knows_is_not_asked(desk):
    bits = bits_of(1)
    desk.scales.remember(bits, (plain(1), None, plain(3), plain(4)))
    desk.show(bits)
    assert desk.shown == [1, None, 3, 200]
    desk.link.answer(1, 10, 20, 30, 40)
    assert desk.shown == [1, 20, 3, 200], "only what was missing"


def test_a_picture_opened_before_the_model_is_asked_for_when_it_is_there(desk):
    desk.state.update_engine(phase="loading", info=None)
    desk.show(bits_of(1))
    assert desk.link.asked == []
    desk.open()
    assert len(desk.link.asked) == 1
    desk.state.update_engine(fraction=0.5)
    assert len(desk.link.asked) == 1, "not again and again"
    desk.state.update_engine(phase="loading")
    desk.open()
    assert len(desk.link.asked) == 2, "the engine that was asked is gone"


def test_a_picture_of_another_model_stays_with_its_bits(desk):
    desk.show(bits_of(1), bundle="other@0123456789ab")
    assert desk.link.asked == []
    desk.open("other@0123456789ab")
    assert len(desk.link.asked) == 1


def test_an_empty_answer_leaves_the_tiles_empty(desk):
    desk.show(bits_of(1))
    desk.link.answer(1)
    desk.state.update_engine(fraction=0.5)
    assert desk.shown == [None, None, None, 200] and len(desk.link.asked) == 1


def test_kept_scales_look_as_in_the_picture_they_come_from(desk, qtbot):
    before = bits_of(1)
    desk.scales.remember(before, tuple(plain(value) for value in (1, 2, 3, 4)))
    after = ScaleBits((*before.scales[:2], *bits_of(2).scales[2:]))
    request = GenerationRequest("a", kept=before.first(2))
    finished = Finished(request, plain(200), after, Timing())
    desk.state.set_result(Result(request, plain(200), after))
    desk.generation.finished.emit(finished, (None, None, plain(33), plain(44)))
    desk.panel.set_grids(GRIDS)
    desk.panel.finished(finished, (None, None, plain(33), plain(44)))
    assert desk.shown == [1, 2, 33, 200] and desk.link.asked == []
    picture = desk.add(7)
    desk.state.set_result(Result(request, plain(200), after, picture=picture))
    qtbot.waitUntil(lambda: len(desk.store.scales(picture)) == 4)


def test_a_picture_that_begins_with_kept_scales_shows_them(desk):
    source, other = bits_of(1), bits_of(2)
    desk.scales.remember(source, tuple(plain(value) for value in (1, 2, 3, 4)))
    desk.scales.remember(other, tuple(plain(value) for value in (5, 6, 7, 8)))
    for shown in (other, source):
        desk.show(shown)
        event = Started(GenerationRequest("a", kept=source.first(2)), GRIDS, (0.25,) * 4, 2)
        desk.panel.started(event, (32, 32))
        desk.generation.started.emit(event)
        assert desk.shown == [1, 2, None, None], "never those of a picture that happened to be shown"


def test_what_memory_adds_to_the_history_is_kept_there(desk, qtbot):
    bits, picture = bits_of(1), desk.add(1)
    desk.scales.remember(bits, (plain(1), plain(2), plain(3), plain(4)))
    desk.scales.opened(bits, (None, None, plain(3), plain(4)))
    desk.show(bits, picture)
    assert desk.shown == [1, 2, 3, 200] and desk.link.asked == []
    qtbot.waitUntil(lambda: len(desk.store.scales(picture)) == 4)


def test_what_the_history_has_is_not_written_again(desk, monkeypatch):
    bits, picture = bits_of(1), desk.add(1)
    monkeypatch.setattr("app.window.strip_pictures.background.run", lambda *_: pytest.fail("nothing is to be kept"))
    desk.scales.opened(bits, (plain(1), plain(2), plain(3), plain(4)))
    desk.show(bits, picture)
    assert desk.shown == [1, 2, 3, 200]


def test_pictures_too_old_for_the_store_are_painted_and_not_kept(desk, qtbot, monkeypatch):
    monkeypatch.setattr("app.store.history_store.SCALES_KEPT", 1)
    old, new = desk.add(1), desk.add(2)
    desk.store.set_scales(new, [plain(5)])
    bits = bits_of(1)
    desk.scales.opened(bits, ())
    desk.show(bits, old)
    desk.link.answer(1, 10, 20, 30, 40)
    assert desk.shown == [10, 20, 30, 200]
    assert not desk.store.has_room_for_scales(old) and desk.store.has_room_for_scales(new)
    from app.system import background

    background.shutdown()
    assert desk.store.scales(old) == () and len(desk.store.scales(new)) == 1
    desk.store.forget(new)
    assert not desk.store.has_room_for_scales(new)


def test_memory_is_bounded(desk, monkeypatch):
    monkeypatch.setattr("app.window.strip_pictures._BYTES", 5 * plain(0).nbytes)
    for seed in range(4):
        desk.scales.remember(bits_of(seed), tuple(plain(seed) for _ in range(2)))
    desk.show(bits_of(3))
    assert desk.shown[:2] == [3, 3]
    desk.show(bits_of(0))
    assert desk.shown[:2] == [None, None]
