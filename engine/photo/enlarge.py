"""Pictures made two or four times as large: by resampling, which invents nothing and keeps edges smooth, or by a way that is given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageFilter

from engine.errors import InputError, RequestError
from engine.files import check_apart
from engine.photo.load import IN_SRGB, load_photo
from engine.photo.own_colours import read_own_colours
from engine.photo.picture_file import read_picture_file, save_plain, settings_text
from engine.photo.refusals import MAX_PIXELS
from engine.sentence import Sentence

Way = Callable[[np.ndarray, int], np.ndarray]
"""RGB uint8 (H, W, 3) and a factor → RGB uint8 (factor × H, factor × W, 3)."""

FACTORS = (2, 4)
METHOD = "Lanczos with mild sharpening"

_RADIUS = 0.55
"""Of the sharpening, in pixels of the small picture."""
_PERCENT = 60


def by_lanczos(rgb: np.ndarray, factor: int) -> np.ndarray:
    """Lanczos and an unsharp mask that gives edges back what the filter took. A ``Way``."""
    size = (rgb.shape[1] * factor, rgb.shape[0] * factor)
    large = Image.fromarray(np.ascontiguousarray(rgb)).resize(size, Image.Resampling.LANCZOS)
    return np.asarray(large.filter(ImageFilter.UnsharpMask(_RADIUS * factor, _PERCENT, 2)))


def enlarged(image: np.ndarray, factor: int, way: Way = by_lanczos) -> np.ndarray:
    """A larger picture.

    Args:
        image: RGB or RGBA uint8 (H, W, 3 or 4). What is transparent gives no colour to what is not.
        factor: 2 or 4.
        way: what enlarges the colours; transparency is always resampled.

    Returns:
        uint8 (factor × H, factor × W, 3 or 4).

    Raises:
        RequestError: another factor, or the result would have more than a hundred megapixels.
    """
    height, width = image.shape[:2]
    if factor not in FACTORS:
        raise RequestError(
            Sentence("Pictures are enlarged {least} or {most} times.", least=FACTORS[0], most=FACTORS[1]),
            Sentence("Choose one of them."),
        )
    if height * width * factor**2 > MAX_PIXELS:
        raise RequestError(
            Sentence(
                "A picture of {width} × {height} pixels enlarged {factor} times has more than {most} megapixels.",
                width=width,
                height=height,
                factor=factor,
                most=MAX_PIXELS // 10**6,
            ),
            Sentence("Choose a smaller factor."),
        )
    alpha = image[..., 3] if image.shape[2] == 4 else None
    colours = image[..., :3] if alpha is None else _without_hidden(image[..., :3], alpha)
    large = way(colours, factor)
    if alpha is None:
        return large
    size = (width * factor, height * factor)
    veil = Image.fromarray(np.ascontiguousarray(alpha)).resize(size, Image.Resampling.LANCZOS)
    return np.dstack([large, np.asarray(veil)])


def _without_hidden(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Fill invisible places with the colour of the nearest visible pixel: it is what the filters find beside an edge."""
    visible = alpha > 0
    if not visible.any():
        return rgb
    _, nearest = cv2.distanceTransformWithLabels(
        (~visible).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    colours[nearest[visible]] = rgb[visible]
    return colours[nearest]


def save_larger(
    source: Path,
    target: Path,
    factor: int,
    *,
    metadata: bool = True,
    way: Way = by_lanczos,
    method: str = METHOD,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[int, int]:
    """Write a picture's file anew, larger. Its resolution (DPI) stays written in it, and so does its colour profile, with the
    colours that sRGB does not have; a picture without a profile is tagged as sRGB.

    Args:
        source: any picture. target: its suffix chooses PNG, WebP or JPEG; only the first two keep transparency.
        metadata: a PNG says in words what drew it. The request itself is not carried: it draws the small picture.
        way, method: what enlarges it, and how that is called in the metadata.
        tell: takes a sentence on each thing of the source that is not in the target: further frames, bits, colours.

    Returns:
        (width, height) of what was written.

    Raises:
        PhotoError: the source cannot be read. RequestError: see ``enlarged``. CannotWrite: the target cannot be written.
        InputError: it is the source, whose request and bits would be lost.
    """
    check_apart((target,), (source,))
    photo = load_photo(source)
    own = read_own_colours(source, photo.rgb)
    for note in (*photo.notes, *photo.lost):
        if own is None or note is not IN_SRGB:  # a transparent photo loses its colours only where it is laid on white
            tell(note)
    pixels = photo.rgb if own is None else own.rgb
    if photo.alpha is not None:
        if target.suffix.lower() in (".jpg", ".jpeg"):
            weight = photo.alpha[..., None].astype(np.float32) / 255
            pixels = np.rint(pixels * weight + 255 * (1 - weight)).astype(np.uint8)
        else:
            pixels = np.dstack([pixels, photo.alpha])
    large = enlarged(pixels, factor, way)
    words = {}
    if metadata:
        words["Enlarged"] = f"{factor} times, {method}"
        try:
            carried = read_picture_file(source)
            words["parameters"] = settings_text(carried, (large.shape[1], large.shape[0]))
        except InputError:
            pass  # a picture of another program, or one without metadata
    save_plain(target, large, dpi=photo.dpi, words=words, profile=None if own is None else own.profile)
    return large.shape[1], large.shape[0]
