"""Published files to a bundle: the same numbers come out, and nothing hostile gets in."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from engine.bundle import published_files
from engine.bundle.converter import PublishedParts, _transformer, convert_bundle, transformer_config
from engine.bundle.loader import load_bundle
from engine.bundle.writer import SHARD_BYTES, BundleWriter
from engine.cli import main
from engine.encoders.names import ENCODERS, own_name
from engine.errors import BundleError, Cancelled, CannotWrite, DoesNotFit, InputError
from engine.tokenizer import preview
from engine.tokenizer.autoencoder import to_uint8
from engine.tokenizer.quantizer import MultiScaleQuantizer, add_scale
from tests.engine.bundle.published_files import GOLDEN, SCHEDULE, write_published
from tests.parity.published import transformer_weights


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> PublishedParts:
    return write_published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def converted(published: PublishedParts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out") / "tiny"
    convert_bundle(published, folder, name="tiny", title="Tiny", schedules=[SCHEDULE])
    return folder


def files(parts: PublishedParts, out: Path) -> list[str]:
    """The command line that converts these parts."""
    words = ["convert", "--out", str(out)]
    for name in ("transformer", "tokenizer", "text", "semantic", "content"):
        words += [f"--{name}", str(getattr(parts, name))]
    return words


def test_every_live_weight_arrives_as_published(converted):
    bundle = load_bundle(converted)
    ours = bundle.transformer.state_dict()
    golden = load_file(GOLDEN / "tiny_a" / "weights.safetensors")
    expected = transformer_weights(bundle.manifest.transformer, golden)
    assert ours.keys() == expected.keys()
    for name, tensor in expected.items():
        halved = name.startswith("blocks.")
        assert torch.equal(ours[name], tensor.bfloat16().float() if halved else tensor), name


def test_the_description_is_read_off_the_files(converted):
    manifest = load_bundle(converted).manifest
    assert manifest.transformer.heads == 2 and manifest.transformer.blocks == 4 and manifest.transformer.chunks == 2
    assert manifest.tokenizer.bits == 8 and manifest.tokenizer.multipliers == (1, 1, 1, 2, 2)
    assert manifest.semantic.input_size == 56 and manifest.reference_size == 32
    assert manifest.origins["content"].source == "black-forest-labs/FLUX.1-schnell"
    assert manifest.licence == "black-forest-labs/FLUX.1-schnell: Apache-2.0"


def test_previews_have_a_map_that_was_fitted_to_this_tokenizer(converted, monkeypatch):
    """Nothing is decoded for a preview, and its colours are near those of the decoder."""
    bundle = load_bundle(converted, tokenizer_encoder=True)
    config = bundle.manifest.tokenizer
    assert preview.FILE in bundle.manifest.files
    shown = preview.Preview.of_bundle(bundle.tokenizer, bundle.manifest.tokenizer, converted)
    picture = preview.painted_picture(SCHEDULE.size, torch.Generator().manual_seed(77))
    labels = MultiScaleQuantizer(config)(bundle.tokenizer.encode(picture[None]), SCHEDULE.grids).labels
    summed = torch.zeros(1, config.bits, *SCHEDULE.grids[-1])
    for scale, bits in enumerate(labels):
        summed = add_scale(summed, bits, config, scale)
    painted = to_uint8(bundle.tokenizer.decode(summed))[0].numpy().astype(float)
    monkeypatch.setattr(bundle.tokenizer, "decode", None)
    difference = shown(summed, len(labels) - 1).astype(float).mean((0, 1)) - painted.mean((0, 1))
    assert np.abs(difference).max() < 8


def test_a_conversion_can_be_stopped_while_previews_are_fitted(published, tmp_path):
    told: list[str] = []

    class InTheFit:
        def is_set(self) -> bool:
            return told.count("Fitting the previews") > 3

    with pytest.raises(Cancelled):
        convert_bundle(
            published,
            tmp_path / "out",
            schedules=[SCHEDULE],
            on_progress=lambda fraction, text: told.append(text),
            cancel=InTheFit(),
        )
    assert told.count("Fitting the previews") == 4 and not (tmp_path / "out").exists()


def test_what_is_not_needed_is_left_behind(converted):
    names = set()
    for part in ENCODERS:
        for path in (converted / part).glob("*.safetensors"):
            with safe_open(path, "pt") as file:
                names |= {(part, name) for name in file.keys()}  # noqa: SIM118 - not a dict
    assert not [name for part, name in names if name.startswith(("decoder.", "lm_head."))]
    assert ("text", "words.weight") in names and ("content", "input.weight") in names
    assert all(own_name(part, name) == name for part, name in names)


def test_old_pickles_and_safetensors_give_the_same_bundle(published, converted, tmp_path):
    old = tmp_path / "old.pth"
    torch.save(torch.load(published.transformer), old, _use_new_zipfile_serialization=False)
    again = replace(published, transformer=old, tokenizer=GOLDEN / "tiny_vae" / "weights.safetensors")
    convert_bundle(again, tmp_path / "out", name="tiny", schedules=[SCHEDULE])
    assert load_bundle(tmp_path / "out").manifest.identity == load_bundle(converted).manifest.identity


def test_reading_in_pieces_changes_nothing(published, monkeypatch):
    monkeypatch.setattr(published_files, "_REOPEN_BYTES", 500_000)
    checkpoint = published_files.Checkpoint(published.transformer)
    golden = load_file(GOLDEN / "tiny_a" / "weights.safetensors")
    count = 0
    for name, tensor in checkpoint.tensors(golden):
        assert torch.equal(tensor, golden[name])
        count += 1
    assert count == len(golden)


class Bomb:
    """Runs a command when it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.mkdir, (str(self.trace),)


