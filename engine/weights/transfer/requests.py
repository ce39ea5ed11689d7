"""Requests for bytes, made safe: no password over plain HTTP, none to a stranger, no redirect into the unknown."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from engine.errors import NetworkError
from engine.version import __version__
from engine.weights.settings import is_safe

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 8
_REDIRECTS = (301, 302, 303, 307, 308)


def make_client(stall_seconds: float = 30.0) -> httpx.AsyncClient:
    """The HTTP client of a download. Redirects are followed here and not by the client.

    Args:
        stall_seconds: how long a server may stay silent.
    """
    import httpx

    return httpx.AsyncClient(
        follow_redirects=False,
        timeout=httpx.Timeout(stall_seconds, connect=min(stall_seconds, 15.0), pool=None),
        headers={"user-agent": f"echogen-desktop/{__version__}", "accept-encoding": "identity"},
    )


@contextlib.asynccontextmanager
async def open_stream(
    client: httpx.AsyncClient, url: str, headers: dict[str, str], token: str | None = None
) -> AsyncIterator[httpx.Response]:
    """GET, following redirects. The token goes to the first origin (scheme, host and port) only.

    Raises:
        NetworkError: a redirect leads to an unsafe address, or in circles.
        httpx.HTTPError: the connection failed.
    """
    first = _origin(url)
    for _ in range(MAX_REDIRECTS):
        if not is_safe(url):
            raise NetworkError(
                f"The server sends this download to an unsafe address ({urlsplit(url).scheme}://…).",
                "Nothing was fetched from there. Try again later, or another address to download from.",
            )
        sent = dict(headers)
        if token is not None and _origin(url) == first:
            sent["authorization"] = f"Bearer {token}"
        async with client.stream("GET", url, headers=sent) as response:
            if response.status_code not in _REDIRECTS:
                yield response
                return
            url = urljoin(url, response.headers.get("location", ""))
    raise NetworkError("The server sends this download in circles.", "Try again later.")


async def abandon(response: httpx.Response, chunks: AsyncIterator[bytes]) -> None:
    """Leave an answer in the middle of its body.

    The generators inside the library end only when they are asked again, and Qt's event loop, unlike asyncio's own, does not
    see to generators that are just dropped. What had arrived before the connection was closed still comes out of them first.
    """
    with contextlib.suppress(Exception):
        await response.aclose()
    with contextlib.suppress(Exception):
        async for _ in chunks:
            pass


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port
