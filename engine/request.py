"""The one dataclass that holds everything that determines the pixels of a picture.

``GenerationRequest`` is what the worker receives, what history stores, what a saved PNG carries and what the command
line and batches read. It is free of torch and Qt, validates itself, and round-trips through JSON exactly.
"""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct

from engine.errors import RequestError
from engine.faces import late
from engine.placement import Placement
from engine.ranges import (
    MAX_PROMPT_CHARACTERS,
    MAX_SEED,
    MAX_STRENGTH,
    MAX_VIEWS,
    PER_SCALE,
    TEMPERATURES,
    Seed,
    Share,
    Size,
    Strength,
    Temperature,
)
from engine.region import Region
from engine.sentence import Sentence
from engine.text import is_text, shortened
from engine.validation import Damage, check_fields, parse_json, read_value

if TYPE_CHECKING:
    import numpy as np
else:
    np = late("numpy")

FORMAT = 1
MAX_CUTOUT_SIDE = 512
MAX_JSON_BYTES = 16 * 2**20

_Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{0,64}\Z")]
_Side = Annotated[int, Meta(ge=1, le=256)]


Beside = Literal["", "left", "right"]


class _PackedCutOut(Struct):
    """A cut-out in JSON."""

    png: Annotated[bytes, Meta(max_length=6 * MAX_CUTOUT_SIDE**2)]
    framing: str = "fit"
    photo: _Digest = ""
    mask: _Digest = ""
    cut_below: bool = False
    cut_beside: Beside = ""


class _PackedScale(Struct):
    """The bit labels of one scale in JSON: rows, columns, bits of a token, and eight labels a byte."""

    shape: tuple[_Side, _Side, Annotated[int, Meta(ge=1, le=64)]]
    bits: bytes


@dataclass(frozen=True, eq=False)
class CutOut:
    """The subject as the model sees it: composed on white, framed, square.

    Attributes:
        pixels: RGBA uint8 (S, S, 4), 1 <= S <= 512. RGB is already composed on white (straight, not premultiplied): the
            RGB planes alone are what the encoders get. Alpha is the framed mask, kept so that the subject can be edited
            again when the photo is gone.
        framing: "fit" (mask framed so that nothing is cut off) or "reference" (the published box on white).
        photo: digest of the photo in the data folder, or "". Never a path.
        mask: digest of the mask in the data folder, or "".
        cut_below: the photo ends before the subject does, at its lower edge: a portrait, not a thing that stands there.
        cut_beside: the same at one of its sides: a car that drives out of the photo. "" also where both sides cut it.
    """

    pixels: np.ndarray
    framing: str = "fit"
    photo: str = ""
    mask: str = ""
    cut_below: bool = False
    cut_beside: Beside = ""

    def __post_init__(self) -> None:
        pixels = self.pixels
        if (
            not isinstance(pixels, np.ndarray)
            or pixels.dtype != np.uint8
            or pixels.ndim != 3
            or pixels.shape[2] != 4
            or pixels.shape[0] != pixels.shape[1]
            or not 1 <= pixels.shape[0] <= MAX_CUTOUT_SIDE
        ):
            raise RequestError(
                Sentence("A cut-out is a square RGBA picture of at most {most} pixels a side.", most=MAX_CUTOUT_SIDE)
            )
        if self.framing not in ("fit", "reference"):
            raise RequestError(Sentence("The framing of a cut-out is either “fit” or “reference”."))
        if self.cut_beside not in ("", "left", "right"):
            raise RequestError(Sentence("The cut-out of this request is damaged."))
        frozen = np.ascontiguousarray(pixels)
        if frozen is pixels and pixels.flags.writeable:
            frozen = pixels.copy()
        frozen.flags.writeable = False
        object.__setattr__(self, "pixels", frozen)

    @cached_property
    def lowest_point(self) -> float:
        """Share of the square's height above the lowest row of the mask; 1 for an empty one."""
        rows = np.flatnonzero((self.alpha > 127).any(axis=1))
        return float(rows[-1] + 1) / len(self.pixels) if len(rows) else 1.0

    @cached_property
    def width_taken(self) -> tuple[float, float]:
        """Shares of the square's width where the mask begins and ends, from the left; (0, 1) for an empty one."""
        columns = np.flatnonzero((self.alpha > 127).any(axis=0))
        side = len(self.pixels)
        return (float(columns[0]) / side, float(columns[-1] + 1) / side) if len(columns) else (0.0, 1.0)

    @property
    def rgb(self) -> np.ndarray:
        """RGB uint8 (S, S, 3), on white."""
        return self.pixels[..., :3]

    @property
    def alpha(self) -> np.ndarray:
        """The framed mask, uint8 (S, S)."""
        return self.pixels[..., 3]

    @cached_property
    def digest(self) -> str:
        """Hex digest of what the encoders see (RGB only): the key of the subject's features in the caches."""
        import hashlib

        return hashlib.sha256(self.rgb.tobytes() + str(self.pixels.shape).encode()).hexdigest()

    @property
    def marks(self) -> frozenset[str]:
        """Digests by which a cut-out of the same subject is known: of what is seen, and of its photo."""
        return frozenset((self.digest, self.photo)) - {""}

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, CutOut)
            and (self.framing, self.cut_below, self.cut_beside) == (other.framing, other.cut_below, other.cut_beside)
            and (self.photo, self.mask) == (other.photo, other.mask)
            and np.array_equal(self.pixels, other.pixels)
        )

    def __hash__(self) -> int:
        return hash((self.digest, self.framing, self.photo, self.mask))

    @cached_property
    def _png(self) -> str:
        """The pixels as a PNG in base64. Packed once: the window asks with every picture, and it takes longer than a frame."""
        from PIL import Image

        out = io.BytesIO()
        Image.fromarray(self.pixels, "RGBA").save(out, "PNG", optimize=False)
        return base64.b64encode(out.getvalue()).decode()

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # without what was packed

    def to_json(self) -> dict[str, Any]:
        return {
            "png": self._png,
            "framing": self.framing,
            "photo": self.photo,
            "mask": self.mask,
            **({"cut_below": True} if self.cut_below else {}),
            **({"cut_beside": self.cut_beside} if self.cut_beside else {}),
        }

    @classmethod
    def from_json(cls, data: Any) -> CutOut:
        """Reads what ``to_json`` wrote. Raises ``RequestError`` for anything else."""
        try:
            packed = read_value(data, _PackedCutOut)
            pixels = _unpacked(packed.png)
        except RequestError:
            raise
        except Exception as error:  # Pillow raises many kinds; all mean the same to the user
            raise RequestError(Sentence("The cut-out of this request is damaged.")) from error
        return cls(pixels, packed.framing, packed.photo, packed.mask, packed.cut_below, packed.cut_beside)


