"""Settings of downloads: where from, which licences were accepted, and the access token.

Settings are one small JSON file in the user's configuration folder. The token is in no file: it goes to the system's
keyring, or, where there is none, is kept in memory until the program ends.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import logging
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import platformdirs
from msgspec import Meta

from engine.bundle.library import APP_NAME
from engine.errors import CannotWrite, InputError, os_reason
from engine.files import replacing
from engine.sentence import Sentence
from engine.text import shortened
from engine.validation import Damage, read_entries, read_json

log = logging.getLogger(__name__)

HUB = "https://huggingface.co"
_KEYRING_SERVICE = "EchoGen for the desktop"
_KEYRING_USER = "hub token"
_MAX_BYTES = 2**20
_Bytes = Annotated[int, Meta(ge=1, le=2**50)]


@dataclass(frozen=True)
class DownloadSettings:
    """The source of the models, and what the user agreed to.

    Attributes:
        base_url: the hub or a mirror of it, without a slash at the end.
        accepted: licences accepted, as "part: licence" → the day, ISO format.
        choices: parts chosen where a model has a choice, by the model's name.
        sizes: bytes of a part that the user agreed to, where the server had more than was shown.
    """

    base_url: str = HUB
    accepted: dict[str, str] = field(default_factory=dict)
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def has_accepted(self, part: str, licence: str) -> bool:
        return f"{part}: {licence}" in self.accepted

    def accept(self, part: str, licence: str) -> DownloadSettings:
        """Settings in which this licence of this part is accepted, from today on."""
        key = f"{part}: {licence}"
        if key in self.accepted:
            return self
        return replace(self, accepted={**self.accepted, key: datetime.date.today().isoformat()})


def settings_file() -> Path:
    return Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / "downloads.json"


def network_file() -> Path:
    """Proxy and mirrors, shared with the launcher (``installer/launcher/network.py``)."""
    return settings_file().with_name("network.json")


def network_settings() -> dict[str, str]:
    """The part of ``network_file`` that concerns models: "proxy" and "models", a mirror of the hub; each may be ""."""
    data = read_entries(_read(network_file()), str)
    return {name: data.get(name, "").strip() for name in ("proxy", "models")}


def _read(path: Path) -> dict[str, Any]:
    """The object in a JSON file; empty where there is none or it is damaged."""
    try:
        return read_json(path, dict[str, Any], _MAX_BYTES)
    except (OSError, Damage):
        return {}


def load_settings() -> DownloadSettings:
    """The settings on disk; the standard ones where there are none or they are damaged.

    The environment variable ECHOGEN_HUB (a base URL) goes before the files, and the mirror of the network settings before the
    address that earlier versions kept in a file of their own.
    """
    data = _read(settings_file())
    settings = DownloadSettings(
        accepted=read_entries(data.get("accepted"), str),
        choices=read_entries(data.get("choices"), tuple[str, ...]),
        sizes=read_entries(data.get("sizes"), _Bytes),
    )
    url = os.environ.get("ECHOGEN_HUB") or network_settings()["models"] or data.get("base_url") or HUB
    try:
        return replace(settings, base_url=checked_base_url(str(url)))
    except InputError:
        if "ECHOGEN_HUB" in os.environ:
            raise
        log.warning("the base URL in %s is not usable; the hub itself is used", settings_file())
        return settings


def load_choices() -> dict[str, tuple[str, ...]]:
    """The parts that the user chose, by model; none where the file is damaged. It asks for no address, and so never raises."""
    return read_entries(_read(settings_file()).get("choices"), tuple[str, ...])


def save_settings(settings: DownloadSettings) -> None:
    """Write the settings, the old ones staying until the new ones are complete.

    Raises:
        CannotWrite: with the file and the reason.
    """
    data = {
        "base_url": settings.base_url,  # for a version before this one, should the user go back to it
        "accepted": settings.accepted,
        "choices": settings.choices,
        "sizes": settings.sizes,
    }
    _write(settings_file(), data)
    mirror = "" if settings.base_url == HUB else settings.base_url
    if "ECHOGEN_HUB" not in os.environ and network_settings()["models"] != mirror:
        _write(network_file(), {**_read(network_file()), "models": mirror})


def _write(path: Path, data: dict[str, Any]) -> None:
    try:
        with replacing(path) as part:
            part.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise CannotWrite(
            Sentence("The settings cannot be written to {path}: {reason}.", path=path, reason=os_reason(error))
        ) from error


def checked_base_url(text: str) -> str:
    """A base URL as it is used: https, or http to this computer; no name, password, query or fragment in it.

    Raises:
        InputError: with what is wrong.
    """
    try:
        url = urlsplit(text.strip())
        usable = bool(url.hostname) and is_safe(text.strip()) and (url.port is None or url.port > 0)
    except ValueError:  # "http://[::1", a port of 99999
        usable = False
    if not usable:
        raise InputError(
            Sentence("“{text}” is no address to download from.", text=shortened(text)),
            Sentence("It has to begin with https://, as in {hub}.", hub=HUB),
        )
    if url.username or url.password or url.query or url.fragment:
        raise InputError(
            Sentence("The address to download from holds more than a place."),
            Sentence("Leave out names, passwords and everything behind “?”."),
        )
    return f"{url.scheme}://{url.netloc}{url.path}".rstrip("/")


def is_safe(url: str) -> bool:
    """Return True if nobody on the way can read or change what this address sends: https, or http inside this computer."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all
        return False
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and _is_loopback(parts.hostname or "")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# The token


class TokenStore:
    """The access token for gated repositories.

    HF_TOKEN in the environment goes first, for computers without a person in front of them. It never appears in ``repr``,
    in a file or in a log.
    """

    def __init__(self) -> None:
        self._in_memory: str | None = None

    def get(self) -> str | None:
        """The token, or None. Asking the keyring may open the system's own dialog."""
        given = os.environ.get("HF_TOKEN", "").strip()  # a line break behind it makes no header
        if given:
            return given
        if self._in_memory is not None:
            return self._in_memory
        try:
            import keyring

            return keyring.get_password(_KEYRING_SERVICE, _KEYRING_USER)
        except Exception as error:  # every backend has its own errors; without one the download goes on without a token
            log.info("no keyring: %s", type(error).__name__)
            return None

    def set(self, token: str) -> bool:
        """Keep a token. Returns whether it outlives this run, that is, whether there is a keyring.

        Raises:
            InputError: it cannot be a token.
        """
        token = token.strip()
        if not token or len(token) > 500 or not token.isascii() or not token.isprintable() or " " in token:
            raise InputError(
                Sentence("This is no access token."),
                Sentence("Copy it from the settings page of your account, all of it."),
            )
        self._in_memory = token
        try:
            import keyring

            keyring.set_password(_KEYRING_SERVICE, _KEYRING_USER, token)
            return keyring.get_password(_KEYRING_SERVICE, _KEYRING_USER) == token
        except Exception as error:
            log.info("no keyring, the token is kept for this run: %s", type(error).__name__)
            return False

    def forget(self) -> None:
        self._in_memory = None
        with contextlib.suppress(Exception):
            import keyring

            keyring.delete_password(_KEYRING_SERVICE, _KEYRING_USER)
