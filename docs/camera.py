"""Opens the real program without a screen and takes pictures of its window, with the dialogs and menus that lie over it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import QEventLoop, QPoint, QRect, QSize, QTimer
from PySide6.QtGui import QImage, QPainter, QPixmap
from PySide6.QtWidgets import QApplication, QWidget

from app.application import Program
from app.store.paths import AppPaths
from engine.process.client import ENGINE

WAIT_SECONDS = 120.0


@contextmanager
def folders_of_its_own() -> Iterator[Path]:
    """A home that is deleted afterwards: nothing is read from or written to the user's."""
    with tempfile.TemporaryDirectory(prefix="echogen-pictures-") as home:
        names = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_PICTURES_DIR")
        for name in names:
            os.environ[name] = home
        os.environ["ECHOGEN_MODELS"] = str(Path(home) / "models")
        yield Path(home)


class Camera:
    """The program on the folders of this environment, open, and a way to look at it.

    Args:
        size: of the window in device-independent pixels.
        bundle: name or folder of the model that draws.
        engine: "module:attribute" of the engine's class.
        settings: further settings of the program.
    """

    def __init__(self, size: QSize, bundle: str, engine: str = ENGINE, **settings) -> None:
        self.program = Program(AppPaths.standard(), engine)
        self.program.state.update_settings(bundle=bundle, motion="reduced", **{"language": "en", **settings})
        self.state, self.window = self.program.state, self.program.window
        self.window.resize(size)
        self.program.start()
        self.program.complete()

    def wait(self, done: Callable[[], object], what: str) -> None:
        """Let the program run until something is so. Raises ``TimeoutError`` with ``what`` never came."""
        if done():
            return
        loop = QEventLoop()
        look = QTimer(interval=10)
        look.timeout.connect(lambda: done() and loop.exit(0))
        end = QTimer(interval=round(WAIT_SECONDS * 1000), singleShot=True)
        end.timeout.connect(lambda: loop.exit(1))
        look.start()
        end.start()
        failed = loop.exec()
        look.stop()
        end.stop()
        if failed:
            raise TimeoutError(f"This never came: {what}. The banner says: {self.window.banner.as_text()!r}")

    def settle(self, seconds: float = 0.3) -> None:
        """Let what is under way arrive on the window."""
        loop = QEventLoop()
        QTimer.singleShot(round(seconds * 1000), loop.quit)
        loop.exec()

    def ready(self) -> bool:
        """Whether the current subject has a cut-out."""
        return self.state.subject is not None and self.state.subject.cut_out is not None

    def idle(self) -> None:
        """Until nothing is drawn and everything is on disk."""
        self.wait(lambda: not self.state.jobs.busy and not self.program.controller.saving, "the finished picture")
        self.settle(0.1)

    def picture(self, part: QWidget | None = None) -> QImage:
        """The window with the menus and dialogs that lie over it, in the pixels of its screen. ``part``: a widget to cut out."""
        ratio = self.window.devicePixelRatioF()
        shot = QPixmap(self.window.size() * ratio)
        shot.setDevicePixelRatio(ratio)
        painter = QPainter(shot)
        painter.drawPixmap(0, 0, self.window.grab())
        for widget in QApplication.topLevelWidgets():
            if widget is not self.window and widget.isVisible():
                painter.drawPixmap(self.window.mapFromGlobal(widget.mapToGlobal(QPoint(0, 0))), widget.grab())
        painter.end()
        if part is not None:
            place = part.rect().translated(part.mapTo(self.window, QPoint(0, 0)))
            shot = shot.copy(QRect(place.topLeft() * ratio, place.size() * ratio))
        return shot.toImage()

    def end(self) -> None:
        """Close the window and wait until the program has ended."""
        if self.program.closed:
            return
        loop = QEventLoop()
        self.program.ended.connect(loop.quit)
        QTimer.singleShot(0, self.window.close)
        loop.exec()
