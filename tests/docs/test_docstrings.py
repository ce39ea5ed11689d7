"""Docstrings are sentences: they say what a thing does, returns or holds, and are no halves of a question."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLAUSE = re.compile(r"(Where|How|Which|What|Whether|Who|Whom|Whose|When|Why)\b")


def _docstrings(package: str):
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node)
                if text:
                    yield f"{path.relative_to(ROOT)}: {getattr(node, 'name', 'the module')}", text


def test_no_docstring_begins_with_a_clause():
    found = [place for package in ("app", "engine", "installer") for place in _docstrings(package)]
    assert len(found) > 2000
    assert [f"{place}: {text.splitlines()[0]}" for place, text in found if CLAUSE.match(text)] == []
