"""The decoder's stage: the visual decoder learns to look at the placed cut-out. Encoder, codes and transformer stay.

It has to stand the bits of a transformer, which are right about the scene and vague about the subject. So it is trained on
three kinds of bits: those of the target with some turned over; those of a picture in which the subject is a soft, shifted
blob with holes, of its own blurred colours, as a transformer draws it; and only the first scales, as a preview has them.
What the subject looks like in detail is then to be found on the canvas alone, and what light falls on it in the bits alone.

With ``drawn_share`` set, a share of the bits is drawn by the trained transformer itself: the true bits of the first scales
are kept, and it goes on from there, so that the picture is still that of the target in broad colours. Its detail is another:
outside the subject it is compared by its strength alone. A share of those (``free_share``) is drawn from nothing, as for a user:
there the subject alone is compared.
"""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.errors import InputError
from engine.sentence import Sentence
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.quantizer import MultiScaleQuantizer, add_scale
from engine.training.adversary import FOLD, Adversary, balanced
from engine.training.autoencoder_stages import AutoencoderStage, reconstruction_loss, with_average
from engine.training.config import TrainingConfig
from engine.training.frozen import FrozenParts
from engine.training.loop import say
from engine.training.perceptual import CHANNELS, PerceptualLoss, distance, random_crop
from engine.training.picture_quality import psnr
from engine.training.place_features import place_features
from engine.training.render.paint import blur
from engine.training.render.renderer import Batch, Renderer
from engine.training.sample_sheet import save_sheet
from engine.training.team import ALONE, Team
from engine.training.texture import broad_where, texture_distance

DRAWN_KEPT = 16
"""Batches with drawn bits in memory."""


