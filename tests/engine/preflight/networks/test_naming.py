"""Qwen2.5-VL from a checkpoint in the hub's layout, with random weights; and a name out of any answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers.models.dinov2 import Dinov2Config, Dinov2Model

from engine.errors import BundleError
from engine.photo.load import photo_from_pixels
from engine.preflight.networks.learned import LearnedParts
from engine.preflight.networks.naming import IMAGE_TOKEN, QUESTION, Name, Namer, parse_name
from engine.preflight.networks.pretrained import load_model
from tests.engine.preflight.scenes import toy
from tests.engine.preflight.tiny_parts import save_naming

PHOTO, _ = toy()


@pytest.fixture(scope="module")
def namer(tmp_path_factory: pytest.TempPathFactory) -> Namer:
    folder = tmp_path_factory.mktemp("Qwen2.5-VL-3B-Instruct")
    save_naming(folder)
    return Namer.from_folder(folder)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("red sneaker", "red sneaker"),
        ("  Red Sneaker.\n", "red sneaker"),
        ("A robot toy", "robot toy"),
        ("the dog, lying on a sofa", "dog"),
        ("**Corgi**", "corgi"),
        ('"wolf plushie"', "wolf plushie"),
        ("“teddy bear”", "teddy bear"),
        ("- mug", "mug"),
        ("The main subject of this photo is a golden retriever.", "golden retriever"),
        ("Main subject: vase", "vase"),
        ("Answer: a pair of sunglasses", "pair of sunglasses"),
        ("It is a cat", "cat"),
        ("t-shirt\nIt is lying on a bed.", "t-shirt"),
        ("child's toy", "child's toy"),
        ("", ""),
        ("   \n ", ""),
        ("...", ""),
        ("12345", ""),
        ("None", ""),
        ("object", ""),
        ("I'm sorry, but I can't help with that.", ""),
        ("There is a dog and a cat in a green garden", ""),
        ("a very long noun phrase that never seems to end", ""),
        ("x" * 41, ""),
        ("<|im_end|>", ""),
        ("\x00\ufffd\ufffd", ""),
    ],
)
def test_a_name_is_parsed_defensively(answer: str, expected: str):
    assert parse_name(answer) == expected


def test_the_real_model_answers_and_the_answer_is_deterministic(namer: Namer):
    answer, score = namer.answer(PHOTO)
    assert isinstance(answer, str) and 0 < score <= 1
    assert namer.answer(PHOTO) == (answer, score)
    found = namer.name(PHOTO)
    assert found is None or (found.text == parse_name(answer) and found.score == score)


def test_every_patch_of_the_picture_has_its_token(namer: Namer):
    inputs = namer._inputs(PHOTO)
    patches = int(inputs["image_grid_thw"].prod())
    tokens = int((inputs["input_ids"] == namer.model.config.image_token_id).sum())
    assert tokens == patches // 4 == int(inputs["mm_token_type_ids"].sum())
    assert inputs["pixel_values"].shape[0] == patches
    text = namer.tokenizer.decode(inputs["input_ids"][0])
    assert QUESTION in text and text.endswith("<|im_start|>assistant\n")
    assert text.count(IMAGE_TOKEN) == tokens


def test_the_picture_matters(namer: Namer):
    """The picture's tokens are replaced by what the eye of the model sees: another picture, other logits."""

    def logits(photo):
        with torch.inference_mode():
            return namer.model(**namer._inputs(photo)).logits[0, -1]

    other = toy(180, 240)[0].rgb[::-1].copy()
    from engine.photo.load import photo_from_pixels

    assert not torch.allclose(logits(PHOTO), logits(photo_from_pixels(255 - other)), atol=1e-6)


def test_a_usable_answer_becomes_a_name(namer: Namer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(namer, "answer", lambda _: ("A Robot Toy.", 0.8))
    assert namer.name(PHOTO) == Name("robot toy", 0.8)
    monkeypatch.setattr(namer, "answer", lambda _: ("I cannot see a photo.", 0.8))
    assert namer.name(PHOTO) is None


def test_a_missing_folder_is_said(tmp_path: Path):
    with pytest.raises(BundleError, match=r"Qwen2\.5-VL is not in"):
        Namer.from_folder(tmp_path)


@pytest.mark.parametrize("shape", [(15, 4000), (4000, 15), (1, 300)])
def test_a_photo_that_is_too_narrow_is_said_and_the_part_stays(tmp_path: Path, shape: tuple[int, int]):
    """The library raises ValueError above a ratio of 200; the user reads a sentence, and the next photo is named again."""
    save_naming(tmp_path / "Qwen2.5-VL-3B-Instruct")
    parts = LearnedParts({"naming": tmp_path / "Qwen2.5-VL-3B-Instruct"})
    strip = photo_from_pixels(np.full((*shape, 3), 90, np.uint8), None)
    notes: list[str] = []
    assert parts.use("naming", lambda part: part.name(strip), notes) is None
    assert notes == [
        f"A photo of {shape[1]} × {shape[0]} pixels is too narrow for Qwen2.5-VL to name what is on it. "
        "Type the name, or cut the photo."
    ]
    assert parts.roles == ("naming",)
    assert parts.use("naming", lambda part: part.answer(PHOTO)[1] > 0, notes) is True and len(notes) == 1


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what is mapped where")
def test_a_part_in_the_files_own_format_stays_mapped_until_it_moves(tmp_path: Path):
    """So a model of 16 GB goes to a card tensor by tensor, and main memory never holds it."""
    config = Dinov2Config(hidden_size=256, num_hidden_layers=3, num_attention_heads=4)
    Dinov2Model(config).bfloat16().save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    model = load_model(Dinov2Model, tmp_path, "cpu", torch.bfloat16)
    wide = load_model(Dinov2Model, tmp_path, "cpu", torch.float32)
    assert model.dtype == torch.bfloat16 and wide.dtype == torch.float32
    assert _mapped_share(model, file) > 0.99 and _mapped_share(wide, file) == 0


def _mapped_share(model: torch.nn.Module, file: Path) -> float:
    """Share of a model's weights that lie in the pages of a file, which the system takes back as it likes."""
    lines = [line.split() for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(str(file))]
    places = [tuple(int(end, 16) for end in words[0].split("-")) for words in lines]
    sizes = {True: 0, False: 0}
    for weight in model.parameters():
        sizes[any(start <= weight.data_ptr() < end for start, end in places)] += weight.nbytes
    return sizes[True] / sum(sizes.values())
