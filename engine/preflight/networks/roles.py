"""The roles of the learned parts, apart from the parts themselves: the window names them before anything of a device is imported."""

from __future__ import annotations

from engine.sentence import Sentence

ROLES = ("naming", "grounding", "segmentation")
"""Keys of the folders, as the catalogue of published parts calls them."""
ROLE_WORDS = {
    "naming": Sentence("naming"),
    "grounding": Sentence("grounding"),
    "segmentation": Sentence("segmentation"),
}
"""How a role is called in a sentence."""
