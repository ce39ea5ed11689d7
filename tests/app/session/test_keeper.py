"""The values of the panel in the session: written as JSON, and back."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from app.session import coming_subjects
from app.session.keeper import SessionKeeper
from app.session.state import SessionState
from app.session.values import PanelValues
from app.store.assets import AssetStore
from app.store.saved_session import SavedSession, SavedSubject, SessionStore
from app.store.settings import SettingsStore
from app.system import background
from engine import CannotWrite, Sentence
from engine.photo import Box, cut_out, mask_digest, photo_from_pixels
from engine.photo.hints import SubjectProposal
from engine.placement import Placement
from engine.region import PhotoWindow, Region
from engine.request import CutOut, ScaleBits
from tests.app.fake_bundle import fake_bundle
from tests.app.settled import settle

KEPT = ScaleBits(tuple(np.ones((n, n, 5), np.uint8) for n in (1, 2, 3)))
PLACE = Placement(0.3, 0.6, 0.4, 10.0, True)
ELSEWHERE = Placement(0.7, 0.6, 0.4)
VALUES = PanelValues(
    (1.0, 2.0),
    2.5,
    3.5,
    0.8,
    0.9,
    (64, 48),
    2,
    True,
    77,
    True,
    prompt="a robot",
    negative_prompt="rain",
    kept=KEPT,
    placement=PLACE,
)


@pytest.fixture
def keeper(qapp, tmp_path):
    state = SessionState()
    keeper = SessionKeeper(
        state,
        SessionStore(tmp_path / "session.json"),
        SettingsStore(tmp_path / "settings.json"),
        AssetStore(tmp_path / "assets"),
        dict,
        state,
    )
    yield keeper
    keeper._timer.stop()


def test_every_value_comes_back_from_disk(keeper):
    keeper._state.set_values(VALUES)
    keeper.save()
    keeper._state.set_values(PanelValues())
    assert keeper.restore(keeper.load())
    assert keeper._state.values == VALUES


@pytest.mark.parametrize("damage", ["junk", [], [{"shape": [1, 1, 5], "bits": "%%%"}], [{"shape": [10**9, 1, 5]}], 7])
def test_damaged_kept_scales_are_let_go_and_the_rest_comes_back(keeper, damage, tmp_path):
    keeper._state.set_values(VALUES)
    keeper.save()
    file = tmp_path / "session.json"
    session = json.loads(file.read_text(encoding="utf-8"))
    assert session["controls"]["kept"] == KEPT.to_json()
    session["controls"]["kept"] = damage
    file.write_text(json.dumps(session), encoding="utf-8")
    keeper._state.set_values(PanelValues())
    keeper.restore(keeper.load())
    assert keeper._state.values.kept is None
    assert keeper._state.values.prompt == "a robot" and keeper._state.values.seed == 77


@pytest.mark.parametrize("damage", ["junk", {"x": 0.5}, {"x": 9, "y": 0, "size": 1}, {"x": "a", "y": 0, "size": 1}, 7])
def test_a_damaged_place_is_let_go_and_the_rest_comes_back(keeper, damage, tmp_path):
    keeper._state.set_values(VALUES)
    keeper.save()
    file = tmp_path / "session.json"
    session = json.loads(file.read_text(encoding="utf-8"))
    assert session["controls"]["placement"] == PLACE.to_json()
    session["controls"]["placement"] = damage
    file.write_text(json.dumps(session), encoding="utf-8")
    keeper._state.set_values(PanelValues())
    keeper.restore(keeper.load())
    assert keeper._state.values.placement is None and keeper._state.values.seed == 77


def test_the_session_has_the_newest_mask_whichever_was_written_first(keeper, qtbot, monkeypatch):
    """Two threads write: a larger file may be done after one that was begun later."""
    first, second = np.zeros((8, 8), np.uint8), np.full((8, 8), 255, np.uint8)
    written, save = threading.Event(), keeper._assets.save_mask

    def save_first_last(mask: np.ndarray) -> str:
        if mask is first:
            written.wait(10)
            time.sleep(0.1)
        digest = save(mask)
        written.set()
        return digest

    monkeypatch.setattr(keeper._assets, "save_mask", save_first_last)
    subject = keeper._state.add_subject(photo=photo_from_pixels(np.zeros((8, 8, 3), np.uint8)), mask=first)
    keeper._state.update_subject(subject.key, mask=second)
    settle(qtbot)
    assert [described.mask for described in keeper.session().subjects] == [mask_digest(second)]


def test_typing_on_does_not_put_saving_off(keeper, qtbot):
    keeper._state.update_values(prompt="a")
    left = keeper._timer.remainingTime()
    qtbot.wait(60)
    keeper._state.update_values(prompt="a r")
    assert keeper._timer.isActive() and keeper._timer.remainingTime() <= left - 30
    qtbot.waitUntil(lambda: keeper._store.load().prompt == "a r", timeout=1000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", 9),
        ("count", "2"),
        ("count", 1.5),
        ("prompt_strength", "strong"),
        ("subject_strength", {"a": 1}),
        ("temperature", [1.0, "x"]),
        ("top_p", 7),
        ("size", [64]),
        ("seed", 1e300),
        ("seed_locked", "yes"),
        ("kept", [{"shape": [1e999, 1, 1], "bits": ""}]),
    ],
)
def test_one_wrong_control_costs_only_itself(keeper, tmp_path, name, value):
    keeper._state.set_values(VALUES)
    keeper.save()
    file = tmp_path / "session.json"
    session = json.loads(file.read_text(encoding="utf-8"))
    session["controls"][name] = value
    file.write_text(json.dumps(session), encoding="utf-8")
    keeper._state.set_values(PanelValues())
    keeper.restore(keeper.load())
    assert keeper._state.values == replace(VALUES, **{name: getattr(PanelValues(), name)})
    keeper._state.update_values(prompt="another")
    keeper.save()
    assert keeper._store.load().prompt == "another", "and it is saved again"


def test_a_session_that_cannot_be_described_keeps_nobody_from_saving_the_settings(keeper, monkeypatch):
    monkeypatch.setattr(keeper, "session", lambda: 1 / 0)
    keeper._state.update_settings(theme="dark")
    keeper.close()
    assert keeper._settings.load().theme == "dark"


@pytest.mark.parametrize("framing", ["fit", "reference"])
def test_a_recalled_cut_out_keeps_its_framing_over_a_restart(keeper, qtbot, framing):
    wanted = CutOut(np.full((8, 8, 4), 200, np.uint8), framing, cut_below=framing == "fit", cut_beside="right")
    keeper._state.add_subject(cut_out=wanted, name="duck")
    keeper.save()
    keeper._state.remove_subject(keeper._state.subject.key)
    assert keeper.restore(keeper.load())
    qtbot.waitUntil(lambda: keeper._state.subject is not None)
    assert keeper._state.subject.cut_out == wanted


@pytest.mark.parametrize(("sure", "corrected"), [(False, False), (False, True), (True, False)])
def test_an_unsure_cut_out_is_one_after_a_restart_too_until_it_is_corrected(keeper, qtbot, sure, corrected):
    photo = photo_from_pixels(np.full((16, 16, 3), 90, np.uint8), name="thing.png")
    found, mask = np.zeros((16, 16), np.uint8), np.zeros((16, 16), np.uint8)
    found[4:12, 4:12] = mask[4:12, 4:12] = 255
    mask[0, 0] = 255 * corrected
    proposal = SubjectProposal("thing", (), found, 0.7, sure=sure)
    keeper._state.add_subject(photo=photo, mask=mask, automatic=found, proposal=proposal)
    for _ in range(2):  # and after the next restart
        keeper.keep_assets_now()
        keeper.save()
        keeper._state.remove_subject(keeper._state.subject.key)
        assert keeper.restore(keeper.load())
        qtbot.waitUntil(lambda: keeper._state.subject is not None and keeper._state.subject.photo is not None)
        assert keeper._state.subject.unsure == (not sure and not corrected)


def restarted(keeper, qtbot):
    """The subject after a restart, with its photo."""
    keeper.keep_assets_now()
    keeper.save()
    keeper._state.remove_subject(keeper._state.subject.key)
    assert keeper.restore(keeper.load())
    qtbot.waitUntil(lambda: keeper._state.subject is not None and keeper._state.subject.photo is not None)
    return keeper._state.subject


@pytest.mark.parametrize("sure", [False, True])
def test_what_the_search_said_comes_back_with_its_candidates(keeper, qtbot, sure):
    photo, found = photo_from_pixels(np.full((16, 16, 3), 90, np.uint8)), np.zeros((16, 16), np.uint8)
    found[4:12, 4:12] = 255
    boxes = (Box(4, 4, 12, 12, 0.9), Box(0, 1, 3, 4, 0.5))
    proposal = SubjectProposal("thing", boxes, found, 0.87, sure=sure)
    keeper._state.add_subject(photo=photo, mask=found.copy(), automatic=found, proposal=proposal, name="thing")
    for _ in range(2):  # and after the next restart
        back = restarted(keeper, qtbot)
        assert back.proposal.boxes == boxes and back.proposal.sure == sure and back.proposal.score == 0.87
        assert np.array_equal(back.proposal.mask, found) and back.automatic is back.mask


def test_a_corrected_cut_out_is_one_after_a_restart_too(keeper, qtbot):
    photo, found = photo_from_pixels(np.full((16, 16, 3), 90, np.uint8)), np.zeros((16, 16), np.uint8)
    found[4:12, 4:12] = 255
    proposal = SubjectProposal("thing", (Box(4, 4, 12, 12),), found, 0.87, sure=True)
    keeper._state.add_subject(photo=photo, mask=255 - found, automatic=found, proposal=proposal)
    for _ in range(2):  # and after the next restart
        back = restarted(keeper, qtbot)
        assert back.corrected and back.score == 0.87 and back.proposal is None


def with_region() -> PanelValues:
    mask = np.zeros((24, 32), np.uint8)
    mask[4:12, 8:20] = 255
    picture = np.random.default_rng(1).integers(0, 256, (24, 32, 3), np.uint8)
    window = PhotoWindow(10, 20, 64, 48, 400, 300, "a" * 64)
    return replace(VALUES, region=Region(mask, picture, 1, window))


def test_a_region_comes_back_with_its_scales(keeper, qtbot, tmp_path):
    keeper._state.set_values(with_region())
    qtbot.waitUntil(lambda: "region" in keeper._store.load().controls)
    session = (tmp_path / "session.json").read_text(encoding="utf-8")
    assert len(session) < 4000, "its picture lies elsewhere"
    assert len(keeper.assets(keeper._store.load())) == 2
    keeper._state.set_values(PanelValues())
    keeper.restore(keeper.load())
    assert keeper._state.values == with_region()


def test_what_could_not_be_written_is_tried_again(keeper, qtbot, monkeypatch):
    """A disk that was full had no room for the photo before the end, however long there was room again."""

    def full(*_):
        raise CannotWrite(Sentence("The disk is full."))

    with monkeypatch.context() as patched:
        for save in ("save_photo", "save_mask"):
            patched.setattr(keeper._assets, save, full)
        photo = photo_from_pixels(np.zeros((8, 8, 3), np.uint8))
        keeper._state.add_subject(photo=photo, mask=np.full((8, 8), 255, np.uint8))
        keeper._state.set_values(with_region())
        settle(qtbot)
    assert keeper._again.isActive() and not keeper.session().subjects
    keeper._state.update_values(prompt="a word more")
    settle(qtbot)
    assert not keeper.session().subjects, "not with every change: a photo is large"
    keeper._again.timeout.emit()
    settle(qtbot)
    described = keeper.session()
    assert [subject.mask for subject in described.subjects] == [mask_digest(np.full((8, 8), 255, np.uint8))]
    assert "region" in described.controls


@pytest.mark.parametrize("damage", ["junk", {}, {"picture": 3, "mask": "x"}, "window", "gone"])
def test_a_damaged_region_is_let_go_with_its_scales_and_the_rest_comes_back(keeper, qtbot, tmp_path, damage):
    keeper._state.set_values(with_region())
    keeper.keep_assets_now()
    keeper.save()
    settle(qtbot)  # the pool writes the same files, and would put back the one that goes
    file = tmp_path / "session.json"
    session = json.loads(file.read_text(encoding="utf-8"))
    if damage == "gone":
        next((tmp_path / "assets").glob("*.mask.png")).unlink()
    elif damage == "window":
        session["controls"]["region"]["window"] = {"x": 0, "y": 0, "width": -1, "height": 5}
    else:
        session["controls"]["region"] = damage
    file.write_text(json.dumps(session), encoding="utf-8")
    keeper._state.set_values(PanelValues())
    keeper.restore(keeper.load())
    values = keeper._state.values
    assert values.region is None and values.kept is None and values.prompt == "a robot" and values.seed == 77


def test_a_region_that_is_not_on_the_disk_yet_is_left_out_with_its_scales(keeper, monkeypatch):
    monkeypatch.setattr("app.session.kept_region.background.run", lambda *rest, **named: None)
    keeper._state.set_values(with_region())
    assert not {"region", "kept"} & keeper.session().controls.keys()


def test_what_is_gone_of_a_session_is_left_out_and_the_rest_comes_back(keeper, qtbot):
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    photo = photo_from_pixels(pixels, name="cat.png")
    state, assets = keeper._state, keeper._assets
    digest = assets.save_photo(photo)
    other = assets.save_mask(np.zeros((4, 4), np.uint8))
    saved = SavedSession(
        subjects=(
            SavedSubject(photo="0" * 64, name="gone"),
            SavedSubject(photo=digest, mask=other, name="cat", title="cat.png"),
        ),
        current=0,
    )
    told: list[bool] = []
    keeper.fetching.connect(told.append)
    keeper.restore(saved)
    assert told == [True], "a large photo takes its time: the window says that it is opened"
    qtbot.waitUntil(lambda: told == [True, False] and state.subject.photo is not None)
    assert len(state.subjects) == 1
    assert state.subject.name == "cat" and state.subject.mask is None, "a mask of another size is none"
    keeper._fetched(([], -1))
    keeper._not_fetched(OSError("gone"))
    assert len(state.subjects) == 1 and not keeper._on_its_way


def left(keeper, qtbot, *names: str, places=()) -> None:
    """A session with a photo and its cut-out for each name, saved, and off the shelf again."""
    state = keeper._state
    for number, name in enumerate(names):
        pixels = np.random.default_rng(number).integers(0, 255, (900, 700, 3)).astype(np.uint8)
        mask = np.zeros((900, 700), np.uint8)
        mask[200:600, 100:500] = 255
        photo = photo_from_pixels(pixels, name=f"{name}.png")
        state.add_subject(photo=photo, mask=mask, cut_out=cut_out(photo, mask, 256), name=name, title=photo.name)
        state.update_values(placement=places[number] if places else None)
    keeper.keep_assets_now()
    qtbot.waitUntil(lambda: len(list(keeper._assets.folder.glob("*.cutout.json"))) == len(names))
    qtbot.waitUntil(lambda: not background.busy())
    keeper.save()
    for subject in state.subjects:
        state.remove_subject(subject.key, for_good=True)


@pytest.fixture
def held(keeper, monkeypatch):
    """Photos are read only when the test says so: the work, and what hears of it, as arguments of ``background.run``. A session of
    the test before may still be reading."""
    run, works = background.run, []

    def hold(work, *arguments, **named):
        if work is coming_subjects._read and arguments[0] is keeper._assets:
            works.append((work, arguments, named))
        else:
            run(work, *arguments, **named)

    monkeypatch.setattr(coming_subjects.background, "run", hold)
    return works


def read_next(held) -> None:
    work, arguments, named = held.pop(0)
    named["done"](work(*arguments))


def test_the_shelf_is_back_before_its_photos_are_read_and_can_be_drawn(keeper, qtbot, held):
    left(keeper, qtbot, "duck", "boat")
    state = keeper._state
    keeper.restore(keeper.load())
    qtbot.waitUntil(lambda: len(state.subjects) == 2)
    shown = state.subject
    assert shown.name == "boat" and shown.photo is None and shown.coming
    assert shown.cut_out is not None and (shown.cut_out.photo, len(shown.cut_out.pixels)) == (shown.coming, 256)
    assert max(shown.preview.shape) == 528 and state.readiness().has_subject
    read_next(held)
    assert state.subject.photo.digest == shown.coming and state.subject.mask is not None, "the current one is first"
    assert not state.subject.coming and state.subject.preview is None and state.subject.cut_out is shown.cut_out
    assert state.subjects[0].coming and not held[1:]
    read_next(held)
    assert state.subjects[0].photo is not None and not held


@pytest.mark.parametrize("damage", [None, "junk", {"x": 9}, "earlier version"])
def test_every_subject_comes_back_with_its_place(keeper, qtbot, tmp_path, damage):
    state = keeper._state
    left(keeper, qtbot, "cat", "dog", places=(ELSEWHERE, PLACE))
    file = tmp_path / "session.json"
    session = json.loads(file.read_text(encoding="utf-8"))
    for subject in session["subjects"] if damage == "earlier version" else ():
        del subject["placement"]
    if damage not in (None, "earlier version"):
        session["subjects"][0]["placement"] = damage
    file.write_text(json.dumps(session), encoding="utf-8")
    keeper.restore(keeper.load())
    state.add_subject(name="mug")
    assert state.values.placement is None, "opened before the shelf is back: another subject"
    qtbot.waitUntil(lambda: len(state.subjects) == 3)
    assert state.subject.name == "mug" and state.values.placement is None
    state.select_subject(1)
    assert state.subject.name == "dog" and state.values.placement == PLACE
    state.select_subject(0)
    assert state.values.placement == (None if damage else ELSEWHERE)


def test_what_is_typed_while_photos_are_read_is_saved_and_so_is_the_shelf(keeper, qtbot, held):
    left(keeper, qtbot, "duck", "boat")
    before = keeper.load()
    keeper.restore(before)
    qtbot.waitUntil(lambda: len(keeper._state.subjects) == 2)
    keeper._state.update_values(prompt="on the moon")
    keeper._state.update_subject(keeper._state.subject.key, name="ship")
    keeper.keep_assets_now()
    keeper.save()
    after = keeper._store.load()
    assert after.prompt == "on the moon" and [one.name for one in after.subjects] == ["duck", "ship"]
    assert [(one.photo, one.mask) for one in after.subjects] == [(one.photo, one.mask) for one in before.subjects]


def test_another_one_that_is_chosen_is_read_next_and_one_taken_off_when_it_comes_back(keeper, qtbot, held):
    left(keeper, qtbot, "duck", "boat", "mug")
    state = keeper._state
    keeper.restore(keeper.load())
    qtbot.waitUntil(lambda: len(state.subjects) == 3)
    state.select_subject(1)
    off = state.subjects[0].key
    state.remove_subject(off)
    read_next(held)
    read_next(held)
    assert [one.photo is not None for one in state.subjects] == [True, True] and not held
    state.bring_back_subject()
    read_next(held)
    assert state.subject.key == off and state.subject.photo is not None


def test_one_taken_off_while_its_photo_is_read_stays_off_and_the_next_is_read(keeper, qtbot, held):
    left(keeper, qtbot, "duck", "boat")
    state = keeper._state
    keeper.restore(keeper.load())
    qtbot.waitUntil(lambda: len(state.subjects) == 2)
    state.remove_subject(state.subject.key, for_good=True)
    read_next(held)
    assert [subject.name for subject in state.subjects] == ["duck"] and state.subject.coming
    read_next(held)
    assert state.subject.photo is not None and not held


def test_a_cut_out_for_a_model_of_another_size_goes_when_its_photo_is_there(keeper, qtbot, held, tmp_path):
    left(keeper, qtbot, "duck")
    state = keeper._state
    keeper.restore(keeper.load())
    qtbot.waitUntil(lambda: state.subject is not None)
    assert len(state.subject.cut_out.pixels) == 256
    state.update_engine(manifest=fake_bundle(tmp_path / "small"))
    assert state.reference_size == 56
    read_next(held)
    assert state.subject.photo is not None and state.subject.mask is not None, "enough to cut it out anew"
    assert state.subject.cut_out is None


@pytest.mark.parametrize("with_cut_out", [True, False])
def test_a_photo_that_turns_out_damaged_leaves_its_cut_out_or_goes(keeper, qtbot, held, with_cut_out):
    left(keeper, qtbot, "duck")
    for file in keeper._assets.folder.glob("*.photo.png"):
        file.write_bytes(b"damaged")
    if not with_cut_out:
        for file in keeper._assets.folder.glob("*.cutout.json"):
            file.write_bytes(b"{}")
    keeper.restore(keeper.load())
    qtbot.waitUntil(lambda: keeper._state.subject is not None)
    read_next(held)
    subject = keeper._state.subject
    assert (subject is not None) == with_cut_out
    if subject is not None:
        assert subject.cut_out is not None and not subject.coming and subject.preview is None
    assert not keeper._state.bring_back_subject()


def test_a_failure_of_the_disk_is_logged_and_the_next_choice_reads_on(keeper, qtbot, held, caplog):
    left(keeper, qtbot, "duck", "boat")
    keeper.restore(keeper.load())
    qtbot.waitUntil(lambda: len(keeper._state.subjects) == 2)
    held.pop(0)[2]["failed"](OSError("gone"))
    assert "could not be read" in caplog.text
    keeper._state.select_subject(0)
    read_next(held)
    assert keeper._state.subject.photo is not None


def test_a_subject_without_photo_and_cut_out_is_not_described(keeper):
    keeper._state.add_subject(name="coming")
    assert keeper.session().subjects == ()


def test_nothing_is_kept_after_the_end_and_a_folder_that_cannot_be_written_is_logged_once(keeper, monkeypatch, caplog):
    def refused(*_):
        raise OSError("full")

    monkeypatch.setattr(keeper._store, "save", refused)
    keeper.save()
    keeper.save()
    assert caplog.text.count("the session cannot be saved") == 1
    keeper.close()
    keeper.touch()
    keeper._start()
    assert not keeper._timer.isActive()


def test_the_photos_of_a_subject_come_back_on_one_card_and_the_rest_of_it_where_one_is_gone(keeper, qtbot, tmp_path):
    state = keeper._state
    mask = np.zeros((16, 16), np.uint8)
    mask[4:12, 4:12] = 255
    state.add_subject(cut_out=CutOut(np.full((8, 8, 4), 200, np.uint8)), name="duck", title="duck.png")
    card = 0
    for grey in (30, 60, 90):
        photo = photo_from_pixels(np.full((16, 16, 3), grey, np.uint8), name=f"{grey}.png")
        card = state.add_subject(photo=photo, mask=mask, name="shoe", title=photo.name, card=card).card
    state.select_subject(2)
    keeper.keep_assets_now()
    keeper.save()

    def restart() -> list[list[str]]:
        while state.subjects:
            state.remove_subject(state.subjects[0].key, for_good=True)
        assert keeper.restore(keeper.load())
        qtbot.waitUntil(lambda: len(state.subjects) > 1 and not any(photo.coming for photo in state.subjects))
        return [[photo.title for photo in one] for one in state.cards]

    assert restart() == [["duck.png"], ["30.png", "60.png", "90.png"]]
    assert state.subject.title == "60.png" and state.photos[0].name == "shoe"
    digest = state.photos[0].photo.digest
    for file in (tmp_path / "assets").glob(f"{digest}*"):
        file.unlink()
    assert restart() == [["duck.png"], ["60.png", "90.png"]], "what is left of it is still one subject"


def test_masks_of_subjects_that_are_gone_are_not_held(keeper, qtbot):
    photo = photo_from_pixels(np.random.default_rng(5).integers(0, 256, (40, 60, 3), np.uint8))
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 20:40] = 255
    proposal = SubjectProposal("", (Box(20, 10, 40, 30),), mask, 0.95, sure=True)
    keeper._state.add_subject(photo=photo, mask=mask, automatic=mask, proposal=proposal)
    subject = keeper._state.subject
    keeper.keep_assets_now()
    keeper.session()
    assert any(value is mask for value in _held_by(keeper))
    keeper._state.remove_subject(subject.key, for_good=True)
    keeper.session()
    assert not any(value is mask for value in _held_by(keeper))


def _held_by(keeper) -> list:
    return [one for kept in (keeper._masks, keeper._compared) for values in kept.values() for one in values]
