"""Files and models that are opened, and pictures saved larger: without a window, work in the background done at once."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColorSpace, QImage

from app.resources import resource
from app.session import enlargement
from app.session.enlargement import Enlargement
from app.session.subject_work import Loaded, OnDemand, compose, find, prepare, read_image
from app.session.values import PanelValues, default_dials
from engine.bundle import read_manifest
from engine.bundle.library import models_folder
from engine.bundle.records import Defaults
from engine.errors import Cancelled, EchoGenError, NotEnoughMemory, SubjectNotFound
from engine.photo.hints import Hint
from engine.photo.load import photo_from_pixels
from engine.photo.picture_file import save_picture
from engine.process.messages import Enlarged, EnlargingGoesOn, Failed
from engine.request import GenerationRequest
from engine.sentence import Sentence
from tests.app.session.test_controller import Session
from tests.app.walks.scripted_link import bits_of, picture_of
from tests.app.walks.small_segmenter import SmallSegmenter
from tests.app.walks.test_session_walk import at_once
from tests.e2e.paper import write_paper_bundle

__all__ = ["at_once"]
REQUEST = GenerationRequest("a ball", seed=5, bundle="paper@0")


@pytest.fixture
def one(at_once, tmp_path):
    session = Session(tmp_path / "profile")
    yield session
    session.die()


# Files


@pytest.fixture
def picture(tmp_path) -> Path:
    file = tmp_path / "ball.png"
    save_picture(file, picture_of(REQUEST), REQUEST, bits_of(REQUEST))
    return file


def test_a_picture_of_ours_is_shown_and_any_other_is_a_photo(one, picture, tmp_path):
    opened = []
    one.controller.files.pictureOpened.connect(opened.append)
    other = tmp_path / "photo.jpg"
    QImage(80, 60, QImage.Format.Format_RGB888).save(str(other))
    plain = tmp_path / "plain.png"
    QImage(90, 60, QImage.Format.Format_RGB888).save(str(plain))
    one.controller.files.open([picture, other, plain])
    assert [found.request for found in opened] == [REQUEST] and np.array_equal(opened[0].image, picture_of(REQUEST))
    assert [subject.title for subject in one.state.subjects][-2:] == ["photo.jpg", "plain.png"]
    assert one.errors == [] and one.notices == []


def test_a_picture_of_ours_whose_settings_are_damaged_is_a_photo_and_says_so(one, picture):
    data = bytearray(picture.read_bytes())
    at = data.index(b"EchoGen\0\1") + 40
    from zlib import crc32

    start = data.index(b"iTXt", at - 60)
    length = int.from_bytes(data[start - 4 : start], "big")
    data[at : at + 4] = b"\xff" * 4
    data[start + 4 + length : start + 8 + length] = crc32(data[start : start + 4 + length]).to_bytes(4, "big")
    picture.write_bytes(data)
    one.controller.files.open([picture])
    assert one.state.subject.title == "ball.png"
    assert one.notices == ["The settings in ball.png are damaged. It is opened as a photo."]


def test_a_file_that_cannot_be_opened_is_a_sentence(one, picture, monkeypatch):
    picture.write_bytes(picture.read_bytes()[:-200])
    one.controller.files.open([picture])
    assert len(one.errors) == 1 and "damaged" in one.errors[0]

    def broken(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("app.session.file_opener.carries_request", broken)
    one.controller.files.open([picture])
    assert one.errors[1].startswith("The file could not be opened: ") and "Input/output" in one.errors[1]


def test_the_same_photo_twice_is_one_subject_and_examples_make_room(one, tmp_path, qtbot):
    file = tmp_path / "a.png"
    QImage(80, 60, QImage.Format.Format_RGB888).save(str(file))
    one.subjects.reading.open_file(resource("examples", "duck_toy.webp"), "duck", example=True)
    first = one.state.subject
    assert first.example and first.name == "duck"
    qtbot.waitUntil(lambda: not one.subjects.reading.active)
    one.subjects.reading.open_file(file)
    assert [subject.title for subject in one.state.subjects] == ["", "a.png"], "the example made room"
    one.state.select_subject(0)
    one.subjects.reading.open_file(file)
    assert one.state.current == 1 and len(one.state.subjects) == 2


def test_of_several_photos_all_that_cannot_be_opened_are_said(one, tmp_path):
    errors = []
    one.subjects.failed.connect(errors.append)
    for name in ("a", "c", "d", "e"):
        (tmp_path / f"{name}.jpg").write_bytes(b"no photo")
    good = tmp_path / "b.png"
    Image.new("RGB", (64, 64), (200, 40, 40)).save(good)
    one.controller.files.open([tmp_path / "a.jpg", good, tmp_path / "c.jpg"])
    assert errors[0].title == "This is not a picture" and errors[-1].title == "2 photos cannot be opened"
    assert "a.jpg" in str(errors[-1]) and "c.jpg" in str(errors[-1])
    one.controller.files.open([tmp_path / f"{name}.jpg" for name in ("a", "c", "d", "e")])
    assert errors[-1].title == "4 photos cannot be opened"
    assert str(errors[-1]).endswith("1 more could not be opened.") and "e.jpg" not in str(errors[-1])
    one.controller.files.open([tmp_path / "e.jpg"])
    assert "e.jpg" in str(errors[-1]) and "a.jpg" not in str(errors[-1]), "those before are said"


def test_a_photo_that_cannot_be_read_is_a_sentence(one, tmp_path, monkeypatch):
    notices = []
    one.subjects.failed.connect(lambda error: notices.append(str(error)))
    one.subjects.reading.open_file(tmp_path / "missing.png")

    def broken(*_):
        raise ZeroDivisionError("of zero")

    monkeypatch.setattr("app.session.subject_work.load_photo", broken)
    one.subjects.reading.begin()
    one.subjects.reading.open_file(tmp_path / "a.png")
    assert len(notices) == 2 and "is not there" in notices[0]
    assert (
        notices[1] == "The photo could not be opened: of zero Choose another one." and not one.subjects.reading.active
    )


# Pasted pictures and the work of threads


def test_a_pasted_picture_keeps_its_transparency_and_comes_into_srgb():
    image = QImage(6, 5, QImage.Format.Format_ARGB32)
    image.fill(0x80EA3323)
    plain = read_image(image, "pasted")
    assert isinstance(plain, Loaded) and plain.photo.name == "pasted"
    assert plain.photo.alpha.shape == (5, 6) and (plain.photo.alpha == 128).all()
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    image.setColorSpace(QColorSpace(QColorSpace.NamedColorSpace.DisplayP3))
    wide = read_image(image, "pasted").photo
    assert wide.alpha is None and np.abs(wide.rgb[0, 0].astype(int) - (255, 0, 0)).max() <= 12


PHOTO = photo_from_pixels(np.full((64, 64, 3), 90, np.uint8))


def test_the_segmenter_is_made_once_when_it_is_needed():
    made = []

    def make():
        made.append(SmallSegmenter())
        return made[-1]

    segmenter = OnDemand(make)
    segmenter.close()
    assert made == []
    assert find(segmenter, 3, PHOTO, Hint("ball")).outcome.mask[32, 32] == 255
    assert isinstance(prepare(segmenter, PHOTO), Sentence)
    segmenter.close()
    assert len(made) == 1


@pytest.mark.parametrize(
    ("error", "notices"),
    [(SubjectNotFound(Sentence.row("Nothing there.")), "Nothing there."), (KeyError("x"), "could not be found: 'x'")],
)
def test_a_search_that_fails_is_an_error_of_ours(error, notices):
    class Failing(SmallSegmenter):
        def find_subject(self, photo, hint):
            raise error

    found = find(OnDemand(Failing), 3, PHOTO, Hint("ball"))
    assert isinstance(found.outcome, EchoGenError) and notices in str(found.outcome)


def test_a_mask_that_makes_no_cut_out_says_why():
    made = compose(3, 1, PHOTO, np.zeros((64, 64), np.uint8), 224, "fit", None)
    assert made.cut_out is None and "empty" in made.problem


# Models


def test_a_model_that_is_gone_gives_way_to_the_one_that_ships(one):
    one.state.update_settings(bundle="elsewhere")
    one.controller.models.open()
    assert one.notices == ["The chosen model is gone; the small one is used"]
    assert one.state.engine.manifest.name == "mini" and one.errors == []


def test_no_model_at_all_is_a_sentence(one, monkeypatch):
    from engine.errors import BundleError

    def none(_):
        raise BundleError(Sentence.row("There is none."))

    monkeypatch.setattr("app.session.model_opener.resolve_bundle", none)
    one.controller.models.open()
    assert one.errors == ["There is none."] and one.state.engine.phase == "failed"


def test_another_setting_opens_the_model_again_and_others_do_not(one, monkeypatch):
    opened = []
    monkeypatch.setattr(one.queue, "open", lambda *asked: opened.append(asked))
    one.state.update_settings(memory="low")
    assert opened == [], "none is open"
    one.controller.models.open()
    one.state.update_settings(previews=False)
    one.state.update_settings(device="cpu")
    one.controller.models.restart()
    assert [asked[1:] for asked in opened] == [("auto", "low"), ("cpu", "low"), ("cpu", "low")]


def test_dials_nobody_moved_follow_the_model(one, tmp_path):
    mini = read_manifest(resource("mini"))
    write_paper_bundle(tmp_path / "paper")
    one.controller.models.use_defaults()  # no model is known: they stay as they are
    one.state.update_settings(bundle="")
    one.controller.models.open()
    assert one.state.values.prompt_strength == PanelValues().prompt_strength, "a session's own dials are not touched"
    one.controller.models.use_defaults()
    assert default_dials(mini).items() <= vars(one.state.values).items()
    assert mini.defaults != Defaults()
    one.state.update_values(subject_strength=4.5)
    one.state.update_settings(bundle=str(tmp_path / "paper"))
    values = one.state.values
    assert (values.prompt_strength, values.temperature) == (Defaults().prompt_strength, Defaults().temperature)
    assert values.subject_strength == 4.5, "this one was moved by hand"


def test_models_that_come_and_go_are_found_and_the_open_one_stays(one, tmp_path):
    told = []
    one.controller.models.bundlesChanged.connect(lambda: told.append(True))
    elsewhere = tmp_path / "stick" / "mini"
    shutil.copytree(resource("mini"), elsewhere)
    one.state.update_settings(bundle=str(elsewhere))
    one.controller.models.open()
    bundles = one.controller.models.bundles
    assert [bundle.folder for bundle in bundles if bundle.folder == elsewhere] == [elsewhere]
    models_folder().mkdir(parents=True)
    shutil.copytree(elsewhere, models_folder() / "other")
    one.controller.models.search()
    folders = [bundle.folder for bundle in one.controller.models.bundles]
    assert elsewhere in folders and models_folder() / "other" in folders and told == [True]
    one.state.update_settings(bundle="")
    one.controller.models.search()
    assert elsewhere not in [bundle.folder for bundle in one.controller.models.bundles]


# Larger


class FakeEnlarging:
    def __init__(self, work, told):
        self.work, self.told, self.did = work, told, []

    def cancel(self):
        self.did.append("cancel")

    def close(self):
        self.did.append("close")


class Work:
    def __init__(self, target: Path) -> None:
        self.target = target


def test_one_picture_at_a_time_is_saved_larger_and_every_end_is_told(qapp, monkeypatch, tmp_path):
    monkeypatch.setattr(enlargement, "Enlarging", FakeEnlarging)
    larger, done, errors = Enlargement(), [], []
    larger.done.connect(lambda target, _: done.append(target))
    larger.failed.connect(lambda error: errors.append(str(error)))

    def tell(message) -> FakeEnlarging:
        child = larger._child
        child.told(message)
        QCoreApplication.processEvents()
        return child

    larger.stop()  # nothing goes on
    larger.close()
    larger.begin(Work(tmp_path / "a.png"))
    larger.begin(Work(tmp_path / "b.png"))
    assert larger.busy and larger._child.work.target.name == "a.png"
    tell(EnlargingGoesOn(0.5))
    assert larger.share == 0.5
    child = tell(Enlarged(64, 64, "network"))
    assert done == [tmp_path / "a.png"] and not larger.busy and child.did == ["close"]
    child.told(EnlargingGoesOn(0.9))  # of a child that has ended
    QCoreApplication.processEvents()
    assert larger.share == 0.5

    larger.begin(Work(tmp_path / "c.png"))
    tell(Failed(None, NotEnoughMemory(Sentence.row("Too little."), Sentence.row("Less.")), ""))
    larger.begin(Work(tmp_path / "d.png"))
    larger.stop()
    assert tell(Failed(None, Cancelled(), "")).did == ["cancel", "close"]
    assert errors == ["Too little. Less."], "nothing is told of what the user stopped"
    larger.begin(Work(tmp_path / "e.png"))
    child = larger._child
    larger.close()
    assert child.did == ["cancel", "close"] and not larger.busy


def test_models_that_the_start_has_found_are_not_looked_for_again(one, monkeypatch):
    models = one.controller.models
    models.find()
    monkeypatch.setattr(models, "_opened", None)  # as at a start
    monkeypatch.setattr(models, "find", lambda: pytest.fail("looked for again"))
    models.open()
    assert models.bundles and one.controller.state.engine.folder is not None
