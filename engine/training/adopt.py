"""From a finished bundle back to checkpoints, so that anyone can train the model on from what the repository ships."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from engine.bundle.loader import check_files
from engine.bundle.manifest import BundleManifest, read_manifest
from engine.encoders.names import own_name, under_library_names
from engine.errors import InputError
from engine.sentence import Sentence
from engine.training.checkpoint import save_full
from engine.training.config import STAGES, TrainingConfig
from engine.training.loop import Progress
from engine.training.stages import make_stage


def adopt_bundle(folder: Path, config: TrainingConfig, sprites: Path | Sequence[Path], runs: Path) -> list[Path]:
    """Write a full checkpoint of every stage from a bundle's weights. Returns the files.

    A bundle holds averaged weights in half precision: they become both the weights and their average. Moments begin anew,
    and so do words that the language has won since then, and a decoder's reference branch. A bundle whose content path saw
    the cut-out centred is widened to one that sees it placed: each token begins with the mean of the latents it folds.
    The content autoencoder's decoder is not part of a bundle; its stage, should it ever be trained on, learns it again,
    which would make the other stages worthless.

    Raises:
        BundleError: the bundle is missing or damaged.
        InputError: it was trained with other sizes or words, or the runs hold a training already.
        CannotWrite: the disk is full.
    """
    manifest = read_manifest(folder)
    check_files(folder, manifest, hashes=True)
    with_decoder = bool(manifest.tokenizer.reference_channels)
    stages = [name for name in STAGES if with_decoder or name != "decoder"]
    paths = [runs / name / "full.pt" for name in stages]
    for path in paths:
        if path.exists():
            raise InputError(
                Sentence("{path} is there already.", path=path), Sentence("Name another folder with --runs.")
            )
    _check_sizes(manifest, config)
    weights = {
        part: {
            own_name(part, name): tensor.float()
            for file in manifest.weight_files(part)
            for name, tensor in load_file(folder / file).items()
        }
        for part in ("tokenizer", "content", "transformer", "text", "semantic")
    }
    for name, path in zip(stages, paths, strict=True):
        stage = make_stage(name, config, sprites, runs, variety=1)
        fresh = stage.module.state_dict()
        if name == "transformer":
            known = Tokenizer.from_file(str(folder / "text" / "tokenizer.json")).get_vocab()
            weights["text"]["words.weight"] = _word_table(
                weights["text"]["words.weight"], known, fresh["text.shared.weight"], stage.words.get_vocab()
            )
            _widen_content(weights["transformer"], config)
        stage.module.load_state_dict(_module_state(name, weights, manifest, fresh))
        stage.average.weights = {key: value.detach().clone() for key, value in stage.module.state_dict().items()}
        # An average of many steps: it must not forget what it stands for in the first ones.
        stage.average.steps = 10_000
        save_full(path, {"stage": stage.state(), "progress": vars(Progress()).copy()}, config.digest(name))
    return paths


def _word_table(table: Tensor, known: dict[str, int], fresh: Tensor, wanted: dict[str, int]) -> Tensor:
    """The bundle's row for every word it knows, wherever the word stands now; the others as they were initialised."""
    out = fresh.detach().cpu().clone()
    for word, index in wanted.items():
        if word in known:
            out[index] = table[known[word]]
    return out


def _widen_content(weights: dict[str, Tensor], config: TrainingConfig) -> None:
    """From content tokens of one latent each to tokens of fold² latents, which begin as their mean."""
    before = weights["null_content"].shape[1]
    times, rest = divmod(config.transformer.content_width, before)
    if times == 1 or rest:
        return
    projection = "content_projection.fc1.weight"
    # A folded token has the latents of one channel behind each other.
    weights[projection] = weights[projection].repeat_interleave(times, dim=1) / times
    weights["null_content"] = weights["null_content"].repeat_interleave(times, dim=1)


def _check_sizes(manifest: BundleManifest, config: TrainingConfig) -> None:
    """Everything but what adopting can change: the reference branch, the width of a content token, and what is done to pictures."""
    tokenizer = dataclasses.replace(manifest.tokenizer, scale_gains=(), reference_channels=(), lattice=0, relight=0.0)
    wanted = dataclasses.replace(config.plain_tokenizer, scale_gains=())
    transformer = manifest.transformer
    if manifest.placed_content is None and config.placed_content is not None:
        transformer = dataclasses.replace(
            transformer, content_width=transformer.content_width * config.placed_content.fold**2
        )
    branch = manifest.tokenizer.reference_channels
    if (transformer, tokenizer) != (config.transformer, wanted) or (
        branch and branch != config.tokenizer.reference_channels
    ):
        raise InputError(
            Sentence("The bundle has other sizes than the training file."),
            Sentence("Use the training file it was made with."),
        )


def _module_state(
    stage: str, weights: dict[str, dict[str, Tensor]], manifest: BundleManifest, fresh: dict[str, Tensor]
) -> dict[str, Any]:
    """A stage's weights by the names of its module; what the bundle lacks stays as it was initialised."""
    if stage == "tokenizer":
        state = {f"autoencoder.{name}": tensor for name, tensor in weights["tokenizer"].items()}
        state = {name: tensor for name, tensor in state.items() if name in fresh}
        if "quantizer.gains" in fresh:
            state["quantizer.gains"] = torch.tensor(manifest.tokenizer.scale_gains)
        return state
    if stage == "decoder":
        return {name: weights["tokenizer"][name] for name in fresh}
    if stage == "content":
        return fresh | under_library_names("content", weights["content"], fresh)
    parts = {"transformer": weights["transformer"]}
    for part in ("text", "semantic"):
        names = [name.removeprefix(f"{part}.") for name in fresh if name.startswith(f"{part}.")]
        parts[part] = under_library_names(part, weights[part], names)
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
