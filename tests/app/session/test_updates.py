"""Newer versions, from a server on this computer to the launcher's next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.dialogs.updates_page import UpdatesPage
from app.session.state import SessionState
from app.session.updates import Updates
from app.system import background
from installer.launcher import __main__ as launcher
from installer.launcher import opening
from installer.launcher.places import INSTALLED, Places
from installer.launcher.updates import ADDRESS
from installer.launcher.versions import Versions
from tests.installer.launcher.release_server import ReleaseServer


@pytest.fixture
def server(tmp_path):
    server = ReleaseServer(tmp_path / "served")
    yield server
    server.close()


@pytest.fixture
def root(tmp_path, server, monkeypatch) -> Path:
    """Version 0.9, installed, opened by the launcher, knowing the server."""
    root = tmp_path / "installed 日本"
    (root / "engine").mkdir(parents=True)
    (root / "engine/version.py").write_text('__version__ = "0.9"\n', encoding="utf-8")
    (root / ADDRESS).parent.mkdir()
    (root / ADDRESS).write_text(f"{server.url}\n", encoding="utf-8")
    monkeypatch.setenv(INSTALLED, str(root))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ECHOGEN_UPDATES"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def updates(qtbot, root):
    updates = Updates(None, root)
    yield updates
    background.shutdown()


def look(qtbot, updates: Updates) -> str:
    updates.check()
    assert updates.phase == "looking"
    qtbot.waitUntil(lambda: not updates.busy, timeout=10_000)
    return updates.phase


def take(qtbot, updates: Updates) -> str:
    updates.take()
    assert updates.phase == "getting"
    qtbot.waitUntil(lambda: not updates.busy, timeout=10_000)
    return updates.phase


def test_from_the_question_to_the_next_start_and_back_again(qtbot, updates, server, root, monkeypatch):
    server.announce("0.10")
    with qtbot.waitSignal(updates.found):
        assert look(qtbot, updates) == "there"
    assert updates.release.news_in("zh_CN") == "它会飞。" and updates.release.news_in("fr") == "It flies."
    assert take(qtbot, updates) == "ready", updates.problem
    places = Places.standard(root)
    versions = Versions(places)
    assert versions.current() == places.versions / "0.10" and not list((places.folder / "updates").iterdir())
    again = Updates(None, root)
    assert look(qtbot, again) == "ready", "it waits for the next start, and is not fetched twice"

    opened, failures = [], []

    class Whole:
        """A set-up that has all packages."""

        def __init__(self, places: Places) -> None:
            self.places, self.python = places, Path("python")

        def is_done(self, *parts: str) -> bool:
            return True

        def repair(self) -> list[str]:
            return []

        def take_note_of_damage(self) -> str:
            return ""

    def open_program(setup: Whole, arguments: list[str]) -> str:
        opened.append(setup.places.root.name)
        return opening.ENDED if setup.places.root.name == "0.10" else opening.SHOWN

    monkeypatch.setattr(launcher, "ROOT", root)
    monkeypatch.setattr(launcher, "Setup", Whole)
    monkeypatch.setattr(launcher, "find_uv", lambda root: "uv")
    monkeypatch.setattr(launcher, "say_failure", failures.append)
    monkeypatch.setattr(launcher, "open_program", open_program)
    assert launcher.main([]) == 0
    assert opened == ["0.10", root.name] and "does not open" in failures[0] and versions.current() == root
    third = Updates(None, root)
    with qtbot.assertNotEmitted(third.found):
        assert look(qtbot, third) == "there"
    assert third.failed_here, "what did not open is not offered by itself again"


def test_the_newest_version_and_an_older_one_offer_nothing(qtbot, updates, server):
    for version in ("0.9", "0.8"):
        server.announce(version)
        assert look(qtbot, updates) == "newest" and updates.problem == ""


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b'{"version": "0.10"}',
        b"x" * 100_000,
        b'{"version": "../../1.0", "archive": "a", "size": 1, "sha256": "' + b"0" * 64 + b'"}',
        b'{"version": "1.0", "archive": "file:///etc/passwd", "size": 1, "sha256": "' + b"0" * 64 + b'"}',
    ],
)
def test_an_answer_that_is_none_is_a_sentence(qtbot, updates, server, answer):
    (server.folder / "latest.json").write_bytes(answer)
    assert look(qtbot, updates) == "unknown"
    assert "does not say which version is the newest" in updates.problem


def test_nobody_there_is_a_sentence(qtbot, updates, server):
    assert look(qtbot, updates) == "unknown" and "error 404" in updates.problem


def test_what_arrives_damaged_changes_nothing(qtbot, updates, server, root):
    server.announce("0.10", sha256="0" * 64)
    look(qtbot, updates)
    assert take(qtbot, updates) == "there" and "arrives damaged" in updates.problem
    assert Versions(Places.standard(root)).current() == root


def test_nothing_is_fetched_twice_or_by_a_copy_that_cannot_open_it(qtbot, updates, server, monkeypatch):
    def fetched() -> int:
        return server.asked.count("/echogen-0.10.tar.gz")

    updates.take()
    assert updates.phase == "unknown", "nobody knows of a newer one"
    server.announce("0.10")
    look(qtbot, updates)
    with monkeypatch.context() as patched:
        patched.delenv(INSTALLED)
        updates.take()
    assert updates.phase == "there" and not updates.busy
    updates.take()
    updates.take()
    qtbot.waitUntil(lambda: not updates.busy, timeout=10_000)
    updates.take()
    assert updates.phase == "ready" and fetched() == 1


def test_a_copy_that_knows_no_address_asks_nobody(qtbot, root):
    (root / ADDRESS).unlink()
    updates = Updates(None, root)
    updates.check()
    assert updates.phase == "unknown" and not updates.busy


def test_the_page_asks_only_when_it_is_told_to(qtbot, updates, server):
    state = SessionState()
    page = UpdatesPage(state, updates)
    qtbot.addWidget(page)
    page.show()
    assert not page.always.isChecked() and not page.words.isVisible() and not page.get.isVisible()
    assert "127.0.0.1" in page.about.text() and updates.phase == "unknown"
    page.always.click()
    assert state.settings.updates
    server.announce("0.10")
    page.check.click()
    qtbot.waitUntil(page.get.isVisible, timeout=10_000)
    assert page.words.text() == "EchoGen 0.10 is there. It flies." and page.get.text().startswith("Get 0.10")
    page.get.click()
    assert page.stop.isVisible() and not page.check.isEnabled()
    qtbot.waitUntil(lambda: updates.phase == "ready", timeout=10_000)
    assert "opens at the next start" in page.words.text() and not page.get.isVisible()
