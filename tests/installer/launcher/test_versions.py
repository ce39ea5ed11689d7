"""Newer versions: taken whole or not at all, tried, and left again when they do not open."""

from __future__ import annotations

import io
import itertools
import tarfile
from pathlib import Path

import pytest

from engine import files
from installer.launcher import __main__ as entry
from installer.launcher import opening
from installer.launcher.errors import SetupFailed
from installer.launcher.opening import DOES_NOT_OPEN, NOT_DONE
from installer.launcher.places import INSTALLED, Places
from installer.launcher.versions import Versions, order


def release(folder: Path, version: str, extra: dict[str, bytes] | None = None) -> Path:
    """An archive as ``make_packages.py tar`` makes it, with one file of the program."""
    files = {
        f"echogen-{version}/main.py": b"",
        f"echogen-{version}/engine/version.py": f'__version__ = "{version}"\n'.encode(),
        **(extra or {}),
    }
    archive = folder / f"echogen-{version}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return archive


@pytest.fixture
def places(tmp_path: Path) -> Places:
    root = tmp_path / "installed"
    (root / "engine").mkdir(parents=True)
    (root / "engine/version.py").write_text('__version__ = "0.9"\n', encoding="utf-8")
    return Places(root, tmp_path / "folder")


def test_versions_are_numbers_and_not_words():
    assert order("0.10.1") > order("0.9") and order("1.0") > order("0.99")
    assert order("0.2") == order("0.2.0") > order("")


def test_a_version_on_trial_comes_before_the_one_it_leads_to():
    versions = (
        "0.1.9",
        "0.2.0.dev3",
        "0.2.0a1",
        "0.2.0b2",
        "0.2.0rc1.dev2",
        "0.2.0rc1",
        "0.2.0rc10",
        "0.2.0",
        "0.2.0.post1",
    )
    assert all(order(before) < order(after) for before, after in itertools.pairwise(versions))


def test_a_newer_version_is_opened_and_the_one_before_comes_back(places, tmp_path):
    versions = Versions(places)
    assert versions.current() == places.root
    assert versions.take(release(tmp_path, "0.10")) == "0.10"
    assert versions.current() == places.versions / "0.10" and not versions.has_opened(versions.current())
    versions.note_opened(versions.current())
    versions.take(release(tmp_path, "0.11"))
    assert versions.current().name == "0.11" and (places.versions / "0.10").is_dir()
    assert versions.go_back().name == "0.10" and versions.has_opened(versions.current())
    # An installer that brings something newer than what was fetched wins.
    (places.root / "engine/version.py").write_text('__version__ = "1.0"\n', encoding="utf-8")
    assert versions.current() == places.root


def test_a_version_that_a_virus_scanner_looks_at_gets_its_place_a_moment_later(places, tmp_path, monkeypatch):
    real, refused = Path.replace, []

    def replace(self, target):
        if self.name == "echogen-0.10" and not refused:
            refused.append(self)
            raise PermissionError(13, "Access is denied")
        return real(self, target)

    archive = release(tmp_path, "0.10")
    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(files.sys, "platform", "win32")
    assert Versions(places).take(archive) == "0.10" and refused


def test_older_damaged_and_foreign_archives_change_nothing(places, tmp_path):
    versions = Versions(places)
    with pytest.raises(SetupFailed, match="not newer"):
        versions.take(release(tmp_path, "0.8"))
    whole = release(tmp_path, "0.10")
    (tmp_path / "half.tar.gz").write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(SetupFailed, match="no version of EchoGen"):
        versions.take(tmp_path / "half.tar.gz")
    with pytest.raises(SetupFailed, match="damaged"):
        versions.take(whole, sha256="0" * 64)
    for unreadable in (tmp_path / "gone.tar.gz", tmp_path, whole / "inside"):
        with pytest.raises(SetupFailed, match="cannot be read"):
            versions.take(unreadable)
    hostile = release(tmp_path, "0.12", {"../../outside": b"x"})
    with pytest.raises(SetupFailed, match="no version of EchoGen"):
        versions.take(hostile)
    assert versions.current() == places.root
    assert not list(places.folder.glob("versions/*")) and not list(tmp_path.glob("**/outside"))


