"""Reading from outside: one way to check types and ranges, and a place for what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
import pytest
from msgspec import Meta

from engine.errors import InputError
from engine.sentence import Sentence
from engine.validation import Damage, Finite, check_fields, only_known, parse_json, read_fields, read_value


@dataclass(frozen=True)
class Point:
    x: Annotated[float, Meta(ge=0, le=1)]
    kind: Literal["round", "square"] = "round"


@dataclass(frozen=True)
class Shape:
    points: tuple[Point, ...]
    sizes: Mapping[str, int] = field(default_factory=dict)


def test_what_fits_becomes_the_type():
    made = read_value({"points": [{"x": 1}, {"x": 0.5, "kind": "square"}], "newer": 1}, Shape)
    assert made == Shape((Point(1.0), Point(0.5, "square")))
    assert type(made.points[0].x) is float


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ([], "expected an object, got a list"),
        ({}, "points is missing"),
        ({"points": [{"x": 0}, {}]}, "points[1].x is missing"),
        ({"points": [{"x": "0"}]}, "points[0].x: expected a number, got text"),
        ({"points": [{"x": True}]}, "points[0].x: expected a number, got true or false"),
        ({"points": [{"x": float("nan")}]}, "points[0].x: expected a number >= 0.0"),
        ({"points": [{"x": float("inf")}]}, "points[0].x: expected a number <= 1.0"),
        ({"points": [{"x": 10**400}]}, "points[0].x: the number is too large"),
        ({"points": [{"x": 0, "kind": "odd"}]}, "points[0].kind: 'odd' is none of the values that are known"),
        ({"points": [], "sizes": {"a": 1.5}}, "sizes[...]: expected a whole number, got a number"),
    ],
)
def test_what_does_not_fit_is_told_by_its_place(data, why):
    with pytest.raises(Damage) as caught:
        read_value(data, Shape)
    assert caught.value.why == why


@pytest.mark.parametrize(
    ("data", "kind", "why"),
    [
        (1.5, int | str | None, "expected a whole number or text or nothing, got a number"),
        ([1], tuple[int, int], "expected a list of length 2"),
        ([], Annotated[tuple[int, ...], Meta(min_length=1)], "expected a list of length >= 1"),
        ("abc", Annotated[str, Meta(max_length=2)], "expected text of length <= 2"),
        (0.0, Annotated[float, Meta(gt=0)], "expected a number > 0.0"),
        (3, Literal[1], "3 is none of the values that are known"),
        ("a - at `$.b`", Literal[1, "c"], "'a - at `$.b`' is none of the values that are known"),
        (
            {"name": {"a": 1}},
            dict[str, dict[Literal["b"], int]],
            "key in [...]: 'a' is none of the values that are known",
        ),
        ("x", Annotated[str, Meta(pattern="^a")], "it is not written as it must be"),
        ("!", bytes, "invalid base64 encoded string"),
    ],
)
def test_every_reason_is_told(data, kind, why):
    with pytest.raises(Damage) as caught:
        read_value(data, kind)
    assert caught.value.why == why


@dataclass(frozen=True)
class Halves:
    whole: int

    def __post_init__(self) -> None:
        if self.whole % 2:
            raise ValueError(Sentence("{whole} has no half", whole=self.whole) if self.whole > 0 else "below zero")


def test_a_records_own_reason_keeps_its_sentence():
    with pytest.raises(Damage) as caught:
        read_value([{"whole": 3}], list[Halves])
    assert caught.value.why == "[0]: 3 has no half"
    assert caught.value.why.values["reason"].template == "{whole} has no half"
    with pytest.raises(Damage) as caught:
        read_value({"whole": -1}, Halves)
    assert caught.value.why == "below zero"


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_finite_number_is_finite(number):
    with pytest.raises(Damage):
        read_value(number, Finite)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff", "1" * 5000, "nul"])
def test_what_is_no_json_is_damage(text):
    with pytest.raises(Damage, match="it is no JSON"):
        parse_json(text, 10**6)


def test_a_text_that_is_too_large_is_not_read():
    with pytest.raises(Damage, match="it is too large"):
        parse_json("[1, 2]", 5)
    assert parse_json("[1, 2]", 6) == [1, 2]
    assert parse_json('"\\udcf0"', 10) == "\udcf0", "a file name in another encoding"


def test_fields_are_read_one_by_one():
    assert read_fields({"x": 2, "kind": "square", "newer": 1}, Point) == ({"kind": "square"}, ["x"])


def test_a_name_that_is_not_known_is_refused():
    only_known({"x": 1}, Point, "point")
    only_known("no object", Point, "point")
    with pytest.raises(Damage, match=r"point\.y is not known"):
        only_known({"x": 1, "y": 1}, Point, "point")


@dataclass(frozen=True)
class Dials:
    sizes: tuple[int, ...] = ()
    strength: Annotated[float, Meta(ge=0, le=20)] = 1.0

    def __post_init__(self) -> None:
        rules = {"sizes": Sentence("Sizes are whole numbers."), "strength": Sentence("The strength is 0 to 20.")}
        check_fields(self, rules, InputError)


def test_a_record_checks_itself_by_its_types():
    made = Dials([1, 2], np.float64(3))
    assert made == Dials((1, 2), 3.0) and type(made.strength) is float
    with pytest.raises(InputError, match="The strength is 0 to 20"):
        Dials(strength=21)
    with pytest.raises(InputError, match="Sizes are whole numbers"):
        Dials(sizes=(1.5,))
