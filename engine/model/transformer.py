"""The transformer of EchoGen: Infinity's bit-wise next-scale prediction with a semantic and a content path for the subject.

Inference calls the pieces one by one, because almost all of them can be kept between runs (``engine/sampling``); training
calls ``forward`` with everything at once. Both use the same layers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.model.block import EPSILON, Block, BlockContext, attend, gelu, split_heads
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.model.rotary import rotary_code
from engine.model.schedules import grid_positions


@dataclass(frozen=True)
class TextCondition:
    """Values that follow from a text alone: global vector (B, C) and tokens for cross-attention (B, T, C)."""

    vector: Tensor
    tokens: Tensor
    mask: Tensor | None = None


@dataclass(frozen=True)
class SubjectCondition:
    """Values that follow from a subject alone: global vector (B, C), semantic tokens (B, S, C), content tokens (B, P, C)."""

    vector: Tensor
    semantic: Tensor
    content: Tensor


class TokenProjection(nn.Module):
    """Two linear layers with a gelu between: encoder features → C."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(inputs, width)
        self.fc2 = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(gelu(self.fc1(x.to(self.fc1.weight.dtype))))


class TextPool(nn.Module):
    """One learned query per head over the text features: the global text vector."""

    def __init__(self, inputs: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Parameter(torch.empty(heads, width // heads))
        self.key_value = nn.Parameter(torch.empty(2 * width, inputs))
        self.value_bias = nn.Parameter(torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        keys, values = F.linear(x, self.key_value).chunk(2, dim=-1)
        query = self.query.expand(x.shape[0], -1, -1).unsqueeze(2)
        keys, values = split_heads(keys, self.heads), split_heads(values + self.value_bias, self.heads)
        return self.proj(attend(query, keys, values, self.query.shape[-1] ** -0.5, mask)).squeeze(1)


class Transformer(nn.Module):
    """The network. Parameters are named after what they do; ``engine/model/keys.py`` maps the published names.

    Attributes:
        null_text: (text_limit, W_t), stands in for a missing prompt (its first T rows, T tokens of the prompt).
        null_semantic: (S + 1, W_s); row 0 is the class token.
        null_content: (P, W_c).
        blocks: an ``nn.ModuleList``.
    """

    blocks: Sequence[Block]

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.null_text = nn.Parameter(torch.empty(config.text_limit, config.text_width))
        self.null_semantic = nn.Parameter(torch.empty(config.semantic_tokens + 1, config.semantic_width))
        self.null_content = nn.Parameter(torch.empty(config.content_tokens, config.content_width))
        self.text_norm = nn.Parameter(torch.ones(config.text_width))
        self.text_pool = TextPool(config.text_width, width, config.pool_heads)
        self.text_projection = TokenProjection(config.text_width, width)
        self.subject_projection = nn.Linear(config.semantic_width, width)
        self.semantic_projection = TokenProjection(config.semantic_width, width)
        self.content_projection = TokenProjection(config.content_width, width)
        self.text_start = nn.Parameter(torch.zeros(width))
        self.subject_start = nn.Parameter(torch.zeros(width))
        self.level_embedding = nn.Parameter(torch.empty(config.scale_count, width))
        self.word_embedding = nn.Linear(config.bits, width)
        self.image_modulation_text = nn.Linear(width, 6 * width)
        self.image_modulation_subject = nn.Linear(width, 6 * width)
        self.content_modulation_text = nn.Linear(width, 6 * width)
        self.content_modulation_subject = nn.Linear(width, 6 * width)
        self.head_modulation = nn.Linear(width, 2 * width)
        self.head = nn.Linear(width, 2 * config.bits)
        self._scale_codes: dict[tuple[ScaleSchedule, int, torch.device], Tensor] = {}
        blocks = nn.ModuleList(Block(config, last=index == config.blocks - 1) for index in range(config.blocks))
        self.blocks = cast("Sequence[Block]", blocks)

    # Conditions

    def condition_text(self, features: Tensor, mask: Tensor | None = None) -> TextCondition:
        """Text features (B, T, W_t); ``mask`` (B, T) True where a token counts, None when all do."""
        x = features.float()
        x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON) * self.text_norm
        wide = None if mask is None else mask[:, None, None, :]
        return TextCondition(self.text_pool(x, wide), self.text_projection(x), wide)

    def condition_subject(self, class_token: Tensor, patches: Tensor, content: Tensor) -> SubjectCondition:
        """Class token (B, W_s), patches (B, S, W_s), content latents (B, P, W_c)."""
        return SubjectCondition(
            self.subject_projection(class_token.float()),
            self.semantic_projection(patches.float()),
            self.content_projection(content.float()).float(),
        )

    def null_subject(self) -> tuple[Tensor, Tensor, Tensor]:
        """Class token (1, W_s), patches (1, S, W_s) and content (1, P, W_c) that stand in for a missing subject."""
        return self.null_semantic[:1], self.null_semantic[None, 1:], self.null_content[None]

    def image_modulation(self, text: Tensor, subject: Tensor) -> Tensor:
        """Global vectors (B, C) each → (B, 6, C): gates, scales and shifts shared by all blocks."""
        both = self.image_modulation_text(F.silu(text)) + self.image_modulation_subject(F.silu(subject))
        return both.float().unflatten(-1, (6, -1))

    def content_modulation(self, text: Tensor, subject: Tensor) -> Tensor:
        """The same for the content stream."""
        both = self.content_modulation_text(F.silu(text)) + self.content_modulation_subject(F.silu(subject))
        return both.float().unflatten(-1, (6, -1))

    def start_tokens(self, text: Tensor, subject: Tensor) -> Tensor:
        """The first two tokens, subject then text, with the level embedding of scale 0: (B, 2, C)."""
        return torch.stack([subject + self.subject_start, text + self.text_start], dim=1) + self.level_embedding[0]

    # Image stream

    def embed(self, inputs: Tensor, scale: int) -> Tensor:
        """Resampled summed codes (B, n, d) → tokens (B, n, C) of one scale."""
        return self.word_embedding(inputs.float()) + self.level_embedding[scale]

    def logits(self, x: Tensor, text: Tensor) -> Tensor:
        """Tokens (B, n, C) → (B, n, 2d) float32: bit 0 and bit 1 of channel j at 2j and 2j+1.

        The head is modulated by the text vector (B, C) only.
        """
        scale, shift = self.head_modulation(F.silu(text)).float().unsqueeze(1).chunk(2, dim=-1)
        normed = torch.addcmul(shift, F.layer_norm(x.float(), x.shape[-1:], eps=EPSILON), 1 + scale)
        return self.head(normed.to(self.head.weight.dtype)).float()

    def start_rotary(self, device: torch.device) -> Tensor:
        """Both start tokens stand at (0, 0): no rotation."""
        return rotary_code([(0, 0), (0, 0)], self.config.head_size, device)

    def scale_rotary(self, schedule: ScaleSchedule, scale: int, device: torch.device) -> Tensor:
        """Rotary code of the cells of one scale (the one output cell of scale 0 is a start token).

        The same for every picture, and milliseconds to make: the network keeps it.
        """
        key = schedule, scale, device
        if key not in self._scale_codes:
            positions = grid_positions(schedule.grids[scale], schedule.rotary_grid)
            with torch.inference_mode(False):  # training may use what drawing made
                self._scale_codes[key] = rotary_code(positions, self.config.head_size, device)
        return self._scale_codes[key]

    def content_rotary(self, schedule: ScaleSchedule, device: torch.device) -> Tensor | None:
        """Rotary code of the content grid, where the configuration has one (the published model has not)."""
        if not self.config.content_rotary:
            return None
        side = math.isqrt(self.config.content_tokens)
        return rotary_code(grid_positions((side, side), schedule.rotary_grid), self.config.head_size, device)

    # Training

    def forward(
        self,
        inputs: Tensor,
        text: Tensor,
        text_mask: Tensor,
        class_token: Tensor,
        patches: Tensor,
        content: Tensor,
        schedule: ScaleSchedule,
        *,
        drop_text: Tensor | None = None,
        drop_semantic: Tensor | None = None,
        drop_content: Tensor | None = None,
    ) -> Tensor:
        """Teacher forcing: the logits of all scales at once.

        Args:
            inputs: (B, n_1 + … + n_{K-1}, d), the resampled sums that precede each scale but the first.
            text: (B, T, W_t) padded features; ``text_mask`` (B, T) is True where a token counts.
            class_token, patches, content: (B, W_s), (B, S, W_s), (B, P, W_c).
            drop_text, drop_semantic, drop_content: bool (B,), True where the sample sees the null condition instead.

        Returns:
            (B, n_0 + … + n_{K-1}, 2d) float32.
        """
        null_class, null_patches, null_content = self.null_subject()
        text = _swap(text, self.null_text[None, : text.shape[1]], drop_text)
        class_token = _swap(class_token, null_class, drop_semantic)
        patches = _swap(patches, null_patches, drop_semantic)
        content = _swap(content, null_content, drop_content)

        device = inputs.device
        text_condition = self.condition_text(text, text_mask)
        subject = self.condition_subject(class_token, patches, content)
        modulation = self.image_modulation(text_condition.vector, subject.vector)
        content_modulation = self.content_modulation(text_condition.vector, subject.vector)

        tokens = schedule.tokens
        levels = self.level_embedding[1 : len(tokens)].repeat_interleave(
            torch.tensor(tokens[1:], device=device), dim=0, output_size=sum(tokens[1:])
        )
        x = torch.cat(
            [self.start_tokens(text_condition.vector, subject.vector), self.word_embedding(inputs.float()) + levels],
            dim=1,
        )
        rotary, mask = self._training_geometry(schedule, device)
        content_rotary = self.content_rotary(schedule, device)
        cross_mask = (
            F.pad(text_condition.mask, (0, patches.shape[1]), value=True) if text_condition.mask is not None else None
        )

        context = BlockContext(
            modulation,
            content_modulation,
            text_condition.tokens,
            text_condition.mask,
            subject.semantic,
            cross_mask,
            rotary,
            content_rotary,
            mask,
        )
        y = subject.content
        for block in self.blocks:
            # Called as a whole: what shards the weights of a block gathers them when it is called.
            x, y = block(x, y, context)
        return self.logits(x[:, 1:], text_condition.vector)

    def _training_geometry(self, schedule: ScaleSchedule, device: torch.device) -> tuple[Tensor, Tensor]:
        """Rotary code of the whole sequence, and who sees whom: own and earlier scales, bool (L, L)."""
        cached = getattr(self, "_geometry", None)
        if cached is None or cached[0] != (schedule, device):
            parts = [self.start_rotary(device)]
            parts += [self.scale_rotary(schedule, scale, device) for scale in range(1, len(schedule.grids))]
            scale_of = torch.repeat_interleave(
                torch.arange(len(schedule.grids)), torch.tensor([2, *schedule.tokens[1:]])
            )
            mask = (scale_of[:, None] >= scale_of[None, :]).to(device)
            cached = ((schedule, device), torch.cat(parts), mask)
            self._geometry = cached
        return cached[1], cached[2]

    # Fresh weights

    @torch.no_grad()
    def initialise(self, generator: torch.Generator | None = None) -> None:
        """Weights for training from scratch: truncated normal, residual outputs scaled down by depth."""
        deep = 1 / math.sqrt(3 * self.config.blocks)
        for name, parameter in self.named_parameters():
            last = name.rsplit(".", 1)[-1]
            if "bias" in last or last in ("modulation", "text_start", "subject_start"):
                parameter.zero_()
            elif last == "log_scale":
                parameter.fill_(math.log(4.0))
            elif last == "text_norm" or name.endswith("norm.weight"):
                parameter.fill_(1.0)
            elif "modulation" in name:
                nn.init.trunc_normal_(parameter, std=0.01, generator=generator)
            elif last.startswith("null_") or last == "level_embedding":
                nn.init.trunc_normal_(parameter, std=0.02, generator=generator)
            else:
                std = 1 / math.sqrt(parameter.shape[-1])
                if ".proj." in name or "fc2" in name or last == "content_proj":
                    std *= deep
                nn.init.trunc_normal_(parameter, std=std, a=-2 * std, b=2 * std, generator=generator)
        # Gates start half open: a network from scratch has to learn through its residual branches at once.
        for block in self.blocks:
            block.image.modulation[:2] = 0.5
            if block.content.update is not None:
                block.content.modulation[:2] = 0.5


def _swap(given: Tensor, null: Tensor, drop: Tensor | None) -> Tensor:
    if drop is None:
        return given
    return torch.where(drop.view(-1, *[1] * (given.dim() - 1)), null.to(given.dtype), given)


def split_scales(x: Tensor, schedule: ScaleSchedule) -> Sequence[Tensor]:
    """(B, n_0 + … + n_{K-1}, …) → one tensor (B, n_k, …) per scale."""
    return x.split(list(schedule.tokens), dim=1)
