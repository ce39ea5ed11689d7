"""The painters of the mini model's scenes, named after the keys of ``language.PLACES``.

A painter fills a ``World`` and says where the subject stands. ``World.layout`` counts a scene's backgrounds: each painter
deals out at least six layouts by it and draws the rest from chance.
"""

from engine.training.render.scenes.indoors import mirror, pink_fabric, studio, white_rug, wooden_floor
from engine.training.render.scenes.liquid import ocean_of_milk, on_water
from engine.training.render.scenes.nature import (
    autumn_tree,
    beach,
    dirt_road,
    jungle,
    mountain,
    purple_rug_forest,
    snow,
    sunflowers,
    wheat_field,
)
from engine.training.render.scenes.town import blue_house, city, cobblestone, crowded_street, eiffel_tower
from engine.training.render.world import Setting

__all__ = [
    "Setting",
    "autumn_tree",
    "beach",
    "blue_house",
    "city",
    "cobblestone",
    "crowded_street",
    "dirt_road",
    "eiffel_tower",
    "jungle",
    "mirror",
    "mountain",
    "ocean_of_milk",
    "on_water",
    "pink_fabric",
    "purple_rug_forest",
    "snow",
    "studio",
    "sunflowers",
    "wheat_field",
    "white_rug",
    "wooden_floor",
]
