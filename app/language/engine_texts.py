"""Finds what the engine says to the user, for the translations: the sentences of its errors and its notes.

The engine speaks English and knows no languages. Its f-strings become templates, ``f"{name} is no PNG."`` → "{0} is no PNG.";
``app/language/sentences.py`` recognises them in the finished text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

_NOT_SHOWN = ("cli", "training", "evaluation", "bench")
"""Folders of the engine whose words never reach the window."""
_ERRORS_ONLY = ("diagnosis.py", "catalogue.py", "naming.py", "converter.py")
"""Files whose other sentences are for the command line or for a model, or are translated elsewhere."""
_PLACE = re.compile(r"\{\d+\}")


def engine_texts(engine: Path, app: Path, errors: set[str]) -> set[str]:
    """The templates.

    Args:
        engine, app: the folders of the two packages. Of the window's own modules only errors count: the rest of its words
            is marked for translation.
        errors: names of the classes of errors that are shown.
    """
    found: set[str] = set()
    for file in sorted(engine.rglob("*.py")):
        if file.relative_to(engine).parts[0] not in _NOT_SHOWN:
            module = ast.parse(file.read_text(encoding="utf-8"), str(file))
            found |= set(_of_errors(module, errors))
            if file.name not in _ERRORS_ONLY:
                found |= set(_sentences(module))
    for file in sorted(app.rglob("*.py")):
        found |= set(_of_errors(ast.parse(file.read_text(encoding="utf-8"), str(file)), errors))
    return {text for text in found if len(re.findall(r"[A-Za-z]{2,}", _PLACE.sub("", text))) >= 2}


def _of_errors(module: ast.AST, errors: set[str]) -> Iterator[str]:
    """Title, fact and step of every error that is made."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in errors:
            named = [keyword.value for keyword in node.keywords if keyword.arg in ("fact", "step", "title")]
            for argument in (*node.args[:2], *named):
                yield from _templates(argument)


def _templates(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _templates(node.body)
        yield from _templates(node.orelse)
    elif (text := template(node)).strip():
        yield text.strip()


def _sentences(node: ast.AST) -> Iterator[str]:
    """Every literal that reads as a sentence, but for docstrings and the log."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
            continue
        if isinstance(child, ast.Call) and isinstance(child.func, ast.Attribute):
            owner = child.func.value
            if isinstance(owner, ast.Name) and owner.id == "log":
                continue
        if isinstance(child, (ast.Constant, ast.JoinedStr)):
            text = template(child).strip()
            if re.match(r"[A-Z“{]", text) and text.endswith((".", ".”")) and "\n" not in text:
                yield text
        else:
            yield from _sentences(child)


def template(node: ast.expr) -> str:
    """A literal or an f-string with "{0}", "{1}" … for what is filled in; "" for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    text, places = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            text += f"{{{places}}}"
            places += 1
    return text
