"""The small copies the history keeps: a thumbnail of each picture, and one film of the picture after each scale."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

THUMB_SIDE = 192
SCALE_SIDE = 256
_Side = Annotated[int, Meta(ge=1, le=SCALE_SIDE)]
FilmShape = tuple[_Side, _Side] | None
"""Height and width of one picture of a film, or None where it is not known."""


def make_thumb(image: np.ndarray) -> bytes:
    """RGB uint8 (H, W, 3) → WebP bytes, at most 192 px a side."""
    import numpy as np
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=82)
    return out.getvalue()


def make_film(images: Sequence[np.ndarray | None]) -> tuple[list[list[int] | None], bytes]:
    """RGB uint8 (H, W, 3) each → their sizes [height, width], at most 256 px a side, and all side by side as one WebP.

    None stands for one that is not known.
    """
    import numpy as np
    from PIL import Image

    frames: list[Image.Image | None] = []
    for pixels in images:
        if pixels is None:
            frames.append(None)
            continue
        frame = Image.fromarray(np.ascontiguousarray(pixels))
        frame.thumbnail((SCALE_SIDE, SCALE_SIDE), Image.Resampling.LANCZOS)
        frames.append(frame)
    known = [frame for frame in frames if frame is not None]
    if not known:
        return [], b""
    film = Image.new("RGB", (sum(frame.width for frame in known), max(frame.height for frame in known)))
    x = 0
    for frame in known:
        film.paste(frame, (x, 0))
        x += frame.width
    out = io.BytesIO()
    film.save(out, "WEBP", quality=80, method=2)
    return [None if frame is None else [frame.height, frame.width] for frame in frames], out.getvalue()


def read_film(shapes: list[FilmShape], film: bytes) -> tuple[np.ndarray | None, ...]:
    """Unpack the bytes of ``make_film`` → RGB uint8 (h, w, 3) each. Raises ``OSError`` or ``ValueError`` when they are damaged."""
    import numpy as np
    from PIL import Image

    if not shapes:
        return ()
    with Image.open(io.BytesIO(film), formats=("WEBP",)) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    images: list[np.ndarray | None] = []
    x = 0
    for shape in shapes:
        if shape is None:
            images.append(None)
            continue
        height, width = shape
        images.append(pixels[:height, x : x + width].copy())
        x += width
    return tuple(images)
