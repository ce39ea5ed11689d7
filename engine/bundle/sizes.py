"""Counts the numbers in each part of a model, from its configuration alone.

Free of torch, so that the window can say what a model needs before anything is downloaded or loaded. The tests compare
every formula with the real module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from engine.model.config import TransformerConfig
from engine.tokenizer.config import TokenizerConfig


@dataclass(frozen=True)
class TransformerNumbers:
    """Numbers in the transformer: what runs at every scale, what runs once per subject and prompt, and the rest.

    Attributes:
        image: image layers of all blocks.
        content: content layers of all blocks; about half of the blocks.
        shared: everything outside of the blocks; stays in float32.
        image_block: the image layer of one block.
    """

    image: int
    content: int
    shared: int
    image_block: int

    @property
    def total(self) -> int:
        return self.image + self.content + self.shared


def transformer_numbers(config: TransformerConfig) -> TransformerNumbers:
    """Count ``engine.model.transformer.Transformer``."""
    width, hidden, heads = config.width, config.hidden, config.heads
    square = width * width
    feed_forward = 2 * width * hidden + hidden + width
    cross_query = 2 * width + 2 * (square + width)
    cross_keys = 2 * square + width
    image = (
        6 * width  # modulation
        + heads
        + 3 * square + 2 * width  # queries, keys, values
        + square + width  # proj
        + square  # content_proj
        + cross_query + 2 * cross_keys
        + feed_forward
    )  # fmt: skip
    keys = 2 * square + width
    update = heads + square + width + square + width + cross_query + cross_keys + feed_forward
    content = config.blocks * keys + (config.blocks - 1) * (6 * width + update) + 2 * width
    return TransformerNumbers(config.blocks * image, content, _shared(config), image)


def _shared(config: TransformerConfig) -> int:
    width = config.width
    square = width * width

    def projection(inputs: int) -> int:
        return inputs * width + width + square + width

    nulls = (
        config.text_limit * config.text_width
        + (config.semantic_tokens + 1) * config.semantic_width
        + config.content_tokens * config.content_width
    )
    pool = width + 2 * width * config.text_width + width + square + width
    modulations = 4 * (6 * square + 6 * width) + 2 * square + 2 * width
    embeddings = 2 * width + config.scale_count * width + config.bits * width + width
    head = 2 * config.bits * width + 2 * config.bits
    subject = config.semantic_width * width + width
    projections = sum(map(projection, (config.text_width, config.semantic_width, config.content_width)))
    return nulls + config.text_width + pool + projections + subject + embeddings + modulations + head


def decoder_numbers(config: TokenizerConfig) -> int:
    """Count the decoder of ``engine.tokenizer.autoencoder.Autoencoder``; the encoder is not needed to draw."""
    channels = config.channels
    top = channels[-1]
    count = _conv(config.bits, top, 3) + 2 * _residual(top, top)
    previous = top
    for level in reversed(range(len(channels))):
        for _ in range(config.blocks_per_level + 1):
            count += _residual(previous, channels[level])
            previous = channels[level]
        if level:
            count += _conv(previous, previous, 3)
    return count + 2 * previous + _conv(previous, 3 * config.patch**2, 3) + _reference_numbers(config)


def _reference_numbers(config: TokenizerConfig) -> int:
    """Count ``engine.tokenizer.reference.ReferenceBranch``."""
    widths = config.reference_channels
    if not widths:
        return 0
    pixels, finest = 4 * config.patch**2, widths[0]
    entering = (*config.channels[1:], config.channels[-1])
    blocks = sum(4 * width + 2 * _conv(width, width, 3) for width in widths)
    downs = sum(_conv(width, below, 3) for width, below in pairwise(widths))
    joins = sum(_conv(width, to, 1) for width, to in zip(widths, entering, strict=True))
    ends = _conv(config.channels[0] + finest, finest, 3) + _conv(finest, pixels, 3) + _conv(finest, 9, 3)
    return _conv(pixels, finest, 3) + blocks + downs + joins + ends


def text_numbers(config: Mapping[str, Any]) -> int:
    """Count ``transformers.T5EncoderModel`` of a T5 configuration."""
    width, inner = config["d_model"], config["d_kv"] * config["num_heads"]
    gated = "gated" in str(config.get("feed_forward_proj", "relu"))
    feed_forward = (3 if gated else 2) * width * config["d_ff"]
    layer = 4 * width * inner + feed_forward + 2 * width
    buckets = config.get("relative_attention_num_buckets", 32) * config["num_heads"]
    return config["vocab_size"] * width + config["num_layers"] * layer + buckets + width


def text_wide_numbers(config: Mapping[str, Any]) -> int:
    """Numbers of the text encoder that stay in float32 in half precision, too: norms, and the feed-forward's last layer."""
    width = config["d_model"]
    return config["num_layers"] * (width * config["d_ff"] + 2 * width) + width


def semantic_numbers(config: Mapping[str, Any], input_size: int | None = None) -> int:
    """Count ``transformers.Dinov2Model``.

    Args:
        input_size: pixels a side the table of positions is resampled to; by default that of the configuration.
    """
    width = config["hidden_size"]
    patch = config.get("patch_size", 14)
    hidden = width * config.get("mlp_ratio", 4)
    positions = ((input_size or config.get("image_size", 224)) // patch) ** 2 + 1
    if config.get("use_swiglu_ffn", False):
        half = (int(hidden * 2 / 3) + 7) // 8 * 8
        feed_forward = width * 2 * half + 2 * half + half * width + width
    else:
        feed_forward = 2 * width * hidden + hidden + width
    biases = 3 * width if config.get("qkv_bias", True) else 0
    layer = 4 * width * width + biases + width + feed_forward + 4 * width + 2 * width
    embeddings = 3 * patch * patch * width + width + positions * width
    embeddings += 2 * width if config.get("use_mask_token", True) else width
    return embeddings + config["num_hidden_layers"] * layer + 2 * width


def content_numbers(config: Mapping[str, Any]) -> int:
    """Count the encoder half of ``diffusers.AutoencoderKL``."""
    channels: Sequence[int] = config.get("block_out_channels", (64,))
    latent = config.get("latent_channels", 4)
    count = _conv(config.get("in_channels", 3), channels[0], 3)
    previous = channels[0]
    for index, current in enumerate(channels):
        for _ in range(config.get("layers_per_block", 1)):
            count += _residual(previous, current)
            previous = current
        if index < len(channels) - 1:
            count += _conv(current, current, 3)
    count += 2 * _residual(previous, previous)
    if config.get("mid_block_add_attention", True):
        count += 2 * previous + 4 * (previous * previous + previous)
    count += 2 * previous + _conv(previous, 2 * latent, 3)
    if config.get("use_quant_conv", True):
        count += _conv(2 * latent, 2 * latent, 1)
    return count


def _conv(inputs: int, outputs: int, side: int) -> int:
    return inputs * outputs * side * side + outputs


def _residual(inputs: int, outputs: int) -> int:
    shortcut = _conv(inputs, outputs, 1) if inputs != outputs else 0
    return 2 * inputs + _conv(inputs, outputs, 3) + 2 * outputs + _conv(outputs, outputs, 3) + shortcut
