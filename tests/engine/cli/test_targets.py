"""Nothing is written over what it is made from: the command line says so before the work."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from engine.cli import main
from engine.errors import ExitCode, InputError
from engine.files import check_apart


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


@pytest.mark.parametrize(
    "words",
    [
        "generate --prompt x --out {}/o.png",
        "generate --prompt {{a|b}} --out o.png --requests {}/list.jsonl",
        "enlarge a.png --out {}/o.png",
        "segment --photo a.png --out {}/m.png",
        "train preview-data --out {}/p.png",
    ],
)
def test_a_file_in_the_place_of_the_folder_and_a_folder_in_that_of_the_file_are_said_before_the_work(
    words: str, tmp_path: Path, capsys
):
    (tmp_path / "file").touch()
    assert main([word.format(tmp_path / "file") for word in words.split()]) == ExitCode.CANNOT_WRITE
    assert f"{tmp_path / 'file'} is no folder. Name another one." in capsys.readouterr().err
    *_, name = (word.partition("/")[2] for word in words.split())
    (tmp_path / "folder" / name).mkdir(parents=True)
    assert main([word.format(tmp_path / "folder") for word in words.split()]) == ExitCode.CANNOT_WRITE
    assert f"{tmp_path / 'folder' / name} is a folder. Choose another name." in capsys.readouterr().err


def test_a_stage_without_its_minutes_is_asked_for_them_alone(capsys):
    assert main(["train", "--stage", "decoder"]) == ExitCode.BAD_INPUT
    assert "How long may it take? Add --minutes." in capsys.readouterr().err


def test_fine_tuning_takes_a_model_by_its_name_as_every_command_does(tmp_path: Path, capsys):
    """As docs/training.md writes it: ``--bundle echogen-2b``; only folders were found."""
    words = ["train", "finetune", "--data", str(tmp_path), "--out", str(tmp_path / "run"), "--steps", "1"]
    assert main([*words, "--bundle", "mini"]) == ExitCode.BAD_INPUT
    assert "bundle.json" not in capsys.readouterr().err
    assert main([*words, "--bundle", "nope"]) == ExitCode.BUNDLE
    assert "The model “nope” is not on this computer." in capsys.readouterr().err


def test_packages_are_named_as_an_index_has_them():
    """No sentence asks to install this program by its name from an index: nothing here says that it is published in one."""
    root = Path(__file__).parents[3]
    files = [root / "README.md", *root.glob("docs/*.md"), *root.glob("engine/**/*.py"), *root.glob("app/**/*.py")]
    assert not [file for file in files if "install 'echogen" in file.read_text(encoding="utf-8")]


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"", "tokenizer is missing"), (b"\xff\xfe", "is not UTF-8 text"), (b"x", "is damaged")],
)
def test_a_training_file_that_is_none_is_said_in_words(content: bytes, why: str, tmp_path: Path, capsys):
    (tmp_path / "mine.toml").write_bytes(content)
    words = ["train", "--config", str(tmp_path / "mine.toml"), "--stage", "tokenizer", "--minutes", "1"]
    assert main(words) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert why in said and "'" not in said.partition("Expected")[0]


def test_a_models_folder_that_lies_in_a_file_is_not_called_damaged(tmp_path: Path, monkeypatch, capsys, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path / "file" / "models"))
    assert main(["models", "list"]) == ExitCode.DONE
    assert not caplog.records


def test_a_disk_that_is_full_is_said_wherever_it_is_met(tmp_path: Path, monkeypatch, capsys):
    def full(args):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "sheet.webp"))

    monkeypatch.setattr("engine.cli.doctor.run", full)
    assert main(["doctor"]) == ExitCode.CANNOT_WRITE
    said = capsys.readouterr().err
    assert said.startswith(f"The disk is full. {tmp_path / 'sheet.webp'}: No space left on device. Make room")
