"""One block of the transformer: the image layer, and the content layer with weights of its own.

Shapes: B branches or samples, n tokens, C width, H heads of size c. Residual streams, normalisation and modulation run in
float32; linear layers and attention in the dtype of their weights. Cosine attention: queries and keys have unit length, a
learned factor per head (at most 100) replaces 1/√c.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.config import TransformerConfig
from engine.model.rotary import rotate

EPSILON = 1e-6
MAX_LOG_SCALE = math.log(100.0)
_GELU_LINEAR = 2 * math.sqrt(2 / math.pi)
_GELU_CUBIC = 0.044715 * _GELU_LINEAR
# For products on the processor (docs/decisions/0009): rows that are few, and output channels of a piece.
_FEW_ROWS = 32
_PIECE = 384


@dataclass(frozen=True)
class KeyValue:
    """Keys and values of one attention, each (B, H, n, c); ``mask`` is bool (B, 1, 1, n), True where keys count, or a number
    that is added to the logits of each key."""

    keys: Tensor
    values: Tensor
    mask: Tensor | None = None


class KeyValueCache(Protocol):
    """Keys and values of the scales before, for one block."""

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Add this scale's (B, H, n, c); returns those of all scales so far."""


def layer_norm(x: Tensor) -> Tensor:
    return F.layer_norm(x.float(), x.shape[-1:], eps=EPSILON)


class Modulation(NamedTuple):
    """The factors and offsets of an image layer besides its matrices, the same for all scales of a picture.

    Attributes:
        gate1, gate2, factor1, factor2, shift1, shift2: modulation, each (B, 1, C) float32; a scale of 0 is a factor of 1.
        bias: (3C,) of queries, keys (zeros) and values.
        lengths: (2H, 1) float32: what queries and keys are brought to, by heads.
    """

    gate1: Tensor
    gate2: Tensor
    factor1: Tensor
    factor2: Tensor
    shift1: Tensor
    shift2: Tensor
    bias: Tensor
    lengths: Tensor

    def of(self, branches: slice) -> Modulation:
        """The same for a part of the batch."""
        return self._replace(**{name: getattr(self, name)[branches] for name in self._fields[:6]})


def modulate(x: Tensor, factor: Tensor, shift: Tensor) -> Tensor:
    """LN(x)·factor + shift; factor and shift (B, 1, C)."""
    return torch.addcmul(shift, layer_norm(x), factor)


def unit_heads(x: Tensor, factor: Tensor | None = None) -> Tensor:
    """Head vectors (B, n, H, c) at length 1, or at ``factor`` (H, 1), in float32."""
    x = x.float()
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min(1e-12)
    return x / length if factor is None else x * (factor / length)


def heads_of(x: Tensor, heads: int) -> Tensor:
    """(B, n, C) → (B, n, H, C/H)."""
    return x.unflatten(-1, (heads, -1))


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, n, C) → (B, H, n, C/H), as attention wants it."""
    return heads_of(x, heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, H, n, c) → (B, n, H·c)."""
    return x.transpose(1, 2).flatten(2)


def attend(query: Tensor, keys: Tensor, values: Tensor, scale: float, mask: Tensor | None = None) -> Tensor:
    """softmax(scale · Q Kᵀ) V per head, (B, H, n, c) → (B, n, C)."""
    return merge_heads(F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scale))


