"""Scenes in which the subject floats."""

from __future__ import annotations

from engine.training.render import surfaces
from engine.training.render.paint import soften
from engine.training.render.scenes.nature import _lens, _range, _tree_line
from engine.training.render.world import Setting, World


def on_water(w: World) -> Setting:
    w.light_up("noon", "golden", "overcast", "dusk")
    style = w.layout % 6
    horizon, ground = (0.34, 0.26, 0.42, -0.25, 0.3, 0.18)[style] + w.u(-0.04, 0.04), w.u(0.76, 0.88)
    w.sky(max(horizon, 0.2))
    if style in (0, 4):
        _range(w, horizon, 0.22, snowy=0.4)
    if style in (0, 2, 4):
        _tree_line(w, horizon, w.u(0.05, 0.16), "#3c5440", "#4c5c48", "#5c6454")
        w.haze(horizon, 0.12, 0.25)
    slope = w.project(surfaces.water(w, w.u(0.6, 1.3)), horizon, w.u(1.2, 2.2))
    depth = ((w.y - horizon) / (1 - horizon)).clamp(0, 1)
    deep = w.colour("#2c5c6c", "#24506c", "#3c6c6c", "#2c6478", "#38707c")
    mirrored = soften(w.mirrored(horizon), 2.0 * w.size / 256) if horizon > 0.1 else w.image * 0.5 + 0.25
    mix = (0.75 - 0.75 * depth + 0.35 * slope).clamp(0, 1)
    water = deep * w.cast * (0.9 + 0.3 * slope)
    w.lay((water + (mirrored - water) * mix).clamp(0, 1), w.below(horizon, 1.2))
    w.lay(
        w.colour("#ffffff", vary=0.0) * w.cast,
        ((slope - 0.75) * 2).clamp(0, 1) * w.below(horizon) * 0.6 * w.light.hardness * 1.4,
    )
    w.focus(horizon, ground, _lens(w) * 0.6)
    surface = (deep * w.cast).clamp(0, 1).flatten()
    return Setting(
        horizon, ground, mirror=w.u(0.35, 0.55), ripple=1.0, sink=w.u(0.06, 0.18), surface=surface, shadow=0.25
    )


def ocean_of_milk(w: World) -> Setting:
    w.light_up("pastel", "pastel", "studio", "overcast")
    style = w.layout % 6
    horizon, ground = (0.32, 0.42, 0.24, -0.3, 0.36, 0.28)[style] + w.u(-0.03, 0.03), w.u(0.76, 0.88)
    if w.light.kind == "studio":
        w.image = (w.backdrop("#d8d4d8", "#e4e0e0", "#c4ccd8", detail=0.15, photo=0.2) * w.cast).clamp(0, 1)
        w.blur_all(8)
    else:
        w.sky(max(horizon, 0.2))
    milk = w.colour("#f8f4ec", "#fbf8f2", vary=0.01)
    height = w.project(surfaces.water(w, w.u(0.3, 0.8)), horizon, w.u(0.5, 1.1))
    side = w.light.direction[0]
    slope = (soften(height, 2.2 * w.size / 256) * 1.3).clamp(-1, 1)
    tone = 0.95 + 0.14 * slope + 0.04 * side * (w.x - 0.5)
    shade = w.colour("#d8d2cc", "#ccd0dc", vary=0.01)
    colour = milk + (shade - milk) * (-slope).clamp(0, 1) * 0.9
    w.put(colour * tone, w.below(horizon, 2))
    w.lay(w.colour("#ffffff", vary=0.0) * w.cast.clamp(0, 1), ((slope - 0.35) * 1.6).clamp(0, 0.8) * w.below(horizon))
    if style in (1, 4):
        for _ in range(w.dice.randint(4, 10)):
            x, y, r = w.u(0, 1), w.u(max(horizon, 0) + 0.08, 0.98), w.u(0.006, 0.018)
            w.shade(1 - 0.16 * w.ellipse(x, y + r * 0.6, r * 1.2, r * 0.6, 3))
            w.put(w.colour("#ffffff", vary=0.0), w.ellipse(x, y, r, r * 0.7, 2) * 0.9)
    w.haze(horizon, 0.06, 0.4)
    w.focus(horizon, ground, _lens(w) * 0.5)
    surface = (milk * w.cast).clamp(0, 1).flatten()
    return Setting(horizon, ground, mirror=w.u(0.12, 0.3), ripple=0.6, sink=w.u(0.08, 0.2), surface=surface, shadow=0.3)
