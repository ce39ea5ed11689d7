"""Pictures on disk. A PNG of ours carries everything that made it: drop it on the window, and it all comes back.

What a PNG carries, in text chunks that any viewer skips or shows:

* ``EchoGen`` (compressed iTXt, continued in ``EchoGen 2``, …): JSON ``{"format", "request", "bits"}`` with the request,
  the cut-out inside it, and the bit labels of every scale; ``"likeness"`` where it was measured. Never a path, nothing to
  open or fetch.
* ``parameters``: the prompt and the main numbers in the layout other programs read.
* ``Software``.

Files are written beside their place and moved there when complete. A file that is read is hostile until proven
otherwise: chunks are capped before they are read and again while they are unpacked, and only our own are looked at.
"""

from __future__ import annotations

import errno
import io
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.ExifTags import Base
from PIL.PngImagePlugin import PngInfo

from engine.errors import CannotWrite, InputError, PhotoError, os_reason
from engine.files import is_full, no_room, replacing
from engine.photo.load import open_regular_file
from engine.photo.srgb import tagged
from engine.request import MAX_JSON_BYTES, GenerationRequest, ScaleBits, Share
from engine.sentence import Sentence
from engine.validation import Damage, parse_json, read_value
from engine.version import __version__

KEYWORD = "EchoGen"
FORMAT = 1
SUFFIXES = (".png", ".webp", ".jpg", ".jpeg")

_INCH = 2
"""EXIF's number for resolutions in pixels per inch."""
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIECE = 900_000
"""Characters of JSON in one chunk. Common readers refuse a whole picture with more than 1 MiB in one text chunk."""
_PACKING: dict[str, Any] = {"compress_type": zlib.Z_RLE}
"""Of the pixels of a PNG. Behind PNG's filters photographic detail has no long matches: zlib's strategy that looks for none takes a
quarter of the time and makes files of the same size or less."""
_MAX_PIECES = 1 + MAX_JSON_BYTES // _PIECE
_MAX_CHUNK_BYTES = 2 * _PIECE
_MAX_CHUNKS = 65536


@dataclass(frozen=True)
class PictureFile:
    """The contents of a PNG of ours.

    Attributes:
        request: what drew it.
        bits: bit labels of every scale, or None where something kept the settings and dropped them.
        likeness: how alike its subject is to the cut-out, 0 … 1, or None where nobody measured it.
    """

    request: GenerationRequest
    bits: ScaleBits | None
    likeness: float | None = None


def save_picture(
    path: Path,
    image: np.ndarray,
    request: GenerationRequest,
    bits: ScaleBits,
    *,
    metadata: bool = True,
    likeness: float | None = None,
    profile: bytes | None = None,
) -> None:
    """Write a finished picture; a PNG with its request and bits unless ``metadata`` is off, WebP and JPEG plain. The resolution of
    the photo it was drawn into stays written in it.

    Args:
        path: the suffix chooses the format; an existing file is replaced as a whole or not at all.
        image: RGB uint8 (H, W, 3).
        likeness: as in ``PictureFile``.
        profile: ICC profile of the colours; None for sRGB.

    Raises:
        CannotWrite: the disk is full, the folder is missing or may not be written, or the suffix is unknown.
    """
    if metadata and path.suffix.lower() == ".png":
        _write(path, encode_png(image, request, bits, likeness, profile))
    else:
        save_plain(path, image, dpi=request.resolution, profile=profile)


