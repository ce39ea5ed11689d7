"""How alike a picture is to its cut-out, in the eyes of a judge that nobody here trained."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.evaluation.imagenet import ImageNetJudge, to_picture
from engine.request import CutOut


def imagenet_likeness() -> Callable[[CutOut, np.ndarray], float]:
    """Makes a function of a cut-out and a picture, RGB uint8 (H, W, 3): the cosine of what the judge sees in both.

    Raises:
        InputError: the judge's packages are not installed.
    """
    judge = ImageNetJudge.load()

    def likeness(subject: CutOut, picture: np.ndarray) -> float:
        one, other = judge.embed([to_picture(subject.rgb), to_picture(picture)])
        return round(float(one @ other), 4)

    return likeness
