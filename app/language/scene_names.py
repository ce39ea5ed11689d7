"""The names of scenes in the language of the window. What a chip writes into the prompt stays English: the model reads that."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

NAMES = (
    QT_TRANSLATE_NOOP("Scenes", "Jungle"),
    QT_TRANSLATE_NOOP("Scenes", "Snow"),
    QT_TRANSLATE_NOOP("Scenes", "Beach"),
    QT_TRANSLATE_NOOP("Scenes", "Cobblestones"),
    QT_TRANSLATE_NOOP("Scenes", "Pink fabric"),
    QT_TRANSLATE_NOOP("Scenes", "Wooden floor"),
    QT_TRANSLATE_NOOP("Scenes", "City"),
    QT_TRANSLATE_NOOP("Scenes", "Mountain"),
    QT_TRANSLATE_NOOP("Scenes", "Blue house"),
    QT_TRANSLATE_NOOP("Scenes", "Purple rug, forest"),
    QT_TRANSLATE_NOOP("Scenes", "Wheat field"),
    QT_TRANSLATE_NOOP("Scenes", "Autumn tree"),
    QT_TRANSLATE_NOOP("Scenes", "Eiffel Tower"),
    QT_TRANSLATE_NOOP("Scenes", "On water"),
    QT_TRANSLATE_NOOP("Scenes", "Ocean of milk"),
    QT_TRANSLATE_NOOP("Scenes", "Sunflowers"),
    QT_TRANSLATE_NOOP("Scenes", "Mirror"),
    QT_TRANSLATE_NOOP("Scenes", "Crowded street"),
    QT_TRANSLATE_NOOP("Scenes", "Dirt road"),
    QT_TRANSLATE_NOOP("Scenes", "White rug"),
    QT_TRANSLATE_NOOP("Scenes", "Red"),
    QT_TRANSLATE_NOOP("Scenes", "Purple"),
    QT_TRANSLATE_NOOP("Scenes", "Shiny"),
    QT_TRANSLATE_NOOP("Scenes", "Wet"),
    QT_TRANSLATE_NOOP("Scenes", "Cube shaped"),
    QT_TRANSLATE_NOOP("Scenes", "Red hat"),
    QT_TRANSLATE_NOOP("Scenes", "Santa hat"),
    QT_TRANSLATE_NOOP("Scenes", "Rainbow scarf"),
    QT_TRANSLATE_NOOP("Scenes", "Top hat, monocle"),
    QT_TRANSLATE_NOOP("Scenes", "Chef"),
    QT_TRANSLATE_NOOP("Scenes", "Firefighter"),
    QT_TRANSLATE_NOOP("Scenes", "Police"),
    QT_TRANSLATE_NOOP("Scenes", "Pink glasses"),
    QT_TRANSLATE_NOOP("Scenes", "Yellow shirt"),
    QT_TRANSLATE_NOOP("Scenes", "Purple wizard"),
    QT_TRANSLATE_NOOP("Scenes", "Blue"),
    QT_TRANSLATE_NOOP("Scenes", "Green"),
    QT_TRANSLATE_NOOP("Scenes", "Yellow"),
    QT_TRANSLATE_NOOP("Scenes", "Black"),
    QT_TRANSLATE_NOOP("Scenes", "White"),
    QT_TRANSLATE_NOOP("Scenes", "Golden"),
    QT_TRANSLATE_NOOP("Scenes", "Silver"),
    QT_TRANSLATE_NOOP("Scenes", "Sunset"),
    QT_TRANSLATE_NOOP("Scenes", "Night"),
    QT_TRANSLATE_NOOP("Scenes", "Fog"),
)
"""Names of the scenes of this project's models; another model's names are shown as they are."""


def scene_name(label: str) -> str:
    """The words of a chip, for a scene's label in its bundle."""
    return QCoreApplication.translate("Scenes", label)
