"""One background while it is painted: light, sky, ground in perspective, things that stand on it, depth of field.

Colours laid with ``put`` are those of things and are lit; those laid with ``lay`` shine by themselves (sky, lamps).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.training.render.light import Light, draw_light
from engine.training.render.paint import Canvas, rgb, soften
from engine.training.render.photos import Photographs

LEVELS = 5


@dataclass(frozen=True)
class Setting:
    """The light and ground that a scene gives the subject.

    Attributes:
        horizon: y of the horizon; negative where the camera looks down.
        ground: y of the subject's foot, 0 … 1.
        mirror: how strongly it is reflected below its foot, 0 … 1.
        ripple: how much the reflection wavers, 0 … 1.
        sink: share of its height hidden below ``surface`` (water, milk, snow).
        surface: colour it sinks into, (3,), or None.
        shadow: how dark its shadow is, as a factor on what the light makes of it.
    """

    horizon: float
    ground: float
    mirror: float = 0.0
    ripple: float = 0.0
    sink: float = 0.0
    surface: Tensor | None = None
    shadow: float = 1.0


class World(Canvas):
    """One canvas with light and dice.

    Attributes:
        dice: chance for everything that is not a field.
        light: of this picture.
        cast: what that light makes of white, (1, 3, 1, 1).
        front: what stands before the subject, premultiplied, (1, 4, s, s), or None.
        layout: number of this background among those of its scene: painters deal out their layouts by it.
    """

    def __init__(
        self,
        size: int,
        generator: torch.Generator,
        dice: random.Random,
        photos: Photographs,
        layout: int,
        weather: str | None,
    ) -> None:
        super().__init__(1, size, generator)
        self.dice, self.photos, self.layout, self.weather = dice, photos, layout, weather
        self.front: Tensor | None = None
        self.light_up("noon")

    # Chance and colours

    def u(self, low: float, high: float) -> float:
        return self.dice.uniform(low, high)

    def maybe(self, share: float) -> bool:
        return self.dice.random() < share

    def colour(self, *palette: str, vary: float = 0.025) -> Tensor:
        base = rgb(self.dice.choice(palette))
        shade = self.dice.gauss(0, vary)
        values = [min(1.0, max(0.0, channel + shade + self.dice.gauss(0, vary * 0.6))) for channel in base]
        return torch.tensor(values, device=self.device).view(1, 3, 1, 1)

    def light_up(self, *kinds: str, indoors: bool = False) -> None:
        """Choose the light; the weather that the caption names has its way."""
        kind = self.weather or self.dice.choice(kinds)
        if indoors and self.weather:
            kind = {"sunset": "golden", "night": "lamp", "fog": "overcast"}[self.weather]
        self.light: Light = draw_light(self.dice, kind)
        self.cast = torch.tensor(self.light.cast, device=self.device).view(1, 3, 1, 1)

    # Putting on

    def put(self, colour: Tensor, mask: Tensor | float = 1.0) -> None:
        """Lay the colour of a thing, lit."""
        self.lay((colour * self.cast).clamp(0, 1), mask)

    def fractal(self, cells: int, stretch: float = 1.0, octaves: int = 6) -> Tensor:
        """Noise with fine detail, mean 0.5, (1, 1, s, s)."""
        return self.noise(cells, octaves, stretch)

    def blur_all(self, radius: float) -> None:
        """Radius in pixels of a picture of 256."""
        self.image = soften(self.image, radius * self.size / 256)

    def sky(self, horizon: float) -> None:
        """A sky as the light has it, down to the horizon."""
        tops, middles, lows = _SKIES.get(self.light.kind, _SKIES["noon"])
        top, middle, low = self.colour(*tops), self.colour(*middles), self.colour(*lows)
        share = (self.y / max(horizon, 0.05)).clamp(0, 1) ** 1.3
        self.image = (
            torch.where(share < 0.6, top + (middle - top) * share / 0.6, middle + (low - middle) * (share - 0.6) / 0.4)
            .expand(-1, -1, self.size, self.size)
            .clone()
        )
        if self.light.kind in ("sunset", "golden"):
            at = 0.5 + 0.5 * self.light.direction[0]
            distance = ((self.x - at) ** 2 + ((self.y - horizon + 0.04) * 1.3) ** 2).sqrt()
            self.lay(self.colour("#fff0c4", "#ffe2a0"), (1 - distance / 0.55).clamp(0, 1) ** 2 * 0.85)
        if self.light.kind == "night":
            stars = (
                torch.rand(1, 1, self.size, self.size, generator=self.generator, device=self.device) > 0.9985
            ).float()
            self.lay(self.colour("#dfe8ff"), soften(stars, 0.5) * 2)
        amount = self.u(0, 1)
        if self.light.kind == "fog" or amount < 0.25:
            return
        field = self.fractal(self.dice.choice((2, 3, 4)), self.u(1.6, 3.2), 6)
        body = ((field - 0.62 + 0.22 * amount) * 7).clamp(0, 1)
        shade = ((field - 0.5) * 3).clamp(0, 1)
        lit, dark = (
            self.colour(*_CLOUDS.get(self.light.kind, _CLOUDS["noon"])[0]),
            self.colour(*_CLOUDS.get(self.light.kind, _CLOUDS["noon"])[1]),
        )
        self.lay(lit + (dark - lit) * shade, body * (0.35 + 0.5 * amount) * (1 - 0.5 * share))

    def haze(self, base: float, reach: float, strength: float) -> None:
        """Air between here and the horizon: paler toward ``base``."""
        near = (1 - (self.y - base).abs() / reach).clamp(0, 1)
        _, _, lows = _SKIES.get(self.light.kind, _SKIES["noon"])
        self.lay(self.colour(*lows, vary=0.01), near * strength)

    def project(self, tile: Tensor, horizon: float, scale: float = 1.0, turn: float = 0.0) -> Tensor:
        """A flat pattern as the camera sees it on the ground, (1, c, s, s).

        Args:
            tile: seen from above, (1, c, t, t).
            horizon: y; negative looks down more steeply.
            scale: tiles per unit of ground; larger is finer.
        """
        t = tile.shape[-1]
        depth = (1 - horizon) / (self.y - horizon).clamp_min(2e-3)  # 1 at the lower edge, growing with distance
        across = (self.x - 0.5) * depth
        height = 0.35 + 0.65 * (1 - horizon)
        away = depth * height
        cos, sin = math.cos(turn), math.sin(turn)
        # The tile's lower edge lies at the picture's: beyond its upper one it is mirrored, where that is no longer seen.
        away = away - height
        u = (across * cos + away * sin) * scale + self.u(-0.2, 0.2)
        v = (away * cos - across * sin) * scale - self.u(0.8, 0.95)
        grid = torch.stack([u, v], dim=-1).squeeze(0)
        # One pixel's reach on the tile decides how blurred the pattern is there.
        reach = (depth**2) * height / (1 - horizon) * scale * t / 2 / self.size
        reach = torch.maximum(reach * 0.55, depth * scale * t / 2 / self.size)
        level = reach.clamp_min(1).log2().clamp(0, LEVELS - 1.001)
        out = torch.zeros(1, tile.shape[1], self.size, self.size, device=self.device)
        first, last = int(float(level.min())), math.ceil(float(level.max()))
        for index in range(first, last + 1):
            small = tile if index == 0 else F.interpolate(tile, (t >> index, t >> index), mode="area")
            weight = (1 - (level - index).abs()).clamp_min(0)
            rows = (weight.flatten() > 0).nonzero().flatten()
            if len(rows):
                part = grid[:, rows]
                sampled = F.grid_sample(small, part, padding_mode="reflection", align_corners=False)
                out[:, :, rows] += sampled * weight[:, :, rows]
        return out

    def mirrored(self, line: float) -> Tensor:
        """The picture above y = line, upside down below it, (1, 3, s, s)."""
        rows = torch.arange(self.size, device=self.device)
        source = (2 * line * self.size - 1 - rows).round().long().abs().clamp(max=self.size - 1)
        return self.image[:, :, source]

    def below(self, line: float | Tensor, soft: float = 1.0) -> Tensor:
        return self.edge(self.y - line, soft)

    def line(self, base: float, height: float, bumps: int, rough: float = 0.5, octaves: int = 6) -> Tensor:
        """An uneven line about y = base, (1, 1, 1, s): hills with a large ``bumps`` 2, tree tops with 12."""
        total = torch.zeros(1, 1, 1, self.size, device=self.device)
        weight, norm = 1.0, 0.0
        for _ in range(octaves):
            low = torch.rand(1, 1, 1, bumps + 3, device=self.device, generator=self.generator)
            total += weight * F.interpolate(low, (1, self.size), mode="bilinear", align_corners=True)
            norm += weight
            bumps, weight = min(bumps * 2, self.size // 2), weight * rough
        return base - height * (total / norm - 0.3)

    def stamp(
        self,
        sprite: Tensor,
        x: float,
        y: float,
        size: float,
        turn: float = 0.0,
        *,
        front: bool = False,
        lit: bool = True,
        stretch: float = 1.0,
    ) -> None:
        """Lay a small premultiplied picture (1, 4, k, k) with its centre at (x, y), ``size`` as a share of the picture."""
        reach = size * 0.72 * max(1.0, stretch)
        left, right = (int(max(0, (x - reach) * self.size)), int(min(self.size, (x + reach) * self.size + 1)))
        top, bottom = (int(max(0, (y - reach) * self.size)), int(min(self.size, (y + reach) * self.size + 1)))
        if right - left < 1 or bottom - top < 1:
            return
        u = (self.x[..., left:right] - x) * (2 / size)
        v = (self.y[..., top:bottom, :] - y) * (2 / size)
        cos, sin = math.cos(turn), math.sin(turn)
        grid = torch.stack([u * cos + v * sin, (v * cos - u * sin) / stretch], dim=-1).squeeze(0)
        if size * self.size < 0.5 * sprite.shape[-1]:
            sprite = F.avg_pool2d(sprite, max(1, min(8, int(sprite.shape[-1] / (size * self.size)))))
        part = F.grid_sample(sprite, grid, padding_mode="zeros", align_corners=False)
        colour = part[:, :3] * self.cast if lit else part[:, :3]
        if front:
            if self.front is None:
                self.front = torch.zeros(1, 4, self.size, self.size, device=self.device)
            part = torch.cat([colour.clamp(0, 1), part[:, 3:]], 1)
            under = self.front[..., top:bottom, left:right]
            self.front[..., top:bottom, left:right] = under * (1 - part[:, 3:]) + part
        else:
            under = self.image[..., top:bottom, left:right]
            self.image[..., top:bottom, left:right] = under * (1 - part[:, 3:]) + colour

    def backdrop(self, *palette: str, detail: float = 0.5, photo: float = 0.7) -> Tensor:
        """Something out of focus in about these colours, (1, 3, s, s): part of a photo, or soft noise."""
        first, second = self.colour(*palette), self.colour(*palette)
        if self.photos and self.maybe(photo):
            crop = soften(self.photos.crop(self.dice, self.size, 0.4, 1.0), 2.5 * self.size / 256)
            mean, deviation = crop.mean((2, 3), keepdim=True), crop.std().clamp_min(0.05)
            tone = (crop - mean) / deviation * 0.13
            grey = tone.mean(1, keepdim=True)
            pattern = grey + (tone - grey) * 0.5
            return (first + (second - first) * self.y + pattern * 2 * detail).clamp(0, 1)
        share = ((self.fractal(4, 1.0, 4) - 0.5) * 2.4 + 0.5).clamp(0, 1)
        return (first + (second - first) * share) * (1 + detail * 0.7 * (self.fractal(7, 1.0, 3) - 0.5))

    def bokeh(
        self, count: int, *palette: str, low: float = 0.0, high: float = 0.6, size: float = 0.05, strength: float = 0.6
    ):
        """Discs of light out of focus, between two heights."""
        for _ in range(count):
            r = size * self.u(0.6, 1.3)
            x, y = self.u(0, 1), self.u(low, high)
            disc = _disc(self.device)
            colour = self.colour(*palette)
            power = strength * self.u(0.3, 1)
            self.stamp(torch.cat([colour * disc * power, disc * power], 1), x, y, 2 * r, lit=False)

    def focus(self, horizon: float, ground: float, aperture: float) -> None:
        """Depth of field: sharp where the subject stands, blurred by up to ``aperture`` pixels (of 256) behind and before."""
        aperture *= self.size / 256
        share = ((self.y - horizon) / max(ground - horizon, 0.05)).clamp_min(0)
        if self.light.kind == "fog":
            drift = 0.85 + 0.3 * self.fractal(3, 2.5, 3)
            self.lay(
                self.colour("#ccd0d2", "#c4cacd", vary=0.015),
                ((1 - share).clamp(0, 1) ** 0.8 * 0.85 * drift).clamp(0, 0.92),
            )
        circle = aperture * (1 - share).abs()
        levels = [0.0, 1.2, 2.8, 6.0, 12.0]
        pictures = [soften(self.image, level) for level in levels if level < aperture * 1.7 + 1.3]
        out = torch.zeros_like(self.image)
        for index, picture in enumerate(pictures):
            low = levels[index - 1] if index else -1.0
            high = levels[index + 1] if index + 1 < len(pictures) else 1e9
            weight = torch.minimum((circle - low) / (levels[index] - low), (high - circle) / (high - levels[index]))
            out += picture * weight.clamp(0, 1)
        self.image = out


def _disc(device: torch.device) -> Tensor:
    place = torch.linspace(-1, 1, 24, device=device)
    radius = (place.view(1, 1, -1, 1) ** 2 + place.view(1, 1, 1, -1) ** 2).sqrt()
    return ((0.95 - radius) * 9).clamp(0, 1) * (0.75 + 0.25 * (radius > 0.75))


_Palette = tuple[str, ...]
_SKIES: dict[str, tuple[_Palette, _Palette, _Palette]] = {
    "noon": (("#2f6fb4", "#3b7fc4", "#4a8fd0"), ("#7fb2de", "#8fbce2"), ("#cfe2ee", "#dde9ee")),
    "overcast": (("#9aa4ae", "#aab2ba"), ("#b8c0c6", "#c2c8cc"), ("#d2d6d8", "#dcdedd")),
    "golden": (("#6f9cc8", "#86a8c8"), ("#c8c8b8", "#d8c8a4"), ("#f6dca4", "#f8d490")),
    "sunset": (("#3e4a80", "#5c5088", "#4a5c94"), ("#c8786c", "#d4846a", "#b86a78"), ("#f8b060", "#f49a50", "#fcc070")),
    "dusk": (("#24345c", "#2c3c68"), ("#54689a", "#6474a0"), ("#a49cae", "#c0a49c")),
    "night": (("#060a18", "#0a1024"), ("#101a34", "#14203c"), ("#22304c", "#2a3450")),
    "fog": (("#c2c8cc", "#b8c0c4"), ("#ccd0d2",), ("#d4d8d9", "#cdd2d4")),
    "forest": (("#7fb2de", "#8fbce2"), ("#b8d2d8",), ("#dfe8d8",)),
    "frost": (("#5f8cc0", "#7ba2cc", "#9cb4cc"), ("#a4c0dc", "#b8cce0"), ("#dfe7ee", "#eee6e2")),
    "pastel": (("#b8c0e0", "#d0bcdc", "#b4d0e4"), ("#e0cce0", "#f0d4d8"), ("#fae8dc", "#fbeee4")),
}
_CLOUDS: dict[str, tuple[_Palette, _Palette]] = {
    "noon": (("#f8fafc",), ("#b8c4d0", "#c8d0d8")),
    "overcast": (("#d0d4d8",), ("#8c949c", "#9ca4aa")),
    "golden": (("#fff0d0", "#fce4bc"), ("#b8a898",)),
    "sunset": (("#fca868", "#f88c60", "#fcbc80"), ("#7c5478", "#8c5a70")),
    "dusk": (("#8c8ca8", "#b48c94"), ("#3c4464",)),
    "night": (("#2c3854",), ("#141c30",)),
    "frost": (("#f4f6f8",), ("#b8c4d4",)),
    "pastel": (("#fff4f0", "#fcecf0"), ("#d8c8dc",)),
}
