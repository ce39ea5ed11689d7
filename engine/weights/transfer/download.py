"""The download of one published part: what it consists of is asked once and written down, then file after file arrives.

``fetch.json`` in the part's folder holds the commit, the files with their hashes, and how far things are known to be right.
It is what lets a download go on after the program, or the computer, was ended in the middle.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, to_builtins

from engine.errors import AccessRefused, NetworkError
from engine.files import disk_error, hash_file, write_json
from engine.sentence import Sentence
from engine.validation import Damage, Natural, read_json, read_value
from engine.weights.catalogue import Part
from engine.weights.transfer.disk import FileJob, Segment
from engine.weights.transfer.file_transfer import RetryPolicy, fetch
from engine.weights.transfer.hub import (
    Busy,
    LicenceChanged,
    RemoteFile,
    RepositoryListing,
    is_plain_name,
    list_part,
    refused,
)
from engine.weights.transfer.tensors import choose_tensors, read_header

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

STATE = "fetch.json"
IMPORTED = "imported"  # stands for the commit of files that came from a folder
_FORMAT = 1
_MAX_STATE = 32 * 2**20
_MAX_LICENCE = 2**20
# A part may be so much larger than was shown without a question: publishers change their files a little, and add small ones.
_SHARE_UNASKED = 0.05
_BYTES_UNASKED = 20 * 10**6

AskToken = Callable[[], Awaitable[str | None]]
"""Gives the access token, or None. Called only when a part needs one: the system may ask the user first."""


class PlannedFile(Struct):
    """One file of a part: what is stored of it, and what is known about it.

    Attributes:
        name: path inside the part's folder.
        remote: path inside the repository. remote_size: its bytes.
        sha256, git: the publisher's hash of what is stored, "" for stretches of a file.
        prefix, segments: see ``FileJob``.
        etag: the server's name for this version.
        recorded: SHA-256 of the stored file when it arrived and was right; "" before.
        stamp: size and modification time (ns) of the file that was found right, so that it is not hashed again each time.
    """

    name: str
    remote: str
    remote_size: Natural
    sha256: str
    git: str
    segments: tuple[Segment, ...]
    prefix: bytes = b""
    etag: str = ""
    recorded: str = ""
    stamp: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        if not is_plain_name(self.name) or not is_plain_name(self.remote):
            raise ValueError("the name leads out of the folder")

    @property
    def size(self) -> int:
        return len(self.prefix) + sum(segment.length for segment in self.segments)


class Plan(Struct):
    """The files of a part, at one commit."""

    part: str
    repository: str
    commit: str
    licence: str
    gated: bool = False  # files are given to accounts only, by the hub's own word
    files: list[PlannedFile] = []

    @property
    def nbytes(self) -> int:
        return sum(file.size for file in self.files)


class PartDownload:
    """One part on its way into a folder.

    Args:
        part: what to fetch.
        folder: where its files go; made when needed.
        on_change: called in the event loop whenever bytes arrived or a file was finished.
    """

    def __init__(self, part: Part, folder: Path, on_change: Callable[[], None] = lambda: None) -> None:
        self.part = part
        self.folder = folder
        self.plan = _read_plan(folder / STATE, part)
        self.on_change = on_change
        self._arrived: dict[str, int] = {}
        self._measure_arrived()

    @property
    def arrived(self) -> int:
        """Bytes on the disk."""
        return sum(self._arrived.values())

    @property
    def total(self) -> int:
        """Bytes in all; what is expected before the server was asked."""
        return self.plan.nbytes if self.plan is not None else self.part.expected_bytes

    @property
    def complete(self) -> bool:
        """True if every file is there and was found right."""
        return self.plan is not None and all(_is_stamped(self.folder / f.name, f) for f in self.plan.files)

    @property
    def needs_account(self) -> bool:
        """True if the files are given to accounts only: by the catalogue, or by the hub's own word."""
        return self.part.gated or (self.plan is not None and self.plan.gated)

    def is_more_than(self, shown: int) -> bool:
        """Return True if the server has noticeably more than was shown."""
        return self.total > shown * (1 + _SHARE_UNASKED) + _BYTES_UNASKED

    async def prepare(self, client: httpx.AsyncClient, base_url: str, ask_token: AskToken, policy: RetryPolicy) -> None:
        """Ask the server what the part consists of, unless that is written down already.

        Raises:
            NetworkError, CannotWrite.
            AccessRefused: it wants an account, and there is no token, or one that does not do.
        """
        if self.plan is not None and (self.plan.commit != IMPORTED or self.complete):
            return
        token = await ask_token() if self.needs_account else None
        listing = await _patiently(
            lambda: asyncio.to_thread(list_part, self.part, base_url, token), policy, self.part.title
        )
        plan = Plan(self.part.key, listing.repository, listing.commit, listing.licence)
        plan.gated = listing.gated or self.part.gated
        if plan.gated and token is None:
            token = await ask_token()
            if token is None:
                raise refused(self.part, False)
        try:
            for remote in listing.files:
                planned = await self._planned(client, listing, remote, token, policy)
                if planned is not None:
                    plan.files.append(planned)
        except AccessRefused as error:
            raise refused(self.part, token is not None) from error
        self.plan = plan
        self._save()
        self._measure_arrived()

    async def _planned(
        self,
        client: httpx.AsyncClient,
        listing: RepositoryListing,
        remote: RemoteFile,
        token: str | None,
        policy: RetryPolicy,
    ) -> PlannedFile | None:
        name = self.part.inner(remote.name) or remote.name
        if not (self.part.tensors and name.endswith(".safetensors")):
            whole = (Segment(0, remote.size),) if remote.size else ()
            return PlannedFile(name, remote.name, remote.size, remote.sha256, remote.git, whole)
        header = await _patiently(
            lambda: read_header(client, listing.url(remote.name), remote.size, token, name),
            policy,
            f"{name} of {self.part.title}",
        )
        subset = choose_tensors(header, remote.size, self.part.tensors, name)
        if not subset.segments:
            return None
        return PlannedFile(name, remote.name, remote.size, "", "", subset.segments, subset.prefix)

    async def run(
        self,
        client: httpx.AsyncClient,
        base_url: str,
        ask_token: AskToken,
        policy: RetryPolicy,
        slots: asyncio.Semaphore,
    ) -> None:
        """Fetch what is missing; small files first. Cancelling the task keeps everything.

        A server that wants an account although nothing said so gets the token at the second try.

        Args:
            slots: how many files may arrive at once, shared by all parts.

        Raises:
            NetworkError, CannotWrite: the first that happened; the other files go on no further.
            AccessRefused: the server wants an account, and there is no token, or one that does not do.
            LicenceChanged: the publisher's own file is another licence than the one that was shown.
        """
        assert self.plan is not None, "prepare first"
        token = await ask_token() if self.needs_account else None
        try:
            await self._run(client, base_url, token, policy, slots)
        except AccessRefused as error:
            self.plan.gated = True
            self._save()
            if token is not None or (token := await ask_token()) is None:
                raise refused(self.part, token is not None) from error
            try:
                await self._run(client, base_url, token, policy, slots)
            except AccessRefused as again:
                raise refused(self.part, True) from again

    async def _run(
        self, client: httpx.AsyncClient, base_url: str, token: str | None, policy: RetryPolicy, slots: asyncio.Semaphore
    ) -> None:
        assert self.plan is not None
        missing = [file for file in self.plan.files if not _is_stamped(self.folder / file.name, file)]

        async def one(file: PlannedFile) -> None:
            async with slots:
                await self._fetch(client, file, base_url, token, policy)

        licences = [file for file in missing if self.part.is_licence(file.name)]
        try:
            for file in licences:
                await one(file)
            await asyncio.to_thread(self._check_licence)
            async with asyncio.TaskGroup() as group:
                for file in sorted((file for file in missing if file not in licences), key=lambda entry: entry.size):
                    group.create_task(one(file))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            self._measure_arrived()

    def _check_licence(self) -> None:
        """The publisher's own licence file has to be the licence the user accepted.

        Raises:
            LicenceChanged: it reads like another one.
        """
        files = [file for file in (self.plan.files if self.plan else []) if self.part.is_licence(file.name)]
        texts = [(self.folder / file.name).read_bytes()[:_MAX_LICENCE].decode("utf-8", "replace") for file in files]
        if texts and not any(self.part.licence.is_text(text) for text in texts):
            raise LicenceChanged(
                Sentence(
                    "{name} of {repository} does not read like {licence}, which was shown to you.",
                    name=files[0].name,
                    repository=self.part.repository,
                    licence=self.part.licence.name,
                ),
                Sentence(
                    "The weights were not fetched. Read {folder}, or look for a newer version of this program.",
                    folder=self.folder / files[0].name,
                ),
            )

    async def _fetch(
        self, client: httpx.AsyncClient, file: PlannedFile, base_url: str, token: str | None, policy: RetryPolicy
    ) -> None:
        assert self.plan is not None
        listing = RepositoryListing(self.plan.repository, base_url, self.plan.commit, "", ())

        def arrived(count: int) -> None:
            self._arrived[file.name] = self._arrived.get(file.name, 0) + count
            self.on_change()

        def named(etag: str) -> None:
            file.etag = etag
            self._save()

        job = FileJob(
            name=f"{file.name} of {self.part.title}",
            url=listing.url(file.remote),
            remote_size=file.remote_size,
            target=self.folder / file.name,
            segments=file.segments,
            prefix=file.prefix,
            sha256=file.sha256 or file.recorded,
            git=file.git,
            etag=file.etag,
            on_bytes=arrived,
            on_etag=named,
        )
        file.recorded = await fetch(client, job, token, policy)
        file.stamp = _stamp(job.target)
        self._save()
        self.on_change()

    async def verify(self) -> list[str]:
        """Hash every file again. Returns the names of those that are missing or not right (and removes the latter).

        Raises:
            CannotWrite: one that is not right cannot be removed, or the record cannot be written.
        """
        if self.plan is None:
            return []
        wrong = []
        for file in self.plan.files:
            path = self.folder / file.name
            if not await asyncio.to_thread(_is_right, path, file):
                wrong.append(file.name)
                file.stamp = (0, 0)
            else:
                file.stamp = _stamp(path)
        self._save()
        self._measure_arrived()
        return wrong

    def adopt(self) -> None:
        """Take the files that lie in the folder as they are, brought there by the user: their hashes are recorded now.

        Raises:
            CannotWrite: the record cannot be written.
        """
        plan = Plan(self.part.key, self.part.repository, IMPORTED, "")
        for path in sorted(path for path in self.folder.iterdir() if path.is_file() and path.name != STATE):
            if not is_plain_name(path.name) or path.name.startswith("."):
                continue
            size, recorded = path.stat().st_size, hash_file(path).sha256
            whole = (Segment(0, size),) if size else ()
            file = PlannedFile(path.name, path.name, size, "", "", whole, recorded=recorded, stamp=_stamp(path))
            plan.files.append(file)
        self.plan = plan
        self._save()
        self._measure_arrived()

    def _measure_arrived(self) -> None:
        """See what is on the disk."""
        files = self.plan.files if self.plan is not None else []
        self._arrived = {file.name: _length(self.folder / file.name, file.size) for file in files}

    def _save(self) -> None:
        if self.plan is not None:
            write_json(self.folder / STATE, _plan_to_json(self.plan))


