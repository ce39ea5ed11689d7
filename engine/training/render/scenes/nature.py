"""Scenes under the sky: forest, fields, mountains, beach, snow."""

from __future__ import annotations

from engine.training.render import stamps, surfaces
from engine.training.render.paint import soften
from engine.training.render.world import Setting, World


def _lens(w: World) -> float:
    """Blur of what is far, in pixels of 256: mostly a portrait's, sometimes nearly none."""
    return (1.2, 3.5, 6.0, 2.2, 8.5, 4.5)[w.layout % 6] * w.u(0.8, 1.25)


def _tree_line(w: World, base: float, height: float, *palette: str, bumps: int = 14) -> None:
    line = w.line(base, height, bumps, 0.62)
    first = w.colour(*palette)
    speckle = w.fractal(30, 1.0, 4) - 0.5
    fade = ((w.y - line) / max(height, 0.02)).clamp(0, 1)
    w.put(first * (1.1 - 0.35 * fade + 0.8 * speckle), w.below(line, 1.5) * w.edge(base + 0.03 - w.y, 3))


def _blades(w: World, line: float, count: int, low: float, high: float, *palette: str) -> None:
    """Grass before the subject's feet."""
    kinds = [stamps.blade(w, *palette) for _ in range(5)]
    for _ in range(count):
        size = w.u(low, high)
        w.stamp(
            w.dice.choice(kinds), w.u(-0.02, 1.02), line + w.u(0.0, 0.08) - size / 2, size, w.u(-0.3, 0.3), front=True
        )


def _turf(w: World, horizon: float, *palette: str) -> None:
    """Standing blades over a flat ground of grass, small far away and large in front."""
    kinds = [stamps.blade(w, *palette) for _ in range(6)]
    rows = 150
    for row in range(rows):
        depth = 0.3 + 0.7 * (row / rows) ** 0.8
        size = (0.025 + 0.095 * depth) * w.u(0.7, 1.3)
        foot = horizon + (1.03 - horizon) * depth
        w.stamp(w.dice.choice(kinds), w.u(-0.02, 1.02), foot - size / 2, size, w.u(-0.5, 0.5))


def _haze_front(w: World, radius: float) -> None:
    if w.front is not None:
        w.front = soften(w.front, radius * w.size / 256)


def jungle(w: World) -> Setting:
    w.light_up("forest", "forest", "forest", "overcast")
    horizon, ground = w.u(0.45, 0.6), w.u(0.84, 0.93)
    w.image = (w.backdrop("#2c4a22", "#3c5c28", "#1c3418", "#4a6830", detail=0.8) * w.cast).clamp(0, 1)
    w.bokeh(26, "#c8e088", "#e8f0b8", "#90c058", low=-0.05, high=0.5, size=0.035, strength=0.5)
    for _ in range(w.dice.randint(1, 5)):
        x, half = w.u(0, 1), w.u(0.012, 0.05)
        bark = w.colour("#3c3024", "#4c4030", "#2c261c") * (0.7 + 0.8 * (w.fractal(40, 0.15, 3) - 0.3))
        w.put(bark * (1 + 6 * w.light.direction[0] * (w.x - x)), w.box(x - half, -0.1, x + half, horizon + 0.2))
    greens = ("#2c5c24", "#3c7430", "#4c8438", "#23481c", "#5c9040", "#6c9c48")
    make = (stamps.frond, stamps.leaf)
    kinds = [make[w.maybe(0.55)](w, *greens) for _ in range(7)]
    for _ in range(34):
        w.stamp(w.dice.choice(kinds), w.u(-0.1, 1.1), w.u(0.0, horizon + 0.12), w.u(0.2, 0.42), w.u(-2.4, 2.4))
    w.blur_all(w.u(1.2, 4.0))
    floor = surfaces.mottled(w, "#4a3c26", "#3a3a20", "#5a4a2e", "#3c4a24", fine=0.3)
    floor = surfaces.leaves(w, floor, "#5c6a2c", "#6a5030", "#7c6438", "#40582a", share=0.55)
    w.put(w.project(floor, horizon, 1.3, w.u(-0.4, 0.4)), w.below(w.line(horizon + 0.08, 0.06, 6), 4))
    for _ in range(22):
        w.stamp(
            w.dice.choice(kinds),
            w.dice.choice((w.u(-0.1, 0.32), w.u(0.68, 1.1))),
            w.u(0.2, 0.78),
            w.u(0.24, 0.5),
            w.u(-1.6, 1.6),
        )
    w.focus(horizon, ground, _lens(w) * 0.4)
    for _ in range(w.dice.choice((0, 3, 6))):
        kind = w.dice.choice(kinds)
        w.stamp(
            kind,
            w.dice.choice((w.u(-0.1, 0.25), w.u(0.75, 1.1))),
            w.u(0.9, 1.08),
            w.u(0.25, 0.5),
            w.u(-0.9, 0.9),
            front=True,
        )
    _haze_front(w, w.u(0.8, 2.5))
    return Setting(horizon, ground)


