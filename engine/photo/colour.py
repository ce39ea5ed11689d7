"""Colours of a photo → sRGB, by whatever the file says of them: an ICC profile, numbers in PNG and AVIF, or a camera's mark.

Without any of these the numbers are sRGB, as everywhere.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from itertools import product
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms

log = logging.getLogger(__name__)

MAX_PROFILE_BYTES = 64 * 2**20
_STRIP_PIXELS = 2**21

_LEAST_GAMMA, _MOST_GAMMA = 0.2, 5.0
"""What a PNG may say; beyond that the number is damaged, and the picture would be one black or white sheet."""
_D65 = (0.3127, 0.3290)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class ColourSpace:
    """An RGB space by its numbers.

    Attributes:
        red, green, blue, white: chromaticities (x, y).
        gamma: exponent that makes the values linear; None for the curve of sRGB.
    """

    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]
    white: tuple[float, float] = _D65
    gamma: float | None = None

    def to_xyz(self) -> np.ndarray:
        """float64 (3, 3): linear RGB → XYZ, with the white point moved to D65."""
        columns = np.array([_xyz(point) for point in (self.red, self.green, self.blue)]).T
        white = _xyz(self.white)
        matrix = columns * np.linalg.solve(columns, white)
        gain = (_BRADFORD @ _xyz(_D65)) / (_BRADFORD @ white)
        return np.linalg.inv(_BRADFORD) @ np.diag(gain) @ _BRADFORD @ matrix


SRGB = ColourSpace((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
ADOBE = ColourSpace((0.640, 0.330), (0.210, 0.710), (0.150, 0.060), gamma=563 / 256)

# Code points of ITU-T H.273. Curves of high dynamic range (16, 18) are no matter of colours alone and stay as they are.
_PRIMARIES = {
    1: (SRGB.red, SRGB.green, SRGB.blue),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_GAMMAS: dict[int, float | None] = {1: None, 4: 2.2, 5: 2.8, 6: None, 8: 1.0, 13: None, 14: None, 15: None}


def space_of_codes(primaries: int, transfer: int) -> ColourSpace | None:
    """The space of two code points of H.273; None for one that is sRGB or not known."""
    if primaries not in _PRIMARIES or transfer not in _GAMMAS:
        return None
    space = ColourSpace(*_PRIMARIES[primaries], gamma=_GAMMAS[transfer])
    return None if space == SRGB else space


def space_of_file(picture: Image.Image, stream: BinaryIO) -> ColourSpace | None:
    """The colour space that PNG, AVIF and a camera's Exif name without a profile; None when there is none, or sRGB."""
    try:
        if picture.format == "PNG":
            return _space_of_png(picture, stream)
        if picture.format == "AVIF":
            stream.seek(0)
            head = stream.read(2**16)
            at = head.find(b"colrnclx")
            if at >= 0:
                codes = [int.from_bytes(head[at + 8 + n : at + 10 + n], "big") for n in (0, 2)]
                return space_of_codes(*codes)
        elif picture.getexif().get_ifd(0xA005).get(1) == "R03":  # the interoperability rule of Adobe RGB
            return ADOBE
    except Exception:  # damaged metadata raises anything; the picture itself is fine
        log.info("what the file says of its colours cannot be read", exc_info=True)
    return None


def _space_of_png(picture: Image.Image, stream: BinaryIO) -> ColourSpace | None:
    codes = _cicp(stream)
    if codes is not None:
        return space_of_codes(*codes)
    info = picture.info
    if "srgb" in info or "icc_profile" in info:
        return None
    gamma = info.get("gamma")
    exponent = 1 / gamma if gamma else 2.2
    if abs(exponent - 2.2) < 0.01 or not _LEAST_GAMMA <= exponent <= _MOST_GAMMA:
        exponent = None
    if "chromaticity" in info:
        white, red, green, blue = (tuple(info["chromaticity"][n : n + 2]) for n in (0, 2, 4, 6))
        space = ColourSpace(red, green, blue, white, exponent)
    else:
        space = ColourSpace(SRGB.red, SRGB.green, SRGB.blue, gamma=exponent)
    near = np.allclose(space.to_xyz(), SRGB.to_xyz(), atol=2e-3) and space.gamma is None
    return None if near else space


def _cicp(stream: BinaryIO) -> tuple[int, int] | None:
    stream.seek(8)
    for _ in range(64):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IDAT":
            break
        length = int.from_bytes(head[:4], "big")
        if head[4:] == b"cICP" and length == 4:
            data = stream.read(4)
            return data[0], data[1]
        stream.seek(length + 4, io.SEEK_CUR)
    return None


def by_profile(picture: Image.Image, profile: bytes | None) -> Image.Image | None:
    """A picture (L, RGB, CMYK, LAB) in sRGB by its ICC profile; None when there is none that can be used."""
    if not profile or len(profile) > MAX_PROFILE_BYTES:
        return None
    try:
        source, target = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        if picture.mode == "RGB" and _changes_nothing(source, target):
            return picture
        return ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        log.info("the colour profile cannot be used", exc_info=True)
        return None


def can_be_written(profile: bytes) -> bool:
    """Return True if pixels can be turned into a profile's colours; those of scanners and some cameras only say what numbers mean."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.buildTransform(ImageCms.createProfile("sRGB"), source, "RGB", "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return False
    return True


def _changes_nothing(source: ImageCms.ImageCmsProfile, target: Any) -> bool:
    """Return True if a profile is sRGB, whatever it calls itself: tried on colours from the whole cube."""
    steps = np.array(list(product(range(0, 256, 51), repeat=3)), np.uint8).reshape(6, 36, 3)
    changed = ImageCms.profileToProfile(Image.fromarray(steps), source, target, outputMode="RGB")
    return changed is not None and int(np.abs(np.asarray(changed).astype(int) - steps).max()) <= 2


def by_space(rgb: np.ndarray, space: ColourSpace) -> np.ndarray:
    """RGB uint8 (H, W, 3) of a space → sRGB, in strips, so that a large photo needs no large numbers."""
    levels = np.arange(256) / 255
    linear = (_linear(levels) if space.gamma is None else levels**space.gamma).astype(np.float32)
    matrix = (np.linalg.inv(SRGB.to_xyz()) @ space.to_xyz()).T.astype(np.float32)
    encoded = np.rint(255 * _encoded(np.arange(4096) / 4095)).astype(np.uint8)
    result = np.empty_like(rgb)
    rows = max(1, _STRIP_PIXELS // max(1, rgb.shape[1]))
    for start in range(0, rgb.shape[0], rows):
        strip = linear[rgb[start : start + rows]] @ matrix
        result[start : start + rows] = encoded[np.clip(np.rint(4095 * strip), 0, 4095).astype(np.int16)]
    return result


def _xyz(point: tuple[float, float]) -> np.ndarray:
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _linear(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _encoded(values: np.ndarray) -> np.ndarray:
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)
