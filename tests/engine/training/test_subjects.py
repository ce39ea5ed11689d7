"""Reading a folder of cut-outs: what cannot be used is named, skipped and counted; the split never changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import InputError
from engine.training.subjects import Subjects


def test_names_come_from_the_list(sprites: Path):
    subjects = Subjects.from_folder(sprites, 32)
    assert len(subjects) == 24
    assert subjects.pictures.shape == (24, 4, 32, 32)
    assert subjects.names[0] == "disc number0"
    assert subjects.skipped == ()


def test_without_a_list_file_names_are_names(sprites: Path, tmp_path: Path):
    shutil.copy(sprites / "shape00.png", tmp_path / "red_rubber-duck.png")
    assert Subjects.from_folder(tmp_path, 16).names == ("red rubber duck",)


def test_the_split_is_whole_disjoint_and_stable(sprites: Path, tmp_path: Path):
    training, validation = (set(Subjects.from_folder(sprites, 16, split).keys) for split in ("train", "validation"))
    assert training and validation
    assert not training & validation
    assert training | validation == set(Subjects.from_folder(sprites, 16).keys)
    # More pictures move none of the old ones from one side to the other.
    shutil.copytree(sprites, tmp_path / "more")
    for index in range(10):
        shutil.copy(sprites / "shape00.png", tmp_path / "more" / f"another{index}.png")
    assert validation <= set(Subjects.from_folder(tmp_path / "more", 16, "validation").keys)
    assert not training & set(Subjects.from_folder(tmp_path / "more", 16, "validation").keys)


def test_one_corrupt_and_one_opaque_file_among_many_are_named_and_counted(
    sprites: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = tmp_path / "mixed"
    shutil.copytree(sprites, folder)
    whole = (folder / "shape05.png").read_bytes()
    (folder / "shape05.png").write_bytes(whole[: len(whole) // 2])
    (folder / "not_a_picture.webp").write_bytes(b"hello")
    Image.new("RGB", (20, 20), "red").save(folder / "opaque.png")
    Image.new("RGBA", (20, 20)).save(folder / "empty.png")
    subjects = Subjects.from_folder(folder, 16)
    assert len(subjects) == 23
    assert len(subjects.skipped) == 4
    for name in ("shape05.png", "not_a_picture.webp", "opaque.png", "empty.png"):
        assert any(name in words for words in subjects.skipped)
        assert name in caplog.text
    assert "it has no transparency" in " ".join(subjects.skipped)


def test_a_missing_and_a_useless_folder_are_said(tmp_path: Path):
    with pytest.raises(InputError, match="does not exist"):
        Subjects.from_folder(tmp_path / "nowhere")
    (tmp_path / "broken.png").write_bytes(b"no")
    with pytest.raises(InputError, match=r"no usable cut-out \(1 files were skipped\)"):
        Subjects.from_folder(tmp_path)


def test_a_damaged_list_of_names_is_said(sprites: Path, tmp_path: Path):
    shutil.copy(sprites / "shape00.png", tmp_path)
    (tmp_path / "names.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"names\.json"):
        Subjects.from_folder(tmp_path)


def test_the_subject_fills_the_square_and_keeps_its_colour_to_the_edge(tmp_path: Path):
    pixels = np.zeros((60, 100, 4), np.uint8)
    pixels[..., :3] = (0, 255, 0)  # what lies under transparency must not come in
    pixels[20:40, 30:70] = (200, 30, 30, 255)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "bar.png")
    picture = Subjects.from_folder(tmp_path, 40).pictures[0]
    alpha = picture[3] > 127
    assert alpha.any(0).all()  # 40 wide, 20 high: it touches both sides
    assert 18 <= int(alpha.any(1).sum()) <= 22
    edge = picture[:3, picture[3] > 8].float()
    assert float((edge - edge.new_tensor([200, 30, 30])[:, None]).abs().max()) < 24
