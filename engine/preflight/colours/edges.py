"""From an outline found in a small picture to a mask as large as the photo, with edges that follow the photo.

A guided filter (He, Sun, Tang, "Guided Image Filtering", TPAMI 2013) explains the small mask near its outline as a
linear function of the colours there; the coefficients are smooth, so they are enlarged instead of the mask ("Fast Guided
Filter", 2015), and applied to the photo's own pixels they draw the outline at full sharpness.
"""

from __future__ import annotations

import cv2
import numpy as np

RADIUS = 4
"""Window of the filter: 2 r + 1 pixels of the small picture."""

SMOOTHING = 1e-3
"""Colour variance (of 0 … 1 channels) below which a window counts as flat."""

CONTRAST = 2.2
"""The filter's answer is hazy; it is steepened around one half."""

_TILE = 96
"""Pixels of the photo a side: small tiles follow an outline with few pixels that are far from it."""
_BAND = 6
"""Pixels of the small picture on either side of the outline in which the photo's pixels decide."""


def enlarge(
    small: np.ndarray,
    small_rgb: np.ndarray,
    rgb: np.ndarray,
    region: tuple[int, int, int, int] | None = None,
) -> np.ndarray:
    """A mask for the whole photo.

    Args:
        small: uint8 (h, w), 0 or 255 and anything between.
        small_rgb: uint8 (h, w, 3), the same picture as ``rgb``, shrunk.
        rgb: uint8 (H, W, 3), the photo.
        region: x0, y0, x1, y1 in the photo; edges are drawn sharply only there. Everywhere by default.

    Returns:
        uint8 (H, W).
    """
    height, width = rgb.shape[:2]
    h, w = small.shape
    out = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    solid = (small >= 128).astype(np.uint8)
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _BAND + 1, 2 * _BAND + 1))
    band = cv2.dilate(solid, around) - cv2.erode(solid, around)
    if not band.any():
        return out
    coefficients = guided_coefficients(small.astype(np.float32) / 255, small_rgb.astype(np.float32) / 255)
    weight = cv2.GaussianBlur(band.astype(np.float32), (0, 0), 1.0)
    field = np.dstack([coefficients, weight])
    scale_x, scale_y = w / width, h / height
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            bottom, right = min(top + _TILE, height), min(left + _TILE, width)
            rows = slice(int(top * scale_y), int(np.ceil(bottom * scale_y)) + 1)
            columns = slice(int(left * scale_x), int(np.ceil(right * scale_x)) + 1)
            if region is not None and not (
                left < region[2] and region[0] < right and top < region[3] and region[1] < bottom
            ):
                continue
            if not band[rows, columns].any():
                continue
            place = np.array(
                [[scale_x, 0, (left + 0.5) * scale_x - 0.5], [0, scale_y, (top + 0.5) * scale_y - 0.5]], np.float32
            )
            there = cv2.warpAffine(
                field,
                place,
                (right - left, bottom - top),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
            tile = rgb[top:bottom, left:right].astype(np.float32) / 255
            alpha = np.einsum("yxc,yxc->yx", tile, there[..., :3]) + there[..., 3]
            alpha = np.clip((alpha - 0.5) * CONTRAST + 0.5, 0, 1)
            plain = out[top:bottom, left:right].astype(np.float32) / 255
            mixed = plain + (alpha - plain) * there[..., 4]
            out[top:bottom, left:right] = np.rint(mixed * 255).astype(np.uint8)
    return out


def guided(values: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Values, float (h, w), smoothed along a picture's colours, uint8 (h, w, 3): float32 (h, w)."""
    guide = rgb.astype(np.float32) / 255
    coefficients = guided_coefficients(values.astype(np.float32), guide)
    return (coefficients[..., :3] * guide).sum(2) + coefficients[..., 3]


def guided_coefficients(mask: np.ndarray, guide: np.ndarray) -> np.ndarray:
    """float32 (h, w, 4): a (3 numbers) and b of mask ≈ a · colour + b, averaged over the windows that hold a pixel."""
    size = (2 * RADIUS + 1, 2 * RADIUS + 1)

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, size, borderType=cv2.BORDER_REFLECT)

    colour, level = mean(guide), mean(mask)
    cross = mean(guide * mask[..., None]) - colour * level[..., None]
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    products = mean(np.dstack([guide[..., i] * guide[..., j] for i, j in pairs[:4]]))
    products = np.dstack([products, mean(np.dstack([guide[..., i] * guide[..., j] for i, j in pairs[4:]]))])
    variance = {pair: products[..., n] - colour[..., pair[0]] * colour[..., pair[1]] for n, pair in enumerate(pairs)}
    for i in range(3):
        variance[i, i] = variance[i, i] + SMOOTHING
    s00, s01, s02 = variance[0, 0], variance[0, 1], variance[0, 2]
    s11, s12, s22 = variance[1, 1], variance[1, 2], variance[2, 2]
    # The inverse of a symmetric 3 × 3 matrix by its cofactors, for all pixels at once.
    c00, c01, c02 = s11 * s22 - s12 * s12, s02 * s12 - s01 * s22, s01 * s12 - s02 * s11
    c11, c12, c22 = s00 * s22 - s02 * s02, s01 * s02 - s00 * s12, s00 * s11 - s01 * s01
    determinant = s00 * c00 + s01 * c01 + s02 * c02
    x, y, z = cross[..., 0], cross[..., 1], cross[..., 2]
    a = np.dstack([c00 * x + c01 * y + c02 * z, c01 * x + c11 * y + c12 * z, c02 * x + c12 * y + c22 * z])
    a /= determinant[..., None]
    b = level - (a * colour).sum(2)
    return mean(np.dstack([a, b]).astype(np.float32))
