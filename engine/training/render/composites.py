"""Composites for the cut-out network: subjects over photographs and painted scenes, with their exact masks and with hints.

Everything is drawn with OpenCV at the size of training, a few milliseconds a picture, so that none has to be kept.
``composite_parts.py`` has the pieces: backgrounds, appearance of a subject, the camera.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.preflight.shipped.channels import HintChannels
from engine.training.data.subjects import SubjectPictures
from engine.training.render import composite_parts as parts
from engine.training.render.clicks import draw_hints

_NOTHING = 0.03
"""Share of the pictures without any subject: the network has to be able to say so."""


@dataclass(frozen=True)
class Composite:
    """One picture.

    Attributes:
        rgb: uint8 (S, S, 3).
        mask: float32 (S, S), 0 … 1: the visible part of the subject.
        hints: float32 (4, S, S), 0 … 1: box, included points, excluded points, earlier mask.
        alone: no hint tells which subject is meant.
    """

    rgb: np.ndarray
    mask: np.ndarray
    hints: np.ndarray
    alone: bool


@dataclass
class _Layer:
    """A thing in the picture: what it covers, before others cover it."""

    alpha: np.ndarray
    visible: np.ndarray


class Composer:
    """Draws composites, always the same ones for one seed.

    Args:
        subjects: cut-outs; drawn by their ``shares``.
        textures: photographs, uint8 RGB (H, W, 3).
        scenes: painted backgrounds (JPEG), read when drawn. fronts: what stands before a subject (PNG).
        size: S in pixels.
    """

    def __init__(
        self,
        subjects: SubjectPictures,
        textures: list[np.ndarray],
        scenes: list[Path] | None = None,
        fronts: list[Path] | None = None,
        *,
        size: int = 256,
        seed: int = 1,
        hinted: float = 0.5,
    ) -> None:
        self.pictures = np.ascontiguousarray(subjects.pictures.permute(0, 2, 3, 1).numpy())
        self.shares = np.cumsum(subjects.shares.double().numpy())
        self.textures, self.scenes, self.fronts = textures, scenes or [], fronts or []
        self.size, self.hinted = size, hinted
        self.dice = np.random.default_rng(seed)

    def state(self) -> str:
        """The generator's state, as text."""
        return json.dumps(self.dice.bit_generator.state)

    def load_state(self, state: str) -> None:
        self.dice.bit_generator.state = json.loads(state)

    def draw(self) -> Composite:
        """Draw the next picture."""
        dice, size = self.dice, self.size
        picture = parts.background(dice, size, self.textures, self.scenes)
        for _ in range(dice.choice(5, p=(0.6, 0.2, 0.1, 0.07, 0.03))):
            # Clutter far behind: small, often cut off by the frame, out of focus with the rest.
            picture = self._paste(picture, dice.uniform(0.08, 0.3), spread=0.45).picture
        if dice.random() < 0.45:
            picture = cv2.GaussianBlur(picture, (0, 0), float(dice.uniform(0.7, 0.03 * size)))
        if dice.random() < _NOTHING:
            rgb = parts.camera(dice, picture)
            return Composite(rgb, np.zeros((size, size), np.float32), np.zeros((4, size, size), np.float32), True)
        layers: list[_Layer] = []
        rivals = int(dice.choice(4, p=(0.65, 0.22, 0.09, 0.04)))
        main = float(dice.uniform(0.35, 1.0)) if dice.random() < 0.8 else float(dice.uniform(0.95, 1.4))
        like = parts.colours_of(self._subject()) if dice.random() < 0.1 else None
        if like is not None:
            picture = parts.recoloured(picture, like)
        before = int(dice.integers(0, rivals + 1))
        for turn in range(rivals + 1):
            if turn == before:
                picture = self._add(picture, layers, main, spread=0.13, compound=dice.random() < 0.2)
                subject = len(layers) - 1
            else:
                picture = self._add(picture, layers, main * float(dice.uniform(0.3, 0.7)), spread=0.4)
        if dice.random() < 0.12:
            picture = self._occlude(picture, layers)
        if layers[subject].visible.sum() < 0.5 * layers[subject].alpha.sum():
            subject = int(np.argmax([layer.visible.sum() for layer in layers]))
        wanted = self._wanted(layers, subject)
        hinted = wanted != subject or dice.random() < self.hinted
        mask = np.clip(layers[wanted].visible, 0, 1)  # blurred edges leave it by a rounding
        others = [layer.visible for index, layer in enumerate(layers) if index != wanted]
        hints = draw_hints(dice, mask, others) if hinted and mask.max() > 0.5 else HintChannels.none(size)
        return Composite(parts.camera(dice, picture), mask, hints.channels, not hinted)

    def _wanted(self, layers: list[_Layer], subject: int) -> int:
        """The main subject; with hints sometimes another one."""
        if len(layers) < 2 or self.dice.random() < 1 - 0.6 * self.hinted:
            return subject
        area = self.size**2
        able = [
            index
            for index, layer in enumerate(layers)
            if layer.visible.sum() > max(0.006 * area, 0.5 * layer.alpha.sum())
        ]
        return int(self.dice.choice(able)) if able else subject

    def _subject(self) -> np.ndarray:
        index = int(np.searchsorted(self.shares, self.dice.random() * self.shares[-1], side="right"))
        return self.pictures[min(index, len(self.pictures) - 1)]

    def _add(
        self, picture: np.ndarray, layers: list[_Layer], scale: float, spread: float, compound: bool = False
    ) -> np.ndarray:
        pasted = self._paste(picture, scale, spread, shadow=True, compound=compound)
        for layer in layers:
            layer.visible *= 1 - pasted.alpha
        layers.append(_Layer(pasted.alpha, pasted.alpha.copy()))
        return pasted.picture

    def _paste(
        self, picture: np.ndarray, scale: float, spread: float, shadow: bool = False, compound: bool = False
    ) -> parts.Pasted:
        dice = self.dice
        centre = np.clip(dice.normal((0.5, 0.53), spread), 0.02, 0.98) if spread < 0.3 else dice.uniform(0, 1, 2)
        thing = self._subject()
        if compound:
            # One subject made of two pictures: a bear with a hat, a bowl with fruit.
            thing = parts.joined(dice, thing, self._subject())
        thing = parts.appearance(dice, thing, self.textures)
        placed = parts.placed(dice, thing, self.size, scale, centre)
        return parts.pasted(dice, picture, placed, shadow)

    def _occlude(self, picture: np.ndarray, layers: list[_Layer]) -> np.ndarray:
        """Something stands before the subject: painted grass, or another thing that covers a part of it."""
        dice = self.dice
        if self.fronts and dice.random() < 0.4:
            placed = parts.read_front(self.fronts[int(dice.integers(len(self.fronts)))], self.size)
        else:
            thing = parts.appearance(dice, self._subject(), self.textures)
            edge = dice.uniform(0, 1, 2)
            edge[int(dice.integers(2))] = dice.choice((0.0, 1.0))
            placed = parts.placed(dice, thing, self.size, float(dice.uniform(0.3, 0.7)), edge)
        pasted = parts.pasted(dice, picture, placed, False)
        for layer in layers:
            kept = layer.visible * (1 - pasted.alpha)
            if kept.sum() < 0.6 * layer.visible.sum():
                return picture
        for layer in layers:
            layer.visible *= 1 - pasted.alpha
        return pasted.picture
