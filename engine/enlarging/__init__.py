"""Larger pictures by a learned network, where one is installed. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.enlarging.swin2sr import METHOD as METHOD
    from engine.enlarging.swin2sr import Upscaler as Upscaler
    from engine.enlarging.swin2sr import by_network as by_network
    from engine.enlarging.tiles import Tiling as Tiling
    from engine.enlarging.tiles import by_tiles as by_tiles
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.enlarging.swin2sr": ("METHOD", "Upscaler", "by_network"),
            "engine.enlarging.tiles": ("Tiling", "by_tiles"),
        },
    )
