"""From a photo and a mask to the ``CutOut``: the subject on white, square, exactly what the model sees.

Two framings. "fit" centres the masked subject with a margin so that no part of it is cut off. "reference" repeats the
published preparation: everything outside a box becomes white, the frame keeps its size, then the shorter side is
fitted and the centre is cropped (EchoGen's released ``infer`` code); a subject near the end of a wide photo is cut.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from engine.errors import MaskError, RequestError
from engine.photo.bars import between_bars
from engine.photo.foreground import foreground_colours
from engine.photo.hints import Box
from engine.photo.load import Photo
from engine.photo.mask_ops import bounding_box, cut_sides, mask_problem
from engine.request import MAX_CUTOUT_SIDE, Beside, CutOut
from engine.sentence import Sentence

if TYPE_CHECKING:
    from engine.request import CutOut

MARGIN = 0.06
"""White on every side of the subject's longer extent, as a share of the cut-out's side ("fit")."""

_LANCZOS = Image.Resampling.LANCZOS


def cut_out(photo: Photo, mask: np.ndarray, size: int, framing: str = "fit", box: Box | None = None) -> CutOut:
    """Compose the subject on white.

    Args:
        mask: uint8 (H, W), as large as the photo.
        size: side of the cut-out in pixels, 1 … 512 (the bundle's ``reference_size``).
        framing: "fit" or "reference".
        box: for "reference", the box to keep; by default the bounding box of the mask.

    Raises:
        MaskError: the mask is empty, tiny, covers the whole photo, or has another size than the photo.
        RequestError: the size or the framing is not one of the above.
    """
    if mask.shape != photo.rgb.shape[:2] or mask.dtype != np.uint8:
        raise MaskError(
            Sentence(
                "The cut-out is {mask} and the photo {width} × {height} pixels.",
                mask=_size_words(mask),
                width=photo.width,
                height=photo.height,
            ),
            Sentence("Use a mask that was made for this photo."),
        )
    if not 1 <= size <= MAX_CUTOUT_SIDE:
        raise RequestError(Sentence("A cut-out has a side from 1 to {most} pixels.", most=MAX_CUTOUT_SIDE))
    if framing not in ("fit", "reference"):
        raise RequestError(Sentence("“{framing}” is no framing.", framing=framing), Sentence("Use fit or reference."))
    if framing == "reference" and box is not None:
        pixels = _reference(photo.rgb, box.pixels(photo.height, photo.width), size)
    else:
        problem = mask_problem(mask)
        if problem is not None and not (framing == "reference" and bounding_box(mask) is not None):
            raise problem
        extent = bounding_box(mask)
        assert extent is not None  # an empty mask is a problem
        pixels = _fit(photo.rgb, mask, extent, size) if framing == "fit" else _reference(photo.rgb, extent, size)
    cut = cut_sides(mask, between_bars(photo.rgb)) if photo.alpha is None else []
    beside: list[Beside] = [side for side in ("left", "right") if side in cut]
    return CutOut(
        pixels,
        framing=framing,
        photo=photo.digest,
        mask=mask_digest(mask),
        cut_below="bottom" in cut,
        cut_beside=beside[0] if len(beside) == 1 else "",
    )


def mask_digest(mask: np.ndarray) -> str:
    """sha256 (hex) of a mask's size and pixels."""
    digest = hashlib.sha256(repr(mask.shape).encode())
    digest.update(np.ascontiguousarray(mask).data)
    return digest.hexdigest()


def _fit(rgb: np.ndarray, mask: np.ndarray, extent: tuple[int, int, int, int], size: int) -> np.ndarray:
    x0, y0, x1, y1 = extent
    height, width = mask.shape
    scale = size * (1 - 2 * MARGIN) / max(x1 - x0, y1 - y0)
    # A few pixels more than the box, so that its edge is filtered with what really lies beside it.
    reach = int(np.ceil(3 / min(scale, 1.0))) + 1
    left, top = max(x0 - reach, 0), max(y0 - reach, 0)
    right, bottom = min(x1 + reach, width), min(y1 + reach, height)
    inside = mask[top:bottom, left:right]
    new_size = (max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale)))
    # Composed first, resized second: each pixel weighs by its alpha. What a soft edge shows of the old background is taken
    # out before, in the picture that is reduced already: it has all that the cut-out is going to have.
    part, inside = _averaged(rgb[top:bottom, left:right], new_size), _averaged(inside, new_size)
    colour = _resized(on_white(foreground_colours(part, inside), inside), new_size)
    alpha = _resized(inside, new_size)
    at_x = round(size / 2 - ((x0 + x1) / 2 - left) * scale)
    at_y = round(size / 2 - ((y0 + y1) / 2 - top) * scale)
    pixels = np.empty((size, size, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = 255, 0
    rows, columns = _overlap(at_y, new_size[1], size), _overlap(at_x, new_size[0], size)
    source = np.s_[rows.start - at_y : rows.stop - at_y, columns.start - at_x : columns.stop - at_x]
    pixels[rows, columns, :3] = colour[source]
    pixels[rows, columns, 3] = alpha[source]
    return pixels


def _averaged(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Average a picture more than four times as large as (width, height) down to three times, for speed."""
    height, width = pixels.shape[:2]
    if min(width / size[0], height / size[1]) > 4:
        pixels = cv2.resize(pixels, (size[0] * 3, size[1] * 3), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(pixels)


def _resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Lanczos to (width, height)."""
    return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(size, _LANCZOS))


def _overlap(start: int, length: int, size: int) -> slice:
    return slice(max(start, 0), min(start + length, size))


def on_white(rgb: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """RGB uint8 (h, w, 3) over white, weighted by a mask uint8 (h, w)."""
    weight = cv2.merge([mask, mask, mask])
    return cv2.add(cv2.multiply(rgb, weight, scale=1 / 255), cv2.bitwise_not(weight))


def _reference(rgb: np.ndarray, extent: tuple[int, int, int, int], size: int) -> np.ndarray:
    x0, y0, x1, y1 = extent
    inside = np.zeros(rgb.shape[:2], np.uint8)
    inside[y0:y1, x0:x1] = 255
    return np.dstack([cover_crop(box_on_white(rgb, extent), size), cover_crop(inside, size)])


def box_on_white(rgb: np.ndarray, box: tuple[int, ...]) -> np.ndarray:
    """The photo with everything outside the box (x0, y0, x1, y1; right and bottom exclusive) made white."""
    x0, y0, x1, y1 = box
    out = np.full_like(rgb, 255)
    out[y0:y1, x0:x1] = rgb[y0:y1, x0:x1]
    return out


def cover_crop(pixels: np.ndarray, size: int) -> np.ndarray:
    """Resize (Lanczos) so that the shorter side is ``size``, then crop the centre square, as published.

    The longer side is truncated to whole pixels, computed from the ratio in the order of the published program; the crop's
    offsets are rounded down.
    """
    height, width = pixels.shape[:2]
    if width < height:
        new_size = (size, int(size / (width / height)))
    else:
        new_size = (int((width / height) * size), size)
    resized = np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).resize(new_size, _LANCZOS))
    left, top = (new_size[0] - size) // 2, (new_size[1] - size) // 2
    return resized[top : top + size, left : left + size]


def _size_words(mask: np.ndarray) -> str:
    return " × ".join(str(n) for n in mask.shape[1::-1]) if mask.ndim == 2 else "no mask"


def without_white(subject: CutOut) -> np.ndarray:
    """The cut-out alone: the white under it is taken away again.

    Returns:
        Premultiplied RGBA, float32 (S, S, 4) in 0 … 1: colour times alpha, and alpha.
    """
    alpha = subject.alpha.astype(np.float32)[..., None] / 255
    colour = (subject.rgb.astype(np.float32) / 255 - (1 - alpha)).clip(0, 1)
    return np.concatenate([np.minimum(colour, alpha), alpha], axis=2)
