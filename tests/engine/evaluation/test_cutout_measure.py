"""The measure of cut-outs: overlaps, outlines and clicks by hand, and the command from photos to a page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.errors import InputError
from engine.evaluation.cutout_measure import boundary_f, find_cases, next_click
from engine.photo.mask_ops import overlap
from tests.engine.preflight.scenes import ellipse, painted


def test_overlap_and_outline_of_known_masks():
    truth = ellipse(300, 400, 200, 150, 90, 80)
    assert overlap(truth, truth) == boundary_f(truth, truth) == 1
    nothing = np.zeros_like(truth)
    assert overlap(nothing, nothing, of_nothing=1.0) == boundary_f(nothing, nothing) == 1
    assert overlap(nothing, truth) == boundary_f(nothing, truth) == 0
    half = truth.copy()
    half[:, 200:] = False
    assert abs(overlap(half, truth) - 0.5) < 0.02
    near, far = ellipse(300, 400, 200, 150, 93, 83), ellipse(300, 400, 200, 150, 110, 100)
    assert boundary_f(near, truth) > 0.99 and boundary_f(far, truth) < 0.05


def test_a_click_goes_into_the_middle_of_the_larger_mistake():
    truth = ellipse(200, 300, 150, 100, 80, 60)
    first = next_click(np.zeros_like(truth), truth)
    assert first is not None and first.include and abs(first.x - 150) < 3 and abs(first.y - 100) < 3
    too_much = truth.copy()
    too_much[0:40, 0:40] = True
    second = next_click(too_much, truth)
    assert second is not None and not second.include and abs(second.x - 20) < 2 and abs(second.y - 20) < 2
    assert next_click(truth, truth) is None


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    (photos / "ball").mkdir(parents=True)
    masks.mkdir()
    for number, radius in (("00", 30), ("01", 45)):
        shape = ellipse(120, 160, 80, 60, radius, radius)
        Image.fromarray(painted(shape)).save(photos / "ball" / f"{number}.png")
        Image.fromarray(shape).convert("1").save(masks / f"ball_{number}.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(masks / "other_00.png")
    return photos, masks


def test_masks_find_their_photos(folders: tuple[Path, Path], tmp_path: Path):
    assert [case.name for case in find_cases(*folders)] == ["ball_00", "ball_01"]
    with pytest.raises(InputError, match="has a photo"):
        find_cases(folders[0], tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        find_cases(folders[0], tmp_path / "nowhere")


def test_the_command_writes_figures_and_a_page(
    folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    photos, masks = folders
    out = tmp_path / "out"
    code = main(
        ["evaluate", "cutouts", "--photos", str(photos), "--masks", str(masks), "--out", str(out), "--without-network"]
    )
    assert code == 0 and "Three clicks" in capsys.readouterr().out
    figures = json.loads((out / "cutouts.json").read_text(encoding="utf-8"))
    assert figures["photos"] == 2 and set(figures["ways"]) == {"automatic", "box", "click", "clicks"}
    assert figures["ways"]["box"]["overlap"] > 0.9 and figures["sure"] == 0
    overlaps = [row["automatic"] for row in figures["by_photo"]]
    assert overlaps == sorted(overlaps)
    page = (out / "cutouts.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 8 and "ball_01" in page


def test_what_the_command_needs_is_said(capsys: pytest.CaptureFixture[str]):
    assert main(["evaluate", "cutouts"]) == InputError.exit_code
    assert "--photos and --masks" in capsys.readouterr().err
    assert main(["evaluate", "--without-network"]) == InputError.exit_code
