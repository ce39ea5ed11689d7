"""Checks that the bits of kept scales fit a schedule: for requests before anything is encoded, and for whoever calls
the sampler."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import RequestError
from engine.model.config import ScaleSchedule
from engine.sentence import Sentence


def check_kept_scales(shapes: Sequence[Sequence[int]], schedule: ScaleSchedule, bits: int, first: int) -> None:
    """Raise ``RequestError`` unless something is left to draw and the kept bits have the schedule's shapes.

    Args:
        shapes: (h, w, d) of the kept scales, coarse to fine.
        bits: d of the open model.
        first: the first scale of which anything is drawn.
    """
    if first >= len(schedule.grids):
        raise RequestError(
            Sentence("All {count} scales are kept: nothing is left to draw.", count=len(schedule.grids)),
            Sentence("Keep fewer."),
        )
    scale = schedule.first_misfit(shapes, bits)
    if scale is not None:
        raise RequestError(
            Sentence(
                "The kept scale {scale} has {bits}, and this picture has {shape}.",
                scale=scale + 1,
                bits=_words(shapes[scale]),
                shape=_words((*schedule.grids[scale], bits)),
            ),
            Sentence("Scales can be kept from a picture of the same model and size."),
        )


def _words(shape: Sequence[int]) -> str:
    rows, columns, bits = shape
    return f"{columns} × {rows} tokens of {bits} bits"
