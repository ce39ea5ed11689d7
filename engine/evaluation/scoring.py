"""Measures a bundle's pictures of subjects it has never seen: figures beside their ceilings and chance, and sheets.

*Retrieval*: which of the N subjects does a picture show? The judge compares it with all N references; chance is 1/N, the
ceiling is what the judge reaches on true renders of the same subjects and prompts, and on those after the tokenizer.
*Scene accuracy*: does the picture show the place, colour or material that the prompt asks for? Both are measured again with
the semantic path cut, with the content path cut, and with subject strength 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from engine.errors import InputError
from engine.evaluation.judge_training import CHANGED
from engine.evaluation.judges import LOOKS, Judges
from engine.evaluation.measures import margin, share
from engine.photo.sheet import draw_rows
from engine.request import CutOut
from engine.sentence import Sentence
from engine.training.data import language
from engine.training.data.subjects import SubjectPictures
from engine.training.drawer import CUT_PATHS, Drawer, Paths, to_pixels
from engine.training.picture_quality import psnr, ssim
from engine.training.render import appearance
from engine.training.render.paint import Canvas
from engine.training.render.renderer import Renderer

SEED = 20_240
SHEET_SUBJECTS = 10
SHEET_SCENES = ("snow", "beach", "wooden_floor", "city", "on_water", "sunflowers", "red")

Tell = Callable[[float, str], None]


@dataclass(frozen=True)
class SceneCell:
    """One picture to draw: subject (row of the references), scene (index into ``language.SCENES``), prompt and seed."""

    subject: int
    scene: int
    prompt: str
    seed: int

    @property
    def key(self) -> str:
        return language.SCENES[self.scene].key

    @property
    def keeps_subject(self) -> bool:
        """True if the prompt leaves the subject its looks, so that it can be told from others."""
        return self.scene not in CHANGED


@dataclass(frozen=True, eq=False)
class Case:
    """Everything an evaluation starts from.

    Attributes:
        subjects: as they look here, one appearance each. references: (N, 3, R, R) in [-1, 1]. masks: (N, 1, R, R).
        renders: the true picture of every cell, (cells, 3, S, S).
    """

    subjects: SubjectPictures
    references: Tensor
    masks: Tensor
    cells: tuple[SceneCell, ...]
    renders: Tensor

    def cut_out(self, subject: int) -> CutOut:
        """A reference as the program makes it: on white, with the mask beside it."""
        rgb = to_pixels(self.references[subject])
        mask = to_pixels(self.masks[subject].expand(3, -1, -1) * 2 - 1)[..., :1]
        return CutOut(np.concatenate([rgb, mask], axis=2))


def choose_subjects(folder: Path, count: int) -> SubjectPictures:
    """Subjects that training has never seen: the validation split; all of a folder that is too small to be split.

    Raises:
        InputError: the folder is missing or holds fewer than two usable cut-outs.
    """
    subjects = SubjectPictures.from_folder(folder)
    if len(subjects) >= 100:
        subjects = SubjectPictures.from_folder(folder, split="validation")
    if len(subjects) < 2:
        raise InputError(
            Sentence("The folder {folder} holds one cut-out only; subjects are told apart.", folder=folder),
            Sentence("Give at least two."),
        )
    order = torch.randperm(len(subjects), generator=torch.Generator().manual_seed(SEED))[:count]
    return subjects.select(sorted(order.tolist()))


def dressed(subjects: SubjectPictures) -> SubjectPictures:
    """The same subjects in one fixed appearance each: most in other colours, some with a pattern."""
    sprites = subjects.pictures.float() / 255
    sprites[:, :3] *= sprites[:, 3:]
    canvas = Canvas(len(sprites), sprites.shape[-1], torch.Generator().manual_seed(SEED))
    varied = appearance.vary_appearance(sprites, canvas)
    varied[:, :3] /= varied[:, 3:].clamp_min(1e-3)
    pictures = (varied.clamp(0, 1) * 255).round().to(torch.uint8)
    return SubjectPictures(pictures, subjects.names, subjects.keys)


def make_case(subjects: SubjectPictures, size: int, reference_size: int, prompts: int, recolour: bool = True) -> Case:
    """References, cells and true renders. Scenes are dealt out evenly: ``prompts`` different ones for every subject."""
    worn = dressed(subjects) if recolour else subjects
    renderer = Renderer(worn, size=size, reference_size=reference_size, seed=SEED, variety=1, recolour=False)
    batch = renderer.batch(len(worn), scene=0, subjects=torch.arange(len(worn)))
    # A whole number of 8 bits a channel, as a cut-out has.
    references = ((batch.reference + 1) * 127.5).round() / 127.5 - 1
    cells = []
    for index in range(len(worn) * prompts):
        subject = index // prompts
        scene = (index * 7) % len(language.SCENES)  # 7 and 25 share no divisor: all scenes in turn
        prompt = language.canonical_prompt(language.SCENES[scene], worn.names[subject])
        cells.append(SceneCell(subject, scene, prompt, SEED + index))
    renders = renderer_pictures(renderer, cells)
    return Case(worn, references, batch.reference_mask, tuple(cells), renders)


def renderer_pictures(renderer: Renderer, cells: Sequence[SceneCell]) -> Tensor:
    """True renders of the cells, on the backdrop the prompt implies."""
    parts = []
    for start in range(0, len(cells), 25):
        some = cells[start : start + 25]
        batch = renderer.batch(
            len(some),
            scene=[cell.scene for cell in some],
            subjects=torch.tensor([cell.subject for cell in some]),
            plain_looks=True,
        )
        parts.append(batch.target)
    return torch.cat(parts)


def evaluate(
    drawer: Drawer,
    case: Case,
    judges: Judges,
    *,
    tell: Tell = lambda fraction, text: None,
) -> dict[str, Any]:
    """All figures of one bundle, ready for ``evaluation.json``."""
    manifest = drawer.bundle.manifest
    runs: tuple[Paths, ...] = ("both", *CUT_PATHS)
    total = len(runs) * len(case.cells)
    reconstructed = drawer.reconstruct(case.renders)
    kept = [cell for cell in case.cells if cell.keeps_subject]
    figures: dict[str, Any] = {
        "bundle": manifest.identity,
        "pictures": len(case.cells),
        "psnr_db": round(psnr(reconstructed, case.renders), 2),
        "ssim": round(ssim(reconstructed, case.renders), 4),
        "retrieval_of": len(case.subjects),
        "retrieval_chance": round(1 / len(case.subjects), 4),
        "scene_chance": round(_scene_chance(case.cells), 4),
        "strengths": manifest.request_defaults(),
    }
    ceiling, tokenized = judge(judges, case, case.renders), judge(judges, case, reconstructed)
    figures |= {
        "retrieval_ceiling": ceiling["retrieval_top1"],
        "retrieval_ceiling_tokenizer": tokenized["retrieval_top1"],
        "scene_ceiling": ceiling["scene_accuracy"],
        "scene_ceiling_tokenizer": tokenized["scene_accuracy"],
    }
    for number, paths in enumerate(runs):
        words = "Drawing" if paths == "both" else f"Drawing {paths.replace('_', ' ')}"
        pictures, seconds = draw_cells(drawer, case, paths, _counter(tell, words, number * len(case.cells), total))
        result: dict[str, Any] = dict(judge(judges, case, pictures))
        if paths == "both":
            result |= {
                "retrieval_margin": round(margin(result["retrieval_top1"], len(kept)), 4),
                "scene_margin": round(margin(result["scene_accuracy"], len(case.cells)), 4),
                "seconds_per_picture": round(seconds / len(case.cells), 3),
                "by_scene": by_scene(judges, case, pictures),
            }
            figures |= result
        else:
            figures[paths] = result
    return figures


def _counter(tell: Tell, words: str, before: int, total: int) -> Callable[[int], None]:
    return lambda done: tell((before + done) / total, words)


def draw_cells(
    drawer: Drawer, case: Case, paths: Paths, tell: Callable[[int], None] = lambda done: None
) -> tuple[Tensor, float]:
    """Pictures of all cells (cells, 3, S, S), and the seconds they took, encoding and decoding included."""
    pictures: list[Tensor] = []
    started = time.perf_counter()
    for done, cell in enumerate(case.cells):
        # Encoded for every picture, as a new photo would be: the seconds are those of a first picture.
        features = drawer.encode_subject(str(cell.subject), case.cut_out(cell.subject), cell.seed)
        pictures.append(drawer.draw(features, cell.prompt, cell.seed, paths))
        tell(done + 1)
    return torch.cat(pictures), time.perf_counter() - started


def judge(judges: Judges, case: Case, pictures: Tensor) -> dict[str, float]:
    """Retrieval over the cells that leave the subject its looks; scene accuracy over all."""
    rows = [index for index, cell in enumerate(case.cells) if cell.keeps_subject]
    found = judges.identify(pictures[rows], case.references)
    right = [int(found[at]) == case.cells[row].subject for at, row in enumerate(rows)]
    scenes = judges.says(pictures, [cell.key for cell in case.cells])
    return {"retrieval_top1": round(share(right), 4), "scene_accuracy": round(share(scenes), 4)}


def by_scene(judges: Judges, case: Case, pictures: Tensor) -> dict[str, float]:
    """Scene accuracy of every scene that was asked for."""
    right = judges.says(pictures, [cell.key for cell in case.cells])
    keys = sorted({cell.key for cell in case.cells})
    return {k: round(share([bool(right[i]) for i, cell in enumerate(case.cells) if cell.key == k]), 3) for k in keys}


def _scene_chance(cells: Sequence[SceneCell]) -> float:
    chances = [1 / (len(LOOKS) + 1) if cell.key in LOOKS else 1 / (len(language.PLACES) + 1) for cell in cells]
    return sum(chances) / len(chances)


def write_sheet(drawer: Drawer, cut_outs: Sequence[tuple[str, CutOut]], path: Path) -> None:
    """Draw a sheet: of every subject the cut-out, then one picture per scene.

    Args:
        cut_outs: name and cut-out of every subject.
    """
    rows = []
    for index, (name, cut_out) in enumerate(cut_outs):
        features = drawer.encode_subject(f"sheet {index} {name}", cut_out, SEED + index)
        drawn = [
            to_pixels(drawer.draw(features, language.canonical_prompt(language.BY_KEY[key], name), SEED + index)[0])
            for key in SHEET_SCENES
        ]
        rows.append([cut_out.rgb, *drawn])
    columns = ["subject", *(language.canonical_prompt(language.BY_KEY[key], "…") for key in SHEET_SCENES)]
    names = [name for name, _ in cut_outs]
    Image.fromarray(draw_rows(rows, names, columns, title=drawer.bundle.manifest.title)).save(path)
