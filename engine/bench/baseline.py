"""The measure of our speed: the published network written down plainly, as its description says.

It always runs three branches, builds its masks once a picture, keeps keys and values within a picture (as the published
program does) and nothing from one picture to the next. It computes the half of the last content layer whose result nobody
uses, because nobody told it. It is no straw man: it runs the same kernels of torch on the same weights, all branches in one
batch, and draws the same bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.encoders.features import PromptFeatures, SubjectFeatures
from engine.model.block import ContentUpdate, CrossQuery, FeedForward
from engine.model.config import ScaleSchedule
from engine.model.schedules import grid_positions
from engine.model.transformer import Transformer
from engine.sampling.guidance import Guidance, bit_probability, draw_bits
from engine.tokenizer.config import TokenizerConfig
from engine.tokenizer.quantizer import add_scale, next_input

EPSILON = 1e-6
MAX_LOG_SCALE = math.log(100.0)


@dataclass
class _Kept:
    """The state of one block within a picture."""

    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    content: tuple[Tensor, Tensor] | None = None
    cross: tuple[Tensor, Tensor] | None = None


class Baseline:
    """A plain sampler of one transformer.

    Args:
        net: whose weights are used.
        tokenizer: how bits become codes.
    """

    def __init__(self, net: Transformer, tokenizer: TokenizerConfig) -> None:
        self.net, self.tokenizer = net, tokenizer
        self.heads = net.config.heads
        self.device = net.null_content.device
        self._unused_update = ContentUpdate(net.config)
        for parameter in self._unused_update.parameters():
            torch.nn.init.normal_(parameter, std=0.02)
        self._unused_update.to(self.device, net.blocks[-1].content.key_value.dtype).requires_grad_(False)

    @torch.inference_mode()
    def draw(
        self, prompt: PromptFeatures, subject: SubjectFeatures, guidance: Guidance, schedule: ScaleSchedule, seed: int
    ) -> list[Tensor]:
        """Bit labels (h, w, d) of all scales of one picture."""
        net = self.net
        text = prompt.features.to(self.device)
        texts = torch.stack([text, text, net.null_text[: len(text)]])
        null_class, null_patches, null_content = net.null_subject()
        class_token = torch.cat([subject.class_token.to(self.device)[None], null_class, null_class])
        patches = torch.cat([subject.patches.to(self.device)[None], null_patches, null_patches])
        content = torch.cat([subject.content.to(self.device)[None], null_content, null_content])

        normed = texts * torch.rsqrt(texts.square().mean(-1, keepdim=True) + EPSILON) * net.text_norm
        vector = net.text_pool(normed, None)
        words = net.text_projection(normed)
        thing = net.subject_projection(class_token)
        semantic = net.semantic_projection(patches)
        y = net.content_projection(content).float()
        shared = net.image_modulation_text(F.silu(vector)) + net.image_modulation_subject(F.silu(thing))
        content_shared = net.content_modulation_text(F.silu(vector)) + net.content_modulation_subject(F.silu(thing))
        shared, content_shared = shared.unflatten(-1, (6, -1)), content_shared.unflatten(-1, (6, -1))

        mask, content_mask = self._masks(schedule)
        kept = [_Kept() for _ in net.blocks]
        summed = torch.zeros(1, self.tokenizer.bits, *schedule.grids[-1], device=self.device)
        labels = []
        end = 0
        for scale, grid in enumerate(schedule.grids):
            if scale == 0:
                x = torch.stack([thing + net.subject_start, vector + net.text_start], dim=1)
                positions = [(0, 0), (0, 0)]
            else:
                x = net.word_embedding(next_input(summed, grid)).expand(3, -1, -1)
                positions = grid_positions(grid, schedule.rotary_grid)
            x = x + net.level_embedding[scale]
            cos, sin = self._angles(positions)
            start, end = end, end + x.shape[1]
            rows, content_rows = mask[:, :, start:end, :end], content_mask[:, :, start:end]
            for index in range(len(net.blocks)):
                if scale == 0:
                    y = self._content(index, y, content_shared, words, kept[index])
                    kept[index].cross = self._cross_keys(index, words, semantic)
                x = self._image(index, x, shared, cos, sin, rows, content_rows, kept[index])
            if scale == 0:
                x = x[:, 1:]
            factor, shift = net.head_modulation(F.silu(vector)).unflatten(-1, (2, -1)).unsqueeze(2).unbind(1)
            full, only_text, null = net.head(_layer_norm(x) * (1 + factor) + shift) / guidance.temperature[scale]
            mixed = null + guidance.text[scale] * (only_text - null) + guidance.identity[scale] * (full - only_text)
            bits = draw_bits(bit_probability(mixed, guidance.top_p), seed, scale).view(*grid, -1).to(torch.uint8)
            labels.append(bits)
            summed = add_scale(summed, bits[None], self.tokenizer, scale)
        return labels

    def _masks(self, schedule: ScaleSchedule) -> tuple[Tensor, Tensor]:
        """0 where a token may look and -inf elsewhere: (1, 1, L, L) by scale, (1, 1, L, P) for the content."""
        scales = torch.arange(len(schedule.grids))
        scale_of = torch.repeat_interleave(scales, torch.tensor([2, *schedule.tokens[1:]])).to(self.device)
        dtype = self.net.blocks[0].image.qkv.dtype
        hidden = scale_of[:, None] < scale_of[None, :]
        mask = torch.zeros(hidden.shape, dtype=dtype, device=self.device).masked_fill(hidden, float("-inf"))
        content = torch.zeros(len(scale_of), self.net.config.content_tokens, dtype=dtype, device=self.device)
        return mask[None, None], content[None, None]

    def _angles(self, positions: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        size = self.net.config.head_size
        theta = 10000.0 ** (-torch.arange(0, size // 4, dtype=torch.float32) * 4 / size)
        place = torch.tensor(positions, dtype=torch.float32)
        angle = torch.cat([place[:, :1] * theta, place[:, 1:] * theta], dim=1).to(self.device)
        return angle.cos(), angle.sin()

    def _image(
        self,
        index: int,
        x: Tensor,
        shared: Tensor,
        cos: Tensor,
        sin: Tensor,
        mask: Tensor,
        content_mask: Tensor,
        kept: _Kept,
    ) -> Tensor:
        layer = self.net.blocks[index].image
        rows = (layer.modulation.float() + shared).unsqueeze(2)
        gate1, gate2, scale1, scale2, shift1, shift2 = rows.unbind(1)
        u = _layer_norm(x) * (1 + scale1) + shift1
        query, keys, values = F.linear(u.to(layer.qkv.dtype), layer.qkv).chunk(3, dim=-1)
        query, keys, values = query + layer.query_bias, keys, values + layer.value_bias
        query, keys, values = self._split(query), self._split(keys), self._split(values)
        factor = layer.log_scale.float().clamp(max=MAX_LOG_SCALE).exp().view(-1, 1, 1)
        query = _rotate(F.normalize(query.float(), dim=-1) * factor, cos, sin).to(values.dtype)
        keys = _rotate(F.normalize(keys.float(), dim=-1), cos, sin).to(values.dtype)
        kept.keys.append(keys)
        kept.values.append(values)
        assert kept.content is not None
        assert kept.cross is not None
        own = _attend(query, torch.cat(kept.keys, dim=2), torch.cat(kept.values, dim=2), 1.0, mask)
        from_content = _attend(query, *kept.content, 1.0, content_mask)
        x = x + gate1 * layer.proj(own + F.linear(from_content, layer.content_proj))
        x = x + self._cross(layer.cross, x, *kept.cross)
        return x + gate2 * _feed_forward(layer.feed_forward, _layer_norm(x) * (1 + scale2) + shift2)

    def _content(self, index: int, y: Tensor, shared: Tensor, words: Tensor, kept: _Kept) -> Tensor:
        layer = self.net.blocks[index].content
        update = layer.update or self._unused_update
        table = layer.modulation.float()
        if layer.update is None:  # the four rows that are not stored count as zeros
            table = F.pad(table, (0, 0, 0, 4))[[2, 3, 0, 4, 1, 5]]
        gate1, gate2, scale1, scale2, shift1, shift2 = (table + shared).unsqueeze(2).unbind(1)
        u = (_layer_norm(y) * (1 + scale1) + shift1).to(layer.key_value.dtype)
        keys, values = F.linear(u, layer.key_value).chunk(2, dim=-1)
        keys = F.normalize(self._split(keys).float(), dim=-1).to(values.dtype)
        values = self._split(values + layer.value_bias)
        kept.content = keys, values
        query = F.normalize(self._split(F.linear(u, update.query, update.query_bias)).float(), dim=-1)
        factor = update.log_scale.float().clamp(max=MAX_LOG_SCALE).exp().view(-1, 1, 1)
        y = y + gate1 * update.proj(_attend((query * factor).to(values.dtype), keys, values, 1.0))
        text_keys = update.text_keys
        y = y + self._cross(update.cross, y, *self._key_value(words, text_keys.weight, text_keys.value_bias))
        return y + gate2 * _feed_forward(update.feed_forward, _layer_norm(y) * (1 + scale2) + shift2)

    def _cross_keys(self, index: int, words: Tensor, semantic: Tensor) -> tuple[Tensor, Tensor]:
        layer = self.net.blocks[index].image
        first = self._key_value(words, layer.text_keys.weight, layer.text_keys.value_bias)
        second = self._key_value(semantic, layer.semantic_keys.weight, layer.semantic_keys.value_bias)
        return torch.cat([first[0], second[0]], dim=2), torch.cat([first[1], second[1]], dim=2)

    def _cross(self, side: CrossQuery, x: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        normed = _layer_norm(x) * side.norm.weight.float() + side.norm.bias.float()
        query = self._split(side.query(normed.to(side.query.weight.dtype)))
        return side.proj(_attend(query, keys, values, query.shape[-1] ** -0.5))

    def _key_value(self, tokens: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = F.linear(tokens.to(weight.dtype), weight).chunk(2, dim=-1)
        return self._split(keys), self._split(values + bias)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def _attend(query: Tensor, keys: Tensor, values: Tensor, scale: float, mask: Tensor | None = None) -> Tensor:
    mixed = F.scaled_dot_product_attention(query, keys, values, attn_mask=mask, scale=scale)
    return mixed.transpose(1, 2).flatten(2)


def _layer_norm(x: Tensor) -> Tensor:
    return F.layer_norm(x.float(), x.shape[-1:], eps=EPSILON)


def _feed_forward(layer: FeedForward, x: Tensor) -> Tensor:
    return layer.fc2(F.gelu(layer.fc1(x.to(layer.fc1.weight.dtype)), approximate="tanh"))


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)
