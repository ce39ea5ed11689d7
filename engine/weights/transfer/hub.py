"""Reads a repository of the hub: its files at one commit, their sizes and hashes, and its licence.

Metadata comes through the hub's own library; the transfer is ours (``file_transfer.py``). What comes back is checked as if a
stranger had sent it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from engine.errors import AccessRefused, EchoGenError, NetworkError
from engine.sentence import Sentence
from engine.text import shortened
from engine.weights.catalogue import Part
from engine.weights.settings import is_safe
from engine.weights.transfer.requests import cannot_reach, proxy_name, saying_client_errors

if TYPE_CHECKING:
    from huggingface_hub.errors import RepositoryNotFoundError
    from huggingface_hub.hf_api import ModelInfo

METADATA_SECONDS = 30
_MAX_FILE = 2**42
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Names that mean a device on Windows, whatever follows the dot.
_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))}
_NAME = re.compile(r"[A-Za-z0-9._+-]+(?:/[A-Za-z0-9._+-]+)*")


@dataclass(frozen=True)
class RemoteFile:
    """One file of a repository.

    Attributes:
        name: path inside the repository.
        size: bytes.
        sha256: the publisher's hash of the content, "" where it gives only ``git``.
        git: the hash git has for it (SHA-1 of a header and the content); large files have ``sha256`` instead.
    """

    name: str
    size: int
    sha256: str = ""
    git: str = ""


@dataclass(frozen=True)
class RepositoryListing:
    """A repository at one commit.

    Attributes:
        commit: the commit everything is fetched from, 40 hex digits.
        licence: what the repository's page says, lower case, "" when it says nothing.
        gated: the hub says that files are given to accounts only.
        files: those that belong to the part.
        base_url, repository: where it is.
    """

    repository: str
    base_url: str
    commit: str
    licence: str
    files: tuple[RemoteFile, ...]
    gated: bool = False

    @property
    def nbytes(self) -> int:
        return sum(file.size for file in self.files)

    def url(self, name: str) -> str:
        """Return the address of a file, at this commit."""
        return f"{self.base_url}/{self.repository}/resolve/{self.commit}/{quote(name)}"


class Busy(Exception):
    """The server could not answer now; trying again makes sense. ``wait``: seconds it asked for, or None."""

    def __init__(self, reason: Sentence, wait: float | None = None) -> None:
        super().__init__(reason)
        self.sentence = reason
        self.wait = wait


class LicenceChanged(EchoGenError):
    """The publisher names another licence than the one shown to the user."""

    title = Sentence("The licence has changed")
    exit_code = NetworkError.exit_code


def list_part(part: Part, base_url: str, token: str | None = None, revision: str | None = None) -> RepositoryListing:
    """Ask the hub what a part consists of. Blocks; up to half a minute.

    Args:
        revision: a commit, to go on with what was begun; by default the newest.

    Raises:
        Busy: not now; try again.
        NetworkError: not at all, and why. AccessRefused: not to this person.
        LicenceChanged: the repository's page names another licence.
    """
    if not is_safe(base_url):
        raise NetworkError(
            Sentence("{base_url} is no safe address.", base_url=base_url),
            Sentence("Choose one that begins with https://."),
        )
    info = _model_info(part, base_url, token, revision)
    names = [sibling.rfilename for sibling in info.siblings or []]
    missing = part.missing(names)
    if missing:
        raise NetworkError(
            Sentence("{repository} has no file “{first}”.", repository=part.repository, first=missing[0]),
            Sentence(
                "The publisher may have moved it. Look for a newer version of this program, or import the files "
                "from a folder."
            ),
        )
    licence = _licence_tag(info)
    if licence and licence not in part.licence.tags:
        raise LicenceChanged(
            Sentence(
                "{repository} now says its licence is “{licence}”, and {licence_licence} was shown to you.",
                repository=part.repository,
                licence=shortened(licence),
                licence_licence=part.licence.name,
            ),
            Sentence("Nothing was fetched. Look for a newer version of this program."),
        )
    commit = info.sha or ""
    if not _COMMIT.fullmatch(commit) or (revision is not None and commit != revision):
        raise NetworkError(
            Sentence(
                "{base_url} does not say which version of {repository} it has.",
                base_url=base_url,
                repository=part.repository,
            ),
            _OTHER_PLACE,
        )
    wanted = [sibling for sibling in info.siblings or [] if part.wants(sibling.rfilename)]
    # Of two licences, the one in the part's own folder goes first.
    wanted.sort(key=lambda sibling: "/" not in sibling.rfilename)
    files: dict[str, RemoteFile] = {}
    for sibling in wanted:
        file = _remote_file(part, sibling)
        inner = part.inner(file.name) or file.name
        files.setdefault(inner, file)
        pinned = part.pinned_hash(inner)
        if pinned and file.sha256 != pinned:
            raise NetworkError(
                Sentence(
                    "{file} of {repository} is another file than the one this program knows.",
                    file=file.name,
                    repository=part.repository,
                ),
                Sentence(
                    "Nothing was fetched. Choose another source for this part, or look for a newer version of this "
                    "program."
                ),
            )
    return RepositoryListing(part.repository, base_url, commit, licence, tuple(files.values()), bool(info.gated))


def _model_info(part: Part, base_url: str, token: str | None, revision: str | None) -> ModelInfo:
    import httpx
    from huggingface_hub import HfApi, get_session
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    with saying_client_errors():
        session = get_session()
    _keep_safe(session)
    api = HfApi(endpoint=base_url, token=token or False, library_name="echogen-desktop")
    try:
        return api.model_info(part.repository, revision=revision, files_metadata=True, timeout=METADATA_SECONDS)
    except NetworkError:
        raise
    except OfflineModeIsEnabled as error:
        raise NetworkError(
            Sentence("Downloads are switched off on this computer."),
            Sentence("Unset HF_HUB_OFFLINE, or import the files from a folder."),
        ) from error
    except RevisionNotFoundError as error:
        raise NetworkError(
            Sentence("The version of {repository} that was begun is no longer there.", repository=part.repository),
            Sentence("Remove what has arrived and begin anew, or try again later."),
        ) from error
    except GatedRepoError as error:
        raise refused(part, token is not None) from error
    except RepositoryNotFoundError as error:
        if part.gated or not _says_not_found(error):
            raise refused(part, token is not None) from error
        raise _not_given(part, base_url, token is not None) from error
    except HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise refused(part, token is not None) from error
        if is_passing(status):
            raise Busy(status_words(status), retry_after(error.response.headers)) from error
        raise NetworkError(
            Sentence(
                "{base_url} answered {repository} with {status}.",
                base_url=base_url,
                repository=part.repository,
                status=status,
            ),
            _OTHER_PLACE,
        ) from error
    except Exception as error:
        # The library's HTTP client changed its errors' family before; the name of the module tells ours from theirs.
        if isinstance(error, httpx.HTTPError | OSError) or type(error).__module__.partition(".")[0].startswith("httpx"):
            raise Busy(cannot_reach() if proxy_name() else Sentence("the server did not answer")) from error
        raise NetworkError(
            Sentence(
                "The answer of {base_url} about {repository} is damaged.", base_url=base_url, repository=part.repository
            ),
            _OTHER_PLACE,
        ) from error


def _keep_safe(session: Any) -> None:
    """Let the library's client, which follows redirects by itself, go to safe addresses only. It sheds the token on the way."""
    hooks = session.event_hooks["request"]
    if _refuse_unsafe not in hooks:
        hooks.append(_refuse_unsafe)


