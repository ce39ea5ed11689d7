"""Requests for bytes, made safe: no password over plain HTTP, none to a stranger, no redirect into the unknown."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies

from engine.errors import NetworkError
from engine.sentence import Sentence
from engine.text import shortened
from engine.version import __version__
from engine.weights.settings import is_safe, network_settings

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 8
_REDIRECTS = (301, 302, 303, 307, 308)
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_trusting = threading.Lock()
_NO_SERVER = Sentence("the server cannot be reached")
_PROXY_STEP = Sentence("Correct or unset it: an http:// proxy works, as in http://proxy.example:3128.")


def make_client(stall_seconds: float = 30.0) -> httpx.AsyncClient:
    """The HTTP client of a download. Redirects are followed here and not by the client.

    Args:
        stall_seconds: how long a server may stay silent.

    Raises:
        NetworkError: the proxy or the certificates that this computer's settings name cannot be used.
    """
    import httpx

    with saying_client_errors():
        return httpx.AsyncClient(
            follow_redirects=False,
            timeout=httpx.Timeout(stall_seconds, connect=min(stall_seconds, 15.0), pool=None),
            headers={"user-agent": f"echogen-desktop/{__version__}", "accept-encoding": "identity"},
        )


@contextlib.contextmanager
def saying_client_errors() -> Iterator[None]:
    """A client takes proxy and certificates from the environment when it is made, and fails in many ways over a wrong one
    (no such file, an unknown scheme, a package that is not there). All of them are one sentence.

    A client that is made here trusts whom the system trusts, and takes the proxy of the network settings where there is no other.
    """
    import httpx

    _use_own_proxy()
    try:
        with _trusting_the_system():
            yield
    except (ImportError, ValueError, OSError, httpx.InvalidURL) as error:
        named = next((name for name in _CERTIFICATES if os.environ.get(name)), None)
        if isinstance(error, OSError) and named is not None:
            raise NetworkError(
                Sentence("The certificates that {named} names cannot be read.", named=named),
                Sentence("Correct or unset {named}.", named=named),
            ) from error
        raise NetworkError(
            Sentence("The proxy that {proxy_name} names cannot be used.", proxy_name=proxy_name()), _PROXY_STEP
        ) from error


def _use_own_proxy() -> None:
    """The proxy of the network settings, where neither the environment nor the system names one."""
    proxy = network_settings()["proxy"]
    if proxy and not getproxies():
        os.environ["HTTP_PROXY"] = os.environ["HTTPS_PROXY"] = proxy


@contextlib.contextmanager
def _trusting_the_system() -> Iterator[None]:
    """Clients that are made meanwhile have the system's own judge of certificates: networks of companies have some of their own.

    It goes by the module and not by an argument because the hub's library makes its client by itself.
    """
    import ssl

    import truststore

    with _trusting:
        before = ssl.SSLContext
        truststore.inject_into_ssl()
        try:
            yield
        finally:
            if before is not truststore.SSLContext:
                truststore.extract_from_ssl()


def proxy_name() -> str:
    """The name of the environment variable that sets the proxy for https; "" without one."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        if os.environ.get(name):
            return name.upper()
    return ""


def cannot_reach() -> Sentence:
    """Name a connection that did not come about."""
    name = proxy_name()
    if not name:
        return _NO_SERVER
    return Sentence("the proxy that {name} names cannot be reached, or it cannot reach the server", name=name)


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
                Sentence(
                    "The server sends this download to an unsafe address ({url}://…).",
                    url=shortened(url.partition(":")[0], 20),
                ),
                Sentence("Nothing was fetched from there. Try again later, or another address to download from."),
            )
        sent = dict(headers)
        if token is not None and _origin(url) == first:
            sent["authorization"] = f"Bearer {token}"
        async with client.stream("GET", url, headers=sent) as response:
            if response.status_code not in _REDIRECTS:
                yield response
                return
            url = _joined(url, response.headers.get("location", ""))
    raise NetworkError(Sentence("The server sends this download in circles."), Sentence("Try again later."))


def _joined(url: str, location: str) -> str:
    """Return the address a redirect leads to. Raises ``NetworkError`` when it is no address."""
    try:
        joined = urljoin(url, location)
        _ = urlsplit(joined).port  # raises for one beyond 65535
    except ValueError as error:
        raise NetworkError(
            Sentence("The server sends this download to an address that is none."), Sentence("Try again later.")
        ) from error
    return joined


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
