"""The network in OpenCV: a picture and hints in; where the subject is, and what its judge needs, out. No torch.

Each picture goes through it several times, in two sizes and mirrored: the mean of the views is better than each of them, and
where they differ the network is not sure. A file that is missing or damaged, and an OpenCV that lacks a layer, are said
once in the log; whoever asks then gets no answer and goes on without.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.preflight.shipped.channels import HintChannels
from engine.preflight.shipped.judge import JUDGE_NAME, Judge, read_judge
from engine.sentence import Sentence

log = logging.getLogger(__name__)

NAME = "cutout.onnx"
OUTPUTS = ("mask", "middle", "top")
FOLDER = Path(__file__).resolve().parents[3] / "resources" / "cutout"

SIDE = 256
"""Pixels a side of the answer, and of the larger pass."""

SIDES, LARGE_SIDES, SMALL_SIDES = (SIDE, 192), (SIDE,), (192,)
"""Sides of the squares that a picture is scaled to: for a first answer, for a second one, for another reading."""


@dataclass(frozen=True, eq=False)
class View:
    """The network's output for a picture, squeezed into a square.

    Attributes:
        logits: float32 (SIDE, SIDE), above 0 where the subject is: the mean of all passes.
        agreement: 0 … 1, how far the passes overlap in what they take for the subject.
        middle, top: features of the larger pass, float32 (C, SIDE / 8, SIDE / 8) and (C,).
        judge: who estimates how good a mask is.
    """

    logits: np.ndarray
    agreement: float
    middle: np.ndarray
    top: np.ndarray
    judge: Judge


class ShippedNetwork:
    """The network of a folder, read when it is needed first. Thread-safe.

    Args:
        folder: holds ``cutout.onnx`` and its judge; by default what ships with the program.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._net: cv2.dnn.Net | None = None
        self._judge: Judge | None = None
        self._problem: str | None = None

    @property
    def problem(self) -> str:
        """The reason why the network cannot be used, one sentence, or "". Reads the file."""
        with self._lock:
            self._ready()
            return self._problem or ""

    @property
    def judge(self) -> Judge:
        """The judge that estimates how good a mask is. Raises ``ValueError`` where the network cannot be used."""
        with self._lock:
            judge = self._ready()
        if judge is None:
            raise ValueError(self._problem)
        return judge

    def predict(
        self, rgb: np.ndarray, hints: HintChannels | None = None, sides: tuple[int, ...] = SIDES
    ) -> View | None:
        """See the subject.

        Args:
            rgb: uint8 (h, w, 3); a long side of twice ``SIDE`` is enough.
            hints: of ``SIDE`` pixels.
            sides: pixels a side of the passes, the largest first; each is taken twice, once mirrored.

        Returns:
            None where the network cannot be used.
        """
        with self._lock:
            judge = self._ready()
            if judge is None:
                return None
            try:
                passes = [self._predict(rgb, hints, side) for side in sides]
            except cv2.error as error:
                self._fail(
                    Sentence("OpenCV {version} cannot run the network for cut-outs.", version=cv2.__version__), error
                )
                return None
        single = np.concatenate([logits for logits, _, _ in passes])
        inside = single > 0
        both, either = inside.all(0).sum(), inside.any(0).sum()
        return View(
            single.mean(0), float(both / either) if either else 0.0, passes[0][1], passes[0][2].mean((1, 2)), judge
        )

    def _predict(
        self, rgb: np.ndarray, hints: HintChannels | None, side: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Logits (2, SIDE, SIDE) of the picture and its mirror image, turned back; features of the former."""
        how = cv2.INTER_AREA if min(rgb.shape[:2]) >= side else cv2.INTER_LINEAR
        batch = np.zeros((2, 7, side, side), np.float32)
        batch[0, :3] = cv2.resize(rgb, (side, side), interpolation=how).transpose(2, 0, 1)
        if hints is not None:
            for channel, values in enumerate(hints.channels):
                batch[0, 3 + channel] = cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA)
        batch[1] = batch[0, :, :, ::-1]
        assert self._net is not None
        self._net.setInput(batch)
        logits, middle, top = self._net.forward(list(OUTPUTS))
        sides = (logits[0, 0], np.ascontiguousarray(logits[1, 0, :, ::-1]))
        return np.stack([cv2.resize(one, (SIDE, SIDE)) for one in sides]), middle[0], top[0]

    def _ready(self) -> Judge | None:
        if self._judge is not None or self._problem is not None:
            return self._judge
        path = self._folder / NAME
        try:
            data = path.read_bytes()
            judge = read_judge(self._folder / JUDGE_NAME)
        except (OSError, ValueError, KeyError) as error:
            self._fail(Sentence("The network for cut-outs is missing or damaged."), error)
            return None
        # OpenCV's reader is not made for damaged files: it only gets what is whole.
        if hashlib.sha256(data).hexdigest() != judge.network:
            self._fail(Sentence("The network for cut-outs is damaged."), None)
            return None
        try:
            self._net = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
            self._judge = judge
            self._predict(np.zeros((4, 4, 3), np.uint8), None, 64)
        except (cv2.error, ValueError) as error:
            self._fail(
                Sentence("OpenCV {version} cannot run the network for cut-outs.", version=cv2.__version__), error
            )
        return self._judge

    def _fail(self, sentence: str, error: Exception | None) -> None:
        self._net = self._judge = None
        self._problem = sentence
        log.warning("%s Cut-outs are made by colours and edges alone. %s", sentence, error or "")


SHIPPED = ShippedNetwork()
"""The network that ships with the program; one for the whole process."""


def shipped_problem() -> str:
    """Return the reason why the network that ships cannot be used, one sentence, or ""."""
    return SHIPPED.problem
