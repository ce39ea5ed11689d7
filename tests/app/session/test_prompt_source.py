"""Lists of prompts and of requests from files: what is drawn of them, and the sentence for what cannot be."""

from __future__ import annotations

import json

import pytest

from app.resources import resource
from app.session.prompt_source import PromptSource, listed_of, open_source
from engine.bundle.manifest import read_manifest
from engine.errors import InputError
from engine.request import GenerationRequest

BASE = GenerationRequest("", seed=7)


def test_lines_of_text_become_pictures(tmp_path):
    file = tmp_path / "scenes.txt"
    file.write_text("a {subject} in the snow\n\nat the beach\n", encoding="utf-8")
    source = open_source(file, "duck")
    listed = listed_of(source, BASE, 2, "duck", None)
    assert source.file == "scenes.txt"
    assert [one.request.prompt for one in listed] == ["a duck in the snow"] * 2 + ["at the beach"] * 2
    assert listed_of(PromptSource(text="in the rain"), BASE, 1, "", None)[0].request.prompt == "in the rain"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [("a.txt", "\n \n", "no prompt in a.txt"), ("a.jsonl", "{}\n5\n", "no request in a.jsonl")],
)
def test_a_file_without_any_is_said(tmp_path, name, content, message):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        open_source(tmp_path / name, "")


def test_requests_are_drawn_as_they_are_and_lines_that_are_none_are_counted(tmp_path):
    file = tmp_path / "jobs.jsonl"
    lines = [GenerationRequest("a", seed=1).dumps(), "{", "5", GenerationRequest("a", seed=2).dumps(), "[]"]
    file.write_text("\n".join(lines), encoding="utf-8")
    source = open_source(file, "")
    assert len(source.notes) == 2 and source.notes[1] == "2 more lines are skipped."
    listed = listed_of(source, BASE, 4, "", None)
    assert [(one.request.seed, one.row, one.column) for one in listed] == [(1, "a", "seed 1"), (2, "a", "seed 2")]


def test_a_size_that_the_model_does_not_draw_is_said(tmp_path):
    manifest = read_manifest(resource("mini"))
    file = tmp_path / "jobs.jsonl"
    request = GenerationRequest("a", size=manifest.sizes[0])
    file.write_text(request.dumps(), encoding="utf-8")
    assert listed_of(open_source(file, ""), BASE, 1, "", manifest)[0].column == ""
    data = json.loads(request.dumps()) | {"size": [48, 16]}
    file.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(InputError, match="does not draw 48x16"):
        listed_of(open_source(file, ""), BASE, 1, "", manifest)
