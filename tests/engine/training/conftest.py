"""A training so small that a step takes milliseconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.training.config import TrainingConfig

TINY = Path(__file__).with_name("tiny.toml")


@pytest.fixture(scope="session")
def tiny_file() -> Path:
    return TINY


@pytest.fixture
def tiny() -> TrainingConfig:
    return TrainingConfig.load(TINY)
