"""How alike: beside the picture, in the history and its order, and the most alike of several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from app.session.engine_link import Previews
from engine.bundle.records import LikenessScale
from engine.errors import Outdone
from engine.events import Finished, Started, Timing
from engine.process.messages import Failed
from tests.app.fake_bundle import GRIDS, bits
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures
from tests.app.window.test_redrawing import Bench

pytestmark = pytest.mark.usefixtures("plain_look")


def begin(bench: Bench, number: int) -> None:
    bench.link.started.emit(number, Started(bench.link.drawn[number - 1], GRIDS, (0.2,) * 5))


def finish(bench: Bench, number: int, likeness: float | None) -> None:
    request, image = bench.link.drawn[number - 1], np.full((64, 64, 3), 40 * number, np.uint8)
    event = Finished(request, image, bits(number), Timing(total=1.0), likeness=likeness)
    bench.link.finished.emit(number, event, Previews(number))
    bench.qtbot.waitUntil(lambda: not bench.controller.saving)


def test_the_most_alike_of_several_is_shown_and_sorted(qtbot, tmp_path):
    bench = Bench(qtbot, tmp_path)
    window, state = bench.window, bench.state
    sheet, bar = window.prompt.sheet, window.canvas.actions_bar
    state.update_values(count=3)
    assert sheet.best.isHidden(), "a model that cannot tell is not asked"
    scale = LikenessScale(1, 0.9, 0.05, 0.3, 0.1, 0.97)
    state.update_engine(manifest=replace(bench.manifest, likeness=scale))
    assert not sheet.best.isHidden()
    sheet.best.setChecked(True)
    assert state.values.best_first
    bench.controller.generate()
    begin(bench, 1)
    finish(bench, 1, 0.8)
    first = state.result
    assert bar.likeness.text() == "80\u00a0% alike" and not bar.likeness.isHidden()
    begin(bench, 2)
    bench.link.failed.emit(Failed(2, Outdone()), Previews(2))
    begin(bench, 3)
    assert len(set(bench.link.contests)) == 1 and bench.link.contests[0] is not None and len(bench.link.drawn) == 3
    finish(bench, 3, 0.5)
    shown = state.result
    assert shown.bits == first.bits and shown.likeness == 0.8 and shown.file is not None, "the best one, not the last"
    assert "80" in window.toast.text() and "1 given up" in window.toast.text()
    assert [p.likeness for p in window.history.model.pictures()] == [0.5, 0.8]
    window.history.toggle_most_alike()
    assert [p.likeness for p in window.history.model.pictures()] == [0.8, 0.5]
    tip = window.history.model._tip(window.history.model.rows[0])
    assert "Likeness 80" in tip

    # One that nobody measured comes last, and says nothing.
    state.update_values(count=1)
    bench.controller.generate()
    assert bench.link.contests[-1] is None
    begin(bench, 4)
    finish(bench, 4, None)
    assert bar.likeness.isHidden()
    assert [p.likeness for p in window.history.model.pictures()] == [0.8, 0.5, None]
    window.close_panels()
