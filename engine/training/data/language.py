"""The language of the mini model: scenes, colours and materials, and the words it knows for them.

The canonical wording is that of the DreamBench prompt list; captions vary it, so that other wordings work too.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """One thing the prompt can ask for.

    Attributes:
        key: identifier, also the painter's name in ``engine/training/render/scenes`` for places.
        kind: "scene", "surface", "background", "colour", "material", "outfit" or "light".
        prompt: the canonical wording after "a dog", or before it when it is a colour or material ("red").
        label: the chip's words.
        wordings: other ways to say it.
    """

    key: str
    kind: str
    prompt: str
    label: str
    wordings: tuple[str, ...] = ()


SCENES: tuple[Scene, ...] = (
    Scene(
        "jungle", "scene", "in the jungle", "Jungle", ("in a green jungle", "among jungle leaves", "in the rainforest")
    ),
    Scene("snow", "scene", "in the snow", "Snow", ("in deep snow", "on fresh snow", "in a snowy forest", "in winter")),
    Scene("beach", "scene", "on the beach", "Beach", ("on a sandy beach", "at the sea", "on the sand by the ocean")),
    Scene(
        "cobblestone",
        "surface",
        "on a cobblestone street",
        "Cobblestones",
        ("on cobblestones", "in an old town street"),
    ),
    Scene(
        "pink_fabric",
        "surface",
        "on top of pink fabric",
        "Pink fabric",
        ("on pink fabric", "on pink cloth", "on pink silk"),
    ),
    Scene(
        "wooden_floor",
        "surface",
        "on top of a wooden floor",
        "Wooden floor",
        ("on a wooden floor", "on wood", "on wooden boards"),
    ),
    Scene(
        "city",
        "background",
        "with a city in the background",
        "City",
        ("in front of a city", "with skyscrapers behind", "in the city"),
    ),
    Scene(
        "mountain",
        "background",
        "with a mountain in the background",
        "Mountain",
        ("in front of mountains", "in the mountains", "with mountains behind"),
    ),
    Scene(
        "blue_house",
        "background",
        "with a blue house in the background",
        "Blue house",
        ("in front of a blue house", "with a blue house behind"),
    ),
    Scene(
        "purple_rug_forest",
        "surface",
        "on top of a purple rug in a forest",
        "Purple rug, forest",
        ("on a purple rug in the forest", "in a forest on a purple rug"),
    ),
    Scene(
        "wheat_field",
        "background",
        "with a wheat field in the background",
        "Wheat field",
        ("in a wheat field", "in front of a wheat field", "among golden wheat"),
    ),
    Scene(
        "autumn_tree",
        "background",
        "with a tree and autumn leaves in the background",
        "Autumn tree",
        ("under an autumn tree", "with autumn leaves", "in autumn"),
    ),
    Scene(
        "eiffel_tower",
        "background",
        "with the Eiffel Tower in the background",
        "Eiffel Tower",
        ("in front of the eiffel tower", "in paris", "with the eiffel tower behind"),
    ),
    Scene(
        "on_water", "scene", "floating on top of water", "On water", ("floating on water", "in the water", "on a lake")
    ),
    Scene(
        "ocean_of_milk",
        "scene",
        "floating in an ocean of milk",
        "Ocean of milk",
        ("in an ocean of milk", "floating in milk", "in milk"),
    ),
    Scene(
        "sunflowers",
        "surface",
        "on top of green grass with sunflowers around it",
        "Sunflowers",
        ("on green grass with sunflowers", "among sunflowers", "in a garden of sunflowers"),
    ),
    Scene("mirror", "surface", "on top of a mirror", "Mirror", ("on a mirror", "standing on a mirror")),
    Scene(
        "crowded_street",
        "surface",
        "on top of the sidewalk in a crowded street",
        "Crowded street",
        ("on a sidewalk in a crowded street", "in a crowded street", "on the sidewalk with people"),
    ),
    Scene(
        "dirt_road",
        "surface",
        "on top of a dirt road",
        "Dirt road",
        ("on a dirt road", "on a country road", "on a path"),
    ),
    Scene(
        "white_rug",
        "surface",
        "on top of a white rug",
        "White rug",
        ("on a white rug", "on a white carpet", "on a fluffy white rug"),
    ),
    Scene("red", "colour", "red", "Red"),
    Scene("purple", "colour", "purple", "Purple"),
    Scene("shiny", "material", "shiny", "Shiny"),
    Scene("wet", "material", "wet", "Wet"),
    Scene("cube", "material", "cube shaped", "Cube shaped"),
)
OUTFITS: tuple[Scene, ...] = tuple(
    Scene(key, "outfit", prompt, label, wordings)
    for key, prompt, label, wordings in (
        ("red_hat", "wearing a red hat", "Red hat", ("with a red hat", "in a red hat")),
        ("santa_hat", "wearing a santa hat", "Santa hat", ("with a santa hat", "in a santa hat")),
        ("rainbow_scarf", "wearing a rainbow scarf", "Rainbow scarf", ("with a rainbow scarf", "in a rainbow scarf")),
        (
            "top_hat",
            "wearing a black top hat and a monocle",
            "Top hat, monocle",
            ("with a top hat and a monocle", "wearing a black top hat"),
        ),
        ("chef", "in a chef outfit", "Chef", ("dressed as a chef", "wearing a chef outfit")),
        (
            "firefighter",
            "in a firefighter outfit",
            "Firefighter",
            ("dressed as a firefighter", "wearing a firefighter outfit"),
        ),
        ("police", "in a police outfit", "Police", ("dressed as police", "wearing a police outfit")),
        ("pink_glasses", "wearing pink glasses", "Pink glasses", ("with pink glasses", "in pink glasses")),
        ("yellow_shirt", "wearing a yellow shirt", "Yellow shirt", ("in a yellow shirt", "with a yellow shirt")),
        (
            "wizard",
            "in a purple wizard outfit",
            "Purple wizard",
            ("dressed as a purple wizard", "wearing a purple wizard outfit"),
        ),
    )
)
"""Outfits of the live-subject prompts. They come after the scenes, so that what was trained without them
keeps its numbers."""
ADJECTIVES: tuple[Scene, ...] = tuple(
    Scene(word, "colour", word, word.capitalize())
    for word in ("blue", "green", "yellow", "black", "white", "golden", "silver")
)
"""More colours, told like ``LOOKS``."""
LIGHTS: tuple[Scene, ...] = (
    Scene("sunset", "light", "at sunset", "Sunset", ("in the evening light", "at sundown", "in the sunset")),
    Scene("night", "light", "at night", "Night", ("in the night", "under the stars", "by moonlight")),
    Scene("fog", "light", "in the fog", "Fog", ("in thick fog", "in the mist", "on a foggy day")),
)
"""Lights that any place can have; they come last, like everything that the language has won since."""
PROMPTS = SCENES + OUTFITS + ADJECTIVES + LIGHTS


def taught(outfits: object, more: object = False) -> tuple[Scene, ...]:
    """The things a model can be asked for.

    Args:
        outfits: whether it was trained with outfits. more: whether with adjectives and lights.
    """
    return SCENES + (OUTFITS if outfits else ()) + (ADJECTIVES + LIGHTS if more else ())


BY_KEY = {scene.key: scene for scene in PROMPTS}
PLACES = tuple(scene for scene in SCENES if scene.kind in ("scene", "surface", "background"))
PLAIN = "studio"
"""The plain backdrop's key, where a table has a line for every place."""
LOOKS = tuple(scene for scene in SCENES if scene.kind in ("colour", "material"))

