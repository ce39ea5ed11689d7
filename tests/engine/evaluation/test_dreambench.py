"""DreamBench: a case computed by hand, networks as their library saves them, and the whole command."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from engine.batch.batch_job import BatchJob
from engine.cli import main
from engine.errors import BundleError, InputError
from engine.evaluation.dreambench import (
    Benchmark,
    BenchmarkCell,
    References,
    Score,
    read_prompts,
    results,
    text_likeness,
    worst_first,
)
from engine.evaluation.dreambench_report import report
from engine.evaluation.embedders import CLIP, CLIP_MEAN, CLIP_STD, load_embedder, middle, prepared
from engine.evaluation.imagenet import ImageNetJudge
from engine.evaluation.photo_folder import PhotoSubject, find_subjects

LIST = """Classes

subject_name,class
red_ball,toy
dog,dog

Prompts

Object Prompts

prompt_list = [
'a {0} {1} in the snow'.format(unique_token, class_token),
'a red {0} {1}'.format(unique_token, class_token)
]

Live Subject Prompts

prompt_list = [
'a {0} {1} wearing a red hat'.format(unique_token, class_token)
]
"""


@pytest.fixture
def benchmark_photos(photos: Path) -> Path:
    (photos / "prompts_and_classes.txt").write_text(LIST, "utf-8")
    return photos


@pytest.fixture(scope="module")
def networks(tmp_path_factory) -> Path:
    """Small random networks of the true widths and patches, saved by their library."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer, ViTConfig, ViTModel

    folder = tmp_path_factory.mktemp("networks")
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    torch.manual_seed(0)
    clip = CLIPConfig(
        text_config={
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "vocab_size": len(words),
            "bos_token_id": len(words) - 2,
            "eos_token_id": len(words) - 1,
            "pad_token_id": len(words) - 1,
        },
        vision_config={
            "hidden_size": 768,
            "patch_size": 32,
            "image_size": 64,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
        },
        projection_dim=16,
    )
    CLIPModel(clip).save_pretrained(folder / "clip-vit-base-patch32")
    tokenizer = CLIPTokenizer(vocab={word: index for index, word in enumerate(words)}, merges=[])
    tokenizer.save_pretrained(folder / "clip-vit-base-patch32")
    vit = ViTConfig(
        hidden_size=384,
        patch_size=16,
        image_size=32,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    ViTModel(vit).save_pretrained(folder / "dino-vits16")
    return folder


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 255, (height, width, 3), np.uint8)


class ByBrightness:
    """Sees a picture's mean brightness as an angle: 0 is (1, 0), 255 is (0, 1)."""

    name = "angle"

    def pictures(self, pictures):
        angles = torch.tensor([picture.mean() / 255 * np.pi / 2 for picture in pictures], dtype=torch.float32)
        return torch.stack([angles.cos(), angles.sin()], 1)


def grey(path: Path, value: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 20), (value,) * 3).save(path)
    return path


def test_likeness_by_hand(tmp_path):
    """Photos at 0° and 60°, pictures at 0° and 90°: cosines 1, 1/2 and 0, √3/2."""
    photos = (grey(tmp_path / "a.png", 0), grey(tmp_path / "b.png", 170))
    references = References(PhotoSubject("cup", "cup", photos, photos[1]), [ByBrightness()], lambda words: None)
    features = ByBrightness().pictures([np.zeros((4, 4, 3)), np.full((4, 4, 3), 255.0)])
    first, second = references.figures("angle", features)
    assert first == {"angle_all": pytest.approx(0.75), "angle_input": pytest.approx(0.5)}
    assert second == {"angle_all": pytest.approx(3**0.5 / 4), "angle_input": pytest.approx(3**0.5 / 2)}
    assert references.among_themselves("angle") == pytest.approx(0.5)


def test_a_photo_that_cannot_be_read(tmp_path):
    photos = (grey(tmp_path / "a.png", 0), tmp_path / "b.png")
    photos[1].write_bytes(b"no picture")
    messages: list[str] = []
    references = References(PhotoSubject("cup", "cup", photos, photos[0]), [ByBrightness()], messages.append)
    assert len(references.features["angle"]) == 1 and references.among_themselves("angle") is None
    assert messages[0].startswith("cup/b.png is left out: ")
    with pytest.raises(InputError):
        References(PhotoSubject("cup", "cup", photos, photos[1]), [ByBrightness()], messages.append)


def score(subject: str, template: str, seed: int, **figures: float) -> Score:
    return Score(BenchmarkCell(f"{subject}{template}{seed}", subject, template, template, seed), "x.png", figures)


