"""The translations: complete, with the same places to fill, up to date in the file the program loads."""

from __future__ import annotations

import json
import re

import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QTranslator
from PySide6.QtWidgets import QLabel

from app.language import languages, say, sentences
from app.language.translations import find_texts, main, merge, missing, read_ts, release, write_ts
from app.resources import resource

FILES = sorted(resource("translations").glob("*.ts"))


@pytest.fixture
def english(qapp):
    yield
    languages.install("en")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_is_missing(file):
    texts = merge(find_texts(), read_ts(file))
    assert sum(map(len, texts.values())) > 400
    assert missing(texts) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_translations_have_the_same_places_to_fill(file):
    for context, sources in read_ts(file).items():
        for source, text in sources.items():
            if context == sentences.CONTEXT:
                continue  # tests/app/language/test_sentences.py
            assert sorted(re.findall(r"\{\w*\}|%n", source)) == sorted(re.findall(r"\{\w*\}|%n", text)), source
            assert source.endswith("…") == text.endswith("…") or not text, source


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_file_the_program_loads_is_up_to_date(qapp, file):
    translator = QTranslator()
    assert translator.load(str(file.with_suffix(".qm")))
    for context, sources in read_ts(file).items():
        for source, text in sources.items():
            assert translator.translate(context, source, "", 3 if "%n" in source else -1) == text
    engine = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    assert engine == {text: words for text, words in read_ts(file)[sentences.CONTEXT].items() if words}


def test_the_check_is_happy():
    assert main(["--check"]) == 0


def test_a_text_that_is_not_translated_is_found(tmp_path):
    file = tmp_path / "echogen_xx.ts"
    write_ts(file, {"A": {"one": "eins", "two": ""}, "B": {"%n parts": "%n Teile"}}, "xx")
    known = read_ts(file)
    assert known["A"]["one"] == "eins" and known["B"]["%n parts"] == "%n Teile"
    merged = merge({"A": {"one": "", "two": ""}, "C": {"one": ""}}, known)
    assert merged["C"]["one"] == "eins"  # the same words elsewhere help out
    assert missing(merged) == ["A: two"]
    release(file)
    assert file.with_suffix(".qm").exists()


def test_the_extractor_finds_every_way_a_text_is_marked(tmp_path):
    (tmp_path / "code.py").write_text(
        "_T = 'Ctx'\n"
        "def _tr(text):\n    return QCoreApplication.translate(_T, text)\n"
        "class Base:\n"
        "    def a(self, on):\n        return self.tr('plain'), self.tr('yes' if on else 'no'), self.tr('a' 'b')\n"
        "x = _tr('helper'), _t('marked'), say('free'), QT_TRANSLATE_NOOP('Other', 'noop')\n"
    )
    found = find_texts(tmp_path)
    assert set(found["Base"]) == {"plain", "yes", "no", "ab"}
    assert set(found["Ctx"]) == {"helper", "marked"}
    assert set(found[say.CONTEXT]) == {"free"} and set(found["Other"]) == {"noop"}


def test_switching_changes_texts_and_back(qapp, english):
    assert languages.install("zh_CN") == "zh_CN"
    assert QCoreApplication.translate("Status", "Ready") == "就绪"
    assert say.say("About {0} on this computer", "4 s") == "在这台电脑上约 4 s"
    languages.install("en")
    assert QCoreApplication.translate("Status", "Ready") == "Ready"
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
