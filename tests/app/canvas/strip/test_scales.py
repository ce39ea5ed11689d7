"""The strip's state: waiting, now, done, kept, to be redrawn."""

from __future__ import annotations

import numpy as np

from app.canvas.strip.scales import ScaleStripModel, scale_sentence

GRIDS = ((1, 1), (2, 2), (3, 4), (5, 7))


def picture(value: int) -> np.ndarray:
    return np.full((4, 4, 3), value, np.uint8)


def tiles(model: ScaleStripModel) -> list[str]:
    return [model.tile(scale) for scale in range(model.count)]


def test_a_picture_forms():
    model = ScaleStripModel()
    model.clear(GRIDS)
    assert tiles(model) == ["waiting"] * 4
    assert model.sentence() == "appear here while the picture forms"
    model.begin(GRIDS)
    assert tiles(model) == ["now", "waiting", "waiting", "waiting"]
    model.drawn(0, picture(0))
    model.drawn(1, picture(1))
    assert tiles(model) == ["done", "now", "waiting", "waiting"]
    assert not model.can_redraw
    assert not model.move_handle(1), "nothing moves while drawing"
    assert model.tile_name(1) == "Scale 2 of 4, drawing"
    assert model.label(2) == "4"


def test_when_done_the_handle_chooses_what_to_keep():
    model = ScaleStripModel()
    model.begin(GRIDS)
    for scale in range(4):
        model.drawn(scale, picture(scale))
    model.finish(can_keep=True)
    assert tiles(model) == ["done"] * 4
    assert not model.can_redraw
    assert model.move_handle(2)
    assert tiles(model) == ["kept", "kept", "redrawn", "redrawn"]
    assert model.sentence() == "Keep 2: same composition, new details"
    assert model.can_redraw
    assert model.move_handle(-5)
    assert model.keep == 1
    assert model.move_handle(99)
    assert not model.can_redraw


def test_previews_that_were_left_out_show_the_scale_before_and_are_missed():
    model = ScaleStripModel()
    model.begin(GRIDS)
    model.drawn(0, picture(0))
    model.drawn(3, picture(3))
    assert model.missing == ()
    model.finish(can_keep=True)
    assert model.missing == (1, 2)
    assert model.image(2) is model.image(0)
    model.drawn(1, picture(1))
    assert model.image(2) is model.image(1)
    assert model.missing == (2,)


def test_a_redraw_keeps_the_pictures_of_kept_scales():
    model = ScaleStripModel()
    model.begin(GRIDS)
    for scale in range(4):
        model.drawn(scale, picture(scale))
    model.finish(can_keep=True)
    first = model.image(1)
    model.begin(GRIDS, first=2)
    assert tiles(model) == ["kept", "kept", "now", "waiting"]
    assert model.image(1) is first
    model.begin(GRIDS, first=0)
    assert model.image(0) is None, "a new picture begins with empty tiles"


def test_a_stopped_picture_shows_what_there_is_and_keeps_nothing():
    model = ScaleStripModel()
    model.begin(GRIDS)
    model.drawn(0, picture(0))
    model.stop()
    assert tiles(model) == ["done", "waiting", "waiting", "waiting"]
    assert not model.move_handle(1)
    assert model.sentence() == ""


def test_scales_outside_are_ignored():
    model = ScaleStripModel()
    model.begin(GRIDS)
    model.drawn(7, picture(7))
    model.drawn(-1, picture(7))
    assert model.images == [None] * 4


def test_each_scale_says_what_to_expect():
    sentences = [scale_sentence(scale, 13) for scale in range(13)]
    assert sentences[:3] == ["Light and colours come first"] * 3
    assert sentences[3:10] == ["Shapes are set, details come next"] * 7
    assert sentences[10:] == ["Fine details"] * 3
    assert [scale_sentence(scale, 5) for scale in range(5)] == ["Light and colours come first"] * 2 + [
        "Fine details"
    ] * 3
