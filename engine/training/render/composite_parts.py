"""The pieces of composites: backgrounds, how a subject looks and where it stands, shadows, the camera. NumPy and OpenCV.

Pictures are float32 (S, S, 3) in 0 … 1, RGB; a placed thing is premultiplied float32 (S, S, 4).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

Dice = np.random.Generator
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_LONGEST = 768  # side in pixels that a photograph is made smaller to


@dataclass(frozen=True)
class Pasted:
    """A picture with a thing in it. Attributes: picture (S, S, 3); alpha (S, S) of the thing."""

    picture: np.ndarray
    alpha: np.ndarray


# Backgrounds


def background(dice: Dice, size: int, textures: list[np.ndarray], scenes: list[Path]) -> np.ndarray:
    """A background: a painted scene, a photograph, a floor before a wall, or a plain studio."""
    draw = dice.random()
    picture = None
    if draw < 0.3 and scenes:
        picture = _scene(dice, size, scenes)
    elif draw < 0.55 and textures:
        picture = _crop(dice, size, textures, 0.25, 0.9)
    elif draw < 0.9:
        picture = _floor_and_wall(dice, size, textures)
    if picture is None:
        picture = _plain(dice, size)
    return _graded(dice, picture, 0.25)


def _scene(dice: Dice, size: int, scenes: list[Path]) -> np.ndarray | None:
    path = scenes[int(dice.integers(len(scenes)))]
    read = cv2.imread(str(path), cv2.IMREAD_COLOR)
    return None if read is None else _cut(dice, cv2.cvtColor(read, cv2.COLOR_BGR2RGB), size, 0.6, 1.0)


def _crop(dice: Dice, size: int, textures: list[np.ndarray], low: float, high: float) -> np.ndarray:
    return _cut(dice, textures[int(dice.integers(len(textures)))], size, low, high)


def _cut(dice: Dice, picture: np.ndarray, size: int, low: float, high: float) -> np.ndarray:
    height, width = picture.shape[:2]
    side = max(8, int(min(height, width) * dice.uniform(low, high)))
    top, left = int(dice.integers(height - side + 1)), int(dice.integers(width - side + 1))
    part = picture[top : top + side, left : left + side]
    how = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    part = cv2.resize(part, (size, size), interpolation=how).astype(np.float32) / 255
    return part[:, ::-1].copy() if dice.random() < 0.5 else part


def _plain(dice: Dice, size: int) -> np.ndarray:
    """A gradient between two near colours, with a soft spot of light."""
    colour = dice.uniform(0.05, 1, 3) if dice.random() < 0.6 else np.full(3, dice.uniform(0.1, 1))
    ends = np.clip(colour + dice.normal(0, 0.12, (2, 2, 3)), 0, 1).astype(np.float32)
    picture = cv2.resize(ends, (size, size), interpolation=cv2.INTER_LINEAR)
    if dice.random() < 0.5:
        ys, xs = np.mgrid[:size, :size].astype(np.float32) / size
        x, y = dice.uniform(0, 1, 2)
        spot = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / dice.uniform(0.05, 0.4))
        picture = picture + dice.uniform(-0.2, 0.3) * spot[..., None]
    return np.clip(picture, 0, 1).astype(np.float32)


def _surface(dice: Dice, size: int, textures: list[np.ndarray]) -> np.ndarray:
    if not textures or dice.random() < 0.35:
        return _plain(dice, size)
    part = _crop(dice, size, textures, 0.15, 0.7)
    if dice.random() < 0.4:
        # The structure of one photo in the colour of a carpet, a cloth, a board.
        grey = part.mean(2, keepdims=True)
        grey = (grey - grey.mean()) * dice.uniform(0.3, 1.2)
        part = np.clip(dice.uniform(0.1, 0.95, 3).astype(np.float32) + grey, 0, 1).astype(np.float32)
    if dice.random() < 0.3:
        half = cv2.resize(part, (size // 2, size // 2), interpolation=cv2.INTER_AREA)
        mirrored = np.vstack([half, half[::-1]])
        part = cv2.resize(np.hstack([mirrored, mirrored[:, ::-1]]), (size, size))
    return part


def _floor_and_wall(dice: Dice, size: int, textures: list[np.ndarray]) -> np.ndarray:
    """A surface that runs away from the camera to a horizon, and something behind it."""
    wall = _surface(dice, size, textures)
    if dice.random() < 0.5:
        wall = cv2.GaussianBlur(wall, (0, 0), float(dice.uniform(1, 0.04 * size)))
    floor = _surface(dice, size, textures)
    horizon = dice.uniform(-0.1, 0.75)
    inset = dice.uniform(0.0, 0.35)
    start = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    tilt = dice.normal(0, 0.03)
    end = np.array(
        [[-inset, horizon - tilt], [1 + inset, horizon + tilt], [1 + 4 * inset, 1.3], [-4 * inset, 1.3]], np.float32
    )
    turned = cv2.getPerspectiveTransform(start, end * size)
    laid = cv2.warpPerspective(floor, turned, (size, size), flags=cv2.INTER_LINEAR)
    cover = cv2.warpPerspective(np.ones((size, size), np.float32), turned, (size, size))
    if dice.random() < 0.3:
        cover = cv2.GaussianBlur(cover, (0, 0), float(dice.uniform(0.5, 0.03 * size)))
    return wall + (laid - wall) * cover[..., None]


# A subject


def appearance(dice: Dice, thing: np.ndarray, textures: list[np.ndarray]) -> np.ndarray:
    """A cut-out, uint8 RGBA (s, s, 4), in other colours and light: premultiplied float32 (s, s, 4)."""
    rgb, alpha = thing[..., :3].astype(np.float32) / 255, thing[..., 3].astype(np.float32) / 255
    side = len(alpha)
    if textures and dice.random() < 0.12:
        # The shape of one thing in the stuff of another: also what looks like its surroundings has an outline.
        stuff = _crop(dice, side, textures, 0.15, 0.6)
        light = rgb.mean(2, keepdims=True)
        rgb = np.clip(stuff * (0.6 + 0.8 * light), 0, 1)
    rgb = _graded(dice, rgb, 0.18)
    if dice.random() < 0.5:
        ramp = cv2.resize(dice.uniform(0.55, 1.25, (2, 2)).astype(np.float32), (side, side))
        rgb = np.clip(rgb * ramp[..., None], 0, 1)
    if dice.random() < 0.35:
        alpha = np.asarray(cv2.erode(alpha, np.ones((3, 3), np.uint8)), np.float32)
    return np.dstack([rgb * alpha[..., None], alpha]).astype(np.float32)


def joined(dice: Dice, thing: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Two cut-outs as one: the second, smaller, over an edge of the first."""
    side = len(thing)
    small = int(side * dice.uniform(0.3, 0.6))
    canvas = np.zeros_like(thing)
    body = int(side * dice.uniform(0.75, 0.95))
    top, left = side - body, (side - body) // 2
    canvas[top:, left : left + body] = cv2.resize(thing, (body, body), interpolation=cv2.INTER_AREA)
    piece = cv2.resize(other, (small, small), interpolation=cv2.INTER_AREA)
    x = int(np.clip(left + dice.uniform(0.1, 0.9) * body - small / 2, 0, side - small))
    y = int(dice.uniform(0, 0.6) * (side - small))
    part = canvas[y : y + small, x : x + small].astype(np.float32)
    cover = piece[..., 3:].astype(np.float32) / 255
    mixed = part + (piece.astype(np.float32) - part) * cover
    mixed[..., 3] = np.maximum(part[..., 3], piece[..., 3])
    canvas[y : y + small, x : x + small] = mixed.astype(np.uint8)
    return canvas


