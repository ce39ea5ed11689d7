"""The program's own small JSON files: written whole, read whatever is in them, and what is damaged is kept aside."""

from __future__ import annotations

import json
import logging
import math
import shutil
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


class NotUsable(ValueError):
    """The file is there, and holds no JSON object that can be read."""


def read_object(path: Path, most: int) -> dict[str, Any]:
    """The object in a file of at most ``most`` bytes; an empty one when there is no file.

    Raises:
        NotUsable: damaged, too large, not an object, or it cannot be read.
    """
    try:
        if path.stat().st_size > most:
            raise NotUsable("too large")
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise NotUsable(str(error)) from error
    if not isinstance(data, dict):
        raise NotUsable("no object")
    return data


def put_aside(path: Path) -> None:
    """Keep a copy of what could not be read as "….bad": the next save replaces the file, and somebody may want it."""
    try:
        shutil.copyfile(path, path.with_name(path.name + ".bad"))
    except OSError:
        log.warning("%s cannot be kept aside", path.name, exc_info=True)


def dumps(data: dict[str, Any]) -> bytes:
    """UTF-8 that people can read. A name in another encoding is no Unicode: it is written with escapes, and comes back."""
    try:
        return json.dumps(data, ensure_ascii=False, indent=1).encode()
    except UnicodeEncodeError:
        return json.dumps(data, indent=1).encode()


def is_number(value: Any) -> bool:
    """Whether a value of JSON is a finite number; Python reads "NaN" and 1e999, too."""
    return type(value) in (int, float) and math.isfinite(value)
