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
_AROUND = 2 * RADIUS + 4
"""So many around the band have a say in the coefficients there, or a weight of more than 0."""


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
    field, weight, corner = _field(small, small_rgb, band)
    scale_x, scale_y = w / width, h / height
    lefts = range(0, width, _TILE)
    columns = [slice(int(left * scale_x), int(np.ceil(min(left + _TILE, width) * scale_x)) + 1) for left in lefts]
    for top in range(0, height, _TILE):
        bottom = min(top + _TILE, height)
        crossed = band[int(top * scale_y) : int(np.ceil(bottom * scale_y)) + 1].max(axis=0)
        if not crossed.any() or (region is not None and not (top < region[3] and region[1] < bottom)):
            continue
        for left, across in zip(lefts, columns, strict=True):
            right = min(left + _TILE, width)
            if not crossed[across].any() or (region is not None and not (left < region[2] and region[0] < right)):
                continue
            x, y = (left + 0.5) * scale_x - 0.5 - corner[0], (top + 0.5) * scale_y - 0.5 - corner[1]
            place = np.array([[scale_x, 0, x], [0, scale_y, y]], np.float32)
            there, mixed = (_enlarged(part, place, (right - left, bottom - top)) for part in (field, weight))
            _draw(out[top:bottom, left:right], rgb[top:bottom, left:right], there, mixed)
    return out


def _field(
    small: np.ndarray, small_rgb: np.ndarray, band: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[int, int]]:
    """The filter's coefficients around a band, float32 (h, w, 4), the weight of its answer, and x and y of their corner."""
    x, y, w, h = cv2.boundingRect(band)
    left, top = max(x - _AROUND, 0), max(y - _AROUND, 0)
    part = np.s_[top : y + h + _AROUND, left : x + w + _AROUND]
    coefficients = guided_coefficients(small[part].astype(np.float32) / 255, small_rgb[part].astype(np.float32) / 255)
    return coefficients, cv2.GaussianBlur(band[part].astype(np.float32), (0, 0), 1.0), (left, top)


def _enlarged(part: np.ndarray, place: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(part, place, size, flags=how, borderMode=cv2.BORDER_REPLICATE)


def _draw(out: np.ndarray, rgb: np.ndarray, field: np.ndarray, weight: np.ndarray) -> None:
    """The filter's answer in one tile, mixed into the enlarged mask, uint8 (h, w), that is there."""
    # The fourth channel is 1 throughout: b stands beside the colours.
    products = cv2.multiply(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), field, scale=1 / 255, dtype=cv2.CV_32F)
    alpha = cv2.transform(products, np.ones((1, 4), np.float32))
    alpha = np.clip((alpha - 0.5) * CONTRAST + 0.5, 0, 1)
    plain = out.astype(np.float32) / 255
    out[...] = np.rint((plain + (alpha - plain) * weight) * 255)


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

    planes, level = cv2.split(guide), mean(mask)
    colour = [mean(plane) for plane in planes]
    x, y, z = (mean(plane * mask) - middle * level for plane, middle in zip(planes, colour, strict=True))
    s00, s01, s02, s11, s12, s22 = (
        mean(planes[i] * planes[j]) - colour[i] * colour[j] + SMOOTHING * (i == j)
        for i in range(3)
        for j in range(i, 3)
    )
    # The inverse of a symmetric 3 × 3 matrix by its cofactors, for all pixels at once.
    c00, c01, c02 = s11 * s22 - s12 * s12, s02 * s12 - s01 * s22, s01 * s12 - s02 * s11
    c11, c12, c22 = s00 * s22 - s02 * s02, s01 * s02 - s00 * s12, s00 * s11 - s01 * s01
    determinant = s00 * c00 + s01 * c01 + s02 * c02
    a = [
        row / determinant
        for row in (c00 * x + c01 * y + c02 * z, c01 * x + c11 * y + c12 * z, c02 * x + c12 * y + c22 * z)
    ]
    b = level - (a[0] * colour[0] + a[1] * colour[1] + a[2] * colour[2])
    return cv2.merge([mean(values) for values in (*a, b)])
