"""Reading what publishers release: checkpoints (.pth, .bin, .safetensors) and hub folders, tensor by tensor.

A ``.pth`` file is a pickle, which could run code when it is read. It is read with torch's ``weights_only`` unpickler, which
knows tensors and plain containers and nothing else. The dump of a training has more beside its weights: numpy's scalars, the
arguments it was started with. These are read as an empty value, without a call into numpy or argparse. A file with anything
beyond that is refused, and nothing in it is run.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from engine.bundle.checkpoint_layout import TOKENIZER, TRANSFORMER, Wanted, find_weights
from engine.errors import BundleError, DoesNotFit, InputError, os_reason
from engine.files import is_file, is_folder
from engine.sentence import Sentence
from engine.validation import Damage, read_json

__all__ = ["GET_FILE_AGAIN", "TOKENIZER", "TRANSFORMER", "Checkpoint", "hub_checkpoint", "hub_config"]

GET_FILE_AGAIN = Sentence("Get the file again from its publisher.")
_REOPEN_BYTES = 10**9
_MAX_CONFIG_BYTES = 2**20


class Checkpoint:
    """The tensors of one or several files, read one by one; the files are memory-mapped, never read as a whole.

    Args:
        wanted: the weights a pickle is searched for; None takes the first ones there are.

    Attributes:
        shapes: shape of every tensor, by name.

    Raises:
        InputError: a file is not there. BundleError: it is damaged, or holds program code.
        DoesNotFit: it does not hold the wanted weights.
    """

    def __init__(self, *paths: Path, wanted: Wanted | None = None) -> None:
        self.paths = paths
        self._wanted = wanted
        self.shapes: dict[str, tuple[int, ...]] = {}
        self._file_of: dict[str, Path] = {}
        for path in paths:
            for name, shape in _shapes(path, wanted).items():
                if name in self.shapes:
                    raise BundleError(
                        Sentence("The weight “{name}” is in {path} and in another file.", name=name, path=path.name),
                        GET_FILE_AGAIN,
                    )
                self.shapes[name], self._file_of[name] = shape, path

    @classmethod
    def of_shapes(cls, path: Path, shapes: Mapping[str, tuple[int, ...]]) -> Checkpoint:
        """A file that is not there, of which only the header is known: names and shapes, no tensors."""
        checkpoint = cls()
        checkpoint.paths, checkpoint.shapes = (path,), dict(shapes)
        return checkpoint

    def tensors(self, names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """The tensors of these names, in this order. Each is only valid until the next one is asked for."""
        opened: Path | None = None
        state: Mapping[str, Tensor] = {}
        read = 0
        for name in names:
            path = self._file_of[name]
            if path.suffix == ".safetensors":
                with safe_open(path, "pt") as file:
                    yield name, file.get_tensor(name)
                continue
            if path != opened or read > _REOPEN_BYTES:
                # A new mapping from time to time: the pages of the old one stop counting as ours.
                state, opened, read = _load_pickle(path, self._wanted), path, 0
            tensor = state[name]
            read += tensor.nbytes
            yield name, tensor


def hub_checkpoint(folder: Path) -> Checkpoint:
    """All weights of a folder as the hub has it, in one file or in several. Safetensors are preferred."""
    if not is_folder(folder):
        raise InputError(
            Sentence("There is no folder {folder}.", folder=folder),
            Sentence("Name the folder the part was downloaded to."),
        )
    for pattern in ("*.safetensors", "pytorch_model*.bin"):
        found = sorted(path for path in folder.glob(pattern) if path.is_file())
        if found:
            return Checkpoint(*found)
    raise InputError(
        Sentence("There are no weights in {folder}.", folder=folder),
        Sentence("It should hold config.json and safetensors files."),
    )


def hub_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a folder as the hub has it, without what says nothing about the network."""
    path = folder / "config.json"
    try:
        config = read_json(path, dict[str, Any], _MAX_CONFIG_BYTES)
    except OSError as error:
        raise InputError(
            Sentence("{path} cannot be read: {reason}.", path=path, reason=os_reason(error)),
            Sentence("Name the folder the part was downloaded to."),
        ) from error
    except Damage as damage:
        raise BundleError(Sentence("{path} is damaged.", path=path), GET_FILE_AGAIN) from damage
    dropped = ("architectures", "torch_dtype", "dtype", "transformers_version", "auto_map", "task_specific_params")
    return {name: value for name, value in config.items() if name not in dropped and not name.startswith("_")}


