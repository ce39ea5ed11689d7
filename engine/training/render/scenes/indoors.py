"""Scenes in rooms and studios: fabric, wood, rugs, mirrors, plain backdrops."""

from __future__ import annotations

from engine.training.render import stamps, surfaces
from engine.training.render.paint import soften
from engine.training.render.scenes.nature import _lens
from engine.training.render.world import Setting, World

_WOOD = ("#a87848", "#b88854", "#8c6440", "#c49a68", "#6c4c34", "#98704c")


def _room(w: World, horizon: float) -> None:
    """A wall with what stands before it."""
    wall = w.colour("#d8d0c4", "#c8ccc8", "#b8b4a8", "#d4d8d8", "#a8b4b4", "#c4b4a0", "#8c9ca0", "#e4e0d8")
    across = (w.x - 0.5) * w.light.direction[0]
    w.image = (wall * (0.9 + 0.35 * across + 0.06 * (w.fractal(4, 1, 3) - 0.5)) * w.cast).clamp(0, 1)
    if w.weather == "sunset" or (w.light.kind in ("window", "golden") and w.maybe(0.5)):
        x, y, wide = w.u(0.15, 0.85), w.u(0.02, 0.12), w.u(0.1, 0.2)
        skew = w.x + 0.35 * (w.y - y)
        for pane in (-1, 1):
            shape = w.edge(wide * 0.45 - (skew - x - pane * wide * 0.5).abs(), 3) * w.edge(
                0.14 - (w.y - y - 0.1).abs(), 3
            )
            w.lay(w.colour("#fff4dc", "#fff8ec") * (w.cast * 1.15).clamp(0, 1), shape * 0.45)
    for _ in range(w.dice.randint(1, 3)):
        kind, x = w.dice.randint(0, 4), w.dice.choice((w.u(0, 0.35), w.u(0.65, 1.0)))
        if kind == 0:  # a picture
            wide, high, y = w.u(0.07, 0.13), w.u(0.08, 0.14), horizon * w.u(0.3, 0.5)
            w.put(w.colour("#3c342c", "#e8e4dc", "#8c7454"), w.box(x - wide, y - high, x + wide, y + high))
            inner = w.box(x - wide + 0.015, y - high + 0.015, x + wide - 0.015, y + high - 0.015)
            w.put(w.backdrop("#8c9ca8", "#c8b498", "#6c7c6c", detail=1.2), inner)
        elif kind == 1:  # a plant
            size = w.u(0.3, 0.5)
            leaves = [stamps.leaf(w, "#3c6434", "#4c7840", "#5c8448") for _ in range(3)]
            for _ in range(16):
                w.stamp(
                    w.dice.choice(leaves),
                    x + w.u(-0.1, 0.1),
                    horizon - size * w.u(0.4, 0.9),
                    size * 0.5,
                    w.u(-1.3, 1.3),
                )
            w.put(
                w.colour("#c8b8a0", "#8c5c44", "#e4e0d8") * (1 + 3 * w.light.direction[0] * (w.x - x)),
                w.box(x - 0.06, horizon - 0.16, x + 0.06, horizon + 0.03),
            )
        elif kind == 2:  # a sofa or a chest
            wide, high = w.u(0.2, 0.4), w.u(0.14, 0.26)
            colour = w.colour("#6c7c84", "#8c7c6c", "#a08c74", "#5c6450", "#4c5468", "#94705c")
            w.put(
                colour * (0.9 + 0.25 * (w.fractal(20, 1, 3) - 0.5)),
                w.box(x - wide, horizon - high, x + wide, horizon + 0.03),
            )
            w.put(colour * 1.12, w.box(x - wide, horizon - high * 0.55, x + wide, horizon - high * 0.4))
            stamps.shade_below(w, x, horizon + 0.03, wide, 0.4)
        elif kind == 3:  # a window
            wide, y = w.u(0.1, 0.16), horizon * 0.42
            w.put(w.colour("#f0eee8", vary=0.01), w.box(x - wide - 0.012, y - 0.2, x + wide + 0.012, y + 0.2))
            outside = {"night": "#1c2840", "dusk": "#4c6088", "sunset": "#f0a868"}.get(
                w.weather or w.light.kind, "#e4f0f8"
            )
            for side in (-1, 1):
                w.lay(
                    w.colour(outside),
                    w.box(x + side * wide / 2 - wide * 0.44, y - 0.185, x + side * wide / 2 + wide * 0.44, y + 0.185),
                )
        else:  # a curtain
            folds = 0.85 + 0.22 * (w.x * w.u(90, 130) + 3 * w.fractal(4, 1, 2)).sin()
            w.put(
                w.colour("#d8d0c8", "#8c949c", "#b09c8c", "#6c7484") * folds,
                w.box(x - 0.1, -0.1, x + 0.1, horizon - 0.01),
            )
    w.put(w.colour("#ece8e0", "#d0c8bc", "#8c7460", vary=0.015), w.box(-0.1, horizon - 0.025, 1.1, horizon + 0.002))
    w.shade(1 - 0.3 * (1 - (w.y - horizon).abs() / 0.012).clamp(0, 1))


