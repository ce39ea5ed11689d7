"""A judge that learns to tell made pictures from true ones, so that a decoder is not content with a blur.

The mean of absolute differences is smallest where every grain of sand is its own average. The judge asks instead whether the
sand looks like sand. As in Sauer et al. 2021 ("Projected GANs converge faster"), it looks through a network that already
knows photographs: that one stays as it is, and small heads on its features learn, which takes few pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from engine.training.team import ALONE, Team

WIDTH = 48
"""Channels inside a head."""
BEGIN = 100
"""Steps over which its word gains weight: at first it knows nothing."""


class Adversary(nn.Module):
    """Heads on the features of several depths, each with one opinion a place. Hinge loss (Lim and Ye 2017).

    Args:
        channels: of the features, fine to coarse.
        rate: learning rate of AdamW.
        team: the processes that train it together.
    """

    steps: Tensor

    def __init__(self, channels: Sequence[int], rate: float, team: Team = ALONE) -> None:
        super().__init__()
        self.team = team
        self.heads = nn.ModuleList(_head(width) for width in channels)
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.optimiser = torch.optim.AdamW(self.parameters(), lr=rate, betas=(0.5, 0.99), weight_decay=0.0)

    @property
    def weight(self) -> float:
        """How much its word counts by now, 0 … 1."""
        return min(1.0, int(self.steps) / BEGIN)

    def opinions(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Features (B, C, h, w) of every depth → (B, 1, h, w): above 0 looks true, below looks made."""
        return [head(feature) for head, feature in zip(self.heads, features, strict=True)]

    def fooled(self, made: Sequence[Tensor]) -> Tensor:
        """The loss of who made the pictures: a number that falls as the judge takes them for true ones."""
        return -torch.stack([opinion.mean() for opinion in self.opinions(made)]).mean()

    def learn(self, made: Sequence[Tensor], true: Sequence[Tensor]) -> float:
        """One step on the same pictures' features, made and true. Returns the hinge loss: 2 knows nothing, 0 knows all."""
        losses = []
        for fake, real in zip(
            self.opinions([feature.detach() for feature in made]),
            self.opinions([feature.detach() for feature in true]),
            strict=True,
        ):
            losses.append(F.relu(1 + fake).mean() + F.relu(1 - real).mean())
        loss = torch.stack(losses).mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.team.average_gradients(self)
        self.optimiser.step()
        self.steps += 1
        return float(loss.detach())

    def state(self) -> dict[str, object]:
        return {"heads": self.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state(self, state: dict[str, object]) -> None:
        self.load_state_dict(state["heads"])  # type: ignore[arg-type]
        self.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]


def _head(channels: int) -> nn.Module:
    # The norm without learned numbers brings features of all depths to one size.
    return nn.Sequential(
        nn.GroupNorm(1, channels, affine=False),
        spectral_norm(nn.Conv2d(channels, WIDTH, 1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, WIDTH, 3, padding=1)),
        nn.LeakyReLU(0.2),
        spectral_norm(nn.Conv2d(WIDTH, 1, 1)),
    )


def balanced(made: Tensor, faithful: Tensor, fooled: Tensor, share: float, team: Team = ALONE) -> Tensor:
    """A loss whose gradient at ``made`` is that of ``faithful`` plus that of ``fooled``, brought to ``share`` of its length.

    So one number fits every stage of a training: a better judge does not shout louder (as Esser et al. 2021 weigh theirs).

    Args:
        made: what a network made, with its graph.
        faithful, fooled: numbers computed from ``made``.
        team: ``made`` is this process's part of what all made; the lengths are those of the whole.
    """
    (toward,) = torch.autograd.grad(faithful, made, retain_graph=True)
    (looks,) = torch.autograd.grad(fooled, made, retain_graph=True)
    gradient = toward + share * team.length(toward) / team.length(looks).clamp_min(1e-12) * looks
    return (made * gradient.detach()).sum()
