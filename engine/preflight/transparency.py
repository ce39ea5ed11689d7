"""The subject on transparency: its own colours at its edge, without those of what it stood before.

A pixel at an outline is a mixture of subject and background. Its mask says how much of it is shown, but its colour is still
the mixture: laid onto something else it is seen as a halo. ``foreground_colours`` takes the background out of it, given how
much of the pixel is the subject. A mask that was painted or grown does not say that; the colours do.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.errors import MaskError
from engine.photo.foreground import foreground_colours
from engine.photo.framing import without_white
from engine.photo.mask_ops import bounding_box
from engine.request import CutOut
from engine.sentence import Sentence

_PURE = 3
"""Pixels away from the outline from which on a colour is taken to be unmixed."""
_SPREAD = 8
"""Colours are kept so many pixels beyond the mask, so that programs that scale the picture find no others there."""
_TILE, _MARGIN = 512, 64
_ALIKE = 0.004
"""Squared distance of colours (of 0 … 1) at which subject and background are hardly told apart."""


def on_transparency(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A picture with everything outside of the mask transparent, and no halo.

    Args:
        rgb: uint8 (H, W, 3).
        mask: uint8 (H, W); it becomes the transparency as it is.

    Returns:
        Straight RGBA, uint8 (H, W, 4); black far outside of the mask.

    Raises:
        MaskError: the mask has another size than the picture, or is empty.
    """
    if mask.shape != rgb.shape[:2]:
        raise MaskError(
            Sentence("The mask has another size than the picture."), Sentence("Use a mask that was made for it.")
        )
    box = bounding_box(mask, 1)
    if box is None:
        raise MaskError(Sentence("The cut-out is empty."), Sentence("Mark what belongs to it."))
    x0, y0 = max(box[0] - _MARGIN, 0), max(box[1] - _MARGIN, 0)
    there = np.s_[y0 : box[3] + _MARGIN, x0 : box[2] + _MARGIN]
    colours = foreground_colours(np.ascontiguousarray(rgb[there]), subject_share(rgb[there], mask[there]))
    colours[cv2.dilate((mask[there] > 0).astype(np.uint8), _disc(_SPREAD)) == 0] = 0
    out = np.zeros((*mask.shape, 4), np.uint8)
    out[there] = np.dstack([colours, mask[there]])
    return out


def of_cut_out(subject: CutOut) -> np.ndarray:
    """A cut-out on transparency instead of white: straight RGBA, uint8 (S, S, 4)."""
    premultiplied = without_white(subject)
    alpha = premultiplied[..., 3:]
    straight = premultiplied[..., :3] / np.maximum(alpha, 1 / 255)
    return (np.concatenate([straight, alpha], axis=2).clip(0, 1) * 255 + 0.5).astype(np.uint8)


def cropped(rgba: np.ndarray) -> np.ndarray:
    """A picture on transparency without the empty margins, uint8 (h, w, 4); an empty one as it is."""
    box = bounding_box(rgba[..., 3], 1)
    if box is None:
        return rgba
    x0, y0, x1, y1 = box
    return np.ascontiguousarray(rgba[y0:y1, x0:x1])


def subject_share(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Estimate the subject's share of each pixel, uint8 (H, W), by the colours around the outline of a mask.

    Away from the outline it is the mask. Where subject and background have the same colour it is 255: no halo is seen there.
    """
    height, width = mask.shape
    out = mask.copy()
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            bottom, right = min(top + _TILE, height), min(left + _TILE, width)
            y0, x0 = max(top - _MARGIN, 0), max(left - _MARGIN, 0)
            around = np.s_[y0 : bottom + _MARGIN, x0 : right + _MARGIN]
            level = mask[around]
            if int(level.min()) == int(level.max()) and level[0, 0] in (0, 255):
                continue
            inner = np.s_[top - y0 : bottom - y0, left - x0 : right - x0]
            out[top:bottom, left:right] = _told(rgb[around], level)[inner]
    return out


def _told(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``subject_share`` of one tile."""
    picture, alpha = rgb.astype(np.float32) / 255, mask.astype(np.float32) / 255
    subject, background = (
        cv2.erode(side.astype(np.uint8), _disc(_PURE), borderType=cv2.BORDER_REPLICATE)
        for side in (mask >= 250, mask <= 5)
    )
    # What is too thin to have a pure middle speaks for itself, softly.
    fore = _carried(picture, subject + 1e-3 * alpha**4)
    back = _carried(picture, background + 1e-3 * (1 - alpha) ** 4)
    between = fore - back
    distance = (between**2).sum(2)
    share = ((picture - back) * between).sum(2) / np.maximum(distance, 1e-6)
    share = (1 + distance / (distance + _ALIKE) * (share - 1)).clip(0, 1)
    share[subject > 0], share[background > 0] = 1, 0
    return np.rint(share * 255).astype(np.uint8)


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