def snow(w: World) -> Setting:
    w.light_up("frost", "frost", "frost", "overcast", "dusk")
    horizon, ground = w.u(0.38, 0.58), w.u(0.82, 0.93)
    w.sky(horizon)
    style = w.layout % 6
    if style in (1, 4):
        _range(w, horizon + 0.01, 0.3, snowy=1.0)
    _tree_line(w, horizon, w.u(0.05, 0.14), "#5c6c74", "#6c7c84", "#4c5c60")
    w.haze(horizon, 0.2, 0.35)
    for _ in range((9, 3, 14, 6, 4, 0)[style]):
        tree = stamps.conifer(w, snowy=True)
        size = w.u(0.22, 0.6)
        w.stamp(tree, w.u(-0.05, 1.05), horizon + 0.05 - size * 0.4 + size * 0.06, size)
    tile = surfaces.mottled(w, "#eef2f6", "#e6ecf2", "#f6f8fa", fine=0.06, coarse=0.12, grain=0.02)
    line = w.line(horizon + 0.03, 0.04, 3, 0.4)
    w.put(w.project(tile, horizon, 1.2), w.below(line, 3))
    drift = w.fractal(3, 2.6, 5)
    slope = (surfaces.slope_of(drift, 3, 3) * 1.5) * w.light.direction[0] * 2.4
    w.shade(1 - (slope.clamp(-0.2, 0.3)) * w.below(line))
    w.focus(horizon, ground, _lens(w))
    if w.maybe(0.4):
        w.bokeh(70, "#ffffff", low=-0.05, high=1.0, size=0.005, strength=0.8)
        w.bokeh(18, "#ffffff", low=-0.05, high=1.0, size=0.014, strength=0.5)
    surface = (w.colour("#eef2f6", vary=0.01) * w.cast).clamp(0, 1).flatten()
    return Setting(horizon, ground, sink=w.dice.choice((0.0, 0.04, 0.07)), surface=surface, shadow=0.75)


def _range(w: World, base: float, height: float, snowy: float) -> None:
    """A mountain range with facets of rock and snow."""
    line = w.line(base - height * 0.35, height, w.dice.choice((2, 3, 4)), 0.52, 7)
    rough = w.fractal(7, 0.6, 6)
    ridge = (rough - 0.5).abs() * 2
    slope = (surfaces.slope_of(ridge, 3) + surfaces.slope_of(ridge, 2)) * 4.8 * (1 if w.light.direction[0] > 0 else -1)
    rock = w.colour("#6c7078", "#7c7870", "#5c646c", "#807468")
    shaded = rock * (0.85 + slope.clamp(-0.5, 0.5) * 0.8 + 0.3 * (w.fractal(30, 1, 3) - 0.5))
    mask = w.below(line, 1.5) * w.edge(base + 0.02 - w.y, 2)
    w.put(shaded, mask)
    above = 1 - ((w.y - line) / (height * (0.25 + 0.5 * snowy)))
    white = ((above + 0.8 * (rough - 0.5) + 0.4 * slope) * 4).clamp(0, 1) * mask * min(1.0, snowy + 0.3)
    w.put(w.colour("#f0f4f8", vary=0.01) * (0.9 + slope.clamp(-0.5, 0.4) * 0.55), white)


