"""DreamBench as the field computes it: which pictures are asked for, and what is measured of them.

Every subject of the folder in the 25 prompts of the benchmark's own list, the class word in place of the token and the class,
four seeds each. A picture is compared with *all* photos of its subject, uncropped, and the mean is taken over the whole
matrix of a subject, then over subjects; and with its prompt, a negative cosine counted as 0. Beside it stands the likeness to
the *input* photo alone: where that is much higher, the picture is a copy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.batch.batch_job import BatchJob, planned
from engine.bundle.manifest import BundleManifest
from engine.errors import EchoGenError, InputError
from engine.evaluation.embedders import Clip, PictureEmbedder
from engine.evaluation.photo_folder import CLASSES, PhotoSubject
from engine.photo.load import load_photo
from engine.request import GenerationRequest
from engine.sentence import Sentence

SEEDS = 4
LIVE = ("cat", "dog")  # classes that are asked for in the benchmark's second list
TEXT = "clip_t"  # the figure of picture and prompt
_AT_ONCE = 16  # pictures a network sees at once
_PROMPT = re.compile(r"^'(.+)'\.format\(unique_token, class_token\)", re.MULTILINE)


@dataclass(frozen=True)
class BenchmarkCell:
    """One picture of the benchmark.

    Attributes:
        id: of its request, and so of its picture in the job. subject: key of the subject.
        prompt: as it is drawn and measured. template: the same for all subjects of its list, "{0}" for the class.
    """

    id: str
    subject: str
    prompt: str
    template: str
    seed: int


@dataclass(frozen=True)
class Score:
    """The measures of one picture.

    Attributes:
        figures: "NETWORK_all", "NETWORK_input" and, with CLIP, "clip_t".
        file: of the picture, relative to the job's folder.
    """

    cell: BenchmarkCell
    file: str
    figures: Mapping[str, float]


def read_prompts(folder: Path) -> tuple[list[str], list[str]]:
    """The benchmark's two lists, for objects and for live subjects, "{0}" for the class.

    Raises:
        InputError: the list is not in the folder of photos, or holds no prompts.
    """
    path = folder / CLASSES
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InputError(
            Sentence("The benchmark's list {classes} is not in {folder}.", classes=CLASSES, folder=folder),
            Sentence("Name the folder “dataset” of the DreamBooth dataset."),
        ) from error
    objects, _, live = text.partition("Live Subject Prompts")
    lists = [
        [prompt.replace("{0} {1}", "{0}") for prompt in _PROMPT.findall(part) if "{1}" in prompt]
        for part in (objects, live)
    ]
    if not all(lists):
        raise InputError(
            Sentence("There are no prompts in {path}.", path=path),
            Sentence("It must be the file that belongs to the DreamBooth dataset."),
        )
    return lists[0], lists[1]


@dataclass
class Benchmark:
    """The subjects, and the pictures that are asked for.

    Args:
        prompts: the two lists of ``read_prompts``. seeds: pictures of each prompt.
    """

    subjects: Sequence[PhotoSubject]
    prompts: tuple[list[str], list[str]]
    seeds: int = SEEDS

    def __post_init__(self) -> None:
        self.cells: list[BenchmarkCell] = []

    def requests(self, manifest: BundleManifest, skipped: Callable[[str], None]) -> Iterator[GenerationRequest]:
        """The requests, at the model's own settings; ``cells`` holds their pictures afterwards.

        Args:
            skipped: called with a sentence for every subject that cannot be cut out.
        """
        import cv2

        for subject in self.subjects:
            try:
                cv2.setRNGSeed(0)  # the cut-out stays what it is when the job goes on, and with it the request
                cut = subject.shot().cut_out(manifest.reference_size)
            except InputError as error:
                skipped(f"{subject.key} is skipped: {error}")
                continue
            for template in self.prompts[subject.name in LIVE]:
                for seed in range(self.seeds):
                    prompt = template.replace("{0}", subject.name)
                    request = GenerationRequest(
                        prompt, cut, subject_name=subject.name, seed=seed, **manifest.request_defaults()
                    )
                    self.cells.append(BenchmarkCell(planned(request).id, subject.key, prompt, template, seed))
                    yield request


class References:
    """The networks' features of the photos of one subject.

    Args:
        subject: its photos; one that cannot be read is told by ``skipped`` and left out, the input photo excepted.

    Raises:
        InputError: the input photo cannot be read.
    """

    def __init__(
        self, subject: PhotoSubject, judges: Sequence[PictureEmbedder], skipped: Callable[[str], None]
    ) -> None:
        photos = []
        for path in subject.photos:
            try:
                photos.append((path, load_photo(path).rgb))
            except EchoGenError as error:
                if path == subject.chosen:
                    raise
                skipped(f"{subject.key}/{path.name} is left out: {error}")
        self.chosen = [path for path, _ in photos].index(subject.chosen)
        self.features: dict[str, Tensor] = {judge.name: judge.pictures([rgb for _, rgb in photos]) for judge in judges}

    def figures(self, judge: str, drawn: Tensor) -> Iterator[dict[str, float]]:
        """Of each picture (B, D): its mean likeness to all photos, and that to the input photo."""
        cosines = drawn @ self.features[judge].T
        for row in cosines:
            yield {f"{judge}_all": float(row.mean()), f"{judge}_input": float(row[self.chosen])}

    def among_themselves(self, judge: str) -> float | None:
        """Mean likeness of two different photos: what a faithful picture of the same thing reaches, and a copy passes."""
        photos = self.features[judge]
        if len(photos) < 2:
            return None
        cosines = photos @ photos.T
        return float((cosines.sum() - cosines.trace()) / (len(photos) * (len(photos) - 1)))


def measure(
    job: BatchJob,
    benchmark: Benchmark,
    judges: Sequence[PictureEmbedder],
    skipped: Callable[[str], None] = lambda words: None,
    tell: Callable[[int], None] = lambda count: None,
) -> tuple[list[Score], dict[str, References]]:
    """Measure every picture of the benchmark that is there, subject by subject.

    Args:
        skipped: called with a sentence for every picture or photo that cannot be read.
        tell: called with how many pictures are measured.

    Returns:
        The scores in the order of the cells, and the features of each subject's photos.
    """
    scores: list[Score] = []
    references: dict[str, References] = {}
    by_subject: dict[str, list[BenchmarkCell]] = {}
    for cell in benchmark.cells:
        by_subject.setdefault(cell.subject, []).append(cell)
    known = {subject.key: subject for subject in benchmark.subjects}
    for key, cells in by_subject.items():
        references[key] = References(known[key], judges, skipped)
        for start in range(0, len(cells), _AT_ONCE):
            scores += _measured(job, cells[start : start + _AT_ONCE], references[key], judges, skipped)
            tell(len(scores))
    return scores, references


def _measured(
    job: BatchJob,
    cells: Iterable[BenchmarkCell],
    references: References,
    judges: Sequence[PictureEmbedder],
    skipped: Callable[[str], None],
) -> list[Score]:
    there: list[tuple[BenchmarkCell, np.ndarray]] = []
    for cell in cells:
        if job.has_picture(cell.id):
            try:
                there.append((cell, load_photo(job.picture(cell.id)).rgb))
            except EchoGenError as error:
                skipped(str(error))
    if not there:
        return []
    figures: list[dict[str, float]] = [{} for _ in there]
    for judge in judges:
        drawn = judge.pictures([rgb for _, rgb in there])
        for own, more in zip(figures, references.figures(judge.name, drawn), strict=True):
            own.update(more)
        if isinstance(judge, Clip):
            for own, cosine in zip(
                figures, text_likeness(judge, drawn, [cell.prompt for cell, _ in there]), strict=True
            ):
                own[TEXT] = cosine
    return [
        Score(cell, job.picture(cell.id).relative_to(job.folder).as_posix(), own)
        for (cell, _), own in zip(there, figures, strict=True)
    ]


def text_likeness(clip: Clip, pictures: Tensor, prompts: Sequence[str]) -> list[float]:
    """Cosine of each picture (B, D) and its prompt; a negative one counts as 0."""
    different = list(dict.fromkeys(prompts))
    read = dict(zip(different, clip.texts(different), strict=True))
    texts = torch.stack([read[prompt] for prompt in prompts])
    return [max(0.0, float(cosine)) for cosine in (pictures * texts).sum(-1)]


def table(scores: Sequence[Score], by: Callable[[Score], Any]) -> dict[Any, dict[str, float]]:
    """The mean of every figure in each group, and how many pictures it is of ("pictures")."""
    groups: dict[Any, list[Score]] = {}
    for score in scores:
        groups.setdefault(by(score), []).append(score)
    return {key: {"pictures": len(some), **_means([score.figures for score in some])} for key, some in groups.items()}


def _means(figures: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(some[name] for some in figures) for name in figures[0]}


def results(scores: Sequence[Score], references: Mapping[str, References], asked: int) -> dict[str, Any]:
    """All figures: the benchmark's, by subject, by prompt, of every seed alone, and of every picture, the worst first.

    A subject with few pictures weighs as much as the others, as in the papers.
    """
    subjects = table(scores, lambda score: score.cell.subject)
    alone = [table([s for s in scores if s.cell.seed == seed], lambda s: s.cell.subject) for seed in _seeds(scores)]
    judges = [name.removesuffix("_all") for name in next(iter(subjects.values()), {}) if name.endswith("_all")]
    photos = {
        judge: [likeness for own in references.values() if (likeness := own.among_themselves(judge)) is not None]
        for judge in judges
    }
    return {
        "subjects_measured": len(subjects),
        "pictures_measured": len(scores),
        "pictures_asked": asked,
        "figures": _without_count(_means(list(subjects.values()))) if subjects else {},
        "photos_among_themselves": {judge: fmean(some) for judge, some in photos.items() if some},
        "by_seed": [_without_count(_means(list(own.values()))) for own in alone],
        "by_subject": subjects,
        "by_prompt": table(scores, lambda score: score.cell.template),
        "pictures": [
            {**asdict(score.cell), "file": score.file, "figures": dict(score.figures)} for score in worst_first(scores)
        ],
    }


def _without_count(figures: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if name != "pictures"}


def _seeds(scores: Sequence[Score]) -> list[int]:
    return sorted({score.cell.seed for score in scores})


def worst_first(scores: Sequence[Score]) -> list[Score]:
    """By the mean rank of likeness to all photos and to the prompt: a picture that fails in either comes early."""
    if not scores:
        return []
    names = [name for name in scores[0].figures if name.endswith("_all") or name == TEXT]
    ranks = np.zeros(len(scores))
    for name in names:
        values = np.array([score.figures[name] for score in scores])
        weight = 1.0 if name == TEXT else 1.0 / (len(names) - (TEXT in names))
        ranks += weight * values.argsort(kind="stable").argsort(kind="stable")
    return [scores[index] for index in ranks.argsort(kind="stable")]
