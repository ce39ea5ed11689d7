"""Sentences: English as a string, with their template and values on every way; each call fills what its template asks for."""

from __future__ import annotations

import ast
import copy
import multiprocessing
import pickle
from pathlib import Path
from string import Formatter

import numpy as np
import pytest

from engine.errors import EchoGenError, PhotoError
from engine.sentence import NOTHING, Sentence, from_json, to_json

ROOT = Path(__file__).resolve().parents[2]
NESTED = Sentence(
    "{name} is too large: {why}, in {parts} parts.",
    name="a.png",
    why=Sentence("{count:.1f} GB", count=np.float32(1.25)),
    parts=np.int64(3),
)


def same(one: object, other: Sentence) -> bool:
    """Equal as texts, and in template and values, down to the last one."""
    return (
        isinstance(one, Sentence)
        and one == other
        and one.template == other.template
        and one.values.keys() == other.values.keys()
        and all(
            same(one.values[name], value) if isinstance(value, Sentence) else one.values[name] == value
            for name, value in other.values.items()
        )
    )


def test_it_is_its_english_text():
    assert NESTED == "a.png is too large: 1.2 GB, in 3 parts." and isinstance(NESTED, str)
    assert NESTED.template == "{name} is too large: {why}, in {parts} parts."
    assert Sentence("Write {red|blue}.") == "Write {red|blue}."  # nothing to fill in: as it is


def test_values_are_plain_and_printable():
    assert type(NESTED.values["parts"]) is int
    made = Sentence("{path}: {error} {text}", path=Path("a") / "b", error=OSError("no"), text="x\ud800")
    assert made == f"{Path('a') / 'b'}: no x\ufffd"
    assert all(type(value) is str for value in made.values.values())
    assert len(Sentence("{words}", words="word " * 10_000)) == 1000


def test_a_value_is_never_read_as_a_template():
    assert Sentence("{name} is no PNG.", name="{0} {x.__class__} {{").endswith("{0} {x.__class__} {{ is no PNG.")


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_it_survives_pickling_and_copying(protocol):
    assert same(pickle.loads(pickle.dumps(NESTED, protocol)), NESTED)
    assert same(copy.deepcopy(NESTED), NESTED)


def test_errors_and_notes_keep_their_sentences_through_a_pipe():
    here, there = multiprocessing.Pipe()
    error = PhotoError(NESTED, Sentence("Make it smaller."), title=Sentence("The photo is too large"))
    here.send((error, (NESTED,)))
    arrived, (note,) = there.recv()
    assert type(arrived) is PhotoError and same(arrived.fact, NESTED) and same(note, NESTED)
    assert same(arrived.step, error.step) and same(arrived.title, error.title)
    assert str(arrived) == "a.png is too large: 1.2 GB, in 3 parts. Make it smaller."


def test_several_in_a_row():
    row = Sentence.row(NESTED, "", Sentence("Choose another."))
    assert row == f"{NESTED} Choose another." and len(row.values) == 2
    assert same(pickle.loads(pickle.dumps(row)), row)
    assert Sentence.row() == NOTHING == "" and not NOTHING
    assert EchoGenError(Sentence("It failed.")).sentence == "It failed."


def test_a_file_keeps_them():
    assert same(from_json(to_json(NESTED)), NESTED)
    assert from_json(to_json("plain text")) == "plain text"


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        {},
        {"template": "a", "values": []},
        {"template": 3, "values": {}},
        {"template": "{a.__class__}", "values": {"a": 1}},
        {"template": "{a:999999999}", "values": {"a": 1}},
        {"template": "{a[0]}", "values": {"a": "x"}},
        {"template": "{a", "values": {"a": "x"}},
        {"template": "{b}", "values": {"a": "x"}},
        {"template": "{a:d}", "values": {"a": "x"}},
        {"template": "{a!r:>99}", "values": {"a": "x"}},
    ],
)
def test_a_damaged_or_hostile_file_is_refused(damaged):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError)):
        from_json(damaged)


def test_templates_are_literals_with_exactly_their_values_and_errors_are_made_of_sentences():
    """An error path that is seldom gone must not end in a KeyError. Of errors mypy proves it; this says it without mypy."""
    kinds, sentences = {kind.__name__ for kind in _kinds(EchoGenError)}, 0
    for file in sorted([*(ROOT / "engine").rglob("*.py"), *(ROOT / "app").rglob("*.py")]):
        source = file.read_text(encoding="utf-8")
        if ("Sentence" not in source and "Error" not in source) or file.name == "sentence.py":
            continue
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            where = f"{file.relative_to(ROOT)}:{node.lineno}"
            if node.func.id == "Sentence":
                sentences += 1
                assert len(node.args) == 1 and isinstance(node.args[0], ast.Constant), where
                given = {keyword.arg for keyword in node.keywords}
                fields = {name for _, name, _, _ in Formatter().parse(node.args[0].value) if name} if given else given
                assert given == fields, where
            elif node.func.id in kinds:
                named = [keyword.value for keyword in node.keywords if keyword.arg in ("fact", "step", "title")]
                assert not any(_is_plain(one) for text in (*node.args[:2], *named) for one in _choices(text)), where
    assert sentences > 800


def _kinds(kind: type[EchoGenError]) -> list[type[EchoGenError]]:
    return [kind, *(one for derived in kind.__subclasses__() for one in _kinds(derived))]


def _choices(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.IfExp):
        return [*_choices(node.body), *_choices(node.orelse)]
    return [one for value in node.values for one in _choices(value)] if isinstance(node, ast.BoolOp) else [node]


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp))
