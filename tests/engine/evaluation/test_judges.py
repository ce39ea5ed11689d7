"""The judges: how they are stored, what they say, and that those that ship can be trusted on renders."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from engine.errors import InputError
from engine.evaluation import judge_training
from engine.evaluation.judge_training import SETTINGS, EmbedderStage, PairPool, ScenesStage, look_labels, worsen
from engine.evaluation.judges import (
    FOLDER,
    LOOKS,
    PLACES,
    SIDE,
    Embedder,
    Judges,
    SceneClassifier,
    load_judge,
    save_judge,
)
from engine.training.data import language
from engine.training.data.subjects import SubjectPictures
from engine.training.render.renderer import Renderer

SMALL = {**SETTINGS, "batch": 8, "fresh": 2, "pool": 12}


def renderer(sprites: Path, seed: int = 1, size: int = SIDE) -> Renderer:
    return Renderer(SubjectPictures.from_folder(sprites, 48), size=size, reference_size=SIDE, seed=seed, variety=1)


def test_a_judge_is_stored_in_half_precision_with_its_figures(tmp_path: Path):
    torch.manual_seed(0)
    judge = Embedder()
    save_judge(tmp_path / "embedder.safetensors", judge, judge.state_dict(), {"retrieval_top1": 0.5})
    again, figures = load_judge(Embedder(), tmp_path / "embedder.safetensors")
    assert figures == {"retrieval_top1": 0.5}
    assert not again.training
    pictures = torch.rand(3, 3, SIDE, SIDE) * 2 - 1
    assert torch.allclose(again(pictures), judge.eval()(pictures), atol=0.02)
    assert [path.name for path in tmp_path.iterdir()] == ["embedder.safetensors"]


def test_missing_and_damaged_judges_are_said(tmp_path: Path):
    with pytest.raises(InputError, match="missing"):
        Judges.load(tmp_path)
    (tmp_path / "embedder.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="damaged"):
        Judges.load(tmp_path)
    embedder = Embedder()
    for figures in ([0.5], {"retrieval_top1": "half"}):
        save_judge(tmp_path / "embedder.safetensors", embedder, embedder.state_dict(), figures)
        with pytest.raises(InputError, match="damaged"):
            Judges.load(tmp_path)
    judge = SceneClassifier()
    save_judge(tmp_path / "embedder.safetensors", judge, judge.state_dict(), {})
    with pytest.raises(InputError, match="damaged"):
        Judges.load(tmp_path)


def test_a_scene_is_right_when_its_own_head_says_so():
    class Says(SceneClassifier):
        def forward(self, pictures):
            place = torch.zeros(len(pictures), len(PLACES) + 1)
            look = torch.zeros(len(pictures), len(LOOKS) + 1)
            place[:, PLACES.index("snow")] = 1
            look[:, LOOKS.index("red")] = 1
            return place, look

    judges = Judges(Embedder().eval(), Says(), {})
    found = judges.says(torch.zeros(4, 3, 32, 32), ["snow", "beach", "red", "purple"])
    assert found.tolist() == [True, False, True, False]


def test_identify_picks_the_nearest_reference():
    torch.manual_seed(0)
    judges = Judges(Embedder().eval(), SceneClassifier().eval(), {})
    references = torch.rand(6, 3, SIDE, SIDE) * 2 - 1
    order = torch.tensor([3, 0, 5])
    assert judges.identify(references[order] + 0.01, references).tolist() == [3, 0, 5]


def test_worse_pictures_keep_their_shape_and_range():
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(9, 3, SIDE, SIDE) * 2 - 1
    worse = worsen(pictures, generator)
    assert worse.shape == pictures.shape
    assert worse.abs().max() <= 1
    assert not torch.allclose(worse, pictures, atol=0.05)


def test_a_pool_renews_itself_and_repeats_subjects(sprites: Path):
    pool = PairPool(renderer(sprites), 12, 2, 0.5)
    generator = torch.Generator().manual_seed(0)
    first = pool.draw(8, generator, repeats=2)
    assert first["target"].shape == (8, 3, SIDE, SIDE)
    assert set(first) == {"target", "reference", "scene", "place", "subject"}
    before = pool.parts["target"].clone()
    for _ in range(8):
        drawn = pool.draw(8, generator, repeats=2)
    assert pool.parts["target"].shape[0] == 12
    assert not torch.equal(before, pool.parts["target"][: len(before)])
    assert len(drawn["subject"]) == 8


def test_labels_of_looks():
    places = len(language.PLACES)
    assert look_labels(torch.tensor([0, places - 1, places, places + 4])).tolist() == [5, 5, 0, 4]


@pytest.mark.parametrize("kind", [EmbedderStage, ScenesStage])
def test_judges_learn_and_resume(kind, sprites: Path, monkeypatch: pytest.MonkeyPatch):
    stage = kind(renderer(sprites), renderer(sprites, 2), SMALL)
    pairs = stage.draw()
    monkeypatch.setattr(stage, "draw", lambda: pairs)
    losses = [stage.step(0.5)["loss"] for _ in range(8)]
    assert sum(losses[-2:]) < sum(losses[:2])
    again = kind(renderer(sprites), renderer(sprites, 2), SMALL)
    again.load_state(stage.state())
    for (name, one), two in zip(stage.module.state_dict().items(), again.module.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


def test_training_a_judge_writes_its_weights_and_figures(
    sprites: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(SETTINGS, "batch", 4)
    monkeypatch.setattr(ScenesStage, "measure", lambda stage: {"accuracy": 0.25})
    progress = judge_training.train_judge("scenes", sprites, tmp_path / "runs", 0.002, tmp_path / "out")
    _, figures = load_judge(SceneClassifier(), tmp_path / "out" / "scenes.safetensors")
    assert figures == {"accuracy": 0.25, "steps": float(progress.steps), "pictures": float(progress.pictures)}


def test_the_judges_that_ship_know_renders_they_have_never_seen(sprites: Path):
    judges = Judges.load()
    assert sum(path.stat().st_size for path in FOLDER.glob("*.safetensors")) <= 3 * 2**20
    # The renderer's scenes are harder to tell since they look like photographs; docs/training.md says how far the judge is.
    assert judges.figures["scenes"]["accuracy"] >= 0.92
    assert judges.figures["embedder"]["retrieval_of"] == 50
    # Subjects no judge was trained on, on fresh backgrounds: the places at least have to be plain to see.
    count = len(language.PLACES)
    batch = renderer(sprites, 77, 128).batch(count, scene=range(count))
    assert int(judges.says(batch.target, PLACES).sum()) >= count - 2
    # Eight discs, squares and triangles of colours far apart are told apart far better than by chance.
    some = torch.arange(0, 24, 3)
    batch = renderer(sprites, 78, 128).batch(8, scene=PLACES.index("beach"), subjects=some)
    right = judges.identify(batch.target, batch.reference) == torch.arange(8)
    assert int(right.sum()) >= 5
