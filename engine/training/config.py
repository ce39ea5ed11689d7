"""The one file that holds every number of a training: read, checked, turned into the configurations of the parts."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from engine.bundle.placement_ranges import PlacementRanges
from engine.bundle.records import PlacedContent
from engine.errors import InputError, os_reason
from engine.model.config import ScaleSchedule, TransformerConfig
from engine.sentence import Sentence
from engine.tokenizer.config import TokenizerConfig
from engine.training.data import language
from engine.validation import only_known, read_value

T = TypeVar("T")

DEFAULT = Path(__file__).with_name("mini.toml")
STAGES = ("tokenizer", "content", "transformer", "decoder")


@dataclass(frozen=True)
class TrainingConfig:
    """A training file, read.

    Attributes:
        values: the file's tables as they are.
    """

    values: dict[str, Any]

    @classmethod
    def load(cls, path: Path = DEFAULT) -> TrainingConfig:
        """Read a TOML file. Raises ``InputError`` with the place of the mistake."""
        config = cls(read_training_file(path))
        try:
            config.tokenizer, config.transformer, config.schedule, config.text, config.semantic, config.content  # noqa: B018
            config.placed_content, config.layouts  # noqa: B018
        except KeyError as error:
            raise InputError(
                Sentence(
                    "The training file {path} does not fit: {missing} is missing.",
                    path=path.name,
                    missing=error.args[0],
                )
            ) from error
        except (TypeError, ValueError) as error:
            raise InputError(
                Sentence("The training file {path} does not fit: {error}.", path=path.name, error=error)
            ) from error
        return config

    def __getitem__(self, table: str) -> dict[str, Any]:
        return self.values[table]

    def with_training(self, stage: str, settings: dict[str, Any]) -> TrainingConfig:
        """The same, with some numbers of a stage's ``training`` table replaced."""
        table = self.values[stage]
        return TrainingConfig({**self.values, stage: {**table, "training": {**table["training"], **settings}}})

    @property
    def seed(self) -> int:
        return int(self.values["seed"])

    @property
    def outfits(self) -> float:
        """Share of the pictures that show an outfit."""
        return float(self.values["data"].get("outfits", 0.0))

    @property
    def more(self) -> float:
        """Share of the pictures that say an adjective, or name the light of their place."""
        return float(self.values["data"].get("more", 0.0))

    @property
    def layouts(self) -> dict[str, tuple[int, ...]]:
        """By place, and "studio" for a plain backdrop: which backgrounds its layouts are. Empty where layouts have no words."""
        table = {place: tuple(map(int, indices)) for place, indices in self.values.get("layouts", {}).items()}
        if not table:
            return {}
        places = {*(place.key for place in language.PLACES), language.PLAIN}
        if places != set(table):
            wrong = ", ".join(sorted(places.symmetric_difference(table)))
            raise ValueError(f"its table layouts should have one line for every place; see {wrong}")
        if len({len(indices) for indices in table.values()}) > 1 or not all(table.values()):
            raise ValueError("its table layouts should have as many numbers for every place, and at least one")
        if min(map(min, table.values())) < 0:
            raise ValueError("backgrounds in its table layouts are counted from 0")
        return table

    @property
    def layout_count(self) -> int:
        """The number of layouts that every place has; 0 where layouts have no words."""
        return len(self.layouts.get(language.PLAIN, ()))

    @property
    def place_scales(self) -> int:
        """The number of first scales that describe the place without its subject; 0 where layouts have no words."""
        return int(self["transformer"]["training"].get("place_scales", 0)) if self.layout_count else 0

    @property
    def schedule(self) -> ScaleSchedule:
        grids = tuple((int(h), int(w)) for h, w in self.values["schedule"]["grids"])
        size = int(self.values["data"]["picture_size"])
        return ScaleSchedule(size=(size, size), grids=grids, rotary_grid=grids[-1])

    @property
    def tokenizer(self) -> TokenizerConfig:
        table = {k: v for k, v in self.values["tokenizer"].items() if k != "training"}
        return _checked(table, TokenizerConfig, "tokenizer")

    @property
    def plain_tokenizer(self) -> TokenizerConfig:
        """The visual tokenizer as its own stage trains it, without a reference branch."""
        return replace(self.tokenizer, reference_channels=())

    @property
    def placed_content(self) -> PlacedContent | None:
        """The placed content path, or None where the training file has no table ``placement``."""
        table = self.values.get("placement")
        if table is None:
            return None
        ranges = {name: value for name, value in table.items() if name != "fold"}
        return PlacedContent(_checked(ranges, PlacementRanges, "placement"), int(table["fold"]))

    @property
    def content_size(self) -> int:
        """Side in pixels of what the content encoder sees: the reference, or the canvas with the placed cut-out."""
        return int(self.values["data"]["reference_size" if self.placed_content is None else "picture_size"])

    @property
    def content_fold(self) -> int:
        """Latent pixels a side that make one content token."""
        return 1 if self.placed_content is None else self.placed_content.fold

    @property
    def content_side(self) -> int:
        """Content tokens along one side."""
        stride = 2 ** (len(self.values["content"]["block_out_channels"]) - 1)
        return self.content_size // stride // self.content_fold

    @property
    def transformer(self) -> TransformerConfig:
        table = {k: v for k, v in self.values["transformer"].items() if k != "training"}
        side = int(self.values["semantic"]["input_size"]) // int(self.values["semantic"]["patch_size"])
        table |= {
            "bits": self.tokenizer.bits,
            "scale_count": len(self.schedule.grids),
            "text_width": int(self.values["text"]["width"]),
            "semantic_width": int(self.values["semantic"]["width"]),
            "semantic_tokens": side * side,
            "content_width": int(self.values["content"]["latent_channels"]) * self.content_fold**2,
            "content_tokens": self.content_side**2,
        }
        return _checked(table, TransformerConfig, "transformer")

    @property
    def content(self) -> dict[str, Any]:
        """Arguments of ``diffusers.AutoencoderKL``."""
        table = {k: v for k, v in self.values["content"].items() if k != "training"}
        levels = len(table["block_out_channels"])
        return {
            "in_channels": 3,
            "out_channels": 3,
            "down_block_types": ["DownEncoderBlock2D"] * levels,
            "up_block_types": ["UpDecoderBlock2D"] * levels,
            "sample_size": int(self.values["data"]["reference_size"]),
            "mid_block_add_attention": False,
            "use_quant_conv": False,
            "use_post_quant_conv": False,
            **table,
        }

    @property
    def text(self) -> dict[str, Any]:
        """Arguments of ``transformers.T5Config``, but for the vocabulary."""
        table = self.values["text"]
        return {
            "d_model": table["width"],
            "d_kv": table["width"] // table["heads"],
            "d_ff": table["hidden"],
            "num_layers": table["layers"],
            "num_heads": table["heads"],
            "dropout_rate": 0.0,
            "feed_forward_proj": "gated-gelu",
            "tie_word_embeddings": False,
        }

    @property
    def semantic(self) -> dict[str, Any]:
        """Arguments of ``transformers.Dinov2Config``."""
        table = self.values["semantic"]
        return {
            "hidden_size": table["width"],
            "num_hidden_layers": table["layers"],
            "num_attention_heads": table["heads"],
            "image_size": table["input_size"],
            "patch_size": table["patch_size"],
            "mlp_ratio": 4,
        }

    def digest(self, stage: str) -> str:
        """Digest of everything that fixes the shapes of a stage: a checkpoint of another one is refused."""
        shapes: list[Any] = [stage, self.plain_tokenizer.to_json(), self.schedule.to_json()]
        if stage == "content":
            shapes = [stage, self.content]
        elif stage == "decoder":
            shapes += [self.tokenizer.to_json()]
        elif stage == "transformer":
            shapes += [self.transformer.to_json(), self.content, self.text, self.semantic]
        return hashlib.sha256(json.dumps(shapes, sort_keys=True).encode()).hexdigest()[:16]


def read_training_file(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises ``InputError`` when it cannot be read, or with the place of the mistake."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            Sentence("The training file {path} cannot be read: {reason}.", path=path, reason=os_reason(error))
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(Sentence("The training file {path} is not UTF-8 text.", path=path.name)) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            Sentence("The training file {path} is damaged: {error}.", path=path.name, error=error)
        ) from error


def _checked(table: dict[str, Any], kind: type[T], name: str) -> T:
    """A table of the training file as a configuration. Raises ``ValueError`` with the value that cannot be."""
    only_known(table, kind, name)
    return read_value(table, kind)


def trapezoid(done: float, warmup: float, decay: float) -> float:
    """Learning-rate factor after a share ``done`` of the time: up, level, down to zero.

    Args:
        done: 0 … 1. warmup, decay: shares of the time at the beginning and the end.
    """
    up = min(1.0, done / warmup) if warmup > 0 else 1.0
    down = min(1.0, (1.0 - done) / decay) if decay > 0 else 1.0
    return max(0.0, min(up, down))
