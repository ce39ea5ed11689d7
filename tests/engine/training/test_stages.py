"""The three stages: they learn, they resume exactly, they refuse what is not theirs, and they travel."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import InputError
from engine.training import checkpoint, loop, stages
from engine.training.config import TrainingConfig
from engine.training.data import language


def build(name: str, config: TrainingConfig, sprites: Path, runs: Path) -> Any:
    return stages.make_stage(name, config, sprites, runs, variety=1)


def save(stage: Any, runs: Path, steps: int = 1) -> Path:
    path = runs / stage.name / "full.pt"
    progress = loop.Progress(steps=steps, pictures=4 * steps)
    checkpoint.save_full(path, {"stage": stage.state(), "progress": vars(progress).copy()}, stage.digest)
    return path


@pytest.fixture(scope="module")
def trained(sprites: Path, tmp_path_factory: pytest.TempPathFactory, tiny_file: Path) -> Path:
    """A folder of runs in which every stage has made a few steps."""
    runs = tmp_path_factory.mktemp("runs")
    config = TrainingConfig.load(tiny_file)
    for name in ("tokenizer", "content", "transformer"):
        stage = build(name, config, sprites, runs)
        for _ in range(3):
            stage.step(1.0)
        save(stage, runs, 3)
    return runs


def test_a_checkpoint_goes_on_with_more_words(tiny: TrainingConfig, sprites: Path, trained: Path):
    saved = torch.load(trained / "transformer" / "full.pt", weights_only=False)["stage"]
    places = [*(place.key for place in language.PLACES), language.PLAIN]
    longer = TrainingConfig({**tiny.values, "layouts": {place: [0, 1, 2] for place in places}})
    stage = build("transformer", longer, sprites, trained)
    fresh = stage.text.shared.weight.detach().clone()
    former = saved["module"]["text.shared.weight"].clone()
    stage.load_state(saved)
    table = stage.text.shared.weight
    assert stage.words.token_to_id("layout3") == len(former) + 2 == len(table) - 1
    assert torch.equal(table[: len(former)], former) and torch.equal(table[len(former) :], fresh[len(former) :])
    stage.step(1.0)
    assert torch.isfinite(table).all() and not torch.equal(table[len(former) :], fresh[len(former) :])
    with pytest.raises(InputError, match="another list of words"):
        build("transformer", tiny, sprites, trained).load_state(stage.state())


def test_the_bits_of_a_place_are_the_same_whoever_stands_in_it(tiny: TrainingConfig, sprites: Path, trained: Path):
    places = [*(place.key for place in language.PLACES), language.PLAIN]
    values = copy.deepcopy({**tiny.values, "layouts": {place: [0] for place in places}})
    values["transformer"]["training"]["place_scales"] = 1
    stage = build("transformer", TrainingConfig(values), sprites, trained)
    snow = [place.key for place in language.PLACES].index("snow")
    batch = stage.renderer.batch(6, scene=snow)
    features, early = stage._features(batch)
    untouched = (features == features[:1]).all(dim=1)[:, 0]
    assert torch.equal(early, early[:1].expand_as(early)) and untouched.any()
    first, *_, last = stage._coded(features, early).labels
    assert torch.equal(first, first[:1].expand_as(first))
    assert (last != last[:1]).any()  # the subjects are in the later ones
    # A colour is said of the subject: every scale may tell it.
    red = stage.renderer.batch(6, scene=len(language.PLACES))
    features, early = stage._features(red)
    assert torch.equal(features, early)


@pytest.mark.parametrize(
    "change", [{"snow": None}, {"snow": [0]}, {"snow": [0, -1]}, {"snow": ["a", 1]}, {"moon": [0, 1]}]
)
def test_layouts_that_do_not_fit_are_named(change: dict, tiny_file: Path, tmp_path: Path):
    table = {place.key: [0, 1] for place in language.PLACES} | {language.PLAIN: [0, 1]} | change
    lines = [f"{place} = {json.dumps(numbers)}" for place, numbers in table.items() if numbers is not None]
    file = tmp_path / "mine.toml"
    file.write_text("\n".join([tiny_file.read_text(), "[layouts]", *lines]))
    with pytest.raises(InputError, match=r"mine\.toml does not fit"):
        TrainingConfig.load(file)


@pytest.mark.parametrize("name", ["tokenizer", "content"])
def test_a_resumed_stage_goes_on_exactly(name: str, tiny: TrainingConfig, sprites: Path, tmp_path: Path):
    straight = build(name, tiny, sprites, tmp_path)
    for _ in range(2):
        straight.step(1.0)
    path = save(straight, tmp_path)
    expected = [straight.step(1.0)["loss"] for _ in range(2)]

    resumed = build(name, tiny, sprites, tmp_path)
    resumed.load_state(checkpoint.load_full(path, resumed.digest)["stage"])
    assert [resumed.step(1.0)["loss"] for _ in range(2)] == expected
    for (key, one), two in zip(straight.module.state_dict().items(), resumed.module.state_dict().values(), strict=True):
        assert torch.equal(one, two), key
    assert all(torch.equal(value, resumed.average.weights[key]) for key, value in straight.average.weights.items())


def test_the_tokenizer_learns(tiny: TrainingConfig, sprites: Path, tmp_path: Path):
    stage = build("tokenizer", tiny, sprites, tmp_path)
    losses = [stage.step(1.0)["loss"] for _ in range(40)]
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_transformer_learns_and_comes_back(tiny: TrainingConfig, sprites: Path, trained: Path, tmp_path: Path):
    stage = build("transformer", tiny, sprites, trained)
    losses = [stage.step(1.0)["loss"] for _ in range(30)]
    assert sum(losses[-5:]) < 0.97 * sum(losses[:5])
    state = checkpoint.load_full(save(stage, tmp_path), stage.digest)
    again = build("transformer", tiny, sprites, trained)
    again.load_state(state["stage"])
    for (key, one), two in zip(stage.module.state_dict().items(), again.module.state_dict().values(), strict=True):
        assert torch.equal(one, two), key
    batch = stage.held_out.batch(2)
    assert torch.equal(stage.draw(batch, seed=3), again.draw(batch, seed=3))


def test_every_stage_writes_a_sheet(tiny: TrainingConfig, sprites: Path, trained: Path, tmp_path: Path):
    for name in ("tokenizer", "content", "transformer"):
        path = tmp_path / f"{name}.png"
        build(name, tiny, sprites, trained).sample(path)
        assert path.stat().st_size > 1000


def test_a_checkpoint_of_other_sizes_is_refused(tiny: TrainingConfig, sprites: Path, trained: Path):
    values = copy.deepcopy(tiny.values)
    values["tokenizer"]["base_channels"] = 16
    other = TrainingConfig(values)
    with pytest.raises(InputError, match="other sizes"):
        loop.train(build("tokenizer", other, sprites, trained), trained, 0.01)


def test_a_transformer_of_other_autoencoders_is_refused(
    tiny: TrainingConfig, sprites: Path, trained: Path, tmp_path: Path
):
    for name in ("tokenizer", "content"):
        stage = build(name, tiny, sprites, tmp_path)
        stage.step(1.0)
        save(stage, tmp_path)
    stage = build("transformer", tiny, sprites, tmp_path)
    state = checkpoint.load_full(trained / "transformer" / "full.pt", stage.digest)
    with pytest.raises(InputError, match="other autoencoders"):
        stage.load_state(state["stage"])


def test_a_missing_autoencoder_and_an_unknown_stage_are_said(tiny: TrainingConfig, sprites: Path, tmp_path: Path):
    with pytest.raises(InputError, match="tokenizer stage has no checkpoint"):
        build("transformer", tiny, sprites, tmp_path)
    with pytest.raises(InputError, match="no stage “painter”"):
        build("painter", tiny, sprites, tmp_path)


def test_a_stage_travels_and_warms_up_again(tiny: TrainingConfig, sprites: Path, trained: Path, tmp_path: Path):
    paths = stages.pack_travel("tokenizer", tiny, trained, tmp_path / "bag")
    assert all(path.stat().st_size <= 24 * 2**20 for path in paths)
    there = build("tokenizer", tiny, sprites, tmp_path)
    assert stages.unpack_travel(there, tiny, tmp_path / "bag", tmp_path) == 3

    home = checkpoint.load_full(trained / "tokenizer" / "full.pt", there.digest)["stage"]
    for name, value in home["module"].items():
        assert torch.allclose(there.module.state_dict()[name], value, rtol=2**-8, atol=1e-6), name
    assert not torch.equal(there.module.state_dict()[name], home["module"][name]) or value.numel() < 4
    # No moments were carried, and no pictures come twice.
    assert all(not optimiser.state for optimiser in there.optimisers)
    assert not torch.equal(there.renderer.generator.get_state(), home["renderer"]["generator"])

    progress = loop.train(there, tmp_path, 0.005)
    assert progress.steps > 3
    assert (tmp_path / "tokenizer" / "full.pt").exists()


def test_travel_of_a_stage_without_a_checkpoint_is_said(tiny: TrainingConfig, tmp_path: Path):
    with pytest.raises(InputError, match="no checkpoint"):
        stages.pack_travel("content", tiny, tmp_path, tmp_path / "bag")
