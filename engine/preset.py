"""Presets: the settings of a picture under a name, as a small JSON file that can be passed on.

A preset has no prompt, no subject and no seed: it is how something is drawn. A file that is read may be damaged or hostile;
whatever is unexpected is one sentence.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from engine.errors import InputError, os_reason
from engine.files import write_atomically
from engine.placement import Placement
from engine.request import Dial, GenerationRequest
from engine.sentence import Sentence
from engine.validation import Damage, parse_json

FORMAT = 1
KIND = "EchoGen preset"
MAX_NAME = 60
MAX_BYTES = 2**16


@dataclass(frozen=True)
class Preset:
    """The settings of a picture under a name; the fields are those of ``GenerationRequest``, with its ranges.

    Attributes:
        name: 1 … 60 characters.
    """

    name: str
    negative_prompt: str = ""
    prompt_strength: Dial = 3.0
    subject_strength: Dial = 3.0
    look_strength: Dial | None = None
    temperature: Dial = 1.0
    top_p: float = 0.97
    size: tuple[int, int] | None = None
    placement: Placement | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not 1 <= len(self.name.strip()) <= MAX_NAME:
            raise InputError(
                Sentence("The name of a preset has 1 to {most} characters.", most=MAX_NAME),
                Sentence("Choose another name."),
            )
        checked = GenerationRequest("", **self.settings())  # the same ranges, the same sentences
        for name in SETTINGS:
            object.__setattr__(self, name, getattr(checked, name))
        object.__setattr__(self, "name", " ".join(self.name.split()))

    def settings(self) -> dict[str, Any]:
        """The values that are set, as fields of ``GenerationRequest`` and of the panel."""
        return {name: getattr(self, name) for name in SETTINGS}

    def applied(self, request: GenerationRequest) -> GenerationRequest:
        """A request drawn with these settings."""
        return replace(request, **self.settings())

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"format": FORMAT, "kind": KIND, "name": self.name, **self.settings()}
        data["placement"] = self.placement.to_json() if self.placement is not None else None
        return {key: list(value) if isinstance(value, tuple) else value for key, value in data.items()}

    @classmethod
    def from_json(cls, data: Any) -> Preset:
        """Reads what ``to_json`` wrote. Raises ``InputError`` for anything else."""
        if not isinstance(data, dict) or data.get("kind") != KIND:
            raise InputError(
                Sentence("This is no preset of EchoGen."), Sentence("Choose a file that was saved as a preset.")
            )
        if data.get("format") != FORMAT:
            raise InputError(
                Sentence("This preset was written by another version of this program."), Sentence("Update the program.")
            )
        given = {name: data[name] for name in SETTINGS if data.get(name) is not None}
        if "placement" in given:
            given["placement"] = Placement.from_json(given["placement"])
        return cls(data.get("name", ""), **given)


SETTINGS = tuple(entry.name for entry in fields(Preset) if entry.name != "name")


def read_preset(path: Path) -> Preset:
    """Read a preset's file.

    Raises:
        InputError: it cannot be read, is no preset, or is damaged.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(
            Sentence("The preset {path} cannot be read: {reason}.", path=path.name, reason=os_reason(error)),
            Sentence("Choose another file."),
        ) from error
    try:
        data = parse_json(content, MAX_BYTES)
    except Damage:
        data = None
    return Preset.from_json(data)


def write_preset(path: Path, preset: Preset) -> None:
    """Write a preset, whole or not at all. Raises ``CannotWrite``."""
    write_atomically(path, (json.dumps(preset.to_json(), ensure_ascii=False, indent=1) + "\n").encode())
