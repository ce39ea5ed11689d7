"""The evaluation: the right subjects, the right cells, cut paths that are really cut, figures of known judges."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.bench.random_bundle import make_random_bundle
from engine.cli import main
from engine.errors import InputError
from engine.evaluation import scoring as work
from engine.evaluation.judges import Embedder, Judges, SceneClassifier
from engine.training.data import language
from engine.training.data.subjects import SubjectPictures
from engine.training.drawer import CUT_PATHS, Drawer


@pytest.fixture(scope="module")
def drawer(tmp_path_factory: pytest.TempPathFactory) -> Drawer:
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    make_random_bundle(folder)
    return Drawer.open(folder)


@pytest.fixture(scope="module")
def judges() -> Judges:
    torch.manual_seed(0)
    return Judges(Embedder().eval(), SceneClassifier().eval(), {})


@pytest.fixture(scope="module")
def case(sprites: Path, drawer: Drawer) -> work.Case:
    subjects = SubjectPictures.from_folder(sprites, 48).select(range(5))
    return work.make_case(subjects, drawer.schedule.size[0], drawer.bundle.manifest.reference_size, 5)


def test_every_scene_is_asked_for_alike(case: work.Case):
    assert len(case.cells) == 25
    assert sorted(cell.scene for cell in case.cells) == list(range(25))
    assert [cell.subject for cell in case.cells[:6]] == [0, 0, 0, 0, 0, 1]
    assert case.cells[0].prompt == f"a {case.subjects.names[0]} {language.SCENES[case.cells[0].scene].prompt}"
    assert len({cell.seed for cell in case.cells}) == 25
    assert case.renders.shape == (25, 3, 64, 64)
    assert {cell.key for cell in case.cells if not cell.keeps_subject} == {"red", "purple", "cube"}


def test_references_are_whole_pixels_and_always_the_same(case: work.Case, sprites: Path, drawer: Drawer):
    pixels = case.cut_out(2).rgb
    assert pixels.dtype == np.uint8
    assert torch.allclose(torch.tensor(pixels).permute(2, 0, 1) / 127.5 - 1, case.references[2], atol=1e-5)
    subjects = SubjectPictures.from_folder(sprites, 48).select(range(5))
    assert torch.equal(work.dressed(subjects).pictures, case.subjects.pictures)
    given = work.make_case(subjects, 64, 56, 1, recolour=False)
    assert torch.equal(given.subjects.pictures, subjects.pictures)


def test_a_small_folder_is_used_whole_and_a_large_one_by_its_validation_split(sprites: Path, tmp_path: Path):
    assert len(work.choose_subjects(sprites, 50)) == 24
    assert work.choose_subjects(sprites, 7).keys == work.choose_subjects(sprites, 7).keys
    whole = (sprites / "shape00.png").read_bytes()
    for index in range(120):
        (tmp_path / f"many{index}.png").write_bytes(whole)
    chosen = set(work.choose_subjects(tmp_path, 50).keys)
    assert chosen <= set(SubjectPictures.from_folder(tmp_path, split="validation").keys)
    for index in range(1, 120):
        (tmp_path / f"many{index}.png").unlink()
    with pytest.raises(InputError, match="at least two"):
        work.choose_subjects(tmp_path, 50)


def test_a_cut_path_sees_nothing_of_the_subject(case: work.Case, drawer: Drawer):
    one, other = (drawer.encode_subject(str(index), case.cut_out(index)) for index in (0, 1))
    words = "a ball in the snow"
    assert not torch.equal(drawer.draw(one, words, 1), drawer.draw(other, words, 1))
    assert torch.equal(drawer.draw(one, words, 1, "without_subject"), drawer.draw(other, words, 1, "without_subject"))
    net = drawer.bundle.transformer
    semantic, content = (drawer._cut(one.features, paths) for paths in ("without_semantic", "without_content"))
    assert torch.equal(semantic.class_token, net.null_semantic[0])
    assert torch.equal(semantic.patches, net.null_semantic[1:])
    assert torch.equal(semantic.content, one.features.content)
    assert torch.equal(content.content, net.null_content)
    assert torch.equal(content.patches, one.features.patches)
    assert len({drawer._cut(one.features, paths).key for paths in ("both", *CUT_PATHS)}) == 4


def test_figures_of_judges_that_know_everything(sprites: Path, drawer: Drawer):
    """With judges that are always right on true renders and always wrong elsewhere, ceilings are 1 and results 0."""
    case = work.make_case(SubjectPictures.from_folder(sprites, 48).select(range(3)), 64, 56, 2)

    class Knows(Judges):
        def identify(self, pictures, references):
            rows = [cell.subject for cell in case.cells if cell.keeps_subject]
            right = torch.tensor(rows)
            is_true = torch.equal(pictures, case.renders[[cell.keeps_subject for cell in case.cells]])
            return right if is_true else (right + 1) % len(case.subjects)

        def says(self, pictures, scenes):
            return torch.full((len(pictures),), torch.equal(pictures, case.renders))

    torch.manual_seed(0)
    told: list[float] = []
    figures = work.evaluate(drawer, case, Knows(Embedder(), SceneClassifier(), {}), tell=lambda f, _: told.append(f))
    assert (figures["retrieval_ceiling"], figures["scene_ceiling"]) == (1.0, 1.0)
    assert (figures["retrieval_top1"], figures["scene_accuracy"]) == (0.0, 0.0)
    for name in ("retrieval_ceiling_tokenizer", "scene_ceiling_tokenizer"):
        assert figures[name] == 0.0
    for name in CUT_PATHS:
        assert figures[name] == {"retrieval_top1": 0.0, "scene_accuracy": 0.0}
    assert figures["retrieval_of"] == 3
    assert figures["retrieval_chance"] == pytest.approx(1 / 3, abs=1e-4)
    looks = sum(cell.scene >= len(language.PLACES) for cell in case.cells)
    assert figures["scene_chance"] == pytest.approx(((6 - looks) / 21 + looks / 6) / 6, abs=1e-4)
    assert 0 < figures["psnr_db"] < 30
    assert figures["seconds_per_picture"] > 0
    assert len(figures["by_scene"]) == 6
    assert told == sorted(told) and told[-1] == 1.0


def test_reconstructions_are_what_the_tokenizer_makes_of_a_picture(case: work.Case, drawer: Drawer):
    made = drawer.reconstruct(case.renders[:9])
    assert made.shape == (9, 3, 64, 64)
    assert torch.allclose(made[:2], drawer.reconstruct(case.renders[:2]), atol=1e-5)
    assert float(made.abs().max()) <= 1


def test_the_command_writes_figures_and_sheets(
    sprites: Path, tmp_path: Path, judges: Judges, monkeypatch: pytest.MonkeyPatch, capsys
):
    monkeypatch.setattr(Judges, "load", classmethod(lambda cls: judges))
    monkeypatch.setattr(work, "SHEET_SUBJECTS", 2)
    make_random_bundle(tmp_path / "tiny")
    shots = tmp_path / "photos"
    shots.mkdir()
    (shots / "ball.png").write_bytes((tmp_path / "tiny" / "examples" / "ball.png").read_bytes())
    out = tmp_path / "out"
    arguments = ["evaluate", "--bundle", str(tmp_path / "tiny"), "--subjects", str(sprites), "--out", str(out)]
    assert main([*arguments, "--count", "3", "--prompts", "1", "--photos", str(shots)]) == 0
    figures = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert figures["pictures"] == 3
    assert set(CUT_PATHS) <= set(figures)
    printed = capsys.readouterr()
    assert json.loads(printed.out)["retrieval_of"] == 3
    assert "A single subject is drawn, not measured" in printed.err, "in a file, too, where nobody sees the progress"
    for name in ("sheet.png", "photos.png"):
        with Image.open(out / name) as sheet:
            assert sheet.width > 8 * 192


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--subjects", "nowhere"],
        ["--subjects", "nowhere", "--out", "out"],
        ["--train-judges"],
    ],
)
def test_wrong_arguments_leave_with_2(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, judges):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Judges, "load", classmethod(lambda cls: judges))
    assert main(["evaluate", *arguments]) == 2
