"""RAW photos, developed by LibRaw through rawpy where that is installed: white balance of the camera, upright, sRGB."""

from __future__ import annotations

import importlib.util
import logging
from typing import BinaryIO

import numpy as np
from PIL import Image

log = logging.getLogger(__name__)

SUFFIXES = (
    *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".iiq", ".kdc", ".mef", ".mos", ".mrw"),
    *(".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"),
)
_STARTS = (b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"FUJIFILMCCD-RAW", b"\0MRM")
_TIFF = (b"II*\0", b"MM\0*")
_SRGB_CURVE = (2.4, 12.92)


def is_raw(start: bytes, name: str) -> bool:
    """Return True if a file holds what a sensor saw, by its first 32 bytes. Many cameras write a TIFF: there, its
    suffix decides."""
    if start.startswith(_STARTS) or start[4:11] == b"ftypcrx":
        return True
    if not start.startswith(_TIFF):
        return False
    return start[8:10] == b"CR" or name.lower().endswith(SUFFIXES)


def can_develop() -> bool:
    """Return True if rawpy is installed."""
    return importlib.util.find_spec("rawpy") is not None


def raw_size(stream: BinaryIO) -> tuple[int, int]:
    """(width, height) by the header, before anything is unpacked. Raises what rawpy raises for a damaged file."""
    import rawpy

    with rawpy.imread(stream) as raw:
        return raw.sizes.width, raw.sizes.height


def develop(stream: BinaryIO) -> Image.Image:
    """An upright picture in sRGB. Raises what rawpy raises for a damaged file or an unknown camera."""
    import rawpy

    with rawpy.imread(stream) as raw:
        return Image.fromarray(
            np.ascontiguousarray(raw.postprocess(use_camera_wb=True, gamma=_SRGB_CURVE, output_bps=8))
        )
