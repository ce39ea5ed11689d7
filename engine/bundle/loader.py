"""Opening a bundle: check its files, build every part on the meta device, put the memory-mapped weights in.

Weights that are stored in the number format they are used in are not copied on a CPU: pages are read when they are needed.
Half-precision weights become float32 on a CPU. Nothing in a bundle is ever executed: weights are safetensors, the rest JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from engine.bundle.manifest import GET_AGAIN, MANIFEST, PARTS, BundleManifest, read_manifest
from engine.bundle.records import BundleFile
from engine.device.int8 import Rounded, is_layer_matrix, round_rows, stand_in
from engine.encoders.assembly import PART_WORDS, assemble
from engine.encoders.content import DECODER_WEIGHTS, ContentEncoder
from engine.encoders.names import own_name
from engine.encoders.semantic import SemanticEncoder
from engine.encoders.text_encoder import TextEncoder
from engine.errors import BundleError
from engine.files import is_file
from engine.model.transformer import Transformer
from engine.sentence import Sentence
from engine.tokenizer.autoencoder import Autoencoder
from engine.tokenizer.encoder_decoder import Encoder

Progress = Callable[[float, str], None]

SMALL_BYTES = 64 * 2**20
"""Bundles up to this size are checked in full at every opening: it takes a tenth of a second."""


@dataclass(frozen=True)
class PartPlacement:
    """The device of a part's weights, and the number format they compute in.

    Attributes:
        dtype: float32, or bfloat16/float16 for "half": then what the published program computes in float32 keeps float32
            weights (``keeps_float32``).
        on_cpu: pattern of the names whose weights wait on the CPU instead; "" for none.
        eight_bits: round the matrices of the transformer's blocks to eight bits as they are read.
    """

    device: torch.device | str = "cpu"
    dtype: torch.dtype = torch.float32
    on_cpu: str = ""
    eight_bits: bool = False

    def device_of(self, name: str) -> torch.device | str:
        return "cpu" if self.on_cpu and re.match(self.on_cpu, name) else self.device


@dataclass(eq=False)
class Bundle:
    """An open bundle: all its parts with their weights.

    Attributes:
        rounded: the transformer's matrices in eight bits, by name, where the placement wants them so. The network itself
            then holds stand-ins, and computes once ``engine.model.streaming.stream_layers`` was given these.
    """

    folder: Path
    manifest: BundleManifest
    text: TextEncoder
    semantic: SemanticEncoder
    content: ContentEncoder
    transformer: Transformer
    tokenizer: Autoencoder
    rounded: Mapping[str, Rounded] = field(default_factory=dict)


def load_bundle(
    folder: Path,
    placements: Mapping[str, PartPlacement] | None = None,
    *,
    tokenizer_encoder: bool = False,
    on_progress: Progress | None = None,
) -> Bundle:
    """Check and open a bundle.

    Args:
        placements: by part; a part that is not named goes to the CPU in float32.
        tokenizer_encoder: load the visual tokenizer's encoder as well; drawing does not need it.
        on_progress: called with 0 … 1 and words.

    Raises:
        BundleError: missing, incomplete, damaged, hostile, of another version, or its parts do not fit each other.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    check_files(folder, manifest, hashes=manifest.nbytes <= SMALL_BYTES)
    placements = placements or {}
    reader = _Reader(folder, manifest, on_progress or (lambda fraction, text: None))

    def state(part: str, skip: tuple[str, ...] = ()) -> dict[str, Tensor]:
        return reader.read(part, placements.get(part, PartPlacement()), skip)

    text = TextEncoder.from_config(manifest.text.config, state("text"), folder / "text", manifest.text_limit)
    semantic = SemanticEncoder.from_config(manifest.semantic.config, state("semantic"), manifest.semantic.input_size)
    content = ContentEncoder.from_config(
        manifest.content.config,
        state("content", DECODER_WEIGHTS),
        manifest.content.input_size,
        manifest.placed_content.fold if manifest.placed_content is not None else 1,
    )
    transformer = assemble("transformer", lambda: Transformer(manifest.transformer), state("transformer"))
    tokenizer = assemble(
        "tokenizer",
        lambda: _autoencoder(manifest, tokenizer_encoder),
        state("tokenizer", () if tokenizer_encoder else ("encoder.",)),
    )
    bundle = Bundle(folder, manifest, text, semantic, content, transformer, tokenizer, reader.rounded)
    check_fit(manifest, {"text": text.model, "semantic": semantic.model, "content": content.model})
    return bundle


