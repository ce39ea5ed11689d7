"""``bundle.json``: what a bundle is, what it can do, and what its files must be. Free of torch.

A bundle is a folder::

    bundle.json
    transformer/*.safetensors       ours
    tokenizer/*.safetensors         ours
    text/*.safetensors              T5's encoder, with text/tokenizer.json
    semantic/*.safetensors          DINOv2
    content/*.safetensors           an AutoencoderKL, the encoder half
    preview.safetensors             optional: colours of the codes, for quick previews
    README.md, thumbs/, examples/   optional; examples/scale_*.png: a picture of its own, coarse to fine

All weights are under names of our own (``engine.encoders.names`` for the encoders). Bundles of format 1 have the encoders
under the names transformers 5.24 and diffusers 0.42 gave them; they are read all the same.

Every file but ``bundle.json`` stands in the manifest with its size and SHA-256. A manifest that is read may be damaged or
hostile: names that lead out of the folder are refused, and every number is checked before it is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from engine.bundle import checks
from engine.bundle.checks import GET_AGAIN, MANIFEST, damaged, inside
from engine.bundle.records import (
    BundleFile,
    Defaults,
    EncoderPart,
    Example,
    Language,
    LikenessScale,
    Origin,
    PlacedContent,
    SceneEntry,
)
from engine.errors import BundleError, os_reason
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.placement import Placement
from engine.request import GenerationRequest, ScaleBits
from engine.sentence import Sentence
from engine.tokenizer.config import TokenizerConfig

__all__ = [
    "FORMAT",
    "GET_AGAIN",
    "MANIFEST",
    "MAX_MANIFEST_BYTES",
    "PARTS",
    "BundleFile",
    "BundleManifest",
    "Defaults",
    "EncoderPart",
    "Example",
    "Language",
    "LikenessScale",
    "Origin",
    "PlacedContent",
    "SceneEntry",
    "inside",
    "read_manifest",
]

FORMAT = 2
"""The version that is written. Since 2, encoders are stored under our own names."""
READABLE = (1, 2)
PARTS = ("text", "semantic", "content", "transformer", "tokenizer")
MAX_MANIFEST_BYTES = 8 * 2**20


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

    name: str
    title: str
    licence: str
    description: str
    schedules: tuple[ScaleSchedule, ...]
    reference_size: int
    transformer: TransformerConfig
    tokenizer: TokenizerConfig
    text: EncoderPart
    semantic: EncoderPart
    content: EncoderPart
    placed_content: PlacedContent | None = None
    defaults: Defaults = field(default_factory=Defaults)
    files: Mapping[str, BundleFile] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)
    language: Language | None = None
    examples: tuple[Example, ...] = ()
    likeness: LikenessScale | None = None
    random: bool = False
    format: int = FORMAT

    @property
    def text_limit(self) -> int:
        return self.transformer.text_limit

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of every size that is offered, the default first."""
        return tuple(schedule.size for schedule in self.schedules)

    def place(self, request: GenerationRequest) -> Placement | None:
        """Where the subject of a request stands: as it says, else by its seed. None without a subject or placed content."""
        if self.placed_content is None or request.subject is None:
            return None
        if request.placement is not None:
            return request.placement
        return self.placed_content.ranges.automatic(request.subject, request.seed)

    @property
    def nbytes(self) -> int:
        """Bytes of all files together."""
        return sum(entry.size for entry in self.files.values())

    @property
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
        """Whether bit labels are those of the first scales of a picture of this size, or of all of them."""
        schedule = self.schedule(size)
        if schedule is None or len(bits) > len(schedule.grids):
            return False
        wanted = ((*grid, self.transformer.bits) for grid in schedule.grids)
        return all(labels.shape == shape for labels, shape in zip(bits.scales, wanted, strict=False))

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
            raise damaged("it is no description of a model")
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
            return cls(
                name=checks.a_name(data["name"]),
                title=checks.a_text(data["title"]),
                licence=checks.a_text(data["licence"]),
                description=checks.a_text(data["description"]),
                schedules=checks.read_schedules(data["schedules"]),
                reference_size=checks.a_whole_number(data["reference_size"], 8, 512),
                transformer=checks.read_transformer(data["transformer"]),
                tokenizer=checks.read_tokenizer(data["tokenizer"]),
                text=checks.read_encoder(data["text"]),
                semantic=checks.read_encoder(data["semantic"], 1),
                content=checks.read_encoder(data["content"], 1),
                placed_content=checks.read_placed_content(data["placed_content"])
                if data.get("placed_content")
                else None,
                defaults=checks.read_defaults(data["defaults"]),
                files=checks.read_mapping(data["files"], inside, checks.read_file),
                origins=checks.read_mapping(data.get("origins", {}), checks.a_name, checks.read_origin),
                language=None if data.get("language") is None else checks.read_language(data["language"]),
                examples=tuple(checks.read_example(item) for item in data.get("examples", ())),
                likeness=checks.read_likeness(data["likeness"]) if data.get("likeness") else None,
                random=bool(data.get("random", False)),
                format=data["format"],
            )._checked()
        except BundleError:
            raise
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise damaged(f"{type(error).__name__}: {error}") from error

    def _checked(self) -> BundleManifest:
        """Check the rules that concern several fields."""
        scales = max(len(schedule.grids) for schedule in self.schedules)
        if scales > self.transformer.scale_count:
            raise damaged(f"{scales} scales, but the network knows {self.transformer.scale_count}")
        if self.tokenizer.bits != self.transformer.bits:
            raise damaged("network and tokenizer have different numbers of bits")
        for schedule in self.schedules:
            rows, columns = schedule.grids[-1]
            if schedule.size != (columns * self.tokenizer.stride, rows * self.tokenizer.stride):
                raise damaged(f"the size {schedule.size} does not follow from its last grid")
        if self.tokenizer.reference_channels and self.placed_content is None:
            raise damaged("its decoder looks at the placed cut-out, which its content path does not know")
        for part in PARTS:
            if not self.weight_files(part):
                raise damaged(f"it has no weights of the part “{part}”")
        named = [example.image for example in self.examples]
        named += [scene.thumb for scene in (self.language.scenes if self.language else ()) if scene.thumb]
        for name in named:
            if name not in self.files:
                raise damaged(f"“{name}” is not among its files")
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
        if len(raw) > MAX_MANIFEST_BYTES:
            raise ValueError("it is too large")
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise damaged("it is no JSON") from error
    return BundleManifest.from_json(data)
