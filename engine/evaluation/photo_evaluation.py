"""Measures a bundle's pictures of real photos: figures by a judge nobody here trained, with the bundle's parts off, too.

Every figure stands beside what true renders of the same photos reach, and those after the bundle's own bits. A figure that a
bundle cannot have, because it does not know where its subject stands, is None.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.evaluation import picture_figures
from engine.evaluation.imagenet import nearest, prototypes, to_picture
from engine.evaluation.judges import Judges
from engine.evaluation.measures import margin, share
from engine.evaluation.photo_case import LIGHTS, LOOKS, PhotoCase, PhotoCell, Renders
from engine.evaluation.photo_folder import QUICK_SCENES, SEED, Judged, judged
from engine.evaluation.picture_source import Off, PictureSource
from engine.placement import Placement
from engine.training.data import language

OTHER = 50_000  # added to a seed for another picture of the same request
BEST_OF = 4
PLACED_SCENE = "wooden_floor"

Tell = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class JudgedPictures:
    """Pictures of cells and what the judge sees in them.

    Attributes:
        features: (B, D). masks: where the subjects stand, (B, 1, H, W), or None where nobody knows.
        seconds: what drawing one took, on average.
    """

    cells: tuple[PhotoCell, ...]
    pictures: Tensor
    features: Tensor
    masks: Tensor | None = None
    seconds: float = 0.0


class PhotoEvaluation:
    """Takes all figures of one bundle, one after the other.

    Args:
        source: what draws. case: the photos. judges: the scene judge.
        quick: three scenes a subject, no looks, no other seeds, and nothing switched off.
        tell: called with the share of the pictures that are drawn, and words.

    Attributes:
        figures: what has been measured so far, ready for ``evaluation.json``.
    """

    def __init__(
        self,
        source: PictureSource,
        case: PhotoCase,
        judges: Judges,
        *,
        quick: bool = False,
        tell: Tell = lambda fraction, words: None,
    ) -> None:
        self.source, self.case, self.judges, self.quick = source, case, judges, quick
        self.cells = tuple(case.asked(quick))
        self.figures: dict[str, Any] = {"bundle": source.bundle.manifest.identity}
        self._tell, self._drawn = tell, 0

    def run(self) -> tuple[JudgedPictures, Renders, Tensor]:
        """Take all figures.

        Returns:
            The pictures most figures are taken of, true renders of the same, and those after the bundle's bits.
        """
        judged = self.draw(self.cells, "Drawing")
        self._tell(self._share(), "Rendering the same scenes")
        renders = self.render(self.cells)
        coded = self.source.through_bits(renders.pictures, renders.canvas)
        self.subjects(judged, renders, coded)
        self.scenes(judged, renders, coded)
        self.quality(judged, renders)
        self.pasted()
        self.cost(judged)
        if not self.quick:
            self.scenes_by_imagenet(judged, renders)
            self.looks()
            self.seeds(judged)
            self.best_of()
            self.light()
            self.placement()
            for off in self.source.off:
                self.switched_off(off)
        self._tell(1.0, "Done")
        return judged, renders, coded

    # Drawing

    def draw(self, cells: Sequence[PhotoCell], words: str, off: Off = "") -> JudgedPictures:
        """Draw cells and show them to the judge."""
        pictures, started = [], time.perf_counter()
        for cell in cells:
            pictures.append(self.source(self.case.cut_outs[cell.subject], cell.prompt, cell.seed, off))
            self._drawn += 1
            self._tell(self._share(), words)
        seconds = (time.perf_counter() - started) / len(cells)
        masks = None
        if self.source.places:
            cuts = [self.case.cut_outs[cell.subject] for cell in cells]
            masks = torch.stack([self.source.mask(*pair) for pair in zip(cuts, self._places(cells), strict=True)])
        drawn = torch.stack(pictures)
        return JudgedPictures(tuple(cells), drawn, self.case.photos.judge.embed(drawn), masks, seconds)

    def render(self, cells: Sequence[PhotoCell]) -> Renders:
        """True renders of cells, with the subjects where the bundle draws them."""
        return self.case.render(cells, self._places(cells))

    def _places(self, cells: Sequence[PhotoCell]) -> list[Placement]:
        """The automatic placement of every cell; nothing for a bundle that knows none."""
        if not self.source.places:
            return []
        return [self.source.automatic(self.case.cut_outs[cell.subject], cell.seed) for cell in cells]

    def judged(self, judged: JudgedPictures) -> Judged:
        return self._judged(judged.features, judged.cells)

    def _judged(self, features: Tensor, cells: Sequence[PhotoCell]) -> Judged:
        return judged(features, self.case.photos.prototypes, [cell.subject for cell in cells])

    def _share(self) -> float:
        subjects = len(self.case.photos)
        total = len(self.cells)
        if not self.quick:
            total += subjects * (len(LOOKS) + 1 + BEST_OF + len(QUICK_SCENES) * len(self.source.off))
            total += subjects * (len(LIGHTS) + 2) if self.source.places else 0
        return min(0.99, self._drawn / total)

    # Figures

    def subjects(self, judged: JudgedPictures, renders: Renders, coded: Tensor) -> None:
        """Judge the subject of every picture; beside it that of true renders, and of those after the bits."""
        drawn, count = self.judged(judged), len(self.case.photos)
        self.figures |= {
            "photos_top1": round(drawn.top1, 4),
            "photos_margin": round(margin(drawn.top1, len(self.cells)), 4),
            "photos_similarity": round(drawn.similarity, 4),
            "photos_of": count,
            "photos_pictures": len(self.cells),
            "photos_chance": round(1 / count, 4),
            "photos_trust": round(self.case.photos.trust, 4),
            "photos_by_subject": {
                subject.key: round(
                    share([bool(drawn.right[i]) for i, c in enumerate(self.cells) if c.subject == row]), 3
                )
                for row, subject in enumerate(self.case.photos.subjects)
            },
        }
        for name, pictures in (("photos_ceiling", renders.pictures), ("photos_ceiling_bits", coded)):
            ceiling = self._judged(self.case.photos.judge.embed(pictures), self.cells)
            self.figures |= {name: round(ceiling.top1, 4), f"{name}_similarity": round(ceiling.similarity, 4)}

    def scenes(self, judged: JudgedPictures, renders: Renders, coded: Tensor) -> None:
        """Is it the place that was asked for, as the scene judge sees it?"""
        keys = [cell.key for cell in self.cells]
        right = self.judges.says(judged.pictures, keys).tolist()
        self.figures |= {
            "scene_accuracy": round(share(right), 4),
            "scene_margin": round(margin(share(right), len(right)), 4),
            "scene_chance": round(1 / (len(language.PLACES) + 1), 4),
            "scene_ceiling": round(share(self.judges.says(renders.pictures, keys)), 4),
            "scene_ceiling_tokenizer": round(share(self.judges.says(coded, keys)), 4),
            "by_scene": {
                key: round(share([yes for yes, own in zip(right, keys, strict=True) if own == key]), 3)
                for key in sorted(set(keys))
            },
        }

    def scenes_by_imagenet(self, judged: JudgedPictures, renders: Renders) -> None:
        """The same by the judge of photos: nearest of the places' true renders, of every subject once in each."""
        self._tell(self._share(), "Rendering every place")
        keys = [scene.key for scene in language.PLACES]
        embed = self.case.photos.judge.embed
        of = prototypes(embed(self.case.render(self.case.cells([key])).pictures) for key in keys)
        for name, features in (
            ("scene_accuracy_imagenet", judged.features),
            ("scene_ceiling_imagenet", embed(renders.pictures)),
        ):
            found = nearest(features, of).tolist()
            right = [keys[index] == cell.key for index, cell in zip(found, self.cells, strict=True)]
            self.figures[name] = round(share(right), 4)

    def quality(self, judged: JudgedPictures, renders: Renders) -> None:
        """Sharpness of the scene, and of the subject's edge, against true renders."""
        height, width = judged.pictures.shape[-2:]
        around = [picture_figures.frame(height, width)] * 2
        if judged.masks is not None:
            around = [picture_figures.outside(masks) for masks in (judged.masks, renders.masks)]
        self.figures["sharpness"] = round(
            picture_figures.ratio(
                picture_figures.fine_energy(judged.pictures, around[0]),
                picture_figures.fine_energy(renders.pictures, around[1]),
            ),
            4,
        )
        self.figures["edge_energy"] = None
        if judged.masks is not None:
            drawn = picture_figures.edge_energy(judged.pictures, judged.masks)
            true = picture_figures.edge_energy(renders.pictures, renders.masks)
            self.figures["edge_energy"] = round(picture_figures.ratio(drawn, true), 4)

    def pasted(self) -> None:
        """Does the decoder relight, or does it paste? True bits of relit, tinted and wet subjects, canvas as photographed."""
        self.figures["pasted_share"] = None
        if not self.source.places:
            return
        renders = self.render(self.case.cells([*LIGHTS, "red", "wet"]))
        made = self.source.through_bits(renders.pictures, renders.canvas)
        canvas = (renders.canvas[:, :3] + 1 - renders.canvas[:, 3:]) * 2 - 1
        left = picture_figures.pasted_share(made, renders.pictures, canvas, renders.visible)
        self.figures["pasted_share"] = round(left, 4)

    def cost(self, judged: JudgedPictures) -> None:
        """Seconds and megabytes."""
        cell, manifest = self.cells[0], self.source.bundle.manifest
        first = self.source.first_preview_seconds(self.case.cut_outs[cell.subject], cell.prompt, cell.seed)
        self.figures |= {
            "seconds_per_picture": round(judged.seconds, 3),
            "first_preview_seconds": round(first, 3),
            "bundle_mb": round(manifest.nbytes / 1e6, 1),
            "strengths": manifest.request_defaults(),
        }

    def looks(self) -> None:
        """Red, purple, wet, shiny: is the look there, and is it still the same subject?"""
        cells = self.case.cells(LOOKS, SEED + 2 * OTHER)
        keys = [cell.key for cell in cells]
        judged, renders = self.draw(cells, "Drawing looks"), self.render(cells).pictures
        true = self._judged(self.case.photos.judge.embed(renders), cells)
        self.figures |= {
            "look_accuracy": round(share(self.judges.says(judged.pictures, keys)), 4),
            "look_top1": round(self.judged(judged).top1, 4),
            "look_ceiling": round(share(self.judges.says(renders, keys)), 4),
            "look_top1_ceiling": round(true.top1, 4),
        }

    def seeds(self, judged: JudgedPictures) -> None:
        """Measure how far two seeds of one request are apart, as a share of two true renders' distance."""
        rows = [[cell.subject for cell in self.cells].index(row) for row in range(len(self.case.photos))]
        cells = [self.cells[row] for row in rows]
        # Not by a number that layouts divide: seeds that far apart draw the same one.
        again = [PhotoCell(c.subject, c.key, c.prompt, c.seed + OTHER + 1) for c in cells]
        other = self.draw(again, "Drawing other seeds").features
        one, two = (self.case.photos.judge.embed(self.render(some).pictures) for some in (cells, again))
        drawn = 1 - F.cosine_similarity(judged.features[rows], other)
        wanted = 1 - F.cosine_similarity(one, two)
        self.figures |= {
            "seed_distance": round(picture_figures.ratio(drawn, wanted), 4),
            "seed_distance_drawn": round(float(drawn.mean()), 4),
            "seed_distance_true": round(float(wanted.mean()), 4),
        }

    def best_of(self) -> None:
        """The gain of drawing several pictures and showing the one that the bundle itself finds most alike."""
        self.figures |= {"best_of_4": None, "any_of_4": None}
        likeness = self.source.bundle.manifest.likeness
        if likeness is None or not likeness.tells:
            return
        subjects = [cell.subject for cell in self.cells]
        best, every = [], []
        for row in range(len(self.case.photos)):
            cell = self.cells[subjects.index(row)]
            drawn = []
            for number in range(BEST_OF):
                seed = cell.seed + (4 + number) * OTHER
                drawn.append(self.source.finished(self.case.cut_outs[row], cell.prompt, seed))
                self._drawn += 1
                self._tell(self._share(), "Drawing the best of four")
            pictures = torch.stack([to_picture(one.image) for one in drawn])
            judged = self._judged(self.case.photos.judge.embed(pictures), [cell] * BEST_OF)
            chosen = max(range(BEST_OF), key=lambda number: drawn[number].likeness or 0.0)
            best.append(float(judged.likeness[chosen]))
            every.append(float(judged.likeness.mean()))
        self.figures |= {"best_of_4": round(mean(best), 4), "any_of_4": round(mean(every), 4)}

    def light(self) -> None:
        """Do the subjects' colours follow the light of the scenes as those of true renders do?"""
        self.figures |= {"light_correlation": None, "light_amount": None}
        if not self.source.places:
            return
        cells = self.case.cells(LIGHTS, SEED + 3 * OTHER)
        judged, renders = self.draw(cells, "Drawing in different light"), self.render(cells)
        assert judged.masks is not None
        colours = [
            picture_figures.mean_colour(pictures, masks).unflatten(0, (-1, len(LIGHTS)))
            for pictures, masks in ((judged.pictures, judged.masks), (renders.pictures, renders.visible))
        ]
        correlation, amount = picture_figures.light_agreement(*colours)
        self.figures |= {"light_correlation": round(correlation, 4), "light_amount": round(amount, 4)}

    def placement(self) -> None:
        """Is the subject drawn where it was placed? Half of them are mirrored.

        What differs from the picture without a subject has the shadow in it, too, and not what has the colour of its ground: so
        true renders do not reach 1, and theirs is the ceiling.
        """
        self.figures |= {"placement_iou": None, "placement_ceiling": None}
        if not self.source.places:
            return
        cells = self.case.cells([PLACED_SCENE], SEED + 4 * OTHER)
        cuts = [self.case.cut_outs[cell.subject] for cell in cells]
        places = [
            self.source.automatic(cut, cell.seed + 1, mirrored=cell.subject % 2 == 1)
            for cut, cell in zip(cuts, cells, strict=True)
        ]
        renders = self.case.render(cells, places)
        shares: list[float] = []
        true: list[float] = []
        for index, (cell, cut, given) in enumerate(zip(cells, cuts, places, strict=True)):
            picture = self.source(cut, cell.prompt, cell.seed, placement=given)
            without = self.source(None, cell.prompt, cell.seed)
            mask = self.source.mask(cut, given)[0] > 0.5
            pairs = ((shares, picture, without), (true, renders.pictures[index], renders.empty[index]))
            for found, one, other in pairs:
                found.append(picture_figures.overlap(picture_figures.changed(one, other), mask))
            self._drawn += 2
            self._tell(self._share(), "Drawing at given places")
        for name, found in (("placement_iou", shares), ("placement_ceiling", true)):
            self.figures[name] = round(sum(found) / len(found), 4)

    def switched_off(self, off: Off) -> None:
        """The main figures without one part of the bundle."""
        cells = self.case.cells(QUICK_SCENES)
        judged = self.draw(cells, f"Drawing {off.replace('_', ' ')}", off)
        drawn = self.judged(judged)
        self.figures[off] = {
            "photos_top1": round(drawn.top1, 4),
            "photos_similarity": round(drawn.similarity, 4),
            "scene_accuracy": round(share(self.judges.says(judged.pictures, [cell.key for cell in cells])), 4),
        }
