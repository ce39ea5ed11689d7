"""Files on the disk: written whole or not at all, hashed, and the sentences for a disk that will not."""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import CannotWrite, InputError, os_reason
from engine.sentence import NOTHING, Sentence

_PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Seconds between the tries of ``put_in_place`` on Windows."""


def put_in_place(source: Path, target: Path) -> None:
    """Give a file or a folder its name. A file of that name is replaced; a folder of that name must be empty, or not there.

    Windows refuses while another program, a virus scanner or a sync client, has one of the files open. That passes within
    moments, so it is tried again for less than a second.

    Raises:
        OSError: the system refuses.
    """
    for pause in _PAUSES if sys.platform == "win32" else ():
        try:
            source.replace(target)
            return
        except PermissionError:
            time.sleep(pause)
    source.replace(target)


def replace_folder(source: Path, target: Path) -> None:
    """Give a folder the name of another one, which steps aside first and goes last: at no moment is neither of them whole. Where
    that is killed in between, ``put_back`` gives the old one its name again.

    Raises:
        OSError: the system refuses; the old folder has its name again.
    """
    aside, replaced = aside_of(target), target.exists()
    if replaced:
        shutil.rmtree(aside, ignore_errors=True)  # of a process that was ended before it had gone
        put_in_place(target, aside)
    try:
        put_in_place(source, target)
    except OSError:
        if not replaced:
            raise
        if not target.exists():
            put_in_place(aside, target)
            raise
        replace_folder(source, target)  # another process has just put it back
    shutil.rmtree(aside, ignore_errors=True)


def aside_of(folder: Path) -> Path:
    """The place of a folder while it is replaced: with a dot in front, so that it is not found."""
    return folder.with_name(f".{folder.name}.old")


def put_back(folder: Path, mark: str = "") -> None:
    """Give a folder its name again that stepped aside for another one which never came: whoever was to bring it was killed. What
    cannot be read or written stays as it is.

    Args:
        mark: a file that such a folder holds. Where other things may lie, too, ``.name.old`` is somebody else's.
    """
    with contextlib.suppress(OSError, ValueError):  # a root or a name with a NUL has none
        aside = aside_of(folder)
        if is_folder(aside) and not is_there(folder) and (not mark or is_file(aside / mark)):
            put_in_place(aside, folder)


def put_back_all(place: Path, mark: str = "") -> None:
    """Do so with all folders in a place."""
    with contextlib.suppress(OSError):
        for aside in place.glob(".*.old"):
            put_back(place / aside.name[1 : -len(".old")], mark)


@contextlib.contextmanager
def replacing(target: Path, *, durable: bool = True, make_folder: bool = True) -> Iterator[Path]:
    """Write a file through another one in the same folder, for libraries that write to a path: the old content stays until the
    new one is complete.

    Args:
        durable: wait until the disk has the content; without, a power cut may leave an empty file.
        make_folder: make the folder where there is none.

    Yields:
        the file to write to. It takes the place of ``target`` when the block ends, and goes when the block fails.

    Raises:
        OSError: the folder cannot be made, or the file cannot be put in its place.
    """
    temporary = target.with_name(f".{target.name[:80]}.{secrets.token_hex(4)}.part")
    try:
        if make_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        if durable:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        put_in_place(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def remove_leftovers(target: Path) -> None:
    """Remove parts that ``replacing`` was killed with. Only for a file that one process writes at a time."""
    for part in target.parent.glob(f".{glob.escape(target.name[:80])}.*.part"):
        with contextlib.suppress(OSError):
            part.unlink()


def write_atomically(target: Path, content: bytes) -> None:
    """Write a file; the old content stays until the new one is complete.

    A symbolic link stays one: the file that it leads to is written.

    Raises:
        CannotWrite: disk full, no permission, a pipe or device in its place, …; the old file is untouched.
    """
    if target.is_symlink():
        target = Path(os.path.realpath(target))
    if target.is_symlink() or (target.exists() and not target.is_file()):  # a link still: it leads to itself
        raise CannotWrite(
            Sentence("{target} in {parent} is no file.", target=target.name, parent=target.parent),
            Sentence("Choose another name."),
        )
    try:
        with replacing(target) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        if is_full(error):
            raise no_room(target, len(content)) from error
        raise not_written(target, error, Sentence("Choose another folder.")) from error


def not_written(target: Path, error: OSError, step: Sentence) -> CannotWrite:
    """The sentence for a file that the system refuses to write, with what can be done."""
    fact = Sentence(
        "{target} cannot be written to {parent}: {reason}.",
        target=target.name,
        parent=target.parent,
        reason=os_reason(error),
    )
    return CannotWrite(fact, step)


def check_apart(targets: Iterable[Path | None], sources: Iterable[Path | None]) -> None:
    """Say before the work that it would destroy what it is made from, or one result another.

    Args:
        targets: files and folders that are written, None for one that was not asked for.
        sources: files and folders that are read. One in a folder that is written is replaced with it.

    Raises:
        InputError: a target takes the place of a source, or of another target.
    """
    read = {source.resolve() for source in sources if source is not None}
    read |= {folder for source in read for folder in source.parents}
    written: set[Path] = set()
    for target in targets:
        if target is None:
            continue
        place = target.resolve()
        if place in read:
            fact = Sentence("{target} is read for this, and would be written over.", target=target)
        elif place in written:
            fact = Sentence("{target} would be written twice.", target=target)
        else:
            written.add(place)
            continue
        raise InputError(fact, Sentence("Give what is written a name of its own."))


def is_folder(path: Path) -> bool:
    """``Path.is_dir`` that says no instead of raising: a name that is too long, a folder that may not be entered."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """``Path.is_file`` that says no instead of raising."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_there(path: Path) -> bool:
    """``Path.exists`` that says no instead of raising."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


_HASH_BLOCK = 4 * 2**20


@dataclass(frozen=True)
class Hashes:
    """SHA-256 of a file, and the hash git gives it."""

    sha256: str
    git: str


def hash_file(path: Path) -> Hashes:
    """Read a file once and hash it."""
    sha256 = hashlib.sha256()
    git = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    small = path.stat().st_size < 64 * 2**20  # git's own hash is only ever needed of small files
    for block in _blocks(path):
        sha256.update(block)
        if small:
            git.update(block)
    return Hashes(sha256.hexdigest(), git.hexdigest() if small else "")


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_HASH_BLOCK):
            yield block


def is_full(error: OSError) -> bool:
    """Return True where the disk takes no more: it is full, or the part of it that is the user's."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def no_room(target: Path, needed: int) -> CannotWrite:
    """The sentence for a file of so many bytes that the disk has no room for."""
    return CannotWrite(
        Sentence(
            "{target} needs {needed}, and the disk of {parent} is full.",
            target=target.name,
            needed=readable(needed),
            parent=target.parent,
        ),
        Sentence("Make room, or choose another folder."),
        title=Sentence("The disk is full"),
    )


