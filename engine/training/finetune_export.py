"""From a fine-tuning to a bundle: the averaged weights in the number format they came in, everything else as it was."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from engine.bundle.manifest import BundleManifest
from engine.bundle.writer import BundleWriter
from engine.training.finetune import Finetuning
from engine.training.sharding import whole

CARD = "README.md"


def export_finetuned(training: Finetuning, source: Path, folder: Path) -> BundleManifest | None:
    """Write a bundle with the averaged weights. Every process has to call it; the first one writes and gets the manifest.

    Args:
        source: the bundle the training began with.
        folder: what is written; a bundle that lies there is replaced.

    Raises:
        CannotWrite: the folder cannot be written.
    """
    manifest = training.bundle.manifest
    formats = _formats(source, manifest)
    weights: dict[str, Tensor] = {}
    for name, value in training.average.weights.items():
        one = whole(value)
        if training.team.writes:
            weights[name] = one.detach().to("cpu", formats[name])
    if not training.team.writes:
        return None
    with BundleWriter(folder) as writer:
        writer.add_weights("transformer", weights.items())
        for name in manifest.files:
            if not name.startswith("transformer/") and name != CARD:
                writer.add_file(name, source / name)
        writer.add_file(CARD, _card(training, source / CARD).encode())
        return writer.finish(
            dataclasses.replace(manifest, name=f"{manifest.name}-finetuned", title=f"{manifest.title} (fine-tuned)")
        )


def _formats(source: Path, manifest: BundleManifest) -> dict[str, torch.dtype]:
    """In which number format each weight of the transformer lies in the bundle."""
    found = {}
    for file in manifest.weight_files("transformer"):
        with safe_open(source / file, "pt") as stream:
            for name in stream.keys():  # noqa: SIM118 - not a dict
                found[name] = stream.get_slice(name)[:0].dtype
    return found


def _card(training: Finetuning, before: Path) -> str:
    words = f"Fine-tuned in {training.step_number} steps on {len(training.examples)} examples."
    return f"{words}\n\n{before.read_text(encoding='utf-8')}" if before.is_file() else f"{words}\n"