def test_an_older_python_unpacks_as_carefully(places, tmp_path, monkeypatch):
    """Debian 12 has Python 3.11.2, whose tarfile has no filter."""
    monkeypatch.delattr("tarfile.data_filter")
    versions = Versions(places)
    for name, kind in (("../outside", tarfile.REGTYPE), ("/outside", tarfile.REGTYPE), ("link", tarfile.SYMTYPE)):
        hostile = tmp_path / "hostile.tar.gz"
        with tarfile.open(hostile, "w:gz") as tar:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry)
        with pytest.raises(SetupFailed, match="is no version of EchoGen"):
            versions.take(hostile)
    assert not (places.folder.parent / "outside").exists() and versions.current() == places.root
    versions.take(release(tmp_path, "0.10"))
    assert versions.current().name == "0.10"


def test_a_version_that_does_not_open_is_left_for_the_one_before(places, tmp_path, monkeypatch):
    """The launcher's way: the new one ends before its window is there, the one before is opened."""
    places.prepare()
    versions = Versions(places)
    versions.note_opened(places.root)
    versions.take(release(tmp_path, "0.10"))
    failures, opened = [], []

    class Whole:
        def __init__(self, places: Places) -> None:
            self.places, self.python = places, Path("python")

        def is_done(self, *parts: str) -> bool:
            return True

        def take_note_of_damage(self) -> str:
            return ""

        def repair(self) -> list[str]:
            return ["something"]  # removed again and again: that must not go on for ever

    def execve(path: str, command: list[str], environment: dict[str, str]) -> None:
        opened.append(command[1])
        raise SystemExit(0)

    monkeypatch.setenv(INSTALLED, str(places.root))
    monkeypatch.setattr(entry, "ROOT", places.root)
    monkeypatch.setattr(entry, "Setup", Whole)
    monkeypatch.setattr(entry, "open_program", lambda setup, arguments: opening.ENDED)
    monkeypatch.setattr(entry, "say_failure", failures.append)
    monkeypatch.setattr(opening.Network, "load", classmethod(lambda cls: cls()))
    monkeypatch.setattr(entry.os, "execve", execve)
    places_now = Places(versions.current(), places.folder)
    with pytest.raises(SystemExit):
        entry._open(places_now, versions, [])
    assert opened == [str(places.root / "main.py")] and "does not open" in failures[0]
    assert versions.current() == places.root


@pytest.mark.parametrize("code, left", [(NOT_DONE, False), (DOES_NOT_OPEN, True), (1, True)])
def test_a_version_with_other_packages_is_tried_again_or_left(places, tmp_path, monkeypatch, code, left):
    """Its set-up window was closed early, or the program did not open after it, or the window itself is broken."""
    places.prepare()
    versions = Versions(places)
    versions.take(release(tmp_path, "0.10"))
    opened: list[Path] = []

    class Half:
        def __init__(self, places: Places) -> None:
            self.places, self.python = places, Path("python")

        def is_done(self, *parts: str) -> bool:
            return not self.places.is_newer

        def take_note_of_damage(self) -> str:
            return ""

    def open_program(setup: Half, arguments: list[str]) -> str:
        opened.append(setup.places.root)
        return opening.SHOWN

    monkeypatch.setenv(INSTALLED, str(places.root))
    monkeypatch.setattr(entry, "Setup", Half)
    monkeypatch.setattr(entry, "_set_up", lambda setup, arguments: code)
    monkeypatch.setattr(entry, "open_program", open_program)
    monkeypatch.setattr(entry, "say_failure", lambda text: None)
    assert entry._open(Places(versions.current(), places.folder), versions, []) == 0
    assert opened == [places.root]
    assert (versions.current() == places.root) == left and versions.is_bad("0.10") == left


def test_a_version_that_was_never_tried_is_not_the_one_to_go_back_to(places, tmp_path):
    versions = Versions(places)
    versions.take(release(tmp_path, "0.10"))
    versions.note_opened(versions.current())
    versions.take(release(tmp_path, "0.11"))
    versions.take(release(tmp_path, "0.12"))
    assert versions.before() == places.versions / "0.10" and versions.go_back() == places.versions / "0.10"
