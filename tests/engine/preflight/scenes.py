"""Small painted photos whose right mask is known."""

from __future__ import annotations

import cv2
import numpy as np

from engine.photo.load import Photo, photo_from_pixels


def background(height: int, width: int, colour: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """A surface with a slow gradient and a little grain, RGB uint8."""
    random = np.random.default_rng(seed)
    shade = np.linspace(-18, 18, width)[None, :, None] + np.linspace(-10, 10, height)[:, None, None]
    grain = cv2.GaussianBlur(random.normal(0, 14, (height, width, 1)), (0, 0), 1.0)[..., None]
    return np.clip(np.array(colour) + shade + grain, 0, 255).astype(np.uint8)


def painted(
    shape: np.ndarray,
    colour: tuple[int, int, int] = (200, 60, 40),
    ground: tuple[int, int, int] = (90, 130, 100),
    seed: int = 0,
) -> np.ndarray:
    """A subject of this shape, bool (H, W), with an antialiased edge, on a background; RGB uint8."""
    height, width = shape.shape
    weight = cv2.GaussianBlur(shape.astype(np.float32), (0, 0), 0.7)[..., None]
    inner = background(height, width, colour, seed + 1)
    return np.clip(inner * weight + background(height, width, ground, seed) * (1 - weight), 0, 255).astype(np.uint8)


def ellipse(height: int, width: int, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
    ys, xs = np.mgrid[:height, :width]
    return ((xs - cx) / rx) ** 2 + ((ys - cy) / ry) ** 2 <= 1


def toy(height: int = 180, width: int = 240) -> tuple[Photo, np.ndarray]:
    """A red toy with a head and an arm, off the middle; the photo and its right mask, bool (H, W)."""
    shape = ellipse(height, width, 0.55 * width, 0.58 * height, 0.18 * width, 0.26 * height)
    shape |= ellipse(height, width, 0.55 * width, 0.28 * height, 0.1 * width, 0.14 * height)
    shape[round(0.5 * height) : round(0.6 * height), round(0.3 * width) : round(0.45 * width)] = True
    return photo_from_pixels(painted(shape)), shape


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    """Intersection over union of a mask (uint8 or bool) and the truth."""
    solid = mask >= 128 if mask.dtype == np.uint8 else mask
    return float((solid & truth).sum() / max((solid | truth).sum(), 1))
