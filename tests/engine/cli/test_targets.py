"""Nothing is written over what it is made from: the command line says so before the work."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli import main
from engine.cli.targets import check_apart
from engine.errors import ExitCode, InputError


def test_links_and_roundabout_names_are_the_file_they_lead_to(tmp_path: Path):
    photo, link = tmp_path / "toy.png", tmp_path / "link.png"
    photo.touch()
    link.symlink_to(photo)
    check_apart((tmp_path / "new.png", None), (photo, None))
    for name in (photo, link, tmp_path / "a" / ".." / "toy.png"):
        with pytest.raises(InputError, match="is read for this"):
            check_apart((name,), (photo,))
    with pytest.raises(InputError, match="would be written twice"):
        check_apart((tmp_path / "new.png", tmp_path / "a" / ".." / "new.png"), ())


def test_what_lies_in_a_folder_that_is_written_would_go_with_it(tmp_path: Path):
    with pytest.raises(InputError, match="is read for this"):
        check_apart((tmp_path / "bundle",), (tmp_path / "bundle" / "evaluation.json",))
    check_apart((tmp_path / "photo" / "mask.png",), (tmp_path / "photo",))


@pytest.mark.parametrize(
    "words",
    [
        "convert --transformer a.pth --tokenizer b.pth --text t --semantic s --content out/content --out out",
        "convert --transformer a.pth --tokenizer b.pth --text t --semantic s --content c --out out --report a.pth",
        "train finetune --bundle tuned/bundle --data data --out tuned --steps 3",
        "train --export out --evaluation out/evaluation.json",
    ],
)
def test_commands_that_make_folders(words: str, capsys):
    assert main(words.split()) == ExitCode.BAD_INPUT
    assert "is read for this, and would be written over." in capsys.readouterr().err
