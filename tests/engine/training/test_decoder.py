"""The placed content path and the decoder that sees the placed cut-out: trained, exported, adopted, drawn with."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

from engine.bundle.manifest import read_manifest
from engine.errors import InputError
from engine.training import checkpoint, loop
from engine.training.adopt import adopt_bundle
from engine.training.config import TrainingConfig
from engine.training.data import language
from engine.training.drawer import Drawer
from engine.training.export import describe, export
from engine.training.stages import make_stage
from engine.training.transformer_stage import TransformerStage

DECODER = {
    "batch": 4,
    "learning_rate": 3e-3,
    "learning_rate_rest": 1.5e-3,
    "warmup": 2,
    "decay": 0.4,
    "average": 0.9,
    "flip": 0.3,
    "vague_share": 0.5,
    "vague_colour": 0.2,
    "drawn_share": 0.0,
    "drawn_reuse": 2,
    "free_share": 0.0,
    "preview_share": 0.1,
    "drop_canvas": 0.1,
    "subject_weight": 2.0,
    "perceptual": 0,
    "perceptual_side": 32,
    "texture": 0,
    "guessed_blur": 2,
    "adversarial": 0,
    "adversarial_rate": 1e-3,
}


def placed(tiny: TrainingConfig, **decoder: float) -> TrainingConfig:
    """The tiny training with a placed content path and a reference decoder."""
    values = copy.deepcopy(tiny.values)
    values["placement"] = {"fold": 2, "x": [0.4, 0.6], "foot": [0.8, 0.9], "size": [0.5, 0.7], "turn": [-3, 3]}
    values["tokenizer"]["reference_channels"] = [8, 8]
    values["decoder"] = {"training": DECODER | decoder}
    return TrainingConfig(values)


def save(stage, runs: Path) -> None:
    state = {"stage": stage.state(), "progress": vars(loop.Progress(steps=1)).copy()}
    checkpoint.save_full(runs / stage.name / "full.pt", state, stage.digest)


@pytest.fixture(scope="module")
def trained(sprites: Path, tmp_path_factory: pytest.TempPathFactory, tiny_file: Path) -> Path:
    """A folder of runs in which all four stages have made a step."""
    runs, config = tmp_path_factory.mktemp("placed"), placed(TrainingConfig.load(tiny_file))
    for name in ("tokenizer", "content", "transformer", "decoder"):
        stage = make_stage(name, config, sprites, runs, variety=1)
        stage.step(1.0)
        save(stage, runs)
    return runs


def test_the_decoder_learns_and_leaves_the_codes_alone(tiny, sprites, trained, tmp_path):
    stage = make_stage("decoder", placed(tiny), sprites, trained, variety=1)
    encoder = copy.deepcopy(stage.frozen.autoencoder.state_dict())
    losses = [stage.step(1.0)["loss"] for _ in range(64)]
    assert sum(losses[-8:]) < 0.9 * sum(losses[:8])
    for name, value in stage.frozen.autoencoder.state_dict().items():
        assert torch.equal(value, encoder[name])
    stage.sample(tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_it_goes_on_exactly_where_it_stopped(tiny, sprites, trained, tmp_path):
    straight = make_stage("decoder", placed(tiny), sprites, trained, variety=1)
    straight.step(1.0)
    state = copy.deepcopy(straight.state())
    expected = [straight.step(1.0)["loss"] for _ in range(3)]
    resumed = make_stage("decoder", placed(tiny), sprites, trained, variety=1)
    resumed.load_state(state)
    assert [resumed.step(1.0)["loss"] for _ in range(3)] == expected


def test_a_judge_can_join_later_and_goes_on_exactly(tiny, sprites, trained):
    config = placed(tiny, adversarial=0.5, perceptual=0.1)
    stage = make_stage("decoder", config, sprites, trained, variety=1)
    stage.load_state(checkpoint.load_full(trained / "decoder" / "full.pt", config.digest("decoder"))["stage"])
    assert stage.step(1.0)["told"] > 1, "it knows nothing yet"
    state = copy.deepcopy(stage.state())
    expected = [stage.step(1.0)["told"] for _ in range(2)]
    resumed = make_stage("decoder", config, sprites, trained, variety=1)
    resumed.load_state(state)
    assert [resumed.step(1.0)["told"] for _ in range(2)] == expected


def test_a_decoder_of_another_tokenizer_is_refused(tiny, sprites, trained):
    stage = make_stage("decoder", placed(tiny), sprites, trained, variety=1)
    with pytest.raises(InputError, match="another tokenizer"):
        stage.load_state(stage.state() | {"fingerprint": "0" * 16})


def test_a_training_without_a_reference_decoder_says_so(tiny, sprites, trained):
    with pytest.raises(InputError, match="no reference decoder"):
        make_stage("decoder", tiny, sprites, trained, variety=1)


def test_vague_pictures_keep_the_scene_and_lose_the_subject(tiny, sprites, trained):
    stage = make_stage("decoder", placed(tiny), sprites, trained, variety=1)
    batch = stage.renderer.batch(8)
    vague = stage.vague(batch)
    far = torch.nn.functional.max_pool2d(batch.mask, 25, 1, 12) < 0.01
    change = (vague - batch.target).abs()
    assert vague.shape == batch.target.shape and float(vague.abs().max()) <= 1
    inside = (change * (batch.mask > 0.9)).sum() / (batch.mask > 0.9).sum()
    assert inside > 0.1
    if far.any():
        assert (change * far).sum() / far.sum() < 0.25 * inside, "at 32 pixels the blob reaches far"


def test_bits_drawn_by_the_transformer_begin_with_the_true_ones(tiny, sprites, trained):
    config = placed(tiny, drawn_share=1.0, texture=1.0)
    stage = make_stage("decoder", config, sprites, trained, variety=1)
    batch = stage.renderer.batch(3)
    drawer = TransformerStage.open_trained(config, stage.renderer, stage.held_out, trained)
    all_kept = drawer.continue_bits(batch, 2, seed=5)
    assert all_kept.shape == (3, 8, 4, 4)
    assert torch.equal(all_kept, drawer.continue_bits(batch, 2, seed=5))
    assert not torch.equal(all_kept, drawer.continue_bits(batch, 2, seed=6))
    assert "psnr_drawn" in stage.step(1.0)


def test_of_bits_drawn_from_nothing_the_subject_alone_is_compared(tiny, sprites, trained):
    stage = make_stage("decoder", placed(tiny, drawn_share=1.0, free_share=1.0), sprites, trained, variety=1)
    batch, codes, kind = stage._examples()
    assert kind == "free" and codes.shape == (4, 8, 4, 4)
    batch.mask.zero_()
    before = copy.deepcopy(stage.autoencoder.decoder.state_dict())
    stage._examples = lambda: (batch, codes, kind)
    assert stage.step(1.0)["loss"] == 0.0
    for name, value in stage.autoencoder.decoder.state_dict().items():
        assert torch.equal(value, before[name]), "without a subject there is nothing to learn here"


def test_drawn_batches_come_up_again_and_are_replaced(tiny, sprites, trained, monkeypatch):
    monkeypatch.setattr("engine.training.decoder.DRAWN_KEPT", 2)
    stage = make_stage("decoder", placed(tiny, drawn_share=1.0), sprites, trained, variety=1)
    codes = [stage._examples()[1] for _ in range(8)]
    different = {id(value) for value in codes}
    assert codes[0] is not codes[1]
    assert 2 < len(different) < 8


def test_the_bundle_knows_placement_and_can_be_adopted(tiny, sprites, trained, tmp_path):
    config = placed(tiny)
    export(config, trained, sprites, tmp_path / "bundle")
    manifest = read_manifest(tmp_path / "bundle")
    assert manifest.placed_content is not None and manifest.placed_content.fold == 2
    assert manifest.tokenizer.reference_channels == (8, 8)
    assert "preview.safetensors" not in manifest.files, "its decoder paints the previews"
    drawer = Drawer.open(tmp_path / "bundle")
    assert drawer.bundle.tokenizer.decoder.reference is not None
    adopt_bundle(tmp_path / "bundle", config, sprites, tmp_path / "runs")
    for name in ("tokenizer", "transformer", "decoder"):
        before, after = (
            checkpoint.load_full(folder / name / "full.pt", config.digest(name))["stage"]["average"]
            for folder in (trained, tmp_path / "runs")
        )
        for key, value in after.items():
            if name == "tokenizer" and ".decoder." in key:
                continue  # a bundle has the decoder of the decoder's stage
            assert torch.allclose(value, before[key], rtol=1e-3, atol=1e-4), (name, key)


def test_an_export_without_its_decoder_is_said(tiny, sprites, trained, tmp_path):
    for name in ("tokenizer", "content", "transformer"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "full.pt").write_bytes((trained / name / "full.pt").read_bytes())
    with pytest.raises(InputError, match="decoder stage has no checkpoint"):
        export(placed(tiny), tmp_path, sprites, tmp_path / "bundle")


def test_a_centred_bundle_is_widened_to_a_placed_one(tiny, sprites, tmp_path):
    """The first mini's content tokens become the mean of the latents that are folded into one."""
    # As many tokens centred as placed: a reference of half the picture's side, and two latents a side in a token.
    tiny = TrainingConfig({**tiny.values, "data": {**tiny.values["data"], "reference_size": 16}})
    for name in ("tokenizer", "content", "transformer"):
        stage = make_stage(name, tiny, sprites, tmp_path, variety=1)
        save(stage, tmp_path)
    export(tiny, tmp_path, sprites, tmp_path / "bundle")
    runs = tmp_path / "runs"
    adopt_bundle(tmp_path / "bundle", placed(tiny), sprites, runs)
    state = checkpoint.load_full(runs / "transformer" / "full.pt", placed(tiny).digest("transformer"))["stage"][
        "average"
    ]
    wide = state["transformer.content_projection.fc1.weight"]
    old = stage.average.weights["transformer.content_projection.fc1.weight"]
    latent = torch.randn(5, old.shape[1])
    folded = latent.repeat_interleave(4, dim=1)
    assert torch.allclose(folded @ wide.T, latent @ old.T, atol=2e-2)
    assert not (runs / "decoder").exists()


