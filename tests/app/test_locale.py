"""What breaks on computers in other languages only."""

from __future__ import annotations

import ast

import pytest

from app.resources import resource

FILES = sorted((resource("icons").parent.parent / "app").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
def test_no_property_of_an_object_of_qt_begins_with_i(file):
    """PySide finds the setter by an upper-case first letter in the C locale: in Turkish "interval" becomes "setİnterval"."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    made = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id.startswith("Q")]
    assert [word.arg for call in made for word in call.keywords if (word.arg or "").startswith("i")] == []
