"""The two autoencoders' stages: the visual tokenizer, and the content autoencoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.quantizer import MultiScaleQuantizer
from engine.training.config import TrainingConfig
from engine.training.loop import say
from engine.training.optimiser import Muon, WeightAverage, descend, is_large, split_matrices
from engine.training.picture_quality import psnr
from engine.training.render.renderer import Renderer
from engine.training.sample_sheet import save_sheet
from engine.training.team import ALONE, Team


def reconstruction_loss(made: Tensor, wanted: Tensor, weight: Tensor | None = None, team: Team = ALONE) -> Tensor:
    """L1 plus half the L1 of the gradients, at three sizes: edges count, and so do broad colours.

    Args:
        weight: (B, 1, H, W), how much each pixel counts; they are brought to a mean of 1 over the batch.
        team: the processes that have parts of the batch.
    """
    total = made.new_zeros(())
    difference = made - wanted
    for level in range(3):
        if level:
            difference = F.avg_pool2d(difference, 2)
            weight = F.avg_pool2d(weight, 2) if weight is not None else None
        share = 1.0 if weight is None else weight / team.mean(weight.mean())
        total = total + (difference.abs() * share).mean()
        across, down = difference.diff(dim=-1).abs(), difference.diff(dim=-2).abs()
        if weight is not None:
            across, down = across * share[..., 1:], down * share[..., 1:, :]  # type: ignore[index]
        total = total + 0.5 * across.mean() + 0.5 * down.mean()
    return total / 3


class AutoencoderStage:
    """The parts that the stages of autoencoders share: optimiser, average, state."""

    def __init__(self, module: nn.Module, settings: dict[str, Any], device: torch.device, team: Team = ALONE) -> None:
        self.team = team
        self.module = module.to(device)
        self.settings, self.device = settings, device
        matrices, rest = split_matrices(module, is_large)
        self.optimisers: list[torch.optim.Optimizer] = [
            Muon(matrices, lr=settings["learning_rate"]),
            torch.optim.AdamW(
                rest, lr=settings["learning_rate_rest"], betas=(0.9, 0.98), weight_decay=0.0, foreach=True
            ),
        ]
        self.average = WeightAverage(module, settings["average"])

    def _update(self, loss: Tensor, rate: float) -> None:
        rates = (self.settings["learning_rate"] * rate, self.settings["learning_rate_rest"] * rate)
        descend(self.module, loss, self.optimisers, rates, self.average, self.team)

    def _state(self) -> dict[str, Any]:
        return {
            "module": self.module.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "average": self.average.weights,
            "average_steps": self.average.steps,
        }

    def _load(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.average.weights = {name: value.to(self.device) for name, value in state["average"].items()}
        self.average.steps = state["average_steps"]


class TokenizerStage(AutoencoderStage):
    """Visual tokenizer: encoder, decoder and the gains of the scales together."""

    name = "tokenizer"

    def __init__(self, config: TrainingConfig, renderer: Renderer, held_out: Renderer, team: Team = ALONE) -> None:
        self.config, self.renderer, self.held_out = config, renderer, held_out
        self.digest = config.digest(self.name)
        self.grids = config.schedule.grids
        torch.manual_seed(config.seed)
        self.autoencoder = Autoencoder(config.plain_tokenizer)
        self.quantizer = MultiScaleQuantizer(config.plain_tokenizer, learn_gains=bool(config.tokenizer.scale_gains))
        module = nn.ModuleDict({"autoencoder": self.autoencoder, "quantizer": self.quantizer})
        super().__init__(module, config["tokenizer"]["training"], renderer.device, team)
        # Convolutions are faster so. Stubs of Module.to lack this argument.
        self.module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.noise = torch.Generator(renderer.device).manual_seed(config.seed + 1)

    def step(self, rate: float) -> dict[str, float]:
        pictures = self.team.own(self.renderer.batch(self.settings["batch"]).target)
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            features = self.autoencoder.encode(pictures).float()
        flipped = self.renderer.chance.random() < self.settings["flip_share"]
        coded = self.quantizer(
            features,
            self.grids,
            flip=self.settings["flip"] if flipped else 0.0,
            generator=self.noise,
            part=(self.team.rank, self.team.count),
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            made = self.autoencoder.decoder(coded.summed).float()
        loss = reconstruction_loss(made, pictures)
        extra = self.settings["commitment"] * coded.commitment + self.settings["code_error"] * coded.code_error
        self._update(loss + extra, rate)
        figures = {
            "loss": float(loss.detach()),
            "commitment": float(coded.commitment.detach()),
            "pictures": float(self.settings["batch"]),
        }
        if not flipped:
            figures["psnr"] = psnr(made.detach(), pictures)
        return figures

    @torch.no_grad()
    def reconstruct(self, pictures: Tensor) -> Tensor:
        """Pictures through the bits and back, by the averaged weights."""
        return with_average(
            self, lambda: self.autoencoder.decode(self.quantizer(self.autoencoder.encode(pictures), self.grids).summed)
        )

    def sample(self, path: Path) -> None:
        pictures = self.held_out.batch(8).target
        made = self.reconstruct(pictures)
        gains = " ".join(f"{gain:.2f}" for gain in self.quantizer.gains.tolist())
        say(f"tokenizer: held-out PSNR {psnr(made, pictures):.2f} dB, gains {gains}")
        save_sheet(path, [pictures, made])

    def state(self) -> dict[str, Any]:
        return {**self._state(), "renderer": self.renderer.state(), "noise": self.noise.get_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self._load(state)
        self.renderer.load_state(state["renderer"])
        self.noise.set_state(state["noise"].cpu())


class ContentStage(AutoencoderStage):
    """Content autoencoder: a small ``AutoencoderKL`` on references; only its encoder is used afterwards."""

    name = "content"

    def __init__(self, config: TrainingConfig, renderer: Renderer, held_out: Renderer, team: Team = ALONE) -> None:
        from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

        self.config, self.renderer, self.held_out = config, renderer, held_out
        self.digest = config.digest(self.name)
        torch.manual_seed(config.seed)
        # Any: the decorators around the library's methods hide their signatures from type checkers.
        self.autoencoder: Any = AutoencoderKL(**config.content)
        super().__init__(self.autoencoder, config["content"]["training"], renderer.device, team)

    def step(self, rate: float) -> dict[str, float]:
        pictures = self.team.own(self.renderer.batch(self.settings["batch"]).reference)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda"):
            spread = self.autoencoder.encode(pictures).latent_dist
            made = self.autoencoder.decode(self._drawn(spread)).sample.float()
        loss = reconstruction_loss(made, pictures)
        # Latents near unit size: the transformer reads them as they are.
        size = spread.mean.float().square().mean()
        # (size - 1)² and its slope, where size is that of the whole batch: of several processes each knows its own rows'.
        apart = self.team.mean(size) - 1
        drift = 0.01 * (2 * apart * (size - 1) - apart.square())
        self._update(loss + self.settings["kl"] * spread.kl().mean() + drift, rate)
        return {
            "loss": float(loss.detach()),
            "size": float(size.detach()),
            "psnr": psnr(made.detach(), pictures),
            "pictures": float(self.settings["batch"]),
        }

    def _drawn(self, spread: Any) -> Tensor:
        """A latent of each picture. Its noise is drawn for the whole batch, so that it is the same however that is divided."""
        mean: Tensor = spread.mean
        noise = torch.randn(self.team.count * len(mean), *mean.shape[1:], device=mean.device, dtype=mean.dtype)
        return mean + spread.std * self.team.own(noise)

    @torch.no_grad()
    def sample(self, path: Path) -> None:
        pictures = self.held_out.batch(8).reference
        made = with_average(
            self, lambda: self.autoencoder.decode(self.autoencoder.encode(pictures).latent_dist.mean).sample
        )
        say(f"content: held-out PSNR {psnr(made, pictures):.2f} dB")
        save_sheet(path, [pictures, made])

    def state(self) -> dict[str, Any]:
        return {**self._state(), "renderer": self.renderer.state(), "noise": torch.get_rng_state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self._load(state)
        self.renderer.load_state(state["renderer"])
        torch.set_rng_state(state["noise"].cpu())


def with_average(stage: Any, work: Any) -> Any:
    """Run ``work`` with the averaged weights in place."""
    current = {name: value.clone() for name, value in stage.module.state_dict().items()}
    stage.module.load_state_dict(stage.average.weights)
    try:
        return work()
    finally:
        stage.module.load_state_dict(current)
