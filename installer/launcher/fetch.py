"""Fetching the files of a list: goes on at the byte where it was cut off, can pause, and checks every file's digest."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import ssl
import threading
import time
import tomllib
import urllib.error
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from app.language.say import say
from engine.files import put_in_place
from installer.launcher.errors import SetupFailed, Stopped
from installer.launcher.locks import Package
from installer.launcher.network import SECONDS, Network, explain, make_opener, request

CHUNK = 256 * 1024
TRIES = 5
"""Connections without a single new byte before the set-up says that the server cannot be reached."""
_RATE_SECONDS = 10.0
_BROKEN = (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError, ssl.SSLError)
"""A connection's errors; some are errors of the operating system, as a disk's are."""


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch.

    Attributes:
        name: its file name.
        place: where it is: an address, or a path on this computer.
        size: bytes.
        sha256: hexadecimal digest.
    """

    name: str
    place: str = field(repr=False)
    size: int
    sha256: str


def read_plan(text: str, packages: Sequence[Package]) -> list[RemoteFile]:
    """The files that the index has for these packages, from what uv wrote (pylock.toml, PEP 751).

    Raises:
        SetupFailed: a file is missing, or it is another one than the list has.
    """
    entries: dict[str, dict[str, Any]] = {entry["name"]: entry for entry in tomllib.loads(text).get("packages", [])}
    files = []
    for package in packages:
        wheels = entries.get(package.name, {}).get("wheels", [])
        good = [wheel for wheel in wheels if wheel.get("hashes", {}).get("sha256") in package.hashes]
        if not good:
            raise SetupFailed(
                say("The server has no file of {0} {1} that the list allows.", package.name, package.version),
                say("Use another mirror, or look for a newer EchoGen."),
                "network",
            )
        files.append(_remote_file(good[0]))
    return files


def _remote_file(wheel: dict[str, Any]) -> RemoteFile:
    place = wheel.get("url") or wheel["path"]
    if place.startswith("file:"):
        place = unquote(urlsplit(place).path)
    name = wheel.get("name") or unquote(urlsplit(place).path).rpartition("/")[2]
    size = wheel.get("size") or (Path(place).stat().st_size if Path(place).is_file() else 0)
    return RemoteFile(Path(name).name, place, int(size), wheel["hashes"]["sha256"])


class Control:
    """Lets another thread pause and stop the work."""

    def __init__(self) -> None:
        self._go, self._stop = threading.Event(), threading.Event()
        self._go.set()

    def pause(self) -> None:
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    def stop(self) -> None:
        self._stop.set()
        self._go.set()

    @property
    def paused(self) -> bool:
        return not self._go.is_set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def check(self) -> bool:
        """Wait while it is paused. Returns whether it was. Raises ``Stopped``."""
        waited = self.paused
        self._go.wait()
        if self.stopped:
            raise Stopped
        return waited


class Rate:
    """Bytes a second over the last seconds."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()

    def add(self, done: int) -> None:
        now = time.monotonic()
        self._points.append((now, done))
        while len(self._points) > 2 and now - self._points[0][0] > _RATE_SECONDS:
            self._points.popleft()

    def clear(self) -> None:
        self._points.clear()

    def seconds_left(self, total: int) -> float | None:
        """Seconds until ``total`` bytes are here; None while that cannot be told."""
        if len(self._points) < 2:
            return None
        (began, first), (now, last) = self._points[0], self._points[-1]
        if last <= first or now - began < 1:
            return None
        return (total - last) * (now - began) / (last - first)


class Fetcher:
    """Fetches files into a folder.

    Args:
        folder: where they go. A file that is not complete has the ending ``.part``.
        network: the user's addresses and proxy.
        control: pause and stop.
        tell: called with (bytes here, bytes in all, seconds left or None).
    """

    def __init__(
        self, folder: Path, network: Network, control: Control, tell: Callable[[int, int, float | None], None]
    ) -> None:
        self.folder, self.control, self._tell = folder, control, tell
        self._opener = make_opener(network)
        self._rate = Rate()
        self._done = self._total = 0

    def fetch(self, files: Sequence[RemoteFile]) -> None:
        """Fetch what is not here yet.

        Raises:
            SetupFailed: the server cannot be reached, the disk is full, or a file is not what it should be.
            Stopped: the user stopped it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._done, self._total = 0, sum(file.size for file in files)
        for file in files:
            before = self._done
            try:
                self._fetch(file, before)
            except OSError as error:
                raise SetupFailed(
                    say("{0} cannot be written: {1}.", file.name, error.strerror or error),
                    say("Make room on the disk or choose another folder; what has arrived is kept."),
                    "disk",
                ) from error
            self._move(before + file.size)

    def _fetch(self, file: RemoteFile, before: int) -> None:
        target = self.folder / file.name
        if target.is_file() and target.stat().st_size == file.size and digest(target) == file.sha256:
            return
        part = target.with_name(f"{file.name}.part")
        for _ in range(2):
            if "://" in file.place:
                self._download(file, part, before)
            else:
                shutil.copyfile(file.place, part)
            if digest(part) == file.sha256:
                put_in_place(part, target)
                return
            part.unlink()  # damaged on the way or on this disk: once more from the start
        raise SetupFailed(
            say("{0} arrives damaged.", file.name),
            say("Something between here and the server changes it: try another network or mirror."),
            "network",
        )

    def _download(self, file: RemoteFile, part: Path, before: int) -> None:
        host = urlsplit(file.place).hostname or ""
        failures = 0
        while True:
            here = part.stat().st_size if part.exists() else 0
            if file.size and here >= file.size:
                return
            self._move(before + here)
            try:
                self._stream(file, part, here, before)
                if not file.size:
                    return
            except _BROKEN as error:
                if isinstance(error, urllib.error.HTTPError) and error.code == 416:
                    part.unlink(missing_ok=True)
                arrived = part.exists() and part.stat().st_size > here
                failures = 0 if arrived else failures + 1
                lost = isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404, 407, 410)
                if lost or failures >= TRIES:
                    raise explain(error, host) from error
                time.sleep(min(2**failures / 4, 5))
            self.control.check()

    def _stream(self, file: RemoteFile, part: Path, here: int, before: int) -> None:
        """One connection. Ends early where the server hangs up or the user pauses; the loop around it goes on then."""
        with self._opener.open(request(file.place, here), timeout=SECONDS) as answer:
            if here and answer.status != 206:
                here = 0  # the server sends everything again
            began = here
            with part.open("ab" if here else "wb") as stream:
                while not file.size or here <= file.size:  # more is another file, whatever the server says
                    if self.control.paused or self.control.stopped:
                        self._rate.clear()
                        break
                    chunk = answer.read1(CHUNK)
                    if not chunk:
                        break
                    stream.write(chunk)
                    here += len(chunk)
                    self._move(before + here)
        paused = self.control.check()
        if file.size and here == began and not paused:
            raise http.client.IncompleteRead(b"")

    def _move(self, done: int) -> None:
        self._done = done
        self._rate.add(done)
        self._tell(done, self._total, self._rate.seconds_left(self._total))


def digest(file: Path) -> str:
    """SHA-256 of a file in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def free_bytes(folder: Path) -> int:
    """Free space where a folder is or will be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(os.fspath(folder)).free
