"""The title of an error and its first sentence stand one above the other: the sentence says more than the title."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import engine.errors

ROOT = Path(__file__).parents[2]
_TITLES = {
    name: str(kind.title)
    for name, kind in vars(engine.errors).items()
    if isinstance(kind, type) and issubclass(kind, engine.errors.EchoGenError) and name != "Cancelled"  # never shown
}


def _template(node: ast.expr | None) -> str:
    """The literal of a ``Sentence("…")``, or ""."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sentence" and node.args:
        literal = node.args[0]
        return literal.value if isinstance(literal, ast.Constant) and isinstance(literal.value, str) else ""
    return ""


def _said(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Title and first sentence of every error that is made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            own = next((word.value for word in node.keywords if word.arg == "title"), None)
            title = _template(own) or _TITLES.get(node.func.id, "")
            for fact in ast.walk(node.args[0]):
                if title and isinstance(fact, ast.expr) and _template(fact):
                    yield title, _template(fact)


def _repeats(title: str, fact: str) -> bool:
    """A sentence that names something says more."""
    first = fact.lower().split(".")[0]
    return "{" not in first and set(title.lower().split()) <= set(first.split())


def test_the_first_sentence_of_an_error_does_not_repeat_its_title():
    found = [
        pair
        for folder in ("app", "engine")
        for file in (ROOT / folder).rglob("*.py")
        for pair in _said(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert len(found) > 100
    assert [pair for pair in found if _repeats(*pair)] == []
    assert _repeats("The engine stopped", "The engine stopped unexpectedly. Nothing is lost.")
