"""Layouts of published checkpoints: whatever the reference's own loader reads is read, and nothing in it is run."""

from __future__ import annotations

import argparse
import json
import logging
import pathlib
import shutil
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engine.bundle import published_files
from engine.bundle.checkpoint_layout import entries, find_weights
from engine.bundle.converter import PublishedParts, convert_bundle, transformer_config
from engine.bundle.loader import load_bundle
from engine.bundle.published_files import TRANSFORMER, Checkpoint
from engine.cli import main
from engine.errors import BundleError, DoesNotFit
from engine.tokenizer.keys import config_from_shapes
from tests.engine.bundle.published_files import GOLDEN, SCHEDULE, write_published

State = dict[str, torch.Tensor]
CONSTANT = "zero_k_bias"


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> PublishedParts:
    return write_published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def transformer() -> State:
    return load_file(GOLDEN / "tiny_a" / "weights.safetensors")


@pytest.fixture(scope="module")
def tokenizer() -> State:
    return load_file(GOLDEN / "tiny_vae" / "weights.safetensors")


@pytest.fixture(scope="module")
def identity(published, tmp_path_factory) -> str:
    """Of the bundle that the plain files give."""
    out = tmp_path_factory.mktemp("plain") / "out"
    return convert_bundle(published, out, name="tiny", schedules=[SCHEDULE]).identity


def dump(state: State) -> dict[str, Any]:
    """All of a training, as its CKPTSaver writes it."""
    other = {name: tensor + 1 for name, tensor in state.items()}
    return {
        "args": argparse.Namespace(model="2b", seed=np.int64(3), lr=np.float32(1e-4), where=pathlib.Path("runs")),
        "gpt_training": True,
        "arch": "infinity_2b",
        "epoch": 3,
        "iter": np.int64(70_000),
        "trainer": {
            "gpt_fsdp_ema": other,
            "gpt_fsdp": state,
            "gpt_fsdp_opt": {"state": {0: {"exp_avg": torch.zeros(3)}}, "dtype": np.dtype("float32")},
            "history": np.arange(3.0),
        },
        "acc_str": "",
        "milestones": OrderedDict(best=np.float64(0.5)),
    }


BUFFERS = {
    "lvl_1L": torch.zeros(1, 9, dtype=torch.long),
    "attn_bias_for_masking": torch.zeros(1, 1, 2, 2),
    "Infinity_visible_kvlen": torch.zeros(3),
    "Infinity_invisible_qlen": torch.zeros(3),
}

TRANSFORMERS: dict[str, Callable[[State], Any]] = {
    "plain": dict,
    "ordered": OrderedDict,
    "model beside an optimizer": lambda s: {"optimizer": {"step": 3}, "model": s},
    "state_dict": lambda s: {"state_dict": s},
    "module": lambda s: {"module": s},
    "trainer, gpt_fsdp": lambda s: {"trainer": {"gpt_fsdp": s}},
    "trainer, gpt_wo_ddp": lambda s: {"trainer": {"gpt_wo_ddp": s}},
    "trainer, gpt": lambda s: {"trainer": {"gpt": s}},
    "a whole training": dump,
    "averages only": lambda s: {"trainer": {"gpt_ema": s}},
    "buffers the reference pops": lambda s: s | BUFFERS,
    "without constants": lambda s: {name: tensor for name, tensor in s.items() if not name.endswith(CONSTANT)},
    "module. before each name": lambda s: {f"module.{name}": tensor for name, tensor in s.items()},
    "_orig_mod. before each name": lambda s: {f"_orig_mod.module.{name}": tensor for name, tensor in s.items()},
    "a number among the weights": lambda s: s | {"step": 3, "scale": np.float32(2)},
}


@pytest.mark.parametrize("layout", TRANSFORMERS)
def test_layouts_of_the_transformer_that_the_reference_reads(published, transformer, identity, layout, tmp_path):
    torch.save(TRANSFORMERS[layout](transformer), tmp_path / "x.pth")
    found = convert_bundle(
        replace(published, transformer=tmp_path / "x.pth"), tmp_path / "out", name="tiny", schedules=[SCHEDULE]
    )
    assert found.identity == identity


TOKENIZERS: dict[str, Callable[[State], Any]] = {
    "vae": lambda s: {"vae": s},
    "plain": dict,
    "ema": lambda s: {"ema": s},
    "vae before ema": lambda s: {"ema": {name: tensor + 1 for name, tensor in s.items()}, "vae": s},
    "a whole training": lambda s: {
        "args": argparse.Namespace(), "vae": s, "discriminator": {"conv.weight": torch.zeros(3)}, "step": np.int64(4),
    },
    "a weight the reference skips": lambda s: {"vae": s | {"loss.logvar": torch.zeros(1)}},
    "without constants": lambda s: {"vae": {name: tensor for name, tensor in s.items() if "lfq.mask" not in name}},
}  # fmt: skip