def disk_error(folder: Path, error: OSError, safe: int = 0) -> CannotWrite:
    """The sentence for a failed write."""
    kept = Sentence("{safe} is safe.", safe=readable(safe)) if safe else NOTHING
    if is_full(error):
        return CannotWrite(
            Sentence.row(Sentence("The disk that holds {folder} is full.", folder=folder), kept),
            Sentence("Make room, then resume; it goes on where it stopped."),
            title=Sentence("The disk is full"),
        )
    return CannotWrite(
        Sentence.row(Sentence("{folder} cannot be written: {reason}.", folder=folder, reason=os_reason(error)), kept),
        Sentence("Choose another folder, or change its permissions."),
    )


def ensure_folder(folder: Path) -> None:
    """Make a folder, if it is not there, before the work whose results go there. Raises ``CannotWrite``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            Sentence("The folder {folder} cannot be made: {reason}.", folder=folder, reason=os_reason(error))
        ) from error


def readable(count: int) -> str:
    """Bytes as the hub and file managers count them, 1000 bytes a KB: “6.1 GB”, “346 MB”, “12 KB”."""
    for unit, size, digits in (("GB", 10**9, 1), ("MB", 10**6, 0), ("KB", 10**3, 0)):
        if count >= size:
            return f"{count / size:.{digits}f} {unit}"
    return f"{count} bytes"


def write_json(path: Path, data: Any) -> None:
    """Write JSON, the old file staying until the new one is complete. Raises ``CannotWrite``."""
    try:
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise disk_error(path.parent, error) from error