def attend_groups(query: Tensor, groups: Sequence[KeyValue], scale: float) -> Tensor:
    """Attention where parts of the batch have keys of their own, in number too: no padding, no mask, no copies.

    Args:
        query: (B, H, n, c).
        groups: keys and values whose batch sizes add up to B.
    """
    if len(groups) == 1:
        return attend(query, groups[0].keys, groups[0].values, scale, groups[0].mask)
    parts = query.split([group.keys.shape[0] for group in groups])
    return torch.cat([attend(q, g.keys, g.values, scale, g.mask) for q, g in zip(parts, groups, strict=True)])


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Linear layer (..., in) → (..., out) in the dtype of its weight (out, in)."""
    x = x.to(weight.dtype)
    bias = None if bias is None else bias.to(weight.dtype)
    if x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_grad_enabled():
        return _processor_linear(x.flatten(0, -2), weight, bias).unflatten(0, x.shape[:-1])
    return F.linear(x, weight, bias)


def _processor_linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """The same for rows (n, in), in the order and the pieces in which MKL is quickest (docs/decisions/0009)."""
    few = len(x) <= _FEW_ROWS
    if not few and len(weight) <= 2 * _PIECE:
        return F.linear(x, weight, bias)
    out = x.new_empty(len(x), len(weight))
    if few:
        product = torch.mm(weight, x.t()).t()
        return out.copy_(product) if bias is None else torch.add(product, bias, out=out)
    for start in range(0, len(weight), _PIECE):
        piece = slice(start, start + _PIECE)
        if bias is None:
            torch.mm(x, weight[piece].t(), out=out[:, piece])
        else:
            torch.addmm(bias[piece], x, weight[piece].t(), out=out[:, piece])
    return out


def gelu(x: Tensor) -> Tensor:
    """The tanh approximation of gelu. ``x`` may be overwritten where no gradient is wanted.

    ½x(1 + tanh u) is x·σ(2u), and the processor's σ is several times as fast as its tanh.
    """
    if x.device.type != "cpu" or x.dtype != torch.float32 or torch.is_grad_enabled():
        return F.gelu(x, approximate="tanh")
    double_u = torch.addcmul(x.new_tensor(_GELU_LINEAR), x, x, value=_GELU_CUBIC).mul_(x)
    return x.mul_(double_u.sigmoid_())


def apply_linear(layer: nn.Linear, x: Tensor) -> Tensor:
    """``layer(x)`` by ``linear``."""
    return linear(x, layer.weight, layer.bias)


class FeedForward(nn.Module):
    """fc2(gelu(fc1(x)))."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return apply_linear(self.fc2, gelu(apply_linear(self.fc1, x)))


class CrossQuery(nn.Module):
    """The query side of a cross-attention: x → x + proj(att(q(norm(x)), keys, values))."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.query = nn.Linear(width, width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, cross: Sequence[KeyValue]) -> Tensor:
        normed = F.layer_norm(x.float(), x.shape[-1:], self.norm.weight.float(), self.norm.bias.float(), EPSILON)
        query = split_heads(apply_linear(self.query, normed), self.heads)
        mixed = attend_groups(query, cross, query.shape[-1] ** -0.5)
        return x + apply_linear(self.proj, mixed)


class CrossKeyValue(nn.Module):
    """The key side of a cross-attention for one kind of tokens: keys without, values with a bias."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.weight = nn.Parameter(torch.empty(2 * width, width))
        self.value_bias = nn.Parameter(torch.zeros(width))

    def forward(self, tokens: Tensor) -> KeyValue:
        bias = torch.cat([torch.zeros_like(self.value_bias), self.value_bias])
        keys, values = linear(tokens, self.weight, bias).chunk(2, dim=-1)
        return KeyValue(split_heads(keys, self.heads), split_heads(values, self.heads))


