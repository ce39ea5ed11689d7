"""Looks before the work at the place where a command writes its result."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from engine.errors import CannotWrite, InputError
from engine.files import is_file, is_folder, not_written
from engine.sentence import Sentence


def check_target(target: Path) -> None:
    """Say before the work whose result goes there that a file cannot be written, as far as that can be told.

    Raises:
        CannotWrite: no folder, one that may not be written, or a name that a folder has or no file of this disk can have.
    """
    if is_file(target.parent):
        raise CannotWrite(Sentence("{parent} is no folder.", parent=target.parent), Sentence("Name another one."))
    if not is_folder(target.parent):
        raise CannotWrite(
            Sentence("The folder {parent} does not exist.", parent=target.parent),
            Sentence("Make it first, or name another one."),
        )
    if not os.access(target.parent, os.W_OK):
        raise CannotWrite(
            Sentence("The folder {parent} may not be written.", parent=target.parent), Sentence("Name another one.")
        )
    if is_folder(target):
        raise CannotWrite(Sentence("{target} is a folder.", target=target), Sentence("Choose another name."))
    try:
        target.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise not_written(target, error, Sentence("Choose another name.")) from error


def check_apart(targets: Iterable[Path | None], sources: Iterable[Path | None]) -> None:
    """Say before the work that it would destroy what it is made from, or one result another.

    Args:
        targets: files and folders that are written, None for one that was not asked for.
        sources: files and folders that are read. One in a folder that is written is replaced with it.

    Raises:
        InputError: a target takes the place of a source, or of another target.
    """
    read = {source.resolve() for source in sources if source is not None}
    read |= {folder for source in read for folder in source.parents}
    written: set[Path] = set()
    for target in targets:
        if target is None:
            continue
        place = target.resolve()
        if place in read:
            fact = Sentence("{target} is read for this, and would be written over.", target=target)
        elif place in written:
            fact = Sentence("{target} would be written twice.", target=target)
        else:
            written.add(place)
            continue
        raise InputError(fact, Sentence("Give what is written a name of its own."))
