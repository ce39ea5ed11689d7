"""The cut-out network: composites, hints, what is trained, and the file OpenCV runs."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import InputError
from engine.preflight.shipped.channels import EXCLUDE, INCLUDE, HintChannels
from engine.preflight.shipped.judge import JUDGE_NAME, KINDS, TRAITS, Judge, read_judge
from engine.preflight.shipped.network import OUTPUTS, ShippedNetwork
from engine.training import cutout
from engine.training.cutout_calibration import calibrate, fit
from engine.training.cutout_export import export_network
from engine.training.cutout_network import FROZEN, CutoutNetwork
from engine.training.data.subjects import SubjectPictures
from engine.training.render.clicks import draw_hints
from engine.training.render.composites import Composer


@pytest.fixture(scope="module")
def subjects(tmp_path_factory: pytest.TempPathFactory) -> SubjectPictures:
    folder = tmp_path_factory.mktemp("subjects")
    for index, colour in enumerate(((200, 40, 40), (40, 180, 60), (50, 60, 210))):
        picture = np.zeros((64, 64, 4), np.uint8)
        cv2.ellipse(picture, (32, 32), (30, 16 + 5 * index), 30 * index, 0, 360, (*colour, 255), -1)
        Image.fromarray(picture).save(folder / f"thing{index}.png")
    return SubjectPictures.from_folder(folder, 64)


@pytest.fixture(scope="module")
def network() -> CutoutNetwork:
    torch.manual_seed(3)
    return CutoutNetwork.from_published().eval()


def composer(subjects: SubjectPictures, seed: int = 5, **settings: float) -> Composer:
    texture = np.random.default_rng(1).integers(0, 255, (80, 90, 3), np.uint8)
    return Composer(subjects, [texture], size=64, seed=seed, **settings)


def test_one_seed_draws_the_same_composites_and_goes_on_after_a_pause(subjects: SubjectPictures) -> None:
    first, second = composer(subjects), composer(subjects, seed=6)
    for _ in range(3):
        first.draw()
    second.load_state(first.state())
    one, other = first.draw(), second.draw()
    assert np.array_equal(one.rgb, other.rgb) and np.array_equal(one.hints, other.hints)


def test_hints_are_there_only_where_they_are_asked_for(subjects: SubjectPictures) -> None:
    plain, hinted = composer(subjects, hinted=0.0), composer(subjects, hinted=1.0)
    assert all(not plain.draw().hints.any() for _ in range(12))
    drawn = [hinted.draw() for _ in range(12)]
    assert sum(item.hints.any() for item in drawn) >= 9
    assert all(item.mask.min() >= 0 and item.mask.max() <= 1 for item in drawn)


def test_simulated_clicks_say_the_truth() -> None:
    dice = np.random.default_rng(2)
    mask = np.zeros((96, 96), np.float32)
    cv2.circle(mask, (40, 50), 24, 1.0, -1)
    other = np.zeros_like(mask)
    cv2.circle(other, (80, 20), 12, 1.0, -1)
    clicked = 0
    for _ in range(40):
        hints = draw_hints(dice, mask, [other]).channels
        for channel, wanted in ((INCLUDE, True), (EXCLUDE, False)):
            count, _, _, centres = cv2.connectedComponentsWithStats((hints[channel] > 0).astype(np.uint8))
            if count == 2:  # a single spot: its centre is where the click was
                x, y = centres[1].round().astype(int)
                assert (mask[y, x] > 0.5) == wanted
                clicked += 1
    assert clicked > 10


def test_hints_change_nothing_before_training_and_the_first_blocks_are_kept(network: CutoutNetwork) -> None:
    features: list[torch.Tensor] = []
    handle = network.blocks[15].register_forward_hook(lambda _, __, out: features.append(out))
    hints = HintChannels.none(64)
    hints.box(10, 10, 40, 50)
    with torch.no_grad():
        for given in (torch.zeros(1, 4, 64, 64), torch.from_numpy(hints.channels)[None]):
            network(torch.ones(1, 3, 64, 64), given)
    handle.remove()
    assert torch.equal(features[0], features[1])
    assert not any(value.requires_grad for value in network.blocks[:FROZEN].parameters())


def test_steps_lower_the_loss_and_a_resumed_stage_goes_on(subjects: SubjectPictures, network: CutoutNetwork) -> None:
    settings = cutout.read_settings()
    settings["data"] |= {"picture_size": 64, "fresh": 0.25, "kept": 4}
    settings["training"] |= {"batch": 4}
    stage = cutout.CutoutStage(composer(subjects), composer(subjects, 9), settings, network)
    losses = [stage.step(1.0)["loss"] for _ in range(12)]
    assert np.mean(losses[-3:]) < np.mean(losses[:3])
    other = cutout.CutoutStage(composer(subjects), composer(subjects, 9), settings, CutoutNetwork.blank())
    other.load_state(stage.state())
    for name, value in stage.module.state_dict().items():
        assert torch.equal(value, other.module.state_dict()[name]), name


def test_a_sheet_shows_pictures_masks_found_and_the_truth(
    subjects: SubjectPictures, network: CutoutNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(cutout, "HELD_OUT", 4)
    settings = cutout.read_settings()
    stage = cutout.CutoutStage(composer(subjects), composer(subjects, 9), settings, network)
    stage.sample(tmp_path / "sheet.png")
    sheet = Image.open(tmp_path / "sheet.png")
    assert sheet.height > 3 * 64 and sheet.width > 4 * 64
    truth = np.asarray(sheet)[-24 - 64 : -24]
    assert (truth == 255).all(-1).any() and (truth == 0).all(-1).any(), "the last row is the true masks"
    assert "held-out IoU" in capsys.readouterr().err


def test_opencv_computes_what_torch_does(network: CutoutNetwork, tmp_path: Path) -> None:
    path = export_network(network.eval(), tmp_path, 64)
    assert path.stat().st_size < 12e6
    reader = cv2.dnn.readNetFromONNX(str(path))
    for count, side in ((1, 64), (2, 96)):  # not only at the size it was exported with
        pixels = np.random.default_rng(4).uniform(0, 255, (count, 7, side, side)).astype(np.float32)
        pixels[:, 3:] = 0
        reader.setInput(pixels)
        found = reader.forward(list(OUTPUTS))
        with torch.no_grad():
            wanted = network.features_of(
                (torch.from_numpy(pixels[:, :3]) - 127) / 128, torch.zeros(count, 4, side, side)
            )
        for one, other in zip(found, wanted, strict=True):
            assert one.shape == other.shape
            assert np.abs(one - other.numpy()).max() < 0.05 + 0.02 * float(other.abs().max())


def test_the_judge_in_numpy_says_what_it_says_in_torch(network: CutoutNetwork, tmp_path: Path) -> None:
    export_network(network.eval(), tmp_path, 64)
    judge = read_judge(tmp_path / JUDGE_NAME)
    with torch.no_grad():
        logits, middle, top = network.features_of(torch.rand(1, 3, 64, 64), torch.zeros(1, 4, 64, 64))
        wanted = float(network._judged(logits, middle, top))
    mask = torch.sigmoid(logits)[0, 0].numpy()
    assert abs(judge.logit(middle[0].numpy(), top[0].numpy().mean((1, 2)), mask) - wanted) < 1e-3


def test_the_estimate_is_fitted_to_overlaps() -> None:
    dice = np.random.default_rng(3)
    traits = dice.normal(0, 1, (4000, len(TRAITS)))
    traits[:, -1] = 1
    true = 1 / (1 + np.exp(-(0.8 * traits[:, 2] - 0.5 * traits[:, 9] + 0.7)))
    judge = Judge((), calibration={"alone": fit(traits, (dice.random(4000) < true).astype(float))})
    guessed = np.array([judge.overlap(one, "alone") for one in traits])
    assert np.abs(guessed - true).mean() < 0.08
    assert np.corrcoef(guessed, true)[0, 1] > 0.95


def test_a_network_is_calibrated_on_what_the_program_makes_of_composites(
    subjects: SubjectPictures, network: CutoutNetwork, tmp_path: Path
) -> None:
    export_network(network.eval(), tmp_path, 64)
    report = calibrate(tmp_path, Composer(subjects, [], size=96, seed=8, hinted=0.0), 3)
    assert tuple(report) == ("alone", "hinted", "alone again", "hinted again")
    assert report["alone"]["masks"] >= 3 and all(0 <= own["overlap"] <= 1 for own in report.values())
    judge = read_judge(tmp_path / JUDGE_NAME)
    assert set(judge.calibration) == set(KINDS) and ShippedNetwork(tmp_path).problem == ""


def test_without_a_checkpoint_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no trained cut-out network"):
        cutout.trained(tmp_path, cutout.read_settings())
    (tmp_path / "bad.toml").write_text("seed = [", encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        cutout.read_settings(tmp_path / "bad.toml")
