"""The program's languages: English in the source, the others as Qt translations in ``resources/translations``."""

from __future__ import annotations

import logging

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QLibraryInfo, QLocale, QTranslator

from app.language import say
from app.resources import resource

log = logging.getLogger(__name__)

_OF_QT = (
    QT_TRANSLATE_NOOP("QFileDialog", "&Look in:"),
    QT_TRANSLATE_NOOP("QFileDialog", "Files of &type:"),
    QT_TRANSLATE_NOOP("QFileSystemModel", "Size"),
    QT_TRANSLATE_NOOP("QAbstractFileIconProvider", "Folder"),
)
"""Words of Qt's own file dialog, shown where the system has none, that Qt's translations lack or have wrong; ours come before."""

LANGUAGES = {"en": "English", "zh_CN": "简体中文"}
_installed: list[QTranslator] = []


def language_of(choice: str) -> str:
    """The language for a setting: itself, or for "system" the best of ours for this computer."""
    if choice in LANGUAGES:
        return choice
    for name in QLocale.system().uiLanguages():
        if name.startswith("zh") and "TW" not in name and "HK" not in name and "Hant" not in name:
            return "zh_CN"
        if name.startswith("en"):
            return "en"
    return "en"


def install(choice: str) -> str:
    """Switch the whole program to a language; open windows are told by Qt (``LanguageChange``). Returns its name."""
    application = QCoreApplication.instance()
    assert application is not None
    while _installed:
        application.removeTranslator(_installed.pop())
    language = language_of(choice)
    if language != "en":
        for name, folder in (  # the last one is asked first: names of keys are ours
            (f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
            (f"echogen_{language}", str(resource("translations"))),
        ):
            translator = QTranslator(application)
            if translator.load(name, folder):
                application.installTranslator(translator)
                _installed.append(translator)
            else:
                log.info("no translation %s in %s", name, folder)
    say.use(_say if language != "en" else None)
    QLocale.setDefault(QLocale(language))
    return language


def _say(text: str) -> str:
    return QCoreApplication.translate(say.CONTEXT, text)
