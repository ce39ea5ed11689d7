"""Fine-tuning the transformer of a converted bundle on examples of one's own; its encoders and its tokenizer stay.

Everything about an example that is left to chance (which bits are turned over, which conditions are dropped) follows from the
seed, the epoch and its index. So a step is the same however many processes and passes it is divided into, and a training that is
stopped goes on as if it had not been, with any number of processes.
"""

from __future__ import annotations

import csv
import random
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.bundle.loader import PartPlacement, load_bundle
from engine.encoders.features import Features
from engine.errors import Cancelled, InputError
from engine.files import write_atomically
from engine.model.block import Block
from engine.sentence import Sentence
from engine.tokenizer.quantizer import MultiScaleQuantizer
from engine.training.config import read_training_file, trapezoid
from engine.training.examples import Examples, Order, TrainingExample, usable
from engine.training.loop import say
from engine.training.sharding import Checkpoints, ShardedAverage, named_weights, spread, without_messages
from engine.training.team import ALONE, Team

DEFAULT = Path(__file__).with_name("finetune.toml")
CHECKPOINTS, LOG = "checkpoints", "log.csv"
FEATURES_KEPT = 2 * 2**30
"""Bytes of what the frozen parts made of examples: the next epoch wants them again."""
REPORT_EVERY = 10  # steps


@dataclass(frozen=True, eq=False)
class PreparedExample:
    """One example as the transformer sees it; each with a batch of one, but for the numbers.

    Attributes:
        inputs: (1, n_1 + …, d). labels: bits (1, h, w, d) of every scale. weights: of the tokens, (1, n_0 + …).
        text: (T, W_t). class_token, patches, content: (W_s,), (S, W_s), (P, W_c).
        drops: whether text, semantic tokens and content are dropped.
    """

    inputs: Tensor
    labels: tuple[Tensor, ...]
    weights: Tensor
    text: Tensor
    class_token: Tensor
    patches: Tensor
    content: Tensor
    drops: tuple[bool, bool, bool]


