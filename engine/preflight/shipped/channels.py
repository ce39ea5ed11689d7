"""Hints as the network sees them: four channels beside the picture, the same in training and in the program."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

BOX, INCLUDE, EXCLUDE, EARLIER = range(4)
POINT = 0.022
"""Radius of a click's spot, as a share of the picture's side."""


@dataclass
class HintChannels:
    """Channels of hints, float32 (4, S, S) in 0 … 1; a channel without a hint is 0 everywhere."""

    channels: np.ndarray

    @classmethod
    def none(cls, size: int) -> HintChannels:
        return cls(np.zeros((4, size, size), np.float32))

    def box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Fill a box given in pixels."""
        cv2.rectangle(self.channels[BOX], (round(x0), round(y0)), (round(x1) - 1, round(y1) - 1), 1.0, -1)

    def point(self, x: float, y: float, include: bool) -> None:
        """A click at (x, y) in pixels."""
        size = self.channels.shape[1]
        place = (int(np.clip(x, 0, size - 1)), int(np.clip(y, 0, size - 1)))
        cv2.circle(self.channels[INCLUDE if include else EXCLUDE], place, max(1, round(POINT * size)), 1.0, -1)

    def earlier(self, mask: np.ndarray) -> None:
        """The mask so far, (S, S) in 0 … 1."""
        self.channels[EARLIER] = mask
