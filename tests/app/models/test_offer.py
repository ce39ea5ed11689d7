"""The first run's card: what it says in every state of the large model, and when it gets out of the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.language import languages
from app.look import type as type_
from app.models.offer import MODEL, ModelOffer
from app.models.offer_room import LOWEST, OfferRoom, usual_height
from app.session.state import Jobs, Result
from app.store.settings import OFFER_PUT_AWAY
from engine.bundle.library import shipped_folder
from engine.device.devices import GIB, Device
from engine.request import GenerationRequest
from engine.weights.state import ModelState
from tests.e2e.paper import write_paper_bundle

CARD_16 = Device("cuda", "NVIDIA", 16 * GIB, 15 * GIB, half=True)
CPU = Device("cpu", "CPU", 64 * GIB, 60 * GIB, 8)
STATE = ModelState(MODEL, "EchoGen 2B", "", "MIT and Apache-2.0", "absent", total=25_200_000_000, size=13_200_000_000)


@pytest.fixture
def stage(qtbot, plain_look) -> QWidget:
    stage = QWidget()
    stage.resize(800, 700)
    QVBoxLayout(stage).addStretch(1)
    qtbot.addWidget(stage)
    stage.show()
    return stage


@pytest.fixture
def offer(stage, downloads, controller, tmp_path, monkeypatch):
    """On a computer with a card of 16 GB and a small bundle; the large model as ``now["state"]`` has it."""
    now = {"state": STATE, "empty": True}
    monkeypatch.setattr(downloads, "state", lambda name: now["state"])
    monkeypatch.setattr(downloads, "find_device", lambda: None)
    manifest = write_paper_bundle(tmp_path / "paper")
    controller.state.update_engine(manifest=manifest, folder=tmp_path / "paper", phase="ready")
    offer = ModelOffer(downloads, controller.state, lambda: now["empty"], stage)
    offer.now = now
    stage.layout().insertWidget(0, offer)
    offer.begin()
    downloads.device = CARD_16
    downloads.deviceKnown.emit()
    return offer


def click(button) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def test_what_is_here_what_could_be_what_it_needs_and_one_button(offer, qtbot, controller):
    assert offer.isVisible()
    assert offer.here.text() == "Paper is here and works"
    assert "384 px pictures on this computer" in offer.here_text.text()
    controller.state.set_expected_seconds(4.2)
    controller.state.update_engine(text="so that it looks again")
    qtbot.waitUntil(lambda: "in about 4.2\u00a0s" in offer.here_text.text())
    assert offer.size_tag.text() == "25.2\u00a0GB to download"
    assert offer.text.text() == "1024 px pictures, as in the paper. Balanced: needs 13.9\u00a0GB, you have 16\u00a0GB."
    assert offer.button.text() == "Get…" and not offer.bar.isVisible()
    with qtbot.waitSignal(offer.wanted):
        click(offer.button)


@pytest.mark.parametrize(
    ("device", "words", "action"),
    [
        (CPU, "Without a graphics card a picture takes minutes.", "get"),
        (replace(CPU, total=8 * GIB, free=7 * GIB), "and this computer has 8.0\u00a0GB.", "models"),
        (Device("cuda", "Card", 2 * GIB, 2 * GIB), "and the graphics card has 2.0\u00a0GB.", "models"),
    ],
)
def test_a_computer_that_is_slow_or_small_is_told_so(offer, downloads, device, words, action):
    downloads.device = device
    downloads.deviceKnown.emit()
    assert words in offer.text.text()
    assert offer.action == action


def test_while_it_is_fetched_it_says_how_far_it_is(offer, downloads, qtbot):
    offer.now["state"] = replace(STATE, phase="fetching", done=6_100_000_000, rate=38e6, left=240.0)
    downloads.changed.emit(MODEL)
    assert offer.text.text().startswith("6.1 of 25.2\u00a0GB. 38\u00a0MB/s, about 4 min left.")
    assert "draw meanwhile" in offer.text.text()
    assert offer.bar.isVisible() and offer.bar.value() == round(1000 * 6.1 / 25.2)
    with qtbot.waitSignal(offer.modelsWanted):
        click(offer.button)
    offer.now["state"] = replace(STATE, phase="converting", fraction=0.5, done=25_200_000_000)
    downloads.changed.emit(MODEL)
    assert "Making it ready to draw, 50 %" in offer.text.text() and offer.bar.value() == 500


def test_in_chinese_no_sentence_has_a_space_or_a_stop_of_english(offer, downloads, qtbot):
    languages.install("zh_CN")
    try:
        qtbot.waitUntil(lambda: "像素" in offer.text.text())
        texts = [offer.text.text()]
        downloads.device = CPU
        downloads.deviceKnown.emit()
        texts.append(offer.text.text())
        offer.now["state"] = replace(STATE, phase="fetching", done=6_100_000_000, rate=38e6, left=240.0)
        downloads.changed.emit(MODEL)
        texts.append(offer.text.text())
        assert len(set(texts)) == 3 and not [text for text in texts if "。 " in text or ". " in text or "  " in text]
    finally:
        languages.install("en")


def test_when_it_is_ready_one_click_uses_it_and_the_card_goes(offer, downloads, controller, tmp_path):
    offer.now["state"] = replace(STATE, phase="ready", installed=True, folder=tmp_path / MODEL)
    downloads.changed.emit(MODEL)
    assert offer.button.text() == "Use" and offer.size_tag.text() == "13.2\u00a0GB"
    click(offer.button)
    assert controller.state.settings.bundle == str(tmp_path / MODEL)
    controller.state.update_engine(folder=tmp_path / MODEL)
    assert not offer.isVisible()


def test_it_gives_way_to_pictures_to_work_and_to_small_windows(offer, controller, stage, qtbot):
    controller.state.set_jobs(Jobs(drawing=1))
    assert not offer.isVisible()
    controller.state.set_jobs(Jobs())
    qtbot.waitUntil(offer.isVisible)
    offer.now["empty"] = False
    controller.state.update_engine(text="a picture is shown")
    assert not offer.isVisible()
    offer.now["empty"] = True
    controller.state.update_engine(text="it was put away")
    qtbot.waitUntil(offer.isVisible)
    stage.resize(800, 500)
    assert not offer.isVisible()
    stage.resize(800, 700)
    assert offer.isVisible()


def test_put_away_it_stays_away(offer, controller, downloads, stage):
    click(offer.close_button)
    assert not offer.isVisible()
    assert controller.state.settings.panels[OFFER_PUT_AWAY] is True
    again = ModelOffer(downloads, controller.state, lambda: True, stage)
    again.begin()
    downloads.deviceKnown.emit()
    assert not again.isVisible()


def test_it_goes_for_good_with_the_first_picture(offer, controller, downloads, stage):
    request = GenerationRequest("a duck")
    controller.state.set_result(Result(request, np.zeros((8, 8, 3), np.uint8)))
    assert not offer.isVisible()
    controller.state.set_result(None)  # another photo, or the picture was deleted: the canvas is empty again
    offer.refresh()
    assert not offer.isVisible() and controller.state.settings.panels[OFFER_PUT_AWAY] is True
    controller.state.update_settings(panels={})
    controller.state.set_result(Result(request, np.zeros((8, 8, 3), np.uint8)))
    again = ModelOffer(downloads, controller.state, lambda: True, stage)
    again.begin()
    assert controller.state.settings.panels[OFFER_PUT_AWAY] is True, "the picture was there before the card"


def test_before_the_window_can_be_seen_nothing_is_looked_at(stage, downloads, controller):
    controller.state.update_engine(folder=shipped_folder() / "mini")
    offer = ModelOffer(downloads, controller.state, lambda: True, stage)
    downloads.device = CARD_16
    downloads.deviceKnown.emit()
    assert not offer.isVisible()


def test_it_says_when_it_is_known_whether_there_is_an_offer(qtbot, stage, downloads, controller, tmp_path, monkeypatch):
    """Until then its room is kept: the canvas below does not move when it comes."""
    monkeypatch.setattr(downloads, "state", lambda name: STATE)
    monkeypatch.setattr(downloads, "find_device", lambda: None)
    room = OfferRoom(stage, usual_height())
    stage.layout().insertWidget(0, room)
    assert room.isVisible()
    stage.resize(800, LOWEST - 1)
    assert room.isHidden(), "no room for it in a low window"
    stage.resize(800, 700)
    assert not room.isHidden()
    controller.state.update_engine(manifest=write_paper_bundle(tmp_path / "paper"), folder=tmp_path / "paper")
    offer, settled = ModelOffer(downloads, controller.state, lambda: True, stage), []
    stage.layout().insertWidget(0, offer)
    offer.settled.connect(lambda: settled.append(offer.isVisible()))
    offer.begin()
    assert settled == [], "the device is not known yet"
    downloads.device = CPU
    downloads.deviceKnown.emit()
    assert settled[-1] is True
    room.give_to(offer)
    qtbot.waitUntil(lambda: offer.height() == usual_height() and room.isHidden())
    controller.state.update_settings(panels={OFFER_PUT_AWAY: True})
    assert settled[-1] is False


@pytest.mark.parametrize("scale", [0.9, 1.0, 1.1, 1.25])
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_room_is_as_high_as_the_characters_of_the_language_want(qtbot, offer, language, scale):
    """A text of one line less than the room was made for leaves what lies below where it is, at every size of the text."""
    height = usual_height()
    try:
        languages.install(language)
        type_.set_text_scale(scale)
        if language != "en":
            assert scale < 1 or usual_height() >= height
            qtbot.waitUntil(
                lambda: "像素" in offer.here_text.text()
            )  # until then its other lines are English, and lower
        offer.text.setText("绘" * 10 if language != "en" else "Drawn")
        room = OfferRoom(offer.parentWidget(), usual_height())
        room.resize(offer.width(), usual_height())
        assert offer.layout().totalHeightForWidth(offer.width()) <= usual_height()
        room.give_to(offer)
        qtbot.waitUntil(lambda: offer.height() == usual_height())
    finally:
        type_.set_text_scale(1.0)
        languages.install("en")
