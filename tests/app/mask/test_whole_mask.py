"""Whole masks of large photos are made in the background: order, undo, strokes meanwhile, the edge that comes later."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.mask import layers
from app.mask.brush import Brush, Rect
from app.mask.document import MaskDocument
from app.mask.layers import with_edge
from app.mask.mask_session import MaskSession
from app.mask.pyramid import Pyramid
from app.mask.strokes import Edge
from app.system import background
from engine.photo.mask_ops import fill_holes, largest_part
from tests.app.mask.fakes import HEIGHT, WIDTH, disc
from tests.app.settled import settle

BRUSH = Brush(30, 1.0)
HOLED = disc()
HOLED[190:210, 290:310] = 0
HOLED[20:40, 20:60] = 255
"""A disc with a hole, and a part of its own beside it."""


@pytest.fixture
def large(service, photo, monkeypatch):
    """A session whose photo counts as a large one."""
    monkeypatch.setattr(layers, "AT_ONCE", 1000)
    session = MaskSession(photo, Pyramid(photo.rgb), MaskDocument(HOLED.copy()), service)
    yield session
    session.release()
    background.shutdown()


@pytest.fixture
def gate(large):
    """``gate.hold(label)`` asks for something that is done only when ``gate.set()`` lets it."""
    gate = threading.Event()

    def hold(label, change=lambda base: base // 2):
        large._change(label, lambda base, marks: (gate.wait(10), change(base))[1])

    gate.hold = hold
    yield gate
    gate.set()


def rest(qtbot, session):
    qtbot.waitUntil(lambda: not session.busy)


def is_whole(session):
    """What is shown is right: the edge, and the pyramid of it."""
    document = session.document
    expected = with_edge(document.base, document.marks.edge)
    fresh = Pyramid(expected.copy())
    assert np.array_equal(document.mask, expected)
    for level, wanted in zip(session.mask_pyramid.levels, fresh.levels, strict=True):
        assert np.array_equal(level, wanted)
    return True


def stroke(document, *points):
    document.begin_stroke(points[0], BRUSH)
    for point in points[1:]:
        document.extend_stroke(point)
    document.end_stroke()


def test_what_is_asked_is_done_later_as_steps_in_order(qtbot, large):
    document, before = large.document, large.document.mask.copy()
    large.fill_holes()
    large.keep_largest()
    assert np.array_equal(document.mask, before) and large.busy and large.undo_label == "Keep the largest part"
    assert large.redo_label == ""
    rest(qtbot, large)
    assert np.array_equal(document.mask, disc()) and is_whole(large)
    large.undo()
    assert np.array_equal(document.mask, fill_holes(HOLED)) and document.redo_label == "Keep the largest part"
    large.undo()
    assert np.array_equal(document.mask, HOLED) and is_whole(large)
    large.redo()
    large.redo()
    assert np.array_equal(document.mask, disc()) and is_whole(large)


def test_undo_takes_back_what_is_not_done_yet(qtbot, large, gate):
    stroke(large.document, (60.0, 300.0))
    painted = large.document.mask.copy()
    gate.hold("Fill the holes")
    changed = []
    large.marksChanged.connect(lambda: changed.append(large.undo_label))
    large.undo()
    assert changed[-1] == "Paint"
    gate.set()
    settle(qtbot)
    assert np.array_equal(large.document.mask, painted) and large.undo_label == "Paint"


def test_a_stroke_meanwhile_is_neither_lost_nor_ended(qtbot, large, gate):
    document = large.document
    gate.hold("Fill the holes", fill_holes)
    document.begin_stroke((100.0, 300.0), BRUSH)
    gate.set()
    settle(qtbot)
    assert document.painting and large.busy  # it waits for the end of the stroke
    document.extend_stroke((160.0, 300.0))
    document.end_stroke()
    painted = document.base.copy()
    rest(qtbot, large)
    assert np.array_equal(document.base, fill_holes(painted)) and document.base[300, 130] == 255 and is_whole(large)
    assert large.undo_label == "Fill the holes"
    large.undo()
    assert np.array_equal(document.base, painted)
    large.undo()
    assert np.array_equal(document.base, HOLED) and is_whole(large)


def test_what_others_read_does_not_change_under_their_hands(large):
    lent = large.document.lend()
    kept = lent.copy()
    stroke(large.document, (100.0, 300.0))
    large.document.invert()
    assert np.array_equal(lent, kept) and not np.array_equal(large.document.base, kept)


def test_the_edge_is_seen_at_once_and_exact_soon(qtbot, large):
    document = large.document
    changed = []
    large.pixelsChanged.connect(lambda rect: changed.append(rect))
    large.in_view = Rect(380, 180, 420, 220)
    large.set_edge(Edge(12, 4))
    assert document.late and large.busy and changed[-1] == document.whole
    exact = with_edge(HOLED, Edge(12, 4))
    assert np.array_equal(document.mask[180:220, 380:420], exact[180:220, 380:420])
    small, wanted = large.mask_pyramid.levels[-1], Pyramid(exact).levels[-1]
    assert np.abs(small.astype(int) - wanted).mean() < np.abs(Pyramid(HOLED).levels[-1].astype(int) - wanted).mean() / 3
    rest(qtbot, large)
    assert not document.late and is_whole(large)
    large.set_edge(Edge(-6, 0))
    large.set_edge(Edge(-7, 0))
    rest(qtbot, large)
    assert document.marks.edge == Edge(-7, 0) and is_whole(large)
    large.undo()  # changes in a row are one step
    assert document.marks.edge == Edge() and not large.busy and is_whole(large)
    large.redo()
    rest(qtbot, large)
    assert document.marks.edge == Edge(-7, 0) and is_whole(large)


def test_painting_while_the_edge_is_on_its_way(qtbot, large):
    large.set_edge(Edge(8, 3))
    stroke(large.document, (100.0, 300.0), (180.0, 320.0))
    large.invert()
    rest(qtbot, large)
    assert is_whole(large) and large.document.base[310, 140] == 0


def test_inverting_waits_for_its_turn(qtbot, large, gate):
    gate.hold("Fill the holes", fill_holes)
    large.invert()
    assert large.undo_label == "Invert"
    gate.set()
    rest(qtbot, large)
    assert np.array_equal(large.document.mask, 255 - fill_holes(HOLED)) and is_whole(large)
    large.undo()
    assert np.array_equal(large.document.mask, fill_holes(HOLED))


def test_a_click_asked_before_is_asked_again_of_the_new_mask(qtbot, large, segmenter):
    segmenter.gate.clear()
    large.click(80, 300)
    qtbot.waitUntil(lambda: len(segmenter.asked) == 1)
    large.fill_holes()
    rest(qtbot, large)
    segmenter.gate.set()
    qtbot.waitUntil(lambda: len(segmenter.asked) == 2 and not large.asking)
    rest(qtbot, large)
    assert large.document.base[200, 300] == 255 and large.document.base[300, 80] == 255 and is_whole(large)


def test_answers_of_the_segmenter_come_as_one_step_with_their_click(qtbot, large):
    large.click(80, 300)
    qtbot.waitUntil(lambda: not large.asking)
    rest(qtbot, large)
    assert large.document.base[300, 80] == 255 and large.undo_label == "Click" and is_whole(large)
    large.undo()
    assert np.array_equal(large.document.base, HOLED) and large.document.marks.clicks == ()


def test_starting_over_forgets_a_click_that_was_not_answered(qtbot, large, segmenter, service):
    segmenter.gate.clear()
    large.click(80, 300)
    large.reset()
    segmenter.gate.set()
    rest(qtbot, large)
    settle(qtbot, service)
    assert np.array_equal(large.document.mask, HOLED) and large.document.marks.clicks == ()


def test_settling_does_everything_now(large):
    large.fill_holes()
    large.set_edge(Edge(5, 0))
    large.keep_largest()
    large.settle()
    assert not large.busy and is_whole(large)
    assert np.array_equal(large.document.base, largest_part(fill_holes(HOLED)))


def test_another_session_is_adopted_as_one_step(qtbot, large, service, photo):
    copy = large.document.copy()
    editing = MaskSession(photo, large.photo_pyramid, copy, service, pyramid=large.mask_pyramid.copy())
    stroke(editing.document, (100.0, 300.0))
    editing.set_edge(Edge(4, 0))
    editing.fill_holes()
    assert np.array_equal(large.document.base, HOLED)
    large.adopt(editing, "Edit cut-out")
    editing.release()
    rest(qtbot, large)
    assert large.document.base[200, 300] == 255 and large.document.base[300, 100] == 255 and is_whole(large)
    large.undo()
    assert np.array_equal(large.document.base, HOLED) and large.document.marks.edge == Edge() and is_whole(large)


def test_a_failure_is_said_and_the_next_thing_is_done(qtbot, large, caplog):
    errors = []
    large.failed.connect(errors.append)
    large._change("Fill the holes", lambda base, marks: 1 // 0)
    large.keep_largest()
    rest(qtbot, large)
    assert "division" in errors[0].fact and large.undo_label == "Keep the largest part"
    assert "could not be worked on" in caplog.text


def test_a_wild_afternoon_can_be_undone_to_the_last_pixel(qtbot, large):
    """Edits in any order, some while others are under way; every undo in between is exact."""
    rng = np.random.default_rng(5)
    for _ in range(40):
        x, y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        match rng.integers(8):
            case 0:
                large.fill_holes()
            case 1:
                large.keep_largest()
            case 2:
                large.invert()
            case 3:
                large.set_edge(Edge(float(rng.integers(-6, 7)), float(rng.integers(0, 4))))
            case 4 | 5:
                stroke(large.document, (x, y), (x + 40, y + 10))
            case 6:
                large.click(x, y, bool(rng.integers(2)))
            case _:
                large.undo()
        if rng.random() < 0.4:
            qtbot.wait(int(rng.integers(20)))
    qtbot.waitUntil(lambda: not large.asking and not large.busy)
    assert is_whole(large)
    last = large.document.base.copy()
    while large.undo_label:
        large.undo()
    rest(qtbot, large)
    assert np.array_equal(large.document.base, HOLED) and is_whole(large)
    while large.redo_label:
        large.redo()
    rest(qtbot, large)
    assert np.array_equal(large.document.base, last) and is_whole(large)
