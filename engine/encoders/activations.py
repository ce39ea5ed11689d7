"""The activations that the encoders' descriptions may name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import Tensor
from torch.nn import functional as F

_KNOWN: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": partial(F.gelu, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "swish": F.silu,
}


def activation(name: str) -> Callable[[Tensor], Tensor]:
    """Raises ``ValueError`` for one that is not known here."""
    if name not in _KNOWN:
        raise ValueError(f"no activation: {name}")
    return _KNOWN[name]
