"""The transformer's stage: transformer, text encoder and semantic encoder learn together; both autoencoders are done.

Pairs are rendered and run through the frozen autoencoders once and then kept for a few steps in a pool. Bit labels are made
anew at every step, because self-correction turns other bits over each time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers.models.dinov2 import Dinov2Config, Dinov2Model
from transformers.models.t5 import T5Config, T5EncoderModel

from engine.bundle.records import layout_word
from engine.encoders.content import fold_latent
from engine.encoders.features import PromptFeatures, SubjectFeatures
from engine.encoders.semantic import prepared
from engine.errors import InputError
from engine.model.config import ScaleSchedule
from engine.model.transformer import Transformer, split_scales
from engine.request import Dial
from engine.sampling.guidance import Guidance
from engine.sampling.sampler import Conditions, Sampler
from engine.sentence import Sentence
from engine.tokenizer.quantizer import MultiScaleQuantizer, Quantised
from engine.training import checkpoint
from engine.training.autoencoder_stages import with_average
from engine.training.config import TrainingConfig
from engine.training.data import language
from engine.training.data.words import UNKNOWN, word_tokenizer
from engine.training.frozen import FrozenParts
from engine.training.longer_words import begins_with, lengthen
from engine.training.loop import say
from engine.training.optimiser import Muon, WeightAverage, descend, in_blocks, split_matrices
from engine.training.place_features import place_features
from engine.training.render.renderer import Batch, Renderer
from engine.training.sample_sheet import save_sheet
from engine.training.team import ALONE, Team


@dataclass
class _Pool:
    """Rendered and encoded pairs, the oldest replaced first; each tensor has one row per pair."""

    features: Tensor
    early: Tensor
    latents: Tensor
    pixels: Tensor
    masks: Tensor
    captions: list[str]
    next: int = 0
    filled: int = 0

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return self.features, self.early, self.latents, self.pixels, self.masks


class TransformerStage:
    """Everything but the autoencoders.

    Args:
        runs: folder of the stages' checkpoints; both autoencoders' are read from there.
        team: the processes that train it together.
    """

    name = "transformer"

    def __init__(
        self, config: TrainingConfig, renderer: Renderer, held_out: Renderer, runs: Path, team: Team = ALONE
    ) -> None:
        self.team = team
        self.config, self.renderer, self.held_out = config, renderer, held_out
        self.settings: dict[str, Any] = config["transformer"]["training"]
        self.device = renderer.device
        self.digest = config.digest(self.name)
        self.schedule: ScaleSchedule = config.schedule
        self.frozen = FrozenParts.load(config, runs, self.device)
        self.quantizer = MultiScaleQuantizer(self.frozen.tokenizer).to(self.device)
        first, later = renderer.subjects.name_groups
        self.words = word_tokenizer(
            first, outfits=config.outfits > 0, more=config.more > 0, later=later, layouts=config.layout_count
        )
        self.language_words = {
            word
            for scene in language.taught(config.outfits, config.more)
            for text in (scene.prompt, *scene.wordings)
            for word in language.split_words(text)
        } | {layout_word(layout) for layout in range(config.layout_count)}
        torch.manual_seed(config.seed)
        self.transformer = Transformer(config.transformer)
        self.transformer.initialise()
        self.text = T5EncoderModel(T5Config(**config.text, vocab_size=self.words.get_vocab_size()))
        self.semantic = Dinov2Model(Dinov2Config(**config.semantic))
        self.module = nn.ModuleDict({"transformer": self.transformer, "text": self.text, "semantic": self.semantic}).to(
            self.device
        )
        matrices, rest = split_matrices(self.module, in_blocks)
        self.optimisers: list[torch.optim.Optimizer] = [
            Muon(matrices, lr=self.settings["learning_rate"]),
            torch.optim.AdamW(rest, lr=self.settings["learning_rate_rest"], betas=(0.9, 0.98), weight_decay=0.0),
        ]
        self.average = WeightAverage(self.module, self.settings["average"])
        self.chance = random.Random(config.seed)
        self.noise = torch.Generator(self.device).manual_seed(config.seed + 2)
        self.weights = torch.tensor(self.settings["scale_weights"], device=self.device)
        self.pool: _Pool | None = None

    # Data

    def _encode(self, n: int) -> tuple[tuple[Tensor, ...], list[str]]:
        """Render n pairs and run them through the frozen autoencoders."""
        batch = self.renderer.batch(n)
        with torch.no_grad(), self._autocast():
            features, early = self._features(batch)
            latents = self._content(batch)
        pixels = prepared((batch.reference + 1) / 2, int(self.config["semantic"]["input_size"]))
        mask = F.adaptive_avg_pool2d(batch.mask, self.schedule.grids[-1])
        return (features, early, latents, pixels, mask), batch.captions

    def _features(self, batch: Batch) -> tuple[Tensor, Tensor]:
        if self.config.layout_count:
            return place_features(self.frozen.autoencoder, batch)
        features = self.frozen.autoencoder.encode(batch.target).float()
        return features, features

    def _content(self, batch: Batch) -> Tensor:
        """Content tokens (n, P, W_c) of references, or of the canvases where the content path is placed."""
        pictures = batch.reference
        if self.config.placed_content is not None:
            pictures = (batch.canvas[:, :3] + 1 - batch.canvas[:, 3:]) * 2 - 1
        return fold_latent(self.frozen.content.encode(pictures).latent_dist.mean, self.config.content_fold)

    def _refill(self, n: int) -> _Pool:
        """Replace the n oldest pairs; fills the pool at first."""
        size = int(self.settings["pool"])
        if self.pool is None:
            first = self._encode(n)
            tensors = [torch.empty(size, *value.shape[1:], device=self.device) for value in first[0]]
            features, early, latents, pixels, masks = tensors
            self.pool = _Pool(features, early, latents, pixels, masks, [""] * size)
            self._store(self.pool, first)
        while self.pool.filled < size:
            self._store(self.pool, self._encode(n))
        self._store(self.pool, self._encode(n))
        return self.pool

    def _store(self, pool: _Pool, encoded: tuple[tuple[Tensor, ...], list[str]]) -> None:
        tensors, captions = encoded
        for row, caption in enumerate(captions):
            at = (pool.next + row) % len(pool.captions)
            for kept, value in zip(pool.tensors, tensors, strict=True):
                kept[at] = value[row]
            pool.captions[at] = caption
        pool.next = (pool.next + len(captions)) % len(pool.captions)
        pool.filled = min(len(pool.captions), pool.filled + len(captions))

    def _tokens(self, captions: list[str], *, forget: bool = True) -> tuple[Tensor, Tensor]:
        """Ids (B, T) and mask (B, T). Names are forgotten now and then, so that unknown ones do no harm later."""
        unknown = self.words.token_to_id(UNKNOWN)
        assert unknown is not None
        rows = []
        for caption in captions:
            found = self.words.encode(caption)
            numbers = list(found.ids)
            if forget and self.chance.random() < self.settings["forget_name"]:
                numbers = [
                    i if t in self.language_words or i < 3 else unknown
                    for i, t in zip(numbers, found.tokens, strict=True)
                ]
            rows.append(numbers[: self.config.transformer.text_limit])
        length = max(len(row) for row in rows)
        ids = torch.zeros(len(rows), length, dtype=torch.long)
        for row, values in enumerate(rows):
            ids[row, : len(values)] = torch.tensor(values)
        ids = ids.to(self.device)
        return ids, ids != 0

    # Training

    def step(self, rate: float) -> dict[str, float]:
        size = int(self.settings["batch"])
        pool = self._refill(max(1, size // int(self.settings["reuse"])))
        rows = self.chance.sample(range(pool.filled), size)
        index = torch.tensor(rows, device=self.device)
        flip = self.settings["flip"] if self.chance.random() < self.settings["flip_share"] else 0.0
        drops = self._drops(size)
        # Who sees nothing of the subject is taught the place without it, where a place is one picture.
        alone = drops[1] & drops[2] & (self.config.layout_count > 0)
        early = pool.early[index]
        coded = self._coded(torch.where(alone.view(-1, 1, 1, 1), early, pool.features[index]), early, flip)
        ids, mask = map(self.team.own, self._tokens([pool.captions[row] for row in rows]))
        alone, index = self.team.own(alone), self.team.own(index)
        labels = tuple(map(self.team.own, coded.labels))
        with self._autocast():
            words = self.text(input_ids=ids, attention_mask=mask).last_hidden_state
            tokens = self.semantic(pixel_values=pool.pixels[index]).last_hidden_state
            logits = self.transformer(
                self.team.own(torch.cat(coded.inputs, dim=1)),
                words,
                mask,
                tokens[:, 0],
                tokens[:, 1:],
                pool.latents[index],
                self.schedule,
                drop_text=self.team.own(drops[0]),
                drop_semantic=self.team.own(drops[1]),
                drop_content=self.team.own(drops[2]),
            )
        losses, right = self._losses(logits, labels, pool.masks[index] * ~alone.view(-1, 1, 1, 1))
        loss = (losses * self.weights).sum() / self.weights.sum()
        self._update(loss, rate)
        figures = {"loss": float(loss.detach()), "pictures": float(size)}
        for scale, share in enumerate(right.tolist()):
            figures[f"right{self.schedule.grids[scale][0]}"] = share
        return figures

    def _coded(self, features: Tensor, early: Tensor, flip: float = 0.0) -> Quantised:
        return self.quantizer(
            features,
            self.schedule.grids,
            flip=flip,
            generator=self.noise,
            early=early,
            early_scales=self.config.place_scales,
        )

    def _drops(self, size: int) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the samples that see no text, no semantic tokens, no content: bool (B,) each.

        The published training dropped each independently. From scratch the branches that guidance subtracts need more
        than chance gives them: some samples lose the whole subject, and some lose everything.
        """
        settings = self.settings

        def chance(share: float) -> Tensor:
            return torch.rand(size, device=self.device, generator=self.noise) < share

        subject, everything = chance(settings["drop_subject"]), chance(settings["drop_all"])
        text = chance(settings["drop_text"]) | everything
        semantic = chance(settings["drop_semantic"]) | subject | everything
        content = chance(settings["drop_content"]) | subject | everything
        return text, semantic, content

    def _losses(self, logits: Tensor, labels: tuple[Tensor, ...], mask: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy of the bits and share of right bits, one number per scale each.

        A pair of logits is a sigmoid of their difference. Tokens on the subject count more: there is more to get right.
        """
        losses, right = [], []
        for scale, part in zip(labels, split_scales(logits, self.schedule), strict=True):
            wanted = scale.flatten(1, 2).float()
            pairs = part.unflatten(-1, (-1, 2))
            margin = pairs[..., 1] - pairs[..., 0]
            inside = F.adaptive_avg_pool2d(mask, (scale.shape[1], scale.shape[2])).flatten(1)
            weight = 1 + self.settings["subject_weight"] * inside
            each = F.binary_cross_entropy_with_logits(margin, wanted, reduction="none").mean(-1)
            losses.append((each * weight).sum() / self.team.mean(weight.sum()))
            right.append(((margin.detach() > 0) == (wanted > 0.5)).float().mean())
        return torch.stack(losses), torch.stack(right)

    def _update(self, loss: Tensor, rate: float) -> None:
        rates = (self.settings["learning_rate"] * rate, self.settings["learning_rate_rest"] * rate)
        descend(self.module, loss, self.optimisers, rates, self.average, self.team)

    @contextmanager
    def _autocast(self) -> Iterator[None]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            yield

    # Looking

    @torch.no_grad()
    def draw(self, batch: Batch, seed: int = 0, strength: float = 2.0) -> Tensor:
        """Free samples by the averaged weights, of a batch's subjects, places and captions: (n, 3, S, S) in [-1, 1]."""

        def work() -> Tensor:
            drawn = [self._draw_row(batch, row, seed + row, (strength, strength)) for row in range(len(batch.captions))]
            return self.frozen.autoencoder.decode(torch.cat(drawn), batch.canvas)

        return with_average(self, lambda: self._evaluating(work))

    @torch.no_grad()
    def continue_bits(self, batch: Batch, keep: int, seed: int) -> Tensor:
        """Summed codes (n, d, h, w) of a batch whose first ``keep`` scales are true and whose others are drawn."""
        labels = self._coded(*self._features(batch)).labels
        strengths = self._dial("prompt_strength"), self._dial("subject_strength")

        def work() -> Tensor:
            rows = range(len(batch.captions))
            kept = [[scale[row] for scale in labels[:keep]] for row in rows]
            return torch.cat([self._draw_row(batch, row, seed + row, strengths, kept[row]) for row in rows])

        return self._evaluating(work)

    def _draw_row(
        self, batch: Batch, row: int, seed: int, strengths: tuple[Dial, Dial], kept: Sequence[Tensor] = ()
    ) -> Tensor:
        """Summed codes (1, d, h, w) of one drawn picture."""
        defaults = self.config["export"]
        sampler = Sampler(self.transformer, self.frozen.tokenizer, cache_bytes=0)
        guidance = Guidance.of(
            len(self.schedule.grids),
            *strengths,
            temperature=self._dial("temperature"),
            top_p=float(defaults["top_p"]),
        )
        one = batch.row(row)
        pixels = prepared((one.reference + 1) / 2, int(self.config["semantic"]["input_size"]))
        tokens = self.semantic(pixel_values=pixels).last_hidden_state[0]
        ids, _ = self._tokens(one.captions, forget=False)
        words = self.text(input_ids=ids).last_hidden_state[0]
        subject = SubjectFeatures(row, tokens[0], tokens[1:], self._content(one)[0])
        summed = torch.empty(0)
        for drawn in sampler.draw(
            Conditions(PromptFeatures(row, words), subject), guidance, self.schedule, seed, kept=kept
        ):
            summed = drawn.summed
        return summed

    def _dial(self, name: str) -> Dial:
        value = self.config["export"][name]
        return tuple(float(number) for number in value) if isinstance(value, list) else float(value)

    def _evaluating(self, work: Callable[[], Tensor]) -> Tensor:
        self.module.eval()
        try:
            return work()
        finally:
            self.module.train()

    @classmethod
    def open_trained(
        cls, config: TrainingConfig, renderer: Renderer, held_out: Renderer, runs: Path
    ) -> TransformerStage:
        """A trained transformer with its averaged weights, to draw with. Raises ``InputError`` where there is none."""
        path = runs / cls.name / "full.pt"
        if not path.exists():
            raise InputError(
                Sentence("The transformer stage has no checkpoint in {runs} yet.", runs=runs),
                Sentence("Train it first."),
            )
        stage = cls(config, renderer, held_out, runs)
        stage.module.load_state_dict(checkpoint.load_full(path, stage.digest)["stage"]["average"])
        stage.module.eval().requires_grad_(False)
        return stage

    def sample(self, path: Path) -> None:
        """Rows: reference, canvas, target, drawn."""
        batch = self.held_out.batch(10)
        made = self.draw(batch)
        say(f"{path.name}: " + " | ".join(batch.captions))
        canvas = (batch.canvas[:, :3] + 1 - batch.canvas[:, 3:]) * 2 - 1
        save_sheet(path, [batch.reference, canvas, batch.target, made])

    # Checkpoints

    def state(self) -> dict[str, Any]:
        """Everything for an exact resume, the pool included."""
        return {
            "module": self.module.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "average": self.average.weights,
            "average_steps": self.average.steps,
            "renderer": self.renderer.state(),
            "noise": self.noise.get_state(),
            "chance": self.chance.getstate(),
            "fingerprint": self.frozen.fingerprint,
            "words": self.words.to_str(),
            **({} if self.pool is None else {"pool": vars(self.pool).copy()}),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        if state["fingerprint"] != self.frozen.fingerprint:
            raise InputError(
                Sentence("This transformer was trained on other autoencoders: its bits mean something else."),
                Sentence("Put those autoencoders back, or begin the transformer again."),
            )
        former = state.get("words", self.words.to_str())
        if former != self.words.to_str() and begins_with(self.words, former):
            lengthen(state, self.module, [optimiser.param_groups[0]["params"] for optimiser in self.optimisers])
        elif former != self.words.to_str():
            raise InputError(
                Sentence(
                    "This transformer was trained with another list of words: its word table means something else."
                ),
                Sentence("Use the subjects and the language it was trained with, or begin the transformer again."),
            )
        self.module.load_state_dict(state["module"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.average.weights = {name: value.to(self.device) for name, value in state["average"].items()}
        self.average.steps = state["average_steps"]
        self.renderer.load_state(state["renderer"])
        self.noise.set_state(state["noise"].cpu())
        version, numbers, gauss = state["chance"]
        self.chance.setstate((version, tuple(numbers), gauss))
        # Older checkpoints have none, and one of another size is of no use: it is rendered anew.
        self.pool = None
        kept: dict[str, Any] = state.get("pool", {})
        if "early" in kept and len(kept["captions"]) == int(self.settings["pool"]):
            on_device: dict[str, Any] = {
                name: value.to(self.device) if isinstance(value, Tensor) else value for name, value in kept.items()
            }
            self.pool = _Pool(**on_device)