@pytest.mark.parametrize("form", ["zip", "old", "plain pickle"])
def test_a_pickle_with_code_is_refused_and_nothing_runs(published, tmp_path, capsys, form):
    trace, bad = tmp_path / "ran", tmp_path / "bad.pth"
    state = {"word_embed.weight": torch.zeros(2), "x": Bomb(trace)}
    if form == "plain pickle":
        bad.write_bytes(pickle.dumps(state))
    else:
        torch.save(state, bad, _use_new_zipfile_serialization=form == "zip")
    out = tmp_path / "out"
    assert main(files(replace(published, transformer=bad), out)) == 3
    output = capsys.readouterr().err
    assert "bad.pth holds program code" in output and "nothing in it was run" in output
    assert not trace.exists() and not out.exists()


def test_the_bomb_of_the_test_above_would_go_off(tmp_path):
    torch.save({"x": Bomb(tmp_path / "ran")}, tmp_path / "bad.pth")
    torch.load(tmp_path / "bad.pth", weights_only=False)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "no weights", "packed"])
def test_damaged_checkpoints_are_said(published, tmp_path, damage):
    bad = tmp_path / "bad.pth"
    whole = published.transformer.read_bytes()
    match damage:
        case "cut":
            bad.write_bytes(whole[: len(whole) // 2])
        case "empty":
            bad.write_bytes(b"")
        case "text":
            bad.write_text("404: not found")
        case "no weights":
            torch.save({"epoch": 3}, bad)
        case "packed":
            with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as file:
                file.writestr("archive/data.pkl", b"\x80\x02}q\x00.")
    with pytest.raises(BundleError, match=r"bad\.pth (is damaged|does not hold)"):
        convert_bundle(replace(published, transformer=bad), tmp_path / "out", schedules=[SCHEDULE])
    assert not (tmp_path / "out").exists()


def test_a_checkpoint_of_something_else_is_said(published, tmp_path):
    with pytest.raises(
        DoesNotFit, match=r"vae\.pth does not hold the weights of an EchoGen transformer: it holds “vae”"
    ):
        convert_bundle(replace(published, transformer=published.tokenizer), tmp_path / "out")
    with pytest.raises(DoesNotFit, match="visual tokenizer") as caught:
        convert_bundle(replace(published, tokenizer=published.transformer), tmp_path / "out", schedules=[SCHEDULE])
    # A whole file is not to be fetched again; what is in it goes into a report.
    assert "again" not in str(caught.value) and "newer version" in caught.value.step
    assert "block_chunks.0.module.0.ffn.fc1.weight" in caught.value.found


def test_missing_weights_are_named_before_anything_is_written(published, tmp_path):
    state = torch.load(published.transformer)
    del state["head.bias"]
    torch.save(state, tmp_path / "x.pth")
    with pytest.raises(DoesNotFit, match=r"x\.pth lacks 1 weights of an EchoGen transformer, the first “head\.bias”"):
        convert_bundle(replace(published, transformer=tmp_path / "x.pth"), tmp_path / "out", schedules=[SCHEDULE])
    assert not list(tmp_path.glob("*out*"))


def test_a_constant_that_is_not_zero_is_refused(published, tmp_path):
    state = torch.load(published.transformer)
    name = next(name for name in state if name.endswith("zero_k_bias"))
    state[name] += 1
    torch.save(state, tmp_path / "bad.pth")
    with pytest.raises(BundleError, match="should be zero"):
        convert_bundle(replace(published, transformer=tmp_path / "bad.pth"), tmp_path / "out", schedules=[SCHEDULE])


def test_missing_files_are_wrong_input(published, tmp_path, capsys):
    assert main(files(replace(published, transformer=tmp_path / "none.pth"), tmp_path / "out")) == 2
    assert "There is no file" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no weights in"):
        convert_bundle(replace(published, semantic=tmp_path / "empty"), tmp_path / "out")


def test_a_size_that_was_never_published_has_to_be_given(published, tmp_path):
    with pytest.raises(BundleError, match="32 pixels a side"):
        convert_bundle(published, tmp_path / "out")


def test_a_full_disk_is_said_before_anything_is_written(published, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda place: type("Usage", (), {"free": 1000})())
    with pytest.raises(CannotWrite, match=r"needs \d+ MB, and .* has 1 KB free"):
        convert_bundle(published, tmp_path / "out", schedules=[SCHEDULE])
    assert not list(tmp_path.iterdir())


def test_cancelling_leaves_nothing(published, tmp_path):
    class Soon:
        count = 0

        def is_set(self) -> bool:
            self.count += 1
            return self.count > 5

    with pytest.raises(Cancelled):
        convert_bundle(published, tmp_path / "out", schedules=[SCHEDULE], cancel=Soon())
    assert not list(tmp_path.iterdir())


def test_progress_goes_up_to_one(published, tmp_path):
    progress: list[tuple[float, str]] = []
    convert_bundle(
        published,
        tmp_path / "o",
        schedules=[SCHEDULE],
        on_progress=lambda fraction, text: progress.append((fraction, text)),
    )
    fractions = [fraction for fraction, _ in progress]
    assert fractions == sorted(fractions) and fractions[-1] > 0.9
    assert "Converting the transformer" in {text for _, text in progress}


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux says what is a process's own memory")
def test_memory_stays_small_however_large_the_file_is(tmp_path):
    """A whole 125M checkpoint, 1.1 GB: less than one file of the bundle and the largest tensor are held at once."""
    folder = tmp_path / "published"
    parts = write_published(folder)
    manifest = json.loads((GOLDEN / "manifest_echogen_125m.json").read_text(encoding="utf-8"))
    torch.save({name: torch.zeros(shape) for name, shape in manifest.items()}, parts.transformer)
    size = parts.transformer.stat().st_size
    start, most = _own_memory(), 0

    def watched(stream):
        nonlocal most
        for item in stream:
            most = max(most, _own_memory())
            yield item

    checkpoint = published_files.Checkpoint(parts.transformer)
    with BundleWriter(tmp_path / "out") as writer:
        writer.add_weights("transformer", watched(_transformer(checkpoint, transformer_config(checkpoint.shapes, "x"))))
        most = max(most, _own_memory())
    assert size > 10**9 and most - start < SHARD_BYTES + 2 * 10**8


def _own_memory() -> int:
    """Bytes of anonymous memory: without the pages of mapped files, which the system takes back as it likes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))
