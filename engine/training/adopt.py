"""From a finished bundle back to checkpoints, so that anyone can train the model on from what the repository ships."""

from __future__ import annotations

import dataclasses
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
from engine.training.checkpoint import save_full
from engine.training.config import STAGES, TrainingConfig
from engine.training.loop import Progress
from engine.training.stages import make_stage


def adopt_bundle(folder: Path, config: TrainingConfig, sprites: Path, runs: Path) -> list[Path]:
    """Write a full checkpoint of every stage from a bundle's weights. Returns the files.

    A bundle holds averaged weights in half precision: they become both the weights and their average. Moments begin anew.
    Words that the language has won at its end since then begin anew.
    The content autoencoder's decoder is not part of a bundle; its stage, should it ever be trained on, learns it again,
    which would make the other stages worthless.

    Raises:
        BundleError: the bundle is missing or damaged.
        InputError: it was trained with other sizes or words, or the runs hold a training already.
        CannotWrite: the disk is full.
    """
    manifest = read_manifest(folder)
    check_files(folder, manifest, hashes=True)
    paths = [runs / name / "full.pt" for name in STAGES]
    for path in paths:
        if path.exists():
            raise InputError(f"{path} is there already.", "Name another folder with --runs.")
    _check_sizes(manifest, config)
    weights = {
        part: {
            own_name(part, name): tensor.float()
            for file in manifest.weight_files(part)
            for name, tensor in load_file(folder / file).items()
        }
        for part in ("tokenizer", "content", "transformer", "text", "semantic")
    }
    for name, path in zip(STAGES, paths, strict=True):
        stage = make_stage(name, config, sprites, runs, variety=1)
        fresh = stage.module.state_dict()
        if name == "transformer":
            known = Tokenizer.from_file(str(folder / "text" / "tokenizer.json")).get_vocab()
            _check_words(known, stage.words.get_vocab())
            table = weights["text"]["words.weight"]
            weights["text"]["words.weight"] = torch.cat([table, fresh["text.shared.weight"][len(table) :].cpu()])
        stage.module.load_state_dict(_module_state(name, weights, manifest, fresh))
        stage.average.weights = {key: value.detach().clone() for key, value in stage.module.state_dict().items()}
        # An average of many steps: it must not forget what it stands for in the first ones.
        stage.average.steps = 10_000
        save_full(path, {"stage": stage.state(), "progress": vars(Progress()).copy()}, config.digest(name))
    return paths


def _check_words(known: dict[str, int], wanted: dict[str, int]) -> None:
    """What the bundle knows has to keep its ids; words that the language has won since then come after them."""
    if any(wanted.get(word) != index for word, index in known.items()):
        raise InputError(
            "The bundle's words are not those of these cut-outs and this language.",
            "Train on the cut-outs it was made with, or begin the transformer anew.",
        )


def _check_sizes(manifest: BundleManifest, config: TrainingConfig) -> None:
    tokenizer = dataclasses.replace(manifest.tokenizer, scale_gains=config.tokenizer.scale_gains)
    if (manifest.transformer, tokenizer) != (config.transformer, config.tokenizer):
        raise InputError(
            "The bundle has other sizes than the training file.", "Use the training file it was made with."
        )


def _module_state(
    stage: str, weights: dict[str, dict[str, Tensor]], manifest: BundleManifest, fresh: dict[str, Tensor]
) -> dict[str, Any]:
    """A stage's weights by the names of its module; what the bundle lacks stays as it was initialised."""
    if stage == "tokenizer":
        state = {f"autoencoder.{name}": tensor for name, tensor in weights["tokenizer"].items()}
        if "quantizer.gains" in fresh:
            state["quantizer.gains"] = torch.tensor(manifest.tokenizer.scale_gains)
        return state
    if stage == "content":
        return fresh | under_library_names("content", weights["content"], fresh)
    parts = {"transformer": weights["transformer"]}
    for part in ("text", "semantic"):
        names = [name.removeprefix(f"{part}.") for name in fresh if name.startswith(f"{part}.")]
        parts[part] = under_library_names(part, weights[part], names)
    return {f"{part}.{name}": tensor for part, tensors in parts.items() for name, tensor in tensors.items()}
