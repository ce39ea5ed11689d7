"""A network whose weights may be spread over processes: spreading, gradients, checkpoints, and the whole of it again.

FSDP2 (``torch.distributed.fsdp.fully_shard``) turns every weight into a ``DTensor``, of which a process holds its shard. Sums,
averages and AdamW's moments are element by element and work on shards. ``torch.distributed.checkpoint`` writes each shard with
its place in the whole, so that any number of processes can read them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import get_state_dict, set_state_dict
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

from engine.errors import CannotWrite, InputError
from engine.files import replace_folder
from engine.sentence import Sentence
from engine.training.team import Team
from engine.validation import Damage, read_json

MakeOptimiser = Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]

META = "training.json"
_MAX_META = 2**24


def spread(
    model: nn.Module, make: MakeOptimiser, blocks: type[nn.Module], team: Team
) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Give every process its part of the work on a network.

    On cards ``accelerate`` does it as its configuration says: FSDP2 with ``fsdp_version: 2``, else whole copies. It knows
    FSDP on cards only; on processors the same function of torch is called here.

    Args:
        make: makes an optimiser of parameters.
        blocks: class of the modules that are gathered one after the other.
    """
    accelerator = team.accelerator
    if accelerator is None:
        return model, make(model.parameters())
    # It warns that what a block returns must not be changed in place, which nothing here does.
    warnings.filterwarnings("ignore", "FSDP2-wrapped module", UserWarning)
    if torch.device(team.device).type == "cpu" and not accelerator.is_fsdp2:
        for module in model.modules():
            if isinstance(module, blocks):
                fully_shard(module)
        fully_shard(model)
        return model, make(model.parameters())
    if accelerator.is_fsdp2:
        plugin = accelerator.state.fsdp_plugin
        plugin.transformer_cls_names_to_wrap = [blocks.__name__]
        if accelerator.mixed_precision == "bf16":
            # accelerate's own would round what passes between blocks and the gradients' sums as well.
            plugin.mixed_precision_policy = MixedPrecisionPolicy(
                param_dtype=torch.bfloat16, reduce_dtype=torch.float32, cast_forward_inputs=False
            )
    model, prepared = accelerator.prepare(model, make(model.parameters()))
    return model, prepared.optimizer


def without_messages(model: nn.Module) -> AbstractContextManager[Any]:
    """Within, gradients are added up in each process, and not yet over the processes."""
    if hasattr(model, "set_requires_gradient_sync"):
        return _no_sync(model)
    no_sync = getattr(model, "no_sync", None)
    return nullcontext() if no_sync is None else no_sync()


@contextlib.contextmanager
def _no_sync(model: Any) -> Iterator[None]:
    model.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        model.set_requires_gradient_sync(True)


def local(tensor: Tensor) -> Tensor:
    """This process's shard, which shares its memory with the tensor; the tensor itself where it is whole."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def whole(tensor: Tensor) -> Tensor:
    """All shards together; every process has to call it."""
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


class ShardedAverage:
    """Running average of a network's weights, sharded as they are. Early on it forgets faster."""

    def __init__(self, weights: dict[str, Tensor], keep: float) -> None:
        self.keep, self.steps = keep, 0
        self.weights = {name: value.detach().clone() for name, value in weights.items()}

    @torch.no_grad()
    def update(self, weights: dict[str, Tensor]) -> None:
        self.steps += 1
        keep = min(self.keep, (1 + self.steps) / (10 + self.steps))
        means = [local(self.weights[name]) for name in weights]
        torch._foreach_lerp_(means, [local(value.detach()) for value in weights.values()], 1 - keep)


def named_weights(model: nn.Module) -> dict[str, Tensor]:
    """The trainable weights by the names they have without what is wrapped around the network."""
    found: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        for wrapping in ("module.", "_orig_mod.", "_checkpoint_wrapped_module."):
            name = name.replace(wrapping, "")
        found[name] = parameter
    return found


class Checkpoints:
    """Checkpoints in a folder: ``step-N`` each, written beside and renamed; the newest whole one counts."""

    def __init__(self, folder: Path, team: Team) -> None:
        self.folder, self.team = folder, team

    def newest(self) -> Path | None:
        found = [path for path in self.folder.glob("step-*") if path.suffix != ".part" and (path / META).is_file()]
        return max(found, key=lambda path: int(path.name.removeprefix("step-")), default=None)

    def save(
        self,
        step: int,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        average: ShardedAverage,
        meta: dict[str, Any],
    ) -> None:
        """Write a checkpoint, and remove the ones before.

        Raises:
            CannotWrite: in every process, when one cannot write; the checkpoint before stays.
        """
        place = self.folder / f"step-{step:07d}"
        part = place.with_suffix(".part")
        failed = ""
        try:
            if self.team.writes:
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir(parents=True)
        except OSError as error:
            failed = error.strerror or str(error)
        self._all_or_none(failed, place)
        try:
            weights, moments = get_state_dict(model, optimiser)
            state = {"model": weights, "optimiser": moments, "average": average.weights}
            with self._quiet():
                dcp.save(state, checkpoint_id=part, no_dist=self.team.count == 1)
        except Exception as error:  # the library wraps what the disk says in errors of its own
            failed = str(error).splitlines()[0] if str(error) else type(error).__name__
        self._all_or_none(failed, place)
        try:
            if self.team.writes:
                with (part / META).open("w", encoding="utf-8") as file:
                    json.dump({**meta, "step": step, "average_steps": average.steps}, file)
                    file.flush()
                    os.fsync(file.fileno())
                replace_folder(part, place)
                for other in self.folder.glob("step-*"):
                    if other != place:
                        shutil.rmtree(other, ignore_errors=True)
        except OSError as error:
            failed = error.strerror or str(error)
        self._all_or_none(failed, place)

    @contextlib.contextmanager
    def _quiet(self) -> Iterator[None]:
        """The library warns of a single process, even where it is told that there is one."""
        with warnings.catch_warnings():
            if self.team.count == 1:
                warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
            yield

    def _all_or_none(self, failed: str, place: Path) -> None:
        if self.team.any(bool(failed)):
            raise CannotWrite(
                Sentence(
                    "The checkpoint {name} could not be written: {reason}.",
                    name=place.name,
                    reason=failed or "another process failed",
                ),
                Sentence("Make room."),
            )

    def meta(self, path: Path) -> dict[str, Any]:
        """Read the values stored beside the weights. Raises ``InputError`` where they are damaged."""
        try:
            return read_json(path / META, dict[str, Any], _MAX_META)
        except (OSError, Damage) as error:
            raise InputError(
                Sentence("The checkpoint {name} is damaged.", name=path.name),
                Sentence("Delete it to go on from the start."),
            ) from error

    def load(self, path: Path, model: nn.Module, optimiser: torch.optim.Optimizer, average: ShardedAverage) -> None:
        """Put a checkpoint's weights and moments in place.

        Raises:
            InputError: it is damaged.
        """
        try:
            weights, moments = get_state_dict(model, optimiser)
            state = {"model": weights, "optimiser": moments, "average": average.weights}
            with self._quiet():
                dcp.load(state, checkpoint_id=path, no_dist=self.team.count == 1)
            set_state_dict(model, optimiser, model_state_dict=weights, optim_state_dict=moments)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise InputError(
                Sentence("The checkpoint {name} is damaged.", name=path.name),
                Sentence("Delete it to go on from the start."),
            ) from error
        average.steps = int(self.meta(path)["average_steps"])
