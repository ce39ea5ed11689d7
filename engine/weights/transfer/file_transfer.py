"""The transfer of one file: what has arrived stays, whatever happens, and nothing is accepted that is not the file.

Connections that break, stall or are turned away are tried again with growing pauses, for as long as bytes keep arriving
between failures. The rest is asked for with Range and If-Range; a server that cannot do that sends the whole file again, and
what it repeats is compared with what is stored.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import AccessRefused, NetworkError
from engine.files import readable
from engine.sentence import Sentence
from engine.weights.transfer.disk import FileJob, PartWriter, accept, ready_part
from engine.weights.transfer.hub import Busy, is_passing, retry_after, status_words
from engine.weights.transfer.requests import abandon, cannot_reach, open_stream

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RetryPolicy:
    """The patience of a transfer: the number of tries and the pauses between them.

    Attributes:
        attempts: failures in a row, without a byte between them, until it gives up.
        first_pause, longest_pause: seconds before the second attempt, doubling up to the longest.
        sleep: how it waits; tests do not.
    """

    attempts: int = 7
    first_pause: float = 1.0
    longest_pause: float = 30.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    def pause(self, failures: int, asked: float | None) -> float:
        """Seconds to wait after so many failures in a row; a little at random, so that not all come back at once."""
        own = min(self.longest_pause, self.first_pause * 2 ** (failures - 1)) * random.uniform(0.8, 1.2)
        return own if asked is None else max(asked, own)


class WrongAnswer(Exception):
    """The server answered something that cannot be this file. ``reason``: in words."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(reason)
        self.sentence = reason


async def fetch(client: httpx.AsyncClient, job: FileJob, token: str | None, policy: RetryPolicy) -> str:
    """Bring one file to the disk, complete and checked. Cancelling the task keeps what has arrived.

    Returns:
        The SHA-256 of the stored file.

    Raises:
        NetworkError: the server does not give the file, or not this file; the sentence says what is safe.
        CannotWrite: disk full, no permission, …; what is written stays.
    """
    if job.target.exists():
        found = await asyncio.to_thread(accept, job)
        if found is not None:
            return found
        job.on_bytes(-job.size)
    for attempt in (1, 2):
        await _fetch_bytes(client, job, token, policy)
        found = await asyncio.to_thread(accept, job)
        if found is not None:
            return found
        # Which of the bytes are wrong cannot be known, and a second time they are wrong at the source.
        log.warning("%s arrived with the wrong hash (%d)", job.name, attempt)
        job.etag = ""
        job.on_etag("")
        job.on_bytes(-job.size)
    raise NetworkError(
        Sentence(
            "{job} arrived twice with other content than its publisher describes; it was thrown away.", job=job.name
        ),
        Sentence("Try another address to download from, or try again later."),
    )


async def _fetch_bytes(client: httpx.AsyncClient, job: FileJob, token: str | None, policy: RetryPolicy) -> None:
    failures = 0
    state = _RangeState()
    while (arrived := await asyncio.to_thread(ready_part, job)) < job.size:
        try:
            await _one_request(client, job, token, arrived, state)
            reason, asked = Sentence("the connection ended early"), None
        except Busy as error:
            reason, asked = error.sentence, error.wait
        except WrongAnswer as error:
            reason, asked = error.sentence, None
        except Exception as error:
            reason, asked = _connection_words(error), None
        now = job.arrived
        if now >= job.size:
            return
        failures = 1 if now > arrived else failures + 1
        if failures >= policy.attempts:
            safe = (
                Sentence("{now} of {total} is safe.", now=readable(now), total=readable(job.size))
                if now
                else Sentence("Nothing was lost.")
            )
            raise NetworkError(
                Sentence("{job}: {reason}. {safe}", job=job.name, reason=reason, safe=safe),
                Sentence("Resume when the connection is better; it goes on where it stopped."),
            )
        pause = policy.pause(failures, asked)
        log.info("%s: %s; trying again in %.1f s", job.name, reason, pause)
        await policy.sleep(pause)


@dataclass
class _RangeState:
    """Facts learnt about a server while one file is fetched.

    Attributes:
        trust_ranges: ask for the rest without naming the version: the commit and the hash pin the content anyway.
        whole_only: ask for the whole file: the server cannot give the rest.
    """

    trust_ranges: bool = False
    whole_only: bool = False


