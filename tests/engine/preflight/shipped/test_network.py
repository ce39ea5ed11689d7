"""The network that ships: what it answers, what it is sure of, and that nothing is lost where it cannot be used."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import SubjectNotFound
from engine.photo.hints import Box, Click, Hint, Stroke
from engine.photo.load import Photo, photo_from_pixels
from engine.preflight.segmenter import Segmenter
from engine.preflight.shipped.channels import HintChannels
from engine.preflight.shipped.judge import JUDGE_NAME, KINDS, SURE, TRAITS, read_judge
from engine.preflight.shipped.network import FOLDER, NAME, SHIPPED, SIDE, SIDES, SMALL_SIDES, ShippedNetwork
from engine.preflight.shipped.things import KnownThings
from tests.engine.preflight.scenes import background, ellipse, overlap, painted, toy


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the network to break."""
    return Path(shutil.copytree(FOLDER, tmp_path / "cutout"))


# What it answers


def test_the_files_are_small_whole_and_belong_together():
    assert SHIPPED.problem == ""
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 12e6
    judge = read_judge(FOLDER / JUDGE_NAME)
    assert {kind: len(weights) for kind, weights in judge.calibration.items()} == dict.fromkeys(KINDS, len(TRAITS))


def test_it_finds_the_subject_and_says_how_sure_it_is(segmenter: Segmenter):
    photo, truth = toy()
    found = segmenter.find_subject(photo)
    assert overlap(found.mask, truth) > 0.9
    assert found.method in ("network", "grabcut") and 0 < found.score <= 1
    assert found.sure == (found.score >= SURE)


def test_a_box_and_a_click_are_hints_to_it():
    left, right = ellipse(150, 240, 60, 75, 35, 45), ellipse(150, 240, 180, 75, 38, 40)
    rgb = painted(left | right)
    hints = HintChannels.none(SIDE)
    hints.box(155 * SIDE / 240, 30 * SIDE / 150, 225 * SIDE / 240, 120 * SIDE / 150)
    view = SHIPPED.predict(rgb, hints)
    assert view is not None and view.logits.shape == (SIDE, SIDE) and 0 <= view.agreement <= 1
    solid = cv2.resize(view.logits, (240, 150)) > 0
    assert (solid & right).sum() > 5 * (solid & left).sum()


def test_what_it_saw_of_a_picture_without_hints_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch):
    network, asked = ShippedNetwork(), []
    assert network.problem == ""
    passes = network._passes

    def counted(rgb: np.ndarray, hints: HintChannels | None, sides: tuple[int, ...]) -> object:
        asked.append(tuple(sides))
        return passes(rgb, hints, sides)

    monkeypatch.setattr(network, "_passes", counted)
    rgb = toy()[0].rgb
    hints = HintChannels.none(SIDE)
    hints.box(0, 0, SIDE, SIDE)
    first, hinted, again = (
        network.predict(rgb),
        network.predict(rgb, hints, SMALL_SIDES),
        network.predict(rgb, None, SMALL_SIDES),
    )
    assert asked == [SIDES, SMALL_SIDES, ()]
    assert first is not None and hinted is not None and again is not None
    alone = ShippedNetwork().predict(rgb, None, SMALL_SIDES)
    assert alone is not None
    np.testing.assert_array_equal(again.logits, alone.logits)
    assert not np.array_equal(hinted.logits, again.logits)


def test_two_equal_subjects_are_both_offered(segmenter: Segmenter):
    left, right = ellipse(150, 240, 60, 75, 36, 42), ellipse(150, 240, 180, 75, 36, 42)
    photo = photo_from_pixels(painted(left | right))
    boxes = segmenter.find_subject(photo).boxes
    for shape in (left, right):
        xs = np.nonzero(shape)[1]
        assert any(abs(box.x0 - xs.min()) < 12 and abs(box.x1 - xs.max()) < 12 for box in boxes)


@pytest.mark.parametrize("shape", [ellipse(150, 200, 100, 160, 120, 120), ellipse(150, 200, 0, 75, 70, 60)])
def test_a_subject_that_leaves_the_frame(segmenter: Segmenter, shape: np.ndarray):
    photo = photo_from_pixels(painted(shape))
    ys, xs = np.nonzero(shape)
    found = segmenter.find_subject(photo, Hint(box=Box(xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)))
    assert overlap(found.mask, shape) > 0.9


def test_a_correction_obeys_and_changes_nothing_far_away(segmenter: Segmenter):
    photo, truth = toy()
    start = np.where(truth, 255, 0).astype(np.uint8)
    start[5:40, 5:40] = 255
    start[150:154, 200:204] = 77
    better = segmenter.refine_mask(photo, [Click(22, 22, include=False)], start=start)
    assert not (better[15:30, 15:30] >= 128).any()
    np.testing.assert_array_equal(better[150:154, 200:204], start[150:154, 200:204])


def test_a_segmenter_that_is_warm_reads_no_network_for_its_first_photo(monkeypatch: pytest.MonkeyPatch):
    network, things = ShippedNetwork(), KnownThings()
    segmenter = Segmenter(network=network, things=things)
    segmenter.warm_up()

    def refuse(*_: object) -> None:
        raise AssertionError("it was read already")

    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", refuse)
    assert segmenter.find_subject(toy()[0]).mask.any() and network.problem == things.problem == ""
    Segmenter(network=None, things=None).warm_up()


