"""Every error a user can meet, as a type with one clear sentence, a next step and an exit code.

The window shows ``title``, ``fact`` and ``step`` in its banner; the command line prints ``str(error)`` and leaves with
``exit_code``. A message never contains a traceback; the technical cause is kept in ``__cause__`` and goes to the log.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable
from enum import IntEnum
from typing import Protocol

from engine.sentence import NOTHING, Sentence


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
        step: one full sentence (or none) that says what to do next.
        title: the short headline of the banner; defaults to the title of the class.
    """

    title = Sentence("Something went wrong")
    exit_code = ExitCode.OUR_FAULT

    def __init__(self, fact: Sentence, step: Sentence = NOTHING, *, title: Sentence | None = None) -> None:
        super().__init__(fact, step, title)
        self.fact = fact
        self.step = step
        if title is not None:
            self.title = title

    @property
    def sentence(self) -> Sentence:
        """Fact and step in a row."""
        return Sentence.row(self.fact, self.step)

    def __str__(self) -> str:
        return str(self.sentence)

    def __reduce__(self):
        # Errors cross a process border: rebuild from the arguments, keyword included.
        return _rebuild, (type(self), self.fact, self.step, self.title)


def _rebuild(kind: type[EchoGenError], fact: Sentence, step: Sentence, title: Sentence) -> EchoGenError:
    return kind(fact, step, title=title)


class InputError(EchoGenError):
    """The user's input cannot be used as it is."""

    title = Sentence("This cannot be used")
    exit_code = ExitCode.BAD_INPUT


class PhotoError(InputError):
    """A photo cannot be read: no image, truncated, too large, empty, no permission."""

    title = Sentence("This is not a picture")


class MaskError(InputError):
    """A cut-out is empty, covers the whole photo, or does not fit the photo."""

    title = Sentence("The cut-out cannot be used")


class SubjectNotFound(InputError):
    """The pre-flight found no subject."""

    title = Sentence("Nothing found")


class PromptError(InputError):
    """The prompt is empty or cannot be encoded."""

    title = Sentence("Write a prompt first")


class RequestError(InputError):
    """A request's numbers are out of range, or do not fit the bundle."""

    title = Sentence("These settings do not fit")


class RegionError(RequestError):
    """A region is empty, covers everything, or does not fit its picture or photo."""

    title = Sentence("This region cannot be used")


class BundleError(EchoGenError):
    """A bundle is missing, incomplete, damaged, or of another version."""

    title = Sentence("The model cannot be opened")
    exit_code = ExitCode.BUNDLE


class DoesNotFit(BundleError):
    """A published file is whole, but is not what is expected.

    Args:
        step: by default, to look for a newer version of the program: it may know this file.
        found: names of what is in the file, for a report; no values.
    """

    title = Sentence("The published files do not fit")

    def __init__(
        self,
        fact: Sentence,
        step: Sentence = NOTHING,
        *,
        title: Sentence | None = None,
        found: Iterable[str] = (),
    ) -> None:
        super().__init__(fact, step or _NEWER, title=title)
        self.found = tuple(found)

    def __reduce__(self):
        return *super().__reduce__(), {"found": self.found}


_NEWER = Sentence(
    "The file is whole. A newer version of this program may know it; Help › Copy diagnostics has what a report needs."
)


class NotEnoughMemory(EchoGenError):
    """The work needs more memory than there is."""

    title = Sentence("Not enough memory")
    exit_code = ExitCode.MEMORY


class DeviceLost(EchoGenError):
    """The graphics card stopped answering."""

    title = Sentence("The graphics card stopped answering")
    exit_code = ExitCode.OUR_FAULT


class NetworkError(EchoGenError):
    """A download failed; what has arrived is kept."""

    title = Sentence("The download stopped")
    exit_code = ExitCode.NETWORK


class LicenceNotAccepted(InputError):
    """A part's licence has to be accepted before it is fetched."""

    title = Sentence("The licence is not accepted yet")


class SizeNotAgreed(InputError):
    """The server has more than was shown; whether to go on is the user's to say."""

    title = Sentence("More than was shown")


class AccessRefused(NetworkError):
    """The publisher gives its files to accounts that asked for access; or the token is not right."""

    title = Sentence("The server refuses")


class CannotWrite(EchoGenError):
    """A file or folder cannot be written, or the disk is full."""

    title = Sentence("The folder cannot be written")
    exit_code = ExitCode.CANNOT_WRITE


_STOPPED = Sentence("Stopped.")


class Cancelled(EchoGenError):
    """The user stopped the work. Not an error to show, but it ends the flow like one."""

    title = Sentence("Stopped")
    exit_code = ExitCode.CANCELLED

    def __init__(self, fact: Sentence = _STOPPED, step: Sentence = NOTHING, *, title: Sentence | None = None) -> None:
        super().__init__(fact, step, title=title)


class Outdone(Cancelled):
    """A picture of several was given up: another one is clearly more alike."""

    def __init__(self) -> None:
        super().__init__(Sentence("Another picture is more alike."))


_REASONS = {
    errno.ENOENT: Sentence("No such file or directory"),
    errno.EACCES: Sentence("Permission denied"),
    errno.ENOSPC: Sentence("No space left on device"),
    errno.EROFS: Sentence("Read-only file system"),
    errno.EISDIR: Sentence("Is a directory"),
}


def os_reason(error: OSError) -> str:
    """Return the system's reason for a refusal in its own words; those that are met often can be translated."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error)


class Cancel(Protocol):
    """A flag that a generation looks at between two blocks; ``threading.Event`` is one."""

    def is_set(self) -> bool: ...


def raise_if_cancelled(cancel: Cancel | None) -> None:
    """Raise ``Cancelled`` when ``cancel`` is set."""
    if cancel is not None and cancel.is_set():
        raise Cancelled()