_OPENINGS = ("a {}", "a {}", "a {}", "the {}", "one {}", "photo of a {}", "a picture of a {}", "{}", "my {}")
_STANDING = ("", "", "", "", " standing", " sitting")


def canonical_prompt(scene: Scene, name: str) -> str:
    """The DreamBench wording, for example "a dog in the snow" or "a red dog"."""
    return f"a {scene.prompt} {name}" if scene.kind in ("colour", "material") else f"a {name} {scene.prompt}"


def caption(
    scene: Scene, name: str, chance: random.Random, place: Scene | None = None, light: Scene | None = None
) -> str:
    """A caption for a painted picture: usually the canonical wording, sometimes another one.

    Args:
        scene: what is shown; for a colour, a material, an outfit or a light, ``place`` may add where.
        light: one of ``LIGHTS`` that the place is seen in.
    """
    if chance.random() < 0.08:
        name = chance.choice(("thing", "toy", "object", "subject"))
    ending = "" if light is None else f" {_wording(light, chance)}"
    where = "" if place is None else f" {place.prompt}"
    if scene.kind in ("colour", "material"):
        return chance.choice(_OPENINGS[:5]).format(f"{scene.prompt} {name}") + where + ending
    if scene in OUTFITS:
        return f"{chance.choice(_OPENINGS).format(name)} {_wording(scene, chance)}{where}{ending}"
    if scene in LIGHTS:
        return f"{chance.choice(_OPENINGS).format(name)}{where} {_wording(scene, chance)}"
    if chance.random() < 0.06:
        return scene.prompt + ending
    wording = _wording(scene, chance)
    return chance.choice(_OPENINGS).format(name) + chance.choice(_STANDING) + " " + wording + ending


