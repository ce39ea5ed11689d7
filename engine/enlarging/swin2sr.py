"""Swin2SR (Conde et al., 2022) through transformers: a picture two or four times as large, with detail that fits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.device.devices import release_memory
from engine.device.out_of_memory import is_out_of_memory
from engine.enlarging.tiles import Tiling, by_tiles
from engine.errors import BundleError, Cancel, NotEnoughMemory
from engine.photo.enlarge import Way
from engine.preflight.networks.learned import place
from engine.preflight.networks.pretrained import load_model, load_part
from engine.sentence import Sentence

log = logging.getLogger(__name__)

METHOD = "Swin2SR"
SIDES = (256, 128, 96)
"""Sides of a tile, the next one tried when memory runs out. 256 takes about 1.5 GB."""
PROCESSOR_SIDES = SIDES[1:]
"""On the processor a tile takes long, and stopping waits for it."""


class Upscaler:
    """A network that enlarges, by the factor it was trained for.

    Args:
        model: ``transformers.Swin2SRForImageSuperResolution``, ready for inference.
        sides: of the tiles, the largest first.
    """

    def __init__(self, model: Any, sides: tuple[int, ...] = PROCESSOR_SIDES) -> None:
        self._model, self._sides = model, sides
        self.factor = int(model.config.upscale)

    @classmethod
    def from_folder(cls, folder: Path, factor: int, device: str = "auto") -> Upscaler:
        """Load from a folder in the hub's layout.

        Args:
            factor: the one that is wanted. device: the user's choice of a device.

        Raises:
            BundleError: it cannot be opened, or enlarges by another factor. NotEnoughMemory: nothing has room for it.
        """

        def load() -> Upscaler:
            from transformers import Swin2SRForImageSuperResolution

            where = place("enlarging", folder, device)
            model = load_model(Swin2SRForImageSuperResolution, folder, where, torch.float32)
            return cls(model, PROCESSOR_SIDES if where == "cpu" else SIDES)

        try:
            upscaler = load_part(METHOD, folder, load)
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise _no_memory() from error
        if upscaler.factor != factor:
            raise BundleError(
                Sentence(
                    "{title} in “{folder}” enlarges {found} times, not {factor} times.",
                    title=METHOD,
                    folder=folder,
                    found=upscaler.factor,
                    factor=factor,
                ),
                Sentence("Get it again under Models."),
            )
        return upscaler

    def enlarge(
        self,
        rgb: np.ndarray,
        on_progress: Callable[[float], None] = lambda share: None,
        cancel: Cancel | None = None,
    ) -> np.ndarray:
        """RGB uint8 (H, W, 3) → (factor × H, factor × W, 3). Where memory runs out, smaller tiles are tried.

        Raises:
            Cancelled: between two tiles. NotEnoughMemory: the smallest tiles are too large.
        """
        for side in self._sides:
            try:
                return by_tiles(rgb, self.factor, self._tile, Tiling(side), on_progress, cancel)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                log.warning("out of memory with tiles of %d pixels", side, exc_info=True)
            release_memory()  # not inside the handler: the error holds what the tile held
        raise _no_memory()

    @torch.inference_mode()
    def _tile(self, tile: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(np.ascontiguousarray(tile.transpose(2, 0, 1)))[None].to(self._model.device)
        large = self._model(pixel_values=pixels).reconstruction
        return large[0].float().cpu().numpy().transpose(1, 2, 0)


def _no_memory() -> NotEnoughMemory:
    return NotEnoughMemory(
        Sentence("There is not enough memory to enlarge the picture by {title}.", title=METHOD),
        Sentence("Close other programs, or save it larger by resampling."),
    )


def by_network(folder: Path, device: str = "auto", on_progress: Callable[[float], None] = lambda share: None) -> Way:
    """A way for ``save_larger``: the network is loaded when the picture has been read. Raises as ``Upscaler`` does."""

    def enlarge(rgb: np.ndarray, factor: int) -> np.ndarray:
        return Upscaler.from_folder(folder, factor, device).enlarge(rgb, on_progress)

    return enlarge
