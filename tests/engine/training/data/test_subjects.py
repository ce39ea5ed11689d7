"""Reading a folder of cut-outs: what cannot be used is named, skipped and counted; the split never changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import InputError
from engine.training.data.subjects import SubjectPictures


def test_names_come_from_the_list(sprites: Path):
    subjects = SubjectPictures.from_folder(sprites, 32)
    assert len(subjects) == 24
    assert subjects.pictures.shape == (24, 4, 32, 32)
    assert subjects.names[0] == "disc number0"
    assert subjects.skipped == ()


def test_without_a_list_file_names_are_names(sprites: Path, tmp_path: Path):
    shutil.copy(sprites / "shape00.png", tmp_path / "red_rubber-duck.png")
    assert SubjectPictures.from_folder(tmp_path, 16).names == ("red rubber duck",)


def test_the_split_is_whole_disjoint_and_stable(sprites: Path, tmp_path: Path):
    training, validation = (
        set(SubjectPictures.from_folder(sprites, 16, split).keys) for split in ("train", "validation")
    )
    assert training and validation
    assert not training & validation
    assert training | validation == set(SubjectPictures.from_folder(sprites, 16).keys)
    # More pictures move none of the old ones from one side to the other.
    shutil.copytree(sprites, tmp_path / "more")
    for index in range(10):
        shutil.copy(sprites / "shape00.png", tmp_path / "more" / f"another{index}.png")
    assert validation <= set(SubjectPictures.from_folder(tmp_path / "more", 16, "validation").keys)
    assert not training & set(SubjectPictures.from_folder(tmp_path / "more", 16, "validation").keys)


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
    subjects = SubjectPictures.from_folder(folder, 16)
    assert len(subjects) == 23
    assert len(subjects.skipped) == 4
    for name in ("shape05.png", "not_a_picture.webp", "opaque.png", "empty.png"):
        assert any(name in words for words in subjects.skipped)
        assert name in caplog.text
    assert "it has no transparency" in " ".join(subjects.skipped)


def test_a_missing_and_a_useless_folder_are_said(tmp_path: Path):
    with pytest.raises(InputError, match="There is no folder of subjects"):
        SubjectPictures.from_folder(tmp_path / "nowhere")
    (tmp_path / "broken.png").write_bytes(b"no")
    with pytest.raises(InputError, match=r"no usable cut-out \(1 files were skipped\)"):
        SubjectPictures.from_folder(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"shape00": 7}'])
def test_a_damaged_list_of_names_is_said(sprites: Path, tmp_path: Path, content: str):
    shutil.copy(sprites / "shape00.png", tmp_path)
    (tmp_path / "names.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=r"names\.json"):
        SubjectPictures.from_folder(tmp_path)


def test_the_subject_fills_the_square_and_keeps_its_colour_to_the_edge(tmp_path: Path):
    pixels = np.zeros((60, 100, 4), np.uint8)
    pixels[..., :3] = (0, 255, 0)  # what lies under transparency must not come in
    pixels[20:40, 30:70] = (200, 30, 30, 255)
    Image.fromarray(pixels, "RGBA").save(tmp_path / "bar.png")
    picture = SubjectPictures.from_folder(tmp_path, 40).pictures[0]
    alpha = picture[3] > 127
    assert alpha.any(0).all()  # 40 wide, 20 high: it touches both sides
    assert 18 <= int(alpha.any(1).sum()) <= 22
    edge = picture[:3, picture[3] > 8].float()
    assert float((edge - edge.new_tensor([200, 30, 30])[:, None]).abs().max()) < 24


def test_two_styles_of_one_thing_fall_on_one_side(tmp_path: Path):
    flat, other = tmp_path / "flat", tmp_path / "other"
    flat.mkdir()
    other.mkdir()
    picture = Image.new("RGBA", (20, 20))
    picture.paste((200, 30, 30, 255), (4, 4, 16, 16))
    codes = [f"1f4{index:02x}" for index in range(60)]
    for code in codes:
        picture.save(flat / f"{code}.png")
        picture.save(other / f"solid_{code}.png")
    for index in range(30):
        picture.save(other / f"photo_{index}.png")
    sides = {split: SubjectPictures.from_folders([flat, other], 16, split) for split in ("train", "validation")}
    things = {split: {key.removeprefix("solid_") for key in side.keys} for split, side in sides.items()}
    assert things["train"] and things["validation"] and not things["train"] & things["validation"]
    for code in codes:
        both = {code, f"solid_{code}"}
        assert both <= set(sides["train"].keys) or both <= set(sides["validation"].keys)
    assert set(SubjectPictures.from_folder(flat, 16, "validation").keys) <= set(sides["validation"].keys)


def test_photographs_are_drawn_most_and_flat_pictures_least(sprites: Path, tmp_path: Path):
    for index in range(4):
        shutil.copy(sprites / f"shape{index:02d}.png", tmp_path / f"photo_{index}.png")
        shutil.copy(sprites / f"shape{index:02d}.png", tmp_path / f"solid_{index}.png")
    subjects = SubjectPictures.from_folders([sprites, tmp_path], 16)
    shares = {"photo": 0.0, "solid": 0.0, "flat": 0.0}
    for key, share in zip(subjects.keys, subjects.shares.tolist(), strict=True):
        shares[key.split("_")[0] if "_" in key else "flat"] += share
    assert shares["photo"] >= 0.4 and shares["flat"] <= 0.15
    assert abs(sum(shares.values()) - 1) < 1e-5
    assert len(subjects.name_groups[0]) == 24 and len(subjects.name_groups[1]) == 8
    alone = SubjectPictures.from_folder(sprites, 16).shares
    assert torch.allclose(alone, torch.full((24,), 1 / 24))


def test_a_folder_with_nothing_for_one_side_of_the_split_is_not_called_unusable(tmp_path: Path):
    Image.fromarray(np.full((20, 20, 4), 200, np.uint8)).save(tmp_path / "duck.png")
    told = []
    for split in ("train", "validation"):
        try:
            SubjectPictures.from_folder(tmp_path, 16, split)
        except InputError as error:
            told.append(str(error))
    assert len(told) == 1 and f"No cut-out in {tmp_path} is for " in told[0]
