"""Layers whose weights stay in the computer's memory and visit the device while they run: exact, and slower.

For cards that cannot hold the network. Each layer is a *unit*; when it is about to run its matrices are copied to the
device, and they are dropped when it has run. On a graphics card the next unit is copied meanwhile, so that at most two are
there at once. Small parameters (biases, norms, modulation tables) stay on the device. Layers in eight bits are restored in
the same way (``engine/device/int8.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from engine.device.int8 import Rounded, RoundedUnit, is_layer_matrix
from engine.device.streamed_unit import StreamedUnit, may_pin
from engine.model.block import ContentLayer, ImageLayer
from engine.model.transformer import Transformer


class Streaming:
    """Streams layers of one transformer; made by ``stream_layers``.

    Attributes:
        units: in the order of the blocks.
        most_bytes: most bytes of streamed weights that were on the device at once.

    Which unit comes next is what followed the last two before: after an image layer a content layer while a picture is
    prepared, and the next image layer while it is drawn.
    """

    def __init__(self, device: torch.device, pinned: bool, rounded: Mapping[str, Rounded]) -> None:
        self.units: list[StreamedUnit | RoundedUnit] = []
        self.most_bytes = 0
        self._device, self._pinned, self._rounded = device, pinned, rounded
        self._copies = torch.cuda.Stream(device) if device.type == "cuda" else None
        self._next: dict[tuple[int | None, int | None], int] = {}
        self._last_two: tuple[int | None, int | None] = (None, None)
        self._ahead: int | None = None

    def add(self, path: str, module: nn.Module, inner: tuple[str, ...] = ()) -> None:
        """Stream a module's matrices, but for those of the named submodules, which are called on their own.

        Args:
            path: of the module in the network, with a dot at its end.
        """
        big: dict[str, nn.Parameter] = {}
        for name, parameter in module.named_parameters():
            if name.startswith(inner) if inner else False:
                continue
            if is_layer_matrix(path + name, parameter.shape):
                big[path + name] = parameter
            else:
                parameter.data = parameter.data.to(self._device)
        number = len(self.units)
        matrices = [self._rounded[name] for name in big if name in self._rounded]
        if matrices:
            self.units.append(RoundedUnit([*big.values()], matrices, self._device))
        else:
            self.units.append(StreamedUnit([*big.values()], self._device, self._pinned))
        module.register_forward_pre_hook(lambda *_: self._enter(number))
        module.register_forward_hook(lambda *_: self._leave(number), always_call=True)

    def _enter(self, number: int) -> None:
        if self._ahead is not None and self._ahead != number:
            self.units[self._ahead].leave()
        self._ahead = None
        self.units[number].enter()
        self._next[self._last_two] = number
        self._last_two = (self._last_two[1], number)
        following = self._next.get(self._last_two)
        if self._copies is not None and following is not None and following != number:
            self.units[following].begin_copy(self._copies)
            self._ahead = following
        self.most_bytes = max(self.most_bytes, sum(unit.nbytes for unit in self.units if unit.there or unit.arriving))

    def _leave(self, number: int) -> None:
        self.units[number].leave()


def stream_layers(
    net: Transformer,
    device: torch.device | str,
    *,
    content: bool = True,
    image: bool = False,
    rounded: Mapping[str, Rounded] | None = None,
) -> Streaming:
    """Stream the content layers, the image layers, or both, of a transformer. The results are the same, bit for bit.

    Args:
        net: its streamed layers may lie anywhere; everything else is on ``device``.
        device: where it computes.
        rounded: matrices in eight bits by their names in the network, all of the streamed layers or none.
    """
    device = torch.device(device)
    size = sum(parameter.nbytes for name, parameter in net.named_parameters() if name.startswith("blocks."))
    streaming = Streaming(device, may_pin(device, size), rounded or {})
    for index, block in enumerate(net.blocks):
        for path, module, inner in _layers(block, content, image):
            streaming.add(f"blocks.{index}.{path}.", module, inner)
    return streaming


def _layers(block: Any, content: bool, image: bool) -> Iterator[tuple[str, nn.Module, tuple[str, ...]]]:
    """Modules that are called on their own: where in the block, and the submodules that are too."""
    if content:
        layer: ContentLayer = block.content
        yield "content", layer, ("update.text_keys.",)
        if layer.update is not None:
            yield "content.update.text_keys", layer.update.text_keys, ()
    if image:
        shown: ImageLayer = block.image
        yield "image", shown, ("text_keys.", "semantic_keys.")
        yield "image.text_keys", shown.text_keys, ()
        yield "image.semantic_keys", shown.semantic_keys, ()
