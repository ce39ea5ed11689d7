"""Putting weights into an encoder: built without memory, filled by assignment, checked name by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from engine.errors import BundleError

M = TypeVar("M", bound=nn.Module)


def assemble(part: str, build: Callable[[], M], state: Mapping[str, Tensor]) -> M:
    """A module with the weights of ``state``, which are used as they are and not copied.

    Args:
        part: what the user calls it, for the error: "text encoder".
        build: makes the module; called on the meta device.
        state: exactly the module's weights, under its own names.

    Raises:
        BundleError: the config builds no such module; a weight is missing, unknown, or of another shape.
    """
    try:
        with torch.device("meta"):
            module = build()
    except Exception as error:  # the libraries raise whatever a wrong config led them into
        raise BundleError(f"The {part} of this model cannot be built from its description.", _STEP) from error
    expected = {name: tensor.shape for name, tensor in module.state_dict().items()}
    for fault, names in (("lacks", expected.keys() - state.keys()), ("has unknown", state.keys() - expected.keys())):
        if names:
            raise BundleError(f"The {part} of this model {fault} weights, the first “{min(names)}”.", _STEP)
    for name, shape in expected.items():
        if state[name].shape != shape:
            raise BundleError(
                f"The {part}'s weight “{name}” has the shape {tuple(state[name].shape)}, not {tuple(shape)}.", _STEP
            )
    module.load_state_dict(dict(state), strict=True, assign=True)
    return module.eval().requires_grad_(False)


_STEP = "Get the model again, or verify it under Models."
