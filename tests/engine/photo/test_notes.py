"""What a photo lacks is said, and a good photo is left in peace."""

from __future__ import annotations

import cv2
import numpy as np

from engine.photo.load import photo_from_pixels
from engine.photo.notes import photo_notes


def scene(radius: int, at: tuple[int, int] = (300, 300), blurred: float = 0.0, side: int = 600):
    """A photo of a ball of checks on a quiet ground, and its mask."""
    y, x = np.mgrid[:side, :side]
    inside = (x - at[0]) ** 2 + (y - at[1]) ** 2 < radius**2
    stripes = np.where((x // 24 + y // 30) % 2, 220, 60).astype(np.uint8)
    grey = np.where(inside, stripes, 128).astype(np.uint8)
    if blurred:
        grey = cv2.GaussianBlur(grey, (0, 0), blurred)
    return photo_from_pixels(np.dstack([grey] * 3)), inside.astype(np.uint8) * 255


def test_a_good_photo_gets_no_note():
    assert photo_notes(*scene(200)) == ()


def test_each_fault_is_one_sentence_with_its_number():
    tiny = photo_notes(*scene(40))
    assert tiny[0].startswith("The subject is only 79 × 79 pixels") and "256" in tiny[0]
    assert "fills only 1 % of the photo" in tiny[1] and len(tiny) == 2
    (small,) = photo_notes(*scene(250, (800, 800), side=1600))
    assert "fills only 7 %" in small, "large enough, and yet a small part of the photo"
    (cut,) = photo_notes(*scene(250, (60, 300)))
    assert cut.startswith("The subject is cut off at the left")
    (bottom,) = photo_notes(*scene(250, (300, 560)))
    assert "at the bottom" in bottom
    (blurred,) = photo_notes(*scene(200, blurred=9))
    assert "blurred" in blurred


def test_touching_the_edge_is_not_cut_off_and_a_bad_mask_speaks_for_itself():
    assert photo_notes(*scene(200, (199, 300))) == ()
    photo, mask = scene(200)
    assert photo_notes(photo, np.zeros_like(mask)) == () and photo_notes(photo, mask[:10]) == ()
    clear = photo_from_pixels(photo.rgb, np.where(mask, 255, 0).astype(np.uint8))
    assert photo_notes(clear, scene(250, (60, 300))[1]) == (), "cut out already: its edge is where it ends"
    plain = photo_from_pixels(np.full((600, 600, 3), 90, np.uint8))
    assert photo_notes(plain, mask) == (), "what has no detail cannot be called blurred"
