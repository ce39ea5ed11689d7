"""Random bundles have what the bundles have that they stand for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engine.bench import random_bundle
from engine.tokenizer import preview


def test_all_have_a_map_for_previews_as_trained_and_converted_ones_have(tmp_path: Path, monkeypatch):
    """Without one each preview is decoded, and a bench would say so of a model whose previews cost next to nothing."""
    tiny = random_bundle.CONFIGS["tiny"]()
    monkeypatch.setitem(random_bundle.CONFIGS, "published", lambda: replace(tiny, small_language=False))
    for config in ("tiny", "published"):
        manifest = random_bundle.make_random_bundle(tmp_path / config, config)
        assert preview.FILE in manifest.files
        assert (tmp_path / config / preview.FILE).is_file()
