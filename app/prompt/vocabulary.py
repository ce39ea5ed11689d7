"""Reads a prompt as the model will: how many words fit, which it does not know. Free of Qt and of the model libraries."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from app.language import sentences
from app.language.say import say
from engine import MAX_PROMPT_CHARACTERS

if TYPE_CHECKING:
    from engine.bundle import BundleManifest, Language, SceneEntry

log = logging.getLogger(__name__)

TOKENIZER = Path("text") / "tokenizer.json"
_WORD = re.compile(r"[^\W_]+")
_BRACES = re.compile(r"\{[^{}]*\|[^{}]*\}")
LAST_LATIN = "\u024f"
"""Letters behind it are Greek, Cyrillic, Chinese, …"""


class Reading(Struct, frozen=True):
    """A prompt as the model reads it.

    Attributes:
        tokens: how many tokens it has, with the end token.
        limit: how many are taken; 0 when that is not known.
        dropped: the words behind the limit, as typed.
        unknown: start and end of every word the model does not know.
        unsure: those of them that it has seen all the same: a picture may show what they say.
    """

    tokens: int = 0
    limit: int = 0
    dropped: str = ""
    unknown: tuple[tuple[int, int], ...] = ()
    unsure: tuple[tuple[int, int], ...] = ()


class PromptReader:
    """Reads prompts as one bundle does. Without the bundle's tokenizer, tokens are estimated from the words.

    Args:
        limit: most tokens of a prompt, with its end token; 0 for no limit.
        language: the words a small model knows, or None.
        tokenizer: a ``tokenizers.Tokenizer``, or None.
        name: of the subject. The photo says what it is: its words need not be known.
    """

    def __init__(self, limit: int = 0, language: Language | None = None, tokenizer: Any = None, name: str = "") -> None:
        self.limit, self.language, self._tokenizer, self.name = limit, language, tokenizer, name
        self._named = frozenset(_WORD.findall(name.lower()))
        if tokenizer is not None:
            tokenizer.no_padding()
            tokenizer.no_truncation()

    @classmethod
    def of_bundle(cls, manifest: BundleManifest, folder: Path) -> PromptReader:
        """For an open bundle. Reading a large tokenizer takes a few hundred milliseconds: call it in a thread."""
        tokenizer = None
        try:
            from tokenizers import Tokenizer

            tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception:  # the library raises bare Exception; an estimate is good enough for a counter
            log.warning("the tokenizer of %s cannot be read; prompts are counted roughly", folder.name)
        return cls(manifest.text_limit, manifest.language, tokenizer)

    def with_name(self, name: str) -> PromptReader:
        """The same, for another subject."""
        return PromptReader(self.limit, self.language, self._tokenizer, name) if name != self.name else self

    def read(self, prompt: str) -> Reading:
        foreign = self.language.unknown_spans(prompt) if self.language is not None else ()
        unknown = tuple(span for span in foreign if prompt[slice(*span)].lower() not in self._named)
        spans = self._spans(prompt)
        tokens = len(spans) + 1
        dropped = ""
        if self.limit and tokens > self.limit:
            last = spans[self.limit - 2][1] if self.limit >= 2 else 0
            dropped = _behind(prompt, last)
        unsure = tuple(span for span in unknown if self._has_token(prompt[slice(*span)]))
        return Reading(tokens, self.limit, dropped, unknown, unsure)

    def _has_token(self, word: str) -> bool:
        return self._tokenizer is not None and self._tokenizer.token_to_id(word.lower()) is not None

    def _spans(self, prompt: str) -> list[tuple[int, int]]:
        """Start and end of every token but the end token."""
        if self._tokenizer is None:
            return [match.span() for match in _ROUGH.finditer(prompt)]
        return list(self._tokenizer.encode(prompt, add_special_tokens=False).offsets)


def unknown_sentence(prompt: str, reading: Reading) -> str:
    """ "This model does not know “pagoda”." or ""; words of another script are told what it reads. Of words that it has seen,
    and does not draw each time: "This model is unsure of “sunset”."
    """
    unsure = dict.fromkeys(prompt[start:end] for start, end in reading.unsure)
    words = [word for word in dict.fromkeys(prompt[start:end] for start, end in reading.unknown) if word not in unsure]
    if any(letter.isalpha() and letter > LAST_LATIN for word in words for letter in word):
        return say("This model reads English.")
    told = []
    if words:
        listed, more = _listed(words)
        told.append(
            say("This model does not know {0} and {1} more.", listed, more)
            if more
            else say("This model does not know {0}.", listed)
        )
    if unsure:
        listed, more = _listed(list(unsure))
        told.append(
            say("This model is unsure of {0} and {1} more.", listed, more)
            if more
            else say("This model is unsure of {0}.", listed)
        )
    return "\n".join(told)


def _listed(words: Sequence[str]) -> tuple[str, int]:
    """Three words in quotation marks, and how many more there are."""
    return sentences.listed(f"“{word}”" for word in words[:3]), max(0, len(words) - 3)


def braces_sentence(prompt: str) -> str:
    """ "{red|blue}" is one prompt for the model; a list draws each of its words."""
    return say("A list… draws each word of {red|blue}.") if _BRACES.search(prompt) else ""


def cut_sentence() -> str:
    return say("A prompt has at most {0} characters; the rest was left out.", MAX_PROMPT_CHARACTERS)


def dropped_sentence(reading: Reading) -> str:
    """ "The last 9 words are not used: …" or ""."""
    words = reading.dropped.split()
    if not words:
        return ""
    tail = reading.dropped if len(reading.dropped) <= 60 else reading.dropped[:60].rsplit(" ", 1)[0] + "…"
    if len(words) == 1:
        return say("The last word is not used: {0}", tail)
    return say("The last {0} words are not used: {1}", len(words), tail)


def insert_scene(prompt: str, scene: SceneEntry, scenes: Sequence[SceneEntry], name: str = "") -> str:
    """The prompt with a scene's words in it.

    Words of another scene of the same family are replaced, so that trying one after the other does not pile them up; an
    empty prompt becomes a whole sentence. Otherwise the words go where the model's own captions have them: colours and
    materials before the name, outfits behind it, places at the end.
    """
    if not prompt.strip():
        return scene.sentence(name)
    there = _first(prompt, scenes, _family(scene))
    if there:
        return prompt[: there.start()] + scene.prompt + prompt[there.end() :]
    named = _find(prompt, name.strip()) if name.strip() else None
    if _family(scene) == "look":
        start = named.start() if named else _behind_article(prompt)
        return f"{prompt[:start]}{scene.prompt} {prompt[start:]}"
    if _family(scene) == "outfit":
        place = None if named else _first(prompt, scenes, "place")
        end = named.end() if named else len(prompt[: place.start()].rstrip()) if place else len(prompt)
        if end < len(prompt):
            return f"{prompt[:end]} {scene.prompt}{prompt[end:]}"
    return f"{prompt.rstrip().rstrip(',.')} {scene.prompt}"


@dataclass
class PromptHistory:
    """Prompts that were drawn, walked with Alt+↑ and Alt+↓ as in a shell; the unfinished one waits at the end.

    Attributes:
        entries: newest last.
    """

    entries: list[str] = field(default_factory=list)
    limit: int = 200
    _place: int | None = None
    _draft: str = ""

    def add(self, prompt: str) -> None:
        """Remember a prompt that was drawn; an old one moves to the end."""
        self._place = None
        prompt = prompt.strip()
        if prompt:
            others = [entry for entry in self.entries if entry != prompt]
            self.entries = [*others[1 - self.limit :], prompt]

    def older(self, current: str) -> str:
        """The prompt before the one shown; ``current`` is kept as the draft when going back begins."""
        if self._place is None:
            if not self.entries:
                return current
            self._draft, self._place = current, len(self.entries)
            if current.strip() == self.entries[-1]:
                self._place -= 1
        self._place = max(0, self._place - 1)
        return self.entries[self._place]

    def newer(self, current: str) -> str:
        """The prompt behind the one shown, at last the draft."""
        if self._place is None:
            return current
        self._place += 1
        if self._place >= len(self.entries):
            self._place = None
            return self._draft
        return self.entries[self._place]

    def typed(self) -> None:
        """The user typed: going back ends where it is."""
        self._place = None


_ROUGH = re.compile(r"\w+|[^\w\s]")
_ARTICLE = re.compile(r"\s*(?:a|an|the|my|one)\s+", re.IGNORECASE)


def _family(scene: SceneEntry) -> str:
    """A picture has one of each: a "place", its "light", an "outfit", and a "look" of the subject itself."""
    return {"colour": "look", "material": "look", "outfit": "outfit", "light": "light"}.get(scene.kind, "place")


def _first(prompt: str, scenes: Sequence[SceneEntry], family: str) -> re.Match[str] | None:
    """Find the words of a scene of this family in the prompt; the longest words first."""
    members = sorted((entry for entry in scenes if _family(entry) == family), key=lambda entry: -len(entry.prompt))
    return next((found for entry in members if (found := _find(prompt, entry.prompt))), None)


def scenes_in(prompt: str, scenes: Sequence[SceneEntry]) -> tuple[SceneEntry, ...]:
    """The scenes whose words the prompt has: at most one of each family, as picking them leaves it."""
    found = []
    for family in dict.fromkeys(map(_family, scenes)):
        there = _first(prompt, scenes, family)
        words = there.group().lower() if there else ""
        found += [entry for entry in scenes if words and _family(entry) == family and entry.prompt.lower() == words][:1]
    return tuple(found)


def _find(prompt: str, words: str) -> re.Match[str] | None:
    if words.lower() not in prompt.lower():
        return None  # most are not there, and each has a pattern of its own to be compiled
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", prompt, re.IGNORECASE)


def _behind_article(prompt: str) -> int:
    found = _ARTICLE.match(prompt)
    return found.end() if found else 0


def _behind(prompt: str, end: int) -> str:
    """The words behind a position; a word that was cut counts as behind."""
    if end < len(prompt) and not prompt[end].isspace():
        while end > 0 and not prompt[end - 1].isspace():
            end -= 1
    return prompt[end:].strip()
