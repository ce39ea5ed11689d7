"""Finds things that have a name in a photo: evidence of ImageNet's thousand classes, place by place. No torch.

The published encoder, as it was before this project's training, run by OpenCV without its last mean: what is left is a
small map for each class. It cannot outline anything, but it tells a dog from the cushion it lies on. A file that is
missing or damaged is said once in the log; cut-outs are then chosen without it.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from msgspec import Struct

from engine.sentence import Sentence
from engine.validation import Damage, read_json

log = logging.getLogger(__name__)

NAME = "things.onnx"
WORDS_NAME = "things.json"
_MAX_WORDS = 2**24
FOLDER = Path(__file__).resolve().parents[3] / "resources" / "cutout"
SIDE = 256
"""Pixels a side of what the network is shown; its maps have a thirty-second of it."""

_MOST_LIKELY = 5
"""Without a name, so many classes speak for the photo's subject."""

_SOFT = 0.7
"""Cells of the maps over which the evidence for a name is softened: one cell alone is often the highest beside the thing."""

_SHOWN = 0.02
"""Chance that a place is of a class, from which on a photo shows it. Of a monster of plush, to which the only monster it knows
is a lizard, it is a tenth of that."""

_AFTER_THE_THING = frozenset(
    ["with", "in", "on", "of", "and", "at", "from", "for", "by", "under", "behind", "near", "beside", "before", "that"]
)


class _Words(Struct):
    """The contents of ``things.json``: the classes of every word, and the SHA-256 of the network."""

    words: dict[str, tuple[int, ...]]
    network: str


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence for each class, and its place.

    Attributes:
        maps: float32 (classes, h, w); their mean over places, softened, is the share of a class.
    """

    maps: np.ndarray

    @cached_property
    def shares(self) -> np.ndarray:
        """The share of each class in what is seen: float64 (classes,), their sum is 1."""
        level = self.maps.mean((1, 2), dtype=np.float64)
        share = np.exp(level - level.max())
        return share / share.sum()

    def share(self, classes: Sequence[int]) -> float:
        """The share of these classes together, 0 … 1."""
        return float(self.shares[list(classes)].sum())

    def likeliest(self, most: int) -> list[int]:
        """The classes with the largest shares, the largest first."""
        return [int(number) for number in np.argsort(-self.shares)[:most]]

    def shows(self, classes: Sequence[int]) -> bool:
        """Return True if there is a place where one of these classes is not unlikely, however small a part of what is
        seen it is."""
        chances = np.exp(self.maps - self.maps.max(0))
        chances /= chances.sum(0)
        return bool(chances[list(classes)].sum(0).max(initial=0) >= _SHOWN)

    def of(self, classes: Sequence[int] = ()) -> np.ndarray:
        """Return the evidence for these classes, by default the likeliest ones: float32 (h, w), mean 0 and spread 1; 0
        if it says nothing."""
        share = self.shares
        chosen = np.array(classes if len(classes) else self.likeliest(_MOST_LIKELY), int)
        if len(classes):
            # Of a hundred kinds of dogs, those that the photo could show.
            chosen = chosen[np.argsort(-share[chosen])[:_MOST_LIKELY]]
        weight = share[chosen] / share[chosen].sum()
        found = np.tensordot(weight, self.maps[chosen], 1)
        if len(classes):
            found = cv2.GaussianBlur(found.astype(np.float32), (0, 0), _SOFT)
        spread = found.std()
        return (found - found.mean()) / spread if spread > 1e-6 else np.zeros_like(found)


class KnownThings:
    """The network of a folder and the words of its classes, read when they are needed first. Thread-safe."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._net: cv2.dnn.Net | None = None
        self._words: dict[str, tuple[int, ...]] = {}
        self._problem: str | None = None

    @property
    def problem(self) -> str:
        """The reason why it cannot be used, one sentence, or "". Reads the files."""
        with self._lock:
            self._ready()
            return self._problem or ""

    def see(self, rgb: np.ndarray) -> Evidence | None:
        """The evidence in a picture, uint8 (h, w, 3), squeezed into a square; None where the network cannot be used."""
        with self._lock:
            if not self._ready():
                return None
            assert self._net is not None
            how = cv2.INTER_AREA if min(rgb.shape[:2]) >= SIDE else cv2.INTER_LINEAR
            small = cv2.resize(rgb, (SIDE, SIDE), interpolation=how).transpose(2, 0, 1)
            try:
                self._net.setInput(np.ascontiguousarray(small[None], np.float32))
                return Evidence(self._net.forward()[0])
            except cv2.error as error:
                self._fail(
                    Sentence(
                        "OpenCV {version} cannot run the network that knows things by name.", version=cv2.__version__
                    ),
                    error,
                )
                return None

    def classes(self, name: str) -> tuple[int, ...]:
        """The classes that a name means ("my old teapot" → the teapot's); none where it is no known word."""
        with self._lock:
            if not self._ready():
                return ()
        words = re.findall(r"[a-z]+", name.lower())
        phrase = list(itertools.takewhile(lambda word: word not in _AFTER_THE_THING, words))
        # The end of an English phrase says what it is: of the known ends the longest is the most exact.
        for start in range(len(phrase)):
            end = phrase[start:]
            found = self._words.get(" ".join(end)) or self._words.get(_single(end))
            if found:
                return found
        return ()

    def alike(self, number: int) -> tuple[int, ...]:
        """The classes that share a word with this one, and it: of a corgi all dogs, of a rucksack all bags."""
        with self._lock:
            kinds = [classes for classes in self._words.values() if number in classes] if self._ready() else []
        return tuple(sorted({number}.union(*kinds)))

    def _ready(self) -> bool:
        if self._net is not None or self._problem is not None:
            return self._net is not None
        try:
            data = (self._folder / NAME).read_bytes()
            kept = read_json(self._folder / WORDS_NAME, _Words, _MAX_WORDS)
            whole = hashlib.sha256(data).hexdigest() == kept.network
        except (OSError, Damage) as error:
            self._fail(Sentence("The network that knows things by name is missing or damaged."), error)
            return False
        # OpenCV's reader is not made for damaged files: it only gets what is whole.
        if not whole:
            self._fail(Sentence("The network that knows things by name is damaged."), None)
            return False
        try:
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
            self._words = kept.words
        except cv2.error as error:
            self._fail(
                Sentence("OpenCV {version} cannot run the network that knows things by name.", version=cv2.__version__),
                error,
            )
        return self._net is not None

    def _fail(self, sentence: str, error: Exception | None) -> None:
        self._net = None
        self._problem = sentence
        log.warning("%s Names have no effect on cut-outs. %s", sentence, error or "")


def _single(parts: Sequence[str]) -> str:
    """The words with the last one in the singular, as far as a rule of thumb goes."""
    return " ".join([*parts[:-1], re.sub(r"(?<=[^s])s$", "", parts[-1])])


THINGS = KnownThings()
"""The network that ships with the program; one for the whole process."""


def things_problem() -> str:
    """Return the reason why what knows things by name cannot be used, one sentence, or ""."""
    return THINGS.problem
