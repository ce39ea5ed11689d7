"""Finds the weights in a published pickle: plain, under one entry, or deep in the dump of a whole training.

The mapping is chosen by what it holds, not by what it is called: the layout of a file is its publisher's affair, and has
changed before. Only where several mappings hold the wanted weights do the names of the entries decide, in the order the
reference's own loaders have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from engine.errors import DoesNotFit
from engine.sentence import Sentence

_DEPTH = 4
_PREFIXES = ("module.", "_orig_mod.", "_fsdp_wrapped_module.")


@dataclass(frozen=True)
class Wanted:
    """The weights that are looked for.

    Attributes:
        words: what the user calls them: "the weights of an EchoGen transformer".
        marks: sets of names; a mapping that has all names of one of them holds the weights.
        entries: names of entries in the order in which they are taken when several hold the weights.
        prefixes: what training puts before every name, and is taken off.
    """

    words: Sentence
    marks: tuple[frozenset[str], ...]
    entries: tuple[str, ...]
    prefixes: tuple[str, ...] = _PREFIXES


TRANSFORMER = Wanted(
    Sentence("the weights of an EchoGen transformer"),
    (frozenset({"cfg_uncond", "pos_start", "word_embed.weight"}),),
    ("gpt_fsdp", "gpt_wo_ddp", "gpt", "model", "state_dict", "module"),
)
# The reference reads "vae" or "ema" as they are. With a prefix it would find none of its weights, and load nothing.
TOKENIZER = Wanted(
    Sentence("the weights of a visual tokenizer"),
    (frozenset({"encoder.conv_in.conv.weight"}), frozenset({"encoder.conv_in.weight"})),
    ("vae", "ema", "state_dict", "model", "module"),
    (),
)


def find_weights(loaded: Any, wanted: Wanted | None, file: str) -> dict[str, Tensor]:
    """The wanted weights in what was read from a pickle, by their names without prefixes.

    Args:
        wanted: None takes the first mapping that holds tensors.

    Raises:
        DoesNotFit: nothing in it holds these weights.
    """
    fitting = []
    for order, (path, mapping) in enumerate(_mappings(loaded)):
        tensors = _without_prefixes({name: mapping[name] for name in _tensor_names(mapping)}, wanted)
        if tensors and (wanted is None or any(mark <= tensors.keys() for mark in wanted.marks)):
            fitting.append((_rank(path, wanted), order, tensors))
    if fitting:
        return min(fitting, key=lambda entry: entry[:2])[2]
    words = wanted.words if wanted is not None else "weights"
    raise DoesNotFit(
        Sentence("{file} does not hold {words}: it holds {loaded}.", file=file, words=words, loaded=_in_short(loaded)),
        found=entries(loaded),
    )


def entries(loaded: Any) -> list[str]:
    """Names of all entries of what was read, outer ones before inner ones, joined by points."""
    return [
        ".".join((*path, str(name)))
        for path, mapping in _mappings(loaded, with_tensors=False)
        for name in mapping
        if isinstance(name, str)
    ]


def _mappings(
    loaded: Any, path: tuple[str, ...] = (), with_tensors: bool = True, met: set[int] | None = None
) -> Iterator[tuple[tuple[str, ...], Mapping[Any, Any]]]:
    """Every mapping in what was read, outer ones first. Each comes once: a small pickle can name the same ones without end."""
    met = set() if met is None else met
    if not isinstance(loaded, Mapping) or id(loaded) in met:
        return
    met.add(id(loaded))
    if not with_tensors or _tensor_names(loaded):
        yield path, loaded
    if len(path) < _DEPTH:
        for name, inner in loaded.items():
            if isinstance(name, str):
                yield from _mappings(inner, (*path, name), with_tensors, met)


def _tensor_names(mapping: Mapping[Any, Any]) -> list[str]:
    return [name for name, value in mapping.items() if isinstance(name, str) and isinstance(value, Tensor)]


def _without_prefixes(tensors: dict[str, Tensor], wanted: Wanted | None) -> dict[str, Tensor]:
    """The same without what stands before every one of the names."""
    prefixes = wanted.prefixes if wanted is not None else ()
    while tensors and (found := [prefix for prefix in prefixes if all(name.startswith(prefix) for name in tensors)]):
        tensors = {name.removeprefix(found[0]): tensor for name, tensor in tensors.items()}
    return tensors


def _rank(path: tuple[str, ...], wanted: Wanted | None) -> tuple[bool, int]:
    """Plain files first, then the entries by their order; averages ("gpt_ema") only where there is nothing else."""
    known = wanted.entries if wanted is not None else ()
    averaged = any("ema" in name.lower() for name in path) and path[-1] not in known
    return averaged, -1 if not path else known.index(path[-1]) if path[-1] in known else len(known)


def _in_short(loaded: Any) -> str:
    """A description of the checkpoint, in a few words."""
    if not isinstance(loaded, Mapping):
        return f"a value of the kind “{type(loaded).__name__}”"
    if not loaded:
        return "nothing"
    names = [str(name)[:40] for name in loaded]
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    return f"{', '.join(f'“{name}”' for name in names[:4])}{more}"
