"""Judges a mask: estimates the overlap it is going to have with the truth, before anyone says so.

The network's own judge compares its features inside, outside and on the edge of a mask. What it says is weighed with how
far the passes and the candidates agree and how well the mask stands out; the weights are fitted on composites of things
that the network was never trained on (``engine/training/cutout_calibration.py``), apart for each way a mask is found.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np

from engine.files import hash_file, replacing

JUDGE_NAME = "judge.npz"
SURE = 0.9
"""From this estimate on a mask is called right."""

TRAITS = (
    "judged", "agreement", "soft overlap", "hard overlap", "others", "best other", "worst other", "inside", "outside", "decided",
    "apart", "edges", "size", "whole", "by colours", "one",
)  # fmt: skip
"""Names of the features that the calibration weighs (``traits.py``), in this order; the last is always 1."""

KINDS = ("alone", "alone again", "hinted", "hinted again")
"""The ways a mask is found: by itself, by the second pass at that, led by a hint, by the second pass at that."""


@dataclass(frozen=True, eq=False)
class Judge:
    """Weights of the judge, and of the calibration.

    Attributes:
        layers: weights and biases of two layers, float32.
        network: sha256 (hex) of the network's file that it belongs to.
        calibration: each of ``KINDS`` → float64 (len(TRAITS),); empty before it is calibrated.
    """

    layers: tuple[np.ndarray, ...]
    network: str = ""
    calibration: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def from_layers(cls, *layers: np.ndarray) -> Judge:
        return cls(tuple(np.asarray(values, np.float32) for values in layers))

    def logit(self, middle: np.ndarray, top: np.ndarray, mask: np.ndarray) -> float:
        """The judge's own estimate for a mask.

        Args:
            middle: (C, h, w), top: (C,), as ``View`` has them. mask: float32, any size, 0 … 1.
        """
        height, width = middle.shape[1:]
        inside = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)
        edge = 4 * inside * (1 - inside)
        weights = (inside, 1 - inside, edge)
        features = [(middle * weight).mean((1, 2)) / (weight.mean() + 1e-3) for weight in weights]
        size = np.array([inside.mean(), edge.mean() / (inside.mean() + 1e-2)], np.float32)
        first, first_bias, second, second_bias = self.layers
        hidden = np.maximum(first @ np.concatenate([top, *features, size]) + first_bias, 0)
        return float((second @ hidden + second_bias)[0])

    def overlap(self, traits: np.ndarray, kind: str) -> float:
        """The estimated overlap, 0 … 1, of a mask with these traits (len(TRAITS),), found in one of ``KINDS``."""
        weights = self.calibration.get(kind)
        value = float(traits @ weights) if weights is not None else float(traits[0])
        return float(1 / (1 + np.exp(-np.clip(value, -30, 30))))


def read_judge(path: Path) -> Judge:
    """Read what ``write_judge`` wrote. Raises ``OSError``, ``ValueError`` or ``KeyError`` when it is not whole."""
    try:
        # By way of its bytes: NumPy leaves a file open that turns out to be none of its own.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            layers = tuple(kept[f"layer{number}"] for number in range(4))
            calibration = {kind: kept[kind] for kind in KINDS if kind in kept}
            network = str(kept["network"])
    except (EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path.name} is damaged") from error
    if any(len(weights) != len(TRAITS) for weights in calibration.values()) or [v.ndim for v in layers] != [2, 1, 2, 1]:
        raise ValueError(f"{path.name} does not fit")
    return Judge(layers, network, calibration)


def write_judge(folder: Path, judge: Judge, network_name: str = "cutout.onnx") -> None:
    """Write the judge beside its network, with the network's digest. Raises ``OSError``."""
    judge = replace(judge, network=hash_file(folder / network_name).sha256)
    values = {f"layer{number}": layer for number, layer in enumerate(judge.layers)}
    path = folder / JUDGE_NAME
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, network=np.array(judge.network), **values, **judge.calibration)  # type: ignore[arg-type]
