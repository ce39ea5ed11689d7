"""Recognises files that hold no picture for us by their first bytes: "unknown here" is not "no picture"."""

from __future__ import annotations

import io
import zlib
from functools import cache
from typing import BinaryIO

from PIL import Image

from engine.photo.colour import MAX_PROFILE_BYTES
from engine.sentence import NOTHING, Sentence

PNG = b"\x89PNG\r\n\x1a\n"

_KINDS = (
    (b"\xff\x0a", Sentence("a JPEG XL picture")),
    (b"\0\0\0\x0cJXL \r\n\x87\n", Sentence("a JPEG XL picture")),
    (b"8BPS", Sentence("a Photoshop document")),
    (b"gimp xcf", Sentence("a GIMP document")),
    (b"v/1\x01", Sentence("an OpenEXR picture")),
    (b"#?RADIANCE", Sentence("a Radiance picture")),
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def kind(start: bytes) -> Sentence:
    """ "a Photoshop document" for the first 32 bytes of one; "" for what is not known."""
    if start.startswith(_TIFF):
        return Sentence("a TIFF with numbers of an unusual kind")
    return next((name for magic, name in _KINDS if start.startswith(magic)), NOTHING)


def is_raw_inside(picture: Image.Image) -> bool:
    """Return True if an opened TIFF is a camera's raw file, of which only the preview could be read."""
    tags = getattr(picture, "tag_v2", None)
    if picture.format != "TIFF" or tags is None:
        return False
    dng_version, kind_of_page, pages = 50706, 254, 330
    return dng_version in tags or (bool(int(tags.get(kind_of_page, 0)) & 1) and pages in tags)


_KEPT = {b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"cICP", b"eXIf", b"acTL", b"fcTL", b"fdAT"}
_MAX_CHUNKS = 2**20


def png_without_metadata(stream: BinaryIO) -> tuple[io.BytesIO, bytes | None]:
    """A PNG without its texts and without damaged extras, and its colour profile.

    A reader's limits for texts and profiles guard its memory; they are no reason to refuse the picture.
    """
    stream.seek(len(PNG))
    kept, profile = bytearray(PNG), None
    for _ in range(_MAX_CHUNKS):
        head = stream.read(8)
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or length >= 2**31:
            break
        critical = name[:1].isupper()
        if not critical and name not in _KEPT and name != b"iCCP":
            stream.seek(length + 4, io.SEEK_CUR)
            continue
        data, checksum = stream.read(length), stream.read(4)
        right = int.from_bytes(checksum, "big") == zlib.crc32(data, zlib.crc32(name))
        if name == b"iCCP":
            profile = _profile(data) if right else None
        elif critical or right:
            kept += head + data + checksum
        if name == b"IEND":
            break
    return io.BytesIO(bytes(kept)), profile


def _profile(data: bytes) -> bytes | None:
    _, _, packed = data.partition(b"\0")
    if packed[:1] != b"\0":  # the one method there is
        return None
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    return profile if unpacker.eof else None


_HEIF_BRANDS = (*(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevm", b"hevs", b"hevx", b"mif1", b"mif2", b"msf1"),)


def is_heif(start: bytes) -> bool:
    return start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS


@cache
def reads_heif() -> bool:
    """Return True if photos of phones can be read: pillow-heif is an optional part. It is loaded with the first of them."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True
