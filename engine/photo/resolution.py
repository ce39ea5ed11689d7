"""The resolution that a picture's file states: how large it is to be printed, or as how large it was scanned."""

from __future__ import annotations

from PIL import ExifTags, Image

from engine.region import LEAST_DPI, MOST_DPI

Resolution = tuple[float, float]
"""Across and down, in pixels per inch."""

_JFIF_UNITS = (1, 2)
_TURNED = range(5, 9)
"""Orientations of EXIF in which rows stand upright."""


def resolution_of(picture: Image.Image, orientation: int = 1) -> Resolution | None:
    """The resolution of an opened picture as it is seen upright, or None where its file states none that can be.

    Args:
        orientation: of EXIF, 1 … 8.
    """
    for stated in (_own, _of_exif):
        try:
            across, down = (float(number) for number in stated(picture))
        except Exception:  # metadata may be damaged in any way; the picture itself was read
            continue
        if LEAST_DPI <= across <= MOST_DPI and LEAST_DPI <= down <= MOST_DPI:
            return (down, across) if orientation in _TURNED else (across, down)
    return None


def _own(picture: Image.Image) -> Resolution:
    """The resolution that the format itself has a place for. Raises ``LookupError`` without it."""
    if picture.format in ("JPEG", "MPO") and picture.info.get("jfif_unit") not in _JFIF_UNITS:
        raise LookupError  # what Pillow says then is from EXIF, or 72 where that says nothing
    return picture.info["dpi"]


def _of_exif(picture: Image.Image) -> Resolution:
    """The resolution that EXIF states, as phones write it. Raises ``LookupError`` or ``ValueError`` without it."""
    exif = picture.getexif()
    unit = {2: 1.0, 3: 2.54}[exif.get(ExifTags.Base.ResolutionUnit, 2)]
    return float(exif[ExifTags.Base.XResolution]) * unit, float(exif[ExifTags.Base.YResolution]) * unit
