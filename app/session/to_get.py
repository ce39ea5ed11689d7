"""The bytes that getting a model fetches: one figure, wherever the window offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.weights import ModelState


def bytes_to_get(state: ModelState) -> int:
    """Bytes that getting a model fetches: what the server named where it was asked, else what the catalogue says. 0 where the
    model is here."""
    return 0 if state.installed else state.total


def look_up(name: str) -> int:
    """``bytes_to_get`` of a model of the catalogue, as it lies on the disk now. The first time takes a tenth of a second."""
    from engine.weights import ModelStore  # only now: in the thread that asks

    return bytes_to_get(ModelStore().state(name))