def _refuse_unsafe(request: Any) -> None:
    """Called by the client before every request, those after a redirect too."""
    if not is_safe(str(request.url)):
        raise NetworkError(
            Sentence("The server sends this download to an unsafe address ({scheme}://…).", scheme=request.url.scheme),
            Sentence("Nothing was fetched from there. Try again later, or another address to download from."),
        )


def refused(part: Part, with_token: bool) -> AccessRefused:
    """The error for when the publisher does not give the files to this person."""
    page = f"https://huggingface.co/{part.repository}"
    return AccessRefused(
        Sentence("{part} is given only to accounts that asked for access.", part=part.title),
        Sentence("Ask for it at {page}, then check the access token.", page=page)
        if with_token
        else Sentence("Ask for it at {page}, then enter an access token of your account.", page=page),
    )


def _says_not_found(error: RepositoryNotFoundError) -> bool:
    """Return True if the server says that it has no such repository for us; the library reads a bare 401 that way, too."""
    return error.response.headers.get("x-error-code") == "RepoNotFound"


def _not_given(part: Part, base_url: str, with_token: bool) -> NetworkError:
    return NetworkError(
        Sentence("The server does not give {name} to this program.", name=part.repository),
        Sentence("Check the access token, or try another address to download from.")
        if with_token
        else Sentence(
            "See if {page} opens in a browser; if it wants an account, enter an access token.",
            page=f"{base_url.rstrip('/')}/{part.repository}",
        ),
        title=Sentence("The server refuses"),
    )


def is_passing(status: int) -> bool:
    """Return True if a status says “not now” rather than “no”."""
    return status in (408, 425, 429) or 500 <= status < 600


def status_words(status: int) -> Sentence:
    if status == 429:
        return Sentence("the server says there were too many requests")
    return Sentence("the server has a fault of its own ({status})", status=status)


def retry_after(headers: Any) -> float | None:
    """Seconds the server asked to wait, at most two minutes; None when it did not say, or not in seconds."""
    value = str(headers.get("retry-after", "")) if headers is not None else ""
    return min(float(value), 120.0) if value.isdecimal() else None


def _licence_tag(info: Any) -> str:
    card = info.card_data
    for name in ("license_name", "license"):
        value = card.get(name) if card is not None else None
        if isinstance(value, str) and value:
            return value.lower()
    return ""


def _remote_file(part: Part, sibling: Any) -> RemoteFile:
    name, size = sibling.rfilename, sibling.size
    if not is_plain_name(name):
        raise NetworkError(
            Sentence("{repository} has a file with a name that is not allowed.", repository=part.repository),
            _OTHER_PLACE,
        )
    if not isinstance(size, int) or not 0 <= size <= _MAX_FILE:
        raise NetworkError(Sentence("The server does not say how large {name} is.", name=name), _OTHER_PLACE)
    sha256 = getattr(sibling.lfs, "sha256", "") or "" if sibling.lfs is not None else ""
    git = sibling.blob_id or "" if not sha256 else ""
    if not _SHA256.fullmatch(sha256) and not _COMMIT.fullmatch(git):
        raise NetworkError(
            Sentence("The server gives no hash for {name}, so it cannot be checked.", name=name), _OTHER_PLACE
        )
    return RemoteFile(name, size, sha256, git)


def is_plain_name(name: Any) -> bool:
    """Return True if a file's name stays inside its folder on every system: no root, no drive, no “..”, no odd
    characters."""
    if not isinstance(name, str) or len(name) > 200 or not _NAME.fullmatch(name):
        return False
    pieces = name.split("/")
    if any(piece.partition(".")[0].upper() in _DEVICES for piece in pieces):
        return False
    return not any(piece.strip(".") == "" or piece.endswith(".") for piece in pieces)


_OTHER_PLACE = Sentence("Try another address to download from, or import the files from a folder.")
