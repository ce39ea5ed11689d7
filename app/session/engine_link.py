"""The thread that owns the engine's child process, and the link the window holds to it.

``EngineWorker`` lives in a ``QThread``: it starts the child, sends commands, waits for messages. ``EngineLink`` lives in the
window's thread. Between the two go queued signals that carry frozen dataclasses. Previews are latest-wins: the worker never
announces a second preview before the window took the first. It takes all that wait at once, shows the latest, and fills the
tiles of the others.
"""

from __future__ import annotations

import logging
import sys
import threading
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QObject, QSocketNotifier, Qt, QThread, QTimer, Signal, Slot

from app.system.failures import in_words
from engine import CutOut, EchoGenError, Finished, GenerationRequest, ScaleBits, ScalePreview, Sentence, Started
from engine.process import (
    ENGINE,
    Command,
    Ended,
    EngineProcess,
    Failed,
    Generate,
    ImportLibraries,
    JobEvent,
    Loading,
    Message,
    Open,
    Opened,
    PaintScales,
    Prepare,
    Prepared,
    Replanned,
    ScalesPainted,
)

log = logging.getLogger(__name__)

CLOSE_SECONDS = 3.0
_POLL_MS = 15


@dataclass(frozen=True, eq=False)
class Previews:
    """The picture after each scale of a job, RGB uint8 (H, W, 3); None for a scale that sent none."""

    job: int
    images: tuple[np.ndarray | None, ...] = ()


class _WaitingPreviews:
    """The previews of one picture that the window has not taken yet, shared by two threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._job = 0
        self._previews: list[ScalePreview] = []

    def put(self, job: int, preview: ScalePreview) -> bool:
        """Leave a preview; True when none waited, so that it has to be announced."""
        with self._lock:
            announce = not self._previews
            if job != self._job:
                self._job, self._previews = job, []
            self._previews.append(preview)
            return announce

    def take(self) -> tuple[int, list[ScalePreview]]:
        """The picture's job and its previews in the order they came; an empty list when none waits."""
        with self._lock:
            previews, self._previews = self._previews, []
            return self._job, previews


class EngineWorker(QObject):
    """Owns the child. Lives in the engine thread; everything arrives through its slots."""

    message = Signal(object)
    previewWaiting = Signal()

    def __init__(self, engine: str = ENGINE, threads: int | None = None) -> None:
        super().__init__()
        self.process = EngineProcess(engine, threads)
        self.waiting = _WaitingPreviews()
        self._notifier: QSocketNotifier | None = None
        self._poll: QTimer | None = None
        self._images: list[np.ndarray | None] = []
        self._running = False

    @Slot(object)
    def send(self, command: Command) -> None:
        """Pass a command on; the child is started when it is not there."""
        try:
            if not self._running:
                self.process.start()
                self._running = True
                self._listen()
            self.process.send(command)
        except (EchoGenError, OSError) as error:
            log.warning("a command could not be sent", exc_info=True)
            if isinstance(command, ImportLibraries | PaintScales):
                return  # a courtesy: that the engine is gone is said by others
            job = command.job if isinstance(command, Generate) else None
            fact = Sentence("The engine could not be started: {error}", error=error)
            self.message.emit(Failed(job, in_words(error, fact, Sentence("Restart the program."))))

    def _listen(self) -> None:
        if sys.platform == "win32":
            self._poll = QTimer(self)
            self._poll.setInterval(_POLL_MS)
            self._poll.timeout.connect(self._receive)
            self._poll.start()
        else:
            self._notifier = QSocketNotifier(self.process.fileno(), QSocketNotifier.Type.Read, self)
            self._notifier.activated.connect(self._receive)

    def _stop_listening(self) -> None:
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        if self._poll is not None:
            self._poll.stop()
            self._poll.deleteLater()
            self._poll = None

    @Slot()
    def _receive(self) -> None:
        while self._running:
            message = self.process.receive(0)
            if message is None:
                return
            if isinstance(message, Ended):
                # The descriptor is closed by now: nothing may wait on it any longer.
                self._stop_listening()
                self._running = False
                self.process.close(0)
                self.process = EngineProcess(self.process.engine, self.process.threads)
            self._pass_on(message)

    def _pass_on(self, message: Message) -> None:
        if isinstance(message, JobEvent):
            match message.event:
                case Started():
                    self._images = [None] * len(message.event.grids)
                case ScalePreview() as preview:
                    if preview.scale < len(self._images):
                        self._images[preview.scale] = preview.image
                    if self.waiting.put(message.job, preview):
                        self.previewWaiting.emit()
                    return
                case Finished():
                    self.message.emit(Previews(message.job, tuple(self._images)))
                    self._images = []
        elif isinstance(message, Failed) and message.job is not None:
            self.message.emit(Previews(message.job, tuple(self._images)))
            self._images = []
        self.message.emit(message)

    @Slot()
    def close(self) -> None:
        """End the child within a bounded time, then the thread."""
        self._stop_listening()
        if self._running:
            self._running = False
            self.process.close(CLOSE_SECONDS)
        self.thread().quit()


