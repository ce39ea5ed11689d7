"""Devices: what there is to compute with. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.device.devices import GIB as GIB
    from engine.device.devices import Device as Device
    from engine.device.devices import gigabytes as gigabytes
    from engine.device.devices import glance as glance
    from engine.device.devices import processor as processor
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.device.devices": ("Device", "GIB", "gigabytes", "glance", "processor"),
        },
    )
