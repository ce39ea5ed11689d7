"""Work that would hold up the window (reading, writing, unpacking) in two threads of their own; what may take minutes has
one more, so that nothing that is read or written ever waits for it.

``run`` hands the result back in the window's thread, to a method of a living ``QObject``; a receiver that is gone by then
gets nothing. Order is not promised.
"""

from __future__ import annotations

import logging
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.system.deferred import TURN_MS

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor
    from queue import SimpleQueue

log = logging.getLogger(__name__)

_THREADS = {False: 2, True: 1}
_SWITCH_SECONDS = 0.001
"""How long a thread may run Python while the window's thread waits for its turn; Python's own 5 ms are a third of a frame."""
_executors: dict[bool, ThreadPoolExecutor] = {}
"""The threads by whether their work is patient."""

_running: set[_Task] = set()


@dataclass(eq=False)
class _Task:
    """One piece of work on its way.

    Attributes:
        done, failed: the receivers, held weakly: work that is under way keeps no window alive.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    done: weakref.WeakMethod | None
    failed: weakref.WeakMethod | None
    patient: bool = False


class _Courier(QObject):
    """Carries results into the window's thread.

    There is one, and it lives as long as the process: a ``QObject`` per piece of work would be deleted by the window's
    thread while the other thread is still inside its ``emit``. Threads put results into a queue and emit a bare signal.
    """

    _arrived = Signal()

    def __init__(self) -> None:
        from queue import SimpleQueue

        super().__init__()
        self._results: SimpleQueue[tuple[_Task, weakref.WeakMethod | None, Any]] = SimpleQueue()
        # One result in a turn of the event loop: between two of them the window paints and answers.
        self._turn = QTimer(self)
        self._turn.setInterval(TURN_MS)
        self._turn.timeout.connect(self._deliver)
        self._arrived.connect(self._wake, Qt.ConnectionType.QueuedConnection)

    def work(self, task: _Task) -> None:
        """Run a task; called in a thread of the pool."""
        receiver = task.done
        try:
            value = task.function(*task.arguments)
        except Exception as error:
            if task.failed is None:
                log.exception("work in the background failed")
            receiver, value = task.failed, error
        self._results.put((task, receiver, value))
        try:
            self._arrived.emit()
        except RuntimeError:  # the application ended meanwhile
            log.debug("nobody is left for a result", exc_info=True)

    @Slot()
    def _wake(self) -> None:
        if not self._results.empty() and not self._turn.isActive():
            self._turn.start()

    @Slot()
    def _deliver(self) -> None:
        task, receiver, value = self._results.get_nowait()  # the timer runs only while there are some
        if self._results.empty():
            self._turn.stop()
        if task not in _running:  # dropped by shutdown()
            return
        _running.discard(task)
        method = receiver() if receiver is not None else None
        if method is not None and shiboken6.isValid(method.__self__):
            method(value)


_courier: _Courier | None = None


def run(
    function: Callable[..., Any],
    *arguments: Any,
    done: Callable[[Any], object] | None = None,
    failed: Callable[[Any], object] | None = None,
    patient: bool = False,
) -> None:
    """Call a function in a thread of the pool. To be called from the window's thread.

    Args:
        done, failed: methods of QObjects of the window's thread; get the result, or the exception.
        patient: it may take minutes.
    """
    from concurrent.futures import ThreadPoolExecutor

    global _courier
    if patient not in _executors:
        _executors[patient] = ThreadPoolExecutor(_THREADS[patient], "patient" if patient else "background")
    if _courier is None:
        _courier = _Courier()
        sys.setswitchinterval(_SWITCH_SECONDS)
    task = _Task(function, arguments, _weak(done), _weak(failed), patient)
    _running.add(task)
    _executors[patient].submit(_courier.work, task)


def busy() -> bool:
    """Return True while short work runs or waits. To be called from the window's thread."""
    return any(not task.patient for task in _running)


def _weak(receiver: Callable[[Any], object] | None) -> weakref.WeakMethod | None:
    return weakref.WeakMethod(receiver) if receiver is not None else None


def shutdown(wait: bool = True) -> None:
    """End the threads; work that has not begun is dropped, what is being written is finished. No result arrives any more."""
    while _executors:
        _executors.popitem()[1].shutdown(wait=wait, cancel_futures=True)
    _running.clear()
