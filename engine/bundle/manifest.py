"""``bundle.json``: what a bundle is, what it can do, and what its files must be. Free of torch.

A bundle is a folder::

    bundle.json
    transformer/*.safetensors       ours
    tokenizer/*.safetensors         ours
    text/*.safetensors              T5's encoder, with text/tokenizer.json
    semantic/*.safetensors          DINOv2
    content/*.safetensors           an AutoencoderKL, the encoder half
    preview.safetensors             colours of the codes, for quick previews; not where the decoder sees the cut-out
    README.md, thumbs/, examples/   optional; examples/scale_*.png: a picture of its own, coarse to fine

All weights are under names of our own (``engine.encoders.names`` for the encoders). Bundles of format 1 have the encoders
under the names transformers 5.24 and diffusers 0.42 gave them; they are read all the same.

Every file but ``bundle.json`` stands in the manifest with its size and SHA-256. A manifest that is read may be damaged or
hostile: names that lead out of the folder are refused, and every number is checked before it is used.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import (
    BundleFile,
    Defaults,
    EncoderPart,
    Example,
    Language,
    LikenessScale,
    Name,
    Origin,
    PlacedContent,
    Text,
    layout_word,
)
from engine.errors import BundleError, os_reason
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.placement import Placement
from engine.request import MAX_SEED, GenerationRequest, ScaleBits
from engine.sentence import Sentence
from engine.tokenizer.config import TokenizerConfig
from engine.validation import Damage, only_known, parse_json, read_value

FORMAT = 2
"""The version that is written. Since 2, encoders are stored under our own names."""
READABLE = (1, 2)
MANIFEST = "bundle.json"
GET_AGAIN = Sentence("Get the model again, or verify it under Models.")
PARTS = ("text", "semantic", "content", "transformer", "tokenizer")
MAX_MANIFEST_BYTES = 8 * 2**20
_PATH = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_MOST_CHANNELS = 2**14
# A name that is not known here means something to a newer program: without it, other pictures would come out.
_EXACT = {
    "transformer": TransformerConfig,
    "tokenizer": TokenizerConfig,
    "defaults": Defaults,
    "likeness": LikenessScale,
}


def damaged(why: Sentence) -> BundleError:
    """The error for a manifest that cannot be used, and why."""
    return BundleError(
        Sentence("The model's description ({manifest}) is damaged: {why}.", manifest=MANIFEST, why=why), GET_AGAIN
    )


def inside(name: Any) -> str:
    """A path inside a bundle as it is written: relative, with forward slashes, plain letters.

    Raises:
        BundleError: it could lead out of the folder, or mean another file on another system.
    """
    if not isinstance(name, str) or not _PATH.fullmatch(name) or len(name) > 200:
        raise damaged(Sentence("the file name {name} is not allowed", name=repr(str(name)[:80])))
    if any(part.strip(". ") == "" or part.endswith(".") for part in name.split("/")):
        raise damaged(Sentence("the file name {name} leads out of the folder", name=repr(name[:80])))
    return name


@dataclass(frozen=True)
class BundleManifest:
    """Everything ``bundle.json`` says.

    Attributes:
        name: identifier, also the folder's name: "mini", "echogen-2b".
        title: what the user reads.
        licence: of the bundle as a whole, in words. origins: source and licence of each part, by the part's name.
        description: a sentence or two.
        schedules: one per size it was trained for, the default first; only these are offered.
        reference_size: side of the cut-out in pixels.
        text_limit: most tokens of a prompt, with its end token.
        transformer, tokenizer, text, semantic, content: what each part is.
        placed_content: the content path sees the cut-out at its place in the picture; None: it sees it centred, as
            published, and the user cannot say where the subject stands.
        defaults: the dials a picture starts from.
        files: every file of the folder but the manifest, by its path inside the folder.
        language: the words and scenes it knows, or None for any.
        examples: what to begin with.
        likeness: how the semantic encoder's similarities are read, or None where nobody has measured them. Not part of the
            identity: it says something of the pictures and changes none.
        random: the weights are random; for tests only.
    """

    name: Name
    title: Text
    licence: Text
    description: Text
    schedules: Annotated[tuple[ScaleSchedule, ...], Meta(min_length=1, max_length=256)]
    reference_size: Annotated[int, Meta(ge=8, le=512)]
    transformer: TransformerConfig
    tokenizer: TokenizerConfig
    text: EncoderPart
    semantic: EncoderPart
    content: EncoderPart
    placed_content: PlacedContent | None = None
    defaults: Defaults = field(default_factory=Defaults)
    files: Mapping[str, BundleFile] = field(default_factory=dict)
    origins: Mapping[Name, Origin] = field(default_factory=dict)
    language: Language | None = None
    examples: tuple[Example, ...] = ()
    likeness: LikenessScale | None = None
    random: bool = False
    format: int = FORMAT

    @property
    def text_limit(self) -> int:
        """Most tokens of a prompt, with its end token; the word for a layout takes one of those the transformer has."""
        return self.transformer.text_limit - (1 if self.layouts else 0)

    @property
    def layouts(self) -> int:
        """The number of layouts of a scene that have words; 0 where a prompt is read as it is."""
        return self.language.layouts if self.language is not None else 0

    def read_as(self, prompt: str, seed: int) -> str:
        """The text for the encoder: the prompt, behind the word for the layout that the seed picks.

        A small model draws the average of what a prompt leaves open: its bits are drawn each on its own, so a first token
        of some forest and some other forest is no forest. The seed decides what is left open, and the model is told.
        """
        if not self.layouts or not prompt.strip():
            return prompt
        return f"{layout_word(seed % self.layouts)} {prompt}"

    def with_layout_of(self, seed: int, earlier: int) -> int:
        """A seed near ``seed`` that picks the layout of an ``earlier`` one: what is drawn into a picture is of its layout."""
        if not self.layouts:
            return seed
        near = seed - seed % self.layouts + earlier % self.layouts
        return near if near <= MAX_SEED else near - self.layouts

    def seed_step(self, request: GenerationRequest) -> int:
        """The distance between the seeds of several pictures of one request: where bits are kept, all are of their layout."""
        return max(self.layouts, 1) if request.kept is not None else 1

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of every size that is offered, the default first."""
        return tuple(schedule.size for schedule in self.schedules)

    def place(self, request: GenerationRequest) -> Placement | None:
        """Return the placement of a request's subject: as it says, else by its seed. None without a subject or placed
        content."""
        if self.placed_content is None or request.subject is None:
            return None
        if request.placement is not None:
            return request.placement
        schedule = self.schedule(request.size)
        size = schedule.size if schedule is not None else (1, 1)
        return self.placed_content.ranges.automatic(request.subject, request.seed, size)

    @property
    def nbytes(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.files.values())

    @cached_property
    def identity(self) -> str:
        """ "name@digest": the digest of all that determines the pixels, so of neither words nor pictures."""
        data = {
            "schedules": [schedule.to_json() for schedule in self.schedules],
            "transformer": self.transformer.to_json(),
            "tokenizer": self.tokenizer.to_json(),
            "encoders": [asdict(part) for part in (self.text, self.semantic, self.content)],
            "files": {name: self.files[name].sha256 for part in PARTS for name in self.part_files(part)},
        }
        if self.placed_content is not None:
            data["placed_content"] = asdict(self.placed_content)
        return f"{self.name}@{hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:12]}"

    def part_files(self, part: str) -> tuple[str, ...]:
        """All files of one of ``PARTS``, sorted."""
        return tuple(sorted(name for name in self.files if name.startswith(f"{part}/")))

    def weight_files(self, part: str) -> tuple[str, ...]:
        """The safetensors files of one of ``PARTS``, sorted."""
        return tuple(name for name in self.part_files(part) if name.endswith(".safetensors"))

    def schedule(self, size: tuple[int, int] | None) -> ScaleSchedule | None:
        """The schedule of a size (None: the default), or None where it is not offered."""
        if size is None:
            return self.schedules[0]
        return next((schedule for schedule in self.schedules if schedule.size == tuple(size)), None)

    def fits(self, bits: ScaleBits, size: tuple[int, int] | None) -> bool:
        """Return True if bit labels are those of the first scales of a picture of this size, or of all of them."""
        schedule = self.schedule(size)
        if schedule is None or len(bits) > len(schedule.grids):
            return False
        return schedule.first_misfit([labels.shape for labels in bits.scales], self.transformer.bits) is None

    def request_defaults(self) -> dict[str, Any]:
        """The default dials by the names ``GenerationRequest`` gives them."""
        return asdict(self.defaults)

    def to_json(self) -> dict[str, Any]:
        data = asdict(self)
        if self.language is not None:
            data["language"]["words"] = sorted(self.language.words)
        return data

    @classmethod
    def from_json(cls, data: Any) -> BundleManifest:
        """Reads what ``to_json`` wrote. Raises ``BundleError`` for anything else."""
        if not isinstance(data, dict):
            raise damaged(Sentence("it is no description of a model"))
        if type(data.get("format")) is not int or data["format"] not in READABLE:
            raise BundleError(
                Sentence(
                    "This model has format {data}, and this program reads formats up to {format}.",
                    data=str(data.get("format"))[:20],
                    format=FORMAT,
                ),
                Sentence("Update the program, or get the model again."),
            )
        try:
            for name, kind in _EXACT.items():
                only_known(data.get(name), kind, name)
            if isinstance(placed := data.get("placed_content"), dict):
                only_known(placed.get("ranges"), PlacementRanges, "placed_content.ranges")
            return read_value(data, cls)._checked()
        except Damage as damage:
            raise damaged(damage.why) from damage

    def _checked(self) -> BundleManifest:
        """Check the rules that concern several fields, and the names in them."""
        for name in self.files:
            inside(name)
        for part, encoder in (("text", self.text), ("semantic", self.semantic), ("content", self.content)):
            _check_encoder(part, encoder)
        if max(self.tokenizer.channels) > _MOST_CHANNELS:
            raise damaged(Sentence("a tokenizer of {channels} channels", channels=max(self.tokenizer.channels)))
        if self.likeness is not None and not self.likeness.other < self.likeness.same:
            raise damaged(Sentence("the scale of likeness cannot be"))
        scales = max(len(schedule.grids) for schedule in self.schedules)
        if scales > self.transformer.scale_count:
            known = self.transformer.scale_count
            raise damaged(Sentence("{scales} scales, but the network knows {known}", scales=scales, known=known))
        if self.tokenizer.bits != self.transformer.bits:
            raise damaged(Sentence("network and tokenizer have different numbers of bits"))
        for schedule in self.schedules:
            if schedule.grids[0] != (1, 1):
                raise damaged(Sentence("the first scale is more than one token"))
            rows, columns = schedule.grids[-1]
            if schedule.size != (columns * self.tokenizer.stride, rows * self.tokenizer.stride):
                raise damaged(Sentence("the size {size} does not follow from its last grid", size=schedule.size))
        if self.tokenizer.reference_channels and self.placed_content is None:
            raise damaged(Sentence("its decoder looks at the placed cut-out, which its content path does not know"))
        for part in PARTS:
            if not self.weight_files(part):
                raise damaged(Sentence("it has no weights of the part “{part}”", part=part))
        named = [example.image for example in self.examples]
        named += [scene.thumb for scene in (self.language.scenes if self.language else ()) if scene.thumb]
        for name in named:
            if name not in self.files:
                raise damaged(Sentence("“{name}” is not among its files", name=name))
        return self


