"""How alike: beside the picture, in the history and its order, and the most alike of several."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from app.session.engine_link import Previews
from engine.bundle.records import LikenessScale
from engine.errors import Outdone
from engine.events import Finished, Started, Timing
from engine.process.messages import Failed
from tests.app.fake_bundle import GRIDS, bits
from tests.app.look_fixture import dressed, plain_look  # noqa: F401 – fixtures
from tests.app.window.test_redrawing import Rig

pytestmark = pytest.mark.usefixtures("plain_look")


def begin(rig: Rig, number: int) -> None:
    rig.link.started.emit(number, Started(rig.link.drawn[number - 1], GRIDS, (0.2,) * 5))


def finish(rig: Rig, number: int, likeness: float | None) -> None:
    request, image = rig.link.drawn[number - 1], np.full((64, 64, 3), 40 * number, np.uint8)
    event = Finished(request, image, bits(number), Timing(total=1.0), likeness=likeness)
    rig.link.finished.emit(number, event, Previews(number))
    rig.qtbot.waitUntil(lambda: not rig.controller.saving)


def test_the_most_alike_of_several_is_shown_and_sorted(qtbot, tmp_path):
    rig = Rig(qtbot, tmp_path)
    window, state = rig.window, rig.state
    sheet, bar = window.prompt.sheet, window.canvas.actions_bar
    state.update_values(count=3)
    assert sheet.best.isHidden(), "a model that cannot tell is not asked"
    scale = LikenessScale(1, 0.9, 0.05, 0.3, 0.1, 0.97)
    state.update_engine(manifest=replace(rig.manifest, likeness=scale))
    assert not sheet.best.isHidden()
    sheet.best.setChecked(True)
    assert state.values.best_first
    rig.controller.generate()
    begin(rig, 1)
    finish(rig, 1, 0.8)
    first = state.result
    assert bar.likeness.text() == "80\u00a0% alike" and not bar.likeness.isHidden()
    begin(rig, 2)
    rig.link.failed.emit(Failed(2, Outdone()), Previews(2))
    begin(rig, 3)
    assert len(set(rig.link.contests)) == 1 and rig.link.contests[0] is not None and len(rig.link.drawn) == 3
    finish(rig, 3, 0.5)
    shown = state.result
    assert shown.bits == first.bits and shown.likeness == 0.8 and shown.file is not None, "the best one, not the last"
    assert "80" in window.toast.text() and "1 given up" in window.toast.text()
    words = window.canvas.heading()
    assert words is not None and words.isVisible(), "the grid says what can be done with its pictures"
    below = words.mapTo(window.panels.stage, QPoint(0, words.height())).y()
    assert window.toast.y() > below - 12, "and the message does not lie over it"
    assert [p.likeness for p in window.history.model.pictures()] == [0.5, 0.8]
    window.history.set_most_alike(True)
    assert [p.likeness for p in window.history.model.pictures()] == [0.8, 0.5]
    tip = window.history.model._tip(window.history.model.rows[0])
    assert "Likeness 80" in tip

    # One that nobody measured comes last, and says nothing.
    state.update_values(count=1)
    rig.controller.generate()
    assert rig.link.contests[-1] is None
    begin(rig, 4)
    finish(rig, 4, None)
    assert bar.likeness.isHidden()
    assert [p.likeness for p in window.history.model.pictures()] == [0.8, 0.5, None]
    window.close_panels()