def beach(w: World) -> Setting:
    w.light_up("noon", "noon", "golden", "golden", "overcast")
    horizon, ground = w.u(0.26, 0.46), w.u(0.82, 0.93)
    w.sky(horizon)
    shore = horizon + (0.06, 0.2, 0.12, 0.16, 0.24, 0.09)[w.layout % 6]
    slope = w.project(surfaces.water(w), horizon, 2.6)
    deep, pale = w.colour("#2c6c8c", "#1f7c8c", "#3c7a90"), w.colour("#6cb4b4", "#8cbcb8", "#5cacac")
    share = ((w.y - horizon) / max(shore - horizon, 0.02)).clamp(0, 1)
    w.put((deep + (pale - deep) * share) * (1 + 0.3 * slope), w.below(horizon))
    w.lay(w.colour("#ffffff") * w.cast, ((slope - 0.5) * 1.6).clamp(0, 0.5) * w.below(horizon))
    sand = surfaces.mottled(w, "#dcc8a0", "#d4bc90", "#e4d4b0", "#ccb488", fine=0.1, coarse=0.2, grain=0.06)
    if w.maybe(0.5):
        sand = (sand * (1 + 0.1 * surfaces.water(w, 0.6))).clamp(0, 1)
    line = w.line(shore, 0.05, 4, 0.45) + (w.x - 0.5) * w.u(-0.12, 0.12)
    w.put(w.project(sand, horizon, 1.5, w.u(-0.5, 0.5)), w.below(line, 2))
    damp = (1 - (w.y - line).abs() / 0.06).clamp(0, 1) * w.below(line)
    w.shade(1 - 0.32 * damp)
    for offset in (0.0, -0.028, -0.06):
        edge = line + offset + 0.01 * (w.fractal(14, 3, 4) - 0.5)
        foam = (1 - (w.y - edge).abs() / (0.016 if offset == 0 else 0.009)).clamp(0, 1) * (
            w.fractal(30, 2, 3) * 2 - 0.35
        ).clamp(0, 1)
        w.put(w.colour("#fbfcfc", vary=0.01), foam * w.below(horizon + 0.02))
    if w.layout % 3 == 0:
        for side in (w.u(-0.02, 0.16), w.u(0.84, 1.02))[: w.dice.randint(1, 2)]:
            size = w.u(0.5, 0.9)
            w.stamp(stamps.palm(w), side, shore + 0.1 - size * 0.48, size)
    elif w.layout % 3 == 1:
        _headland(w, horizon)
    w.focus(horizon, ground, _lens(w))
    return Setting(horizon, ground)


def _headland(w: World, horizon: float) -> None:
    rise = w.line(horizon, 0.1, 5, 0.5) + (0.16 * (w.x if w.maybe(0.5) else 1 - w.x))
    w.put(
        w.colour("#5c6c58", "#6c7064", "#74685c") * (0.8 + 0.7 * (w.fractal(24) - 0.5)),
        w.below(rise, 1.5) * w.edge(horizon + 0.004 - w.y),
    )


def mountain(w: World) -> Setting:
    w.light_up("noon", "noon", "golden", "frost", "overcast")
    horizon, ground = w.u(0.5, 0.64), w.u(0.84, 0.93)
    w.sky(horizon)
    _range(w, horizon, w.u(0.3, 0.5), snowy=w.u(0.2, 1.0))
    w.haze(horizon, 0.25, 0.35)
    style = w.layout % 6
    if style != 5:
        _tree_line(w, horizon + 0.02, w.u(0.03, 0.1), "#3c5038", "#34483c", "#4a5c3c")
    tile = (
        surfaces.grass(w, "#6c8848", "#7c9450", "#8c9858", "#5c7a40")
        if style != 3
        else surfaces.pebbles(w, "#8c8478", "#a09684")
    )
    line = w.line(horizon + 0.03, 0.04, 3, 0.45)
    w.put(w.project(tile, horizon, 1.5), w.below(line, 2))
    if style not in (3, 5):
        _turf(w, horizon, "#6c8848", "#7c9450", "#8c9858", "#5c7a40")
    if style in (0, 2):
        for _ in range(6):
            size = w.u(0.16, 0.34)
            w.stamp(stamps.conifer(w), w.u(-0.05, 1.05), horizon + 0.06 - size * 0.42, size)
    w.focus(horizon, ground, _lens(w) * 0.6)
    if style in (1, 4):
        _blades(w, 1.0, 60, 0.06, 0.16, "#6c8a44", "#86a050", "#a0a060")
        _haze_front(w, 1.0)
    return Setting(horizon, ground)


