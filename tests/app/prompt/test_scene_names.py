"""Chips speak the language of the window; what they write into the prompt is the model's."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QAbstractButton, QApplication

from app.language import languages
from app.language.scene_names import NAMES, scene_name
from app.prompt.scene_chips import SceneChips
from engine.bundle import SceneEntry
from engine.training.data.language import PROMPTS

SNOW = SceneEntry("snow", "scene", "in the snow", "Snow")
OTHER = SceneEntry("attic", "scene", "in the attic", "Attic")


@pytest.fixture
def english(qapp):
    yield
    languages.install("en")


def test_every_scene_that_the_mini_is_taught_has_a_name():
    assert sorted(NAMES) == sorted(f"{scene.label}" for scene in PROMPTS)


def test_chips_follow_the_language_and_write_english(qtbot, english, plain_look):
    chips = SceneChips()
    qtbot.addWidget(chips)
    chips.set_scenes((SNOW, OTHER))
    assert [chip.text() for chip in chips.chips()] == ["Snow", "Attic"]
    languages.install("zh_CN")
    QApplication.processEvents()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    chips.show()
    shown = chips.chips()
    assert [chip.text() for chip in shown] == ["雪地", "Attic"], "a name of another model's own stays as it is"
    assert shown[0].accessibleName() == scene_name("Snow") == "雪地" and shown[0].toolTip() == "in the snow"
    with qtbot.waitSignal(chips.picked) as picked:
        shown[0].click()
    assert picked.args == [SNOW]


def test_the_chip_of_a_scene_that_the_prompt_has_is_marked(qtbot, english, plain_look):
    chips = SceneChips()
    qtbot.addWidget(chips)
    chips.set_scenes((SNOW, OTHER))
    chips.mark("a robot in the attic")
    assert [chip.isChecked() for chip in chips.chips()] == [False, True]
    chips.chips()[0].click()
    assert [chip.isChecked() for chip in chips.chips()] == [False, True], "the prompt decides, not the press"
    languages.install("zh_CN")
    qtbot.waitUntil(lambda: chips.chips()[0].text() == "雪地")
    assert [chip.isChecked() for chip in chips.chips()] == [False, True]


def test_a_change_of_language_and_all_scenes_keep_the_keyboard_on_a_chip(qtbot, english, plain_look):
    chips = SceneChips()
    qtbot.addWidget(chips)
    chips.set_scenes([SceneEntry(f"{n}", "scene", f"in place {n}", f"Place {n}") for n in range(9)])
    chips.show()
    qtbot.waitActive(chips)
    before = chips.chips()[2]
    before.setFocus()
    languages.install("zh_CN")
    qtbot.waitUntil(lambda: chips.chips()[2] is not before)
    assert chips.window().focusWidget() is chips.chips()[2]
    more = next(button for button in chips.findChildren(QAbstractButton) if button.text() == "全部 9 个")
    more.setFocus()
    more.click()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert len(chips.chips()) == 9 and chips.window().focusWidget() is chips.chips()[0]
