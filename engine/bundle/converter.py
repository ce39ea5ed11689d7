"""From published files to a bundle, once, every weight under a name of ours.

All names and shapes are compared with the real networks before anything is written. Weights go through one tensor at a time:
memory stays below the largest tensor and one file of the bundle, until the map for previews is fitted, for which the visual tokenizer
is read and paints small pictures: a gigabyte. A conversion that was stopped goes on after the last complete
file; the result is the same, byte for byte. They are stored in the format the published program loads them in: the blocks of the
transformer and the tokenizer in bfloat16, what is around the blocks in float32, T5 in float16 but for one layer. DINOv2 and the
image autoencoder, which are computed in float32 here, keep their own format.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import torch
from msgspec import Meta, Struct
from torch import Tensor

from engine.bundle.loader import Progress, check_fit, keeps_float32
from engine.bundle.manifest import FORMAT, BundleManifest, oversized
from engine.bundle.published_files import (
    GET_FILE_AGAIN,
    TOKENIZER,
    TRANSFORMER,
    Checkpoint,
    hub_checkpoint,
    hub_config,
)
from engine.bundle.published_names import (
    check_transformer,
    encoder_names,
    encoder_on_meta,
    tokenizer_names,
    transformer_shapes,
)
from engine.bundle.records import Defaults, EncoderPart, Origin
from engine.bundle.sizes import transformer_numbers
from engine.bundle.writer import SHARD_BYTES, BundleWriter
from engine.encoders.assembly import PART_WORDS, assemble
from engine.encoders.text_encoder import TOKENIZER_FILE
from engine.errors import BundleError, Cancel, CannotWrite, DoesNotFit, InputError, raise_if_cancelled
from engine.files import is_there, readable
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.model.keys import convert, published_keys
from engine.model.schedules import published_schedules
from engine.sentence import Sentence
from engine.tokenizer import keys as tokenizer_keys
from engine.tokenizer import preview
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig
from engine.validation import Damage, Natural, read_value

S = TypeVar("S", bound=Struct)

# What the authors' demonstration draws with (infer.sh).
PUBLISHED_DEFAULTS = Defaults(prompt_strength=2.5, subject_strength=2.5, temperature=2.0, top_p=0.97)
_PREVIEWS_SHARE = 0.2
"""Of the progress: fitting the map for previews, about as long as writing a few gigabytes."""
# The pixel budget of the published models, by the side of their cut-out.
_BUDGETS = {512: "1M", 256: "0.06M"}


@dataclass(frozen=True)
class PublishedParts:
    """The paths of the published files.

    Attributes:
        transformer, tokenizer: files (.pth or .safetensors).
        text, semantic, content: folders as the hub has them: config.json, safetensors; tokenizer.json for the text encoder.
        origins: source and licence of each part, by its name in the bundle.
    """

    transformer: Path
    tokenizer: Path
    text: Path
    semantic: Path
    content: Path
    origins: Mapping[str, Origin]


def convert_bundle(
    parts: PublishedParts,
    out: Path,
    *,
    name: str = "",
    title: str = "",
    description: str = "",
    schedules: Sequence[ScaleSchedule] = (),
    on_progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> BundleManifest:
    """Convert published files into the bundle ``out``.

    Args:
        name, title, description: by default those of the published model of this size.
        schedules: sizes it draws; by default the published ones of its size.

    Raises:
        InputError: a file or folder is not there.
        BundleError: a file is damaged, holds code, or does not fit the others. Nothing is left in ``out`` then.
        CannotWrite: the disk is full, or the folder cannot be written. Cancelled: ``cancel`` was set.
    """
    work = _Work(on_progress or (lambda fraction, text: None), cancel)
    transformer = Checkpoint(parts.transformer, wanted=TRANSFORMER)
    tokenizer = Checkpoint(parts.tokenizer, wanted=TOKENIZER)
    encoders = {part: hub_checkpoint(getattr(parts, part)) for part in ("text", "semantic", "content")}
    config = transformer_config(transformer.shapes, parts.transformer.name)
    text_config, semantic_config, content_config = (
        _encoder_config(part, getattr(parts, part)) for part in ("text", "semantic", "content")
    )
    reference = _content_input(config, content_config)
    manifest = BundleManifest(
        name=name or _known_name(config),
        title=title or _known_title(config),
        licence="; ".join(dict.fromkeys(f"{o.source}: {o.licence}" for o in parts.origins.values())),
        description=description or "Converted from the published files.",
        schedules=tuple(schedules) or _published_schedules(reference),
        reference_size=reference,
        transformer=config,
        tokenizer=_tokenizer_config(tokenizer),
        text=EncoderPart(text_config),
        semantic=EncoderPart(semantic_config, _semantic_input(config, semantic_config)),
        content=EncoderPart(content_config, reference),
        defaults=PUBLISHED_DEFAULTS,
        origins=dict(parts.origins),
    )
    word_list = parts.text / TOKENIZER_FILE
    if not word_list.is_file():
        raise InputError(
            Sentence("There is no {tokenizer_file} in {text}.", tokenizer_file=TOKENIZER_FILE, text=parts.text),
            Sentence("Download it with the text encoder."),
        )
    streams = _checked_streams(manifest, transformer, tokenizer, encoders)
    with BundleWriter(out, _fingerprint(transformer, tokenizer, *encoders.values())) as writer:
        work.begin(sum(size for size, _ in streams.values()), writer.stored_bytes)
        _check_space(out, work.left)
        for part, (_, stream) in streams.items():
            rest = stream(writer.stored(part))
            writer.add_weights(part, work.through(rest, f"Converting the {PART_WORDS[part]}"))
        writer.add_file(f"text/{TOKENIZER_FILE}", word_list)
        writer.add_file(preview.FILE, _preview_map(streams["tokenizer"][1](()), manifest, work))
        work.tell("Writing the description")
        return writer.finish(manifest)


_Stream = tuple[int, Callable[[Collection[str]], Iterator[tuple[str, Tensor]]]]
"""Bytes of a part (about), and its weights but for those of the names given, always in the same order."""


def _checked_streams(
    manifest: BundleManifest, transformer: Checkpoint, tokenizer: Checkpoint, encoders: Mapping[str, Checkpoint]
) -> dict[str, _Stream]:
    """The weights of every part, after all names and shapes were compared with the networks that will read them.

    Raises:
        DoesNotFit, BundleError: they do not fit, or not each other.
    """
    config = manifest.transformer
    check_transformer(transformer, config)
    names = tokenizer_names(tokenizer, manifest.tokenizer)
    try:
        modules = {part: encoder_on_meta(part, getattr(manifest, part).config) for part in encoders}
        check_fit(manifest, modules)
    except DoesNotFit:
        raise
    except BundleError as error:  # said of a bundle; here it is the published files that do not fit
        raise DoesNotFit(error.fact) from error
    used = {part: encoder_names(part, checkpoint, modules[part]) for part, checkpoint in encoders.items()}
    return {
        "transformer": (_transformer_bytes(config), lambda done: _transformer(transformer, config, done)),
        "text": _encoder(encoders["text"], used["text"], _text_dtype),
        "semantic": _encoder(encoders["semantic"], used["semantic"], lambda name: None),
        "content": _encoder(encoders["content"], used["content"], lambda name: None),
        "tokenizer": (2 * _numbers(tokenizer, names), lambda done: _tokenizer(tokenizer, names, done)),
    }


def _fingerprint(*checkpoints: Checkpoint) -> str:
    """Stands for the files and for how they are converted: work that was begun on others is not gone on with."""
    digest = hashlib.sha256(f"{FORMAT} {SHARD_BYTES}".encode())
    for path in (path for checkpoint in checkpoints for path in checkpoint.paths):
        status = path.stat()
        digest.update(f"{path.absolute()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:8]


def transformer_config(shapes: Mapping[str, tuple[int, ...]], file: str) -> TransformerConfig:
    """Read a transformer's sizes off the shapes of its published weights.

    Raises:
        BundleError: these are not the weights of such a transformer.
    """
    try:
        chunks = 1 + max(int(name.split(".")[1]) for name in shapes if name.startswith("block_chunks."))
        in_chunk = 1 + max(int(name.split(".")[3]) for name in shapes if name.startswith("block_chunks.0."))
        width, bits = shapes["word_embed.weight"]
        text_limit, text_width = shapes["cfg_uncond"]
        semantic_rows, semantic_width = shapes["control_features_uncond"]
        content_tokens, content_width = shapes["control_features_refer_uncond"]
        sizes = {
            "width": width,
            "heads": math.prod(shapes["block_chunks.0.module.0.sa.scale_mul_1H11"]),
            "blocks": chunks * in_chunk,
            "chunks": chunks,
            "bits": bits,
            "scale_count": shapes["lvl_embed.weight"][0],
            "text_width": text_width,
            "text_limit": text_limit,
            "semantic_width": semantic_width,
            "semantic_tokens": semantic_rows - 1,
            "content_width": content_width,
            "content_tokens": content_tokens,
            "text_pool_heads": shapes["text_proj_for_sos.ca.mat_q"][1],
        }
        # Through the ranges: of a name like “block_chunks.99999999” a network without end would be built.
        return read_value(sizes, TransformerConfig)
    except (KeyError, ValueError, IndexError) as error:
        raise DoesNotFit(
            Sentence("{file} does not hold {transformer}.", file=file, transformer=TRANSFORMER.words), found=shapes
        ) from error


def _tokenizer_config(checkpoint: Checkpoint) -> TokenizerConfig:
    try:
        return tokenizer_keys.config_from_shapes(checkpoint.shapes)
    except BundleError as error:
        raise DoesNotFit(
            Sentence("{name} does not hold {tokenizer}.", name=checkpoint.paths[0].name, tokenizer=TOKENIZER.words),
            found=checkpoint.shapes,
        ) from error


def _transformer(
    checkpoint: Checkpoint, config: TransformerConfig, done: Collection[str] = ()
) -> Iterator[tuple[str, Tensor]]:
    shapes = transformer_shapes(config)
    table = published_keys(config)
    wanted = [
        name for name, key in table.items() if key.kind != "dead" and key.ours not in done and name in checkpoint.shapes
    ]
    for published, tensor in checkpoint.tensors(wanted):
        key = table[published]
        if key.kind == "constant":
            if bool(tensor.count_nonzero()):
                raise DoesNotFit(
                    Sentence("The weight “{published}” should be zero and is not.", published=published),
                    found=checkpoint.shapes,
                )
            continue
        tensor = convert(key, tensor, shapes[key.ours])
        yield (
            key.ours,
            tensor.to(torch.float32 if keeps_float32("transformer", key.ours) else torch.bfloat16, copy=True),
        )


def _transformer_bytes(config: TransformerConfig) -> int:
    """Bytes of the transformer's weights as they are stored."""
    numbers = transformer_numbers(config)
    return 2 * numbers.total + 2 * numbers.shared