def _forest(w: World, horizon: float) -> None:
    w.image = (w.backdrop("#4c5c34", "#5c6c3c", "#3c4c30", "#6c7848", detail=0.7) * w.cast).clamp(0, 1)
    w.bokeh(22, "#dce8a0", "#f0f0c8", low=-0.05, high=0.45, size=0.035, strength=0.5)
    for _ in range(w.dice.randint(6, 13)):
        x, far = w.u(-0.05, 1.05), w.u(0, 1)
        half = 0.012 + 0.035 * far
        bark = w.colour("#4c3e30", "#5c4c3c", "#6c6052", "#3c3228") * (0.6 + 0.9 * w.fractal(46, 0.14, 3))
        side = 1 + (0.4 / half) * w.light.direction[0] * (w.x - x)
        mask = w.box(x - half, -0.1, x + half, horizon + 0.02 + 0.07 * far)
        w.put(bark * side * (1.25 - 0.4 * far), mask)
        if far < 0.5:
            w.lay(w.colour("#a8b488") * w.cast, mask * 0.3)


def purple_rug_forest(w: World) -> Setting:
    w.light_up("forest", "forest", "golden", "overcast")
    horizon, ground = w.u(0.4, 0.56), w.u(0.82, 0.9)
    _forest(w, horizon)
    floor = surfaces.mottled(w, "#5c5030", "#4c4c2c", "#6c5c3c", fine=0.28)
    floor = surfaces.leaves(w, floor, "#7c6a38", "#8c6438", "#5c6a30", share=0.5)
    if w.layout % 2:
        floor = surfaces.grass(w, "#4c6a34", "#5c7c3c", "#3c5a2c")
    w.put(w.project(floor, horizon, 1.4), w.below(w.line(horizon + 0.04, 0.04, 5), 3))
    purple = ("#6a2c9a", "#7438a4", "#5c2488", "#8048a8")
    pile = surfaces.pile(w, *purple, tufts=0.4)
    rug = w.project(pile, horizon, 1.6)
    far, near = horizon + (ground - horizon) * w.u(0.5, 0.68), 1.2
    if w.layout % 3 == 0:
        y, ry = (far + 1.02) / 2, (1.02 - far) / 2
        mask = w.ellipse(0.5, y, w.u(0.44, 0.56), ry, 2)
        inner = w.ellipse(0.5, y, 0.42, ry * 0.86, 2)
        ring = (inner - w.ellipse(0.5, y, 0.38, ry * 0.77, 2)).clamp(0, 1)
    else:
        along = ((w.y - far) / (near - far)).clamp(0, 1)
        half = w.u(0.3, 0.4) + 0.4 * along
        ragged = 0.012 * (w.fractal(60, 1, 2) - 0.5)
        mask = w.edge(half - (w.x - 0.5).abs() + ragged, 2) * w.below(far + ragged, 2)
        inner = w.edge(half - 0.05 - (w.x - 0.5).abs(), 2) * w.below(far + 0.03, 2)
        ring = (inner - w.edge(half - 0.075 - (w.x - 0.5).abs(), 2) * w.below(far + 0.045, 2)).clamp(0, 1)
    w.shade(1 - 0.4 * (soften(mask, 3.0 * w.size / 256) - mask).clamp(0, 1))
    w.put(rug, mask)
    if w.maybe(0.5):
        w.put(w.colour("#c0a0d8", "#d8c090", "#b088cc") * (0.8 + 0.4 * w.fractal(50, 1, 2)), ring * 0.8)
    w.focus(horizon, ground, _lens(w))
    return Setting(horizon, ground)


