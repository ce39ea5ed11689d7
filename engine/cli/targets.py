"""Looks before the work at the place where a command writes its result."""

from __future__ import annotations

import os
from pathlib import Path

from engine.errors import CannotWrite
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
