"""Lists of prompts: what a person types or saves from a spreadsheet, and the sentence for what cannot be used."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from engine.photo.sheet import arrange
from engine.prompt_list import MAX_PICTURES, make_requests, parse_prompts, parse_table, read_prompt_file, scene_prompts
from engine.request import GenerationRequest
from tests.app.fake_bundle import cut_out


def prompts(text: str, name: str = "") -> list[str]:
    return [listed.prompt for listed in parse_prompts(text, name).prompts]


def test_alternatives_are_multiplied_out_in_order():
    assert prompts("a cat\n\n  a {red | blue} {subject} in {snow|rain}\n", "duck") == [
        "a cat",
        *("a red duck in snow", "a red duck in rain", "a blue duck in snow", "a blue duck in rain"),
    ]
    assert prompts("a {|very small} robot") == ["a robot", "a very small robot"], "one of them may be nothing"
    assert prompts("a | b") == ["a | b"]


def test_rows_and_columns():
    one = parse_prompts("a {red|blue} duck in {snow|rain}").prompts
    assert [(p.row, p.column) for p in one] == [("red", "snow"), ("red", "rain"), ("blue", "snow"), ("blue", "rain")]
    two = parse_prompts("a duck in {snow|rain}\na cat in {snow|rain}").prompts
    assert {p.row for p in two} == {"a duck in …", "a cat in …"} and {p.column for p in two} == {"snow", "rain"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a cat\na {red|blue duck", "Line 2 has a “{” without its “}”"),
        ("a red} duck", "Line 1 has a “}” without its “{”"),
        ("a {red|{dark|light} blue} duck", "inside of another"),
        ("a {} duck", "nothing between"),
        ("a {subject} in the snow", "has no name"),
        ("{|a}", "Line 1 has no words"),
        ("x" * 4001, "Line 1 cannot be used: The prompt has 4001 characters"),
        ("a cat\n" * 10_000, "10,000 pictures; 500 are the limit"),
        ("{a|b}" * 60, "pictures; 500 are the limit"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(text, message):
    with pytest.raises(InputError) as caught:
        parse_prompts(text)
    assert message in caught.value.fact and caught.value.step


def test_a_table_sets_what_its_cells_say():
    found = parse_table('Prompt;Seed;Prompt strength;Id\n"a cat; in {snow|rain}";7;2,5;k1\na dog;;;\n;3;;\n')
    assert [p.prompt for p in found.prompts] == ["a cat; in snow", "a cat; in rain", "a dog"]
    assert dict(found.prompts[0].settings) == {"seed": 7, "prompt_strength": 2.5} and not found.prompts[2].settings
    assert found.notes == ("The list's columns id are not used.",) and found.lines == 2
    made = make_requests(found.prompts, GenerationRequest("", cut_out(), seed=4, temperature=0.5), 2)
    assert [one.request.seed for one in made] == [7, 8, 7, 8, 4, 5]
    assert {one.request.temperature for one in made} == {0.5}
    with pytest.raises(InputError, match="Line 3 has “hot” as its temperature"):
        parse_table("prompt,temperature\na,1\nb,hot\n")
    with pytest.raises(InputError, match="no column “prompt”"):
        parse_table("words\na cat\n")
    with pytest.raises(InputError, match="Line 2 cannot be used"):
        parse_table("prompt,temperature\na,99\n")


def test_a_quotation_mark_that_is_never_closed_takes_no_line_along():
    table = 'prompt,seed\n"a cat, asleep",1\n"a dog on the beach,2\na bird,3\n'
    with pytest.raises(InputError) as error:
        parse_table(table)
    assert "quotation mark" in str(error.value.step) and "its line 3 is" in str(error.value.fact), "where it was opened"
    assert len(parse_table(table.replace("beach,", 'beach",')).prompts) == 3


def test_several_of_each_prompt_are_a_row_of_it():
    """Whatever stands in the braces of each line: the prompts go down and their seeds across."""
    made = make_requests(parse_prompts("a cat in {snow|rain}\na dog").prompts, GenerationRequest("", seed=4), 2)
    table = arrange([(one.row, one.column) for one in made])
    assert table.rows == ("a cat in snow", "a cat in rain", "a dog") and table.columns == ("seed 4", "seed 5")
    scenes = make_requests(scene_prompts([("Beach", "a cat on the beach")]), GenerationRequest("", seed=4), 2)
    assert scenes[0].row == "Beach", "a scene has a name"


@pytest.mark.parametrize("first", ["sep=;\n", "SEP=;\r\n", '"sep=;"\n'])
def test_the_line_that_spreadsheets_write_above_a_table_says_what_separates(first):
    found = parse_table(f"{first}prompt;seed\na, b, c;3\na dog;\n")
    assert [(p.prompt, dict(p.settings)) for p in found.prompts] == [("a, b, c", {"seed": 3}), ("a dog", {})]
    with pytest.raises(InputError, match="Line 3 has “x” as its seed"):
        parse_table(f"{first}prompt;seed\na cat;x\n")


def test_files_as_spreadsheets_and_editors_write_them(tmp_path):
    table, text = tmp_path / "list.CSV", tmp_path / "list.txt"
    table.write_bytes("prompt\tseed\r\na café\t3\r\n".encode("utf-16"))
    assert [(p.prompt, dict(p.settings)) for p in read_prompt_file(table).prompts] == [("a café", {"seed": 3})]
    text.write_bytes(b"\xef\xbb\xbfa cat\r\na dog")
    assert [p.prompt for p in read_prompt_file(text).prompts] == ["a cat", "a dog"]
    for data in (b"a \xe9 caf\xff", "a cat".encode("utf-16-le"), "a cat".encode("utf-32")):
        text.write_bytes(data)
        with pytest.raises(InputError, match="not UTF-8"):
            read_prompt_file(text)
    text.write_bytes(b"a\n" * 3_000_000)
    with pytest.raises(InputError, match="larger than 4 MB"):
        read_prompt_file(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_prompt_file(tmp_path / "gone.txt")


def test_too_many_seeds_and_an_empty_list():
    with pytest.raises(InputError, match="500 are the limit"):
        make_requests(parse_prompts("a cat\n" * (MAX_PICTURES // 2 + 1)).prompts, GenerationRequest(""), 2)
    with pytest.raises(InputError, match="no prompt"):
        make_requests(parse_prompts(" \n").prompts, GenerationRequest(""))
