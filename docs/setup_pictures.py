"""Takes the pictures of the set-up window, on the screen it is run on: ``python -m docs.setup_pictures``.

The window is the real one; only the work behind it is left out, so that nothing is fetched.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PySide6.QtCore import QEventLoop, QTimer
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from app.look import stylesheet
from app.look.theme import notifier
from docs.camera import folders_of_its_own
from docs.screenshots import IMAGES
from installer.launcher.errors import SetupFailed
from installer.launcher.setup import Progress
from installer.launcher.window import ROOT, SetupWindow, load_fonts

GAP = 12
GAP_COLOURS = {"dark": "#0c0d0e", "light": "#d9dbdf"}
QUALITY = 90


def settle(seconds: float = 0.4) -> None:
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


def take(theme: str) -> QImage:
    """While it fetches, and without a network, one below the other."""
    notifier.set_choice(theme)
    window = SetupWindow(ROOT)
    window.worker.start = lambda: None  # type: ignore[method-assign]
    window.start()
    window.worker.progressed.emit(Progress("program", "fetch", 186_000_000, 325_000_000, 74.0))
    settle()
    shots = [window.grab().toImage()]
    why = (
        "The server packages.example.org cannot be reached. Check the network and try again. What has arrived is kept."
    )
    window.worker.failed.emit(SetupFailed(why, kind="network"))
    window.network.click()
    settle()
    shots.append(window.grab().toImage())
    window.close()
    whole = QImage(shots[0].width(), sum(shot.height() for shot in shots) + GAP, QImage.Format.Format_RGB32)
    whole.fill(QColor(GAP_COLOURS[theme]))
    painter = QPainter(whole)
    painter.drawImage(0, 0, shots[0])
    painter.drawImage(0, shots[0].height() + GAP, shots[1])
    painter.end()
    return whole


def main() -> int:
    with folders_of_its_own():
        application = QApplication([sys.argv[0]])
        load_fonts()
        stylesheet.install(application)
        for theme in GAP_COLOURS:
            file: Path = IMAGES / f"setup-{theme}.webp"
            take(theme).save(str(file), "WEBP", QUALITY)
    return 0


if __name__ == "__main__":
    sys.exit(main())
