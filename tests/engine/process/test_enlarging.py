"""The child that saves a picture larger, as its parent sees it; the network itself is in tests/engine/enlarging."""

from __future__ import annotations

import queue

import numpy as np
import pytest
from PIL import Image

from engine.errors import Cancelled, CannotWrite, EchoGenError, NotEnoughMemory, PhotoError
from engine.process import Enlarged, EnlargeFile, Enlarging, EnlargingGoesOn, Failed, enlarging
from tests.engine.process import children


@pytest.fixture
def begin(tmp_path, monkeypatch):
    """Begins a real child that goes as it is told; returns it and the queue of what it tells."""
    monkeypatch.setattr(enlarging, "enlarging_main", children.enlarging)
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / "from.png")
    begun = []

    def begin(name, source="from.png", target="to.png"):
        told = queue.Queue()
        work = EnlargeFile(tmp_path / source, tmp_path / target, 2, tmp_path / name)
        begun.append(Enlarging(work, told.put))
        return begun[-1], told

    yield begin
    for child in begun:
        child.close()


def end_of(told):
    """What was told last, and how many steps before."""
    steps = [told.get(timeout=120)]
    while isinstance(steps[-1], EnlargingGoesOn):
        steps.append(told.get(timeout=120))
    return steps[-1], len(steps) - 1


def test_it_tells_how_far_it_is_and_what_was_written(begin, tmp_path):
    last, steps = end_of(begin("well")[1])
    assert last == Enlarged(8, 8, "doubling") and steps == 1
    with Image.open(tmp_path / "to.png") as picture:
        assert picture.size == (8, 8) and picture.text["Enlarged"] == "2 times, doubling"


def test_stopped_it_ends_at_once_and_writes_nothing(begin, tmp_path):
    child, told = begin("slow")
    assert told.get(timeout=120) == EnlargingGoesOn(0.5)
    child.cancel()
    last, _ = end_of(told)
    assert isinstance(last, Failed) and isinstance(last.error, Cancelled)
    assert [path.name for path in tmp_path.iterdir()] == ["from.png"]


@pytest.mark.parametrize(
    ("name", "source", "target", "kind", "words"),
    [
        ("killed", "from.png", "to.png", NotEnoughMemory, "ended by the system"),
        ("crash", "from.png", "to.png", EchoGenError, "ended with code 3"),
        ("broken", "from.png", "to.png", EchoGenError, "Enlarging failed: by design."),
        ("well", "gone.png", "to.png", PhotoError, "gone.png"),
        ("well", "from.png", "no/to.png", CannotWrite, "no such folder"),
    ],
)
def test_what_goes_wrong_is_an_error_in_words(begin, name, source, target, kind, words):
    last, _ = end_of(begin(name, source, target)[1])
    assert isinstance(last, Failed) and isinstance(last.error, kind) and words in str(last.error)
