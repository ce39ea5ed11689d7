"""A judge that learns to tell made pictures from true ones, so that a decoder is not content with a blur.

The mean of absolute differences is smallest where every grain of sand is its own average. The judge asks instead whether the
sand looks like sand. As in Sauer et al. 2021 ("Projected GANs converge faster"), it looks through a network that already
knows photographs: that one stays as it is, and small heads on its features learn, which takes few pictures. One head more
looks at the pixels themselves: what repeats from pixel to pixel, as a mesh does, the network's first stride hides.

The features are brought to the size they have in true pictures, channel by channel. A norm over each picture's own features
would hide the very thing that is asked for: how strong detail is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.training.team import ALONE, Team

WIDTH = 64
"""Channels inside a head."""
BEGIN = 50
"""Steps over which its word gains weight: at first it knows nothing."""
LESSONS = 2
"""Steps it takes for one of those whose pictures it judges."""
MOMENTUM = 0.05
"""Of the running size of true pictures' features."""
FOLD = 4
"""Pixels a side that the head of pixels takes together: as many as a decoder's last convolution writes at once, whose seams
make a grid. Parts of pictures that are judged begin at multiples of it."""


class Adversary(nn.Module):
    """Heads on the features of several depths and on the pixels, each with one opinion a place. Hinge loss (Lim and Ye 2017).

    Args:
        channels: of the features, fine to coarse.
        rate: learning rate of AdamW.
        team: the processes that train it together.
    """

    steps: Tensor

    def __init__(self, channels: Sequence[int], rate: float, team: Team = ALONE) -> None:
        super().__init__()
        self.team = team
        self.heads = nn.ModuleList(Head(width) for width in (3 * FOLD**2, *channels))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))
        self.optimiser = torch.optim.AdamW(self.parameters(), lr=rate, betas=(0.0, 0.99), weight_decay=0.01)

    @property
    def weight(self) -> float:
        """The weight of the judge's loss by now, 0 … 1: it rises over the first ``BEGIN`` steps."""
        return min(1.0, int(self.steps) / BEGIN)

    def opinions(self, pictures: Tensor, features: Sequence[Tensor]) -> list[Tensor]:
        """Pictures (B, 3, H, W) and their features (B, C, h, w) → (B, 1, h, w) each: above 0 looks true, below looks made."""
        inputs = (F.pixel_unshuffle(pictures, FOLD), *features)
        return [head(feature) for head, feature in zip(self.heads, inputs, strict=True)]

    def fooled(self, pictures: Tensor, features: Sequence[Tensor]) -> Tensor:
        """The loss of who made the pictures: a number that falls as the judge takes them for true ones."""
        return -torch.stack([opinion.mean() for opinion in self.opinions(pictures, features)]).mean()

    def learn(self, made: tuple[Tensor, Sequence[Tensor]], true: tuple[Tensor, Sequence[Tensor]]) -> float:
        """A lesson on the same pictures, made and true, each with its features.

        Returns the hinge loss: 2 knows nothing, 0 knows all.
        """
        fakes = (made[0].detach(), [feature.detach() for feature in made[1]])
        share = MOMENTUM if int(self.steps) else 1.0
        for head, feature in zip(self.heads, (F.pixel_unshuffle(true[0], FOLD), *true[1]), strict=True):
            cast("Head", head).measure(feature, share, self.team)
        loss = fakes[0].new_zeros(())
        for _ in range(LESSONS):
            loss = torch.stack(
                [
                    F.relu(1 + fake).mean() + F.relu(1 - real).mean()
                    for fake, real in zip(self.opinions(*fakes), self.opinions(*true), strict=True)
                ]
            ).mean()
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.team.average_gradients(self)
            self.optimiser.step()
        self.steps += 1
        return float(loss.detach())

    def state(self) -> dict[str, object]:
        return {"heads": self.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state(self, state: dict[str, object]) -> None:
        """Take up a judge again. One of another build is passed over: this one learns anew, which takes few pictures."""
        heads = cast("dict[str, Tensor]", state["heads"])
        own = self.state_dict()
        if {name: value.shape for name, value in heads.items()} != {name: value.shape for name, value in own.items()}:
            return
        self.load_state_dict(heads)
        self.optimiser.load_state_dict(cast("dict[str, object]", state["optimiser"]))


class Head(nn.Module):
    """An opinion a place from features (B, C, h, w), whose channels it brings to mean 0 and deviation 1 over true pictures."""

    mean: Tensor
    square: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("square", torch.ones(channels))  # mean of squares
        self.layers = nn.Sequential(
            nn.Conv2d(channels, WIDTH, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(WIDTH, WIDTH, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(WIDTH, 1, 1),
        )

    @torch.no_grad()
    def measure(self, true: Tensor, share: float, team: Team) -> None:
        """Follow what true pictures' features are like: these count by ``share``, those before by the rest."""
        self.mean.lerp_(team.mean(true.mean((0, 2, 3))), share)
        self.square.lerp_(team.mean(true.square().mean((0, 2, 3))), share)

    def forward(self, features: Tensor) -> Tensor:
        deviation = (self.square - self.mean.square()).clamp_min(1e-6).sqrt()
        return self.layers((features - self.mean[:, None, None]) / deviation[:, None, None])


def balanced(made: Tensor, faithful: Tensor, fooled: Tensor, share: float, team: Team = ALONE) -> Tensor:
    """A loss whose gradient at ``made`` is that of ``faithful`` plus that of ``fooled``, brought to ``share`` of its length.

    So one number fits every stage of a training: a better judge does not shout louder (as Esser et al. 2021 weigh theirs).

    Args:
        made: what a network made, with its graph.
        faithful, fooled: numbers computed from ``made``.
        team: ``made`` is this process's part of what all made; the lengths are those of the whole.
    """
    (toward,) = torch.autograd.grad(faithful, made, retain_graph=True)
    (judged,) = torch.autograd.grad(fooled, made, retain_graph=True)
    gradient = toward + share * team.length(toward) / team.length(judged).clamp_min(1e-12) * judged
    return (made * gradient.detach()).sum()
