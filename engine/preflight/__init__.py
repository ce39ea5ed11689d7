"""The pre-flight: finds the subject, corrects the mask, lays it on transparency. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.preflight.foreground import cropped as cropped
    from engine.preflight.foreground import of_cut_out as of_cut_out
    from engine.preflight.foreground import on_transparency as on_transparency
    from engine.preflight.segmenter import Segmenter as Segmenter
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.preflight.foreground": ("cropped", "of_cut_out", "on_transparency"),
            "engine.preflight.segmenter": ("Segmenter",),
        },
    )
