"""Scenes with buildings."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.training.render import stamps, surfaces
from engine.training.render.scenes.nature import _lens, _tree_line, _turf
from engine.training.render.world import Setting, World

_STONE = ("#8c8680", "#9a9288", "#7c7a78", "#a09684")


def _windows(
    w: World, x0: float, x1: float, y0: float, y1: float, columns: int, rows: int, lit: float, frame: bool
) -> None:
    """A grid of windows on a wall."""
    u = (w.x - x0) / (x1 - x0) * columns
    v = (w.y - y0) / (y1 - y0) * rows
    inside = ((u > 0) & (u < columns) & (v > 0) & (v < rows)).float()
    fu, fv = (u - u.floor() - 0.5).abs(), (v - v.floor() - 0.5).abs()
    value = torch.sin(u.floor() * 12.9 + v.floor() * 78.2 + w.u(0, 9)) * 43758.5
    value = value - value.floor()
    pane = ((0.3 - fu) * 9).clamp(0, 1) * ((0.33 - fv) * 9).clamp(0, 1) * inside
    if frame:
        border = ((0.38 - fu) * 9).clamp(0, 1) * ((0.41 - fv) * 9).clamp(0, 1) * inside
        w.put(w.colour("#dcd8d0", "#c8c4bc"), border * 0.8)
    glass = w.colour("#4c5864", "#3c4650", "#5c6c78") * (0.7 + 0.7 * value)
    w.put(glass, pane)
    w.lay(w.colour("#ffdc94", "#ffe8b4"), pane * (value < lit).float() * 0.9)


def _lit_share(w: World) -> float:
    return {"night": 0.6, "dusk": 0.4, "sunset": 0.25, "fog": 0.2}.get(w.light.kind, 0.03)


def _wall(w: World, x0: float, x1: float, top: float, foot: float, *palette: str) -> Tensor:
    """A wall of plaster or brick; its mask."""
    mask = w.box(x0, top, x1, foot)
    tone = 0.86 + 0.3 * (w.fractal(9) - 0.5) + 0.12 * (w.fractal(50, 1, 2) - 0.5)
    w.put(w.colour(*palette) * tone * (1 + 0.25 * w.light.direction[0] * (w.x - (x0 + x1) / 2)), mask)
    return mask


def _street(w: World, foot: float, *walls: str) -> None:
    """House fronts on both sides, closing in on a vanishing point, or a row across."""
    w.sky(foot)
    lit = _lit_share(w)
    if w.layout % 2:
        vanish, depth = w.u(0.35, 0.65), 4
        for side in (-1, 1):
            for step in range(depth):
                far, near = 0.06 + 0.55 * (step / depth) ** 1.4, 0.06 + 0.55 * ((step + 1) / depth) ** 1.4
                x0, x1 = sorted((vanish + side * far, vanish + side * near))
                top = foot - (0.28 + 0.75 * near) * w.u(0.85, 1.1)
                along = (w.x - vanish).abs()
                colour = w.colour(*walls) * (0.75 if side * w.light.direction[0] > 0 else 1.05)
                lean = foot - (foot - top) * (along / max(near, 0.01)).clamp(0, 1)
                mask = w.edge(torch.minimum(w.x - x0, x1 - w.x)) * w.below(lean) * w.edge(foot + 0.12 * along - w.y)
                w.put(colour * (0.85 + 0.4 * (w.fractal(16) - 0.5)), mask)
                u = (along - far) / (near - far) * 3
                v = (foot - w.y) / along.clamp_min(0.02) / 1.4 * 3.6
                pane = ((0.26 - (u - u.floor() - 0.5).abs()) * 10).clamp(0, 1) * (
                    (0.3 - (v - v.floor() - 0.5).abs()) * 10
                ).clamp(0, 1)
                w.put(w.colour("#3c444c", "#4c5660"), pane * mask * (v > 0.9) * 0.9)
                if lit > 0.1:
                    value = torch.sin(u.floor() * 3.7 + v.floor() * 9.1 + step * 5 + side) * 43758.5
                    w.lay(w.colour("#ffdc94"), pane * mask * ((value - value.floor()) < lit).float() * 0.9)
        return
    x = w.u(-0.2, 0.0)
    while x < 1:
        wide, top = w.u(0.16, 0.34), foot - w.u(0.34, 0.75)
        _wall(w, x, x + wide, top, foot + 0.01, *walls)
        if w.maybe(0.6):
            w.put(
                w.colour("#7c4a3c", "#5c4a48", "#6c5c54"), w.triangle(x + wide / 2, top - wide * 0.35, top, wide * 0.53)
            )
        _windows(
            w, x + 0.02, x + wide - 0.02, top + 0.04, foot - 0.13, w.dice.randint(2, 4), w.dice.randint(2, 4), lit, True
        )
        w.put(
            w.colour("#4c3c34", "#2c4c48", "#5c2c2c", "#34404c"),
            w.box(x + wide * 0.3, foot - 0.11, x + wide * 0.7, foot),
        )
        x += wide


def cobblestone(w: World) -> Setting:
    w.light_up("overcast", "golden", "noon", "dusk")
    horizon, ground = w.u(0.26, 0.46), w.u(0.82, 0.93)
    walls = ("#b09880", "#c8b498", "#a08878", "#d0c4b0", "#98766a", "#bca48c")
    if w.layout % 6 == 3:
        horizon = w.u(-0.5, -0.15)  # looking down at the stones
    elif w.layout % 6 == 4:
        w.image = (w.backdrop("#8c7c6c", "#a09484", "#6c6864", detail=0.8) * w.cast).clamp(0, 1)
        w.bokeh(16, "#ffe0a0", "#fff0d0", low=0.0, high=0.4, size=0.04, strength=0.5)
    else:
        _street(w, horizon + 0.02, *walls)
    stones = surfaces.cobbles(w, *_STONE) if w.maybe(0.6) else surfaces.setts(w, *_STONE, long=1.3)
    w.put(w.project(stones, horizon, w.u(1.0, 1.5), w.u(-0.25, 0.25)), w.below(horizon + 0.015, 2))
    w.focus(horizon, ground, _lens(w))
    wet = w.maybe(0.2)
    return Setting(horizon, ground, mirror=0.16 if wet else 0.0, ripple=0.3)


def city(w: World) -> Setting:
    w.light_up("noon", "dusk", "golden", "overcast")
    foot, ground = w.u(0.5, 0.66), w.u(0.85, 0.94)
    w.sky(foot)
    lit = _lit_share(w)
    tones = (("#9aa6b4", "#a8b0b8"), ("#7c8896", "#8c9098", "#98948c"), ("#5c6672", "#6c6c74", "#847c74", "#4c5864"))
    for layer, palette in enumerate(tones):
        x = w.u(-0.1, 0.0)
        while x < 1:
            wide = w.u(0.05, 0.1) * (1 + 0.5 * layer)
            top = foot - w.u(0.12, 0.5) * (1.0 - 0.12 * layer)
            _tower = w.box(x, top, x + wide, foot + 0.01)
            side = 1 - 0.28 * (w.x > x + wide * w.u(0.4, 0.7)).float() * (1 if w.light.direction[0] < 0 else -0.6)
            w.put(w.colour(*palette) * side * (0.95 + 0.2 * (w.fractal(20, 1, 3) - 0.5)), _tower)
            if layer:
                _windows(w, x, x + wide, top, foot, w.dice.randint(4, 8), w.dice.randint(9, 18), lit, False)
            x += wide * w.u(0.8, 1.5)
        w.haze(foot, 0.35, 0.25)
    style = w.layout % 6
    if style in (1, 4):
        _tree_line(w, foot + 0.01, 0.06, "#4c6040", "#3c5438")
        tile = surfaces.grass(w, "#5c7c40", "#6c8c48")
    elif style == 2:
        tile = surfaces.planks(w, "#8c7c68", "#9c8a74", boards=5)
    elif style == 3:
        tile = surfaces.mottled(w, "#5c5e62", "#686a6c", fine=0.12, grain=0.08)
    else:
        tile = surfaces.setts(w, "#a8a49c", "#989690", "#b4aea4", long=3.0, gap=0.03, worn=0.12)
    w.put(w.project(tile, foot, 1.4), w.below(foot + 0.008, 1.5))
    if style in (1, 4):
        _turf(w, foot, "#5c7c40", "#6c8c48", "#4c6c34")
    if style in (0, 5):
        w.put(w.colour("#8c8c8c", "#7c7c80"), w.box(-0.1, foot - 0.05, 1.1, foot + 0.012) * 0.9)
        posts = ((0.06 - ((w.x * 9) % 1 - 0.5).abs()) * 20).clamp(0, 1) * w.box(-0.1, foot - 0.1, 1.1, foot)
        w.put(w.colour("#5c5c60"), posts)
    if style in (4, 5) and w.light.kind in ("dusk", "night"):
        w.blur_all(3)
        w.bokeh(40, "#ffc868", "#fff0c8", "#ff8c5c", "#9cc8ff", low=foot - 0.4, high=foot, size=0.03, strength=0.8)
    w.focus(foot, ground, _lens(w))
    return Setting(foot, ground)


def blue_house(w: World) -> Setting:
    w.light_up("noon", "noon", "golden", "overcast")
    foot, ground = w.u(0.52, 0.66), w.u(0.85, 0.94)
    w.sky(foot)
    _tree_line(w, foot, w.u(0.15, 0.3), "#4c6440", "#5c7448", "#3c5438", bumps=8)
    blue = ("#2f62a8", "#3a74bc", "#28508c", "#4a84c4", "#3c6c9c")
    style = w.layout % 6
    at = 0.5 + (w.u(-0.2, 0.2) if style != 2 else 0)
    half, top = (0.55 if style == 2 else w.u(0.26, 0.38)), w.u(0.1, 0.3)
    wall = _wall(w, at - half, at + half, top, foot + 0.01, *blue)
    lines = ((w.y * 34) % 1 < 0.16).float() if style % 2 else ((w.x * 30) % 1 < 0.12).float()
    w.shade(1 - 0.16 * lines * wall)
    if style != 2:
        roof = w.colour("#4c4444", "#6c4438", "#54585c", "#7c5444") * (0.85 + 0.3 * ((w.y * 60) % 1))
        w.put(roof, w.triangle(at, top - half * w.u(0.5, 0.75), top + 0.01, half * 1.12))
        eaves = (1 - (w.y - top - 0.01) / 0.07).clamp(0, 1) * wall * w.below(top + 0.01)
        w.shade(1 - 0.45 * eaves * (0.4 + w.light.hardness))
        if w.maybe(0.5):
            x = at + half * w.u(-0.6, 0.6)
            w.put(w.colour("#7c4438", "#8c7c70"), w.box(x - 0.025, top - half * 0.6, x + 0.025, top - half * 0.15))
    lit = _lit_share(w)
    for dx in (-0.6, 0.6):
        x = at + dx * half
        size = min(0.09, half * 0.25)
        y = top + (foot - top) * 0.42
        w.put(
            w.colour("#f0eeea", vary=0.01),
            w.box(x - size - 0.012, y - size * 1.25 - 0.012, x + size + 0.012, y + size * 1.25 + 0.012),
        )
        _windows(w, x - size, x + size, y - size * 1.25, y + size * 1.25, 2, 2, lit, False)
    w.put(w.colour("#f0eeea", vary=0.01), w.box(at - 0.075, foot - 0.27, at + 0.075, foot))
    w.put(w.colour("#6c3428", "#e4e0d8", "#3c2c24", "#8c2c2c"), w.box(at - 0.06, foot - 0.255, at + 0.06, foot))
    stamps.shade_below(w, at, foot + 0.015, half, 0.4)
    tile = surfaces.grass(w, "#5c8440", "#6c944a", "#4c743a")
    w.put(w.project(tile, foot, 1.6), w.below(w.line(foot + 0.015, 0.015, 8), 2))
    _turf(w, foot, "#5c8440", "#6c944a", "#4c743a", "#7c9c54")
    if style in (1, 4):
        path = w.edge(
            0.05
            + 0.3 * ((w.y - foot) / (1 - foot)).clamp(0, 1)
            - (w.x - at - (0.5 - at) * ((w.y - foot) / (1 - foot)).clamp(0, 1)).abs(),
            2,
        )
        w.put(w.project(surfaces.setts(w, *_STONE, long=2.0), foot, 1.3), path * w.below(foot + 0.01))
    for _ in range(w.dice.randint(0, 3)):
        size = w.u(0.16, 0.3)
        w.stamp(
            stamps.tree(w, "#4c6c3c", "#5c7c44", "#7c5c6c"),
            w.dice.choice((w.u(0, 0.25), w.u(0.75, 1))),
            foot + 0.03 - size * 0.1,
            size,
            stretch=0.8,
        )
    w.focus(foot, ground, _lens(w) * 0.7)
    return Setting(foot, ground)


def eiffel_tower(w: World) -> Setting:
    w.light_up("noon", "golden", "overcast", "dusk")
    foot, ground = w.u(0.54, 0.66), w.u(0.85, 0.94)
    w.sky(foot)
    style = w.layout % 6
    at = 0.5 + w.dice.choice((-1, 1)) * (w.u(0.0, 0.1) if style == 0 else w.u(0.16, 0.3))
    top = w.u(0.02, 0.12)
    along = ((w.y - top) / (foot - top)).clamp(0, 1)
    half = 0.004 + 0.02 * along + 0.15 * along**3.2
    away = (w.x - at).abs()
    body = w.edge(half - away) * w.edge(foot - w.y) * w.below(top)
    iron = w.colour("#6a5646", "#5c4e46", "#786250")
    hollow = w.edge(half * 0.45 - away) * w.below(top + (foot - top) * 0.68)
    arch = w.ellipse(at, foot + 0.01, 0.1, (foot - top) * 0.24)
    u, v = (w.x - at) / half.clamp_min(0.004), w.y
    lattice = torch.maximum(torch.cos(u * 6 + v * 120), torch.cos(u * 6 - v * 120))
    open_iron = 0.55 + 0.45 * (lattice * 2).clamp(-0.6, 1)
    tone = 0.85 + 0.35 * w.light.direction[0] * u
    w.put(iron * tone, body * (1 - hollow) * (1 - arch) * (0.6 + 0.4 * open_iron))
    for level, wide in ((0.33, 0.03), (0.62, 0.06), (0.85, 0.12)):
        y = top + (foot - top) * level
        w.put(iron * 0.85, w.box(at - wide, y - 0.01, at + wide, y + 0.012))
    if w.light.kind in ("dusk", "night"):
        w.lay(w.colour("#ffcc70"), body * (1 - hollow) * (1 - arch) * (lattice > 0.2).float() * 0.8)
    if style in (2, 4):
        x = -0.05
        while x < 1:
            wide, high = w.u(0.12, 0.22), w.u(0.07, 0.16)
            _wall(w, x, x + wide, foot - high, foot, "#c8bca8", "#d4c8b4", "#b8ac9c")
            w.put(w.colour("#5c646c"), w.box(x, foot - high - 0.03, x + wide, foot - high))
            _windows(w, x, x + wide, foot - high, foot, 6, 3, _lit_share(w), False)
            x += wide
    _tree_line(w, foot + 0.01, w.u(0.06, 0.12), "#4c6440", "#3c5836", "#5c6c44", bumps=10)
    w.haze(foot, 0.2, 0.2)
    tile = (
        surfaces.grass(w, "#5c8040", "#6c9048") if style % 2 else surfaces.mottled(w, "#c0b49c", "#b4a890", fine=0.12)
    )
    if style == 4:
        tile = surfaces.setts(w, "#a8a49c", "#b4aea4", long=2.0, gap=0.04)
    w.put(w.project(tile, foot, 1.6), w.below(foot + 0.02, 2))
    if style % 2:
        _turf(w, foot, "#5c8040", "#6c9048", "#4c7038")
    w.focus(foot, ground, _lens(w) * 0.5)
    return Setting(foot, ground)


def crowded_street(w: World) -> Setting:
    w.light_up("overcast", "noon", "golden", "dusk")
    foot, ground = w.u(0.4, 0.54), w.u(0.84, 0.93)
    _street(w, foot, "#a89c90", "#b8b0a4", "#8c8884", "#98887c", "#c0b4a4")
    signs = ("#b83c34", "#2c5c9c", "#d8a83c", "#3c7c54", "#d8d4cc")
    for _ in range(5):
        x, y = w.u(0, 1), foot - w.u(0.12, 0.26)
        w.put(w.colour(*signs), w.box(x - 0.06, y, x + 0.06, y + 0.03))
    slabs = surfaces.setts(w, "#a4a098", "#989694", "#b0aaa0", long=w.dice.choice((1.0, 2.0)), gap=0.03, worn=0.15)
    w.put(w.project(slabs, foot - 0.02, 1.5), w.below(foot + 0.01, 2))
    w.blur_all((1.0, 2.2, 3.0, 1.6, 3.6, 2.4)[w.layout % 6] * 0.5)
    people = sorted(w.u(0, 1) for _ in range(w.dice.randint(9, 20)))
    for depth in people:
        size = 0.2 + 0.42 * depth**1.5
        line = foot + 0.03 + 0.14 * depth
        x = w.u(-0.05, 1.05)
        stamps.shade_below(w, x, line, size * 0.16, 0.35)
        w.stamp(stamps.person(w), x, line - size * 0.47, size)
    w.blur_all((1.4, 2.6, 3.6, 2.0, 4.4, 3.0)[w.layout % 6] * 0.6)
    w.put(w.project(slabs, foot - 0.02, 1.5), w.below(foot + 0.24, 40) * 0.9)
    w.focus(foot, ground, 3.0)
    return Setting(foot, ground)