def _text_dtype(name: str) -> torch.dtype:
    """The number format in which the published program loads T5: float16, but for the layer whose products do not fit into it."""
    return torch.float32 if name.endswith("feed_forward.output.weight") else torch.float16


def _tokenizer(
    checkpoint: Checkpoint, names: Mapping[str, str], done: Collection[str] = ()
) -> Iterator[tuple[str, Tensor]]:
    for published, tensor in checkpoint.tensors(name for name, ours in names.items() if ours not in done):
        yield names[published], tensor.to(torch.bfloat16, copy=True)


def _preview_map(weights: Iterator[tuple[str, Tensor]], manifest: BundleManifest, work: _Work) -> bytes:
    """Fit the colours of the visual tokenizer's codes: without them every preview is decoded, nearly half of a small picture's time."""
    state = {name: tensor.float() for name, tensor in weights}
    autoencoder = assemble("tokenizer", lambda: Autoencoder(manifest.tokenizer), state)
    grids = manifest.schedules[0].grids
    return preview.fit_preview_map(autoencoder, manifest.tokenizer, grids, on_step=work.fitting).to_bytes()


def _encoder(checkpoint: Checkpoint, names: Mapping[str, str], dtype: Callable[[str], torch.dtype | None]) -> _Stream:
    """Bytes (about) and weights of an encoder.

    Args:
        names: our name of each published one.
        dtype: what a weight is stored in, by our name; None as it is published.
    """
    size = sum(
        math.prod(checkpoint.shapes[published]) * (wanted.itemsize if (wanted := dtype(ours)) is not None else 4)
        for published, ours in names.items()
    )

    def stream(done: Collection[str]) -> Iterator[tuple[str, Tensor]]:
        for published, tensor in checkpoint.tensors(name for name, ours in names.items() if ours not in done):
            wanted = dtype(names[published])
            yield names[published], tensor.to(wanted, copy=True) if wanted is not None else tensor.clone()

    return size, stream


