"""What knows things by name: which words it knows, where it sees them, and that nothing is lost without it."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.photo.hints import Hint
from engine.photo.load import photo_from_pixels
from engine.preflight import segmenter as segmenter_module
from engine.preflight.colours.marks import Marks
from engine.preflight.colours.working_photo import WorkingPhoto
from engine.preflight.segmenter import Segmenter
from engine.preflight.shipped.candidates import by_itself
from engine.preflight.shipped.channels import EARLIER, INCLUDE, HintChannels
from engine.preflight.shipped.network import SHIPPED, SIDE
from engine.preflight.shipped.things import FOLDER, NAME, THINGS, WORDS_NAME, Evidence, KnownThings
from tests.engine.preflight.scenes import ellipse, overlap, painted, toy
from tests.engine.preflight.shipped.test_candidates import Told

_UNUSED = "The name has no effect on the cut-out"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the files to break."""
    for name in (NAME, WORDS_NAME):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("my red backpack", {414}),
        ("teapots", {849}),
        ("Tabby cat", {281}),
        ("a corgi with a ball", {263, 264}),
        ("alarm clock", {409, 530, 892}),
        ("grey sloth plushie", {850}),
        ("cup of tea", {647, 968}),
        ("duck toy", set()),
        ("gizmo", set()),
        ("背包", set()),
        ("", set()),
    ],
)
def test_words_of_a_name(name: str, classes: set[int]):
    assert set(THINGS.classes(name)) == classes


def test_kinds_of_a_word():
    assert set(THINGS.classes("dog")) >= {151, 268} and 281 not in THINGS.classes("dog")


def test_evidence_is_where_the_class_is():
    maps = np.zeros((10, 4, 4), np.float32)
    maps[3, 1, 2], maps[7, 3, 0] = 40, 30
    evidence = Evidence(maps)
    assert np.unravel_index(evidence.of().argmax(), (4, 4)) == (1, 2)
    assert np.unravel_index(evidence.of((7, 8)).argmax(), (4, 4)) == (3, 0)
    assert abs(evidence.of().mean()) < 1e-6 and abs(evidence.of().std() - 1) < 1e-5
    assert not Evidence(np.zeros((10, 4, 4), np.float32)).of((2,)).any()


def test_a_thing_is_shown_where_its_place_may_show_it_however_small_its_share():
    maps = np.zeros((1000, 4, 4), np.float32)
    maps[3, 1, 2], maps[5] = 8, 12
    evidence = Evidence(maps)
    assert evidence.share((3,)) < 1e-4
    # At the one place .018 for itself, and the place is of another class.
    assert not evidence.shows((3,)) and evidence.shows((3, 5)) and not evidence.shows(())
    maps[3, 1, 2] = 9
    assert Evidence(maps).shows((3,)) and not Evidence(maps).shows((4,))