def _pool_of_light(w: World, horizon: float) -> None:
    """Floors are lighter on the side of the light."""
    w.shade(1 + 0.22 * (w.x - 0.5) * w.light.direction[0] * 2 * w.below(horizon) - 0.1 * w.below(horizon))


def pink_fabric(w: World) -> Setting:
    w.light_up("window", "studio", "window", "studio", indoors=True)
    style = w.layout % 6
    pink = ("#ec94b8", "#e482ac", "#f2aac6", "#d87098", "#f4b4c8")
    horizon = (-0.9, 0.3, -0.4, 0.22, -1.5, 0.38)[style]
    ground = w.u(0.76, 0.9)
    fabric = surfaces.cloth(w, *pink, folds=w.u(0.18, 0.4))
    if horizon > 0:
        if style == 3:  # the same fabric hangs behind
            hang = surfaces.cloth(w, *pink, folds=0.25)
            w.put(soften(w.project(hang, -2.0, 0.7), 2.0 * w.size / 256) * 0.88)
        else:
            _room(w, horizon)
        line = w.line(horizon + 0.05, 0.04, 4, 0.4)
        w.put(w.project(fabric, horizon - 0.3, 0.8), w.below(line, 5))
    else:
        w.put(w.project(fabric, horizon, w.u(0.6, 1.0), w.u(-0.6, 0.6)))
    _pool_of_light(w, -1)
    w.focus(horizon, ground, _lens(w) if horizon > 0 else 1.5)
    return Setting(horizon, ground, shadow=0.85)


def wooden_floor(w: World) -> Setting:
    w.light_up("window", "window", "lamp", "golden", indoors=True)
    style = w.layout % 6
    horizon = (0.32, 0.24, -0.8, 0.4, 0.28, -0.3)[style] + w.u(-0.04, 0.04)
    ground = w.u(0.8, 0.92)
    if horizon > 0:
        _room(w, horizon)
    boards = surfaces.planks(w, *_WOOD, boards=w.dice.choice((5, 6, 8)))
    floor = w.project(boards, horizon, w.u(0.7, 1.1), w.dice.choice((0.0, 0.0, 1.57, w.u(-0.6, 0.6))))
    w.put(floor, w.below(horizon, 1.5))
    gloss = 0.0
    if horizon > 0:
        gloss = w.u(0.0, 0.25)
        mirrored = soften(w.mirrored(horizon), 3.0 * w.size / 256)
        fade = (1 - (w.y - horizon) / 0.4).clamp(0, 1) * w.below(horizon) * gloss
        w.lay(mirrored, fade)
    _pool_of_light(w, horizon)
    w.focus(horizon, ground, _lens(w) if horizon > 0 else 1.2)
    return Setting(horizon, ground, mirror=gloss * 0.7)


def white_rug(w: World) -> Setting:
    w.light_up("window", "window", "lamp", "studio", indoors=True)
    style = w.layout % 6
    horizon = (0.3, 0.2, -0.6, 0.36, 0.26, -0.2)[style] + w.u(-0.04, 0.04)
    ground = w.u(0.82, 0.9)
    if horizon > 0:
        _room(w, horizon)
    floor = surfaces.planks(w, *_WOOD, boards=6) if style % 3 else surfaces.mottled(w, "#a8a098", "#8c8884", fine=0.06)
    w.put(w.project(floor, horizon, 0.9), w.below(horizon, 1.5))
    pile = surfaces.pile(w, "#f0ece4", "#f6f3ee", "#e8e4dc", tufts=w.u(0.25, 0.6))
    far = max(horizon, 0.0) + (ground - max(horizon, 0.0)) * w.u(0.35, 0.6)
    ragged = 0.014 * (w.fractal(60, 1, 2) - 0.5)
    if style in (0, 4):
        mask = w.ellipse(0.5, (far + 1.04) / 2 + ragged, w.u(0.46, 0.6), (1.04 - far) / 2, 2.5)
    else:
        half = w.u(0.4, 0.5) + 0.4 * ((w.y - far) / (1.1 - far)).clamp(0, 1)
        mask = w.edge(half - (w.x - 0.5).abs() + ragged, 2.5) * w.below(far + ragged, 2.5)
    w.shade(1 - 0.45 * (soften(mask, 3.0 * w.size / 256) - mask).clamp(0, 1))
    w.put(w.project(pile, horizon, 1.3), mask)
    _pool_of_light(w, horizon)
    w.focus(horizon, ground, _lens(w) if horizon > 0 else 1.2)
    return Setting(horizon, ground, shadow=0.8)


