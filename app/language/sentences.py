"""What the engine says, in the user's language.

Errors and notes of the engine are English sentences with names and numbers filled in; the engine itself knows no languages.
Here a finished sentence is recognised by its template ("{0} is no PNG.") and put together again from the translation of
that template. A sentence that is not known stays English. Free of Qt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.language.say import say
from engine import EchoGenError

CONTEXT = "Engine"
"""Where the templates stand in the translations."""

_DEPTH = 3  # a value may be a sentence itself, and hold one
_LONGEST = 1500  # characters; what is longer is no sentence, and looking for one in it would take long


def _t(text: str) -> str:
    """Marks a text for translation."""
    return text


# What is filled into the sentences and is no sentence itself.
FRAGMENTS = (
    _t("prompt"),
    _t("negative prompt"),
    _t("a second"),
    _t("{0} seconds"),
    _t("{0} minutes"),
    _t("{0} hours"),
    _t("{0}: needs {1}, {2}."),
    _t("you have {0} GB"),
    _t("CPU, {0} cores"),
    _t("CPU, 1 core"),
    _t("{0} has {1} megapixels"),
    _t("{0} has far more pixels"),
    _t("there was not enough memory for it"),
    _t("it failed"),
    _t("naming"),
    _t("grounding"),
    _t("segmentation"),
    _t("Nothing was"),
    _t("No “{0}” was"),
    _t("The prompt"),
    _t("The negative prompt"),
    _t("The subject name"),
    _t("The prompt strength"),
    _t("The subject strength"),
    _t("The look strength"),
    _t("The temperature"),
    _t("the weights of an EchoGen transformer"),
    _t("the weights of a visual tokenizer"),
    _t("lacks"),
    _t("has unknown"),
    _t("it"),
    _t("they"),
    _t("Fast"),
    _t("Balanced"),
    _t("Low memory"),
    _t("Compact"),
    _t("Smallest"),
    _t("No such file or directory"),
    _t("Permission denied"),
    _t("No space left on device"),
    _t("Read-only file system"),
    _t("Is a directory"),
    _t("a JPEG XL picture"),
    _t("a Photoshop document"),
    _t("a GIMP document"),
    _t("an OpenEXR picture"),
    _t("a Radiance picture"),
    _t("a TIFF with numbers of an unusual kind"),
)


@dataclass(frozen=True)
class _Template:
    pieces: tuple[str, ...]
    pattern: re.Pattern[str]
    places: tuple[int, ...]
    translation: str

    @classmethod
    def of(cls, text: str, translation: str) -> _Template:
        pieces = re.split(r"\{(\d+)\}", text)
        pattern = "".join("(.*?)" if n % 2 else re.escape(piece) for n, piece in enumerate(pieces))
        places = tuple(int(place) for place in pieces[1::2])
        return cls(tuple(pieces[::2]), re.compile(pattern, re.DOTALL), places, translation)

    def values(self, text: str) -> tuple[str, ...] | None:
        """What is filled in, or None when the text is not of this template."""
        if not all(piece in text for piece in self.pieces):  # most are not, and this is quicker to see
            return None
        match = self.pattern.fullmatch(text)
        return None if match is None else match.groups()


_exact: dict[str, str] = {}
_templates: list[_Template] = []


def use(translations: Mapping[str, str]) -> None:
    """The translations of the templates from now on; an empty mapping for English."""
    _exact.clear()
    _templates.clear()
    known = [(text, translation) for text, translation in translations.items() if translation]
    _exact.update((text, translation) for text, translation in known if "{0}" not in text)
    # The more of a sentence is the template's own, the surer it is the right one.
    longest = sorted(
        (pair for pair in known if "{0}" in pair[0]), key=lambda pair: -len(re.sub(r"\{\d+\}", "", pair[0]))
    )
    _templates.extend(_Template.of(text, translation) for text, translation in longest)


def translated(text: str) -> str:
    """One or several sentences of the engine in the user's language, as far as they are known."""
    return _translated(text, _DEPTH) if _exact or _templates else text


def of_error(error: EchoGenError) -> str:
    """Fact and step of an error, as the window shows them."""
    return joined((error.fact, error.step))


def title(error: EchoGenError) -> str:
    """The headline of an error: that of its kind, or one of its own."""
    own = translated(error.title)
    return own if own != error.title else say(error.title)


def joined(sentences: Iterable[str]) -> str:
    """Several sentences of the engine in a row, translated."""
    return _row(translated(sentence) for sentence in sentences)


def _translated(text: str, depth: int) -> str:
    bare = text.strip()
    if not bare or not depth or len(bare) > _LONGEST:
        return bare
    whole = _whole(bare, depth)
    if whole is not None:
        return whole
    # Several sentences: the longest beginning that is known, then what follows.
    ends = [match.start() for match in re.finditer(r"(?<=[.”]) ", bare)]
    for end in reversed(ends):
        head = _whole(bare[:end], depth)
        if head is not None:
            return _row((head, _translated(bare[end:], depth)))
    return bare


def _whole(text: str, depth: int) -> str | None:
    if text in _exact:
        return _exact[text]
    for template in _templates:
        found = template.values(text)
        if found is not None:
            values = {place: _translated(value, depth - 1) for place, value in zip(template.places, found, strict=True)}
            return template.translation.format(*(values.get(n, "") for n in range(max(values) + 1)))
    return None


def _row(sentences: Iterable[str]) -> str:
    """Sentences one after another: with a space, except after a full stop that brings its own."""
    row = ""
    for sentence in sentences:
        if sentence:
            row += sentence if not row or row.endswith(("。", "！", "？")) else f" {sentence}"
    return row
