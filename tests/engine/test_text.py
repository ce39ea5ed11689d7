"""Text that is no Unicode, and far too much of it."""

from __future__ import annotations

import pickle

import pytest

from engine.errors import EchoGenError, InputError, RequestError
from engine.request import GenerationRequest, ScaleBits
from engine.text import is_text, shortened, shown, shown_name


def test_half_of_a_pair_is_no_text():
    assert is_text("田中 🦆") and not is_text("inv\udcf0alid") and not is_text("\ud83d")
    assert shown("inv\udcf0alid") == "inv\ufffdalid" and shown("🦆") == "🦆"
    assert shown_name("/photos/inv\udcf0.png") == "inv\ufffd.png" and shown_name("/") == "/"


@pytest.mark.parametrize("value", ["x" * 10**7, {"a": "x" * 10**6}, list(range(10**5)), 10**300])
def test_a_foreign_value_is_one_short_line(value: object):
    assert len(shortened(value)) <= 80 and "\n" not in shortened(f"a\nb{value}")


def test_a_message_can_always_be_shown():
    error = InputError("The file \udcf0 " + "x" * 10**6, "\ud83d")
    assert is_text(str(error)) and len(str(error)) < 2100
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert EchoGenError("Plain.").fact == "Plain."


@pytest.mark.parametrize("name", ["prompt", "negative_prompt", "subject_name", "bundle"])
def test_a_request_takes_nothing_that_is_no_text(name: str):
    with pytest.raises(RequestError, match="no text"):
        GenerationRequest(**{"prompt": "a duck", name: "a\udcf0"})


def test_the_format_of_a_hostile_request_is_quoted_in_short():
    with pytest.raises(RequestError) as caught:
        GenerationRequest.from_json({"format": "x" * 10**7, "prompt": "a"})
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("shape", [[1e999, 1, 1], [float("nan"), 1, 1]])
def test_numbers_that_no_integer_can_hold_are_damage(shape: list):
    with pytest.raises(RequestError):
        ScaleBits.from_json([{"shape": shape, "bits": ""}])
