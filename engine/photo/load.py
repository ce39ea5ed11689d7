"""Any photo a person may own → ``Photo``: upright, 8-bit RGB in sRGB, transparency kept apart; or one sentence why not.

The file is hostile until proven otherwise: only raster formats that Pillow decodes by itself are tried (no EPS, which
runs another program), the size is read from the header before a pixel is unpacked, and of the metadata only the
orientation and the colour profile are looked at.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib
import io
import logging
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from engine.errors import PhotoError, os_reason
from engine.photo.colour import by_profile, by_space, can_be_written, space_of_file
from engine.photo.foreign import PNG, is_heif, is_raw_inside, png_without_metadata, reads_heif
from engine.photo.raw import can_develop, develop, is_raw, raw_size
from engine.photo.refusals import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    damaged,
    name_of,
    not_a_picture,
    too_large,
    too_many_bytes,
)
from engine.photo.resolution import Resolution, resolution_of
from engine.sentence import Sentence
from engine.text import shown_name

log = logging.getLogger(__name__)


FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "TIFF", "GIF", "BMP", "DIB", "PPM", "TGA", "JPEG2000", "AVIF", "ICO", "QOI")
_READERS = ("Png", "Jpeg", "Mpo", "WebP", "Tiff", "Gif", "Bmp", "Ppm", "Tga", "Jpeg2K", "Avif", "Ico", "Qoi")
_HEIF = "HEIF"

# Pillow warns above this and refuses above twice this, before unpacking, wherever it opens a picture.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo, ready for the pre-flight.

    Attributes:
        rgb: uint8 (H, W, 3), sRGB, upright. Not writeable.
        alpha: uint8 (H, W), or None when the photo is opaque everywhere.
        digest: sha256 (hex) of the size and the pixels: the same picture has the same digest in any lossless file.
        name: for messages; the file's name without its folder, or "".
        dpi: the resolution that the file states across and down, in pixels per inch; None where it states none.
        notes: sentences for the user, for example that only the first of several frames is used.
        lost: sentences on what its file has more, which is gone where the photo is saved again: bits, colours.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    digest: str
    name: str = ""
    notes: tuple[str, ...] = ()
    dpi: Resolution | None = None
    lost: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        return self.rgb.shape[0]

    @property
    def width(self) -> int:
        return self.rgb.shape[1]


def photo_from_pixels(
    rgb: np.ndarray,
    alpha: np.ndarray | None = None,
    name: str = "",
    notes: tuple[str, ...] = (),
    dpi: Resolution | None = None,
) -> Photo:
    """A ``Photo`` from pixels that are already there (a pasted picture); they are copied if they can be written.

    Args:
        rgb: uint8 (H, W, 3). alpha: uint8 (H, W); one that is 255 everywhere counts as none.

    Raises:
        PhotoError: it has more pixels than a photo may have, through whatever door it came.
    """
    if rgb.shape[0] * rgb.shape[1] > MAX_PIXELS:
        raise too_large(name_of(name), (rgb.shape[1], rgb.shape[0]))
    if alpha is not None and alpha.min() == 255:
        alpha = None
    rgb, alpha = _frozen(rgb), None if alpha is None else _frozen(alpha)
    digest = hashlib.sha256(repr(rgb.shape).encode())
    digest.update(rgb.data)
    if alpha is not None:
        digest.update(alpha.data)
    return Photo(rgb, alpha, digest.hexdigest(), name, notes, dpi)


def load_photo(source: Path | str | bytes | BinaryIO, name: str = "") -> Photo:
    """Read a photo from a file, from the bytes of one, or from an open binary stream.

    Args:
        source: the stream is read from its present position and left open.
        name: what to call it in messages; by default the file's own name.

    Raises:
        PhotoError: the one sentence that says why it cannot be used. The cause, if any, is chained.
    """
    if isinstance(source, (str, Path)):
        path = Path(source)
        name = name or shown_name(path)
        with open_regular_file(path, name) as stream:
            return _decode(stream, name)
    if isinstance(source, (bytes, bytearray, memoryview)):
        if len(source) > MAX_FILE_BYTES:
            raise too_many_bytes(name_of(name), len(source))
        return _decode(io.BytesIO(source), name)
    data = source.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise too_many_bytes(name_of(name), len(data))
    return _decode(io.BytesIO(data), name)


def open_regular_file(path: Path, name: str) -> BinaryIO:
    """Open a file for reading, or raise the ``PhotoError`` that says why not (missing, a folder, a pipe, …)."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise PhotoError(Sentence("{name} is a folder.", name=name), Sentence("Choose a photo inside it."))
        if not stat.S_ISREG(status.st_mode):
            raise PhotoError(Sentence("{name} is no ordinary file.", name=name), Sentence("Choose a photo."))
        if status.st_size > MAX_FILE_BYTES:
            raise too_many_bytes(name, status.st_size)
        return path.open("rb")
    except PermissionError as error:
        raise PhotoError(
            Sentence("{name} may not be read.", name=name),
            Sentence("Change its permissions, or copy it somewhere else."),
            title=Sentence("No permission"),
        ) from error
    except FileNotFoundError as error:
        raise PhotoError(
            Sentence("{name} is not there.", name=name),
            Sentence("It may have been moved or renamed."),
            title=Sentence("The file is missing"),
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = os_reason(error) if isinstance(error, OSError) else Sentence("the name is not valid")
        raise PhotoError(
            Sentence("{name} cannot be opened: {reason}.", name=name, reason=reason), Sentence("Choose another photo.")
        ) from error


def _decode(stream: BinaryIO, name: str) -> Photo:
    called = name_of(name)
    try:
        start = stream.read(32)
        stream.seek(0)
    except OSError as error:
        raise PhotoError(
            Sentence("{called} cannot be read: {reason}.", called=called, reason=os_reason(error)),
            Sentence("Copy it to this computer first."),
        ) from error
    if not start:
        raise PhotoError(
            Sentence("{called} is empty: it has zero bytes.", called=called),
            Sentence("Copy it again from where it came from."),
            title=Sentence("The file is empty"),
        )
    try:
        read = _read(stream, called, start)
    except PhotoError:
        raise
    except UnidentifiedImageError as error:
        raise not_a_picture(called, start) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_large(called) from error
    except MemoryError as error:
        raise PhotoError(
            Sentence("{called} does not fit into memory.", called=called),
            Sentence("Close other programs, or make the photo smaller first."),
        ) from error
    except OSError as error:
        if error.errno not in (None, 0) and error.errno != errno.EINVAL:
            raise PhotoError(
                Sentence("{called} cannot be read: {reason}.", called=called, reason=os_reason(error)),
                Sentence("Copy it to this computer first."),
            ) from error
        raise damaged(called) from error
    except Exception as error:  # decoders raise SyntaxError, struct.error, IndexError, … for damaged files
        raise damaged(called) from error
    return replace(photo_from_pixels(read.rgb, read.alpha, name, read.notes, read.dpi), lost=read.lost)


@dataclass(frozen=True, eq=False)
class _Read:
    """The contents of a file; the fields are those of ``Photo``."""

    rgb: np.ndarray
    alpha: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    dpi: Resolution | None = None
    lost: tuple[str, ...] = ()


EIGHT_BITS = Sentence("The photo has more than 8 bits a colour; the picture is saved with 8.")
IN_SRGB = Sentence("The colours of the photo's file cannot be kept; the picture is saved in sRGB.")


def _read(stream: BinaryIO, called: str, start: bytes) -> _Read:
    """A PNG whose metadata stand in the way is read without them."""
    if is_raw(start, called):
        return _Read(_developed(stream, called), lost=(EIGHT_BITS,))
    try:
        return _open(stream, None, called, start)
    except (PhotoError, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise
    except Exception:
        if not start.startswith(PNG):
            raise
        log.info("%s is read without its metadata", called, exc_info=True)
        return _open(*png_without_metadata(stream), called, start)


def _open(stream: BinaryIO, profile: bytes | None, called: str, start: bytes) -> _Read:
    with Image.open(stream, formats=usable_formats(start)) as picture:
        if is_raw_inside(picture):  # the picture of this TIFF is only a small preview, whatever the file is called
            stream.seek(0)
            return _Read(_developed(stream, called), lost=(EIGHT_BITS,))
        _check_size(picture.size, called)
        notes = _frame_note(picture)
        lost = (EIGHT_BITS,) if _is_deep(picture, stream) else ()
        turned_by_loading = orientation_of(picture) if picture.format == "TIFF" else 1
        picture.load()
        dpi = resolution_of(picture, max(turned_by_loading, orientation_of(picture)))
        rgb, alpha, kept = _pixels(picture, stream, profile)
    return _Read(rgb, alpha, notes, dpi, lost if kept else (*lost, IN_SRGB))


def usable_formats(start: bytes) -> list[str]:
    """The formats, by Pillow's names, that a file with these first bytes is tried as."""
    # Not Image.init(): it would import thirty readers more, while the window starts.
    for name in _READERS:
        with contextlib.suppress(ImportError):
            importlib.import_module(f"PIL.{name}ImagePlugin")
    formats = [name for name in FORMATS if name in Image.OPEN]
    return [*formats, _HEIF] if is_heif(start) and reads_heif() else formats


def _developed(stream: BinaryIO, called: str) -> np.ndarray:
    """A RAW photo as RGB uint8 (H, W, 3)."""
    if not can_develop():
        raise PhotoError(
            Sentence("{called} is a RAW photo, and rawpy, which develops them, is not installed.", called=called),
            Sentence("Install it with “pip install rawpy”, or save the photo as JPEG first."),
        )
    _check_size(raw_size(stream), called)
    stream.seek(0)
    return np.array(develop(stream))


def _check_size(size: tuple[int, int], called: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise damaged(called)
    if width * height > MAX_PIXELS:
        raise too_large(called, size)


def _frame_note(picture: Image.Image) -> tuple[str, ...]:
    # MPO is what phones and stereo cameras write: its further frames are previews, not an animation.
    if picture.format in ("GIF", "PNG", "WEBP", "AVIF") and getattr(picture, "is_animated", False):
        return (Sentence("The picture moves; its first frame is used."),)
    return ()


def _is_deep(picture: Image.Image, stream: BinaryIO) -> bool:
    """Return True if a picture that is not loaded yet has more than 8 bits a colour; Pillow's modes tell it for grey alone."""
    if picture.mode.startswith("I") or picture.mode == "F":
        return True
    if picture.format == "TIFF":
        return max(picture.tag_v2.get(258, (8,))) > 8  # type: ignore[attr-defined]
    if picture.format == "AVIF":
        return bool(_byte_behind(b"av1C", 6, stream) & 0x40)
    if picture.format == "JPEG2000":
        return _byte_behind(b"\xff\x4f\xff\x51", 42, stream) & 0x7F > 7  # bits of the first colour, less one
    forms = [args for *_, args in getattr(picture, "tile", ())]
    if picture.format == "PNG":
        return "16" in str(forms)
    if picture.format == "PPM":
        return any(isinstance(form, tuple) and form[-1] > 255 for form in forms)  # the brightest number
    return picture.info.get("bit_depth", 8) > 8  # HEIC


def _byte_behind(mark: bytes, distance: int, stream: BinaryIO) -> int:
    """The byte so far from where a mark begins in the file's head; 0 where the mark is not there."""
    stream.seek(0)
    head = stream.read(2**16)
    at = head.find(mark)
    return head[at + distance] if 0 <= at < len(head) - distance else 0


def _pixels(
    picture: Image.Image, stream: BinaryIO, profile: bytes | None
) -> tuple[np.ndarray, np.ndarray | None, bool]:
    """A loaded picture of any mode → RGB uint8 (H, W, 3) and alpha uint8 (H, W) or None, upright, in sRGB; and whether its own
    colours are kept where it is saved again (``read_own_colours``)."""
    profile = profile or picture.info.get("icc_profile")
    rgb_in_file = picture.mode in ("RGB", "RGBA")
    orientation, space = orientation_of(picture), space_of_file(picture, stream)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = Image.fromarray(_to_8_bit(_values(picture)))
    alpha = None
    if picture.has_transparency_data:
        grey = picture.mode in ("L", "LA", "La", "1")
        with_alpha = picture if picture.mode in ("LA", "RGBA") else picture.convert("LA" if grey else "RGBA")
        alpha = with_alpha.getchannel("A")
        picture = with_alpha.convert("L" if grey else "RGB")
        del with_alpha
    elif picture.mode not in ("RGB", "CMYK", "L", "LAB"):
        picture = picture.convert("RGB")
    before, opaque = picture, alpha is None or alpha.getextrema()[0] == 255
    picture, converted = _to_srgb(picture, profile)
    kept = before.mode == "L" or picture is before
    if not kept and converted and rgb_in_file and opaque:
        kept = profile is not None and can_be_written(profile)
    alpha = None if alpha is None else turned(alpha, orientation)
    rgb = _array(turned(picture, orientation))
    if space is not None and not converted:
        rgb = by_space(rgb, space)
        kept = False
    return rgb, None if alpha is None else np.asarray(alpha), kept


def _array(picture: Image.Image) -> np.ndarray:
    """An RGB picture as uint8 (H, W, 3), not writeable. In strips that the processor's cache holds it takes half the time."""
    width, height = picture.size
    rgb = np.empty((height, width, 3), np.uint8)
    rows = max(1, _CACHED_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        rgb[top:bottom] = np.asarray(picture.crop((0, top, width, bottom)))
    rgb.flags.writeable = False
    return rgb


def turned(picture: Image.Image, orientation: int) -> Image.Image:
    """A picture made upright."""
    return picture.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else picture


def orientation_of(picture: Image.Image) -> int:
    """The EXIF orientation, 1 … 8; 1 when the metadata is missing or damaged."""
    try:
        return int(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged metadata raises anything; the picture itself is fine
        log.info("metadata cannot be read", exc_info=True)
        return 1


def _values(picture: Image.Image) -> np.ndarray:
    """Grey values of more than 8 bits; Pillow reads whole numbers of 32 bits without a sign as ones with a sign."""
    values = np.asarray(picture)
    sample_format = getattr(picture, "tag_v2", {}).get(339, (2,))
    unsigned = sample_format in (1, (1,)) and values.dtype == np.int32
    return values.view(np.uint32) if unsigned else values


_SAMPLE = 2**20
_STRIP = 2**22
_CACHED_PIXELS = 2**16


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    """Grey values of more than 8 bits (16-bit, 32-bit whole numbers, floats) → uint8.

    16-bit numbers fill their range. For all others the range is the one that the values need, 0 … 1, 0 … 255, 0 … 65535 or
    their own maximum; a few pixels that are brighter than all others (a highlight, a dead pixel) do not choose it.
    """
    result = np.empty(values.shape, np.uint8)
    rows = max(1, _STRIP // max(1, values.shape[1]))
    strips = [slice(start, start + rows) for start in range(0, values.shape[0], rows)]
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        for strip in strips:
            result[strip] = (values[strip].astype(np.uint32) + 128) // 257
        return result
    full = _full(values)
    for strip in strips:
        grey = np.nan_to_num(values[strip].astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        result[strip] = np.clip(np.rint(grey * np.float32(255.0 / full)), 0, 255)
    return result


def _full(values: np.ndarray) -> float:
    """The value that becomes white."""
    flat = values.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLE)].astype(np.float64)
    sample = sample[np.isfinite(sample)]
    high = float(np.percentile(sample, 99.5)) if sample.size else 0.0
    if not high > 0.0:  # all dark, but for a few perhaps
        high = float(sample.max(initial=0.0))
    if values.dtype.kind == "f" and high <= 1.0:
        return 1.0
    # A common range counts when the values use at least half of it; a dark picture in 0 … 65535 would be a black sheet.
    return next((limit for limit in (255.0, 65535.0) if limit / 2 < high <= limit), max(high, 1.0))


def _to_srgb(picture: Image.Image, profile: bytes | None) -> tuple[Image.Image, bool]:
    """An RGB picture, by the embedded profile where there is a usable one (phones, print), else as Pillow does; and whether
    the profile was used."""
    converted = by_profile(picture, profile)
    if converted is not None:
        return converted, True
    if picture.mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        picture = ImageCms.profileToProfile(picture, lab, ImageCms.createProfile("sRGB"), outputMode="RGB") or picture
    return picture if picture.mode == "RGB" else picture.convert("RGB"), False


def _frozen(values: np.ndarray) -> np.ndarray:
    frozen = np.array(values, np.uint8, order="C") if values.flags.writeable else np.ascontiguousarray(values)
    frozen.flags.writeable = False
    return frozen
