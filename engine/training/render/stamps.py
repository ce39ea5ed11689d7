"""Small things that scenes are planted with: leaves, flowers, ears, trees, people; premultiplied (1, 4, k, k)."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.training.render.paint import Canvas, soften
from engine.training.render.world import World

SIDE = 72


def _canvas(w: World, side: int = SIDE) -> tuple[Canvas, Tensor, Tensor]:
    c = Canvas(1, side, w.generator)
    return c, c.x * 2 - 1, c.y * 2 - 1


def _cut(colour: Tensor, mask: Tensor) -> Tensor:
    colour = colour.expand(-1, -1, *mask.shape[2:]).clamp(0, 1)
    return torch.cat([colour * mask, mask], dim=1)


def leaf(w: World, *palette: str, slim: float = 0.38) -> Tensor:
    """A long leaf, its tip up, with a midrib and side veins."""
    c, x, y = _canvas(w)
    bend = w.u(-0.25, 0.25)
    x = x - bend * (y * y - 0.3)
    half = slim * (1 - y * y).clamp_min(0) ** 0.75 * (1 + 0.3 * y)
    mask = ((half - x.abs()) * SIDE / 2 + 0.5).clamp(0, 1)
    colour = w.colour(*palette, vary=0.05)
    veins = torch.sin((y * 1.0 - x.abs() * 1.3) * 34)
    side = torch.sign(x) * w.u(0.04, 0.16)
    tone = 0.85 + side + 0.05 * veins + 0.3 * (c.noise(4, 2) - 0.5) - 0.18 * (x / slim) ** 2
    rib = (1 - x.abs() / 0.03).clamp(0, 1) * 0.35
    return _cut(colour * tone * (1 + rib), mask)


def frond(w: World, *palette: str) -> Tensor:
    """A fern or palm leaf, its tip up: leaflets on both sides of a bent stalk."""
    c, x, y = _canvas(w, 110)
    x = x - w.u(-0.35, 0.35) * (y * y - 0.2)
    reach = 0.75 * (1 - ((y + 0.05) / 0.98) ** 2).clamp_min(0) ** 0.6
    phase = (y + x.abs() * w.u(0.5, 0.9)) * w.u(4.5, 7)
    thick = (phase - phase.round()).abs()
    inside = torch.minimum((reach - x.abs()) * 20, (0.44 - thick - 0.4 * x.abs()) * 12)
    stalk = (0.025 - x.abs()) * 60
    mask = torch.maximum(inside, stalk).clamp(0, 1) * ((0.98 - y.abs()) * 20).clamp(0, 1)
    tone = 0.8 + 0.5 * (0.3 - thick) + 0.12 * x.sign() + 0.4 * (c.noise(4, 2) - 0.5)
    return _cut(w.colour(*palette, vary=0.05) * tone, mask)


def maple(w: World, *palette: str) -> Tensor:
    """An autumn leaf with five points."""
    c, x, y = _canvas(w)
    angle, radius = torch.atan2(x.expand(1, 1, SIDE, SIDE), -y.expand(1, 1, SIDE, SIDE)), (x * x + y * y).sqrt()
    lobe = (1 - torch.sin(angle * 2.5).abs()) ** 1.2
    points = 0.3 + 0.66 * lobe * (0.75 + 0.25 * torch.cos(angle)) + 0.05 * torch.cos(angle * 15)
    mask = ((points - radius) * SIDE / 2.5).clamp(0, 1)
    vein = (1 - (torch.sin(angle * 2.5)).abs() * radius / 0.05).clamp(0, 1) * 0.25
    tone = (0.8 + 0.4 * (c.noise(4, 3) - 0.5) + 0.12 * x) * (1 + vein)
    return _cut(w.colour(*palette, vary=0.05) * tone, mask)


def sunflower(w: World) -> Tensor:
    """A flower head, seen from the front, a little from below or above."""
    _c, x, y = _canvas(w, 110)
    y = y / w.u(0.75, 1.0)
    angle, radius = torch.atan2(y, x.expand(1, 1, 110, 110)), (x * x + y * y).sqrt()
    image = torch.zeros(1, 4, 110, 110, device=w.device)
    for count, reach, tone in ((w.dice.choice((17, 19)), 0.95, 0.78), (w.dice.choice((14, 16)), 0.86, 1.0)):
        turn = w.u(0, 6)
        lobe = torch.cos((angle * count + turn) / 1.0)
        edge = reach * (0.72 + 0.26 * lobe)
        mask = ((edge - radius) * 22).clamp(0, 1)
        colour = w.colour("#fcc41c", "#f6b414", "#ffd02c") * (tone * (0.72 + 0.22 * lobe + 0.2 * radius))
        petal = _cut(colour * torch.tensor([1.0, 0.96, 0.8], device=w.device).view(1, 3, 1, 1), mask)
        image = image * (1 - petal[:, 3:]) + petal
    seeds = torch.sin(radius * 60 + angle * 8) * torch.sin(radius * 60 - angle * 13)
    disc = ((0.43 - radius) * 26).clamp(0, 1)
    ring = ((radius - 0.2) * 5).clamp(0, 1)
    centre = w.colour("#3c2410", "#4a2c12") * (1 - ring) + w.colour("#7a4c18", "#8a5a1c") * ring
    disc_picture = _cut(centre * (0.9 + 0.35 * seeds), disc)
    return image * (1 - disc) + disc_picture


def ear(w: World) -> Tensor:
    """An ear of wheat on its stalk, upright."""
    _c, x, y = _canvas(w, 96)
    x = x - w.u(-0.3, 0.3) * (1 - y).clamp(0, 2) ** 2 * 0.25
    phase = y * 11
    row = phase - phase.floor()
    width = 0.085 * (1 - ((y + 0.5) / 0.45) ** 2).clamp_min(0) ** 0.5
    grains = width * (0.65 + 0.5 * (1 - (row - 0.5).abs() * 2))
    awns = ((torch.sin((x * 9 / (0.6 - y.clamp(max=0.5)) + 0.3) * 6) - 0.86) * 4).clamp(0, 1)
    awns = awns * (((y + 0.35) < 0).float() * ((0.16 - 0.12 * (y + 1) - x.abs()) * 30).clamp(0, 1)) * 0.7
    stalk = ((0.016 - x.abs()) * 70).clamp(0, 1) * (y > -0.1)
    body = ((grains - x.abs()) * 40).clamp(0, 1)
    mask = torch.maximum(torch.maximum(body, stalk), awns)
    colour = w.colour("#e0b450", "#d0a040", "#ecc870", "#c89838", vary=0.04)
    tone = 0.72 + 0.45 * (1 - row) * body + 0.25 * awns + 0.15 * x.sign() * body
    return _cut(colour * tone, mask)


def blade(w: World, *palette: str) -> Tensor:
    """A blade of grass, its tip up, bent to a side."""
    _, x, y = _canvas(w, 64)
    x = x - w.u(-0.7, 0.7) * ((1 - y) / 2) ** 2
    half = 0.05 * ((1 + y) / 2 + 0.08).clamp_min(0)
    mask = ((half - x.abs()) * 32 + 0.4).clamp(0, 1)
    return _cut(w.colour(*palette, vary=0.05) * (0.75 + 0.25 * (1 - y) / 2 + 0.8 * x), mask)


def conifer(w: World, snowy: bool = False) -> Tensor:
    """A fir, perhaps with snow on its branches."""
    side = 128
    c, x, y = _canvas(w, side)
    tiers = (y + 1) * w.u(4.5, 6.5)
    saw = tiers - tiers.floor()
    half = 0.02 + 0.36 * ((y + 1) / 2) ** 0.85 * (0.55 + 0.5 * saw) + 0.11 * (c.noise(26, 2) - 0.5)
    mask = ((half - x.abs()) * 40).clamp(0, 1) * ((0.9 - y) * 20).clamp(0, 1) * (y > -0.97)
    trunk = ((0.035 - x.abs()) * 60).clamp(0, 1) * (y > 0.5)
    light = w.light.direction[0]
    tone = 0.5 + 0.4 * saw + 0.55 * (c.noise(30, 2) - 0.5) + 0.45 * light * x
    picture = _cut(w.colour("#2c4630", "#34503c", "#263e30", vary=0.03) * tone, mask)
    if snowy:
        white = ((c.noise(22, 2) - 0.68 + 0.34 * (1 - saw)) * 6).clamp(0, 1) * mask
        snow = _cut(w.colour("#eef3f8") * (0.85 + 0.3 * light * x), white)
        picture = picture * (1 - white) + snow
    bark = _cut(w.colour("#3c2e24"), trunk)
    return bark * (1 - picture[:, 3:]) + picture


def tree(w: World, *palette: str, bare: float = 0.0) -> Tensor:
    """A broad tree: trunk and a crown of many lit clumps."""
    side = 128
    c, x, y = _canvas(w, side)
    light = w.light.direction
    wobble = x - 0.05 * torch.sin(y * 3 + w.u(0, 6))
    trunk = (((0.07 + 0.03 * y.clamp_min(0)) - wobble.abs()) * 50).clamp(0, 1) * (y > -0.25)
    bark = w.colour("#4a3a2c", "#584636", "#3c3028") * (
        0.8 + 0.5 * light[0] * x * 8 + 0.4 * (c.noise(30, 2, 0.2) - 0.5)
    )
    out = _cut(bark, trunk)
    colours = [w.colour(*palette, vary=0.04) for _ in range(3)]
    for index in range(16):
        t, r = w.u(0, 6.28), w.u(0, 0.5)
        cx, cy = r * 1.15 * torch.cos(torch.tensor(t)).item(), -0.33 + r * 0.85 * torch.sin(torch.tensor(t)).item()
        size = w.u(0.2, 0.36)
        dx, dy = (x - cx) / size, (y - cy) / size
        distance = (dx * dx + dy * dy).sqrt() + 1.1 * (c.noise(20, 3) - 0.5) + bare * (c.noise(30, 2) - 0.3)
        mask = ((0.95 - distance) * 7).clamp(0, 1)
        tone = 0.62 + 0.26 * (light[0] * dx - light[1] * dy) + 0.7 * (c.noise(34, 2) - 0.5) + 0.012 * index
        clump = _cut(colours[index % 3] * tone, mask)
        out = out * (1 - mask) + clump
    return out


def palm(w: World) -> Tensor:
    """A coconut palm."""
    side = 128
    _c, x, y = _canvas(w, side)
    lean = w.u(-0.35, 0.35)
    stem = x - lean * (0.4 - y / 2) ** 2
    trunk = ((0.035 + 0.012 * (y + 1) - stem.abs()) * 60).clamp(0, 1) * (y > -0.5)
    out = _cut(
        w.colour("#7c6850", "#6c5a48") * (0.75 + 0.2 * torch.sin(y * 60) + 3 * w.light.direction[0] * stem), trunk
    )
    top = lean * (0.4 + 0.27) ** 2
    for turn in (-2.9, -2.5, -2.0, -1.5, -1.1, -0.6, -0.2, 0.15, 3.3):
        tilt = torch.tensor(turn + w.u(-0.15, 0.15))
        dx, dy = x - top, y + 0.52
        along, across = dx * tilt.cos() + dy * tilt.sin(), dy * tilt.cos() - dx * tilt.sin()
        sag = across - torch.sign(tilt.cos()) * along * along * 0.75
        comb = 0.6 + 0.4 * torch.sin(along * 70 + sag.abs() * 50)
        half = 0.12 * (1 - ((along - 0.3) / 0.32) ** 2).clamp_min(0) ** 0.5 * comb
        mask = ((half - sag.abs()) * 40).clamp(0, 1) * (along > 0)
        out = out * (1 - mask) + _cut(w.colour("#3c6a38", "#4c7c40", "#2c5630") * (0.8 + sag * 1.5), mask)
    return out


def person(w: World) -> Tensor:
    """Someone far away, standing or walking; only meant out of focus."""
    side = 96
    _c, x, y = _canvas(w, side)
    coat = w.colour(
        "#7c2c2c", "#2c3c60", "#3c3c44", "#5c5448", "#88847c", "#2c4c40", "#a07848", "#20242c", "#b8b0a4", vary=0.05
    )
    legs = w.colour("#23262e", "#3a4050", "#4c463e")
    skin, hair = w.colour("#dcaa88", "#8a5c44", "#c89878"), w.colour("#2a2018", "#5a4430", "#16141a", "#8c7450")
    stride = w.u(0.0, 0.1)
    out = torch.zeros(1, 4, side, side, device=w.device)
    parts = []
    for way in (-1, 1):
        along = ((y - 0.1) / 0.85).clamp(0, 1)
        leg = ((0.055 - (x - way * (0.05 + stride * along)).abs()) * 40).clamp(0, 1) * (y > 0.05) * (y < 0.97)
        parts.append((legs, leg))
        arm = ((0.04 - (x - way * (0.16 + 0.05 * (y + 0.5))).abs()) * 40).clamp(0, 1) * (y > -0.58) * (y < 0.08)
        parts.append((coat * 0.85, arm))
    body = ((0.155 + 0.02 * y - x.abs()) * 30).clamp(0, 1) * ((0.36 - (y + 0.27).abs()) * 20).clamp(0, 1)
    parts.append((coat * (0.85 + 1.2 * w.light.direction[0] * x), body))
    head = ((0.105 - (x * x + ((y + 0.76) * 0.85) ** 2).sqrt()) * 40).clamp(0, 1)
    parts.append((skin, head))
    parts.append((hair, head * (y < -0.77)))
    for colour, mask in parts:
        out = out * (1 - mask) + _cut(colour, mask)
    return out


def shade_below(w: World, x: float, y: float, width: float, strength: float = 0.4) -> None:
    """The soft shadow of a standing thing."""
    w.shade(1 - strength * soften(w.ellipse(x, y, width, width * 0.18, 4), 1.5))