def _shapes(path: Path, wanted: Wanted | None) -> dict[str, tuple[int, ...]]:
    if not is_file(path):
        raise InputError(Sentence("There is no file {path}.", path=path))
    if path.suffix != ".safetensors":
        return {name: tuple(tensor.shape) for name, tensor in _load_pickle(path, wanted).items()}
    try:
        with safe_open(path, "pt") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise BundleError(
            Sentence("{path} is damaged: it is no sound safetensors file.", path=path.name), GET_FILE_AGAIN
        ) from error
    if wanted is not None and not any(mark <= shapes.keys() for mark in wanted.marks):
        raise DoesNotFit(Sentence("{path} does not hold {wanted}.", path=path.name, wanted=wanted.words), found=shapes)
    return shapes


class _Plain:
    """Stands where a file has a value of another kind than a weight. It takes anything and keeps nothing."""

    def __new__(cls, *_: Any) -> _Plain:
        return object.__new__(cls)

    def __setstate__(self, state: Any) -> None:
        pass


# What trainings write beside their weights. A name here means: read past it; the thing itself is never looked up or called.
_PLAIN_DATA: list[Callable[..., Any] | tuple[Callable[..., Any], str]] = [
    (_Plain, name)
    for name in (
        "argparse.Namespace",
        "numpy.dtype",
        "numpy.ndarray",
        *(
            f"numpy.{core}.multiarray.{function}"
            for core in ("core", "_core")
            for function in ("scalar", "_reconstruct")
        ),
        *(
            f"numpy.dtypes.{kind}DType"
            for kind in ("Bool", "Int8", "Int16", "Int32", "Int64", "UInt8", "Float16", "Float32", "Float64", "Str")
        ),
        *(
            f"{module}.{flavour}Path"
            for module in ("pathlib", "pathlib._local")
            for flavour in ("Posix", "Windows", "PurePosix", "PureWindows")
        ),
    )
]


def _load_pickle(path: Path, wanted: Wanted | None) -> Mapping[str, Tensor]:
    try:
        # Files of the old format cannot be mapped; reading them whole is all that is left.
        with torch.serialization.safe_globals(_PLAIN_DATA):
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except pickle.UnpicklingError as error:
        raise _refused(path, str(error)) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, AttributeError, TypeError, IndexError) as error:
        raise BundleError(
            Sentence("{path} is damaged, or no file of weights.", path=path.name), GET_FILE_AGAIN
        ) from error
    return find_weights(loaded, wanted, path.name)


def _refused(path: Path, why: str) -> BundleError:
    found = re.search(r"GLOBAL ([\w.]+)", why)
    if found is not None or ("nsupported" in why and _is_pickle(path)):
        what = f" ({found.group(1)})" if found is not None else ""
        return BundleError(
            Sentence(
                "{path} holds program code{what} besides weights. It was refused, and nothing in it was run.",
                path=path.name,
                what=what,
            ),
            Sentence("Get the file from its own publisher, or a safetensors version of it."),
        )
    return BundleError(Sentence("{path} is damaged, or no file of weights.", path=path.name), GET_FILE_AGAIN)


def _is_pickle(path: Path) -> bool:
    """Return True if a file begins as pickles do, so that what stopped the reader was not mere text."""
    with path.open("rb") as stream:
        return zipfile.is_zipfile(path) or stream.read(1) == pickle.PROTO
