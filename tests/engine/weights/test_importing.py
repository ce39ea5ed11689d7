"""What a folder of published files is taken for."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from engine.errors import CannotWrite, InputError
from engine.sentence import Sentence
from engine.weights import importing
from engine.weights.catalogue import PARTS
from engine.weights.importing import begun_copy, copy_folder, scan_folder


def naming_model(folder: Path, config: object) -> Path:
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "model.safetensors").touch()
    return folder


@pytest.mark.parametrize(
    ("config", "part"),
    [
        ({"hidden_size": 2048}, "qwen2.5-vl-3b"),
        ({"hidden_size": 3584}, "qwen2.5-vl-7b"),
        ({"text_config": {"hidden_size": 3584}}, "qwen2.5-vl-7b"),
        ({"hidden_size": "wide"}, "qwen2.5-vl-3b"),
        ({"hidden_size": 1e999}, "qwen2.5-vl-3b"),
        ({"text_config": 5}, "qwen2.5-vl-3b"),
        ({}, "qwen2.5-vl-3b"),
    ],
)
def test_its_width_tells_which_naming_model_it_is(tmp_path, config, part):
    found = scan_folder(naming_model(tmp_path, {"model_type": "qwen2_5_vl", **config}))
    assert dict(found.helpers) == {part: tmp_path}


@pytest.mark.parametrize(
    ("config", "parts"),
    [({}, ["swin2sr-x2"]), ({"upscale": 4}, ["swin2sr-x4"]), ({"upscale": 3}, []), ({"upscale": [2]}, [])],
)
def test_its_factor_tells_which_upscaler_it_is(tmp_path, config, parts):
    found = scan_folder(naming_model(tmp_path, {"model_type": "swin2sr", **config}))
    assert [key for key, _ in found.helpers] == [part for part in parts if part in PARTS]


def test_a_helper_without_weights_and_hidden_or_deep_folders_are_passed_over(tmp_path, monkeypatch):
    config = {"model_type": "grounding-dino"}
    for place in (".hidden", "a/b/c/d/e/f/g"):
        (tmp_path / place).mkdir(parents=True)
        naming_model(tmp_path / place, config)
    (tmp_path / "a" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert scan_folder(tmp_path).empty
    naming_model(tmp_path / "a" / "b", config)
    assert not scan_folder(tmp_path).empty
    monkeypatch.setattr(importing, "_MAX_FOLDERS", 2)  # the folder itself and one in it
    assert scan_folder(tmp_path).empty


@pytest.mark.parametrize(
    ("place", "licence"),
    [
        ("hub/models--black-forest-labs--FLUX.1-schnell/vae", "Apache-2.0"),
        ("FLUX.1-dev/vae", PARTS["flux-dev-vae"].licence.name),
        ("Z-Image-Turbo/vae", PARTS["flux-vae"].licence.name),
        ("downloads/vae", "depending on the release"),
    ],
)
def test_the_folders_place_says_whose_autoencoder_it_is(tmp_path, place, licence):
    folders = {name: tmp_path / name for name in ("t5", "dino")}
    folders["vae"] = tmp_path / place
    configs = {"t5": {"model_type": "t5"}, "dino": {"model_type": "dinov2"}, "vae": {"_class_name": "AutoencoderKL"}}
    for name, folder in folders.items():
        folder.mkdir(parents=True)
        naming_model(folder, configs[name])
    (tmp_path / "echogen_2b.pth").touch()
    (tmp_path / "infinity_vae_d32reg.pth").touch()
    ((name, originals),) = scan_folder(tmp_path).originals()
    assert name == "echogen-2b" and originals.content == folders["vae"]
    found = next(entry for entry in originals.origins if entry[0] == "content")
    assert licence in found[2]


def test_copying_replaces_the_folder_as_a_whole_and_a_failure_leaves_the_old_one(tmp_path, monkeypatch):
    source, target = tmp_path / "from", tmp_path / "models" / "part"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "new.bin").write_bytes(b"new")
    (source / "half.bin.part").write_bytes(b"half")
    target.mkdir(parents=True)
    (target / "old.bin").write_bytes(b"old")

    def refused(*_):
        raise OSError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(importing.os, "fsync", refused)
        with pytest.raises(CannotWrite, match="Permission denied"):
            copy_folder(source, target)
    assert [path.name for path in target.parent.rglob("*")] == ["part", "old.bin"]
    move = Path.replace
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", lambda path, to: refused() if path.suffix == ".copy" else move(path, to))
        with pytest.raises(CannotWrite, match="Permission denied"):
            copy_folder(source, target)
    assert [path.name for path in target.parent.rglob("*")] == ["part", "old.bin"]
    told = []
    copy_folder(source, target, lambda done, total: told.append((done, total)))
    assert told == [(3, 3)] and [path.name for path in target.rglob("*.bin")] == ["new.bin"]
    assert [path.name for path in target.parent.iterdir()] == ["part"]


def test_what_a_killed_import_left_goes_with_the_next_one(tmp_path):
    """The files of a model, 13 GB perhaps, in a folder that nobody sees."""
    source, target = tmp_path / "from", tmp_path / "models" / "part"
    for folder in (source, begun_copy(target)):
        folder.mkdir(parents=True)
        (folder / f"{folder.parent.name}.bin").write_bytes(b"w")
    copy_folder(source, target)
    assert [path.name for path in target.parent.rglob("*")] == ["part", f"{tmp_path.name}.bin"]


@pytest.mark.parametrize("config", [[], "x", None])
def test_a_config_that_is_none_is_passed_over(tmp_path, config):
    assert scan_folder(naming_model(tmp_path, config)).empty


def test_what_is_missing_of_a_model_is_named_by_sentences_that_can_be_translated(tmp_path):
    (tmp_path / "echogen_2b.pth").touch()
    with pytest.raises(InputError) as caught:
        scan_folder(tmp_path).originals()
    assert caught.value.fact == (
        "echogen_2b.pth is there, but the visual tokenizer (infinity_vae_d32reg.pth), the text encoder (a folder of "
        "flan-t5-xl), the semantic encoder (a folder of dinov2-base) and the content encoder (the folder “vae” of FLUX.1) "
        "are not."
    )
    assert isinstance(caught.value.fact.values["missing"], Sentence)
    (tmp_path / "infinity_vae_d32reg.pth").touch()
    for name, config in (("t5", {"model_type": "t5"}), ("dino", {"model_type": "dinov2"})):
        (tmp_path / name).mkdir()
        naming_model(tmp_path / name, config)
    with pytest.raises(InputError, match=r"but the content encoder \(the folder “vae” of FLUX\.1\) is not\."):
        scan_folder(tmp_path).originals()
