"""The program's own small JSON files: what people can read is written, and what is damaged is kept aside."""

from __future__ import annotations

import json
import logging
import shutil
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

log = logging.getLogger(__name__)


def put_aside(path: Path) -> None:
    """Keep a copy of what could not be read as "….bad": the next save replaces the file, and somebody may want it."""
    try:
        shutil.copyfile(path, path.with_name(path.name + ".bad"))
    except OSError:
        log.warning("%s cannot be kept aside", path.name, exc_info=True)


def dumps(data: dict[str, Any]) -> bytes:
    """UTF-8 that people can read, structs as objects. A name in another encoding is no Unicode: it is written with escapes, and
    comes back."""
    written = partial(json.dumps, data, indent=1, default=structs.asdict)
    try:
        return written(ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return written().encode()
