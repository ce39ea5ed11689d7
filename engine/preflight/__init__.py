"""The pre-flight: finds the subject, corrects the mask. The face; every name is loaded on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.faces import face

if TYPE_CHECKING:
    from engine.preflight.segmenter import Segmenter as Segmenter
    from engine.preflight.shipped.network import shipped_problem as shipped_problem
else:
    __getattr__, __dir__, __all__ = face(
        __name__,
        {
            "engine.preflight.segmenter": ("Segmenter",),
            "engine.preflight.shipped.network": ("shipped_problem",),
        },
    )
