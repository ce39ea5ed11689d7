"""The part of a picture that is drawn anew, while everything outside of it stays.

Bits are kept by place as well as by scale: a token stays when more than half of it lies outside of the region. What the
decoder paints is then laid into the picture that was there, softly, and only inside: outside, not one pixel changes.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any

from msgspec import Meta, Struct

from engine.errors import RegionError
from engine.faces import late
from engine.sentence import Sentence
from engine.validation import Damage, check_fields, read_value

if TYPE_CHECKING:
    import numpy as np
else:
    np = late("numpy")

INSIDE = 128
"""A pixel of a mask belongs to the region from here on."""
MAX_SIDE = 4096
_BLUR_REACH = 4
"""Of a Gaussian's spread: further away OpenCV counts nothing."""
_SMOOTH = 4
"""A Gaussian's spread in pixels from which on it is taken of a picture that was made smaller."""
MAX_PHOTO_SIDE = 65535
LEAST_DPI, MOST_DPI = 2.0, 10_000.0
"""Of what a file may state as its resolution. One dot per inch is what programs write, and read, where nothing is stated."""
_DAMAGED = Sentence("The region of this request is damaged.")

_Place = Annotated[int, Meta(ge=-MAX_PHOTO_SIDE, le=MAX_PHOTO_SIDE)]
_Side = Annotated[int, Meta(ge=1, le=MAX_PHOTO_SIDE)]
_Digest = Annotated[str, Meta(max_length=128)]
_MOST_SCALES = 32
_Scales = Annotated[int, Meta(ge=0, le=_MOST_SCALES)]
_Dpi = Annotated[float, Meta(ge=LEAST_DPI, le=MOST_DPI)]
_Png = Annotated[bytes, Meta(max_length=14 * 2**20 * 3 // 4)]


class _PackedWindow(Struct):
    """A window in JSON."""

    rect: tuple[_Place, _Place, _Side, _Side]
    photo_size: tuple[_Side, _Side]
    photo: _Digest = ""


class _PackedRegion(Struct):
    """A region in JSON."""

    mask: _Png
    picture: _Png
    whole: _Scales = 0
    window: _PackedWindow | None = None
    behind: bool = False
    dpi: tuple[_Dpi, _Dpi] | None = None


@dataclass(frozen=True)
class PhotoWindow:
    """The part of a large photo that a picture was drawn for.

    Attributes:
        x, y, width, height: in pixels of the photo; it may reach beyond the photo's edges.
        photo_width, photo_height: of the photo.
        photo: its digest, or "". Never a path.
    """

    x: _Place
    y: _Place
    width: _Side
    height: _Side
    photo_width: _Side
    photo_height: _Side
    photo: _Digest = ""

    def __post_init__(self) -> None:
        check_fields(self, _WINDOW_RULES, RegionError)
        left, top = max(self.x, 0), max(self.y, 0)
        right, bottom = min(self.x + self.width, self.photo_width), min(self.y + self.height, self.photo_height)
        if left >= right or top >= bottom:
            raise RegionError(_DAMAGED)

    def to_json(self) -> dict[str, Any]:
        return {
            "rect": [self.x, self.y, self.width, self.height],
            "photo_size": [self.photo_width, self.photo_height],
            "photo": self.photo,
        }


_WINDOW_RULES = dict.fromkeys((entry.name for entry in fields(PhotoWindow)), _DAMAGED)


@dataclass(frozen=True, eq=False)
class Region:
    """The region to draw anew, and the picture around it.

    Attributes:
        mask: uint8 (H, W), 255 inside and 0 outside; a mask with other values is cut at ``INSIDE``.
        picture: RGB uint8 (H, W, 3): the earlier picture, or the photo that is the place.
        whole: so many scales, from the coarsest on, are kept inside, too; 0 … number of scales - 1.
        window: where the picture lies in a larger photo; None where it is the whole of it.
        behind: the picture goes on behind the subject, where the subject's place is known: only its shadow falls there.
        dpi: resolution of the picture or photo across and down, in pixels per inch, which what is made of it keeps; None where
            it states none.
    """

    mask: np.ndarray
    picture: np.ndarray
    whole: _Scales = 0
    window: PhotoWindow | None = None
    behind: bool = False
    dpi: tuple[_Dpi, _Dpi] | None = None

    def __post_init__(self) -> None:
        mask, picture = self.mask, self.picture
        if not _is_pixels(mask, 2) or not _is_pixels(picture, 3) or picture.shape[2] != 3:
            raise RegionError(Sentence("A region is a grey mask and a picture in colours."))
        if mask.shape != picture.shape[:2]:
            raise RegionError(
                Sentence(
                    "The region is {mask} pixels and the picture {picture}.", mask=_size(mask), picture=_size(picture)
                ),
                Sentence("Use a region that was made for this picture."),
            )
        if max(mask.shape) > MAX_SIDE:
            raise RegionError(Sentence("A picture with a region has at most {most} pixels a side.", most=MAX_SIDE))
        check_fields(self, _REGION_RULES, RegionError)
        inside = mask >= INSIDE
        problem = region_problem(inside)
        if problem is not None:
            raise problem
        mask = inside.astype(np.uint8) * 255
        picture = np.array(picture, order="C")
        mask.flags.writeable = picture.flags.writeable = False
        object.__setattr__(self, "mask", mask)
        object.__setattr__(self, "picture", picture)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.mask.shape[1], self.mask.shape[0]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Region)
            and (self.whole, self.window, self.behind, self.dpi) == (other.whole, other.window, other.behind, other.dpi)
            and np.array_equal(self.mask, other.mask)
            and np.array_equal(self.picture, other.picture)
        )

    def __hash__(self) -> int:
        return hash((self.mask.tobytes(), self.whole, self.window))

    def tokens(self, grid: tuple[int, int]) -> np.ndarray:
        """Return the tokens of one scale that are drawn anew, bool (h, w): those of which half or more lies inside."""
        import cv2

        rows, columns = grid
        share = cv2.resize((self.mask > 0).astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        return share >= 0.5 - 1e-5

    def scales(self, grids: tuple[tuple[int, int], ...]) -> tuple[np.ndarray, ...]:
        """``tokens`` of every scale, with the first ``whole`` scales kept everywhere. Raises ``RegionError`` where nothing is left
        that would be drawn."""
        anew = tuple(
            np.zeros(grid, bool) if scale < self.whole else self.tokens(grid) for scale, grid in enumerate(grids)
        )
        if not any(places.any() for places in anew):
            raise RegionError(
                Sentence("The region is too small: nothing in it would be drawn anew."),
                Sentence("Mark at least {stride} × {stride} pixels.", stride=self.size[0] // grids[-1][1]),
            )
        return anew

    def lay_in(self, drawn: np.ndarray, feather: float) -> np.ndarray:
        """The earlier picture with a drawn one, RGB uint8 (H, W, 3), laid into its region.

        Args:
            feather: pixels over which it comes in, counted inwards from the region's edge.
        """
        there = self.around(math.ceil(_BLUR_REACH * max(feather, 1.0)) + 1)
        below, mask = self.picture[there], self.mask[there]
        out = self.picture.copy()
        out[there] = mixed(below, _met(below, drawn[there], mask, feather), soft_inside(mask, feather))
        return out

    def around(self, margin: int) -> tuple[slice, slice]:
        """Rows and columns of pixels that hold the region, with so many around it where the picture has them."""
        spans = []
        for axis in (1, 0):
            inside = np.flatnonzero(self.mask.any(axis=axis))
            spans.append(
                slice(max(int(inside[0]) - margin, 0), min(int(inside[-1]) + 1 + margin, self.mask.shape[1 - axis]))
            )
        return spans[0], spans[1]

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"mask": _png(self.mask), "picture": _png(self.picture), "whole": self.whole}
        if self.window is not None:
            data["window"] = self.window.to_json()
        if self.behind:
            data["behind"] = True
        if self.dpi is not None:
            data["dpi"] = list(self.dpi)
        return data

    @classmethod
    def from_json(cls, data: Any) -> Region:
        """Reads what ``to_json`` wrote. The input may be hostile: anything unexpected raises ``RegionError``."""
        try:
            packed = read_value(data, _PackedRegion)
        except Damage as damage:
            raise RegionError(_DAMAGED) from damage
        at = packed.window
        return cls(
            _pixels(packed.mask, "L"),
            _pixels(packed.picture, "RGB"),
            packed.whole,
            None if at is None else PhotoWindow(*at.rect, *at.photo_size, at.photo),
            packed.behind,
            packed.dpi,
        )


_REGION_RULES = {
    "whole": Sentence(
        "The number of scales that are kept in a region must be a whole number from 0 to {most}.", most=_MOST_SCALES
    ),
    "window": _DAMAGED,
    "behind": _DAMAGED,
    "dpi": _DAMAGED,
}


def region_problem(mask: np.ndarray) -> RegionError | None:
    """Return the reason why a mask, bool or uint8 (H, W), is no region (empty, everything), or None when it is one."""
    inside = mask if mask.dtype == bool else mask >= INSIDE
    if not inside.any():
        return RegionError(Sentence("The region is empty."), Sentence("Mark what is to be drawn anew."))
    if inside.all():
        return RegionError(
            Sentence("The region covers the whole picture."),
            Sentence("Leave something outside, or draw a new picture."),
        )
    return None


def soft_inside(mask: np.ndarray, feather: float) -> np.ndarray:
    """Return the share of what is drawn anew at each pixel, float32 (H, W): 0 outside of the mask, rising to 1 within
    ``feather`` pixels.

    A region narrower than that rises faster, so that its middle is the new picture alone. The picture's own edge is no
    edge of the region.
    """
    import cv2

    inside = (mask >= INSIDE).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    reach = min(max(float(feather), 1.0), max(float(distance.max()) / 2, 1.0))
    return np.minimum(distance / np.float32(reach), np.float32(1.0)) * inside


def mixed(below: np.ndarray, above: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """RGB uint8 (H, W, 3): ``above`` where the weight (H, W) is 1, and exactly ``below`` where it is 0."""
    share = weight[..., None]
    return (below + (above.astype(np.float32) - below) * share + np.float32(0.5)).astype(np.uint8)


def _met(picture: np.ndarray, drawn: np.ndarray, mask: np.ndarray, feather: float) -> np.ndarray:
    """The drawn pixels, with their colours brought to those of the picture where they meet.

    A tokenizer gives a picture back a little paler or darker than it was. How much, is seen just outside of the region, and
    is taken off just inside, less and less away from the edge.
    """
    import cv2

    reach = max(float(feather), 1.0)
    outside = (mask < INSIDE).astype(np.float32)
    difference = (picture.astype(np.float32) - drawn) * outside[..., None]
    # What is as smooth as this is made of fewer pixels: the picture's own would be the slowest part of it all.
    size, fewer = mask.shape[::-1], max(int(reach / _SMOOTH), 1)
    small = tuple(-(-side // fewer) for side in size)
    outside = cv2.resize(outside, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    difference = cv2.resize(difference, small, interpolation=cv2.INTER_AREA).astype(np.float32)
    near = cv2.GaussianBlur(outside, (0, 0), reach / fewer)
    away = cv2.GaussianBlur(difference, (0, 0), reach / fewer) / np.maximum(near, np.float32(1e-3))[..., None]
    near, away = (cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) for part in (near, away))
    met = drawn + away * np.minimum(2 * near, np.float32(1.0))[..., None]
    return (met.clip(0, 255) + np.float32(0.5)).astype(np.uint8)


def _is_pixels(pixels: object, axes: int) -> bool:
    return isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8 and pixels.ndim == axes and pixels.size > 0


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} × {pixels.shape[0]}"


def _png(pixels: np.ndarray) -> str:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def _pixels(png: bytes, mode: str) -> np.ndarray:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            # The size stands in the header: look before the pixels are unpacked.
            if max(picture.size) > MAX_SIDE or picture.mode != mode:
                raise RegionError(_DAMAGED)
            return np.array(picture)
    except RegionError:
        raise
    except Exception as error:  # Pillow raises many kinds; all mean the same to the user
        raise RegionError(_DAMAGED) from error
