"""The scenes of the mini model's language, each a painter with several palettes and layouts.

A painter fills the canvas and says where the subject stands. Scenes are painted at half resolution and enlarged: a soft
background is what a camera would give, and it costs a quarter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.training.render.paint import Canvas, cell_value, grooves, spread


@dataclass(frozen=True)
class Setting:
    """What a scene means for the subject.

    Attributes:
        ground: y of the subject's foot, 0 … 1, (n,).
        shadow: how dark its shadow is, 0 … 1.
        mirror: how strongly it is reflected below its foot, 0 … 1.
        sink: share of its height hidden below ``surface`` (water, milk, snow).
        surface: colour (n, 3, 1, 1) it sinks into, or None.
        tint: light on the subject, (n, 3, 1, 1) around 1.
    """

    ground: Tensor
    shadow: float = 0.45
    mirror: float = 0.0
    sink: float = 0.0
    surface: Tensor | None = None
    tint: Tensor | None = None


def _ground(c: Canvas, low: float, high: float) -> Tensor:
    return c.uniform(low, high).view(-1)


def _sky(c: Canvas, horizon: Tensor | float, *tops: str, bottom: tuple[str, ...] = ("#dbeefb", "#f4e3cf")) -> None:
    c.image = c.gradient(c.colour(*tops), c.colour(*bottom), 0.0, horizon)
    clouds = ((c.noise(5, 3, stretch=2.2) - 0.52) * 5).clamp(0, 1) * c.uniform(0.2, 0.9)
    c.lay(c.colour("#ffffff", vary=0.02), clouds * c.edge(horizon - c.y, 20))


def _floor_light(c: Canvas, horizon: Tensor | float, strength: float = 0.25) -> None:
    c.shade(1 - strength * c.edge(c.y - horizon) * (1 - ((c.y - horizon) / (1 - horizon + 1e-3)).clamp(0, 1)))


def _tree(
    c: Canvas, x: Tensor, top: Tensor, foot: Tensor, leaves: Tensor, trunk: Tensor, width: Tensor | float
) -> None:
    height = foot - top
    c.lay(trunk, c.box(x - 0.018 - height * 0.02, top + height * 0.4, x + 0.018 + height * 0.02, foot))
    for dx, dy, r in ((0.0, 0.25, 0.5), (-0.55, 0.42, 0.38), (0.55, 0.42, 0.38), (0.0, 0.5, 0.45)):
        crown = c.ellipse(x + dx * width, top + dy * height, width * r * 1.6, height * r * 0.62)
        c.lay(leaves * (1.12 - 0.3 * dy), crown)


def jungle(c: Canvas) -> Setting:
    c.fill(c.colour("#2f6b3a", "#245a3c", "#3c7a3a"))
    c.lay(c.colour("#a8d67a", "#d8eaa0"), ((c.noise(4, 2) - 0.5) * 2.5).clamp(0, 0.7) * c.edge(0.55 - c.y, 60))
    for x in spread(4, -0.05, 1.05):
        at = x + c.uniform(-0.08, 0.08)
        c.lay(c.colour("#3b2a1c", "#4a3423"), c.box(at - 0.02, -0.1, at + 0.02, 0.8) * 0.85)
    for row, (y, count) in enumerate(((0.1, 6), (0.3, 6), (0.55, 6), (0.75, 7))):
        for x in spread(count, -0.1, 1.1):
            cx, cy = x + c.uniform(-0.08, 0.08), y + c.uniform(-0.08, 0.08)
            tilt = c.uniform(-1.3, 1.3)
            dx, dy = c.x - cx, c.y - cy
            along, across = dx * tilt.cos() + dy * tilt.sin(), dy * tilt.cos() - dx * tilt.sin()
            distance = 1 - ((along / 0.15) ** 2 + (across / 0.045) ** 2).clamp_min(1e-9).sqrt()
            leaf = c.edge(distance * 0.045)
            green = c.colour("#1f7a34", "#2f9a3e", "#57b04a", "#186034", "#7cc04e")
            c.lay(green * (0.75 + 0.1 * row), leaf)
            c.lay(green * 1.25, leaf * c.edge(0.004 - across.abs()))
    c.lay(c.gradient(c.colour("#3d6b2a"), c.colour("#5a4a2a"), 0.78, 1.0), c.ridge(0.84, 0.05, 5))
    return Setting(_ground(c, 0.86, 0.92), 0.5, tint=c.colour("#eef7e4", vary=0.01))


def snow(c: Canvas) -> Setting:
    horizon = c.uniform(0.42, 0.6)
    _sky(c, horizon, "#8fb4dc", "#b9cfe6", "#7f8fb8", bottom=("#e9eff6", "#f6d9cf"))
    for x in spread(7, 0.0, 1.0):
        at, size = x + c.uniform(-0.06, 0.06), c.uniform(0.12, 0.26)
        dark = c.colour("#3d5a5c", "#4a6a70", "#334d58")
        for step in (0.0, 0.3, 0.55):
            foot = horizon + 0.02 - step * size
            c.lay(dark * (0.9 + step * 0.4), c.triangle(at, foot - size * 0.55, foot, size * (0.34 - 0.2 * step)))
            c.lay(c.colour("#f2f7fb"), c.triangle(at, foot - size * 0.55, foot - size * 0.3, size * 0.15) * 0.85)
    c.lay(c.gradient(c.colour("#eaf1f8"), c.colour("#ffffff", "#f4f8ff"), 0.5, 1.0), c.ridge(horizon + 0.03, 0.05, 3))
    drift = c.ridge(0.76, 0.06, 2)
    c.lay(c.colour("#d9e5f2"), drift * (1 - c.ridge(0.775, 0.06, 2)))
    c.shade(1 - 0.07 * (c.noise(6, 2, 2.0) - 0.4).clamp(0, 1) * c.edge(c.y - horizon))
    flakes = (c.noise(40) > 0.86).float() * c.chance(0.5)
    c.lay(c.colour("#ffffff", vary=0.0), flakes * 0.8)
    white = c.colour("#f3f7fc", vary=0.01)
    return Setting(_ground(c, 0.84, 0.92), 0.28, sink=0.05, surface=white, tint=c.colour("#f4f8ff", vary=0.01))


def beach(c: Canvas) -> Setting:
    horizon = c.uniform(0.34, 0.44)
    _sky(c, horizon, "#4fa3e3", "#6fc0ee", "#f0a070", bottom=("#d6f0fa", "#fde0b8"))
    shore = horizon + c.uniform(0.14, 0.22)
    sea = c.gradient(c.colour("#1f7fb8", "#178aa8"), c.colour("#6fd0d0", "#7ad8dc"), horizon, shore)
    c.lay(sea, c.edge(c.y - horizon))
    c.lay(c.colour("#eaf8fa"), ((c.noise(10, 1, stretch=6.0) - 0.62) * 6).clamp(0, 0.6) * c.edge(c.y - horizon))
    line = shore + 0.03 * torch.sin(c.x * c.uniform(4, 9) + c.uniform(0, 6))
    sand = c.gradient(c.colour("#ecd9a8", "#f0dcb0"), c.colour("#d8b878", "#e6c88e"), shore, 1.0)
    c.lay(c.colour("#ffffff"), c.edge(c.y - line + 0.025) * 0.9)
    c.lay(sand, c.edge(c.y - line))
    c.shade(1 - 0.12 * (c.noise(12, 2, 2.5) - 0.4).clamp(0, 1) * c.edge(c.y - line))
    side = (c.chance(0.5) * 2 - 1) * 0.42 + 0.5
    palm = c.chance(0.5)
    c.lay(c.colour("#7a5a38"), c.box(side - 0.015, 0.12, side + 0.015, shore + 0.1) * palm)
    for turn in (-2.6, -2.0, -1.2, -0.6, 0.2):
        tilt = turn + c.uniform(-0.2, 0.2)
        dx, dy = c.x - side, c.y - 0.12
        along, across = dx * tilt.cos() + dy * tilt.sin(), dy * tilt.cos() - dx * tilt.sin()
        distance = 1 - (((along - 0.11) / 0.13) ** 2 + ((across - along * along) / 0.025) ** 2).clamp_min(1e-9).sqrt()
        c.lay(c.colour("#2f8a48"), c.edge(distance * 0.025) * palm)
    return Setting(_ground(c, 0.84, 0.92), 0.42, tint=c.colour("#fff8ec", vary=0.01))


def cobblestone(c: Canvas) -> Setting:
    horizon = c.uniform(0.38, 0.48)
    _houses(c, horizon, ("#c8a888", "#d8b89a", "#b89078", "#e0d0b8", "#a8786a"), windows="#5a5a66")
    u, v, mask = c.floor(horizon)
    v = v * 3.2
    u = u * 3.2 + 0.5 * (v.floor() % 2)
    stone = c.colour("#8a8680", "#989088", "#7c7a80") * (0.78 + 0.4 * cell_value(u, v, c.uniform(0, 9)))
    far = ((c.y - horizon) / 0.5).clamp(0.15, 1)
    gap = torch.maximum(grooves(u, 0.14), grooves(v, 0.14)) * far
    c.lay(stone * (1 - 0.45 * gap), mask)
    _floor_light(c, horizon, 0.2)
    return Setting(_ground(c, 0.84, 0.92), 0.5)


def _houses(c: Canvas, foot: Tensor, walls: tuple[str, ...], windows: str, lit: float = 0.2) -> None:
    c.image = c.gradient(c.colour("#8fc0e8", "#b8d4e8", "#e8c8a8"), c.colour("#e8f0f4", "#f8e8d8"), 0.0, 0.5)
    for x in spread(5, 0.0, 1.0):
        left, right = x - 0.1, x + 0.1
        top = c.uniform(0.04, 0.22)
        wall = c.colour(*walls)
        house = c.box(left, top, right, foot + 0.02)
        c.lay(wall, house)
        c.lay(c.colour("#8a4a3a", "#6a4a44", "#9a5a44"), c.triangle(x, top - 0.09, top, 0.115))
        bright = c.chance(lit)
        glass = c.colour(windows) * (1 - bright) + c.colour("#ffe9a8") * bright
        for wx in (-0.05, 0.05):
            for row in range(3):
                y = top + 0.04 + row * 0.1
                c.lay(glass, c.box(x + wx - 0.02, y, x + wx + 0.02, y + 0.055) * house)


def pink_fabric(c: Canvas) -> Setting:
    c.fill(c.colour("#f29ac0", "#ee82b0", "#f8b0cc"))
    angle = c.uniform(-0.9, 0.9)
    along = c.x * angle.cos() + c.y * angle.sin() + 0.12 * (c.noise(3, 2) - 0.5)
    folds = torch.sin(along * c.uniform(16, 26) + 5 * c.noise(2))
    c.shade(1 + 0.17 * folds * (0.4 + c.noise(3)))
    c.lay(c.colour("#ffd6e6"), (folds - 0.6).clamp(0, 1) * 0.9)
    return Setting(_ground(c, 0.78, 0.88), 0.35, tint=c.colour("#fff2f6", vary=0.01))


def wooden_floor(c: Canvas) -> Setting:
    horizon = c.uniform(0.28, 0.42)
    c.image = c.gradient(c.colour("#e8e0d4", "#d4dcdc", "#c8b8a8"), c.colour("#f4eee4", "#e0e4e0"), 0.0, horizon)
    c.lay(c.colour("#fbf8f2"), c.box(-0.1, horizon - 0.035, 1.1, horizon))
    u, v, mask = c.floor(horizon)
    board = c.colour("#b07a48", "#c48a54", "#8a5a38", "#a06a40")
    lane = u * 2.4
    tone = 0.85 + 0.3 * cell_value(
        lane, (v * 0.6 + cell_value(lane, lane * 0, c.uniform(0, 9))).floor(), c.uniform(0, 9)
    )
    grain = 1 + 0.08 * torch.sin(lane * 30 + 6 * c.noise(4))
    c.lay((board * tone * grain).clamp(0, 1) * (1 - 0.5 * grooves(lane, 0.05)), mask)
    _floor_light(c, horizon, 0.18)
    return Setting(_ground(c, 0.82, 0.92), 0.45, mirror=0.12, tint=c.colour("#fff6ea", vary=0.01))


def city(c: Canvas) -> Setting:
    foot = c.uniform(0.66, 0.74)
    _sky(c, foot, "#6fa8dc", "#f0a878", "#4a6090", bottom=("#d8e8f4", "#fde0c0"))
    for layer, (tones, low, high, count) in enumerate(
        ((("#a8b8cc", "#b4bccc"), 0.18, 0.42, 8), (("#6a7a94", "#7a7488", "#5c6c84"), 0.1, 0.45, 6))
    ):
        for x in spread(count, 0.0, 1.0):
            half, top = c.uniform(0.045, 0.085), c.uniform(low, high)
            at = x + c.uniform(-0.03, 0.03)
            tower = c.box(at - half, top, at + half, foot + 0.02)
            c.lay(c.colour(*tones), tower)
            if layer:
                lights = ((c.x * 34) % 1 > 0.45).float() * ((c.y * 26) % 1 > 0.45).float()
                c.lay(c.colour("#f8e6a0", "#d4e2f0"), lights * tower * 0.75)
    c.lay(c.gradient(c.colour("#8a8e94"), c.colour("#5e6268"), foot, 1.0), c.edge(c.y - foot))
    c.lay(c.colour("#c4c8cc"), c.box(-0.1, foot - 0.005, 1.1, foot + 0.02))
    return Setting(_ground(c, 0.86, 0.93), 0.45)


def mountain(c: Canvas) -> Setting:
    foot = c.uniform(0.62, 0.7)
    _sky(c, foot, "#4f94d8", "#78b4e8", "#e8a088", bottom=("#dcecf8", "#f8e4d8"))
    for x in (0.1, 0.82, 0.45):
        at, top, half = x + c.uniform(-0.1, 0.1), c.uniform(0.1, 0.3), c.uniform(0.32, 0.46)
        rock = c.colour("#6a7488", "#5c6880", "#7a7a8c")
        body = c.triangle(at, top, foot + 0.02, half)
        c.lay(rock, body)
        c.lay(rock * 0.78, body * c.edge(c.x - at + 0.03 * (c.noise(8) - 0.5)))
        cap = top + 0.13 + 0.06 * (c.noise(9) - 0.5)
        c.lay(c.colour("#f6fafe", vary=0.01), body * c.edge(cap - c.y))
    c.lay(c.colour("#48704c", "#3a6448"), c.ridge(foot, 0.07, 4))
    meadow = c.gradient(c.colour("#6aa050", "#88b058"), c.colour("#8cc060", "#a8c468"), foot, 1.0)
    c.lay(meadow, c.ridge(foot + 0.06, 0.04, 3))
    return Setting(_ground(c, 0.86, 0.93), 0.42)


def blue_house(c: Canvas) -> Setting:
    foot = c.uniform(0.66, 0.72)
    _sky(c, foot, "#8cc4f0", "#a8d4f4", "#f0c8a0")
    at = 0.5 + c.uniform(-0.16, 0.16)
    wall = c.colour("#2f6fc4", "#3a80d8", "#2a5cae")
    c.lay(wall, c.box(at - 0.3, 0.3, at + 0.3, foot + 0.01))
    c.shade(1 - 0.1 * ((c.y * 26) % 1 < 0.2).float() * c.box(at - 0.3, 0.3, at + 0.3, foot))
    c.lay(c.colour("#5a3a3a", "#7a4438", "#44485a"), c.triangle(at, 0.08, 0.31, 0.37))
    c.lay(c.colour("#f4f4f0", "#7a3a2c"), c.box(at - 0.05, 0.48, at + 0.05, foot))
    for dx in (-0.19, 0.19):
        c.lay(c.colour("#ffffff", vary=0.01), c.box(at + dx - 0.065, 0.39, at + dx + 0.065, 0.53))
        c.lay(c.colour("#bfe0f4", "#ffe8a8"), c.box(at + dx - 0.05, 0.405, at + dx + 0.05, 0.515))
        c.lay(c.colour("#ffffff", vary=0.01), c.box(at + dx - 0.006, 0.4, at + dx + 0.006, 0.52))
    c.lay(
        c.gradient(c.colour("#6cae54", "#84b45c"), c.colour("#8cc468", "#9cc470"), foot, 1.0),
        c.ridge(foot + 0.01, 0.02, 3),
    )
    return Setting(_ground(c, 0.86, 0.93), 0.42)


def _forest(c: Canvas, foot: Tensor | float) -> None:
    c.fill(c.colour("#4f7a50", "#5c8458", "#6a8a50"))
    c.lay(c.colour("#cfe4a8", "#e8ecb8"), ((c.noise(4, 2) - 0.45) * 2).clamp(0, 0.8) * c.edge(0.5 - c.y, 60))
    for x in spread(8, 0.0, 1.0):
        at, half = x + c.uniform(-0.05, 0.05), c.uniform(0.014, 0.034)
        c.lay(c.colour("#4a3626", "#5c4630", "#3c2e24"), c.box(at - half, -0.1, at + half, foot + 0.03))
    leaves = ((c.noise(9, 2) - 0.48) * 8).clamp(0, 1) * c.edge(0.3 + 0.1 * c.noise(4) - c.y, 6)
    c.lay(c.colour("#3a7038", "#4a8440"), leaves * 0.9)


def purple_rug_forest(c: Canvas) -> Setting:
    foot = c.uniform(0.52, 0.6)
    _forest(c, foot)
    c.lay(c.gradient(c.colour("#4a5a30"), c.colour("#6a6a3c", "#5c7a3c"), foot, 1.0), c.ridge(foot, 0.03, 4))
    y, ry = 0.84, 0.13
    rug = c.ellipse(0.5, y, 0.47, ry)
    c.lay(c.colour("#6a2c9a", "#7a38ac", "#5c2488"), rug)
    ring = c.ellipse(0.5, y, 0.43, ry * 0.88) - c.ellipse(0.5, y, 0.38, ry * 0.78)
    c.lay(c.colour("#c89ae8", "#e0b8f0"), ring.clamp(0, 1) * 0.85)
    return Setting(_ground(c, 0.83, 0.88), 0.5)


def wheat_field(c: Canvas) -> Setting:
    horizon = c.uniform(0.4, 0.52)
    _sky(c, horizon, "#5fa8e4", "#88c0ec", "#f0b078")
    field = c.gradient(c.colour("#e8c45c", "#dcb850"), c.colour("#c8962c", "#d8a83c"), horizon, 1.0)
    c.lay(field, c.ridge(horizon, 0.02, 3))
    _, v, mask = c.floor(horizon)
    stalk = torch.sin(c.x * 90 + 10 * c.noise(8)) * torch.sin(v * 6 + 8 * c.noise(10))
    c.shade(1 + 0.16 * stalk * mask)
    for x in spread(16, 0.0, 1.0):
        at, top = x + c.uniform(-0.03, 0.03), c.uniform(0.7, 0.8)
        c.lay(c.colour("#c89830", "#e4bc54"), c.box(at - 0.005, top, at + 0.005, 1.1))
        c.lay(c.colour("#f0d070", "#dcae44"), c.ellipse(at, top, 0.013, 0.045))
    return Setting(_ground(c, 0.86, 0.93), 0.4, tint=c.colour("#fff6e0", vary=0.01))


def autumn_tree(c: Canvas) -> Setting:
    horizon = c.uniform(0.58, 0.66)
    _sky(c, horizon, "#9cc8e8", "#c0d8e8", "#e8d0b0")
    c.lay(c.colour("#c8783c", "#b8883c", "#a85c34"), c.ridge(horizon - 0.02, 0.1, 7))
    ground = c.gradient(c.colour("#b08a44", "#9a8444"), c.colour("#c8964c", "#a89454"), horizon, 1.0)
    c.lay(ground, c.ridge(horizon + 0.02, 0.03, 3))
    at = 0.5 + (c.chance(0.5) * 2 - 1) * c.uniform(0.18, 0.32)
    leaves = c.colour("#e0742c", "#d84c24", "#f0a030", "#c83c28")
    c.lay(c.colour("#5a3a24"), c.box(at - 0.035, 0.3, at + 0.035, horizon + 0.06))
    for dx, dy, r in ((0, 0.2, 0.2), (-0.17, 0.28, 0.15), (0.17, 0.28, 0.15), (-0.08, 0.12, 0.14), (0.1, 0.13, 0.13)):
        c.lay(leaves * (1.1 - dy) + 0.05 * c.uniform(-1, 1), c.ellipse(at + dx, dy, r, r * 0.85, 3))
    c.shade(1 + 0.25 * (c.noise(16) - 0.5) * c.edge(0.46 - c.y))
    fallen = (c.noise(30, 1, 1.8) > 0.68).float() * c.edge(c.y - horizon - 0.04)
    c.lay(c.colour("#d8622c", "#f0b040", "#c04428"), fallen * 0.9)
    return Setting(_ground(c, 0.86, 0.93), 0.42, tint=c.colour("#fff4e6", vary=0.01))


def eiffel_tower(c: Canvas) -> Setting:
    foot = c.uniform(0.64, 0.7)
    _sky(c, foot, "#7ab4e8", "#f0b090", "#8c9cc8")
    at = 0.5 + (c.chance(0.5) * 2 - 1) * c.uniform(0.0, 0.27)
    iron = c.colour("#6a5444", "#5c4c44", "#7a6450")
    along = ((c.y - 0.03) / (foot - 0.03)).clamp(0, 1)
    half = 0.006 + 0.17 * along**2.3
    body = c.edge(half - (c.x - at).abs()) * c.edge(foot - c.y) * c.edge(c.y - 0.03)
    arch = c.ellipse(at, foot + 0.01, 0.095, 0.13)
    gap = c.edge((half - 0.055) - (c.x - at).abs()) * c.edge(c.y - (0.03 + (foot - 0.03) * 0.62))
    c.lay(iron, body * (1 - arch) * (1 - gap * 0.9))
    for level, wide in ((0.4, 0.05), (0.62, 0.085), (0.8, 0.125)):
        y = 0.03 + (foot - 0.03) * level
        c.lay(iron * 0.8, c.box(at - wide, y - 0.012, at + wide, y + 0.012))
    c.lay(c.colour("#4c7a48", "#5c8a50"), c.ridge(foot, 0.05, 8))
    c.lay(
        c.gradient(c.colour("#a8b088", "#8cb068"), c.colour("#c4bca0", "#98c070"), foot, 1.0), c.edge(c.y - foot - 0.03)
    )
    return Setting(_ground(c, 0.86, 0.93), 0.42)


def on_water(c: Canvas) -> Setting:
    horizon = c.uniform(0.3, 0.42)
    _sky(c, horizon, "#6ab4e8", "#f0b088", "#88a8d0")
    c.lay(c.colour("#5c8a80", "#6a8aa0"), c.ridge(horizon - 0.01, 0.06, 5) * c.edge(horizon + 0.01 - c.y))
    water = c.colour("#2f88b8", "#2a7aa0", "#3a98b0")
    c.lay(c.gradient(c.colour("#a8d4e4", "#f0d0b0"), water, horizon, horizon + 0.3), c.edge(c.y - horizon))
    _, v, mask = c.floor(horizon)
    ripple = torch.sin(v * 14 + 7 * c.noise(7, 1, 3.0) + c.x * 3)
    c.shade(1 + 0.12 * ripple * mask)
    c.lay(c.colour("#e8f6fa"), (ripple - 0.82).clamp(0, 1) * 3 * mask * 0.6)
    return Setting(_ground(c, 0.78, 0.86), 0.1, mirror=0.45, sink=0.1, surface=water)


def ocean_of_milk(c: Canvas) -> Setting:
    horizon = c.uniform(0.3, 0.45)
    c.image = c.gradient(c.colour("#e8d8f0", "#d4e4f4", "#f8e0e0"), c.colour("#fff8f0"), 0.0, horizon)
    milk = c.colour("#fdfaf2", "#fffdf8", vary=0.01)
    c.lay(milk, c.edge(c.y - horizon, 3))
    _, v, mask = c.floor(horizon)
    wave = torch.sin(v * 8 + 9 * c.noise(5, 1, 2.0) + c.x * 4)
    c.lay(c.colour("#d8d0c8", "#cfd4e0"), ((wave - 0.1).clamp(0, 1) * 0.55) * mask)
    c.lay(c.colour("#ffffff", vary=0.0), (-wave - 0.5).clamp(0, 1) * mask)
    return Setting(
        _ground(c, 0.78, 0.86), 0.12, mirror=0.2, sink=0.12, surface=milk, tint=c.colour("#fffaf4", vary=0.01)
    )


def sunflowers(c: Canvas) -> Setting:
    horizon = c.uniform(0.36, 0.46)
    _sky(c, horizon, "#68b0ec", "#90c8f0")
    c.lay(
        c.gradient(c.colour("#5a9a3c", "#6cac44"), c.colour("#4a9434", "#78b84c"), horizon, 1.0),
        c.ridge(horizon, 0.03, 4),
    )
    c.shade(1 + 0.2 * (c.noise(28, 1, 0.6) - 0.5) * c.edge(c.y - horizon))
    places = (
        (0.08, 0.42),
        (0.92, 0.45),
        (0.2, 0.3),
        (0.8, 0.28),
        (0.05, 0.68),
        (0.95, 0.7),
        (0.35, 0.36),
        (0.66, 0.38),
    )
    for x, y in places:
        at, top, r = x + c.uniform(-0.04, 0.04), y + c.uniform(-0.05, 0.05), c.uniform(0.055, 0.085)
        c.lay(c.colour("#3a7a2c"), c.box(at - 0.008, top, at + 0.008, top + 0.3))
        angle = torch.atan2(c.y - top, c.x - at)
        radius = ((c.x - at) ** 2 + (c.y - top) ** 2).sqrt()
        c.lay(c.colour("#fcc81c", "#f8b818"), c.edge(r * (0.86 + 0.16 * torch.sin(angle * 11)) - radius))
        c.lay(c.colour("#6a3c18", "#583414"), c.edge(r * 0.42 - radius))
    return Setting(_ground(c, 0.86, 0.92), 0.42)


def mirror(c: Canvas) -> Setting:
    horizon = c.uniform(0.36, 0.5)
    c.image = c.gradient(c.colour("#b8c8d8", "#d8c8d0", "#c0d0c8"), c.colour("#eef2f6", "#f6eef0"), 0.0, horizon)
    y = 0.8
    c.lay(c.colour("#8a7a6c", "#c8b088", "#6c7078"), c.edge(c.y - horizon))
    c.lay(c.colour("#d8b45c", "#b8bcc4"), c.ellipse(0.5, y, 0.485, 0.185))
    glass = c.gradient(c.colour("#e4eef4", vary=0.02), c.colour("#b4c8d8", vary=0.02), y - 0.17, y + 0.17)
    c.lay(glass, c.ellipse(0.5, y, 0.455, 0.165))
    gleam = c.edge(0.02 - (c.x + 0.6 * c.y - c.uniform(0.7, 1.2)).abs(), 4) * c.ellipse(0.5, y, 0.44, 0.155)
    c.lay(c.colour("#ffffff", vary=0.0), gleam * 0.7)
    return Setting(_ground(c, 0.78, 0.82), 0.15, mirror=0.6)


def crowded_street(c: Canvas) -> Setting:
    foot = c.uniform(0.5, 0.56)
    _houses(c, foot, ("#c4b0a0", "#a8b0b8", "#d0c0a8", "#b89890"), windows="#4c5664", lit=0.4)
    coats = ("#c83c3c", "#3c5cb0", "#e0b43c", "#3c8a5c", "#48485a", "#e8e4dc", "#8a4c9a", "#e07c3c")
    for x in spread(9, 0.0, 1.0):
        at, head = x + c.uniform(-0.04, 0.04), foot - 0.16 + c.uniform(-0.03, 0.03)
        c.lay(c.colour("#2c3040", "#4a4440"), c.box(at - 0.022, head + 0.13, at + 0.022, foot + 0.06))
        c.lay(c.colour(*coats), c.ellipse(at, head + 0.1, 0.042, 0.075))
        c.lay(c.colour("#e8bc98", "#8a5c40", "#f0cca8"), c.ellipse(at, head, 0.022, 0.03))
    u, v, mask = c.floor(foot)
    slab = c.colour("#b4b0aa", "#a8a8ac", "#c0b8ac") * (0.92 + 0.14 * cell_value(u * 1.6, v * 1.6, c.uniform(0, 9)))
    c.lay(
        slab * (1 - 0.3 * torch.maximum(grooves(u * 1.6, 0.05), grooves(v * 1.6, 0.05))),
        mask * c.edge(c.y - foot - 0.04),
    )
    return Setting(_ground(c, 0.86, 0.93), 0.48)


def dirt_road(c: Canvas) -> Setting:
    horizon = c.uniform(0.38, 0.48)
    _sky(c, horizon, "#78b4e4", "#a8cce4", "#f0c090")
    c.lay(c.colour("#5c8448", "#6c8c50"), c.ridge(horizon - 0.01, 0.08, 6))
    c.lay(
        c.gradient(c.colour("#84a454", "#a4a858"), c.colour("#7ca04c", "#98a850"), horizon, 1.0), c.edge(c.y - horizon)
    )
    along = ((c.y - horizon) / (1 - horizon)).clamp(0, 1)
    bend = 0.5 + c.uniform(-0.14, 0.14) * (1 - along) ** 2
    half = 0.03 + 0.5 * along
    road = c.edge(half - (c.x - bend + 0.02 * (c.noise(9) - 0.5)).abs(), 3) * c.edge(c.y - horizon)
    dirt = c.colour("#b08858", "#a07848", "#c09c6c")
    c.lay(dirt * (0.9 + 0.25 * c.noise(14, 2, 2.0)), road)
    for rut in (-0.4, 0.4):
        c.lay(dirt * 0.72, c.edge(0.09 * half - (c.x - bend - rut * half).abs(), 4) * road * 0.8)
    return Setting(_ground(c, 0.86, 0.93), 0.45)


def white_rug(c: Canvas) -> Setting:
    horizon = c.uniform(0.32, 0.42)
    c.image = c.gradient(
        c.colour("#b8c4b4", "#c8b4a4", "#a4b4c4", "#d4c4b4"), c.colour("#e0dcd0", "#d4d8d8"), 0.0, horizon
    )
    u, _, mask = c.floor(horizon)
    c.lay(c.colour("#8a5c3c", "#a4744c", "#6c4c3c") * (1 - 0.35 * grooves(u * 2, 0.05)), mask)
    rug = c.ellipse(0.5, 0.84, 0.47 + 0.012 * (c.noise(24) - 0.5), 0.15)
    c.lay(c.colour("#f6f2ea", "#fbf9f4", vary=0.01), rug)
    c.shade(1 - 0.16 * (c.noise(26, 1, 0.8) - 0.35).clamp(0, 1) * rug)
    return Setting(_ground(c, 0.83, 0.88), 0.35)


def studio(c: Canvas) -> Setting:
    """A plain backdrop: for prompts that say a colour or a material and no place."""
    c.image = c.gradient(
        c.colour("#e8e8ec", "#d0d8e0", "#f0e4d8", "#dcd4e4", "#c8d8d0"), c.colour("#f8f8f8", "#eceff2"), 0.0, 0.75
    )
    c.lay(c.colour("#ffffff"), (1 - ((c.x - 0.5) ** 2 + (c.y - 0.5) ** 2).sqrt() * 1.6).clamp(0, 1) * 0.4)
    return Setting(_ground(c, 0.82, 0.9), 0.3, mirror=0.08)


Painter = Callable[[Canvas], Setting]