class Finetuning:
    """One fine-tuning.

    Args:
        folder: the bundle.
        data: folder of the examples.
        out: folder for checkpoints and the log.
        steps: in all; the learning rate falls to zero over the last of them.
        settings: as in ``finetune.toml``.
        size: (width, height) of the pictures, one of the bundle's; None for its first.
        passes: into so many passes each process divides its examples of a step.
        team: the processes that train together.

    Raises:
        InputError, BundleError: bundle, data or settings cannot be used, or the checkpoint belongs to another training.
    """

    def __init__(
        self,
        folder: Path,
        data: Path,
        out: Path,
        steps: int,
        settings: dict[str, Any],
        *,
        size: tuple[int, int] | None = None,
        passes: int = 1,
        team: Team = ALONE,
    ) -> None:
        self.settings, self.steps, self.passes, self.team, self.out = settings, steps, passes, team, out
        self.device = torch.device(team.device)
        # As accelerate's configuration says; a card without one computes in bfloat16.
        accelerator = team.accelerator
        self.half = self.device.type == "cuda" if accelerator is None else accelerator.mixed_precision == "bf16"
        own = range(settings["batch"])[team.rows(settings["batch"])]
        if len(own) % passes:
            raise InputError(
                Sentence(
                    "{count} examples of a process do not divide into {passes} passes.", count=len(own), passes=passes
                ),
                Sentence("Change the batch of the training file, or --passes."),
            )
        self.bundle = load_bundle(folder, self._placements(), tokenizer_encoder=True)
        manifest = self.bundle.manifest
        if manifest.placed_content is not None:
            raise InputError(
                Sentence(
                    "{title} sees its subject at its place in the picture, which examples do not say.",
                    title=manifest.title,
                ),
                Sentence("Train it on with: train adopt."),
            )
        schedule = manifest.schedule(size)
        if schedule is None:
            sizes = ", ".join(f"{width}x{height}" for width, height in manifest.sizes)
            raise InputError(
                Sentence("{title} does not draw this size.", title=manifest.title),
                Sentence("Its sizes are {sizes}.", sizes=sizes),
            )
        self.schedule = schedule
        self.examples = Examples(data, schedule.size, manifest.reference_size)
        for sentence in self.examples.skipped:
            say(sentence)
        self.order = Order(len(self.examples), settings["seed"])
        self.unusable: set[int] = set()
        bundle = self.bundle
        self.features = Features(
            bundle.text, bundle.semantic, bundle.content, self.device, cache_bytes=FEATURES_KEPT // team.count
        )
        self.quantizer = MultiScaleQuantizer(manifest.tokenizer).to(self.device)
        transformer = bundle.transformer.float().requires_grad_(True).train()
        if team.accelerator is None:
            transformer = transformer.to(self.device)
        self.model, self.optimiser = spread(transformer, self._optimiser, Block, team)
        self.average = ShardedAverage(named_weights(self.model), settings["average"])
        self.checkpoints = Checkpoints(out / CHECKPOINTS, team)
        self.step_number = 0
        self._resume()

    def _optimiser(self, parameters: Iterator[nn.Parameter]) -> torch.optim.Optimizer:
        settings = self.settings
        return torch.optim.AdamW(
            parameters,
            lr=settings["learning_rate"],
            betas=tuple(settings["betas"]),
            weight_decay=settings["weight_decay"],
        )

    def _placements(self) -> dict[str, PartPlacement]:
        """Frozen parts on the device; the text encoder, the largest, rests there in half precision."""
        half = torch.bfloat16 if self.device.type == "cuda" else torch.float32
        frozen = {part: PartPlacement(self.device) for part in ("semantic", "content", "tokenizer")}
        return {**frozen, "text": PartPlacement(self.device, half)}

    def _resume(self) -> None:
        path = self.checkpoints.newest()
        if path is None:
            return
        meta = self.checkpoints.meta(path)
        if meta["bundle"] != self.bundle.manifest.identity:
            raise InputError(
                Sentence("The training in {folder} began with another model.", folder=self.out),
                Sentence("Use that model, or another folder."),
            )
        self.checkpoints.load(path, self.model, self.optimiser, self.average)
        self.order.load_state(meta["order"])
        self.step_number = int(meta["step"])
        say(f"Going on after {self.step_number} steps.")

    # Training

    def run(self) -> None:
        """Train until all steps are done; go on from there next time.

        Raises:
            Cancelled: a stop signal reached one of the processes; the step was finished and everything saved.
            CannotWrite: a checkpoint could not be written; the one before is intact.
        """
        stopped: list[int] = []
        signals = (signal.SIGINT, signal.SIGTERM)
        previous = {s: signal.signal(s, lambda number, _: stopped.append(number)) for s in signals}
        log = _Log(self.out / LOG, self.step_number) if self.team.writes else None
        saved = self.step_number
        try:
            while self.step_number < self.steps and not self.team.any(bool(stopped)):
                figures = self.step()
                if log is not None:
                    log.add(self.step_number, figures)
                if self.step_number % REPORT_EVERY == 0:
                    words = " ".join(f"{name} {value:.5g}" for name, value in figures.items())
                    say(f"step {self.step_number} of {self.steps}  {words}")
                if self.step_number % self.settings["save_every"] == 0:
                    self.save()
                    saved = self.step_number
            if saved != self.step_number:
                self.save()
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        if self.step_number < self.steps:
            raise Cancelled(Sentence("Stopped after {steps} steps; everything is saved.", steps=self.step_number))

    def save(self) -> None:
        """Write a checkpoint. Raises ``CannotWrite``."""
        meta = {"bundle": self.bundle.manifest.identity, "order": self.order.state()}
        self.checkpoints.save(self.step_number, self.model, self.optimiser, self.average, meta)

    def step(self) -> dict[str, float]:
        """One step over the whole batch. Returns its figures, the same in every process."""
        settings = self.settings
        own = self.team.own(self.order.next(settings["batch"]))
        prepared = [self._prepare(epoch, index) for epoch, index in own]
        # Over the batch, not over each pass: an example whose subject fills the picture must not count for more.
        total = self.team.mean(torch.stack([example.weights.sum() for example in prepared]).sum())
        rate = settings["learning_rate"] * self._rate()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        share = len(prepared) // self.passes
        loss = right = torch.zeros((), device=self.device)
        for number in range(self.passes):
            part = prepared[number * share : (number + 1) * share]
            if number == self.passes - 1:
                one, good = self._backward(part, total)
            else:
                with without_messages(self.model):
                    one, good = self._backward(part, total)
            loss, right = loss + one, right + good / self.passes
        length = torch.nn.utils.clip_grad_norm_(self.model.parameters(), settings["clip"])
        length = length.full_tensor() if hasattr(length, "full_tensor") else length
        self.optimiser.step()
        self.average.update(named_weights(self.model))
        self.step_number += 1
        figures = {"loss": float(loss), "right": float(right), "gradient": float(length)}
        return self.team.figures(figures)

    def _rate(self) -> float:
        warm = min(1.0, (self.step_number + 1) / max(1, self.settings["warmup"]))
        return warm * trapezoid(self.step_number / self.steps, 0.0, self.settings["decay"])

    def _backward(self, part: Sequence[PreparedExample], total: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of one pass. Returns its share of the loss, and its share of right bits."""
        longest = max(len(example.text) for example in part)
        text = torch.stack([F.pad(example.text, (0, 0, 0, longest - len(example.text))) for example in part])
        lengths = torch.tensor([len(example.text) for example in part], device=self.device)
        mask = torch.arange(longest, device=self.device) < lengths[:, None]
        drops = torch.tensor([example.drops for example in part], device=self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.half):
            logits = self.model(
                torch.cat([example.inputs for example in part]),
                text,
                mask,
                torch.stack([example.class_token for example in part]),
                torch.stack([example.patches for example in part]),
                torch.stack([example.content for example in part]),
                self.schedule,
                drop_text=drops[:, 0],
                drop_semantic=drops[:, 1],
                drop_content=drops[:, 2],
            )
        wanted = torch.cat(
            [torch.cat([labels.flatten(1, 2) for labels in example.labels], dim=1) for example in part]
        ).float()
        pairs = logits.float().unflatten(-1, (-1, 2))
        margin = pairs[..., 1] - pairs[..., 0]
        each = F.binary_cross_entropy_with_logits(margin, wanted, reduction="none").mean(-1)
        weights = torch.cat([example.weights for example in part])
        loss = (each * weights).sum() / total
        loss.backward()
        right = ((margin.detach() > 0) == (wanted > 0.5)).float().mean()
        return loss.detach(), right

    # Examples

    def _prepare(self, epoch: int, index: int) -> PreparedExample:
        known = len(self.unusable)
        at, example = usable(self.examples, index, self.unusable)
        if len(self.unusable) > known:
            say(f"Example {index + 1} cannot be used; another one takes its place.")
        return self._encode(at, example, random.Random(f"{self.settings['seed']} {epoch} {index}"))

    @torch.no_grad()
    def _target(self, target: np.ndarray) -> Tensor:
        """The tokenizer's features of a picture: (1, d, h, w)."""
        pixels = torch.from_numpy(target.copy()).permute(2, 0, 1)[None].to(self.device)
        return self.bundle.tokenizer.encode(pixels.float() / 127.5 - 1).float()

    @torch.no_grad()
    def _encode(self, index: int, example: TrainingExample, chance: random.Random) -> PreparedExample:
        settings = self.settings
        subject = self.features.subject(example.subject)
        words = self.features.prompt(example.caption).features
        features = self.features.cache.get(("target", index), lambda: self._target(example.target))
        noise = torch.Generator(self.device).manual_seed(chance.getrandbits(63))
        coded = self.quantizer(features, self.schedule.grids, flip=settings["flip"], generator=noise)
        inside = torch.from_numpy(example.inside)[None, None].to(self.device)
        covered = torch.cat([F.adaptive_avg_pool2d(inside, grid).flatten(1) for grid in self.schedule.grids], dim=1)
        drops = [chance.random() < settings[f"drop_{name}"] for name in ("text", "semantic", "content")]
        return PreparedExample(
            torch.cat(coded.inputs, dim=1),
            coded.labels,
            1 + settings["subject_weight"] * covered,
            words.to(self.device).clone(),
            subject.class_token.clone(),
            subject.patches.clone(),
            subject.content.clone(),
            (drops[0], drops[1], drops[2]),
        )


class _Log:
    """One row a step; what a killed run wrote after its last checkpoint is taken back."""

    def __init__(self, path: Path, steps: int) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = []
        if path.exists():
            header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
            kept = [
                header,
                *(row for row in rows if row.partition(",")[0].isdecimal() and int(row.partition(",")[0]) <= steps),
            ]
        write_atomically(path, "".join(kept).encode())

    def add(self, step: int, figures: dict[str, float]) -> None:
        row = {"step": step, **figures}
        with self.path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, row.keys())
            if not file.tell():
                writer.writeheader()
            writer.writerow(row)


def read_settings(path: Path = DEFAULT) -> dict[str, Any]:
    """The numbers of a training file, each checked against the one that comes along.

    Raises:
        InputError: the file cannot be read, or a number is missing, unknown or of another kind.
    """
    known, found = read_training_file(DEFAULT), read_training_file(path)
    for name in sorted(set(known) | set(found)):
        if name not in found or name not in known:
            fault = (
                Sentence("The training file {file} lacks {name}.", file=path.name, name=name)
                if name not in found
                else Sentence("The training file {file} has an unknown number {name}.", file=path.name, name=name)
            )
            raise InputError(fault)
        kind = (int, float) if isinstance(known[name], float) else type(known[name])
        if not isinstance(found[name], kind) or isinstance(found[name], bool):
            raise InputError(Sentence("The training file {file} has no proper {name}.", file=path.name, name=name))
    if found["batch"] < 1 or found["save_every"] < 1 or len(found["betas"]) != 2:
        raise InputError(
            Sentence("The training file {file} has no proper {name}.", file=path.name, name="batch, save_every, betas")
        )
    return found
