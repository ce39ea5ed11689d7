"""From published files to a bundle, once: transformer and visual tokenizer under our names, encoders as they are.

Weights go through one tensor at a time: memory stays below the largest tensor and one file of the bundle. A conversion that
was stopped goes on after the last complete file; the result is the same, byte for byte. They are stored
in bfloat16 where the published program computes in it; what it computes in float32 (norms, conditioning, modulation, head
of the transformer; DINOv2 and the image autoencoder here) keeps its own format.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.bundle.loader import PART_WORDS, Progress, keeps_float32
from engine.bundle.manifest import FORMAT, BundleManifest, Defaults, EncoderPart, Origin
from engine.bundle.published_files import GET_FILE_AGAIN, Checkpoint, hub_checkpoint, hub_config
from engine.bundle.writer import SHARD_BYTES, BundleWriter
from engine.encoders.assembly import assemble
from engine.encoders.content import DECODER_WEIGHTS
from engine.encoders.text import TOKENIZER_FILE
from engine.errors import BundleError, Cancelled, CannotWrite, InputError
from engine.host import Cancel
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.model.keys import convert, published_keys
from engine.model.schedules import published_schedules
from engine.model.transformer import Transformer
from engine.runtime.sizes import transformer_numbers
from engine.tokenizer import keys as tokenizer_keys
from engine.tokenizer import preview
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.config import TokenizerConfig

# What the authors' demonstration draws with (infer.sh).
PUBLISHED_DEFAULTS = Defaults(prompt_strength=2.5, subject_strength=2.5, temperature=2.0, top_p=0.97)
# The pixel budget of the published models, by the side of their cut-out.
_BUDGETS = {512: "1M", 256: "0.06M"}
_PREVIEW_PICTURES = 6


@dataclass(frozen=True)
class PublishedParts:
    """Where the published files lie.

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
    transformer = Checkpoint(parts.transformer)
    tokenizer = Checkpoint(parts.tokenizer)
    text, semantic, content = (hub_checkpoint(folder) for folder in (parts.text, parts.semantic, parts.content))
    config = transformer_config(transformer.shapes, parts.transformer.name)
    semantic_config, content_config = hub_config(parts.semantic), hub_config(parts.content)
    reference = _content_input(config, content_config)
    manifest = BundleManifest(
        name=name or _known_name(config),
        title=title or _known_title(config),
        licence="; ".join(dict.fromkeys(f"{o.source}: {o.licence}" for o in parts.origins.values())),
        description=description or "Converted from the published files.",
        schedules=tuple(schedules) or _published_schedules(reference),
        reference_size=reference,
        transformer=config,
        tokenizer=tokenizer_keys.config_from_shapes(tokenizer.shapes),
        text=EncoderPart(hub_config(parts.text)),
        semantic=EncoderPart(semantic_config, _semantic_input(config, semantic_config)),
        content=EncoderPart(content_config, reference),
        defaults=PUBLISHED_DEFAULTS,
        origins=dict(parts.origins),
    )
    word_list = parts.text / TOKENIZER_FILE
    if not word_list.is_file():
        raise InputError(f"There is no {TOKENIZER_FILE} in {parts.text}.", "Download it with the text encoder.")
    streams: dict[str, _Stream] = {
        "transformer": (2 * transformer_numbers(config).total, lambda done: _transformer(transformer, config, done)),
        "text": _encoder(text, ("shared.", "encoder."), torch.bfloat16),
        "semantic": _encoder(semantic, (), None),
        "content": _encoder(content, (), None, DECODER_WEIGHTS),
        "tokenizer": (2 * _numbers(tokenizer.shapes), lambda done: _tokenizer(tokenizer, manifest.tokenizer, done)),
    }
    with BundleWriter(out, _fingerprint(transformer, tokenizer, text, semantic, content)) as writer:
        work.begin(sum(size for size, _ in streams.values()), writer.stored_bytes)
        _check_room(out, work.left)
        for part, (_, stream) in streams.items():
            rest = stream(writer.stored(part))
            writer.add_weights(part, work.through(rest, f"Converting the {PART_WORDS[part]}"))
        writer.add_file(f"text/{TOKENIZER_FILE}", word_list)
        work.tell("Writing the description")
        return writer.finish(manifest)


_Stream = tuple[int, Callable[[Collection[str]], Iterator[tuple[str, Tensor]]]]
"""Bytes of a part (about), and its weights but for those of the names given, always in the same order."""


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
        config = TransformerConfig(
            width=width,
            heads=math.prod(shapes["block_chunks.0.module.0.sa.scale_mul_1H11"]),
            blocks=chunks * in_chunk,
            chunks=chunks,
            bits=bits,
            scale_count=shapes["lvl_embed.weight"][0],
            text_width=text_width,
            text_limit=text_limit,
            semantic_width=semantic_width,
            semantic_tokens=semantic_rows - 1,
            content_width=content_width,
            content_tokens=content_tokens,
            text_pool_heads=shapes["text_proj_for_sos.ca.mat_q"][1],
        )
    except (KeyError, ValueError, IndexError) as error:
        raise BundleError(f"{file} does not hold the weights of an EchoGen transformer.", GET_FILE_AGAIN) from error
    table = published_keys(config)
    for fault, names in (("lacks", table.keys() - shapes.keys()), ("has unknown", shapes.keys() - table.keys())):
        if names:
            raise BundleError(f"{file} {fault} weights: {len(names)}, the first “{min(names)}”.", GET_FILE_AGAIN)
    return config


