"""The layers' matrices in eight bits: a quarter of float32, half of bfloat16, and a picture that differs a little.

Every row of a matrix, which makes one output channel, has a step of its own: 1/127 of its largest number. A weight becomes
the nearest whole number of steps, so that it moves by half a step at most. The steps are numbers that bfloat16 holds
exactly; restoring a weight therefore rounds nothing but the product. The layers compute as ever: their matrices are restored
when they run and dropped afterwards, one layer at a time. Biases, norms, modulation and all that lies outside of the blocks
stay as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

LARGEST = 127


@dataclass(frozen=True, eq=False)
class Rounded:
    """A matrix in eight bits.

    Attributes:
        numbers: int8 (out, in), −127 … 127.
        steps: float32 (out, 1); the weights are ``numbers · steps``.
        dtype: number format the layer computes in.
    """

    numbers: Tensor
    steps: Tensor
    dtype: torch.dtype

    @property
    def nbytes(self) -> int:
        return self.numbers.nbytes + self.steps.nbytes

    @property
    def restored_nbytes(self) -> int:
        return self.numbers.numel() * self.dtype.itemsize

    def to(self, device: torch.device | str) -> Rounded:
        return Rounded(self.numbers.to(device), self.steps.to(device), self.dtype)

    def restored(self, device: torch.device | str) -> Tensor:
        """The weights (out, in) in ``dtype``, new memory on ``device``."""
        numbers, steps = self.numbers.to(device, non_blocking=True), self.steps.to(device, non_blocking=True)
        return numbers.to(self.dtype).mul_(steps.to(self.dtype))


def is_layer_matrix(name: str, shape: torch.Size) -> bool:
    """Return True if a weight of the transformer is one of the large matrices of its blocks."""
    return name.startswith("blocks.") and len(shape) == 2 and not name.endswith("modulation")


def round_rows(weight: Tensor, dtype: torch.dtype) -> Rounded:
    """A matrix (out, in) in eight bits; ``dtype`` is what the layer will compute in."""
    weight = weight.float()
    steps = weight.abs().amax(dim=1, keepdim=True) / LARGEST
    # To the next larger number that bfloat16 holds: its bits are the upper half of float32's.
    steps = ((steps.view(torch.int32) + 0xFFFF) & ~0xFFFF).view(torch.float32)
    numbers = (weight / steps.masked_fill(steps == 0, 1)).round_().to(torch.int8)
    return Rounded(numbers, steps, dtype)


def stand_in(rounded: Rounded) -> Tensor:
    """A placeholder for a layer's weights while it does not run: of the right shape and format, without memory, and not a number."""
    return torch.full((), math.nan, dtype=rounded.dtype, device=rounded.numbers.device).expand(rounded.numbers.shape)


class RoundedUnit:
    """The matrices of one layer in eight bits, restored while the layer runs. Used as a ``StreamedUnit`` is.

    Attributes:
        nbytes: size of the restored matrices.
        there: whether they are restored.
    """

    def __init__(self, parameters: list[nn.Parameter], matrices: list[Rounded], device: torch.device) -> None:
        self._parameters, self._matrices, self._device = parameters, matrices, device
        self.nbytes = sum(matrix.restored_nbytes for matrix in matrices)
        self.there = False

    @property
    def arriving(self) -> bool:
        """Return False: nothing is done ahead of time."""
        return False

    def begin_copy(self, stream: Any) -> None:
        """Do nothing: a layer is restored when it is about to run."""

    def enter(self) -> None:
        if not self.there:
            for parameter, matrix in zip(self._parameters, self._matrices, strict=True):
                parameter.data = matrix.restored(self._device)
            self.there = True

    def leave(self) -> None:
        for parameter, matrix in zip(self._parameters, self._matrices, strict=True):
            parameter.data = stand_in(matrix)
        self.there = False
