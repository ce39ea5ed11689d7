"""The lists of packages in the repository, and lists that are damaged."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from installer import make_locks
from installer.launcher import targets
from installer.launcher.errors import SetupFailed
from installer.launcher.locks import FIRST, PYTHON, read_lock
from installer.make_locks import LOCKS, TARGETS

ROOT = Path(__file__).parents[3]
FILES = sorted(LOCKS.glob("*.txt"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_list_is_whole_and_holds_no_address(file):
    lock = read_lock(file)
    assert "://" not in file.read_text(encoding="utf-8")
    assert {package.name for package in lock.part("window")} == set(FIRST)
    assert all(package.hashes for package in lock.packages)
    target = next(target for target in TARGETS if target.name == lock.name)
    assert lock.backend == target.backend
    assert {package.name: package.version for package in lock.packages}["torch"] == target.torch


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_list_has_all_that_the_program_declares(file):
    """A dependency that was added to pyproject.toml and to no list would be missed by those alone who install by a double-click."""
    versions = {package.name: package.version for package in read_lock(file).packages}
    missing = [str(wanted) for wanted in declared() if canonicalize_name(wanted.name) not in versions]
    assert not missing, "run installer/make_locks.py"
    outside = [
        f"{wanted}: {found}"
        for wanted in declared()
        if not wanted.specifier.contains(found := versions[canonicalize_name(wanted.name)], prereleases=True)
    ]
    assert not outside, "run installer/make_locks.py"


def declared() -> list[Requirement]:
    """What pyproject.toml declares for the Python of the lists: the program's own, and what reads photos of phones and cameras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["photos"]])
    python = {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0"}
    return [one for one in wanted if one.marker is None or one.marker.evaluate(python)]


def test_a_list_that_cannot_be_made_stays_as_it_is(tmp_path, monkeypatch):
    """As where PyTorch's own index cannot be reached."""
    folder = tmp_path / "locks"
    folder.mkdir()
    (folder / "linux-x86_64-cpu.txt").write_text("as it was\n", encoding="utf-8")
    monkeypatch.setattr(make_locks, "LOCKS", folder)
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\necho 'error: it cannot be reached' >&2\nexit 2\n", encoding="utf-8")
    uv.chmod(0o755)
    assert "it cannot be reached" in make_locks.make(TARGETS[0], str(uv))
    assert (folder / "linux-x86_64-cpu.txt").read_text(encoding="utf-8") == "as it was\n"


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_command_asks_for_the_target_and_what_is_in_its_list_already(target, tmp_path, monkeypatch):
    folder = tmp_path / "locks"
    folder.mkdir()
    (folder / f"{target.name}.txt").write_text("x==1\n", encoding="utf-8")
    monkeypatch.setattr(make_locks, "LOCKS", folder)
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    uv = tmp_path / "uv"
    # It writes down how it was called behind the list that it was given to go by.
    uv.write_text(
        '#!/bin/sh\nfor file; do :; done\nwhile [ "$1" != --output-file ]; do all="$all $1"; shift; done\n'
        'echo "# $all $3 $4 $(cat "$file")" >>"$2"\n',
        encoding="utf-8",
    )
    uv.chmod(0o755)
    assert make_locks.make(target, str(uv)) == ""
    lines = (folder / f"{target.name}.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == (f"# torch-backend: {target.backend}" if target.backend else "x==1")
    assert "x==1" in lines
    assert f"--python-platform {target.platform} --python-version {PYTHON}" in lines[-1]
    assert ("--torch-backend" in lines[-1]) == bool(target.backend)
    assert f"--extra photos torch=={target.torch}" in lines[-1]


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