def mirror(w: World) -> Setting:
    w.light_up("studio", "window", "lamp", "studio", indoors=True)
    style = w.layout % 6
    horizon, ground = w.u(0.24, 0.42), w.u(0.74, 0.82)
    if style in (1, 4):
        _room(w, horizon)
    else:
        w.image = (
            w.backdrop("#98a4ac", "#b4b0ac", "#788490", "#c4bcb8", "#5c6068", detail=0.5, photo=0.5) * w.cast
        ).clamp(0, 1)
        w.blur_all(6)
        if style in (2, 5):
            w.bokeh(18, "#fff0d0", "#ffd8a8", "#d8e8ff", low=0.0, high=horizon, size=0.04, strength=0.6)
    behind = w.mirrored(horizon)
    if style in (0, 2, 3, 5):  # the mirror fills the foreground
        glass = behind * 0.9
        mask = w.below(horizon + 0.01, 3)
    else:  # it lies on a table
        table = (
            surfaces.planks(w, *_WOOD, boards=6) if style == 1 else surfaces.mottled(w, "#3c3e44", "#5c5c60", fine=0.05)
        )
        w.put(w.project(table, horizon, 0.8), w.below(horizon, 1.5))
        y, ry = 0.8, 0.19
        frame = w.ellipse(0.5, y, 0.5, ry, 2)
        w.shade(1 - 0.4 * (soften(frame, 3.0 * w.size / 256) - frame).clamp(0, 1))
        w.put(w.colour("#b89858", "#8c9098", "#5c4834") * (0.85 + 0.5 * (w.x - 0.5) * w.light.direction[0]), frame)
        mask = w.ellipse(0.5, y, 0.475, ry - 0.02, 1.5)
        glass = behind * 0.92
    w.lay(glass.clamp(0, 1), mask * 0.94)
    streak = ((w.fractal(3, 0.5, 3) - 0.55) * 3).clamp(0, 1)
    w.lay(w.colour("#ffffff", vary=0.0) * w.cast.clamp(0, 1), mask * streak * 0.12)
    w.focus(horizon, ground, 2.5)
    return Setting(horizon, ground, mirror=w.u(0.6, 0.85), shadow=0.25)


def studio(w: World) -> Setting:
    """A plain backdrop: for prompts that say a colour or a material and no place."""
    w.light_up("studio", "studio", "studio", "window", indoors=True)
    style = w.layout % 6
    horizon, ground = w.u(0.35, 0.5), w.u(0.8, 0.92)
    wall = w.colour("#e4e4e4", "#d4d8dc", "#e4dcd4", "#c4c8cc", "#d8dcd8", "#b8bcc4", "#a8a8ac")
    floor = (wall * w.u(0.95, 1.12)).clamp(0, 1)
    blend = w.below(horizon + 0.1, 90 * w.size / 256)
    spot = 1.04 - 0.4 * ((w.x - 0.5 - 0.15 * w.light.direction[0]) ** 2 + (w.y - 0.5) ** 2)
    w.image = ((wall * (1 - blend) + floor * blend) * spot * w.cast).clamp(0, 1)
    if style == 4:
        table = surfaces.planks(w, *_WOOD, boards=5)
        w.put(w.project(table, horizon, 0.8, 1.57), w.below(horizon + 0.12, 2))
    elif style == 2:
        w.put(
            w.project(surfaces.mottled(w, "#b4b4b4", "#c4c0bc", fine=0.08), horizon, 1.0),
            w.below(horizon + 0.1, 20) * 0.8,
        )
    w.focus(horizon, ground, 3.0)
    return Setting(horizon, ground, mirror=w.dice.choice((0.0, 0.0, 0.08, 0.15)))
