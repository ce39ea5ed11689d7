"""Random bundles have what the bundles have that they stand for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.bench import random_bundle
from engine.tokenizer import preview


def test_one_of_published_sizes_has_no_map_for_previews_as_a_converted_one_has_none(tmp_path: Path, monkeypatch):
    """With a map its previews would cost next to nothing, and a bench would say so of a model that decodes each of them."""
    tiny = random_bundle.CONFIGS["tiny"]()
    monkeypatch.setitem(random_bundle.CONFIGS, "published", lambda: replace(tiny, small_language=False))
    for config, has_map in (("tiny", True), ("published", False)):
        manifest = random_bundle.make_random_bundle(tmp_path / config, config)
        assert (preview.FILE in manifest.files) == (tmp_path / config / preview.FILE).is_file() == has_map
    assert random_bundle.CONFIGS["echogen-125m"]().small_language is False