async def _one_request(
    client: httpx.AsyncClient, job: FileJob, token: str | None, arrived: int, state: _RangeState
) -> None:
    """One attempt to get further."""
    first, last = job.next_range(arrived)
    headers = {}
    plain = state.whole_only or (job.is_whole and first == 0)
    if not plain:
        headers["range"] = f"bytes={first}-{last}"
        if job.etag and not state.trust_ranges:
            headers["if-range"] = job.etag
    async with open_stream(client, job.url, headers, token) as response:
        status = response.status_code
        if status == 416:
            # It knows no such range: another file, or a server that counts differently. The whole file will tell.
            state.whole_only = True
            raise WrongAnswer(Sentence("the server does not have the rest of this file"))
        if status in (401, 403):
            raise AccessRefused(
                Sentence("The server does not give {job} to this program ({status}).", job=job.name, status=status),
                Sentence("Check the access token, and whether the licence was accepted on the publisher's page."),
            )
        if status in (404, 410):
            raise NetworkError(
                Sentence("{job} is no longer where it was.", job=job.name),
                Sentence("Try again later, or import the files from a folder."),
            )
        if is_passing(status):
            raise Busy(status_words(status), retry_after(response.headers))
        if status not in (200, 206) or response.headers.get("content-encoding", "identity") != "identity":
            raise WrongAnswer(Sentence("the server answers with {status}", status=status))
        if status == 200 and "if-range" in headers:
            state.trust_ranges = True
            raise Busy(Sentence("the server calls this file by another name now"), 0.0)
        skip = _check_lengths(response, job, first, last)
        _remember_etag(job, response.headers.get("etag", ""))
        await _store(response, job, arrived, skip, last + 1 - first)


def _check_lengths(response: httpx.Response, job: FileJob, first: int, last: int) -> int:
    """Return the number of bytes of the answer that come before the first one wanted.

    Raises:
        WrongAnswer: the lengths are not those of the file.
    """
    if response.status_code == 206:
        unit, _, rest = response.headers.get("content-range", "").partition(" ")
        span, _, total = rest.partition("/")
        start, _, end = span.partition("-")
        fits = unit == "bytes" and start == str(first) and end.isdecimal() and first <= int(end) <= last
        if not fits or total not in ("*", str(job.remote_size)):
            raise WrongAnswer(Sentence("the server sends another range than asked for"))
        return 0
    length = response.headers.get("content-length", "")
    if length.isdecimal() and int(length) != job.remote_size:
        raise WrongAnswer(
            Sentence(
                "the server sends a file of {length} instead of {remote_size}",
                length=readable(int(length)),
                remote_size=readable(job.remote_size),
            )
        )
    return first


def _remember_etag(job: FileJob, etag: str) -> None:
    """Only strong names can be used with If-Range."""
    if etag.startswith('"') and len(etag) <= 200 and etag != job.etag:
        job.etag = etag
        job.on_etag(etag)


async def _store(response: httpx.Response, job: FileJob, arrived: int, skip: int, wanted: int) -> None:
    """Append what comes to the part, in blocks, the last one too when the connection breaks or the task is cancelled.

    Args:
        skip: bytes of the answer that come before. Of a whole file those are compared with what is stored, and where
            they differ, everything from there on is taken from the answer.
        wanted: bytes to take after them.
    """
    writer = PartWriter(job, arrived)
    position = 0
    chunks = response.aiter_raw()
    try:
        async for chunk in chunks:
            if wanted == 0:  # more than was asked for
                await abandon(response, chunks)
                return
            if position < skip:
                before = chunk[: skip - position]
                if job.is_whole and not await asyncio.to_thread(writer.holds, position, before):
                    await asyncio.to_thread(writer.cut, position)
                    wanted += skip - position
                    skip = position
                else:
                    position += len(before)
                    chunk = chunk[len(before) :]
            chunk = chunk[:wanted]
            wanted -= len(chunk)
            position += len(chunk)
            if writer.add(chunk):
                await asyncio.to_thread(writer.flush)
    except BaseException:  # the task was cancelled, or the disk is full
        await abandon(response, chunks)
        raise
    finally:
        # Not in a thread: a cancelled task must not wait for one, and it is at most one block.
        writer.close()


def _connection_words(error: Exception) -> Sentence:
    """A failed connection in words; anything else is raised again."""
    import httpx

    if isinstance(error, httpx.InvalidURL | OverflowError):  # neither is one of its HTTP errors
        raise NetworkError(
            Sentence("The server sends this download to an address that is none."), Sentence("Try again later.")
        ) from error
    if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | httpx.ProxyError):
        return cannot_reach()
    if isinstance(error, httpx.TimeoutException):
        return Sentence("the server fell silent")
    if isinstance(error, httpx.HTTPError | ssl.SSLError):  # what breaks within TLS comes through the client as it is
        return Sentence("the connection was cut")
    raise error