class _ContentSizes(Struct):
    """Of the content encoder's config.json."""

    block_out_channels: Annotated[tuple[Natural, ...], Meta(min_length=1, max_length=16)]


class _SemanticSizes(Struct):
    """Of the semantic encoder's config.json."""

    patch_size: Annotated[int, Meta(ge=1, le=1024)] = 14


def _content_input(config: TransformerConfig, content: Mapping[str, Any]) -> int:
    levels = _config_sizes("content", content, _ContentSizes).block_out_channels
    return math.isqrt(config.content_tokens) * 2 ** (len(levels) - 1)


def _semantic_input(config: TransformerConfig, semantic: Mapping[str, Any]) -> int:
    return math.isqrt(config.semantic_tokens) * _config_sizes("semantic", semantic, _SemanticSizes).patch_size


def _encoder_config(part: str, folder: Path) -> dict[str, Any]:
    config = hub_config(folder)
    if (name := oversized(config)) is not None:
        raise _unusable(part, Sentence("{place} is too large", place=name))
    return config


def _config_sizes(part: str, config: Mapping[str, Any], kind: type[S]) -> S:
    try:
        return read_value(config, kind)
    except Damage as damage:
        raise _unusable(part, damage.why) from damage


def _unusable(part: str, why: Sentence) -> BundleError:
    return BundleError(
        Sentence("The config.json of the {part_word} cannot be used: {why}.", part_word=PART_WORDS[part], why=why),
        GET_FILE_AGAIN,
    )