class EngineLink(QObject):
    """The window's end of the link: commands as methods, messages as signals. Used from the window's thread only.

    Args:
        engine: "module:attribute" of the engine's class; tests give their own.
        threads: threads the child computes with; None leaves that to it.
    """

    loading = Signal(Loading)
    opened = Signal(Opened)
    replanned = Signal(Replanned)
    prepared = Signal(Prepared)
    started = Signal(int, Started)
    preview = Signal(int, ScalePreview)
    previewSkipped = Signal(int, ScalePreview)
    finished = Signal(int, Finished, Previews)
    scalesPainted = Signal(ScalesPainted)
    failed = Signal(Failed, Previews)
    ended = Signal(Ended)

    _command = Signal(object)
    _close = Signal()

    def __init__(self, engine: str = ENGINE, threads: int | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._job = self._painting = self._opening = 0
        self._previews = Previews(0)
        self._thread = QThread(self)
        self._thread.setObjectName("engine")
        self._worker = EngineWorker(engine, threads)
        self._worker.moveToThread(self._thread)
        queued = Qt.ConnectionType.QueuedConnection
        self._command.connect(self._worker.send, queued)
        self._close.connect(self._worker.close, queued)
        self._worker.message.connect(self._take, queued)
        self._worker.previewWaiting.connect(self._take_preview, queued)
        self._thread.start()

    def import_libraries(self) -> None:
        """Start the child and have it import the model libraries, before it is known which bundle is to be opened."""
        self._command.emit(ImportLibraries())

    def open(self, bundle: str, device: str = "auto", memory: str = "auto") -> None:
        """Open a bundle by name or folder; ``loading`` and then ``opened`` or ``failed`` follow. One that was still to be opened
        is given up, and is not told any more."""
        self._opening += 1
        self._command.emit(Open(bundle, device, memory, self._opening))

    def prepare(
        self, prompt: str, negative_prompt: str = "", subject: CutOut | None = None, views: tuple[CutOut, ...] = ()
    ) -> Prepare:
        """Encode ahead; ``prepared`` follows with the command that is returned here, unless something else came."""
        command = Prepare(prompt, negative_prompt, subject, views)
        self._command.emit(command)
        return command

    def generate(self, request: GenerationRequest, until_scale: int | None = None, contest: int | None = None) -> int:
        """Draw a picture; returns the number of the job. ``contest``: as in ``Generate``."""
        self._job += 1
        self._command.emit(Generate(self._job, request, until_scale, contest))
        return self._job

    def paint_scales(self, bits: ScaleBits, request: GenerationRequest) -> int:
        """Have the picture after each scale painted from its bits; returns the number of the answer, ``scalesPainted``.

        It comes when nothing is drawn. A new wish replaces the one before, which is not answered any more.
        """
        self._painting += 1
        self._command.emit(PaintScales(self._painting, bits, request))
        return self._painting

    def cancel(self, job: int) -> None:
        """Stop a job between two blocks; ``failed`` with ``Cancelled`` follows."""
        self._worker.process.cancel(job)

    @Slot()
    def _take_preview(self) -> None:
        job, previews = self._worker.waiting.take()
        for skipped in previews[:-1]:
            self.previewSkipped.emit(job, skipped)
        if previews:
            self.preview.emit(job, previews[-1])

    @Slot(object)
    def _take(self, message: Message | Previews) -> None:
        match message:
            case Previews():
                self._previews = message
            case Loading():
                self.loading.emit(message)
            case Opened():
                if message.number == self._opening:
                    self.opened.emit(message)
            case Replanned():
                self.replanned.emit(message)
            case Prepared():
                self.prepared.emit(message)
            case JobEvent(event=Started()):
                self.started.emit(message.job, message.event)
            case JobEvent(event=Finished()):
                # The last preview may still wait behind this message: the finished picture makes it obsolete.
                self._worker.waiting.take()
                self.finished.emit(message.job, message.event, self._of_job(message.job))
            case ScalesPainted():
                if message.number == self._painting:
                    self.scalesPainted.emit(message)
            case Failed():
                self._worker.waiting.take()
                self.failed.emit(message, self._of_job(message.job))
            case Ended():
                self.ended.emit(message)

    def _of_job(self, job: int | None) -> Previews:
        previews, self._previews = self._previews, Previews(0)
        return previews if previews.job == job else Previews(job or 0)

    def shutdown(self, timeout: float = CLOSE_SECONDS + 2.0) -> bool:
        """End child and thread; waits at most ``timeout`` seconds. Returns whether both are gone. May be called twice."""
        if not self._thread.isRunning():
            return True
        self._worker.process.cancel(2**62)
        self._close.emit()
        if not self._thread.wait(round(timeout * 1000)):
            log.error("the engine thread did not end in time")
            return False
        self._worker.message.disconnect(self._take)
        self._worker.previewWaiting.disconnect(self._take_preview)
        return True
