"""The place of the subject in the picture.

A placement is an input of bundles with a *placed content path*: the cut-out is put onto an empty canvas of the picture's
size before it is encoded, so that every content token looks at the place it belongs to.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from engine.errors import RequestError
from engine.sentence import Sentence
from engine.validation import Finite, check_fields

SMALLEST, LARGEST = 0.05, 2.0


@dataclass(frozen=True)
class Placement:
    """The position of the cut-out's square in the picture.

    Attributes:
        x, y: its centre, in shares of the picture's width and height, 0 … 1.
        size: its side, in shares of the picture's shorter side, 0.05 … 2.
        turn: degrees clockwise, -180 … 180.
        mirrored: left and right are swapped before it is turned.
    """

    x: Finite
    y: Finite
    size: Finite
    turn: Finite = 0.0
    mirrored: bool = False

    def __post_init__(self) -> None:
        check_fields(self, _RULES, RequestError)
        if not (0.0 <= self.x <= 1.0 and 0.0 <= self.y <= 1.0):
            raise RequestError(
                Sentence("The placement's centre ({x:g}, {y:g}) lies outside the picture.", x=self.x, y=self.y),
                Sentence("Use values from 0 to 1."),
            )
        if not SMALLEST <= self.size <= LARGEST:
            raise RequestError(
                Sentence(
                    "The placement's size must be from {smallest:g} to {largest:g}; 1 is the picture's shorter side.",
                    smallest=SMALLEST,
                    largest=LARGEST,
                )
            )
        if not -180.0 <= self.turn <= 180.0:
            raise RequestError(Sentence("The placement's turn must be from -180 to 180 degrees."))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Placement:
        """Reads what ``to_json`` wrote. Raises ``RequestError`` for anything else."""
        if not isinstance(data, dict) or not {"x", "y", "size"} <= data.keys():
            raise RequestError(Sentence("The placement of this request is damaged."))
        known = {name: data[name] for name in ("x", "y", "size", "turn", "mirrored") if name in data}
        return cls(**known)

    @classmethod
    def parse(cls, text: str) -> Placement:
        """Read "X,Y,SIZE[,TURN][,mirrored]", the form of the command line. Raises ``RequestError``."""
        parts = [part.strip() for part in text.split(",")]
        mirrored = parts[-1].lower() == "mirrored"
        try:
            numbers = [float(part) for part in (parts[:-1] if mirrored else parts)]
        except ValueError:
            numbers = []
        if not 3 <= len(numbers) <= 4:
            raise RequestError(
                Sentence("“{text}” is no placement.", text=text[:60]),
                Sentence("Write X,Y,SIZE[,TURN][,mirrored], for example 0.5,0.6,0.6."),
            )
        turn = numbers[3] if len(numbers) == 4 else 0.0
        return cls(numbers[0], numbers[1], numbers[2], turn, mirrored)


_RULES = {name: Sentence("The placement's {name} must be a number.", name=name) for name in ("x", "y", "size", "turn")}
_RULES["mirrored"] = Sentence("The placement is mirrored or it is not.")
