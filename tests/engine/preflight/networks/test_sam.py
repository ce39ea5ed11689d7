"""SAM 2.1 from a video model's checkpoint in the hub's layout, with random weights: loading, prompts, caching."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from engine.errors import BundleError
from engine.photo.hints import Box, Click
from engine.preflight.networks.pretrained import normalised
from engine.preflight.networks.sam import Sam
from tests.engine.preflight.scenes import toy
from tests.engine.preflight.tiny_parts import save_sam_video

PHOTO, TRUTH = toy()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sam2.1-hiera-small")
    save_sam_video(path)
    return path


@pytest.fixture(scope="module")
def sam(folder: Path) -> Sam:
    return Sam.from_folder(folder)


def test_the_image_half_of_a_video_model_is_loaded_weight_for_weight(folder: Path, sam: Sam):
    assert json.loads((folder / "config.json").read_text())["model_type"] == "sam2_video"
    assert type(sam.model).__name__ == "Sam2Model"
    state = sam.model.state_dict()
    with safe_open(folder / "model.safetensors", "pt") as stored:
        names = set(stored.keys())
        assert any(name.startswith("memory_") for name in names)
        shared = names & set(state)
        assert len(shared) == len(state) - len(set(state) - names)
        for name in shared:
            assert torch.equal(stored.get_tensor(name), state[name]), name
    # What is not in the file is only shared with something that is.
    assert all("shared_embedding" in name for name in set(state) - names)


def test_the_publisher_s_normalisation_is_read_from_the_folder(sam: Sam):
    np.testing.assert_allclose(sam.mean, [0.5, 0.4, 0.3])
    np.testing.assert_allclose(sam.std, [0.2, 0.2, 0.2])
    assert sam.side == 64


def test_box_and_clicks_give_a_mask_with_a_score(sam: Sam):
    logits, score = sam.cut(PHOTO, Box(70, 25, 180, 160), [Click(130, 100), Click(10, 10, include=False)])
    assert logits.shape == (16, 16) and logits.dtype == np.float32 and np.isfinite(logits).all()
    assert 0 <= score <= 1


def test_the_answer_is_what_the_model_gives_for_the_same_prompts(sam: Sam):
    box = Box(60, 20, 180, 160)
    logits, score = sam.cut(PHOTO, box, ())
    pixels = torch.from_numpy(normalised(PHOTO.rgb, 64, 64, sam.mean, sam.std))
    corners = torch.tensor([[[60 * 64 / 240, 20 * 64 / 180, 180 * 64 / 240, 160 * 64 / 180]]])
    with torch.inference_mode():
        found = sam.model(pixel_values=pixels, input_boxes=corners, multimask_output=False)
    np.testing.assert_allclose(logits, found.pred_masks[0, 0, 0].numpy(), atol=1e-5)
    assert score == pytest.approx(float(found.iou_scores[0, 0, 0].clamp(0, 1)), abs=1e-5)


ONE, TWO = [Click(130, 100)], [Click(130, 100), Click(20, 20, include=False)]


@pytest.mark.parametrize(
    ("box", "clicks", "start", "masks"),
    [
        (None, ONE, False, 3),
        (None, TWO, False, 1),
        (Box(60, 20, 180, 160), [], False, 1),
        (Box(60, 20, 180, 160), ONE, False, 1),
        (None, ONE, True, 1),
    ],
)
def test_one_click_can_mean_three_things_and_everything_else_one(sam, monkeypatch, box, clicks, start, masks):
    given = []
    forward = sam.model.forward

    def watch(*args, **kwargs):
        found = forward(*args, **kwargs)
        given.append(found.pred_masks.shape[2])
        return found

    monkeypatch.setattr(sam.model, "forward", watch)
    sam.cut(PHOTO, box, clicks, (TRUTH * 255).astype(np.uint8) if start else None)
    assert given == [masks]


def test_prompts_matter(sam: Sam):
    one = sam.cut(PHOTO, Box(70, 25, 180, 160))[0]
    assert not np.allclose(one, sam.cut(PHOTO, Box(5, 5, 60, 60))[0])
    assert not np.allclose(one, sam.cut(PHOTO, Box(70, 25, 180, 160), start=(TRUTH * 255).astype(np.uint8))[0])
    click = sam.cut(PHOTO, None, [Click(130, 100)])[0]
    assert not np.allclose(click, sam.cut(PHOTO, None, [Click(130, 100, include=False)])[0])


def test_a_mask_that_obeys_the_clicks_beats_a_better_score():
    class Output:
        pred_masks = torch.stack([torch.full((4, 4), 5.0), torch.full((4, 4), -5.0)])[None, None]
        iou_scores = torch.tensor([[[0.2, 0.9]]])

    class Model:
        config = type("Config", (), {"prompt_encoder_config": type("Part", (), {"image_size": 16})})
        device, dtype = "cpu", torch.float32

        def get_image_embeddings(self, pixels):
            return [pixels]

        def __call__(self, **_):
            return Output()

    sam = Sam(Model(), np.zeros(3, np.float32), np.ones(3, np.float32))
    assert sam.cut(PHOTO, None, [Click(5, 5)])[1] == pytest.approx(0.2)
    assert sam.cut(PHOTO, None, [Click(5, 5, include=False)])[1] == pytest.approx(0.9)
    assert sam.cut(PHOTO, Box(0, 0, 9, 9))[1] == pytest.approx(0.9)


def test_a_photo_is_embedded_once(sam: Sam, monkeypatch: pytest.MonkeyPatch):
    calls = []
    embed = sam.model.get_image_embeddings
    monkeypatch.setattr(sam.model, "get_image_embeddings", lambda pixels: calls.append(1) or embed(pixels))
    photo = toy(90, 120)[0]
    first = sam.cut(photo, Box(10, 10, 80, 80))[0]
    sam.cut(photo, None, [Click(20, 20)])
    assert len(calls) == 1
    np.testing.assert_array_equal(sam.cut(photo, Box(10, 10, 80, 80))[0], first)
    for size in ((60, 80), (30, 40)):
        sam.cut(toy(*size)[0], Box(1, 1, 20, 20))
    sam.cut(photo, Box(10, 10, 80, 80))
    assert len(calls) == 4  # two others pushed it out


def test_pictures_are_squared_and_normalised():
    rgb = np.full((10, 30, 3), 128, np.uint8)
    values = normalised(rgb, 8, 8, np.full(3, 0.5, np.float32), np.full(3, 0.25, np.float32))
    assert values.shape == (1, 3, 8, 8) and values.dtype == np.float32
    np.testing.assert_allclose(values, (128 / 255 - 0.5) / 0.25, atol=1e-6)


@pytest.mark.parametrize("size", [(2250, 3000), (1200, 1600), (800, 3000), (700, 900)])
def test_pictures_are_resized_as_sams_own_processor_does(size: tuple[int, int]):
    """Antialiased bilinear, 1024 px a side: mean and largest difference in normalised units."""
    generator = np.random.default_rng(1)
    coarse = generator.integers(0, 256, (size[0] // 6, size[1] // 6, 3), np.uint8)
    rgb = np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.Resampling.NEAREST))
    mean, std = np.array([0.485, 0.456, 0.406], np.float32), np.array([0.229, 0.224, 0.225], np.float32)
    found = normalised(rgb, 1024, 1024, mean, std)[0]
    tensor = torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float()
    exact = torch.nn.functional.interpolate(tensor, (1024, 1024), mode="bilinear", align_corners=False, antialias=True)
    expected = (exact[0].numpy() / 255 - mean[:, None, None]) / std[:, None, None]
    difference = np.abs(found - expected)
    assert difference.mean() < 0.008 and difference.max() < 0.03


def test_what_is_missing_or_damaged_is_said(folder: Path, tmp_path: Path):
    with pytest.raises(BundleError, match=r"SAM 2\.1 is not in"):
        Sam.from_folder(tmp_path / "nowhere")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(BundleError, match="cannot be opened"):
        Sam.from_folder(tmp_path)
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(BundleError, match="cannot be opened"):
        Sam.from_folder(tmp_path)


def test_a_checkpoint_without_some_of_its_weights_is_refused(folder: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    del state["mask_decoder.iou_token.weight"]
    save_file(state, tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    with pytest.raises(BundleError, match=r"lacks 1 weights, for example “mask_decoder\.iou_token\.weight”"):
        Sam.from_folder(tmp_path)
