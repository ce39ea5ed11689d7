"""The resolution that a picture's file states: how large it is to be printed, or as how large it was scanned."""

from __future__ import annotations

from PIL import ExifTags, Image

from engine.region import LEAST_DPI, MOST_DPI

Resolution = tuple[float, float]
"""Across and down, in pixels per inch."""

_TURNED = range(5, 9)
"""Orientations of EXIF in which rows stand upright."""


def resolution_of(picture: Image.Image, orientation: int = 1) -> Resolution | None:
    """The resolution of an opened picture as it is seen upright, or None where its file states none that can be.

    Args:
        orientation: of EXIF, 1 … 8.
    """
    try:
        across, down = (float(number) for number in picture.info.get("dpi") or _of_exif(picture.getexif()))
    except Exception:  # metadata may be damaged in any way; the picture itself was read
        return None
    if not (LEAST_DPI <= across <= MOST_DPI and LEAST_DPI <= down <= MOST_DPI):
        return None
    return (down, across) if orientation in _TURNED else (across, down)


def _of_exif(exif: Image.Exif) -> Resolution:
    """The resolution that EXIF states, as WebP and HEIC have it. Raises ``KeyError`` or ``ValueError`` without it."""
    unit = {2: 1.0, 3: 2.54}[exif.get(ExifTags.Base.ResolutionUnit, 2)]
    return float(exif[ExifTags.Base.XResolution]) * unit, float(exif[ExifTags.Base.YResolution]) * unit
