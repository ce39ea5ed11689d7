"""Photos as a measure: which are found, what they are called, and the figure that counts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from engine.errors import InputError
from engine.evaluation.imagenet import ImageNetJudge
from engine.evaluation.photo_folder import JudgedPhotos, find_subjects, judged


def test_a_folder_is_a_subject_and_a_lone_photo_too(photos: Path):
    Image.new("RGB", (40, 40)).save(photos / "old vase.jpg")
    (photos / "empty").mkdir()
    found = {subject.key: subject for subject in find_subjects(photos, photos.parent / "masks")}
    assert list(found) == ["blue_ball", "dog", "dog2", "old vase", "red_ball"]
    assert [path.name for path in found["dog"].photos] == ["00.png", "01.png"]
    # The first photo that has a mask is cut out.
    assert found["dog"].chosen.name == "01.png"
    assert found["dog"].mask == photos.parent / "masks" / "dog_01.png"
    assert found["old vase"].mask is None
    # The benchmark's class where it is listed, else the words of the folder.
    names = [subject.name for subject in found.values()]
    assert names == ["blue ball", "dog", "dog", "old vase", "toy"]
    assert find_subjects(photos)[1].chosen.name == "00.png"


def test_missing_folders_are_said(photos: Path, tmp_path: Path):
    with pytest.raises(InputError, match=r"folder of photos .* does not exist"):
        find_subjects(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"folder of masks .* does not exist"):
        find_subjects(photos, tmp_path / "nowhere")
    with pytest.raises(InputError, match="no photos"):
        find_subjects(_empty(tmp_path))


def _empty(folder: Path) -> Path:
    (folder / "none").mkdir()
    return folder / "none"


def test_a_photo_that_cannot_be_used_is_skipped_with_a_sentence(photos: Path, quick_judge: ImageNetJudge):
    (photos / "dog" / "01.png").write_bytes(b"no picture")
    Image.new("L", (5, 5), 255).save(photos.parent / "masks" / "dog2_01.png")
    skipped: list[str] = []
    known = JudgedPhotos.load(photos, photos.parent / "masks", quick_judge, skipped.append)
    assert [subject.key for subject in known.subjects] == ["blue_ball", "red_ball"]
    assert skipped[0].startswith("dog is skipped: ") and "dog2 is skipped: The mask" in skipped[1]
    (photos / "red_ball" / "01.png").unlink()
    (photos / "red_ball" / "00.png").write_bytes(b"")
    with pytest.raises(InputError, match="fewer than two subjects"):
        JudgedPhotos.load(photos, photos.parent / "masks", quick_judge)


def test_judged_by_hand():
    of = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    features = torch.tensor([[0.8, 0.6], [0.6, 0.8], [0.6, 0.8]])
    result = judged(features, of, [0, 0, 1])
    assert result.found.tolist() == [0, 1, 1]
    assert result.right.tolist() == [True, False, True]
    assert result.top1 == pytest.approx(2 / 3)
    assert result.similarity == pytest.approx((0.8 + 0.6 + 0.8) / 3)
    assert judged(features[:0], of, []).top1 == 0.0