@pytest.mark.parametrize("layout", TOKENIZERS)
def test_layouts_of_the_tokenizer_that_the_reference_reads(published, tokenizer, identity, layout, tmp_path):
    torch.save(TOKENIZERS[layout](tokenizer), tmp_path / "x.pth")
    found = convert_bundle(
        replace(published, tokenizer=tmp_path / "x.pth"), tmp_path / "out", name="tiny", schedules=[SCHEDULE]
    )
    assert found.identity == identity


def test_a_prefix_inside_vae_is_refused(published, tokenizer, tmp_path):
    """The reference finds none of its weights there, and goes on with random ones."""
    torch.save({"vae": {f"module.{name}": tensor for name, tensor in tokenizer.items()}}, tmp_path / "x.pth")
    with pytest.raises(DoesNotFit, match=r"x\.pth does not hold the weights of a visual tokenizer: it holds “vae”"):
        convert_bundle(replace(published, tokenizer=tmp_path / "x.pth"), tmp_path / "out", schedules=[SCHEDULE])
    assert not (tmp_path / "out").exists()


class Harmful:
    """Leaves a trace when it is made, and when it is given its state."""

    def __reduce__(self):
        return _leave_trace, ()


def _leave_trace() -> None:
    raise AssertionError("program code of the file was run")


@pytest.mark.parametrize("place", ["args", "beside a namespace", "inside a namespace", "in an array"])
def test_code_is_refused_wherever_it_lies_in_a_dump(published, transformer, tmp_path, place):
    content = dump(transformer)
    match place:
        case "args":
            content["args"] = Harmful()
        case "beside a namespace":
            content["extra"] = Harmful()
        case "inside a namespace":
            content["args"] = argparse.Namespace(hook=Harmful())
        case "in an array":
            content["history"] = np.array([Harmful()], dtype=object)
    torch.save(content, tmp_path / "bad.pth")
    with pytest.raises(BundleError, match=r"bad\.pth holds program code \(.*_leave_trace\)"):
        Checkpoint(tmp_path / "bad.pth", wanted=TRANSFORMER)
    with pytest.raises(AssertionError):
        torch.load(tmp_path / "bad.pth", weights_only=False)


def test_plain_data_is_read_past_without_a_call(tmp_path, transformer):
    """Neither numpy nor argparse is asked for anything: an empty value of our own stands where theirs would."""
    torch.save(dump(transformer), tmp_path / "x.pth")
    before = torch.serialization.get_safe_globals()
    with torch.serialization.safe_globals(published_files._PLAIN_DATA):
        loaded = torch.load(tmp_path / "x.pth", weights_only=True)
    for value in (loaded["args"], loaded["iter"], loaded["trainer"]["history"], loaded["milestones"]["best"]):
        assert type(value) is published_files._Plain and not vars(value)
    assert Checkpoint(tmp_path / "x.pth", wanted=TRANSFORMER).shapes.keys() == transformer.keys()
    assert torch.serialization.get_safe_globals() == before, "the list is only for the one reading"


def test_weights_outside_the_network_are_named_in_the_log(published, transformer, tmp_path, caplog):
    torch.save(transformer | {"teacher.weight": torch.zeros(2)}, tmp_path / "x.pth")
    with caplog.at_level(logging.WARNING):
        convert_bundle(replace(published, transformer=tmp_path / "x.pth"), tmp_path / "out", schedules=[SCHEDULE])
    assert "x.pth holds 1 weights that are not used: teacher.weight" in caplog.text
    assert load_bundle(tmp_path / "out").transformer is not None


# Bad input: one sentence each, and never the advice to fetch a whole file again


def no_echogen(state: State) -> State:
    """Infinity: the same network without the parts for a subject."""
    return {name: tensor for name, tensor in state.items() if "control" not in name}


