"""Painting with tensors: a batch of canvases, colours with variation, gradients, smooth noise, soft shapes.

Colours are (n, 3, 1, 1) in 0 … 1, masks (n, 1, s, s) in 0 … 1, x runs right and y runs down, both 0 … 1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F


class Canvas:
    """n pictures of s × s pixels, painted together.

    Attributes:
        x, y: coordinates of the pixel centres, (1, 1, 1, s) and (1, 1, s, 1).
        image: (n, 3, s, s).
    """

    def __init__(self, n: int, size: int, generator: torch.Generator) -> None:
        self.n, self.size, self.generator = n, size, generator
        self.device = generator.device
        centres = (torch.arange(size, device=self.device) + 0.5) / size
        self.x = centres.view(1, 1, 1, -1)
        self.y = centres.view(1, 1, -1, 1)
        self.image = torch.zeros(n, 3, size, size, device=self.device)

    # Chance

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform numbers, (n, 1, 1, 1) or (n, *shape)."""
        shape = shape or (1, 1, 1)
        return low + (high - low) * torch.rand(self.n, *shape, device=self.device, generator=self.generator)

    def chance(self, probability: float) -> Tensor:
        """1.0 with this probability, else 0.0; (n, 1, 1, 1)."""
        return (self.uniform(0, 1) < probability).float()

    def colour(self, *palette: str, vary: float = 0.04) -> Tensor:
        """One of the palette's colours ("#rrggbb") for every canvas, slightly varied."""
        table = torch.tensor([rgb(code) for code in palette], device=self.device)
        pick = torch.randint(len(palette), (self.n,), device=self.device, generator=self.generator)
        noise = torch.randn(self.n, 3, device=self.device, generator=self.generator) * vary
        return (table[pick] + noise).clamp(0, 1).view(-1, 3, 1, 1)

    # Fields

    def noise(self, cells: int, octaves: int = 1, stretch: float = 1.0) -> Tensor:
        """Smooth noise about 0 … 1, ``cells`` bumps a side; ``stretch`` > 1 draws it out sideways."""
        rows, columns = cells + 2, max(2, round(cells / stretch)) + 2
        total = torch.rand(self.n, 1, rows, columns, device=self.device, generator=self.generator)
        weight, norm = 1.0, 1.0
        for _ in range(octaves - 1):
            cells, weight = cells * 2, weight * 0.5
            if cells > self.size // 2:
                break
            # From coarse to fine: only the last enlargement is as large as the picture.
            total = F.interpolate(total, scale_factor=2, mode="bicubic", align_corners=False)
            total = total + weight * torch.rand(total.shape, device=self.device, generator=self.generator)
            norm += weight
        return F.interpolate(total, (self.size, self.size), mode="bicubic", align_corners=False) / norm

    def edge(self, distance: Tensor, soft: float = 1.0) -> Tensor:
        """Signed distance (positive inside) → mask with an edge ``soft`` pixels wide."""
        return (distance * self.size / soft + 0.5).clamp(0, 1)

    def ellipse(
        self, x: Tensor | float, y: Tensor | float, rx: Tensor | float, ry: Tensor | float, soft: float = 1.5
    ) -> Tensor:
        """Mask of an ellipse."""
        distance = 1 - (((self.x - x) / rx) ** 2 + ((self.y - y) / ry) ** 2).clamp_min(1e-9).sqrt()
        radius = torch.as_tensor(rx, device=self.device).minimum(torch.as_tensor(ry, device=self.device))
        return (distance * radius * self.size / soft + 0.5).clamp(0, 1)

    def box(self, x0: Tensor | float, y0: Tensor | float, x1: Tensor | float, y1: Tensor | float) -> Tensor:
        """Mask of a rectangle."""
        inside_x = torch.minimum(self.x - x0, x1 - self.x)
        inside_y = torch.minimum(self.y - y0, y1 - self.y)
        return self.edge(torch.minimum(inside_x, inside_y))

    def triangle(self, x: Tensor | float, top: Tensor | float, bottom: Tensor | float, half: Tensor | float) -> Tensor:
        """Mask of an upright triangle with its tip at (x, top)."""
        along = (self.y - top) / (bottom - top)
        inside = torch.minimum((along * half - (self.x - x).abs()), bottom - self.y)
        return self.edge(inside)

    def floor(self, horizon: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
        """Perspective plane below the horizon: (u across, v into the distance, mask). One unit is a tile in front."""
        depth = (self.y - horizon).clamp_min(1e-3)
        v = 0.35 / depth
        u = (self.x - 0.5) * v * 2.2
        return u, v, self.edge(self.y - horizon)

    # Putting on

    def fill(self, colour: Tensor) -> None:
        self.image = colour.expand(-1, -1, self.size, self.size).clone()

    def lay(self, colour: Tensor, mask: Tensor | float) -> None:
        """Lay a colour or a colour field over the picture where the mask is."""
        self.image = self.image + (colour - self.image) * mask

    def shade(self, factor: Tensor) -> None:
        """Multiply the picture."""
        self.image = (self.image * factor).clamp(0, 1)


def rgb(code: str) -> tuple[float, float, float]:
    """ "#rrggbb" → three numbers 0 … 1."""
    return int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255


def hue_turn(image: Tensor, turn: Tensor, saturation: Tensor, lightness: Tensor) -> Tensor:
    """Turn the hue (radians), scale saturation, shift lightness, keeping luma otherwise; (n, 3, s, s)."""
    r, g, b = image.unbind(1)
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    i = 0.596 * r - 0.274 * g - 0.322 * b
    q = 0.211 * r - 0.523 * g + 0.312 * b
    cos, sin = turn.cos().view(-1, 1, 1), turn.sin().view(-1, 1, 1)
    strength = saturation.view(-1, 1, 1)
    i, q = strength * (cos * i - sin * q), strength * (sin * i + cos * q)
    luma = luma + lightness.view(-1, 1, 1)
    return torch.stack(
        [luma + 0.956 * i + 0.621 * q, luma - 0.272 * i - 0.647 * q, luma - 1.106 * i + 1.703 * q], dim=1
    ).clamp(0, 1)


def blur(x: Tensor, radius: int) -> Tensor:
    """Two box blurs, (n, c, s, s)."""
    if radius < 1:
        return x
    x = F.pad(x, (2 * radius,) * 4, mode="replicate")
    for axis in (2, 3, 2, 3):
        # Adding shifted views: torch's pooling with stride 1 is several times slower on a processor.
        length = x.shape[axis] - 2 * radius
        total = x.narrow(axis, 0, length) + x.narrow(axis, 1, length)
        for step in range(2, 2 * radius + 1):
            total += x.narrow(axis, step, length)
        x = total
    return x * (1 / (2 * radius + 1) ** 4)


def halve(x: Tensor) -> Tensor:
    """Half the size, by averaging; sides must be even."""
    n, channels, height, width = x.shape
    rows = x.view(n, channels, height // 2, 2, width)
    rows = rows[:, :, :, 0] + rows[:, :, :, 1]
    return (rows[..., 0::2] + rows[..., 1::2]) * 0.25


def soften(x: Tensor, radius: float) -> Tensor:
    """A blur of about this standard deviation in pixels, cheap for large ones: made on a smaller picture."""
    if radius < 0.4:
        return x
    factor = max(1, int(radius / 1.6))
    size = x.shape[-2:]
    if factor > 1:
        while factor >= 4 and x.shape[-1] % 2 == 0 and x.shape[-2] % 2 == 0:
            x, factor, radius = halve(x.contiguous()), factor // 2, radius / 2
        x = F.interpolate(x, [max(2, side // factor) for side in x.shape[-2:]], mode="area")
    x = blur(x, max(1, round(radius / factor * 0.85)))
    return F.interpolate(x, size, mode="bilinear", align_corners=False) if x.shape[-2:] != size else x


TAU = 2 * math.pi