def test_what_is_not_drawn_well_yet_is_not_offered(tiny, sprites, trained):
    config = placed(tiny)
    config.values["data"]["outfits"] = 0.3
    stage = make_stage("transformer", config, sprites, trained, variety=1)
    everything = describe(config, stage).language
    config.values["export"]["withheld"] = ["outfit", "purple"]
    offered = describe(config, stage).language
    assert {scene.kind for scene in everything.scenes} - {scene.kind for scene in offered.scenes} == {"outfit"}
    assert "purple" not in {scene.key for scene in offered.scenes}
    assert "monocle" in everything.words and "monocle" not in offered.words
    assert "purple" in offered.words, "the rug is purple, too"


def test_the_chips_begin_with_what_is_drawn_best(tiny, sprites, trained):
    config = placed(tiny)
    stage = make_stage("transformer", config, sprites, trained, variety=1)
    as_taught = [scene.key for scene in describe(config, stage).language.scenes]
    config.values["export"]["first"] = ["snow", "beach"]
    offered = [scene.key for scene in describe(config, stage).language.scenes]
    assert offered == ["snow", "beach", *(key for key in as_taught if key not in ("snow", "beach"))]


def test_what_the_mini_s_training_file_puts_first_is_taught():
    config = TrainingConfig.load()
    taught = {scene.key for scene in language.taught(config.outfits, config.more)}
    assert set(config["export"]["first"]) <= taught