OTHERS: dict[str, tuple[Callable[[State], Any], str]] = {
    "Infinity": (no_echogen, "does not hold the weights of an EchoGen transformer"),
    "a diffusion model": (
        lambda s: {"state_dict": {"model.diffusion_model.input_blocks.0.weight": torch.zeros(4, 4)}},
        "does not hold the weights of an EchoGen transformer: it holds “state_dict”",
    ),
    "an optimizer": (
        lambda s: {"args": argparse.Namespace(), "trainer": {"gpt_opt": {"state": {}}}, "epoch": 1},
        "does not hold the weights of an EchoGen transformer: it holds “args”, “trainer”, “epoch”",
    ),
    "one weight of another shape": (
        lambda s: s | {"head.weight": torch.zeros(3, 3)},
        r"The weight “head\.weight” of x\.pth has the shape \(3, 3\), which does not fit",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_checkpoint_of_another_model_is_said_in_one_sentence(published, transformer, tmp_path, capsys, other):
    make, sentence = OTHERS[other]
    torch.save(make(transformer), tmp_path / "x.pth")
    with pytest.raises(DoesNotFit, match=sentence) as caught:
        convert_bundle(replace(published, transformer=tmp_path / "x.pth"), tmp_path / "out", schedules=[SCHEDULE])
    assert "again" not in str(caught.value) and "newer version" in caught.value.step
    assert caught.value.found and not any("tensor(" in name for name in caught.value.found)
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]
    words = ["convert", "--transformer", str(tmp_path / "x.pth"), "--out", str(tmp_path / "out")]
    for part in ("tokenizer", "text", "semantic", "content"):
        words += [f"--{part}", str(getattr(published, part))]
    assert main(words) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_a_half_written_dump_is_damaged(published, transformer, tmp_path):
    torch.save(dump(transformer), tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    (tmp_path / "x.pth").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(BundleError, match=r"x\.pth is damaged"):
        convert_bundle(replace(published, transformer=tmp_path / "x.pth"), tmp_path / "out", schedules=[SCHEDULE])


def test_a_safetensors_with_a_huge_header_is_damaged(published, tmp_path):
    bad = tmp_path / "x.safetensors"
    bad.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(BundleError, match=r"x\.safetensors is damaged"):
        convert_bundle(replace(published, transformer=bad), tmp_path / "out", schedules=[SCHEDULE])


@pytest.mark.parametrize("part", ["semantic", "content", "text"])
def test_another_encoder_is_said_before_anything_is_written(published, tmp_path, part):
    """The config of one network beside the weights of another."""
    folder = tmp_path / "wrong"
    folder.mkdir()
    (folder / "config.json").write_bytes((getattr(published, part) / "config.json").read_bytes())
    (folder / "tokenizer.json").write_bytes((published.text / "tokenizer.json").read_bytes())
    save_file({"trunk.weight": torch.zeros(2)}, folder / "model.safetensors")
    with pytest.raises(
        DoesNotFit, match=rf"wrong/model\.safetensors lacks \d+ weights of the {part} encoder"
    ) as caught:
        convert_bundle(replace(published, **{part: folder}), tmp_path / "out", schedules=[SCHEDULE])
    assert caught.value.found == ("trunk.weight",)
    assert not (tmp_path / "out").exists()


def test_a_pickle_that_names_the_same_mappings_over_and_over_is_read_once():
    """A few kilobytes of it would be a billion mappings."""
    inner: dict[str, Any] = {"step": 1}
    for _ in range(3):
        inner = {f"e{index}": inner for index in range(30)}
    assert len(entries(inner)) == 91
    with pytest.raises(DoesNotFit):
        find_weights(inner, TRANSFORMER, "x.pth")


def test_names_cannot_ask_for_a_network_without_end(transformer, tokenizer):
    shapes = {name: tuple(tensor.shape) for name, tensor in transformer.items()}
    shapes["block_chunks.99999999.module.0.sa.proj.bias"] = (1,)
    with pytest.raises(DoesNotFit, match=r"x\.pth does not hold the weights of an EchoGen transformer"):
        transformer_config(shapes, "x.pth")
    shapes = {name: tuple(tensor.shape) for name, tensor in tokenizer.items()}
    shapes |= {f"encoder.down.{level}.block.0.conv1.weight": (8, 8, 3, 3) for level in range(40)}
    with pytest.raises(BundleError, match="does not hold the weights of a visual tokenizer"):
        config_from_shapes(shapes)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("semantic", {"patch_size": "fourteen"}),
        ("semantic", {"patch_size": 0}),
        ("semantic", {"num_hidden_layers": 600}),
        ("text", {"num_layers": "600"}),
        ("content", {"block_out_channels": [8] * 20}),
        ("content", {"block_out_channels": None}),
    ],
)
def test_a_config_that_is_none_is_said(published, tmp_path, part, change):
    folder = tmp_path / part
    shutil.copytree(getattr(published, part), folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | change), encoding="utf-8")
    with pytest.raises(BundleError, match=rf"config\.json of the {part} encoder cannot be used: {next(iter(change))}"):
        convert_bundle(replace(published, **{part: folder}), tmp_path / "out", schedules=[SCHEDULE])
