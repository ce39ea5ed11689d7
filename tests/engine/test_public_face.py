"""``import engine`` is cheap, and its names are there."""

from __future__ import annotations

import subprocess
import sys

import pytest

import engine


def test_importing_the_engine_imports_no_model_library():
    code = (
        "import engine, engine.photo.load, engine.photo.framing, engine.preflight.segmenter, engine.host, sys;"
        "print([m for m in ('torch', 'transformers', 'diffusers', 'PySide6') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize("name", engine.__all__)
def test_every_public_name_is_there(name):
    assert getattr(engine, name) is not None


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="nothing_like_this"):
        _ = engine.nothing_like_this
