"""Switching the language: at once, in everything that is open, and back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QLocale
from PySide6.QtWidgets import QLabel

from app.language import languages, say


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
