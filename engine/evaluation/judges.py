"""Two small networks that judge pictures: which subject is this, and which scene is it in?

They are trained apart, on renders alone (``engine/evaluation/judge_training.py``), and share nothing with the models they
judge. Their weights lie in ``tests/data/evaluation`` and are used without a flag.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from engine.errors import InputError
from engine.files import replacing
from engine.sentence import Sentence
from engine.training.data import language
from engine.validation import Finite, parse_json, read_value

FOLDER = Path(__file__).parents[2] / "tests" / "data" / "evaluation"
SIDE = 96  # pixels the judges look at
PLACES = tuple(scene.key for scene in language.PLACES)
LOOKS = tuple(scene.key for scene in language.LOOKS)
PLAIN = len(PLACES)  # label of a plain backdrop
NO_LOOK = len(LOOKS)  # label of a subject in its own colours and material

Judge = TypeVar("Judge", bound=nn.Module)


class _Block(nn.Module):
    """Halve the size, then one residual convolution."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(width_in, width, 3, stride=2, padding=1, bias=False)
        self.down_norm = nn.BatchNorm2d(width)
        self.more = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.more_norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.down_norm(self.down(x)))
        return F.relu(x + self.more_norm(self.more(x)))


class Trunk(nn.Module):
    """Pictures (B, 3, 96, 96) in [-1, 1] → features (B, heads · widths[-1]).

    Each head looks where its own map points, so that the subject can be told from what is around it.
    """

    def __init__(self, widths: Sequence[int], heads: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, widths[0], 3, stride=2, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(widths[0])
        pairs = itertools.pairwise(widths)
        self.blocks = nn.Sequential(*(_Block(before, after) for before, after in pairs))
        self.look = nn.Conv2d(widths[-1], heads, 1)
        self.width = heads * widths[-1]

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.blocks(F.relu(self.stem_norm(self.stem(pictures))))
        where = self.look(x).flatten(2).softmax(-1)
        return torch.einsum("bhn,bcn->bhc", where, x.flatten(2)).flatten(1)


class Embedder(nn.Module):
    """The same subject in the same appearance lies close, on white as in a scene; another one, or another colour, far."""

    def __init__(self, widths: Sequence[int] = (32, 48, 96, 160), heads: int = 4, out: int = 128) -> None:
        super().__init__()
        self.trunk = Trunk(widths, heads)
        self.out = nn.Linear(self.trunk.width, out)

    def forward(self, pictures: Tensor) -> Tensor:
        """(B, 3, 96, 96) → unit vectors (B, out)."""
        return F.normalize(self.out(self.trunk(pictures)), dim=-1)


class SceneClassifier(nn.Module):
    """Tells the place in a picture, and the colour or material of its subject."""

    def __init__(self, widths: Sequence[int] = (24, 40, 80, 128), heads: int = 4) -> None:
        super().__init__()
        self.trunk = Trunk(widths, heads)
        self.place = nn.Linear(self.trunk.width, len(PLACES) + 1)
        self.appearance = nn.Linear(self.trunk.width, len(LOOKS) + 1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 96, 96) → logits of the places (and plain), logits of the looks (and none)."""
        features = self.trunk(pictures)
        return self.place(features), self.appearance(features)


@dataclass(frozen=True, eq=False)
class Judges:
    """Both judges, ready to use.

    Attributes:
        figures: what each reached on held-out renders, as it was measured after their training.
    """

    embedder: Embedder
    classifier: SceneClassifier
    figures: dict[str, dict[str, float]]

    @classmethod
    def load(cls, folder: Path = FOLDER) -> Judges:
        """Read both judges.

        Raises:
            InputError: a file is missing or damaged.
        """
        embedder, embedder_figures = load_judge(Embedder(), folder / "embedder.safetensors")
        classifier, classifier_figures = load_judge(SceneClassifier(), folder / "scenes.safetensors")
        return cls(embedder, classifier, {"embedder": embedder_figures, "scenes": classifier_figures})

    @torch.inference_mode()
    def embed(self, pictures: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in [-1, 1] of any size → unit vectors (B, 128)."""
        return torch.cat([self.embedder(part) for part in resize(pictures).split(64)])

    @torch.inference_mode()
    def says(self, pictures: Tensor, scenes: Sequence[str]) -> Tensor:
        """Judge whether each picture shows the scene asked for, as the classifier sees it: bool (B,).

        Args:
            pictures: (B, 3, S, S) in [-1, 1].
            scenes: keys of ``language.SCENES``, one per picture. For a colour or material only that is judged.
        """
        outputs = [self.classifier(part) for part in resize(pictures).split(64)]
        place = torch.cat([output[0] for output in outputs]).argmax(-1)
        look = torch.cat([output[1] for output in outputs]).argmax(-1)
        return torch.tensor(
            [
                bool(look[row] == LOOKS.index(key)) if key in LOOKS else bool(place[row] == PLACES.index(key))
                for row, key in enumerate(scenes)
            ]
        )

    def identify(self, pictures: Tensor, references: Tensor) -> Tensor:
        """Index (B,) of the reference (N, 3, R, R) that each picture resembles most."""
        return (self.embed(pictures) @ self.embed(references).T).argmax(-1)


def resize(pictures: Tensor) -> Tensor:
    """To the size the judges look at, without aliasing."""
    if pictures.shape[-1] == SIDE:
        return pictures
    return F.interpolate(pictures, (SIDE, SIDE), mode="bilinear", antialias=True)


_MAX_FIGURES = 2**16


def save_judge(path: Path, module: nn.Module, weights: dict[str, Tensor], figures: dict[str, float]) -> None:
    """Write weights in half precision; their figures go into the file's header."""
    halves = {name: value.half() if value.is_floating_point() else value for name, value in weights.items()}
    assert halves.keys() == module.state_dict().keys()
    with replacing(path) as part:
        save_file({name: value.contiguous() for name, value in halves.items()}, part, {"figures": json.dumps(figures)})


def load_judge(module: Judge, path: Path) -> tuple[Judge, dict[str, float]]:
    """Read weights into ``module`` and set it to judging."""
    try:
        with safe_open(path, "pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
            words = (file.metadata() or {}).get("figures", "{}")
        figures = read_value(parse_json(words, _MAX_FIGURES), dict[str, Finite])
        module.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in weights.items()})
    except FileNotFoundError as error:
        raise InputError(
            Sentence("The judge {path} is missing in {parent}.", path=path.name, parent=path.parent),
            Sentence("Train it with: python -m engine evaluate --train-judges."),
        ) from error
    except (OSError, SafetensorError, RuntimeError, ValueError) as error:
        raise InputError(
            Sentence("The judge {path} is damaged.", path=path), Sentence("Restore it, or train it again.")
        ) from error
    return module.eval(), figures
