"""From prompts and cut-outs to what the network is given. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.encoders.placed import place_cut_out as place_cut_out
    from engine.encoders.placed import region_around as region_around
    from engine.encoders.placed import subject_alpha as subject_alpha
else:
    __getattr__, __dir__, __all__ = face(
        __name__, {"engine.encoders.placed": ("place_cut_out", "region_around", "subject_alpha")}
    )