class ImageLayer(nn.Module):
    """Image tokens: self-attention over all scales so far plus a separate softmax over the content keys, cross-attention
    to text and semantic tokens in one softmax, feed-forward; modulated by the global vectors."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.heads = heads
        self.modulation = nn.Parameter(torch.zeros(6, width))
        self.log_scale = nn.Parameter(torch.zeros(heads))
        self.qkv = nn.Parameter(torch.empty(3 * width, width))
        self.query_bias = nn.Parameter(torch.zeros(width))
        self.value_bias = nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)
        self.content_proj = nn.Parameter(torch.empty(width, width))
        self.cross = CrossQuery(width, heads)
        self.text_keys = CrossKeyValue(width, heads)
        self.semantic_keys = CrossKeyValue(width, heads)
        self.feed_forward = FeedForward(width, config.hidden)

    def prepared(self, shared: Tensor) -> Modulation:
        """For a modulation that all blocks share, (B, 6, C); this layer's table is added."""
        gate1, gate2, scale1, scale2, shift1, shift2 = (self.modulation.float() + shared).unsqueeze(2).unbind(1)
        bias = torch.cat([self.query_bias, torch.zeros_like(self.query_bias), self.value_bias])
        factor = self.log_scale.float().clamp(max=MAX_LOG_SCALE).exp()
        lengths = torch.cat([factor, torch.ones_like(factor)]).unsqueeze(-1)
        return Modulation(gate1, gate2, 1 + scale1, 1 + scale2, shift1, shift2, bias.to(self.qkv.dtype), lengths)

    def forward(
        self,
        x: Tensor,
        prepared: Modulation,
        rotary: Tensor,
        content: Sequence[KeyValue],
        cross: Sequence[KeyValue],
        cache: KeyValueCache | None = None,
        mask: Tensor | None = None,
        wanted: int | None = None,
    ) -> Tensor:
        """(B, n, C) → (B, n, C), or (B, m, C) where only some are wanted.

        Args:
            prepared: from ``prepared``.
            rotary: rotary code of the n tokens.
            content: content keys and values of this block, by groups of the batch.
            cross: text keys and values followed by the semantic ones, by groups.
            cache: earlier scales; None when x holds all of them (training).
            mask: bool (n, n), True where a token may look; None without restriction.
            wanted: so many go on, the first ones; of the others only keys and values are made. None for all.
        """
        gate1, gate2, factor1, factor2, shift1, shift2, bias, lengths = prepared
        query, keys, values = self._heads(modulate(x, factor1, shift1), rotary, bias, lengths)
        if cache is not None:
            keys, values = cache.extend(keys, values)
        if wanted is not None:
            x, query = x[:, :wanted], query[:, :, :wanted]
            if not wanted:  # not every device's attention knows queries of no token
                return x
        own = attend(query, keys, values, 1.0, mask)
        from_content = attend_groups(query, content, 1.0)
        x = torch.addcmul(x, gate1, apply_linear(self.proj, own + linear(from_content, self.content_proj)))
        x = self.cross(x, cross)
        return torch.addcmul(x, gate2, self.feed_forward(modulate(x, factor2, shift2)))

    def _heads(self, x: Tensor, rotary: Tensor, bias: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (B, H, n, c). Queries and keys go through everything together."""
        both, values = linear(x, self.qkv, bias).split([2 * x.shape[-1], x.shape[-1]], dim=-1)
        both = rotate(unit_heads(heads_of(both, 2 * self.heads), lengths), rotary).to(values.dtype)
        query, keys = both.transpose(1, 2).chunk(2, dim=1)
        return query, keys, split_heads(values, self.heads)


class ContentLayer(nn.Module):
    """Content tokens: they see each other and the text, never the image. What the image sees of them are ``keys``.

    In the last block nothing after the keys is ever used: ``update`` is None there, and the modulation table has the two
    rows (scale1, shift1) that count.
    """

    def __init__(self, config: TransformerConfig, last: bool) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.modulation = nn.Parameter(torch.zeros(2 if last else 6, width))
        self.key_value = nn.Parameter(torch.empty(2 * width, width))
        self.value_bias = nn.Parameter(torch.zeros(width))
        self.update = None if last else ContentUpdate(config)

    def forward(
        self, y: Tensor, modulation: Tensor, text: KeyValue | None, rotary: Tensor | None = None
    ) -> tuple[KeyValue, Tensor]:
        """Content tokens (B, P, C) → (keys and values for this block's image layer, next content tokens).

        Args:
            modulation: (B, 6, C), shared by all blocks.
            text: text keys and values from ``update.text_keys``; unused in the last block.
            rotary: rotary code of the content grid, where the configuration has it.
        """
        rows = self.modulation.float()
        if self.update is None:
            scale1, shift1 = (rows + modulation[:, [2, 4]]).unsqueeze(2).unbind(1)
        else:
            gate1, gate2, scale1, scale2, shift1, shift2 = (rows + modulation).unsqueeze(2).unbind(1)
        normed = modulate(y, 1 + scale1, shift1)
        keys, values = (heads_of(part, self.heads) for part in linear(normed, self.key_value).chunk(2, dim=-1))
        dtype = values.dtype
        keys = unit_heads(keys)
        if rotary is not None:
            keys = rotate(keys, rotary)
        values = values + heads_of(self.value_bias.to(dtype), self.heads)
        content_kv = KeyValue(keys.to(dtype).transpose(1, 2), values.transpose(1, 2))
        if self.update is None:
            return content_kv, y
        assert text is not None
        y = torch.addcmul(y, gate1, self.update.self_attention(normed, content_kv, rotary))
        y = self.update.cross(y, [text])
        return content_kv, torch.addcmul(y, gate2, self.update.feed_forward(modulate(y, 1 + scale2, shift2)))


class ContentUpdate(nn.Module):
    """The half of a content layer that makes the next block's content tokens."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.log_scale = nn.Parameter(torch.zeros(config.heads))
        self.query = nn.Parameter(torch.empty(width, width))
        self.query_bias = nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)
        self.cross = CrossQuery(width, config.heads)
        self.text_keys = CrossKeyValue(width, config.heads)
        self.feed_forward = FeedForward(width, config.hidden)

    def self_attention(self, normed: Tensor, content_kv: KeyValue, rotary: Tensor | None) -> Tensor:
        query = heads_of(linear(normed, self.query, self.query_bias), self.heads)
        query = unit_heads(query, self.log_scale.float().clamp(max=MAX_LOG_SCALE).exp().unsqueeze(-1))
        if rotary is not None:
            query = rotate(query, rotary)
        return self.proj(
            attend(query.to(content_kv.keys.dtype).transpose(1, 2), content_kv.keys, content_kv.values, 1.0)
        )


class Block(nn.Module):
    """Image layer and content layer of one depth."""

    def __init__(self, config: TransformerConfig, last: bool) -> None:
        super().__init__()
        self.image = ImageLayer(config)
        self.content = ContentLayer(config, last)

    def forward(self, x: Tensor, y: Tensor, context: BlockContext) -> tuple[Tensor, Tensor]:
        """Both layers at once, for training: image tokens (B, n, C) and content tokens (B, P, C) → the next block's."""
        words = None
        if self.content.update is not None:
            pair = self.content.update.text_keys(context.text)
            words = KeyValue(pair.keys, pair.values, context.text_mask)
        content, y = self.content(y, context.content_modulation, words, context.content_rotary)
        cross = join(self.image.text_keys(context.text), self.image.semantic_keys(context.semantic), context.cross_mask)
        x = self.image(
            x, self.image.prepared(context.modulation), context.rotary, [content], [cross], mask=context.mask
        )
        return x, y


class BlockContext(NamedTuple):
    """The inputs of all blocks in training besides their tokens.

    Attributes:
        modulation, content_modulation: (B, 6, C) each.
        text, semantic: tokens (B, T, C) and (B, S, C).
        text_mask, cross_mask: which of the text's tokens, and of both kinds', count; None when all do.
        rotary, content_rotary: codes of the image tokens and of the content grid; the latter None without one.
        mask: which image token sees which, bool (n, n).
    """

    modulation: Tensor
    content_modulation: Tensor
    text: Tensor
    text_mask: Tensor | None
    semantic: Tensor
    cross_mask: Tensor | None
    rotary: Tensor
    content_rotary: Tensor | None
    mask: Tensor


def join(first: KeyValue, second: KeyValue, mask: Tensor | None = None) -> KeyValue:
    """Keys and values of two kinds of tokens one after the other, for one softmax over both."""
    return KeyValue(torch.cat([first.keys, second.keys], dim=2), torch.cat([first.values, second.values], dim=2), mask)