def wheat_field(w: World) -> Setting:
    w.light_up("golden", "golden", "noon", "sunset", "overcast")
    horizon, ground = w.u(0.32, 0.5), w.u(0.85, 0.94)
    w.sky(horizon)
    if w.layout % 2:
        _tree_line(w, horizon, w.u(0.03, 0.1), "#4c5c38", "#5c6c44")
    gold = ("#c89c44", "#b88c38", "#d8b058", "#c8a050")
    tile = surfaces.grass(w, *gold, dry=0.4)
    w.put(w.project(tile, horizon, 2.2), w.below(w.line(horizon, 0.015, 6), 2))
    ears = [stamps.ear(w) for _ in range(6)]
    for step in range(5):
        depth = (step + 0.5) / 5
        size = 0.07 + 0.2 * depth
        line = horizon + (ground - 0.12 - horizon) * depth
        for _ in range(int(46 - 26 * depth)):
            w.stamp(w.dice.choice(ears), w.u(-0.02, 1.02), line + w.u(0, 0.05), size * w.u(0.8, 1.2), w.u(-0.3, 0.3))
    path = surfaces.mottled(w, "#a8885c", "#b89868", "#988058", fine=0.2)
    if w.layout % 3 != 2:
        bare = w.below(w.line(ground - 0.09, 0.05, 6), 5)
        w.put(w.project(path, horizon, 1.4), bare)
    w.focus(horizon, ground, _lens(w))
    if w.layout % 3 == 2 or w.maybe(0.35):
        for _ in range(26):
            size = w.u(0.2, 0.36)
            w.stamp(w.dice.choice(ears), w.u(-0.02, 1.02), w.u(0.97, 1.08), size, w.u(-0.3, 0.3), front=True)
        _haze_front(w, w.u(0.5, 2.0))
    return Setting(horizon, ground)


def autumn_tree(w: World) -> Setting:
    w.light_up("golden", "golden", "overcast", "noon")
    horizon, ground = w.u(0.48, 0.62), w.u(0.84, 0.93)
    rust = w.dice.choice(
        (
            ("#c8642c", "#d88434", "#b84c28", "#e0a040", "#a8542c"),
            ("#b8843c", "#c89c48", "#a06c34", "#d4b058"),
            ("#a84c34", "#b8643c", "#8c4430", "#c47c48"),
            ("#9c7c40", "#b86c34", "#8c8444", "#c89448"),
        )
    )
    if w.layout % 2:
        w.image = (w.backdrop(*rust, "#8c6c38", detail=0.8) * w.cast).clamp(0, 1)
        w.bokeh(30, "#f8c060", "#f0903c", "#fce0a0", low=-0.05, high=0.5, size=0.04, strength=0.5)
    else:
        w.sky(horizon)
        _tree_line(w, horizon, w.u(0.1, 0.22), *rust, "#8c7038", bumps=9)
    for side in (-1, 1)[: 1 if w.maybe(0.6) else 2]:
        size = w.u(0.8, 1.15)
        w.stamp(stamps.tree(w, *rust), 0.5 + side * w.u(0.2, 0.42), horizon + 0.08 - size * 0.46, size)
    floor = (
        surfaces.grass(w, "#7c8040", "#8c8848", "#6c7438")
        if w.layout % 3
        else surfaces.mottled(w, "#8c6c44", "#7c6040", fine=0.25)
    )
    floor = surfaces.leaves(w, floor, *rust, "#7c5434", "#8c6c44", share=w.u(0.25, 0.7))
    w.put(w.project(floor, horizon, 1.3), w.below(w.line(horizon + 0.06, 0.03, 4), 3))
    w.focus(horizon, ground, _lens(w))
    leaf = [stamps.maple(w, *rust) for _ in range(4)]
    for _ in range(w.dice.choice((0, 5, 9))):
        w.stamp(w.dice.choice(leaf), w.u(0, 1), w.u(0.0, 0.8), w.u(0.03, 0.06), w.u(0, 6))
    for _ in range(w.dice.choice((0, 6, 10))):
        w.stamp(w.dice.choice(leaf), w.u(0, 1), w.u(0.95, 1.03), w.u(0.06, 0.11), w.u(0, 6), front=True, stretch=0.6)
    return Setting(horizon, ground)


