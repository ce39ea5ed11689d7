"""Training pairs: a subject on white, the same subject in a scene, and the caption that says what was painted.

Everything is torch on one device and fixed by a seed. Captions and layouts use Python's own generator, seeded alike.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.bundle.records import layout_word
from engine.training.data import language
from engine.training.data.subjects import SubjectPictures
from engine.training.render import appearance, outfits
from engine.training.render.backgrounds import Background, Backgrounds
from engine.training.render.compose import Ground, compose
from engine.training.render.paint import Canvas
from engine.training.render.photos import Photographs

LOOK_SHARE = 0.2  # of the pictures say a colour or material instead of a place
BLOCK = 8  # backgrounds a block
FREE_SHARE = 0.15  # of the subjects do not stand on the ground
_TINTS = {
    "red": "#d8261c",
    "purple": "#7a2bb0",
    "blue": "#2458c8",
    "green": "#2e9440",
    "yellow": "#f2c81c",
    "black": "#2a2a2e",
    "white": "#f4f2ee",
    "golden": "#d4a02c",
    "silver": "#b0b6bc",
}
_FIRST_LIGHT = len(language.PROMPTS) - len(language.LIGHTS)
_FIRST_ADJECTIVE = _FIRST_LIGHT - len(language.ADJECTIVES)


@dataclass(frozen=True)
class Batch:
    """n training pairs.

    Attributes:
        target: the picture, (n, 3, S, S) in [-1, 1].
        reference: the subject on white, (n, 3, R, R) in [-1, 1].
        captions: one per pair.
        scene: index into ``language.PROMPTS``, (n,).
        place: where it is painted: index into ``language.PLACES``, or their number for a plain backdrop, (n,).
        light: index into ``language.LIGHTS`` of the light the caption names, or their number for none, (n,).
        subject: index into the subjects, (n,).
        mask: where the subject is seen in the target, (n, 1, S, S), 0 … 1.
        subject_mask: where it would be seen if nothing hid it, (n, 1, S, S), 0 … 1.
        canvas: the subject as the reference shows it, at its place in the target, (n, 4, S, S), premultiplied, 0 … 1.
        reference_mask: where the subject is in the reference, (n, 1, R, R), 0 … 1.
        empty: the place without the subject, (n, 3, S, S) in [-1, 1]. Equal to the target where the subject throws no
            shadow and is not mirrored, but for the grain of a renderer without layouts.
        placement: x, y of the middle of the reference's square and its side in shares of the picture, turn in degrees
            (clockwise as seen), and 1 where it is mirrored before it is turned, (n, 5).
    """

    target: Tensor
    reference: Tensor
    captions: list[str]
    scene: Tensor
    place: Tensor
    light: Tensor
    subject: Tensor
    mask: Tensor
    subject_mask: Tensor
    canvas: Tensor
    placement: Tensor
    reference_mask: Tensor
    empty: Tensor

    def row(self, index: int) -> Batch:
        """One pair, as a batch of one."""
        return self.rows(slice(index, index + 1))

    def rows(self, rows: slice) -> Batch:
        """Some of the pairs."""
        # The list of captions is cut like the tensors.
        return Batch(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


class Renderer:
    """Paints batches.

    Args:
        subjects: what to put into the scenes.
        size: S, side of the target pictures.
        reference_size: R, side of the reference pictures.
        device: where to paint.
        seed: fixes every batch that follows.
        recolour: vary the subjects' colours and patterns; without it they are painted as they are given.
        pose: 1 for the usual turns and small faults of placement, 0 for none, larger for more.
        variety: backgrounds of each scene in blocks of 8; each is painted when it is first needed and kept. Painting
            is what costs most: a pool of 64, each also mirrored, feeds a processor well; a graphics card can have more.
        outfits: share of the pictures that show an outfit.
        more: share of the pictures that say an adjective, and share of the places whose light the caption names.
        textures: folder of photographs as material for backgrounds.
        pool: folder in which painted backgrounds are kept between runs.
        layouts: by place's key, and "studio" for the plain backdrop: which backgrounds are painted, as many for each. The
            captions begin with the layout's word then, and a layout is one picture: never mirrored, developed alike every
            time, without grain. Without it chance chooses, unsaid.
    """

    def __init__(
        self,
        subjects: SubjectPictures,
        size: int = 256,
        reference_size: int = 256,
        device: torch.device | str = "cpu",
        seed: int = 0,
        pose: float = 1.0,
        variety: int = 8,
        recolour: bool = True,
        outfits: float = 0.0,
        more: float = 0.0,
        textures: Path | None = None,
        pool: Path | None = None,
        layouts: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        self.subjects = subjects.to(device)
        self.size, self.reference_size, self.pose = size, reference_size, pose
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.chance = random.Random(seed)
        self.seed, self.variety, self.recolour, self.outfits, self.more = seed, variety, recolour, outfits, more
        self.backgrounds = Backgrounds(size, seed, device, Photographs.from_folder(textures, device), pool)
        self.layouts = dict(layouts or {})
        self._shares = subjects.shares.to(device)
        self._photographed = subjects.photographed.to(device)

    def state(self) -> dict:
        """For an exact resume."""
        return {"generator": self.generator.get_state(), "chance": self.chance.getstate()}

    def load_state(self, state: dict) -> None:
        self.generator.set_state(state["generator"].cpu())
        version, numbers, gauss = state["chance"]
        self.chance.setstate((version, tuple(numbers), gauss))

    def batch(
        self,
        n: int,
        scene: int | Sequence[int] | None = None,
        subjects: Tensor | None = None,
        *,
        plain_looks: bool = False,
        placement: Tensor | None = None,
        layouts: Sequence[int] | None = None,
    ) -> Batch:
        """Paint n pairs of random subjects and scenes, or of the given ones.

        Args:
            scene: index into ``language.PROMPTS`` for all pairs, or one per pair.
            subjects: index into the subjects, (n,).
            plain_looks: colours, materials, outfits and lights always where a prompt without a place implies: on a plain
                backdrop, or on a road for a light.
            placement: where the subjects stand, as ``Batch.placement`` says it, (n, 5); by default drawn.
            layouts: which of its place's layouts each is painted with, where the renderer has some; by default drawn.
        """
        chosen = subjects
        if chosen is None:
            chosen = torch.multinomial(self._shares, n, replacement=True, generator=self.generator)
        if isinstance(scene, int):
            scene = [scene] * n
        asked = [self._draw_scene() for _ in range(n)] if scene is None else list(scene)
        places = [self._draw_place(index, plain_looks) for index in asked]
        lights = [self._draw_light(index, scene is not None) for index in asked]
        captions = [
            language.caption(
                language.PROMPTS[index],
                self.subjects.names[int(subject)],
                self.chance,
                language.PLACES[place] if index >= len(language.PLACES) and place < len(language.PLACES) else None,
                language.LIGHTS[light] if index < _FIRST_LIGHT and light < len(language.LIGHTS) else None,
            )
            for index, place, light, subject in zip(asked, places, lights, chosen.tolist(), strict=True)
        ]
        sprites = self.subjects.pictures[chosen].float() / 255
        sprites[:, :3] *= sprites[:, 3:]
        if self.recolour:
            sprites = appearance.vary_appearance(
                sprites, self._canvas(n, sprites.shape[-1]), self._photographed[chosen]
            )
        backgrounds = [
            self._background(row, place, light, captions, None if layouts is None else layouts[row])
            for row, (place, light) in enumerate(zip(places, lights, strict=True))
        ]
        square = appearance.framed(sprites)
        ground, where = self._place(square, backgrounds, placement)
        canvas = appearance.place(square, self.size, *where)
        worn, enlarged = self._apply_looks(sprites, square, asked)
        target, mask, whole, empty = self._compose(worn, enlarged, backgrounds, ground, where)
        side = self.reference_size
        reference = F.interpolate(square, (side, side), mode="bilinear", antialias=True, align_corners=False)
        x, y, scale, turn, _, flip = where
        return Batch(
            target * 2 - 1,
            (reference[:, :3] + 1 - reference[:, 3:]).clamp(0, 1) * 2 - 1,
            captions,
            torch.tensor(asked, device=self.device),
            torch.tensor([min(place, len(language.PLACES)) for place in places], device=self.device),
            torch.tensor(lights, device=self.device),
            chosen,
            mask,
            whole,
            canvas,
            torch.stack([x, y, scale, turn.rad2deg(), (1 - flip) / 2], dim=1),
            reference[:, 3:],
            empty * 2 - 1,
        )

    # Chance

    def _canvas(self, n: int, size: int) -> Canvas:
        return Canvas(n, size, self.generator)

    def _normal(self, n: int) -> Tensor:
        return torch.randn(n, device=self.device, generator=self.generator)

    def _draw_scene(self) -> int:
        if self.outfits and self.chance.random() < self.outfits:
            return len(language.SCENES) + self.chance.randrange(len(language.OUTFITS))
        if self.more and self.chance.random() < self.more:
            return self.chance.randrange(_FIRST_ADJECTIVE, len(language.PROMPTS))
        first_look = len(language.PLACES)
        if self.chance.random() < LOOK_SHARE:
            return first_look + self.chance.randrange(len(language.LOOKS))
        return self.chance.randrange(first_look)

    def _draw_place(self, asked: int, plain: bool) -> int:
        """Draw a place for the subject: the scene itself; for a look or an outfit a plain backdrop, sometimes a place."""
        if asked < len(language.PLACES):
            return asked
        if asked >= _FIRST_LIGHT:
            return _ROAD if plain else self.chance.randrange(len(language.PLACES))
        if plain or self.chance.random() < 0.7:
            return len(language.PLACES)
        return self.chance.randrange(len(language.PLACES))

    def _draw_light(self, asked: int, given: bool) -> int:
        """The light that the caption is going to name."""
        if asked >= _FIRST_LIGHT:
            return asked - _FIRST_LIGHT
        if self.more and not given and asked < len(language.PLACES) and self.chance.random() < self.more:
            return self.chance.randrange(len(language.LIGHTS))
        return len(language.LIGHTS)

    # Parts

    def _apply_looks(self, sprites: Tensor, square: Tensor, asked: list[int]) -> tuple[Tensor, float]:
        """The subjects as the prompt wants them, with room around for hats, and by how much that is larger."""
        out = square.clone()
        dressed = []
        for index in sorted(set(asked)):
            rows = [row for row, value in enumerate(asked) if value == index]
            key = language.PROMPTS[index].key
            if index < len(language.PLACES) or index >= _FIRST_LIGHT:
                continue
            part, canvas = out[rows], self._canvas(len(rows), out.shape[-1])
            if key in _TINTS:
                part = appearance.tint(part, _TINTS[key])
                if key in ("golden", "silver"):
                    part = appearance.shine(part, canvas)
            elif key == "shiny":
                part = appearance.shine(part, canvas)
            elif key == "wet":
                part = appearance.wet(part, canvas)
            elif key == "cube":
                part = appearance.framed(appearance.cube(sprites[rows]))
            else:
                dressed.append((rows, key))
            out[rows] = part
        if not dressed:
            return out, 1.0
        out = outfits.with_margin(out)
        for rows, key in dressed:
            out[rows] = outfits.dress(out[rows], key, self._canvas(len(rows), out.shape[-1]))
        return out, out.shape[-1] / square.shape[-1]

    def _background(self, row: int, place: int, light: int, captions: list[str], layout: int | None) -> Background:
        """One of a place's backgrounds; where layouts have words, the row's caption begins with its own then."""
        named = light < len(language.LIGHTS)
        if not self.layouts:
            return self.backgrounds.get(place, light, self.chance.randrange(self._count(named)))
        chosen = self.layouts[language.PLACES[place].key if place < len(language.PLACES) else language.PLAIN]
        layout = self.chance.randrange(len(chosen)) if layout is None else layout
        captions[row] = f"{layout_word(layout)} {captions[row]}"
        # Backgrounds in a light that the caption names are others: nobody chose among them.
        return self.backgrounds.get(place, light, layout if named else chosen[layout])

    def _count(self, named: bool) -> int:
        """Return the number of backgrounds of a place, with a light that the caption names or with its own."""
        return BLOCK * (max(1, self.variety // 4) if named else self.variety)

    def paint_all(self) -> Iterator[int]:
        """Paint what is missing of the pool, the scenes in turn; yields how many are there after each."""
        lights = range(len(language.LIGHTS) + 1) if self.more else (len(language.LIGHTS),)
        done = 0
        for index in range(self._count(False)):
            for light in lights:
                if index >= self._count(light < len(language.LIGHTS)):
                    continue
                for place in range(len(language.PLACES) + 1):
                    self.backgrounds.get(place, light, index)
                    done += 1
                    yield done

    def _place(
        self, square: Tensor, backgrounds: list[Background], placement: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Place each subject: return the ground under it, (n,), and x, y, scale, turn, shear, flip of its square."""
        n = len(square)
        c = self._canvas(n, 1)
        draw = lambda low, high: c.uniform(low, high).view(-1)  # noqa: E731 - shorter than a function for one line
        top, foot, half = appearance.extent(square)
        floor = torch.tensor([b.setting.ground for b in backgrounds], device=self.device)
        far = torch.tensor([max(b.setting.horizon, 0.0) for b in backgrounds], device=self.device)
        floor = torch.maximum(floor + draw(-0.06, 0.04), far + 0.14).clamp(max=0.96)
        scale = draw(0.38, 0.85)
        scale = torch.minimum(scale, (floor - 0.02) / (foot - top)).clamp_min(0.35)
        x = 0.5 + draw(-1, 1) * torch.minimum(
            torch.tensor(0.25, device=self.device), (0.58 - half * scale).clamp_min(0.04)
        )
        y = floor - (foot - 0.5) * scale
        free = c.chance(FREE_SHARE).view(-1)
        y = y - free * draw(-0.05, 0.25).clamp_min(-0.05).minimum((y - 0.5 * scale + 0.05).clamp_min(0))
        wide = (c.chance(0.12).view(-1) * 2.2 + 1) * 0.087 * self.pose
        turn = (self._normal(n) * wide).clamp(-0.53, 0.53)
        flip = c.chance(0.3).view(-1) * -2 + 1
        if placement is not None:
            x, y, scale, turn, flip = placement.to(self.device).float().unbind(1)
            turn, flip = turn.deg2rad(), 1 - 2 * flip
        return floor, (x, y, scale, turn, torch.zeros_like(x), flip)

    def _compose(
        self,
        worn: Tensor,
        enlarged: float,
        backgrounds: list[Background],
        floor: Tensor,
        where: tuple[Tensor, ...],
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The picture, the subject's visible and whole outline in it, and the picture without it."""
        n = len(worn)
        c = self._canvas(n, self.size)
        x, y, scale, turn, _, flip = where
        fault = self.pose * 0.003
        posed = appearance.place(
            worn,
            self.size,
            x + self._normal(n) * fault,
            y + self._normal(n) * fault,
            scale * enlarged,
            turn + self._normal(n) * 0.01 * self.pose,
            self._normal(n) * 0.02 * self.pose,
            flip,
        )
        top, foot, _ = appearance.extent(posed)
        picture, front, light = self._drawn(backgrounds)
        setting = lambda name: torch.tensor(  # noqa: E731 - shorter than a function for one line
            [float(getattr(b.setting, name)) for b in backgrounds], device=self.device
        )
        surface = [b.setting.surface if b.setting.surface is not None else torch.ones(3) for b in backgrounds]
        stands = (floor - foot).abs() < 0.06
        ground = Ground(
            horizon=setting("horizon"),
            line=torch.where(stands, foot, torch.maximum(floor, foot)),
            foot=foot,
            mirror=setting("mirror"),
            ripple=setting("ripple"),
            sink=setting("sink") * stands,
            shadow=setting("shadow"),
            surface=torch.stack([value.to(self.device) for value in surface]),
            **light,
        )
        image, visible = compose(posed, picture, front, ground, foot - top, c)
        if not self.layouts:
            grain = torch.randn(n, 1, self.size, self.size, device=self.device, generator=self.generator)
            image = image + grain * c.uniform(0.0, 0.018)
        empty = picture if front is None else picture * (1 - front[:, 3:]) + front[:, :3]
        return image.clamp(0, 1), visible, posed[:, 3:], empty.clamp(0, 1)

    def _drawn(self, backgrounds: list[Background]) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        """The backgrounds of a batch with their lights; without layouts some mirrored, each developed differently."""
        mirrored = [not self.layouts and self.chance.random() < 0.5 for _ in backgrounds]
        turned = [b.picture.flip(-1) if flip else b.picture for b, flip in zip(backgrounds, mirrored, strict=True)]
        picture = torch.stack(turned).float() / 255
        front = None
        if any(b.front is not None for b in backgrounds):
            empty = torch.zeros(4, self.size, self.size, dtype=torch.uint8, device=self.device)
            layers = [empty if b.front is None else b.front for b in backgrounds]
            layers = [layer.flip(-1) if flip else layer for layer, flip in zip(layers, mirrored, strict=True)]
            front = torch.stack(layers).float() / 255
        gain = torch.ones(len(backgrounds), 3, 1, 1, device=self.device)
        if not self.layouts:
            develop = self._canvas(len(backgrounds), 1)
            gain = develop.uniform(0.92, 1.08) * develop.uniform(0.97, 1.03, 3, 1, 1)
        picture = (picture * gain).clamp(0, 1)
        if front is not None:
            front = torch.cat([(front[:, :3] * gain).minimum(front[:, 3:]), front[:, 3:]], 1)
        numbers = lambda name: torch.tensor([getattr(b.light, name) for b in backgrounds], device=self.device)  # noqa: E731
        direction = numbers("direction")
        direction[:, 0] *= torch.tensor([-1.0 if flip else 1.0 for flip in mirrored], device=self.device)
        gain = gain.flatten(1)
        light = {"direction": direction, "key": numbers("key") * gain, "ambient": numbers("ambient") * gain}
        return picture, front, light | {"hardness": numbers("hardness")}


_ROAD = [place.key for place in language.PLACES].index("dirt_road")
