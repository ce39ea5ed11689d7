"""Two-dimensional rotary code (axial, interleaved pairs).

A head vector of width c has c/2 pairs. Pair j < c/4 is rotated by row · θ_j, pair c/4 ≤ j < c/2 by column · θ_{j - c/4},
with θ_j = 10000^(-4j/c).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def rotary_code(positions: Sequence[tuple[int, int]], head_size: int, device: torch.device | str = "cpu") -> Tensor:
    """The turn of every pair at grid positions (row, column), cos + i·sin: complex64 (n, head_size / 2)."""
    theta = 10000.0 ** (-torch.arange(0, head_size // 4, dtype=torch.float32) * 4 / head_size)
    place = torch.tensor(list(positions), dtype=torch.float32).reshape(-1, 2)
    angle = torch.cat([place[:, :1] * theta, place[:, 1:] * theta], dim=1)
    return torch.complex(angle.cos(), angle.sin()).to(device)


def rotate(x: Tensor, rotary: Tensor) -> Tensor:
    """Rotate the pairs (2j, 2j+1) of head vectors (B, n, H, c), float32, by ``rotary`` (n, c/2): one complex product."""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotary.unsqueeze(1)).flatten(-2)
