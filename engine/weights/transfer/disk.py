"""Files on their way to the disk: the ``.part`` that grows, its hash, and the sentences for a disk that will not.

A part holds the first bytes of its file, in order; its length says where to go on. Only a part that is complete and has the
right hash gets the file's own name.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from engine.errors import CannotWrite
from engine.files import disk_error, hash_file, put_in_place
from engine.sentence import Sentence
from engine.validation import Natural

FLUSH_BYTES = 2**20
FLUSH_SECONDS = 0.25
LOCK = ".fetching"


class Segment(Struct, frozen=True, array_like=True):
    """A stretch of the remote file."""

    start: Natural
    length: Natural


@dataclass
class FileJob:
    """One file on its way: a whole remote file, or some stretches of it behind bytes of our own.

    Attributes:
        name: the file, as messages call it.
        url: where it is. remote_size: bytes of the remote file.
        target: where it goes.
        segments: what is fetched, in the order it is stored.
        prefix: bytes that stand before the first segment.
        sha256, git: the publisher's hash of the stored file, "" where there is none for it (stretches of a file).
        etag: what the server called this version of the file when bytes first came; kept over restarts by the caller.
    """

    name: str
    url: str
    remote_size: int
    target: Path
    segments: tuple[Segment, ...]
    prefix: bytes = b""
    sha256: str = ""
    git: str = ""
    etag: str = ""
    on_bytes: Callable[[int], None] = field(default=lambda count: None, repr=False)
    on_etag: Callable[[str], None] = field(default=lambda etag: None, repr=False)

    @property
    def size(self) -> int:
        """Bytes of the file as it is stored."""
        return len(self.prefix) + sum(segment.length for segment in self.segments)

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def is_whole(self) -> bool:
        return not self.prefix and self.segments == (Segment(0, self.remote_size),)

    @property
    def arrived(self) -> int:
        """Bytes that are safe on the disk."""
        for path in (self.target, self.part):
            try:
                return min(path.stat().st_size, self.size)
            except OSError:
                continue
        return 0

    def next_range(self, arrived: int) -> tuple[int, int]:
        """First and last (inclusive) remote byte to ask for when so many bytes are stored."""
        position = len(self.prefix)
        for segment in self.segments:
            if arrived < position + segment.length:
                return segment.start + arrived - position, segment.start + segment.length - 1
            position += segment.length
        raise ValueError("nothing is left to fetch")


class PartWriter:
    """Appends to the part of a job."""

    def __init__(self, job: FileJob, arrived: int) -> None:
        self._job = job
        self._length = arrived
        self._buffer = bytearray()
        self._flushed = time.monotonic()
        # A cancelled task closes the writer while a thread may still be flushing.
        self._lock = threading.Lock()

    def add(self, chunk: bytes) -> bool:
        """Take bytes; True when it is time to flush."""
        self._buffer += chunk
        return len(self._buffer) >= FLUSH_BYTES or time.monotonic() - self._flushed > FLUSH_SECONDS

    def flush(self) -> None:
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        self._flushed = time.monotonic()
        if not self._buffer:
            return
        with _saying_disk_errors(self._job), self._job.part.open("r+b", buffering=0) as file:
            file.seek(self._length)
            while self._buffer:
                count = file.write(self._buffer)
                del self._buffer[:count]
                self._length += count
                self._job.on_bytes(count)

    def holds(self, position: int, chunk: bytes) -> bool:
        """Return True if these bytes are the stored ones at this position."""
        with _saying_disk_errors(self._job), self._job.part.open("rb") as file:
            file.seek(position)
            return file.read(len(chunk)) == chunk

    def cut(self, position: int) -> None:
        """Forget what is stored from here on."""
        with _saying_disk_errors(self._job):
            os.truncate(self._job.part, position)
        self._job.on_bytes(position - self._length)
        self._length = position

    def close(self) -> None:
        self.flush()


def ready_part(job: FileJob) -> int:
    """Make the part, with its prefix, and say how long it is. Bytes beyond the end of the file are cut off."""
    with _saying_disk_errors(job):
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with job.part.open("ab") as file:
            length = file.tell()
            if length < len(job.prefix):
                file.truncate(0)
                file.write(job.prefix)
                job.on_bytes(len(job.prefix) - length)
                return len(job.prefix)
            if length > job.size:
                file.truncate(job.size)
                return job.size
            return length


def accept(job: FileJob) -> str | None:
    """Hash the stored file, and rename it when it is the right one; otherwise remove it and return None."""
    path = job.target if job.target.exists() else job.part
    with _saying_disk_errors(job):
        hashes = hash_file(path)
        right = path.stat().st_size == job.size
        if job.sha256:
            right = right and hashes.sha256 == job.sha256
        elif job.git:
            right = right and hashes.git == job.git
        if not right:
            path.unlink()
            return None
        if path is not job.target:
            with path.open("rb+") as file:  # Windows writes out only what is open for writing
                os.fsync(file.fileno())
            put_in_place(path, job.target)
    return hashes.sha256


@contextlib.contextmanager
def _saying_disk_errors(job: FileJob) -> Iterator[None]:
    """Errors of the disk as the sentence for the user."""
    try:
        yield
    except OSError as error:
        raise disk_error(job.target.parent, error, job.arrived) from error


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Keep other processes from fetching into a folder. The system lifts the lock of a process that ends, however it ends.

    Raises:
        CannotWrite: another process is at work there, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout  # only now: the window imports this module while it starts

    # One lock for this process, however often it is taken: models that share a part may be fetched side by side.
    lock = FileLock(folder / LOCK, timeout=0, is_singleton=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise CannotWrite(
            Sentence("Another EchoGen is fetching into {folder} right now.", folder=folder),
            Sentence("Wait until it is done, or close it."),
            title=Sentence("Already being fetched"),
        ) from error
    except OSError as error:
        raise disk_error(folder, error) from error
    try:
        yield
    finally:
        lock.release()
