"""Weights: what can be fetched, how it arrives, what is installed. The face; names are loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

SLOW_IMPORTS = (
    "engine.weights.catalogue",
    "engine.weights.settings",
    "engine.weights.transfer.requests",
    "engine.weights.transfer.hub",
    "engine.weights.transfer.disk",
    "engine.weights.transfer.file_transfer",
    "engine.weights.transfer.download",
    "engine.weights.store",
)
"""Modules that the names below load, in an order in which each import is a short one: for a window that paints between two."""

if TYPE_CHECKING:
    from engine.weights.catalogue import MODELS as MODELS
    from engine.weights.catalogue import PARTS as PARTS
    from engine.weights.catalogue import Licence as Licence
    from engine.weights.catalogue import Part as Part
    from engine.weights.catalogue import chosen_parts as chosen_parts
    from engine.weights.inventory import installed_helpers as installed_helpers
    from engine.weights.inventory import installed_upscaler as installed_upscaler
    from engine.weights.settings import HUB as HUB
    from engine.weights.state import ModelState as ModelState
    from engine.weights.state import PartState as PartState
    from engine.weights.state import Phase as Phase
    from engine.weights.store import ModelStore as ModelStore
    from engine.weights.transfer.hub import LicenceChanged as LicenceChanged
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.weights.catalogue": ("Licence", "MODELS", "PARTS", "Part", "chosen_parts"),
            "engine.weights.inventory": ("installed_helpers", "installed_upscaler"),
            "engine.weights.settings": ("HUB",),
            "engine.weights.state": ("ModelState", "PartState", "Phase"),
            "engine.weights.store": ("ModelStore",),
            "engine.weights.transfer.hub": ("LicenceChanged",),
        },
    )
