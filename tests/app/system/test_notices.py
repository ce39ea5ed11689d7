"""Messages of the system, as ``notify-send`` is asked for them; the program itself is a stand-in that writes down what it was given."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QProcess
from PySide6.QtWidgets import QApplication

from app.system import notices
from app.system.notices import SystemNotices

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="notify-send is how a Linux desktop is told"
)


class Desktop:
    """A folder with a ``notify-send``; ``answer`` are the lines of the shell that it runs after it wrote down its arguments."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._program, self._told = folder / "notify-send", folder / "told"
        monkeypatch.setattr(notices.shutil, "which", lambda name: str(self._program))
        monkeypatch.setattr(QApplication, "platformName", staticmethod(lambda: "xcb"))
        self.answer("")

    def answer(self, lines: str) -> None:
        words = f"printf '%s\\037' \"$@\" >> '{self._told}'; echo >> '{self._told}'"
        self._program.write_text(f"#!/bin/sh\n{words}\n{lines}\n")
        self._program.chmod(0o755)

    @property
    def told(self) -> list[list[str]]:
        """The arguments of each call."""
        calls = self._told.read_text().split("\037\n") if self._told.exists() else [""]
        return [call.split("\037") for call in calls[:-1]]


@pytest.fixture
def desktop(tmp_path, monkeypatch) -> Desktop:
    return Desktop(tmp_path, monkeypatch)


def test_a_prompt_is_told_as_it_was_written(qtbot, desktop):
    messages = SystemNotices()
    messages.show("The picture is done", r"a <b>toy</b> & a \new hat")
    qtbot.waitUntil(lambda: len(desktop.told) == 1)
    assert desktop.told[0][-3:] == ["--", "The picture is done", r"a &lt;b&gt;toy&lt;/b&gt; &amp; a \\new hat"]
    qtbot.waitUntil(lambda: not messages.findChildren(QProcess))


def test_a_click_on_the_message_is_told(qtbot, desktop):
    desktop.answer("echo default")
    messages = SystemNotices()
    with qtbot.waitSignal(messages.clicked):
        messages.show("The picture is done", "a duck")


def test_a_message_that_went_by_is_no_click(qtbot, desktop):
    messages, clicks = SystemNotices(), []
    messages.clicked.connect(lambda: clicks.append(1))
    messages.show("The picture is done", "a duck")
    qtbot.waitUntil(lambda: messages._sending is None)
    assert clicks == []


def test_a_program_that_knows_no_actions_is_asked_without(qtbot, desktop):
    desktop.answer('case "$1" in --action=*) exit 1;; esac')
    messages = SystemNotices()
    messages.show("The picture is done", "a duck")
    qtbot.waitUntil(lambda: len(desktop.told) == 2)
    assert desktop.told[1] == desktop.told[0][1:], "the same message"


# Python, because a shell cannot trap what was ignored when it was started, as in a job in the background.
WAITING = """
import signal, sys

def tell(word):
    with open(sys.argv[1], "a") as file:
        file.write(word + " ")

def end(*_):
    tell("gone")
    sys.exit()

signal.signal(signal.SIGINT, end)
tell("there")
signal.pause()
"""


def test_a_message_goes_with_the_next_and_with_the_window(qtbot, desktop, tmp_path):
    program, log = tmp_path / "waiting.py", tmp_path / "log"
    program.write_text(WAITING)
    log.touch()
    desktop.answer(f"exec '{sys.executable}' '{program}' '{log}'")

    def heard(*words: str) -> bool:
        return sorted(log.read_text().split()) == sorted(words)

    messages = SystemNotices()
    messages.show("The picture is done", "a duck")
    qtbot.waitUntil(lambda: heard("there"))
    messages.show("The picture is done", "a bear")
    qtbot.waitUntil(lambda: heard("there", "gone", "there"))
    messages.put_away()
    qtbot.waitUntil(lambda: heard("there", "gone", "there", "gone") and not messages.findChildren(QProcess))
