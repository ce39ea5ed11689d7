"""``bundle.json``: everything comes back, and nothing wrong is let in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.bundle.manifest import MANIFEST, BundleManifest, inside, read_manifest
from engine.bundle.records import Defaults, Language, SceneEntry
from engine.errors import BundleError
from engine.request import MAX_SEED


@pytest.fixture
def manifest(tiny_bundle: Path) -> BundleManifest:
    return read_manifest(tiny_bundle)


@pytest.fixture
def data(tiny_bundle: Path) -> dict:
    return json.loads((tiny_bundle / MANIFEST).read_text(encoding="utf-8"))


def test_it_comes_back_through_json(manifest):
    assert BundleManifest.from_json(json.loads(json.dumps(manifest.to_json()))) == manifest


def test_what_it_offers(manifest):
    assert manifest.sizes == ((64, 64),)
    assert manifest.schedule(None) == manifest.schedule((64, 64)) == manifest.schedules[0]
    assert manifest.schedule((64, 65)) is None
    assert manifest.request_defaults() == {
        "prompt_strength": 3.0,
        "subject_strength": 3.0,
        "temperature": 1.0,
        "top_p": 0.97,
    }
    assert manifest.random and manifest.title == "Random weights, for tests"
    assert manifest.weight_files("text") == ("text/weights.safetensors",)
    assert manifest.part_files("text") == ("text/tokenizer.json", "text/weights.safetensors")


def test_the_identity_follows_the_pixels_and_nothing_else(manifest):
    assert manifest.identity.startswith("random-tiny@") and len(manifest.identity) == len("random-tiny@") + 12
    assert (
        replace(manifest, title="x", description="y", examples=(), defaults=Defaults(1.0)).identity == manifest.identity
    )
    files = dict(manifest.files)
    files["text/weights.safetensors"] = replace(files["text/weights.safetensors"], sha256="0" * 64)
    assert replace(manifest, files=files).identity != manifest.identity
    wider = replace(manifest.transformer, content_rotary=False)
    assert replace(manifest, transformer=wider).identity != manifest.identity


def test_dials_may_be_per_scale(manifest):
    dials = Defaults(prompt_strength=(1.0, 2.0, 3.0, 4.0, 5.0))
    again = BundleManifest.from_json(json.loads(json.dumps(replace(manifest, defaults=dials).to_json())))
    assert again.request_defaults()["prompt_strength"] == (1.0, 2.0, 3.0, 4.0, 5.0)


def test_unknown_words_and_where_they_stand():
    language = Language(frozenset({"a", "robot", "in", "the", "snow"}))
    text = "A zebra in the SNOW, a zebra’s robot"
    assert language.unknown_words(text) == ("zebra", "s")
    assert language.unknown_words("a Hündchen in_the snow") == ("Hündchen",)
    assert [text[start:end] for start, end in language.unknown_spans(text)] == ["zebra", "zebra", "s"]


def test_the_seed_says_which_layout_is_drawn(manifest):
    plain = replace(manifest, language=Language(frozenset({"a"})))
    assert plain.read_as("a robot", 7) == "a robot" and plain.text_limit == plain.transformer.text_limit
    taught = replace(manifest, language=Language(frozenset({"a"}), layouts=6))
    assert [taught.read_as("a robot", seed) for seed in (0, 5, 6)] == [
        "layout1 a robot",
        "layout6 a robot",
        "layout1 a robot",
    ]
    assert [taught.with_layout_of(seed, 4) for seed in (0, 9, MAX_SEED)] == [4, 10, MAX_SEED - MAX_SEED % 6 - 2]
    assert plain.with_layout_of(9, 4) == 9
    assert taught.read_as(" ", 3) == " " and taught.text_limit == plain.text_limit - 1
    assert BundleManifest.from_json(json.loads(json.dumps(taught.to_json()))).layouts == 6


@pytest.mark.parametrize("layouts", [-1, 1001, 2.5, "6", None, True])
def test_layouts_that_cannot_be_are_refused(manifest, layouts):
    data = json.loads(json.dumps(replace(manifest, language=Language(frozenset({"a"}), layouts=6)).to_json()))
    data["language"]["layouts"] = layouts
    with pytest.raises(BundleError, match="layouts"):
        BundleManifest.from_json(data)


def test_scenes_make_sentences():
    assert SceneEntry("snow", "scene", "in the snow", "Snow").sentence("robot") == "a robot in the snow"
    assert SceneEntry("red", "colour", "red", "Red").sentence("robot") == "a red robot"
    assert SceneEntry("snow", "scene", "in the snow", "Snow").sentence(" ") == "a toy in the snow"


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "a/../../x", "/etc/passwd", "a\\b", "C:/x", "C:x", "a//b", "a/./b", "a/", "", "..", ".", "a/.."),
        *("a\0b", "ä", "a/" * 120 + "b", "nul.", "a b", None, 3),
    ],
)
def test_paths_that_lead_out_are_refused(name):
    with pytest.raises(BundleError, match="file name"):
        inside(name)


@pytest.mark.parametrize("name", ["README.md", "text/weights.safetensors", "thumbs/purple_rug-1.webp", "a..b"])
def test_plain_paths_are_fine(name):
    assert inside(name) == name


def write(folder: Path, data) -> Path:
    (folder / MANIFEST).write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return folder


def test_missing_and_broken(tmp_path):
    with pytest.raises(BundleError, match=r"There is no model in .*: it has no bundle\.json"):
        read_manifest(tmp_path)
    for text in ("", "{", "[]", "null", '"x"', "[" * 100_000, '{"format": 1}'):
        with pytest.raises(BundleError, match="damaged"):
            read_manifest(write(tmp_path, text))


def test_another_format_is_said(tmp_path, data):
    with pytest.raises(BundleError, match="has format 3, and this program reads formats up to 2") as caught:
        read_manifest(write(tmp_path, {**data, "format": 3}))
    assert caught.value.step == "Update the program, or get the model again."


def put(data: dict, path: str, value) -> dict:
    *way, last = path.split(":" if ":" in path else ".")
    place = data
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[int(last) if isinstance(place, list) else last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("name", "../mini"),
        ("name", ""),
        ("title", 7),
        ("description", "x" * 5000),
        ("schedules", []),
        ("schedules.0.grids", []),
        ("schedules.0.grids.0", [2, 2]),
        ("schedules.0.grids.4", [8, 10**9]),
        ("schedules.0.grids.4", [8]),
        ("schedules.0.size", [64, 65]),
        ("schedules.0.rotary_grid", [0, 8]),
        ("reference_size", 10**6),
        ("reference_size", "56"),
        ("reference_size", True),
        ("transformer.blocks", 10**9),
        ("transformer.width", 10**9),
        ("transformer.width", "64"),
        ("transformer.unknown", 1),
        ("transformer.scale_count", 2),
        ("tokenizer.bits", 16),
        ("tokenizer.multipliers", None),
        ("tokenizer.blocks_per_level", 10**9),
        ("tokenizer.patch", 1000),
        ("text.config", None),
        ("text.config.num_layers", 10**9),
        ("text.config.num_layers", 1e9),
        ("text.config.num_layers", "1000000000"),
        ("text.config.vocab_size", 10**12),
        ("content.config.block_out_channels", [8] * 10_000),
        ("semantic.input_size", 0),
        ("defaults.top_p", 2),
        ("defaults.prompt_strength", [1, "x"]),
        ("defaults.unknown", 1),
        ("files:text/weights.safetensors:sha256", "abc"),
        ("files:text/weights.safetensors:size", -1),
        ("files", {}),
        ("examples.0.image", "../../secret.png"),
        ("examples.0.image", "examples/none.png"),
        ("examples.0.seed", -1),
        ("language.scenes.0.thumb", "/etc/passwd"),
        ("language.words", [1]),
        ("origins", {"text": {"source": 1, "licence": "MIT"}}),
    ],
)
def test_damage_is_refused(tmp_path, data, path, value):
    with pytest.raises(BundleError, match="damaged"):
        read_manifest(write(tmp_path, put(data, path, value)))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("schedules.0.grids.4", [8, 10**9], "schedules[0].grids[4][1]: expected a whole number <= 256"),
        ("transformer.width", "64", "transformer.width: expected a whole number, got text"),
        ("transformer.unknown", 1, "transformer.unknown is not known"),
        ("tokenizer.base_channels", True, "tokenizer.base_channels: expected a whole number, got true or false"),
        ("defaults.top_p", float("nan"), "defaults.top_p: expected a number >= 0.0"),
        ("name", "../mini", "name is not written as it must be"),
        ("transformer.chunks", 3, "transformer: 2 blocks do not divide into 3 chunks"),
        ("text.config.num_layers", 10**9, "text.config.num_layers is too large"),
    ],
)
def test_damage_is_told_by_its_place(tmp_path, data, path, value, message):
    with pytest.raises(BundleError) as caught:
        read_manifest(write(tmp_path, put(data, path, value)))
    assert caught.value.fact == f"The model's description (bundle.json) is damaged: {message}."


def test_what_is_missing_is_told(tmp_path, data):
    del data["text"]["config"]
    with pytest.raises(BundleError, match=r"damaged: text\.config is missing\."):
        read_manifest(write(tmp_path, data))


def test_a_file_outside_the_folder_is_refused(tmp_path, data):
    data["files"]["../other/weights.safetensors"] = data["files"]["text/weights.safetensors"]
    with pytest.raises(BundleError, match="leads out of the folder"):
        read_manifest(write(tmp_path, data))


def test_a_giant_description_is_not_read(tmp_path):
    with (tmp_path / MANIFEST).open("wb") as stream:
        stream.truncate(100 * 2**20)
    with pytest.raises(BundleError, match="damaged"):
        read_manifest(tmp_path)


def test_reading_needs_no_torch():
    import subprocess
    import sys

    code = "import engine.bundle.manifest, engine.bundle.library, sys; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
