"""Every error a user can meet, as a type with one clear sentence, a next step and an exit code.

The window shows ``title``, ``fact`` and ``step`` in its banner; the command line prints ``str(error)`` and leaves with
``exit_code``. A message never contains a traceback; the technical cause is kept in ``__cause__`` and goes to the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Protocol

from engine.text import shortened, shown

_LONGEST = 2000
"""Characters of one sentence. What is quoted is short; this is for what a library or a server says."""


class ExitCode(IntEnum):
    """Exit codes of ``python -m engine`` (design, section 9)."""

    DONE = 0
    OUR_FAULT = 1
    BAD_INPUT = 2
    BUNDLE = 3
    MEMORY = 4
    NETWORK = 5
    CANNOT_WRITE = 6
    CANCELLED = 130


class EchoGenError(Exception):
    """Base of all errors that are said to the user in words.

    Args:
        fact: one full sentence that says what is the matter, with the names and numbers concerned.
        step: one full sentence (or empty) that says what to do next.
        title: the short headline of the banner; defaults to the title of the class.
    """

    title = "Something went wrong"
    exit_code = ExitCode.OUR_FAULT

    def __init__(self, fact: str, step: str = "", *, title: str | None = None) -> None:
        fact, step = _sayable(fact), _sayable(step)
        super().__init__(fact, step, title)
        self.fact = fact
        self.step = step
        if title is not None:
            self.title = title

    def __str__(self) -> str:
        return f"{self.fact} {self.step}".strip()

    def __reduce__(self):
        # Errors cross a process border: rebuild from the arguments, keyword included.
        return _rebuild, (type(self), self.fact, self.step, self.title)


def _sayable(sentence: str) -> str:
    return shortened(sentence, _LONGEST) if len(sentence) > _LONGEST else shown(sentence)


def _rebuild(kind: type[EchoGenError], fact: str, step: str, title: str) -> EchoGenError:
    return kind(fact, step, title=title)


class InputError(EchoGenError):
    """The user's input cannot be used as it is."""

    title = "This cannot be used"
    exit_code = ExitCode.BAD_INPUT


class PhotoError(InputError):
    """A photo cannot be read: no image, truncated, too large, empty, no permission."""

    title = "This is not a picture"


class MaskError(InputError):
    """A cut-out is empty, covers the whole photo, or does not fit the photo."""

    title = "The cut-out cannot be used"


class SubjectNotFound(InputError):
    """The pre-flight found no subject."""

    title = "Nothing found"


class PromptError(InputError):
    """The prompt is empty or cannot be encoded."""

    title = "Write a prompt first"


class RequestError(InputError):
    """A request's numbers are out of range, or do not fit the bundle."""

    title = "These settings do not fit"


class BundleError(EchoGenError):
    """A bundle is missing, incomplete, damaged, or of another version."""

    title = "The model cannot be opened"
    exit_code = ExitCode.BUNDLE


class DoesNotFit(BundleError):
    """A published file is whole, but is not what is expected.

    Args:
        step: by default, to look for a newer version of the program: it may know this file.
        found: names of what is in the file, for a report; no values.
    """

    title = "The published files do not fit"

    def __init__(self, fact: str, step: str = "", *, title: str | None = None, found: Iterable[str] = ()) -> None:
        super().__init__(fact, step or _NEWER, title=title)
        self.found = tuple(found)

    def __reduce__(self):
        return *super().__reduce__(), {"found": self.found}


_NEWER = (
    "The file is whole. A newer version of this program may know it; Help › Copy diagnostics has what a report needs."
)


class NotEnoughMemory(EchoGenError):
    """The work needs more memory than there is."""

    title = "Not enough memory"
    exit_code = ExitCode.MEMORY


class DeviceLost(EchoGenError):
    """The graphics card stopped answering."""

    title = "The graphics card stopped answering"
    exit_code = ExitCode.OUR_FAULT


class NetworkError(EchoGenError):
    """A download failed; what has arrived is kept."""

    title = "The download stopped"
    exit_code = ExitCode.NETWORK


class LicenceNotAccepted(InputError):
    """A part's licence has to be accepted before it is fetched."""

    title = "The licence is not accepted yet"


class SizeNotAgreed(InputError):
    """The server has more than was shown; whether to go on is the user's to say."""

    title = "More than was shown"


class AccessRefused(NetworkError):
    """The publisher gives its files to accounts that asked for access; or the token is not right."""

    title = "The server refuses"


class CannotWrite(EchoGenError):
    """A file or folder cannot be written, or the disk is full."""

    title = "The folder cannot be written"
    exit_code = ExitCode.CANNOT_WRITE


class Cancelled(EchoGenError):
    """The user stopped the work. Not an error to show, but it ends the flow like one."""

    title = "Stopped"
    exit_code = ExitCode.CANCELLED

    def __init__(self, fact: str = "Stopped.", step: str = "", *, title: str | None = None) -> None:
        super().__init__(fact, step, title=title)


class Outdone(Cancelled):
    """A picture of several was given up: another one is clearly more alike."""

    def __init__(self) -> None:
        super().__init__("Another picture is more alike.")


class Cancel(Protocol):
    """What a generation looks at between two blocks; ``threading.Event`` is one."""

    def is_set(self) -> bool: ...
