"""The weights of a published file under our names, compared with the real classes before the first byte is written.

The classes are built on the meta device: names and shapes, no numbers. A file that does not fit is said here, in seconds, and
not after an hour of writing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from torch import nn

from engine.bundle.published_files import GET_FILE_AGAIN, Checkpoint
from engine.encoders.assembly import PART_WORDS, build_on_meta, expected_shapes
from engine.encoders.dinov2 import Dinov2
from engine.encoders.latent import LatentEncoder
from engine.encoders.names import own_name
from engine.encoders.t5 import T5Encoder
from engine.errors import BundleError, DoesNotFit
from engine.model.config import TransformerConfig
from engine.model.keys import convert, published_keys
from engine.model.transformer import Transformer
from engine.sentence import Sentence
from engine.tokenizer import keys as tokenizer_keys
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig

log = logging.getLogger(__name__)

_BUILD: dict[str, Callable[[Mapping[str, Any]], nn.Module]] = {
    "text": T5Encoder,
    "semantic": Dinov2,
    "content": LatentEncoder,
}
# The halves of published encoders that nothing here uses.
_UNUSED = {"text": ("decoder.", "lm_head."), "semantic": (), "content": ("decoder.", "post_quant_conv.")}

# Buffers of the published transformer that are made anew for every picture; its own loader drops them, too.
_MASKS = {"lvl_1L", "attn_bias_for_masking", "Infinity_visible_kvlen", "Infinity_invisible_qlen"}


def encoder_on_meta(part: str, config: Mapping[str, Any]) -> nn.Module:
    """The class of "text", "semantic" or "content" on the meta device. Raises ``BundleError``."""
    return build_on_meta(part, lambda: _BUILD[part](config))


def encoder_names(part: str, checkpoint: Checkpoint, module: nn.Module) -> dict[str, str]:
    """Our name of every weight of a published encoder that is used, by its published name, in the file's order.

    Args:
        module: the encoder's class on the meta device.

    Raises:
        DoesNotFit: a weight is missing or has another shape.
    """
    expected = expected_shapes(part, module)
    where = f"{checkpoint.paths[0].parent.name}/{checkpoint.paths[0].name}"
    names: dict[str, str] = {}
    unknown = []
    for published, shape in checkpoint.shapes.items():
        name = own_name(part, published)
        if name not in expected:
            if not published.startswith(_UNUSED[part]):
                unknown.append(published)
            continue
        if name in names.values():  # T5's word table under its second name
            continue
        if shape != expected[name]:
            raise DoesNotFit(
                Sentence(
                    "The weight “{published}” of the {part_word} ({where}) has the shape {shape}, not {expected}.",
                    published=published,
                    part_word=PART_WORDS[part],
                    where=where,
                    shape=shape,
                    expected=expected[name],
                ),
                found=checkpoint.shapes,
            )
        names[published] = name
    missing = sorted(expected.keys() - set(names.values()))
    if missing:
        raise DoesNotFit(
            Sentence(
                "{where} lacks {count} weights of the {part_word}, the first “{first}”.",
                where=where,
                count=len(missing),
                part_word=PART_WORDS[part],
                first=missing[0],
            ),
            found=checkpoint.shapes,
        )
    _log_unknown(where, unknown)
    return names


def transformer_shapes(config: TransformerConfig) -> dict[str, tuple[int, ...]]:
    """Shapes of our transformer's weights, by our names."""
    with torch.device("meta"):
        return {name: tuple(tensor.shape) for name, tensor in Transformer(config).state_dict().items()}


def check_transformer(checkpoint: Checkpoint, config: TransformerConfig) -> None:
    """Every weight of the network is there, in a shape that fits; constants need not be, and others are passed over.

    Raises:
        DoesNotFit: a weight is missing or has another shape.
    """
    file, shapes = checkpoint.paths[0].name, transformer_shapes(config)
    table = published_keys(config)
    missing = sorted(name for name, key in table.items() if key.kind == "live" and name not in checkpoint.shapes)
    if missing:
        raise DoesNotFit(
            Sentence(
                "{file} lacks {count} weights of an EchoGen transformer, the first “{first}”.",
                file=file,
                count=len(missing),
                first=missing[0],
            ),
            found=checkpoint.shapes,
        )
    with torch.device("meta"):
        for name, key in table.items():
            if key.kind == "live":
                try:
                    convert(key, torch.empty(checkpoint.shapes[name]), shapes[key.ours])
                except (ValueError, RuntimeError, IndexError) as error:
                    raise DoesNotFit(
                        Sentence(
                            "The weight “{name}” of {file} has the shape {shape}, which does not fit.",
                            name=name,
                            file=file,
                            shape=checkpoint.shapes[name],
                        ),
                        found=checkpoint.shapes,
                    ) from error
    _log_unknown(file, checkpoint.shapes.keys() - table.keys() - _MASKS)


def tokenizer_names(checkpoint: Checkpoint, config: TokenizerConfig) -> dict[str, str]:
    """Our name of every weight of the published tokenizer, by its published name; others are passed over.

    Raises:
        DoesNotFit: a weight is missing or has another shape. BundleError: a weight is there under both spellings.
    """
    file = checkpoint.paths[0].name
    table = tokenizer_keys.key_table(config)
    spellings = {tokenizer_keys.plain_name(name): name for name in table} | {name: name for name in table}
    names: dict[str, str] = {}
    unknown = []
    for published in checkpoint.shapes:
        full = spellings.get(published)
        if full is None:
            unknown.append(published)
        elif (ours := table[full]) is not None:
            if ours in names.values():
                raise BundleError(
                    Sentence("{file} has the weight “{published}” twice.", file=file, published=published),
                    GET_FILE_AGAIN,
                )
            names[published] = ours
    with torch.device("meta"):
        expected = {name: tuple(parameter.shape) for name, parameter in Autoencoder(config).named_parameters()}
    missing = sorted(expected.keys() - set(names.values()))
    if missing:
        raise DoesNotFit(
            Sentence(
                "{file} lacks {count} weights of the visual tokenizer, the first “{first}”.",
                file=file,
                count=len(missing),
                first=tokenizer_keys.published_name(missing[0]),
            ),
            found=checkpoint.shapes,
        )
    for published, ours in names.items():
        if checkpoint.shapes[published] != expected[ours]:
            raise DoesNotFit(
                Sentence(
                    "The weight “{published}” of {file} has the shape {shape}, not {expected}.",
                    published=published,
                    file=file,
                    shape=checkpoint.shapes[published],
                    expected=expected[ours],
                ),
                found=checkpoint.shapes,
            )
    _log_unknown(file, unknown)
    return names


def _log_unknown(file: str, names: Collection[str]) -> None:
    """The published program passes over weights it has no place for, and so does this one, but not in silence."""
    if names:
        log.warning("%s holds %d weights that are not used: %s", file, len(names), ", ".join(sorted(names)[:20]))
