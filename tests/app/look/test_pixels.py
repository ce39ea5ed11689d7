"""Arrays as Qt's pictures."""

from __future__ import annotations

import numpy as np
import pytest

from app.look.pixels import to_image


@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_does_not_change_with_its_array(qapp, channels):
    pixels = np.full((8, 8, channels), 255, np.uint8)
    pixels[..., 0] = 200
    image = to_image(pixels)
    pixels[...] = 0
    assert image.pixelColor(3, 3).getRgb() == (200, 255, 255, 255)
