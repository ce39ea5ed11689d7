"""Fetching some tensors of a remote safetensors file: its header says where each lies, and only those stretches are fetched.

A safetensors file is 8 bytes (the header's length, little endian), the header (JSON: name → dtype, shape, offsets into the
data) and the data. What is stored is again such a file, with a header of our own and only the tensors that were wanted.
"""

from __future__ import annotations

import json
import math
import ssl
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from engine.errors import AccessRefused, NetworkError
from engine.sentence import Sentence
from engine.validation import Damage, Natural, parse_json, read_value
from engine.weights.transfer.disk import Segment
from engine.weights.transfer.hub import Busy, is_passing, retry_after, status_words
from engine.weights.transfer.requests import abandon, open_stream

if TYPE_CHECKING:
    import httpx

MAX_HEADER = 64 * 2**20
_FIRST_READ = 256 * 1024
_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
    "F8_E4M3": 1, "F8_E5M2": 1, "U16": 2, "U32": 4, "U64": 8,
}  # fmt: skip


class _Entry(Struct):
    """One tensor in a header."""

    dtype: str
    shape: tuple[Natural, ...]
    data_offsets: tuple[Natural, Natural]

    def __post_init__(self) -> None:
        begin, end = self.data_offsets
        if end - begin != math.prod(self.shape) * _BYTES.get(self.dtype, math.inf):
            raise ValueError("it has another size")


@dataclass(frozen=True)
class Subset:
    """The wanted part of a remote safetensors file: our own header, and the stretches that follow it."""

    prefix: bytes
    segments: tuple[Segment, ...]

    @property
    def size(self) -> int:
        return len(self.prefix) + sum(segment.length for segment in self.segments)


async def read_header(client: httpx.AsyncClient, url: str, size: int, token: str | None, name: str) -> bytes:
    """The JSON header of a remote safetensors file.

    Raises:
        Busy: not now.
        NetworkError: this is no safetensors file, or the server does not give it.
    """
    if size < 8:
        raise _damaged(name)
    start = await _first_bytes(client, url, min(size, _FIRST_READ), token, name)
    (length,) = struct.unpack("<Q", start[:8])
    if not 2 <= length <= min(MAX_HEADER, size - 8):
        raise _damaged(name)
    if len(start) < 8 + length:
        start = await _first_bytes(client, url, 8 + length, token, name)
    return start[8 : 8 + length]


async def _first_bytes(client: httpx.AsyncClient, url: str, count: int, token: str | None, name: str) -> bytes:
    import httpx

    found = bytearray()
    try:
        async with open_stream(client, url, {"range": f"bytes=0-{count - 1}"}, token) as response:
            if response.status_code in (401, 403):
                raise AccessRefused(
                    Sentence("The server does not give {name} to this program.", name=name),
                    Sentence("Check the access token."),
                )
            if is_passing(response.status_code):
                raise Busy(status_words(response.status_code), retry_after(response.headers))
            if response.status_code not in (200, 206):
                raise NetworkError(
                    Sentence(
                        "The server answers {name} with {status_code}.", name=name, status_code=response.status_code
                    ),
                    Sentence("Try again later."),
                )
            chunks = response.aiter_raw()
            async for chunk in chunks:
                if len(found) >= count:  # a server that knows no ranges sends everything
                    await abandon(response, chunks)
                    break
                found += chunk
    except (httpx.HTTPError, ssl.SSLError) as error:
        raise Busy(Sentence("the connection was cut")) from error
    if len(found) < count:
        raise Busy(Sentence("the connection ended early"))
    return bytes(found[:count])


def choose_tensors(header: bytes, size: int, prefixes: tuple[str, ...], name: str) -> Subset:
    """The subset of a file with this header and size that holds the tensors whose names begin with a prefix.

    An empty ``Subset`` (no segments) means that the file holds none of them.

    Raises:
        NetworkError: the header is damaged or lies about the data.
    """
    start = 8 + len(header)
    wanted: dict[str, Any] = {}
    segments: list[Segment] = []
    position = 0
    for tensor, entry in sorted(_entries(header, name).items(), key=lambda item: item[1].data_offsets):
        begin, end = entry.data_offsets
        if end > size - start:
            raise _damaged(name)
        if not tensor.startswith(prefixes):
            continue
        offsets = [position, position + end - begin]
        wanted[tensor] = {"dtype": entry.dtype, "shape": entry.shape, "data_offsets": offsets}
        position += end - begin
        if segments and segments[-1].start + segments[-1].length == start + begin:
            segments[-1] = Segment(segments[-1].start, segments[-1].length + end - begin)
        elif end > begin:
            segments.append(Segment(start + begin, end - begin))
    if not wanted:
        return Subset(b"", ())
    text = json.dumps({"__metadata__": {"format": "pt"}, **wanted}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return Subset(struct.pack("<Q", len(text)) + text, tuple(segments))


def _entries(header: bytes, name: str) -> dict[str, _Entry]:
    try:
        data = read_value(parse_json(header, MAX_HEADER), dict[str, Any])
        data.pop("__metadata__", None)
        return read_value(data, dict[str, _Entry])
    except Damage as damage:
        raise _damaged(name) from damage


def _damaged(name: str) -> NetworkError:
    return NetworkError(
        Sentence("{name} on the server is no safetensors file, or a damaged one.", name=name),
        Sentence("Try another address to download from."),
    )