@lru_cache(maxsize=8)
def _unpacked(png: bytes) -> np.ndarray:
    """The pixels of a cut-out, which nobody can change. A queue or a list has one subject in hundreds of requests: unpacking it
    takes most of the time of reading one, and they share it in memory."""
    from PIL import Image

    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        # The size stands in the header: look before the pixels are unpacked.
        if max(picture.size) > MAX_CUTOUT_SIDE or picture.mode != "RGBA":
            raise RequestError(Sentence("The cut-out of this request has the wrong size or format."))
        pixels = np.array(picture)
    pixels.flags.writeable = False
    return pixels


@dataclass(frozen=True, eq=False)
class ScaleBits:
    """Bit labels of the first scales of a picture, coarse to fine.

    Attributes:
        scales: one uint8 array of zeros and ones of shape (h, w, d) per scale; d is the same for all.
    """

    scales: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        checked = []
        for bits in self.scales:
            if not isinstance(bits, np.ndarray) or bits.ndim != 3 or min(bits.shape) < 1:
                raise RequestError(Sentence("Bit labels have three axes: rows, columns, bits."))
            if bits.shape[2] != self.scales[0].shape[2] or bits.max() > 1:
                raise RequestError(Sentence("Bit labels are zeros and ones, with as many bits in every scale."))
            bits = np.array(bits, dtype=np.uint8, order="C")
            bits.flags.writeable = False
            checked.append(bits)
        object.__setattr__(self, "scales", tuple(checked))

    def __len__(self) -> int:
        return len(self.scales)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.scales[index]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ScaleBits)
            and len(self) == len(other)
            and all(np.array_equal(a, b) for a, b in zip(self.scales, other.scales, strict=True))
        )

    def __hash__(self) -> int:
        return hash(tuple(bits.tobytes() for bits in self.scales))

    @property
    def grids(self) -> tuple[tuple[int, int], ...]:
        """Token grid (h, w) of every scale."""
        return tuple((bits.shape[0], bits.shape[1]) for bits in self.scales)

    def first(self, count: int) -> ScaleBits:
        """The first ``count`` scales (1 <= count <= len)."""
        if not 1 <= count <= len(self):
            raise RequestError(
                Sentence("{count} scales cannot be kept: the picture has {scales}.", count=count, scales=len(self))
            )
        return ScaleBits(self.scales[:count])

    def to_json(self) -> list[dict[str, Any]]:
        return [
            {"shape": list(bits.shape), "bits": base64.b64encode(np.packbits(bits.reshape(-1)).tobytes()).decode()}
            for bits in self.scales
        ]

    @classmethod
    def from_json(cls, data: Any) -> ScaleBits:
        """Reads what ``to_json`` wrote. Raises ``RequestError`` for anything else."""
        damaged = RequestError(Sentence("The bit labels of this request are damaged."))
        try:
            scales = read_value(data, Annotated[list[_PackedScale], PER_SCALE])
        except Damage as damage:
            raise damaged from damage
        labels = []
        for packed in scales:
            count = math.prod(packed.shape)
            if len(packed.bits) != (count + 7) // 8:
                raise damaged
            labels.append(np.unpackbits(np.frombuffer(packed.bits, np.uint8), count=count).reshape(packed.shape))
        return cls(tuple(labels))


