"""The networks of the papers' measures: which files are taken, and that the window does not offer them."""

from __future__ import annotations

import pytest

from engine.weights.catalogue import MODELS, PARTS, chosen_parts
from engine.weights.store import ModelStore


@pytest.mark.parametrize("weights", [["model.safetensors"], ["pytorch_model.bin"]])
def test_weights_of_either_kind_are_taken_and_no_other_library_s(weights):
    others = ["tf_model.h5", "flax_model.msgpack", "README.md"]
    there = ["config.json", "preprocessor_config.json", "tokenizer.json", "vocab.json", "merges.txt", *weights, *others]
    clip = PARTS["clip-vit-b32"]
    assert clip.missing(there) == [] and clip.missing(["config.json", *others]) == ["*model.[bs]*", "tokenizer.json"]
    assert [name for name in there if not clip.wants(name)] == others
    assert PARTS["dino-vits16"].missing(["config.json", *weights]) == []


def test_only_the_command_line_offers_them(tmp_path, monkeypatch):
    monkeypatch.setenv("ECHOGEN_MODELS", str(tmp_path))
    store = ModelStore()
    own = {"evaluation", "evaluation-plus"}
    assert own <= {state.name for state in store.models(everything=True)}
    assert not own & {state.name for state in store.models()}
    assert [part.role for name in own for part in chosen_parts(MODELS[name])] == ["evaluation"] * 4
