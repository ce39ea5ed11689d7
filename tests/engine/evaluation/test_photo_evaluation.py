"""Figures of a bundle on photos: of one that draws the truth, of one that pastes, and of one that knows no placement."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from engine.bench.random_bundle import make_random_bundle
from engine.cli import main
from engine.cli.evaluate import merged
from engine.evaluation.imagenet import ImageNetJudge
from engine.evaluation.judges import Embedder, Judges, SceneClassifier
from engine.evaluation.photo_case import LIGHTS, LOOKS, PhotoCase, PhotoCell, Renders, sprite
from engine.evaluation.photo_evaluation import OTHER, PhotoEvaluation
from engine.evaluation.photo_folder import JudgedPhotos
from engine.evaluation.picture_source import PictureSource
from engine.placement import Placement
from engine.request import CutOut
from engine.training.config import DEFAULT, TrainingConfig
from engine.training.data import language


class Trusting(Judges):
    """Says yes to every scene but the snow."""

    def __init__(self) -> None:
        super().__init__(Embedder().eval(), SceneClassifier().eval(), {"scenes": {"accuracy": 1.0}})

    def says(self, pictures, scenes):
        return torch.tensor([key != "snow" for key in scenes])


@pytest.fixture
def case(photos: Path, quick_judge: ImageNetJudge) -> PhotoCase:
    known = JudgedPhotos.load(photos, photos.parent / "masks", quick_judge)
    return PhotoCase.make(known, 48, 64)


class Truth:
    """A stand-in for a bundle that knows placement: draws a disc of the subject's colour, brighter or darker by scene.

    Args:
        light: how much of the scene's light falls on the subject; 0 pastes it.
        beside: pixels the subject is drawn too far to the right.
    """

    places, side, size = True, 48, (64, 64)
    off = ("without_content", "without_subject")

    def __init__(self, light: float = 1.0, beside: int = 0) -> None:
        self.light, self.beside = light, beside
        self.bundle: Any = None
        self.given: list[Any] = []

    def __call__(self, subject: CutOut | None, prompt: str, seed: int, off: str = "", **given: Any) -> Tensor:
        if given:
            self.given.append(given["placement"])
        if subject is None:
            return torch.zeros(3, 64, 64)
        return scene_of(subject, bright(prompt) * self.light, self.beside, off)

    def mask(self, subject: CutOut, placement: Placement) -> Tensor:
        return disc(0)[None]

    def automatic(self, subject: CutOut, seed: int, mirrored: bool = False) -> Placement:
        return Placement(0.5, 0.6, 0.5, mirrored=mirrored)

    def through_bits(self, pictures: Tensor, canvas: Tensor | None = None) -> Tensor:
        return pictures * self.light + (1 - self.light) * (canvas[:, :3] * 2 - 1)


def bright(prompt: str) -> float:
    return {"snow": 0.3, "jungle": -0.3}.get(prompt.split()[-1], 0.0)


def disc(beside: int) -> Tensor:
    y, x = np.mgrid[:64, :64]
    return torch.tensor(np.hypot(x - 32 - beside, y - 36) < 16).float()


def scene_of(subject: CutOut, light: float, beside: int = 0, off: str = "") -> Tensor:
    colour = torch.tensor(subject.rgb[24, 24] / 127.5 - 1).float() * 0.6
    if off == "without_subject":
        colour = torch.zeros(3)
    mask = disc(beside)
    return torch.zeros(3, 64, 64) * (1 - mask) + (colour + light).view(3, 1, 1) * mask


@pytest.fixture
def true_renders(case: PhotoCase, monkeypatch: pytest.MonkeyPatch) -> None:
    """True renders are what the stand-in draws in full light; the canvas has the subject without any."""

    def render(self: PhotoCase, cells: list[PhotoCell], places: list[Placement]) -> Renders:
        assert len(places) == len(cells)
        pictures = [scene_of(self.cut_outs[c.subject], bright(c.prompt)) for c in cells]
        plain = [scene_of(self.cut_outs[c.subject], 0.0) for c in cells]
        masks = disc(0).expand(len(cells), 1, 64, 64)
        canvas = torch.cat([(torch.stack(plain) + 1) / 2, torch.ones(len(cells), 1, 64, 64)], 1)
        return Renders(torch.stack(pictures), masks, masks, canvas, torch.zeros(len(cells), 3, 64, 64))

    monkeypatch.setattr(PhotoCase, "render", render)


def work(source: Any, case: PhotoCase) -> PhotoEvaluation:
    made = PhotoEvaluation.__new__(PhotoEvaluation)
    made.source, made.case, made.judges, made.quick = source, case, Trusting(), False
    made.cells, made.figures, made._tell, made._drawn = tuple(case.asked()), {}, lambda *_: None, 0
    return made


def test_every_place_is_asked_for(case: PhotoCase):
    cells = case.asked()
    assert len(cells) == 4 * 7
    assert len({cell.seed for cell in cells}) == len(cells)
    dealt = case.dealt(4, ("snow", "beach", "city", "mirror"), 1)
    assert sorted(cell.key for cell in dealt) == sorted(
        scene.key for scene in language.PLACES if scene.key not in ("snow", "beach", "city", "mirror")
    )
    assert [cell.key for cell in case.asked(quick=True)][:4] == ["snow", "wooden_floor", "city", "snow"]
    assert case.cells(["red"])[0].prompt == "a red blue ball"
    assert {*LIGHTS, *LOOKS} <= set(language.BY_KEY)


def test_renders_show_the_photos_own_subjects(case: PhotoCase):
    renders = case.render(case.cells(["beach"]))
    assert renders.pictures.shape == (4, 3, 64, 64)
    assert renders.masks.shape == (4, 1, 64, 64)
    blue = renders.pictures[0][:, renders.masks[0, 0] > 0.9].mean(1)
    assert float(blue[2]) > float(blue[0]) + 0.5, "the blue ball is blue"


def test_a_cut_out_becomes_a_straight_sprite_that_fills_the_square(case: PhotoCase):
    made = sprite(case.photos.shots[3].cut_out(100))
    assert made.shape == (4, 320, 320) and made.dtype == np.uint8
    assert made[3, 160, :4].min() > 100 and made[3, :4, :4].max() == 0
    assert abs(made[:3, 160, 160].astype(int) - [200, 30, 30]).max() <= 3
    solid = made[3] > 250
    assert made[1][solid].max() < 60, "no white comes in from around"


def test_figures_of_the_truth(case: PhotoCase, true_renders: None):
    source = Truth()
    made = work(source, case)
    drawn = made.draw(made.cells, "")
    renders = made.render(made.cells)
    made.subjects(drawn, renders, source.through_bits(renders.pictures, renders.canvas))
    made.quality(drawn, renders)
    made.pasted()
    made.light()
    made.placement()
    made.seeds(drawn)
    figures = made.figures
    assert figures["photos_top1"] == figures["photos_ceiling"] == figures["photos_ceiling_bits"]
    assert figures["photos_similarity"] == figures["photos_ceiling_similarity"]
    assert figures["photos_of"] == 4 and figures["photos_chance"] == 0.25 and figures["photos_pictures"] == 28
    assert figures["sharpness"] == figures["edge_energy"] == 1.0
    assert figures["pasted_share"] == 0.0
    assert (figures["light_correlation"], figures["light_amount"]) == (1.0, 1.0)
    assert figures["placement_iou"] == figures["placement_ceiling"] > 0.93
    assert [given.mirrored for given in source.given] == [False, True, False, True]
    assert figures["seed_distance"] == 0.0, "the stand-in draws the same again"
    assert set(figures["photos_by_subject"]) == {"blue_ball", "dog", "dog2", "red_ball"}


@pytest.mark.parametrize("tells", [True, False])
def test_the_best_of_four_is_the_one_that_the_bundle_finds_most_alike(case: PhotoCase, tells: bool):
    class Unsteady(Truth):
        """Every fourth picture shows the subject, and the bundle's own likeness knows which; the others show nothing."""

        def finished(self, subject: CutOut, prompt: str, seed: int) -> SimpleNamespace:
            good = seed // OTHER % 4 == 2
            picture = self(subject, prompt, seed) if good else torch.zeros(3, 64, 64)
            image = ((picture + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
            return SimpleNamespace(image=image, likeness=0.9 if good else 0.1)

    source = Unsteady()
    source.bundle = SimpleNamespace(manifest=SimpleNamespace(likeness=SimpleNamespace(tells=tells)))
    made = work(source, case)
    made.best_of()
    best, every = made.figures["best_of_4"], made.figures["any_of_4"]
    if not tells:
        assert best is None and every is None
        return
    first = [next(cell for cell in made.cells if cell.subject == row) for row in range(4)]
    drawn = made.draw(first, "")
    assert best == pytest.approx(made.judged(drawn).similarity, abs=0.02)
    assert every < best - 0.05


def test_figures_of_a_collage(case: PhotoCase, true_renders: None):
    """Half the light, and none: half of the colours' movement, half and all of the error of pasting."""
    for light, amount in ((0.5, 0.5), (0.0, 0.0)):
        made = work(Truth(light), case)
        made.pasted()
        made.light()
        assert made.figures["pasted_share"] == pytest.approx(1 - light, abs=1e-3)
        assert made.figures["light_amount"] == pytest.approx(amount, abs=1e-3)
        assert made.figures["light_correlation"] == pytest.approx(float(light > 0), abs=1e-3)


def test_a_subject_drawn_beside_its_place_overlaps_less(case: PhotoCase, true_renders: None):
    made = work(Truth(beside=16), case)
    made.placement()
    # Two discs of radius r, r apart, share 2(π/3 - √3/4) r² of 2π r² less that: 0.243.
    assert made.figures["placement_iou"] == pytest.approx(0.243, abs=0.04)
    assert made.figures["placement_ceiling"] > 0.93


def test_scenes_and_switched_off_parts(case: PhotoCase, true_renders: None):
    made = work(Truth(), case)
    drawn, renders = made.draw(made.cells, ""), made.render(made.cells)
    made.scenes(drawn, renders, renders.pictures)
    snow = sum(cell.key == "snow" for cell in made.cells) / len(made.cells)
    assert made.figures["scene_accuracy"] == made.figures["scene_ceiling"] == round(1 - snow, 4)
    assert made.figures["by_scene"]["snow"] == 0.0 and made.figures["by_scene"]["beach"] == 1.0
    made.switched_off("without_content")
    made.switched_off("without_subject")
    assert made.figures["without_content"]["photos_top1"] == 1.0, "the stand-in has no content path"
    assert made.figures["without_subject"]["photos_top1"] == 0.25, "the same grey disc for all four"
    assert made.figures["without_subject"]["scene_accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    made.looks()
    assert made.figures["look_accuracy"] == made.figures["look_ceiling"] == 1.0


def test_a_part_that_is_off_sees_nothing_of_the_subject(tiny_bundle: Path, case: PhotoCase):
    source = PictureSource.open(tiny_bundle)
    assert source.off == ("without_semantic", "without_content", "without_subject")
    assert not source.places
    one, other = (case.photos.shots[row].cut_out(source.side) for row in (0, 3))
    words = "a ball in the snow"

    def same(off: Any) -> bool:
        return torch.equal(source(one, words, 1, off), source(other, words, 1, off))

    assert not same("") and not same("without_semantic") and not same("without_content")
    assert same("without_subject")
    assert not torch.equal(source(one, words, 1), source(one, words, 1, "without_content"))
    both = PictureSource(source._without("without_semantic"))
    blind = PictureSource(both._without("without_content"))
    assert torch.equal(blind(one, words, 1), blind(other, words, 1))
    made = source.through_bits(torch.zeros(9, 3, 64, 64))
    assert made.shape == (9, 3, 64, 64) and torch.allclose(made[8], made[0], atol=1e-5)
    assert 0 < source.first_preview_seconds(one, words, 1) < 60


def test_a_bundle_that_places_draws_where_its_mask_says(tmp_path: Path, case: PhotoCase):
    make_random_bundle(tmp_path / "placed", "tiny-placed")
    source = PictureSource.open(tmp_path / "placed")
    assert source.places and "without_reference" in source.off
    cut = case.photos.shots[0].cut_out(source.side)
    given = Placement(0.4, 0.6, 0.5, turn=20, mirrored=True)
    picture = source(cut, "a ball in the snow", 1, placement=given)
    assert not torch.equal(picture, source(cut, "a ball in the snow", 1, "without_reference", placement=given))
    mask = source.mask(cut, given)
    rows, columns = (mask[0] > 0.5).nonzero().float().mean(0)
    assert abs(float(columns) / 64 - 0.4) < 0.02 and abs(float(rows) / 64 - 0.6) < 0.02
    assert source.automatic(cut, 5) == source.bundle.manifest.place(source.request(cut, "x", 5))
    assert source.automatic(cut, 5, mirrored=True).mirrored
    # The renderer puts the same subject to the same place: its canvas is the one the bundle is given.
    renders = case.render([PhotoCell(0, "snow", "", 1)], [given])
    assert renders.canvas.shape == (1, 4, 64, 64)
    assert float((renders.canvas[0, 3] - mask[0]).abs().mean()) < 0.02
    made = source.through_bits(renders.pictures, renders.canvas)
    assert not torch.allclose(made, source.through_bits(renders.pictures)), "its decoder looks at the canvas"


def test_the_command_takes_every_figure(
    photos: Path, tiny_bundle: Path, tmp_path: Path, quick_judge, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr(Judges, "load", classmethod(lambda cls: Trusting()))
    monkeypatch.setattr(ImageNetJudge, "load", classmethod(lambda cls: quick_judge))
    for name in ("blue_ball", "dog2"):
        for path in (photos / name).iterdir():
            path.unlink()
    out = tmp_path / "out"
    command = ["evaluate", "--bundle", str(tiny_bundle), "--photos", str(photos), "--out", str(out)]
    assert main([*command, "--masks", str(photos.parent / "masks")]) == 0
    figures = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    for name in (
        "photos_top1", "photos_of", "photos_ceiling", "photos_ceiling_bits", "scene_accuracy", "look_accuracy",
        "look_top1", "seed_distance", "sharpness", "seconds_per_picture", "scene_accuracy_imagenet",
    ):  # fmt: skip
        assert isinstance(figures[name], (int, float)), name
    for name in ("placement_iou", "pasted_share", "edge_energy", "light_correlation"):
        assert figures[name] is None, f"{name} needs a bundle that knows placement"
    for name in ("without_semantic", "without_content", "without_subject"):
        assert set(figures[name]) == {"photos_top1", "photos_similarity", "scene_accuracy"}
    assert figures["photos_of"] == 2
    assert json.loads(capsys.readouterr().out)["photos_of"] == 2
    with Image.open(out / "photos.png") as sheet, Image.open(out / "ladder.png") as ladder:
        assert sheet.width > 6 * 192 and ladder.width > 4 * 192
        assert sheet.width - ladder.width == 2 * (192 + 12), "two more columns, with their gaps"
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "not for this bundle" in page and "semantic path off" in page and page.count("data:image/jpeg") == 2


def test_what_both_evaluations_measure():
    cut_outs = {"scene_accuracy": 0.9, "retrieval_top1": 0.7, "without_content": {"retrieval_top1": 0.2}}
    photos = {"scene_accuracy": 0.8, "photos_top1": 0.5, "without_content": {"photos_top1": 0.1}}
    assert merged(cut_outs, photos) == {
        "scene_accuracy": 0.8,
        "scene_accuracy_cut_outs": 0.9,
        "retrieval_top1": 0.7,
        "photos_top1": 0.5,
        "without_content": {"retrieval_top1": 0.2, "photos_top1": 0.1},
    }
    assert merged(cut_outs, {}) == cut_outs


def test_true_renders_have_the_layout_that_the_seed_asks_for(photos: Path, quick_judge: ImageNetJudge):
    known = JudgedPhotos.load(photos, photos.parent / "masks", quick_judge)
    taught = TrainingConfig.load(DEFAULT)
    count = taught.layout_count
    case = PhotoCase.make(known, 48, 64, taught=taught)
    cells = [PhotoCell(row, "snow", "", seed) for row, seed in ((0, 1), (1, 1 + count), (0, 2))]
    first, same, other = case.render(cells).pictures[:, :, :6, :6]  # a corner far from the subject
    assert torch.allclose(first, same, atol=0.02) and not torch.allclose(first, other, atol=0.1)
