"""The names of encoders' weights: every spelling comes to ours, and a bundle outlives a library that renames."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.models.dinov2 import Dinov2Config, Dinov2Model
from transformers.models.t5 import T5Config, T5EncoderModel, T5ForConditionalGeneration

from engine.bundle.converter import convert_bundle
from engine.bundle.library import shipped_folder
from engine.bundle.loader import load_bundle
from engine.bundle.manifest import read_manifest
from engine.bundle.published import CONTENT, SEMANTIC, TEXT
from engine.encoders.dinov2 import Dinov2
from engine.encoders.latent import LatentEncoder
from engine.encoders.names import ENCODERS, own_name, under_library_names
from engine.encoders.semantic import SemanticEncoder
from engine.encoders.t5 import T5Encoder
from engine.errors import BundleError
from tests.engine.bundle.published_files import SCHEDULE, write_published

NARROW = {
    "text": {**TEXT, "d_model": 16, "d_kv": 4, "d_ff": 8, "num_heads": 2, "vocab_size": 40, "num_decoder_layers": 1},
    "semantic": {**SEMANTIC, "hidden_size": 16, "num_attention_heads": 2},
    "content": {**CONTENT, "block_out_channels": [8, 8, 16, 16], "norm_num_groups": 4},
}
"""The published networks at their real depth, narrow."""


def published(part: str) -> nn.Module:
    config = NARROW[part]
    if part == "text":
        return T5ForConditionalGeneration(T5Config(**config))
    return Dinov2Model(Dinov2Config(**config)) if part == "semantic" else AutoencoderKL(**config)


def in_memory(part: str) -> nn.Module:
    """The network as it is used here."""
    return {"text": T5Encoder, "semantic": Dinov2, "content": LatentEncoder}[part](NARROW[part])


@pytest.mark.parametrize("part", ENCODERS)
def test_the_librarys_file_and_its_class_come_to_the_same_names(part, tmp_path):
    module = published(part)
    module.save_pretrained(tmp_path)
    with safe_open(next(tmp_path.glob("*.safetensors")), "pt") as file:
        written = {own_name(part, name) for name in file.keys()}  # noqa: SIM118 - not a dict
    used = set(in_memory(part).state_dict())
    assert used <= written <= used | {own_name(part, name) for name in module.state_dict()}
    assert {own_name(part, name) for name in used} == used, "a name of our own is changed again"


def test_dinos_file_and_class_do_differ(tmp_path):
    """Otherwise the tests here would show nothing."""
    module = published("semantic")
    module.save_pretrained(tmp_path)
    with safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert "encoder.layer.0.attention.attention.query.weight" in file.keys()  # noqa: SIM118 - not a dict
    assert "encoder.layer.0.attention.q_proj.weight" in module.state_dict()


@pytest.fixture(scope="module")
def converted(tmp_path_factory) -> tuple[Path, Path]:
    """The libraries' own folders, and the bundle made from them."""
    folder = tmp_path_factory.mktemp("published")
    out = tmp_path_factory.mktemp("out") / "tiny"
    convert_bundle(write_published(folder), out, name="tiny", schedules=[SCHEDULE])
    return folder, out


@pytest.mark.parametrize(("part", "name"), [("text", "t5"), ("semantic", "dino"), ("content", "flux")])
def test_three_of_three_published_encoders_open_with_the_numbers_their_library_reads(converted, part, name):
    folder, out = converted
    ours = getattr(load_bundle(out), part).model
    kinds = {"text": T5EncoderModel, "semantic": Dinov2Model, "content": AutoencoderKL}
    # T5 as the published program loads it: in float16, of which the library itself exempts one layer.
    read = (
        kinds[part].from_pretrained(folder / name, torch_dtype=torch.float16 if part == "text" else None).state_dict()
    )
    wide = {key for key, tensor in read.items() if part == "text" and tensor.dtype == torch.float32}
    assert all(key.endswith("wo.weight") for key in wide) and bool(wide) == (part == "text")
    theirs = {own_name(part, key): tensor for key, tensor in read.items()}
    state = ours.state_dict()
    assert len(state) > 10
    for key, tensor in state.items():
        if key != "positions":  # resampled when it is opened
            assert torch.equal(tensor, theirs[key].float()), key


def test_a_bundle_of_format_1_opens(converted, tmp_path):
    """Bundles made before had the names of transformers 5.24 and diffusers 0.42 in memory."""
    _, out = converted
    old = tmp_path / "old"
    bundle, manifest = load_bundle(out), json.loads((out / "bundle.json").read_text())
    for name, entry in manifest["files"].items():
        (old / name).parent.mkdir(parents=True, exist_ok=True)
        part = name.partition("/")[0]
        if part in ENCODERS and name.endswith(".safetensors"):
            kinds = {
                "text": lambda config: T5EncoderModel(T5Config(**config)),
                "semantic": lambda config: Dinov2Model(Dinov2Config(**config)),
                "content": lambda config: AutoencoderKL(**config),
            }
            with torch.device("meta"):
                module = kinds[part](manifest[part]["config"])
            names = [key for key in module.state_dict() if key != "encoder.embed_tokens.weight"]
            state = under_library_names(part, load_file(out / name), names)
            assert len(state) == len(load_file(out / name))
            save_file({key: tensor.contiguous() for key, tensor in state.items()}, old / name)
        else:
            (old / name).write_bytes((out / name).read_bytes())
        entry |= {"size": (old / name).stat().st_size, "sha256": _sha256(old / name)}
    (old / "bundle.json").write_text(json.dumps({**manifest, "format": 1}))
    assert read_manifest(old).format == 1 and read_manifest(out).format == 2
    opened = load_bundle(old)
    for part in ENCODERS:
        expected = getattr(bundle, part).model.state_dict()
        found = getattr(opened, part).model.state_dict()
        assert found.keys() == expected.keys() and all(torch.equal(found[key], expected[key]) for key in expected)


def test_what_ships_opens():
    bundle = load_bundle(shipped_folder() / "mini")
    assert bundle.text.encode("a robot").features.isfinite().all()


def test_a_missing_weight_is_named():
    stored = {own_name("semantic", name): tensor for name, tensor in published("semantic").state_dict().items()}
    del stored["blocks.3.attention.query.weight"]
    with pytest.raises(BundleError, match=r"lacks weights, the first “blocks\.3\.attention\.query\.weight”"):
        SemanticEncoder.from_config(NARROW["semantic"], stored, 56)


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
