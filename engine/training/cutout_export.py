"""From the trained cut-out network to the files the program runs: ONNX with weights in half precision, and its judge.

OpenCV computes in single precision: each large weight is followed by a ``Cast``, which OpenCV folds away when it reads.
OpenCV 5.0 refuses the branch that estimates the overlap (it asserts in ``toLayout``): the ONNX file gives what the judge
looks at, and the judge's own weights go into a file beside it, to be computed with NumPy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.errors import CannotWrite, os_reason
from engine.preflight.shipped.judge import Judge, write_judge
from engine.preflight.shipped.network import NAME, OUTPUTS
from engine.sentence import Sentence
from engine.training.cutout_network import HINTS, CutoutNetwork
from engine.training.onnx_file import write_onnx

SIDE = 256
"""Pixels a side of what the network is shown."""

_LARGE = 512  # numbers; smaller weights stay as they are


class _Shown(nn.Module):
    """The network with one input of seven channels, grey values 0 … 255 and hints 0 … 1, as OpenCV hands them over.

    Several pictures at once, of any side that is a multiple of 32.
    """

    def __init__(self, network: CutoutNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.network.features_of((pixels[:, :3] - 127.0) / 128.0, pixels[:, 3:])


def export_network(network: CutoutNetwork, folder: Path, side: int = SIDE) -> Path:
    """Write ``cutout.onnx`` and, beside it, the judge of its masks, not calibrated yet. Returns the former.

    Raises:
        InputError: the package that writes ONNX is not installed. CannotWrite: the folder takes no file.
    """
    path = folder / NAME
    axes = {"seen": {0: "pictures", 2: "height", 3: "width"}}
    write_onnx(_Shown(network), torch.zeros(1, 3 + HINTS, side, side), path, OUTPUTS, halved, axes)
    try:
        write_judge(folder, Judge.from_layers(*_layers(network)))
    except OSError as error:
        raise CannotWrite(
            Sentence("{path} cannot be written: {reason}.", path=path, reason=os_reason(error))
        ) from error
    return path


def _layers(network: CutoutNetwork) -> list[np.ndarray]:
    """Weights and biases of the judge's two layers."""
    return [values.detach().numpy() for values in network.judge.parameters()]


def halved(graph: Any, onnx: Any) -> None:
    """Keep large weights in half precision, each widened where it is used."""
    casts = []
    for weight in graph.initializer:
        values = onnx.numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _LARGE:
            continue
        name = weight.name
        weight.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(onnx.helper.make_node("Cast", [weight.name], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