# Photos of nothing, and odd ones


@pytest.mark.parametrize(
    "rgb",
    [
        np.full((80, 100, 3), 128, np.uint8),
        np.repeat(np.linspace(120, 220, 90).astype(np.uint8)[:, None, None], 3, 2).repeat(120, 1),
    ],
    ids=["flat", "sky"],
)
def test_a_photo_of_nothing_is_never_called_right(segmenter: Segmenter, rgb: np.ndarray):
    try:
        assert not segmenter.find_subject(photo_from_pixels(rgb)).sure
    except SubjectNotFound as error:
        assert error.step == "Draw a box around the subject, or click it."


def line_drawing() -> Photo:
    rgb = np.full((160, 200, 3), 255, np.uint8)
    cv2.circle(rgb, (100, 80), 50, (0, 0, 0), 2)
    cv2.line(rgb, (60, 140), (140, 140), (0, 0, 0), 2)
    return photo_from_pixels(rgb)


def black_and_white() -> Photo:
    grey = cv2.cvtColor(toy()[0].rgb, cv2.COLOR_RGB2GRAY)
    return photo_from_pixels(np.dstack([grey] * 3))


@pytest.mark.parametrize(
    "photo",
    [
        line_drawing(),
        black_and_white(),
        photo_from_pixels(background(1, 1, (90, 130, 100))),
        photo_from_pixels(background(1, 300, (90, 130, 100))),
        photo_from_pixels(background(300, 2, (90, 130, 100))),
    ],
    ids=["lines", "grey", "pixel", "row", "column"],
)
def test_odd_photos_get_an_answer_or_a_sentence(segmenter: Segmenter, photo: Photo):
    height, width = photo.rgb.shape[:2]
    stroke = Stroke(((0.0, 0.0), (width - 1.0, height - 1.0)), 2.0)
    for hint in (Hint(), Hint(box=Box(0, 0, width, height)), Hint(clicks=(Click(0, 0),)), Hint(strokes=(stroke,))):
        try:
            assert segmenter.find_subject(photo, hint).mask.shape == (height, width)
        except SubjectNotFound as error:
            assert error.fact and error.step


@pytest.mark.long
def test_a_photo_of_a_hundred_megapixels(segmenter: Segmenter):
    rgb = np.full((10_000, 10_000, 3), (90, 120, 160), np.uint8)
    cv2.circle(rgb, (5_000, 5_200), 2_400, (200, 60, 40), -1)
    found = segmenter.find_subject(photo_from_pixels(rgb))
    assert found.mask.shape == (10_000, 10_000) and found.mask[5_200, 5_000] == 255 and found.mask[0, 0] == 0


# Where it cannot be used


def check_falls_back(network: ShippedNetwork, words: str, caplog: pytest.LogCaptureFixture) -> None:
    photo, _ = toy()
    with caplog.at_level(logging.WARNING):
        found = Segmenter(network=network).find_subject(photo)
        again = Segmenter(network=network).refine_mask(photo, [Click(88, 99)], start=found.mask)
    plain = Segmenter(network=None)
    np.testing.assert_array_equal(found.mask, plain.find_subject(photo).mask)
    np.testing.assert_array_equal(again, plain.refine_mask(photo, [Click(88, 99)], start=found.mask))
    assert found.method == "grabcut" and not found.sure
    assert words in network.problem
    warnings = [record for record in caplog.records if "colours and edges alone" in record.message]
    assert len(warnings) == 1


def test_a_missing_file(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    check_falls_back(ShippedNetwork(tmp_path), "missing or damaged", caplog)


@pytest.mark.parametrize("name", [NAME, JUDGE_NAME])
@pytest.mark.parametrize("keep", [0, 1000, -100])
def test_a_file_that_is_cut_short(folder: Path, name: str, keep: int, caplog: pytest.LogCaptureFixture):
    path = folder / name
    path.write_bytes(path.read_bytes()[:keep])
    network = ShippedNetwork(folder)
    assert "damaged" in network.problem and network.predict(np.zeros((9, 9, 3), np.uint8)) is None


def test_a_changed_byte(folder: Path, caplog: pytest.LogCaptureFixture):
    data = bytearray((folder / NAME).read_bytes())
    data[len(data) // 2] ^= 255
    (folder / NAME).write_bytes(data)
    check_falls_back(ShippedNetwork(folder), "is damaged", caplog)


def test_an_opencv_that_lacks_a_layer(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    def refuse(*_: object) -> None:
        raise cv2.error("unsupported layer")

    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", refuse)
    check_falls_back(ShippedNetwork(), "OpenCV", caplog)


def test_a_network_that_fails_while_it_runs(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    network = ShippedNetwork()
    assert network.problem == ""

    def fail(*_: object) -> None:
        raise cv2.error("out of memory")

    monkeypatch.setattr(network, "_passes", fail)
    check_falls_back(network, "cannot run", caplog)


def test_the_program_says_so_in_the_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from engine.planning import diagnosis
    from engine.preflight.shipped import network

    monkeypatch.setattr(network, "SHIPPED", ShippedNetwork(tmp_path))
    finding = diagnosis._cut_outs()
    assert not finding.good and "missing or damaged" in finding.fact and finding.step
