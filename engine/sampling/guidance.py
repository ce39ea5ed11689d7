"""Guidance: which branches of the network a picture needs, and how their logits are mixed and filtered.

The published mixture is L = null + t·(text − null) + s·(full − text). Training dropped the two subject paths independently,
so the subject strength can be split in two: L = null + t·(text − null) + s·(identity − text) + c·(full − identity), where
*identity* sees the subject's semantic tokens but no content. With c = s this is the published formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from engine.errors import RequestError
from engine.sentence import Sentence

Branch = Literal["full", "identity", "text", "null"]
BRANCHES: tuple[Branch, ...] = ("full", "identity", "text", "null")

BranchOrder = Literal["together", "side-by-side", "in-turn"]
"""How a picture's branches go through the network: as one batch, each on a thread of its own (on the processor; the
smallest scales as one batch), or one after the other, with less memory."""


@dataclass(frozen=True)
class Guidance:
    """Strengths and temperature of every scale.

    Attributes:
        text: t, one per scale. identity: s. look: c.
        temperature: divides the logits.
        top_p: 0 switches the filter off.
    """

    text: tuple[float, ...]
    identity: tuple[float, ...]
    look: tuple[float, ...]
    temperature: tuple[float, ...]
    top_p: float = 0.0

    @classmethod
    def of(
        cls,
        scales: int,
        text: float | Sequence[float],
        identity: float | Sequence[float],
        look: float | Sequence[float] | None = None,
        temperature: float | Sequence[float] = 1.0,
        top_p: float = 0.0,
    ) -> Guidance:
        """Spread single numbers over all scales. Raises ``RequestError`` when a list has the wrong length."""
        dials = [
            _per_scale(value, scales) for value in (text, identity, identity if look is None else look, temperature)
        ]
        return cls(dials[0], dials[1], dials[2], dials[3], top_p)

    def coefficients(self, scale: int, has_subject: bool) -> dict[Branch, float]:
        """Weight of each branch's logits at one scale; they add up to 1."""
        t, s, c = self.text[scale], self.identity[scale], self.look[scale]
        if not has_subject:
            return {"full": 0.0, "identity": 0.0, "text": t, "null": 1.0 - t}
        return {"full": c, "identity": s - c, "text": t - s, "null": 1.0 - t}

    def branches(self, has_subject: bool) -> tuple[Branch, ...]:
        """The branches any scale needs. One needed late needs its cache from every earlier scale, so all count."""
        needed = {
            branch
            for scale in range(len(self.text))
            for branch, weight in self.coefficients(scale, has_subject).items()
            if weight != 0.0
        }
        return tuple(branch for branch in BRANCHES if branch in needed)


def _per_scale(value: float | Sequence[float], scales: int) -> tuple[float, ...]:
    if isinstance(value, (int, float)):
        return (float(value),) * scales
    values = tuple(float(v) for v in value)
    if len(values) != scales:
        raise RequestError(
            Sentence("There are {count} numbers for {scales} scales.", count=len(values), scales=scales),
            Sentence("Give one number, or one per scale."),
        )
    return values


def mix(logits: Tensor, weights: Sequence[float]) -> Tensor:
    """Branch logits (B, n, 2d) and one weight each → (n, 2d)."""
    total = logits[0] * weights[0]
    for branch, weight in zip(logits[1:], weights[1:], strict=True):
        if weight:
            total = total + branch * weight
    return total


def bit_probability(logits: Tensor, top_p: float) -> Tensor:
    """Probability of bit 1 after the top-p filter: (n, 2d) → (n, d) float32.

    With two classes top-p means: the less likely bit is dropped when its probability is at most 1 - top_p, compared in
    float32. On an exact tie bit 0 counts as the less likely one, so a top_p of at most 0.5 is deterministic.
    """
    pairs = logits.float().unflatten(-1, (-1, 2)).softmax(-1)
    zero, one = pairs[..., 0], pairs[..., 1]
    if top_p <= 0.0:
        return one
    limit = 1.0 - top_p  # becomes float32 in a comparison with float32, without a copy to the device
    certain_zero = (one <= limit) & (one < zero)
    certain_one = (zero <= limit) & (zero <= one)
    return one.masked_fill(certain_zero, 0.0).masked_fill(certain_one, 1.0)


def draw_bits(
    probability: Tensor, seed: int, scale: int, *, tokens: int | None = None, places: Tensor | None = None
) -> Tensor:
    """Draw each bit on its own: (n, d) probabilities of bit 1 → bool (n, d).

    Args:
        tokens, places: how many tokens the scale has and which of them these are, (n,), when they are not all. A token's
            noise is the same whichever others are drawn.

    The noise comes from one CPU generator per (seed, scale): the same on every device, and independent of how many
    numbers other scales used.
    """
    generator = torch.Generator().manual_seed((seed << 8) | scale)
    shape = (probability.shape[0] if tokens is None else tokens, probability.shape[1])
    noise = torch.rand(shape, generator=generator, dtype=torch.float32)
    if places is not None:
        noise = noise[places]
    return noise.to(probability.device) < probability
