"""Switching the language: at once, in everything that is open, and back."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QCoreApplication, QLocale
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLabel

from app.canvas.ideas import IdeasView
from app.canvas.result import ResultCanvas
from app.editor.mask_canvas import MaskCanvas
from app.history.panel import HistoryPanel
from app.language import languages, say
from app.prompt.fields import CountField, DialSlider, SeedField, ShapeCombo
from app.prompt.scene_chips import SceneChips
from app.store.history_store import HistoryStore
from app.window.banner import ErrorBanner
from engine.bundle.records import SceneEntry


@pytest.fixture
def english(qapp):
    yield
    languages.install("en")


def test_switching_changes_texts_and_back(qapp, english):
    assert languages.install("zh_CN") == "zh_CN"
    assert say.say("Ready") == "就绪"
    assert say.say("About {0} on this computer", "4 s") == "在这台电脑上约 4 s"
    languages.install("en")
    assert say.say("Ready") == "Ready"
    assert say.say("About {0} on this computer", "4 s") == "About 4 s on this computer"


def test_a_derived_class_finds_the_texts_of_its_base(qapp, english):
    from app.window.banner import ErrorBanner

    class Derived(ErrorBanner):
        pass

    languages.install("zh_CN")
    banner = Derived()
    assert banner.details_button.text() == "详情"
    banner.deleteLater()


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["zh-CN"], "zh_CN"),
        (["zh-Hans-SG"], "zh_CN"),
        (["zh-TW", "en-US"], "en"),
        (["de-DE"], "en"),
        (["fr", "zh"], "zh_CN"),
    ],
)
def test_the_system_s_language(monkeypatch, names, wanted):
    class System:
        def uiLanguages(self):
            return names

    monkeypatch.setattr(QLocale, "system", staticmethod(System))
    assert languages.language_of("system") == wanted
    assert languages.language_of("en") == "en"


def test_labels_follow_when_the_language_changes(qtbot, english):
    from app.window.banner import ErrorBanner

    banner = ErrorBanner()
    qtbot.addWidget(banner)
    assert banner.details_button.text() == "Details"
    languages.install("zh_CN")
    QCoreApplication.processEvents()
    assert banner.details_button.text() == "详情"
    assert isinstance(banner.title, QLabel)


def test_shapes_and_chips_follow_when_the_language_changes(qtbot, english):
    shapes, chips = ShapeCombo(), SceneChips()
    for widget in (shapes, chips):
        qtbot.addWidget(widget)
    shapes.set_sizes(((256, 256),))
    chips.set_scenes([SceneEntry(f"{n}", "scene", f"in place {n}", f"Place {n}") for n in range(40)])

    def shown() -> tuple[str, str, str]:
        buttons = [button.text() for button in chips.findChildren(QAbstractButton)]
        return shapes.itemText(0), shapes.toolTip(), next(text for text in reversed(buttons) if "40" in text)

    in_english = shown()
    assert in_english[0].startswith("Square 1:1") and in_english[1] == "This model draws one size only"
    languages.install("zh_CN")
    QCoreApplication.processEvents()
    chinese = shown()
    assert chinese[0].startswith("正方形 1:1") and all(re.search("[一-鿿]", text) for text in chinese), chinese
    languages.install("en")
    QCoreApplication.processEvents()
    assert shown() == in_english


def test_the_file_dialog_of_qt_is_in_one_language(qtbot, english):
    """Where the system has no dialog, Qt's own one said "Look in", "Files of type" and "Folder" among Chinese words."""
    languages.install("zh_CN")
    dialog = QFileDialog()
    qtbot.addWidget(dialog)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    words = [label.text() for label in dialog.findChildren(QLabel)]
    words.append(QCoreApplication.translate("QAbstractFileIconProvider", "Folder", "All other platforms"))
    assert len(words) > 3 and all(re.search("[\u4e00-\u9fff]", word) for word in words)


def test_names_for_screen_readers_follow_when_the_language_changes(qtbot, english, tmp_path):
    """They were given once, and stayed in the language of the start."""
    canvas, result, history = MaskCanvas(), ResultCanvas(), HistoryPanel(HistoryStore(None, tmp_path))
    banner, idea, count = ErrorBanner(), IdeasView(), CountField()
    seed, dial = SeedField(), DialSlider("Variety", 0.0, 1.0, 0.1, 0.5)
    for widget in (canvas, result, history, banner, idea, count, seed, dial):
        qtbot.addWidget(widget)
    canvas.set_summary(0.2, 1)
    dial.set_dial((0.1, 0.5))

    def said() -> list[str]:
        return [
            canvas.accessibleName(),
            canvas.accessibleDescription(),
            result.accessibleName(),
            history.view.accessibleName(),
            banner.details.accessibleName(),
            idea.accessibleName(),
            idea.tiles[0].accessibleName(),
            *(count.findChildren(QAbstractButton)[place].accessibleName() for place in (0, 3)),
            count.findChildren(QAbstractButton)[0].toolTip(),
            seed.spin.accessibleName(),
            dial.toolTip(),
            dial.edit.text(),
        ]

    in_english = said()
    languages.install("zh_CN")
    QCoreApplication.processEvents()
    assert [text for text in said() if not re.search("[一-鿿]", text)] == []
    languages.install("en")
    QCoreApplication.processEvents()
    assert said() == in_english
