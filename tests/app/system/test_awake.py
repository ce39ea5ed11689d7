"""The computer stays awake between hold and release, by whatever a system has."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.system import awake
from app.system.awake import CommandInhibitor, WindowsInhibitor, inhibitor_of


def test_the_helper_runs_as_long_as_it_holds_and_not_twice():
    started = []

    def start(command, **options):
        started.append(subprocess.Popen(command, **options))
        return started[-1]

    # As ``cat`` does under systemd-inhibit: until its input closes.
    inhibitor = CommandInhibitor([sys.executable, "-c", "import sys; sys.stdin.read()"], start)
    inhibitor.release()
    inhibitor.hold()
    inhibitor.hold()
    assert len(started) == 1 and started[0].poll() is None
    inhibitor.release()
    assert started[0].poll() is not None
    inhibitor.hold()
    assert len(started) == 2
    inhibitor.release()


def test_a_helper_that_cannot_be_started_breaks_nothing():
    inhibitor = CommandInhibitor(["/no such program"])
    inhibitor.hold()
    inhibitor.release()


def test_windows_is_told_by_its_flags():
    told = []
    inhibitor = WindowsInhibitor(told.append)
    inhibitor.hold()
    inhibitor.release()
    assert told == [0x80000001, 0x80000000]


@pytest.mark.parametrize(("platform", "program"), [("linux", "systemd-inhibit"), ("darwin", "caffeinate")])
def test_each_system_has_its_own_way_and_does_without(monkeypatch, platform, program):
    monkeypatch.setattr(awake.shutil, "which", lambda name: f"/bin/{name}")
    found = inhibitor_of(platform)
    assert isinstance(found, CommandInhibitor) and found._command[0] == program
    monkeypatch.setattr(awake.shutil, "which", lambda name: None)
    assert inhibitor_of(platform) is None
