"""Checkpoints: *full* ones for an exact resume, *travel* ones small enough to carry between machines.

Both are written beside the old one and renamed, so that a full disk or a kill leaves the previous one in place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.errors import CannotWrite, InputError, os_reason
from engine.files import remove_leftovers, replacing
from engine.sentence import Sentence

TRAVEL_SHARD_BYTES = 15 * 2**20
FORMAT = 1


def save_full(path: Path, state: dict[str, Any], config_digest: str) -> None:
    """Write everything a stage needs to go on exactly: weights, averages, moments, generators, counters.

    Raises:
        CannotWrite: the disk is full or the folder cannot be written; the previous checkpoint is untouched.
    """
    _write(path, {"format": FORMAT, "config": config_digest, **state})


def load_full(path: Path, config_digest: str) -> dict[str, Any]:
    """Read what ``save_full`` wrote.

    Raises:
        InputError: the file is damaged, or belongs to a training of other shapes.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(
            Sentence("The checkpoint {path} cannot be read: {reason}.", path=path.name, reason=os_reason(error))
        ) from error
    except Exception as error:  # torch raises many kinds for a damaged file
        raise InputError(
            Sentence("The checkpoint {path} is damaged.", path=path.name),
            Sentence("Delete it to begin this stage again."),
        ) from error
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise InputError(Sentence("{path} is no checkpoint of this program.", path=path.name))
    if state.get("config") != config_digest:
        raise InputError(
            Sentence("The checkpoint {path} belongs to a training with other sizes.", path=path.name),
            Sentence("Use the training file it was made with, or another folder for the runs."),
        )
    return state


def save_travel(
    folder: Path, weights: dict[str, Tensor], average: dict[str, Tensor], config_digest: str, steps: int
) -> list[Path]:
    """Write weights and averages in bfloat16, without moments, in shards of at most 15 MiB.

    The average is stored as its difference to the weights: both are near each other, and the difference keeps more of
    the average's precision.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, value in weights.items():
        small = value.detach().to("cpu", torch.bfloat16) if value.is_floating_point() else value.detach().cpu()
        pieces = {f"weights.{name}": small}
        if value.is_floating_point():
            pieces[f"average.{name}"] = (average[name].detach().cpu().float() - small.float()).to(torch.bfloat16)
        for key, piece in pieces.items():
            if size and size + piece.nbytes > TRAVEL_SHARD_BYTES:
                shards.append({})
                size = 0
            shards[-1][key] = piece.contiguous().clone()
            size += piece.nbytes
    paths = []
    for index, shard in enumerate(shards):
        path = folder / f"travel-{index + 1}-of-{len(shards)}.pt"
        _write(path, {"format": FORMAT, "config": config_digest, "steps": steps, "tensors": shard})
        paths.append(path)
    for stale in set(folder.glob("travel-*.pt")) - set(paths):
        stale.unlink()
    return paths


def load_travel(folder: Path, config_digest: str) -> tuple[dict[str, Tensor], dict[str, Tensor], int]:
    """Weights, averages and step count of a travel checkpoint, in float32."""
    paths = sorted(folder.glob("travel-*-of-*.pt"))
    tensors: dict[str, Tensor] = {}
    found: set[int] = set()
    for path in paths:
        state = load_full(path, config_digest)
        tensors |= state["tensors"]
        found.add(int(state["steps"]))
    # Of more than one training where a copy, or the writing of it, was ended half way.
    if len(found) != 1 or len(paths) != int(paths[0].stem.rsplit("-", 1)[1]):
        raise InputError(
            Sentence("The travel checkpoint in {folder} is incomplete.", folder=folder),
            Sentence("Copy all of its files."),
        )
    (steps,) = found
    weights = {
        key.removeprefix("weights."): value.float() if value.is_floating_point() else value
        for key, value in tensors.items()
        if key.startswith("weights.")
    }
    average = {
        name: value + tensors[f"average.{name}"].float() if f"average.{name}" in tensors else value
        for name, value in weights.items()
    }
    return weights, average, steps


def _write(path: Path, state: dict[str, Any]) -> None:
    remove_leftovers(path)  # as large as a checkpoint each, and a training is killed often
    try:
        with replacing(path) as part, part.open("wb") as file:
            torch.save(state, file)
    except (OSError, RuntimeError) as error:  # torch turns a failed write into a RuntimeError
        raise CannotWrite(
            Sentence("The checkpoint {path} could not be written: {error}.", path=path.name, error=error),
            Sentence("The previous one is still there; make room."),
        ) from error
