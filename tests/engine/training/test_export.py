"""From three trained stages to a bundle that draws; and the command that does each step."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from engine.bundle.loader import load_bundle
from engine.bundle.manifest import read_manifest
from engine.cli import main
from engine.errors import InputError
from engine.photo.framing import cut_out
from engine.photo.load import load_photo
from engine.request import CutOut
from engine.training import autoencoder_stages, checkpoint
from engine.training.adopt import adopt_bundle
from engine.training.config import TrainingConfig
from engine.training.data import language
from engine.training.drawer import Drawer, to_pixels
from engine.training.export import collect_weights, describe, export
from engine.training.model_card import read_evaluation
from engine.training.stages import make_stage

FIGURES = {
    "pictures": 100,
    "psnr_db": 25.25,
    "ssim": 0.81,
    "retrieval_top1": 0.64,
    "retrieval_margin": 0.1,
    "retrieval_of": 50,
    "retrieval_ceiling": 0.97,
    "retrieval_ceiling_tokenizer": 0.93,
    "retrieval_chance": 0.02,
    "scene_accuracy": 0.9,
    "scene_margin": 0.06,
    "scene_ceiling": 0.99,
    "scene_ceiling_tokenizer": 0.98,
    "scene_chance": 0.07,
    "seconds_per_picture": 1.25,
    "by_scene": {"snow": 1.0, "white_rug": 0.25},
    **{
        name: {"retrieval_top1": 0.2, "scene_accuracy": 0.8}
        for name in ("without_semantic", "without_content", "without_subject")
    },
}


@pytest.fixture(scope="module")
def runs(sprites: Path, tmp_path_factory: pytest.TempPathFactory, tiny_file: Path) -> Path:
    """All three stages, trained by the command for a moment each."""
    runs = tmp_path_factory.mktemp("trained")
    for stage in ("tokenizer", "content", "transformer"):
        arguments = ["train", "--config", str(tiny_file), "--stage", stage, "--minutes", "0.003", "--variety", "1"]
        assert main([*arguments, "--sprites", str(sprites), "--runs", str(runs)]) == 0
    return runs


@pytest.fixture(scope="module")
def bundle(runs: Path, sprites: Path, tmp_path_factory: pytest.TempPathFactory, tiny_file: Path) -> Path:
    place = tmp_path_factory.mktemp("exported")
    (place / "evaluation.json").write_text(json.dumps(FIGURES), encoding="utf-8")
    arguments = ["train", "--config", str(tiny_file), "--export", str(place / "tiny")]
    arguments += ["--evaluation", str(place / "evaluation.json"), "--sprites", str(sprites), "--runs", str(runs)]
    assert main(arguments) == 0
    return place / "tiny"


def test_an_exported_bundle_opens_and_draws(bundle: Path):
    manifest = read_manifest(bundle)
    assert manifest.name == "tiny"
    assert manifest.sizes == ((32, 32),)
    assert manifest.defaults.subject_strength == (2.0, 1.5, 1.0)
    drawer = Drawer(load_bundle(bundle, tokenizer_encoder=True))
    subject = drawer.encode_subject("grey", CutOut(np.full((32, 32, 4), 90, np.uint8)))
    one, again, other = (drawer.draw(subject, "a duck in the snow", seed) for seed in (1, 1, 2))
    assert one.shape == (1, 3, 32, 32)
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_it_holds_the_averaged_weights_in_half_precision(bundle: Path, runs: Path, sprites: Path, tiny: TrainingConfig):
    from safetensors.torch import load_file

    average = checkpoint.load_full(runs / "transformer" / "full.pt", tiny.digest("transformer"))["stage"]["average"]
    stored = load_file(bundle / "transformer" / "weights.safetensors")
    for name, value in stored.items():
        assert value.dtype == torch.float16
        assert torch.equal(value, average[f"transformer.{name}"].half()), name
    gains = checkpoint.load_full(runs / "tokenizer" / "full.pt", tiny.digest("tokenizer"))["stage"]["average"]
    assert read_manifest(bundle).tokenizer.scale_gains == tuple(gains["quantizer.gains"].tolist())
    assert "decoder" not in " ".join(load_file(bundle / "content" / "weights.safetensors"))


def test_chips_words_and_examples(bundle: Path):
    manifest = read_manifest(bundle)
    assert manifest.language is not None
    assert len(manifest.language.scenes) == 25
    for scene in manifest.language.scenes:
        assert load_photo(bundle / scene.thumb).rgb.shape == (96, 96, 3)
        assert manifest.language.unknown_words(scene.sentence("duck")) == ()
    assert manifest.language.unknown_words("a duck on the moon") == ("moon",)
    example = manifest.examples[0]
    assert load_photo(bundle / example.image).alpha is not None
    assert manifest.language.unknown_words(example.prompt) == ()


def test_the_first_launchs_samples_go_from_coarse_to_fine(bundle: Path):
    manifest = read_manifest(bundle)
    names = sorted(name for name in manifest.files if name.startswith("examples/scale_"))
    assert names == ["examples/scale_02.png", "examples/scale_03.png"]  # of three scales, half and most are the second
    pictures = [load_photo(bundle / name).rgb for name in names]
    assert all(picture.shape == (32, 32, 3) for picture in pictures)
    assert sum(manifest.files[name].size for name in names) < 40_000
    drawer = Drawer(load_bundle(bundle, tokenizer_encoder=True))
    example = manifest.examples[0]
    photo = load_photo(bundle / example.image)
    subject = drawer.encode_subject("x", cut_out(photo, photo.alpha, manifest.reference_size))
    drawn = drawer.draw_scales(subject, example.prompt, example.seed)
    assert len(drawn) == 3
    whole = to_pixels(drawer.draw(subject, example.prompt, example.seed)[0])
    assert np.array_equal(drawn[-1], whole)
    # A palette changes colours a little; the sample still is the picture that Generate draws, and no other.
    other = to_pixels(drawer.draw(subject, example.prompt, example.seed + 1)[0])
    assert np.abs(pictures[-1].astype(int) - whole).mean() < 0.5 * np.abs(pictures[-1].astype(int) - other).mean()


def test_the_model_card_has_the_measured_figures(bundle: Path, runs: Path, sprites: Path, tmp_path: Path):
    card = (bundle / "README.md").read_text(encoding="utf-8")
    assert "**64%** ± 10%" in card
    assert "| content path off | 20% | 80% |" in card
    assert "PSNR 25.2 dB" in card
    assert "often misses: white rug" in card
    assert "Apache-2.0" in card and "CC BY 4.0" in card
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="no evaluation"):
        read_evaluation(tmp_path / "other.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_evaluation(tmp_path / "missing.json")


def test_weights_that_came_apart_are_not_exported(runs: Path, sprites: Path, tiny: TrainingConfig):
    stage = make_stage("transformer", tiny, sprites, runs, variety=1)
    stage.average.weights["transformer.head.bias"][0] = float("nan")
    with pytest.raises(InputError, match=r"head\.bias of the transformer is not finite"):
        collect_weights(stage)


def test_an_export_without_a_transformer_is_said(tiny: TrainingConfig, sprites: Path, tmp_path: Path):
    with pytest.raises(InputError, match="no checkpoint"):
        export(tiny, tmp_path, sprites, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_stop_signal_leaves_with_130_and_a_checkpoint(
    sprites: Path, tmp_path: Path, tiny_file: Path, monkeypatch: pytest.MonkeyPatch
):
    step = autoencoder_stages.TokenizerStage.step

    def stopped(stage: autoencoder_stages.TokenizerStage, rate: float) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        return step(stage, rate)

    monkeypatch.setattr(autoencoder_stages.TokenizerStage, "step", stopped)
    arguments = ["train", "--config", str(tiny_file), "--stage", "tokenizer", "--minutes", "5", "--variety", "1"]
    assert main([*arguments, "--sprites", str(sprites), "--runs", str(tmp_path)]) == 130
    digest = TrainingConfig.load(tiny_file).digest("tokenizer")
    assert checkpoint.load_full(tmp_path / "tokenizer" / "full.pt", digest)["progress"]["steps"] == 1


def test_travel_there_and_back_by_the_command(runs: Path, sprites: Path, tmp_path: Path, tiny_file: Path, capsys):
    common = ["--config", str(tiny_file), "--stage", "content"]
    assert main(["train", "travel", *common, "--runs", str(runs), "--to", str(tmp_path / "bag")]) == 0
    assert "MiB" in capsys.readouterr().out
    there = ["--sprites", str(sprites), "--runs", str(tmp_path), "--from", str(tmp_path / "bag")]
    assert main(["train", "travel", *common, *there]) == 0
    assert (tmp_path / "content" / "full.pt").is_file()


def test_preview_data_writes_a_sheet_and_says_what_it_shows(sprites: Path, tmp_path: Path, tiny_file: Path, capsys):
    out = tmp_path / "sheet.png"
    arguments = ["train", "preview-data", "--config", str(tiny_file), "--sprites", str(sprites)]
    assert main([*arguments, "--out", str(out)]) == 0
    sheet = load_photo(out).rgb
    assert sheet.shape[0] > 5 * 32 and sheet.shape[1] > 10 * 32, "five rows of five pairs, with gaps"
    words = capsys.readouterr().out
    assert "25 pairs of 24 subjects, 0 files skipped" in words
    assert main([*arguments, "--out", str(tmp_path / "nowhere" / "sheet.png")]) == 6


@pytest.mark.parametrize(
    "arguments",
    [
        ["train"],
        ["train", "--stage", "content"],
        ["train", "preview-data"],
        ["train", "travel", "--stage", "content"],
        ["train", "travel", "--stage", "content", "--to", "a", "--from", "b"],
        ["train", "--stage", "content", "--minutes", "1", "--sprites", "nowhere"],
        ["train", "--stage", "content", "--minutes", "1", "--config", "nowhere.toml"],
        ["train", "--stage", "content", "--minutes", "1"],
    ],
)
def test_wrong_arguments_leave_with_2_and_a_sentence(arguments: list[str], capsys, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ECHOGEN_SPRITES", raising=False)
    assert main(arguments) == 2
    assert capsys.readouterr().err.strip().endswith(".")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xd8\xff\xe0", "is not UTF-8 text."),
        (b"a = " + b"[" * 100_000, "is damaged: "),
        (b"[data", "is damaged: "),
    ],
)
def test_a_training_file_that_is_none_is_said_to_be_damaged(content: bytes, words: str, tmp_path: Path, capsys):
    """A picture in its place ended in a traceback."""
    (tmp_path / "mini.toml").write_bytes(content)
    assert main(["train", "--stage", "content", "--minutes", "1", "--config", str(tmp_path / "mini.toml")]) == 2
    assert f"The training file mini.toml {words}" in capsys.readouterr().err


def test_a_bundle_can_be_trained_on(
    bundle: Path, runs: Path, sprites: Path, tiny: TrainingConfig, tiny_file: Path, tmp_path
):
    command = ["train", "adopt", "--config", str(tiny_file), "--from", str(bundle), "--sprites", str(sprites)]
    command += ["--runs", str(tmp_path)]
    assert main(command) == 0
    for stage in ("tokenizer", "content", "transformer"):
        before = checkpoint.load_full(runs / stage / "full.pt", tiny.digest(stage))["stage"]["average"]
        adopted = checkpoint.load_full(tmp_path / stage / "full.pt", tiny.digest(stage))["stage"]
        for name, value in adopted["average"].items():
            if stage == "content" and not name.startswith("encoder."):
                continue
            assert torch.allclose(value, before[name], rtol=1e-3, atol=1e-4), (stage, name)
            assert torch.equal(value, adopted["module"][name])
    more = ["train", "--config", str(tiny_file), "--stage", "transformer", "--minutes", "0.002", "--variety", "1"]
    assert main([*more, "--sprites", str(sprites), "--runs", str(tmp_path)]) == 0
    assert main(command) == 2, "a training that lies there already is not written over"


def test_a_bundle_learns_outfits_on_top_of_what_it_knows(bundle: Path, sprites: Path, tiny_file: Path, tmp_path):
    """Ten more things to wear, and the words for them: everything that was learnt stays where it was."""
    file = tmp_path / "with_outfits.toml"
    file.write_text(tiny_file.read_text().replace("[data]", "[data]\noutfits = 0.3"))
    config, runs = TrainingConfig.load(file), tmp_path / "runs"
    command = ["train", "adopt", "--config", str(file), "--from", str(bundle), "--sprites", str(sprites)]
    assert main([*command, "--runs", str(runs)]) == 0
    before = load_file(bundle / read_manifest(bundle).weight_files("text")[0])["words.weight"].float()
    after = checkpoint.load_full(runs / "transformer" / "full.pt", config.digest("transformer"))["stage"]["average"]
    table = after["text.shared.weight"]
    assert len(table) > len(before) and torch.equal(table[: len(before)], before)
    assert torch.isfinite(table).all() and bool(table[len(before) :].any(1).all())
    more = ["train", "--config", str(file), "--stage", "transformer", "--minutes", "0.002", "--variety", "1"]
    assert main([*more, "--sprites", str(sprites), "--runs", str(runs)]) == 0
    stage = make_stage("transformer", config, sprites, runs, variety=1)
    assert len(describe(config, stage).language.scenes) == 35
    assert {"monocle", "wizard"} <= describe(config, stage).language.words


def test_words_that_moved_keep_what_they_mean(
    bundle: Path, runs: Path, sprites: Path, tiny: TrainingConfig, tmp_path, monkeypatch
):
    before = make_stage("transformer", tiny, sprites, runs, variety=1).words.get_vocab()
    monkeypatch.setattr(language, "_FILLERS", [*language._FILLERS, "aardvark"])
    adopt_bundle(bundle, tiny, sprites, tmp_path)
    after = make_stage("transformer", tiny, sprites, tmp_path, variety=1)
    state = checkpoint.load_full(tmp_path / "transformer" / "full.pt", after.digest)["stage"]
    table = load_file(bundle / read_manifest(bundle).weight_files("text")[0])["words.weight"].float()
    now = after.words.get_vocab()
    assert now["zebra" if "zebra" in now else "the"] != before["zebra" if "zebra" in before else "the"]
    for word, index in before.items():
        assert torch.equal(state["average"]["text.shared.weight"][now[word]], table[index]), word


def test_a_bundle_of_another_training_is_not_adopted(bundle: Path, sprites: Path, tmp_path: Path):
    with pytest.raises(InputError, match="other sizes"):
        adopt_bundle(bundle, TrainingConfig.load(), sprites, tmp_path)
    assert not list(tmp_path.iterdir())
