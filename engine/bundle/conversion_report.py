"""The report of entries in published files that did not fit, kept so that it can be acted upon: names of entries, no values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.errors import DoesNotFit
from engine.files import write_json
from engine.sentence import Sentence, from_json, to_json
from engine.validation import read_json

_FOLDER = "reports"
_MAX_BYTES = 2**20
_MOST_NAMES = 150


@dataclass(frozen=True)
class ConversionReport:
    """The reason why a conversion stopped.

    Attributes:
        model: the model's name. fact, step: as the user read them.
        found: names in the file, their numbers left out: "block_chunks.*.ffn.fc*.weight (8 times)".
    """

    model: str
    fact: Sentence
    step: Sentence
    found: tuple[str, ...]

    @property
    def error(self) -> DoesNotFit:
        return DoesNotFit(self.fact, self.step, found=self.found)

    @property
    def lines(self) -> list[str]:
        """The text for *Copy diagnostics*."""
        return [f"{self.model} was not converted: {self.fact}", *(f"  {name}" for name in self.found)]


class _Kept(Struct):
    """A report in its file; the sentences as ``engine.sentence`` writes them."""

    fact: Any
    step: Any
    found: list[str]


def report_file(models: Path, name: str) -> Path:
    """Return the path of the report of a model, in the folder of models."""
    return models / _FOLDER / f"{name}.json"


def write_report(path: Path, error: DoesNotFit) -> None:
    """Keep what was found. Raises ``CannotWrite``."""
    write_json(path, {"fact": to_json(error.fact), "step": to_json(error.step), "found": summary(error.found)})


def read_report(path: Path) -> ConversionReport | None:
    """A report, or None where there is none or it is damaged."""
    try:
        kept = read_json(path, _Kept, _MAX_BYTES)
        fact, step = Sentence.row(from_json(kept.fact)), Sentence.row(from_json(kept.step))
        return ConversionReport(path.stem, fact, step, tuple(kept.found[: _MOST_NAMES + 1]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def find_reports(models: Path) -> list[ConversionReport]:
    """The reports of all models."""
    found = (read_report(path) for path in sorted((models / _FOLDER).glob("*.json")))
    return [report for report in found if report is not None]


def summary(names: Iterable[str]) -> list[str]:
    """Names with their numbers left out, each once, with how often it stood there."""
    counted: dict[str, int] = {}
    for name in names:
        plain = re.sub(r"\d+", "*", name)[:120]
        plain = "".join(character if character.isprintable() else "?" for character in plain)
        counted[plain] = counted.get(plain, 0) + 1
    lines = [name if count == 1 else f"{name} ({count} times)" for name, count in counted.items()]
    left = len(lines) - _MOST_NAMES
    return [*lines[:_MOST_NAMES], f"… and {left} more"] if left > 0 else lines
