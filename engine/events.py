"""Events of a running generation: frozen dataclasses with numpy arrays, free of torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.request import GenerationRequest, ScaleBits

if TYPE_CHECKING:
    from engine.photo.own_colours import OwnColours


@dataclass(frozen=True)
class Started:
    """The request was accepted; features are being prepared.

    Attributes:
        request: the request as it will be drawn (prompt as given).
        grids: token grid (h, w) of every scale, coarse to fine.
        costs: share of the drawing time expected for every scale, summing to 1 (from measured or counted work).
        first_scale: index of the first scale that is drawn; greater than 0 when scales are kept.
        notes: sentences for the user, for example the words a prompt limit cut off.
        expected_seconds: measured expectation for this picture, or None before the first one.
    """

    request: GenerationRequest
    grids: tuple[tuple[int, int], ...]
    costs: tuple[float, ...]
    first_scale: int = 0
    notes: tuple[str, ...] = ()
    expected_seconds: float | None = None


@dataclass(frozen=True, eq=False)
class ScalePreview:
    """The picture so far, after one scale.

    Attributes:
        scale: index of the scale just drawn, 0-based.
        scale_count: number of scales.
        grid: token grid (h, w) of this scale.
        image: RGB uint8 (H, W, 3), no side over 512 px.
        seconds: seconds since the start of the request.
        remembered: so many of the first scales took no time, because an earlier picture had left them behind.
    """

    scale: int
    scale_count: int
    grid: tuple[int, int]
    image: np.ndarray
    seconds: float
    remembered: int = 0


@dataclass(frozen=True)
class Timing:
    """Seconds by stage of one generation; stages served from a cache take about 0.

    ``scales`` has one entry per scale; kept scales take 0, and so do ``remembered`` first ones, which an earlier picture had
    left behind. ``cached`` names the caches that hit (any of "text", "negative", "subject", "content", "start").
    """

    text: float = 0.0
    semantic: float = 0.0
    content: float = 0.0
    content_stream: float = 0.0
    scales: tuple[float, ...] = ()
    previews: float = 0.0
    decode: float = 0.0
    total: float = 0.0
    cached: tuple[str, ...] = ()
    remembered: int = 0


@dataclass(frozen=True, eq=False)
class Finished:
    """The picture is done.

    Attributes:
        request: the request that was drawn.
        image: RGB uint8 (H, W, 3) at full size.
        bits: bit labels of every scale.
        timing: seconds by stage.
        notes: sentences for the user.
        likeness: how alike the subject is to its cut-out, 0 … 1, for bundles whose encoder can tell; None otherwise.
        own: the same picture as its file is to have it, in the colours of the photo that it was drawn into; None where those
            are sRGB.
    """

    request: GenerationRequest
    image: np.ndarray
    bits: ScaleBits
    timing: Timing
    notes: tuple[str, ...] = ()
    likeness: float | None = None
    own: OwnColours | None = None


Event = Started | ScalePreview | Finished


@dataclass(frozen=True)
class EngineInfo:
    """The bundle and device that were opened.

    Attributes:
        bundle: identity of the bundle, "name@digest".
        folder: where the bundle lies.
        device: the device in words, for example "CPU, 2 cores" or "NVIDIA GeForce RTX 4090, 24 GB".
        plan: the memory plan in words, for example "Balanced: needs 11.6 GB, you have 16 GB."
        notes: further sentences for the user.
    """

    bundle: str
    folder: str
    device: str
    plan: str = ""
    notes: tuple[str, ...] = ()
