"""Settings every test runs under: no screen, no user folders, few threads."""

from __future__ import annotations

import gc
import os
import sys

# Before Qt, OpenMP or torch are imported by any test module.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def private_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a home of its own: nothing is read from or written to the user's."""
    home = tmp_path_factory.mktemp("home")
    for name, folder in {
        "HOME": home,
        "USERPROFILE": home,
        "APPDATA": home / "AppData" / "Roaming",
        "LOCALAPPDATA": home / "AppData" / "Local",
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_STATE_HOME": home / ".local" / "state",
        "XDG_PICTURES_DIR": home / "Pictures",
        "HF_HOME": home / ".cache" / "huggingface",
    }.items():
        monkeypatch.setenv(name, str(folder))
    return home


@pytest.fixture(autouse=True, scope="session")
def garbage_in_this_thread() -> Iterator[None]:
    """As in the program (``app/system/garbage.py``): a thread must never destroy what belongs to Qt.

    What the imports of all tests have made, half a million objects, is no test's garbage: looking through it after each
    test took longer than many tests.
    """
    gc.disable()
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture(autouse=True)
def no_button_stays_down() -> Iterator[None]:
    """Qt remembers the buttons of the mouse for the whole process: one that a test leaves down, as a double click of QTest does,
    swallows the clicks of tests after it."""
    yield
    if "PySide6.QtTest" not in sys.modules:
        return
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication, QWidget

    if QApplication.instance() is not None and QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton:
        nobody = QWidget()
        for button in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton):
            if QGuiApplication.mouseButtons() & button:
                QTest.mouseRelease(nobody, button)
        nobody.deleteLater()
        assert QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Let closed windows really go: outside a running event loop Qt keeps what was marked with ``deleteLater``, and every
    change of the look would restyle the windows of all tests before."""
    if "PySide6.QtCore" in sys.modules:
        from PySide6.QtCore import QCoreApplication, QEvent

        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect(2 if gc.get_count()[2] > 50 else 1)


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a whole bundle with random weights: 64 × 64 pixels in five scales, a fraction of a second a picture."""
    from engine.bench.random_bundle import make_random_bundle

    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    make_random_bundle(folder, "tiny", seed=0)
    return folder