def _wording(scene: Scene, chance: random.Random) -> str:
    return scene.prompt if not scene.wordings or chance.random() < 0.6 else chance.choice(scene.wordings)


_WORD = re.compile(r"[a-z0-9]+")


def split_words(text: str) -> list[str]:
    """Lower-case words of letters and digits."""
    return _WORD.findall(text.lower())


_FILLERS = [
    "a",
    "an",
    "the",
    "one",
    "my",
    "photo",
    "of",
    "picture",
    "standing",
    "sitting",
    "lying",
    "thing",
    "toy",
    "object",
    "subject",
    "dog",
    "cat",
    "backpack",
    "bowl",
    "can",
    "candle",
    "clock",
    "sneaker",
    "shoe",
    "boot",
    "stuffed",
    "animal",
    "plushie",
    "glasses",
    "sunglasses",
    "cartoon",
    "robot",
    "duck",
    "teapot",
    "vase",
    "bear",
    "monster",
    "wolf",
    "sloth",
    "berry",
    "toys",
    "small",
    "big",
    "little",
    "cute",
    "new",
    "old",
]


def vocabulary(names: Iterable[str] = ()) -> list[str]:
    """Every word captions can contain, sorted: wordings, openings, class names and the given subject names."""
    words = set(_FILLERS)
    for scene in SCENES:
        for text in (scene.prompt, scene.label, *scene.wordings):
            words.update(split_words(text))
    for name in names:
        words.update(split_words(name))
    return sorted(words)


def outfit_words(names: Iterable[str] = ()) -> list[str]:
    """The words that ``vocabulary`` lacks to speak of outfits, sorted."""
    words = {word for scene in OUTFITS for text in (scene.prompt, *scene.wordings) for word in split_words(text)}
    return sorted(words - set(vocabulary(names)))


def late_words(names: Iterable[str] = (), later: Iterable[str] = ()) -> list[str]:
    """The words a vocabulary with outfits lacks to speak of adjectives, lights and the ``later`` names, sorted within each."""
    known = {*vocabulary(names), *outfit_words(names)}
    told = {
        word for scene in ADJECTIVES + LIGHTS for text in (scene.prompt, *scene.wordings) for word in split_words(text)
    }
    called = {word for name in later for word in split_words(name)}
    return [*sorted(told - known), *sorted(called - known - told)]
