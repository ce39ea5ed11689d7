"""The subject on transparency: its own colours at its edge, without those of what it stood before.

A pixel at an outline is a mixture of subject and background. Its mask says how much of it is shown, but its colour is still
the mixture: laid onto something else it is seen as a halo. Here both colours are carried to the outline from where they are
pure, and what the background gave to the mixture is taken out again.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.errors import MaskError
from engine.photo.framing import without_white
from engine.photo.mask_ops import bounding_box
from engine.request import CutOut

_PURE = 3
"""Pixels away from the outline from which on a colour is taken to be unmixed."""
_SPREAD = 8
"""Colours are carried so many pixels beyond the mask, so that programs that scale the picture find no other there."""
_TILE, _MARGIN = 512, 64
_ALIKE = 0.004
"""Squared distance of colours (of 0 … 1) at which subject and background are hardly told apart."""
_PRIOR = 0.05
"""Weight of the carried colour against what the pixel itself says."""


def on_transparency(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture with everything outside of the mask transparent, and no halo.

    Args:
        rgb: uint8 (H, W, 3).
        mask: uint8 (H, W); it becomes the transparency as it is.

    Returns:
        Straight RGBA, uint8 (H, W, 4).

    Raises:
        MaskError: the mask has another size than the picture, or is empty.
    """
    return np.dstack([foreground_colours(rgb, mask), mask])


def cropped(rgba: np.ndarray) -> np.ndarray:
    """A picture on transparency without the empty margins, uint8 (h, w, 4); an empty one as it is."""
    box = bounding_box(rgba[..., 3], 1)
    if box is None:
        return rgba
    x0, y0, x1, y1 = box
    return np.ascontiguousarray(rgba[y0:y1, x0:x1])


def of_cut_out(subject: CutOut) -> np.ndarray:
    """A cut-out on transparency instead of white: straight RGBA, uint8 (S, S, 4)."""
    premultiplied = without_white(subject)
    alpha = premultiplied[..., 3:]
    straight = premultiplied[..., :3] / np.maximum(alpha, 1 / 255)
    return (np.concatenate([straight, alpha], axis=2).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def foreground_colours(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The subject's own colours, RGB uint8 (H, W, 3): as they are inside, estimated at the outline, black far outside.

    Arguments and errors as for ``on_transparency``. Time and memory grow with the length of the outline.
    """
    if mask.shape != rgb.shape[:2]:
        raise MaskError("The mask has another size than the picture.", "Use a mask that was made for it.")
    box = bounding_box(mask, 1)
    if box is None:
        raise MaskError("The cut-out is empty.", "Mark what belongs to it.")
    height, width = mask.shape
    x0, y0, x1, y1 = box[0] - _SPREAD, box[1] - _SPREAD, box[2] + _SPREAD, box[3] + _SPREAD
    out = np.zeros_like(rgb)
    for top in range(max(y0, 0), min(y1, height), _TILE):
        for left in range(max(x0, 0), min(x1, width), _TILE):
            bottom, right = min(top + _TILE, y1, height), min(left + _TILE, x1, width)
            first_row, first_column = max(top - _MARGIN, 0), max(left - _MARGIN, 0)
            around = np.s_[first_row : bottom + _MARGIN, first_column : right + _MARGIN]
            inside = np.s_[top - first_row : bottom - first_row, left - first_column : right - first_column]
            level = mask[around]
            if (level[inside] == 255).all():
                out[top:bottom, left:right] = rgb[top:bottom, left:right]
            elif level[inside].any() or _near(level)[inside].any():
                out[top:bottom, left:right] = _estimated(rgb[around], level)[inside]
    return out


def _near(mask: np.ndarray) -> np.ndarray:
    return cv2.dilate((mask > 0).astype(np.uint8), _disc(_SPREAD))


def _estimated(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """One tile, RGB uint8 (h, w, 3)."""
    picture = rgb.astype(np.float32) / 255
    alpha = mask.astype(np.float32) / 255
    subject = cv2.erode((mask >= 250).astype(np.uint8), _disc(_PURE), borderType=cv2.BORDER_REPLICATE)
    background = cv2.erode((mask <= 5).astype(np.uint8), _disc(_PURE), borderType=cv2.BORDER_REPLICATE)
    # What is too thin to have a pure middle speaks for itself, softly.
    fore = _carried(picture, subject + 1e-3 * alpha**4)
    back = _carried(picture, background + 1e-3 * (1 - alpha) ** 4)
    # How much of a pixel is the subject, told by its colour: its place between the two. Where they are alike it cannot be
    # told, and does not matter.
    between = fore - back
    distance = (between**2).sum(2)
    share = ((picture - back) * between).sum(2) / np.maximum(distance, 1e-6)
    told = distance / (distance + _ALIKE)
    share = (1 + told * (share - 1)).clip(0, 1)[..., None]
    # The colour that, mixed so, gives the pixel; the fainter its share, the more the carried colour decides.
    colour = (share * (picture - (1 - share) * back) + _PRIOR * fore) / (share**2 + _PRIOR)
    pure = subject.astype(bool)[..., None]
    found = (np.where(pure, picture, colour).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    found[_near(mask) == 0] = 0
    return found


def _carried(picture: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Colours spread from where the weight, float (h, w), is to everywhere, the near ones first: a pyramid of averages."""
    weight = weight.astype(np.float32)
    levels = [(picture * weight[..., None], weight)]
    while min(levels[-1][1].shape) > 2:
        sums, total = levels[-1]
        levels.append((cv2.pyrDown(sums), cv2.pyrDown(total)))
    sums, total = levels[-1]
    carried = sums / np.maximum(total, 1e-8)[..., None]
    for sums, total in reversed(levels[:-1]):
        height, width = total.shape
        coarse = cv2.pyrUp(carried, dstsize=(width, height))
        known = (total * 4).clip(0, 1)[..., None]
        carried = known * sums / np.maximum(total, 1e-8)[..., None] + (1 - known) * coarse
    return carried


def _disc(reach: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
