"""The records of a bundle's manifest: its files, their sources, its dials, words and examples. Free of torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from engine.bundle.placement_ranges import PlacementRanges
from engine.files import hash_file
from engine.request import Seed, Share, Strength, Temperature

Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
Text = Annotated[str, Meta(max_length=4000)]
_Similarity = Annotated[float, Meta(ge=-1, le=1)]

_WORD = re.compile(r"[^\W_]+")
TELLS_FROM = 0.95
"""The area under the curve from which on a likeness is shown."""


def layout_word(layout: int) -> str:
    """The word that tells a small model which of a scene's layouts to draw, counted from 0. No prompt of a person has it."""
    return f"layout{layout + 1}"


@dataclass(frozen=True)
class BundleFile:
    """One file of a bundle: its size in bytes and its SHA-256 in hex."""

    size: Annotated[int, Meta(ge=0, le=2**50)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]

    @classmethod
    def of(cls, path: Path) -> BundleFile:
        """Read size and hash of a file. Raises ``OSError``."""
        return cls(path.stat().st_size, hash_file(path).sha256)


@dataclass(frozen=True)
class Origin:
    """The source of a part, for example "google/flan-t5-xl", and its licence ("Apache-2.0")."""

    source: Text
    licence: Text


@dataclass(frozen=True)
class EncoderPart:
    """One of the three encoders.

    Attributes:
        config: the config of the library's class, as a dict.
        input_size: side in pixels of what it is shown; 0 for the text encoder.
    """

    config: Mapping[str, Any]
    input_size: Annotated[int, Meta(ge=0, le=2048)] = 0


@dataclass(frozen=True)
class PlacedContent:
    """A content path that sees the cut-out at its place in the picture, on white, instead of centred.

    Attributes:
        ranges: what the bundle was trained for; *automatic* chooses from them.
        fold: so many latent pixels a side make one content token, their channels one after the other.
    """

    ranges: PlacementRanges
    fold: Annotated[int, Meta(ge=1, le=16)] = 1


@dataclass(frozen=True)
class Defaults:
    """The dials a picture starts from: the ranges are those of ``GenerationRequest``."""

    prompt_strength: Strength = 3.0
    subject_strength: Strength = 3.0
    temperature: Temperature = 1.0
    top_p: Share = 0.97


@dataclass(frozen=True)
class LikenessScale:
    """The meaning of the semantic encoder's answers: measured on pictures of things that the bundle was never trained on.

    Attributes:
        blocks: of the encoder, after which patches are compared.
        same, same_spread: mean and standard deviation of the similarity of a picture to its own cut-out.
        other, other_spread: the same for a picture of another thing, seen through the same outline.
        area: area under the curve that tells the two apart, 0.5 … 1.
    """

    blocks: Annotated[int, Meta(ge=0, le=512)]
    same: _Similarity
    same_spread: Share
    other: _Similarity
    other_spread: Share
    area: Share

    @property
    def tells(self) -> bool:
        """True if the encoder tells things apart well enough for a number to be shown."""
        return self.area >= TELLS_FROM

    def share(self, similarity: float) -> float:
        """A similarity on a scale for people, 0 … 1: 0 as alike as another thing usually is, 1 the same."""
        return min(max((similarity - self.other) / (1 - self.other), 0.0), 1.0)


@dataclass(frozen=True)
class SceneEntry:
    """Something the bundle can be asked for, offered as a chip.

    Attributes:
        key: identifier.
        kind: "scene", "surface", "background", "light", "colour", "material" or "outfit".
        prompt: the words that ask for it; behind the subject's name, or before it for colours and materials.
        label: the chip's words.
        thumb: a small picture inside the bundle, or "".
    """

    key: Text
    kind: Text
    prompt: Text
    label: Text
    thumb: Text = ""

    def sentence(self, name: str) -> str:
        """A whole prompt, for example "a robot in the snow" or "a red robot"."""
        name = name.strip() or "toy"
        return f"a {self.prompt} {name}" if self.kind in ("colour", "material") else f"a {name} {self.prompt}"


@dataclass(frozen=True)
class Language:
    """The words and scenes a small model knows. A bundle without one takes any words.

    Attributes:
        words: lower-case words of letters and digits.
        layouts: how many layouts of every scene it was taught, each by a word of its own; 0 for a model that was told none.
    """

    words: frozenset[Text]
    scenes: tuple[SceneEntry, ...] = ()
    layouts: Annotated[int, Meta(ge=0, le=1000)] = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", frozenset(word.lower() for word in self.words))

    def unknown_spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Start and end of every word of ``text`` that is not known."""
        return tuple(match.span() for match in _WORD.finditer(text) if match.group().lower() not in self.words)

    def unknown_words(self, text: str) -> tuple[str, ...]:
        """The words that are not known, as typed, each once."""
        return tuple(dict.fromkeys(text[start:end] for start, end in self.unknown_spans(text)))


@dataclass(frozen=True)
class Example:
    """A subject and a prompt to begin with.

    Attributes:
        image: picture inside the bundle; one with transparency is cut out already.
        prompt: what to draw. subject_name: what it shows. seed: a seed that is known to look good.
    """

    image: Text
    prompt: Text
    subject_name: Text = ""
    seed: Seed = 0
