"""The pre-flight: finds the subject, corrects the mask, lays it on transparency. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.preflight.segmenter import Segmenter as Segmenter
    from engine.preflight.shipped.network import shipped_problem as shipped_problem
    from engine.preflight.shipped.things import things_problem as things_problem
    from engine.preflight.transparency import cropped as cropped
    from engine.preflight.transparency import of_cut_out as of_cut_out
    from engine.preflight.transparency import on_transparency as on_transparency
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.preflight.transparency": ("cropped", "of_cut_out", "on_transparency"),
            "engine.preflight.segmenter": ("Segmenter",),
            "engine.preflight.shipped.network": ("shipped_problem",),
            "engine.preflight.shipped.things": ("things_problem",),
        },
    )
