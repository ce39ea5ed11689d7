"""The published files for the misbehaving hub of these tests: those of the rehearsal, and the networks of the pre-flight."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from engine.bench.published_set import NARROW_2B, published_set
from engine.model.config import TransformerConfig
from engine.weights.catalogue import PARTS
from tests.engine.weights.hub_server import Repository

OPEN_VAE = "Tongyi-MAI/Z-Image-Turbo"


def repositories(network: TransformerConfig = NARROW_2B, training: bool = False) -> dict[str, Repository]:
    """Every repository of the catalogue's ``echogen-2b``, with a transformer of these sizes."""
    return {
        name: Repository(dict(found.files), found.licence, found.gated, found.git_only)
        for name, found in published_set(network, training).items()
    }


def expect_small_vae(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue pins the hash of the real autoencoder; here it is that of the small one."""
    name = "diffusion_pytorch_model.safetensors"
    content = published_set()[OPEN_VAE].files[f"vae/{name}"]
    pinned = ((name, hashlib.sha256(content).hexdigest()),)
    monkeypatch.setitem(PARTS, "flux-vae", replace(PARTS["flux-vae"], pinned=pinned))


@cache
def helper_repositories() -> dict[str, Repository]:
    """The networks of the pre-flight, random and small, as their publishers lay them out."""
    from tests.engine.preflight.tiny_parts import save_grounding, save_naming, save_sam_video

    made = {}
    for repository, save_small in (
        ("IDEA-Research/grounding-dino-tiny", save_grounding),
        ("facebook/sam2.1-hiera-small", save_sam_video),
        ("Qwen/Qwen2.5-VL-7B-Instruct", save_naming),
    ):
        with tempfile.TemporaryDirectory() as place:
            save_small(Path(place))
            made[repository] = Repository({file.name: file.read_bytes() for file in sorted(Path(place).iterdir())})
    return made
