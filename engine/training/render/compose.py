"""A subject put into a background: lit by its light, with shadow, reflection, what it sinks into and what stands before it.

All pictures are (n, c, s, s), 0 … 1; a subject is premultiplied RGBA.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.training.render.light import relight
from engine.training.render.paint import Canvas, halve, soften


@dataclass(frozen=True)
class Ground:
    """The light and ground that n backgrounds give their subjects; each (n,) but for the colours, (n, 3).

    Attributes:
        horizon, line: y of the horizon and of the place where the subject meets the ground.
        foot: y of the subject's lowest point, above ``line`` for one that floats or is held.
        mirror, ripple, sink, shadow: as in ``world.Setting``.
        surface: colour it sinks into.
        direction, key, ambient: the light, as in ``light.relight``.
        hardness: how directed it is, 0 … 1.
    """

    horizon: Tensor
    line: Tensor
    foot: Tensor
    mirror: Tensor
    ripple: Tensor
    sink: Tensor
    shadow: Tensor
    surface: Tensor
    direction: Tensor
    key: Tensor
    ambient: Tensor
    hardness: Tensor


def compose(
    subject: Tensor, background: Tensor, front: Tensor | None, ground: Ground, height: Tensor, c: Canvas
) -> tuple[Tensor, Tensor]:
    """The finished picture, (n, 3, s, s), and the visible part of the subject, (n, 1, s, s).

    Args:
        subject: where it stands, as photographed.
        front: premultiplied RGBA before everything, or None.
        height: of the subject in shares of the picture, (n,).
        c: a canvas of the pictures' number and size, for what is left to chance.
    """
    alpha = subject[:, 3:]
    bounce = F.adaptive_avg_pool2d(background[:, :, int(0.7 * c.size) :], 1).flatten(1)
    lit = relight(subject[:, :3], alpha, ground.direction, ground.key, ground.ambient, bounce)
    lit = torch.minimum(_rolled_off(lit, alpha), alpha)
    image = background * (1 - _shadows(alpha, ground, c))
    rows = (ground.mirror > 0.01).nonzero().flatten()
    if len(rows):
        image[rows] = _reflected(image[rows], torch.cat([lit, alpha], 1)[rows], ground, rows, c)
    sinks = _wide(ground.sink) > 0
    line = _wide(ground.foot - ground.sink * height)
    wave = 0.004 * torch.sin(c.x * 38 + c.uniform(0, 6)) + 0.003 * torch.sin(c.x * 91 + c.uniform(0, 6))
    above = torch.where(sinks, c.edge(line + wave - c.y, 3), torch.ones_like(c.y))
    visible = alpha * above
    if bool(sinks.any()):
        # The surface darkens and brightens where it meets the subject.
        near = soften(alpha, 0.012 * c.size) * (1 - (c.y - line - wave).abs() / 0.014).clamp(0, 1) * sinks
        shade = 0.75 + 0.5 * c.uniform(0, 1)
        image = image + ((ground.surface[:, :, None, None] * shade).clamp(0, 1) - image) * near * 0.55
    # Light from around creeps over the edge: a bright rim on a dark scene gives a cut-out away.
    inner = soften(alpha, 0.007 * c.size)
    rim = (1 - inner).clamp(0, 1) * alpha
    around = soften(image, 0.02 * c.size)
    lit = lit + (around * alpha - lit) * (rim * 0.9).clamp(0, 0.55)
    image = image * (1 - visible) + lit * above
    if front is not None:
        image = image * (1 - front[:, 3:]) + front[:, :3]
        visible = visible * (1 - front[:, 3:])
    return image.clamp(0, 1), visible


def _wide(value: Tensor) -> Tensor:
    return value.view(-1, 1, 1, 1)


def _rolled_off(colour: Tensor, alpha: Tensor) -> Tensor:
    """Bright parts are held back softly, as film does, instead of being cut off at white."""
    straight = colour / alpha.clamp_min(1e-3)
    over = (straight - 0.8).clamp_min(0)
    return torch.where(straight > 0.8, 0.8 + 0.2 * (1 - torch.exp(-over / 0.2)), straight) * alpha


def _shadows(alpha: Tensor, ground: Ground, c: Canvas) -> Tensor:
    """Return the light that the subject takes from the ground: where it touches it, and along the light."""
    size = alpha.shape[-1]
    small = halve(alpha) if size % 2 == 0 else alpha
    half = Canvas(c.n, small.shape[-1], c.generator)
    line, lift = _wide(ground.line), _wide((ground.line - ground.foot).clamp_min(0))
    x, y, z = (_wide(part) for part in ground.direction.unbind(1))
    # Seen from a low camera the shadow is flat; looking down it is long.
    flat = (0.16 + 0.3 * (_wide(1 - ground.horizon) - 0.5).clamp(0, 1)).expand(c.n, 1, 1, 1)
    length = (0.7 / (y + 0.25)).clamp(0.5, 1.9)
    forward = torch.where(z >= 0, -1.0, 1.0) * flat * (0.35 + z.abs())  # away from the camera or toward it, per height
    sideways = -x * length * 0.55
    cast = _fall(small, half, line, forward * length, sideways)
    up = ((half.y - line) / (forward * length)).clamp(0, 1)  # 0 at the foot, growing along the shadow
    near, far = soften(cast, 0.006 * half.size), soften(cast, 0.028 * half.size)
    cast = near + (far - near) * (up * 2.5).clamp(0, 1)
    strength = _wide(ground.hardness * 1.35 - 0.1).clamp(0, 0.75) * (1 - 0.35 * up)
    touch = _fall(small, half, line, torch.full_like(flat, 0.055), torch.zeros_like(flat))
    touch = touch + _fall(small, half, line, torch.full_like(flat, -0.05), torch.zeros_like(flat))
    broad = soften(touch.clamp(0, 1), 0.02 * half.size)
    tight = soften(touch.clamp(0, 1), 0.006 * half.size) * (lift < 0.02)
    total = 1 - (1 - cast * strength) * (1 - broad * 0.5 / (1 + lift * 12)) * (1 - tight * 0.5)
    on_ground = half.edge(half.y - _wide(ground.horizon), 6)
    total = total * on_ground * _wide(ground.shadow)
    return F.interpolate(total, (size, size), mode="bilinear", align_corners=False)


def _fall(alpha: Tensor, c: Canvas, line: Tensor, forward: Tensor, sideways: Tensor) -> Tensor:
    """The silhouette laid on the ground: what is h above ``line`` falls to (x + h · sideways, line + h · forward)."""
    h = (c.y - line) / forward
    source_x = c.x - h * sideways
    source_y = line - h + 0.0 * c.x
    grid = torch.cat([source_x, source_y], 1).permute(0, 2, 3, 1) * 2 - 1
    fallen = F.grid_sample(alpha, grid, padding_mode="zeros", align_corners=False)
    return fallen * (h > -0.02)


def _reflected(image: Tensor, subject: Tensor, ground: Ground, rows: Tensor, c: Canvas) -> Tensor:
    """The subject upside down below its foot, wavering on water, fading with depth."""
    line, ripple = _wide(ground.line[rows]), _wide(ground.ripple[rows])
    seed = c.uniform(0, 6)[rows]
    below = (c.y - line).clamp_min(0)
    wave = torch.sin(below * 190 / (1 + below * 3) + seed) + 0.6 * torch.sin(below * 71 + c.x * 9 + seed * 2)
    x = c.x + wave * ripple * (0.004 + 0.035 * below)
    y = 2 * line - c.y + wave * ripple * 0.012
    grid = torch.cat([x.expand(-1, 1, c.size, c.size), y.expand(-1, 1, c.size, c.size)], 1).permute(0, 2, 3, 1) * 2 - 1
    glass = F.grid_sample(subject, grid, padding_mode="zeros", align_corners=False)
    glass = glass + (soften(glass, 0.008 * c.size) - glass) * (below * 6).clamp(0, 1)
    fade = _wide(ground.mirror[rows]) * (1 - below * 1.3).clamp(0, 1) * c.edge(c.y - line, 2)
    return image * (1 - glass[:, 3:] * fade) + glass[:, :3] * fade
