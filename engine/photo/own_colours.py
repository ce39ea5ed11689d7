"""The colours of a photo as its file has them, with the profile that says what they mean: what is made of the photo keeps them.

All work is done in sRGB, which is smaller than the colours of a phone's or a camera's photos. What is nobody's work of ours
need not be: a photo made larger, and a photo outside of what was put into it.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from engine.photo.colour import by_profile
from engine.photo.load import open_regular_file, orientation_of, turned, usable_formats
from engine.photo.place import put_back
from engine.region import Region, soft_inside

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class OwnColours:
    """Pixels in the colours of an ICC profile.

    Attributes:
        rgb: uint8 (H, W, 3).
        profile: the bytes of the profile.
    """

    rgb: np.ndarray
    profile: bytes


def read_own_colours(file: Path, rgb: np.ndarray) -> OwnColours | None:
    """The pixels of a photo's file before they were made sRGB.

    Args:
        rgb: uint8 (H, W, 3), what ``load_photo`` read from the file.

    Returns:
        None for a file without a usable profile, for colours that are no RGB, and for a file that is another one by now: what
        was read is all there is then.
    """
    try:
        with open_regular_file(file, file.name) as stream:
            start = stream.read(32)
            stream.seek(0)
            with Image.open(stream, formats=usable_formats(start)) as picture:
                profile = picture.info.get("icc_profile")
                if not profile or picture.mode not in ("RGB", "RGBA"):
                    return None
                picture.load()  # a TIFF is turned here, and says so
                own = turned(picture.convert("RGB"), orientation_of(picture))
        known = by_profile(own, profile)
    except Exception:  # the photo itself was read; only its own colours are not at hand
        log.info("the own colours of %s cannot be read", file.name, exc_info=True)
        return None
    if known is None or not np.array_equal(np.asarray(known), rgb):
        return None
    return OwnColours(np.asarray(own), profile)


def put_back_own(
    own: OwnColours, picture: np.ndarray, region: Region, feather: float, alpha: np.ndarray | None = None
) -> OwnColours | None:
    """The work of ``put_back`` in the photo's own colours.

    Args:
        own: the photo at full resolution.
        picture, region, feather, alpha: as ``put_back`` takes them, sRGB.

    Returns:
        The photo with the drawn picture in its region; outside of it every pixel is the file's own. None where nothing can be
        written in these colours: profiles of scanners and of some cameras only say what their numbers mean.
    """
    try:
        drawn, before = (_from_srgb(pixels, own.profile) for pixels in (picture, region.picture))
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        log.info("nothing can be written in the colours of this profile", exc_info=True)
        return None
    if region.window is not None:
        rgb = put_back(own.rgb, drawn, replace(region, picture=before), feather, alpha)
        return OwnColours(rgb, own.profile)
    share = soft_inside(region.mask, feather) * (1.0 if alpha is None else alpha)
    beyond = (own.rgb.astype(np.float32) - before) * (1 - share)[..., None]  # what sRGB does not have
    mended = ((drawn + beyond).clip(0, 255) + np.float32(0.5)).astype(np.uint8)
    unchanged = (picture == region.picture).all(axis=2)
    return OwnColours(np.where(unchanged[..., None], own.rgb, mended), own.profile)


def _from_srgb(rgb: np.ndarray, profile: bytes) -> np.ndarray:
    """RGB uint8 (H, W, 3) in the colours of a profile. Raises what LittleCMS raises where that cannot be."""
    target, picture = ImageCms.ImageCmsProfile(io.BytesIO(profile)), Image.fromarray(rgb)
    made = ImageCms.profileToProfile(picture, ImageCms.createProfile("sRGB"), target, outputMode="RGB")
    return np.asarray(made if made is not None else picture)
