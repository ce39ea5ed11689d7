"""docs/batch.md: its example runs as it is written, and it names every field of a request."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from PIL import Image

from engine.request import GenerationRequest
from engine.requests_file import read_requests

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")


def test_the_example_runs_as_it_is_written(tmp_path, monkeypatch):
    """It lacked an import, and a cut-out."""
    Image.open(ROOT / "resources" / "examples" / "robot_toy.webp").convert("RGB").save(tmp_path / "robot.jpg")
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(example, "docs/batch.md", "exec"), {})
    found = list(read_requests(tmp_path / "requests.jsonl"))
    assert len(found) == 100 and all(isinstance(one, GenerationRequest) and one.subject is not None for one in found)


def test_every_field_of_a_request_is_named():
    assert not [field.name for field in fields(GenerationRequest) if not re.search(rf"[`\"]{field.name}[`\"]", PAGE)]
