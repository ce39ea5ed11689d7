"""Manifests of the published models, without files."""

import pytest

from engine.bundle.manifest import BundleManifest
from engine.bundle.published import CONTENT, ECHOGEN_2B, ECHOGEN_125M, SEMANTIC, TEXT, TOKENIZER_D16, TOKENIZER_D32
from engine.bundle.records import EncoderPart
from engine.model.schedules import published_schedules


@pytest.fixture(scope="session")
def large() -> BundleManifest:
    return BundleManifest(
        "echogen-2b", "EchoGen 2B", "MIT", "", published_schedules("1M"), 512, ECHOGEN_2B, TOKENIZER_D32,
        EncoderPart(TEXT), EncoderPart(SEMANTIC, 448), EncoderPart(CONTENT, 512),
    )  # fmt: skip


@pytest.fixture(scope="session")
def small() -> BundleManifest:
    return BundleManifest(
        "echogen-125m", "EchoGen 125M", "MIT", "", published_schedules("0.06M"), 256, ECHOGEN_125M, TOKENIZER_D16,
        EncoderPart(TEXT), EncoderPart(SEMANTIC, 224), EncoderPart(CONTENT, 256),
    )  # fmt: skip
