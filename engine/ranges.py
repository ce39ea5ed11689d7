"""The values a request may have: kinds and ranges, in the types that ``validation.py`` reads files by.

Apart from the request itself, because a panel that shows such values needs no more of it.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

MAX_SEED = 2**32 - 1
MAX_PROMPT_CHARACTERS = 4000
MAX_STRENGTH = 20.0
MAX_VIEWS = 3
"""Further photos of a subject, beside the first."""
TEMPERATURES = (0.01, 10.0)
_MAX_SCALES = 32

Seed = Annotated[int, Meta(ge=0, le=MAX_SEED)]
Share = Annotated[float, Meta(ge=0, le=1)]
PER_SCALE = Meta(min_length=1, max_length=_MAX_SCALES)
_OneStrength = Annotated[float, Meta(ge=0, le=MAX_STRENGTH)]
_OneTemperature = Annotated[float, Meta(ge=TEMPERATURES[0], le=TEMPERATURES[1])]
Strength = _OneStrength | Annotated[tuple[_OneStrength, ...], PER_SCALE]
Temperature = _OneTemperature | Annotated[tuple[_OneTemperature, ...], PER_SCALE]
_Pixels = Annotated[int, Meta(ge=16, le=4096)]
Size = tuple[_Pixels, _Pixels]
"""Width and height."""
