"""T5's encoder, as far as it is used: one prompt, no padding, inference only.

The libraries that have it need seconds to be imported, which every start would pay. Weights have the names of
``engine/encoders/names.py``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.encoders.activations import activation


@dataclass(frozen=True)
class T5Settings:
    """The sizes of the encoder in a ``T5Config``.

    Attributes:
        d_model: width. d_kv: width of a head. d_ff: inner width of a feed-forward.
        num_layers, num_heads, vocab_size: counts.
        gated, act: the feed-forward: "gated-gelu" is a gate with the tanh form of GELU.
    """

    d_model: int
    d_kv: int
    d_ff: int
    num_layers: int
    num_heads: int
    vocab_size: int
    buckets: int
    longest: int
    epsilon: float
    gated: bool
    act: str

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> T5Settings:
        """From a ``T5Config`` as a dict; what it leaves out has T5's own defaults. Raises ``ValueError``."""
        kind = str(config.get("feed_forward_proj", "relu"))
        gated, act = kind.startswith("gated-"), kind.rpartition("-")[2]
        if kind == "gated-gelu":
            act = "gelu_new"
        if int(config.get("num_layers", 6)) < 1:
            raise ValueError("an encoder without blocks")
        return cls(
            d_model=int(config.get("d_model", 512)),
            d_kv=int(config.get("d_kv", 64)),
            d_ff=int(config.get("d_ff", 2048)),
            num_layers=int(config.get("num_layers", 6)),
            num_heads=int(config.get("num_heads", 8)),
            vocab_size=int(config.get("vocab_size", 32128)),
            buckets=int(config.get("relative_attention_num_buckets", 32)),
            longest=int(config.get("relative_attention_max_distance", 128)),
            epsilon=float(config.get("layer_norm_epsilon", 1e-6)),
            gated=gated,
            act=act,
        )


class Wide(nn.Linear):
    """A linear layer without bias that computes in float32, whatever its weights rest in: each is widened for its own use."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__(width, out, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input.float(), self.weight.float())


class Norm(nn.Module):
    """Division by the root of the mean square; nothing is subtracted."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        square = x.float().pow(2).mean(-1, keepdim=True)
        return self.weight.float() * (x * torch.rsqrt(square + self.epsilon))


class T5Attention(nn.Module):
    """Self-attention without scaling; the first block's has the table of distances that all blocks share."""

    def __init__(self, settings: T5Settings, first: bool) -> None:
        super().__init__()
        inner = settings.num_heads * settings.d_kv
        self.settings = settings
        self.norm = Norm(settings.d_model, settings.epsilon)
        self.query = Wide(settings.d_model, inner)
        self.key = Wide(settings.d_model, inner)
        self.value = Wide(settings.d_model, inner)
        self.output = Wide(inner, settings.d_model)
        self.distances = nn.Embedding(settings.buckets, settings.num_heads) if first else None

    def bias(self, count: int) -> Tensor:
        """The bias added to the scores of ``count`` tokens, (1, heads, count, count)."""
        assert self.distances is not None
        place = torch.arange(count, device=self.distances.weight.device)
        buckets = bucket_of(place[None, :] - place[:, None], self.settings.buckets, self.settings.longest)
        return self.distances(buckets).float().permute(2, 0, 1)[None].contiguous()

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        normed = self.norm(x)
        q, k, v = (
            layer(normed).unflatten(-1, (self.settings.num_heads, -1)).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        found = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
        return x + self.output(found.transpose(1, 2).flatten(2))


class T5FeedForward(nn.Module):
    """The feed-forward half of a block, gated in the newer T5; with its norm and its residual."""

    def __init__(self, settings: T5Settings) -> None:
        super().__init__()
        self.norm = Norm(settings.d_model, settings.epsilon)
        self.gate = Wide(settings.d_model, settings.d_ff) if settings.gated else None
        self.input = Wide(settings.d_model, settings.d_ff)
        self.output = Wide(settings.d_ff, settings.d_model)
        self.act = activation(settings.act)

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        inner = self.input(normed)
        inner = self.act(inner) if self.gate is None else self.act(self.gate(normed)) * inner
        return x + self.output(inner)


class T5Block(nn.Module):
    """Attention and feed-forward; the first block owns the table of relative positions."""

    def __init__(self, settings: T5Settings, first: bool) -> None:
        super().__init__()
        self.attention = T5Attention(settings, first)
        self.feed_forward = T5FeedForward(settings)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        return self.feed_forward(self.attention(x, bias))


class T5Encoder(nn.Module):
    """Token ids (B, T) to features (B, T, d_model), float32.

    Args:
        config: a ``T5Config`` as a dict.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.config = settings = T5Settings.of(config)
        self.words = nn.Embedding(settings.vocab_size, settings.d_model)
        self.blocks = nn.ModuleList(T5Block(settings, index == 0) for index in range(settings.num_layers))
        self.norm = Norm(settings.d_model, settings.epsilon)

    @property
    def device(self) -> torch.device:
        return self.words.weight.device

    def forward(self, ids: Tensor) -> Tensor:
        x = self.words(ids).float()
        first = self.blocks[0]
        assert isinstance(first, T5Block)
        bias = first.attention.bias(ids.shape[1])
        for block in self.blocks:
            x = block(x, bias)
        return self.norm(x)


def bucket_of(distance: Tensor, buckets: int, longest: int) -> Tensor:
    """Row of the table for distances in tokens: half of the rows for each direction, of which half stand for one distance each
    and the others for ranges that grow with it, up to ``longest``."""
    half = buckets // 2
    exact = half // 2
    far = distance.abs()
    grown = exact + (torch.log(far.float() / exact) / math.log(longest / exact) * (half - exact)).long()
    row = torch.where(far < exact, far, grown.clamp(max=half - 1))
    return row + (distance > 0).long() * half