def _published_schedules(reference: int) -> tuple[ScaleSchedule, ...]:
    if reference not in _BUDGETS:
        raise BundleError(
            Sentence("This is no published size: its cut-out has {reference} pixels a side.", reference=reference),
            Sentence("Say which sizes it draws."),
        )
    return published_schedules(_BUDGETS[reference])


def _known_name(config: TransformerConfig) -> str:
    return "echogen-2b" if config.width == 2048 else "echogen-125m" if config.width == 768 else "echogen"


def _known_title(config: TransformerConfig) -> str:
    return {"echogen-2b": "EchoGen 2B", "echogen-125m": "EchoGen 125M"}.get(_known_name(config), "EchoGen")


def _numbers(checkpoint: Checkpoint, names: Mapping[str, str]) -> int:
    return sum(math.prod(checkpoint.shapes[name]) for name in names)


def _check_space(out: Path, needed: int) -> None:
    place = Path(out).absolute().parent
    while not is_there(place):
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed * 1.02:
        raise CannotWrite(
            Sentence(
                "The model needs {needed}, and {place} has {free} free.",
                needed=readable(needed),
                place=place,
                free=readable(free),
            ),
            Sentence("Make room, or choose another folder."),
            title=Sentence("Not enough room on the disk"),
        )


class _Work:
    """The progress of a conversion, and the wish that it should stop."""

    def __init__(self, tell: Callable[[float, str], None], cancel: Cancel | None) -> None:
        self._tell, self._cancel = tell, cancel
        self._total, self._done, self._fitted = 1, 0, 0.0

    def begin(self, total: int, done: int) -> None:
        self._total, self._done = max(1, total), done

    @property
    def left(self) -> int:
        return max(0, self._total - self._done)

    def tell(self, text: str) -> None:
        self._tell(min(1.0, self._done / self._total) * (1 - _PREVIEWS_SHARE) + self._fitted * _PREVIEWS_SHARE, text)

    def fitting(self, fraction: float) -> None:
        """So much of the map for previews is fitted, 0 … 1. Raises ``Cancelled``."""
        raise_if_cancelled(self._cancel)
        self._fitted = fraction
        self.tell("Fitting the previews")

    def through(self, stream: Iterator[tuple[str, Tensor]], text: str) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in stream:
            raise_if_cancelled(self._cancel)
            yield name, tensor
            self._done += tensor.nbytes
            self.tell(text)
