"""A photo as the place of a picture: the window of it that is drawn on, and the way back to full resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from engine.errors import PhotoError, RegionError
from engine.photo.framing import on_white
from engine.photo.load import Photo, photo_from_pixels
from engine.photo.mask_ops import bounding_box
from engine.placement import LARGEST, SMALLEST, Placement
from engine.region import INSIDE, PhotoWindow, Region, mixed, region_problem, soft_inside
from engine.request import CutOut
from engine.sentence import Sentence

AROUND = 1.5
"""Side of the window over that of the region: the model sees what the region stands in."""
SMALLEST_SIDE = 16
_BORDER = 0.08


def as_place(photo: Photo) -> Photo:
    """A photo as something is put into it: opaque, its notes saying what it loses. What is transparent is white, whatever colour
    lies hidden there."""
    notes = (*photo.notes, *photo.lost)
    if photo.alpha is None:
        return replace(photo, notes=notes)
    note = Sentence("What is transparent in the photo is white in the picture.")
    return photo_from_pixels(on_white(photo.rgb, photo.alpha), None, photo.name, (*notes, note), photo.dpi)


def region_of_photo(photo: Photo, mask: np.ndarray, sizes: Sequence[tuple[int, int]]) -> Region:
    """The part of a photo that a model works on, made as large as its pictures.

    Args:
        mask: uint8 (H, W) as large as the photo; what is drawn anew.
        sizes: (width, height) of the pictures the model draws; the one nearest to the photo's shape is taken.

    Raises:
        RegionError: the mask is empty, covers everything, or has another size than the photo.
        PhotoError: the photo is too small to draw on.
    """
    if mask.shape != (photo.height, photo.width):
        raise RegionError(
            Sentence(
                "The region is {width} × {height} pixels and the photo {photo_width} × {photo_height}.",
                width=mask.shape[1],
                height=mask.shape[0],
                photo_width=photo.width,
                photo_height=photo.height,
            ),
            Sentence("Use a region that was made for this photo."),
        )
    if min(photo.width, photo.height) < SMALLEST_SIDE:
        raise PhotoError(
            Sentence(
                "The photo is only {width} × {height} pixels, too small to put something into.",
                width=photo.width,
                height=photo.height,
            ),
            Sentence("Use a larger photo."),
            title=Sentence("The photo is too small"),
        )
    problem = region_problem(mask)
    if problem is not None:
        raise problem
    ratio = photo.width / photo.height
    size = min(sizes, key=lambda size: abs(np.log(size[0] / size[1] / ratio)))
    box = bounding_box(mask, INSIDE)
    assert box is not None  # an empty mask is a problem
    x, y, width, height = window_around(box, (photo.width, photo.height), size)
    picture = _window(photo.rgb, x, y, width, height, cv2.BORDER_REFLECT_101)
    inside = _window((mask >= INSIDE).astype(np.uint8) * 255, x, y, width, height, cv2.BORDER_CONSTANT)
    if (width, height) != size:
        smaller = size[0] < width
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
        inside = _mask_resized(inside, size)
        if not inside.any():
            raise RegionError(
                Sentence("The region is too small: nothing in it would be drawn anew."), Sentence("Mark a larger one.")
            )
    window = None
    if (x, y, width, height) != (0, 0, photo.width, photo.height) or (width, height) != size:
        window = PhotoWindow(x, y, width, height, photo.width, photo.height, photo.digest)
    return Region(inside, picture, 0, window, behind=True, dpi=photo.dpi)


def window_around(
    box: tuple[int, int, int, int], photo: tuple[int, int], size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """(x, y, width, height) of the window, in the shape of ``size``, around a box (x0, y0, x1, y1) of a photo.

    It has at least the model's own resolution where the photo has it, leaves room around the box where there is any, and
    reaches beyond the photo only when the box cannot be held otherwise.
    """
    x0, y0, x1, y1 = box
    needed = max((x1 - x0) / size[0], (y1 - y0) / size[1])
    fits = min(photo[0] / size[0], photo[1] / size[1])
    scale = max(min(max(AROUND * needed, 1.0), fits), needed)
    extent = [max(1, round(side * scale)) for side in size]
    corner = []
    for low, high, side, whole in ((x0, x1, extent[0], photo[0]), (y0, y1, extent[1], photo[1])):
        start = round((low + high - side) / 2)
        corner.append(min(max(start, 0), whole - side) if side <= whole else (whole - side) // 2)
    return corner[0], corner[1], extent[0], extent[1]


def put_back(
    photo: np.ndarray, picture: np.ndarray, region: Region, feather: float, alpha: np.ndarray | None = None
) -> np.ndarray:
    """The photo at full resolution with a drawn picture in its region.

    Args:
        photo: RGB uint8 (H, W, 3), as large as the region's window says.
        picture: RGB uint8, as the engine gave it.
        feather: pixels of the picture over which the region comes in.
        alpha: float32, as large as the picture, 0 … 1: the subject at its place, where that is known. Beside it the photo
            keeps the detail that the picture is too small for.

    Returns:
        RGB uint8 (H, W, 3); outside of the region every pixel is the photo's.
    """
    window = region.window
    if window is None:
        return picture
    if photo.shape[:2] != (window.photo_height, window.photo_width):
        raise RegionError(
            Sentence(
                "The photo is {width} × {height} pixels, and the region is of one of {photo_width} × {photo_height}.",
                width=photo.shape[1],
                height=photo.shape[0],
                photo_width=window.photo_width,
                photo_height=window.photo_height,
            ),
            Sentence("Use the photo the region was made for."),
        )
    extent = (window.width, window.height)
    scale = window.width / picture.shape[1]
    large = _resized(picture, extent)
    mask = _mask_resized(region.mask, extent)
    weight = soft_inside(mask, feather * scale)
    left, top = max(window.x, 0), max(window.y, 0)
    right, bottom = min(window.x + window.width, photo.shape[1]), min(window.y + window.height, photo.shape[0])
    there = np.s_[top:bottom, left:right]
    here = np.s_[top - window.y : bottom - window.y, left - window.x : right - window.x]
    drawn = large[here]
    if alpha is not None and region.behind:
        small = _resized(region.picture, extent)[here]
        beside = 1 - _resized(alpha, extent)[here].clip(0, 1)[..., None]
        drawn = drawn + (photo[there].astype(np.float32) - small) * beside
        drawn = (drawn.clip(0, 255) + np.float32(0.5)).astype(np.uint8)
    out = photo.copy()
    out[there] = mixed(photo[there], drawn, weight[here])
    return out


def place_in_window(placement: Placement, window: PhotoWindow | None) -> Placement:
    """A place in shares of the photo as one in shares of the window. Raises ``RegionError`` when it lies outside."""
    if window is None:
        return placement
    x = (placement.x * window.photo_width - window.x) / window.width
    y = (placement.y * window.photo_height - window.y) / window.height
    side = placement.size * min(window.photo_width, window.photo_height) / min(window.width, window.height)
    if not (0 <= x <= 1 and 0 <= y <= 1 and SMALLEST <= side <= LARGEST):
        raise RegionError(
            Sentence("The place of the subject lies outside of the region."), Sentence("Place it inside.")
        )
    return Placement(x, y, side, placement.turn, placement.mirrored)


def place_in_region(subject: CutOut, region: Region) -> Placement:
    """The subject standing in a region: as large as it fits, at the bottom."""
    box, own = bounding_box(region.mask, INSIDE), bounding_box(subject.alpha)
    assert box is not None  # a region is never empty
    side = len(subject.alpha)
    own = own or (0, 0, side, side)
    width, height = (box[2] - box[0]) * (1 - 2 * _BORDER), (box[3] - box[1]) * (1 - 2 * _BORDER)
    scale = min(width / (own[2] - own[0]), height / (own[3] - own[1]))
    foot = box[3] - _BORDER * (box[3] - box[1])
    x = (box[0] + box[2]) / 2 + (side / 2 - (own[0] + own[2]) / 2) * scale
    y = foot + (side / 2 - own[3]) * scale
    size = min(max(side * scale / min(region.size), SMALLEST), LARGEST)
    return Placement(min(max(x / region.size[0], 0.0), 1.0), min(max(y / region.size[1], 0.0), 1.0), size)


def _window(pixels: np.ndarray, x: int, y: int, width: int, height: int, border: int) -> np.ndarray:
    """A rectangle of a picture, with a border of the given kind where it reaches beyond it."""
    rows, columns = pixels.shape[:2]
    part = pixels[max(y, 0) : min(y + height, rows), max(x, 0) : min(x + width, columns)]
    above, left = max(-y, 0), max(-x, 0)
    below, right = max(y + height - rows, 0), max(x + width - columns, 0)
    if not (above or below or left or right):
        return np.ascontiguousarray(part)
    too_far = max(above, below) >= part.shape[0] or max(left, right) >= part.shape[1]
    if border == cv2.BORDER_REFLECT_101 and too_far:
        border = cv2.BORDER_REPLICATE
    return cv2.copyMakeBorder(part, above, below, left, right, border, value=0)


def _resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels made as large as ``size`` (width, height)."""
    larger = size[0] > pixels.shape[1]
    return cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC if larger else cv2.INTER_AREA)


def _mask_resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask (H, W) made as large as ``size`` (width, height); a pixel is inside when all that becomes of it is.

    There and back it can only shrink, so that nothing outside of the user's region is ever touched.
    """
    for axis, length in ((1, size[0]), (0, size[1])):
        own = mask.shape[axis]
        if length >= own:
            mask = np.take(mask, np.arange(length) * own // length, axis)
        else:
            starts = -(-np.arange(length) * own // length)  # the first pixel that falls into each of the new ones
            mask = np.minimum.reduceat(mask, starts, axis)
    return np.ascontiguousarray(mask)
