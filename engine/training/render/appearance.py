"""Changes the looks of a subject in one training pair: recolours, retextures and poses it. Sprites are premultiplied
(n, 4, s, s), 0 … 1."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.photo.framing import MARGIN
from engine.training.render.paint import TAU, Canvas, hue_turn, rgb


def vary_appearance(sprites: Tensor, c: Canvas, photographed: Tensor | None = None) -> Tensor:
    """Recolour about 70 % and give about 25 % stripes or dots, so that appearance has to be read off the reference.

    Args:
        photographed: 1 for photographs, which mostly keep their colours and textures: they are what is drawn later, (n,).
    """
    n = sprites.shape[0]
    alpha, colour = sprites[:, 3:], _straight(sprites)
    photo = torch.zeros(n, device=sprites.device) if photographed is None else photographed
    photo = photo.view(-1, 1, 1, 1)
    some = (c.uniform(0, 1) < 0.7 - 0.3 * photo).float()
    turned = hue_turn(
        colour,
        c.uniform(-TAU / 2, TAU / 2).view(-1),
        c.uniform(0.7, 1.5).view(-1),
        c.uniform(-0.12, 0.1).view(-1),
    )
    colour = colour + (turned - colour) * some
    angle, frequency = c.uniform(0, TAU), c.uniform(5, 11)
    along = c.x * angle.cos() + c.y * angle.sin()
    across = c.y * angle.cos() - c.x * angle.sin()
    stripes = (torch.sin(along * frequency * TAU) * 3 + 0.5).clamp(0, 1)
    dots = (torch.sin(along * frequency * TAU) * torch.sin(across * frequency * TAU) * 4 - 1.2).clamp(0, 1)
    kind = c.uniform(0, 1) * (1 + 1.5 * photo)
    pattern = stripes * (kind < 0.13) + dots * ((kind >= 0.13) & (kind < 0.25))
    ink = c.uniform(0, 1, 3, 1, 1)
    colour = colour + (ink - colour) * pattern * 0.75
    assert colour.shape[0] == n
    return torch.cat([colour * alpha, alpha], dim=1)


def tint(sprites: Tensor, code: str) -> Tensor:
    """The same thing in one colour: its lightness kept, its hue replaced."""
    alpha, colour = sprites[:, 3:], _straight(sprites)
    luma = (colour * torch.tensor([0.299, 0.587, 0.114], device=sprites.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
    base = torch.tensor(rgb(code), device=sprites.device).view(1, 3, 1, 1)
    level = 0.25 + 0.75 * luma
    painted = torch.where(level < 0.6, base * level / 0.6, base + (1 - base) * (level - 0.6) / 0.4 * 0.75)
    return torch.cat([painted.clamp(0, 1) * alpha, alpha], dim=1)


def shine(sprites: Tensor, c: Canvas) -> Tensor:
    """Glossy: more contrast, a bright band and a highlight."""
    alpha, colour = sprites[:, 3:], _straight(sprites)
    colour = ((colour - 0.5) * 1.25 + 0.5).clamp(0, 1)
    slope = c.x + 0.7 * c.y
    band = (1 - ((slope - c.uniform(0.55, 0.75)) / 0.07).abs()).clamp(0, 1) * 0.75
    spot = c.ellipse(c.uniform(0.3, 0.42), c.uniform(0.24, 0.36), 0.12, 0.08, 12) * 0.95
    colour = colour + (1 - colour) * torch.maximum(band, spot)
    return torch.cat([colour * alpha, alpha], dim=1)


def wet(sprites: Tensor, c: Canvas) -> Tensor:
    """Darker and richer, with drops that catch the light."""
    alpha, colour = sprites[:, 3:], _straight(sprites)
    colour = hue_turn(
        colour,
        torch.zeros(len(sprites), device=sprites.device),
        c.uniform(1.2, 1.4).view(-1),
        c.uniform(-0.16, -0.1).view(-1),
    )
    drops = ((c.noise(44) - 0.74) * 12).clamp(0, 1) * 0.8
    colour = colour + (torch.tensor([0.86, 0.95, 1.0], device=sprites.device).view(1, 3, 1, 1) - colour) * drops * 0.85
    return torch.cat([colour * alpha, alpha], dim=1)


def cube(sprites: Tensor) -> Tensor:
    """The thing as a cube: its picture on the front, its mean colour on top and side."""
    n, _, size, _ = sprites.shape
    weight = sprites[:, 3:].sum((2, 3), keepdim=True).clamp_min(1e-3)
    mean = sprites[:, :3].sum((2, 3), keepdim=True) / weight
    front_side = round(size * 0.72)
    inner = F.interpolate(sprites, (front_side, front_side), mode="bilinear", antialias=True)
    front = inner[:, :3] + mean * (1 - inner[:, 3:])
    out = torch.zeros_like(sprites)
    depth = size - front_side
    rows = torch.arange(size, device=sprites.device).view(1, 1, -1, 1)
    columns = torch.arange(size, device=sprites.device).view(1, 1, 1, -1)
    top = (rows < depth) & (columns >= depth - rows) & (columns < depth - rows + front_side)
    side = (columns >= front_side) & (rows >= size - 1 - columns) & (rows < size - 1 - columns + front_side + 1)
    for mask, level in ((top, 1.18), (side & ~top, 0.7)):
        shaded = torch.cat([(mean * level).clamp(0, 1), torch.ones_like(mean[:, :1])], dim=1)
        out = torch.where(mask, shaded, out)
    out[:, :3, depth:, :front_side] = front
    out[:, 3, depth:, :front_side] = 1
    assert out.shape == (n, 4, size, size)
    return out


def place(
    sprites: Tensor,
    size: int,
    x: Tensor,
    y: Tensor,
    scale: Tensor,
    turn: Tensor,
    shear: Tensor,
    flip: Tensor,
) -> Tensor:
    """Warp sprites into pictures of ``size`` pixels: centre (x, y) and ``scale`` in shares of the picture.

    Args:
        turn, shear: radians and slope. flip: 1 or -1.

    Returns:
        (n, 4, size, size), premultiplied.
    """
    cos, sin = turn.cos() / scale, turn.sin() / scale
    px, py = 2 * x - 1, 2 * y - 1
    # output (u, v) in -1 … 1 → sprite: rotate, shear, scale about the centre
    a, b = flip * cos, flip * (sin + shear / scale)
    d, e = -sin, cos
    line = (torch.arange(size, device=sprites.device) + 0.5) * (2 / size) - 1
    u, v = line.view(1, 1, -1), line.view(1, -1, 1)
    # By broadcasting: affine_grid's batched matrix product of a 3-vector per pixel takes as long as the sampling itself.
    rows = [value.view(-1, 1, 1) for value in (a, b, -(a * px + b * py), d, e, -(d * px + e * py))]
    grid = torch.stack([rows[0] * u + rows[1] * v + rows[2], rows[3] * u + rows[4] * v + rows[5]], dim=-1)
    sharp = F.grid_sample(sprites, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    # What gets much smaller is averaged first: bilinear sampling alone would leave pixels out.
    small = (scale * size < 0.62 * sprites.shape[-1]).nonzero().flatten()
    if len(small):
        halved = F.avg_pool2d(sprites[small], 2, ceil_mode=True, count_include_pad=False)
        sharp[small] = F.grid_sample(halved, grid[small], mode="bilinear", padding_mode="zeros", align_corners=False)
    return sharp


def framed(sprites: Tensor) -> Tensor:
    """Framed as the program frames a cut-out: the longer side is 88 % of the square, the rest is empty."""
    side = round(sprites.shape[-1] * MARGIN / (1 - 2 * MARGIN))
    return F.pad(sprites, (side,) * 4)


def extent(sprites: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The highest and the lowest point of each sprite and half its width, in shares of the square."""
    alpha = sprites[:, 3] > 0.5
    size = alpha.shape[-1]
    steps = torch.arange(1, size + 1, device=sprites.device)
    rows, columns = alpha.any(2), alpha.any(1)
    foot = (rows * steps).amax(1).clamp_min(size // 2) / size
    top = (torch.where(rows, steps, size // 2 + 1).amin(1) - 1).clamp(max=size // 2 - 1) / size
    width = (columns * steps).amax(1) - torch.where(columns, steps, size + 1).amin(1)
    return top, foot, width.clamp_min(1) / size / 2


def _straight(sprites: Tensor) -> Tensor:
    return sprites[:, :3] / sprites[:, 3:].clamp_min(1e-3)
