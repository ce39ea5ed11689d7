"""The subject's own colours at its edge, where a photo shows them mixed with the background.

A pixel at the edge is ``alpha`` of the subject and the rest of the background. Put on white, or into a transparent
picture, as it is, it brings a fringe of the old background along. Blurred means of both sides explain the pixel; what
they do not explain belongs to the subject ("Approximate Fast Foreground Colour Estimation", Forte, ICIP 2021): once
with wide windows in a small picture, once with narrow ones in the photo itself.
"""

from __future__ import annotations

import cv2
import numpy as np

_SMALL_SIDE = 768
"""Long side of the picture in which the wide windows look."""

_WIDE = 60
_NARROW = 6
"""Half sides of the windows, in pixels of the small picture and of the photo."""

_REACH = 24
"""So many pixels around the soft edge are looked at in the photo."""

_TILE = 512
_SOLID = 250
"""From this alpha on (of 255) a pixel shows the subject alone; below the rest of it the background alone."""


def foreground_colours(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Estimate the colours of the subject alone.

    Args:
        rgb: uint8 (H, W, 3), the photo or a part of it.
        alpha: uint8 (H, W), the subject's mask, soft at its edge.

    Returns:
        uint8 (H, W, 3): at soft pixels, and just outside them, the subject's estimated colours. A pixel that belongs
        wholly to the subject, and one far outside, keeps its colour.

    Raises:
        ValueError: the sizes differ, or a type is another one.
    """
    if rgb.dtype != np.uint8 or alpha.dtype != np.uint8 or rgb.shape != (*alpha.shape, 3):
        raise ValueError("rgb is uint8 (H, W, 3), alpha uint8 (H, W)")
    soft = (alpha > 255 - _SOLID) & (alpha < _SOLID)
    if not soft.any():
        return rgb.copy()
    # A little outwards too: who resizes the result must not find the background right beside the edge.
    wanted = cv2.dilate(soft.astype(np.uint8), np.ones((5, 5), np.uint8)) & (alpha < _SOLID).astype(np.uint8)
    out = rgb.copy()
    guesses = _wide_guesses(rgb, alpha)
    height, width = alpha.shape
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            here = np.s_[top : top + _TILE, left : left + _TILE]
            if not wanted[here].any():
                continue
            y0, x0 = max(top - _REACH, 0), max(left - _REACH, 0)
            around = np.s_[y0 : top + _TILE + _REACH, x0 : left + _TILE + _REACH]
            subject, behind = (_part(guess, around, alpha.shape) for guess in guesses)
            found, _ = _blurred(_floats(rgb[around]), _floats(alpha[around])[..., None], subject, behind, _NARROW)
            inner = found[top - y0 : top - y0 + _TILE, left - x0 : left - x0 + _TILE]
            drawn = np.rint(inner * 255).astype(np.uint8)
            np.copyto(out[here], drawn, where=wanted[here][..., None] > 0)
    return out


def _wide_guesses(rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Subject and background everywhere, small float32 (h, w, 3)."""
    share = min(1.0, _SMALL_SIDE / max(alpha.shape))
    size = (max(1, round(alpha.shape[1] * share)), max(1, round(alpha.shape[0] * share)))
    small = _floats(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    weight = _floats(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))[..., None]
    return _blurred(small, weight, small, small, _WIDE)


def _blurred(
    picture: np.ndarray, alpha: np.ndarray, subject: np.ndarray, behind: np.ndarray, reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Better guesses of both sides, (h, w, 3), by their means in windows; ``alpha`` is (h, w, 1)."""
    side = (2 * reach + 1, 2 * reach + 1)

    def mean(values: np.ndarray, weight: np.ndarray, before: np.ndarray) -> np.ndarray:
        blurred = cv2.blur(values * weight, side)
        whole = cv2.blur(np.ascontiguousarray(weight[..., 0]), side)[..., None]
        # A window without the side that is asked for keeps the guess of the wider one.
        return np.where(whole > 1e-4, blurred / np.maximum(whole, 1e-4), before)

    front, back = mean(subject, alpha, subject), mean(behind, 1 - alpha, behind)
    front = front + alpha * (picture - alpha * front - (1 - alpha) * back)
    return np.clip(front, 0, 1), back


def _part(small: np.ndarray, around: tuple[slice, ...], shape: tuple[int, ...]) -> np.ndarray:
    """A part of a small picture, enlarged to the photo's pixels."""
    rows, columns = around
    bottom, right = min(rows.stop, shape[0]), min(columns.stop, shape[1])
    scale_x, scale_y = small.shape[1] / shape[1], small.shape[0] / shape[0]
    place = np.array(
        [
            [scale_x, 0, (columns.start + 0.5) * scale_x - 0.5],
            [0, scale_y, (rows.start + 0.5) * scale_y - 0.5],
        ],
        np.float32,
    )
    return cv2.warpAffine(
        small,
        place,
        (right - columns.start, bottom - rows.start),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )


def _floats(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32) / 255
