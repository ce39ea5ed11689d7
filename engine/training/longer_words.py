"""A checkpoint goes on with a longer list of words: the old words keep their rows, the new ones begin as they are drawn."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer
from torch import Tensor, nn

WORD_TABLES = ("text.shared.weight", "text.encoder.embed_tokens.weight")
"""The word table's names in the transformer stage's module: one tensor."""


def begins_with(words: Tokenizer, former: str) -> bool:
    """Return True if every word of a former list, as ``Tokenizer.to_str`` wrote it, still has its number."""
    now = words.get_vocab()
    return all(now.get(word) == number for word, number in Tokenizer.from_str(former).get_vocab().items())


def lengthen(state: dict[str, Any], fresh: nn.Module, optimisers: list[list[Tensor]]) -> None:
    """Bring the word tables of a stage's saved state to the length they have now, in place; its kept pairs go.

    Args:
        fresh: the stage's module as it was just built.
        optimisers: the parameters of each of the stage's optimisers, in their order.
    """
    built = fresh.state_dict()
    for weights in (state["module"], state["average"]):
        for name in WORD_TABLES:
            if name in weights:
                weights[name] = _longer(weights[name], built[name])
    for saved, parameters in zip(state["optimisers"], optimisers, strict=True):
        for index, parameter in enumerate(parameters):
            for name, moment in saved["state"].get(index, {}).items():
                if isinstance(moment, Tensor) and moment.dim() == parameter.dim() and moment.shape != parameter.shape:
                    saved["state"][index][name] = _longer(moment, moment.new_zeros(parameter.shape))
    state.pop("pool", None)


def _longer(former: Tensor, built: Tensor) -> Tensor:
    longer = built.detach().to(former).clone()
    longer[: len(former)] = former
    return longer
