"""Newer versions: which is the newest, what it brings, and fetching it. Nothing here asks anybody by itself.

The address of one small file is all that has to be known. ``make_packages.py --updates ADDRESS`` writes it into a package, and
``updates`` in the network settings goes before it. The file is JSON, made by ``make_packages.py`` beside the archive:

    {"version": "0.2.0", "news": {"en": "One sentence.", "zh_CN": "…"}, "archive": "echogen-0.2.0.tar.gz", "size": 1, "sha256": "…"}
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from app.language.say import say
from installer.launcher.errors import SetupFailed
from installer.launcher.fetch import Control, Fetcher, RemoteFile
from installer.launcher.network import SECONDS, Network, explain, make_opener, request
from installer.launcher.places import Places
from installer.launcher.versions import Versions, order, version_of

ADDRESS = Path("installer") / "updates-address"
"""File of a package that holds the address of its newer versions."""
LARGEST = 64 * 1024
LONGEST_NEWS = 200


@dataclass(frozen=True)
class Release:
    """A version that can be fetched.

    Attributes:
        version: "0.2.0".
        news: language ("en", "zh_CN") → what is new, in one sentence of at most 200 characters.
        archive: address of its archive.
        size: bytes of it.
        sha256: its digest in hexadecimal.
    """

    version: str
    news: dict[str, str]
    archive: str = field(repr=False)
    size: int
    sha256: str

    def news_in(self, language: str) -> str:
        """The news in a language; in English where there is none in that one."""
        return self.news.get(language) or self.news.get("en", "")


def address(root: Path) -> str:
    """Return the address at which newer versions of the program in ``root`` are announced; "" where nobody said."""
    own = Network.load().updates
    if own:
        return own
    try:
        return (root / ADDRESS).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def newest(url: str) -> Release:
    """Ask which version is the newest.

    Args:
        url: from ``address``.

    Raises:
        SetupFailed: the address cannot be reached, or says something else.
    """
    host = urlsplit(url).hostname or url
    try:
        with make_opener(Network.load()).open(request(url), timeout=SECONDS) as answer:
            text = answer.read(LARGEST + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise explain(error, host) from error
    try:
        return _release(json.loads(text), url)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise SetupFailed(
            say("{0} does not say which version is the newest.", host), say("Try again later.")
        ) from error


def _release(data: dict[str, Any], url: str) -> Release:
    version, archive, sha256 = str(data["version"]), urljoin(url, data["archive"]), str(data["sha256"])
    if not re.fullmatch(r"\d+(\.\d+){0,3}[a-z0-9.]{0,12}", version) or not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError("no version")
    if urlsplit(archive).scheme != urlsplit(url).scheme:  # from https to anything else is a way down
        raise ValueError("another kind of address")
    news = {
        str(language): " ".join(words.split())[:LONGEST_NEWS]
        for language, words in dict(data.get("news", {})).items()
        if isinstance(words, str)
    }
    return Release(version, news, archive, int(data["size"]), sha256)


def is_newer(release: Release, root: Path) -> bool:
    """Return True if a release is newer than the program in ``root``."""
    return order(release.version) > order(version_of(root))


def take(
    release: Release,
    places: Places,
    control: Control | None = None,
    tell: Callable[[int, int, float | None], None] = lambda *_: None,
) -> str:
    """Fetch a release and put it beside the version in use; it opens at the next start.

    Args:
        places: folders of the set-up.
        control: a stop keeps what has arrived.
        tell: called with (bytes here, bytes in all, seconds left or None).

    Returns:
        its version.

    Raises:
        SetupFailed: with a sentence and a next step.
        Stopped: the user stopped it.
    """
    places.prepare()
    folder = places.folder / "updates"
    file = RemoteFile(f"echogen-{release.version}.tar.gz", release.archive, release.size, release.sha256)
    for left in folder.glob("*") if folder.is_dir() else ():
        if left.name.removesuffix(".part") != file.name:
            left.unlink(missing_ok=True)
    Fetcher(folder, Network.load(), control or Control(), tell).fetch([file])
    archive = folder / file.name
    version = Versions(Places(places.installed, places.folder)).take(archive, release.sha256)
    archive.unlink(missing_ok=True)
    return version