def placed(dice: Dice, thing: np.ndarray, size: int, scale: float, centre: np.ndarray) -> np.ndarray:
    """A thing (s, s, 4) turned, stretched and put at its place, premultiplied (size, size, 4).

    Args:
        scale: its longer side as a share of ``size``. centre: (x, y) as shares.
    """
    side = len(thing)
    angle = dice.normal(0, 9) if dice.random() < 0.85 else dice.uniform(-180, 180)
    zoom = scale * size / side
    stretch = np.exp(dice.normal(0, 0.1, 2))
    if dice.random() < 0.5:
        stretch[0] = -stretch[0]
    turn = np.deg2rad(angle)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag(stretch) * zoom
    matrix[0, 1] += zoom * dice.normal(0, 0.06)
    shift = centre * size - matrix @ np.array([side / 2, side / 2])
    if zoom < 0.8:
        thing = cv2.GaussianBlur(thing, (0, 0), 0.45 / zoom)
    return np.clip(cv2.warpAffine(thing, np.column_stack([matrix, shift]), (size, size), flags=cv2.INTER_LINEAR), 0, 1)


def read_front(path: Path, size: int) -> np.ndarray:
    """A painted front, premultiplied already; nothing where it cannot be read."""
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if read is None or read.ndim != 3 or read.shape[2] != 4:
        return np.zeros((size, size, 4), np.float32)
    return cv2.resize(cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA), (size, size)).astype(np.float32) / 255


def pasted(dice: Dice, picture: np.ndarray, thing: np.ndarray, shadow: bool) -> Pasted:
    """Put a placed thing over a picture, its shadow first."""
    alpha = thing[..., 3]
    if shadow and dice.random() < 0.7:
        picture = picture * (1 - _shadow(dice, alpha))[..., None]
    if shadow and dice.random() < 0.08:
        picture = _mirrored(dice, picture, thing)
    if dice.random() < 0.3:
        thing = cv2.GaussianBlur(thing, (0, 0), float(dice.uniform(0.4, 1.3)))
        alpha = thing[..., 3]
    return Pasted(picture * (1 - alpha[..., None]) + thing[..., :3], alpha)


