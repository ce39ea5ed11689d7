"""Words: what fits, what is unknown, scenes, and earlier prompts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.prompt.vocabulary import (
    PromptHistory,
    PromptReader,
    Reading,
    braces_sentence,
    dropped_sentence,
    insert_scene,
    scenes_in,
    unknown_sentence,
)
from app.resources import resource
from engine.bundle.manifest import read_manifest
from engine.bundle.records import Language, SceneEntry
from tests.app.fake_bundle import fake_bundle

SNOW = SceneEntry("snow", "scene", "in the snow", "in the snow")
BEACH = SceneEntry("beach", "scene", "on the beach", "on the beach")
RED = SceneEntry("red", "colour", "red", "red")
BLUE = SceneEntry("blue", "colour", "blue", "blue")
CHEF = SceneEntry("chef", "outfit", "in a chef outfit", "Chef")
POLICE = SceneEntry("police", "outfit", "in a police outfit", "Police")
SCENES = (SNOW, BEACH, RED, BLUE, CHEF, POLICE)


@pytest.mark.parametrize(
    ("prompt", "scene", "result"),
    [
        ("", SNOW, "a robot in the snow"),
        ("  ", RED, "a red robot"),
        ("a robot", SNOW, "a robot in the snow"),
        ("a robot.", SNOW, "a robot in the snow"),
        ("a robot on the beach, dusk", SNOW, "a robot in the snow, dusk"),
        ("a robot in the snow", SNOW, "a robot in the snow"),
        ("a robot in the snow", RED, "a red robot in the snow"),
        ("a blue robot in the snow", RED, "a red robot in the snow"),
        ("the dog in the snow", RED, "the red dog in the snow"),
        ("my blueberry", RED, "my red blueberry"),
        ("", CHEF, "a robot in a chef outfit"),
        ("a robot", CHEF, "a robot in a chef outfit"),
        ("a blue robot in the snow, dusk", CHEF, "a blue robot in a chef outfit in the snow, dusk"),
        ("a dog in the snow", CHEF, "a dog in a chef outfit in the snow"),
        ("a dog.", CHEF, "a dog in a chef outfit"),
        ("a robot in a police outfit in the snow", CHEF, "a robot in a chef outfit in the snow"),
        ("a robot in a chef outfit", SNOW, "a robot in a chef outfit in the snow"),
        ("a robot in a chef outfit in the snow", BEACH, "a robot in a chef outfit on the beach"),
    ],
)
def test_a_scene_puts_its_words_where_they_belong(prompt: str, scene: SceneEntry, result: str):
    assert insert_scene(prompt, scene, SCENES, "robot") == result


def test_a_word_that_the_model_has_seen_and_does_not_draw_each_time_is_not_called_unknown():
    """With “at sunset” the small model draws evening light for some seeds, and with a word without a token it never does."""
    folder = resource("mini")
    reader = PromptReader.of_bundle(read_manifest(folder), folder)
    for prompt, sentence in (
        ("a cat on the beach at Sunset", "This model is unsure of “Sunset”."),
        ("a cat at qwzx", "This model does not know “qwzx”."),
        ("a cat at sunset at qwzx", "This model does not know “qwzx”.\nThis model is unsure of “sunset”."),
        ("a cat on the beach", ""),
    ):
        assert unknown_sentence(prompt, reader.read(prompt)) == sentence


def test_trying_one_scene_after_the_other_does_not_pile_them_up():
    prompt = ""
    for scene in (SNOW, BEACH, RED, BLUE, SNOW):
        prompt = insert_scene(prompt, scene, SCENES, "robot")
    assert prompt == "a blue robot in the snow"


def test_the_scenes_of_a_prompt_are_those_that_were_picked():
    assert scenes_in("a RED robot in a chef outfit on the beach", SCENES) == (BEACH, RED, CHEF)
    assert scenes_in("a blueberry snowman", SCENES) == () == scenes_in("", SCENES)
    rug = SceneEntry("rug", "surface", "on the beach with a rug", "Rug")
    assert scenes_in("a robot on the beach with a rug", (*SCENES, rug)) == (rug,), "the longest words, one of a family"


def test_unknown_words_are_found_and_said():
    reader = PromptReader(0, Language(frozenset({"a", "robot", "in", "the", "snow"})))
    prompt = "A robot near the pagoda, in the snow"
    reading = reader.read(prompt)
    assert [prompt[a:b] for a, b in reading.unknown] == ["near", "pagoda"]
    assert unknown_sentence(prompt, reading) == "This model does not know “near”, “pagoda”."
    assert unknown_sentence("a robot", reader.read("a robot")) == ""
    for other in ("一只猫在雪地里", "a 机器人 robot", "кот"):
        assert unknown_sentence(other, reader.read(other)) == "This model reads English.", other
    assert "“café”" in unknown_sentence("a café", reader.read("a café"))
    many = "one two three four five"
    assert unknown_sentence(many, reader.read(many)).endswith("“three” and 2 more.")


def test_the_name_of_the_subject_need_not_be_known():
    reader = PromptReader(language=Language(frozenset({"a", "in", "the", "snow"})))
    prompt = "a welsh-corgi in the pagoda"
    assert unknown_sentence(prompt, reader.read(prompt)) == "This model does not know “welsh”, “corgi”, “pagoda”."
    named = reader.with_name("Welsh-Corgi")
    assert unknown_sentence(prompt, named.read(prompt)) == "This model does not know “pagoda”."
    assert (
        named.with_name("Welsh-Corgi") is named
        and named.with_name("").read(prompt).unknown == reader.read(prompt).unknown
    )


def test_words_in_braces_are_for_a_list():
    assert "list" in braces_sentence("a {red|blue} robot") and not braces_sentence("a {red} robot | b")


def test_a_model_without_a_language_takes_any_word():
    assert PromptReader(10).read("a pagoda").unknown == ()


def test_what_the_limit_cuts_off_is_said():
    reading = PromptReader(4).read("one two three four five")
    assert (reading.tokens, reading.limit, reading.dropped) == (6, 4, "four five")
    assert dropped_sentence(reading) == "The last 2 words are not used: four five"
    assert dropped_sentence(PromptReader(5).read("one two three four five")) == "The last word is not used: five"
    assert dropped_sentence(PromptReader(6).read("one two three four five")) == ""


def test_a_bundle_counts_with_its_own_tokenizer(tmp_path: Path):
    manifest = fake_bundle(tmp_path, limit=6)
    reader = PromptReader.of_bundle(manifest, tmp_path)
    assert reader.read("a toy-robot, red").tokens == 7, "hyphen and comma are tokens of this tokenizer"
    reading = reader.read("a toy robot in the snow on the beach")
    assert (reading.tokens, reading.limit) == (10, 6)
    assert reading.dropped == "snow on the beach"
    assert reader.read("a pagoda").unknown == ((2, 8),)


def test_a_damaged_tokenizer_only_makes_the_counter_rough(tmp_path: Path):
    manifest = fake_bundle(tmp_path)
    (tmp_path / "text" / "tokenizer.json").write_text("{")
    reader = PromptReader.of_bundle(manifest, tmp_path)
    assert reader.read("a robot, red").tokens == 5


@given(st.text(max_size=200), st.integers(0, 12))
def test_any_text_can_be_read(text: str, limit: int):
    reading = PromptReader(limit, Language(frozenset({"a"}))).read(text)
    assert isinstance(reading, Reading)
    assert all(0 <= start < end <= len(text) for start, end in reading.unknown)
    assert reading.dropped in text


def test_walking_through_earlier_prompts_and_back_to_the_draft():
    history = PromptHistory()
    for prompt in ("one", "two", " three ", "", "two"):
        history.add(prompt)
    assert history.entries == ["one", "three", "two"]
    assert history.older("draft") == "two"
    assert history.older("two") == "three"
    assert history.older("three") == "one"
    assert history.older("one") == "one"
    assert history.newer("one") == "three"
    assert history.newer("three") == "two"
    assert history.newer("two") == "draft"
    assert history.newer("draft") == "draft"


def test_the_prompt_that_is_shown_already_is_skipped():
    history = PromptHistory(["one", "two"])
    assert history.older("two") == "one"


def test_typing_ends_the_walk():
    history = PromptHistory(["one", "two"])
    assert history.older("") == "two"
    history.typed()
    assert history.older("two and more") == "two"
    assert history.newer("two") == "two and more"


def test_history_is_bounded():
    history = PromptHistory(limit=3)
    for number in range(10):
        history.add(str(number))
    assert history.entries == ["7", "8", "9"]
    assert PromptHistory().older("draft") == "draft"
