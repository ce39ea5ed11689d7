"""``python -m engine segment`` as a person at the command line meets it: files, words, exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.cli import main
from engine.cli.segment import box, click
from engine.errors import ExitCode
from engine.photo.hints import Box, Click
from engine.photo.load import load_photo
from engine.photo.mask_file import read_mask
from tests.engine.preflight.scenes import overlap, toy


@pytest.fixture(scope="module")
def photo_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "toy.png"
    Image.fromarray(toy()[0].rgb).save(path)
    return path


def test_a_mask_and_a_cut_out_are_written(photo_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    mask, cutout = tmp_path / "mask.png", tmp_path / "cutout.png"
    code = main(["segment", "--photo", str(photo_file), "--out", str(mask), "--cutout", str(cutout), "--size", "96"])
    assert code == ExitCode.DONE
    assert capsys.readouterr().out.splitlines() == [str(mask), str(cutout)]
    assert overlap(read_mask(mask, load_photo(photo_file)), toy()[1]) > 0.9
    square = np.asarray(Image.open(cutout))
    assert square.shape == (96, 96, 4) and (square[..., 3] == 255).any()


def test_the_cut_out_is_as_large_as_in_the_photo_and_has_no_halo(photo_file: Path, tmp_path: Path):
    arguments = ["segment", "--photo", str(photo_file), "--out", str(tmp_path / "m.png")]
    assert main([*arguments, "--cutout", str(tmp_path / "c.png")]) == ExitCode.DONE
    photo = load_photo(photo_file)
    mask = read_mask(tmp_path / "m.png", photo)
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    picture = Image.open(tmp_path / "c.png")
    assert picture.mode == "RGBA"
    there = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert np.array_equal(np.asarray(picture)[..., 3], mask[there])
    wall = photo.rgb[0, 0].astype(float)  # the scene's backdrop
    edge = (mask[there] > 30) & (mask[there] < 225)
    if edge.any():
        near = lambda pixels: np.abs(pixels[edge].astype(float) - wall).mean()  # noqa: E731
        assert near(np.asarray(picture)[..., :3]) > near(photo.rgb[there])


def test_json_is_one_object_with_boxes_scores_and_notes(
    photo_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    mask = tmp_path / "mask.png"
    arguments = ["segment", "--photo", str(photo_file), "--out", str(mask), "--name", "toy", "--json"]
    assert main([*arguments, "--box", "65,20,185,160"]) == ExitCode.DONE
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    result = json.loads(lines[0])
    assert result["mask"] == str(mask) and result["cutout"] is None
    assert (result["name"], result["name_score"]) == ("toy", 1.0) and result["method"] in ("network", "grabcut")
    assert result["boxes"][0] == {"box": [65.0, 20.0, 185.0, 160.0], "score": 1.0, "label": ""}
    assert 0 <= result["score"] <= 1
    assert result["share"] == pytest.approx(toy()[1].mean(), rel=0.1)
    assert len(result["notes"]) == 1 and "The subject is only 104 × 126 pixels" in result["notes"][0]


def test_clicks_exclude_with_a_minus(photo_file: Path, tmp_path: Path):
    mask = tmp_path / "mask.png"
    arguments = ["segment", "--photo", str(photo_file), "--out", str(mask)]
    assert main([*arguments, "--click", "132,110", "--click", "85,99,-"]) == ExitCode.DONE
    found = read_mask(mask, load_photo(photo_file))
    assert found[110, 132] >= 128 and found[99, 85] < 128


def test_reference_framing_writes_the_box_on_white(photo_file: Path, tmp_path: Path):
    cutout = tmp_path / "cutout.png"
    arguments = ["segment", "--photo", str(photo_file), "--out", str(tmp_path / "m.png"), "--cutout", str(cutout)]
    assert main([*arguments, "--framing", "reference", "--size", "90", "--box", "60,20,180,160"]) == ExitCode.DONE
    pixels = np.asarray(Image.open(cutout))
    assert pixels.shape == (90, 90, 3)
    assert (pixels[:6] == 255).all() and (pixels[40, 45] != 255).any()


@pytest.mark.parametrize(
    ("extra", "code", "words"),
    [
        (["--photo", "missing.jpg"], ExitCode.BAD_INPUT, "missing.jpg is not there"),
        (["--out", "mask.jpg"], ExitCode.BAD_INPUT, "“mask.jpg” is no PNG"),
        (["--out", "nowhere/mask.png"], ExitCode.CANNOT_WRITE, "The folder nowhere does not exist"),
        (["--cutout", "nowhere/c.png"], ExitCode.CANNOT_WRITE, "The folder nowhere does not exist"),
        (["--click", "500,10"], ExitCode.BAD_INPUT, "outside the photo, which is 240 × 180 pixels"),
        (["--box", "300,10,400,20"], ExitCode.BAD_INPUT, "The box lies outside the photo"),
        (["--size", "0"], ExitCode.BAD_INPUT, "from 1 to 512"),
        (["--size", "513"], ExitCode.BAD_INPUT, "from 1 to 512"),
    ],
)
def test_wrong_input_is_one_sentence_and_an_exit_code(
    photo_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    extra: list[str],
    code: ExitCode,
    words: str,
):
    monkeypatch.chdir(tmp_path)
    assert main(["segment", "--photo", str(photo_file), "--out", "mask.png", *extra]) == code
    captured = capsys.readouterr()
    assert words in captured.err and captured.out == "" and "Traceback" not in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", [("a.png", "a.png"), ("toy.png", None), ("a.png", "toy.png")])
def test_no_file_is_written_over_another_one(photo_file: Path, tmp_path: Path, names, capsys):
    """A mask in the place of the photo, or of the cut-out, was written without a word."""
    photo = Path(shutil.copy(photo_file, tmp_path / "toy.png"))
    mask, cutout = names
    more = [] if cutout is None else ["--cutout", str(tmp_path / cutout)]
    assert main(["segment", "--photo", str(photo), "--out", str(tmp_path / mask), *more]) == ExitCode.BAD_INPUT
    assert "would be written " in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["toy.png"]
    assert photo.read_bytes() == photo_file.read_bytes()


def test_a_photo_with_nothing_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    Image.new("RGB", (60, 60), (90, 90, 90)).save(tmp_path / "flat.png")
    arguments = ["segment", "--photo", str(tmp_path / "flat.png"), "--out", str(tmp_path / "mask.png")]
    assert main(arguments) == ExitCode.BAD_INPUT
    assert "Nothing stands out in this photo." in capsys.readouterr().err
    assert not (tmp_path / "mask.png").exists()


def test_boxes_and_clicks_are_read():
    assert box("1,2.5,30,40") == Box(1, 2.5, 30, 40)
    assert click("3,4") == Click(3, 4)
    assert click("3,4,-") == Click(3, 4, include=False)
    assert click("3,4,+") == Click(3, 4)


@pytest.mark.parametrize(
    "option", ["--box=1,2,3", "--box=a,b,c,d", "--box=1,1,1,5", "--box=nan,0,1,1", "--click=1", "--click=1,2,3"]
)
def test_what_is_no_box_or_click_leaves_with_two(photo_file: Path, option: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as caught:
        main(["segment", "--photo", str(photo_file), "--out", "mask.png", option])
    assert caught.value.code == 2
    assert "“" in capsys.readouterr().err


def test_segmenting_imports_no_model_library(photo_file: Path, tmp_path: Path):
    code = (
        "import sys; from engine.cli import main;"
        f"code = main(['segment', '--photo', {str(photo_file)!r}, '--out', {str(tmp_path / 'm.png')!r}]);"
        "print(code, [m for m in ('torch', 'transformers', 'PySide6') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.splitlines()[-1] == "0 []", result.stderr
