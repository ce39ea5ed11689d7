"""Values from files and pipes, checked by type and range in one way.

A type says what a value may be: ``Annotated[int, Meta(ge=0, le=9)]``, a tuple, a ``Literal``, a dataclass of such fields. msgspec
compares the two and says where they differ. Values keep their kinds, but for what JSON cannot say: lists become tuples, and
whole numbers floats where floats are wanted. NaN and the infinities lie in no range; a number without one is a ``Finite``.

JSON is read by Python's own reader: unlike msgspec's it takes halves of surrogate pairs, which file names in other encodings
hold, and reads on behind a number that no field can take.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints, overload

import msgspec
from msgspec import Meta

from engine.sentence import Sentence

T = TypeVar("T")

Finite = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
Natural = Annotated[int, Meta(ge=0, le=2**53)]
"""A count or a size. Larger ones are nowhere in use, and no float holds them."""


_PLACE = re.compile(r" - at ((?:`key` in )?`\$[\w.\[\]]*`)\Z")
"""Where msgspec puts the place of an error: "- at `$.schedules[0]`", and of a bad name "- at `key` in `$.sizes`"."""
_TOO_MUCH = Sentence("a number is too large, or it is nested too deeply")


class Damage(ValueError):
    """A value that was read is not what it has to be.

    Attributes:
        why: a part of a sentence, with the place: "schedules[0].grids[4]: expected a whole number <= 256".
    """

    def __init__(self, why: Sentence) -> None:
        super().__init__(why)
        self.why = why


def parse_json(content: bytes | str, most: int) -> Any:
    """The value in a JSON text of at most ``most`` bytes or characters. Raises ``Damage``."""
    if len(content) > most:
        raise Damage(Sentence("it is too large"))
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Damage(Sentence("it is no JSON")) from error


def read_json(path: Path, kind: type[T], most: int) -> T:
    """The value in a JSON file of at most ``most`` bytes.

    Raises:
        Damage: it is larger, no JSON, or holds something else.
        OSError: it is not there or cannot be read.
    """
    with path.open("rb") as file:
        return read_value(parse_json(file.read(most + 1), most), kind)


@overload
def read_value(data: Any, kind: type[T]) -> T: ...
@overload
def read_value(data: Any, kind: Any) -> Any: ...
def read_value(data: Any, kind: Any) -> Any:
    """A value of JSON as one of this type.

    Raises:
        Damage: it is none, and where it differs. A dataclass's own errors pass through, but for a ``ValueError``: that is
            the reason.
    """
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise Damage(_why(error)) from error
    except (ArithmeticError, RecursionError) as error:
        raise Damage(_TOO_MUCH) from error


def read_fields(data: Mapping[str, Any], kind: type) -> tuple[dict[str, Any], list[str]]:
    """The fields of a dataclass or struct that can be read, each by itself, and the names of those that cannot.

    Names that are missing or unknown are in neither.
    """
    good, bad = {}, []
    for name, wanted in _types(kind).items():
        if name in data:
            try:
                good[name] = read_value(data[name], wanted)
            except Damage:
                bad.append(name)
    return good, bad


def read_entries(data: Any, kind: type[T]) -> dict[str, T]:
    """The entries of an object whose values can be read, each by itself; none where it is no object."""
    found = {}
    for name, value in data.items() if isinstance(data, dict) else ():
        with contextlib.suppress(Damage):
            found[name] = read_value(value, kind)
    return found


def check_fields(record: object, rules: Mapping[str, Sentence], error: type[Exception]) -> None:
    """Check fields of a frozen dataclass while it is made, by their types; each becomes what ``read_value`` makes of it.

    Args:
        rules: what each field must be, by its name, for the user.
        error: raised with the rule of the first field that is something else.
    """
    kind: type = type(record)
    values = {name: _plain(getattr(record, name)) for name in rules}
    try:
        checked = read_value(values, _checker(kind, tuple(rules)))
    except Damage as damage:
        _, bad = read_fields(values, kind)
        raise error(rules[next(name for name in rules if name in bad)]) from damage
    for name in rules:
        object.__setattr__(record, name, getattr(checked, name))


def only_known(data: Any, kind: type, place: str) -> None:
    """Refuse an object with names that are no fields of a dataclass: a newer program means something by them.

    Raises:
        Damage: with the name. A value that is no object is not looked at.
    """
    unknown = data.keys() - {field.name for field in fields(kind)} if isinstance(data, dict) else ()
    if unknown:
        raise Damage(Sentence("{place} is not known", place=f"{place}.{min(unknown)}"))


def _plain(value: Any) -> Any:
    """NumPy's floats, which are floats by inheritance, as Python's."""
    if isinstance(value, (tuple, list)):
        return tuple(map(_plain, value))
    return float(value) if isinstance(value, float) else value


@cache
def _checker(kind: type, names: tuple[str, ...]) -> type[msgspec.Struct]:
    """Some fields of a dataclass as one type: msgspec prepares a type once, and reads many values quickly then."""
    types = _types(kind)
    return msgspec.defstruct(kind.__name__, [(name, types[name]) for name in names])


@cache
def _types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _why(error: msgspec.ValidationError) -> Sentence:
    """The place of an error, and its reason: "schedules[0].grids[4]: expected a whole number <= 256"."""
    text = str(error)
    found = _PLACE.search(text)
    reason, place = (text[: found.start()], found[1]) if found else (text, "")
    place = place.replace("`", "").replace("$.", "").replace("$", "").strip()
    if reason.startswith("Object missing required field "):
        name = reason.split("`")[1]
        return Sentence("{place} is missing", place=f"{place}.{name}" if place else name)
    if reason.startswith("Expected `str` matching regex "):
        unlike = Sentence("it is not written as it must be")
        return Sentence("{place} is not written as it must be", place=place) if place else unlike
    cause = error.__cause__  # a ValueError of a dataclass, which may carry a sentence
    own = cause.args[0] if cause is not None and cause.args else None
    what = own if isinstance(own, Sentence) else _reason(reason)
    return Sentence("{place}: {reason}", place=place, reason=what) if place else what


def _reason(text: str) -> Sentence:
    """msgspec's reason in our words.

    It keeps nothing of an error but a text: "Expected `int`, got `str`", "Expected `int` <= 256", "Expected `array` of length
    2, got 3". One of another form stays as it is.
    """
    if text.startswith("Invalid enum value "):
        return Sentence("{value} is none of the values that are known", value=text.removeprefix("Invalid enum value "))
    if text == "Number out of range":
        return Sentence("the number is too large")
    match text.split("`"):
        case ["Expected ", wanted, ", got ", found, ""]:
            return Sentence("expected {wanted}, got {found}", wanted=_kinds(wanted), found=_kinds(found))
        case ["Expected ", wanted, bound] if bound.startswith((" <", " >")):
            return Sentence("expected {wanted} {bound}", wanted=_kinds(wanted), bound=bound.strip())
        case ["Expected ", wanted, length] if length.startswith(" of length "):
            bound = length.removeprefix(" of length ").partition(",")[0]
            return Sentence("expected {wanted} of length {bound}", wanted=_kinds(wanted), bound=bound)
    return Sentence.row(text[:1].lower() + text[1:].replace("`", ""))


_KINDS = {
    "int": Sentence("a whole number"),
    "float": Sentence("a number"),
    "bool": Sentence("true or false"),
    "str": Sentence("text"),
    "array": Sentence("a list"),
    "object": Sentence("an object"),
    "null": Sentence("nothing"),
}
"""JSON's kinds of values, by msgspec's names for them."""


def _kinds(names: str) -> Sentence:
    """Kinds as msgspec writes them: "int", "int | null"."""
    first, *others = (_KINDS.get(name, Sentence.row(name)) for name in names.split(" | "))
    for other in others:
        first = Sentence("{one} or {other}", one=first, other=other)
    return first
