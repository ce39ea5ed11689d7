"""Pictures say that their colours are sRGB: without a word, programs that manage colours guess."""

from __future__ import annotations

from functools import cache
from typing import Any

from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo

_DATE = slice(24, 36)
_PERCEPTUAL = b"\0"


@cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB; the same bytes at every call and on every day, which LittleCMS would write into it."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_DATE] = b"\x07\xd0\0\x01\0\x01\0\0\0\0\0\0"  # 1 January 2000
    return bytes(profile)


def tagged(kind: str, info: PngInfo | None = None, profile: bytes | None = None) -> dict[str, Any]:
    """Arguments that make ``Image.save`` say so in a "PNG" (one byte of its own), "WEBP" or "JPEG" (a profile).

    Args:
        info: further chunks of the PNG.
        profile: the ICC profile of colours that are not sRGB.
    """
    if kind != "PNG":
        return {"icc_profile": profile or srgb_profile()}
    info = info if info is not None else PngInfo()
    if profile is not None:
        return {"icc_profile": profile, "pnginfo": info}
    info.add(b"sRGB", _PERCEPTUAL)
    return {"pnginfo": info}