def _two_things() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A small orange thing beside a large blue one; the picture and both things, bool (H, W)."""
    small, large = ellipse(240, 320, 262, 70, 36, 36), ellipse(240, 320, 110, 130, 74, 90)
    rgb = painted(large, (50, 70, 190))
    rgb[small] = painted(small, (240, 130, 40))[small]
    return rgb, small, large


class _OrangeBackpacks(KnownThings):
    """Takes all that is orange for a backpack, and knows nothing else by sight."""

    def see(self, rgb: np.ndarray) -> Evidence:
        orange = (rgb[..., 0].astype(int) - rgb[..., 2] > 120).astype(np.float32)
        maps = np.zeros((1000, 8, 8), np.float32)
        maps[414] = 12 * cv2.resize(orange, (8, 8), interpolation=cv2.INTER_AREA)
        return Evidence(maps)


def test_the_thing_that_is_named_is_found_beside_what_stands_out():
    rgb, small, large = _two_things()
    shapes = [cv2.resize(one.astype(np.uint8), (SIDE, SIDE)) > 0 for one in (small, large)]

    def sees(hints: HintChannels | None) -> np.ndarray:
        """Where it is clicked, what is there; what stands out otherwise, and again what it is shown as the mask so far."""
        if hints is None:
            return shapes[1]
        so_far = hints.channels[EARLIER]
        return so_far > 0.5 if so_far.any() else shapes[0 if (hints.channels[INCLUDE] * shapes[0]).any() else 1]

    segmenter, photo = Segmenter(network=Told(sees), things=_OrangeBackpacks()), photo_from_pixels(rgb)
    assert overlap(segmenter.find_subject(photo, Hint(name="gizmo")).mask, large) > 0.9
    named = segmenter.find_subject(photo, Hint(name="backpack"))
    assert overlap(named.mask, small) > 0.9 and not any(_UNUSED in note for note in named.notes)


def test_a_known_word_for_what_the_photo_does_not_show_changes_nothing_and_says_so():
    photo = photo_from_pixels(_two_things()[0])
    segmenter = Segmenter()
    plain, named = segmenter.find_subject(photo), segmenter.find_subject(photo, Hint(name="monster"))
    assert THINGS.classes("monster")
    np.testing.assert_array_equal(named.mask, plain.mask)
    assert named.sure or any(_UNUSED in note for note in named.notes)


def test_a_name_takes_no_answer_away(monkeypatch: pytest.MonkeyPatch):
    photo, shape = toy()
    segmenter = Segmenter()
    monkeypatch.setattr(Evidence, "shows", lambda self, classes: True)
    judged = segmenter_module._shows_nothing
    answers: list[bool] = []

    def nothing_at_first(*given: Any) -> bool:
        answers.append(judged(*given) or not answers)
        return answers[-1]

    monkeypatch.setattr(segmenter_module, "_shows_nothing", nothing_at_first)
    found = segmenter.find_subject(photo, Hint(name="toaster"))
    assert overlap(found.mask, shape) > 0.9 and answers[:2] == [True, False]
    assert found.sure or any(_UNUSED in note for note in found.notes)


def test_a_ball_is_seen_where_it_lies():
    rgb = np.full((240, 320, 3), (70, 120, 60), np.uint8)
    cv2.circle(rgb, (250, 60), 34, (240, 130, 40), -1, cv2.LINE_AA)
    cv2.circle(rgb, (240, 50), 9, (255, 210, 160), -1, cv2.LINE_AA)
    found = THINGS.see(rgb)
    assert found is not None and found.maps.shape == (1000, 8, 8)
    places = found.of(THINGS.classes("ping-pong ball"))
    y, x = np.unravel_index(int(places.argmax()), places.shape)
    assert x >= 4 and y <= 4


def test_an_unknown_name_is_said_to_have_no_effect():
    photo, _ = toy()
    named = Segmenter().find_subject(photo, Hint(name="gizmo"))
    assert any(_UNUSED in note for note in named.notes) == (not named.sure)


def test_of_two_things_the_one_that_is_shown_is_chosen():
    left, right = ellipse(150, 240, 60, 75, 36, 42), ellipse(150, 240, 180, 75, 36, 42)
    working = WorkingPhoto(photo_from_pixels(painted(left | right)))
    plain = by_itself(working, SHIPPED, Marks(), list)
    assert plain is not None and len(plain) > 2
    for shape in (left, right):
        places = cv2.resize(shape.astype(np.float32), (8, 8), interpolation=cv2.INTER_AREA)
        found = by_itself(working, SHIPPED, Marks(), list, (places - places.mean()) / places.std())
        assert found is not None
        box, xs = found[0].box(), np.nonzero(shape)[1]
        assert abs(box.x0 - xs.min()) < 12 and abs(box.x1 - xs.max()) < 12


# Where it cannot be used


@pytest.mark.parametrize("name", [NAME, WORDS_NAME])
@pytest.mark.parametrize("keep", [None, 0, 1000])
def test_a_file_that_is_missing_or_cut_short(
    folder: Path, name: str, keep: int | None, caplog: pytest.LogCaptureFixture
):
    path = folder / name
    path.unlink() if keep is None else path.write_bytes(path.read_bytes()[:keep])
    things = KnownThings(folder)
    with caplog.at_level(logging.WARNING):
        assert things.see(np.zeros((9, 9, 3), np.uint8)) is None and things.classes("toaster") == ()
    assert "damaged" in things.problem
    assert len([one for one in caplog.records if "Names have no effect" in one.message]) == 1


def test_without_it_the_estimate_alone_chooses(tmp_path: Path):
    photo, _ = toy()
    found = Segmenter(things=KnownThings(tmp_path)).find_subject(photo, Hint(name="toaster"))
    np.testing.assert_array_equal(found.mask, Segmenter(things=None).find_subject(photo).mask)
    assert found.sure or any(_UNUSED in note for note in found.notes)


def test_an_opencv_that_lacks_a_layer(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise cv2.error("unsupported layer")

    monkeypatch.setattr(cv2.dnn, "readNetFromONNX", refuse)
    things = KnownThings()
    assert things.see(np.zeros((9, 9, 3), np.uint8)) is None and "OpenCV" in things.problem


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 300, 3), (700, 3, 3)])
def test_odd_pictures(shape: tuple[int, int, int]):
    found = THINGS.see(np.full(shape, 90, np.uint8))
    assert found is not None and np.isfinite(found.of()).all()


def test_the_program_says_so_in_the_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from engine.planning import diagnosis
    from engine.preflight.shipped import things

    assert diagnosis._cut_outs().good
    monkeypatch.setattr(things, "THINGS", KnownThings(tmp_path))
    finding = diagnosis._cut_outs()
    assert not finding.good and "by name is missing or damaged" in finding.fact and finding.step
