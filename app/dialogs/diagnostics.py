"""The text that *Copy diagnostics* puts on the clipboard."""

from __future__ import annotations

import locale
import os
import platform
from pathlib import Path

from PySide6.QtCore import qVersion
from PySide6.QtGui import QGuiApplication

from app.session.state import EngineStatus
from app.store.settings import Settings
from app.system.logs import LOG_FILE
from engine import __version__
from engine.bundle import find_reports, models_folder


def diagnostics(folder: Path, settings: Settings, engine: EngineStatus, lines: int = 60) -> str:
    """The facts a report needs: versions, system, device, settings that matter, the end of the log. Never a prompt or a photo;
    the home folder is written as ~."""
    from importlib import metadata  # not needed to open the window

    parts = [f"EchoGen {__version__}", f"Python {platform.python_version()}, Qt {qVersion()}", platform.platform()]
    for package in ("PySide6-Essentials", "torch", "transformers", "diffusers", "numpy", "opencv-python-headless"):
        try:
            parts.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            parts.append(f"{package} is missing")
    parts.append(f"{os.cpu_count()} processors, language {locale.getlocale()[0]}")
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        for screen in application.screens():
            size = screen.size()
            parts.append(f"screen {size.width()} × {size.height()} at {screen.devicePixelRatio():g}")
        parts.append(f"platform {application.platformName()}")
    info = engine.info
    parts.append(f"engine: {engine.phase}" + (f", {info.bundle} on {info.device}; {info.plan}" if info else ""))
    for report in find_reports(models_folder()):
        parts += report.lines
    parts.append(f"settings: device {settings.device}, memory {settings.memory}, theme {settings.theme}")
    try:
        text = (folder / LOG_FILE).read_text(encoding="utf-8", errors="replace")
        parts += ["", "End of the log:", *text.splitlines()[-lines:]]
    except OSError:
        parts.append("There is no log.")
    return "\n".join(parts).replace(str(Path.home()), "~")
