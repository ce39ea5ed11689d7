"""The small copies the history keeps of a picture."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from app.store.thumb_bytes import make_film, make_thumb, read_film


def test_a_thumb_is_small_and_keeps_the_shape():
    data = make_thumb(np.zeros((400, 1000, 3), np.uint8))
    with Image.open(io.BytesIO(data)) as thumb:
        assert thumb.size == (192, 77)


def test_a_film_gives_every_picture_back_at_its_own_size():
    images = [np.full((40, 60, 3), 40, np.uint8), None, np.full((512, 256, 3), 200, np.uint8)]
    sizes, film = make_film(images)
    assert sizes == [[40, 60], None, [256, 128]]
    first, second, third = read_film(sizes, film)
    assert second is None
    assert first is not None and first.shape == (40, 60, 3) and abs(float(first.mean()) - 40) < 4
    assert third is not None and third.shape == (256, 128, 3) and abs(float(third.mean()) - 200) < 4


def test_a_film_of_nothing_is_empty():
    assert make_film([None, None]) == ([], b"")
    assert read_film([], b"") == ()
