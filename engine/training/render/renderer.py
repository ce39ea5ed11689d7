"""Training pairs: a subject on white, the same subject in a scene, and the caption that says what was painted.

Everything is batched torch on one device and fixed by a seed. Captions use Python's own generator, seeded alike.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.training import language
from engine.training.render import appearance, outfits, scenes
from engine.training.render.paint import Canvas
from engine.training.subjects import Subjects

LOOK_SHARE = 0.2  # of the pictures say a colour or material instead of a place
BLOCK = 8  # backgrounds painted at a time
_RED, _PURPLE = "#d8261c", "#7a2bb0"


@dataclass(frozen=True)
class Batch:
    """n training pairs.

    Attributes:
        target: the picture, (n, 3, S, S) in [-1, 1].
        reference: the subject on white, (n, 3, R, R) in [-1, 1].
        captions: one per pair.
        scene: index into ``language.PROMPTS``, (n,).
        place: where it is painted: index into ``language.PLACES``, or their number for a plain backdrop, (n,).
        subject: index into the subjects, (n,).
        mask: where the subject is to be seen in the target, (n, 1, S, S), 0 … 1.
        canvas: the subject as the reference shows it, at its place in the target, premultiplied RGBA (n, 4, S, S), 0 … 1.
        subject_mask: where the subject would be if nothing hid it, (n, 1, S, S).
        reference_mask: where it is in the reference, (n, 1, R, R).
    """

    target: Tensor
    reference: Tensor
    captions: list[str]
    scene: Tensor
    place: Tensor
    subject: Tensor
    mask: Tensor
    canvas: Tensor
    subject_mask: Tensor
    reference_mask: Tensor

    def row(self, index: int) -> Batch:
        """One pair, as a batch of one."""
        rows = slice(index, index + 1)
        values = {
            field.name: getattr(self, field.name)[rows]  # the list of captions is cut like the tensors
            for field in fields(self)
        }
        return Batch(**values)


class Renderer:
    """Paints batches.

    Args:
        subjects: what to put into the scenes.
        size: S, side of the target pictures.
        reference_size: R, side of the reference pictures.
        device: where to paint.
        seed: fixes every batch that follows.
        recolour: vary the subjects' colours and patterns; without it they are painted as they are given.
        pose: 1 for the usual gap in pose between reference and target, 0 for none, larger for more.
        variety: backgrounds of each scene in blocks of 8; each is painted when it is first needed and kept. Painting
            is what costs most: a pool of 64, each also mirrored, feeds a processor well; a graphics card can have more.
        outfits: share of the pictures that show an outfit.
    """

    def __init__(
        self,
        subjects: Subjects,
        size: int = 256,
        reference_size: int = 256,
        device: torch.device | str = "cpu",
        seed: int = 0,
        pose: float = 1.0,
        variety: int = 8,
        recolour: bool = True,
        outfits: float = 0.0,
    ) -> None:
        self.subjects = subjects.to(device)
        self.size, self.reference_size, self.pose = size, reference_size, pose
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.chance = random.Random(seed)
        self.seed, self.variety, self.recolour, self.outfits = seed, variety, recolour, outfits
        self._painters = [getattr(scenes, scene.key, scenes.studio) for scene in language.PROMPTS]
        self._pool: dict[tuple[int, int], tuple[Tensor, scenes.Setting]] = {}

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
    ) -> Batch:
        """Paint n pairs of random subjects and scenes, or of the given ones.

        Args:
            scene: index into ``language.PROMPTS`` for all pairs, or one per pair.
            subjects: index into the subjects, (n,).
            plain_looks: colours and materials always on a plain backdrop, as a prompt without a place implies.
        """
        chosen = subjects
        if chosen is None:
            chosen = torch.randint(len(self.subjects), (n,), device=self.device, generator=self.generator)
        if isinstance(scene, int):
            scene = [scene] * n
        asked = [self._draw_scene() for _ in range(n)] if scene is None else list(scene)
        places = asked if plain_looks else [self._draw_place(index) for index in asked]
        captions = [
            language.caption(
                language.PROMPTS[index],
                self.subjects.names[int(subject)],
                self.chance,
                language.PLACES[place] if index >= len(language.PLACES) and place < len(language.PLACES) else None,
            )
            for index, place, subject in zip(asked, places, chosen.tolist(), strict=True)
        ]
        sprites = self.subjects.pictures[chosen].float() / 255
        sprites[:, :3] *= sprites[:, 3:]
        if self.recolour:
            sprites = appearance.vary_appearance(sprites, self._canvas(n, sprites.shape[-1]))
        seen = self._apply_looks(sprites, asked)
        flip = self._canvas(n, 1).chance(0.3).view(-1) * -2 + 1
        background, setting = self._backgrounds(places)
        target, mask, canvas = self._compose(seen, background, setting, flip, sprites)
        reference, reference_mask = self._reference(sprites, flip)
        return Batch(
            target * 2 - 1,
            reference * 2 - 1,
            captions,
            torch.tensor(asked, device=self.device),
            torch.tensor([min(place, len(language.PLACES)) for place in places], device=self.device),
            chosen,
            mask,
            canvas,
            canvas[:, 3:],
            reference_mask,
        )

    # Parts

    def _canvas(self, n: int, size: int) -> Canvas:
        return Canvas(n, size, self.generator)

    def _draw_scene(self) -> int:
        if self.outfits and self.chance.random() < self.outfits:
            return len(language.SCENES) + self.chance.randrange(len(language.OUTFITS))
        first_look = len(language.PLACES)
        if self.chance.random() < LOOK_SHARE:
            return first_look + self.chance.randrange(len(language.LOOKS))
        return self.chance.randrange(first_look)

    def _draw_place(self, asked: int) -> int:
        """Where the subject stands: the scene itself; for a look or an outfit a plain backdrop, sometimes a place."""
        if asked < len(language.PLACES) or self.chance.random() < 0.7:
            return asked
        return self.chance.randrange(len(language.PLACES))

    def _apply_looks(self, sprites: Tensor, asked: list[int]) -> Tensor:
        out = sprites.clone()
        for index, scene in enumerate(language.PROMPTS):
            rows = [row for row, value in enumerate(asked) if value == index]
            if index < len(language.PLACES) or not rows:
                continue
            part, canvas = sprites[rows], self._canvas(len(rows), sprites.shape[-1])
            match scene.key:
                case "red":
                    part = appearance.tint(part, _RED)
                case "purple":
                    part = appearance.tint(part, _PURPLE)
                case "shiny":
                    part = appearance.shine(part, canvas)
                case "wet":
                    part = appearance.wet(part, canvas)
                case "cube":
                    part = appearance.cube(part)
                case outfit:
                    part = outfits.dress(part, outfit, canvas)
            out[rows] = part
        return out

    def _backgrounds(self, places: list[int]) -> tuple[Tensor, dict[str, Tensor]]:
        """A background for every picture, from the pool."""
        n = len(places)
        image = torch.empty(n, 3, self.size, self.size, device=self.device)
        values = {
            "ground": torch.empty(n, device=self.device),
            "shadow": torch.empty(n, device=self.device),
            "mirror": torch.empty(n, device=self.device),
            "sink": torch.empty(n, device=self.device),
            "surface": torch.ones(n, 3, 1, 1, device=self.device),
            "tint": torch.ones(n, 3, 1, 1, device=self.device),
        }
        for row, place in enumerate(places):
            painted, setting = self._block(place, self.chance.randrange(self.variety))
            index = self.chance.randrange(BLOCK)
            picture = painted[index].float() / 255
            image[row] = picture.flip(-1) if self.chance.random() < 0.5 else picture
            values["ground"][row] = setting.ground[index]
            values["shadow"][row], values["mirror"][row] = setting.shadow, setting.mirror
            values["sink"][row] = setting.sink
            if setting.surface is not None:
                values["surface"][row] = setting.surface[index]
            if setting.tint is not None:
                values["tint"][row] = setting.tint[index]
        return image, values

    def _block(self, place: int, index: int) -> tuple[Tensor, scenes.Setting]:
        """Eight backgrounds of one scene, uint8 (8, 3, S, S), always the same for (seed, place, index)."""
        if (place, index) not in self._pool:
            generator = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + place * 1009 + index)
            canvas = Canvas(BLOCK, max(32, self.size // 2), generator)
            setting = self._painters[place](canvas)
            image = F.interpolate(
                canvas.image.clamp(0, 1), (self.size, self.size), mode="bilinear", align_corners=False
            )
            self._pool[place, index] = ((image * 255).round().to(torch.uint8), setting)
        return self._pool[place, index]

    def _compose(
        self, sprites: Tensor, image: Tensor, setting: dict[str, Tensor], flip: Tensor, plain: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        n = len(sprites)
        c = self._canvas(n, self.size)
        ground = setting["ground"]
        scale = c.uniform(0.5, 0.76).view(-1)
        foot, half_width = _extent(sprites)
        x = c.uniform(0.38, 0.62).view(-1)
        y = ground - (foot - 0.5) * scale
        turn = self._normal(n) * 0.1 * self.pose
        shear = self._normal(n) * 0.06 * self.pose
        posed = appearance.place(sprites, self.size, x, y, scale, turn, shear, flip)
        canvas = appearance.place(plain, self.size, x, y, scale, turn, shear, flip)
        light = c.uniform(-0.3, 0.3)

        wide = lambda value: value.view(-1, 1, 1, 1)  # noqa: E731 - shorter than naming a function for one line
        shadow_x = wide(x) + light * 0.12
        shadow = c.ellipse(shadow_x, wide(ground), wide(half_width * scale * 1.05), wide(0.035 + 0.03 * scale), 26)
        image = image * (1 - shadow * wide(setting["shadow"]))
        rows = (setting["mirror"] > 0).nonzero().flatten()
        if len(rows):
            pose = [value[rows] for value in (x, y, scale, turn, shear, flip, ground)]
            glass = appearance.place(sprites[rows], self.size, *pose)
            fade = (1 - (c.y - wide(ground[rows])) / 0.35).clamp(0, 1) * wide(setting["mirror"][rows])
            image[rows] = image[rows] * (1 - glass[:, 3:] * fade) + glass[:, :3] * fade
        line = wide(ground - setting["sink"] * scale) + 0.006 * torch.sin(c.x * 40 + c.uniform(0, 6))
        above = torch.where(wide(setting["sink"]) > 0, c.edge(line - c.y, 3), torch.ones_like(c.y))
        alpha = posed[:, 3:] * above
        lit = posed[:, :3] * above * wide(setting["tint"].flatten(1).mean(1)) * (1 + light * (c.x - wide(x)) * 1.2)
        # A thin dark rim keeps white things visible on snow and milk.
        around = F.avg_pool2d(F.avg_pool2d(alpha, (5, 1), 1, (2, 0)), (1, 5), 1, (0, 2))
        rim = (around - alpha).clamp(0, 1)
        image = image * (1 - 0.22 * rim)
        image = image * (1 - alpha) + lit
        ring = c.edge(0.012 - (c.y - line).abs(), 4) * c.edge(
            wide(half_width * scale * 1.15) - (c.x - wide(x)).abs(), 10
        )
        image = image + (setting["surface"] * 1.06 - image) * ring * 0.6 * (wide(setting["sink"]) > 0)
        return image.clamp(0, 1), alpha, canvas

    def _reference(self, sprites: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
        """Framed as the program frames a cut-out: whole, centred, about 88 % of the square."""
        n = len(sprites)
        c = self._canvas(n, 1)
        posed = appearance.place(
            sprites,
            self.reference_size,
            0.5 + self._normal(n) * 0.012,
            0.5 + self._normal(n) * 0.012,
            c.uniform(0.82, 0.92).view(-1),
            self._normal(n) * 0.04 * self.pose,
            self._normal(n) * 0.03 * self.pose,
            flip * (c.chance(0.12).view(-1) * -2 + 1),
        )
        return (posed[:, :3] + 1 - posed[:, 3:]).clamp(0, 1), posed[:, 3:]

    def _normal(self, n: int) -> Tensor:
        return torch.randn(n, device=self.device, generator=self.generator)


def _extent(sprites: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest point of each sprite (0.5 … 1) and half its width, in shares of the square."""
    alpha = sprites[:, 3] > 0.5
    size = alpha.shape[-1]
    steps = torch.arange(1, size + 1, device=sprites.device)
    foot = (alpha.any(2) * steps).amax(1).clamp_min(size // 2) / size
    columns = alpha.any(1)
    width = (columns * steps).amax(1) - torch.where(columns, steps, size + 1).amin(1)
    return foot, width.clamp_min(1) / size / 2


def contact_sheet(batch: Batch, columns: int = 6) -> Tensor:
    """Pairs side by side, uint8 (H, W, 3): reference, then target."""
    size = batch.target.shape[-1]
    reference = F.interpolate(batch.reference, (size, size), mode="bilinear", align_corners=False)
    pairs = torch.cat([reference, batch.target], dim=3)
    while len(pairs) % columns:
        pairs = torch.cat([pairs, torch.ones_like(pairs[:1])])
    rows = pairs.unflatten(0, (-1, columns)).permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    return ((rows + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu()
