"""Bytes a picture needs at once, phase by phase, worked out from the configurations. Free of torch.

A picture goes through four phases, and needs as much memory as the largest of them:

| phase | on the device |
|---|---|
| text | the text encoder at work |
| subject | the semantic and the content encoder at work |
| content | the content stream: content layers of the network, the keys and values it leaves |
| drawing | image layers, keys and values of all scales so far, then the visual decoder |

What lies on the device in each phase depends on the memory plan; ``PlanPlacement`` says it.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.bundle.manifest import BundleManifest
from engine.bundle.sizes import (
    content_numbers,
    decoder_numbers,
    semantic_numbers,
    text_numbers,
    text_wide_numbers,
    transformer_numbers,
)
from engine.device.devices import MIB
from engine.model.config import ScaleSchedule

FLOAT32 = 4

# Bytes per token and channel while one layer runs, without its weights, caches and the residual stream: in float32, and in
# the blocks' own format. Counted from engine/model/block.py at its two peaks, the heads of the self-attention and the
# feed-forward; the larger one counts.
_HEADS = (5 * FLOAT32, 6)
_FEED_FORWARD = (2 * FLOAT32, 9)
# Text tokens a prompt is planned with: long prompts have 60, and the limit of 512 is rarely met.
TEXT_TOKENS = 128


@dataclass(frozen=True)
class PlanPlacement:
    """The parts that a memory plan keeps on the device.

    Attributes:
        number_bytes: bytes a number of the blocks and the visual decoder.
        text_number_bytes: bytes a number of the text encoder.
        batched: all branches go through the network at the same time.
        text_stays, content_stays: the text encoder and the content layers stay when they have done their work.
        states_stay: keys, values and caches stay; otherwise they come block by block.
        content_streamed: the content layers come from the computer's memory one by one when they run.
        image_streamed: so do the image layers, at every scale.
        eight_bits: the blocks' matrices rest in eight bits; the layer at work has them in ``number_bytes``.
        strip_bytes: size of the visual decoder's strips.
    """

    number_bytes: int
    text_number_bytes: int
    batched: bool = True
    text_stays: bool = True
    content_stays: bool = True
    states_stay: bool = True
    content_streamed: bool = False
    image_streamed: bool = False
    eight_bits: bool = False
    strip_bytes: int = 256 * MIB


@dataclass(frozen=True)
class Footprint:
    """Bytes of the four phases.

    Attributes:
        cache: what the sampler keeps between pictures for one subject and one prompt.
        beside: bytes in the computer's memory for what the plan keeps off the device.
    """

    text: int
    subject: int
    content: int
    drawing: int
    cache: int
    beside: int

    @property
    def needed(self) -> int:
        return max(self.text, self.subject, self.content, self.drawing)


def footprint(
    manifest: BundleManifest,
    placement: PlanPlacement,
    schedule: ScaleSchedule | None = None,
    branches: int = 2,
) -> Footprint:
    """Bytes one picture needs under a placement.

    Args:
        schedule: the size of the picture; by default the bundle's largest.
        branches: branches of the guidance: 2 where prompt and subject strength are equal, 3 otherwise, 4 where identity
            and look differ too.
    """
    schedule = schedule or max(manifest.schedules, key=lambda entry: sum(entry.tokens))
    config = manifest.transformer
    numbers = transformer_numbers(config)
    size = placement.number_bytes
    text_tokens = min(TEXT_TOKENS, config.text_limit)

    # Weights
    shared = numbers.shared * FLOAT32
    # Of streamed layers one works while the next one arrives.
    arriving = min(1.0, 2 / config.blocks)
    stored = 1 if placement.eight_bits else size
    restored = numbers.image_block * size if placement.eight_bits else 0
    image = int(numbers.image * stored * (arriving if placement.image_streamed else 1))
    content = int(numbers.content * stored * (arriving if placement.content_streamed else 1))
    wide = text_wide_numbers(manifest.text.config)
    text = (text_numbers(manifest.text.config) - wide) * placement.text_number_bytes + wide * FLOAT32
    subject = FLOAT32 * (
        semantic_numbers(manifest.semantic.config, manifest.semantic.input_size)
        + content_numbers(manifest.content.config)
    )
    decoder = decoder_numbers(manifest.tokenizer) * size
    always = shared + subject + decoder + restored
    network = image + (content if placement.content_stays else 0)
    # One layer at a time is computed in float32.
    widened = (
        manifest.text.config["d_model"]
        * manifest.text.config["d_ff"]
        * FLOAT32
        * (placement.text_number_bytes < FLOAT32)
    )
    resting_text = text if placement.text_stays else 0

    # Keys and values: two tensors per block.
    pair = 2 * config.width * size * config.blocks
    content_keys = config.content_tokens * pair
    cross_keys = (text_tokens + config.semantic_tokens) * pair
    subject_keys = config.semantic_tokens * pair
    text_keys = text_tokens * pair * 2  # for the image and for the content layers
    own_keys = (2 + sum(schedule.tokens[1:-1])) * pair
    branch = content_keys + cross_keys
    # With and without the subject; every branch but "null" shares its text, "null" has its own.
    cache = branches * branch + min(branches, 3) * subject_keys + 2 * text_keys
    at_once = branches if placement.batched else 1
    resting_states = cache if placement.states_stay else 0
    if placement.states_stay:
        states = cache + branches * own_keys
    else:
        states = 2 * at_once * (branch + own_keys) // config.blocks

    # Work. The caches of the scales are given up before the last decoding.
    last = schedule.tokens[-1]
    whole = own_keys // config.blocks + last * pair // config.blocks  # the last scale joins its keys to the others
    scales = states + _layer_bytes(config.width, last * at_once, size) + whole * at_once
    drawing = max(scales, resting_states + decode_bytes(manifest, placement, schedule))
    stream = _layer_bytes(config.width, config.content_tokens, size) + text_tokens * config.text_width * FLOAT32
    encode = _encoder_bytes(manifest)

    resting = always + network + resting_text
    beside = (
        (0 if placement.text_stays else text)
        + (0 if placement.content_stays else numbers.content * stored)
        + (numbers.image * stored if placement.image_streamed else 0)
        + (0 if placement.states_stay else cache + branches * own_keys)
    )
    streaming_states = cache if placement.states_stay else branch + subject_keys + text_keys
    return Footprint(
        text=always + network + text + widened + text_tokens * config.text_width * 16 * FLOAT32,
        subject=resting + encode,
        content=resting + (0 if placement.content_stays else content) + streaming_states + stream,
        drawing=resting + drawing,
        cache=cache,
        beside=beside,
    )


def decode_bytes(manifest: BundleManifest, placement: PlanPlacement, schedule: ScaleSchedule) -> int:
    """Bytes the visual decoder works with: the largest layer's input and output, and three strips in float32."""
    config = manifest.tokenizer
    rows, columns = schedule.grids[-1]
    channels = config.channels
    largest = 0
    previous = channels[-1]
    for level in reversed(range(len(channels))):
        cells = rows * columns * 4 ** (len(channels) - 1 - level)
        largest = max(largest, cells * (previous + channels[level]))
        previous = channels[level]
        if level:
            largest = max(largest, cells * previous * 5)  # the doubled map is four times as large
    # The maps of a reference branch stay until the end; the finest is joined with the decoder's own and filtered.
    maps = sum(
        rows * columns * 4 ** (len(channels) - 1 - level) * width * (1 if level else 4)
        for level, width in enumerate(config.reference_channels)
    )
    strip = min(placement.strip_bytes, largest * FLOAT32)
    pixels = schedule.size[0] * schedule.size[1] * 3
    return (largest + maps) * placement.number_bytes + 3 * strip + pixels * (FLOAT32 + 1)


def _layer_bytes(width: int, tokens: int, size: int) -> int:
    """Bytes one layer works with, the residual stream included."""
    per_channel = max(single + own * size for single, own in (_HEADS, _FEED_FORWARD))
    return tokens * width * (FLOAT32 + per_channel)


def _encoder_bytes(manifest: BundleManifest) -> int:
    """Bytes the content encoder works with at full resolution; the semantic encoder needs less."""
    first = manifest.content.config.get("block_out_channels", (64,))[0]
    return 4 * manifest.content.input_size**2 * first * FLOAT32
