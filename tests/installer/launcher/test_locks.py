"""The lists of packages in the repository, and lists that are damaged."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from installer.launcher import targets
from installer.launcher.errors import SetupFailed
from installer.launcher.locks import FIRST, read_lock
from installer.make_locks import LOCKS, TARGETS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("file", sorted(LOCKS.glob("*.txt")), ids=lambda file: file.stem)
def test_every_list_is_whole_and_holds_no_address(file):
    lock = read_lock(file)
    assert "://" not in file.read_text(encoding="utf-8")
    assert {package.name for package in lock.part("window")} == set(FIRST)
    names = {package.name for package in lock.packages}
    wanted = re.findall(
        r'^    "([A-Za-z0-9-]+)[><=]', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {"torch", "transformers", "pyside6-essentials", "numpy"} <= names & {name.lower() for name in wanted}
    assert lock.name in {target.name for target in TARGETS}
    assert all(package.hashes for package in lock.packages)


def test_the_digest_follows_the_list(tmp_path):
    file = tmp_path / "x.txt"
    file.write_text(f"a==1 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    one = read_lock(file).digest
    file.write_text(f"a==2 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    assert read_lock(file).digest != one


@pytest.mark.parametrize("text", ["a>=1\n", "a==1\n", "a==1 --hash=sha256:xyz\n", "--index-url x\n", "a==1 ; b\n"])
def test_a_damaged_list_is_refused(tmp_path, text):
    file = tmp_path / "x.txt"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SetupFailed, match="damaged"):
        read_lock(file)
    with pytest.raises(SetupFailed, match="cannot be read"):
        read_lock(tmp_path / "none.txt")


def test_the_list_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(targets.sys, "platform", "linux")
    monkeypatch.setattr(targets.platform, "machine", lambda: "AMD64")
    with pytest.raises(SetupFailed, match="no list of packages for this computer"):
        targets.choose_lock(tmp_path, "cuda")
    (tmp_path / "linux-x86_64-cpu.txt").touch()
    assert targets.choose_lock(tmp_path, "cuda").stem == "linux-x86_64-cpu"
    (tmp_path / "linux-x86_64-cuda.txt").touch()
    assert targets.choose_lock(tmp_path, "cuda").stem == "linux-x86_64-cuda"


def test_systems_that_are_too_old_are_told_so(monkeypatch):
    monkeypatch.setattr(targets.struct, "calcsize", lambda kind: 4)
    with pytest.raises(SetupFailed, match="32 bits"):
        targets.check_system()
    monkeypatch.undo()
    monkeypatch.setattr(targets.sys, "platform", "linux")
    monkeypatch.setattr(targets.platform, "libc_ver", lambda: ("glibc", "2.31"))
    with pytest.raises(SetupFailed, match=r"2\.31, and 2\.34 is needed"):
        targets.check_system()
    monkeypatch.setattr(targets.platform, "libc_ver", lambda: ("glibc", "2.36"))
    targets.check_system()
