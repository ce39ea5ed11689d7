"""Where the subject stands in the picture: given by the user, or chosen from the seed. Free of torch.

A placement is an input of bundles with a *placed content path*: the cut-out is put onto an empty canvas of the picture's
size before it is encoded, so that every content token looks at the place it belongs to.
"""

from __future__ import annotations

import math
import random
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import RequestError

if TYPE_CHECKING:
    from engine.request import CutOut

SMALLEST, LARGEST = 0.05, 2.0


@dataclass(frozen=True)
class Placement:
    """Where the square of the cut-out lies in the picture.

    Attributes:
        x, y: its centre, in shares of the picture's width and height, 0 … 1.
        size: its side, in shares of the picture's shorter side, 0.05 … 2.
        turn: degrees clockwise, -180 … 180.
        mirrored: left and right are swapped before it is turned.
    """

    x: float
    y: float
    size: float
    turn: float = 0.0
    mirrored: bool = False

    def __post_init__(self) -> None:
        for name in ("x", "y", "size", "turn"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise RequestError(f"The placement's {name} must be a number.")
            object.__setattr__(self, name, float(value))
        if not (0.0 <= self.x <= 1.0 and 0.0 <= self.y <= 1.0):
            raise RequestError(
                f"The placement's centre ({self.x:g}, {self.y:g}) lies outside the picture.", "Use values from 0 to 1."
            )
        if not SMALLEST <= self.size <= LARGEST:
            raise RequestError(
                f"The placement's size must be from {SMALLEST:g} to {LARGEST:g}; 1 is the picture's shorter side."
            )
        if not -180.0 <= self.turn <= 180.0:
            raise RequestError("The placement's turn must be from -180 to 180 degrees.")
        if not isinstance(self.mirrored, bool):
            raise RequestError("The placement is mirrored or it is not.")

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Any) -> Placement:
        """Reads what ``to_json`` wrote. Raises ``RequestError`` for anything else."""
        if not isinstance(data, dict) or not {"x", "y", "size"} <= data.keys():
            raise RequestError("The placement of this request is damaged.")
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
                f"“{text[:60]}” is no placement.", "Write X,Y,SIZE[,TURN][,mirrored], for example 0.5,0.6,0.6."
            )
        turn = numbers[3] if len(numbers) == 4 else 0.0
        return cls(numbers[0], numbers[1], numbers[2], turn, mirrored)


@dataclass(frozen=True)
class PlacementRanges:
    """What a bundle was trained for, and so what *automatic* chooses from.

    Attributes:
        x: of the centre. foot: y of the subject's lowest point. size, turn: as in ``Placement``. Each (low, high).
    """

    x: tuple[float, float] = (0.38, 0.62)
    foot: tuple[float, float] = (0.84, 0.92)
    size: tuple[float, float] = (0.55, 0.76)
    turn: tuple[float, float] = (-4.0, 4.0)

    def __post_init__(self) -> None:
        for name, (low, high), ends in (
            ("x", self.x, (0.0, 1.0)),
            ("foot", self.foot, (0.0, 1.5)),
            ("size", self.size, (SMALLEST, LARGEST)),
            ("turn", self.turn, (-180.0, 180.0)),
        ):
            if not ends[0] <= low <= high <= ends[1]:
                raise ValueError(f"the range {name} of the placement, {low} to {high}, cannot be")

    @classmethod
    def from_json(cls, data: Any) -> PlacementRanges:
        """Raises ``ValueError``, ``TypeError`` or ``KeyError`` for what cannot be a range."""
        return cls(**{name: (float(low), float(high)) for name, (low, high) in dict(data).items()})

    def automatic(self, subject: CutOut, seed: int) -> Placement:
        """The placement of a seed: the subject's lowest point stands on the ground, the rest is chance.

        The same for the same cut-out and seed on every machine.
        """
        chance = random.Random(f"placement {seed}")
        x, foot, size, turn = (chance.uniform(*ends) for ends in (self.x, self.foot, self.size, self.turn))
        return _standing(subject, x, foot, size, turn)

    def middle(self, subject: CutOut) -> Placement:
        """A usual place: the middle of every range. For showing *automatic* while the seed is not known yet."""
        x, foot, size, turn = (sum(ends) / 2 for ends in (self.x, self.foot, self.size, self.turn))
        return _standing(subject, x, foot, size, turn)


def _standing(subject: CutOut, x: float, foot: float, size: float, turn: float) -> Placement:
    y = foot - (lowest_point(subject.alpha) - 0.5) * size
    return Placement(x, min(max(y, 0.0), 1.0), size, turn)


def lowest_point(alpha: np.ndarray) -> float:
    """Share of the square's height above the lowest row of a mask, uint8 (S, S); 1 for an empty one."""
    rows = np.flatnonzero((alpha > 127).any(axis=1))
    return float(rows[-1] + 1) / len(alpha) if len(rows) else 1.0


def without_white(subject: CutOut) -> np.ndarray:
    """The cut-out alone: the white under it is taken away again.

    Returns:
        Premultiplied RGBA, float32 (S, S, 4) in 0 … 1: colour times alpha, and alpha.
    """
    alpha = subject.alpha.astype(np.float32)[..., None] / 255
    colour = (subject.rgb.astype(np.float32) / 255 - (1 - alpha)).clip(0, 1)
    return np.concatenate([np.minimum(colour, alpha), alpha], axis=2)


def place_cut_out(subject: CutOut, placement: Placement, width: int, height: int) -> np.ndarray:
    """The cut-out at its place on an empty canvas.

    Returns:
        Premultiplied RGBA, float32 (height, width, 4) in 0 … 1: colour times alpha, and alpha.
    """
    import cv2

    source = without_white(subject)
    if placement.mirrored:
        source = source[:, ::-1]
    side = max(1, round(placement.size * min(width, height)))
    if side < len(source):
        # Made small by averages first: the warp below reads four pixels each, and would skip the rest.
        source = cv2.resize(source, (side, side), interpolation=cv2.INTER_AREA)
    scale = placement.size * min(width, height) / len(source)
    angle = math.radians(placement.turn)
    cos, sin = scale * math.cos(angle), scale * math.sin(angle)
    # Pixel centres: the square's centre goes to the placement's.
    middle = (len(source) - 1) / 2
    at_x, at_y = placement.x * width - 0.5, placement.y * height - 0.5
    matrix = np.array(
        [[cos, -sin, at_x - cos * middle + sin * middle], [sin, cos, at_y - sin * middle - cos * middle]], np.float32
    )
    placed = cv2.warpAffine(
        np.ascontiguousarray(source), matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return placed.clip(0, 1)


def on_white(canvas: np.ndarray) -> np.ndarray:
    """Premultiplied RGBA (H, W, 4) in 0 … 1 over white, RGB uint8 (H, W, 3): as the content encoder sees it."""
    return ((canvas[..., :3] + 1 - canvas[..., 3:]).clip(0, 1) * 255 + 0.5).astype(np.uint8)