def test_means_by_hand():
    """The mean of subjects, not of pictures: (0.2 + (0.6 + 0.8 + 1.0) / 3) / 2 = 0.5."""
    scores = [
        score("cup", "snow", 0, d_all=0.2, d_input=0.4),
        score("dog", "snow", 0, d_all=0.6, d_input=0.6),
        score("dog", "sand", 0, d_all=0.8, d_input=0.6),
        score("dog", "sand", 1, d_all=1.0, d_input=0.6),
    ]
    among = {
        "cup": SimpleNamespace(among_themselves=lambda judge: 0.7),
        "dog": SimpleNamespace(among_themselves=lambda judge: None),
    }
    found = results(scores, among, asked=5)
    assert found["figures"] == {"d_all": pytest.approx(0.5), "d_input": pytest.approx(0.5)}
    assert found["by_prompt"]["snow"] == {"pictures": 2, "d_all": pytest.approx(0.4), "d_input": pytest.approx(0.5)}
    assert [own["d_all"] for own in found["by_seed"]] == [pytest.approx(0.45), pytest.approx(1.0)]
    assert found["photos_among_themselves"] == {"d": 0.7}
    assert (found["subjects_measured"], found["pictures_measured"], found["pictures_asked"]) == (2, 4, 5)
    assert [entry["subject"] for entry in found["pictures"]] == ["cup", "dog", "dog", "dog"]
    page = report({"bundle": "mini@1", **found}, "job")
    assert "2 subjects, 4 of 5 pictures. The others" in page and "d, all photos" in page


def test_the_worst_fail_in_likeness_or_in_the_prompt():
    scores = [
        score("a", "snow", index, d_all=like, clip_t=text)
        for index, (like, text) in enumerate([(0.9, 0.3), (0.8, 0.1), (0.1, 0.2)])
    ]
    assert [entry.cell.seed for entry in worst_first(scores)] == [1, 2, 0]


def test_a_negative_cosine_of_picture_and_prompt_counts_as_nothing():
    clip = SimpleNamespace(
        texts=lambda texts: torch.tensor([[1.0, 0.0] if text == "a" else [0.0, -1.0] for text in texts])
    )
    features = torch.tensor([[0.6, 0.8], [0.6, 0.8]])
    assert text_likeness(clip, features, ["a", "b"]) == [pytest.approx(0.6), 0.0]


def test_the_list_of_the_benchmark(benchmark_photos, tmp_path):
    objects, live = read_prompts(benchmark_photos)
    assert objects == ["a {0} in the snow", "a red {0}"] and live == ["a {0} wearing a red hat"]
    with pytest.raises(InputError, match="is not in"):
        read_prompts(tmp_path)
    (tmp_path / "prompts_and_classes.txt").write_text("nothing")
    with pytest.raises(InputError, match="no prompts"):
        read_prompts(tmp_path)


def test_subjects_in_their_own_prompts(benchmark_photos, tiny_bundle):
    from engine.bundle.manifest import read_manifest

    subjects = find_subjects(benchmark_photos, benchmark_photos.parent / "masks")
    benchmark = Benchmark(subjects, read_prompts(benchmark_photos), seeds=2)
    requests = list(benchmark.requests(read_manifest(tiny_bundle), pytest.fail))
    assert len(requests) == len(benchmark.cells) == (2 + 2 + 1 + 1) * 2
    prompts = {(cell.subject, cell.prompt) for cell in benchmark.cells}
    assert ("dog", "a dog wearing a red hat") in prompts and ("red_ball", "a red toy") in prompts
    assert {request.seed for request in requests} == {0, 1}


def test_pictures_are_prepared_as_clip_does_it():
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    processor = CLIPImageProcessorPil(image_mean=list(CLIP_MEAN), image_std=list(CLIP_STD))
    for rgb in (noise(300, 402), noise(512, 256)):
        theirs = processor(Image.fromarray(rgb), return_tensors="pt")["pixel_values"][0]
        ours = prepared(rgb, 224, 224, CLIP_MEAN, CLIP_STD)
        assert ours.shape == (3, 224, 224) and float((ours - theirs).abs().max()) < 1e-5


def test_the_middle_of_a_picture():
    rgb = np.zeros((256, 512, 3), np.uint8)
    rgb[:, 144:368] = 255
    assert np.asarray(middle(rgb, 256, 224)).min() == 255
    # A margin of 37.5 pixels is rounded to 38, as the scripts' torchvision does; transformers takes 37.
    rgb = np.zeros((224, 299, 3), np.uint8)
    rgb[:, 38:262] = 255
    assert np.asarray(middle(rgb, 224, 224)).min() == 255