def load_tokenizer_encoder(bundle: Bundle) -> nn.Module:
    """The half of an open bundle's visual tokenizer that drawing does not need: pixels to features.

    Returns:
        ``engine.tokenizer.encoder_decoder.Encoder`` beside the decoder, in its number format.

    Raises:
        BundleError: this bundle has only the other half.
    """
    device, dtype = bundle.tokenizer.decoder.input.weight.device, bundle.tokenizer.decoder.input.weight.dtype
    state: dict[str, Tensor] = {}
    for file in bundle.manifest.weight_files("tokenizer"):
        for name, tensor in _tensors(bundle.folder / file, ("decoder.",)):
            if name.startswith("encoder."):
                state[name.removeprefix("encoder.")] = tensor.to(device, dtype)
    if not state:
        raise BundleError(
            Sentence(
                "{manifest} cannot take up a photo: its visual tokenizer has no encoder.",
                manifest=bundle.manifest.title,
            ),
            Sentence("Use a picture that was drawn with it, or open another model."),
        )
    return assemble("tokenizer", lambda: Encoder(bundle.manifest.tokenizer), state)


def check_files(folder: Path, manifest: BundleManifest, *, hashes: bool, on_progress: Progress | None = None) -> None:
    """Every file is there, inside the folder, of the right size, with a sound header; with ``hashes`` the very same file.

    Raises:
        BundleError: which file is the matter, and why.
    """
    root = folder.resolve()
    done = 0
    for name, entry in manifest.files.items():
        path = folder / name
        if not is_file(path):
            raise BundleError(
                Sentence(
                    "The model “{manifest}” is incomplete: {name} is missing.", manifest=manifest.title, name=name
                ),
                GET_AGAIN,
            )
        if not path.resolve().is_relative_to(root):
            raise BundleError(
                Sentence(
                    "The model “{manifest}” is refused: {name} leads out of its folder.",
                    manifest=manifest.title,
                    name=name,
                ),
                GET_AGAIN,
            )
        size = path.stat().st_size
        if size != entry.size:
            raise BundleError(
                Sentence(
                    "The model “{manifest}” is damaged: {name} has {size} bytes instead of {entry}.",
                    manifest=manifest.title,
                    name=name,
                    size=size,
                    entry=entry.size,
                ),
                GET_AGAIN,
            )
        if name.endswith(".safetensors"):
            try:
                with safe_open(path, "pt"):
                    pass
            except (SafetensorError, OSError) as error:
                raise BundleError(
                    Sentence(
                        "The model “{manifest}” is damaged: {name} is no sound weights file.",
                        manifest=manifest.title,
                        name=name,
                    ),
                    GET_AGAIN,
                ) from error
        if hashes and BundleFile.of(path) != entry:
            raise BundleError(
                Sentence(
                    "The model “{manifest}” is damaged: the content of {name} is not what it was (its SHA-256 "
                    "differs).",
                    manifest=manifest.title,
                    name=name,
                ),
                GET_AGAIN,
            )
        done += entry.size
        if on_progress is not None:
            on_progress(done / max(manifest.nbytes, 1), f"Checking {name}")


