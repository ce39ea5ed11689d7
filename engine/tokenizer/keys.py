"""Published names of the visual tokenizer's weights, and ours.

The published file (Infinity's ``infinity_vae_d16.pth`` and ``…_d32reg.pth``) keeps the weights under a top-level
"vae" entry, or plainly. Every convolution and norm may be wrapped, as in ``conv1.conv.weight`` and
``norm1.norm.weight``, or not, as in ``conv1.weight``. Besides the weights there is one constant, the powers of two that
number the codes, twice; it is consumed, not stored.

The published loader passes over a missing weight in silence. Here it is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from engine.errors import BundleError
from engine.sentence import Sentence
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.validation import read_value

CONSTANTS = ("quantizer.lfq.mask", "quantize.lfq.mask")

# Ours to published, applied in this order to the name without ".weight" or ".bias".
_RENAMES = (
    (r"^encoder\.levels\.(\d+)\.resize\.conv$", r"encoder.down.\1.downsample.conv"),
    (r"^decoder\.levels\.(\d+)\.resize\.conv$", r"decoder.up.\1.upsample.conv"),
    (r"^encoder\.levels\.(\d+)\.blocks\.", r"encoder.down.\1.block."),
    (r"^decoder\.levels\.(\d+)\.blocks\.", r"decoder.up.\1.block."),
    (r"\.middle\.0\.", ".mid.block_1."),
    (r"\.middle\.1\.", ".mid.block_2."),
    (r"\.shortcut$", ".nin_shortcut"),
    (r"\.input$", ".conv_in"),
    (r"\.output$", ".conv_out"),
    (r"coder\.norm$", "coder.norm_out"),
)


def published_name(name: str) -> str:
    """The published name, with its wrapper, of one of our parameters."""
    stem, _, kind = name.rpartition(".")
    for pattern, replacement in _RENAMES:
        stem = re.sub(pattern, replacement, stem)
    wrapper = "norm" if re.search(r"\.norm(1|2|_out)$", stem) else "conv"
    return f"{stem}.{wrapper}.{kind}"


def key_table(config: TokenizerConfig) -> dict[str, str | None]:
    """Every published name and our name for it; None for the constants, which are consumed and not stored."""
    with torch.device("meta"):
        names = [name for name, _ in Autoencoder(config).named_parameters()]
    table: dict[str, str | None] = {published_name(name): name for name in names}
    table.update(dict.fromkeys(CONSTANTS))
    return table


def plain_name(published: str) -> str:
    """The published name without its wrapper: ``….conv1.conv.weight`` becomes ``….conv1.weight``."""
    return re.sub(r"\.(conv|norm)\.(weight|bias)$", r".\2", published)


def config_from_shapes(shapes: Mapping[str, tuple[int, ...]]) -> TokenizerConfig:
    """The config of a published file, read off the shapes of its weights (names wrapped or plain).

    Raises:
        BundleError: these are not the weights of such an autoencoder.
    """
    plain = {plain_name(name): tuple(shape) for name, shape in shapes.items()}
    try:
        base = plain["encoder.conv_in.weight"][0]
        bits = plain["encoder.conv_out.weight"][0]
        multipliers: list[int] = []
        while (first := f"encoder.down.{len(multipliers)}.block.0.conv1.weight") in plain:
            multipliers.append(plain[first][0] // base)
        blocks = 0
        while f"encoder.down.0.block.{blocks}.conv1.weight" in plain:
            blocks += 1
        sizes = {"bits": bits, "base_channels": base, "multipliers": multipliers, "blocks_per_level": blocks}
        return read_value(sizes, TokenizerConfig)  # through the ranges: names alone could ask for a network without end
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise BundleError(Sentence("This file does not hold the weights of a visual tokenizer."), _STEP) from error


_STEP = Sentence("Get the file again from its publisher; the download may be incomplete or another file.")