Dial = float | tuple[float, ...]
"""One number for all scales, or one per scale."""


@dataclass(frozen=True)
class GenerationRequest:
    """Everything that determines the pixels.

    Attributes:
        prompt: what to draw; sent to the text encoder as it is.
        subject: the cut-out, or None to draw without a subject.
        negative_prompt: what to avoid; empty means the model's own null text.
        subject_name: what the subject is called; used by the pre-flight and by history, not by the pixels.
        seed: 0 … 2^32-1.
        size: (width, height) in pixels, or None for the bundle's first size.
        prompt_strength: guidance of the text, 0 … 20 (the paper's cfg_t), or one per scale.
        subject_strength: guidance of the subject, 0 … 20 (cfg_i); also the identity dial, or one per scale.
        look_strength: guidance of the fine look (content path); None means equal to subject_strength, which is the
            published formula (model.md, section 10).
        temperature: divides the logits (tau), 0.01 … 10, or one per scale.
        top_p: 0 … 1; the less likely bit is dropped when its probability is at most 1 - top_p. 0 switches it off.
        kept: bit labels of scales 1…k of an earlier picture; drawing starts at scale k+1. With a region: of all its
            scales, kept outside of the region only; None has the engine take them from the region's picture.
        region: the part of an earlier picture or photo that is drawn anew, or None for the whole picture.
        views: cut-outs of further photos of the same subject, at most three; the network sees them beside ``subject``.
        placement: where the subject stands, for bundles that know placement; None lets the seed choose.
        bundle: identity of the bundle ("name@digest"), filled in by the engine; "" means the open one.
    """

    prompt: str
    subject: CutOut | None = None
    negative_prompt: str = ""
    subject_name: str = ""
    seed: Seed = 0
    size: Size | None = None
    prompt_strength: Strength = 3.0
    subject_strength: Strength = 3.0
    look_strength: Strength | None = None
    temperature: Temperature = 1.0
    top_p: Share = 0.97
    kept: ScaleBits | None = None
    placement: Placement | None = None
    region: Region | None = None
    views: tuple[CutOut, ...] = ()
    bundle: str = ""

    def __post_init__(self) -> None:
        for name in ("prompt", "negative_prompt", "subject_name", "bundle"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise RequestError(Sentence("{name} must be text.", name=_WORDS[name]))
            if not is_text(value):
                raise RequestError(
                    Sentence("{name} holds characters that are no text.", name=_WORDS[name]), Sentence("Type it again.")
                )
            if len(value) > MAX_PROMPT_CHARACTERS:
                raise RequestError(
                    Sentence(
                        "{name} has {count} characters; {most} are the limit.",
                        name=_WORDS[name],
                        count=len(value),
                        most=MAX_PROMPT_CHARACTERS,
                    )
                )
        check_fields(self, _RULES, RequestError)
        if len(self.views) > MAX_VIEWS:
            raise RequestError(
                Sentence(
                    "A subject has {count} photos; {most} are the limit.", count=len(self.views) + 1, most=MAX_VIEWS + 1
                ),
                Sentence("Take some away."),
            )

    def with_seed(self, seed: int) -> GenerationRequest:
        """The same request with another seed."""
        return replace(self, seed=seed)

    def several(self, count: int, step: int = 1) -> tuple[GenerationRequest, ...]:
        """Requests of ``count`` pictures, this one first: their seeds lie ``step`` apart, beginning again at 0 behind the largest
        one."""
        return tuple(self.with_seed((self.seed + index * step) % (MAX_SEED + 1)) for index in range(count))

    @property
    def resolution(self) -> tuple[float, float] | None:
        """Across and down, in pixels per inch, of the photo it is drawn into; None where that states none."""
        return self.region.dpi if self.region is not None else None

    def shows_subject_of(self, other: GenerationRequest) -> bool:
        """Return True if its pictures show the subject of another request, be it cut out otherwise or seen in another photo."""
        own, others = (
            {mark for cut_out in (request.subject, *request.views) if cut_out is not None for mark in cut_out.marks}
            for request in (self, other)
        )
        return not own.isdisjoint(others)

    @property
    def assets(self) -> tuple[str, ...]:
        """Digests of the photos and masks in the data folder that its cut-outs are of, each once."""
        cut_outs = [cut_out for cut_out in (self.subject, *self.views) if cut_out is not None]
        digests = [digest for cut_out in cut_outs for digest in (cut_out.photo, cut_out.mask) if digest]
        return tuple(dict.fromkeys(digests))

    def group_key(self) -> str:
        """Digest of everything but the seed and what is kept: pictures of one group differ only in those."""
        import hashlib

        data = replace(self, seed=0, kept=None, region=None).to_json()
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """A dict of plain JSON types; ``from_json`` gives an equal request back."""
        data: dict[str, Any] = {"format": FORMAT}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (CutOut, ScaleBits, Placement, Region)):
                value = value.to_json()
            elif field.name == "views" and value:
                value = [view.to_json() for view in value]
            elif field.name in ("placement", "region", "views"):
                continue  # what most pictures lack is left out, and their groups stay what they were
            elif isinstance(value, tuple):
                value = list(value)
            data[field.name] = value
        return data

    @classmethod
    def from_json(cls, data: Any) -> GenerationRequest:
        """Reads what ``to_json`` wrote. The input may be hostile: anything unexpected raises ``RequestError``."""
        if not isinstance(data, dict):
            raise RequestError(Sentence("This is not a request."))
        if data.get("format") != FORMAT:
            raise RequestError(
                Sentence(
                    "This request has format {data}; this program reads format {format}.",
                    data=shortened(data.get("format")),
                    format=FORMAT,
                )
            )
        known = {field.name for field in fields(cls)}
        given = {name: value for name, value in data.items() if name in known and value is not None}
        for name, part in _PARTS.items():
            if name in given:
                given[name] = part(given[name])
        if "prompt" not in given:
            raise RequestError(Sentence("This request has no prompt."))
        return cls(**given)

    def dumps(self) -> str:
        """``to_json`` as one line of text."""
        return json.dumps(self.to_json(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def loads(cls, text: str | bytes) -> GenerationRequest:
        """Reads what ``dumps`` wrote; raises ``RequestError`` for anything else."""
        if len(text) > MAX_JSON_BYTES:
            raise RequestError(Sentence("This request is too large to be read."))
        try:
            data = parse_json(text, MAX_JSON_BYTES)
        except Damage as damage:
            raise RequestError(Sentence("This request is damaged.")) from damage
        return cls.from_json(data)


_WORDS = {
    "prompt": Sentence("The prompt"),
    "negative_prompt": Sentence("The negative prompt"),
    "subject_name": Sentence("The subject name"),
    "bundle": Sentence("The model's name"),
    "prompt_strength": Sentence("The prompt strength"),
    "subject_strength": Sentence("The subject strength"),
    "look_strength": Sentence("The look strength"),
    "temperature": Sentence("The temperature"),
}


def _dial_rule(name: str, low: float, high: float) -> Sentence:
    return Sentence("{name} must be a number from {low:g} to {high:g}.", name=_WORDS[name], low=low, high=high)


_RULES = {
    "seed": Sentence("The seed must be a whole number from 0 to {most}.", most=MAX_SEED),
    "size": Sentence("The size is width and height, each from 16 to 4096 pixels."),
    "prompt_strength": _dial_rule("prompt_strength", 0, MAX_STRENGTH),
    "subject_strength": _dial_rule("subject_strength", 0, MAX_STRENGTH),
    "look_strength": _dial_rule("look_strength", 0, MAX_STRENGTH),
    "temperature": _dial_rule("temperature", *TEMPERATURES),
    "top_p": Sentence("Top-p must be a number from 0 to 1."),
    "placement": Sentence("The placement of this request is damaged."),
    "region": Sentence("The region of this request is damaged."),
    "views": Sentence("The further photos of this request are damaged."),
}


def _views(data: Any) -> tuple[CutOut, ...]:
    if not isinstance(data, list) or len(data) > MAX_VIEWS:
        raise RequestError(_RULES["views"])
    return tuple(map(CutOut.from_json, data))


_PARTS: dict[str, Callable[[Any], Any]] = {
    "subject": CutOut.from_json,
    "views": _views,
    "kept": ScaleBits.from_json,
    "placement": Placement.from_json,
    "region": Region.from_json,
}
"""Fields that JSON holds in another form, and who reads it."""
