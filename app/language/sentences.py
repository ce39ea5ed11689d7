"""Sentences of the engine in the user's language: the translation of the template, filled with its values.

The engine speaks English and knows no languages (``engine/sentence.py``). Free of Qt.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from app.language.say import say
from engine import EchoGenError, Sentence, shown_name


def translated(text: str) -> str:
    """A sentence of the engine in the user's language; any other text, the name of a file for example, as it is."""
    if not isinstance(text, Sentence):
        return text
    values = {name: translated(value) if isinstance(value, str) else value for name, value in text.values.items()}
    if not text.template:
        return joined(map(str, values.values()))
    template = say(text.template)
    return template.format(**values) if values else template


def of_error(error: EchoGenError) -> str:
    """Fact and step of an error, as the window shows them."""
    return joined((error.fact, error.step))


def title(error: EchoGenError) -> str:
    """The headline of an error: that of its kind, or one of its own."""
    return translated(error.title)


def title_inside(error: EchoGenError) -> str:
    """The same within a sentence: "Failed: the engine stopped"."""
    words = title(error)
    return words[:1].lower() + words[1:]


def saved_to(file: Path) -> str:
    """ "Saved to Pictures": the folder in which a file was saved."""
    return say("Saved to {0}", shown_name(file.parent))


def listed(names: Iterable[str]) -> str:
    """ "one, two, three": names in a row, as the user's language puts them."""
    return say(", ").join(names)


def joined(sentences: Iterable[str]) -> str:
    """Several sentences of the engine in a row, translated: with a space, except after a full stop that brings its own."""
    return in_a_row(map(translated, sentences))


def in_a_row(sentences: Iterable[str]) -> str:
    """Sentences of the window in a row, see ``joined``; empty ones are left out."""
    row = ""
    for sentence in filter(None, sentences):
        row += sentence if not row or row.endswith(("。", "！", "？")) else f" {sentence}"
    return row
