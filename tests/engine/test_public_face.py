"""``import engine`` is cheap, and its names are there."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine import planning, weights

FACES = (
    "engine",
    "engine.bundle",
    "engine.device",
    "engine.photo",
    "engine.planning",
    "engine.preflight",
    "engine.process",
    "engine.weights",
)
NAMES = [(face, name) for face in FACES for name in importlib.import_module(face).__all__]


def test_importing_the_engine_imports_no_model_library():
    code = (
        "import engine, engine.photo.load, engine.photo.framing, engine.preflight.segmenter, engine.process.client, sys;"
        "print([m for m in ('torch', 'transformers', 'diffusers', 'PySide6') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_importing_the_faces_imports_nothing_below_them():
    code = (
        f"import {', '.join(FACES)}, sys;"
        "print(sorted(m for m in sys.modules if m.startswith('engine')), 'numpy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == f"{sorted([*FACES, 'engine.faces', 'engine.version'])} False", result.stderr


@pytest.mark.parametrize(("face", "name"), NAMES)
def test_every_public_name_is_there(face, name):
    assert getattr(importlib.import_module(face), name) is not None


@pytest.mark.parametrize("face", FACES)
def test_type_checkers_and_python_see_the_same_names(face):
    module = importlib.import_module(face)
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    checked = {
        (node.module, alias.name)
        for block in ast.walk(tree)
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    table = next(node for node in ast.walk(tree) if isinstance(node, ast.Dict))
    loaded = {(home, name) for home, names in ast.literal_eval(table).items() for name in names}
    assert checked == loaded
    assert set(module.__all__) >= {name for _, name in loaded}


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="nothing_like_this"):
        _ = engine.nothing_like_this


def test_modules_that_are_imported_ahead_are_there():
    for face in (planning, weights):
        assert all(importlib.util.find_spec(module) is not None for module in face.SLOW_IMPORTS)
