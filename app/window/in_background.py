"""Shows a drawing while the window is out of sight: progress in the taskbar and the title, a message when it is done or failed;
and the computer stays awake meanwhile."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from app.canvas.panel import CanvasPanel
from app.language import sentences
from app.session.queue import PictureQueue
from app.session.state import SessionState
from app.system.awake import Inhibitor
from app.system.notices import SystemNotices
from engine import EchoGenError, Finished

AWAKE_AFTER_MS = 10_000
"""A drawing that is done sooner needs no help to stay awake."""
TITLE = "EchoGen"
_PROMPTS = 3
"""A message names no more of them: systems show a few lines."""


class InBackground(QObject):
    """See the module.

    Args:
        window: whose title tells the progress, and that asks for attention.
        inhibitor: keeps the computer awake; None where there is no way.
        notices: shows messages of the system.
    """

    def __init__(
        self,
        window: QWidget,
        state: SessionState,
        queue: PictureQueue,
        canvas: CanvasPanel,
        inhibitor: Inhibitor | None,
        notices: SystemNotices,
    ) -> None:
        super().__init__(window)
        self._window, self._state, self._bar = window, state, canvas.strip.bar
        self._inhibitor, self._notices = inhibitor, notices
        self._done: list[str] = []
        self._held = False
        self._awake = QTimer(self, singleShot=True)
        self._awake.setInterval(AWAKE_AFTER_MS)
        self._awake.timeout.connect(self._hold)
        canvas.strip.bar.valueChanged.connect(self._show_progress)
        queue.finished.connect(self._finished)
        queue.failed.connect(self._failed)
        queue.idle.connect(self._idle)
        state.jobChanged.connect(self._follow)
        notices.clicked.connect(self._come_back)

    def is_in_front(self) -> bool:
        """Return True if one of the program's windows is in front."""
        return QApplication.activeWindow() is not None and not self._window.isMinimized()

    # Progress

    @Slot()
    def _follow(self) -> None:
        jobs = self._state.jobs
        if jobs.busy and not self._held and not self._awake.isActive():
            self._awake.start()
        elif not jobs.busy:
            self._release()
        _badge(jobs.waiting + 1 if jobs.busy and jobs.waiting else 0)
        self._show_progress()

    @Slot()
    def _show_progress(self) -> None:
        """Of everything that one press of Generate asked for, in step with the bar under the picture: a taskbar shows the
        title of a window."""
        jobs = self._state.jobs
        if not jobs.busy or jobs.ideas:
            self._window.setWindowTitle(TITLE)
            return
        share = self._bar.value() / max(1, self._bar.maximum())
        whole = (max(0, jobs.index - 1) + share) / max(1, jobs.count)
        self._window.setWindowTitle(f"{int(100 * whole)}\u00a0% – {TITLE}")

    # Messages

    @Slot(object, object)
    def _finished(self, event: Finished, images: object) -> None:
        self._done.append(event.request.prompt)

    @Slot()
    def _idle(self) -> None:
        done, self._done = self._done, []
        if not done:
            return
        title = self.tr("The picture is done") if len(done) == 1 else self.tr("{0} pictures are done").format(len(done))
        prompts = list(dict.fromkeys(done))
        self._tell(title, "\n".join(prompts[:_PROMPTS]) + ("\n…" if len(prompts) > _PROMPTS else ""))

    @Slot(object, str)
    def _failed(self, error: EchoGenError, details: str) -> None:
        self._done = []
        self._tell(sentences.title(error), sentences.translated(error.fact))

    def _tell(self, title: str, text: str) -> None:
        if self._state.settings.notices and not self.is_in_front():
            QApplication.alert(self._window)
            self._notices.show(title, text)

    @Slot()
    def _come_back(self) -> None:
        self._window.setWindowState(self._window.windowState() & ~Qt.WindowState.WindowMinimized)
        self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    # Awake

    @Slot()
    def _hold(self) -> None:
        if self._inhibitor is not None and not self._held:
            self._held = True
            self._inhibitor.hold()

    def _release(self) -> None:
        self._awake.stop()
        if self._inhibitor is not None and self._held:
            self._held = False
            self._inhibitor.release()

    def close(self) -> None:
        """The window is closed: the computer may sleep, and no message is shown any more."""
        self._release()
        self._state.jobChanged.disconnect(self._follow)
        self._notices.put_away()
        _badge(0)


def _badge(number: int) -> None:
    """A number on the program's icon in the dock or taskbar; 0 for none."""
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        application.setBadgeNumber(number)
