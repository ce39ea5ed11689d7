"""The strip of a picture of the history: filled from memory, from the store, else by the engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.canvas.panel import CanvasPanel
from app.session.queue import PictureQueue
from app.session.state import Result, SessionState
from app.store.history_store import HistoryStore
from app.window.strip_pictures import StripPictures
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


class Rig:
    """State, canvas, store and link around ``StripPictures``."""

    def __init__(self, folder: Path, panel: CanvasPanel) -> None:
        self.state, self.link, self.panel = SessionState(), FakeLink(), panel
        self.store = HistoryStore(folder / "history.sqlite", folder)
        self.queue = PictureQueue(self.state, self.link)
        self.scales = StripPictures(self.state, self.queue, panel, self.store)
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
def rig(qtbot, tmp_path) -> Rig:
    panel = CanvasPanel()
    panel.complete()
    qtbot.addWidget(panel)
    rig = Rig(tmp_path, panel)
    yield rig
    rig.store.close()


def test_tiles_fill_when_the_engine_answers(rig, qtbot):
    bits, picture = bits_of(1), rig.add(1)
    rig.scales.opened(bits, ())
    rig.show(bits, picture)
    assert [(b, r.size, r.bundle) for b, r in rig.link.asked] == [(bits, (32, 32), HERE)]
    assert rig.shown == [None, None, None, 200]
    rig.link.answer(1, 10, 20, 30, 40)
    assert rig.shown == [10, 20, 30, 200], "the last tile is the picture, not a preview of it"
    qtbot.waitUntil(lambda: len(rig.store.scales(picture)) == 4)
    assert abs(int(rig.store.scales(picture)[1].mean()) - 20) <= 2, "and they are kept beside the history"


def test_only_the_picture_that_is_shown_gets_the_answer(rig):
    first, second = bits_of(1), bits_of(2)
    rig.show(first)
    rig.show(second)
    rig.link.answer(1, 10, 20, 30, 40)
    assert rig.shown == [None, None, None, 200], "two wishes: the first is out of date"
    rig.link.answer(2, 11, 21, 31, 41)
    assert rig.shown == [11, 21, 31, 200]
    rig.show(second)
    assert rig.shown == [11, 21, 31, 200] and len(rig.link.asked) == 2, "nothing is asked twice"


def test_an_answer_never_lands_in_a_picture_that_forms(rig):
    rig.show(bits_of(1))
    rig.panel.started(Started(GenerationRequest("b"), GRIDS, (0.25,) * 4), (32, 32))
    rig.link.answer(1, 10, 20, 30, 40)
    assert rig.shown == [None] * 4


def test_what_the_store_knows_is_not_asked(rig):
    bits = bits_of(1)
    rig.scales.remember(bits, (plain(1), None, plain(3), plain(4)))
    rig.show(bits)
    assert rig.shown == [1, None, 3, 200]
    rig.link.answer(1, 10, 20, 30, 40)
    assert rig.shown == [1, 20, 3, 200], "only what was missing"


def test_a_picture_opened_before_the_model_is_asked_for_when_it_is_there(rig):
    rig.state.update_engine(phase="loading", info=None)
    rig.show(bits_of(1))
    assert rig.link.asked == []
    rig.open()
    assert len(rig.link.asked) == 1
    rig.state.update_engine(fraction=0.5)
    assert len(rig.link.asked) == 1, "not again and again"
    rig.state.update_engine(phase="loading")
    rig.open()
    assert len(rig.link.asked) == 2, "the engine that was asked is gone"


def test_a_picture_of_another_model_stays_with_its_bits(rig):
    rig.show(bits_of(1), bundle="other@0123456789ab")
    assert rig.link.asked == []
    rig.open("other@0123456789ab")
    assert len(rig.link.asked) == 1


def test_an_empty_answer_leaves_the_tiles_empty(rig):
    rig.show(bits_of(1))
    rig.link.answer(1)
    rig.state.update_engine(fraction=0.5)
    assert rig.shown == [None, None, None, 200] and len(rig.link.asked) == 1


def test_kept_scales_look_as_in_the_picture_they_come_from(rig, qtbot):
    before = bits_of(1)
    rig.scales.remember(before, tuple(plain(value) for value in (1, 2, 3, 4)))
    after = ScaleBits((*before.scales[:2], *bits_of(2).scales[2:]))
    request = GenerationRequest("a", kept=before.first(2))
    finished = Finished(request, plain(200), after, Timing())
    rig.state.set_result(Result(request, plain(200), after))
    rig.queue.finished.emit(finished, (None, None, plain(33), plain(44)))
    rig.panel.set_grids(GRIDS)
    rig.panel.finished(finished, (None, None, plain(33), plain(44)))
    assert rig.shown == [1, 2, 33, 200] and rig.link.asked == []
    picture = rig.add(7)
    rig.state.set_result(Result(request, plain(200), after, picture=picture))
    qtbot.waitUntil(lambda: len(rig.store.scales(picture)) == 4)


def test_a_picture_that_begins_with_kept_scales_shows_them(rig):
    source, other = bits_of(1), bits_of(2)
    rig.scales.remember(source, tuple(plain(value) for value in (1, 2, 3, 4)))
    rig.scales.remember(other, tuple(plain(value) for value in (5, 6, 7, 8)))
    for shown in (other, source):
        rig.show(shown)
        event = Started(GenerationRequest("a", kept=source.first(2)), GRIDS, (0.25,) * 4, 2)
        rig.panel.started(event, (32, 32))
        rig.queue.started.emit(event)
        assert rig.shown == [1, 2, None, None], "never those of a picture that happened to be shown"


def test_a_region_shows_the_scales_that_stay_and_not_those_that_are_drawn(rig):
    source = bits_of(1)
    rig.scales.remember(source, tuple(plain(value) for value in (1, 2, 3, 4)))
    rig.show(bits_of(2))
    event = Started(GenerationRequest("a", kept=source), GRIDS, (0.25,) * 4, 2)  # a region keeps the bits of all scales
    rig.panel.started(event, (32, 32))
    rig.queue.started.emit(event)
    assert rig.shown == [1, 2, None, None] and rig.panel.strip.model.now == 2


def test_what_memory_adds_to_the_history_is_kept_there(rig, qtbot):
    bits, picture = bits_of(1), rig.add(1)
    rig.scales.remember(bits, (plain(1), plain(2), plain(3), plain(4)))
    rig.scales.opened(bits, (None, None, plain(3), plain(4)))
    rig.show(bits, picture)
    assert rig.shown == [1, 2, 3, 200] and rig.link.asked == []
    qtbot.waitUntil(lambda: len(rig.store.scales(picture)) == 4)


def test_what_the_history_has_is_not_written_again(rig, monkeypatch):
    bits, picture = bits_of(1), rig.add(1)
    monkeypatch.setattr("app.window.strip_pictures.background.run", lambda *_: pytest.fail("nothing is to be kept"))
    rig.scales.opened(bits, (plain(1), plain(2), plain(3), plain(4)))
    rig.show(bits, picture)
    assert rig.shown == [1, 2, 3, 200]


def test_pictures_too_old_for_the_store_are_painted_and_not_kept(rig, qtbot, monkeypatch):
    monkeypatch.setattr("app.store.history_store.SCALES_KEPT", 1)
    old, new = rig.add(1), rig.add(2)
    rig.store.set_scales(new, [plain(5)])
    bits = bits_of(1)
    rig.scales.opened(bits, ())
    rig.show(bits, old)
    rig.link.answer(1, 10, 20, 30, 40)
    assert rig.shown == [10, 20, 30, 200]
    assert not rig.store.keeps_scales_of(old) and rig.store.keeps_scales_of(new)
    from app.system import background

    background.shutdown()
    assert rig.store.scales(old) == () and len(rig.store.scales(new)) == 1
    rig.store.forget(new)
    assert not rig.store.keeps_scales_of(new)


def test_memory_is_bounded(rig, monkeypatch):
    monkeypatch.setattr("app.window.strip_pictures._BYTES", 5 * plain(0).nbytes)
    for seed in range(4):
        rig.scales.remember(bits_of(seed), tuple(plain(seed) for _ in range(2)))
    rig.show(bits_of(3))
    assert rig.shown[:2] == [3, 3]
    rig.show(bits_of(0))
    assert rig.shown[:2] == [None, None]
