"""Show a file in the system's file manager."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

log = logging.getLogger(__name__)


def reveal(file: Path) -> None:
    """Open the folder with the file selected where the system can, else the folder alone."""
    try:
        if sys.platform == "win32":
            subprocess.Popen(["explorer", "/select,", str(file)])
            return
        if sys.platform == "darwin":
            subprocess.Popen(["open", "-R", str(file)])
            return
    except OSError:
        log.warning("the file manager could not be started", exc_info=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(file.parent)))
