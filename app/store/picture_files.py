"""Finished pictures to disk: into the pictures folder at once, elsewhere in any format when asked.

Everything here blocks on the disk and belongs into a thread (``app/session/saver.py`` has one).
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.store.paths import ensure_folder
from engine import (
    GenerationRequest,
    InputError,
    PhotoError,
    ScaleBits,
    Sentence,
    check_apart,
    os_reason,
    save_finished,
    write_atomically,
)
from engine.photo import SUFFIXES, load_photo, read_own_colours, read_picture_file, save_plain

if TYPE_CHECKING:
    import numpy as np

    from app.store.history_store import HistoryStore, Picture
    from engine import Finished

log = logging.getLogger(__name__)

_naming = threading.Lock()
"""Between choosing a free name and the file being there, nobody else may choose."""


def keep_picture(
    finished: Finished,
    history: HistoryStore,
    scales: Sequence[np.ndarray | None] = (),
    folder: Path | None = None,
) -> Picture:
    """Save a finished picture to the history's folder, then record it.

    The file comes first: when recording fails, ``HistoryStore.rebuild`` finds it again.

    Args:
        scales: the picture after each scale, RGB uint8, where it is known; kept small beside the history.
        folder: where the file goes; None for the history's own folder.

    Raises:
        CannotWrite: the folder or the history cannot be written.
    """
    request = finished.request
    folder = ensure_folder(folder or history.folder)
    with _naming:
        file = free_name(folder / picture_name(request.prompt, request.seed))
        save_finished(file, finished)
    picture = history.add(file, request, finished.image, finished.timing.total, likeness=finished.likeness)
    if scales:
        history.set_scales(picture.id, scales)
    return picture


def export_picture(source: Path, target: Path, *, metadata: bool = True) -> Path:
    """Save a picture of the history under another name; the suffix of ``target`` chooses PNG, WebP or JPEG.

    A PNG keeps its request and bits unless ``metadata`` is off; the other formats hold pixels, resolution and colour
    profile only. A missing suffix becomes ".png". Returns the file that was written.

    Raises:
        PhotoError: the source is gone or damaged.
        CannotWrite: the target cannot be written.
        InputError: it is the source, which keeps its metadata.
    """
    target = with_suffix(target)
    if not metadata:
        check_apart((target,), (source,))
    elif target.exists() and source.exists() and target.samefile(source):
        return source
    if metadata and target.suffix.lower() == ".png":
        _copy(source, target)
    else:
        photo = load_photo(source)
        own = read_own_colours(source, photo.rgb)
        pixels, profile = (photo.rgb, None) if own is None else (own.rgb, own.profile)
        save_plain(target, pixels, dpi=photo.dpi, profile=profile)
    return target


def export_beside(source: Path, target: Path, metadata: bool) -> Path:
    """``export_picture`` under the first free name: no file that is there is written over."""
    with _naming:
        return export_picture(source, free_name(target), metadata=metadata)


def with_suffix(target: Path, suffix: str = ".png", *, only: bool = False) -> Path:
    """A name that was chosen without the suffix of a file gets this one: what stands behind the point of "duck v1.2" is no format.

    No file that is there has the name then: whoever chose it was asked about the one without a suffix.

    Args:
        only: no other suffix is one.
    """
    # ".gif" is meant, and refused with a sentence.
    meant = target.suffix.lower() == suffix if only else re.fullmatch(r"\.[A-Za-z]{2,6}", target.suffix)
    return target if meant else free_name(target.with_name(target.name + suffix))


def export_name(prompt: str, seed: int, suffix: str = ".png") -> str:
    """The name that "Save as…" offers."""
    if suffix not in SUFFIXES:
        raise ValueError(f"{suffix} is none of {SUFFIXES}")
    return str(Path(picture_name(prompt, seed)).with_suffix(suffix))


def _copy(source: Path, target: Path) -> None:
    """Byte for byte, as a whole or not at all."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise PhotoError(
            Sentence("{source} cannot be read: {reason}.", source=source.name, reason=os_reason(error)),
            Sentence("It may have been moved: right-click it in the history to find it again."),
        ) from error
    write_atomically(target, content)


@dataclass(frozen=True, eq=False)
class OpenedPicture:
    """A picture of the history, read back from its file.

    Attributes:
        picture: its entry.
        image: RGB uint8 (H, W, 3).
        request, bits: what the file carries; None when it lost them (another program saved it again).
        previous: the picture of the same group before it, RGB uint8, or None.
        scales: the picture after each scale, at most 256 px, None where it is not known; empty when nothing was kept.
    """

    picture: Picture
    image: np.ndarray
    request: GenerationRequest | None
    bits: ScaleBits | None
    previous: np.ndarray | None = None
    scales: tuple[np.ndarray | None, ...] = ()


def open_picture(
    picture: Picture, previous: Picture | None = None, history: HistoryStore | None = None
) -> OpenedPicture:
    """Read a picture back. A ``previous`` one that cannot be read is left out; ``history`` gives its scales.

    Raises:
        PhotoError: the file is gone or damaged.
    """
    image = load_photo(picture.file).rgb
    request: GenerationRequest | None = None
    bits: ScaleBits | None = None
    try:
        carried = read_picture_file(picture.file)
        request, bits = carried.request, carried.bits
    except InputError:
        log.info("%s carries no request any more", picture.file.name)
    before = None
    if previous is not None:
        with contextlib.suppress(PhotoError):
            before = load_photo(previous.file).rgb
    scales = history.scales(picture.id) if history is not None else ()
    return OpenedPicture(picture, image, request, bits, before, scales)


# Names for finished pictures in the user's folder.


_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')

_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d¹²³]) *(\.|$)", re.IGNORECASE)
"""The devices of Windows, which they are whatever stands behind the first point."""

_LONGEST = 60


def picture_name(prompt: str, seed: int) -> str:
    """A file name (without folder) a person recognises: the start of the prompt, then the seed.

    Safe on every system: no separators, nothing invisible or that turns the reading direction, no reserved names, at most
    60 characters and as many as fit into 180 bytes of UTF-8.
    """
    text = unicodedata.normalize("NFC", prompt)
    text = "".join(" " if unicodedata.category(letter)[0] == "C" else letter for letter in text)
    text = " ".join(_FORBIDDEN.sub(" ", text).split()).strip(" .")
    if len(text) > _LONGEST:
        text = text[:_LONGEST].rsplit(" ", 1)[0]
    text = text.encode()[:180].decode(errors="ignore").strip(" .")
    if not text or _RESERVED.match(text):
        text = "picture"
    return f"{text} {seed}.png"


def free_name(wanted: Path) -> Path:
    """The path, or the first of "name (2).png", "name (3).png" … that does not exist."""
    found, number = wanted, 2
    while found.exists():
        found = wanted.with_stem(f"{wanted.stem} ({number})")
        number += 1
    return found
