"""EchoGen: one photo of a thing, one sentence, and the thing appears in that scene.

The public face. ``import engine`` is cheap and does not import torch; names that need it load it on first use:

>>> engine = Engine.open("resources/mini")
>>> for event in engine.generate(GenerationRequest("a toy robot in the snow", subject=cut_out)):
...     ...

The window imports this face and those of the packages below it, never a module of theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face
from engine.version import __version__ as __version__

if TYPE_CHECKING:
    from engine.device.devices import Device as Device
    from engine.engine import Engine as Engine
    from engine.errors import AccessRefused as AccessRefused
    from engine.errors import BundleError as BundleError
    from engine.errors import Cancelled as Cancelled
    from engine.errors import CannotWrite as CannotWrite
    from engine.errors import DeviceLost as DeviceLost
    from engine.errors import EchoGenError as EchoGenError
    from engine.errors import ExitCode as ExitCode
    from engine.errors import InputError as InputError
    from engine.errors import MaskError as MaskError
    from engine.errors import NotEnoughMemory as NotEnoughMemory
    from engine.errors import Outdone as Outdone
    from engine.errors import PhotoError as PhotoError
    from engine.errors import SizeNotAgreed as SizeNotAgreed
    from engine.errors import SubjectNotFound as SubjectNotFound
    from engine.errors import os_reason as os_reason
    from engine.events import EngineInfo as EngineInfo
    from engine.events import Event as Event
    from engine.events import Finished as Finished
    from engine.events import ScalePreview as ScalePreview
    from engine.events import Started as Started
    from engine.events import Timing as Timing
    from engine.files import check_apart as check_apart
    from engine.files import is_folder as is_folder
    from engine.files import readable as readable
    from engine.files import write_atomically as write_atomically
    from engine.into_photo import PhotoAtHand as PhotoAtHand
    from engine.into_photo import into_its_photo as into_its_photo
    from engine.into_photo import save_finished as save_finished
    from engine.photo.framing import cut_out as cut_out
    from engine.photo.hints import Box as Box
    from engine.photo.hints import Click as Click
    from engine.photo.hints import Hint as Hint
    from engine.photo.hints import Stroke as Stroke
    from engine.photo.hints import SubjectProposal as SubjectProposal
    from engine.photo.load import Photo as Photo
    from engine.photo.load import load_photo as load_photo
    from engine.placement import LARGEST as LARGEST
    from engine.placement import SMALLEST as SMALLEST
    from engine.placement import Placement as Placement
    from engine.planning.plans import MemoryPlan as MemoryPlan
    from engine.preflight.segmenter import Segmenter as Segmenter
    from engine.preset import Preset as Preset
    from engine.preset import read_preset as read_preset
    from engine.preset import write_preset as write_preset
    from engine.prompt_list import MAX_PICTURES as MAX_PICTURES
    from engine.prompt_list import ListedPrompt as ListedPrompt
    from engine.prompt_list import ListedRequest as ListedRequest
    from engine.prompt_list import PromptList as PromptList
    from engine.prompt_list import check_count as check_count
    from engine.prompt_list import make_requests as make_requests
    from engine.prompt_list import parse_prompts as parse_prompts
    from engine.prompt_list import read_prompt_file as read_prompt_file
    from engine.ranges import MAX_PROMPT_CHARACTERS as MAX_PROMPT_CHARACTERS
    from engine.ranges import MAX_SEED as MAX_SEED
    from engine.ranges import MAX_VIEWS as MAX_VIEWS
    from engine.ranges import Seed as Seed
    from engine.ranges import Share as Share
    from engine.ranges import Size as Size
    from engine.ranges import Strength as Strength
    from engine.ranges import Temperature as Temperature
    from engine.region import PhotoWindow as PhotoWindow
    from engine.region import Region as Region
    from engine.region import region_problem as region_problem
    from engine.request import CutOut as CutOut
    from engine.request import Dial as Dial
    from engine.request import GenerationRequest as GenerationRequest
    from engine.request import ScaleBits as ScaleBits
    from engine.requests_file import BrokenLine as BrokenLine
    from engine.requests_file import read_requests as read_requests
    from engine.requests_file import write_requests as write_requests
    from engine.sentence import Sentence as Sentence
    from engine.text import is_text as is_text
    from engine.text import shortened as shortened
    from engine.text import shown as shown
    from engine.text import shown_name as shown_name
    from engine.time_left import TimeLeft as TimeLeft
    from engine.time_left import time_left_words as time_left_words
    from engine.validation import Damage as Damage
    from engine.validation import Finite as Finite
    from engine.validation import parse_json as parse_json
    from engine.validation import read_fields as read_fields
    from engine.validation import read_json as read_json
    from engine.validation import read_value as read_value
    from engine.weights.state import ModelState as ModelState
    from engine.weights.state import PartLicence as PartLicence
    from engine.weights.state import PartState as PartState
    from engine.weights.store import ModelStore as ModelStore
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.device.devices": ("Device",),
            "engine.engine": ("Engine",),
            "engine.errors": (
                "AccessRefused",
                "BundleError",
                "Cancelled",
                "CannotWrite",
                "DeviceLost",
                "EchoGenError",
                "ExitCode",
                "InputError",
                "MaskError",
                "NotEnoughMemory",
                "Outdone",
                "PhotoError",
                "SizeNotAgreed",
                "SubjectNotFound",
                "os_reason",
            ),
            "engine.events": ("EngineInfo", "Event", "Finished", "ScalePreview", "Started", "Timing"),
            "engine.files": ("check_apart", "is_folder", "readable", "write_atomically"),
            "engine.into_photo": ("PhotoAtHand", "into_its_photo", "save_finished"),
            "engine.photo.framing": ("cut_out",),
            "engine.photo.hints": ("Box", "Click", "Hint", "Stroke", "SubjectProposal"),
            "engine.photo.load": ("Photo", "load_photo"),
            "engine.placement": ("LARGEST", "Placement", "SMALLEST"),
            "engine.planning.plans": ("MemoryPlan",),
            "engine.preflight.segmenter": ("Segmenter",),
            "engine.preset": ("Preset", "read_preset", "write_preset"),
            "engine.prompt_list": (
                "ListedPrompt",
                "ListedRequest",
                "MAX_PICTURES",
                "PromptList",
                "check_count",
                "make_requests",
                "parse_prompts",
                "read_prompt_file",
            ),
            "engine.ranges": (
                "MAX_PROMPT_CHARACTERS",
                "MAX_SEED",
                "MAX_VIEWS",
                "Seed",
                "Share",
                "Size",
                "Strength",
                "Temperature",
            ),
            "engine.region": ("PhotoWindow", "Region", "region_problem"),
            "engine.request": (
                "CutOut",
                "Dial",
                "GenerationRequest",
                "ScaleBits",
            ),
            "engine.requests_file": ("BrokenLine", "read_requests", "write_requests"),
            "engine.sentence": ("Sentence",),
            "engine.text": ("is_text", "shortened", "shown", "shown_name"),
            "engine.time_left": ("TimeLeft", "time_left_words"),
            "engine.validation": ("Damage", "Finite", "parse_json", "read_fields", "read_json", "read_value"),
            "engine.weights.state": ("ModelState", "PartLicence", "PartState"),
            "engine.weights.store": ("ModelStore",),
        },
    )