def save_plain(
    path: Path,
    image: np.ndarray,
    *,
    dpi: tuple[float, float] | None = None,
    words: Mapping[str, str] | None = None,
    profile: bytes | None = None,
) -> None:
    """Write pixels: uint8 (H, W), (H, W, 3) or, for PNG and WebP, (H, W, 4). Raises ``CannotWrite``.

    Args:
        dpi: resolution across and down, in pixels per inch.
        words: texts of a PNG, by their keywords.
        profile: ICC profile of the colours; None for sRGB.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise CannotWrite(
            Sentence("“{path}” is no kind of picture that can be written.", path=path.name),
            Sentence("Use .png, .webp or .jpg."),
            title=Sentence("Unknown format"),
        )
    out = io.BytesIO()
    picture = Image.fromarray(np.ascontiguousarray(image))
    kind = {".png": "PNG", ".webp": "WEBP"}.get(suffix, "JPEG")
    quality = {"WEBP": {"quality": 92, "method": 4}, "JPEG": {"quality": 95, "subsampling": 0}}.get(kind, {})
    options = tagged(kind, _texts(words), profile) if picture.mode != "L" else {}
    if kind == "PNG" and picture.mode == "RGB":
        options |= _PACKING
    if dpi is not None and kind == "WEBP":  # it has no field of its own for it
        exif = Image.Exif()
        exif[Base.XResolution], exif[Base.YResolution], exif[Base.ResolutionUnit] = *dpi, _INCH
        options["exif"] = exif
    elif dpi is not None:
        options["dpi"] = dpi
    picture.save(out, kind, **quality, **options)
    _write(path, out.getvalue())


def _texts(words: Mapping[str, str] | None) -> PngInfo | None:
    if not words:
        return None
    info = PngInfo()
    info.add_text("Software", f"EchoGen {__version__}")
    for keyword, text in words.items():
        info.add_text(keyword, text)
    return info


def settings_text(carried: PictureFile, size: tuple[int, int]) -> str:
    """The settings that drew a picture, in words, for one of (width, height) that was made from it."""
    return parameters_text(carried.request, size, 0 if carried.bits is None else len(carried.bits))


def encode_png(
    image: np.ndarray,
    request: GenerationRequest,
    bits: ScaleBits,
    likeness: float | None = None,
    profile: bytes | None = None,
) -> bytes:
    """The bytes of a PNG that carries its request and bits; the arguments are those of ``save_picture``."""
    height, width = image.shape[:2]
    carried: dict[str, Any] = {"format": FORMAT, "request": request.to_json(), "bits": bits.to_json()}
    if likeness is not None:
        carried["likeness"] = round(likeness, 4)
    text = json.dumps(carried, ensure_ascii=True, separators=(",", ":"))
    info = PngInfo()
    info.add_text("Software", f"EchoGen {__version__}")
    info.add_text("parameters", parameters_text(request, (width, height), len(bits), likeness))
    for index, start in enumerate(range(0, len(text), _PIECE)):
        info.add_itxt(_keyword(index), text[start : start + _PIECE], zip=True)
    out = io.BytesIO()
    options = _PACKING | tagged("PNG", info, profile)
    if request.resolution is not None:
        options["dpi"] = request.resolution
    Image.fromarray(np.ascontiguousarray(image)).save(out, "PNG", **options)
    return out.getvalue()


def parameters_text(
    request: GenerationRequest, size: tuple[int, int], scales: int, likeness: float | None = None
) -> str:
    """Prompt, negative prompt and ``Name: value`` pairs, in the three-line layout that other programs read. ``scales`` is 0
    where nobody knows how many there are."""
    lines = [" ".join(request.prompt.split("\n"))]
    if request.negative_prompt:
        lines.append("Negative prompt: " + " ".join(request.negative_prompt.split("\n")))
    pairs = {
        "Steps": scales or "",
        "Sampler": "EchoGen",
        "CFG scale": _dial(request.prompt_strength),
        "Seed": request.seed,
        "Size": f"{size[0]}x{size[1]}",
        "Model": request.bundle.partition("@")[0],
        "Subject strength": _dial(request.subject_strength),
        "Temperature": _dial(request.temperature),
        "Top-p": f"{request.top_p:g}",
        "Likeness": "" if likeness is None else f"{likeness:.2f}",
        "Version": f"EchoGen {__version__}",
    }
    lines.append(", ".join(f"{name}: {value}" for name, value in pairs.items() if value != ""))
    return "\n".join(lines)


def read_picture_file(source: Path | bytes) -> PictureFile:
    """Read back what ``save_picture`` put into a PNG.

    Raises:
        PhotoError: the file cannot be opened or is no PNG.
        InputError: it carries no request (title "No settings in this picture"), or what it carries is damaged or of
            another version; the sentence says which.
    """
    with _open(source) as stream:
        text = _carried_text(stream, _name(source))
    try:
        carried = read_value(parse_json(text, MAX_JSON_BYTES), dict[str, Any])
    except Damage as damage:
        raise _damaged(_name(source)) from damage
    if carried.get("format") != FORMAT:
        raise InputError(
            Sentence("{source} was written by another version of this program.", source=_name(source)),
            Sentence("The picture itself can still be opened."),
        )
    bits = carried.get("bits")
    return PictureFile(
        GenerationRequest.from_json(carried.get("request")),
        None if bits is None else ScaleBits.from_json(bits),
        _likeness(carried.get("likeness")),
    )


def _likeness(value: Any) -> float | None:
    """A likeness as it is carried; what cannot be one is as good as none."""
    try:
        return read_value(value, Share)
    except Damage:
        return None


def carries_request(source: Path | bytes) -> bool:
    """Return True if this is a PNG that says it is one of ours. Reads its start only, and unpacks nothing."""
    try:
        with _open(source) as stream:
            return any(chunk.startswith(KEYWORD.encode() + b"\0") for chunk in _text_chunks(stream, _name(source)))
    except InputError:
        return False


def _open(source: Path | bytes) -> BinaryIO:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return io.BytesIO(source)
    return open_regular_file(Path(source), _name(source))


def _name(source: Path | bytes) -> str:
    return Path(source).name if isinstance(source, (str, Path)) else Sentence("The picture")


def _keyword(index: int) -> str:
    return KEYWORD if index == 0 else f"{KEYWORD} {index + 1}"


def _dial(value: float | tuple[float, ...]) -> str:
    return "/".join(f"{number:g}" for number in value) if isinstance(value, tuple) else f"{value:g}"


def _text_chunks(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """The data of every iTXt chunk that is small enough, in file order; raises ``PhotoError`` when this is no PNG."""
    try:
        if stream.read(len(_SIGNATURE)) != _SIGNATURE:
            raise PhotoError(
                Sentence("{name} is no PNG.", name=name), Sentence("Only PNG pictures carry their settings.")
            )
        for _ in range(_MAX_CHUNKS):
            head = stream.read(8)
            length, kind = int.from_bytes(head[:4], "big"), head[4:]
            if len(head) < 8 or kind == b"IEND" or length >= 2**31:
                return
            if kind == b"iTXt" and length <= _MAX_CHUNK_BYTES:
                data = stream.read(length)
                checksum = stream.read(4)
                if int.from_bytes(checksum, "big") == zlib.crc32(data, zlib.crc32(kind)):
                    yield data
            else:
                stream.seek(length + 4, os.SEEK_CUR)
    except OSError as error:
        raise PhotoError(
            Sentence("{name} cannot be read: {reason}.", name=name, reason=os_reason(error)),
            Sentence("Copy it to this computer first."),
        ) from error


def _carried_text(stream: BinaryIO, name: str) -> bytes:
    """The JSON of our chunks, unpacked and joined; never more than ``MAX_JSON_BYTES``."""
    pieces: dict[bytes, bytes] = {}
    wanted = {_keyword(index).encode() for index in range(_MAX_PIECES)}
    for data in _text_chunks(stream, name):
        keyword, _, rest = data.partition(b"\0")
        if keyword in wanted and keyword not in pieces:
            pieces[keyword] = rest
    if _keyword(0).encode() not in pieces:
        raise InputError(
            Sentence("{name} carries no settings.", name=name),
            Sentence("It was not made here, or another program saved it again."),
            title=Sentence("No settings in this picture"),
        )
    text = bytearray()
    for index in range(_MAX_PIECES):
        packed = pieces.get(_keyword(index).encode())
        if packed is None:
            break
        text += _unpack(packed, MAX_JSON_BYTES - len(text), name)
    return bytes(text)


def _unpack(rest: bytes, limit: int, name: str) -> bytes:
    """The text of an iTXt chunk behind its keyword: flag, method, language\\0, translation\\0, text."""
    fields = rest[2:].split(b"\0", 2)
    if len(fields) != 3 or rest[:2] not in (b"\0\0", b"\1\0"):
        raise _damaged(name)
    text = fields[2]
    if rest[0] == 1:
        unpacker = zlib.decompressobj()
        try:
            text = unpacker.decompress(text, limit + 1)
        except zlib.error as error:
            raise _damaged(name) from error
        if not unpacker.eof and len(text) <= limit:
            raise _damaged(name)
    if len(text) > limit:
        raise InputError(
            Sentence("What {name} carries is too large to be read.", name=name),
            title=Sentence("No settings in this picture"),
        )
    return text


def _damaged(name: str) -> InputError:
    return InputError(
        Sentence("The settings in {name} are damaged.", name=name),
        Sentence("The picture itself can still be opened."),
        title=Sentence("No settings in this picture"),
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file; a crash leaves the old one or the new one. Its folder is not made: it may be a typing error."""
    path = Path(path)
    try:
        with replacing(path, make_folder=False) as partial:
            partial.write_bytes(data)
    except (OSError, ValueError) as error:
        raise _cannot_write(path, error, len(data)) from error


def _cannot_write(path: Path, error: OSError | ValueError, needed: int) -> CannotWrite:
    code = error.errno if isinstance(error, OSError) else None
    folder = path.parent
    if isinstance(error, OSError) and is_full(error):
        return no_room(path, needed)
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CannotWrite(
            Sentence("Pictures cannot be saved to {folder}: it may not be written.", folder=folder),
            Sentence("Choose another folder."),
        )
    if code in (errno.ENOENT, errno.ENOTDIR):
        return CannotWrite(
            Sentence("Pictures cannot be saved to {folder}: there is no such folder.", folder=folder),
            Sentence("Choose another folder."),
        )
    if code == errno.EISDIR:
        return CannotWrite(Sentence("{path} is a folder.", path=path), Sentence("Choose another name."))
    reason = os_reason(error) if isinstance(error, OSError) else Sentence("the name is not valid")
    return CannotWrite(
        Sentence("{path} cannot be saved to {folder}: {reason}.", path=path.name, folder=folder, reason=reason),
        Sentence("Choose another folder or name."),
    )
