"""Waits until nothing is left to be done, so that what has not come by then never comes."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

from app.mask.worker import MaskService
from app.system import background


def settle(qtbot, *services: MaskService) -> None:
    """Let the mask threads, the pool and the event loop finish all that they were asked for."""
    for service in services:
        qtbot.waitUntil(lambda service=service: service._running is None and service._waiting is None)
    qtbot.waitUntil(lambda: not background._running)
    turn_over(qtbot)


def turn_over(qtbot, turns: int = 3) -> None:
    """Let the event loop go round: a timer of 0 ms comes after everything that was there before it."""
    for _ in range(turns):
        over: list[bool] = []
        QTimer.singleShot(0, QApplication.instance(), lambda over=over: over.append(True))
        qtbot.waitUntil(lambda over=over: bool(over))


def drain(qtbot, worker: QObject) -> None:
    """Let the thread of a worker do all that it was asked for, and the window hear of it."""
    over: list[bool] = []
    QTimer.singleShot(0, worker, lambda: over.append(True))  # in the worker's thread, behind what waits there
    qtbot.waitUntil(lambda: bool(over))
    turn_over(qtbot)
