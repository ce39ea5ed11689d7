"""Sentences for the user from functions and from modules that are free of Qt. A widget's method uses ``self.tr``.

``say`` looks a sentence up in the language in force; ``languages.install`` gives it Qt's translator. Without one it is English.
"""

from __future__ import annotations

from collections.abc import Callable

CONTEXT = ""
"""Where ``lupdate`` puts the texts of ``say`` and of the engine's ``Sentence``, whatever class they stand in."""

_translate: Callable[[str], str] | None = None


def say(text: str, *values: object) -> str:
    """A sentence in the user's language, ``{0}``, ``{1}`` … filled with the values. ``text`` is a literal."""
    shown = _translate(text) if _translate is not None else text
    return shown.format(*values) if values else shown


def use(translate: Callable[[str], str] | None) -> None:
    """Take translations from a function; None: English."""
    global _translate
    _translate = translate
