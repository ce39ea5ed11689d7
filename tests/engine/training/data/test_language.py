"""The mini model's language: the DreamBench wordings, captions that stay inside it, and words for every caption."""

from __future__ import annotations

import random

from engine.training.data import language
from engine.training.data.words import UNKNOWN, word_tokenizer


def test_the_canonical_wordings_are_those_of_dreambench():
    prompts = {scene.key: language.canonical_prompt(scene, "dog") for scene in language.SCENES}
    assert len(prompts) == 25
    assert prompts["jungle"] == "a dog in the jungle"
    assert prompts["sunflowers"] == "a dog on top of green grass with sunflowers around it"
    assert prompts["crowded_street"] == "a dog on top of the sidewalk in a crowded street"
    assert prompts["red"] == "a red dog"
    assert prompts["cube"] == "a cube shaped dog"


def test_every_caption_names_what_it_stands_for_in_words_the_model_knows():
    chance = random.Random(3)
    tokenizer = word_tokenizer(["steam locomotive"])
    unknown = tokenizer.token_to_id(UNKNOWN)
    captions = set()
    for _ in range(60):
        for scene in language.SCENES:
            place = chance.choice(language.PLACES) if scene in language.LOOKS and chance.random() < 0.5 else None
            words = language.caption(scene, "steam locomotive", chance, place)
            captions.add(words)
            assert any(wording in words for wording in (scene.prompt, *scene.wordings)), words
            assert place is None or place.prompt in words
            assert unknown not in tokenizer.encode(words).ids, words
    assert len(captions) > 500  # captions vary


def test_the_outfits_are_those_of_the_live_subjects():
    prompts = [language.canonical_prompt(scene, "dog") for scene in language.OUTFITS]
    assert len(prompts) == 10
    assert "a dog wearing a black top hat and a monocle" in prompts
    assert "a dog in a purple wizard outfit" in prompts
    assert language.taught(0.1) == language.SCENES + language.OUTFITS and language.taught(0.0) == language.SCENES


def test_captions_of_outfits_stay_inside_the_larger_language():
    chance = random.Random(4)
    tokenizer = word_tokenizer(["steam locomotive"], outfits=True)
    unknown = tokenizer.token_to_id(UNKNOWN)
    for _ in range(60):
        for scene in language.OUTFITS:
            place = chance.choice(language.PLACES) if chance.random() < 0.5 else None
            words = language.caption(scene, "steam locomotive", chance, place)
            assert any(wording in words for wording in (scene.prompt, *scene.wordings)), words
            assert place is None or words.endswith(place.prompt)
            assert unknown not in tokenizer.encode(words).ids, words


def test_words_of_outfits_come_after_all_others():
    """A model that was trained without them keeps its ids."""
    small, large = word_tokenizer(["dog", "cat"]), word_tokenizer(["dog", "cat"], outfits=True)
    added = language.outfit_words(["dog", "cat"])
    assert {"monocle", "chef", "wizard", "hat"} <= set(added)
    assert large.get_vocab_size() == small.get_vocab_size() + len(added)
    assert all(large.token_to_id(word) == index for word, index in small.get_vocab().items())


def test_what_the_language_has_won_since_comes_after_all_words_that_a_model_can_know():
    """Adjectives, lights and the names of further cut-outs: ids of the model that is trained on stay."""
    old = word_tokenizer(["dog", "cat"], outfits=True)
    new = word_tokenizer(["dog", "cat"], outfits=True, more=True, later=["aardvark", "zebra"])
    assert all(new.token_to_id(word) == index for word, index in old.get_vocab().items())
    added = set(new.get_vocab()) - set(old.get_vocab())
    assert {"sunset", "night", "fog", "golden", "aardvark", "zebra"} <= added | set(old.get_vocab())
    assert all(new.token_to_id(word) >= old.get_vocab_size() for word in added)


def test_captions_with_lights_and_adjectives_stay_inside_the_language():
    chance = random.Random(5)
    tokenizer = word_tokenizer(["steam locomotive"], more=True)
    unknown = tokenizer.token_to_id(UNKNOWN)
    for _ in range(40):
        light, place = chance.choice(language.LIGHTS), chance.choice(language.PLACES)
        for words in (
            language.caption(place, "steam locomotive", chance, light=light),
            language.caption(light, "steam locomotive", chance, place),
            language.caption(chance.choice(language.ADJECTIVES), "steam locomotive", chance, place),
        ):
            assert unknown not in tokenizer.encode(words).ids, words
        words = language.caption(place, "dog", chance, light=light)
        assert any(wording in words for wording in (light.prompt, *light.wordings)), words
    assert language.canonical_prompt(language.BY_KEY["golden"], "dog") == "a golden dog"
    assert language.canonical_prompt(language.BY_KEY["sunset"], "dog") == "a dog at sunset"


def test_new_prompts_come_after_the_old_ones():
    assert language.PROMPTS[:25] == language.SCENES and language.PROMPTS[25:35] == language.OUTFITS
    assert language.taught(True, True) == language.PROMPTS


def test_tokens_are_words_and_an_end():
    tokenizer = word_tokenizer(["duck"])
    encoded = tokenizer.encode("A Duck, in the SNOW! zyzzyva")
    assert encoded.tokens == ["a", "duck", "in", "the", "snow", "<unk>", "</s>"]
    assert tokenizer.token_to_id("<pad>") == 0