def keeps_float32(part: str, name: str) -> bool:
    """Return True if a weight stays in float32 when its part computes in half precision.

    Of the transformer only the blocks are halved; the published program keeps everything around them in float32, and so are the
    projections that begin the streams the blocks add to. Of the text encoder the norms and the layer that overflows in float16
    stay wide.

    Args:
        name: our own.
    """
    if part == "text":
        return name.endswith(("feed_forward.output.weight", "norm.weight"))
    return part == "transformer" and not name.startswith("blocks.")


class _Reader:
    """Reads the weights of one part after the other and tells how far it is."""

    def __init__(self, folder: Path, manifest: BundleManifest, on_progress: Progress) -> None:
        self._folder, self._manifest, self._tell = folder, manifest, on_progress
        self._total = sum(manifest.files[name].size for part in PARTS for name in manifest.weight_files(part))
        self._done = 0
        self.rounded: dict[str, Rounded] = {}

    def read(self, part: str, placement: PartPlacement, skip: tuple[str, ...]) -> dict[str, Tensor]:
        state: dict[str, Tensor] = {}
        self._tell(self._done / self._total, f"Reading the {PART_WORDS[part]}")
        for file in self._manifest.weight_files(part):
            for name, tensor in _tensors(self._folder / file, skip):
                name = own_name(part, name)  # bundles of format 1 have the libraries' names
                if name in state:
                    raise BundleError(
                        Sentence(
                            "The {part_word} of this model has “{name}” twice.", part_word=PART_WORDS[part], name=name
                        ),
                        GET_AGAIN,
                    )
                dtype = tensor.dtype
                if dtype.is_floating_point:
                    dtype = torch.float32 if keeps_float32(part, name) else placement.dtype
                if placement.eight_bits and part == "transformer" and is_layer_matrix(name, tensor.shape):
                    self.rounded[name] = round_rows(tensor, dtype).to(placement.device_of(name))
                    state[name] = stand_in(self.rounded[name])
                else:
                    # What shares the file's pages would keep those of the rounded matrices in memory, too.
                    state[name] = tensor.to(placement.device_of(name), dtype, copy=placement.eight_bits)
            self._done += self._manifest.files[file].size
            self._tell(self._done / self._total, f"Reading the {PART_WORDS[part]}")
        return state


def _tensors(path: Path, skip: tuple[str, ...]) -> Iterator[tuple[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a dict
                if not name.startswith(skip):
                    yield name, file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise BundleError(
            Sentence("The weights file {path} cannot be read: {error}.", path=path.name, error=error), GET_AGAIN
        ) from error


def _autoencoder(manifest: BundleManifest, with_encoder: bool) -> Autoencoder:
    autoencoder = Autoencoder(manifest.tokenizer)
    if not with_encoder:
        del autoencoder.encoder
    return autoencoder


def check_fit(manifest: BundleManifest, encoders: Mapping[str, Any]) -> None:
    """The parts fit each other: an error here would otherwise come up in the middle of a picture.

    Args:
        encoders: the modules of the three encoders, by part; on the meta device, too.

    Raises:
        BundleError: which part does not fit.
    """
    config = manifest.transformer
    text, semantic, content = (encoders[part].config for part in ("text", "semantic", "content"))
    patches = (manifest.semantic.input_size // semantic.patch_size) ** 2
    fold = manifest.placed_content.fold if manifest.placed_content is not None else 1
    stride = 2 ** (len(content.block_out_channels) - 1)
    faults = {
        "text": text.d_model != config.text_width,
        "semantic": semantic.hidden_size != config.semantic_width or patches != config.semantic_tokens,
        "content": content.latent_channels * fold**2 != config.content_width
        or (manifest.content.input_size // stride // fold) ** 2 != config.content_tokens,
    }
    for part, wrong in faults.items():
        if wrong:
            raise BundleError(
                Sentence("The {part_word} of this model does not fit its transformer.", part_word=PART_WORDS[part]),
                Sentence(
                    "{get_again} If you made it yourself, look at the sizes in {manifest}.",
                    get_again=GET_AGAIN,
                    manifest=MANIFEST,
                ),
            )
