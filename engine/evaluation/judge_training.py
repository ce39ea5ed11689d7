"""Training of the judges: on renders of the training subjects only, made worse in many ways, so that a blurred or noisy
picture is judged by what it shows. Each is a stage of the same loop the mini model is trained in.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.evaluation.judges import LOOKS, NO_LOOK, SIDE, Embedder, SceneClassifier, resize, save_judge
from engine.training.data import language
from engine.training.data.subjects import SubjectPictures
from engine.training.loop import Progress, say, train
from engine.training.optimiser import WeightAverage
from engine.training.render.renderer import Batch, Renderer

SETTINGS: dict[str, Any] = {
    "batch": 48,
    "learning_rate": 2e-3,
    "warmup": 60,  # steps
    "decay": 0.6,  # share of the time
    "average": 0.995,
    "fresh": 8,  # pictures rendered per step; the others of a batch were seen before
    "pool": 1600,
}
HELD_OUT = 50  # subjects one has to tell apart
# What these looks do to a subject is what the prompt asked for; who it is cannot be read from its colours any more.
CHANGED = tuple(language.SCENES.index(language.BY_KEY[key]) for key in ("red", "purple", "cube"))


class PairPool:
    """Rendered pairs at the judges' size; some are replaced at every step, so that rendering costs little.

    Args:
        looks: share of the pictures that show a colour or material.

    The pool is not saved: after a resume it is rendered anew, from where the renderer's generator stood.
    """

    def __init__(self, renderer: Renderer, size: int, fresh: int, looks: float) -> None:
        self.renderer, self.size, self.fresh, self.looks = renderer, size, fresh, looks
        self.parts: dict[str, Tensor] = {}
        self.next = 0

    def draw(self, n: int, generator: torch.Generator, repeats: int = 0) -> dict[str, Tensor]:
        """n different pairs: pictures in [-1, 1] under "target" and "reference", and the labels of ``Batch``.

        Args:
            repeats: so many of them show a subject of the others again, in another appearance.
        """
        self._refresh(max(self.fresh, n - self._count()))
        order = torch.randperm(self._count(), generator=generator)
        rows = order[: n - repeats]
        if repeats:
            rest = order[n - repeats :]
            known = torch.isin(self.parts["subject"][rest], self.parts["subject"][rows])
            rows = torch.cat([rows, rest[known], rest[~known]])[:n]
        drawn = {key: value[rows] for key, value in self.parts.items()}
        return {k: v.float() / 127.5 - 1 if v.dtype == torch.uint8 else v for k, v in drawn.items()}

    def _count(self) -> int:
        return len(self.parts["subject"]) if self.parts else 0

    def _refresh(self, fresh: int) -> None:
        chance, places = self.renderer.chance, len(language.PLACES)
        scenes = [
            places + chance.randrange(len(LOOKS)) if chance.random() < self.looks else chance.randrange(places)
            for _ in range(fresh)
        ]
        part = _small(self.renderer.batch(fresh, scene=scenes))
        if self._count() < self.size:
            self.parts = {k: torch.cat([self.parts[k], v]) if self.parts else v for k, v in part.items()}
            return
        rows = (torch.arange(fresh) + self.next) % self._count()
        for key, value in part.items():
            self.parts[key][rows] = value
        self.next = (self.next + fresh) % self._count()


def _small(batch: Batch) -> dict[str, Tensor]:
    pictures = {"target": batch.target, "reference": batch.reference}
    small = {k: ((resize(v) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).cpu() for k, v in pictures.items()}
    labels = {"scene": batch.scene, "place": batch.place, "subject": batch.subject}
    return small | {key: value.cpu() for key, value in labels.items()}


def worsen(pictures: Tensor, generator: torch.Generator, smallest: int = 20) -> Tensor:
    """Blur, noise, light: what a generator or an autoencoder may do to a picture without changing what it shows.

    Args:
        smallest: side in pixels to which some of the pictures are brought down on the way.
    """
    parts = []
    for part in pictures.chunk(6):
        side = int(torch.randint(smallest, 2 * SIDE, (1,), generator=generator))
        if side < SIDE:
            part = F.interpolate(part, (side, side), mode="bilinear", antialias=True)
            part = F.interpolate(part, (SIDE, SIDE), mode="bicubic")
        parts.append(part)
    pictures = torch.cat(parts)
    n = len(pictures)
    gain = 1 + 0.1 * torch.randn(n, 1, 1, 1, generator=generator)
    shift = 0.06 * torch.randn(n, 3, 1, 1, generator=generator)
    noise = torch.randn(pictures.shape, generator=generator) * torch.rand(n, 1, 1, 1, generator=generator) * 0.15
    return (pictures * gain + shift + noise).clamp(-1, 1).contiguous(memory_format=torch.channels_last)


class JudgeStage:
    """The parts that both judges' training shares."""

    name: str
    looks = 0.2

    def __init__(self, module: nn.Module, renderer: Renderer, held_out: Renderer, settings: dict[str, Any]) -> None:
        self.module = module.train()
        self.renderer, self.held_out, self.settings = renderer, held_out, settings
        shapes = [self.name, {name: list(value.shape) for name, value in module.state_dict().items()}]
        self.digest = hashlib.sha256(json.dumps(shapes).encode()).hexdigest()[:16]
        self.optimiser = torch.optim.AdamW(module.parameters(), lr=settings["learning_rate"], weight_decay=0.02)
        self.average = WeightAverage(module, settings["average"])
        self.generator = torch.Generator().manual_seed(renderer.seed)
        self.pool = PairPool(renderer, settings["pool"], settings["fresh"], self.looks)

    def draw(self) -> dict[str, Tensor]:
        return self.pool.draw(self.settings["batch"], self.generator)

    def losses(self, pairs: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        raise NotImplementedError

    def measure(self) -> dict[str, float]:
        """Figures of the averaged weights on held-out renders."""
        raise NotImplementedError

    def step(self, rate: float) -> dict[str, float]:
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings["learning_rate"] * rate
        loss, figures = self.losses(self.draw())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.average.update(self.module)
        return {"loss": float(loss.detach()), **figures, "pictures": float(self.settings["batch"])}

    def averaged(self) -> nn.Module:
        """A judge with the averaged weights as they are stored, in half precision."""
        judge = type(self.module)()
        judge.load_state_dict(
            {k: v.half().float() if v.is_floating_point() else v for k, v in self.average.weights.items()}
        )
        return judge.eval()

    def sample(self, path: Path) -> None:
        figures = self.measure()
        say(f"{self.name}: held-out " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
        path.with_suffix(".json").write_text(json.dumps(figures), encoding="utf-8")

    def state(self) -> dict[str, Any]:
        return {
            "module": self.module.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.weights,
            "average_steps": self.average.steps,
            "renderer": self.renderer.state(),
            "generator": self.generator.get_state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.weights, self.average.steps = state["average"], state["average_steps"]
        self.renderer.load_state(state["renderer"])
        self.generator.set_state(state["generator"])


class EmbedderStage(JudgeStage):
    """Reference and picture of one subject attract, all others of the batch repel (InfoNCE, both ways).

    A quarter of a batch repeats subjects of the rest in other colours, so that appearance has to be looked at.
    """

    name = "embedder"

    def __init__(self, renderer: Renderer, held_out: Renderer, settings: dict[str, Any] | None = None) -> None:
        torch.manual_seed(renderer.seed)
        super().__init__(Embedder(), renderer, held_out, settings or SETTINGS)

    def losses(self, pairs: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        keep = ~torch.isin(pairs["scene"], torch.tensor(CHANGED))
        reference, target = pairs["reference"][keep], pairs["target"][keep]
        pictures = torch.cat([worsen(reference, self.generator), worsen(target, self.generator)])
        left, right = self.module(pictures).chunk(2)
        likeness = (left @ right.T / 0.07).masked_fill(_alike(reference, pairs["subject"][keep]), -1e4)
        rows = torch.arange(len(likeness))
        loss = (F.cross_entropy(likeness, rows) + F.cross_entropy(likeness.T, rows)) / 2
        return loss, {"found": float((likeness.argmax(0) == rows).float().mean())}

    def draw(self) -> dict[str, Tensor]:
        return self.pool.draw(self.settings["batch"], self.generator, repeats=self.settings["batch"] // 4)

    @torch.inference_mode()
    def measure(self) -> dict[str, float]:
        judge = self.averaged()
        count = min(HELD_OUT, len(self.held_out.subjects))
        scenes = [index for index in range(len(language.SCENES)) if index not in CHANGED]
        found = []
        for index in scenes[::4]:
            batch = self.held_out.batch(count, scene=index, subjects=torch.arange(count))
            likeness = judge(resize(batch.target)) @ judge(resize(batch.reference)).T
            found.append((likeness.argmax(1) == torch.arange(count)).float().mean())
        return {"retrieval_top1": float(torch.stack(found).mean()), "retrieval_of": float(count)}


def _alike(reference: Tensor, subject: Tensor) -> Tensor:
    """Pairs (n, n) of one subject in one appearance, itself apart: neither is right or wrong for the other."""
    mean = reference.mean((2, 3))
    near = (mean[:, None] - mean).abs().amax(-1) < 0.03
    return near & (subject[:, None] == subject) & ~torch.eye(len(subject), dtype=torch.bool)


class ScenesStage(JudgeStage):
    """Cross-entropy on the place and on the look."""

    name = "scenes"
    looks = 0.6  # they are harder to see than places

    def __init__(self, renderer: Renderer, held_out: Renderer, settings: dict[str, Any] | None = None) -> None:
        torch.manual_seed(renderer.seed)
        super().__init__(SceneClassifier(), renderer, held_out, settings or SETTINGS)

    def losses(self, pairs: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
        # Drops of water and gloss are small: under more blur than this nobody could tell them apart.
        place, look = self.module(worsen(pairs["target"], self.generator, smallest=44))
        wanted = look_labels(pairs["scene"])
        loss = F.cross_entropy(place, pairs["place"]) + F.cross_entropy(look, wanted)
        return loss, {
            "places": float((place.argmax(1) == pairs["place"]).float().mean()),
            "looks": float((look.argmax(1) == wanted).float().mean()),
        }

    @torch.inference_mode()
    def measure(self) -> dict[str, float]:
        judge = self.averaged()
        right: dict[str, list[float]] = {"place": [], "look": []}
        for index, scene in enumerate(language.SCENES):
            batch = self.held_out.batch(24, scene=index, plain_looks=True)
            place, look = judge(resize(batch.target))
            if scene.key in LOOKS:
                right["look"] += (look.argmax(1) == look_labels(batch.scene)).float().tolist()
            else:
                right["place"] += (place.argmax(1) == batch.place).float().tolist()
        everything = right["place"] + right["look"]
        return {
            "accuracy": sum(everything) / len(everything),
            "places": sum(right["place"]) / len(right["place"]),
            "looks": sum(right["look"]) / len(right["look"]),
        }


def look_labels(scene: Tensor) -> Tensor:
    """Index into ``language.SCENES`` → index into the looks, or ``NO_LOOK`` for a place."""
    first = len(language.PLACES)
    return torch.where(scene < first, torch.full_like(scene, NO_LOOK), scene - first)


def train_judge(name: str, sprites: Path, runs: Path, minutes: float, out: Path) -> Progress:
    """Train one judge for some minutes, going on from its last checkpoint, and write its weights.

    Args:
        name: "embedder" or "scenes".
        out: folder the weights go to.
    """
    kinds: dict[str, type[EmbedderStage] | type[ScenesStage]] = {"embedder": EmbedderStage, "scenes": ScenesStage}
    training = Renderer(SubjectPictures.from_folder(sprites, split="train"), reference_size=SIDE, seed=101, variety=4)
    held_out = Renderer(
        SubjectPictures.from_folder(sprites, split="validation"), reference_size=SIDE, seed=202, variety=1
    )
    stage = kinds[name](training, held_out)
    progress = train(stage, runs, minutes)
    write_judge(stage, progress, out)
    return progress


def write_judge(stage: EmbedderStage | ScenesStage, progress: Progress, out: Path) -> dict[str, float]:
    """Measure a judge on held-out renders and write its averaged weights with what was measured."""
    figures = {**stage.measure(), "steps": float(progress.steps), "pictures": float(progress.pictures)}
    save_judge(out / f"{stage.name}.safetensors", stage.module, stage.average.weights, figures)
    say(f"{stage.name}: " + ", ".join(f"{key} {value:.4g}" for key, value in figures.items()))
    return figures