def _shadow(dice: Dice, alpha: np.ndarray) -> np.ndarray:
    """Return the darkness of the ground, (S, S): cast to a side, or a pool at the foot."""
    size = len(alpha)
    x, y, w, h = cv2.boundingRect((alpha > 0.3).astype(np.uint8))
    if dice.random() < 0.5:
        foot, lean = y + h, dice.uniform(-0.9, 0.9)
        squash = dice.uniform(0.15, 0.6)
        matrix = np.array([[1, -lean * squash, lean * squash * foot], [0, squash, foot * (1 - squash)]], np.float32)
        dark = cv2.warpAffine(alpha, matrix, (size, size))
    else:
        dark = np.zeros_like(alpha)
        axes = (max(1, int(w * dice.uniform(0.3, 0.55))), max(1, int(h * dice.uniform(0.03, 0.12))))
        cv2.ellipse(dark, (x + w // 2, y + h - axes[1] // 2), axes, 0, 0, 360, 1.0, -1)
    dark = cv2.GaussianBlur(dark, (0, 0), float(dice.uniform(0.8, 0.04 * size)))
    return dark * dice.uniform(0.15, 0.75)


def _mirrored(dice: Dice, picture: np.ndarray, thing: np.ndarray) -> np.ndarray:
    """A reflection on a smooth ground."""
    _, y, _, h = cv2.boundingRect((thing[..., 3] > 0.3).astype(np.uint8))
    matrix = np.array([[1, 0, 0], [0, -1, 2 * (y + h) - 2]], np.float32)
    turned = cv2.warpAffine(thing, matrix, thing.shape[1::-1]) * dice.uniform(0.1, 0.4)
    below = cv2.GaussianBlur(turned, (0, 0), float(dice.uniform(0.5, 3)))
    return picture * (1 - below[..., 3:]) + below[..., :3]


# Colours and the camera


def colours_of(thing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation of a cut-out's colours, each (3,)."""
    colours = thing[thing[..., 3] > 128][:, :3].astype(np.float32) / 255
    if not len(colours):
        return np.full(3, 0.5, np.float32), np.full(3, 0.2, np.float32)
    return colours.mean(0), colours.std(0)


def recoloured(picture: np.ndarray, like: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """A picture in the colours of something else: camouflage."""
    mean, spread = picture.mean((0, 1)), picture.std((0, 1)) + 0.02
    return np.clip((picture - mean) / spread * (like[1] + 0.03) + like[0], 0, 1).astype(np.float32)


def _graded(dice: Dice, picture: np.ndarray, amount: float) -> np.ndarray:
    """Other brightness, contrast, saturation and cast."""
    grey = picture.mean(2, keepdims=True)
    picture = grey + (picture - grey) * dice.uniform(0.4, 1.35)
    gain = (1 + dice.normal(0, 0.35 * amount, 3)) * dice.uniform(1 - amount, 1 + amount)
    picture = 0.5 + (picture * gain - 0.5) * dice.uniform(1 - amount, 1 + amount)
    return np.clip(picture, 0, 1).astype(np.float32)


def camera(dice: Dice, picture: np.ndarray) -> np.ndarray:
    """Degrade a picture as a camera and a file do: cast, tone, blur, noise, JPEG. uint8 RGB (S, S, 3)."""
    size = len(picture)
    picture = np.clip(picture, 0, 1)
    if dice.random() < 0.6:
        picture = picture ** dice.uniform(0.65, 1.5) * (1 + dice.normal(0, 0.07, 3))
    if dice.random() < 0.25:
        ys, xs = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
        picture = picture * (1 - dice.uniform(0.1, 0.5) * (xs**2 + ys**2) / 2)[..., None]
    if dice.random() < 0.04:
        picture = np.repeat(picture.mean(2, keepdims=True), 3, 2)
    picture = np.clip(picture, 0, 1).astype(np.float32)
    draw = dice.random()
    if draw < 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), float(dice.uniform(0.3, 1.4)))
    elif draw < 0.5:
        picture = picture + 0.7 * (picture - cv2.GaussianBlur(picture, (0, 0), 1.2))
    if dice.random() < 0.5:
        picture = picture + dice.standard_normal(picture.shape, np.float32) * dice.uniform(0.005, 0.05)
    developed = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    if dice.random() < 0.5:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(dice.integers(25, 95))]
        developed = cv2.imdecode(cv2.imencode(".jpg", developed, quality)[1], cv2.IMREAD_COLOR)
    return developed


def read_photographs(folder: Path | None, skip: Collection[str] = ()) -> list[np.ndarray]:
    """The pictures of a folder, uint8 RGB, without those whose names begin with one of ``skip``.

    What cannot be read is left out.
    """
    pictures = []
    for path in sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES) if folder else ():
        if path.stem.startswith(tuple(skip)):
            continue
        read = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if read is not None:
            share = min(1.0, _LONGEST / max(read.shape[:2]))
            small = cv2.resize(read, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) if share < 1 else read
            pictures.append(cv2.cvtColor(small, cv2.COLOR_BGR2RGB))
    return pictures
