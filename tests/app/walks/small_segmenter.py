"""A segmenter for the small photos of a walk."""

from __future__ import annotations

import numpy as np

from engine.photo.hints import Box, SubjectProposal
from tests.app.mask.fakes import FakeSegmenter


class SmallSegmenter(FakeSegmenter):
    """Finds the middle of a photo of 64 pixels a side or more."""

    def find_subject(self, photo, hint):
        mask = np.zeros(photo.rgb.shape[:2], np.uint8)
        mask[16:48, 16:48] = 255
        return SubjectProposal(hint.name, (Box(16, 16, 48, 48, 0.9, hint.name),), mask, 0.9)
