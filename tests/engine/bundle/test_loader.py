"""Opening bundles: every kind of damage is said in words; nothing is copied that need not be."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from engine.bundle.loader import PartPlacement, check_files, keeps_float32, load_bundle
from engine.bundle.manifest import MANIFEST, PARTS, BundleManifest, read_manifest
from engine.bundle.records import BundleFile
from engine.bundle.writer import BundleWriter, write_bundle
from engine.errors import BundleError, CannotWrite

WEIGHTS = "transformer/weights.safetensors"


@pytest.fixture
def bundle(tiny_bundle, tmp_path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(tiny_bundle, tmp_path / "copy"))


def states(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    return {part: load_file(folder / part / "weights.safetensors") for part in PARTS}


def test_it_opens(tiny_bundle):
    told: list[float] = []
    opened = load_bundle(tiny_bundle, on_progress=lambda fraction, text: told.append(fraction))
    assert told == sorted(told) and told[0] == 0.0 and told[-1] == 1.0
    assert not any(p.requires_grad for p in opened.transformer.parameters())
    assert not hasattr(opened.tokenizer, "encoder"), "the tokenizer's encoder is not needed to draw"
    pixels = load_bundle(tiny_bundle, tokenizer_encoder=True).tokenizer.encode(torch.zeros(1, 3, 64, 64))
    assert pixels.shape == (1, 8, 8, 8)


def test_half_precision_weights_become_float32_on_a_cpu(tiny_bundle, tmp_path):
    manifest, weights = read_manifest(tiny_bundle), states(tiny_bundle)
    files = {"text/tokenizer.json": tiny_bundle / "text" / "tokenizer.json"}
    half = replace(manifest, examples=())
    written = write_bundle(tmp_path / "half", half, weights, files, dtype=torch.float16)
    assert written.nbytes < 0.6 * manifest.nbytes
    net = load_bundle(tmp_path / "half").transformer
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    for name, tensor in net.state_dict().items():
        assert torch.equal(tensor, weights["transformer"][name].half().float())


def test_half_placement_keeps_float32_where_the_published_program_does(tiny_bundle):
    net = load_bundle(tiny_bundle, {"transformer": PartPlacement(dtype=torch.bfloat16)}).transformer
    for name, tensor in net.state_dict().items():
        assert tensor.dtype == (torch.float32 if keeps_float32("transformer", name) else torch.bfloat16), name
    assert keeps_float32("transformer", "head.weight") and not keeps_float32("transformer", "blocks.0.image.qkv")
    assert not keeps_float32("tokenizer", "decoder.input.weight")


def test_weights_that_wait_elsewhere(tiny_bundle):
    placement = PartPlacement("meta", on_cpu=r"blocks\.\d+\.content\.")
    net = load_bundle(tiny_bundle, {"transformer": placement}).transformer
    for name, tensor in net.state_dict().items():
        assert tensor.device.type == ("cpu" if ".content." in name and name.startswith("blocks") else "meta"), name


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux says what is mapped")
def test_float32_weights_are_mapped_not_copied(tiny_bundle):
    """What the network computes with lies in the mapping of the file."""
    net = load_bundle(tiny_bundle).transformer
    lines = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(WEIGHTS)]
    ranges = [[int(end, 16) for end in line.split()[0].split("-")] for line in lines]
    pointer = net.blocks[0].image.qkv.data_ptr()
    assert any(start <= pointer < end for start, end in ranges)


def refused(folder: Path, words: str) -> BundleError:
    with pytest.raises(BundleError, match=words) as caught:
        load_bundle(folder)
    assert caught.value.step and caught.value.exit_code == 3
    return caught.value


def test_a_missing_file(bundle):
    (bundle / WEIGHTS).unlink()
    refused(bundle, f"incomplete: {WEIGHTS} is missing")


def test_a_cut_file(bundle):
    with (bundle / WEIGHTS).open("rb+") as stream:
        stream.truncate(1000)
    refused(bundle, f"damaged: {WEIGHTS} has 1000 bytes instead of")


def relabel(folder: Path, name: str) -> None:
    """Make the manifest say that the file as it now is be right."""
    data = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    entry = BundleFile.of(folder / name)
    data["files"][name] = {"size": entry.size, "sha256": entry.sha256}
    (folder / MANIFEST).write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize("size", [0, 7, 1000])
def test_a_cut_file_whose_size_was_adjusted_still_has_no_sound_header(bundle, size):
    with (bundle / WEIGHTS).open("rb+") as stream:
        stream.truncate(size)
    relabel(bundle, WEIGHTS)
    refused(bundle, f"damaged: {WEIGHTS} is no sound weights file")


def test_a_header_that_lies(bundle):
    raw = (bundle / WEIGHTS).read_bytes()
    (bundle / WEIGHTS).write_bytes((2**62).to_bytes(8, "little") + raw[8:])
    relabel(bundle, WEIGHTS)
    refused(bundle, "no sound weights file")


def test_a_changed_byte_is_found_by_its_hash(bundle):
    with (bundle / WEIGHTS).open("rb+") as stream:
        stream.seek(-1, os.SEEK_END)
        last = stream.read(1)
        stream.seek(-1, os.SEEK_END)
        stream.write(bytes([last[0] ^ 1]))
    refused(bundle, r"the content of transformer/weights\.safetensors is not what it was")
    with pytest.raises(BundleError, match="SHA-256"):
        check_files(bundle, read_manifest(bundle), hashes=True)


def test_large_bundles_are_opened_by_sizes_and_headers(bundle, monkeypatch):
    hashed: list[Path] = []
    original = BundleFile.of
    monkeypatch.setattr(BundleFile, "of", lambda path: hashed.append(path) or original(path))
    monkeypatch.setattr("engine.bundle.loader.SMALL_BYTES", 1000)
    load_bundle(bundle)
    assert not hashed
    check_files(bundle, read_manifest(bundle), hashes=True)
    assert len(hashed) == len(read_manifest(bundle).files)


@pytest.mark.skipif(not hasattr(os, "symlink") or os.name == "nt", reason="links need rights on Windows")
def test_a_link_out_of_the_folder_is_refused(bundle, tmp_path):
    outside = tmp_path / "outside.safetensors"
    shutil.move(bundle / WEIGHTS, outside)
    (bundle / WEIGHTS).symlink_to(outside)
    refused(bundle, f"refused: {WEIGHTS} leads out of its folder")


def rewrite(folder: Path, target: Path, **changes) -> Path:
    """The bundle written again with other weights or another manifest."""
    weights = {**states(folder), **changes.pop("weights", {})}
    manifest = replace(read_manifest(folder), examples=(), **changes)
    write_bundle(target, manifest, weights, {"text/tokenizer.json": folder / "text" / "tokenizer.json"})
    return target


def test_weights_that_do_not_fit_the_description(tiny_bundle, tmp_path):
    state = states(tiny_bundle)["transformer"]
    del state["head.bias"]
    folder = rewrite(tiny_bundle, tmp_path / "a", weights={"transformer": state})
    refused(folder, "transformer of this model lacks weights, the first “head.bias”")
    state["head.bias"] = torch.zeros(3)
    refused(rewrite(tiny_bundle, tmp_path / "b", weights={"transformer": state}), "has the shape")
    config = replace(read_manifest(tiny_bundle).text, config={"d_model": "x"})
    refused(rewrite(tiny_bundle, tmp_path / "c", text=config), "cannot be built from its description")


def test_parts_that_do_not_fit_each_other(tiny_bundle, tmp_path):
    manifest = read_manifest(tiny_bundle)
    semantic = replace(manifest.semantic, input_size=84)
    refused(rewrite(tiny_bundle, tmp_path / "a", semantic=semantic), "semantic encoder of this model does not fit")
    content = replace(manifest.content, input_size=64)
    refused(rewrite(tiny_bundle, tmp_path / "b", content=content), "content encoder of this model does not fit")


def test_the_same_weight_in_two_files(tiny_bundle, tmp_path):
    weights = states(tiny_bundle)
    with BundleWriter(tmp_path / "twice") as writer:
        for part in PARTS:
            writer.add_weights(part, weights[part].items())
        copy = (tiny_bundle / WEIGHTS).read_bytes()
        writer.add_file("transformer/more.safetensors", copy)
        writer.add_file("text/tokenizer.json", tiny_bundle / "text" / "tokenizer.json")
        writer.finish(replace(read_manifest(tiny_bundle), examples=()))
    refused(tmp_path / "twice", "twice")


def test_large_parts_are_split_and_read_together(tiny_bundle, tmp_path):
    weights = states(tiny_bundle)
    with BundleWriter(tmp_path / "split") as writer:
        for part in PARTS:
            writer.add_weights(part, weights[part].items(), shard_bytes=300_000)
        writer.add_file("text/tokenizer.json", tiny_bundle / "text" / "tokenizer.json")
        manifest = writer.finish(replace(read_manifest(tiny_bundle), examples=()))
    shards = manifest.weight_files("transformer")
    assert len(shards) > 3 and manifest.weight_files("text") == ("text/weights.safetensors",)
    assert all(manifest.files[name].size < 310_000 for name in shards)
    state = load_bundle(tmp_path / "split").transformer.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in weights["transformer"].items())


def test_views_of_one_tensor_are_written_at_their_own_size(tiny_bundle, tmp_path):
    weights = states(tiny_bundle)
    big = torch.arange(2.0 * 64).reshape(2, 64)
    weights["transformer"]["text_start"], weights["transformer"]["subject_start"] = big[0], big[1]
    manifest = replace(read_manifest(tiny_bundle), examples=())
    files = {"text/tokenizer.json": tiny_bundle / "text" / "tokenizer.json"}
    write_bundle(tmp_path / "views", manifest, weights, files)
    assert load_bundle(tmp_path / "views").transformer.subject_start.tolist() == big[1].tolist()


# Writing


def test_a_failed_writing_leaves_nothing_behind(tiny_bundle, tmp_path):
    with pytest.raises(ZeroDivisionError), BundleWriter(tmp_path / "new") as writer:
        writer.add_weights("text", states(tiny_bundle)["text"].items())
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_an_old_bundle_stays_until_the_new_one_is_complete(bundle, tiny_bundle):
    before = read_manifest(bundle)
    with pytest.raises(ZeroDivisionError), BundleWriter(bundle):
        raise ZeroDivisionError
    assert read_manifest(bundle) == before
    (bundle / "stray.txt").write_text("x")
    rewrite(tiny_bundle, bundle, title="New")
    assert read_manifest(bundle).title == "New" and not (bundle / "stray.txt").exists()
    assert [path.name for path in bundle.parent.iterdir()] == ["copy"]


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "dog.jpg").write_text("woof")
    with pytest.raises(CannotWrite, match="holds something else"):
        BundleWriter(tmp_path / "photos")
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite):
        BundleWriter(tmp_path / "file")


def test_a_manifest_that_does_not_fit_is_not_written(tiny_bundle, tmp_path):
    manifest: BundleManifest = read_manifest(tiny_bundle)
    with pytest.raises(BundleError, match=r"examples/ball\.png"):
        write_bundle(tmp_path / "x", manifest, states(tiny_bundle), {})
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_is_said(tiny_bundle, tmp_path, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("engine.bundle.writer.save_file", full)
    with pytest.raises(CannotWrite) as caught:
        rewrite(tiny_bundle, tmp_path / "x")
    assert caught.value.title == "The disk is full" and caught.value.exit_code == 6
    assert not list(tmp_path.iterdir())


def test_progress_of_a_check(tiny_bundle):
    told: list[float] = []
    check_files(tiny_bundle, read_manifest(tiny_bundle), hashes=True, on_progress=lambda f, _: told.append(f))
    assert told == sorted(told) and told[-1] == 1.0