class DecoderStage(AutoencoderStage):
    """The decoder with its reference branch.

    Args:
        runs: folder of the stages' checkpoints: the tokenizer's is read from there, and the transformer's when bits are
            to be drawn by it.
        team: the processes that train it together.
    """

    name = "decoder"

    def __init__(
        self, config: TrainingConfig, renderer: Renderer, held_out: Renderer, runs: Path, team: Team = ALONE
    ) -> None:
        if not config.tokenizer.reference_channels:
            raise InputError(
                Sentence("The training file has no reference decoder."),
                Sentence("Set reference_channels in its table [tokenizer]."),
            )
        self.config, self.renderer, self.held_out = config, renderer, held_out
        self.digest = config.digest(self.name)
        self.schedule = config.schedule
        self.frozen = FrozenParts.load(config, runs, renderer.device, with_decoder=False)
        self.quantizer = MultiScaleQuantizer(self.frozen.tokenizer).to(renderer.device)
        torch.manual_seed(config.seed)
        self.autoencoder = Autoencoder(config.tokenizer)
        # What is not the branch begins as the tokenizer's stage left it.
        self.autoencoder.load_state_dict(self.frozen.autoencoder.state_dict(), strict=False)
        module = nn.ModuleDict({"decoder": self.autoencoder.decoder})
        super().__init__(module, config["decoder"]["training"], renderer.device, team)
        self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.noise = torch.Generator(renderer.device).manual_seed(config.seed + 3)
        self.chance = random.Random(config.seed + 3)
        judged = self.settings["perceptual"] or self.settings["adversarial"]
        self.perceptual = PerceptualLoss().to(renderer.device) if judged else None
        self.adversary = (
            Adversary(CHANNELS, self.settings["adversarial_rate"], team).to(renderer.device)
            if self.settings["adversarial"]
            else None
        )
        self._runs = runs
        self._drawer: Any = None
        self._drawn_batches: deque[tuple[Batch, Tensor, str]] = deque(maxlen=DRAWN_KEPT)

    # Training

    def step(self, rate: float) -> dict[str, float]:
        batch, codes, kind = self._examples()
        canvas = self.team.own(self._sometimes_none(batch.canvas))
        batch, codes = batch.rows(self.team.rows(len(codes))), self.team.own(codes)
        wanted = batch.target.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            made = self.autoencoder.decoder(codes, canvas).float()
        weight = 1 + self.settings["subject_weight"] * blur(batch.subject_mask, 2)
        # Drawn bits are one guess of many at what is around the subject; on it, the canvas says what is right. With named layouts
        # it is no guess, and the picture itself could be asked for: tried, and softer (decision 22).
        drawn = kind in ("drawn", "free")
        guessed = 1 - blur(batch.mask, 2) if drawn else torch.zeros_like(batch.mask)
        compared = (made, wanted)
        if kind == "drawn":
            radius = int(self.settings["guessed_blur"])
            compared = (broad_where(made, guessed, radius), broad_where(wanted, guessed, radius))
        elif kind == "free":
            compared = (torch.lerp(made, wanted, guessed), wanted)
        loss = reconstruction_loss(*compared, weight, self.team)
        figures = {"loss": float(loss.detach())}
        if self.settings["texture"] and kind != "preview":
            grain = texture_distance(made, wanted)
            figures["grain"] = float(grain.detach())
            loss = loss + self.settings["texture"] * grain
        if self.perceptual is not None:
            loss = self._by_judges(loss, made, wanted, 1 - guessed, figures)
        self._update(loss, rate)
        with torch.no_grad():
            inside = batch.mask > 0.5
            error = ((made.clamp(-1, 1) - wanted).abs() * inside).sum() / (3 * inside.sum()).clamp_min(1)
        return {
            **figures,
            f"psnr_{kind}": psnr(made.detach(), wanted),
            f"inside_{kind}": float(error),
            "pictures": float(self.settings["batch"]),
        }

    def _by_judges(
        self, loss: Tensor, made: Tensor, wanted: Tensor, known: Tensor, figures: dict[str, float]
    ) -> Tensor:
        """The loss with what an ImageNet network sees of a part of the pictures, and what the adversary says to that.

        Args:
            known: (B, 1, S, S), 1 where the pictures should be the same and 0 where they should only look as real.
        """
        assert self.perceptual is not None
        one, other, known = random_crop((made, wanted, known), self.settings["perceptual_side"], self.noise, FOLD)
        with torch.no_grad():
            true = self.perceptual.features(other)
        features = self.perceptual.features(one)
        far = distance(features, true, known)
        figures["perceptual"] = float(far.detach())
        loss = loss + self.settings["perceptual"] * far
        if self.adversary is None:
            return loss
        fooled = self.adversary.fooled(one, features)
        loss = balanced(made, loss, fooled, self.settings["adversarial"] * self.adversary.weight, self.team)
        figures["told"] = self.adversary.learn((one, features), (other, true))
        return loss

    @torch.no_grad()
    def _examples(self) -> tuple[Batch, Tensor, str]:
        """A batch, its summed codes made of one of the kinds of bits, and the kind's name."""
        settings, draw = self.settings, self.chance.random()
        if draw < settings["drawn_share"]:
            return self._drawn()
        batch = self.renderer.batch(settings["batch"])
        return batch, *self._codes(batch, draw)

    def _codes(self, batch: Batch, draw: float) -> tuple[Tensor, str]:
        settings = self.settings
        vague = draw < settings["drawn_share"] + settings["vague_share"]
        pictures = self.vague(batch) if vague else batch.target
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            if self.config.layout_count and not vague and self.chance.random() < 0.5:
                # As the transformer learns them; the others are those of any picture, of a photo as the place, too.
                features, early = place_features(self.frozen.autoencoder, batch)
                scales = self.config.place_scales
            else:
                features = self.frozen.autoencoder.encode(
                    pictures.contiguous(memory_format=torch.channels_last)
                ).float()
                early, scales = None, 0
        coded = self.quantizer(
            features,
            self.schedule.grids,
            flip=settings["flip"],
            generator=self.noise,
            early=early,
            early_scales=scales,
        )
        if self.chance.random() < settings["preview_share"]:
            scales = self.chance.randrange(2, len(self.schedule.grids))
            summed = torch.zeros_like(coded.summed)
            for scale, bits in enumerate(coded.labels[:scales]):
                summed = add_scale(summed, bits, self.frozen.tokenizer, scale)
            return summed, "preview"
        return coded.summed.detach(), "vague" if vague else "true"

    def vague(self, batch: Batch) -> Tensor:
        """Targets in which the subject is as vague as a small transformer draws it: (n, 3, S, S) in [-1, 1]."""
        target, mask = batch.target, batch.mask
        n, _, size, _ = target.shape

        def uniform(low: float, high: float, *shape: int) -> Tensor:
            return low + (high - low) * torch.rand(shape, device=self.device, generator=self.noise)

        radius = self.chance.choice((3, 6, 10))
        inside = blur(target * mask, radius) / blur(mask, radius).clamp_min(1e-3)
        outside = blur(target * (1 - mask), 24) / blur(1 - mask, 24).clamp_min(1e-3)
        # Its colours are a little off, all together and in large patches.
        patches = F.interpolate(uniform(-1, 1, n, 3, 5, 5), (size, size), mode="bicubic", align_corners=False)
        off = self.settings["vague_colour"]
        inside = inside + off * (patches + uniform(-0.5, 0.5, n, 3, 1, 1))
        holes = F.interpolate(uniform(0, 1, n, 1, 12, 12), (size, size), mode="bicubic", align_corners=False)
        shape = blur(mask, self.chance.choice((2, 4, 8))) * (1 - ((holes - 0.8) * 6).clamp(0, 1))
        shift = [self.chance.randint(-8, 8) for _ in range(2)]
        shape, inside = (value.roll(shift, dims=(-2, -1)) for value in (shape, inside))
        # Where it should be and is not, the ground shows, as a transformer would paint it.
        clean = target * (1 - mask) + outside * mask
        return (clean * (1 - shape) + inside * shape).clamp(-1, 1)

    def _sometimes_none(self, canvas: Tensor) -> Tensor:
        """Now and then there is no subject: a decoder has to do without one, too."""
        keep = (
            torch.rand(len(canvas), 1, 1, 1, device=self.device, generator=self.noise) >= self.settings["drop_canvas"]
        )
        return (canvas * keep).contiguous(memory_format=torch.channels_last)

    def _drawn(self) -> tuple[Batch, Tensor, str]:
        """A batch, its summed codes of bits that the trained transformer draws, and whether it went on or began ("free").

        Drawing takes longer than a step: each batch comes up ``drawn_reuse`` times on average, not one after the other.
        """
        from engine.training.transformer_stage import TransformerStage

        if len(self._drawn_batches) == DRAWN_KEPT and self.chance.random() > 1 / self.settings["drawn_reuse"]:
            return self.chance.choice(self._drawn_batches)
        if self._drawer is None:
            self._drawer = TransformerStage.open_trained(self.config, self.renderer, self.held_out, self._runs)
        batch = self.renderer.batch(self.settings["batch"])
        free = self.chance.random() < self.settings["free_share"]
        keep = 0 if free else self.chance.randrange(2, len(self.schedule.grids))
        codes = self._drawer.continue_bits(batch, keep, seed=self.chance.randrange(2**31))
        self._drawn_batches.append((batch, codes, "free" if free else "drawn"))
        return self._drawn_batches[-1]

    # Looking

    @torch.no_grad()
    def sample(self, path: Path) -> None:
        """Rows: canvas, target, decoded from true bits, the vague picture, decoded from its bits."""
        batch = self.held_out.batch(8)
        vague = self.vague(batch)

        def decode() -> list[Tensor]:
            made = []
            for pictures in (batch.target, vague):
                coded = self.quantizer(self.frozen.autoencoder.encode(pictures), self.schedule.grids)
                made.append(self.autoencoder.decode(coded.summed, batch.canvas))
            return made

        true, drawn = with_average(self, decode)
        say(
            f"decoder: held-out PSNR {psnr(true, batch.target):.2f} dB, from vague bits {psnr(drawn, batch.target):.2f}"
        )
        shown = (batch.canvas[:, :3] + 1 - batch.canvas[:, 3:]) * 2 - 1
        save_sheet(path, [shown, batch.target, true, vague, drawn])

    def state(self) -> dict[str, Any]:
        return {
            **self._state(),
            "renderer": self.renderer.state(),
            "noise": self.noise.get_state(),
            "chance": self.chance.getstate(),
            "fingerprint": self.frozen.tokenizer_fingerprint,
            **({} if self.adversary is None else {"adversary": self.adversary.state()}),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        if state["fingerprint"] != self.frozen.tokenizer_fingerprint:
            raise InputError(
                Sentence("This decoder was trained on another tokenizer: its bits mean something else."),
                Sentence("Put that tokenizer back, or begin the decoder again."),
            )
        self._load(state)
        # A checkpoint of a training without one gets a judge that knows nothing yet.
        if self.adversary is not None and "adversary" in state:
            self.adversary.load_state(state["adversary"])
        self.renderer.load_state(state["renderer"])
        self.noise.set_state(state["noise"].cpu())
        version, numbers, gauss = state["chance"]
        self.chance.setstate((version, tuple(numbers), gauss))
