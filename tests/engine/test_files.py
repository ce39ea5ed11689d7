"""Files are written whole or not at all, and into nothing that is no file."""

from __future__ import annotations

import os
import sys

import pytest

from engine.errors import CannotWrite
from engine.files import write_atomically

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes of POSIX")


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
