"""The real window on folders of its own, and detectors for what a test leaves behind."""

from __future__ import annotations

import gc
import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PySide6.QtWidgets import QApplication

from app.application import Program
from app.look.theme import notifier
from app.shortcuts import keymap
from app.store.paths import AppPaths
from app.system import background
from engine.bundle.library import shipped_folder
from engine.bundle.manifest import MANIFEST
from tests.e2e.paper import write_paper_bundle

FAKE = "tests.engine.fake_engine:FakeEngine"


@pytest.fixture(scope="session")
def qapp_cls():
    return QApplication


@pytest.fixture(scope="session")
def dressed(qapp: QApplication) -> QApplication:
    """The application with the program's look, once."""
    from app.look import stylesheet

    qapp.setQuitOnLastWindowClosed(False)
    stylesheet.install(qapp)
    return qapp


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bundle of paper in the user's models folder."""
    models = tmp_path / "models"
    monkeypatch.setenv("ECHOGEN_MODELS", str(models))
    write_paper_bundle(models / "paper")
    return models / "paper"


@pytest.fixture
def real_bundle(request: pytest.FixtureRequest) -> Path:
    """The model that ships; a checkout without it uses the small random one."""
    mini = shipped_folder() / "mini"
    # Only then: making it loads the model libraries into this process.
    return mini if (mini / MANIFEST).is_file() else request.getfixturevalue("tiny_bundle")


@pytest.fixture
def open_program(qtbot, dressed, bundle, private_folders) -> Iterator[Callable[..., Program]]:
    """Opens the program as a start does; closes what a test leaves open."""
    programs: list[Program] = []

    def open_one(*files: Path, engine: str = FAKE, whole: bool = True, **settings) -> Program:
        program = Program(AppPaths.standard(), engine)
        programs.append(program)
        program.state.update_settings(**{"bundle": str(bundle), "motion": "reduced", **settings})
        program.start(files)
        qtbot.waitUntil(program.window.isVisible)
        if whole:
            program.complete()
        return program

    yield open_one
    for program in programs:
        if not program.closed:
            with qtbot.waitSignal(program.ended, timeout=10_000):
                program.window.close()
        program.deleteLater()
    programs.clear()
    notifier.set_motion("system")
    keymap.reset()


@pytest.fixture
def program(open_program, qtbot) -> Program:
    """The window with its engine open and the example's cut-out ready."""
    program = open_program()
    wait_ready(qtbot, program)
    return program


def wait_ready(qtbot, program: Program) -> None:
    """Until the engine is open and the current subject has a cut-out."""
    qtbot.waitUntil(lambda: program.state.engine.phase == "ready", timeout=20_000)
    qtbot.waitUntil(
        lambda: program.state.subject is not None and program.state.subject.cut_out is not None, timeout=20_000
    )


def wait_idle(qtbot, program: Program) -> None:
    """Until nothing is drawn, nothing waits and everything is on disk."""
    qtbot.waitUntil(
        lambda: not program.state.jobs.busy and not program.queue.waiting and not program.controller.saving,
        timeout=20_000,
    )


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Threads, child processes, timers and windows of a test are gone when it ends.

    The pool of the background work is ended here as it is at the end of the program.
    """
    threads = set(threading.enumerate())
    yield
    background.shutdown()
    deadline = time.monotonic() + 5
    while True:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()
        gc.collect()
        left = describe_leaks(threads)
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    assert not left, "; ".join(left)


def describe_leaks(threads: set[threading.Thread]) -> list[str]:
    """What is still there, in words."""
    left = [f"thread {thread.name}" for thread in threading.enumerate() if thread not in threads and _lives(thread)]
    left += [f"process {process.name}" for process in multiprocessing.active_children()]
    if QApplication.instance() is not None:
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible() or type(widget).__name__ == "MainWindow":
                left.append(f"window {type(widget).__name__}")
        left += [
            f"timer of {type(timer.parent()).__name__}"
            for timer in QCoreApplication.instance().findChildren(QTimer)
            if timer.isActive()
        ]
        left += [f"Qt thread {thread.objectName()}" for thread in _threads() if thread.isRunning()]
    return left


def _lives(thread: threading.Thread) -> bool:
    """Of a thread of Qt that once ran Python, Python keeps a stand-in that never ends: the system knows better."""
    tasks = Path("/proc/self/task")
    if isinstance(thread, threading._DummyThread) and tasks.is_dir():
        return (tasks / str(thread.native_id)).exists()
    return thread.is_alive()


def _threads() -> list[QThread]:
    here = QThread.currentThread()
    return [found for found in gc.get_objects() if isinstance(found, QThread) and found is not here and _valid(found)]


def _valid(found: QThread) -> bool:
    from shiboken6 import isValid

    return isValid(found)
