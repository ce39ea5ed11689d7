"""The mask document: strokes, marks, edge, undo."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.mask.brush import Brush, Rect
from app.mask.document import MaskDocument
from app.mask.strokes import Edge, MaskMarks, repaint
from engine.photo.hints import Box, Click
from engine.photo.mask_ops import feather, fill_holes, grow, largest_part

H, W = 300, 400


def disc(x=200, y=150, radius=60) -> np.ndarray:
    ys, xs = np.mgrid[:H, :W]
    return np.where(np.hypot(xs + 0.5 - x, ys + 0.5 - y) <= radius, 255, 0).astype(np.uint8)


def area(mask) -> int:
    return int(np.count_nonzero(mask >= 128))


def stroke(document, *points, size=30.0, include=True, hardness=1.0):
    document.begin_stroke(points[0], Brush(size, hardness, include))
    for point in points[1:]:
        document.extend_stroke(point)
    document.end_stroke()


def test_one_stroke_is_one_step():
    document = MaskDocument(disc())
    stroke(document, (20, 20), (60, 40), (90, 20), (140, 60))
    painted = document.mask.copy()
    assert area(painted) > area(disc())
    document.undo()
    assert np.array_equal(document.mask, disc())
    assert document.undo_label == ""
    document.redo()
    assert np.array_equal(document.mask, painted)


def test_a_stroke_that_leaves_the_photo_and_comes_back_is_one_step():
    document = MaskDocument(disc())
    stroke(document, (20, 20), (-200, 100), (-50, 400), (60, 280))
    assert document.mask[20, 20] == 255 and document.mask[280, 60] == 255
    document.undo()
    assert np.array_equal(document.mask, disc())


def test_undo_while_painting_takes_the_stroke_back():
    document = MaskDocument(disc())
    document.begin_stroke((20, 20), Brush(20))
    document.extend_stroke((80, 20))
    document.undo()
    assert np.array_equal(document.mask, disc()) and not document.painting
    document.extend_stroke((100, 100))
    assert np.array_equal(document.mask, disc())


def test_a_cancelled_stroke_leaves_no_step():
    document = MaskDocument(disc())
    document.begin_stroke((20, 20), Brush(20))
    document.extend_stroke((180, 120))
    document.cancel_stroke()
    assert np.array_equal(document.mask, disc()) and not document.undo_label


def test_the_listener_hears_of_every_pixel_that_changes():
    document = MaskDocument(disc())
    copy = document.mask.copy()

    def follow(rect: Rect) -> None:
        copy[rect.slices] = document.mask[rect.slices]
        assert np.array_equal(copy, document.mask)

    document.on_change = follow
    stroke(document, (20, 20), (100, 90), (90, 200), include=True, hardness=0.3)
    document.set_edge(Edge(4, 3))
    stroke(document, (200, 150), (220, 150), include=False)
    document.fill_area([(10, 200), (60, 200), (40, 280)])
    document.answer(disc(100, 100, 40))
    document.invert()
    for _ in range(6):
        document.undo()
    for _ in range(6):
        document.redo()


def test_erasing_everything_and_inverting():
    document = MaskDocument(disc())
    stroke(document, (200, 150), (201, 150), size=400, include=False)
    assert not area(document.mask)
    document.invert()
    assert area(document.mask) == H * W
    document.undo()
    document.undo()
    assert np.array_equal(document.mask, disc())


def test_the_edge_is_live_and_one_step():
    document = MaskDocument(disc())
    for grown in (1, 2, 3):
        document.set_edge(Edge(grown, 2))
        assert np.array_equal(document.mask, feather(grow(disc(), grown), 2))
    assert np.array_equal(document.base, disc())
    document.set_edge(Edge())
    assert np.array_equal(document.mask, disc())
    document.undo()
    assert document.marks.edge == Edge() and not document.undo_label


@pytest.mark.parametrize("grown", [-8, 8])
@pytest.mark.parametrize("include", [True, False])
def test_the_brush_keeps_its_true_size_whatever_the_edge(grown, include):
    document = MaskDocument(disc(200, 150, 120))
    document.set_edge(Edge(grown, 0))
    spot = (40, 40) if include else (200, 150)
    before = area(document.mask)
    stroke(document, spot, size=50, include=include)
    changed = abs(area(document.mask) - before)
    assert 2 * np.sqrt(changed / np.pi) == pytest.approx(50, abs=1.5)


def test_after_a_stroke_the_edge_is_as_if_computed_anew():
    document = MaskDocument(disc())
    document.set_edge(Edge(-3, 4))
    stroke(document, (20, 20), (150, 100), (300, 250), hardness=0.5)
    assert np.array_equal(document.mask, feather(grow(document.base, -3), 4))


def test_a_click_and_its_answer_are_one_step():
    document = MaskDocument(disc())
    document.add_click(Click(30, 30))
    assert document.marks.clicks == (Click(30, 30),)
    document.answer(disc(100, 100, 80))
    document.undo()
    assert document.marks.clicks == () and np.array_equal(document.mask, disc())
    document.redo()
    assert document.marks.clicks and np.array_equal(document.mask, disc(100, 100, 80))


def test_an_answer_after_a_stroke_is_a_step_of_its_own():
    document = MaskDocument(disc())
    document.add_click(Click(30, 30))
    stroke(document, (20, 20), (60, 60))
    with_stroke = document.mask.copy()
    document.answer(disc(100, 100, 80))
    document.undo()
    assert np.array_equal(document.mask, with_stroke)


def test_clicks_move_and_go():
    document = MaskDocument(disc())
    document.add_click(Click(30, 30))
    document.add_click(Click(50, 60, include=False))
    document.move_click(0, 35, 31)
    assert document.marks.clicks == (Click(35, 31), Click(50, 60, False))
    document.remove_click(0)
    document.undo()
    document.undo()
    assert document.marks.clicks[0] == Click(30, 30)


def test_a_box_starts_anew():
    document = MaskDocument(disc())
    document.add_click(Click(30, 30))
    stroke(document, (20, 20), (60, 60))
    document.set_box(Box(10, 10, 90, 90))
    assert not document.marks.clicks and not document.strokes()
    document.undo()
    assert document.marks.clicks and document.strokes()


def test_inverting_turns_the_meaning_of_clicks_and_strokes_around():
    document = MaskDocument(disc())
    document.add_click(Click(200, 150))
    stroke(document, (20, 20), (60, 60))
    document.invert()
    assert document.marks.clicks == (Click(200, 150, include=False),)
    assert document.strokes()[0].include is False
    document.undo()
    assert document.marks.clicks == (Click(200, 150),)


def test_hand_work_can_be_done_again_on_another_mask():
    document = MaskDocument(np.zeros((H, W), np.uint8))
    stroke(document, (20, 20), (90, 120), (200, 60), size=25)
    document.fill_area([(200, 200), (260, 200), (230, 260)])
    stroke(document, (230, 220), size=12, include=False)
    again = np.zeros((H, W), np.uint8)
    repaint(again, document.marks.painted)
    assert np.array_equal(again, document.mask)


def test_parts_holes_reset():
    base = disc()
    base[140:160, 190:210] = 0
    document = MaskDocument(base)
    document.replace(fill_holes(base), "Fill the holes", document.marks)
    assert np.array_equal(document.mask, disc())
    stroke(document, (20, 20), size=20)
    document.replace(largest_part(document.base), "Keep the largest part", document.marks)
    assert document.mask[20, 20] == 0 and np.array_equal(document.mask, disc())
    document.replace(document.automatic, "Reset")
    assert np.array_equal(document.mask, base) and document.marks == MaskMarks()
    document.undo()
    assert np.array_equal(document.mask, disc()) and document.strokes()


def test_undo_forgets_the_oldest_beyond_its_bytes():
    rng = np.random.default_rng(0)
    document = MaskDocument(np.zeros((H, W), np.uint8), undo_bytes=200_000)
    for _ in range(20):
        document.replace(rng.integers(0, 256, (H, W), dtype=np.uint8), "Import")
        assert document.undo_bytes <= 200_000
    steps = 0
    while document.undo_label:
        document.undo()
        steps += 1
    assert 1 <= steps < 20


def test_an_inverted_photo_costs_no_memory():
    document = MaskDocument(disc())
    for _ in range(50):
        document.invert()
    assert document.undo_bytes < 20_000


def test_a_mask_of_another_size_is_refused():
    document = MaskDocument(disc())
    with pytest.raises(ValueError, match="photo"):
        document.replace(np.zeros((10, 10), np.uint8), "Import")


points = st.tuples(st.floats(-80, W + 80), st.floats(-80, H + 80))
edits = st.one_of(
    st.tuples(st.just("stroke"), st.lists(points, min_size=1, max_size=5), st.floats(1, 120), st.booleans()),
    st.tuples(st.just("fill"), st.lists(points, min_size=3, max_size=5), st.booleans()),
    st.tuples(st.just("edge"), st.integers(-6, 6), st.integers(0, 4)),
    st.tuples(st.just("click"), points, st.booleans()),
    st.tuples(st.just("answer"), points, st.integers(5, 90)),
    st.tuples(st.sampled_from(["invert", "fill_holes", "keep_largest", "reset"])),
)


def apply(document: MaskDocument, edit) -> None:
    match edit:
        case ("stroke", path, size, include):
            stroke(document, *path, size=size, include=include, hardness=0.5)
        case ("fill", corners, include):
            document.fill_area(corners, include)
        case ("edge", grown, soft):
            document.set_edge(Edge(grown, soft))
        case ("click", (x, y), include):
            document.add_click(Click(x, y, include))
        case ("answer", (x, y), radius):
            document.answer(disc(x, y, radius))
        case ("invert",):
            document.invert()
        case ("reset",):
            document.replace(document.automatic, "Reset")
        case (name,):
            make = {"fill_holes": fill_holes, "keep_largest": largest_part}[name]
            document.replace(make(document.base), name, document.marks)


@settings(max_examples=40, deadline=None)
@given(st.lists(edits, min_size=1, max_size=7))
def test_undo_is_exact_and_redo_brings_everything_back(sequence):
    document = MaskDocument(disc())
    states = [(document.base.copy(), document.mask.copy(), document.marks)]
    while sequence:
        apply(document, sequence.pop(0))
        states.append((document.base.copy(), document.mask.copy(), document.marks))
    last = states[-1]
    undone = [last]
    while document.undo_label:
        document.undo()
        undone.append((document.base.copy(), document.mask.copy(), document.marks))
        assert any(_same(undone[-1], state) for state in states)
    assert _same(undone[-1], states[0])
    for state in reversed(undone[:-1]):
        document.redo()
        assert _same((document.base, document.mask, document.marks), state)
    assert _same((document.base, document.mask, document.marks), last)


def _same(one, other) -> bool:
    return np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1]) and one[2] == other[2]
