"""The cut-out network's stage: composites with exact masks and simulated hints, in the loop all stages run in."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from engine.errors import InputError
from engine.photo.sheet import draw_rows
from engine.sentence import Sentence
from engine.training.checkpoint import load_full
from engine.training.config import read_training_file
from engine.training.cutout_network import CutoutNetwork
from engine.training.data.subjects import SubjectPictures
from engine.training.loop import say
from engine.training.optimiser import WeightAverage, descend
from engine.training.render.composite_parts import read_photographs
from engine.training.render.composites import Composer, Composite

DEFAULT = Path(__file__).with_name("cutout.toml")
HELD_OUT = 64  # composites of subjects never trained on, always the same ones


class CutoutStage:
    """Training of ``CutoutNetwork``.

    Args:
        composer: draws what is trained on. held_out: draws what is measured with, from other subjects.
        settings: the tables of the training file.
        network: where to begin; the published encoder by default.
    """

    name = "cutout"

    def __init__(
        self, composer: Composer, held_out: Composer, settings: dict[str, Any], network: CutoutNetwork | None = None
    ) -> None:
        torch.manual_seed(int(settings["seed"]))
        self.composer, self.settings, self.data = composer, settings["training"], settings["data"]
        self.digest = digest(settings)
        self.module = network or CutoutNetwork.from_published()
        self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        encoder = [value for value in self.module.blocks.parameters() if value.requires_grad]
        known = {id(value) for value in encoder}
        rest = [value for value in self.module.parameters() if value.requires_grad and id(value) not in known]
        self.optimisers = [
            torch.optim.AdamW(group, betas=(0.9, 0.98), weight_decay=self.settings["weight_decay"], foreach=True)
            for group in (rest, encoder)
        ]
        self.average = WeightAverage(self.module, self.settings["average"])
        self.chance = random.Random(int(settings["seed"]))
        self._kept: list[Composite] = []
        self._held_out = held_out
        self._measured: list[Composite] = []

    def step(self, rate: float) -> dict[str, float]:
        composites = self._draw()
        picture, hints, mask = tensors(composites)
        self.module.train()
        logits, score = self.module(picture, hints)
        loss, mask_half = self._loss(logits, mask)
        overlap = iou(logits.detach(), mask_half)
        judged = F.binary_cross_entropy_with_logits(score[:, 0], overlap)
        rates = (self.settings["learning_rate"] * rate, self.settings["learning_rate_encoder"] * rate)
        descend(self.module, loss + 0.3 * judged, self.optimisers, rates, self.average)
        alone = torch.tensor([item.alone for item in composites])
        figures = {"loss": float(loss.detach()), "judged": float(judged.detach()), "pictures": float(len(composites))}
        for name, chosen in (("iou", alone), ("iou_hinted", ~alone)):
            if chosen.any():
                figures[name] = float(overlap[chosen].mean())
        return figures

    def _draw(self) -> list[Composite]:
        batch = int(self.settings["batch"])
        fresh = batch if len(self._kept) < 4 * batch else max(1, round(batch * self.data["fresh"]))
        drawn = [self.composer.draw() for _ in range(fresh)]
        again = [mirrored(self.chance.choice(self._kept)) for _ in range(batch - fresh)]
        self._kept += drawn
        while len(self._kept) > self.data["kept"]:
            self._kept.pop(self.chance.randrange(len(self._kept)))
        return drawn + again

    def _loss(self, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy, more of it at the outline, and one minus the soft overlap; and the mask at the logits' size."""
        wanted = F.avg_pool2d(mask, 2)
        low, high = -F.max_pool2d(-wanted, 5, 1, 2), F.max_pool2d(wanted, 5, 1, 2)
        weight = 1 + self.settings["edge"] * (high - low)
        entropy = F.binary_cross_entropy_with_logits(logits, wanted, weight=weight / weight.mean())
        guess = torch.sigmoid(logits)
        both = (guess * wanted).sum((1, 2, 3))
        soft = (both + 1) / ((guess + wanted).sum((1, 2, 3)) - both + 1)
        return entropy + (1 - soft).mean(), wanted

    @torch.inference_mode()
    def measure(self) -> tuple[list[Composite], Tensor, Tensor, Tensor]:
        """Held-out composites, their logits, overlaps (N,) and estimated overlaps (N,), with the averaged weights."""
        if not self._measured:
            self._measured = [self._held_out.draw() for _ in range(HELD_OUT)]
        network = averaged(self.average.weights)
        found = [network(*tensors(self._measured[at : at + 8])[:2]) for at in range(0, HELD_OUT, 8)]
        logits, scores = torch.cat([one for one, _ in found]), torch.cat([other for _, other in found])
        overlap = iou(logits, F.avg_pool2d(tensors(self._measured)[2], 2))
        return self._measured, logits, overlap, torch.sigmoid(scores[:, 0])

    def sample(self, path: Path) -> None:
        """A sheet: pictures with hints, masks found, the truth; and what was measured on all held-out ones."""
        composites, logits, overlap, score = self.measure()
        alone = torch.tensor([item.alone for item in composites])
        say(
            f"cutout: held-out IoU {overlap[alone].mean():.3f} alone, {overlap[~alone].mean():.3f} with hints,"
            f" estimate off by {(overlap - score).abs().mean():.3f}"
        )
        rows: list[list[np.ndarray]] = [[], [], []]
        for item, found in list(zip(composites, logits, strict=True))[:12]:
            hints = np.dstack([item.hints[0] * 0.3 + item.hints[2], item.hints[1], item.hints[3] * 0.5])
            shown = np.clip(item.rgb * (1 - hints.max(2, keepdims=True)) + 255 * hints, 0, 255)
            guess = cv2.resize(torch.sigmoid(found[0]).numpy(), item.mask.shape)
            masks = (np.dstack([grey * 255] * 3) for grey in (guess, item.mask))
            for row, picture in zip(rows, (shown, *masks), strict=True):
                row.append(picture.astype(np.uint8))
        Image.fromarray(draw_rows(rows, side=len(rows[0][0]))).save(path)

    def state(self) -> dict[str, Any]:
        version, numbers, gauss = self.chance.getstate()
        return {
            "module": self.module.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "average": self.average.weights,
            "average_steps": self.average.steps,
            "composer": self.composer.state(),
            "chance": (version, list(numbers), gauss),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.average.weights, self.average.steps = state["average"], state["average_steps"]
        self.composer.load_state(state["composer"])
        version, numbers, gauss = state["chance"]
        self.chance.setstate((version, tuple(numbers), gauss))


def read_settings(path: Path = DEFAULT) -> dict[str, Any]:
    """Read the training file. Raises ``InputError`` when it is missing, damaged or incomplete."""
    settings = read_training_file(path)
    if not {"seed", "data", "training"} <= settings.keys():
        raise InputError(
            Sentence("The training file {path} does not fit: it needs seed, data and training.", path=path.name)
        )
    return settings


def digest(settings: dict[str, Any]) -> str:
    """Digest of what fixes the network's shapes; the size of the pictures does not."""
    return hashlib.sha256(json.dumps(["cutout", 1, settings["name"]]).encode()).hexdigest()[:16]


def make_stage(
    sprites: Path | Sequence[Path], textures: Path | None, pool: Path | None, settings: dict[str, Any]
) -> CutoutStage:
    """Build the stage on the training split, with the validation split to measure on.

    Args:
        sprites: folders of cut-outs. textures: folder of photographs. pool: folder of painted backgrounds.
    """
    cv2.setNumThreads(1)
    size, seed = int(settings["data"]["picture_size"]), int(settings["seed"]) * 1000
    hinted = float(settings["data"]["hinted"])
    training, held_out = (
        make_composer(sprites, textures, pool, settings, split=split, size=size, seed=seed + turn, hinted=hinted)
        for split, turn in (("train", 1), ("validation", 2))
    )
    return CutoutStage(training, held_out, settings)


def make_composer(
    sprites: Path | Sequence[Path],
    textures: Path | None,
    pool: Path | None,
    settings: dict[str, Any],
    *,
    split: str,
    size: int,
    seed: int,
    hinted: float,
) -> Composer:
    """The composer of one split, "train" or "validation", ``size`` pixels a side."""
    subjects = SubjectPictures.from_folders(sprites, int(settings["data"]["subject_size"]), split)
    photographs = read_photographs(textures, skip=settings["data"].get("skip", ()))
    # Painted backgrounds carry the seed they were painted with: 1 for training, 2 for its samples.
    turn = 1 if split == "train" else 2
    painted = [sorted(pool.glob(f"*-{turn}-256-*{end}")) if pool else [] for end in (".jpg", ".png")]
    return Composer(subjects, photographs, *painted, size=size, seed=seed, hinted=hinted)


def trained(runs: Path, settings: dict[str, Any]) -> tuple[CutoutNetwork, dict[str, Any]]:
    """The averaged network of the last checkpoint, and the training's counters. Raises ``InputError`` without one."""
    path = runs / CutoutStage.name / "full.pt"
    if not path.exists():
        raise InputError(
            Sentence("There is no trained cut-out network in {runs}.", runs=runs),
            Sentence("Train it first: train cutout --minutes 60."),
        )
    state = load_full(path, digest(settings))
    return averaged(state["stage"]["average"]), state["progress"]


def averaged(weights: dict[str, Tensor]) -> CutoutNetwork:
    network = CutoutNetwork.blank()
    network.load_state_dict(weights)
    return network.eval()


def tensors(composites: Sequence[Composite]) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures (B, 3, S, S) as the network sees them, hints (B, 4, S, S), masks (B, 1, S, S)."""
    rgb = torch.from_numpy(np.stack([item.rgb for item in composites])).permute(0, 3, 1, 2).float()
    hints = torch.from_numpy(np.stack([item.hints for item in composites]))
    mask = torch.from_numpy(np.stack([item.mask for item in composites]))[:, None]
    return ((rgb - 127) / 128).contiguous(memory_format=torch.channels_last), hints, mask


def mirrored(item: Composite) -> Composite:
    """The same, left and right exchanged."""
    rgb, mask, hints = (
        np.ascontiguousarray(value) for value in (item.rgb[:, ::-1], item.mask[:, ::-1], item.hints[..., ::-1])
    )
    return Composite(rgb, mask, hints, item.alone)


def iou(logits: Tensor, wanted: Tensor) -> Tensor:
    """Overlap of masks (B, 1, h, w) at one half, (B,); 1 where both are empty."""
    guess, truth = logits > 0, wanted > 0.5
    both, either = (guess & truth).sum((1, 2, 3)), (guess | truth).sum((1, 2, 3))
    return torch.where(either > 0, both / either.clamp_min(1), 1.0)
