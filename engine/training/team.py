"""The processes that train one network together, one per card, and the few things they tell each other.

Every process draws the same batches by the same generators, computes its own rows of each, and the gradients are averaged: all
networks stay the same to the bit, and so a checkpoint does not know how many processes there were. Each process computes a loss
whose *mean over the processes* is that of the whole batch. Where a loss divides by a sum over the batch, it divides by the
``mean`` of the processes' sums.

``accelerate`` finds the card of each process and opens their connection; ``accelerate launch`` or ``torchrun`` starts them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from engine.errors import InputError
from engine.sentence import Sentence

T = TypeVar("T")

PATIENCE = timedelta(hours=1)
"""How long a process waits for the others: painting the first backgrounds takes minutes."""


@dataclass(frozen=True)
class Team:
    """The processes, as one of them sees them.

    Attributes:
        rank: number of this process, 0 … count - 1. Process 0 writes.
        count: how many there are.
        device: this process's card, or the processor.
        accelerator: an ``accelerate.Accelerator``, or None where there is one process alone.
    """

    rank: int = 0
    count: int = 1
    device: str = "cpu"
    accelerator: Any = None

    @property
    def writes(self) -> bool:
        """True if this is the process that writes checkpoints, logs and sheets."""
        return self.rank == 0

    def rows(self, batch: int) -> slice:
        """This process's rows of a batch.

        Raises:
            InputError: the batch does not divide evenly.
        """
        if batch % self.count:
            raise InputError(
                Sentence("A batch of {batch} does not divide among {count} processes.", batch=batch, count=self.count),
                Sentence("Set the batch to a multiple of {count}.", count=self.count),
            )
        share = batch // self.count
        return slice(self.rank * share, (self.rank + 1) * share)

    def own(self, values: T) -> T:
        """This process's rows of something with one row for each picture of the batch: a tensor, a list."""
        return values if self.count == 1 else values[self.rows(len(values))]  # type: ignore[arg-type, index]

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a tensor over the processes, without gradient."""
        if self.count == 1:
            return value.detach()
        total = value.detach().clone()
        dist.all_reduce(total)
        return total / self.count

    def length(self, vector: Tensor) -> Tensor:
        """Euclidean length of a vector whose pieces lie in the processes."""
        return vector.norm() if self.count == 1 else (self.mean(vector.norm().square()) * self.count).sqrt()

    def figures(self, figures: Mapping[str, float]) -> dict[str, float]:
        """The mean of each figure over the processes, which all have the same names."""
        if self.count == 1:
            return dict(figures)
        values = torch.tensor(list(figures.values()), dtype=torch.float32, device=self.device)
        return dict(zip(figures, self.mean(values).tolist(), strict=True))

    def average_gradients(self, module: nn.Module) -> None:
        """Replace the gradients of a module by their mean over the processes, in one message per dtype."""
        if self.count == 1:
            return
        by_kind: dict[torch.dtype, list[Tensor]] = {}
        for parameter in module.parameters():
            if parameter.grad is not None:
                by_kind.setdefault(parameter.grad.dtype, []).append(parameter.grad)
        for gradients in by_kind.values():
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            dist.all_reduce(flat)
            flat /= self.count
            pieces = flat.split([gradient.numel() for gradient in gradients])
            for gradient, piece in zip(gradients, pieces, strict=True):
                gradient.copy_(piece.view_as(gradient))

    def agreed(self, number: float) -> float:
        """The value of process 0; all go by its clock."""
        if self.count == 1:
            return number
        # Cards know no doubles on every system: the message is whole milliseconds.
        shared = torch.tensor([round(number * 1000)], dtype=torch.int64, device=self.device)
        dist.broadcast(shared, 0)
        return int(shared) / 1000

    def any(self, flag: bool) -> bool:
        """Return True if ``flag`` is true in any process."""
        if self.count == 1:
            return flag
        shared = torch.tensor([int(flag)], dtype=torch.int64, device=self.device)
        dist.all_reduce(shared, dist.ReduceOp.MAX)
        return bool(int(shared))

    def wait(self) -> None:
        """Until all are here."""
        if self.count > 1:
            # One of the collectives above instead of a barrier, which guesses the card with NCCL.
            self.any(False)

    def leave(self) -> None:
        """Close the connection, at the end of the program."""
        if self.count > 1 and dist.is_initialized():
            dist.destroy_process_group()


ALONE = Team()


def processes() -> int:
    """Return the number of processes the launcher has started; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def speaks() -> bool:
    """Return True if this process reports and draws sheets: of several, the first does."""
    return os.environ.get("RANK", "0") == "0"


def join(device: str) -> Team:
    """The team of the processes that the launcher started; ``ALONE`` without one.

    Args:
        device: "cpu" or "cuda"; each process gets a card of its own.

    Raises:
        InputError: accelerate is not installed.
    """
    if processes() == 1:
        return Team(device=device)
    accelerator = make_accelerator(device)
    return Team(accelerator.process_index, accelerator.num_processes, str(accelerator.device), accelerator)


def make_accelerator(device: str) -> Any:
    """An ``accelerate.Accelerator``, which also reads the settings that ``accelerate launch`` hands on.

    Raises:
        InputError: accelerate is not installed.
    """
    try:
        accelerate = importlib.import_module("accelerate")
    except ImportError as error:
        raise InputError(
            Sentence("Training on several cards needs accelerate."),
            Sentence("Install it with: pip install {package}", package="'accelerate>=1.15,<2'"),
        ) from error
    waiting = accelerate.InitProcessGroupKwargs(timeout=PATIENCE)
    return accelerate.Accelerator(cpu=torch.device(device).type == "cpu", kwargs_handlers=[waiting])