def sunflowers(w: World) -> Setting:
    w.light_up("noon", "noon", "golden", "overcast")
    horizon, ground = w.u(0.3, 0.46), w.u(0.84, 0.93)
    w.sky(horizon)
    _tree_line(w, horizon, 0.06, "#4c6a3c", "#3c5c34")
    tile = surfaces.grass(w, "#4c8434", "#5c943c", "#3c742c", dry=0.05)
    w.put(w.project(tile, horizon, 1.7), w.below(horizon, 3))
    _turf(w, horizon, "#4c8434", "#5c943c", "#3c742c", "#6ca048")
    heads = [stamps.sunflower(w) for _ in range(4)]
    greens = [stamps.leaf(w, "#4c7c34", "#3c6c2c", "#5c8c3c", slim=0.55) for _ in range(3)]
    for step in range(5):
        depth = (step + 0.5) / 5
        if step == 3:
            w.blur_all((0.4, 1.6, 2.4, 1.0, 3.0, 1.8)[w.layout % 6])
        size = 0.05 + 0.17 * depth
        for _ in range(int(22 - 14 * depth)):
            wide = 0.5 * depth**0.6
            x = w.u(-0.05, 1.05) if depth < 0.5 else 0.5 + w.dice.choice((-1, 1)) * w.u(wide * 0.72, 0.58)
            y = horizon - 0.02 + depth * w.u(0.16, 0.34)
            stalk = w.edge(0.07 * size - (w.x - x).abs(), 1) * w.below(y) * w.edge(y + size * 2.4 - w.y, 2)
            w.put(w.colour("#5c7c38", "#4c6c30"), stalk)
            for _ in range(3):
                w.stamp(
                    w.dice.choice(greens),
                    x + w.u(-0.6, 0.6) * size,
                    y + size * w.u(0.6, 1.8),
                    size * 0.9,
                    w.u(-2.2, 2.2),
                )
            w.stamp(w.dice.choice(heads), x, y, size * w.u(0.8, 1.1), w.u(-0.3, 0.3))
    w.focus(horizon, ground, _lens(w) * 0.35)
    if w.layout % 2:
        _blades(w, 0.97, 70, 0.06, 0.15, "#4c8434", "#68a048", "#3c742c")
        _haze_front(w, 0.7)
    return Setting(horizon, ground)


def dirt_road(w: World) -> Setting:
    w.light_up("noon", "golden", "golden", "overcast")
    horizon, ground = w.u(0.34, 0.5), w.u(0.84, 0.93)
    w.sky(horizon)
    style = w.layout % 6
    if style in (1, 3):
        _range(w, horizon, 0.18, snowy=0.2)
    _tree_line(w, horizon + 0.01, w.u(0.04, 0.14), "#4c5c38", "#5c6c44", "#6c7048")
    w.haze(horizon, 0.12, 0.25)
    verge = surfaces.grass(w, "#7c8c4c", "#8c9454", "#6c8044", "#989058", dry=0.35)
    w.put(w.project(verge, horizon, 1.6), w.below(horizon, 2))
    along = ((w.y - horizon) / (1 - horizon)).clamp(0, 1)
    middle = 0.5 + w.u(-0.22, 0.22) * (1 - along) ** 2 + w.u(-0.05, 0.05)
    half = 0.015 + w.u(0.42, 0.62) * along
    ragged = 0.1 * half * (w.fractal(26, 1.5, 4) - 0.5) * 2
    road = w.edge(half - (w.x - middle).abs() + ragged, 3) * w.below(horizon)
    dirt = surfaces.pebbles(w, "#a88c68", "#98805c", "#b89c78", "#8c7454")
    w.put(w.project(dirt, horizon, 1.6), road)
    for rut in (-0.45, 0.45):
        track = (1 - ((w.x - middle - rut * half).abs() / (0.14 * half))).clamp(0, 1) * road
        w.shade(1 - 0.28 * track * (0.6 + 0.8 * w.fractal(30, 1, 3)))
    if style in (0, 4):
        for side in (-1, 1):
            size = w.u(0.4, 0.7)
            w.stamp(
                stamps.tree(w, "#5c7438", "#4c6430", "#6c8040"),
                0.5 + side * w.u(0.35, 0.5),
                horizon + 0.08 - size * 0.45,
                size,
            )
    w.focus(horizon, ground, _lens(w) * 0.8)
    return Setting(horizon, ground)
