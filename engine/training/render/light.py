"""One light per picture: its direction, colour and strength, and how a subject looks in it.

Colours are multipliers of what is seen in plain light, in display values. Directions point to the light: x right, y up,
z toward the camera.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.training.render.paint import blur, halve

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """The light of a picture.

    Attributes:
        kind: key of ``KINDS``.
        direction: unit vector to the light.
        key: colour and strength of the directed part.
        ambient: of what comes from everywhere.
    """

    kind: str
    direction: Colour
    key: Colour
    ambient: Colour

    @property
    def cast(self) -> Colour:
        """The colour of plain white on level ground."""
        facing = 0.45 + 0.4 * self.direction[1]
        red, green, blue = (a + facing * k for a, k in zip(self.ambient, self.key, strict=True))
        return red, green, blue

    @property
    def hardness(self) -> float:
        """The share of the light that is directed, 0 … 1: it makes shadows dark and sharp."""
        key, ambient = sum(self.key), sum(self.ambient)
        return key / (key + ambient)


@dataclass(frozen=True)
class _Kind:
    key: Colour
    ambient: Colour
    height: tuple[float, float]  # of the light over the horizon, sine
    front: tuple[float, float]  # z: negative stands for light from behind
    exposure: float = 1.0  # luma of what it makes of white


KINDS: dict[str, _Kind] = {
    "noon": _Kind((0.70, 0.66, 0.57), (0.50, 0.54, 0.60), (0.55, 0.85), (0.1, 0.6), 1.02),
    "overcast": _Kind((0.18, 0.18, 0.18), (0.74, 0.77, 0.81), (0.6, 0.9), (0.1, 0.5), 0.93),
    "golden": _Kind((0.84, 0.63, 0.36), (0.48, 0.46, 0.46), (0.3, 0.55), (-0.1, 0.6), 0.99),
    "sunset": _Kind((0.94, 0.56, 0.30), (0.44, 0.38, 0.41), (0.12, 0.3), (-0.3, 0.4), 0.8),
    "dusk": _Kind((0.22, 0.24, 0.34), (0.43, 0.49, 0.68), (0.5, 0.8), (0.1, 0.5), 0.64),
    "night": _Kind((0.20, 0.25, 0.38), (0.17, 0.20, 0.32), (0.4, 0.8), (-0.2, 0.5), 0.47),
    "fog": _Kind((0.08, 0.08, 0.08), (0.80, 0.83, 0.86), (0.6, 0.9), (0.0, 0.4), 0.96),
    "forest": _Kind((0.40, 0.44, 0.27), (0.42, 0.52, 0.39), (0.6, 0.9), (0.0, 0.5), 0.9),
    "frost": _Kind((0.46, 0.46, 0.46), (0.54, 0.63, 0.77), (0.35, 0.7), (0.0, 0.6), 1.0),
    "window": _Kind((0.62, 0.61, 0.57), (0.44, 0.43, 0.40), (0.3, 0.6), (0.1, 0.6), 0.98),
    "lamp": _Kind((0.68, 0.58, 0.43), (0.43, 0.39, 0.33), (0.5, 0.8), (0.1, 0.6), 0.92),
    "studio": _Kind((0.56, 0.56, 0.56), (0.56, 0.56, 0.57), (0.4, 0.7), (0.3, 0.8), 1.0),
    "pastel": _Kind((0.34, 0.31, 0.33), (0.70, 0.67, 0.73), (0.4, 0.7), (0.2, 0.7), 1.0),
}


def draw_light(dice: random.Random, kind: str) -> Light:
    """A light of this kind from some side, slightly varied."""
    kind_of = KINDS[kind]
    y, z = dice.uniform(*kind_of.height), dice.uniform(*kind_of.front)
    x = dice.choice((-1, 1)) * dice.uniform(0.25, 0.95)
    norm = (x * x + y * y + z * z) ** 0.5
    direction = (x / norm, y / norm, z / norm)
    red, green, blue = Light(kind, direction, kind_of.key, kind_of.ambient).cast
    level = kind_of.exposure * dice.uniform(0.94, 1.05) / (0.299 * red + 0.587 * green + 0.114 * blue)
    warm = dice.gauss(0, 0.025)
    tint = (level * (1 + warm), level, level * (1 - warm))
    red, green, blue = (k * t for k, t in zip(kind_of.key, tint, strict=True))
    a_red, a_green, a_blue = (a * t for a, t in zip(kind_of.ambient, tint, strict=True))
    return Light(kind, direction, (red, green, blue), (a_red, a_green, a_blue))


def normals(alpha: Tensor) -> Tensor:
    """The surface of an inflated silhouette.

    Args:
        alpha: (n, 1, s, s).

    Returns:
        Normals of about unit length, (n, 3, s, s); straight to the camera far inside.
    """
    size = alpha.shape[-1]
    small = alpha
    while small.shape[-1] % 2 == 0 and small.shape[-1] > 64:
        small = halve(small)
    scale = small.shape[-1] / 64
    height = blur(small, max(1, round(1.2 * scale))) + 2.6 * blur(small, max(1, round(4 * scale)))
    padded = F.pad(height, (1, 1, 1, 1), mode="replicate")
    steep = 3.6 * scale
    x = (padded[:, :, 1:-1, :-2] - padded[:, :, 1:-1, 2:]) * steep
    y = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) * steep
    length = (x * x + y * y + 1).rsqrt()
    # Enlarged only now, and smoothly: slopes of an enlarged height show its pixels as facets.
    surface = torch.cat([x * length, y * length, length], dim=1)
    return F.interpolate(surface, (size, size), mode="bicubic", align_corners=False)


def relight(colour: Tensor, alpha: Tensor, direction: Tensor, key: Tensor, ambient: Tensor, bounce: Tensor) -> Tensor:
    """A subject as this light shows it.

    Args:
        colour: premultiplied, (n, 3, s, s). alpha: (n, 1, s, s).
        direction, key, ambient: (n, 3). bounce: what the ground throws back, (n, 3).

    Returns:
        Premultiplied, (n, 3, s, s), not clamped.
    """
    wide = lambda value: value[:, :, None, None]  # noqa: E731 - shorter than naming a function for one line
    surface = normals(alpha)
    facing = (surface * wide(direction)).sum(1, keepdim=True).clamp_min(0)
    up = surface[:, 1:2]
    light = wide(ambient) * (0.9 + 0.22 * up) + wide(key) * (0.25 + 0.85 * facing)
    return colour * (light + wide(bounce) * (-up).clamp_min(0) * 0.45)
