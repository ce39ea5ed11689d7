"""Photos that cannot be read: how large one may be, and the sentence that says why not and what to do."""

from __future__ import annotations

from engine.errors import PhotoError
from engine.photo.foreign import is_heif, kind, reads_heif
from engine.photo.raw import can_develop
from engine.sentence import Sentence

MAX_PIXELS = 100_000_000
MAX_FILE_BYTES = 2**30
"""A hundred megapixels in 16-bit RGBA are 800 MB unpacked; a larger file holds something else."""

_ALWAYS = ("PNG", "JPEG", "WebP", "TIFF", "GIF", "BMP", "AVIF")


def _formats() -> Sentence:
    """The sentence that says which kinds of files can be read here: those of phones and cameras need optional parts."""
    names = list(_ALWAYS)
    if reads_heif():
        names.append("HEIC")
    if can_develop():
        names.append("RAW")
    *names, last = names
    return Sentence("{names} and {last} work.", names=", ".join(names), last=last)


def name_of(name: str) -> str:
    return name or Sentence("The picture")


def unreadable(called: str, known: str) -> PhotoError:
    return PhotoError(
        Sentence("{called} is {known}, which cannot be read here.", called=called, known=known),
        Sentence("Save it as JPEG first. {formats}", formats=_formats()),
        title=Sentence("This kind cannot be read"),
    )


def not_a_picture(called: str, start: bytes) -> PhotoError:
    """The error for a file that nothing here reads, by its first bytes."""
    if is_heif(start) and reads_heif():
        return PhotoError(
            Sentence("{called} is a HEIC photo that is damaged or incomplete.", called=called),
            Sentence("Save it as JPEG first."),
        )
    if is_heif(start):
        return PhotoError(
            Sentence("{called} is a HEIC photo, and pillow-heif, which reads them, is not installed.", called=called),
            Sentence("Install it with “pip install pillow-heif”, or save the photo as JPEG first."),
        )
    known = kind(start)
    if known:
        return unreadable(called, known)
    if start.startswith(b"%PDF"):
        return PhotoError(
            Sentence("{called} is a PDF document.", called=called),
            Sentence("Save the picture in it as a file of its own. {formats}", formats=_formats()),
        )
    if start.lstrip().startswith((b"<svg", b"<?xml")):
        return PhotoError(Sentence("{called} is a drawing or a document, not a photo.", called=called), _formats())
    return PhotoError(Sentence("{called} holds no image.", called=called), _formats())


def damaged(called: str) -> PhotoError:
    return PhotoError(
        Sentence("{called} is damaged or incomplete.", called=called),
        Sentence("Copy it again from where it came from."),
        title=Sentence("The photo is damaged"),
    )


def too_large(called: str, size: tuple[int, int] | None = None) -> PhotoError:
    what = Sentence("{called} has far more pixels", called=called)
    if size:
        what = Sentence("{called} has {count:.0f} megapixels", called=called, count=size[0] * size[1] / 1e6)
    return PhotoError(
        Sentence("{what}; {most} are the limit.", what=what, most=MAX_PIXELS // 10**6),
        Sentence("Make it smaller first."),
        title=Sentence("The photo is too large"),
    )


def too_many_bytes(called: str, count: int) -> PhotoError:
    return PhotoError(
        Sentence(
            "{called} has {count:.1f} GB; {most} GB is the limit.",
            called=called,
            count=count / 2**30,
            most=MAX_FILE_BYTES // 2**30,
        ),
        Sentence("Make it smaller first."),
        title=Sentence("The photo is too large"),
    )
