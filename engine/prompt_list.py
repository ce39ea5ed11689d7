"""Lists of prompts: a text with one prompt a line, or a CSV, read into the requests of many pictures.

``{red|blue}`` in a line stands for one of several words: the line is drawn once with each, and two of them with every pair.
``{subject}`` stands for the subject's name. How many pictures that makes is known before any of them is made, and before the
words are multiplied out: a slip of the hand must not fill the memory.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import InputError, os_reason
from engine.request import MAX_SEED, GenerationRequest
from engine.sentence import Sentence

MAX_PICTURES = 500
MAX_FILE_BYTES = 4 * 2**20
NAME = "subject"

_FLOATS = ("prompt_strength", "subject_strength", "look_strength", "temperature", "top_p")
_COLUMNS = ("prompt", "negative_prompt", "seed", "size", *_FLOATS)
_MEND = Sentence("Write alternatives as {red|blue}.")
_FEWER = Sentence("Draw fewer at once; batch on the command line draws any number.")

Piece = str | tuple[str, ...]
"""Words as they stand, or the alternatives of one pair of braces."""


_Line = tuple[Sentence, str, Mapping[str, Any]]
"""What a line is called, its words, and its settings."""


@dataclass(frozen=True)
class ListedPrompt:
    """One prompt of a list, and where its picture stands in a table.

    Attributes:
        row, column: the words of its row and its column; the column is "" where a line has no alternatives.
        settings: fields of ``GenerationRequest`` that its line sets itself.
    """

    prompt: str
    row: str
    column: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PromptList:
    """The prompts and settings that were read.

    Attributes:
        lines: how many lines have a prompt.
        notes: sentences for the user.
    """

    prompts: tuple[ListedPrompt, ...]
    lines: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListedRequest:
    """One picture to draw, and the words of its row and column."""

    request: GenerationRequest
    row: str
    column: str = ""


def parse_prompts(text: str, name: str = "") -> PromptList:
    """One prompt a line; empty lines are left out.

    Args:
        name: of the subject, for ``{subject}``.

    Raises:
        InputError: a line has a brace without its other half, or there are too many pictures; the sentence names the line.
    """
    lines: list[_Line] = [
        (_line(number), line.strip(), {}) for number, line in enumerate(text.splitlines(), 1) if line.strip()
    ]
    return _expanded(lines, name)


def parse_prompt(text: str, name: str = "") -> PromptList:
    """A single prompt, in which braces mean what they mean in a list; line breaks are spaces.

    Raises:
        InputError: a brace without its other half, or too many pictures.
    """
    return _expanded([(Sentence("The prompt"), " ".join(text.split()), {})], name)


def parse_table(text: str, name: str = "") -> PromptList:
    """A CSV with the column "prompt" and, where wanted, columns of settings.

    Those are negative_prompt, seed, size (512x512), prompt_strength, subject_strength, look_strength, temperature and top_p;
    an empty cell leaves a setting as it is. Commas, semicolons and tabs separate; a spreadsheet's own first line, as "sep=;",
    is obeyed.

    Raises:
        InputError: the column is missing, or a line cannot be used; the sentence names it.
    """
    lines_of_text = io.StringIO(text, newline="")
    first = next(lines_of_text, "").rstrip("\r\n")
    separator = re.fullmatch(r"\"?sep=(.)\"?", first, re.IGNORECASE)
    if separator is None:
        lines_of_text.seek(0)
    delimiter = separator[1] if separator else max(",;\t", key=first.count)
    read = above = 1 if separator else 0
    rows: list[tuple[int, list[str]]] = []
    try:
        reader = csv.reader(lines_of_text, delimiter=delimiter, strict=True)
        head = [cell.strip().lower().replace(" ", "_") for cell in next(reader, [])]
        read = above + reader.line_num  # so many lines are whole
        for row in reader:
            read = above + reader.line_num
            if any(cell.strip() for cell in row):
                rows.append((read, row))
    except csv.Error as error:
        # Without this a quotation mark that is never closed would take the lines below it along.
        raise InputError(
            Sentence("The list is no CSV that can be read: its line {number} is damaged.", number=read + 1),
            Sentence("Look for a quotation mark that is not closed there, or save it as CSV again."),
        ) from error
    if "prompt" not in head:
        raise InputError(
            Sentence("The list has no column “prompt”."), Sentence("Write prompt in its first line, above the prompts.")
        )
    lines: list[_Line] = []
    for number, row in rows:
        cells = dict(zip(head, (cell.strip() for cell in row), strict=False))
        if cells.get("prompt"):
            settings = {key: _setting(number, key, cells[key]) for key in _COLUMNS[1:] if cells.get(key)}
            lines.append((_line(number), cells["prompt"], settings))
    found = _expanded(lines, name)
    unknown = [key for key in head if key and key not in _COLUMNS]
    notes = (Sentence("The list's columns {unknown} are not used.", unknown=", ".join(unknown)),) if unknown else ()
    return replace(found, notes=notes)


def read_prompt_file(path: Path, name: str = "") -> PromptList:
    """A file of prompts: a CSV by its suffix, else one prompt a line.

    Raises:
        InputError: it cannot be read, is too large, is no text, or holds what cannot be used.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError(
            Sentence("The list {path} cannot be read: {reason}.", path=path.name, reason=os_reason(error)),
            Sentence("Name a text file or a CSV."),
        ) from error
    if len(data) > MAX_FILE_BYTES:
        raise InputError(
            Sentence("The list {path} is larger than {most} MB.", path=path.name, most=MAX_FILE_BYTES // 2**20), _FEWER
        )
    try:
        # Spreadsheets write UTF-16 as "Unicode text".
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        if "\0" in text:
            raise ValueError("UTF-16 or UTF-32 without its mark, or no text at all")
    except ValueError as error:
        raise InputError(
            Sentence("The list {path} is not UTF-8 text.", path=path.name),
            Sentence("Save it as UTF-8, a table as CSV."),
        ) from error
    if path.suffix.lower() in (".csv", ".tsv"):
        return parse_table(text, name)
    return parse_prompts(text, name)


def scene_prompts(sentences: Iterable[tuple[str, str]]) -> tuple[ListedPrompt, ...]:
    """A list of a model's scenes: (label, whole prompt) of each."""
    return tuple(ListedPrompt(prompt, label) for label, prompt in sentences)


def make_requests(
    prompts: Sequence[ListedPrompt], base: GenerationRequest, seeds: int = 1
) -> tuple[ListedRequest, ...]:
    """The requests of a list.

    Args:
        base: everything that a line does not say itself. What it keeps of an earlier picture is left out.
        seeds: pictures of each prompt, with seeds S, S+1, …: all prompts have the same ones.

    Raises:
        InputError: there is no prompt, or there are more than ``MAX_PICTURES`` pictures.
    """
    if not prompts:
        raise InputError(Sentence("There is no prompt in the list."), Sentence("Write one a line."))
    check_count(len(prompts) * seeds)
    base = replace(base, kept=None, region=None)
    made = []
    for listed in prompts:
        request = replace(base, prompt=listed.prompt, **listed.settings)
        for place in range(seeds):
            seed = (request.seed + place) % (MAX_SEED + 1)
            row, column = listed.row, listed.column
            if seeds > 1:  # a row of each prompt, a column of each seed
                row, column = listed.prompt if column else row, f"seed {seed}"
            made.append(ListedRequest(request.with_seed(seed), row, column))
    return tuple(made)


def check_count(count: int) -> None:
    """Raises ``InputError`` for more pictures than are drawn at once."""
    if count > MAX_PICTURES:
        raise InputError(
            Sentence("The list makes {count:,} pictures; {most} are the limit.", count=count, most=MAX_PICTURES), _FEWER
        )


def _line(number: int) -> Sentence:
    return Sentence("Line {number}", number=number)


def _expanded(lines: Sequence[_Line], name: str) -> PromptList:
    split = [(where, _split(where, line, name), settings) for where, line, settings in lines]
    check_count(sum(math.prod(len(piece) for piece in pieces if isinstance(piece, tuple)) for _, pieces, _ in split))
    prompts: list[ListedPrompt] = []
    for where, pieces, settings in split:
        # One line with two alternatives is a table of its own: the first ones down, the others across.
        down = len(split) == 1 and sum(isinstance(piece, tuple) for piece in pieces) > 1
        row = " ".join("".join(piece if isinstance(piece, str) else "…" for piece in pieces).split())
        for choice in itertools.product(*(piece for piece in pieces if isinstance(piece, tuple))):
            chosen = iter(choice)
            words = "".join(piece if isinstance(piece, str) else next(chosen) for piece in pieces)
            prompt = " ".join(words.split())
            _check(where, prompt, settings)
            labels = [option or "–" for option in choice]
            column = " · ".join(labels[1:] if down else labels)
            prompts.append(ListedPrompt(prompt, labels[0] if down else row, column, settings))
    return PromptList(tuple(prompts), len(split))


def _check(where: Sentence, prompt: str, settings: Mapping[str, Any]) -> None:
    if not prompt:
        raise InputError(
            Sentence("{where} has no words.", where=where), Sentence("Write a prompt, or take the line out.")
        )
    try:
        GenerationRequest(prompt, **settings)
    except InputError as error:
        raise InputError(
            Sentence("{where} cannot be used: {fact}", where=where, fact=error.fact),
            error.step or Sentence("Change that line."),
        ) from error


def _split(where: Sentence, line: str, name: str) -> list[Piece]:
    """The words and the alternatives of a line. Raises ``InputError`` for braces that do not match."""
    pieces: list[Piece] = []
    at = 0
    while at < len(line):
        opened, closed = line.find("{", at), line.find("}", at)
        if opened < 0 and closed < 0:
            pieces.append(line[at:])
            break
        if opened < 0 or 0 <= closed < opened:
            raise InputError(Sentence("{where} has a “}}” without its “{{”.", where=where), _MEND)
        end = line.find("}", opened)
        inside = line.find("{", opened + 1)
        if end < 0:
            raise InputError(Sentence("{where} has a “{{” without its “}}”.", where=where), _MEND)
        if 0 <= inside < end:
            raise InputError(Sentence("{where} has a “{{” inside of another one.", where=where), _MEND)
        pieces.append(line[at:opened])
        words = line[opened + 1 : end].strip()
        if not words:
            raise InputError(Sentence("{where} has nothing between “{{” and “}}”.", where=where), _MEND)
        if words == NAME:
            if not name.strip():
                raise InputError(
                    Sentence("{where} speaks of {{subject}}, and the subject has no name.", where=where),
                    Sentence("Name it first."),
                )
            pieces.append(name.strip())
        else:
            pieces.append(tuple(option.strip() for option in words.split("|")))
        at = end + 1
    return pieces


def _setting(number: int, key: str, text: str) -> Any:
    try:
        if key == "negative_prompt":
            return text
        if key == "seed":
            return int(text)
        if key == "size":
            width, height = text.lower().replace("×", "x").split("x")
            return int(width), int(height)
        return float(text.replace(",", "."))
    except ValueError as error:
        raise InputError(
            Sentence(
                "Line {number} has “{text}” as its {key}.", number=number, text=text[:40], key=key.replace("_", " ")
            ),
            Sentence("Write a number."),
        ) from error
