"""Notes on a photo's faults, told before anything is drawn: too small, blurred, cut off, a speck in the photo."""

from __future__ import annotations

import cv2
import numpy as np

from engine.photo.bars import between_bars
from engine.photo.load import Photo
from engine.photo.mask_ops import SOLID, bounding_box, cut_sides, mask_problem
from engine.sentence import Sentence

SMALL_SHARE = 0.10
"""Of the photo; a smaller subject leaves its cut-out few pixels, and its outline is hard to find."""
SMALL_EXTENT = 0.6
"""Longer side of the subject over that of the cut-out: what is smaller is enlarged by more than half."""
BLURRED = 0.68
"""Of ``blur``. 40 sharp photos of real things had at most 0.65, and all had 0.72 or more after a Gaussian of three pixels
at the size the model sees."""
_MODEL_SIDE = 256

_CUT_OFF = {
    "left": Sentence("The subject is cut off at the left of the photo: what is missing is invented."),
    "right": Sentence("The subject is cut off at the right of the photo: what is missing is invented."),
    "top": Sentence("The subject is cut off at the top of the photo: what is missing is invented."),
    "bottom": Sentence(
        "The subject is cut off at the bottom of the photo: pictures cut it off as well, or invent what is missing."
    ),
}


def photo_notes(photo: Photo, mask: np.ndarray, side: int = _MODEL_SIDE) -> tuple[str, ...]:
    """Sentences for the user, the gravest first; none for a good photo.

    Args:
        mask: uint8 (H, W) as large as the photo. One that cannot be used says so itself and gets no notes.
        side: of the cut-out that the model sees, in pixels.
    """
    if mask.shape != photo.rgb.shape[:2] or mask_problem(mask) is not None:
        return ()
    box = bounding_box(mask, SOLID)
    assert box is not None  # an empty mask is a problem
    width, height = box[2] - box[0], box[3] - box[1]
    notes = []
    if max(width, height) < SMALL_EXTENT * side:
        notes.append(
            Sentence(
                "The subject is only {width} × {height} pixels; a photo that shows it with {side} or more keeps "
                "its detail.",
                width=width,
                height=height,
                side=side,
            )
        )
    share = np.count_nonzero(mask >= SOLID) / mask.size
    if share < SMALL_SHARE:
        notes.append(
            Sentence(
                "The subject fills only {max} % of the photo. Come closer, or crop the photo.",
                max=max(1, int(100 * share)),
            )
        )
    notes += [_CUT_OFF[side] for side in cut_sides(mask, between_bars(photo.rgb))[:1]] if photo.alpha is None else []
    if blur(photo.rgb, mask, box) > BLURRED:
        notes.append(Sentence("The subject is blurred in the photo. A sharp photo keeps its detail."))
    return tuple(notes)


def blur(rgb: np.ndarray, mask: np.ndarray, box: tuple[int, int, int, int]) -> float:
    """Measure the blur inside a mask at the size the model sees, 0 (sharp) … 1.

    The share of the differences between neighbours that a further blur leaves as they are (F. Crété et al., "The blur
    effect", 2007): a sharp picture loses most of them. 0 where nothing is to be seen.
    """
    x0, y0, x1, y1 = box
    grey: np.ndarray = cv2.cvtColor(np.ascontiguousarray(rgb[y0:y1, x0:x1]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    inside = mask[y0:y1, x0:x1]
    scale = _MODEL_SIDE / max(grey.shape)
    if scale < 1:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        inside = cv2.resize(inside, size, interpolation=cv2.INTER_AREA)
    found = 0.0
    for axis, kernel in ((0, (1, 9)), (1, (9, 1))):
        solid = np.minimum(np.delete(inside, 0, axis), np.delete(inside, -1, axis)) >= SOLID
        before = np.abs(np.diff(grey, axis=axis))[solid]
        after = np.abs(np.diff(cv2.blur(grey, kernel), axis=axis))[solid]
        if before.sum() > solid.sum():  # at least one grey level on the average: there is something to be sharp
            found = max(found, 1.0 - float(np.maximum(before - after, 0).sum() / before.sum()))
    return found