async def _patiently(ask: Callable[[], Any], policy: RetryPolicy, what: str) -> Any:
    """Ask until there is an answer, or patience ends. Raises ``NetworkError``."""
    attempt = 0
    while True:
        attempt += 1
        try:
            return await ask()
        except Busy as error:
            if attempt >= policy.attempts:
                raise NetworkError(
                    Sentence("{what}: {reason}. Nothing was lost.", what=what, reason=error.sentence),
                    Sentence("Check the connection. The download goes on where it stopped."),
                ) from error
            await policy.sleep(policy.pause(attempt, error.wait))


def _length(path: Path, size: int) -> int:
    for candidate in (path, path.with_name(path.name + ".part")):
        with contextlib.suppress(OSError):
            return min(candidate.stat().st_size, size)
    return 0


def _stamp(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _is_stamped(path: Path, file: PlannedFile) -> bool:
    """Return True if the file is there as it was when it was found right."""
    try:
        return bool(file.recorded) and _stamp(path) == file.stamp
    except OSError:
        return False


def _is_right(path: Path, file: PlannedFile) -> bool:
    try:
        hashes = hash_file(path)
    except OSError:
        return False
    wanted = file.sha256 or file.recorded
    right = hashes.sha256 == wanted if wanted else bool(file.git) and hashes.git == file.git
    if not right:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise disk_error(path.parent, error) from error
    return right


# fetch.json


def _plan_to_json(plan: Plan) -> dict[str, Any]:
    data = to_builtins(plan)
    files = data.pop("files")
    return {"format": _FORMAT, **data, "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "files": files}


def _read_plan(path: Path, part: Part) -> Plan | None:
    """The plan on the disk, or None where there is none, it is damaged, or it belongs to another repository."""
    try:
        data = read_json(path, dict[str, Any], _MAX_STATE)
        if (data.get("format"), data.get("part"), data.get("repository")) != (_FORMAT, part.key, part.repository):
            return None
        return read_value(data, Plan)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, Damage) as error:
        log.warning("%s is damaged (%s); the server is asked again", path, error)
        return None
