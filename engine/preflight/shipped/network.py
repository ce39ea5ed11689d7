"""The network in OpenCV: a picture and hints in; where the subject is, and what its judge needs, out. No torch.

Each picture goes through it several times, in two sizes and mirrored: the mean of the views is better than each of them, and
where they differ the network is not sure. A file that is missing or damaged, and an OpenCV that lacks a layer, are said
once in the log; whoever asks then gets no answer and goes on without.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from engine.preflight.shipped.channels import HintChannels
from engine.preflight.shipped.judge import JUDGE_NAME, Judge, read_judge
from engine.preflight.together import together
from engine.sentence import Sentence

log = logging.getLogger(__name__)

NAME = "cutout.onnx"
OUTPUTS = ("mask", "middle", "top")
FOLDER = Path(__file__).resolve().parents[3] / "resources" / "cutout"

SIDE = 256
"""Pixels a side of the answer, and of the larger pass."""

SIDES, LARGE_SIDES, SMALL_SIDES = (SIDE, 192), (SIDE,), (192,)
"""Sides of the squares that a picture is scaled to: for a first answer, for a second one, for another reading."""

_Pass = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Logits (2, SIDE, SIDE) of a picture and of its mirror image, turned back; both kinds of features of the former."""


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
        # OpenCV runs a network in one thread: one sees the picture, the other one its mirror image, at the same time.
        self._nets: tuple[cv2.dnn.Net, ...] = ()
        self._judge: Judge | None = None
        self._problem: str | None = None
        # The last picture that was seen without hints, with its passes by their side: some looks begin where the first one did.
        self._plain: tuple[np.ndarray, dict[int, _Pass]] = (np.zeros(0), {})

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
            rgb: uint8 (h, w, 3); a long side of twice ``SIDE`` is enough. It must not change afterwards.
            hints: of ``SIDE`` pixels.
            sides: pixels a side of the passes, the largest first; each is taken twice, once mirrored.

        Returns:
            None where the network cannot be used.
        """
        with self._lock:
            judge = self._ready()
            if judge is None:
                return None
            if hints is None and rgb is not self._plain[0]:
                self._plain = rgb, {}
            known = self._plain[1] if hints is None else {}
            new = [side for side in sides if side not in known]
            try:
                known |= zip(new, self._passes(rgb, hints, new), strict=True)
            except cv2.error as error:
                self._fail(
                    Sentence("OpenCV {version} cannot run the network for cut-outs.", version=cv2.__version__), error
                )
                return None
            passes = [known[side] for side in sides]
        single = np.concatenate([logits for logits, _, _ in passes])
        inside = single > 0
        both, either = inside.all(0).sum(), inside.any(0).sum()
        return View(
            single.mean(0), float(both / either) if either else 0.0, passes[0][1], passes[0][2].mean((1, 2)), judge
        )

    def _passes(self, rgb: np.ndarray, hints: HintChannels | None, sides: Sequence[int]) -> list[_Pass]:
        """One pass for each side."""
        batches = [_batch(rgb, hints, side) for side in sides]
        seen, mirrored = together(
            [
                lambda: [_run(self._nets[0], batch) for batch in batches],
                lambda: [_run(self._nets[1], np.ascontiguousarray(batch[..., ::-1])) for batch in batches],
            ]
        )
        passes = []
        for (logits, middle, top), (turned, _, _) in zip(seen, mirrored, strict=True):
            both = (logits[0, 0], np.ascontiguousarray(turned[0, 0, :, ::-1]))
            passes.append((np.stack([cv2.resize(one, (SIDE, SIDE)) for one in both]), middle[0], top[0]))
        return passes

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
            self._nets = tuple(together([lambda: cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))] * 2))
            self._judge = judge
            self._passes(np.zeros((4, 4, 3), np.uint8), None, (64,))
        except (cv2.error, ValueError) as error:
            self._fail(
                Sentence("OpenCV {version} cannot run the network for cut-outs.", version=cv2.__version__), error
            )
        return self._judge

    def _fail(self, sentence: str, error: Exception | None) -> None:
        self._nets, self._judge = (), None
        self._problem = sentence
        log.warning("%s Cut-outs are made by colours and edges alone. %s", sentence, error or "")


def _batch(rgb: np.ndarray, hints: HintChannels | None, side: int) -> np.ndarray:
    """The picture and its hints as the network takes them, float32 (1, 7, side, side)."""
    how = cv2.INTER_AREA if min(rgb.shape[:2]) >= side else cv2.INTER_LINEAR
    batch = np.zeros((1, 7, side, side), np.float32)
    batch[0, :3] = cv2.resize(rgb, (side, side), interpolation=how).transpose(2, 0, 1)
    if hints is not None:
        for channel, values in enumerate(hints.channels):
            batch[0, 3 + channel] = cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA)
    return batch


def _run(net: cv2.dnn.Net, batch: np.ndarray) -> Sequence[np.ndarray]:
    net.setInput(batch)
    return net.forward(list(OUTPUTS))


SHIPPED = ShippedNetwork()
"""The network that ships with the program; one for the whole process."""


def shipped_problem() -> str:
    """Return the reason why the network that ships cannot be used, one sentence, or ""."""
    return SHIPPED.problem