def _transformer(
    checkpoint: Checkpoint, config: TransformerConfig, done: Collection[str] = ()
) -> Iterator[tuple[str, Tensor]]:
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape) for name, tensor in Transformer(config).state_dict().items()}
    table = published_keys(config)
    wanted = [name for name, key in table.items() if key.kind != "dead" and key.ours not in done]
    for published, tensor in checkpoint.tensors(wanted):
        key = table[published]
        if key.kind == "constant":
            if bool(tensor.count_nonzero()):
                raise BundleError(f"The weight “{published}” should be zero and is not.", GET_FILE_AGAIN)
            continue
        try:
            tensor = convert(key, tensor, shapes[key.ours])
        except ValueError as error:
            raise BundleError(f"The transformer does not fit: {error}.", GET_FILE_AGAIN) from error
        yield (
            key.ours,
            tensor.to(torch.float32 if keeps_float32("transformer", key.ours) else torch.bfloat16, copy=True),
        )


def _tokenizer(
    checkpoint: Checkpoint, config: TokenizerConfig, done: Collection[str] = ()
) -> Iterator[tuple[str, Tensor]]:
    names = tokenizer_keys.our_names(checkpoint.shapes, config)
    for published, tensor in checkpoint.tensors(
        name for name, ours in names.items() if ours is not None and ours not in done
    ):
        yield str(names[published]), tensor.to(torch.bfloat16, copy=True)


def _preview_map(checkpoint: Checkpoint, manifest: BundleManifest) -> bytes:
    """``preview.safetensors``, fitted to this decoder at the default size, or at 512 px where that is larger."""
    config = manifest.tokenizer
    state = {name: tensor.float() for name, tensor in _tokenizer(checkpoint, config)}
    autoencoder = assemble(PART_WORDS["tokenizer"], lambda: Autoencoder(config), state)
    grids = manifest.schedules[0].grids
    share = min(1.0, preview.MAX_SIDE / max(manifest.schedules[0].size))
    grids = tuple((max(1, round(rows * share)), max(1, round(columns * share))) for rows, columns in grids)
    return preview.fit_preview_map(autoencoder, config, grids, count=_PREVIEW_PICTURES).to_bytes()


def _encoder(
    checkpoint: Checkpoint, only: tuple[str, ...], dtype: torch.dtype | None, skip: tuple[str, ...] = ()
) -> _Stream:
    """Bytes (about) and weights of an encoder; T5's word table is written once."""
    names = [name for name in checkpoint.shapes if (not only or name.startswith(only)) and not name.startswith(skip)]
    if "shared.weight" in names and "encoder.embed_tokens.weight" in names:
        names.remove("encoder.embed_tokens.weight")
    size = sum(math.prod(checkpoint.shapes[name]) for name in names) * (2 if dtype is not None else 4)

    def stream(done: Collection[str]) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in checkpoint.tensors(name for name in names if name not in done):
            yield name, tensor.to(dtype, copy=True) if dtype is not None else tensor.clone()

    return size, stream


def _content_input(config: TransformerConfig, content: Mapping[str, Any]) -> int:
    try:
        stride = 2 ** (len(content["block_out_channels"]) - 1)
    except (KeyError, TypeError) as error:
        raise BundleError(
            "The content encoder's config.json is not that of an AutoencoderKL.", GET_FILE_AGAIN
        ) from error
    return math.isqrt(config.content_tokens) * stride


def _semantic_input(config: TransformerConfig, semantic: Mapping[str, Any]) -> int:
    return math.isqrt(config.semantic_tokens) * int(semantic.get("patch_size", 14))


def _published_schedules(reference: int) -> tuple[ScaleSchedule, ...]:
    if reference not in _BUDGETS:
        raise BundleError(
            f"This is no published size: its cut-out has {reference} pixels a side.", "Say which sizes it draws."
        )
    return published_schedules(_BUDGETS[reference])


def _known_name(config: TransformerConfig) -> str:
    return "echogen-2b" if config.width == 2048 else "echogen-125m" if config.width == 768 else "echogen"


def _known_title(config: TransformerConfig) -> str:
    return {"echogen-2b": "EchoGen 2B", "echogen-125m": "EchoGen 125M"}.get(_known_name(config), "EchoGen")


def _numbers(shapes: Mapping[str, tuple[int, ...]]) -> int:
    return sum(math.prod(shape) for shape in shapes.values())


def _check_room(out: Path, needed: int) -> None:
    place = Path(out).absolute().parent
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed * 1.02:
        raise CannotWrite(
            f"The model needs {needed / 1e9:.1f} GB, and {place} has {free / 1e9:.1f} GB free.",
            "Make room, or choose another folder.",
            title="Not enough room on the disk",
        )


class _Work:
    """How far the conversion is, and whether it should stop."""

    def __init__(self, tell: Callable[[float, str], None], cancel: Cancel | None) -> None:
        self._tell, self._cancel = tell, cancel
        self._total, self._done = 1, 0

    def begin(self, total: int, done: int) -> None:
        self._total, self._done = max(1, total), done

    @property
    def left(self) -> int:
        return max(0, self._total - self._done)

    def tell(self, text: str) -> None:
        self._tell(min(1.0, self._done / self._total), text)

    def through(self, stream: Iterator[tuple[str, Tensor]], text: str) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in stream:
            if self._cancel is not None and self._cancel.is_set():
                raise Cancelled()
            yield name, tensor
            self._done += tensor.nbytes
            self.tell(text)
