"""Files are written whole or not at all, and into nothing that is no file."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine import files
from engine.errors import CannotWrite
from engine.files import aside_of, put_back, put_back_all, replace_folder, write_atomically

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")


def refusing(monkeypatch, times: int) -> list[float]:
    """Windows while another program has a file open: so many tries are refused. Returns the pauses that are made."""
    pauses: list[float] = []
    left = [times]
    real = Path.replace

    def replace(self, target):
        if left[0]:
            left[0] -= 1
            raise PermissionError(13, "Access is denied")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.setattr(files.sys, "platform", "win32")
    monkeypatch.setattr(files.time, "sleep", pauses.append)
    return pauses


def test_a_file_that_a_virus_scanner_looks_at_is_replaced_a_moment_later(tmp_path, monkeypatch):
    target = tmp_path / "settings.json"
    target.write_bytes(b"old")
    pauses = refusing(monkeypatch, 3)
    write_atomically(target, b"new")
    assert target.read_bytes() == b"new" and len(pauses) == 3


def test_a_file_that_stays_open_elsewhere_is_said_within_a_second(tmp_path, monkeypatch):
    target = tmp_path / "settings.json"
    target.write_bytes(b"old")
    pauses = refusing(monkeypatch, 1000)
    with pytest.raises(CannotWrite):
        write_atomically(target, b"new")
    assert target.read_bytes() == b"old" and 0 < sum(pauses) < 1
    assert [file.name for file in tmp_path.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_share_of_the_disk_that_is_used_up_is_a_full_disk(tmp_path, monkeypatch, code):
    def refused(source, target):
        raise OSError(code, "no more")

    monkeypatch.setattr(files, "put_in_place", refused)
    with pytest.raises(CannotWrite, match=r"settings\.json needs 3 bytes, and the disk of .* is full"):
        write_atomically(tmp_path / "settings.json", b"new")


def folders(place: Path) -> tuple[Path, Path]:
    """A new folder and the one that it is to replace."""
    new, old = place / "new", place / "model"
    for folder in (new, old):
        folder.mkdir()
        (folder / "file").write_text(folder.name, encoding="utf-8")
    return new, old


class Killed(BaseException):
    """The process ends: nothing is done any more, not even what follows an error."""


@pytest.mark.parametrize("step", [1, 2])
def test_a_kill_while_a_folder_is_replaced_loses_neither_of_them(tmp_path, monkeypatch, step):
    new, old = folders(tmp_path)
    real, left = files.put_in_place, [step]

    def killed(source, target):
        left[0] -= 1
        if not left[0]:
            raise Killed
        real(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(files, "put_in_place", killed)
        with pytest.raises(Killed):
            replace_folder(new, old)
    assert sorted(file.read_text(encoding="utf-8") for file in tmp_path.rglob("file")) == ["model", "new"]
    monkeypatch.undo()
    replace_folder(new, old)
    assert [(file.parent.name, file.read_text(encoding="utf-8")) for file in tmp_path.rglob("file")] == [
        ("model", "new")
    ]
    assert [folder.name for folder in tmp_path.iterdir()] == ["model"]


_KILLED_BETWEEN = """
import os, signal, sys
from pathlib import Path
from engine import files

real = files.put_in_place
def put_in_place(source, target):
    if source.name == "new":
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)
files.put_in_place = put_in_place
files.replace_folder(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@on_posix
def test_a_folder_whose_successor_never_came_has_its_name_again_at_the_next_look(tmp_path):
    new, old = folders(tmp_path)
    child = subprocess.run([sys.executable, "-c", _KILLED_BETWEEN, str(new), str(old)], check=False, timeout=60)
    assert child.returncode == -9 and new.is_dir() and not old.exists()
    put_back_all(tmp_path)
    assert (old / "file").read_text(encoding="utf-8") == "model"
    assert sorted(folder.name for folder in tmp_path.iterdir()) == ["model", "new"]
    aside_of(old).mkdir()
    put_back_all(tmp_path)
    assert (old / "file").exists() and aside_of(old).exists(), "its successor came, and it was about to go"
    put_back_all(tmp_path / "nowhere")
    put_back(Path(tmp_path.anchor))


def test_what_belongs_to_others_keeps_its_name_whatever_it_is_called(tmp_path):
    (tmp_path / ".bashrc.old").write_text("mine", encoding="utf-8")
    (tmp_path / ".vim.old").mkdir()
    put_back_all(tmp_path, "file")
    put_back(tmp_path / "vim", "file")
    put_back(tmp_path / "bashrc")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".bashrc.old", ".vim.old"]


def test_a_folder_that_is_put_back_while_it_is_replaced_is_replaced_all_the_same(tmp_path, monkeypatch):
    new, old = folders(tmp_path)
    real, left = files.put_in_place, [1]

    def looked_at(source, target):
        if source == new and left:
            left.clear()
            put_back_all(tmp_path)
        real(source, target)

    monkeypatch.setattr(files, "put_in_place", looked_at)
    replace_folder(new, old)
    assert (old / "file").read_text(encoding="utf-8") == "new"
    assert [folder.name for folder in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_cannot_be_replaced_has_its_name_again(tmp_path):
    new, old = folders(tmp_path)
    shutil.rmtree(new)
    with pytest.raises(OSError, match="new"):
        replace_folder(new, old)
    assert (old / "file").read_text(encoding="utf-8") == "model" and len(list(tmp_path.iterdir())) == 1


@on_posix
def test_a_link_stays_one_and_what_it_leads_to_is_written(tmp_path):
    real, link, lost = tmp_path / "real" / "picture.png", tmp_path / "picture.png", tmp_path / "lost.png"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link.symlink_to(real)
    lost.symlink_to(tmp_path / "real" / "new.png")
    write_atomically(link, b"new")
    write_atomically(lost, b"made")
    assert link.is_symlink() and real.read_bytes() == b"new"
    assert lost.is_symlink() and (tmp_path / "real" / "new.png").read_bytes() == b"made"
    assert sorted(file.name for file in real.parent.iterdir()) == ["new.png", "picture.png"]


@on_posix
@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "folder"])
def test_what_is_no_file_is_left_alone(tmp_path, kind):
    place = tmp_path / "picture.png"
    if kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(tmp_path / "pipe" if kind == "link to a pipe" else place)
        if kind == "link to a pipe":
            place.symlink_to(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CannotWrite, match=r"is no file\. Choose another name\."):
        write_atomically(place, b"new")
    assert sorted(tmp_path.iterdir()) == before and not place.is_file()


@on_posix
def test_a_link_that_leads_to_itself_is_said(tmp_path):
    place = tmp_path / "round.png"
    place.symlink_to(place)
    with pytest.raises(CannotWrite):
        write_atomically(place, b"new")
    assert place.is_symlink()