def test_networks_as_their_library_saves_them(networks):
    from transformers import CLIPModel, CLIPTokenizer, ViTModel

    pictures = [noise(70, 90), noise(64, 64)]
    clip = load_embedder(CLIP, networks / "clip-vit-base-patch32")
    theirs = CLIPModel.from_pretrained(networks / "clip-vit-base-patch32").eval()
    prompts = ["a dog in the snow", "a cup"]
    tokens = CLIPTokenizer.from_pretrained(networks / "clip-vit-base-patch32")(
        prompts, padding=True, return_tensors="pt"
    )
    features = torch.stack([prepared(rgb, 64, 64, CLIP_MEAN, CLIP_STD) for rgb in pictures])
    with torch.inference_mode():
        out = theirs(pixel_values=features, **tokens)
    torch.testing.assert_close(clip.pictures(pictures), out.image_embeds)
    torch.testing.assert_close(clip.texts(prompts), out.text_embeds)
    dino = load_embedder("dino-vits16", networks / "dino-vits16")
    vit = ViTModel.from_pretrained(networks / "dino-vits16").eval()
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    with torch.inference_mode():
        token = vit(torch.stack([prepared(rgb, 36, 32, mean, deviation) for rgb in pictures])).last_hidden_state[:, 0]
    torch.testing.assert_close(dino.pictures(pictures), torch.nn.functional.normalize(token, dim=-1))


def test_another_network_is_refused(networks):
    with pytest.raises(BundleError, match="holds a vit of width 384 with patches of 16, not DINO ViT-S/8"):
        load_embedder("dino-vits8", networks / "dino-vits16")
    with pytest.raises(BundleError, match=r"its config\.json cannot be read"):
        load_embedder("dino-vits16", networks / "nowhere")


def test_what_belongs_to_the_benchmark_is_refused_elsewhere(capsys):
    assert main(["evaluate", "--photos", "photos", "--ray-address", "here:1"]) == 2
    assert "--ray-address belongs to “evaluate dreambench”" in capsys.readouterr().err


def test_the_whole_command(benchmark_photos, networks, tiny_bundle, quick_judge, tmp_path, monkeypatch, capsys):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install pyarrow")
    monkeypatch.setattr(ImageNetJudge, "load", lambda: quick_judge)
    words = [
        "evaluate",
        "dreambench",
        "--photos",
        str(benchmark_photos),
        "--bundle",
        str(tiny_bundle),
        "--device",
        "cpu",
    ]
    words += ["--masks", str(benchmark_photos.parent / "masks"), "--out", str(tmp_path / "out"), "--seeds", "2"]
    assert main([*words, "--networks", str(tmp_path)]) == 2
    assert "DINO ViT-S/16 is not in" in capsys.readouterr().err and not (tmp_path / "out").exists()
    assert main([*words, "--networks", str(networks), "--judge", "all"]) == 0
    figures = json.loads((tmp_path / "out" / "dreambench.json").read_text("utf-8"))
    assert json.loads(capsys.readouterr().out)["figures"] == figures["figures"]
    assert list(figures["figures"]) == [
        *("clip-vit-b32_all", "clip-vit-b32_input", "clip_t", "dino-vits16_all", "dino-vits16_input"),
        *("imagenet_all", "imagenet_input"),
    ]
    assert figures["pictures_measured"] == figures["pictures_asked"] == 12 and len(figures["by_subject"]) == 4
    entry = figures["pictures"][0]
    rgb = np.asarray(Image.open(tmp_path / "out" / "job" / entry["file"]).convert("RGB"))
    photos = [np.asarray(Image.open(path)) for path in sorted((benchmark_photos / entry["subject"]).iterdir())]
    dino = load_embedder("dino-vits16", networks / "dino-vits16").pictures([rgb, *photos])
    assert entry["figures"]["dino-vits16_all"] == pytest.approx(float((dino[0] @ dino[1:].T).mean()), abs=1e-5)
    page = (tmp_path / "out" / "dreambench.html").read_text("utf-8")
    assert f'src="job/{entry["file"]}"' in page and "12 of 12 pictures" in page
    BatchJob(tmp_path / "out" / "job").picture(entry["id"]).unlink()
    assert main([*words, "--judge", "imagenet", "--resume"]) == 0
    assert list(json.loads(capsys.readouterr().out)["figures"]) == ["imagenet_all", "imagenet_input"]
