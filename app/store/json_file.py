"""The program's own small JSON files: what people can read is written, and what is damaged is kept aside."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


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
