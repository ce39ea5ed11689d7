"""Putting weights into an encoder: built without memory, filled by assignment, checked name by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engine.encoders.names import own_name, under_own_names
from engine.errors import BundleError
from engine.sentence import Sentence

M = TypeVar("M", bound=nn.Module)

PART_WORDS = {
    "text": Sentence("text encoder"),
    "semantic": Sentence("semantic encoder"),
    "content": Sentence("content encoder"),
    "transformer": Sentence("transformer"),
    "tokenizer": Sentence("visual tokenizer"),
}


def assemble(part: str, build: Callable[[], M], state: Mapping[str, Tensor]) -> M:
    """A module with the weights of ``state``, which are used as they are and not copied.

    Args:
        part: "text", "semantic", "content", "transformer" or "tokenizer".
        build: makes the module; called on the meta device.
        state: exactly the module's weights. Those of an encoder may have any spelling ``engine.encoders.names`` knows.

    Raises:
        BundleError: the config builds no such module; a weight is missing, unknown, or of another shape.
    """
    words = PART_WORDS[part]
    module = build_on_meta(part, build)
    state = under_own_names(part, state)
    expected = expected_shapes(part, module)
    for fault, names in (
        (Sentence("lacks"), expected.keys() - state.keys()),
        (Sentence("has unknown"), state.keys() - expected.keys()),
    ):
        if names:
            raise BundleError(
                Sentence(
                    "The {words} of this model {fault} weights, the first “{first}”.",
                    words=words,
                    fault=fault,
                    first=min(names),
                ),
                _STEP,
            )
    for name, shape in expected.items():
        if tuple(state[name].shape) != shape:
            raise BundleError(
                Sentence(
                    "The {words}'s weight “{name}” has the shape {shape}, not {expected}.",
                    words=words,
                    name=name,
                    shape=tuple(state[name].shape),
                    expected=shape,
                ),
                _STEP,
            )
    module.load_state_dict(state, strict=True, assign=True)
    return module.eval().requires_grad_(False)


def build_on_meta(part: str, build: Callable[[], M]) -> M:
    """The module without memory for its weights. Raises ``BundleError`` where its description builds none."""
    try:
        with torch.device("meta"), _WithoutNumbers():
            return build()
    except Exception as error:  # whatever a wrong config leads to
        raise BundleError(
            Sentence("The {part_word} of this model cannot be built from its description.", part_word=PART_WORDS[part]),
            _STEP,
        ) from error


class _WithoutNumbers(TorchFunctionMode):
    """Weights on the meta device have no numbers: drawing random ones for them would only import torch's compiler, which
    takes longer than all the rest of an opening."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init" or func in _DRAWING:
            return args[0] if args else next(iter((kwargs or {}).values()))
        return func(*args, **(kwargs or {}))


_DRAWING = (Tensor.normal_, Tensor.uniform_)


def expected_shapes(part: str, module: nn.Module) -> dict[str, tuple[int, ...]]:
    """Shape of every weight a module wants, under our names."""
    return {own_name(part, name): tuple(tensor.shape) for name, tensor in module.state_dict().items()}


_STEP = Sentence("Get the model again, or verify it under Models.")
