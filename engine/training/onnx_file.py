"""A network of torch as an ONNX file for OpenCV, with its large weights made smaller."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.errors import CannotWrite, InputError, os_reason
from engine.files import replacing
from engine.sentence import Sentence


def write_onnx(
    network: nn.Module,
    example: Tensor,
    path: Path,
    outputs: Sequence[str],
    shrink: Callable[[Any, Any], object],
    dynamic_axes: dict[str, dict[int, str]] | None = None,
) -> bytes:
    """Write a file as a whole or not at all. Returns what is in it.

    Args:
        network: takes one tensor.
        example: an input as large as those to come; its name in the file is "seen".
        outputs: names of what the network gives.
        shrink: called with the graph and the module ``onnx``; makes its weights smaller in place.
        dynamic_axes: axes of the input that may have other lengths, as ``torch.onnx.export`` takes them.

    Raises:
        InputError: the package that writes ONNX is not installed. CannotWrite: the folder takes no file.
    """
    try:
        onnx: Any = importlib.import_module("onnx")
    except ImportError as error:
        raise InputError(
            Sentence("Writing the network needs a package that is not installed."),
            Sentence("Install it with: pip install onnx."),
        ) from error
    try:
        with replacing(path) as part:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the exporter of TorchScript calls itself old
                torch.onnx.export(
                    network.eval(),
                    (example,),
                    str(part),
                    input_names=["seen"],
                    output_names=list(outputs),
                    dynamic_axes=dynamic_axes,
                    opset_version=17,
                    dynamo=False,
                )
            model = onnx.load(part)
            shrink(model.graph, onnx)
            onnx.checker.check_model(model)
            data: bytes = model.SerializeToString()
            part.write_bytes(data)
    except OSError as error:
        raise CannotWrite(
            Sentence("{path} cannot be written: {reason}.", path=path, reason=os_reason(error))
        ) from error
    return data
