"""EchoGen: one photo of a thing, one sentence, and the thing appears in that scene.

The public face. ``import engine`` is cheap and does not import torch; names that need it load it on first use:

>>> engine = Engine.open("resources/mini")
>>> for event in engine.generate(GenerationRequest("a toy robot in the snow", subject=cut_out)):
...     ...
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

_PUBLIC = {
    "Engine": "engine.engine",
    "GenerationRequest": "engine.request",
    "CutOut": "engine.request",
    "ScaleBits": "engine.request",
    "Started": "engine.events",
    "ScalePreview": "engine.events",
    "Finished": "engine.events",
    "Timing": "engine.events",
    "Event": "engine.events",
    "EchoGenError": "engine.errors",
    "Photo": "engine.photo.load",
    "load_photo": "engine.photo.load",
    "cut_out": "engine.photo.framing",
    "Segmenter": "engine.preflight.segmenter",
    "Box": "engine.preflight.hints",
    "Click": "engine.preflight.hints",
    "Hint": "engine.preflight.hints",
    "Stroke": "engine.preflight.hints",
    "SubjectProposal": "engine.preflight.hints",
    "ModelStore": "engine.weights.store",
    "ModelState": "engine.weights.state",
    "PartState": "engine.weights.state",
    "PartLicence": "engine.weights.state",
    "Device": "engine.runtime.devices",
    "MemoryPlan": "engine.runtime.plans",
}

__all__ = ["__version__", *_PUBLIC]

if TYPE_CHECKING:
    from engine.engine import Engine as Engine
    from engine.errors import EchoGenError as EchoGenError
    from engine.events import Event as Event
    from engine.events import Finished as Finished
    from engine.events import ScalePreview as ScalePreview
    from engine.events import Started as Started
    from engine.events import Timing as Timing
    from engine.photo.framing import cut_out as cut_out
    from engine.photo.load import Photo as Photo
    from engine.photo.load import load_photo as load_photo
    from engine.preflight.hints import Box as Box
    from engine.preflight.hints import Click as Click
    from engine.preflight.hints import Hint as Hint
    from engine.preflight.hints import Stroke as Stroke
    from engine.preflight.hints import SubjectProposal as SubjectProposal
    from engine.preflight.segmenter import Segmenter as Segmenter
    from engine.request import CutOut as CutOut
    from engine.request import GenerationRequest as GenerationRequest
    from engine.request import ScaleBits as ScaleBits
    from engine.runtime.devices import Device as Device
    from engine.runtime.plans import MemoryPlan as MemoryPlan
    from engine.weights.state import ModelState as ModelState
    from engine.weights.state import PartLicence as PartLicence
    from engine.weights.state import PartState as PartState
    from engine.weights.store import ModelStore as ModelStore


def __getattr__(name: str):
    if name in _PUBLIC:
        from importlib import import_module

        value = getattr(import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'engine' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