def read_manifest(folder: Path) -> BundleManifest:
    """Read ``bundle.json`` of a folder. Nothing else is opened.

    Raises:
        BundleError: it is missing, damaged, hostile, or of another format.
    """
    path = Path(folder) / MANIFEST
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_MANIFEST_BYTES + 1)
    except FileNotFoundError as error:
        raise BundleError(
            Sentence("There is no model in {folder}: it has no {manifest}.", folder=folder, manifest=MANIFEST),
            Sentence("Choose another model, or get it again."),
        ) from error
    except OSError as error:
        raise BundleError(
            Sentence("The model in {folder} cannot be read: {reason}.", folder=folder, reason=os_reason(error))
        ) from error
    try:
        data = parse_json(raw, MAX_MANIFEST_BYTES)
    except Damage as damage:
        raise damaged(damage.why) from damage
    return BundleManifest.from_json(data)


def oversized(config: Mapping[str, Any]) -> str | None:
    """The first entry of an encoder's config of which a network without end would be built, by its name; None where all will do.

    A network reads its sizes with ``int``, which takes texts and fractions too.
    """
    return next((name for name, value in config.items() if _size(value) > (512 if "layer" in name else 2**20)), None)


def _size(value: Any) -> float:
    """An entry of a config as a number; a list or a text that is none is too large from 512 on."""
    if isinstance(value, (list, str)) and len(value) > 512:
        return math.inf
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except (TypeError, ValueError):
        return 0.0


def _check_encoder(part: str, encoder: EncoderPart) -> None:
    """Raise ``BundleError`` for an encoder that is too large, or that is shown nothing."""
    if (name := oversized(encoder.config)) is not None:
        raise damaged(Sentence("{place} is too large", place=f"{part}.config.{name}"))
    if part != "text" and not encoder.input_size:
        raise damaged(Sentence("the part “{part}” has no input size", part=part))
