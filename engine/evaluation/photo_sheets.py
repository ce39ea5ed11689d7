"""The sheets of an evaluation on photos, which a person can judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor

from engine.photo.sheet import draw_rows
from engine.training.data import language
from engine.training.drawer import to_pixels

if TYPE_CHECKING:
    from engine.evaluation.photo_case import PhotoCase, Renders
    from engine.evaluation.photo_evaluation import JudgedPictures


def photo_sheets(
    case: PhotoCase, judged: JudgedPictures, renders: Renders, coded: Tensor, title: str
) -> list[tuple[str, str, Image.Image]]:
    """Sheets of an evaluation on photos as (name of its file, title, sheet).

    "photos": rows are subjects, columns the scenes that every subject was drawn in, the cut-out first. "ladder": one scene;
    cut-out, true render, true render after the bits, drawn picture.
    """
    rows = range(len(case.photos))
    at = {(cell.subject, cell.key): index for index, cell in enumerate(judged.cells)}
    keys = [key for key in dict.fromkeys(cell.key for cell in judged.cells) if all((row, key) in at for row in rows)]
    names = [subject.key for subject in case.photos.subjects]
    drawn, ladder = [], []
    for row in rows:
        cut, first = case.cut_outs[row].rgb, at[row, keys[0]]
        drawn.append([cut, *(to_pixels(judged.pictures[at[row, key]]) for key in keys)])
        ladder.append([cut, *(to_pixels(pictures[first]) for pictures in (renders.pictures, coded, judged.pictures))])
    scenes = [language.canonical_prompt(language.BY_KEY[key], "…") for key in keys]
    steps = ["subject", "true render", "after the bits", "drawn"]
    sheets = (
        ("photos", f"{title}: photos", drawn, ["subject", *scenes]),
        ("ladder", f"{title}: {scenes[0]}", ladder, steps),
    )
    return [
        (name, words, Image.fromarray(draw_rows(pictures, names, columns, title=words)))
        for name, words, pictures, columns in sheets
    ]
