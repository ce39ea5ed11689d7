"""A sentence for the user: English, with its template and what is filled in, so that the window can translate it.

The engine knows no languages. ``Sentence("{name} is no PNG.", name="a.jpg")`` is the text ``"a.jpg is no PNG."`` wherever a
string is wanted, and keeps template and values on every way: through a pipe, in an error, inside another sentence.
``pyside6-lupdate`` collects the templates (``app/language/translations.py``) and reads literals only: a template is never
computed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Integral, Real
from types import MappingProxyType
from typing import Any

from engine.text import shortened, shown

Value = str | int | float
"""As it is kept; a text may be a sentence itself, or a part of one."""

_LONGEST = 1000
"""Characters of one value. What is quoted is short; this is for what a library or a server says."""
_FIELD = re.compile(r"\w+:[,.\dgf]{0,4}")


class Sentence(str):
    """One sentence, or a part of one that stands in others.

    Args:
        template: a literal with ``{name}`` for each value. It is taken as it is where there are no values; an empty one is
            the values in a row, with spaces between them.
        values: numbers, texts, sentences; of anything else, a path or an error, its text. Foreign text is made printable
            and cut off at 1000 characters.
    """

    __slots__ = ("template", "values")
    template: str
    values: Mapping[str, Value]

    def __new__(cls, template: str, /, **values: object) -> Sentence:
        known = {name: _printable(value) for name, value in values.items()}
        english = (
            template if not known else template.format(**known) if template else " ".join(map(str, known.values()))
        )
        made = super().__new__(cls, english)
        made.template, made.values = template, MappingProxyType(known)
        return made

    @classmethod
    def row(cls, *sentences: str) -> Sentence:
        """Several sentences one after another; empty ones are left out."""
        return cls("", **{f"_{place}": sentence for place, sentence in enumerate(filter(None, sentences))})

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Value]]:
        return (self.template,), dict(self.values)

    def __getstate__(self) -> None:
        """Nothing besides: a pickle makes the sentence anew."""


NOTHING = Sentence.row()
"""No sentence."""


def to_json(sentence: str) -> Any:
    """A sentence for a file: template and values, or the text where it has none."""
    if not isinstance(sentence, Sentence):
        return sentence
    values = {name: to_json(value) if isinstance(value, str) else value for name, value in sentence.values.items()}
    return {"template": sentence.template, "values": values}


def from_json(data: Any) -> str:
    """The sentence that ``to_json`` wrote.

    Raises:
        ValueError, TypeError, KeyError: the file is damaged.
    """
    from string import Formatter

    if isinstance(data, str):
        return data
    template, values = data["template"], data["values"]
    # Who changes the file must not reach into objects, or ask for a number a million places wide.
    if any(
        not _FIELD.fullmatch(f"{field}:{form}")
        for _, field, form, _ in Formatter().parse(template)
        if field is not None
    ):
        raise ValueError("no template of a sentence")
    return Sentence(template, **{name: v if isinstance(v, int | float) else from_json(v) for name, v in values.items()})


def _printable(value: object) -> Value:
    if isinstance(value, Sentence):
        return value
    if isinstance(value, str):
        return shortened(value, _LONGEST) if len(value) > _LONGEST else shown(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, Integral):  # numpy's
        return int(value)
    return float(value) if isinstance(value, Real) else _printable(str(value))
