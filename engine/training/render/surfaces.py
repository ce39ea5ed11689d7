"""Surfaces seen from above: pictures (1, 3, t, t) that ``World.project`` lays on the ground."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.training.render.paint import Canvas, soften
from engine.training.render.world import World


def side_of(w: World) -> int:
    """Side of the tiles of a picture, in pixels: what is near is then about as fine as the picture."""
    return max(96, w.size * 3 // 2)


def _field(w: World, cells: int, octaves: int = 5, stretch: float = 1.0) -> Tensor:
    return Canvas(1, side_of(w), w.generator).noise(cells, octaves, stretch)


def _axes(w: World) -> tuple[Tensor, Tensor]:
    c = Canvas(1, side_of(w), w.generator)
    return c.x, c.y


def white_noise(w: World) -> Tensor:
    return torch.randn(1, 1, side_of(w), side_of(w), device=w.device, generator=w.generator)


def photo_grain(w: World, tile: Tensor, strength: float) -> Tensor:
    """Some of the fine structure of a photograph, where there are photographs."""
    if w.photos and w.maybe(0.7):
        return tile * (1 + strength * w.photos.pattern(w.dice, tile.shape[-1]))
    return tile


def mottled(w: World, *palette: str, fine: float = 0.12, coarse: float = 0.25, grain: float = 0.05) -> Tensor:
    """Earth, sand, snow, plaster: two colours in patches, grain over it."""
    first, second = w.colour(*palette), w.colour(*palette)
    share = ((_field(w, 5) - 0.5) * 2.5 + 0.5).clamp(0, 1)
    tone = 1 + coarse * (_field(w, 4) - 0.5) + fine * 2 * (_field(w, 40, 3) - 0.5) + grain * white_noise(w)
    return photo_grain(w, ((first + (second - first) * share) * tone).clamp(0, 1), fine * 0.6)


def grass(w: World, *palette: str, dry: float = 0.15) -> Tensor:
    """Short blades, lighter and darker, with dry ones between."""
    first, second, straw = w.colour(*palette), w.colour(*palette), w.colour("#b8a860", "#a89850")
    # Blades: white noise drawn out in a few directions, the brighter one on top.
    noise = white_noise(w)
    up = F.avg_pool2d(F.pad(noise, (0, 0, 6, 6), mode="reflect"), (13, 1), stride=1) * 3.2
    lean = torch.roll(noise, 7, 2)
    for step in range(1, 5):
        lean = lean + torch.roll(noise, (step * 2, step), (2, 3)) + torch.roll(noise, (-step * 2, -step), (2, 3))
    blades = torch.maximum(up, lean * 0.32)
    share = ((_field(w, 6, 4) - 0.5) * 2 + 0.5 + 0.2 * blades).clamp(0, 1)
    colour = first + (second - first) * share
    colour = colour + (straw - colour) * ((_field(w, 30, 3) - 1 + dry * 3) * 3).clamp(0, 0.6)
    return photo_grain(w, (colour * (0.82 + 0.3 * blades + 0.5 * (_field(w, 5) - 0.5))).clamp(0, 1), 0.1)


def cells(w: World, count: int, jitter: float = 0.8) -> tuple[Tensor, Tensor, Tensor]:
    """Irregular cells: (distance to the own point, distance to the border, a number 0 … 1 per cell), in cell widths."""
    side = side_of(w)
    points = torch.rand(2, count, count, device=w.device, generator=w.generator) * jitter + (1 - jitter) / 2
    values = torch.rand(1, count, count, device=w.device, generator=w.generator)
    place = (torch.arange(side, device=w.device) + 0.5) * (count / side)
    cell = place.long()
    u, v = (place - cell).view(1, -1), (place - cell).view(-1, 1)
    nearest = torch.full((side, side), 9.0, device=w.device)
    second, own = nearest.clone(), torch.zeros_like(nearest)
    table = torch.cat([points, values])
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            there = table.roll((-dy, -dx), (1, 2))[:, cell][:, :, cell]
            distance = ((u - dx - there[0]) ** 2 + (v - dy - there[1]) ** 2).sqrt()
            closer = distance < nearest
            second = torch.minimum(second, torch.maximum(nearest, distance))
            own = torch.where(closer, there[2], own)
            nearest = torch.minimum(nearest, distance)
    nearest, second, own = (value[None, None] for value in (nearest, second, own))
    return nearest, second - nearest, own


def cobbles(w: World, *palette: str) -> Tensor:
    """Rounded stones with dark joints, worn light on top."""
    stone, other = w.colour(*palette), w.colour(*palette)
    _distance, border, own = cells(w, w.dice.choice((7, 8, 10)), w.u(0.35, 0.7))
    dome = (border * 2.6).clamp(0, 1) ** 0.6
    colour = stone + (other - stone) * own
    tone = (0.62 + 0.5 * own * 0.5 + 0.25 * (_field(w, 30, 4) - 0.5)) * (0.35 + 0.75 * dome)
    x_light = w.light.direction[0]
    slope = torch.roll(soften(dome, 1.5), 3, 3) - torch.roll(soften(dome, 1.5), -3, 3)
    tone = tone * (1 - 0.35 * x_light * slope) + 0.04 * white_noise(w)
    joint = w.colour("#3a352e", "#4a4438", "#3c3e30")
    open_joint = (1 - border * 9).clamp(0, 1)
    return photo_grain(w, (colour * tone * 1.25 * (1 - open_joint) + joint * open_joint * 0.8).clamp(0, 1), 0.1)


def setts(w: World, *palette: str, long: float = 1.6, gap: float = 0.07, worn: float = 0.25) -> Tensor:
    """Cut stones or slabs in rows, every second row shifted."""
    x, y = _axes(w)
    rows = w.dice.choice((8, 10, 12)) if long < 2.5 else 6
    v = y * rows + 0.06 * (_field(w, 8, 3) - 0.5)
    row = v.floor()
    u = x * rows / long + 0.5 * (row % 2) + 0.08 * (_field(w, 8, 3) - 0.5)
    value = torch.sin(u.floor() * 12.99 + row * 78.23) * 43758.5
    value = value - value.floor()
    edge = torch.minimum(0.5 - (u - u.floor() - 0.5).abs(), (0.5 - (v - row - 0.5).abs()) / long * 1.0)
    dome = (edge / (gap * 2.5)).clamp(0, 1) ** 0.5
    joint = (1 - edge / gap * 1.6).clamp(0, 1)
    first, second = w.colour(*palette), w.colour(*palette)
    colour = first + (second - first) * value
    tone = (0.9 + worn * (value - 0.5) + 0.3 * (_field(w, 24, 4) - 0.5) + 0.035 * white_noise(w)) * (0.65 + 0.35 * dome)
    return photo_grain(w, (colour * tone * (1 - 0.7 * joint)).clamp(0, 1), 0.1)


def planks(w: World, *palette: str, boards: int = 7) -> Tensor:
    """Boards with grain and knots, running along y."""
    x, y = _axes(w)
    lane = x * boards
    board = lane.floor()
    value = torch.sin(board * 91.7 + w.u(0, 9)) * 43758.5
    value = value - value.floor()
    along = y * 1.6 + value * 3
    piece = torch.sin((along.floor() + board * 7.3) * 57.1) * 43758.5
    piece = piece - piece.floor()
    first, second = w.colour(*palette), w.colour(*palette)
    colour = first + (second - first) * piece
    streak = _field(w, 60, 4, stretch=0.07)
    warp = _field(w, 5, 3, stretch=0.35)
    rings = torch.sin((lane * 5 + warp * 16 + piece * 40) * 2.2)
    tone = 0.92 + 0.3 * (piece - 0.5) + 0.35 * (streak - 0.5) + 0.055 * rings + 0.02 * white_noise(w)
    joint = (1 - (0.5 - (lane - board - 0.5).abs()) / 0.03).clamp(0, 1)
    joint = torch.maximum(joint, (1 - (0.5 - (along - along.floor() - 0.5).abs()) / 0.006).clamp(0, 1))
    return (colour * tone * (1 - 0.65 * joint)).clamp(0, 1)


def pebbles(w: World, *palette: str) -> Tensor:
    """Dirt with small stones."""
    base = mottled(w, *palette, fine=0.25, coarse=0.3, grain=0.07)
    distance, _, own = cells(w, 34, 0.95)
    stones = ((0.34 - distance) * 6).clamp(0, 1) * (own > 0.72)
    stone = w.colour("#a89c8c", "#8c8478", "#b8a890")
    return base + (stone * (0.7 + 0.6 * own) * (1.15 - distance) - base) * stones * 0.8


def leaves(w: World, base: Tensor, *palette: str, share: float = 0.5) -> Tensor:
    """Fallen leaves or other flakes over a tile."""
    out = base
    for count in (16, 26):
        distance, border, own = cells(w, count, 0.95)
        there = ((border * 2.2 + 0.42 - distance) * 7).clamp(0, 1) * (own < share)
        colour = w.colour(*palette)
        other = w.colour(*palette)
        tone = 0.7 + 0.5 * ((own * 37) % 1) + 0.1 * (distance - 0.3)
        mix = (colour + (other - colour) * ((own * 91) % 1)) * tone
        shadow = torch.roll(there, (3, 3), (2, 3))
        out = out * (1 - 0.35 * shadow)
        out = out + (mix.clamp(0, 1) - out) * there
    return out


def pile(w: World, *palette: str, tufts: float = 0.5) -> Tensor:
    """A rug: fine fibres lying this way and that, in soft tufts."""
    colour = w.colour(*palette)
    noise = white_noise(w)
    lying = noise
    for step in range(1, 5):
        lying = lying + torch.roll(noise, (step, step), (2, 3)) + torch.roll(noise, (-step, -step), (2, 3))
    standing = soften(torch.roll(noise, 40, 3), 0.8)
    standing = standing + torch.roll(standing, 1, 2) + torch.roll(standing, 2, 2) + torch.roll(standing, -1, 2)
    share = ((_field(w, 9, 3) - 0.5) * 5 + 0.5).clamp(0, 1)
    fibre = lying * 0.3 * share + standing * 0.5 * (1 - share)
    clumps = soften(_field(w, 26, 3), 1.5) - 0.5
    return (colour * (0.97 + 0.035 * fibre + tufts * 0.3 * clumps)).clamp(0, 1)


def cloth(w: World, *palette: str, folds: float = 0.3) -> Tensor:
    """Fabric: broad folds that catch the light, a fine weave, pale where it is stretched."""
    x, y = _axes(w)
    angle = w.u(-0.9, 0.9)
    warp = _field(w, 3, 3)
    along = x * math.cos(angle) + y * math.sin(angle) + 0.25 * (warp - 0.5)
    wave = torch.sin(along * w.u(7, 15) + 5 * _field(w, 2, 2)) + 0.3 * torch.sin(along * w.u(18, 30) + 7 * warp)
    height = wave * (0.1 + 0.9 * _field(w, 3, 2)) + 1.2 * (_field(w, 3, 4) - 0.5)
    slope = soften(slope_of(height, 3) + 0.5 * slope_of(height, 2), 1.5) * 4.0
    soft = slope / (1 + slope.abs() * 0.8)
    colour, pale = w.colour(*palette), w.colour("#ffe4ee", "#fff0f4")
    threads = torch.sin(x * 500) * torch.sin(y * 500) * 0.03
    tone = 0.92 + folds * (soft + 0.2 * (height - height.mean())) + threads + 0.012 * white_noise(w)
    return (colour * tone + pale * (soft * folds - 0.08).clamp(0, 1) * 0.5).clamp(0, 1)


def water(w: World, swell: float = 1.0) -> Tensor:
    """The slope of a rippled surface, about −1 … 1, one channel."""
    coarse = _field(w, 9, 3, 2.2) - 0.5
    fine = _field(w, 34, 3, 2.6) - 0.5
    height = coarse * 1.2 + fine * 0.5 * swell
    return (slope_of(height, 2) * 7 * swell).clamp(-1.5, 1.5)


def slope_of(height: Tensor, axis: int, reach: int = 2) -> Tensor:
    """Difference over 2 · reach pixels along an axis (2 or 3), without wrapping around; per 384 pixels of side."""
    pad = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
    padded = F.pad(height, pad, mode="replicate")
    length = height.shape[axis]
    difference = padded.narrow(axis, 0, length) - padded.narrow(axis, 2 * reach, length)
    return difference * (length / 384)
