"""The outfits of the live-subject prompts, put on a sprite: hats on what is highest, clothes over what is below.

Sprites are premultiplied (n, 4, s, s), 0 … 1. Nothing is known of a subject but its outline: the head is taken to be the
upper quarter of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.training.render.paint import TAU, Canvas

_MARGIN = 0.16  # of the square on every side: a hat needs room above
_LARGEST_HEAD = 0.14  # half its width; hats are at most 1.5 times that high


@dataclass(frozen=True)
class Body:
    """The parts of a subject that outfits go to, each (n, 1, 1, 1) in shares of the square.

    Attributes:
        top, foot: first and last row.
        x: middle of the head.
        head: half its width, bounded so that a hat fits.
    """

    top: Tensor
    foot: Tensor
    x: Tensor
    head: Tensor

    def y(self, share: float) -> Tensor:
        """The height at this share of the way from the top to the foot."""
        return self.top + share * (self.foot - self.top)


def body_of(sprites: Tensor) -> Body:
    """Read a body off the outlines. An empty sprite has one in the middle."""
    alpha = sprites[:, 3] > 0.5
    size = alpha.shape[-1]
    place = (torch.arange(size, device=sprites.device) + 0.5) / size
    rows = alpha.any(2)
    top = torch.where(rows, place, torch.ones_like(place)).amin(1).clamp(max=0.5)
    foot = (rows * place).amax(1).clamp_min(0.5)
    upper = alpha & (place.view(1, -1, 1) <= (top + 0.25 * (foot - top)).view(-1, 1, 1))
    columns = upper.any(1)
    left = torch.where(columns, place, torch.ones_like(place)).amin(1)
    right = (columns * place).amax(1)
    empty = ~columns.any(1)
    left, right = left.masked_fill(empty, 0.4), right.masked_fill(empty, 0.6)
    wide = lambda value: value.view(-1, 1, 1, 1)  # noqa: E731 - shorter than naming a function for one line
    return Body(wide(top), wide(foot), wide((left + right) / 2), wide(((right - left) / 2).clamp(0.06, _LARGEST_HEAD)))


def dress(sprites: Tensor, key: str, c: Canvas) -> Tensor:
    """The same subjects in an outfit.

    Args:
        sprites: with a margin around them, see ``with_margin``.
        key: of one of ``language.OUTFITS``.
        c: a canvas of the sprites' number and size.
    """
    dressed = _Dressed(sprites, c)
    getattr(dressed, key)()
    return dressed.sprites.clamp(0, 1)


def with_margin(sprites: Tensor) -> Tensor:
    """The same sprites in a larger square, so that hats fit."""
    return F.pad(sprites, (round(sprites.shape[-1] * _MARGIN),) * 4)


class _Dressed:
    """Sprites while they are dressed; the methods are named after the outfits' keys."""

    def __init__(self, sprites: Tensor, c: Canvas) -> None:
        self.sprites, self.c = sprites, c
        self.body = body_of(sprites)
        self.outline = sprites[:, 3:]

    # Outfits

    def red_hat(self) -> None:
        self._brimmed(self.c.colour("#d8261c", "#c0201e"), self.c.colour("#7a1512"))

    def santa_hat(self) -> None:
        c, b = self.c, self.body
        tip = b.x + b.head * c.uniform(-0.4, 0.4)
        self._lay(c.colour("#d0211c", "#c41a22"), self._cone(tip, 1.3, 0.95))
        white = c.colour("#f7f5f0", vary=0.01)
        self._lay(white, c.ellipse(b.x, b.top, b.head * 1.05, b.head * 0.26))
        self._lay(white, c.ellipse(tip, b.top - b.head * 1.25, b.head * 0.24, b.head * 0.24))

    def rainbow_scarf(self) -> None:
        c, b = self.c, self.body
        turn = (c.x * c.uniform(2.5, 3.5) + c.uniform(0, 1)) * TAU
        rainbow = torch.cat([0.5 + 0.5 * torch.cos(turn - shift) for shift in (0, TAU / 3, 2 * TAU / 3)], dim=1)
        rainbow = rainbow.expand(-1, -1, c.size, c.size)
        band = (c.y > b.y(0.34)) & (c.y < b.y(0.46))
        near = F.max_pool2d(self.outline, 5, 1, 2)  # it lies around, not on
        self._lay(rainbow, band.float() * near)
        end = b.x + b.head * 0.5
        self._lay(rainbow, c.box(end - 0.035, b.y(0.4), end + 0.035, b.y(0.72)))

    def top_hat(self) -> None:
        """And a monocle."""
        c, b = self.c, self.body
        black = c.colour("#17171a", "#222226", vary=0.015)
        self._lay(black, c.box(b.x - b.head * 0.62, b.top - b.head * 1.3, b.x + b.head * 0.62, b.top))
        self._lay(
            c.colour("#7b1c22", "#3a3a40"),
            c.box(b.x - b.head * 0.62, b.top - b.head * 0.36, b.x + b.head * 0.62, b.top - b.head * 0.12),
        )
        self._lay(black, c.ellipse(b.x, b.top, b.head * 1.1, b.head * 0.17))
        gold, at = c.colour("#d9a520", "#c8941c"), b.x + b.head * 0.42
        self._ring(gold, at, b.y(0.2), b.head * 0.36, b.head * 0.08)
        self._lay(gold, c.box(at + b.head * 0.3, b.y(0.2), at + b.head * 0.38, b.y(0.45)))

    def chef(self) -> None:
        c, b = self.c, self.body
        white = c.colour("#f8f8f6", vary=0.01)
        self._clothes(white, 0.45)
        for side in (-0.35, 0.35):
            for share in (0.56, 0.68, 0.8):
                self._lay(c.colour("#2b2b30"), c.ellipse(b.x + b.head * side, b.y(share), 0.014, 0.014))
        for dx in (-0.5, 0.0, 0.5):
            self._lay(
                white * (1 - 0.05 * abs(dx)),
                c.ellipse(b.x + b.head * dx, b.top - b.head * 0.9, b.head * 0.45, b.head * 0.45),
            )
        self._lay(white * 0.94, c.box(b.x - b.head * 0.75, b.top - b.head * 0.75, b.x + b.head * 0.75, b.top))

    def firefighter(self) -> None:
        c, b = self.c, self.body
        self._clothes(c.colour("#2a2c33", "#3a3226", "#a8832f"), 0.42)
        for share in (0.6, 0.82):
            self._clothes(c.colour("#e8e23a", "#f2c832"), share, share + 0.07)
        red = c.colour("#c5201b", "#b3221e")
        self._lay(red, c.ellipse(b.x, b.top - b.head * 0.1, b.head * 0.95, b.head * 0.85) * (c.y < b.top).float())
        self._lay(red * 0.8, c.ellipse(b.x, b.top, b.head * 1.3, b.head * 0.2))
        self._lay(c.colour("#f0c531"), c.ellipse(b.x, b.top - b.head * 0.4, b.head * 0.24, b.head * 0.3))

    def police(self) -> None:
        c, b = self.c, self.body
        navy, gold = c.colour("#1d2b53", "#24345f", vary=0.015), c.colour("#e2b93b")
        self._clothes(navy, 0.42)
        self._lay(gold, c.ellipse(b.x - b.head * 0.45, b.y(0.56), 0.028, 0.034))
        self._lay(navy, c.ellipse(b.x, b.top - b.head * 0.45, b.head * 1.1, b.head * 0.42))
        self._lay(navy * 0.85, c.box(b.x - b.head * 0.8, b.top - b.head * 0.4, b.x + b.head * 0.8, b.top))
        self._lay(c.colour("#101014"), c.ellipse(b.x, b.top + b.head * 0.02, b.head * 0.9, b.head * 0.16))
        self._lay(gold, c.ellipse(b.x, b.top - b.head * 0.4, b.head * 0.18, b.head * 0.22))

    def pink_glasses(self) -> None:
        c, b = self.c, self.body
        pink, y = c.colour("#ff4fa0", "#f25aa8", "#ff7cc0"), b.y(0.2)
        for side in (-0.45, 0.45):
            at = b.x + b.head * side
            self._lay(pink * 0.5 + 0.5, c.ellipse(at, y, b.head * 0.36, b.head * 0.36) * 0.45)
            self._ring(pink, at, y, b.head * 0.4, b.head * 0.12)
        self._lay(pink, c.box(b.x - b.head * 0.14, y - b.head * 0.06, b.x + b.head * 0.14, y + b.head * 0.06))

    def yellow_shirt(self) -> None:
        c, b = self.c, self.body
        yellow = c.colour("#f7d217", "#f2c80f", "#ffe04a")
        self._clothes(yellow, 0.42, 0.86)
        self._clothes(yellow * 0.8, 0.42, 0.46)
        self._lay(yellow * 0.7, c.box(b.x - 0.006, b.y(0.46), b.x + 0.006, b.y(0.86)) * self.outline)

    def wizard(self) -> None:
        c, b = self.c, self.body
        purple, gold = c.colour("#5b2a9c", "#6a2fb0", "#4a2590"), c.colour("#f5d94e")
        self._clothes(purple, 0.4)
        stars = ((c.noise(18) - 0.78) * 14).clamp(0, 1)
        self._lay(gold, stars * (c.y > b.y(0.4)).float() * self.outline)
        hat = self._cone(b.x + b.head * c.uniform(-0.25, 0.25), 1.5, 0.85)
        self._lay(purple, hat)
        self._lay(gold, hat * stars)
        self._lay(purple * 0.75, c.ellipse(b.x, b.top, b.head * 1.25, b.head * 0.2))

    # Strokes

    def _lay(self, colour: Tensor, mask: Tensor) -> None:
        """Paint over the sprites and beyond them."""
        self.sprites = torch.cat(
            [self.sprites[:, :3] * (1 - mask) + colour * mask, self.sprites[:, 3:] * (1 - mask) + mask], dim=1
        )

    def _clothes(self, colour: Tensor, start: float, end: float = 1.01) -> None:
        """Over the outline between two heights, with the folds that the subject's own light makes."""
        b = self.body
        inside = ((self.c.y > b.y(start)) & (self.c.y < b.y(end))).float() * self.outline
        light = self.sprites[:, :3].mean(1, keepdim=True)
        self._lay(colour * (0.85 + 0.2 * light), inside)

    def _brimmed(self, colour: Tensor, band: Tensor) -> None:
        c, b = self.c, self.body
        crown = c.ellipse(b.x, b.top - b.head * 0.1, b.head * 0.78, b.head * 0.95) * (c.y < b.top).float()
        self._lay(colour, crown)
        self._lay(band, crown * (c.y > b.top - b.head * 0.32).float())
        self._lay(colour * 0.92, c.ellipse(b.x, b.top, b.head * 1.25, b.head * 0.22))

    def _cone(self, tip: Tensor, height: float, half: float) -> Tensor:
        """A leaning triangle over the head, ``height`` and ``half`` in heads."""
        c, b = self.c, self.body
        along = (c.y - (b.top - b.head * height)) / (b.head * height)
        middle = tip + (b.x - tip) * along
        inside = torch.minimum(along * half * b.head - (c.x - middle).abs(), b.top - c.y)
        return c.edge(inside)

    def _ring(self, colour: Tensor, x: Tensor, y: Tensor, radius: Tensor, width: Tensor) -> None:
        c = self.c
        outer = c.ellipse(x, y, radius, radius)
        self._lay(colour, outer * (1 - c.ellipse(x, y, radius - width, radius - width)))
