"""A cut-out that ends before a side of its box is led there by what the network and the colours speak for, or left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from engine.photo.hints import Box, Click, Hint
from engine.photo.load import photo_from_pixels
from engine.photo.mask_ops import overlap
from engine.preflight.colours.working_photo import Extent, WorkingPhoto
from engine.preflight.segmenter import Segmenter
from engine.preflight.shipped.candidates import Candidate, around_box, box_view
from engine.preflight.shipped.network import SIDE
from engine.preflight.shipped.reaching import falls_short, reaching
from tests.engine.preflight.scenes import ellipse, painted
from tests.engine.preflight.shipped.test_candidates import Told

HEIGHT, WIDTH = 200, 256
BODY = ellipse(HEIGHT, WIDTH, 90, 110, 50, 60)
TAIL = np.zeros((HEIGHT, WIDTH), bool)
TAIL[100:112, 130:236] = True
WHOLE: Extent = (40, 50, 236, 170)
"""The box around body and tail."""


def cut_to_body(ground: tuple[int, int, int] = (90, 130, 100), tail: bool = True) -> tuple[WorkingPhoto, Candidate]:
    """A thing with a tail, of which only the body was cut out."""
    working = WorkingPhoto(photo_from_pixels(painted(BODY | TAIL if tail else BODY, ground=ground)))
    window = around_box(working, WHOLE)
    x0, y0, x1, y1 = window.extent
    assert window.fine.shape[:2] == (y1 - y0, x1 - x0)
    return working, Candidate(window, BODY[y0:y1, x0:x1].copy(), "network")


def view_of(working: WorkingPhoto, sees: float):
    """What a network sees that is sure of nothing: as many logits everywhere."""
    view = box_view(working, Told(lambda hints: np.zeros((SIDE, SIDE), bool)), WHOLE)  # type: ignore[arg-type]
    assert view is not None
    view.logits[:] = sees
    return view


def test_a_tail_that_was_lost_comes_back():
    working, body = cut_to_body()
    assert falls_short(body, WHOLE)
    found = reaching(body, WHOLE, view_of(working, 0.0))
    x0, y0, x1, y1 = found.window.extent
    truth = (BODY | TAIL)[y0:y1, x0:x1]
    assert overlap(found.inside, truth) > 0.95 and found.box().overlap(Box(*WHOLE)) > 0.95
    assert (found.inside | ~body.inside).all()
    assert not falls_short(found, WHOLE)


def test_where_nothing_leads_to_the_side_the_cut_out_stays():
    working, body = cut_to_body(tail=False)
    assert reaching(body, WHOLE, view_of(working, 0.0)) is body


def test_a_network_that_is_against_it_is_heard():
    working, body = cut_to_body()
    assert reaching(body, WHOLE, view_of(working, -9.0)) is body


def test_what_is_far_larger_than_a_limb_is_another_thing():
    working, body = cut_to_body(ground=(200, 60, 40))  # the ground has the subject's colours
    assert reaching(body, WHOLE, view_of(working, 0.0)) is body


@pytest.mark.parametrize("box", [(40, 50, 140, 170), (34, 44, 146, 176)])
def test_a_box_that_is_about_reached_asks_for_nothing(box: Extent):
    working, _ = cut_to_body()
    window = around_box(working, box)
    x0, y0, x1, y1 = window.extent
    assert not falls_short(Candidate(window, BODY[y0:y1, x0:x1].copy(), "network"), box)


def test_an_empty_cut_out_is_left_alone():
    working, body = cut_to_body()
    empty = Candidate(body.window, np.zeros_like(body.inside), "network")
    assert not falls_short(empty, WHOLE) and reaching(empty, WHOLE, view_of(working, 0.0)) is empty


def test_who_draws_a_box_gets_the_tail_that_the_network_does_not_see():
    body = cv2.resize(BODY.astype(np.uint8), (SIDE, SIDE)) > 0
    photo = photo_from_pixels(painted(BODY | TAIL))
    segmenter = Segmenter(network=Told(lambda hints: body), things=None)  # type: ignore[arg-type]
    found = segmenter.find_subject(photo, Hint(box=Box(*WHOLE)))
    assert overlap(found.mask >= 128, BODY | TAIL) > 0.95
    marked = segmenter.find_subject(photo, Hint(box=Box(*WHOLE), clicks=(Click(225, 106, False),)))
    assert marked.mask[106, 225] < 128
